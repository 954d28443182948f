package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Jvm;
import io.github.libevent4j.support.RawClient;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.JMException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many requests and many connections leave nothing behind, neither while they last nor afterwards. */
class HttpLoadTest extends HttpTest {

    private static final int REQUESTS = 100_000;
    private static final int CONNECTIONS = 1_000;

    private HttpConnection connection;

    @AfterEach
    void closeConnection() throws Exception {
        if (connection != null) {
            connection.close();
            loop.turn();
        }
    }

    /** What is alive between two requests, when all that can be collected is. */
    private record Use(long handles, long targets, long allocations, long references, long heap) {

        static Use now() throws JMException {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            return new Use(Live.handles(), Live.targets(), Live.allocations(), Jvm.globalReferences(),
                runtime.totalMemory() - runtime.freeMemory());
        }
    }

    @Test
    void manyRequestsOnOneConnection() throws Exception {
        AtomicInteger peers = new AtomicInteger();
        int[] lastPeer = new int[1];
        serve(exchange -> {
            int port = exchange.remoteAddress().getPort();
            if (port != lastPeer[0]) {
                lastPeer[0] = port;
                peers.incrementAndGet();
            }
            exchange.reply(200, exchange.body());
        });
        connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", address.getPort()));
        send(1_000);
        Use before = Use.now();
        send(REQUESTS);
        Use after = Use.now();
        assertEquals(1, peers.get(), "connections");
        assertEquals(before.handles, after.handles, "handles");
        assertEquals(before.targets, after.targets, "callback targets");
        assertEquals(before.allocations, after.allocations, "native allocations");
        assertNoMoreReferences(before, after);
        assertTrue(after.heap < before.heap + 8 * 1024 * 1024, "the heap grew from " + before.heap + " to " + after.heap);
    }

    /** The JVM has some of its own, which come and go. */
    private static void assertNoMoreReferences(Use before, Use after) {
        assertTrue(after.references < before.references + 100, "JNI references grew from " + before.references + " to " + after.references);
    }

    /** Sends requests one after the other, and waits until the last is answered. */
    private void send(int count) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.base().execute(() -> send(count, done));
        done.join();
        loop.turn();
    }

    private void send(int count, CompletableFuture<Void> done) {
        if (count == 0) {
            done.complete(null);
            return;
        }
        String text = "request " + count;
        connection.send(HttpRequest.newBuilder("/").POST(text).build()).whenComplete((response, failure) -> {
            if (failure != null) {
                done.completeExceptionally(failure);
            } else if (response.status() != 200 || !response.bodyText().equals(text)) {
                done.completeExceptionally(new AssertionError(response + " to " + text + ": " + response.bodyText()));
            } else {
                loop.base().execute(() -> send(count - 1, done));
            }
        });
    }

    @Test
    void manyConnectionsAtOnce() throws Exception {
        serve(exchange -> exchange.reply(200, "Hello"));
        connectMany();
        connectMany();
        Use before = Use.now();
        connectMany();
        Use after = Use.now();
        assertEquals(before.handles, after.handles, "handles");
        assertEquals(before.targets, after.targets, "callback targets");
        assertNoMoreReferences(before, after);
        // Libevent keeps an entry for each number that a descriptor has ever had, and some of these may be new.
        while (Live.allocations() > before.allocations + CONNECTIONS / 2) {
            Thread.onSpinWait();
        }
    }

    /** Has many clients connected, all of which ask before any is heard, and waits until the server has forgotten them. */
    private void connectMany() throws Exception {
        List<RawClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                clients.add(connect());
            }
            for (int round = 0; round < 3; round++) {
                for (RawClient client : clients) {
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                }
                for (RawClient client : clients) {
                    assertEquals(200, client.response().status());
                }
            }
            assertEquals(CONNECTIONS, loop.call(http::connections).longValue());
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
        while (loop.call(http::connections) > 0) {
            Thread.onSpinWait();
        }
        loop.turn();
    }

    @Test
    void clientsThatVanishWhileTheirRepliesAreAwaited() throws Exception {
        List<HttpExchange> waiting = new ArrayList<>();
        serve(exchange -> waiting.add(exchange.defer()));
        for (int i = 0; i < CONNECTIONS; i++) {
            try (Socket client = new Socket(address.getAddress(), address.getPort())) {
                client.setSoLinger(i % 2 == 0, 0); // half of them with a RST
                client.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(US_ASCII));
                int expected = i + 1;
                while (loop.call(waiting::size) < expected) {
                    Thread.onSpinWait();
                }
            }
        }
        List<CompletableFuture<Void>> completions = loop.call(() -> waiting.stream().map(HttpExchange::completion).toList());
        waiting.forEach(exchange -> exchange.reply(200, new byte[1024]));
        for (CompletableFuture<Void> completion : completions) {
            completion.handle((done, failure) -> null).join(); // the kernel may still have taken it
        }
        loop.call(() -> {
            assertEquals(0, http.activeRequests());
            return null;
        });
    }
}
