import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.ConnectionListener;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Sends back what it gets. A client that does not read it is not read from either, so that nobody can fill the memory. */
@Command(name = "echo", description = "Sends back what it gets, until SIGINT or SIGTERM.")
final class Echo implements Callable<Integer> {

    private static final long MOST_WAITING = 1 << 20;

    @Mixin
    private Samples.Address address;

    @Option(names = "--unix", paramLabel = "PATH", description = "Listen on a local socket instead, at a path where nothing is yet.")
    private Path path;

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create()) {
            SocketAddress local = path == null ? address.resolve() : UnixDomainSocketAddress.of(path);
            ConnectionListener listener = ConnectionListener.bind(base, local, connection -> {
                BufferEvent event = connection.toBufferEvent();
                event.listener(new Connection());
                event.enable(Direction.READ);
            });
            try {
                Samples.run(base, listener.address());
            } finally {
                if (path != null) {
                    Files.deleteIfExists(path); // it stays otherwise
                }
            }
        }
        return 0;
    }

    private static final class Connection implements BufferEvent.Listener {
        private boolean ended;

        @Override
        public void onRead(BufferEvent event) {
            event.write(event.input()); // moved, not copied
            if (event.output().length() > MOST_WAITING) {
                event.disable(Direction.READ);
            }
        }

        @Override
        public void onWritten(BufferEvent event) {
            if (ended) {
                event.close();
            } else {
                event.enable(Direction.READ);
            }
        }

        @Override
        public void onEof(BufferEvent event) {
            ended = true; // and what is still to be sent, is sent
            if (event.output().length() == 0) {
                event.close();
            }
        }

        @Override
        public void onError(BufferEvent event, IOException failure) {
            event.close();
        }
    }
}
