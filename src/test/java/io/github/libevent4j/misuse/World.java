package io.github.libevent4j.misuse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.internal.Descriptors;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** A base, and all that one call needs around it; gone when this is closed. */
final class World implements AutoCloseable {

    private static final String CONTENT = "0123456789\r\n";

    private final EventBase base;
    private final Deque<AutoCloseable> kept = new ArrayDeque<>();
    private final Queue<Exception> exceptions = new ConcurrentLinkedQueue<>();
    private ServerSocket server;
    private InetSocketAddress service;
    private World other;
    private HttpExchange exchange;

    World() throws IOException {
        this(EventBase.create());
    }

    /** Takes the base over. */
    World(EventBase base) {
        this.base = base;
        base.onException(exceptions::add);
        keep(base);
    }

    EventBase base() {
        return base;
    }

    /** A world on another base. */
    World other() throws IOException {
        if (other == null) {
            other = keep(new World());
        }
        return other;
    }

    /** Closes it in the end, before what was kept before. */
    <T extends AutoCloseable> T keep(T one) {
        kept.push(one);
        return one;
    }

    /** What callbacks threw. */
    Queue<Exception> exceptions() {
        return exceptions;
    }

    /** Runs the loop until the condition holds, or fails after a while. It is stopped often, for a callback may come all the time. */
    void until(Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        Timer often = Timer.periodic(base, base::stop);
        often.start(Duration.ofMillis(1));
        while (!condition.call()) {
            base.loop(EventBase.LoopFlag.ONCE);
            if (System.nanoTime() > end) {
                throw new AssertionError("nothing happened; in the loop: " + exceptions);
            }
        }
        often.close();
    }

    // ---- what calls are given

    /** The exchange that a handler has now. */
    HttpExchange exchange() {
        return exchange;
    }

    void exchange(HttpExchange current) {
        exchange = current;
    }

    /** A file of a few bytes. */
    Path file() throws IOException {
        Path file = Files.createTempFile("misuse", ".txt");
        keep(() -> Files.deleteIfExists(file));
        return Files.writeString(file, CONTENT);
    }

    Path directory() throws IOException {
        Path directory = Files.createTempDirectory("misuse");
        keep(() -> Files.deleteIfExists(directory));
        return directory;
    }

    /** Where nothing is yet. */
    Path nothing() throws IOException {
        Path directory = directory();
        Path path = directory.resolve("nothing");
        keep(() -> Files.deleteIfExists(path));
        return path;
    }

    FileChannel openFile() throws IOException {
        return keep(FileChannel.open(file()));
    }

    ByteBuffer direct() {
        return ByteBuffer.allocateDirect(CONTENT.length()).put(CONTENT.getBytes(StandardCharsets.US_ASCII)).flip();
    }

    /** A port on the loopback where somebody listens, and says nothing. */
    int port() throws IOException {
        if (server == null) {
            server = keep(new ServerSocket());
            server.bind(new InetSocketAddress("127.0.0.1", 0));
        }
        return server.getLocalPort();
    }

    InetSocketAddress address() throws IOException {
        return new InetSocketAddress("127.0.0.1", port());
    }

    /** A connected channel that does not block and has something to be read. */
    SocketChannel channel() throws IOException {
        SocketChannel channel = keep(SocketChannel.open(address()));
        Socket peer = keep(server.accept());
        peer.getOutputStream().write(CONTENT.getBytes(StandardCharsets.US_ASCII));
        channel.configureBlocking(false);
        return channel;
    }

    ServerSocketChannel listening() throws IOException {
        return keep(ServerSocketChannel.open()).bind(new InetSocketAddress("127.0.0.1", 0));
    }

    /** The descriptor of such a channel, which keeps it. */
    long descriptor() throws IOException {
        return Descriptors.of(channel());
    }

    /** A descriptor of its own, for who takes it. */
    long freeDescriptor() throws IOException {
        return Descriptors.duplicate(channel());
    }

    /** Sends a request, and leaves its response be. */
    void request(InetSocketAddress address, String target) throws IOException {
        keep(new Socket(address.getAddress(), address.getPort())).getOutputStream()
            .write(("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    /** A server with a thread of its own, which answers everything. */
    InetSocketAddress service() throws IOException {
        if (service == null) {
            HttpService started = HttpService.newBuilder().bind("127.0.0.1", 0).handler(exchange -> exchange.reply(200, CONTENT)).start();
            keep(() -> stop(started));
            service = started.addresses().get(0);
        }
        return service;
    }

    static void stop(HttpService service) throws Exception {
        service.stop(Duration.ZERO).get();
    }

    String serviceUri() throws IOException {
        return "http://127.0.0.1:" + service().getPort() + "/";
    }

    @Override
    public void close() throws Exception {
        List<Throwable> failed = new ArrayList<>();
        while (!kept.isEmpty()) {
            try {
                kept.pop().close();
            } catch (Throwable e) {
                failed.add(e);
            }
        }
        assertEquals(List.of(), failed);
    }
}
