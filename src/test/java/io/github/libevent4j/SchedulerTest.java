package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.LoopThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** {@link EventBase#scheduler}. */
class SchedulerTest extends LibeventTest {

    private static final Runnable NOTHING = () -> { };

    @Test
    void runsTasksOnTheLoop() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ScheduledExecutorService scheduler = loop.base().scheduler();
            assertSame(loop.thread(), scheduler.submit(Thread::currentThread).get());
            assertSame(loop.thread(), scheduler.schedule(Thread::currentThread, 1, TimeUnit.MILLISECONDS).get());
            CountDownLatch ran = new CountDownLatch(1);
            scheduler.execute(ran::countDown);
            ran.await();
            loop.turn();
            assertEquals(1, Live.handles(), "the base alone is left");
        }
    }

    @Test
    void runsTasksInTheOrderOfTheirDelays() throws Exception {
        List<String> ran = new ArrayList<>();
        try (EventBase base = EventBase.create()) {
            ScheduledExecutorService scheduler = base.scheduler();
            scheduler.schedule(() -> ran.add("second"), 20, TimeUnit.MILLISECONDS);
            scheduler.schedule(() -> ran.add("first"), 1, TimeUnit.MILLISECONDS);
            scheduler.schedule(() -> ran.add("at once"), -1, TimeUnit.DAYS);
            base.dispatch();
            assertEquals(List.of("at once", "first", "second"), ran);
        }
    }

    @Test
    void repeatsTasksUntilTheyAreCancelledOrFail() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ScheduledExecutorService scheduler = loop.base().scheduler();
            CountDownLatch runs = new CountDownLatch(3);
            ScheduledFuture<?> rate = scheduler.scheduleAtFixedRate(runs::countDown, 0, 1, TimeUnit.MILLISECONDS);
            runs.await();
            assertTrue(rate.cancel(false));
            CountDownLatch more = new CountDownLatch(3);
            ScheduledFuture<?> delay = scheduler.scheduleWithFixedDelay(() -> {
                more.countDown();
                if (more.getCount() == 0) {
                    throw new IllegalStateException("the third time");
                }
            }, 0, 1, TimeUnit.MILLISECONDS);
            assertEquals("the third time", assertThrows(ExecutionException.class, delay::get).getCause().getMessage());
            loop.turn();
            assertEquals(1, Live.handles());
            assertThrows(IllegalArgumentException.class, () -> scheduler.scheduleAtFixedRate(NOTHING, 0, 0, TimeUnit.SECONDS));
        }
    }

    @Test
    void shutsDownOnceWhatWaitsHasRun() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ScheduledExecutorService scheduler = loop.base().scheduler();
            ScheduledFuture<?> repeated = scheduler.scheduleAtFixedRate(NOTHING, 1, 1, TimeUnit.DAYS);
            CountDownLatch ran = new CountDownLatch(1);
            scheduler.schedule(ran::countDown, 1, TimeUnit.MILLISECONDS);
            scheduler.shutdown();
            assertTrue(scheduler.isShutdown() && repeated.isCancelled());
            assertThrows(RejectedExecutionException.class, () -> scheduler.execute(NOTHING));
            assertTrue(scheduler.awaitTermination(1, TimeUnit.MINUTES));
            assertEquals(0, ran.getCount());
            assertTrue(loop.base().isOpen());
        }
    }

    @Test
    void shutsDownNow() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ScheduledExecutorService scheduler = loop.base().scheduler();
            ScheduledFuture<?> waiting = scheduler.schedule(NOTHING, 1, TimeUnit.DAYS);
            assertEquals(List.of(waiting), scheduler.shutdownNow());
            assertTrue(waiting.isCancelled() && scheduler.isTerminated());
        }
    }

    @Test
    void cancelsWhatWaitsWhenTheBaseIsClosed() throws Exception {
        EventBase base = EventBase.create();
        ScheduledExecutorService scheduler = base.scheduler();
        List<Future<?>> waiting = List.of(scheduler.schedule(NOTHING, 1, TimeUnit.DAYS),
            scheduler.scheduleAtFixedRate(NOTHING, 1, 1, TimeUnit.DAYS), scheduler.submit(NOTHING),
            scheduler.submit(NOTHING, "result"), scheduler.submit(() -> "result"));
        base.close();
        for (Future<?> future : waiting) {
            assertThrows(CancellationException.class, future::get);
        }
        assertThrows(RejectedExecutionException.class, () -> scheduler.execute(NOTHING));
        scheduler.shutdown();
        assertTrue(scheduler.isTerminated());
    }

    @Test
    void cancelsWhatWaitsWhenTheBaseIsClosedWhileItRuns() throws Exception {
        LoopThread loop = new LoopThread();
        ScheduledExecutorService scheduler = loop.base().scheduler();
        Future<?> waiting = scheduler.schedule(NOTHING, 1, TimeUnit.DAYS);
        Future<?> closing = scheduler.scheduleAtFixedRate(() -> {
            loop.base().close();
            assertFalse(waiting.isDone());
        }, 0, 1, TimeUnit.NANOSECONDS);
        assertThrows(CancellationException.class, waiting::get);
        assertThrows(CancellationException.class, closing::get);
        loop.close();
    }

    @Test
    void aCancelMayComeAtAnyTime() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ScheduledExecutorService scheduler = loop.base().scheduler();
            for (int i = 0; i < 3000; i++) {
                CountDownLatch ran = new CountDownLatch(i % 3);
                ScheduledFuture<?> task = scheduler.scheduleAtFixedRate(ran::countDown, 0, 1, TimeUnit.NANOSECONDS);
                ran.await();
                task.cancel(false);
            }
            loop.turn();
            loop.turn();
            assertEquals(1, Live.handles());
        }
    }
}
