import io.github.libevent4j.EventBase;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.http.HttpUri;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A proxy for CONNECT: takes the client's connection over, and passes bytes on between it and another. */
@Command(name = "tunnel", description = "A proxy for CONNECT, until SIGINT or SIGTERM.")
final class Tunnel implements Callable<Integer> {

    private static final int MOST = 256 * 1024; // bytes on their way to one side, at which the other is not read any more
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Option(names = "--port", paramLabel = "N", defaultValue = "8080", description = "Port, 0 for a free one (${DEFAULT-VALUE}).")
    private int port;

    @Option(names = "--allow", paramLabel = "HOST[:PORT]", defaultValue = "localhost,127.0.0.1,[::1]", split = ",",
        description = "Where tunnels may lead (${DEFAULT-VALUE}).")
    private List<String> allowed;

    @Override
    public Integer call() throws IOException {
        allowed.forEach(Tunnel::target); // refused before it is too late
        try (EventBase base = EventBase.create();
             Dns dns = Dns.create(base);
             HttpServer http = HttpServer.newBuilder(base).allowedMethods(Set.of(HttpMethod.CONNECT)).build()) {
            http.onRequest(exchange -> connect(base, dns, exchange));
            Samples.run(base, http, http.bind("127.0.0.1", port));
        }
        return 0;
    }

    private static HttpUri target(String hostAndPort) {
        return HttpUri.parse("//" + hostAndPort);
    }

    private boolean allows(HttpUri wanted) {
        return allowed.stream().map(Tunnel::target).anyMatch(one -> one.host().orElse("").equalsIgnoreCase(wanted.host().orElse(""))
            && (one.port() < 0 || one.port() == wanted.port()));
    }

    private void connect(EventBase base, Dns dns, HttpExchange exchange) {
        HttpUri wanted = exchange.uri();
        if (wanted.host().orElse("").isEmpty() || wanted.port() < 1) {
            exchange.reply(400, "CONNECT takes HOST:PORT.\n");
            return;
        } else if (!allows(wanted)) {
            exchange.reply(403, "No tunnel leads to " + exchange.rawUri() + ".\n");
            return;
        }
        exchange.defer();
        BufferEvent target = BufferEvent.create(base);
        exchange.completion().whenComplete((done, gone) -> target.close()); // with the client, whatever becomes of it
        target.timeouts(Duration.ZERO, PATIENCE);
        target.listener(new BufferEvent.Listener() {
            @Override
            public void onConnected(BufferEvent target) {
                target.timeouts(Duration.ZERO, Duration.ZERO);
                couple(exchange.reason("Connected").takeOver(200), target);
            }

            @Override
            public void onError(BufferEvent target, IOException failure) {
                exchange.reply(502, failure.getMessage() + "\n");
            }

            @Override
            public void onTimeout(BufferEvent target, Direction direction) {
                exchange.reply(504, exchange.rawUri() + " did not answer.\n");
            }
        });
        target.connect(dns, wanted.host().get().replaceAll("[\\[\\]]", ""), wanted.port()); // brackets are for URIs
    }

    private static void couple(BufferEvent client, BufferEvent target) {
        Side one = new Side(client, target);
        Side other = new Side(target, client);
        one.opposite = other;
        other.opposite = one;
        client.listener(one);
        target.listener(other);
        one.onRead(client); // what came behind the request
        client.enable(Direction.READ);
        target.enable(Direction.READ);
    }

    /** One side of a tunnel, whose bytes go to the other. */
    private static final class Side implements BufferEvent.Listener {

        private final BufferEvent from;
        private final BufferEvent to;
        private Side opposite;
        private boolean ended;

        Side(BufferEvent from, BufferEvent to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public void onRead(BufferEvent event) {
            to.write(from.input()); // moved, not copied
            if (to.output().length() >= MOST) {
                from.disable(Direction.READ);
            }
        }

        /** What was on its way here is with the kernel. */
        @Override
        public void onWritten(BufferEvent event) {
            if (!opposite.ended) {
                to.enable(Direction.READ);
            }
            closeIfDone();
        }

        /** The other direction goes on. */
        @Override
        public void onEof(BufferEvent event) {
            ended = true;
            to.shutdownOutput();
            closeIfDone();
        }

        private void closeIfDone() {
            if (ended && opposite.ended && from.output().length() == 0 && to.output().length() == 0) {
                close();
            }
        }

        @Override
        public void onError(BufferEvent event, IOException failure) {
            close();
        }

        private void close() {
            from.close();
            to.close();
        }
    }
}
