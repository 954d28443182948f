import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpServer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A stream of events (text/event-stream) to however many clients there are. Each has one event at a time on its way: one that is slow
 * misses events, and costs no memory. One that comes back says which event it had last, and gets what it missed, as far as that is kept.
 */
@Command(name = "events", description = "Serves a stream of numbered events until SIGINT or SIGTERM.")
final class Events implements Callable<Integer> {

    @Option(names = "--port", paramLabel = "N", defaultValue = "8080", description = "Port, 0 for a free one (${DEFAULT-VALUE}).")
    private int port;

    @Option(names = "--interval", paramLabel = "MS", defaultValue = "1000", description = "From one event to the next (${DEFAULT-VALUE}).")
    private long interval;

    @Option(names = "--keep", paramLabel = "N", defaultValue = "100", description = "Events to keep for those who missed them (${DEFAULT-VALUE}).")
    private int keep;

    @Option(names = "--padding", paramLabel = "BYTES", defaultValue = "0", description = "To make events larger (${DEFAULT-VALUE}).")
    private int padding;

    private final Set<Reader> readers = new HashSet<>();
    private byte[][] events; // the last of them: number n is at n % keep
    private long last; // the number of the latest event

    @Override
    public Integer call() throws IOException {
        if (keep < 1 || padding < 0) {
            throw new IllegalArgumentException("--keep takes at least 1, and --padding at least 0");
        }
        events = new byte[keep][];
        try (EventBase base = EventBase.create();
             HttpServer http = HttpServer.create(base);
             Timer timer = Timer.periodic(base, this::tick)) {
            http.onRequest("/", this::subscribe);
            timer.start(Duration.ofMillis(interval));
            Samples.run(base, http.bind("127.0.0.1", port), () -> {
                timer.stop();
                readers.forEach(reader -> reader.reply.end()); // or they would never be through
                Samples.stop(base, http);
            });
        }
        return 0;
    }

    private void tick() {
        last++;
        events[(int) (last % keep)] = ("id: " + last + "\ndata: " + Instant.now() + " " + ".".repeat(padding) + "\n\n").getBytes(UTF_8);
        List.copyOf(readers).forEach(Reader::send);
    }

    private void subscribe(HttpExchange exchange) {
        if (exchange.method() != HttpMethod.GET) {
            exchange.header("Allow", "GET").reply(405, "Events can only be read.\n");
            return;
        }
        long next = exchange.firstHeader("Last-Event-ID").filter(id -> id.matches("[0-9]{1,18}")).map(id -> Long.parseLong(id) + 1)
            .filter(id -> id <= last).orElse(last + 1);
        Reader reader = new Reader(exchange.header("Content-Type", "text/event-stream").header("Cache-Control", "no-cache").start(200), next);
        readers.add(reader);
        reader.reply.completion().whenComplete((done, left) -> readers.remove(reader));
        reader.send();
    }

    /** A client that reads events. */
    private final class Reader {

        private final ChunkedReply reply;
        private long next;
        private boolean sending;

        Reader(ChunkedReply reply, long next) {
            this.reply = reply;
            this.next = next;
        }

        /** Sends the next event, unless there is none yet or the one before is still on its way. */
        void send() {
            if (sending || next > last) {
                return;
            }
            next = Math.max(next, last - keep + 1); // those before are gone
            sending = true;
            reply.send(events[(int) (next++ % keep)]).thenRun(() -> {
                sending = false;
                send();
            });
        }
    }
}
