import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpUri;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A client: sends a request to each URL in turn, and prints the responses. */
@Command(name = "fetch",
    description = "Prints status line, headers and body of each URL. Those of one origin share a connection.")
final class Fetch implements Callable<Integer> {

    @Option(names = "-X", paramLabel = "METHOD", description = "Request method; GET, or POST with -d.")
    private HttpMethod method;

    @Option(names = "-H", paramLabel = "'NAME: VALUE'", description = "A header to send.")
    private List<String> headers = List.of();

    @Option(names = "-d", paramLabel = "DATA", description = "A body to send, or @ and the file that holds it.")
    private String data;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "45",
        description = "How long to wait for a connection, and then for each part of the response (${DEFAULT-VALUE}).")
    private double timeout;

    @Parameters(paramLabel = "URL", arity = "1..*", description = "http://HOST[:PORT]/PATH")
    private List<String> urls;

    @Override
    public Integer call() throws IOException {
        int exit = 0;
        byte[] body = body();
        try (EventBase base = EventBase.create()) {
            Map<String, HttpConnection> connections = new HashMap<>();
            for (String url : urls) {
                try {
                    fetch(base, connections, HttpUri.parse(url), body);
                } catch (IOException | IllegalArgumentException e) {
                    System.err.println("fetch: " + url + ": " + e.getMessage());
                    exit = 1;
                }
                System.out.flush();
            }
        }
        return exit;
    }

    private byte[] body() throws IOException {
        if (data == null) {
            return new byte[0];
        }
        return data.startsWith("@") ? Files.readAllBytes(Path.of(data.substring(1))) : data.getBytes(UTF_8);
    }

    private void fetch(EventBase base, Map<String, HttpConnection> connections, HttpUri url, byte[] body) throws IOException {
        if (!url.scheme().orElse("").equalsIgnoreCase("http") || url.host().orElse("").isEmpty() || url.userInfo().isPresent()) {
            throw new IllegalArgumentException("only http://HOST[:PORT]/PATH can be fetched");
        }
        String host = url.host().get();
        int port = url.port() < 0 ? 80 : url.port();
        HttpConnection connection = connections.computeIfAbsent(host + ":" + port, origin -> connect(base, host, port));

        String target = (url.path().isEmpty() ? "/" : url.path()) + url.query().map(query -> "?" + query).orElse("");
        HttpRequest.Builder request = HttpRequest.newBuilder(target)
            .method(method != null ? method : data != null ? HttpMethod.POST : HttpMethod.GET, body);
        for (String header : headers) {
            String[] parts = header.split(":", 2);
            if (parts.length < 2) {
                throw new IllegalArgumentException("-H wants 'Name: value', not '" + header + "'");
            }
            request.header(parts[0], parts[1].strip());
        }
        Samples.await(base, connection.send(request.build(), new Printer(System.out)));
    }

    private HttpConnection connect(EventBase base, String host, int port) {
        // An IPv6 address stands in brackets only in URLs.
        return HttpConnection.newBuilder(base, host.replaceAll("[\\[\\]]", ""), port)
            .timeout(Duration.ofNanos((long) (timeout * 1e9)))
            .build();
    }

    /** Prints a response while it comes. */
    private record Printer(PrintStream out) implements BodyListener {

        @Override
        public void onHead(HttpResponse head) throws IOException {
            StringBuilder lines = new StringBuilder(head + "\n");
            head.headers().forEach((name, value) -> lines.append(name + ": " + value + "\n"));
            out.write((lines + "\n").getBytes(ISO_8859_1));
        }

        @Override
        public void onData(byte[] data) throws IOException {
            out.write(data);
        }
    }
}
