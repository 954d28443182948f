package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpExchangeTest extends HttpTest {

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> left = new LinkedBlockingQueue<>(); // in a buffer behind its reply

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    // ---- the request

    @Test
    void showsTheRequestAsItCame() throws Exception {
        serve(exchange -> {
            assertEquals(HttpMethod.PUT, exchange.method());
            assertEquals("/a%20b?q=%C3%A9&q=+&flag#part", exchange.rawUri());
            assertEquals("HTTP/1.0", exchange.version());
            assertEquals(4, exchange.bodyLength());
            Headers headers = exchange.headers();
            List<Map.Entry<String, String>> lines = new ArrayList<>();
            headers.iterator().forEachRemaining(lines::add);
            assertEquals(List.of(Map.entry("B", "1"), Map.entry("a", "x  y"), Map.entry("b", "2"), Map.entry("Content-Length", "4"),
                Map.entry("Empty", ""), Map.entry("Latin", "\u00e9")), lines);
            assertEquals("/a%20b", exchange.uri().path());
            assertEquals("q=%C3%A9&q=+&flag", exchange.uri().query().orElseThrow());
            assertEquals(List.of(Map.entry("q", "\u00e9"), Map.entry("q", " "), Map.entry("flag", "")),
                exchange.uri().queryParameters());
            assertSame(exchange.uri(), exchange.uri());
            assertSame(exchange.headers(), headers);
            exchange.reply(200);
        });
        assertEquals(200, exchange("PUT /a%20b?q=%C3%A9&q=+&flag#part HTTP/1.0\r\nB: 1\r\na:   x  y \t \r\nb: 2\r\n"
            + "Content-Length: 4\r\nEmpty:\r\nLatin: \u00e9\r\n\r\nbody").status());
    }

    @Test
    void anAbsoluteTargetIsTakenApart() throws Exception {
        serve(exchange -> {
            assertEquals("http://u@Host:8080/p?q", exchange.rawUri());
            assertEquals("http", exchange.uri().scheme().orElseThrow());
            assertEquals("u", exchange.uri().userInfo().orElseThrow());
            assertEquals("Host", exchange.uri().host().orElseThrow());
            assertEquals(8080, exchange.uri().port());
            assertEquals("/p", exchange.uri().path());
            assertEquals("Host", exchange.host().orElseThrow());
            exchange.reply(200);
        });
        assertEquals(200, exchange("GET http://u@Host:8080/p?q HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n").status());
    }

    @Test
    void oneHeaderIsFoundAsAmongAll() throws Exception {
        String long1 = "v".repeat(3000); // longer than what is there for one at first
        String name = "n".repeat(256);
        List<String> names = List.of("a", "A", "b", "Latin", "Empty", "Long", name, name + "n", "x", "Host", "", "a\0", "\u0100", "\u212a", "k",
            "H\u00f6st", "Hos", "Hostt");
        BlockingQueue<List<Optional<String>>> found = new LinkedBlockingQueue<>();
        serve(exchange -> {
            List<Optional<String>> one = names.stream().map(exchange::firstHeader).toList();
            assertEquals(4, exchange.bodyLength());
            exchange.takeBody().close();
            assertThrows(NullPointerException.class, () -> exchange.firstHeader(null));
            assertEquals(names.stream().map(exchange.headers()::first).toList(), one);
            assertEquals(one, names.stream().map(exchange::firstHeader).toList());
            assertEquals(4, exchange.bodyLength());
            assertEquals("/target", exchange.rawUri());
            found.add(one);
            CompletableFuture.runAsync(() -> assertThrows(IllegalStateException.class, () -> exchange.firstHeader("a"))).join();
            deferred.add(exchange.defer());
        });
        try (RawClient client = connect()) {
            client.send("POST /target HTTP/1.1\r\nHost: h\r\nA: 1\r\na: 2\r\nLatin: \u00e9\r\nEmpty:\r\nLong: " + long1 + "\r\n" + name
                + ": 3\r\n" + name + "n: 4\r\nK: 5\r\nContent-Length: 4\r\n\r\nbody");
            HttpExchange exchange = deferred.take();
            assertEquals(List.of("1", "1", "\u00e9", "", long1, "3", "4", "h"), found.take().subList(0, 10).stream().flatMap(Optional::stream).toList());
            assertEquals(Optional.of("1"), exchange.firstHeader("a"));
            assertEquals(Optional.empty(), exchange.firstHeader("b"));
            exchange.reply(200);
            assertThrows(IllegalStateException.class, () -> exchange.firstHeader("a"));
            assertEquals(200, client.response().status());
        }
    }

    @Test
    void headersAreThereWhenTheHandlerHasClosedItsServer() throws Exception {
        BlockingQueue<String> found = new LinkedBlockingQueue<>();
        serve(exchange -> {
            http.close();
            found.add(exchange.firstHeader("Host").orElseThrow());
            found.add(exchange.headers().first("Host").orElseThrow());
            exchange.reply(200);
        });
        try (RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) {
            assertEquals("a", found.take());
            assertEquals("a", found.take());
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void headersOfAnySizeComeBehindTheirHead() throws Exception {
        String value = "v".repeat(100_000);
        serve(builder -> builder.maxHeadersSize(200_000), exchange -> {
            assertEquals("/target", exchange.rawUri());
            assertEquals(value, exchange.headers().first("Long").orElseThrow());
            assertEquals("/target", exchange.rawUri());
            assertEquals(address.getAddress(), exchange.remoteAddress().getAddress());
            exchange.reply(200);
        });
        assertEquals(200, exchange("GET /target HTTP/1.1\r\nHost: a\r\nLong: " + value + "\r\n\r\n").status());
    }

    @Test
    void hostComesFromTheTargetOrTheHeader() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.host().orElse("none")));
        assertEquals("a", exchange("GET / HTTP/1.1\r\nHost: a:80\r\n\r\n").text());
        assertEquals("[::1]", exchange("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").text());
        assertEquals("none", exchange("GET / HTTP/1.0\r\n\r\n").text());
    }

    @Test
    void theClientsAddressIsTheSocketsOwn() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.remoteAddress().toString()));
        try (RawClient client = connect()) {
            assertEquals(client.socket().getLocalSocketAddress().toString(), client.get("/").text());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 4096, 100_000, 5_000_000})
    void theBodyIsThereAsBytesAndAsBuffer(int length) throws Exception {
        byte[] body = random(length);
        serve(exchange -> {
            ByteBuffer before = exchange.bodyBuffer();
            assertTrue(before.isDirect());
            assertEquals(ByteBuffer.wrap(body), before);
            assertArrayEquals(body, exchange.body());
            assertSame(exchange.body(), exchange.body());
            assertEquals(ByteBuffer.wrap(body), exchange.bodyBuffer());
            assertEquals(length, exchange.bodyLength());
            exchange.reply(200);
        });
        try (RawClient client = connect()) {
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n").send(body);
            assertEquals(200, client.response().status());
            client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int at = 0; at < length; at += 40_000) {
                int size = Math.min(40_000, length - at);
                client.send(Integer.toHexString(size) + "\r\n").send(Arrays.copyOfRange(body, at, at + size)).send("\r\n");
            }
            assertEquals(200, client.send("0\r\n\r\n").response().status());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 4096, 20_000, 100_000, 5_000_000})
    void aBodyIsTakenAndSentBackWithoutACopy(int length) throws Exception {
        byte[] body = random(length);
        serve(exchange -> {
            if (exchange.rawUri().equals("/read")) {
                assertArrayEquals(body, exchange.body());
            }
            try (Buffer taken = exchange.takeBody()) {
                assertEquals(length, taken.length());
                assertEquals(length, exchange.bodyLength());
                assertTrue(assertThrows(IllegalStateException.class, exchange::takeBody).getMessage().contains("has been taken"));
                assertThrows(IllegalStateException.class, exchange::body);
                assertThrows(IllegalStateException.class, exchange::bodyBuffer);
                exchange.reply(200, taken);
                left.add(taken.length());
            }
        });
        try (RawClient client = connect()) {
            for (String target : List.of("/", "/read")) {
                client.send("POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n").send(body);
                assertArrayEquals(body, client.response().body());
                assertEquals(0, left.take());
                client.send("POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
                for (int at = 0; at < length; at += 40_000) {
                    int size = Math.min(40_000, length - at);
                    client.send(Integer.toHexString(size) + "\r\n").send(Arrays.copyOfRange(body, at, at + size)).send("\r\n");
                }
                assertArrayEquals(body, client.send("0\r\n\r\n").response().body());
                assertEquals(0, left.take());
            }
        }
    }

    @Test
    void aTakenBodyOutlivesItsExchange() throws Exception {
        CompletableFuture<Buffer> kept = new CompletableFuture<>();
        serve(exchange -> {
            kept.complete(exchange.takeBody());
            exchange.reply(200);
        });
        assertEquals(200, exchange("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody").status());
        Buffer body = kept.get(10, TimeUnit.SECONDS);
        assertEquals("body", new String(loop.call(body::removeAll), ISO_8859_1));
        loop.call(() -> {
            body.close();
            return null;
        });
    }

    @Test
    void aDeferredExchangeHasItsBodyStillToBeTaken() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
            HttpExchange exchange = deferred.take();
            assertTrue(assertThrows(IllegalStateException.class, exchange::takeBody).getMessage().contains("execute()"));
            loop.call(() -> {
                try (Buffer body = exchange.takeBody()) {
                    exchange.reply(200, body);
                }
                return null;
            });
            assertEquals("body", client.response().text());
        }
    }

    @Test
    void aDeferredExchangeWithoutItsBodyIsAnsweredElsewhere() throws Exception {
        serve(exchange -> {
            try (Buffer body = exchange.takeBody()) {
                exchange.defer();
                byte[] bytes = body.removeAll();
                CompletableFuture.runAsync(() -> exchange.reply(200, bytes));
            }
        });
        assertEquals("body", exchange("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody").text());
    }

    @Test
    void aBufferThatCannotBeEmptiedIsNoReply() throws Exception {
        try (EventBase other = EventBase.create(); Buffer elsewhere = Buffer.create(other).add("text")) {
            serve(exchange -> {
                try (Buffer frozen = Buffer.create(loop.base()).add("text"); Buffer closed = Buffer.create(loop.base())) {
                    closed.close();
                    frozen.freeze(Buffer.End.START);
                    assertThrows(IllegalStateException.class, () -> exchange.reply(200, closed));
                    assertThrows(IllegalStateException.class, () -> exchange.reply(200, frozen));
                    assertThrows(IllegalArgumentException.class, () -> exchange.reply(200, elsewhere));
                    assertThrows(IllegalArgumentException.class, () -> exchange.reply(99, frozen));
                    assertThrows(NullPointerException.class, () -> exchange.reply(200, (Buffer) null));
                    frozen.unfreeze(Buffer.End.START);
                    exchange.reply(200, frozen);
                    frozen.add("text");
                    assertThrows(IllegalStateException.class, () -> exchange.reply(200, frozen));
                    left.add(frozen.length());
                }
            });
            assertEquals("text", get("/").text());
            assertEquals(4, left.take());
            assertEquals(4, elsewhere.length());
        }
    }

    @Test
    void aReplyWithoutABodyLeavesNoneInTheBuffer() throws Exception {
        serve(exchange -> {
            try (Buffer buffer = Buffer.create(loop.base()).add("text")) {
                exchange.reply(exchange.method() == HttpMethod.HEAD ? 200 : 204, buffer);
                left.add(buffer.length());
            }
        });
        try (RawClient client = connect()) {
            client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            String all = client.readToEnd();
            assertTrue(all.contains("Content-Length: 4\r\n"), all);
            assertTrue(all.contains("HTTP/1.1 204 No Content\r\n"), all);
            assertFalse(all.contains("text"), all);
            assertEquals(0, left.take());
            assertEquals(0, left.take());
        }
    }

    @Test
    void theListenerOfAReplysBufferMayCloseIt() throws Exception {
        serve(exchange -> {
            Buffer buffer = Buffer.create(loop.base()).add("text");
            buffer.onChange((before, added, deleted) -> buffer.close());
            exchange.reply(200, buffer);
            left.add(buffer.isOpen() ? 1L : 0L);
        });
        assertEquals("text", get("/").text());
        assertEquals(0, left.take());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLargeReplyIsWhatItWasWhenItWasGiven(boolean direct) throws Exception {
        byte[] body = random(8_000_000);
        serve(exchange -> {
            if (direct) {
                ByteBuffer bytes = ByteBuffer.allocateDirect(body.length + 10).position(5).put(body).flip().position(5);
                exchange.reply(200, bytes);
                assertEquals(5, bytes.position());
                while (bytes.hasRemaining()) {
                    bytes.put((byte) 0);
                }
            } else {
                byte[] bytes = new byte[body.length + 10];
                System.arraycopy(body, 0, bytes, 5, body.length);
                exchange.reply(200, ByteBuffer.wrap(bytes, 5, body.length));
                Arrays.fill(bytes, (byte) 0);
            }
        });
        try (RawClient client = RawClient.slowlyTo(address); RawClient other = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertArrayEquals(body, other.get("/").body()); // the first of the slow client's is under way by now
            Message answer = client.response();
            assertArrayEquals(body, answer.body());
            assertArrayEquals(body, client.response().body());
            assertEquals(String.valueOf(body.length), answer.header("Content-Length"));
        }
        HttpStats stats = statsWhenDone(3);
        assertEquals(3, stats.completedRequests());
        assertTrue(stats.sentBytes() - 3L * body.length < 1000, "more than was sent has been counted");
    }

    @Test
    void aLargeReplyGoesBehindThoseBeforeIt() throws Exception {
        byte[] body = random(100_000);
        AtomicInteger released = new AtomicInteger();
        serve(exchange -> {
            if (exchange.rawUri().equals("/large")) {
                exchange.reply(200, body);
            } else {
                try (Buffer buffer = Buffer.create(loop.base())) {
                    exchange.reply(200, buffer.addReference(ByteBuffer.allocateDirect(4).putInt(0x74657874).flip(), released::incrementAndGet));
                }
            }
        });
        try (RawClient client = connect()) {
            String small = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
            client.send(small + small + small.replace("/ ", "/large ") + small.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
            assertEquals("text", client.response().text());
            assertEquals("text", client.response().text());
            assertArrayEquals(body, client.response().body());
            assertEquals("text", client.response().text());
            assertEquals("", client.readToEnd());
        }
        loop.call(() -> null); // what was released is told on the loop's next turn
        assertEquals(3, loop.call(released::get));
    }

    // ---- replies

    @Test
    void repliesWithWhateverHoldsBytes() throws Exception {
        byte[] body = "0123456789".getBytes(ISO_8859_1);
        ByteBuffer direct = ByteBuffer.allocateDirect(10).put(body).flip();
        Map<String, Consumer<HttpExchange>> replies = Map.of(
            "/bytes", exchange -> exchange.reply(200, Arrays.copyOfRange(body, 2, 8)),
            "/text", exchange -> exchange.reply(200, "234567"),
            "/heap", exchange -> exchange.reply(200, ByteBuffer.wrap(body, 2, 6)),
            "/slice", exchange -> exchange.reply(200, ByteBuffer.wrap(body, 1, 8).slice().position(1).limit(7)),
            "/readonly", exchange -> exchange.reply(200, ByteBuffer.wrap(body, 2, 6).asReadOnlyBuffer()),
            "/direct", exchange -> {
                ByteBuffer part = direct.duplicate().position(2).limit(8);
                exchange.reply(200, part);
                assertEquals(2, part.position());
                assertEquals(8, part.limit());
            },
            "/readonlydirect", exchange -> exchange.reply(200, direct.asReadOnlyBuffer().position(2).limit(8)));
        serve(exchange -> replies.get(exchange.rawUri()).accept(exchange));
        try (RawClient client = connect()) {
            for (String target : replies.keySet()) {
                Message answer = client.get(target);
                assertEquals("234567", answer.text(), target);
                assertEquals("6", answer.header("Content-Length"), target);
                assertEquals(target.equals("/text") ? "text/plain; charset=utf-8" : null, answer.header("Content-Type"), target);
            }
        }
    }

    @Test
    void textIsUtf8() throws Exception {
        serve(exchange -> {
            if (exchange.rawUri().equals("/typed")) {
                exchange.header("CONTENT-TYPE", "application/json");
            }
            exchange.reply(200, "\u00e9\u65e5");
        });
        assertEquals("\u00e9\u65e5", new String(get("/").body(), UTF_8));
        assertEquals("application/json", get("/typed").header("Content-Type"));
    }

    @Test
    void anEmptyReplyTellsItsLength() throws Exception {
        serve(exchange -> exchange.reply(201));
        Message answer = get("/");
        assertEquals("HTTP/1.1 201 Created", answer.startLine());
        assertEquals("0", answer.header("Content-Length"));
        assertTrue(answer.header("Date").endsWith("GMT"));
    }

    /** Headers that are the same objects as the last reply's are not written again: whatever comes between, each reply has its own. */
    @Test
    void eachReplyHasItsOwnHeaders() throws Exception {
        String[] names = "A B C D E F G H I J".split(" ");
        serve(exchange -> {
            String uri = exchange.rawUri().substring(1);
            if (uri.equals("defer")) {
                deferred.add(exchange.header("A", "deferred").defer().header("B", "deferred"));
                return;
            }
            for (char c : uri.toCharArray()) {
                switch (c) {
                    case '!' -> throw new IllegalArgumentException("a handler's");
                    case '.' -> exchange.reason("Fine");
                    case '+' -> exchange.header("A", "other");
                    case '?' -> deferred.remove().reply(201);
                    default -> exchange.header(names[c - 'A'], "same");
                }
            }
            exchange.reply(200, new byte[0]);
        });
        loop.base().onException(e -> assertEquals("a handler's", e.getMessage()));
        try (RawClient client = connect(); RawClient waiting = connect()) {
            for (String uri : "AB AB AC AB A AB  AB B ABCDEFGHIJ ABCDEFGHIJ AB AB. AB. AB A+ A+ AB AB! AB AB".split(" ")) {
                Message reply = client.get("/" + uri);
                assertEquals(uri.contains("!") ? 500 : 200, reply.status(), uri);
                assertEquals(uri.contains("."), reply.startLine().endsWith(" Fine"), uri);
                assertEquals(uri.contains("!") ? List.of() : own(uri), own(reply), uri);
            }
            for (String uri : List.of("AB", "?AB", "AB", "A?B", "AB?", "AB")) {
                if (uri.contains("?")) {
                    waiting.send("GET /defer HTTP/1.1\r\nHost: a\r\n\r\n");
                    deferred.add(deferred.take()); // it is there
                }
                assertEquals(own(uri), own(client.get("/" + uri)), uri);
                if (uri.contains("?")) {
                    assertEquals(List.of("A: deferred", "B: deferred"), own(waiting.response()));
                }
            }
        }
    }

    private static List<String> own(String uri) {
        return uri.chars().filter(c -> c != '.' && c != '?').mapToObj(c -> c == '+' ? "A: other" : (char) c + ": same").toList();
    }

    private static List<String> own(Message reply) {
        return reply.headers().stream().filter(line -> line.indexOf(':') == 1).toList();
    }

    @Test
    void headersComeInOrderWithDuplicates() throws Exception {
        serve(exchange -> exchange.header("B", "1").header("a", "2").header("b", "").header("Latin", "\u00e9").reason("\u00c9tat d'or")
            .reply(299));
        Message answer = get("/");
        assertEquals("HTTP/1.1 299 \u00c9tat d'or", answer.startLine());
        assertEquals(List.of("B: 1", "a: 2", "b: ", "Latin: \u00e9"), answer.headers().subList(0, 4));
    }

    @Test
    void whatMayNotStandInAHeadIsRefusedBeforeAnythingIsSent() throws Exception {
        serve(exchange -> {
            for (String name : List.of("", "a b", "a:", "a\r", "a\n", "a\0", "\u00e9", "\u65e5", "(", "a\t")) {
                assertThrows(IllegalArgumentException.class, () -> exchange.header(name, "value"), name);
            }
            for (String text : List.of("a\r\nb: c", "a\n", "\r", "a\0b", "\u65e5")) {
                assertThrows(IllegalArgumentException.class, () -> exchange.header("Name", text), text);
                assertThrows(IllegalArgumentException.class, () -> exchange.reason(text), text);
            }
            for (int status : new int[] {99, 1000, 0, -200}) {
                assertThrows(IllegalArgumentException.class, () -> exchange.reply(status));
                assertThrows(IllegalArgumentException.class, () -> exchange.reply(status, "text"));
                assertThrows(IllegalArgumentException.class, () -> exchange.reply(status, ByteBuffer.allocate(1)));
                assertThrows(IllegalArgumentException.class, () -> exchange.replyError(status));
                assertThrows(IllegalArgumentException.class, () -> exchange.start(status));
            }
            assertThrows(NullPointerException.class, () -> exchange.header(null, "value"));
            assertThrows(NullPointerException.class, () -> exchange.header("Name", null));
            assertThrows(NullPointerException.class, () -> exchange.reply(200, (String) null));
            assertThrows(NullPointerException.class, () -> exchange.reply(200, (byte[]) null));
            exchange.reply(204);
        });
        Message answer = get("/");
        assertEquals("HTTP/1.1 204 No Content", answer.startLine());
        assertEquals(1, answer.headers().size(), () -> answer.headers().toString()); // Date
    }

    @Test
    void anErrorPageIsLibeventsOwn() throws Exception {
        serve(exchange -> {
            exchange.header("Dropped", "1");
            if (exchange.rawUri().equals("/reason")) {
                exchange.reason("\u00c9tat");
            }
            exchange.replyError(503);
        });
        try (RawClient client = connect()) {
            Message answer = client.get("/");
            assertEquals("HTTP/1.1 503 Service Unavailable", answer.startLine());
            assertEquals("text/html", answer.header("Content-Type"));
            assertNull(answer.header("Dropped"));
            assertTrue(answer.text().contains("<H1>Service Unavailable</H1>"), answer.text());
            assertEquals("", client.readToEnd());
        }
        assertEquals("HTTP/1.1 503 \u00c9tat", get("/reason").startLine());
    }

    @Test
    void aReplyThatMustNotHaveABodyHasNone() throws Exception {
        serve(exchange -> {
            int status = Integer.parseInt(exchange.rawUri().substring(2));
            switch (exchange.rawUri().charAt(1)) {
                case 'e' -> exchange.replyError(status);
                case 't' -> exchange.header("Content-Length", "99").reply(status, "body");
                default -> exchange.reply(status, "body");
            }
        });
        try (RawClient client = connect()) {
            for (String status : List.of("200", "404", "204", "304")) {
                client.send("HEAD /r" + status + " HTTP/1.1\r\nHost: x\r\n\r\n");
                Message answer = Message.head(client.in());
                assertEquals(status.equals("204") ? null : "4", answer.header("Content-Length"), status);
            }
            client.send("HEAD /t200 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("99", Message.head(client.in()).header("Content-Length"));
            assertEquals(204, client.get("/r204").status());
            assertEquals(304, client.get("/r304").status());
            assertEquals("body", client.get("/r200").text());
            client.send("HEAD /e500 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(500, Message.head(client.in()).status());
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void exactSendsTheBodyThatItIsGiven() throws Exception {
        serve(HttpServer.Builder::exact, exchange -> {
            if (exchange.rawUri().equals("/error")) {
                exchange.replyError(500);
            } else {
                exchange.reply(200, "body");
            }
        });
        try (RawClient client = connect()) {
            client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertNull(Message.head(client.in()).header("Content-Length"));
            assertEquals("body", client.readToEnd());
        }
        try (RawClient client = connect()) {
            client.send("HEAD /error HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(500, Message.head(client.in()).status());
            assertTrue(client.readToEnd().contains("<H1>"));
        }
    }

    @Test
    void keepAliveFollowsTheVersionAndTheHeaders() throws Exception {
        serve(exchange -> exchange.reply(200, "body"));
        for (String request : List.of("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
            try (RawClient client = connect()) {
                assertTrue(client.send(request).readToEnd().endsWith("\r\n\r\nbody"), request);
            }
        }
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                Message answer = client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").response();
                assertEquals("keep-alive", answer.header("Connection"));
                assertEquals("body", answer.text());
            }
        }
    }

    @Test
    void severalRequestsOfOneConnectionAreToldApart() throws Exception {
        serve(exchange -> exchange.header("X", exchange.rawUri()).reply(200, exchange.body()));
        try (RawClient client = connect()) {
            for (int i = 0; i < 50; i++) {
                byte[] body = random(i * 1000);
                client.send("POST /" + i + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n").send(body);
                Message answer = client.response();
                assertEquals("/" + i, answer.header("X"));
                assertArrayEquals(body, answer.body());
            }
        }
    }

    // ---- files

    @Test
    void repliesWithAPartOfAFile(@TempDir Path directory) throws Exception {
        byte[] content = random(3_000_000);
        Path file = Files.write(directory.resolve("file"), content);
        serve(exchange -> {
            String[] range = exchange.uri().path().substring(1).split("-");
            try (FileChannel channel = FileChannel.open(file)) {
                exchange.reply(200, channel, Long.parseLong(range[0]), Long.parseLong(range[1]));
            }
        });
        for (int[] range : new int[][] {{0, content.length}, {1, 10}, {4096, 8192}, {content.length - 1, 1}, {5, 0}, {content.length, 0}}) {
            Message answer = get("/" + range[0] + "-" + range[1]);
            assertArrayEquals(Arrays.copyOfRange(content, range[0], range[0] + range[1]), answer.body());
            assertEquals(range[1] + "", answer.header("Content-Length"));
        }
        try (RawClient client = connect()) {
            client.send("HEAD /0-" + content.length + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(content.length + "", Message.head(client.in()).header("Content-Length"));
            assertEquals(10, client.get("/7-10").body().length);
        }
    }

    @Test
    void aFilesPartIsCheckedFirst(@TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[10]);
        serve(exchange -> {
            try (FileChannel channel = FileChannel.open(file)) {
                for (long[] range : new long[][] {{-1, 1}, {0, -1}, {0, 11}, {11, 0}, {1, Long.MAX_VALUE}, {Long.MAX_VALUE, 1}}) {
                    assertThrows(IllegalArgumentException.class, () -> exchange.reply(200, channel, range[0], range[1]));
                }
                channel.close();
                assertThrows(IllegalStateException.class, () -> exchange.reply(200, channel, 0, 1));
            }
            try (FileChannel writeOnly = FileChannel.open(file, StandardOpenOption.WRITE)) {
                exchange.reply(200, writeOnly, 0, 10);
            }
        });
        try (RawClient client = connect()) { // what cannot be read breaks the connection, as it must
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertFalse(client.readToEnd().endsWith("\0"));
        }
    }

    @Test
    void aFilesDescriptorIsGivenBackWhateverBecomesOfTheReply(@TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[10]);
        serve(exchange -> deferred.add(exchange.defer()));
        try (FileChannel channel = FileChannel.open(file); RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            assertEquals(1, Kernel.descriptors(file));
            exchange.reply(200, channel, 0, 10);
            assertEquals(10, client.response().body().length);
            loop.turn();
            assertEquals(1, Kernel.descriptors(file));
            assertThrows(IllegalStateException.class, () -> exchange.reply(200, channel, 0, 10));

            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange late = deferred.take();
            http.close();
            assertEquals("", client.readToEnd());
            late.reply(200, channel, 0, 10);
            loop.turn();
            assertEquals(1, Kernel.descriptors(file));
        }
        assertEquals(0, Kernel.descriptors(file));
    }

    @Test
    void aFileThatShrinksBreaksTheReplyOff(@TempDir Path directory) throws Exception {
        int length = 20_000_000;
        Path file = Files.write(directory.resolve("file"), new byte[length]);
        CompletableFuture<CompletableFuture<Void>> completion = new CompletableFuture<>();
        serve(exchange -> {
            CompletableFuture<Void> ended = exchange.completion();
            try (FileChannel channel = FileChannel.open(file)) {
                exchange.reply(200, channel, 0, length);
            }
            completion.complete(ended);
        });
        try (RawClient client = RawClient.slowlyTo(address)) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            await(completion);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(length / 2);
            }
            assertTrue(client.readToEnd().length() < length);
        }
        CompletableFuture<Void> ended = await(completion);
        assertThrows(IOException.class, () -> await(ended));
    }

    // ---- later, and on other threads

    @Test
    void aDeferredExchangeIsAnsweredOnAnotherThread() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("POST /first HTTP/1.1\r\nHost: x\r\nA: b\r\nContent-Length: 4\r\n\r\nbody");
            HttpExchange first = deferred.take();
            loop.turn();
            try (RawClient other = connect()) { // overwrites the loop's head buffer
                other.send("PUT /" + "second".repeat(5000) + " HTTP/1.0\r\n\r\n");
                HttpExchange second = deferred.take();
                loop.turn();
                second.reply(200);
                assertEquals(200, other.response().status());
            }
            assertEquals(HttpMethod.POST, first.method());
            assertEquals("/first", first.rawUri());
            assertEquals("/first", first.uri().path());
            assertEquals("HTTP/1.1", first.version());
            assertEquals("b", first.headers().first("a").orElseThrow());
            assertEquals(((InetSocketAddress) client.socket().getLocalSocketAddress()).getPort(), first.remoteAddress().getPort());
            assertEquals(4, first.bodyLength());
            assertEquals("body", new String(first.body(), UTF_8));
            assertEquals("body", UTF_8.decode(first.bodyBuffer()).toString());
            byte[] reply = "reply".getBytes(UTF_8);
            first.header("X", "y").reply(200, reply);
            Arrays.fill(reply, (byte) 0); // it was copied
            Message answer = client.response();
            assertEquals("reply", answer.text());
            assertEquals("y", answer.header("X"));
        }
    }

    @Test
    void anExchangeThatIsNotDeferredBelongsToTheLoopsThread() throws Exception {
        serve(exchange -> {
            CompletableFuture<Void> tried = new CompletableFuture<>();
            new Thread(() -> {
                try {
                    for (Runnable use : List.<Runnable>of(exchange::method, exchange::rawUri, exchange::headers, exchange::body,
                        exchange::bodyBuffer, exchange::remoteAddress, exchange::defer, exchange::completion,
                        () -> exchange.header("a", "b"), () -> exchange.reply(200), () -> exchange.reply(200, "text"),
                        () -> exchange.replyError(500), () -> exchange.start(200))) {
                        IllegalStateException e = assertThrows(IllegalStateException.class, use::run);
                        assertTrue(e.getMessage().contains("stranger"), e.getMessage());
                        assertTrue(e.getMessage().contains("defer()"), e.getMessage());
                    }
                    tried.complete(null);
                } catch (Throwable e) {
                    tried.completeExceptionally(e);
                }
            }, "stranger").start();
            await(tried);
            exchange.reply(200);
        });
        assertServes();
    }

    @Test
    void anExchangeIsAnsweredOnce() throws Exception {
        serve(exchange -> {
            HttpExchange deferredOnce = exchange.rawUri().equals("/deferred") ? exchange.defer() : exchange;
            if (exchange.rawUri().equals("/deferred")) {
                assertThrows(IllegalStateException.class, exchange::defer);
            }
            deferredOnce.reply(200, "once");
            try (FileChannel none = null) {
                for (Runnable use : List.<Runnable>of(() -> exchange.reply(200), () -> exchange.reply(200, "again"),
                    () -> exchange.reply(200, new byte[1]), () -> exchange.reply(200, ByteBuffer.allocate(1)),
                    () -> exchange.replyError(500), () -> exchange.start(200), exchange::defer, exchange::method, exchange::rawUri,
                    exchange::uri, exchange::version, exchange::headers, exchange::host, exchange::remoteAddress,
                    exchange::bodyLength, exchange::body, exchange::bodyBuffer, exchange::completion,
                    () -> exchange.header("a", "b"), () -> exchange.reason("a"))) {
                    assertThrows(IllegalStateException.class, use::run);
                }
            }
        });
        assertEquals("once", get("/").text());
        assertEquals("once", get("/deferred").text());
    }

    @Test
    void aReplyOfAnotherThreadWaitsForTheLoop() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            exchange.reply(200);
            assertThrows(IllegalStateException.class, () -> exchange.reply(200));
            assertEquals(200, client.response().status());
        }
    }

    // ---- how it ends

    @Test
    void completionTellsWhenTheReplyIsSent() throws Exception {
        CompletableFuture<CompletableFuture<Void>> completion = new CompletableFuture<>();
        serve(exchange -> {
            CompletableFuture<Void> first = exchange.completion();
            assertSame(first, exchange.completion());
            exchange.reply(200, "body");
            assertSame(first, exchange.completion());
            completion.complete(first.thenRun(() -> assertSame(loop.thread(), Thread.currentThread())));
        });
        assertEquals("body", get("/").text());
        await(await(completion));
    }

    @Test
    void completionTellsWhenTheClientLeft() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        for (boolean reset : new boolean[] {false, true}) {
            RawClient client = connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> completion = exchange.completion();
            if (reset) {
                client.reset();
            } else {
                client.close();
            }
            exchange.reply(200, new byte[20_000_000]);
            IOException left = assertThrows(IOException.class, () -> await(completion));
            assertTrue(left.getMessage().contains("client left"), left.getMessage());
        }
        assertEquals(0, deferred.size());
    }

    @Test
    void completionTellsWhenTheServerWasClosed() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient first = connect(); RawClient second = connect()) {
            first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange unanswered = deferred.take();
            CompletableFuture<Void> unansweredCompletion = unanswered.completion();
            second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange answered = deferred.take();
            CompletableFuture<Void> answeredCompletion = answered.completion();
            answered.reply(200, new byte[20_000_000]);
            loop.turn();
            http.close();
            for (CompletableFuture<Void> completion : List.of(unansweredCompletion, answeredCompletion)) {
                IOException closed = assertThrows(IOException.class, () -> await(completion));
                assertTrue(closed.getMessage().contains("server was closed"), closed.getMessage());
            }
            CompletableFuture<Void> late = unanswered.completion();
            assertTrue(late.isCompletedExceptionally());
            unanswered.reply(200);
        }
    }

    @Test
    void completionThatIsAskedForAfterTheServerWasClosedFails() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            http.close();
            loop.turn();
            CompletableFuture<Void> completion = exchange.completion();
            assertThrows(IOException.class, () -> await(completion));
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void anExchangeOutlivesItsBase() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET /path HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            loop.close();
            assertEquals("/path", exchange.rawUri());
            assertEquals(0, exchange.body().length);
            CompletableFuture<Void> completion = exchange.completion();
            exchange.reply(200, "nobody listens");
            assertThrows(IOException.class, () -> await(completion));
            assertThrows(IllegalStateException.class, () -> exchange.reply(200));
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void aClientThatIsGoneMayStillBeAnswered() throws Exception {
        serve(exchange -> deferred.add(exchange.defer()));
        for (int i = 0; i < 10; i++) {
            connect().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").reset();
            deferred.take().reply(200, "too late");
        }
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            deferred.take().reply(200);
            assertEquals(200, client.response().status());
        }
    }

    // ---- handlers that fail

    @Test
    void aHandlerThatNeitherAnswersNorDefersGets500() throws Exception {
        serve(exchange -> {
            if (exchange.rawUri().equals("/forgotten")) {
                exchange.header("Dropped", "1").reason("Dropped");
            } else {
                exchange.reply(200);
            }
        });
        try (RawClient client = connect()) {
            Message answer = client.get("/forgotten");
            assertEquals("HTTP/1.1 500 Internal Server Error", answer.startLine());
            assertNull(answer.header("Dropped"));
            Exception told = loop.awaitException();
            assertEquals(IllegalStateException.class, told.getClass());
            assertTrue(told.getMessage().contains("/forgotten"), told.getMessage());
            assertTrue(told.getMessage().contains("defer()"), told.getMessage());
            assertEquals(200, client.get("/").status());
        }
    }

    @Test
    void aHandlersExceptionGets500AndIsToldOnce() throws Exception {
        IOException thrown = new IOException("thrown by the handler");
        serve(exchange -> {
            switch (exchange.rawUri()) {
                case "/before" -> throw thrown;
                case "/after" -> {
                    exchange.reply(202, "answered");
                    throw thrown;
                }
                case "/deferred" -> {
                    deferred.add(exchange.defer());
                    throw thrown;
                }
                default -> exchange.reply(200);
            }
        });
        try (RawClient client = connect()) {
            assertEquals(500, client.get("/before").status());
            assertSame(thrown, loop.awaitException());
            assertEquals("answered", client.get("/after").text());
            assertSame(thrown, loop.awaitException());
            client.send("GET /deferred HTTP/1.1\r\nHost: x\r\n\r\n");
            deferred.take().reply(201);
            assertEquals(201, client.response().status());
            assertSame(thrown, loop.awaitException());
            assertEquals(200, client.get("/").status());
        }
    }

    @Test
    void aHandlersErrorComesOutOfTheLoop() throws Exception {
        AssertionError error = new AssertionError("thrown by the handler");
        serve(exchange -> {
            throw error;
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertSame(error, loop.awaitError());
        }
    }

    @Test
    void whatTheExceptionHandlerThrowsComesOutOfTheLoop() throws Exception {
        IllegalArgumentException second = new IllegalArgumentException("thrown by the exception handler");
        serve(exchange -> {
            throw new IOException("thrown by the handler");
        });
        loop.base().onException(e -> {
            throw second;
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertSame(second, loop.awaitError());
            assertEquals(IOException.class, second.getSuppressed()[0].getClass());
        }
    }

    @Test
    void aHandlerMayOverflowItsStack() throws Exception {
        serve(new HttpHandler() {
            @Override
            public void handle(HttpExchange exchange) throws Exception {
                handle(exchange);
            }
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(StackOverflowError.class, loop.awaitError().getClass());
        }
    }

    // ---- clients that are not ours

    @Test
    void curlIsServed() throws Exception {
        serve(exchange -> exchange.header("X-Method", exchange.method().name()).reply(200, exchange.body()));
        String url = "http://127.0.0.1:" + address.getPort() + "/";
        assertEquals("data", Curl.get("--data", "data", url).text());
        assertEquals("PUT", Curl.get("--request", "PUT", "--header", "Expect: 100-continue", "--data", "a".repeat(2000), url)
            .header("X-Method"));
        assertEquals("chunked", Curl.get("--header", "Transfer-Encoding: chunked", "--data", "chunked", url).text());
        assertEquals("old", Curl.get("--http1.0", "--data", "old", url).text());
    }

    @Test
    void theJdksClientIsServed() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.method() + " " + new String(exchange.body(), UTF_8)));
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        URI uri = URI.create("http://127.0.0.1:" + address.getPort() + "/");
        List<CompletableFuture<java.net.http.HttpResponse<String>>> responses = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            responses.add(client.sendAsync(java.net.http.HttpRequest.newBuilder(uri)
                .POST(java.net.http.HttpRequest.BodyPublishers.ofString("body" + i)).build(), BodyHandlers.ofString()));
        }
        for (int i = 0; i < 50; i++) {
            assertEquals("POST body" + i, await(responses.get(i)).body());
        }
    }
}
