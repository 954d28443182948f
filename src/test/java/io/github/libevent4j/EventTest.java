package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.internal.Descriptors;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class EventTest extends LibeventTest {

    private static final Set<Kind> NONE = EnumSet.noneOf(Kind.class);
    private static final Set<Kind> READ = EnumSet.of(Kind.READ);

    private EventBase base;
    private Pipe pipe;
    private final List<Set<Kind>> seen = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
        pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        pipe.sink().configureBlocking(false);
    }

    @AfterEach
    void close() throws IOException {
        base.close();
        pipe.source().close();
        pipe.sink().close();
    }

    private Event event(Kind first, Kind... others) {
        return Event.create(base, pipe.source(), EnumSet.of(first, others), (event, what) -> seen.add(what));
    }

    private void write(int bytes) throws IOException {
        pipe.sink().write(ByteBuffer.allocate(bytes));
    }

    private void turn() {
        base.loop(LoopFlag.ONCE, LoopFlag.NONBLOCK);
    }

    @Nested
    class Descriptor {

        @Test
        void isReadable() throws Exception {
            Event event = event(Kind.READ);
            event.add();
            turn();
            assertEquals(List.of(), seen);
            write(1);
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(READ), seen);
            assertFalse(event.isPending());
        }

        @Test
        void isWritable() throws Exception {
            Event event = Event.create(base, pipe.sink(), EnumSet.of(Kind.WRITE), (self, what) -> seen.add(what));
            event.add();
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(EnumSet.of(Kind.WRITE)), seen);
        }

        @Test
        void ofASocketIsReadableAndWritable() throws Exception {
            try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
                 SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                 SocketChannel server = listener.accept()) {
                server.configureBlocking(false);
                Event event = Event.create(base, server, EnumSet.of(Kind.READ, Kind.WRITE), (self, what) -> seen.add(what));
                event.add();
                base.dispatch();
                assertEquals(List.of(EnumSet.of(Kind.WRITE)), seen);
                client.write(ByteBuffer.allocate(1));
                Event readable = Event.create(base, server, READ, (self, what) -> event.add());
                readable.add();
                base.dispatch();
                assertEquals(EnumSet.of(Kind.READ, Kind.WRITE), seen.get(1));
            }
        }

        @Test
        void mayBeAnyNumber() throws Exception {
            long descriptor = Descriptors.of(pipe.source());
            Event event = Event.create(base, descriptor, READ, (self, what) -> seen.add(what));
            assertEquals(descriptor, event.descriptor());
            event.add();
            write(1);
            base.dispatch();
            assertEquals(List.of(READ), seen);
        }

        @Test
        void isReportedWithItsEvent() throws Exception {
            AtomicReference<Event> got = new AtomicReference<>();
            Event event = Event.create(base, pipe.source(), READ, (self, what) -> got.set(self));
            event.add();
            write(1);
            base.dispatch();
            assertSame(event, got.get());
        }

        @Test
        void staysAddedWhenPersistent() throws Exception {
            Event event = event(Kind.READ, Kind.PERSIST);
            event.add();
            write(1);
            for (int i = 0; i < 3; i++) {
                turn();
            }
            assertEquals(List.of(READ, READ, READ), seen);
            assertTrue(event.isPending());
            event.remove();
            assertFalse(event.isPending());
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(3, seen.size());
        }

        @Test
        void isReportedOncePerChangeWhenEdgeTriggered() throws Exception {
            Event event = event(Kind.READ, Kind.PERSIST, Kind.EDGE_TRIGGERED);
            event.add();
            write(1);
            turn();
            turn();
            assertEquals(List.of(READ), seen);
            write(1);
            turn();
            turn();
            assertEquals(List.of(READ, READ), seen);
        }

        @Test
        void isReportedClosedWithoutBeingRead() throws Exception {
            try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
                 SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                 SocketChannel server = listener.accept()) {
                server.configureBlocking(false);
                Event event = Event.create(base, server, EnumSet.of(Kind.CLOSED), (self, what) -> seen.add(what));
                event.add();
                client.write(ByteBuffer.allocate(10));
                turn();
                assertEquals(List.of(), seen);
                client.shutdownOutput();
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(List.of(EnumSet.of(Kind.CLOSED)), seen);
                assertEquals(10, server.read(ByteBuffer.allocate(100)));
            }
        }

        @Test
        void cannotBeWatchedForKindsThatTheBackendLacks() throws Exception {
            try (EventBase select = EventBase.newBuilder().avoidMethod("epoll").avoidMethod("poll").build()) {
                IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () ->
                    Event.create(select, pipe.source(), EnumSet.of(Kind.READ, Kind.EDGE_TRIGGERED), (self, what) -> { }));
                assertTrue(e.getMessage().contains("select") && e.getMessage().contains("EDGE_TRIGGERED"), e.getMessage());
                e = assertThrows(IllegalArgumentException.class, () ->
                    Event.create(select, pipe.source(), EnumSet.of(Kind.CLOSED), (self, what) -> { }));
                assertTrue(e.getMessage().contains("CLOSED"), e.getMessage());
            }
        }

        @Test
        void takesNoMoreEventsThanLibeventCounts() throws Exception {
            for (int i = 0; i < 0xFFFF; i++) {
                event(Kind.READ).add();
            }
            LibeventException e = assertThrows(LibeventException.class, () -> event(Kind.READ).add());
            assertEquals("event_add of descriptor " + Descriptors.of(pipe.source()) + ": failed", e.getMessage());
            assertEquals(0, e.errno());
        }

        @Test
        void mustBeOpen() {
            Event event = Event.create(base, 1_000_000, READ, (self, what) -> { });
            LibeventException e = assertThrows(LibeventException.class, event::add);
            assertEquals(9, e.errno()); // EBADF
            assertEquals("event_add of descriptor 1000000", e.operation());
            assertEquals("event_add of descriptor 1000000: Bad file descriptor (errno 9)", e.getMessage());
            assertFalse(event.isPending());
            assertThrows(LibeventException.class, () -> event.add(Duration.ZERO));
            assertFalse(event.isPending());
        }

        @Test
        void ofAFileIsRefusedByEpoll(@TempDir Path directory) throws Exception {
            try (FileChannel file = FileChannel.open(directory.resolve("file"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                Event event = Event.create(base, Descriptors.of(file), EnumSet.of(Kind.WRITE), (self, what) -> seen.add(what));
                LibeventException e = assertThrows(LibeventException.class, () -> event.add(Duration.ZERO));
                assertEquals(1, e.errno(), e.getMessage()); // EPERM
                assertFalse(event.isPending());
            }
        }

        @Test
        void ofAFileIsTakenByABackendForAllDescriptors(@TempDir Path directory) throws Exception {
            try (FileChannel file = FileChannel.open(directory.resolve("file"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                 EventBase any = EventBase.newBuilder().requireFeatures(EventBase.Feature.FDS).build()) {
                Event event = Event.create(any, Descriptors.of(file), EnumSet.of(Kind.WRITE), (self, what) -> seen.add(what));
                event.add();
                any.dispatch();
                assertEquals(List.of(EnumSet.of(Kind.WRITE)), seen);
            }
        }

        @Test
        void isANumberOrMinusOne() {
            for (long descriptor : new long[] {-2, Long.MIN_VALUE, 1L << 31, Long.MAX_VALUE}) {
                assertThrows(IllegalArgumentException.class, () -> Event.create(base, descriptor, READ, (self, what) -> { }));
            }
            assertThrows(IllegalArgumentException.class, () -> Event.create(base, -1, READ, (self, what) -> { }));
        }

        @Test
        void ofAChannelMustBeOpenAndNotBlock() throws Exception {
            Pipe other = Pipe.open();
            try {
                IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> Event.create(base, other.source(), READ, (self, what) -> { }));
                assertTrue(e.getMessage().contains("configureBlocking(false)"), e.getMessage());
                other.source().configureBlocking(false);
            } finally {
                other.source().close();
                other.sink().close();
            }
            assertThrows(IllegalStateException.class, () -> Event.create(base, other.source(), READ, (self, what) -> { }));
        }

        @Test
        void needsAHandler() {
            assertThrows(NullPointerException.class, () -> Event.create(base, pipe.source(), READ, null));
            assertThrows(NullPointerException.class, () -> Event.create(base, -1, NONE, null));
        }
    }

    @Nested
    class Timeout {

        @Test
        void makesItActive() throws Exception {
            event(Kind.READ).add(Duration.ofMillis(1));
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(EnumSet.of(Kind.TIMEOUT)), seen);
        }

        @Test
        void isDroppedWhenTheDescriptorIsReadyFirst() throws Exception {
            Event event = event(Kind.READ);
            event.add(Duration.ofDays(1));
            write(1);
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(READ), seen);
        }

        @Test
        void startsAnewWhenAPersistentEventIsActive() throws Exception {
            Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (self, what) -> {
                seen.add(what);
                if (seen.size() == 3) {
                    self.remove();
                }
            });
            event.add(Duration.ofMillis(1));
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(3, seen.size());
            assertEquals(Set.of(EnumSet.of(Kind.TIMEOUT)), Set.copyOf(seen));
        }

        @Test
        void isNotNegativeAndNotForEver() {
            assertThrows(IllegalArgumentException.class, () -> event(Kind.READ).add(Duration.ofNanos(-1)));
            assertThrows(IllegalArgumentException.class, () -> event(Kind.READ).add(Duration.ofSeconds(Long.MAX_VALUE)));
            assertThrows(NullPointerException.class, () -> event(Kind.READ).add((Duration) null));
        }
    }

    @Nested
    class Activation {

        @Test
        void runsTheHandlerWithTheKindsThatWereGiven() {
            Event event = event(Kind.READ);
            event.activate(EnumSet.of(Kind.WRITE, Kind.TIMEOUT));
            assertTrue(event.isPending());
            assertEquals(List.of(), seen);
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(EnumSet.of(Kind.WRITE, Kind.TIMEOUT)), seen);
        }

        @Test
        void addsUp() {
            Event event = Event.create(base, -1, NONE, (self, what) -> seen.add(what));
            event.activate(READ);
            event.activate(EnumSet.of(Kind.CLOSED));
            base.dispatch();
            assertEquals(List.of(EnumSet.of(Kind.READ, Kind.CLOSED)), seen);
        }

        @Test
        void isTakenBackByRemove() {
            Event event = event(Kind.READ);
            event.activate(READ);
            event.remove();
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(), seen);
        }

        @Test
        void refusesKindsThatCannotHappen() {
            Event event = event(Kind.READ);
            for (Set<Kind> kinds : List.of(NONE, EnumSet.of(Kind.PERSIST), EnumSet.of(Kind.EDGE_TRIGGERED),
                    EnumSet.of(Kind.READ, Kind.PERSIST))) {
                assertThrows(IllegalArgumentException.class, () -> event.activate(kinds));
            }
        }
    }

    @Test
    void tellsItsKinds() {
        assertEquals(EnumSet.of(Kind.READ, Kind.PERSIST), event(Kind.READ, Kind.PERSIST).kinds());
        assertEquals(EnumSet.of(Kind.WRITE, Kind.CLOSED, Kind.EDGE_TRIGGERED), event(Kind.WRITE, Kind.CLOSED, Kind.EDGE_TRIGGERED).kinds());
    }

    @Nested
    class Remaining {

        @Test
        void isNothingWithoutATimeout() throws Exception {
            Event event = event(Kind.READ);
            assertEquals(Optional.empty(), event.remaining());
            event.add();
            assertEquals(Optional.empty(), event.remaining());
        }

        @Test
        void isLessThanTheTimeoutAndNothingWhenThatIsRemoved() throws Exception {
            Event event = event(Kind.READ);
            event.add(Duration.ofHours(1));
            Duration remaining = event.remaining().orElseThrow();
            assertTrue(remaining.compareTo(Duration.ofMinutes(50)) > 0 && remaining.compareTo(Duration.ofMinutes(61)) < 0, remaining.toString());
            event.removeTimeout();
            assertEquals(Optional.empty(), event.remaining());
            assertTrue(event.isPending());
            write(1);
            turn();
            assertEquals(List.of(READ), seen);
        }

        @Test
        void isZeroWhenTheTimeoutIsDue() throws Exception {
            Event event = event(Kind.READ);
            event.activate(EnumSet.of(Kind.TIMEOUT));
            assertEquals(Optional.of(Duration.ZERO), event.remaining());
        }
    }

    @Test
    void sharesACommonTimeout() throws Exception {
        CommonTimeout timeout = base.commonTimeout(Duration.ofMillis(1));
        Event event = event(Kind.READ);
        event.add(timeout);
        base.dispatch();
        assertEquals(List.of(EnumSet.of(Kind.TIMEOUT)), seen);
        pipe.source().close();
        assertThrows(IOException.class, () -> event.add(timeout));
    }

    @Nested
    class Priority {

        @Test
        void isOneOfTheBases() throws Exception {
            try (EventBase three = EventBase.newBuilder().priorities(3).build()) {
                Event event = Event.create(three, -1, NONE, (self, what) -> { });
                assertEquals(1, event.priority());
                event.priority(0);
                assertEquals(0, event.priority());
                event.priority(2);
                assertEquals(2, event.priority());
                for (int priority : new int[] {-1, 3, 256}) {
                    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> event.priority(priority));
                    assertEquals("this base has the priorities 0 to 2, not " + priority, e.getMessage());
                }
            }
        }

        @Test
        void isFixedWhileTheEventIsActive() throws Exception {
            Event event = Event.create(base, -1, NONE, (self, what) -> self.priority(0));
            event.activate(READ);
            assertThrows(IllegalStateException.class, () -> event.priority(0));
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
        }
    }

    @Nested
    class Closing {

        @Test
        void inItsOwnCallbackEndsIt() throws Exception {
            Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (self, what) -> {
                seen.add(what);
                self.close();
                assertThrows(IllegalStateException.class, self::add);
            });
            event.add();
            write(1);
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(READ), seen);
        }

        @Test
        void inAnothersCallbackKeepsADueHandlerFromRunning() {
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                events.add(Event.create(base, -1, NONE, (self, what) -> {
                    seen.add(what);
                    events.stream().filter(event -> event != self).forEach(Event::close);
                }));
            }
            events.forEach(event -> event.activate(READ));
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(READ), seen);
        }

        @Test
        void theBaseInACallbackKeepsDueHandlersFromRunning() {
            for (int i = 0; i < 3; i++) {
                Event.create(base, -1, NONE, (self, what) -> {
                    seen.add(what);
                    base.close();
                    assertThrows(IllegalStateException.class, () -> self.activate(READ));
                    assertThrows(IllegalStateException.class, () -> Event.create(base, -1, NONE, (other, why) -> { }));
                }).activate(READ);
            }
            assertEquals(LoopExit.STOPPED, base.dispatch());
            assertEquals(List.of(READ), seen);
        }

        /** A descriptor's number is another's as soon as it is closed. */
        @Test
        void inACallbackGivesTheDescriptorBackAtOnce() throws Exception {
            long[] numbers = new long[2];
            Pipe[] next = new Pipe[1];
            Event event = Event.create(base, pipe.source(), EnumSet.of(Kind.READ, Kind.PERSIST), (self, what) -> {
                numbers[0] = self.descriptor();
                self.close();
                pipe.source().close();
                next[0] = Pipe.open(); // gets the lowest number that is free
                next[0].source().configureBlocking(false);
                numbers[1] = Descriptors.of(next[0].source());
                Event.create(base, next[0].source(), READ, (other, why) -> seen.add(why)).add();
                next[0].sink().write(ByteBuffer.allocate(1));
            });
            event.add();
            write(1);
            try {
                assertEquals(LoopExit.NO_EVENTS, base.dispatch());
                assertEquals(List.of(READ), seen);
                assertEquals(numbers[0], numbers[1], "the number was not used again, so this test showed nothing");
            } finally {
                next[0].source().close();
                next[0].sink().close();
            }
        }

        @Test
        void leavesNoWayToUseIt() throws Exception {
            Event event = event(Kind.READ);
            event.close();
            event.close();
            assertFalse(event.isOpen());
            List<Executable> uses = List.of(event::add, () -> event.add(Duration.ZERO), event::remove,
                event::isPending, event::descriptor, () -> event.activate(READ), () -> event.priority(0));
            for (Executable use : uses) {
                assertEquals(event + " is closed", assertThrows(IllegalStateException.class, use).getMessage());
            }
            assertTrue(event.toString().startsWith("Event@"), event.toString());
        }
    }
}
