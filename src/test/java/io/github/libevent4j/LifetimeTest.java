package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Garbage;
import io.github.libevent4j.support.Logs;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Programs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Closing: again and again, anywhere, in any order; and what is left of what was closed, or was not. */
class LifetimeTest extends LibeventTest {

    /** All that can be done with a base on its loop's thread only. */
    private static List<Executable> confinedUsesOf(EventBase base) {
        return List.of(base::dispatch, base::loop, () -> base.stopAfter(Duration.ZERO), base::method, base::features, base::priorities,
            base::activeEvents, base::pendingEvents, () -> base.once(Duration.ZERO, () -> { }),
            () -> base.commonTimeout(Duration.ofSeconds(1)), base::cachedTime, base::updateCachedTime, base::dump, () -> event(base),
            () -> Timer.create(base, () -> { }), () -> Timer.periodic(base, () -> { }), () -> Signal.create(base, "USR1", () -> { }));
    }

    /** And on any thread, but for closing it. */
    private static List<Executable> usesOf(EventBase base) {
        List<Executable> uses = new ArrayList<>(confinedUsesOf(base));
        uses.addAll(List.of(base::stop, () -> base.onException(e -> { }), base::scheduler));
        return uses;
    }

    private static List<Executable> usesOf(Event event) {
        return List.of(event::add, () -> event.add(Duration.ZERO), event::remove, event::isPending, () -> event.priority(0),
            () -> event.activate(EnumSet.of(Kind.READ)));
    }

    private static List<Executable> usesOf(Timer timer) {
        return List.of(() -> timer.start(Duration.ofSeconds(1)), timer::stop, timer::isPending, () -> timer.priority(0));
    }

    private static Event event(EventBase base) {
        return Event.create(base, -1, Set.of(), (event, what) -> { });
    }

    @Test
    void aClosedBaseIsNamedByWhateverUsesIt() throws Exception {
        EventBase base = EventBase.create();
        Event event = event(base);
        Timer timer = Timer.create(base, () -> { });
        base.close();
        for (Executable use : usesOf(base)) {
            assertEquals(base + " is closed", assertThrows(IllegalStateException.class, use).getMessage());
        }
        List<Executable> others = new ArrayList<>(usesOf(event));
        others.addAll(usesOf(timer));
        for (Executable use : others) {
            assertEquals(base + " is closed", assertThrows(IllegalStateException.class, use).getMessage());
        }
        assertTrue(base.toString().startsWith("EventBase@"), base.toString());
    }

    @Test
    void closingAgainDoesNothing() throws Exception {
        EventBase base = EventBase.create();
        List<AutoCloseable> all = List.of(event(base), Timer.create(base, () -> { }), Signal.create(base, "USR1", () -> { }), base);
        for (AutoCloseable one : all) {
            one.close();
            one.close();
        }
        for (AutoCloseable one : all) {
            one.close();
        }
        assertEquals(0, Live.handles());
    }

    @Test
    void everythingMayBeClosedFromAnyThread() throws Exception {
        LoopThread loop = new LoopThread();
        EventBase base = loop.base();
        Event event = loop.call(() -> event(base));
        Timer timer = loop.call(() -> Timer.create(base, () -> { }));
        Signal signal = loop.call(() -> Signal.create(base, "USR1", () -> { }));
        assertEquals(5, Live.handles()); // a signal is an event too
        event.close();
        timer.close();
        signal.close();
        assertFalse(event.isOpen() || signal.isOpen());
        loop.turn();
        assertEquals(1, Live.handles());
        base.close();
        assertFalse(base.isOpen());
        assertEquals(LoopExit.STOPPED, loop.awaitExit());
        assertEquals(0, Live.handles());
    }

    /** Where a program may want to close something. */
    enum Place {
        TASK {
            @Override
            void run(EventBase base, Runnable action) {
                base.execute(action);
            }
        },
        EVENT {
            @Override
            void run(EventBase base, Runnable action) {
                Event.create(base, -1, Set.of(), (event, what) -> action.run()).activate(EnumSet.of(Kind.READ));
            }
        },
        TIMER {
            @Override
            void run(EventBase base, Runnable action) {
                Timer.create(base, action).start(Duration.ZERO);
            }
        },
        ONCE {
            @Override
            void run(EventBase base, Runnable action) {
                base.once(Duration.ZERO, action);
            }
        },
        SIGNAL {
            @Override
            void run(EventBase base, Runnable action) throws Exception {
                Signal.create(base, "USR1", action);
                Programs.run("kill", "-USR1", Long.toString(ProcessHandle.current().pid()));
            }
        },
        EXCEPTION_HANDLER {
            @Override
            void run(EventBase base, Runnable action) {
                base.onException(e -> action.run());
                base.execute(() -> {
                    throw new IllegalStateException("for the handler");
                });
            }
        };

