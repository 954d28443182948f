package benchmarks.loop;

import benchmarks.Answers;
import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** native/loop.c, with this library. */
public final class Libevent4j {

    private static final int LOOK = 64;

    private final EventBase base;
    private final int longest;
    private int random = 1;
    private long operations;
    private long end;
    private boolean over;

    private Libevent4j(EventBase base, int longest) {
        this.base = base;
        this.longest = longest;
    }

    public static void main(String[] args) throws Exception {
        EventBase base = EventBase.newBuilder().flags(EventBase.Flag.EPOLL_USE_CHANGELIST).build();
        Libevent4j program = new Libevent4j(base, Integer.parseInt(args[1]));
        int timers = Integer.parseInt(args[0]);
        if (timers == 0) {
            program.activate();
        }
        for (int i = 0; i < timers; i++) {
            program.startTimer();
        }
        Answers.ready(program::run);
    }

    private void activate() {
        Set<Event.Kind> timeout = EnumSet.of(Event.Kind.TIMEOUT);
        Event.create(base, -1, Set.of(), (event, what) -> {
            event.activate(timeout);
            done();
        }).activate(timeout);
    }

    private void startTimer() {
        Timer[] timer = new Timer[1];
        timer[0] = Timer.create(base, () -> {
            start(timer[0]);
            done();
        });
        start(timer[0]);
    }

    private void start(Timer timer) {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        timer.start(Duration.ofNanos(Integer.remainderUnsigned(random, longest + 1) * 1000L));
    }

    private void done() {
        if (++operations % LOOK == 0 && System.nanoTime() - end >= 0) {
            over = true;
        }
        if (over) {
            base.stop();
        }
    }

    private long run(double seconds) {
        operations = 0;
        over = false;
        end = System.nanoTime() + (long) (seconds * 1e9);
        base.dispatch();
        return operations;
    }
}
