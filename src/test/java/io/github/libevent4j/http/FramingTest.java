package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Loops;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

    @Test
    void aChunkedReplyToHeadEndsWithoutItsPieces() throws Exception {
        try (EventBase base = EventBase.create(); HttpServer http = HttpServer.create(base)) {
            List<CompletableFuture<Void>> completions = new ArrayList<>();
            http.onRequest(exchange -> {
                ChunkedReply reply = exchange.header("Content-Length", "6").start(200);
                completions.add(reply.completion());
                send(reply, List.of("one", "", "two"));
            });
            String url = "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
            Curl.Reply head = Loops.runWhile(base, () -> {
                Curl.Reply reply = Curl.get("--head", url, "--next", "--head", url); // on one connection
                assertEquals("one" + "two", Curl.get(url).text());
                return reply;
            });
            assertEquals(200, head.status());
            assertEquals("6", head.header("Content-Length"));
            assertEquals(3, completions.size());
            completions.get(0).join(); // the connection went on; after the other two the client may leave before their end
        }
    }

    @Test
    void whatAPieceGoesOnToDoMayFinishTheOthers() throws Exception {
        try (EventBase base = EventBase.create(); HttpServer http = HttpServer.create(base)) {
            List<Exception> failures = new ArrayList<>();
            base.onException(failures::add);
            List<CompletableFuture<Void>> sent = new ArrayList<>();
            http.onRequest(exchange -> {
                ChunkedReply reply = exchange.header("Content-Length", "6").start(200);
                sent.add(reply.send("one".getBytes(UTF_8)).thenRun(reply::end));
                sent.add(reply.send("two".getBytes(UTF_8)));
            });
            String url = "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
            assertEquals("onetwo", Loops.runWhile(base, () -> Curl.get(url)).text());
            assertEquals(List.of(), failures);
            sent.forEach(CompletableFuture::join);
        }
    }

    /** Old clients know no chunks; the connection's end is all that can end such a body. */
    @Test
    void aReplyInPiecesToHttp10EndsWithTheConnection() throws Exception {
        try (EventBase base = EventBase.create(); HttpServer http = HttpServer.create(base)) {
            http.onRequest(exchange -> send(exchange.start(200), List.of("one", "two")));
            String url = "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
            Curl.Reply reply = Loops.runWhile(base, () -> Curl.get("--http1.0", "--header", "Connection: keep-alive", url));
            assertEquals("onetwo", reply.text());
            assertNull(reply.header("Content-Length"));
            assertNull(reply.header("Transfer-Encoding"));
        }
    }

    @Test
    void aRefusalOfConnectTellsItsLength() throws Exception {
        try (EventBase base = EventBase.create(); HttpServer http = HttpServer.newBuilder(base).allowAllMethods().build()) {
            AtomicReference<HttpUri> target = new AtomicReference<>();
            http.onRequest(exchange -> {
                target.set(exchange.uri());
                exchange.reply(405, "no proxy");
            });
            String url = "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
            Curl.Reply reply = Loops.runWhile(base, () -> Curl.get("--request", "CONNECT", "--request-target", "[::1]:443", url));
            assertEquals("no proxy", reply.text());
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
