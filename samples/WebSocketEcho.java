import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpServer;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Sends every message of a WebSocket back. */
@Command(name = "websocket", description = "Echoes the messages of WebSockets until SIGINT or SIGTERM.")
final class WebSocketEcho implements Callable<Integer>, WebSocket.Handler {

    @Option(names = "--port", paramLabel = "N", defaultValue = "8080", description = "Port, 0 for a free one (${DEFAULT-VALUE}).")
    private int port;

    @Option(names = "--max", paramLabel = "BYTES", defaultValue = "1048576", description = "Largest message (${DEFAULT-VALUE}).")
    private int maxMessage;

    @Option(names = "--idle", paramLabel = "MS", defaultValue = "30000",
        description = "How long a client may be silent before it is pinged, and then before it is given up (${DEFAULT-VALUE}).")
    private long idle;

    private final Set<WebSocket> open = new HashSet<>();

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create();
             HttpServer http = HttpServer.create(base)) {
            http.onRequest("/", exchange -> WebSocket.accept(exchange, maxMessage, Duration.ofMillis(idle), this));
            Samples.run(base, http.bind("127.0.0.1", port), () -> {
                List.copyOf(open).forEach(socket -> socket.close(WebSocket.GOING_AWAY, "the server stops"));
                Samples.stop(base, http);
            });
        }
        return 0;
    }

    @Override
    public void onOpen(WebSocket socket) {
        open.add(socket);
    }

    @Override
    public void onText(WebSocket socket, String text) {
        socket.send(text);
    }

    @Override
    public void onBinary(WebSocket socket, byte[] bytes) {
        socket.send(bytes);
    }

    @Override
    public void onClose(WebSocket socket, int code) {
        open.remove(socket);
    }
}
