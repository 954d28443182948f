package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionListenerTest extends LibeventTest {

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

    private static int port(ConnectionListener listener) {
        return ((InetSocketAddress) listener.address()).getPort();
    }

    /** Greets each connection with its peer's address, and closes it. */
    private static void greet(ConnectionListener.Accepted connection) {
        BufferEvent event = connection.toBufferEvent();
        event.listener(new BufferEvent.Listener() {
            @Override
            public void onWritten(BufferEvent written) {
                written.close();
            }
        });
        event.write(connection.peer().toString());
    }

    /** Connects with the JDK's client while the loop runs, and returns its own address and what it read until the end. */
    private List<String> connect(SocketAddress address) throws Exception {
        try (SocketChannel client = SocketChannel.open(address)) {
            Thread loop = new Thread(() -> base.loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY), "loop");
            loop.start();
            ByteBuffer read = ByteBuffer.allocate(1000);
            while (client.read(read) >= 0) {
                assertTrue(read.hasRemaining());
            }
            base.stop();
            loop.join();
            return List.of(client.getLocalAddress().toString(), new String(read.array(), 0, read.position(), UTF_8));
        }
    }

    @Test
    void acceptsOnIpv4AndKnowsThePeer() throws Exception {
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, ConnectionListenerTest::greet);
        assertNotEquals(0, port(listener));
        assertEquals(InetAddress.getByName("127.0.0.1"), ((InetSocketAddress) listener.address()).getAddress());
        List<String> client = connect(listener.address());
        assertEquals(client.get(0), client.get(1));
    }

    @Test
    void acceptsOnIpv6() throws Exception {
        ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress("::1", 0), ConnectionListenerTest::greet);
        List<String> client = connect(listener.address());
        assertEquals(client.get(0), client.get(1));
        assertTrue(client.get(1).startsWith("/[0:0:0:0:0:0:0:1]:"), client.get(1));
    }

    @Test
    void acceptsBothFamiliesOrIpv6Alone() throws Exception {
        ConnectionListener both = ConnectionListener.bind(base, new InetSocketAddress("::", 0), ConnectionListenerTest::greet);
        List<String> client = connect(new InetSocketAddress("127.0.0.1", port(both)));
        assertEquals(client.get(0), client.get(1));
        ConnectionListener alone = ConnectionListener.newBuilder(base, new InetSocketAddress("::", 0), ConnectionListenerTest::greet)
            .ipv6Only().bind();
        assertThrows(IOException.class, () -> connect(new InetSocketAddress("127.0.0.1", port(alone))));
        client = connect(new InetSocketAddress("::1", port(alone)));
        assertEquals(client.get(0), client.get(1));
    }

    @Test
    void knowsTheScopeOfALinkLocalPeer() throws Exception {
        InetAddress local = NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)
            .filter(InetAddress::isLinkLocalAddress).filter(address -> address.getAddress().length == 16).findFirst().orElse(null);
        assumeTrue(local != null, "no interface has a link-local address");
        ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress(local, 0), ConnectionListenerTest::greet);
        List<String> client = connect(listener.address());
        assertEquals(client.get(0), client.get(1));
    }

    @Test
    void acceptsOnALocalSocket(@TempDir Path directory) throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        List<SocketAddress> peers = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.bind(base, address, connection -> {
            peers.add(connection.peer());
        });
        assertEquals(address, listener.address());
        connect(address);
        assertEquals(List.of(UnixDomainSocketAddress.of("")), peers);
        listener.close();
        assertTrue(Files.exists(address.getPath()));
        IOException taken = assertThrows(LibeventException.class, () -> ConnectionListener.bind(base, address, connection -> { }));
        assertTrue(taken.getMessage().contains(address.toString()), taken.getMessage());
    }

    @Test
    void refusesAddressesItCannotListenOn(@TempDir Path directory) {
        ConnectionListener.Handler handler = connection -> { };
        assertThrows(IllegalArgumentException.class,
            () -> ConnectionListener.bind(base, InetSocketAddress.createUnresolved("localhost", 0), handler));
        assertThrows(IllegalArgumentException.class, () -> ConnectionListener.bind(base, UnixDomainSocketAddress.of(""), handler));
        assertThrows(IllegalArgumentException.class, () -> ConnectionListener.bind(base, new SocketAddress() { }, handler));
        assertThrows(IllegalArgumentException.class, () -> ConnectionListener.newBuilder(base, ANY_PORT, handler).backlog(0));
        assertThrows(NullPointerException.class, () -> ConnectionListener.bind(base, ANY_PORT, null));
        assertThrows(LibeventException.class,
            () -> ConnectionListener.bind(base, UnixDomainSocketAddress.of(directory.resolve("x".repeat(200))), handler));
        LibeventException foreign = assertThrows(LibeventException.class,
            () -> ConnectionListener.bind(base, new InetSocketAddress("192.0.2.1", 0), handler));
        assertTrue(foreign.getMessage().contains("192.0.2.1"), foreign.getMessage());
        assertEquals(99, foreign.errno(), "EADDRNOTAVAIL");
    }

    @Test
    void aTakenPortIsAnIOExceptionThatNamesIt() throws IOException {
        ConnectionListener first = ConnectionListener.bind(base, ANY_PORT, connection -> { });
        LibeventException taken = assertThrows(LibeventException.class,
            () -> ConnectionListener.bind(base, first.address(), connection -> { }));
        assertEquals(98, taken.errno(), "EADDRINUSE");
        assertTrue(taken.getMessage().contains("127.0.0.1:" + port(first)) && taken.getMessage().contains("98"), taken.getMessage());
    }

    @Test
    void listenersThatShareAPortAllGetConnections() throws Exception {
        Map<Integer, Integer> accepted = new HashMap<>();
        ConnectionListener first = ConnectionListener.newBuilder(base, ANY_PORT, connection -> accepted.merge(1, 1, Integer::sum))
            .reusePort().bind();
        ConnectionListener.newBuilder(base, first.address(), connection -> accepted.merge(2, 1, Integer::sum)).reusePort().bind();
        for (int i = 0; i < 100 || accepted.size() < 2; i++) {
            connect(first.address());
        }
        assertEquals(2, accepted.size());
    }

    @Test
    void acceptsOnAChannelThatListens() throws Exception {
        ConnectionListener listener;
        try (ServerSocketChannel channel = ServerSocketChannel.open()) {
            ConnectionListener.Builder early = ConnectionListener.newBuilder(base, channel, ConnectionListenerTest::greet);
            assertThrows(IllegalStateException.class, early::bind);
            channel.bind(ANY_PORT);
            assertThrows(IllegalStateException.class,
                () -> ConnectionListener.newBuilder(base, channel, ConnectionListenerTest::greet).reusePort().bind());
            listener = early.backlog(10).bind();
            assertEquals(channel.getLocalAddress(), listener.address());
        }
        List<String> client = connect(listener.address());
        assertEquals(client.get(0), client.get(1));
        listener.close();
        assertThrows(IOException.class, () -> connect(listener.address()));
    }

    @Test
    void acceptsOnADescriptorThatIsBound(@TempDir Path directory) throws Exception {
        for (SocketAddress address : List.of(ANY_PORT, new InetSocketAddress("::1", 0),
                UnixDomainSocketAddress.of(directory.resolve("socket")))) {
            long descriptor;
            SocketAddress bound;
            try (ServerSocketChannel channel = address instanceof UnixDomainSocketAddress
                     ? ServerSocketChannel.open(StandardProtocolFamily.UNIX) : ServerSocketChannel.open()) {
                bound = channel.bind(address).getLocalAddress();
                descriptor = Descriptors.duplicate(channel);
            }
            List<SocketAddress> peers = new ArrayList<>();
            ConnectionListener listener = ConnectionListener.newBuilder(base, descriptor, connection -> peers.add(connection.peer()))
                .bind();
            assertEquals(descriptor, listener.descriptor());
            assertSame(base, listener.base());
            assertEquals(address instanceof UnixDomainSocketAddress ? UnixDomainSocketAddress.of("") : bound, listener.address());
            assertEquals(connect(bound).get(0), peers.get(0).toString());
            listener.close();
            assertThrows(IOException.class, () -> connect(bound));
        }
    }

    @Test
    void refusesDescriptorsItCannotListenOn() throws Exception {
        ConnectionListener.Handler handler = connection -> { };
        assertThrows(IllegalArgumentException.class, () -> ConnectionListener.newBuilder(base, -1, handler));
        assertEquals(9, assertThrows(LibeventException.class, () -> ConnectionListener.newBuilder(base, 999_999, handler).bind())
            .errno(), "EBADF");
        try (DatagramChannel datagrams = DatagramChannel.open()) {
            long descriptor = Descriptors.of(datagrams);
            assertEquals(95, assertThrows(LibeventException.class, () -> ConnectionListener.newBuilder(base, descriptor, handler).bind())
                .errno(), "EOPNOTSUPP");
            assertEquals(0, Native.libevent4j_descriptor_check(descriptor), "it stays the caller's");
        }
    }

    @Test
    void anotherHandlerTakesOver() throws Exception {
        List<String> accepted = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, connection -> accepted.add("first"));
        connect(listener.address());
        listener.handler(connection -> accepted.add("second"));
        connect(listener.address());
        assertEquals(List.of("first", "second"), accepted);
        assertThrows(NullPointerException.class, () -> listener.handler(null));
        assertThrows(NullPointerException.class, () -> listener.onError(null));
        listener.close();
        assertThrows(IllegalStateException.class, () -> listener.handler(connection -> { }));
        assertThrows(IllegalStateException.class, () -> listener.onError(failure -> { }));
        assertThrows(IllegalStateException.class, listener::descriptor);
    }

    @Test
    void closesWhatItsHandlerDoesNotTake() throws Exception {
        List<ConnectionListener.Accepted> kept = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, kept::add);
        assertEquals("", connect(listener.address()).get(1));
        assertThrows(IllegalStateException.class, kept.get(0)::take);
        assertThrows(IllegalStateException.class, kept.get(0)::toBufferEvent);
    }

    @Test
    void givesTheSocketToWhoTakesIt() throws Exception {
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, connection -> {
            long descriptor = connection.take();
            assertThrows(IllegalStateException.class, connection::take);
            assertThrows(IllegalStateException.class, connection::toBufferEvent);
            try (Buffer buffer = Buffer.create(base).add("taken")) {
                assertEquals(5, buffer.writeTo(descriptor, 5));
            }
            Native.libevent4j_descriptor_close(descriptor);
        });
        assertEquals("taken", connect(listener.address()).get(1));
    }

    @Test
    void aFailingHandlerClosesTheConnectionAndAcceptsTheNext() throws Exception {
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        IOException failure = new IOException("on purpose");
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, connection -> {
            throw failure;
        });
        assertEquals("", connect(listener.address()).get(1));
        assertEquals("", connect(listener.address()).get(1));
        assertEquals(List.of(failure, failure), thrown);
    }

    @Test
    void anErrorAfterTheConnectionWasTakenDoesNotCloseItTwice() throws Exception {
        Error error = new AssertionError("on purpose");
        BufferEvent[] taken = new BufferEvent[1];
        ConnectionListener listener = ConnectionListener.bind(base, ANY_PORT, connection -> {
            taken[0] = connection.toBufferEvent();
            throw error;
        });
        try (Socket client = new Socket()) {
            client.connect(listener.address());
            assertSame(error, assertThrows(Error.class, base::dispatch));
            taken[0].write("still here");
            taken[0].listener(new BufferEvent.Listener() {
                @Override
                public void onWritten(BufferEvent event) {
                    base.stop();
                }
            });
            base.dispatch();
            assertEquals("still here", new String(client.getInputStream().readNBytes(10), UTF_8));
        }
    }

    @Test
    void acceptsOnlyWhileItIsEnabled() throws Exception {
        List<SocketAddress> accepted = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.newBuilder(base, ANY_PORT, connection -> {
            accepted.add(connection.peer());
            base.stop();
        }).disabled().bind();
        try (SocketChannel first = SocketChannel.open(listener.address()); SocketChannel second = SocketChannel.open()) {
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            listener.enable();
            base.dispatch();
            assertEquals(List.of(first.getLocalAddress()), accepted);
            listener.disable();
            listener.disable();
            second.connect(listener.address());
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            listener.enable();
            listener.enable();
            base.dispatch();
            assertEquals(List.of(first.getLocalAddress(), second.getLocalAddress()), accepted);
        }
    }

    @Test
    void itsHandlerMayDisableIt() throws Exception {
        List<SocketAddress> accepted = new ArrayList<>();
        ConnectionListener[] listener = new ConnectionListener[1];
        listener[0] = ConnectionListener.bind(base, ANY_PORT, connection -> {
            accepted.add(connection.peer());
            listener[0].disable();
        });
        try (SocketChannel first = SocketChannel.open(listener[0].address());
             SocketChannel second = SocketChannel.open(listener[0].address())) {
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(first.getLocalAddress()), accepted);
            listener[0].enable();
            assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of(first.getLocalAddress(), second.getLocalAddress()), accepted);
        }
    }

    @Test
    void itsHandlerMayCloseItOrItsBase() throws Exception {
        List<String> events = new ArrayList<>();
        ConnectionListener[] listener = new ConnectionListener[1];
        listener[0] = ConnectionListener.bind(base, ANY_PORT, connection -> {
            listener[0].close();
            greet(connection);
            events.add("closed listener");
        });
        List<String> client = connect(listener[0].address());
        assertEquals(client.get(0), client.get(1), "what it accepted stays");
        assertThrows(IllegalStateException.class, listener[0]::enable);
        assertThrows(IllegalStateException.class, listener[0]::disable);
        assertThrows(IOException.class, () -> connect(listener[0].address()));

        ConnectionListener last = ConnectionListener.bind(base, ANY_PORT, connection -> {
            base.close();
            events.add("closed base");
        });
        try (SocketChannel first = SocketChannel.open(last.address()); SocketChannel second = SocketChannel.open(last.address())) {
            base.dispatch();
            assertEquals(List.of("closed listener", "closed base"), events);
            assertEquals(-1, first.read(ByteBuffer.allocate(1)));
            assertThrows(IOException.class, () -> {
                if (second.read(ByteBuffer.allocate(1)) < 0) {
                    throw new IOException("closed or reset, as the kernel likes");
                }
            });
        }
    }

    @Test
    void deferredAcceptWaitsForTheFirstByte() throws Exception {
        List<String> read = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.newBuilder(base, ANY_PORT, connection -> {
            try (Buffer buffer = Buffer.create(base)) {
                buffer.readFrom(connection.take(), 100);
                read.add(new String(buffer.copyOut(), UTF_8));
            }
            base.stop();
        }).deferredAccept().backlog(5).bind();
        try (Socket client = new Socket()) {
            client.connect(listener.address());
            base.loop(EventBase.LoopFlag.NONBLOCK);
            assertEquals(List.of(), read);
            client.getOutputStream().write("hi".getBytes(UTF_8));
            base.dispatch();
            assertEquals(List.of("hi"), read);
        }
    }

    @Test
    void serves500ConnectionsFromOtherThreads() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            ConnectionListener listener = loop.call(() -> ConnectionListener.bind(loop.base(), ANY_PORT, ConnectionListenerTest::greet));
            List<SocketChannel> clients = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                clients.add(SocketChannel.open(listener.address()));
            }
            for (SocketChannel client : clients) {
                ByteBuffer read = ByteBuffer.allocate(1000);
                while (client.read(read) >= 0) {
                    assertTrue(read.hasRemaining());
                }
                assertEquals(client.getLocalAddress().toString(), new String(read.array(), 0, read.position(), UTF_8));
                client.close();
            }
        }
    }

    /** A process with few descriptors, all of which its clients take. */
    public static final class FewDescriptors {
        public static void main(String[] args) throws Exception {
            loadClasses();
            List<BufferEvent> connections = new ArrayList<>();
            try (EventBase base = EventBase.create()) {
                ConnectionListener listener = ConnectionListener.newBuilder(base, ANY_PORT, connection -> {
                    BufferEvent event = connection.toBufferEvent();
                    event.listener(new BufferEvent.Listener() {
                        @Override
                        public void onEof(BufferEvent ended) {
                            ended.close();
                        }

                        @Override
                        public void onRead(BufferEvent read) {
                            System.out.println("read");
                        }
                    });
                    event.enable(BufferEvent.Direction.READ);
                    connections.add(event);
                }).onError(failure -> System.out.println("replaced before it is heard")).bind();
                listener.onError(failure -> System.out.println(failure.getMessage()));
                System.out.println("port " + port(listener));
                base.dispatch();
            }
        }
    }

    /** All that may be needed later: to find a class in a directory takes a descriptor. */
    private static void loadClasses() throws Exception {
        Path classes = Path.of(EventBase.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(classes.resolve("io/github/libevent4j"))) {
            for (Path file : files.filter(each -> each.toString().matches(".*/(internal|io|libevent4j)/\\w+(\\$\\w+)*\\.class")).toList()) {
                Class.forName(classes.relativize(file).toString().replace(".class", "").replace('/', '.'));
            }
        }
    }

    @Test
    void pausesWhenThereAreNoDescriptorsAndRecovers() throws Exception {
        try (Programs.Running server = new Programs.Java().descriptors(120).start(FewDescriptors.class.getName())) {
            int port = Integer.parseInt(server.awaitOutput(Pattern.compile("port (\\d+)\n")).group(1));
            InetSocketAddress address = new InetSocketAddress("127.0.0.1", port);
            List<SocketChannel> clients = new ArrayList<>();
            for (int i = 0; i < 120; i++) {
                clients.add(SocketChannel.open(address));
            }
            String failure = "accept on /127.0.0.1:" + port + ": Too many open files \\(errno 24\\)\n";
            server.awaitOutput(Pattern.compile(failure + failure + failure));
            for (SocketChannel client : clients) {
                client.close();
            }
            try (Socket client = new Socket()) {
                client.connect(address);
                client.getOutputStream().write('x');
                server.awaitOutput(Pattern.compile("read\n"));
            }
        }
    }
}
