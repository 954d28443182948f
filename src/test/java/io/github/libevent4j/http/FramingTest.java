package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.LoopThread;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where a message's body ends, for both sides the same place, in the cases that libevent leaves to its caller. */
class FramingTest extends LibeventTest {

    /** Sends these pieces one after the other, and ends. */
    private static void send(ChunkedReply reply, List<String> pieces) {
        if (pieces.isEmpty()) {
            reply.end();
        } else {
            reply.send(pieces.get(0).getBytes(UTF_8)).thenRun(() -> send(reply, pieces.subList(1, pieces.size())));
        }
    }

    /** Serves on the loop, and returns where. */
    private static String serve(LoopThread loop, HttpHandler handler) throws Exception {
        return loop.call(() -> {
            HttpServer http = HttpServer.newBuilder(loop.base()).allowAllMethods().build();
            http.onRequest(handler);
            return "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
        });
    }

    @Test
    void aChunkedReplyToHeadEndsWithoutItsPieces() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            Queue<CompletableFuture<Void>> completions = new ConcurrentLinkedQueue<>();
            String url = serve(loop, exchange -> {
                ChunkedReply reply = exchange.header("Content-Length", "6").start(200);
                completions.add(reply.completion());
                send(reply, List.of("one", "", "two"));
            });
            Curl.Reply head = Curl.get("--head", url, "--next", "--head", url); // on one connection
            assertEquals(200, head.status());
            assertEquals("6", head.header("Content-Length"));
            assertEquals("one" + "two", Curl.get(url).text());
            assertEquals(3, completions.size());
            LoopThread.await(completions.element()); // the connection went on; after the other two the client may leave before their end
        }
    }

    @Test
    void whatAPieceGoesOnToDoMayFinishTheOthers() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            Queue<CompletableFuture<Void>> sent = new ConcurrentLinkedQueue<>();
            String url = serve(loop, exchange -> {
                ChunkedReply reply = exchange.header("Content-Length", "6").start(200);
                sent.add(reply.send("one".getBytes(UTF_8)).thenRun(reply::end));
                sent.add(reply.send("two".getBytes(UTF_8)));
            });
            assertEquals("onetwo", Curl.get(url).text());
            assertEquals(2, sent.size());
            for (CompletableFuture<Void> piece : sent) {
                LoopThread.await(piece);
            }
        }
    }

    /** Old clients know no chunks; the connection's end is all that can end such a body. */
    @Test
    void aReplyInPiecesToHttp10EndsWithTheConnection() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            String url = serve(loop, exchange -> send(exchange.start(200), List.of("one", "two")));
            Curl.Reply reply = Curl.get("--http1.0", "--header", "Connection: keep-alive", url);
            assertEquals("onetwo", reply.text());
            assertNull(reply.header("Content-Length"));
            assertNull(reply.header("Transfer-Encoding"));
        }
    }

    @Test
    void aRefusalOfConnectTellsItsLength() throws Exception {
        try (LoopThread loop = new LoopThread()) {
            AtomicReference<HttpUri> target = new AtomicReference<>();
            String url = serve(loop, exchange -> {
                target.set(exchange.uri());
                exchange.reply(405, "no proxy");
            });
            assertEquals("no proxy", Curl.get("--request", "CONNECT", "--request-target", "[::1]:443", url).text());
            assertEquals("[::1]", target.get().host().orElseThrow());
            assertEquals(443, target.get().port());
            assertEquals("[::1]:443", target.get().toString());
        }
    }

    @ParameterizedTest
    @EnumSource(value = HttpMethod.class, names = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    void everyRequestTellsTheLengthOfItsBody(HttpMethod method) throws Exception {
        try (EventBase base = EventBase.create();
             HttpServer http = HttpServer.newBuilder(base).allowAllMethods().build()) {
            List<byte[]> bodies = new ArrayList<>();
            List<List<String>> lengths = new ArrayList<>();
            http.onRequest(exchange -> {
                bodies.add(exchange.body());
                lengths.add(exchange.headers().all("Content-Length"));
                exchange.reply(204);
            });
            try (HttpConnection connection = HttpConnection.create(base, "127.0.0.1", http.bind("127.0.0.1", 0).getPort())) {
                byte[] body = "GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8);
                HttpRequest request = HttpRequest.newBuilder("/").method(method, body).build();
                connection.send(request);
                connection.send(request).whenComplete((response, failure) -> base.stop());
                base.dispatch();
                assertEquals(2, bodies.size());
                assertArrayEquals(body, bodies.get(0));
                assertArrayEquals(body, bodies.get(1));
                assertEquals(List.of(List.of("18"), List.of("18")), lengths);
            }
        }
    }
}
