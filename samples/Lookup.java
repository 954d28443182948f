import io.github.libevent4j.EventBase;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.dns.Dns.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A resolver's user: asks for all names at once, and prints the answers in their order. */
@Command(name = "lookup",
    description = "Prints the addresses of names, or the names of addresses, and for how many seconds they may be kept.")
final class Lookup implements Callable<Integer> {

    private enum Type {
        A, AAAA, PTR, ANY
    }

    @Option(names = "--server", paramLabel = "ADDRESS[:PORT]", description = "The name server to ask; the system's unless given.")
    private String server;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "ANY",
        description = "${COMPLETION-CANDIDATES}; ANY is A and AAAA (${DEFAULT-VALUE}).")
    private Type type;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "5",
        description = "How long to wait for an answer before asking again, three times in all (${DEFAULT-VALUE}).")
    private String timeout;

    @Parameters(paramLabel = "NAME", arity = "1..*", description = "Names; of PTR, addresses.")
    private List<String> names;

    /** What was asked, and the lines to be printed of its answer. */
    private record Question(String name, CompletableFuture<List<String>> lines) {
    }

    @Override
    public Integer call() throws IOException {
        int exit = 0;
        try (EventBase base = EventBase.create(); Dns dns = server == null ? Dns.create(base) : Dns.createEmpty(base)) {
            if (server != null) {
                dns.addNameserver(address(server));
            }
            dns.option("timeout", timeout);
            List<Question> questions = new ArrayList<>();
            for (String name : names) {
                questions.add(new Question(name, ask(dns, name)));
            }
            for (Question question : questions) {
                try {
                    Samples.await(base, question.lines).forEach(System.out::println);
                } catch (IOException | IllegalArgumentException e) {
                    System.out.flush();
                    System.err.println("lookup: " + question.name + ": " + e.getMessage());
                    exit = 1;
                }
            }
        }
        return exit;
    }

    private CompletableFuture<List<String>> ask(Dns dns, String name) {
        try {
            return switch (type) {
                case A -> dns.resolveIpv4(name).thenApply(answer -> lines(name, "A", answer));
                case AAAA -> dns.resolveIpv6(name).thenApply(answer -> lines(name, "AAAA", answer));
                case PTR -> dns.resolveReverse(digits(name)).thenApply(answer -> lines(name, "PTR", answer));
                case ANY -> either(dns.resolveIpv4(name).thenApply(answer -> lines(name, "A", answer)),
                    dns.resolveIpv6(name).thenApply(answer -> lines(name, "AAAA", answer)));
            };
        } catch (IllegalArgumentException e) {
            return CompletableFuture.failedFuture(new IOException(e.getMessage()));
        }
    }

    private static List<String> lines(String name, String record, Answer<?> answer) {
        return answer.records().stream().map(each ->
            name + " " + answer.timeToLive().toSeconds() + " " + record + " "
                + (each instanceof InetAddress address ? address.getHostAddress() : each)).toList();
    }

    /** The lines of both, or of the one that has an answer. */
    private static CompletableFuture<List<String>> either(CompletableFuture<List<String>> first, CompletableFuture<List<String>> second) {
        return first.handle((lines, failure) -> failure == null
            ? second.handle((more, none) -> {
                List<String> both = new ArrayList<>(lines);
                both.addAll(none == null ? more : List.of());
                return both;
            })
            : second).thenCompose(lines -> lines.thenApply(List::copyOf));
    }

    private static InetAddress digits(String text) {
        if (!text.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) { // a name would be resolved by the JDK
            throw new IllegalArgumentException("not an address in digits");
        }
        try {
            return InetAddress.getByName(text);
        } catch (IOException e) {
            throw new IllegalArgumentException("not an address in digits", e);
        }
    }

    /** An address with or without a port, in brackets where it is IPv6 with a port. */
    private static InetSocketAddress address(String text) {
        boolean bare = text.indexOf(':') != text.lastIndexOf(':') && !text.startsWith("[");
        URI uri = URI.create("dns://" + (bare ? "[" + text + "]" : text));
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("--server wants ADDRESS[:PORT], not '" + text + "'");
        }
        return new InetSocketAddress(digits(uri.getHost().replaceAll("[\\[\\]]", "")), Math.max(uri.getPort(), 0));
    }
}
