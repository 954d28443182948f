package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Evhttp's rules of who owns what, where breaking them ends a C program or makes it wait for ever. */
class HttpOwnershipTest extends HttpTest {

    private static final HttpRequest GET = HttpRequest.newBuilder("/").build();

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();

    private HttpConnection connection(int port) throws Exception {
        return loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", port));
    }

    private static Failure failure(CompletableFuture<HttpResponse> response) {
        return assertThrows(HttpException.class, () -> await(response)).failure();
    }

    // ---- the client

    @Test
    void aRequestThatCannotBeMadeIsFreedOnce() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = loop.call(() -> HttpConnection.newBuilder(loop.base(), "127.0.0.1", server.port())
                .localAddress("127.0.0.1").localPort(server.port()).build());
            for (int i = 0; i < 5; i++) {
                assertEquals(Failure.UNCONNECTED, failure(connection.send(GET)));
            }
        }
    }

    @Test
    void aRequestMayFailInsideTheCallThatMakesIt() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "nowhere.invalid", 80));
        loop.call(() -> {
            CompletableFuture<HttpResponse> response = connection.send(GET);
            assertFalse(response.isDone(), "it fails on a turn of its own");
            return response;
        });
        assertEquals(Failure.UNRESOLVED, failure(connection.send(GET)));
    }

    @Test
    void theThreeShapesOfFailureAreOneFuture() throws Exception {
        int port;
        try (RawServer server = new RawServer()) {
            port = server.port();
            HttpConnection connection = connection(port);
            CompletableFuture<HttpResponse> ended = connection.send(GET);
            server.accept().close();
            assertEquals(Failure.EOF, failure(ended));
            CompletableFuture<HttpResponse> malformed = connection.send(GET);
            server.accept().send("nonsense\r\n");
            assertEquals(Failure.INVALID_HEADER, failure(malformed));
        }
        assertEquals(Failure.UNCONNECTED, failure(connection(port).send(GET)));
    }

    @Test
    void cancellingCompletesWhatLibeventTellsNobodyAbout() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> active = connection.send(GET);
            CompletableFuture<HttpResponse> queued = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                queued.cancel(false);
                active.cancel(false);
                assertThrows(CancellationException.class, queued::join);
                assertThrows(CancellationException.class, active::join);
                assertEquals("", peer.readToEnd());
            }
        }
    }

    @Test
    void aRequestMayNotBeFreedInItsCompletion() throws Exception {
        serve(exchange -> exchange.reply(200));
        HttpConnection connection = connection(address.getPort());
        CompletableFuture<HttpResponse> response = connection.send(GET);
        CompletableFuture<Boolean> cancelled = response.thenApply(answer -> response.cancel(true));
        assertFalse(await(cancelled));
        assertEquals(200, await(connection.send(GET)).status());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theConnectionMayNotBeFreedInTheHeadersCallback(boolean whole) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(GET, new BodyListener() {
                @Override
                public void onHead(HttpResponse head) {
                    connection.close();
                }

                @Override
                public void onData(byte[] data) {
                    throw new AssertionError("data for a closed connection");
                }
            });
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + (whole ? "abc" : "a"));
                assertThrows(HttpException.class, () -> await(response));
                assertEquals("", peer.readToEnd());
            }
        }
    }

    @Test
    void aConnectionMayNotBeFreedInItsCloseCallback() throws Exception {
        HttpConnection[] self = new HttpConnection[1];
        CompletableFuture<Void> closed = new CompletableFuture<>();
        try (RawServer server = new RawServer()) {
            self[0] = loop.call(() -> HttpConnection.newBuilder(loop.base(), "127.0.0.1", server.port()).onClose(() -> {
                self[0].close();
                closed.complete(null);
            }).build());
            self[0].send(GET);
            server.accept().close();
            await(closed);
            assertThrows(IllegalStateException.class, () -> self[0].send(GET));
        }
    }

    @Test
    void aResponseOutlivesItsConnection() throws Exception {
        serve(exchange -> exchange.header("X", "y").reply(200, "body"));
        HttpConnection connection = connection(address.getPort());
        HttpResponse response = await(connection.send(GET));
        connection.close();
        loop.close();
        assertEquals("body", response.bodyText());
        assertEquals("y", response.headers().first("X").orElseThrow());
    }

    @Test
    void aRequestMayBeUsedTwice() throws Exception {
        serve(exchange -> exchange.reply(200));
        HttpConnection connection = connection(address.getPort());
        CompletableFuture<HttpResponse> first = connection.send(GET);
        CompletableFuture<HttpResponse> second = connection.send(GET);
        assertEquals(200, await(first).status());
        assertEquals(200, await(second).status());
    }

    // ---- the server

    @Test
    void aRequestDiesWithItsReply() throws Exception {
        CompletableFuture<HttpExchange> kept = new CompletableFuture<>();
        serve(exchange -> {
            exchange.reply(200);
            kept.complete(exchange);
        });
        assertServes();
        HttpExchange exchange = await(kept);
        assertThrows(IllegalStateException.class, exchange::rawUri);
        assertThrows(IllegalStateException.class, exchange::body);
        assertThrows(IllegalStateException.class, () -> exchange.reply(200));
    }

    /** With nothing left to write the end frees the request, and here its connection too, before it returns. */
    @Test
    void theEndOfAReplyMayFreeItsConnectionAtOnce() throws Exception {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        serve(exchange -> {
            ChunkedReply reply = exchange.header("Content-Length", "4").header("Connection", "close").start(200);
            reply.send("body".getBytes()).thenRun(() -> {
                reply.end();
                assertTrue(reply.completion().isDone());
                reply.end();
                reply.abort();
                ended.complete(null);
            });
        });
        try (RawClient client = connect()) {
            assertEquals("body", client.get("/").text());
            assertEquals("", client.readToEnd());
        }
        await(ended);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatLeavesWhileItsHandlerWaitsIsNoticedWhenAskedFor(boolean reset) throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        HttpExchange exchange = deferred.take();
        CompletableFuture<Void> left = exchange.clientClosed();
        assertFalse(left.isDone());
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
        await(left);
        CompletableFuture<Void> completion = exchange.completion();
        exchange.reply(200, new byte[20_000_000]);
        assertThrows(IOException.class, () -> await(completion));
    }

    @Test
    void aReplyToAClientThatLeftIsDroppedAndToldSo() throws Exception {
        BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
        serve(exchange -> replies.add(exchange.start(200)));
        connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").reset();
        ChunkedReply reply = replies.take();
        assertThrows(IOException.class, () -> await(reply.completion()));
        assertThrows(IOException.class, () -> await(reply.send(new byte[1])));
        reply.end();
    }

    @Test
    void aReplyAfterTheServerWasFreedIsDroppedAndToldSo() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        List<HttpExchange> late = new ArrayList<>();
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            clients.add(connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
            late.add(deferred.take());
        }
        List<CompletableFuture<Void>> completions = late.stream().map(HttpExchange::completion).toList();
        http.close();
        loop.turn();
        late.get(0).reply(200, "text");
        late.get(1).reply(200, new byte[1]);
        late.get(2).replyError(500);
        late.get(3).start(200).end();
        assertThrows(IOException.class, () -> await(late.get(4).start(200).send(new byte[1])));
        for (CompletableFuture<Void> completion : completions) {
            assertThrows(IOException.class, () -> await(completion));
        }
        for (RawClient client : clients) {
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void aVirtualHostGoesWithItsParentUnlessItIsGivenBack() throws Exception {
        serve(exchange -> exchange.reply(200, "parent"));
        HttpServer given = loop.call(() -> HttpServer.create(loop.base()));
        HttpServer kept = loop.call(() -> HttpServer.create(loop.base()));
        loop.call(() -> {
            given.onRequest(exchange -> exchange.reply(200, "given"));
            kept.onRequest(exchange -> exchange.reply(200, "kept"));
            http.addVirtualHost("*.given", given);
            http.addVirtualHost("kept", kept);
            assertThrows(IllegalStateException.class, () -> http.addVirtualHost("again", kept));
            assertThrows(IllegalStateException.class, () -> kept.bind("127.0.0.1", 0));
            return null;
        });
        assertEquals("given", exchange("GET / HTTP/1.1\r\nHost: a.given\r\n\r\n").text());
        assertEquals("kept", exchange("GET / HTTP/1.1\r\nHost: kept\r\n\r\n").text());
        assertEquals("parent", get("/").text());
        loop.call(() -> {
            http.removeVirtualHost(kept);
            return null;
        });
        http.close();
        loop.turn();
        assertFalse(given.isOpen());
        assertTrue(kept.isOpen());
        address = loop.call(() -> kept.bind("127.0.0.1", 0));
        assertEquals("kept", get("/").text());
    }

    @Test
    void aServerWaitsForItsVirtualHostsRequestsWhenItStops() throws Exception {
        serve(exchange -> exchange.reply(200, "parent"));
        loop.call(() -> {
            HttpServer host = HttpServer.create(loop.base());
            host.onRequest(exchange -> deferred.add(exchange.defer()));
            http.addVirtualHost("host", host);
            return null;
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: host\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> stopped = http.stop(Duration.ofDays(1));
            loop.turn();
            assertFalse(stopped.isDone());
            exchange.reply(200, "waited for");
            Message answer = client.response();
            assertEquals("waited for", answer.text());
            assertEquals("close", answer.header("Connection"));
            await(stopped);
        }
    }

    @Test
    void aVirtualHostMayBeClosedWithItsRequestsPending() throws Exception {
        serve(exchange -> exchange.reply(200, "parent"));
        HttpServer host = loop.call(() -> {
            HttpServer made = HttpServer.create(loop.base());
            made.onRequest(exchange -> deferred.add(exchange.defer()));
            http.addVirtualHost("host", made);
            return made;
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: host\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> completion = exchange.completion();
            host.close();
            assertThrows(IOException.class, () -> await(completion));
            assertEquals("", client.readToEnd());
            exchange.reply(200);
        }
        assertEquals("parent", exchange("GET / HTTP/1.1\r\nHost: host\r\n\r\n").text());
    }

    @Test
    void theDefaultContentTypeIsKeptForTheServer() throws Exception {
        serve(builder -> builder.defaultContentType(new String("a/b")), exchange -> exchange.reply(200, new byte[1]));
        for (int i = 0; i < 10; i++) {
            System.gc();
            assertEquals("a/b", get("/").header("Content-Type"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBufferEventThatCannotBeMadeClosesTheConnection(boolean thrown) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        IOException failure = new IOException("thrown by the factory");
        serve(builder -> builder.bufferEvents(base -> {
            if (asked.incrementAndGet() > 1) {
                return BufferEvent.create(base);
            } else if (thrown) {
                throw failure;
            }
            return null;
        }), exchange -> exchange.reply(200));
        try (RawClient client = connect()) {
            assertEquals("", client.readToEnd(), "never a plain connection in its place");
        }
        Exception told = loop.awaitException();
        if (thrown) {
            assertSame(failure, told);
        } else {
            assertEquals(NullPointerException.class, told.getClass());
        }
        assertServes();
    }

    /** What is not a new bufferevent of the server's base. */
    enum Wrong {
        CONNECTED {
            @Override
            BufferEvent make(EventBase base, BufferEvent taken) throws Exception {
                try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
                     SocketChannel channel = SocketChannel.open(server.getLocalAddress())) {
                    return BufferEvent.create(base, Descriptors.duplicate(channel));
                }
            }
        },
        PAIR {
            @Override
            BufferEvent make(EventBase base, BufferEvent taken) {
                return BufferEvent.pair(base).get(0);
            }
        },
        FILTER_OVER_A_PAIR {
            @Override
            BufferEvent make(EventBase base, BufferEvent taken) {
                return BufferEvent.filter(BufferEvent.pair(base).get(0), BufferEvent.Filter.NONE, BufferEvent.Filter.NONE);
            }
        },
        TAKEN_OVER {
            @Override
            BufferEvent make(EventBase base, BufferEvent taken) {
                return taken;
            }
        };

        abstract BufferEvent make(EventBase base, BufferEvent taken) throws Exception;
    }

    @ParameterizedTest
    @EnumSource(Wrong.class)
    void aServerTakesOnlyANewBufferEvent(Wrong wrong) throws Exception {
        BlockingQueue<BufferEvent> taken = new LinkedBlockingQueue<>();
        AtomicInteger asked = new AtomicInteger();
        serve(builder -> builder.bufferEvents(base -> asked.incrementAndGet() == 2 ? wrong.make(base, taken.peek())
            : BufferEvent.create(base)), exchange -> taken.add(exchange.takeOver(101)));
        try (RawClient first = connect()) {
            first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(101, Message.head(first.in()).status());
            try (RawClient second = connect()) {
                assertEquals("", second.readToEnd());
            }
            assertEquals(IllegalStateException.class, loop.awaitException().getClass());
            loop.call(() -> {
                taken.peek().write("still there");
                taken.peek().shutdownOutput();
                return null;
            });
            assertEquals("still there", first.readToEnd());
        }
    }

    /** Libevent goes on with the filter in whose callback, or function, the reply and its connection end. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReplyMayEndInItsConnectionsFilter(boolean inFunction) throws Exception {
        BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
        serve(builder -> builder.bufferEvents(base -> BufferEvent.filter(BufferEvent.create(base), BufferEvent.Filter.NONE,
            (source, target, limit, mode) -> {
                target.addBuffer(source);
                ChunkedReply reply = replies.poll();
                if (reply != null) {
                    reply.end();
                }
                return BufferEvent.Filter.Result.OK;
            })), exchange -> {
                ChunkedReply reply = exchange.header("Content-Length", "1").header("Connection", "close").start(200);
                if (inFunction) {
                    replies.add(reply);
                }
                reply.send(new byte[] {'x'}).thenRun(() -> {
                    if (!inFunction) {
                        reply.end();
                    }
                });
            });
        for (int i = 0; i < 10; i++) {
            try (RawClient client = connect()) {
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readToEnd();
            }
        }
        loop.turn(); // with the timeouts of those that are gone
    }

    @Test
    void onePieceIsNotToldForAnother() throws Exception {
        List<Integer> order = new ArrayList<>();
        CompletableFuture<Void> all = new CompletableFuture<>();
        serve(exchange -> {
            ChunkedReply reply = exchange.start(200);
            for (int i = 0; i < 20; i++) {
                int piece = i;
                reply.send(new byte[100_000]).thenRun(() -> order.add(piece));
            }
            reply.end();
            reply.completion().thenRun(() -> all.complete(null));
        });
        assertEquals(2_000_000, get("/").body().length);
        await(all);
        assertEquals(20, order.size());
        for (int i = 0; i < 20; i++) {
            assertEquals(i, order.get(i));
        }
    }

    // ---- a connection that is taken over

    @Test
    void aConnectionIsTakenOverWithEveryByte() throws Exception {
        byte[] binary = new byte[256];
        for (int i = 0; i < binary.length; i++) {
            binary[i] = (byte) i;
        }
        BlockingQueue<BufferEvent> taken = new LinkedBlockingQueue<>();
        CompletableFuture<Void> end = new CompletableFuture<>();
        serve(HttpServer.Builder::allowAllMethods, exchange -> {
            BufferEvent event = exchange.header("Upgrade", "echo").header("Connection", "Upgrade").takeOver(101);
            event.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent from) {
                    from.write(from.input());
                }

                @Override
                public void onEof(BufferEvent from) {
                    from.close();
                    end.complete(null);
                }
            });
            event.enable(BufferEvent.Direction.READ);
            taken.add(event);
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
            assertEquals(101, Message.head(client.in()).status());
            for (int i = 0; i < 10; i++) {
                client.send(binary);
                assertEquals(java.nio.ByteBuffer.wrap(binary), java.nio.ByteBuffer.wrap(client.in().readNBytes(binary.length)));
            }
            client.socket().shutdownOutput();
            assertEquals("", client.readToEnd());
        }
        await(end);
        assertFalse(taken.take().isOpen());
        assertNull(taken.poll());
    }

    @Test
    void aConnectionThatIsTakenOverGoesWithItsServer() throws Exception {
        BlockingQueue<BufferEvent> taken = new LinkedBlockingQueue<>();
        serve(exchange -> taken.add(exchange.takeOver(101)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(101, Message.head(client.in()).status());
            BufferEvent event = taken.take();
            http.close();
            assertEquals("", client.readToEnd());
            loop.turn();
            assertFalse(event.isOpen());
            assertNotEquals(null, event.toString());
        }
    }

    @Test
    void aConnectionThatIsTakenOverMayBeClosedRightAfterItsServer() throws Exception {
        BlockingQueue<BufferEvent> taken = new LinkedBlockingQueue<>();
        serve(exchange -> taken.add(exchange.takeOver(101)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(101, Message.head(client.in()).status());
            loop.call(() -> {
                http.close();
                taken.take().close(); // both are freed later, in this order
                return null;
            });
            assertEquals("", client.readToEnd());
        }
    }
}