        abstract void run(EventBase base, Runnable action) throws Exception;
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void theBaseMayBeClosedAnywhere(Place place) throws Exception {
        EventBase base = EventBase.create();
        Event event = event(base);
        Timer timer = Timer.periodic(base, () -> { });
        timer.start(Duration.ofDays(1));
        List<String> refused = new ArrayList<>();
        place.run(base, () -> {
            base.close();
            base.close();
            event.close();
            List<Executable> uses = new ArrayList<>(usesOf(base));
            uses.addAll(usesOf(timer));
            uses.forEach(use -> refused.add(assertThrows(IllegalStateException.class, use).getMessage()));
        });
        assertEquals(LoopExit.STOPPED, base.dispatch());
        assertEquals(Set.of(base + " is closed"), Set.copyOf(refused));
        assertEquals(0, Live.handles());
        assertEquals(0, Live.targets());
        timer.close();
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whatLivesOnTheBaseMayBeClosedAnywhere(Place place) throws Exception {
        try (EventBase base = EventBase.create()) {
            Event event = event(base);
            event.activate(EnumSet.of(Kind.READ));
            Timer timer = Timer.periodic(base, () -> { });
            timer.start(Duration.ofDays(1));
            long before = Live.handles();
            List<String> refused = new ArrayList<>();
            place.run(base, () -> {
                event.close();
                timer.close();
                event.close();
                timer.close();
                List<Executable> uses = new ArrayList<>(usesOf(event));
                uses.addAll(usesOf(timer));
                uses.forEach(use -> refused.add(assertThrows(IllegalStateException.class, use).getMessage()));
                base.execute(() -> base.execute(base::stop));
            });
            assertEquals(LoopExit.STOPPED, base.dispatch());
            assertEquals(10, refused.size());
            refused.forEach(message -> assertTrue(message.matches("(Event|Timer)@[0-9a-f]+ is closed"), message));
            int arms = place == Place.SIGNAL ? 2 : place == Place.EVENT || place == Place.TIMER ? 1 : 0;
            assertEquals(before - 2 + arms, Live.handles());
        }
    }

    @Test
    void everyOrderOfClosingIsGood() throws Exception {
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            EventBase base = EventBase.create();
            List<AutoCloseable> all = new ArrayList<>(List.of(base));
            for (int i = 0; i < 10; i++) {
                Event event = event(base);
                all.add(event);
                if (random.nextBoolean()) {
                    event.activate(EnumSet.of(Kind.READ));
                }
                Timer timer = Timer.create(base, () -> { });
                all.add(timer);
                if (random.nextBoolean()) {
                    timer.start(Duration.ofDays(1));
                }
            }
            all.add(Signal.create(base, "USR1", () -> { }));
            Collections.shuffle(all, random);
            Runnable closeAll = () -> all.forEach(LifetimeTest::close);
            if (random.nextBoolean()) {
                closeAll.run();
            } else {
                base.execute(closeAll);
                base.dispatch();
            }
            assertEquals(0, Live.handles());
        }
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aWrongThreadIsToldBothThreads() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            EventBase base = loop.base();
            Event event = loop.call(() -> event(base));
            Timer timer = loop.call(() -> Timer.create(base, () -> { }));
            Thread.currentThread().setName("the wrong thread");
            String expected = base + " is being run by thread " + loop.thread().getName() + ", so thread the wrong thread must not use it: "
                + "pass the work to execute()";
            List<Executable> uses = new ArrayList<>(confinedUsesOf(base));
            uses.addAll(usesOf(event));
            uses.addAll(usesOf(timer));
            for (Executable use : uses) {
                assertEquals(expected, assertThrows(IllegalStateException.class, use).getMessage());
            }
        }
    }

    @Test
    void anyThreadMayUseABaseThatDoesNotRun() throws Exception {
        try (EventBase base = EventBase.create()) {
            List<String> ran = new ArrayList<>();
            Thread thread = new Thread(() -> Timer.create(base, () -> ran.add("timer")).start(Duration.ZERO));
            thread.start();
            thread.join();
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of("timer"), ran);
        }
    }

    /** Loses a base. */
    public static final class Loser {
        private Loser() {
        }

        public static void main(String[] arguments) throws Exception {
            try (Logs logs = Logs.of("io.github.libevent4j")) {
                lose();
                EventBase kept = EventBase.create();
                EventBase.create().close();
                Garbage.collectUntil(() -> !logs.records().isEmpty());
                LogRecord record = logs.await(any -> true);
                ByteArrayOutputStream stack = new ByteArrayOutputStream();
                if (record.getThrown() != null) {
                    record.getThrown().printStackTrace(new PrintStream(stack, true));
                }
                System.out.println(record.getLevel() + " " + record.getMessage() + "\n" + stack);
                kept.close();
                Garbage.collect();
                System.out.println(logs.records().size() + " more");
            }
        }

        private static void lose() throws Exception {
            EventBase lost = EventBase.create();
            Timer.periodic(lost, () -> { }).start(Duration.ofDays(1));
        }
    }

    @Test
    void aLostBaseIsReportedWithTheStackOfItsCreation() throws Exception {
        Programs.Result result = new Programs.Java().run(Loser.class);
        assertEquals(0, result.exit(), result.errors());
        assertTrue(result.text().startsWith("WARNING io.github.libevent4j.EventBase was lost without close(): its native memory is leaked"),
            result.text());
        assertTrue(result.text().contains("LifetimeTest$Loser.lose(LifetimeTest.java:"), result.text());
        assertTrue(result.text().endsWith("0 more\n"), result.text());
    }

    @Test
    void aLostBaseIsReportedWithAHintWhereStacksAreNotKept() throws Exception {
        Programs.Result result = new Programs.Java().option("-Dlibevent4j.debug=false").run(Loser.class);
        assertEquals(0, result.exit(), result.errors());
        assertTrue(result.text().contains("(start with -Dlibevent4j.debug=true to see where it was made)"), result.text());
        assertFalse(result.text().contains("LifetimeTest$Loser.lose"), result.text());
    }
}
