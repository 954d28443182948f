package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class HttpRequestTest extends HttpTest {

    @Test
    void isAGetUnlessToldOtherwise() {
        HttpRequest request = HttpRequest.newBuilder("/path?query").build();
        assertEquals(HttpMethod.GET, request.method());
        assertEquals("/path?query", request.uri());
        assertEquals(0, request.headers().size());
        assertEquals(0, request.body().length);
        assertEquals("GET /path?query", request.toString());
    }

    @Test
    void keepsWhatItIsGiven() {
        byte[] body = "body".getBytes(UTF_8);
        HttpRequest.Builder builder = HttpRequest.newBuilder("/").POST(body).header("B", "1").header("a", "").header("b", "\u00e9");
        HttpRequest request = builder.build();
        body[0] = 0;
        request.body()[1] = 0;
        builder.header("late", "1").GET();
        assertEquals(HttpMethod.POST, request.method());
        assertEquals("body", new String(request.body(), UTF_8));
        assertNotSame(request.body(), request.body());
        assertEquals("B: 1\na: \nb: \u00e9", request.headers().toString());
        assertEquals(HttpMethod.GET, builder.build().method());
        assertEquals(0, builder.build().body().length);
        assertArrayEquals("\u00e9".getBytes(UTF_8), HttpRequest.newBuilder("/").POST("\u00e9").build().body());
    }

    @Test
    void refusesWhatMayNotStandInARequest() {
        for (String uri : List.of("", "/a b", "/a\r\nHost: x", "/a\n", "/\0", "/\u00e9", "/\u65e5", "/a\tb", "/\u007f")) {
            assertThrows(IllegalArgumentException.class, () -> HttpRequest.newBuilder(uri), uri);
        }
        HttpRequest.Builder builder = HttpRequest.newBuilder("/");
        for (String name : List.of("", "a b", "a:", "a\r", "a\n", "a\0", "\u00e9", "[a]", "a,b", "\"")) {
            assertThrows(IllegalArgumentException.class, () -> builder.header(name, "value"), name);
        }
        for (String value : List.of("a\r\nb: c", "\r", "\n", "\0", "\u65e5")) {
            IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> builder.header("Name", value), value);
            assertTrue(e.getMessage().contains("Name"), e.getMessage());
            assertTrue(e.getMessage().chars().noneMatch(c -> c < ' '), "control characters in a message");
        }
        assertThrows(NullPointerException.class, () -> HttpRequest.newBuilder(null));
        assertThrows(NullPointerException.class, () -> builder.header(null, "a"));
        assertThrows(NullPointerException.class, () -> builder.header("a", null));
        assertThrows(NullPointerException.class, () -> builder.POST((String) null));
        assertThrows(NullPointerException.class, () -> builder.POST((byte[]) null));
        assertThrows(NullPointerException.class, () -> builder.method(null, new byte[0]));
        assertEquals(0, builder.build().headers().size());
    }

    @Test
    void everyTokenIsAHeadersName() {
        HttpRequest.Builder builder = HttpRequest.newBuilder("/");
        for (char c = 0; c < 256; c++) {
            String name = "a" + c;
            boolean token = c > ' ' && c < 127 && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0;
            if (token) {
                builder.header(name, "value");
            } else {
                assertThrows(IllegalArgumentException.class, () -> builder.header(name, "value"), name);
            }
        }
        assertEquals(77, builder.build().headers().size());
    }

    @Test
    void authenticatesAsRfc7617Says() {
        assertEquals("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", HttpRequest.newBuilder("/").basicAuth("Aladdin", "open sesame").build()
            .headers().first("Authorization").orElseThrow());
        assertEquals("Basic dGVzdDoxMjPCow==", HttpRequest.newBuilder("/").basicAuth("test", "123\u00a3").build()
            .headers().first("Authorization").orElseThrow());
        assertThrows(IllegalArgumentException.class, () -> HttpRequest.newBuilder("/").basicAuth("a:b", "c"));
    }

    @Test
    void oneRequestMayBeSentManyTimes() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpRequest request = HttpRequest.newBuilder("/").POST("same").build();
        HttpConnection one = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", address.getPort()));
        HttpConnection other = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", address.getPort()));
        List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            responses.add(one.send(request));
            responses.add(other.send(request));
        }
        for (CompletableFuture<HttpResponse> response : responses) {
            assertEquals("same", await(response).bodyText());
        }
    }

    @Test
    void aLengthIsTheBodysOrRefused() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", address.getPort()));
        HttpRequest right = HttpRequest.newBuilder("/").POST("body").header("content-length", "4").build();
        assertEquals("body", await(connection.send(right)).bodyText());
        for (List<String> headers : List.of(List.of("Content-Length", "3"), List.of("Content-Length", "5"), List.of("Content-Length", "04"),
            List.of("Content-Length", "4", "Content-Length", "4"), List.of("Content-Length", "4", "Content-Length", "5"),
            List.of("Content-Length", "4", "Transfer-Encoding", "chunked"), List.of("Content-Length", ""))) {
            HttpRequest.Builder builder = HttpRequest.newBuilder("/").POST("body");
            for (int i = 0; i < headers.size(); i += 2) {
                builder.header(headers.get(i), headers.get(i + 1));
            }
            HttpRequest request = builder.build();
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> connection.send(request), headers.toString());
            assertTrue(e.getMessage().contains("4 bytes"), e.getMessage());
        }
    }

    @Test
    void headersAreReadWithoutRegardToCase() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", server.port()));
            CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").build());
            try (RawClient peer = server.accept()) {
                Message request = peer.request();
                assertEquals("GET / HTTP/1.1", request.startLine());
                peer.send("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nLatin: \u00e9\r\nEmpty:\r\nContent-Length: 0\r\n\r\n");
                Headers headers = await(response).headers();
                assertEquals("a=1", headers.first("SET-COOKIE").orElseThrow());
                assertEquals(List.of("a=1", "b=2"), headers.all("Set-Cookie"));
                assertEquals(List.of(), headers.all("Cookie"));
                assertTrue(headers.first("Cookie").isEmpty());
                assertEquals("\u00e9", headers.first("latin").orElseThrow());
                assertEquals("", headers.first("empty").orElseThrow());
                assertEquals(5, headers.size());
                List<Map.Entry<String, String>> lines = new ArrayList<>();
                headers.iterator().forEachRemaining(lines::add);
                assertEquals(Map.entry("set-cookie", "b=2"), lines.get(1));
                List<String> names = new ArrayList<>();
                headers.forEach((name, value) -> names.add(name));
                assertEquals(List.of("Set-Cookie", "set-cookie", "Latin", "Empty", "Content-Length"), names);
                assertEquals("Set-Cookie: a=1\nset-cookie: b=2\nLatin: \u00e9\nEmpty: \nContent-Length: 0", headers.toString());
                var iterator = headers.iterator();
                for (int i = 0; i < 5; i++) {
                    iterator.next();
                }
                assertThrows(java.util.NoSuchElementException.class, iterator::next);
                assertThrows(UnsupportedOperationException.class, () -> headers.all("Set-Cookie").clear());
                assertEquals(new String(new byte[] {(byte) 0xe9}, ISO_8859_1), headers.first("Latin").orElseThrow());
            }
        }
    }
}
