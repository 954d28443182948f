package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.BufferEvent.FlushMode;
import io.github.libevent4j.io.BufferEvent.Option;
import io.github.libevent4j.support.Turns;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BufferEventTest extends LibeventTest {

    private static final Duration SOON = Duration.ofMillis(1);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress("127.0.0.1", 0);

    private EventBase base;

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
    }

    @AfterEach
    void close() {
        base.close();
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    /** Sends back what comes, and closes at the end. */
    private static void echo(ConnectionListener.Accepted connection) {
        BufferEvent event = connection.toBufferEvent();
        event.listener(new BufferEvent.Listener() {
            @Override
            public void onRead(BufferEvent read) {
                read.write(read.input());
            }

            @Override
            public void onEof(BufferEvent ended) {
                ended.close();
            }

            @Override
            public void onError(BufferEvent failed, IOException failure) {
                failed.close();
            }
        });
        event.enable(Direction.READ);
    }

    private SocketAddress echoServer() throws IOException {
        return ConnectionListener.bind(base, ANY_PORT, BufferEventTest::echo).address();
    }

    private BufferEvent heard(BufferEvent event, BufferEvent.Listener listener) {
        event.listener(listener);
        event.enable(Direction.READ);
        return event;
    }

    /** A bufferevent whose other side is the JDK's socket. */
    private final class Wire implements AutoCloseable {
        final Socket peer = new Socket();
        final BufferEvent event;
        final Recorder recorder = new Recorder();

        Wire(Option... options) throws Exception {
            BufferEvent[] accepted = new BufferEvent[1];
            ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT,
                connection -> accepted[0] = connection.toBufferEvent(options));
            peer.connect(listener.address());
            Turns.until(base, () -> accepted[0] != null);
            listener.close();
            event = heard(accepted[0], recorder);
        }

        void send(String text) throws IOException {
            peer.getOutputStream().write(text.getBytes(UTF_8));
        }

        void until(String heard) throws Exception {
            Turns.until(base, () -> recorder.heard(heard));
        }

        @Override
        public void close() throws IOException {
            event.close();
            peer.close();
        }
    }

    // ---- connecting

    private void exchange(BufferEvent client, Recorder recorder) throws Exception {
        Turns.until(base, () -> recorder.read.toString().equals("hello"));
        assertEquals("connected", recorder.events.get(0));
        assertTrue(recorder.heard("written"));
        assertTrue(client.descriptor() >= 0);
        client.close();
        assertFalse(client.isOpen());
    }

    @Test
    void connectsOverIpv4() throws Exception {
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.write("hello");
        client.connect(echoServer());
        exchange(client, recorder);
    }

    @Test
    void connectsOverIpv6() throws Exception {
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        ConnectionListener server = ConnectionListener.bind(base, new InetSocketAddress("::1", 0), BufferEventTest::echo);
        client.connect(server.address());
        client.write("hello");
        exchange(client, recorder);
    }

    @Test
    void connectsToALocalSocket(@TempDir Path directory) throws Exception {
        Recorder recorder = new Recorder();
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        ConnectionListener.bind(base, address, BufferEventTest::echo);
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.connect(address);
        client.write("hello");
        assertEquals(List.of(), recorder.events);
        exchange(client, recorder);
    }

    @Test
    void connectsByNameWithTheSystemsResolver() throws Exception {
        Recorder recorder = new Recorder();
        int port = ((InetSocketAddress) echoServer()).getPort();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.connect("127.0.0.1", port);
        client.write("hello");
        exchange(client, recorder);
    }

    @Test
    void connectsByNameWithADns(@TempDir Path directory) throws Exception {
        int port = ((InetSocketAddress) echoServer()).getPort();
        Dns dns = Dns.createEmpty(base);
        dns.loadHosts(Files.writeString(directory.resolve("hosts"), "127.0.0.1 server.test\n"));
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.connect(dns, "server.test", port);
        client.write("hello");
        assertEquals(List.of(), recorder.events);
        exchange(client, recorder);
    }

    @Test
    void anUnresolvedNameIsAnError() throws Exception {
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.connect("a..b", 80);
        assertEquals(List.of(), recorder.events, "not before connect() has returned");
        Turns.until(base, () -> recorder.heard("error"));
        assertInstanceOf(UnknownHostException.class, recorder.failure);
        assertTrue(recorder.failure.getMessage().startsWith("a..b:80"), recorder.failure.getMessage());
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    void aRefusedConnectionIsAnErrorThatNamesTheAddress() throws Exception {
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        client.connect(new InetSocketAddress("127.0.0.1", closedPort()));
        client.write("hello");
        Turns.until(base, () -> recorder.heard("error"));
        assertEquals(List.of("error"), recorder.events);
        LibeventException failure = assertInstanceOf(LibeventException.class, recorder.failure);
        assertEquals(111, failure.errno(), "ECONNREFUSED");
        assertTrue(failure.getMessage().startsWith("connect to /127.0.0.1:"), failure.getMessage());
    }

    @Test
    void aLocalSocketWithoutAListenerRefusesAtOnceOrLater(@TempDir Path directory) throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        LibeventException none = assertThrows(LibeventException.class, () -> client.connect(address));
        assertEquals(2, none.errno(), "ENOENT");
        ConnectionListener.bind(base, address, BufferEventTest::echo).close();
        client.connect(address); // again
        assertEquals(List.of(), recorder.events);
        Turns.until(base, () -> recorder.heard("error"));
        assertEquals(111, ((LibeventException) recorder.failure).errno(), "ECONNREFUSED");
        assertEquals(List.of("error"), recorder.events);
    }

    @Test
    void connectsOnceOnly() throws Exception {
        SocketAddress server = echoServer();
        BufferEvent client = BufferEvent.create(base);
        client.connect(server);
        assertThrows(IllegalStateException.class, () -> client.connect(server));
        assertThrows(IllegalStateException.class, () -> client.connect("localhost", 80));
        BufferEvent half = BufferEvent.pair(base).get(0);
        assertThrows(IllegalStateException.class, () -> half.connect(server));
    }

    @Test
    void refusesAddressesThatAreNone() throws Exception {
        BufferEvent client = BufferEvent.create(base);
        assertThrows(IllegalArgumentException.class, () -> client.connect(InetSocketAddress.createUnresolved("x", 1)));
        assertThrows(IllegalArgumentException.class, () -> client.connect(UnixDomainSocketAddress.of("")));
        assertThrows(IllegalArgumentException.class, () -> client.connect(new SocketAddress() { }));
        assertThrows(IllegalArgumentException.class, () -> client.connect("localhost", 0));
        assertThrows(IllegalArgumentException.class, () -> client.connect("localhost", 65536));
        assertThrows(IllegalArgumentException.class, () -> client.connect("", 80));
        assertThrows(IllegalArgumentException.class, () -> client.connect("good\0.evil", 80));
        assertThrows(LibeventException.class, () -> client.connect(UnixDomainSocketAddress.of("x".repeat(200))));
        try (EventBase other = EventBase.create(); Dns foreign = Dns.createEmpty(other)) {
            assertThrows(IllegalArgumentException.class, () -> client.connect(foreign, "localhost", 80));
        }
        client.connect(echoServer());
    }

    @Test
    void closingEndsALookup() throws Exception {
        try (ServerSocketChannel silent = ServerSocketChannel.open()) { // a port on which no datagram is answered
            silent.bind(ANY_PORT);
            Dns dns = Dns.createEmpty(base);
            dns.addNameserver((InetSocketAddress) silent.getLocalAddress());
            Recorder recorder = new Recorder();
            BufferEvent client = heard(BufferEvent.create(base), recorder);
            client.connect(dns, "name.test", 80);
            client.close();
            base.loop(EventBase.LoopFlag.NONBLOCK);
            assertEquals(List.of(), recorder.events);
        }
    }

    // ---- descriptors

    @Test
    void takesADescriptorAndClosesIt() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(ANY_PORT);
             SocketChannel client = SocketChannel.open(server.getLocalAddress());
             SocketChannel accepted = server.accept()) {
            long descriptor = Descriptors.duplicate(accepted);
            accepted.close();
            BufferEvent event = BufferEvent.create(base, descriptor);
            assertEquals(descriptor, event.descriptor());
            event.write(new byte[20_000_000]); // more than fits, and the socket was blocking
            base.loop(EventBase.LoopFlag.NONBLOCK);
            assertTrue(event.output().length() > 0);
            event.close();
            base.loop(EventBase.LoopFlag.NONBLOCK);
            ByteBuffer read = ByteBuffer.allocate(1_000_000);
            while (client.read(read.clear()) >= 0) {
                assertTrue(read.position() > 0);
            }
        }
    }

    @Test
    void refusesDescriptorsThatItCannotWaitFor(@TempDir Path directory) throws Exception {
        assertEquals(9, assertThrows(LibeventException.class, () -> BufferEvent.create(base, 999_999)).errno(), "EBADF");
        assertThrows(IllegalArgumentException.class, () -> BufferEvent.create(base, -2));
        assertThrows(IllegalArgumentException.class, () -> BufferEvent.create(base, 1L << 32));
        try (FileChannel file = FileChannel.open(Files.createFile(directory.resolve("file")))) {
            long descriptor = Descriptors.of(file);
            assertEquals(1, assertThrows(LibeventException.class, () -> BufferEvent.create(base, descriptor)).errno(), "EPERM");
        }
    }

    @Test
    void readsAPipe() throws Exception {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source(); Pipe.SinkChannel sink = pipe.sink()) {
            Recorder recorder = new Recorder();
            heard(BufferEvent.create(base, Descriptors.duplicate(source)), recorder);
            sink.write(ByteBuffer.wrap("through".getBytes(UTF_8)));
            sink.close();
            Turns.until(base, () -> recorder.heard("eof"));
            assertEquals("through", recorder.read.toString());
        }
    }

    @Test
    void attachesASocketLater() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(ANY_PORT);
             Socket client = new Socket()) {
            client.connect(server.getLocalAddress());
            Recorder recorder = new Recorder();
            BufferEvent event = heard(BufferEvent.create(base), recorder);
            event.write("before");
            assertEquals(9, assertThrows(LibeventException.class, () -> event.attach(999_999)).errno(), "EBADF");
            assertThrows(IllegalArgumentException.class, () -> event.attach(-1));
            try (SocketChannel accepted = server.accept()) {
                event.attach(Descriptors.duplicate(accepted));
            }
            assertThrows(IllegalStateException.class, () -> event.attach(0));
            assertThrows(IllegalStateException.class, () -> event.connect("localhost", 80));
            client.getOutputStream().write("hello".getBytes(UTF_8));
            Turns.until(base, () -> recorder.heard("read") && recorder.heard("written"));
            assertEquals("hello", recorder.read.toString());
            event.close();
            base.loop(EventBase.LoopFlag.NONBLOCK);
            assertEquals("before", new String(client.getInputStream().readAllBytes(), UTF_8));
        }
    }

    @Test
    void detachesItsSocketAndCanBeUsedAgain() throws Exception {
        base.close();
        base = EventBase.newBuilder().priorities(3).build();
        try (Wire wire = new Wire()) {
            wire.event.priority(2);
            wire.event.disable(Direction.WRITE);
            wire.event.write("left over");
            wire.send("first");
            wire.until("read");
            long descriptor = wire.event.detach();
            assertEquals(-1, wire.event.descriptor());
            assertEquals(2, wire.event.priority());
            assertThrows(IllegalStateException.class, wire.event::detach);
            assertThrows(IllegalStateException.class, wire.event::shutdownOutput);
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());

            Recorder recorder = new Recorder();
            BufferEvent next = heard(BufferEvent.create(base, descriptor), recorder);
            wire.send("second");
            Turns.until(base, () -> recorder.read.toString().equals("second"));
            next.write("from the next");
            next.shutdownOutput();
            Turns.until(base, () -> next.output().length() == 0);
            assertEquals("from the next", new String(wire.peer.getInputStream().readAllBytes(), UTF_8));

            wire.event.enable(Direction.WRITE);
            wire.event.connect(echoServer());
            Turns.until(base, () -> wire.recorder.read.toString().equals("firstleft over"));
        }
    }

    @Test
    void detachesInsideItsCallbacks() throws Exception {
        SocketAddress server = echoServer();
        for (String when : List.of("connected", "written", "read")) {
            List<Long> descriptors = new ArrayList<>();
            BufferEvent client = BufferEvent.create(base);
            Recorder detaching = new Recorder() {
                @Override
                void note(String event) {
                    super.note(event);
                    if (event.equals("connected")) {
                        assertThrows(IllegalStateException.class, client::detach, "it is about to write to it");
                    }
                    if (event.equals(when)) {
                        if (event.equals("connected")) {
                            base.execute(() -> descriptors.add(client.detach()));
                        } else {
                            descriptors.add(client.detach());
                        }
                    }
                }
            };
            heard(client, detaching);
            client.write("?");
            client.connect(server);
            Turns.until(base, () -> !descriptors.isEmpty());
            client.close();
            base.loop(EventBase.LoopFlag.NONBLOCK);
            Recorder recorder = new Recorder();
            BufferEvent next = heard(BufferEvent.create(base, descriptors.get(0)), recorder);
            next.write("!");
            Turns.until(base, () -> recorder.read.toString().endsWith("!"));
            next.close();
        }
        BufferEvent silent = BufferEvent.create(base);
        List<Long> descriptors = new ArrayList<>();
        silent.listener(new BufferEvent.Listener() {
            @Override
            public void onConnected(BufferEvent event) {
                descriptors.add(event.detach());
            }
        });
        silent.connect(server);
        Turns.until(base, () -> !descriptors.isEmpty());
        silent.attach(descriptors.get(0));
    }

    @Test
    void onlyASocketOfItsOwnCanBeDetached() throws Exception {
        List<BufferEvent> pair = BufferEvent.pair(base);
        assertThrows(IllegalStateException.class, pair.get(0)::detach);
        assertThrows(IllegalStateException.class, () -> pair.get(0).attach(0));
        assertThrows(IllegalStateException.class, BufferEvent.create(base)::detach);
        try (Wire wire = new Wire()) {
            BufferEvent.filter(wire.event, BufferEvent.Filter.NONE, BufferEvent.Filter.NONE);
            assertThrows(IllegalStateException.class, wire.event::detach);
        }
    }

    // ---- reading and writing

    @Test
    void readsItsInputAsItWritesItsOutput() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.listener(new BufferEvent.Listener() {
            });
            wire.send("0123456789");
            Turns.until(base, () -> wire.event.input().length() == 10);
            ByteBuffer four = ByteBuffer.allocate(4);
            assertEquals(4, wire.event.read(four));
            assertEquals("0123", new String(four.array(), UTF_8));
            try (Buffer rest = Buffer.create(base).add("-")) {
                wire.event.read(rest);
                assertEquals("-456789", new String(rest.removeAll(), UTF_8));
            }
            assertEquals(0, wire.event.read(four.clear()));
        }
    }

    @Test
    void readsAndWritesWhatThePeerWritesAndReads() throws Exception {
        try (Wire wire = new Wire()) {
            wire.send("ping");
            wire.until("read");
            assertEquals("ping", wire.recorder.read.toString());
            wire.event.write((byte) 'p', (byte) 'o');
            wire.event.write(ByteBuffer.wrap("n".getBytes(UTF_8)));
            try (Buffer rest = Buffer.create(base).add("g")) {
                wire.event.write(rest);
                assertEquals(0, rest.length());
            }
            assertEquals(4, wire.event.output().length());
            wire.until("written");
            assertEquals("pong", new String(wire.peer.getInputStream().readNBytes(4), UTF_8));
        }
    }

    @Test
    void carriesMuchBothWays() throws Exception {
        byte[] bytes = random(10_000_000);
        BufferEvent client = BufferEvent.create(base);
        client.enable(Direction.READ);
        client.connect(echoServer());
        client.write(bytes);
        Turns.until(base, () -> client.input().length() == bytes.length);
        assertArrayEquals(bytes, client.input().removeAll());
    }

    @Test
    void readsOnlyWhileReadingIsEnabled() throws Exception {
        try (Wire wire = new Wire()) {
            assertEquals(EnumSet.allOf(Direction.class), wire.event.enabled());
            wire.event.disable(Direction.READ);
            assertEquals(Set.of(Direction.WRITE), wire.event.enabled());
            wire.send("x");
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(0, wire.event.input().length());
            wire.event.enable(Direction.READ);
            wire.until("read");
            wire.event.disable();
            wire.event.enable();
            assertEquals(EnumSet.allOf(Direction.class), wire.event.enabled());
        }
    }

    @Test
    void writesOnlyWhileWritingIsEnabled() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.disable(Direction.READ, Direction.WRITE);
            wire.event.write("late");
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(4, wire.event.output().length());
            wire.event.enable(Direction.WRITE);
            wire.until("written");
            assertEquals("late", new String(wire.peer.getInputStream().readNBytes(4), UTF_8));
        }
    }

    @Test
    void hearsTheEnd() throws Exception {
        try (Wire wire = new Wire()) {
            wire.send("last");
            wire.peer.shutdownOutput();
            wire.until("eof");
            assertEquals(List.of("read", "eof"), wire.recorder.events);
            assertEquals(Set.of(Direction.WRITE), wire.event.enabled());
            wire.event.write("answer");
            wire.until("written");
            assertEquals("answer", new String(wire.peer.getInputStream().readNBytes(6), UTF_8));
        }
    }

    @Test
    void hearsOfAReset() throws Exception {
        try (Wire wire = new Wire()) {
            wire.peer.setSoLinger(true, 0);
            wire.peer.close();
            wire.until("error");
            assertEquals(List.of("error"), wire.recorder.events);
            assertEquals(104, ((LibeventException) wire.recorder.failure).errno(), "ECONNRESET");
            assertTrue(wire.recorder.failure.getMessage().startsWith("read from"), wire.recorder.failure.getMessage());
        }
    }

    @Test
    void hearsThatNobodyReadsAnyMore() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.disable(Direction.READ);
            wire.peer.setSoLinger(true, 0);
            wire.peer.close();
            wire.event.write("x");
            wire.until("error");
            assertTrue(wire.recorder.failure.getMessage().startsWith("write to"), wire.recorder.failure.getMessage());
            assertFalse(wire.event.enabled().contains(Direction.WRITE));
        }
    }

    @Test
    void shutsItsOutputDownWhenAllIsSent() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.write("all of it");
            wire.event.shutdownOutput();
            wire.event.shutdownOutput();
            wire.until("written");
            assertEquals("all of it", new String(wire.peer.getInputStream().readAllBytes(), UTF_8));
            wire.send("still heard");
            wire.until("read");
        }
        try (Wire wire = new Wire()) {
            wire.event.shutdownOutput();
            assertEquals(-1, wire.peer.getInputStream().read());
        }
    }

    @Test
    void shutsItsOutputDownAfterConnecting() throws Exception {
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base), recorder);
        assertThrows(IllegalStateException.class, client::shutdownOutput);
        client.connect(echoServer());
        client.shutdownOutput();
        Turns.until(base, () -> recorder.heard("eof"));
        assertEquals("connected", recorder.events.get(0));
        assertThrows(IllegalStateException.class, () -> BufferEvent.pair(base).get(0).shutdownOutput());
    }

    @Test
    void aNewListenerTakesTheOldOnesPlace() throws Exception {
        try (Wire wire = new Wire()) {
            Recorder second = new Recorder();
            wire.event.listener(second);
            wire.send("x");
            Turns.until(base, () -> second.heard("read"));
            assertEquals(List.of(), wire.recorder.events);
            assertThrows(NullPointerException.class, () -> wire.event.listener(null));
        }
    }

    @Test
    void itsBuffersCannotBeMisused() throws Exception {
        try (Wire wire = new Wire()) {
            Buffer input = wire.event.input();
            Buffer output = wire.event.output();
            input.close();
            output.close();
            assertTrue(input.isOpen() && output.isOpen());
            Channels.newInputStream(input).close();
            assertThrows(IllegalStateException.class, () -> input.add("x"));
            assertThrows(IllegalStateException.class, () -> output.drain(1));
            assertThrows(IllegalStateException.class, () -> output.prepend((byte) 1));
            assertThrows(IllegalStateException.class, output::copyOut);
            for (Buffer.End end : Buffer.End.values()) {
                assertThrows(IllegalStateException.class, () -> input.freeze(end));
                assertThrows(IllegalStateException.class, () -> output.unfreeze(end));
            }
            input.prepend((byte) 'x'); // as if it had not been read
            assertEquals(1, input.length());
            wire.event.close();
            assertThrows(IllegalStateException.class, input::length);
            assertThrows(IllegalStateException.class, () -> wire.event.write("x"));
        }
    }

    @Test
    void tellsOfChangesOfItsBuffers() throws Exception {
        try (Wire wire = new Wire()) {
            List<String> changes = new ArrayList<>();
            wire.event.input().onChange((before, added, deleted) -> changes.add("in " + before + "+" + added + "-" + deleted));
            wire.event.output().onChange((before, added, deleted) -> changes.add("out " + before + "+" + added + "-" + deleted));
            wire.send("abc");
            wire.event.write("de");
            Turns.until(base, () -> changes.size() == 4);
            assertTrue(changes.containsAll(List.of("in 0+3-0", "in 3+0-3", "out 0+2-0", "out 2+0-2")), changes.toString());
        }
    }

    // ---- watermarks, timeouts, priorities

    @Test
    void hearsOfInputFromTheLowWatermarkOn() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.watermark(Direction.READ, 5, 0);
            wire.send("1234");
            Turns.until(base, () -> wire.event.input().length() == 4);
            assertEquals(List.of(), wire.recorder.events);
            wire.send("5");
            wire.until("read");
            assertEquals("12345", wire.recorder.read.toString());
        }
    }

    @Test
    void readsNoMoreThanTheHighWatermark() throws Exception {
        try (Wire wire = new Wire()) {
            List<Long> lengths = new ArrayList<>();
            wire.event.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent event) {
                    lengths.add(event.input().length());
                    event.input().drain(3); // which is called again for the rest
                }
            });
            wire.event.watermark(Direction.READ, 0, 10);
            wire.send("x".repeat(100));
            wire.peer.shutdownOutput();
            Turns.until(base, () -> !wire.event.enabled().contains(Direction.READ));
            assertEquals(10, Collections.max(lengths));
        }
    }

    @Test
    void hearsThatItsOutputIsDownToTheLowWatermark() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.watermark(Direction.WRITE, 1000, 0);
            wire.event.write(new byte[20_000_000]);
            while (!wire.recorder.heard("written")) {
                assertTrue(wire.event.output().length() > 1000);
                base.loop(EventBase.LoopFlag.NONBLOCK);
                wire.peer.getInputStream().skipNBytes(wire.peer.getInputStream().available());
            }
            assertTrue(wire.event.output().length() <= 1000);
        }
    }

    @Test
    void refusesWatermarksThatMakeNoSense() throws Exception {
        try (Wire wire = new Wire()) {
            assertThrows(IllegalArgumentException.class, () -> wire.event.watermark(Direction.READ, -1, 0));
            assertThrows(IllegalArgumentException.class, () -> wire.event.watermark(Direction.READ, 0, -1));
            assertThrows(IllegalArgumentException.class, () -> wire.event.watermark(Direction.WRITE, 2, 1));
        }
    }

    @Test
    void hearsThatNothingCame() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.timeouts(SOON, Duration.ZERO);
            wire.until("timeout READ");
            assertEquals(List.of("timeout READ"), wire.recorder.events);
            assertEquals(Set.of(Direction.WRITE), wire.event.enabled());
            wire.event.timeouts(Duration.ZERO, Duration.ZERO);
            wire.event.enable(Direction.READ);
            wire.send("x");
            wire.until("read");
            assertThrows(IllegalArgumentException.class, () -> wire.event.timeouts(Duration.ofSeconds(-1), SOON));
        }
    }

    @Test
    void hearsThatNothingLeaves() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.timeouts(Duration.ZERO, SOON);
            wire.event.write(new byte[20_000_000]);
            wire.until("timeout WRITE");
            assertEquals(Set.of(Direction.READ), wire.event.enabled());
        }
    }

    @Test
    void pairsHaveTimeoutsToo() throws Exception {
        List<BufferEvent> pair = BufferEvent.pair(base);
        Recorder recorder = new Recorder();
        heard(pair.get(0), recorder).write("nobody reads");
        pair.get(0).timeouts(SOON, SOON);
        Turns.until(base, () -> recorder.heard("timeout READ") && recorder.heard("timeout WRITE"));
    }

    @Test
    void theMostUrgentIsCalledFirst() throws Exception {
        base.close();
        base = EventBase.newBuilder().priorities(3).build();
        try (Wire least = new Wire(); Wire most = new Wire()) {
            least.event.priority(2);
            most.event.priority(0);
            least.send("x");
            most.send("x");
            while (!least.recorder.heard("read")) {
                base.loop(EventBase.LoopFlag.ONCE);
                assertTrue(most.recorder.heard("read") || !least.recorder.heard("read"));
            }
            assertThrows(IllegalArgumentException.class, () -> most.event.priority(3));
            assertThrows(IllegalArgumentException.class, () -> most.event.priority(-1));
            assertThrows(IllegalStateException.class, () -> BufferEvent.pair(base).get(0).priority(0));
        }
    }

    @Test
    void tellsItsSettings() throws Exception {
        base.close();
        base = EventBase.newBuilder().priorities(5).build();
        try (Wire wire = new Wire()) {
            BufferEvent event = wire.event;
            assertSame(base, event.base());
            assertEquals(2, event.priority());
            event.priority(4);
            assertEquals(4, event.priority());
            assertEquals(new BufferEvent.Watermark(0, 0), event.watermark(Direction.READ));
            event.watermark(Direction.READ, 3, 10);
            event.watermark(Direction.WRITE, 5, 0);
            assertEquals(new BufferEvent.Watermark(3, 10), event.watermark(Direction.READ));
            assertEquals(new BufferEvent.Watermark(5, 0), event.watermark(Direction.WRITE));
            assertEquals(16384, event.maxSingle(Direction.READ));
            event.maxSingle(Direction.READ, 1000);
            event.maxSingle(Direction.WRITE, 2000);
            assertEquals(1000, event.maxSingle(Direction.READ));
            assertEquals(2000, event.maxSingle(Direction.WRITE));
            assertEquals(1000, event.maxToMove(Direction.READ));
            assertEquals(2000, event.maxToMove(Direction.WRITE));
            assertEquals(Optional.empty(), event.rateLimit());
            RateLimit limit = new RateLimit(10, 100, 20, 200, Duration.ofHours(1));
            event.rateLimit(limit);
            assertEquals(Optional.of(limit), event.rateLimit());
            assertTrue(event.maxToMove(Direction.READ) <= 100);
            assertTrue(event.maxToMove(Direction.WRITE) <= 200);
            event.rateLimit(null);
            assertEquals(Optional.empty(), event.rateLimit());
            assertEquals(1000, event.maxToMove(Direction.READ));
        }
        List<BufferEvent> pair = BufferEvent.pair(base);
        assertEquals(Optional.of(pair.get(1)), pair.get(0).partner());
        assertEquals(Optional.of(pair.get(0)), pair.get(1).partner());
        pair.get(0).close();
        assertEquals(Optional.empty(), pair.get(1).partner());
        assertEquals(Optional.empty(), BufferEvent.create(base).partner());
    }

    // ---- options

    @Test
    void deferredCallbacksRunFromTheLoopOnly() throws Exception {
        for (Option[] options : new Option[][] {{Option.DEFER_CALLBACKS}, {Option.DEFER_CALLBACKS, Option.UNLOCK_CALLBACKS}}) {
            Recorder recorder = new Recorder();
            List<BufferEvent> pair = BufferEvent.pair(base);
            BufferEvent filter = heard(BufferEvent.filter(pair.get(0), BufferEvent.Filter.NONE, BufferEvent.Filter.NONE, options), recorder);
            filter.write("x");
            assertEquals(List.of(), recorder.events);
            Turns.until(base, () -> recorder.heard("written"));
        }
        Recorder recorder = new Recorder();
        BufferEvent filter = heard(BufferEvent.filter(BufferEvent.pair(base).get(0), BufferEvent.Filter.NONE, BufferEvent.Filter.NONE),
            recorder);
        filter.write("x");
        assertEquals(List.of("written"), recorder.events, "inside the call that writes");
        assertThrows(IllegalArgumentException.class, () -> BufferEvent.create(base, Option.UNLOCK_CALLBACKS));
    }

    @Test
    void deferredEventsAllArrive() throws Exception {
        try (Wire wire = new Wire(Option.DEFER_CALLBACKS, Option.UNLOCK_CALLBACKS)) {
            wire.send("x");
            wire.peer.shutdownOutput();
            wire.event.write("y");
            wire.until("eof");
            assertEquals(Set.of("read", "written", "eof"), Set.copyOf(wire.recorder.events));
        }
        Recorder recorder = new Recorder();
        BufferEvent client = heard(BufferEvent.create(base, Option.DEFER_CALLBACKS), recorder);
        client.connect(new InetSocketAddress("127.0.0.1", closedPort()));
        Turns.until(base, () -> recorder.heard("error"));
        assertEquals(111, ((LibeventException) recorder.failure).errno());
    }

    @Test
    void triggersWhatTheListenerWouldHear() throws Exception {
        try (Wire wire = new Wire()) {
            wire.event.watermark(Direction.READ, 100, 0);
            wire.event.trigger(Direction.READ, Direction.WRITE);
            assertEquals(List.of(), wire.recorder.events);
            base.loop(EventBase.LoopFlag.NONBLOCK);
            assertEquals(List.of("read", "written"), wire.recorder.events);
        }
    }

    @Test
    void movesAtMostSoMuchAtATime() throws Exception {
        try (Wire wire = new Wire()) {
            List<Long> added = new ArrayList<>();
            wire.event.input().onChange((before, more, deleted) -> {
                if (more > 0) {
                    added.add(more);
                }
            });
            wire.event.maxSingle(Direction.READ, 7);
            wire.event.maxSingle(Direction.WRITE, 3);
            wire.send("x".repeat(30));
            Turns.until(base, () -> wire.recorder.read.length() == 30);
            assertTrue(added.stream().allMatch(more -> more <= 7), added.toString());
            wire.event.write("y".repeat(10));
            Turns.until(base, () -> wire.event.output().length() == 0);
            assertEquals("y".repeat(10), new String(wire.peer.getInputStream().readNBytes(10), UTF_8));
            assertThrows(IllegalArgumentException.class, () -> wire.event.maxSingle(Direction.READ, -1));
        }
    }

    // ---- pairs

    @Test
    void aPairReadsWhatTheOtherWrites() throws Exception {
        List<BufferEvent> pair = BufferEvent.pair(base);
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        heard(pair.get(0), first);
        pair.get(1).listener(second);
        pair.get(0).write("to second");
        assertEquals(0, pair.get(1).input().length(), "it does not read");
        pair.get(1).enable(Direction.READ);
        pair.get(1).write("to first");
        assertEquals(8, pair.get(0).input().length(), "without a turn of the loop");
        Turns.until(base, () -> second.heard("read") && first.heard("read"));
        assertEquals("to second", second.read.toString());
        assertEquals("to first", first.read.toString());
        assertEquals(-1, pair.get(0).descriptor());

        pair.get(0).write("end");
        pair.get(0).flush(FlushMode.FINISHED, Direction.WRITE);
        Turns.until(base, () -> second.heard("eof"));
        assertEquals("to secondend", second.read.toString());
        pair.get(0).close();
        pair.get(1).write("to nobody");
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(9, pair.get(1).output().length());
    }

    @Test
    void aPairKeepsItsWatermarks() throws Exception {
        List<BufferEvent> pair = BufferEvent.pair(base);
        pair.get(1).enable(Direction.READ);
        pair.get(1).watermark(Direction.READ, 0, 4);
        pair.get(0).write("0123456789");
        assertEquals(4, pair.get(1).input().length());
        assertEquals(6, pair.get(0).output().length());
        pair.get(0).flush(FlushMode.FLUSH, Direction.WRITE);
        assertEquals(10, pair.get(1).input().length());
    }

    @Test
    void aPairsListenersCannotTouchTheWrongEnds() throws Exception {
        List<BufferEvent> pair = BufferEvent.pair(base);
        pair.get(1).enable(Direction.READ);
        pair.get(1).watermark(Direction.READ, 0, 4);
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        pair.get(1).input().onChange((before, added, deleted) -> {
            assertThrows(IllegalStateException.class, () -> pair.get(0).output().drain(100));
            if (added > 0 && pair.get(0).output().length() < 100) {
                pair.get(0).write("more");
            }
        });
        pair.get(0).write("0123456789");
        assertEquals(List.of(), thrown);
    }

    // ---- closing

    @ParameterizedTest
    @ValueSource(strings = {"read", "written", "connected", "eof", "timeout READ", "error"})
    void maybeClosedInEachCallback(String callback) throws Exception {
        for (boolean closeBase : new boolean[] {false, true}) {
            Recorder recorder = new Recorder();
            BufferEvent client = BufferEvent.create(base);
            heard(client, new Recorder() {
                @Override
                void note(String event) {
                    recorder.note(event);
                    if (event.equals(callback)) {
                        if (closeBase) {
                            base.close();
                        } else {
                            client.close();
                        }
                        client.close();
                    }
                }
            });
            client.connect(callback.equals("error") ? new InetSocketAddress("127.0.0.1", closedPort()) : echoServer());
            client.write("hello");
            if (callback.equals("timeout READ")) {
                Turns.until(base, () -> recorder.heard("read"));
                client.timeouts(SOON, Duration.ZERO);
            } else if (callback.equals("eof")) {
                client.shutdownOutput();
            }
            if (closeBase) {
                while (base.isOpen()) {
                    base.loop(EventBase.LoopFlag.ONCE);
                }
            } else {
                Turns.until(base, () -> recorder.heard(callback));
                base.loop(EventBase.LoopFlag.NONBLOCK);
            }
            assertEquals(callback, recorder.events.get(recorder.events.size() - 1), "nothing follows");
            assertFalse(client.isOpen());
        }
    }

    @Test
    void whatACallbackThrowsGoesToTheBasesHandler() throws Exception {
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        try (Wire wire = new Wire()) {
            IOException failure = new IOException("on purpose");
            wire.event.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent event) throws IOException {
                    throw failure;
                }
            });
            wire.send("x");
            Turns.until(base, () -> !thrown.isEmpty());
            assertEquals(List.of(failure), thrown);
            assertEquals(1, wire.event.input().length());
        }
    }

    @Test
    void isUsedNoMoreWhenClosed() throws Exception {
        BufferEvent event = BufferEvent.create(base);
        event.close();
        event.close();
        assertThrows(IllegalStateException.class, () -> event.enable(Direction.READ));
        assertThrows(IllegalStateException.class, event::enabled);
        assertThrows(IllegalStateException.class, () -> event.connect("localhost", 1));
        assertThrows(IllegalStateException.class, () -> event.listener(new Recorder()));
        assertThrows(IllegalStateException.class, () -> event.rateLimit(null));
        assertThrows(IllegalStateException.class, () -> BufferEvent.filter(event, BufferEvent.Filter.NONE, BufferEvent.Filter.NONE));
        base.close();
        assertThrows(IllegalStateException.class, () -> BufferEvent.create(base));
        assertThrows(IllegalStateException.class, () -> BufferEvent.pair(base));
    }

    @Test
    void manyConnectionsKeepTheirBytesApart() throws Exception {
        SocketAddress server = echoServer();
        List<BufferEvent> clients = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            BufferEvent client = BufferEvent.create(base);
            client.enable(Direction.READ);
            client.connect(server);
            client.write(random(1000 * (1 + i)));
            clients.add(client);
        }
        for (int i = 0; i < 200; i++) {
            BufferEvent client = clients.get(i);
            int size = 1000 * (1 + i);
            Turns.until(base, () -> client.input().length() == size);
            assertArrayEquals(random(size), client.input().removeAll());
        }
    }

    /** Libevent would lose what is due with the old priority. */
    @Test
    void thePriorityDoesNotChangeWhileADeferredCallbackIsDue() throws Exception {
        base.close();
        base = EventBase.newBuilder().priorities(3).build();
        try (Wire wire = new Wire(BufferEvent.Option.DEFER_CALLBACKS)) {
            wire.event.trigger(Direction.READ);
            assertThrows(IllegalStateException.class, () -> wire.event.priority(2));
            wire.until("read");
            wire.event.priority(2);
            wire.event.trigger(Direction.WRITE);
            wire.until("written");
        }
    }

    @Test
    void aCallbackThatIsDueAtTheEndOfABaseLeavesNothing() throws Exception {
        try (EventBase urgent = EventBase.newBuilder().priorities(3).build()) {
            BufferEvent event = BufferEvent.create(urgent, BufferEvent.Option.DEFER_CALLBACKS);
            event.priority(2);
            event.trigger(Direction.READ);
            urgent.stopAfter(Duration.ZERO); // comes first, and ends the last turn
        }
    }
}
