import io.github.libevent4j.EventBase;
import io.github.libevent4j.Signal;
import io.github.libevent4j.http.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The one main class of the samples: each subcommand is a program in a file of its own. Without arguments it runs the demo. */
@Command(name = "samples", description = "Programs that use libevent4j.", synopsisSubcommandLabel = "COMMAND",
    subcommands = {Demo.class, Serve.class, Fetch.class, Download.class, Upload.class, Lookup.class, Events.class, Tunnel.class,
        WebSocketEcho.class, Rpc.class, RpcCall.class, Echo.class, Chat.class, Proxy.class, Squeeze.class, Transfer.class,
        EvRpc.class})
public final class Samples {

    static final Duration GRACE = Duration.ofSeconds(10);

    @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "Show this help.")
    private boolean help;

    public static void main(String[] args) {
        CommandLine commands = new CommandLine(new Samples());
        commands.registerConverter(InetSocketAddress.class, Samples::parse);
        commands.setExpandAtFiles(false); // fetch has its own meaning for @FILE
        commands.getSubcommands().get("rpc-call").setStopAtPositional(true); // a parameter such as -1 is not an option
        commands.setExecutionExceptionHandler((failure, command, parsed) -> {
            if (failure instanceof IOException || failure instanceof IllegalArgumentException) { // not the program's fault: the message says all
                command.getErr().println(command.getCommandName() + ": " + (failure instanceof NoSuchFileException ? "there is no file " : "")
                    + failure.getMessage());
                return 1;
            }
            throw failure;
        });
        int exit = commands.execute(args.length == 0 ? new String[] {"demo"} : args);
        if (exit != 0) {
            System.exit(exit);
        }
    }

    // What more than one of the programs does

    /** Options that tell where to listen. */
    static final class Address {
        @Option(names = "--bind", paramLabel = "A", defaultValue = "127.0.0.1", description = "Address to listen on (${DEFAULT-VALUE}).")
        private String address;

        @Option(names = "--port", paramLabel = "N", defaultValue = "7000", description = "Port, 0 for a free one (${DEFAULT-VALUE}).")
        private int port;

        InetSocketAddress resolve() throws IOException {
            return Samples.resolve(address, port);
        }
    }

    /** Reads HOST:PORT, or [ADDRESS]:PORT. */
    private static InetSocketAddress parse(String text) throws IOException {
        Matcher parts = Pattern.compile("(?:\\[([^]]+)]|([^:]+)):([0-9]{1,5})").matcher(text);
        if (!parts.matches()) {
            throw new TypeConversionException("'" + text + "' is not HOST:PORT");
        }
        return resolve(parts.group(1) == null ? parts.group(2) : parts.group(1), Integer.parseInt(parts.group(3)));
    }

    static InetSocketAddress resolve(String host, int port) throws IOException {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new UnknownHostException("there is no host " + host);
        }
        return address;
    }

    private static String name(SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            String host = inet.getAddress().getHostAddress();
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + inet.getPort();
        }
        return address.toString();
    }

    /** Tells where something listens that is not HTTP. */
    static void tell(EventBase base, SocketAddress address) {
        tell(base, name(address));
    }

    /** When the loop runs: whoever reads it may send a signal at once. */
    private static void tell(EventBase base, String where) {
        base.execute(() -> System.out.println("listening on " + where));
    }

    /** Tells where it listens, and runs the loop until SIGINT or SIGTERM. */
    static void run(EventBase base, SocketAddress address) throws IOException {
        tell(base, address);
        untilSignal(base);
    }

    /** Runs the loop until SIGINT, SIGTERM or {@link EventBase#stop}. */
    static void untilSignal(EventBase base) throws IOException {
        untilSignal(base, base::stop);
    }

    private static void untilSignal(EventBase base, Runnable stop) throws IOException {
        try (Signal interrupt = Signal.create(base, "INT", stop);
             Signal terminate = Signal.create(base, "TERM", stop)) {
            base.dispatch();
        }
    }

    /** Tells where the server listens, and runs it until SIGINT, SIGTERM or {@link #stop}. */
    static void run(EventBase base, HttpServer http, InetSocketAddress address) throws IOException {
        run(base, address, () -> stop(base, http));
    }

    /** The same with more to do at SIGINT or SIGTERM, {@link #stop} at last. */
    static void run(EventBase base, InetSocketAddress address, Runnable stop) throws IOException {
        tell(base, "http://" + name(address) + "/");
        untilSignal(base, stop);
    }

    /** Lets the requests that have arrived get their replies, and then the loop return. */
    static void stop(EventBase base, HttpServer http) {
        http.stop(GRACE).thenRun(base::stop);
    }

    /** Runs the loop until the future is done. */
    static <T> T await(EventBase base, CompletableFuture<T> future) throws IOException {
        future.whenComplete((value, failure) -> base.stop());
        base.dispatch();
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw e;
        }
    }
}
