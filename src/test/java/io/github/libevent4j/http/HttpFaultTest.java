package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that vanish, and clients that dawdle: the others never notice, and nothing of them is left. */
class HttpFaultTest extends HttpTest {

    private static final byte[] LARGE = new byte[4 * 1024 * 1024]; // more than the kernel takes
    private static final String UPLOAD = "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + "u".repeat(50_000);
    private static final String CHUNKED_UPLOAD = "POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabc";

    static {
        Arrays.fill(LARGE, (byte) 'l');
    }

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
    private final BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
    private long descriptors;

    @BeforeEach
    void serve() throws Exception {
        serve(exchange -> {
            switch (exchange.uri().path()) {
                case "/large" -> exchange.reply(200, LARGE);
                case "/chunks" -> replies.add(exchange.start(200));
                case "/deferred" -> deferred.add(exchange.defer());
                default -> exchange.reply(200, "Hello");
            }
        });
        assertServes();
        awaitNoConnections();
        descriptors = Kernel.descriptors();
    }

    private void awaitNoConnections() throws Exception {
        while (loop.call(http::connections) > 0) {
            Thread.onSpinWait();
        }
        loop.turn();
    }

    private void awaitConnections(int count) throws Exception {
        while (loop.call(http::connections) != count) {
            Thread.onSpinWait();
        }
    }

    /** The server is as it was before the test's clients. */
    private void assertNothingIsLeft() throws Exception {
        awaitNoConnections();
        assertEquals(0, loop.call(http::activeRequests).longValue());
        assertServes();
        awaitNoConnections();
        long left = Kernel.descriptors();
        assertTrue(left <= descriptors, () -> left + " descriptors, not " + descriptors); // the JVM itself may have closed some
    }

    /** What a client has done when it resets the connection. */
    enum Stage {
        CONNECTED(""),
        IN_REQUEST_LINE("GET /lar"),
        IN_HEADERS("GET /large HTTP/1.1\r\nHost: x\r\nAccept"),
        BEFORE_BODY("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"),
        IN_BODY(UPLOAD),
        IN_CHUNK(CHUNKED_UPLOAD),
        WAITING_FOR_100("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"),
        IN_HANDLER("GET /deferred HTTP/1.1\r\nHost: x\r\n\r\n"),
        IN_HANDLER_WITH_MORE_BEHIND("GET /deferred HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3)),
        IN_REPLY("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"),
        IN_CHUNKED_REPLY("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n"),
        BETWEEN_REQUESTS("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        AFTER_VIOLATION("GET / HTTP/1.1\r\nHost x\r\n\r\n");

        private final String sent;

        Stage(String sent) {
            this.sent = sent;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aClientThatResets(Stage stage) throws Exception {
        for (int i = 0; i < 20; i++) {
            try (RawClient client = RawClient.slowlyTo(address)) {
                awaitConnections(1);
                client.send(stage.sent);
                switch (stage) {
                    case IN_HANDLER, IN_HANDLER_WITH_MORE_BEHIND -> {
                        HttpExchange exchange = deferred.take();
                        client.reset();
                        exchange.reply(200, LARGE);
                    }
                    case IN_REPLY, BETWEEN_REQUESTS, AFTER_VIOLATION -> {
                        assertEquals('H', client.in().read());
                        client.reset();
                    }
                    case IN_CHUNKED_REPLY -> {
                        ChunkedReply reply = replies.take();
                        reply.send(LARGE);
                        assertEquals('H', client.in().read());
                        client.reset();
                        reply.send(LARGE);
                        reply.completion().handle((done, failure) -> {
                            assertTrue(failure instanceof IOException, () -> "completed with " + failure);
                            return null;
                        }).join();
                        reply.end();
                    }
                    default -> client.reset();
                }
            }
            awaitNoConnections();
        }
        assertNothingIsLeft();
    }

    /** Of two clients that ask for the same, the one that reads byte by byte gets all, and does not hold up the other. */
    @Test
    void aSlowReaderBesideAFastOne() throws Exception {
        try (RawClient slow = RawClient.slowlyTo(address)) {
            slow.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
            for (int round = 0; round < 20; round++) {
                assertTrue(slow.socket().getInputStream().read() >= 0);
                assertEquals(LARGE.length, get("/large").body().length);
            }
            assertEquals(LARGE.length, slow.socket().getInputStream().readNBytes(LARGE.length).length);
        }
        assertNothingIsLeft();
    }

    /** Pieces are asked for only as the client reads: what is on its way never is more than the kernel's and one piece. */
    @Test
    void aSlowReaderMakesItsWriterWait() throws Exception {
        byte[] piece = new byte[64 * 1024];
        AtomicInteger sent = new AtomicInteger();
        int most = 1000;
        try (RawClient slow = RawClient.slowlyTo(address)) {
            slow.send("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            loop.call(() -> {
                send(reply, piece, sent, most);
                return null;
            });
            int before;
            do { // until the kernel takes no more
                before = sent.get();
                for (int i = 0; i < 20; i++) {
                    loop.turn();
                }
            } while (sent.get() != before);
            assertTrue(before < most, "all " + before + " pieces were taken, though nobody reads");
            long read = slow.in().skip(piece.length * 16L);
            assertTrue(read > 0);
            while (sent.get() == before) {
                read += slow.in().skip(piece.length);
            }
            assertTrue(sent.get() < most);
        }
        assertNothingIsLeft();
    }

    private static void send(ChunkedReply reply, byte[] piece, AtomicInteger sent, int most) {
        if (sent.incrementAndGet() == most) {
            reply.end();
        } else {
            reply.send(piece).thenRun(() -> send(reply, piece, sent, most));
        }
    }

    /** A hundred thousand requests on a few threads' handlers, while clients vanish at random points. */
    @Test
    void workersAndClientsThatVanish() throws Exception {
        int requests = 100_000;
        int batch = 50;
        AtomicInteger handled = new AtomicInteger();
        ExecutorService workers = Executors.newFixedThreadPool(4);
        ExecutorService clients = Executors.newFixedThreadPool(8);
        HttpHandler work = exchange -> {
            handled.incrementAndGet();
            exchange.reply(200, exchange.body());
        };
        loop.call(() -> {
            http.onRequest("/work", work.on(workers));
            return null;
        });
        try {
            AtomicInteger left = new AtomicInteger(requests / batch);
            List<Future<?>> ends = new ArrayList<>();
            for (int c = 0; c < 8; c++) {
                Random random = new Random(c);
                ends.add(clients.submit(() -> {
                    while (left.getAndDecrement() > 0) {
                        askAndPerhapsVanish(random, batch);
                    }
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                end.get();
            }
            awaitNoConnections();
        } finally {
            clients.shutdown();
            workers.shutdown();
            assertTrue(clients.awaitTermination(1, TimeUnit.MINUTES) && workers.awaitTermination(1, TimeUnit.MINUTES));
        }
        loop.turn(); // the last workers' replies
        assertTrue(handled.get() > requests / 4, handled + " requests were handled");
        assertNothingIsLeft();
    }

    private void askAndPerhapsVanish(Random random, int batch) throws IOException {
        String request = "POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
        int answers = random.nextInt(4) == 0 ? random.nextInt(batch) : batch; // one in four vanishes before the last
        try (RawClient client = connect()) {
            client.send(request.repeat(batch));
            for (int i = 0; i < answers; i++) {
                assertEquals("hello", client.response().text());
            }
            if (answers < batch && random.nextBoolean()) {
                client.reset();
            }
        }
    }
}
