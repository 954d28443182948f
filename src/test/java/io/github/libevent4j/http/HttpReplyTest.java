package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Replies of which evhttp does not write the head are those that it would write. */
class HttpReplyTest extends HttpTest {

    private static final Map<String, HttpHandler> REPLIES = new TreeMap<>();
    private static final String[] REQUESTS = {
        "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        "GET %s HTTP/1.1\r\nHost: x\r\nConnection: CLOSE\r\n\r\n",
        "GET http://x%s HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET %s HTTP/1.0\r\n\r\n",
        "GET %s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET %s HTTP/1.2\r\nHost: x\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
        "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody",
        "OPTIONS %s HTTP/1.1\r\nHost: x\r\nUpgrade: other\r\n\r\n",
    };

    static {
        for (int status : new int[] {200, 201, 206, 299, 301, 404, 418, 500, 599, 600, 999}) {
            REPLIES.put("/" + status, exchange -> exchange.reply(status, bytes(13)));
        }
        for (int length : new int[] {0, 1, 1000, 16_384, 16_385, 18_000, 18_432, 100_000}) {
            REPLIES.put("/array" + length, exchange -> exchange.reply(200, bytes(length)));
            REPLIES.put("/direct" + length, exchange ->
                exchange.reply(200, ByteBuffer.allocateDirect(length + 7).position(7).put(bytes(length)).position(7)));
            REPLIES.put("/part" + length, exchange -> exchange.reply(200, ByteBuffer.wrap(bytes(length + 9), 5, length)));
            REPLIES.put("/buffer" + length, exchange -> {
                try (Buffer body = exchange.takeBody()) {
                    body.drain(body.length());
                    body.add(bytes(length));
                    exchange.reply(200, body);
                    assertEquals(0, body.length());
                }
            });
        }
        REPLIES.put("/reason", exchange -> exchange.reason("As it is").reply(200, bytes(3)));
        REPLIES.put("/empty", exchange -> exchange.reason("").reply(200, bytes(3)));
        for (String header : List.of("X: y", "Content-Type: a/b", "content-TYPE: a/b", "Date: now", "connection: close",
                "Connection: keep-alive", "Content-length: 3", "Expect: 100-continue", "Proxy-Connection: close", "X:", "Content-Types: none")) {
            REPLIES.put("/header/" + header.replace(' ', '_'), exchange -> exchange.header("A", "1")
                .header(header.split(":")[0], header.split(":", 2)[1].trim()).header("B", "\u00e9 2").header("A", "3").reply(200, bytes(3)));
        }
        REPLIES.put("/chunks", exchange -> exchange.header("transfer-encoding", "chunked")
            .reply(200, "1\r\nx\r\n0\r\n\r\n".getBytes(ISO_8859_1)));
        for (int i : new int[] {100, 1000, 2000, 3000}) { // with the rest of the head, more than a head has room
            REPLIES.put("/long" + i, exchange -> exchange.header("Long", "l".repeat(i)).reply(200, bytes(16_384)));
        }
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        IntStream.range(0, length).forEach(i -> bytes[i] = (byte) (i * 7));
        return bytes;
    }

    static Stream<String> requests() {
        return Arrays.stream(REQUESTS);
    }

    private record Seen(String startLine, List<String> headers, byte[] body) {
        static Seen of(Message message) {
            return new Seen(message.startLine(), message.headers().stream()
                .map(header -> header.startsWith("Date: ") && header.endsWith(" GMT") ? "Date" : header).toList(), message.body());
        }
    }

