package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.http.Responses.Response;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A client that is not exact() takes no response that two readers could understand differently, and uses no connection behind one. */
class ClientFramingTest extends HttpTest {

    private static final HttpRequest GET = HttpRequest.newBuilder("/").build();
    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n";
    private static final String HELLO = OK + "Content-Length: 5\r\n\r\nhello";

    private HttpConnection connection(int port) throws Exception {
        return loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", port));
    }

    static List<String> ambiguousHeads() {
        List<String> heads = new ArrayList<>();
        for (String lines : List.of("Content-Length: 5\r\nContent-Length: 4", "Content-Length: 4\r\nContent-Length: 5",
            "Content-Length: +5",
            "Content-Length: -0", "Content-Length: 5, 5", "Content-Length: 0x5", "Content-Length: 5 5", "Content-Length:",
            "Content-Length: 05\r\nContent-Length: 5", "Content-Length: 99999999999999999999", "Content-Length : 5", "Content Length: 5",
            "Content-Length\t: 5", ": 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nTransfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: gzip", "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: \u000bchunked", "Transfer-Encoding:", "Transfer-Encoding : chunked",
            "Content-Length: 5\u0000", "Content-Length\u0000: 5", "\u0000: 5", "A: \u0000\r\nContent-Length: 5", "A: b\r\n\u0000")) {
            heads.add(OK + lines + "\r\n\r\n");
        }
        for (String line : List.of("HTTP/1.1 0200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200x OK", "HTTP/1.1 +20 OK",
            "HTTP/1.1  200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1", "HTTP/01.1 200 OK", "HTTP/1.10 200 OK", "HTTP/0.9 200 OK",
            "HTTP/1.1 200 O\u0000K",
            " HTTP/1.1 200 OK", "\u0000HTTP/1.1 200 OK", "ICY 200 OK")) {
            heads.add(line + "\r\nContent-Length: 5\r\n\r\n");
        }
        heads.add("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        heads.add("HTTP/1.1 100 Continue\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n" + HELLO);
        heads.add("HTTP/1.1 100 Continue\r\nA: \u0000\r\n\r\n" + HELLO);
        heads.add("HTTP/1.1 100 Continue\r\n\r\n" + OK + "A: \u0000\r\n\r\n");
        heads.add("HTTP/1.1 100 Continue\r\n\r\n".repeat(101) + HELLO);
        heads.add("\r\n" + HELLO);
        return heads;
    }

    @ParameterizedTest
    @MethodSource
    void ambiguousHeads(String head) throws Exception {
        assertRefused(Failure.INVALID_HEADER, head + "5\r\nhello\r\n0\r\n\r\n");
    }

    static List<String> ambiguousChunks() {
        return List.of("+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
            "5x\r\nhello\r\n0\r\n\r\n", "5 x\r\nhello\r\n0\r\n\r\n", "5\u0000\r\nhello\r\n0\r\n\r\n", "5 ;\u0000\r\nhello\r\n0\r\n\r\n",
            "5\rhello\r\n0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
            "5\r\nhello \r\n0\r\n\r\n", "5\r\nhello\rx\n0\r\n\r\n", "5\r\nhello world\r\n0\r\n\r\n", "-0\r\n\r\n",
            ";a\r\nhello\r\n0\r\n\r\n",
            "0000000000000005\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "x\r\n");
    }

    @ParameterizedTest
    @MethodSource
    void ambiguousChunks(String chunks) throws Exception {
        assertRefused(Failure.DATA_TOO_LONG, CHUNKED + chunks);
    }

    /** In any number of pieces, and whether the body is given out or not; the next request has a connection of its own. */
    private void assertRefused(Failure failure, String response) throws Exception {
        for (int way = 0; way < 4; way++) {
            try (RawServer server = new RawServer()) {
                HttpConnection connection = connection(server.port());
                CompletableFuture<HttpResponse> refused = way % 2 == 0 ? connection.send(GET) : connection.send(GET, data -> { });
                CompletableFuture<HttpResponse> next = connection.send(GET);
                try (RawClient peer = server.accept()) {
                    peer.request();
                    send(peer, response, way >= 2);
                    HttpException e = assertThrows(HttpException.class, () -> await(refused));
                    assertEquals(failure, e.failure(), e.getMessage());
                }
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send(HELLO);
                    assertEquals("hello", await(next).bodyText());
                }
                connection.close();
            }
        }
    }

    private static void send(RawClient peer, String text, boolean byteByByte) {
        try {
            if (byteByByte) {
                peer.sendByteByByte(text);
            } else {
                peer.send(text);
            }
        } catch (IOException e) {
            // refused before all was sent
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        HELLO,
        OK + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK + "content-length:5\r\n\r\nhello",
        OK + "A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello", // old, but clear
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
        OK + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + "5\nhello\n0\n\n",
        CHUNKED + "00000005 \r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n",
        CHUNKED + "2 ;a=\"b c\"\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n" + HELLO, // what announces has no body
        "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO,
        OK + "A: \u0001\u007f\u0085\r\nContent-Length: 5\r\n\r\nhello"})
    void oddButClear(String response) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send(response);
                assertEquals("hello", await(first).bodyText());
                CompletableFuture<HttpResponse> byteByByte = connection.send(GET);
                peer.request();
                peer.sendByteByByte(response);
                HttpResponse second = await(byteByByte);
                assertEquals("hello", second.bodyText());
                assertEquals(response.contains("100 Continue") ? 1 : second.headers().size(), second.headers().size());
            }
        }
    }

    @Test
    void binaryBodiesAreNotJudged() throws Exception {
        String binary = "\0\r\n\r\n\0HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n\0";
        String length = Integer.toHexString(binary.length());
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            List<String> responses = List.of(OK + "Content-Length: " + binary.length() + "\r\n\r\n" + binary,
                CHUNKED + length + "\r\n" + binary + "\r\n" + length + "\r\n" + binary + "\r\n0\r\n\r\n");
            CompletableFuture<HttpResponse> first = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send(responses.get(0));
                assertEquals(binary, new String(await(first).body(), ISO_8859_1));
                CompletableFuture<HttpResponse> second = connection.send(GET);
                peer.request();
                peer.sendByteByByte(responses.get(1));
                assertEquals(binary + binary, new String(await(second).body(), ISO_8859_1));
            }
        }
    }

    /** Whatever a server sends: a connection is used again only behind what a strict reader takes for one response, and nothing else. */
    @Test
    void onlyWhatIsOneResponseToEverybodyLeavesTheConnectionInUse() throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Response response : Responses.all()) {
            if (response.text().length() > 20_000 || response.method() == HttpMethod.CONNECT) {
                continue;
            }
            try (RawServer server = new RawServer()) {
                HttpConnection connection = connection(server.port());
                HttpRequest request = HttpRequest.newBuilder("/").method(response.method(), new byte[0]).build();
                CompletableFuture<HttpResponse> first = connection.send(request);
                CompletableFuture<HttpResponse> second = connection.send(GET);
                try (RawClient peer = server.accept()) {
                    peer.request();
                    send(peer, response.text(), false);
                    loop.turn();
                    loop.turn();
                    peer.socket().shutdownOutput();
                    HttpResponse answer = first.handle((head, failure) -> head).get();
                    if (peer.in().read() >= 0 && !isOne(response, answer)) {
                        wrong.add(response.name());
                    }
                } catch (IOException e) {
                    // closed before it had read all
                }
                connection.close();
                await(second.handle((head, failure) -> head));
            }
        }
        assertEquals("", String.join("\n", wrong));
    }

    private static final Pattern INTERIMS = Pattern.compile("(HTTP/1\\.[01] 100[^\\n]*\\n([^\\r\\n]+\\r?\\n)*\\r?\\n)*");
    private static final Pattern HEAD = Pattern.compile("HTTP/1\\.\\d (\\d{3})[ \\r\\n](?s:.*?)\\n\\r?\\n");
    private static final Pattern LENGTH = Pattern.compile("(?i)\\ncontent-length:[ \\t]*(\\d+)[ \\t]*\\r?\\n");
    private static final Pattern CODING = Pattern.compile("(?i)\\ntransfer-encoding:[ \\t]*chunked[ \\t]*\\r?\\n");
    private static final Pattern CHUNK = Pattern.compile("([0-9a-fA-F]{1,15})[ \\t]*(;[^\\r\\n]*)?\\r?\\n");
    private static final Pattern TRAILERS = Pattern.compile("([^\\r\\n]+\\r?\\n)*\\r?\\n");

    /** Whether that is one response and nothing more, and the answer is that response. */
    private static boolean isOne(Response response, HttpResponse answer) {
        String text = INTERIMS.matcher(response.text()).replaceFirst("");
        Matcher head = HEAD.matcher(text);
        if (answer == null || !head.lookingAt() || Integer.parseInt(head.group(1)) != answer.status()) {
            return false;
        }
        String rest = text.substring(head.end());
        Matcher length = LENGTH.matcher(head.group());
        boolean chunked = CODING.matcher(head.group()).find();
        StringBuilder body = new StringBuilder();
        if (response.method() == HttpMethod.HEAD || answer.status() == 204 || answer.status() == 304) {
            return rest.isEmpty() && answer.body().length == 0;
        } else if (length.find()) {
            return !chunked && rest.length() == Integer.parseInt(length.group(1)) && rest.equals(new String(answer.body(), ISO_8859_1));
        } else if (!chunked) {
            return false;
        }
        Matcher chunk = CHUNK.matcher(rest);
        for (int at = 0; chunk.region(at, rest.length()).lookingAt(); ) {
            int size = Integer.parseInt(chunk.group(1), 16);
            if (size == 0) {
                return TRAILERS.matcher(rest).region(chunk.end(), rest.length()).matches()
                    && body.toString().equals(new String(answer.body(), ISO_8859_1));
            }
            body.append(rest, chunk.end(), chunk.end() + size);
            at = chunk.end() + size;
            at += rest.startsWith("\r\n", at) ? 2 : rest.startsWith("\n", at) ? 1 : rest.length();
            if (at > rest.length()) {
                return false;
            }
        }
        return false;
    }

    @Test
    void anExactClientTakesWhatLibeventTakes() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = loop.call(() -> HttpConnection.newBuilder(loop.base(), "127.0.0.1", server.port()).exact().build());
            CompletableFuture<HttpResponse> first = connection.send(GET);
            CompletableFuture<HttpResponse> second = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send(OK + "Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello" + OK + "Content-Length: 7\r\n\r\nsmuggle");
                assertEquals("hello", await(first).bodyText());
                assertEquals("smuggle", await(second).bodyText());
            }
        }
    }
}
