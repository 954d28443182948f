package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.support.Logs;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What callbacks throw. */
class ExceptionTest extends LibeventTest {

    private EventBase base;
    private final List<Object> seen = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
    }

    @AfterEach
    void close() {
        base.close();
    }

    /** The kinds of callbacks. */
    enum Source {
        EVENT {
            @Override
            void arm(EventBase base, Runnable action) {
                Event.create(base, -1, Set.of(), (event, what) -> action.run()).activate(EnumSet.of(Kind.TIMEOUT));
            }
        },
        TIMER {
            @Override
            void arm(EventBase base, Runnable action) {
                Timer.create(base, action).start(Duration.ZERO);
            }
        },
        PERIODIC_TIMER {
            @Override
            void arm(EventBase base, Runnable action) {
                Timer[] self = new Timer[1];
                self[0] = Timer.periodic(base, () -> {
                    self[0].stop();
                    action.run();
                });
                self[0].start(Duration.ofNanos(1));
            }
        },
        SIGNAL {
            @Override
            void arm(EventBase base, Runnable action) throws Exception {
                Signal[] self = new Signal[1];
                self[0] = Signal.create(base, "USR1", () -> {
                    self[0].close();
                    action.run();
                });
                Programs.run("kill", "-USR1", Long.toString(ProcessHandle.current().pid()));
            }
        },
        TASK {
            @Override
            void arm(EventBase base, Runnable action) {
                base.execute(action);
            }
        },
        ONCE {
            @Override
            void arm(EventBase base, Runnable action) {
                base.once(Duration.ZERO, action);
            }
        };

        /** Makes one callback due, which runs the action. */
        abstract void arm(EventBase base, Runnable action) throws Exception;
    }

    private static RuntimeException failure() {
        return new IllegalStateException("a callback's");
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void anExceptionIsLoggedOnceAndTheLoopGoesOn(Source source) throws Exception {
        RuntimeException failure = failure();
        try (Logs logs = Logs.of("io.github.libevent4j")) {
            source.arm(base, () -> {
                Timer.create(base, () -> seen.add("after")).start(Duration.ofMillis(1));
                throw failure;
            });
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of("after"), seen);
            LogRecord record = logs.await(any -> true);
            assertEquals(Level.SEVERE, record.getLevel()); // System.Logger's ERROR
            assertSame(failure, record.getThrown());
            assertEquals(List.of(), logs.records());
        }
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void anExceptionGoesToTheHandlerAndTheLoopGoesOn(Source source) throws Exception {
        RuntimeException failure = failure();
        base.onException(e -> {
            seen.add(e);
            seen.add(Thread.currentThread());
        });
        try (Logs logs = Logs.of("io.github.libevent4j")) {
            source.arm(base, () -> {
                Timer.create(base, () -> seen.add("after")).start(Duration.ofMillis(1));
                throw failure;
            });
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(failure, Thread.currentThread(), "after"), seen);
            assertEquals(List.of(), logs.records());
        }
    }

    @Test
    void aCheckedExceptionGoesToTheHandler() {
        IOException failure = new IOException("a callback's");
        base.onException(seen::add);
        Event.create(base, -1, Set.of(), (event, what) -> {
            throw failure;
        }).activate(EnumSet.of(Kind.READ));
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of(failure), seen);
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void anErrorComesOutOfDispatchAndNoOtherCallbackRuns(Source source) throws Exception {
        Error error = new AssertionError("a callback's");
        base.onException(seen::add);
        source.arm(base, () -> {
            for (int i = 0; i < 3; i++) {
                Event.create(base, -1, Set.of(), (event, what) -> seen.add("event")).activate(EnumSet.of(Kind.READ));
                base.execute(() -> seen.add("task"));
            }
            throw error;
        });
        assertSame(error, assertThrows(AssertionError.class, base::dispatch));
        assertArrayEquals(new Throwable[0], error.getSuppressed());
        assertEquals(List.of(), seen);

        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("event", "event", "event", "task", "task", "task"), seen);
    }

    @Test
    void anErrorComesOutOfATurnToo() {
        Error error = new AssertionError("a callback's");
        base.execute(() -> {
            throw error;
        });
        assertSame(error, assertThrows(AssertionError.class, () -> base.loop(LoopFlag.ONCE, LoopFlag.NONBLOCK)));
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
    }

    @Test
    void anErrorEndsALoopThatWouldStay() throws Exception {
        Error error = new AssertionError("a callback's");
        LoopThread loop = new LoopThread(base);
        base.execute(() -> {
            throw error;
        });
        assertSame(error, loop.awaitError());
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void whatTheHandlerThrowsComesOutOfDispatch(Source source) throws Exception {
        RuntimeException failure = failure();
        RuntimeException handlers = new UnsupportedOperationException("the handler's");
        base.onException(e -> {
            throw handlers;
        });
        source.arm(base, () -> {
            base.execute(() -> seen.add("task"));
            throw failure;
        });
        assertSame(handlers, assertThrows(UnsupportedOperationException.class, base::dispatch));
        assertArrayEquals(new Throwable[] {failure}, handlers.getSuppressed());
        assertEquals(List.of(), seen);
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("task"), seen);
    }

    @Test
    void aHandlerMayThrowTheExceptionOn() {
        RuntimeException failure = failure();
        base.onException(e -> {
            throw (RuntimeException) e;
        });
        base.execute(() -> {
            throw failure;
        });
        assertSame(failure, assertThrows(RuntimeException.class, base::dispatch));
        assertArrayEquals(new Throwable[0], failure.getSuppressed());
    }

    @Test
    void aHandlersErrorComesOutOfDispatch() {
        Error error = new AssertionError("the handler's");
        RuntimeException failure = failure();
        base.onException(e -> {
            throw error;
        });
        base.execute(() -> {
            throw failure;
        });
        assertSame(error, assertThrows(AssertionError.class, base::dispatch));
        assertArrayEquals(new Throwable[] {failure}, error.getSuppressed());
    }

    @Test
    void aHandlerMayCloseTheBase() {
        base.onException(e -> base.close());
        base.execute(() -> {
            throw failure();
        });
        Timer.create(base, () -> seen.add("timer")).start(Duration.ofDays(1));
        assertEquals(LoopExit.STOPPED, base.dispatch());
        assertFalse(base.isOpen());
    }

    @Test
    void anErrorOfACallbackThatClosesTheBaseComesOutOfDispatch() {
        Error error = new AssertionError("a callback's");
        base.execute(() -> {
            base.close();
            throw error;
        });
        assertSame(error, assertThrows(AssertionError.class, base::dispatch));
        assertFalse(base.isOpen());
    }

    @Test
    void anErrorOfATaskThatWaitedComesOutOfClose() {
        Error error = new AssertionError("a task's");
        base.execute(() -> {
            throw error;
        });
        base.execute(() -> seen.add("the next one"));
        assertSame(error, assertThrows(AssertionError.class, base::close));
        assertEquals(List.of("the next one"), seen);
    }

    private int overflow(int depth) {
        return overflow(depth + 1) + 1;
    }

    @ParameterizedTest
    @EnumSource(Source.class)
    void aStackOverflowComesOutOfDispatch(Source source) throws Exception {
        source.arm(base, () -> overflow(0));
        assertThrows(StackOverflowError.class, base::dispatch);
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
    }

    private static final Runnable NOTHING = () -> { };

    /** Where the stack ends in the library's own frames, or in those between C and Java. */
    @Test
    void theEndOfTheStackLeavesAUsableBase() throws Exception {
        runATask(); // links what is called
        Thread thread = new Thread(null, () -> seen.add(runATaskAtTheEndOfTheStack()), "deep", 512 * 1024);
        thread.start();
        thread.join();
        assertEquals(List.of(true), seen);
        seen.clear();
        base.execute(() -> seen.add("task"));
        assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(List.of("task"), seen);
    }

    private void runATask() {
        base.execute(NOTHING);
        base.loop(LoopFlag.NONBLOCK);
    }

    /** Goes down until the stack ends, and tries at each place on the way back; true when that went well. */
    private boolean runATaskAtTheEndOfTheStack() {
        try {
            if (runATaskAtTheEndOfTheStack()) {
                return true;
            }
        } catch (StackOverflowError e) {
            // here is more room
        }
        runATask();
        return true;
    }
}
