import io.github.libevent4j.EventBase;
import io.github.libevent4j.Signal;
import io.github.libevent4j.http.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The one main class of the samples: each subcommand is a program in a file of its own. Without arguments it runs the demo. */
@Command(name = "samples", description = "Programs that use libevent4j.", synopsisSubcommandLabel = "COMMAND",
    subcommands = {Demo.class, Serve.class, Fetch.class, Rpc.class, RpcCall.class})
public final class Samples {

    private static final Duration GRACE = Duration.ofSeconds(10);

    @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "Show this help.")
    private boolean help;

    public static void main(String[] args) {
        CommandLine commands = new CommandLine(new Samples());
        commands.setExpandAtFiles(false); // fetch has its own meaning for @FILE
        commands.getSubcommands().get("rpc-call").setStopAtPositional(true); // a parameter such as -1 is not an option
        commands.setExecutionExceptionHandler((failure, command, parsed) -> {
            if (failure instanceof IOException || failure instanceof IllegalArgumentException) { // not the program's fault: the message says all
                command.getErr().println(command.getCommandName() + ": " + failure.getMessage());
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

    /** Tells where the server listens, and runs it until SIGINT, SIGTERM or {@link #stop}. */
    static void run(EventBase base, HttpServer http, InetSocketAddress address) throws IOException {
        try (Signal interrupt = Signal.create(base, "INT", () -> stop(base, http));
             Signal terminate = Signal.create(base, "TERM", () -> stop(base, http))) {
            String host = address.getAddress().getHostAddress();
            System.out.println("listening on http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort() + "/");
            base.dispatch();
        }
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
