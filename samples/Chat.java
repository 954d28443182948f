import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.EolStyle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Everybody hears what everybody says. Who does not listen, or does not come to an end, is shown out: nobody can fill the memory. */
@Command(name = "chat", description = "Lets everybody who connects talk to each other, line by line, until SIGINT or SIGTERM.")
final class Chat implements Callable<Integer> {

    private static final int LONGEST_LINE = 1000; // with its end
    private static final long MOST_WAITING = 256 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Mixin
    private Samples.Address address;

    private final Map<String, Guest> guests = new TreeMap<>(); // by name

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create()) {
            ConnectionListener listener = ConnectionListener.bind(base, address.resolve(), connection -> {
                BufferEvent event = connection.toBufferEvent();
                event.listener(new Guest(event));
                event.timeouts(Duration.ZERO, PATIENCE);
                event.watermark(Direction.READ, 0, LONGEST_LINE);
                event.enable(Direction.READ);
                event.write("Your name?\n");
            });
            Samples.run(base, listener.address());
        }
        return 0;
    }

    private void tellAll(String line) {
        for (Guest guest : List.copyOf(guests.values())) {
            if (guest.event.output().length() > MOST_WAITING) {
                guest.leave("is too slow");
            } else {
                guest.event.write(line + "\n");
            }
        }
    }

    private final class Guest implements BufferEvent.Listener {
        private final BufferEvent event;
        private String name; // once it is known
        private boolean leaving;

        Guest(BufferEvent event) {
            this.event = event;
        }

        @Override
        public void onRead(BufferEvent event) {
            while (event.isOpen() && !leaving) {
                Optional<String> line = event.input().readLine(EolStyle.CRLF, StandardCharsets.UTF_8);
                if (line.isEmpty()) {
                    if (event.input().length() >= LONGEST_LINE) {
                        showOut("A line has at most " + LONGEST_LINE + " bytes.");
                    }
                    return;
                }
                hear(line.get().replaceAll("\\p{Cntrl}", "?")); // which would move the others' cursors
            }
        }

        private void hear(String line) {
            if (name != null) {
                tellAll(name + ": " + line);
            } else if (!line.matches("[\\p{L}\\p{N}_-]{1,20}")) {
                event.write("A name has 1 to 20 letters and digits. Your name?\n");
            } else if (guests.containsKey(line)) {
                event.write("There is a " + line + " already. Your name?\n");
            } else {
                name = line;
                event.write("Here are: " + String.join(", ", guests.keySet()) + "\n");
                guests.put(name, this);
                tellAll("* " + name + " joined");
            }
        }

        /** Says why, and closes when that is sent. */
        private void showOut(String why) {
            leaving = true;
            event.disable(Direction.READ);
            event.write(why + "\n");
        }

        @Override
        public void onWritten(BufferEvent event) {
            if (leaving) {
                leave("said too much");
            }
        }

        @Override
        public void onEof(BufferEvent event) {
            leave("left");
        }

        @Override
        public void onError(BufferEvent event, IOException failure) {
            leave("is gone");
        }

        @Override
        public void onTimeout(BufferEvent event, Direction direction) {
            leave("does not listen");
        }

        private void leave(String how) {
            event.close();
            if (name != null && guests.remove(name, this)) {
                tellAll("* " + name + " " + how);
            }
        }
    }
}
