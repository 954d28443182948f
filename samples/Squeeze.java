import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.BufferEvent.Filter;
import io.github.libevent4j.io.BufferEvent.FlushMode;
import io.github.libevent4j.io.ConnectionListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Passes connections on, with zlib on one side: the bufferevent of that side has a filter. Two of them squeeze what is between them. */
@Command(name = "squeeze", description = "Passes TCP connections on, compressed with zlib, until SIGINT or SIGTERM.")
final class Squeeze implements Callable<Integer> {

    private static final long MOST_WAITING = 256 * 1024;
    private static final long MOST_SQUEEZED = 1024; // at a time: zlib makes up to 1032 bytes of one

    @Option(names = "--listen", paramLabel = "PORT", required = true, description = "Port on the loopback, 0 for a free one.")
    private int port;

    @Option(names = "--to", paramLabel = "HOST:PORT", required = true, description = "Where to pass them on to; zlib is spoken there.")
    private InetSocketAddress target;

    @Option(names = "--reverse", description = "Those who connect speak zlib, and not the other side.")
    private boolean reverse;

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create()) {
            ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                connection -> {
                    BufferEvent client = connection.toBufferEvent();
                    BufferEvent server = BufferEvent.create(base);
                    try {
                        server.connect(target);
                    } catch (IOException e) {
                        System.err.println(e.getMessage());
                        client.close();
                        server.close();
                        return;
                    }
                    new Connection(reverse ? server : client, reverse ? client : server);
                });
            Samples.run(base, listener.address());
        }
        return 0;
    }

    private static final class Connection {
        private final Zlib zlib = new Zlib();
        private final BufferEvent socket;
        private final Side plain;
        private final Side squeezed;

        Connection(BufferEvent plain, BufferEvent socket) {
            this.socket = socket;
            socket.maxSingle(Direction.READ, MOST_SQUEEZED);
            this.plain = new Side(plain);
            this.squeezed = new Side(BufferEvent.filter(socket, zlib::inflate, zlib::deflate));
            this.plain.other = this.squeezed;
            this.squeezed.other = this.plain;
        }

        private void close() {
            plain.event.close();
            squeezed.event.close();
            zlib.end();
        }

        private final class Side implements BufferEvent.Listener {
            private final BufferEvent event;
            private Side other;
            private boolean ended;

            Side(BufferEvent event) {
                this.event = event;
                event.listener(this);
                event.enable(Direction.READ);
            }

            @Override
            public void onRead(BufferEvent event) {
                other.event.write(event.input());
                if (other.waiting() > MOST_WAITING) {
                    event.disable(Direction.READ);
                }
            }

            private long waiting() {
                return event.output().length() + (this == squeezed ? socket.output().length() : 0);
            }

            @Override
            public void onWritten(BufferEvent event) {
                if (!other.ended) {
                    other.event.enable(Direction.READ);
                }
                closeIfBothHaveEnded();
            }

            @Override
            public void onEof(BufferEvent event) {
                if (this == squeezed && !zlib.inflater.finished()) {
                    System.err.println("what came squeezed has no end");
                    close();
                    return;
                }
                ended = true;
                if (other == squeezed) {
                    other.event.flush(FlushMode.FINISHED, Direction.WRITE);
                    socket.shutdownOutput();
                } else {
                    other.event.shutdownOutput();
                }
                closeIfBothHaveEnded();
            }

            private void closeIfBothHaveEnded() {
                if (ended && other.ended && waiting() == 0 && other.waiting() == 0) {
                    close();
                }
            }

            @Override
            public void onError(BufferEvent event, IOException failure) {
                System.err.println(failure.getMessage());
                close();
            }
        }
    }

    /** Both filters of a connection. */
    private static final class Zlib {
        private final Deflater deflater = new Deflater();
        private final Inflater inflater = new Inflater();
        private final byte[] in = new byte[16 * 1024];
        private final byte[] out = new byte[16 * 1024];

        Filter.Result deflate(Buffer source, Buffer target, long limit, FlushMode mode) {
            for (int n; (n = source.remove(in, 0, in.length)) > 0; ) {
                deflater.setInput(in, 0, n);
                deflate(target, Deflater.SYNC_FLUSH); // nothing is held back: somebody may be waiting for an answer
            }
            if (mode == FlushMode.FINISHED) {
                deflater.finish();
                deflate(target, Deflater.NO_FLUSH);
            }
            return Filter.Result.OK;
        }

        private void deflate(Buffer target, int flush) {
            for (int n; (n = deflater.deflate(out, 0, out.length, flush)) > 0; ) {
                target.add(out, 0, n);
            }
        }

        Filter.Result inflate(Buffer source, Buffer target, long limit, FlushMode mode) {
            try {
                for (int n; (n = source.remove(in, 0, in.length)) > 0; ) {
                    inflater.setInput(in, 0, n);
                    for (int m; (m = inflater.inflate(out)) > 0; ) {
                        target.add(out, 0, m);
                    }
                    if (inflater.getRemaining() > 0) { // behind the end, or it wants a dictionary
                        return Filter.Result.ERROR;
                    }
                }
                return Filter.Result.OK;
            } catch (DataFormatException e) {
                return Filter.Result.ERROR;
            }
        }

        void end() {
            deflater.end();
            inflater.end();
        }
    }
}