    /** The reply, and whether the connection lives on. */
    private static Seen seen(InetSocketAddress address, String request) throws IOException {
        try (RawClient client = RawClient.to(address)) {
            Message message = client.send(request).response();
            while (message.status() == 100) {
                message = client.response();
            }
            client.send("GET /200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            String next = client.readToEnd();
            Seen seen = Seen.of(message);
            return new Seen(seen.startLine() + (next.isEmpty() ? "" : " and on"), seen.headers(), seen.body());
        }
    }

    @ParameterizedTest
    @MethodSource("requests")
    void areWhatEvhttpWouldSend(String request) throws Exception {
        HttpHandler handler = exchange -> REPLIES.get(exchange.uri().path()).handle(exchange);
        serve(builder -> builder.exact().defaultContentType("text/some"), handler);
        InetSocketAddress exact = address;
        serve(builder -> builder.defaultContentType("text/some"), handler);
        for (int round = 0; round < 2; round++) { // evhttp is asked for its phrase once
            for (String path : REPLIES.keySet()) {
                Seen expected = seen(exact, String.format(request, path)), actual = seen(address, String.format(request, path));
                assertEquals(expected.startLine(), actual.startLine(), path);
                assertEquals(expected.headers(), actual.headers(), path);
                assertArrayEquals(expected.body(), actual.body(), path);
            }
        }
    }

    @Test
    void haveNoTypeThatNobodyGives() throws Exception {
        serve(exchange -> exchange.reply(200, bytes(1)));
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                assertNull(client.get("/").header("Content-Type"));
            }
        }
    }

    /** One after the other, without reading what comes, until one has not gone out to its end. */
    private int fill(RawClient client, BlockingQueue<Boolean> replied) throws Exception {
        for (int requests = 1; ; requests++) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            replied.take();
            if (loop.call(http::activeRequests) > 0) {
                return requests;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 16_000})
    void goOutToTheirEndWhenTheClientIsSlow(int length) throws Exception {
        BlockingQueue<Boolean> replied = new LinkedBlockingQueue<>();
        serve(exchange -> {
            exchange.reply(200, bytes(length));
            replied.add(true);
        });
        try (RawClient client = RawClient.slowlyTo(address)) {
            for (int i = 0; i < 3; i++) {
                for (int left = fill(client, replied); left > 0; left--) {
                    assertArrayEquals(bytes(length), client.response().body());
                }
                assertEquals(0, loop.call(http::activeRequests));
            }
            int left = fill(client, replied);
            long completed = loop.call(http::stats).completedRequests();
            client.reset();
            while (loop.call(http::connections) > 0) {
                Thread.onSpinWait();
            }
            assertEquals(completed, loop.call(http::stats).completedRequests(), left + " replies");
            assertEquals(1, loop.call(http::stats).abortedRequests());
            assertEquals(0, loop.call(http::activeRequests));
        }
    }

    @Test
    void areGivenUpWhenTheClientTakesNothingForTheTimeout() throws Exception {
        BlockingQueue<Boolean> replied = new LinkedBlockingQueue<>();
        serve(builder -> builder.timeout(Duration.ofMillis(200)), exchange -> {
            exchange.reply(200, bytes(16_000));
            replied.add(true);
        });
        try (RawClient client = RawClient.slowlyTo(address)) {
            fill(client, replied);
            while (loop.call(http::connections) > 0) {
                Thread.onSpinWait();
            }
            assertEquals(1, loop.call(http::stats).abortedRequests());
        }
    }

    /** The timeout is not for a handler. */
    @Test
    void mayTakeLongerThanTheTimeoutToCome() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(builder -> builder.timeout(Duration.ofMillis(30)), exchange -> {
            if (exchange.rawUri().equals("/deferred")) {
                deferred.add(exchange.defer());
            } else {
                exchange.reply(200);
            }
        });
        try (RawClient waiting = connect()) {
            waiting.send("GET /deferred HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            for (int i = 0; i < 3; i++) { // each for longer than the timeout
                try (RawClient inactive = connect()) {
                    assertEquals("", inactive.readToEnd());
                }
            }
            exchange.reply(200, "late".getBytes(ISO_8859_1));
            assertEquals("late", waiting.response().text());
            assertEquals("", waiting.readToEnd()); // inactive from now on
        }
    }

    /** What is busy is not closed, however long it lives. */
    @Test
    void keepTheirConnectionActive() throws Exception {
        serve(builder -> builder.timeout(Duration.ofMillis(500)), exchange -> exchange.reply(200));
        try (RawClient busy = connect(); RawClient inactive = connect()) {
            while (inactive.socket().getInputStream().available() == 0 && loop.call(http::connections) == 2) {
                assertEquals(200, busy.get("/").status());
            }
            assertEquals("", inactive.readToEnd());
            assertEquals(200, busy.get("/").status());
        }
    }
}
