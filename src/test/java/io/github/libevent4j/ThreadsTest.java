package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.support.LoopThread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Threads that meet at a base, at every moment that chance finds. */
class ThreadsTest extends LibeventTest {

    private static final int ROUNDS = 3000;

    private interface Step {
        Object run() throws Exception;
    }

    /** Runs the steps at the same time, each on a thread of its own, and returns what they returned. */
    private static List<Object> race(Step... steps) throws Exception {
        CyclicBarrier start = new CyclicBarrier(steps.length);
        List<FutureTask<Object>> tasks = new ArrayList<>();
        for (Step step : steps) {
            FutureTask<Object> task = new FutureTask<>(() -> {
                start.await();
                return step.run();
            });
            tasks.add(task);
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            thread.start();
        }
        List<Object> results = new ArrayList<>();
        for (FutureTask<Object> task : tasks) {
            results.add(task.get());
        }
        return results;
    }

    @Test
    void aStopIsNeverLost() throws Exception {
        try (EventBase base = EventBase.create()) {
            for (int i = 0; i < ROUNDS; i++) {
                assertEquals(LoopExit.STOPPED, race(() -> base.loop(LoopFlag.NO_EXIT_ON_EMPTY), () -> {
                    base.stop();
                    return null;
                }).get(0));
            }
        }
    }

