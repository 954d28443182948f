package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TimerTest extends LibeventTest {

    private static final Duration SOON = Duration.ofMillis(1);
    private static final Duration NEVER = Duration.ofDays(1);

    private EventBase base;
    private final List<String> ran = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        base = EventBase.create();
    }

    @AfterEach
    void close() {
        base.close();
    }

    private Timer timer(String name) {
        return Timer.create(base, () -> ran.add(name));
    }

    @Test
    void runsOnceForEachStart() {
        Timer timer = timer("timer");
        assertFalse(timer.isPending());
        for (int i = 1; i <= 3; i++) {
            timer.start(SOON);
            assertTrue(timer.isPending());
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertFalse(timer.isPending());
            assertEquals(i, ran.size());
        }
    }

    @Test
    void runInTheOrderOfTheirDelays() {
        timer("third").start(Duration.ofMillis(30));
        timer("first").start(Duration.ZERO);
        timer("second").start(Duration.ofMillis(15));
        base.dispatch();
        assertEquals(List.of("first", "second", "third"), ran);
    }

    @Test
    void startsAnew() {
        Timer restarted = timer("restarted");
        restarted.start(NEVER);
        restarted.start(SOON);
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("restarted"), ran);
    }

    @Test
    void tellsHowLongItStillWaits() {
        try (Timer timer = Timer.create(base, () -> { })) {
            assertEquals(Optional.empty(), timer.remaining());
            timer.start(Duration.ofDays(1));
            Duration remaining = timer.remaining().orElseThrow();
            assertTrue(remaining.compareTo(Duration.ofHours(23)) > 0 && remaining.compareTo(Duration.ofHours(25)) < 0, remaining.toString());
            timer.stop();
            assertEquals(Optional.empty(), timer.remaining());
        }
    }

    @Test
    void isStopped() {
        Timer stopped = timer("stopped");
        stopped.start(SOON);
        stopped.stop();
        assertFalse(stopped.isPending());
        stopped.stop();
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of(), ran);
    }

    @Test
    void isStoppedThoughDue() {
        Timer[] timers = new Timer[2];
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            timers[i] = Timer.create(base, () -> {
                ran.add("one of both");
                timers[other].stop();
            });
            timers[i].start(Duration.ZERO);
        }
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("one of both"), ran);
    }

    @Test
    void isClosedThoughDue() {
        Timer[] timers = new Timer[2];
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            timers[i] = Timer.create(base, () -> {
                ran.add("one of both");
                timers[other].close();
            });
            timers[i].start(Duration.ZERO);
        }
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("one of both"), ran);
    }

    @Test
    void runsAgainAndAgain() {
        Timer[] self = new Timer[1];
        self[0] = Timer.periodic(base, () -> {
            ran.add("run");
            if (ran.size() == 5) {
                self[0].stop();
            }
        });
        self[0].start(SOON);
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(5, ran.size());
    }

    @Test
    void startsItselfAgain() {
        Timer[] self = new Timer[1];
        self[0] = Timer.create(base, () -> {
            ran.add("run");
            if (ran.size() < 5) {
                self[0].start(Duration.ZERO);
            }
        });
        self[0].start(Duration.ZERO);
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(5, ran.size());
    }

    @Test
    void waitsForAThousandYears() {
        timer("last").start(Duration.ofDays(365 * 1000));
        timer("first").start(SOON);
        base.loop(LoopFlag.ONCE);
        assertEquals(List.of("first"), ran);
        assertEquals(1, base.pendingEvents());
    }

    @Test
    void refusesOtherDelays() {
        Timer once = timer("once");
        Timer periodic = Timer.periodic(base, () -> { });
        for (Duration delay : List.of(Duration.ofNanos(-1), Duration.ofDays(365 * 1000 + 1), Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> once.start(delay));
            assertThrows(IllegalArgumentException.class, () -> periodic.start(delay));
        }
        assertThrows(IllegalArgumentException.class, () -> periodic.start(Duration.ZERO));
        assertThrows(NullPointerException.class, () -> once.start((Duration) null));
        assertFalse(once.isPending() || periodic.isPending());
    }

    @Test
    void hasAPriority() throws Exception {
        try (EventBase several = EventBase.newBuilder().priorities(3).build()) {
            for (int priority : new int[] {2, 0, 1}) {
                Timer timer = Timer.create(several, () -> ran.add(String.valueOf(priority)));
                timer.priority(priority);
                timer.start(Duration.ZERO);
            }
            several.dispatch();
            assertEquals(List.of("0", "1", "2"), ran);
        }
    }

    @Test
    void sharesACommonTimeout() throws Exception {
        CommonTimeout soon = base.commonTimeout(SOON);
        assertEquals(SOON, soon.duration());
        for (String name : List.of("a", "b", "c")) {
            timer(name).start(soon);
        }
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("a", "b", "c"), ran);
        try (EventBase other = EventBase.create(); Timer stranger = Timer.create(other, () -> { })) {
            assertThrows(IllegalArgumentException.class, () -> stranger.start(soon));
        }
    }

    @Test
    void needsAnAction() {
        assertThrows(NullPointerException.class, () -> Timer.create(base, null));
        assertThrows(NullPointerException.class, () -> Timer.periodic(base, null));
        assertThrows(NullPointerException.class, () -> Timer.create(null, () -> { }));
    }

    @Test
    void leavesNoWayToUseItWhenClosed() {
        Timer timer = timer("timer");
        timer.start(Duration.ZERO);
        timer.close();
        timer.close();
        for (Executable use : List.<Executable>of(() -> timer.start(SOON), timer::stop, timer::isPending, () -> timer.priority(0))) {
            String message = assertThrows(IllegalStateException.class, use).getMessage();
            assertTrue(message.matches("Timer@[0-9a-f]+ is closed"), message);
        }
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of(), ran);
    }
}
