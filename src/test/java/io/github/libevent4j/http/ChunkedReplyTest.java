package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.Turns;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkedReplyTest extends HttpTest {

    private final BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();

    /** Sends the same piece again and again, each when the one before is with the kernel. */
    private static void send(ChunkedReply reply, byte[] piece, int times) {
        if (times == 0) {
            reply.end();
        } else {
            reply.send(piece).thenRun(() -> send(reply, piece, times - 1));
        }
    }

    @Test
    void piecesComeInOrderAndInChunks() throws Exception {
        serve(exchange -> replies.add(exchange.header("X", "y").start(202)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            Message head = Message.head(client.in());
            assertEquals("HTTP/1.1 202 Accepted", head.startLine());
            assertEquals("y", head.header("X"));
            assertEquals("chunked", head.header("Transfer-Encoding"));
            assertNull(head.header("Content-Length"));
            for (String piece : List.of("one", "three", "fifteen characters".repeat(100))) {
                await(reply.send(piece.getBytes()));
                String chunk = Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n";
                assertEquals(chunk, new String(client.in().readNBytes(chunk.length())));
            }
            CompletableFuture<Void> completion = reply.completion();
            assertFalse(completion.isDone());
            reply.end();
            assertEquals("0\r\n\r\n", new String(client.in().readNBytes(5)));
            await(completion);
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"); // the connection goes on
            replies.take().end();
            assertEquals(0, client.response().body().length);
        }
    }

    @Test
    void withAContentLengthThereAreNoChunks() throws Exception {
        serve(exchange -> {
            ChunkedReply reply = exchange.header("Content-Length", "6").start(200);
            reply.send("one".getBytes());
            reply.send("two".getBytes());
            reply.end();
        });
        try (RawClient client = connect()) {
            for (int i = 0; i < 2; i++) {
                Message answer = client.get("/");
                assertEquals("6", answer.header("Content-Length"));
                assertNull(answer.header("Transfer-Encoding"));
                assertEquals("onetwo", answer.text());
            }
        }
    }

    @Test
    void aReplyWithoutPiecesIsEmpty() throws Exception {
        serve(exchange -> {
            if (exchange.rawUri().equals("/length")) {
                exchange.header("Content-Length", "0");
            }
            ChunkedReply reply = exchange.start(200);
            assertTrue(reply.send(new byte[0]) != null);
            reply.end();
        });
        try (RawClient client = connect()) {
            for (String target : List.of("/", "/length", "/")) {
                assertEquals(0, client.get(target).body().length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 65536, 1_000_000})
    void piecesOfEverySizeComeWhole(int size) throws Exception {
        byte[] piece = new byte[size];
        Arrays.fill(piece, (byte) 'p');
        int times = Math.max(3, 20_000 / size);
        serve(exchange -> send(exchange.start(200), piece, times));
        assertEquals("p".repeat(size * times), get("/").text());
    }

    @Test
    void piecesOfOtherThreadsAreCopied() throws Exception {
        serve(exchange -> replies.add(exchange.start(200)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            byte[] piece = new byte[10];
            StringBuilder expected = new StringBuilder();
            for (char c = 'a'; c <= 'z'; c++) {
                Arrays.fill(piece, (byte) c);
                reply.send(piece);
                expected.append(String.valueOf(c).repeat(10));
            }
            Arrays.fill(piece, (byte) 0);
            reply.end();
            assertEquals(expected.toString(), client.response().text());
        }
    }

    @Test
    void aDeferredExchangeIsStartedOnAnotherThread() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> completion = exchange.completion();
            ChunkedReply reply = exchange.start(200);
            assertSame(completion, reply.completion());
            assertThrows(IllegalStateException.class, () -> exchange.reply(200));
            assertThrows(IllegalStateException.class, exchange::rawUri);
            reply.send("late".getBytes());
            reply.end();
            assertEquals("late", client.response().text());
            await(completion);
        }
    }

    @Test
    void afterTheEndThereIsNoMore() throws Exception {
        serve(exchange -> {
            ChunkedReply reply = exchange.start(200);
            assertThrows(NullPointerException.class, () -> reply.send(null));
            reply.end();
            reply.end();
            reply.abort();
            assertThrows(IllegalStateException.class, () -> reply.send(new byte[1]));
        });
        assertEquals(200, get("/").status());
    }

    /** A client that does not read makes the futures wait, so what is queued stays within a piece. */
    @Test
    void memoryStaysFlatForASlowClient() throws Exception {
        byte[] piece = new byte[100_000];
        int times = 500;
        AtomicInteger sent = new AtomicInteger();
        CompletableFuture<Void> stalled = new CompletableFuture<>();
        serve(exchange -> {
            ChunkedReply reply = exchange.start(200);
            sendCounted(reply, piece, times, sent);
        });
        try (RawClient client = RawClient.slowlyTo(address)) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            // The kernel takes what fits its buffers, and then no more: the count stands still over many turns.
            loop.call(() -> {
                int[] state = {-1, 0};
                Timer[] timer = new Timer[1];
                timer[0] = Timer.periodic(loop.base(), () -> {
                    state[1] = sent.get() > 0 && sent.get() == state[0] ? state[1] + 1 : 0;
                    state[0] = sent.get();
                    if (state[1] == 20) {
                        timer[0].close();
                        stalled.complete(null);
                    }
                });
                timer[0].start(Duration.ofMillis(5));
                return null;
            });
            await(stalled);
            assertTrue(sent.get() < times, "the client has not read: " + sent);
            long allocations = Live.allocations();
            assertEquals(times * piece.length, client.response().body().length);
            assertEquals(times, sent.get());
            assertTrue(allocations < 1000, "allocations while the client was slow: " + allocations);
        }
    }

    private static void sendCounted(ChunkedReply reply, byte[] piece, int times, AtomicInteger sent) {
        if (times == 0) {
            reply.end();
        } else {
            reply.send(piece).thenRun(() -> {
                sent.incrementAndGet();
                sendCounted(reply, piece, times - 1, sent);
            });
        }
    }

    /** The timeout is for a client that does nothing; receiving is something. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientMayTakeLongerThanTheTimeoutToReceive(boolean chunked) throws Exception {
        Duration timeout = Duration.ofMillis(400);
        int portions = 40;
        byte[] portion = new byte[500_000];
        byte[] body = new byte[portions * portion.length];
        serve(builder -> builder.timeout(timeout), exchange -> {
            if (chunked) {
                send(exchange.header("Content-Length", body.length + "").start(200), portion, portions);
            } else {
                exchange.reply(200, body);
            }
        });
        BlockingQueue<Boolean> ticks = new LinkedBlockingQueue<>(); // one for each portion, so that all take four times the timeout
        loop.call(() -> {
            Timer timer = Timer.periodic(loop.base(), () -> ticks.add(true));
            timer.start(timeout.multipliedBy(4).dividedBy(portions));
            return null;
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
            for (int i = 0; i < portions; i++) {
                ticks.take();
                assertEquals(portion.length, client.in().readNBytes(portion.length).length, "the connection was cut off");
            }
            assertEquals("", client.readToEnd()); // inactive from now on
        }
    }

    /** Pieces that each wait for the one before go out in a turn, but not so many that others have to wait. */
    @Test
    void aStreamLeavesOthersTheirTurn() throws Exception {
        List<Integer> sent = new ArrayList<>();
        try (EventBase base = EventBase.create(); HttpServer server = HttpServer.newBuilder(base).build()) {
            AtomicInteger pieces = new AtomicInteger();
            server.onRequest(exchange -> {
                ChunkedReply reply = exchange.start(200);
                sendOn(reply, pieces);
            });
            InetSocketAddress address = server.bind("127.0.0.1", 0);
            try (RawClient client = RawClient.to(address)) {
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                Turns.until(base, () -> pieces.get() > 0);
                for (int turn = 0; turn < 5; turn++) {
                    int before = pieces.get();
                    base.loop(EventBase.LoopFlag.ONCE);
                    sent.add(pieces.get() - before);
                }
            }
        }
        assertTrue(sent.stream().allMatch(pieces -> pieces > 0 && pieces <= 33), () -> sent + " pieces a turn");
        assertTrue(sent.stream().anyMatch(pieces -> pieces > 1), () -> sent + " pieces a turn");
    }

    private static void sendOn(ChunkedReply reply, AtomicInteger pieces) {
        pieces.incrementAndGet();
        reply.send(new byte[1]).thenRun(() -> sendOn(reply, pieces));
    }

    @Test
    void aStreamMayPauseForLongerThanTheTimeout() throws Exception {
        Duration timeout = Duration.ofMillis(30);
        serve(builder -> builder.timeout(timeout), exchange -> {
            ChunkedReply reply = exchange.start(200);
            Timer[] timer = new Timer[1];
            timer[0] = Timer.create(loop.base(), () -> {
                reply.send("after a pause".getBytes());
                reply.end();
                timer[0].close();
            });
            timer[0].start(timeout.multipliedBy(5));
        });
        try (RawClient client = connect()) {
            assertEquals("after a pause", client.get("/").text());
            assertEquals("", client.readToEnd()); // inactive from now on
        }
    }

    @Test
    void aClientThatLeavesFailsThePieces() throws Exception {
        serve(exchange -> replies.add(exchange.start(200)));
        for (boolean reset : new boolean[] {false, true}) {
            RawClient client = connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            await(reply.send("one".getBytes()));
            List<CompletableFuture<Void>> pieces = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                pieces.add(reply.send(new byte[1_000_000]));
            }
            if (reset) {
                client.reset();
            } else {
                client.close();
            }
            IOException left = assertThrows(IOException.class, () -> await(reply.completion()));
            assertTrue(left.getMessage().contains("client left"), left.getMessage());
            for (CompletableFuture<Void> piece : pieces) { // the first may have been sent
                await(piece.exceptionally(failure -> null));
            }
            assertThrows(IOException.class, () -> await(pieces.get(9)));
            assertThrows(IOException.class, () -> await(reply.send("late".getBytes())));
            reply.end();
            assertThrows(IllegalStateException.class, () -> reply.send("later".getBytes()));
        }
    }

    @Test
    void abortBreaksTheConnection() throws Exception {
        serve(exchange -> {
            boolean atOnce = exchange.rawUri().equals("/at-once");
            ChunkedReply reply = exchange.start(200);
            replies.add(reply);
            if (atOnce) {
                reply.abort();
            }
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            await(reply.send("part".getBytes()));
            reply.abort();
            reply.abort();
            reply.end();
            assertThrows(EOFException.class, client::response);
            assertThrows(IOException.class, () -> await(reply.completion()));
        }
        try (RawClient client = connect()) {
            client.send("GET /at-once HTTP/1.1\r\nHost: x\r\n\r\n");
            assertFalse(client.readToEnd().contains("\r\n0\r\n"));
            ChunkedReply reply = replies.take();
            assertThrows(IOException.class, () -> await(reply.completion()));
        }
    }

    @Test
    void abortInsideWhatAPieceGoesOnToDo() throws Exception {
        serve(exchange -> {
            ChunkedReply reply = exchange.start(200);
            reply.send("part".getBytes()).thenRun(() -> {
                reply.send("rest".getBytes()).exceptionally(e -> null);
                reply.abort();
            });
            replies.add(reply);
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            assertThrows(IOException.class, () -> await(reply.completion()));
            assertFalse(client.readToEnd().contains("\r\n0\r\n"));
        }
    }

    @Test
    void theServerMayBeClosedInTheMiddle() throws Exception {
        serve(exchange -> replies.add(exchange.start(200)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            CompletableFuture<Void> piece = reply.send(new byte[20_000_000]);
            loop.turn();
            http.close();
            IOException closed = assertThrows(IOException.class, () -> await(reply.completion()));
            assertTrue(closed.getMessage().contains("server was closed"), closed.getMessage());
            assertThrows(IOException.class, () -> await(piece));
            IOException late = assertThrows(IOException.class, () -> await(reply.send(new byte[1])));
            assertTrue(late.getMessage().contains("server was closed"), late.getMessage());
            reply.end();
            reply.abort();
        }
    }

    @Test
    void theBaseMayBeClosedInTheMiddle() throws Exception {
        serve(exchange -> replies.add(exchange.start(200)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            loop.close();
            assertThrows(IOException.class, () -> await(reply.completion()));
            assertThrows(IOException.class, () -> await(reply.send(new byte[1])));
            reply.abort();
            reply.end();
        }
    }

    @Test
    void whatCompletionGoesOnToDoMayCloseTheServer() throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        serve(exchange -> {
            ChunkedReply reply = exchange.start(200);
            reply.completion().thenRun(() -> {
                http.close();
                closed.complete(null);
            });
            reply.send("all".getBytes());
            reply.end();
        });
        assertEquals("all", get("/").text());
        await(closed);
    }

    @Test
    void aHandlerThatThrowsAfterItsStartLeavesTheReplyToWhoHasIt() throws Exception {
        serve(exchange -> {
            replies.add(exchange.start(200));
            throw new IOException("thrown after the start");
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            reply.send("whole".getBytes());
            reply.end();
            assertEquals("whole", client.response().text());
        }
        assertEquals("thrown after the start", loop.awaitException().getMessage());
    }

    @Test
    void curlReadsChunks() throws Exception {
        serve(exchange -> send(exchange.start(200), "piece".getBytes(), 1000));
        assertEquals("piece".repeat(1000), Curl.get("http://127.0.0.1:" + address.getPort() + "/").text());
    }
}
