package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Notice of a client that leaves while its handler still works. */
class ClientClosedTest extends HttpTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    private final ExecutorService workers = Executors.newCachedThreadPool();

    @AfterEach
    void shutDown() {
        workers.shutdown();
    }

    private static void leave(RawClient client, boolean reset) throws IOException {
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDeferredExchangeIsTold(boolean reset) throws Exception {
        BlockingQueue<CompletableFuture<Void>> notices = new LinkedBlockingQueue<>();
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> {
            exchange.defer();
            notices.add(exchange.clientClosed());
            deferred.add(exchange);
        });
        RawClient client = connect().send(GET);
        CompletableFuture<Void> left = notices.take();
        loop.turn();
        assertFalse(left.isDone());
        leave(client, reset);
        await(left);
        deferred.take().reply(200);
        assertServesDeferred(deferred);
    }

    /** When its handler has failed it has its reply, which is still on its way, and nobody waits for the client any more. */
    @Test
    void anExchangeWhoseHandlerFailedIsNotWatched() throws Exception {
        BlockingQueue<HttpExchange> failed = new LinkedBlockingQueue<>();
        BlockingQueue<CompletableFuture<Void>> notices = new LinkedBlockingQueue<>();
        serve(exchange -> {
            exchange.completion();
            failed.add(exchange);
            throw new IllegalStateException("a handler's");
        });
        loop.base().onException(e -> notices.add(failed.remove().clientClosed()));
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(500, client.get("/").status());
                CompletableFuture<Void> notice = notices.take();
                assertThrows(CancellationException.class, () -> await(notice));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneThatCameWithOthersIsTold(boolean reset) throws Exception {
        BlockingQueue<CompletableFuture<Void>> notices = new LinkedBlockingQueue<>();
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> {
            if (exchange.rawUri().equals("/last")) {
                exchange.defer();
                notices.add(exchange.clientClosed());
                deferred.add(exchange);
            } else {
                exchange.reply(200);
            }
        });
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5) + "GET /last HTTP/1.1\r\nHost: x\r\n\r\n");
        CompletableFuture<Void> left = notices.take();
        for (int i = 0; i < 5; i++) {
            assertEquals(200, client.response().status());
        }
        assertFalse(left.isDone());
        leave(client, reset);
        await(left);
        deferred.take().reply(200);
    }

    private void assertServesDeferred(BlockingQueue<HttpExchange> deferred) throws Exception {
        try (RawClient client = connect().send(GET)) {
            deferred.take().reply(200);
            assertEquals(200, client.response().status());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWorkerIsToldWhileItWorks(boolean reset) throws Exception {
        BlockingQueue<String> began = new LinkedBlockingQueue<>();
        BlockingQueue<Integer> gaveUp = new LinkedBlockingQueue<>();
        HttpHandler handler = exchange -> {
            CompletableFuture<Void> left = exchange.clientClosed();
            began.add(exchange.rawUri());
            int steps = 0;
            while (!left.isDone()) { // work that is done in steps
                steps++;
                Thread.onSpinWait();
            }
            exchange.reply(200);
            gaveUp.add(steps);
        };
        serve(handler.on(workers));
        RawClient client = connect().send(GET);
        began.take();
        assertTrue(gaveUp.isEmpty());
        leave(client, reset);
        gaveUp.take();
    }

    /** For work that cannot look: the one who leaves wakes it. */
    @Test
    void aWorkerThatBlocksMayBeInterrupted() throws Exception {
        BlockingQueue<String> began = new LinkedBlockingQueue<>();
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();
        CountDownLatch never = new CountDownLatch(1);
        HttpHandler handler = exchange -> {
            Thread worker = Thread.currentThread();
            exchange.clientClosed().thenRun(worker::interrupt);
            began.add("");
            try {
                never.await();
            } catch (InterruptedException e) {
                woken.add("");
            }
            exchange.reply(200);
        };
        serve(handler.on(workers));
        RawClient client = connect().send(GET);
        began.take();
        client.close();
        woken.take();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReplyInPiecesIsTold(boolean reset) throws Exception {
        BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
        serve(exchange -> replies.add(exchange.start(200)));
        RawClient client = connect().send(GET);
        ChunkedReply reply = replies.take();
        await(reply.send(new byte[10]));
        assertFalse(reply.completion().isDone());
        leave(client, reset);
        assertThrows(IOException.class, () -> await(reply.completion()));
        assertThrows(IOException.class, () -> await(reply.send(new byte[10])));
        reply.end();
    }

    /** A client may have said all it has to say and still listen. */
    @Test
    void aClientThatOnlyStopsSendingStillGetsItsReply() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect().send(GET)) {
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> left = exchange.clientClosed();
            client.socket().shutdownOutput();
            await(left);
            exchange.reply(200, "all the same");
            assertEquals("all the same", client.response().text());
        }
    }

    @Test
    void aClientThatStaysIsNotMissed() throws Exception {
        BlockingQueue<CompletableFuture<Void>> notices = new LinkedBlockingQueue<>();
        HttpHandler handler = exchange -> {
            notices.add(exchange.clientClosed());
            exchange.reply(200);
        };
        serve(handler.on(workers));
        try (RawClient client = connect()) {
            for (int i = 0; i < 10; i++) {
                assertEquals(200, client.get("/").status());
                CompletableFuture<Void> left = notices.take();
                while (!left.isDone()) {
                    loop.turn();
                }
                assertTrue(left.isCancelled());
            }
        }
    }

    @Test
    void theServersEndIsNoticedLikewise() throws Exception {
        BlockingQueue<CompletableFuture<Void>> notices = new LinkedBlockingQueue<>();
        serve(exchange -> {
            exchange.defer();
            notices.add(exchange.clientClosed());
        });
        try (RawClient client = connect().send(GET)) {
            CompletableFuture<Void> left = notices.take();
            http.close();
            await(left);
            assertEquals("", client.readToEnd());
        }
    }
}
