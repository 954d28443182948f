package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.Feature;
import io.github.libevent4j.EventBase.Flag;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.support.LoopThread;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventBaseTest extends LibeventTest {

    private static final Duration INTERVAL = Duration.ofMillis(1);

    private static void spinUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Nested
    class Configuration {

        @Test
        void takesTheBestBackend() throws Exception {
            try (EventBase base = EventBase.create()) {
                assertEquals(Libevent.supportedMethods().get(0), base.method());
            }
        }

        @Test
        void avoidsBackends() throws Exception {
            List<String> methods = Libevent.supportedMethods();
            EventBase.Builder builder = EventBase.newBuilder();
            for (int i = 0; i + 1 < methods.size(); i++) {
                builder.avoidMethod(methods.get(i));
                try (EventBase base = builder.build()) {
                    assertEquals(methods.get(i + 1), base.method());
                }
            }
        }

        @Test
        void failsWhenNoBackendIsLeft() {
            EventBase.Builder builder = EventBase.newBuilder();
            Libevent.supportedMethods().forEach(builder::avoidMethod);
            LibeventException e = assertThrows(LibeventException.class, builder::build);
            assertEquals("event_base_new_with_config", e.operation());
            assertTrue(e.getMessage().contains(Libevent.supportedMethods().toString()), e.getMessage());
        }

        @Test
        void takesOnlyABackendWithTheRequiredFeatures() throws Exception {
            EventBase.Builder builder = EventBase.newBuilder().requireFeatures(Feature.EARLY_CLOSE, Feature.EDGE_TRIGGERED);
            try (EventBase base = builder.build()) {
                assertTrue(base.features().containsAll(Set.of(Feature.EARLY_CLOSE, Feature.EDGE_TRIGGERED)));
            }
            IOException e = assertThrows(IOException.class, () -> builder.avoidMethod("epoll").build());
            assertTrue(e.getMessage().contains("EARLY_CLOSE"), e.getMessage());
        }

        @Test
        void tellsTheFeaturesOfItsBackend() throws Exception {
            try (EventBase epoll = EventBase.create();
                 EventBase poll = EventBase.newBuilder().avoidMethod("epoll").build()) {
                assertEquals(EnumSet.of(Feature.EDGE_TRIGGERED, Feature.O1, Feature.EARLY_CLOSE), epoll.features());
                assertEquals(EnumSet.of(Feature.FDS, Feature.EARLY_CLOSE), poll.features());
            }
        }

        @ParameterizedTest
        @EnumSource(Flag.class)
        void runsWithEachFlag(Flag flag) throws Exception {
            List<String> ran = new ArrayList<>();
            try (EventBase base = EventBase.newBuilder().flags(flag).build();
                 Timer timer = Timer.create(base, () -> ran.add("timer"))) {
                timer.start(Duration.ZERO);
                base.execute(() -> ran.add("task"));
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(Set.of("timer", "task"), Set.copyOf(ran));
            }
        }

        @Test
        void aBuilderMayBeUsedAgain() throws Exception {
            EventBase.Builder builder = EventBase.newBuilder().priorities(3);
            try (EventBase first = builder.build(); EventBase second = builder.build()) {
                assertEquals(first.priorities(), second.priorities());
                assertNotEquals(first.toString(), second.toString());
            }
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 255})
        void hasAsManyPrioritiesAsAsked(int count) throws Exception {
            try (EventBase base = EventBase.newBuilder().priorities(count).build()) {
                assertEquals(count, base.priorities());
            }
        }

        @ParameterizedTest
        @ValueSource(ints = {-1, 0, 256})
        void refusesOtherNumbersOfPriorities(int count) {
            assertThrows(IllegalArgumentException.class, () -> EventBase.newBuilder().priorities(count));
        }

        @Test
        void takesAHintThatOnlyWindowsLooksAt() throws Exception {
            try (EventBase base = EventBase.newBuilder().numCpusHint(2).build()) {
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            }
            assertThrows(IllegalArgumentException.class, () -> EventBase.newBuilder().numCpusHint(0));
        }

        @Test
        void refusesNonsense() {
            EventBase.Builder builder = EventBase.newBuilder();
            assertThrows(NullPointerException.class, () -> builder.avoidMethod(null));
            assertThrows(IllegalArgumentException.class, () -> builder.maxDispatchInterval(Duration.ofMillis(-1), 0, 0));
            assertThrows(IllegalArgumentException.class, () -> builder.maxDispatchInterval(Duration.ZERO, -1, 0));
            assertThrows(IllegalArgumentException.class, () -> builder.maxDispatchInterval(Duration.ZERO, 0, -1));
        }

        /** Two callbacks are due; while the first runs, something more urgent becomes readable, which only a look can tell. */
        private List<String> orderWith(EventBase.Builder builder) throws Exception {
            List<String> order = new ArrayList<>();
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            try (EventBase base = builder.priorities(2).build();
                 Event urgent = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (event, what) -> order.add("urgent"));
                 Event first = Event.create(base, -1, Set.of(), (event, what) -> {
                     order.add("first");
                     pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                     long end = System.nanoTime() + 2 * INTERVAL.toNanos(); // the callback takes longer than the interval
                     spinUntil(() -> System.nanoTime() - end > 0);
                 });
                 Event second = Event.create(base, -1, Set.of(), (event, what) -> order.add("second"))) {
                urgent.priority(0);
                first.priority(1);
                second.priority(1);
                urgent.add();
                first.activate(EnumSet.of(Kind.TIMEOUT));
                second.activate(EnumSet.of(Kind.TIMEOUT));
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
            return order;
        }

        @Test
        void looksForMoreUrgentEventsOnceTheIntervalIsOver() throws Exception {
            assertEquals(List.of("first", "second", "urgent"), orderWith(EventBase.newBuilder()));
            assertEquals(List.of("first", "urgent", "second"),
                orderWith(EventBase.newBuilder().maxDispatchInterval(Duration.ZERO, 1, 0)));
            assertEquals(List.of("first", "urgent", "second"),
                orderWith(EventBase.newBuilder().maxDispatchInterval(INTERVAL, 0, 1).flags(Flag.PRECISE_TIMER)));
            assertEquals(List.of("first", "second", "urgent"),
                orderWith(EventBase.newBuilder().maxDispatchInterval(INTERVAL, 1, 2)));
        }
    }

    @Nested
    class Running {

        @Test
        void returnsWhenNothingIsPending() throws Exception {
            try (EventBase base = EventBase.create()) {
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            }
        }

        @Test
        void stopsAfterTheCallbackThatStopsIt() throws Exception {
            List<String> order = new ArrayList<>();
            try (EventBase base = EventBase.create();
                 Event first = Event.create(base, -1, Set.of(), (event, what) -> {
                     base.stop();
                     order.add("first");
                 });
                 Event second = Event.create(base, -1, Set.of(), (event, what) -> order.add("second"))) {
                first.activate(EnumSet.of(Kind.TIMEOUT));
                second.activate(EnumSet.of(Kind.TIMEOUT));
                assertEquals(LoopExit.STOPPED, base.dispatch());
                assertEquals(List.of("first"), order);
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(List.of("first", "second"), order);
            }
        }

        @Test
        void isStoppedByAnotherThread() throws Exception {
            try (EventBase base = EventBase.create()) {
                LoopThread loop = new LoopThread(base);
                base.stop();
                assertEquals(LoopExit.STOPPED, loop.awaitExit());
            }
        }

        @Test
        void isStoppedByAnotherThreadHoweverBusyItIs() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            pipe.sink().write(ByteBuffer.wrap(new byte[1]));
            CountDownLatch busy = new CountDownLatch(1);
            try (EventBase base = EventBase.newBuilder().priorities(3).build();
                 Event always = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (event, what) -> busy.countDown())) {
                always.priority(0);
                LoopThread loop = new LoopThread(base);
                base.execute(() -> {
                    try {
                        always.add();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
                busy.await();
                base.stop();
                assertEquals(LoopExit.STOPPED, loop.awaitExit());
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }

        @Test
        void isStoppedOnceByAStopThatCameBeforeIt() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create(); Timer timer = Timer.create(base, runs::incrementAndGet)) {
                timer.start(Duration.ZERO);
                base.stop();
                base.stop();
                assertEquals(LoopExit.STOPPED, base.dispatch());
                assertEquals(0, runs.get());
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(1, runs.get());
            }
        }

        @Test
        void stopsAfterATime() throws Exception {
            try (EventBase base = EventBase.create()) {
                base.stopAfter(Duration.ofMillis(1));
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NO_EXIT_ON_EMPTY));
                base.execute(() -> base.stopAfter(Duration.ZERO));
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NO_EXIT_ON_EMPTY));
                assertThrows(IllegalArgumentException.class, () -> base.stopAfter(Duration.ofMillis(-1)));
            }
        }

        @Test
        void runsWhatIsActiveBeforeItStopsAfterNoTime() throws Exception {
            List<String> order = new ArrayList<>();
            try (EventBase base = EventBase.create();
                 Event active = Event.create(base, -1, Set.of(), (event, what) -> order.add("active"))) {
                base.stopAfter(Duration.ZERO);
                active.activate(EnumSet.of(Kind.TIMEOUT));
                assertEquals(LoopExit.STOPPED, base.dispatch());
                assertEquals(List.of("active"), order);
            }
        }

        @Test
        void runsOnceWithOnce() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create(); Timer timer = Timer.periodic(base, runs::incrementAndGet)) {
                timer.start(Duration.ofMillis(1));
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.ONCE));
                assertEquals(1, runs.get());
            }
        }

        @Test
        void runsATaskWithOnce() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create(); Timer timer = Timer.create(base, () -> { })) {
                timer.start(Duration.ofDays(1));
                base.execute(runs::incrementAndGet);
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.ONCE));
                assertEquals(1, runs.get());
            }
        }

        @Test
        void doesNotWaitWithNonblock() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create();
                 Timer later = Timer.create(base, runs::incrementAndGet);
                 Timer now = Timer.create(base, runs::incrementAndGet)) {
                later.start(Duration.ofDays(1));
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NONBLOCK));
                assertEquals(0, runs.get());
                now.start(Duration.ZERO);
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NONBLOCK, LoopFlag.ONCE));
                assertEquals(1, runs.get());
            }
        }

        @Test
        void staysWithoutEventsWhenToldTo() throws Exception {
            try (EventBase base = EventBase.create()) {
                LoopThread loop = new LoopThread(base);
                for (int i = 0; i < 3; i++) {
                    loop.turn();
                }
                base.stop();
                assertEquals(LoopExit.STOPPED, loop.awaitExit());
            }
        }

        @Test
        void isNotRunTwiceAtATime() throws Exception {
            AtomicReference<IllegalStateException> refused = new AtomicReference<>();
            try (EventBase base = EventBase.create(); EventBase other = EventBase.create()) {
                base.execute(() -> {
                    refused.set(assertThrows(IllegalStateException.class, base::dispatch));
                    assertEquals(LoopExit.NO_EVENTS, other.dispatch());
                });
                base.dispatch();
                assertTrue(refused.get().getMessage().contains(base.toString()), refused.get().getMessage());

                LoopThread loop = new LoopThread(base);
                IllegalStateException e = assertThrows(IllegalStateException.class, base::dispatch);
                assertTrue(e.getMessage().contains(loop.thread().getName()), e.getMessage());
                base.stop();
                loop.awaitExit();
            }
        }

        @Test
        void tellsWhenItsBackendFails() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            try (EventBase base = EventBase.newBuilder().avoidMethod("epoll").avoidMethod("poll").build();
                 Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (self, what) -> { })) {
                event.add();
                pipe.source().close();
                UncheckedIOException e = assertThrows(UncheckedIOException.class, base::dispatch);
                assertEquals(9, ((LibeventException) e.getCause()).errno(), e.getMessage()); // EBADF
                event.remove();
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            } finally {
                pipe.sink().close();
            }
        }
    }

    @Nested
    class Tasks {

        @Test
        void runInTheirOrderOnTheLoopsThread() throws Exception {
            List<String> ran = new ArrayList<>();
            try (EventBase base = EventBase.create()) {
                for (int i = 0; i < 100; i++) {
                    String task = i + " on " + Thread.currentThread();
                    base.execute(() -> ran.add(task));
                }
                assertEquals(List.of(), ran);
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                for (int i = 0; i < 100; i++) {
                    assertEquals(i + " on " + Thread.currentThread(), ran.get(i));
                }
            }
        }

        @Test
        void ofSeveralThreadsKeepEachThreadsOrder() throws Exception {
            int threads = 4;
            int each = 1000;
            List<List<Integer>> ran = new ArrayList<>();
            Set<Thread> ranOn = new HashSet<>();
            try (EventBase base = EventBase.create()) {
                LoopThread loop = new LoopThread(base);
                List<Thread> senders = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    List<Integer> mine = new ArrayList<>();
                    ran.add(mine);
                    senders.add(new Thread(() -> {
                        for (int i = 0; i < each; i++) {
                            int number = i;
                            base.execute(() -> {
                                ranOn.add(Thread.currentThread());
                                mine.add(number);
                            });
                        }
                    }));
                }
                senders.forEach(Thread::start);
                for (Thread sender : senders) {
                    sender.join();
                }
                base.execute(base::stop);
                loop.awaitExit();
                assertEquals(Set.of(loop.thread()), ranOn);
            }
            for (List<Integer> mine : ran) {
                assertEquals(each, mine.size());
                for (int i = 0; i < each; i++) {
                    assertEquals(i, mine.get(i));
                }
            }
        }

        @Test
        void givenInACallbackRunAfterIt() throws Exception {
            List<String> order = new ArrayList<>();
            try (EventBase base = EventBase.create()) {
                base.execute(() -> {
                    base.execute(() -> order.add("inner"));
                    order.add("outer");
                });
                base.dispatch();
            }
            assertEquals(List.of("outer", "inner"), order);
        }

        @Test
        void afterOneThatStopsTheLoopWait() throws Exception {
            List<String> order = new ArrayList<>();
            try (EventBase base = EventBase.create()) {
                base.execute(() -> {
                    base.stop();
                    order.add("first");
                });
                base.execute(() -> order.add("second"));
                assertEquals(LoopExit.STOPPED, base.dispatch());
                assertEquals(List.of("first"), order);
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(List.of("first", "second"), order);
            }
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 3})
        void thatAddThemselvesAgainLetEventsThrough(int priorities) throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            Set<String> seen = new HashSet<>();
            try (EventBase base = EventBase.newBuilder().priorities(priorities).build();
                 Event readable = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (event, what) -> seen.add("event"));
                 Timer timer = Timer.create(base, () -> seen.add("timer"))) {
                readable.add();
                timer.start(Duration.ofMillis(1));
                base.execute(new Runnable() {
                    @Override
                    public void run() {
                        if (seen.size() == 2) {
                            base.stop();
                        } else {
                            base.execute(this);
                        }
                    }
                });
                pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                assertEquals(LoopExit.STOPPED, base.dispatch());
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }

        @Test
        void ofOtherThreadsLetEventsThrough() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            AtomicBoolean through = new AtomicBoolean();
            try (EventBase base = EventBase.create();
                 Event readable = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (event, what) -> {
                     through.set(true);
                     base.stop();
                 })) {
                readable.add();
                LoopThread loop = new LoopThread(base);
                // There is always a next task: each ends when the next one is given, which is when it has begun.
                AtomicInteger given = new AtomicInteger();
                AtomicInteger begun = new AtomicInteger();
                Thread sender = new Thread(() -> {
                    while (!through.get()) {
                        int number = given.get() + 1;
                        base.execute(() -> {
                            begun.set(number);
                            spinUntil(() -> given.get() > number || through.get());
                        });
                        given.set(number);
                        spinUntil(() -> begun.get() == number || through.get());
                    }
                });
                sender.start();
                pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                assertEquals(LoopExit.STOPPED, loop.awaitExit());
                sender.join();
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }

        @Test
        void keepNoLoopFromReturning() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create()) {
                base.execute(runs::incrementAndGet);
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(1, runs.get());
            }
        }

        @Test
        void areRefusedWhenTheBaseIsClosed() throws Exception {
            EventBase base = EventBase.create();
            base.close();
            RejectedExecutionException e = assertThrows(RejectedExecutionException.class, () -> base.execute(() -> { }));
            assertEquals(base + " is closed", e.getMessage());
        }

        @Test
        void thatWaitWhenTheBaseIsClosedRunThen() throws Exception {
            List<Object> seen = new ArrayList<>();
            EventBase base = EventBase.create();
            Timer timer = Timer.create(base, () -> { });
            base.execute(() -> seen.add(base.isOpen()));
            base.execute(() -> seen.add(assertThrows(IllegalStateException.class, () -> timer.start(Duration.ZERO)).getMessage()));
            base.execute(() -> seen.add(assertThrows(RejectedExecutionException.class, () -> base.execute(() -> { })).getMessage()));
            base.close();
            assertEquals(List.of(false, base + " is closed", base + " is closed"), seen);
        }

        @Test
        void thatRunWhenTheBaseIsClosedMayWaitForOthersThatUseIt() throws Exception {
            List<String> refused = new ArrayList<>();
            EventBase base = EventBase.create();
            base.execute(() -> inAnotherThread(() -> refused.add(assertThrows(IllegalStateException.class, base::method).getMessage())));
            base.close();
            assertEquals(List.of(base + " is closed"), refused);
        }

        @Test
        void areNeverNull() throws Exception {
            try (EventBase base = EventBase.create()) {
                assertThrows(NullPointerException.class, () -> base.execute(null));
            }
        }
    }

    @Nested
    class WithoutLocks {

        @Test
        void runsTasksOfItsOwnThread() throws Exception {
            List<String> order = new ArrayList<>();
            try (EventBase base = EventBase.newBuilder().flags(Flag.NOLOCK).build()) {
                base.execute(() -> {
                    order.add("before");
                    base.execute(() -> order.add("inside"));
                });
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(List.of("before", "inside"), order);
                base.stop();
                assertEquals(LoopExit.STOPPED, base.dispatch());
            }
        }

        @Test
        void refusesWhatOtherThreadsWantWhileItRuns() throws Exception {
            List<Throwable> refused = new ArrayList<>();
            try (EventBase base = EventBase.newBuilder().flags(Flag.NOLOCK).build()) {
                base.execute(() -> inAnotherThread(() -> {
                    refused.add(assertThrows(RejectedExecutionException.class, () -> base.execute(() -> { })));
                    refused.add(assertThrows(IllegalStateException.class, base::stop));
                }));
                base.dispatch();
                assertEquals(2, refused.size());
                refused.forEach(e -> assertTrue(e.getMessage().contains("NOLOCK"), e.getMessage()));
            }
        }

        @Test
        void isFreedWhenItsLoopReturns() throws Exception {
            EventBase base = EventBase.newBuilder().flags(Flag.NOLOCK).build();
            base.execute(() -> inAnotherThread(base::close));
            base.dispatch();
            assertFalse(base.isOpen());
        }
    }

    static void inAnotherThread(Runnable action) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(action);
        thread.setUncaughtExceptionHandler((self, e) -> thrown.set(e));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (thrown.get() != null) {
            throw new AssertionError(thrown.get());
        }
    }

    @Nested
    class Question {

        @Test
        void whyTheLoopReturnedIsAnswered() throws Exception {
            try (EventBase base = EventBase.create(); Timer timer = Timer.create(base, base::stop)) {
                base.dispatch();
                assertFalse(base.gotBreak() || base.gotExit());
                timer.start(Duration.ZERO);
                base.dispatch();
                assertTrue(base.gotBreak());
                assertFalse(base.gotExit());
                base.stopAfter(Duration.ZERO);
                base.dispatch();
                assertTrue(base.gotExit());
                assertFalse(base.gotBreak());
                base.stop();
                base.dispatch();
                assertTrue(base.gotBreak());
            }
        }

        @Test
        void whatABaseWaitsForIsAnsweredForEachEvent() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            try (EventBase base = EventBase.newBuilder().priorities(3).build();
                 Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (self, what) -> { });
                 Timer timer = Timer.create(base, () -> { });
                 Event active = Event.create(base, -1, Set.of(), (self, what) -> { });
                 Signal signal = Signal.create(base, "USR1", () -> { })) {
                event.priority(0);
                event.add();
                timer.start(Duration.ofDays(1));
                active.activate(EnumSet.of(Kind.READ));
                base.execute(() -> { });
                List<EventBase.EventInfo> events = base.events();
                assertEquals(4, events.size(), events.toString());
                assertTrue(events.contains(new EventBase.EventInfo(event.descriptor(), 0, EnumSet.of(Kind.READ, Kind.PERSIST), 0,
                    Optional.empty())), events.toString());
                assertTrue(events.contains(new EventBase.EventInfo(-1, 0, Set.of(), 1, Optional.empty())), events.toString());
                assertTrue(events.stream().anyMatch(one -> one.signal() > 0 && one.descriptor() == -1), events.toString());
                assertTrue(events.stream().anyMatch(one -> one.remaining().filter(left -> left.toHours() >= 23).isPresent()), events.toString());
                base.loop(LoopFlag.NONBLOCK);
                active.close();
                timer.close();
                event.close();
                assertEquals(1, base.events().size());
                assertTrue(signal.isOpen());
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }
    }

    @Nested
    class Activation {

        @Test
        void reachesWhatWaitsForADescriptor() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            List<Set<Kind>> seen = new ArrayList<>();
            try (EventBase base = EventBase.create();
                 Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (self, what) -> seen.add(what))) {
                base.activate(event.descriptor(), EnumSet.of(Kind.READ));
                assertEquals(0, base.activeEvents(), "nothing waits");
                event.add(Duration.ofDays(1));
                base.activate(event.descriptor(), EnumSet.of(Kind.READ, Kind.WRITE));
                base.loop(LoopFlag.NONBLOCK);
                base.activate(event.descriptor(), EnumSet.of(Kind.TIMEOUT));
                base.loop(LoopFlag.NONBLOCK);
                assertEquals(List.of(EnumSet.of(Kind.READ), EnumSet.of(Kind.TIMEOUT)), seen);
                base.activate(Integer.MAX_VALUE, EnumSet.of(Kind.READ));
                assertThrows(IllegalArgumentException.class, () -> base.activate(-1, EnumSet.of(Kind.READ)));
                assertThrows(IllegalArgumentException.class, () -> base.activate(event.descriptor(), EnumSet.of(Kind.PERSIST)));
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }

        @Test
        void reachesWhatWaitsForASignal() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            try (EventBase base = EventBase.create()) {
                base.activate("USR1");
                Signal first = Signal.create(base, "USR1", runs::incrementAndGet);
                Signal second = Signal.create(base, "USR1", runs::incrementAndGet);
                base.activate("USR1");
                base.activate("HUP");
                base.loop(LoopFlag.NONBLOCK);
                assertEquals(2, runs.get());
                first.close();
                second.close();
                assertThrows(IllegalArgumentException.class, () -> base.activate("SIGUSR1"));
                assertThrows(NullPointerException.class, () -> base.activate(null));
            }
        }
    }

    @Nested
    class Counts {

        @Test
        void remembersTheMost() throws Exception {
            try (EventBase base = EventBase.create()) {
                int pending = base.mostPendingEvents(true);
                int active = base.mostActiveEvents(true);
                List<Event> events = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    Event event = Event.create(base, -1, Set.of(), (self, what) -> { });
                    event.activate(EnumSet.of(Kind.READ));
                    events.add(event);
                }
                base.dispatch();
                assertEquals(0, base.activeEvents());
                assertEquals(10, base.mostActiveEvents(false));
                assertEquals(10, base.mostActiveEvents(true));
                assertEquals(0, base.mostActiveEvents(true));
                events.get(0).add(Duration.ofDays(1));
                assertTrue(base.mostPendingEvents(false) >= 1 && pending <= 2 && active <= 2);
            }
        }

        @Test
        void tellsWhatIsPendingAndWhatIsActive() throws Exception {
            try (EventBase base = EventBase.create();
                 Timer timer = Timer.create(base, () -> { });
                 Event event = Event.create(base, -1, Set.of(), (self, what) -> { })) {
                assertEquals(0, base.pendingEvents());
                assertEquals(0, base.activeEvents());
                timer.start(Duration.ofDays(1));
                assertEquals(1, base.pendingEvents());
                assertEquals(0, base.activeEvents());
                event.activate(EnumSet.of(Kind.TIMEOUT));
                assertEquals(2, base.pendingEvents());
                assertEquals(1, base.activeEvents());
                assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NONBLOCK));
                assertEquals(1, base.pendingEvents());
                assertEquals(0, base.activeEvents());
                timer.stop();
                assertEquals(0, base.pendingEvents());
            }
        }

        @Test
        void countsAnEventForItsDescriptorAndForItsTime() throws Exception {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            try (EventBase base = EventBase.create();
                 Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (self, what) -> { })) {
                event.add(Duration.ofDays(1));
                assertEquals(2, base.pendingEvents());
            } finally {
                pipe.source().close();
                pipe.sink().close();
            }
        }

        @Test
        void leavesOutTheLoopsOwnEvents() throws Exception {
            List<Integer> counts = new ArrayList<>();
            try (EventBase base = EventBase.create()) {
                base.execute(() -> {
                    base.execute(() -> {
                        counts.add(base.pendingEvents());
                        counts.add(base.activeEvents());
                    });
                    inAnotherThread(base::stop);
                    counts.add(base.pendingEvents());
                    counts.add(base.activeEvents());
                });
                assertEquals(LoopExit.STOPPED, base.dispatch());
                counts.add(base.pendingEvents());
                counts.add(base.activeEvents());
                base.dispatch();
            }
            assertEquals(List.of(0, 0, 0, 0, 0, 0), counts);
        }
    }

    @Test
    void eventsOfAMoreUrgentPriorityRunFirst() throws Exception {
        List<Integer> order = new ArrayList<>();
        List<Event> events = new ArrayList<>();
        try (EventBase base = EventBase.newBuilder().priorities(4).build()) {
            for (int priority : new int[] {3, 1, 2, 0, 1}) {
                Event event = Event.create(base, -1, Set.of(), (self, what) -> order.add(priority));
                event.priority(priority);
                event.activate(EnumSet.of(Kind.TIMEOUT));
                events.add(event);
            }
            base.dispatch();
            assertEquals(List.of(0, 1, 1, 2, 3), order);
        }
    }

    /** Without the look, the second of the two would run before the urgent one, which becomes ready in the first. */
    @Test
    void anUrgentEventIsSeenBeforeTheNextCallbackWhenTheLoopIsToldToLook() throws Exception {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        List<String> order = new ArrayList<>();
        try (EventBase base = EventBase.newBuilder().priorities(3).build();
             Event urgent = Event.create(base, pipe.source(), EnumSet.of(Kind.READ), (self, what) -> order.add("urgent"));
             Event first = Event.create(base, -1, Set.of(), (self, what) -> {
                 order.add("first");
                 pipe.sink().write(ByteBuffer.allocate(1));
                 base.loopContinue();
             });
             Event second = Event.create(base, -1, Set.of(), (self, what) -> order.add("second"))) {
            urgent.priority(0);
            urgent.add();
            first.activate(EnumSet.of(Kind.READ));
            second.activate(EnumSet.of(Kind.READ));
            base.dispatch();
            assertEquals(List.of("first", "urgent", "second"), order);
        } finally {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    @Test
    void newEventsHaveTheMiddlePriority() throws Exception {
        List<String> order = new ArrayList<>();
        try (EventBase base = EventBase.newBuilder().priorities(3).build()) {
            Event last = Event.create(base, -1, Set.of(), (self, what) -> order.add("2"));
            last.priority(2);
            Event fresh = Event.create(base, -1, Set.of(), (self, what) -> order.add("new"));
            Event first = Event.create(base, -1, Set.of(), (self, what) -> order.add("0"));
            first.priority(0);
            for (Event event : List.of(last, fresh, first)) {
                event.activate(EnumSet.of(Kind.TIMEOUT));
            }
            base.dispatch();
            assertEquals(List.of("0", "new", "2"), order);
        }
    }

    @Test
    void isOneExecutorAmongOthers() throws Exception {
        try (EventBase base = EventBase.create()) {
            LoopThread loop = new LoopThread(base);
            Thread ranOn = CompletableFuture.supplyAsync(Thread::currentThread, base).get();
            assertSame(loop.thread(), ranOn);
            base.stop();
            loop.awaitExit();
        }
    }
}
