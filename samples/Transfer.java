import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.ConnectionListener;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** Sends or receives a file as it is: the other side may be nc or socat. */
@Command(name = "transfer", description = "Sends or receives a file over TCP.", synopsisSubcommandLabel = "(send | receive)")
final class Transfer {

    @Option(names = "--progress", scope = ScopeType.INHERIT, description = "Show how far it is even where there is no terminal.")
    private boolean progress;

    private boolean ended;
    private IOException failure; // how it ended, if not well

    @Command(description = "Connects, and sends a file.")
    int send(@Parameters(paramLabel = "FILE") Path path, @Parameters(paramLabel = "HOST:PORT") InetSocketAddress to)
            throws IOException {
        try (EventBase base = EventBase.create(); FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            Progress sent = progress(file.size());
            BufferEvent event = BufferEvent.create(base);
            event.listener(new Ending() {
                /** The receiver has all of it, or wants no more. */
                @Override
                public void onEof(BufferEvent event) {
                    end(event, sent.isWhole() ? null : new EOFException("the receiver closed after " + sent));
                }
            });
            event.connect(to);
            event.enable(Direction.READ);
            event.output().addFile(file, 0, file.size()); // which the kernel alone brings from there to the socket
            event.output().onChange((before, added, deleted) -> sent.add(deleted));
            event.shutdownOutput();
            return run(base, sent);
        }
    }

    @Command(description = "Waits for a connection, and writes what it sends to a file.")
    int receive(@Parameters(paramLabel = "PORT", description = "0 for a free one.") int port,
            @Parameters(paramLabel = "FILE") Path path,
            @Option(names = "--bind", paramLabel = "A", defaultValue = "127.0.0.1", description = "Address to listen on (${DEFAULT-VALUE}).")
            String address,
            @Option(names = "--size", paramLabel = "N", defaultValue = "-1", description = "How many bytes are expected.")
            long size) throws IOException {
        try (EventBase base = EventBase.create();
             FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            Progress received = progress(size);
            ConnectionListener[] listener = new ConnectionListener[1];
            listener[0] = ConnectionListener.bind(base, Samples.resolve(address, port), connection -> {
                listener[0].close(); // one is enough
                file.truncate(0);
                BufferEvent event = connection.toBufferEvent();
                event.listener(new Ending() {
                    @Override
                    public void onRead(BufferEvent event) {
                        try {
                            received.add(file.transferFrom(event.input(), received.done(), event.input().length()));
                        } catch (IOException e) { // the disk is full
                            end(event, e);
                        }
                    }

                    @Override
                    public void onEof(BufferEvent event) {
                        end(event, received.isWhole() ? null : new EOFException("the sender closed after " + received));
                    }
                });
                event.enable(Direction.READ);
            });
            Samples.tell(base, listener[0].address());
            return run(base, received);
        }
    }

    private Progress progress(long size) {
        boolean shown = progress || System.console() != null;
        return new Progress(shown ? System.err : new PrintStream(OutputStream.nullOutputStream()), size);
    }

    private int run(EventBase base, Progress moved) throws IOException {
        try (moved) {
            Samples.untilSignal(base);
        }
        if (failure != null) {
            throw failure;
        }
        if (!ended) {
            throw new EOFException("interrupted after " + moved);
        }
        return 0;
    }

    private abstract class Ending implements BufferEvent.Listener {
        @Override
        public void onError(BufferEvent event, IOException failure) {
            end(event, failure);
        }

        void end(BufferEvent event, IOException how) {
            ended = true;
            failure = how;
            event.base().stop();
        }
    }
}
