package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.LoopThread;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Libevent's rules of who owns what, where breaking them ends a C program. Those of signals are in {@link SignalTest}. */
class OwnershipTest extends LibeventTest {

    @Test
    void aBaseFreesItsEventsBeforeItself() throws Exception {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        pipe.sink().write(ByteBuffer.allocate(1));
        try {
            EventBase base = EventBase.create();
            Event added = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (event, what) -> { });
            added.add();
            Event active = Event.create(base, -1, Set.of(), (event, what) -> { });
            active.activate(EnumSet.of(Kind.READ));
            Timer pending = Timer.create(base, () -> { });
            pending.start(Duration.ofDays(1));
            Timer common = Timer.create(base, () -> { });
            common.start(base.commonTimeout(Duration.ofDays(1)));
            Signal signal = Signal.create(base, "USR1", () -> { });
            base.close();
            assertEquals(0, Live.handles());
            assertEquals(0, Live.targets());
            assertFalse(added.isOpen() || active.isOpen() || signal.isOpen());
            for (AutoCloseable late : List.of(added, active, pending, common, signal, base)) {
                late.close();
            }
            assertThrows(IllegalStateException.class, added::remove);
            assertThrows(IllegalStateException.class, pending::stop);
        } finally {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    @Test
    void whatNeverHappensOnceLeaksNothing() throws Exception {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        try (EventBase base = EventBase.create()) {
            base.once(Duration.ofDays(1), () -> { });
            base.stopAfter(Duration.ofDays(1));
            base.close();
            assertEquals(0, Live.targets());
        } finally {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    @Test
    void aStopBeforeTheLoopIsNotLost() throws Exception {
        try (EventBase base = EventBase.create(); Timer timer = Timer.periodic(base, () -> { })) {
            timer.start(Duration.ofDays(1));
            base.stop();
            assertEquals(LoopExit.STOPPED, base.dispatch());
        }
    }

    /** Deleting an event waits for its callback in C, which here waits for the monitor that the deleting thread holds. */
    @Test
    void closingFromAnotherThreadDoesNotWaitForARunningCallback() throws Exception {
        Object monitor = new Object();
        CountDownLatch inside = new CountDownLatch(1);
        List<String> ran = new ArrayList<>();
        try (LoopThread loop = new LoopThread()) {
            Event event = loop.call(() -> Event.create(loop.base(), -1, EnumSet.of(Kind.PERSIST), (self, what) -> {
                inside.countDown();
                synchronized (monitor) {
                    ran.add("callback");
                }
            }));
            synchronized (monitor) {
                loop.base().execute(() -> event.activate(EnumSet.of(Kind.READ)));
                inside.await();
                event.close();
                ran.add("closed");
            }
            loop.turn();
            assertEquals(List.of("closed", "callback"), ran);
            assertEquals(1, Live.handles(), "the base alone is left");
        }
    }

    @Test
    void closingTheBaseFromAnotherThreadDoesNotWaitForARunningCallback() throws Exception {
        Object monitor = new Object();
        CountDownLatch inside = new CountDownLatch(1);
        List<String> ran = new ArrayList<>();
        EventBase base = EventBase.create();
        LoopThread loop = new LoopThread(base);
        synchronized (monitor) {
            base.execute(() -> {
                inside.countDown();
                synchronized (monitor) {
                    ran.add("callback");
                }
            });
            inside.await();
            base.close();
            ran.add("closed");
        }
        assertEquals(LoopExit.STOPPED, loop.awaitExit());
        assertEquals(List.of("closed", "callback"), ran);
        assertEquals(0, Live.handles());
    }
}