    @Test
    void aCloseIsNeverLost() throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            EventBase base = EventBase.create();
            race(() -> {
                try {
                    return base.loop(LoopFlag.NO_EXIT_ON_EMPTY);
                } catch (IllegalStateException e) {
                    assertEquals(base + " is closed", e.getMessage());
                    return null;
                }
            }, () -> {
                base.close();
                return null;
            });
            assertEquals(0, Live.handles());
        }
    }

    @Test
    void aCloseByManyIsOne() throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            EventBase base = EventBase.create();
            Timer timer = Timer.create(base, () -> { });
            Step close = () -> {
                timer.close();
                base.close();
                return null;
            };
            race(close, close, close);
            assertEquals(0, Live.handles());
        }
    }

    @Test
    void aTaskIsNeverLost() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        try (EventBase base = EventBase.create()) {
            for (int i = 1; i <= ROUNDS; i++) {
                race(() -> base.loop(LoopFlag.NO_EXIT_ON_EMPTY), () -> {
                    base.execute(() -> {
                        ran.incrementAndGet();
                        base.stop();
                    });
                    return null;
                });
                assertEquals(i, ran.get());
            }
        }
    }

    @Test
    void aTaskRunsOrIsRefusedWhenTheBaseIsClosed() throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            EventBase base = EventBase.create();
            AtomicInteger ran = new AtomicInteger();
            Object given = race(() -> {
                try {
                    base.execute(ran::incrementAndGet);
                    return 1;
                } catch (RejectedExecutionException e) {
                    return 0;
                }
            }, () -> {
                base.close();
                return null;
            }).get(0);
            assertEquals(given, ran.get());
        }
    }

    @Test
    void aClosedHandleIsFreedWhoeverHoldsTheLoop() throws Exception {
        try (EventBase base = EventBase.create()) {
            for (int i = 0; i < ROUNDS; i++) {
                Timer timer = Timer.create(base, () -> { });
                race(() -> {
                    timer.close();
                    return null;
                }, base::pendingEvents, base::activeEvents);
                assertEquals(1, Live.handles());
            }
        }
    }

    /** Every operation from every thread, with what it may refuse; nothing may crash, hang or stay behind. */
    @Test
    void nothingThatThreadsDoToABaseAtOnceHarmsIt() throws Exception {
        Random seeds = new Random(42);
        for (int round = 0; round < 150; round++) {
            EventBase base = EventBase.newBuilder().priorities(1 + round % 3).build();
            Queue<Exception> unexpected = new ConcurrentLinkedQueue<>();
            base.onException(e -> {
                if (!isRefusal(e)) {
                    unexpected.add(e);
                }
            });
            Queue<AutoCloseable> handles = new ConcurrentLinkedQueue<>();
            Step[] steps = new Step[4];
            for (int t = 0; t < steps.length; t++) {
                Random random = new Random(seeds.nextLong());
                boolean closes = t == 0;
                steps[t] = () -> {
                    for (int i = 0; i < 200; i++) {
                        act(base, handles, random, closes && i == 199);
                    }
                    return null;
                };
            }
            race(steps);
            base.close();
            assertEquals(List.of(), List.copyOf(unexpected));
            assertEquals(0, Live.handles());
            assertEquals(0, Live.targets());
        }
    }

    /** Either the close comes first, or what is closed is a part of the filter by then. */
    @Test
    void whatAFilterTakesWhileItIsClosedIsFreedOnce() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            for (int round = 0; round < 2000; round++) {
                List<BufferEvent> pair = loop.call(() -> BufferEvent.pair(loop.base()));
                race(() -> {
                    pair.get(0).close();
                    return null;
                }, () -> loop.call(() -> {
                    try {
                        BufferEvent.filter(pair.get(0), BufferEvent.Filter.NONE, BufferEvent.Filter.NONE).close();
                    } catch (IllegalStateException e) {
                        assertTrue(isRefusal(e), e.getMessage());
                    }
                    pair.get(1).close();
                    return null;
                }));
                loop.turn();
                assertEquals(1, Live.handles(), "the base alone is left");
            }
        }
    }

    /** Each in a callback of its own base, which nobody runs, two threads want the other's. */
    @Test
    void twoThreadsDoNotWaitForEachOtherForEver() throws Exception {
        try (EventBase first = EventBase.create(); EventBase second = EventBase.create()) {
            CyclicBarrier both = new CyclicBarrier(2);
            List<Object> refused = race(() -> useInCallback(first, second, both), () -> useInCallback(second, first, both));
            assertTrue(refused.contains(true), "neither was refused");
        }
    }

    /** Whether the other base was refused in a callback of the one. */
    private static boolean useInCallback(EventBase one, EventBase other, CyclicBarrier both) throws Exception {
        AtomicBoolean refused = new AtomicBoolean();
        try (Buffer buffer = Buffer.create(one)) {
            buffer.onChange((before, added, deleted) -> {
                if (added > 0) {
                    both.await();
                    try {
                        other.gotBreak();
                    } catch (IllegalStateException e) {
                        refused.set(true);
                    }
                }
            });
            buffer.add("x");
        }
        return refused.get();
    }

    private static boolean isRefusal(Exception e) {
        return e instanceof RejectedExecutionException || e instanceof IllegalStateException
            && e.getMessage().matches(".* is closed|.* is being run by thread .*|.* is already being run by this thread: .*");
    }

    private static void act(EventBase base, Queue<AutoCloseable> handles, Random random, boolean close) throws Exception {
        try {
            switch (close ? -1 : random.nextInt(12)) {
                case -1 -> base.close();
                case 0 -> base.loop(LoopFlag.ONCE);
                case 1 -> base.loop(LoopFlag.NONBLOCK);
                case 2, 3 -> base.stop();
                case 4, 5 -> base.execute(() -> repeat(base, handles, random.nextLong()));
                case 6 -> {
                    Timer timer = Timer.create(base, () -> repeat(base, handles, random.nextLong()));
                    handles.add(timer);
                    timer.start(Duration.ofNanos(random.nextInt(1000)));
                }
                case 7 -> {
                    Event event = Event.create(base, -1, Set.of(), (self, what) -> self.close());
                    handles.add(event);
                    event.activate(EnumSet.of(Kind.READ));
                }
                case 8, 9 -> {
                    AutoCloseable handle = handles.poll();
                    if (handle != null) {
                        handle.close();
                    }
                }
                case 10 -> assertTrue(base.pendingEvents() >= 0);
                default -> base.stopAfter(Duration.ZERO);
            }
        } catch (IllegalStateException | RejectedExecutionException e) {
            if (!isRefusal(e)) {
                throw e;
            }
        }
    }

    /** The same on the loop's thread, where a callback cannot run the loop. */
    private static void repeat(EventBase base, Queue<AutoCloseable> handles, long seed) {
        try {
            act(base, handles, new Random(seed), false);
        } catch (Exception e) {
            throw new IllegalArgumentException(e);
        }
    }
}
