package benchmarks.loop;

import benchmarks.Answers;
import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** native/loop.c, with this library. */
public final class Libevent4j implements Answers.Work {

    private static final int LOOK = 64;

    private final EventBase base;
    private final Timer[] timers;
    private final int longest;
    private int random = 1;
    private long operations;
    private long end;
    private boolean over;

    private Libevent4j(EventBase base, int count, int longest) {
        this.base = base;
        this.timers = new Timer[count];
        this.longest = longest;
        for (int i = 0; i < count; i++) {
            int timer = i;
            timers[i] = Timer.create(base, () -> {
                start(timers[timer]);
                done();
            });
        }
    }

    public static void main(String[] args) throws Exception {
        EventBase base = EventBase.newBuilder().flags(EventBase.Flag.EPOLL_USE_CHANGELIST).build();
        Libevent4j program = new Libevent4j(base, Integer.parseInt(args[0]), Integer.parseInt(args[1]));
        if (program.timers.length == 0) {
            program.activate();
        }
        Answers.ready(program);
    }

    private void activate() {
        Set<Event.Kind> timeout = EnumSet.of(Event.Kind.TIMEOUT);
        Event.create(base, -1, Set.of(), (event, what) -> {
            event.activate(timeout);
            done();
        }).activate(timeout);
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

    @Override
    public void prepare() {
        for (Timer timer : timers) {
            start(timer);
        }
    }

    @Override
    public long run(double seconds) {
        operations = 0;
        over = false;
        end = System.nanoTime() + (long) (seconds * 1e9);
        base.dispatch();
        return operations;
    }
}
