package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.support.Garbage;
import io.github.libevent4j.support.Programs;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The garbage collector runs between every two steps, and nobody but libevent knows what it is to call. */
class GarbageCollectionTest extends LibeventTest {

    private static final int ROUNDS = 5;

    private final List<String> ran = new ArrayList<>();

    private void step(String name) {
        Garbage.collect();
        ran.add(name);
        Garbage.collect();
    }

    @Test
    void callbacksSurviveIt() throws Exception {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        try (EventBase base = EventBase.create()) {
            for (int i = 0; i < ROUNDS; i++) {
                arm(base, pipe, i);
                Garbage.collect();
                assertEquals(LoopExit.STOPPED, base.dispatch());
                assertEquals(Set.of("event " + i, "timer " + i, "once " + i, "task " + i, "signal " + i), Set.copyOf(ran));
                assertEquals(5, ran.size());
                ran.clear();
            }
        } finally {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    /** Everything that is made here is forgotten here. */
    private void arm(EventBase base, Pipe pipe, int round) throws Exception {
        Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (event, what) -> {
            pipe.source().read(ByteBuffer.allocate(1));
            step("event " + round);
            event.close();
        }).add();
        Garbage.collect();
        Timer.create(base, () -> step("timer " + round)).start(Duration.ofMillis(1));
        Garbage.collect();
        base.once(Duration.ZERO, () -> step("once " + round));
        Garbage.collect();
        base.execute(() -> step("task " + round));
        Garbage.collect();
        Signal[] signal = new Signal[1];
        signal[0] = Signal.create(base, "USR1", () -> {
            step("signal " + round);
            signal[0].close();
            Timer.create(base, base::stop).start(Duration.ofMillis(2));
        });
        Garbage.collect();
        pipe.sink().write(ByteBuffer.allocate(1));
        Programs.run("kill", "-USR1", Long.toString(ProcessHandle.current().pid()));
    }

    @Test
    void aBaseThatRunsSurvivesIt() throws Exception {
        dispatchForgotten();
        assertEquals(ROUNDS, ran.size());
    }

    private void dispatchForgotten() throws Exception {
        EventBase[] base = {EventBase.create()};
        Timer[] timer = new Timer[1];
        timer[0] = Timer.periodic(base[0], () -> {
            step("timer");
            if (ran.size() == ROUNDS) {
                timer[0].stop();
            }
        });
        timer[0].start(Duration.ofNanos(1000));
        EventBase running = base[0];
        base[0] = null;
        try (running) {
            assertEquals(LoopExit.NO_EVENTS, running.dispatch());
        }
    }
}
