import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.RateLimit;
import io.github.libevent4j.io.RateLimitGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Passes connections on, no faster than it was told to. The limits are on what is read from either side, and a side is read from only
 * for as long as the other takes it, so what is too much waits where it comes from.
 */
@Command(name = "proxy", description = "Passes TCP connections on, at a limited rate, until SIGINT or SIGTERM.")
final class Proxy implements Callable<Integer> {

    private static final long MOST_WAITING = 256 * 1024;

    @Option(names = "--listen", paramLabel = "PORT", required = true, description = "Port on the loopback, 0 for a free one.")
    private int port;

    @Option(names = "--to", paramLabel = "HOST:PORT", required = true, description = "Where to pass them on to.")
    private InetSocketAddress target;

    @Option(names = "--rate", paramLabel = "N", description = "Bytes a second, for each connection and direction.")
    private Long rate;

    @Option(names = "--total-rate", paramLabel = "N", description = "Bytes a second, for all of them together.")
    private Long totalRate;

    private RateLimitGroup all;

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create()) {
            all = RateLimitGroup.create(base, reading(totalRate == null ? RateLimit.UNLIMITED : totalRate));
            ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                connection -> {
                    BufferEvent client = connection.toBufferEvent();
                    new Connection(connection.peer().toString().substring(1), client, BufferEvent.create(base)).start();
                });
            Samples.run(base, listener.address());
            System.out.println("passed on " + all.totals().read() + " bytes");
        }
        return 0;
    }

    private static RateLimit reading(long rate) {
        return RateLimit.perSecond(rate, RateLimit.UNLIMITED);
    }

    private final class Connection {
        private final String name;
        private final Side client;
        private final Side server;

        Connection(String name, BufferEvent client, BufferEvent server) {
            this.name = name;
            this.client = new Side(client);
            this.server = new Side(server);
            this.client.other = this.server;
            this.server.other = this.client;
        }

        void start() {
            try {
                server.event.connect(target);
            } catch (IOException e) {
                end(e.getMessage());
            }
        }

        private void end(String how) {
            if (client.event.isOpen()) {
                client.event.close();
                server.event.close();
                System.out.println(name + ": " + how + ", after " + client.read + " bytes there (" + client.waits
                    + " times at the limit) and " + server.read + " bytes back (" + server.waits + " times)");
            }
        }

        private final class Side implements BufferEvent.Listener {
            private final BufferEvent event;
            private Side other;
            private long read;
            private int waits;
            private boolean ended;

            Side(BufferEvent event) {
                this.event = event;
                event.listener(this);
                all.add(event);
                if (rate != null) {
                    event.rateLimit(reading(rate));
                }
                event.enable(Direction.READ);
            }

            @Override
            public void onRead(BufferEvent event) {
                read += event.input().length();
                waits += event.maxToMove(Direction.READ) <= 0 ? 1 : 0;
                other.event.write(event.input());
                if (other.event.output().length() > MOST_WAITING) {
                    event.disable(Direction.READ);
                }
            }

            @Override
            public void onWritten(BufferEvent event) {
                if (!other.ended) {
                    other.event.enable(Direction.READ);
                }
                endIfBothHave();
            }

            /** One direction has ended; the other may go on. */
            @Override
            public void onEof(BufferEvent event) {
                ended = true;
                other.event.shutdownOutput();
                endIfBothHave();
            }

            private void endIfBothHave() {
                if (ended && other.ended && event.output().length() == 0 && other.event.output().length() == 0) {
                    end("closed");
                }
            }

            @Override
            public void onError(BufferEvent event, IOException failure) {
                end(failure.getMessage());
            }
        }
    }
}
