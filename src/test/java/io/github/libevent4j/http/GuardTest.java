package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.libevent4j.internal.Live;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a safe server does beyond evhttp. */
class GuardTest extends HttpTest {

    private static final String HOST = "Host: x\r\n";
    private static final String GOOD = "GET /good HTTP/1.1\r\n" + HOST + "\r\n";
    private static final String GOOD_REPLY = "GET /good 0";

    /** A server that tells each request back as method, target and length of the body. */
    private void serveWith(UnaryOperator<HttpServer.Builder> settings) throws Exception {
        serve(builder -> settings.apply(builder.allowAllMethods()), exchange -> exchange.reply(200,
            (exchange.method() + " " + exchange.rawUri() + " " + exchange.bodyLength()).getBytes(ISO_8859_1)));
    }

    private void serve() throws Exception {
        serveWith(builder -> builder);
    }

    // ---- framing

    /** What is sent, and what comes back: the bodies of the good replies, and at last the status of a refusal that closes. */
    record Case(String name, String request, String... replies) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case good(String name, String request, String... replies) {
        return new Case(name, request, replies);
    }

    private static Case bad(String name, String request) {
        return new Case(name, request, "400");
    }

    /** A refusal within a chunked body. */
    private static Case badChunk(String name, String body) {
        return new Case(name, chunked(body), "413");
    }

    private static String getWith(String... headers) {
        return "GET / HTTP/1.1\r\n" + String.join("\r\n", headers) + "\r\n\r\n";
    }

    private static String post(String headers, String body) {
        return "POST / HTTP/1.1\r\n" + HOST + headers + "\r\n" + body;
    }

    private static String chunked(String body) {
        return post("Transfer-Encoding: chunked\r\n", body);
    }

    static Stream<Case> cases() {
        String hidden = "GET /hidden HTTP/1.1\r\n" + HOST + "\r\n";
        List<Case> cases = new ArrayList<>(List.of(
            // request lines
            good("the least", GOOD, GOOD_REPLY),
            good("HTTP/1.0 without Host", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /a 0"),
            good("a later HTTP/1", "GET /a HTTP/1.7\r\n" + HOST + "\r\n", "GET /a 0"),
            good("bytes above ASCII in the target", "GET /\u00e9 HTTP/1.1\r\n" + HOST + "\r\n", "GET /\u00e9 0"),
            bad("an empty line first", "\r\n" + GOOD),
            bad("LF alone behind the request line", "GET / HTTP/1.1\n" + HOST + "\r\n"),
            bad("CR alone behind the request line", "GET / HTTP/1.1\r" + HOST + "\r\n"),
            bad("CR within the request line", "GET /a\rb HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("NUL in the target", "GET /a\0b HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a control in the target", "GET /a\u0001b HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("DEL in the target", "GET /a\u007fb HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a tab in the request line", "GET\t/ HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a space first", " GET / HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("two spaces behind the method", "GET  / HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("two spaces before the version", "GET /  HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a space in the target", "GET /a b HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a space behind the version", "GET / HTTP/1.1 \r\n" + HOST + "\r\n"),
            bad("a space behind an old version", "GET / HTTP/1.0 \r\n\r\n"),
            bad("no version", "GET /\r\n" + HOST + "\r\n"),
            bad("no target", "GET  HTTP/1.1\r\n" + HOST + "\r\n"),
            bad("a method alone", "GET\r\n\r\n"),
            new Case("an unknown method", "BREW / HTTP/1.1\r\n" + HOST + "\r\n", "501"),
            new Case("a method in small letters", "get / HTTP/1.1\r\n" + HOST + "\r\n", "501"),
            bad("an unknown method with a body", "BREW / HTTP/1.1\r\n" + HOST + "Content-Length: " + hidden.length() + "\r\n\r\n" + hidden),
            bad("version 0.9", "GET / HTTP/0.9\r\n\r\n"),
            bad("version 2.0", "GET / HTTP/2.0\r\n" + HOST + "\r\n"),
            bad("a version of two digits", "GET / HTTP/1.10\r\n\r\n"),
            bad("a version with a sign", "GET / HTTP/+1.0\r\n\r\n"),
            bad("a version with a zero before", "GET / HTTP/01.1\r\n" + HOST + "\r\n"),
            bad("a version in small letters", "GET / http/1.1\r\n" + HOST + "\r\n"),
            bad("a version without a dot", "GET / HTTP/11\r\n" + HOST + "\r\n"),
            bad("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            bad("TLS", "\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\r\n"),
            // header lines
            good("no space behind the colon", getWith("Host:x", "A:b"), "GET / 0"),
            good("white space around a value", getWith(HOST.strip(), "A: \t b \t "), "GET / 0"),
            good("an empty value", getWith(HOST.strip(), "A:"), "GET / 0"),
            good("a tab within a value", getWith(HOST.strip(), "A: b\tc"), "GET / 0"),
            good("bytes above ASCII in a value", getWith(HOST.strip(), "A: \u00e9"), "GET / 0"),
            good("every character of a token", getWith(HOST.strip(), "!#$%&'*+-.^_`|~09azAZ: b"), "GET / 0"),
            bad("LF alone behind a header", "GET / HTTP/1.1\r\nHost: x\n\r\n"),
            bad("LF alone as the head's end", "GET / HTTP/1.1\r\nHost: x\r\n\n"),
            bad("CR alone behind a header", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"),
            bad("CR twice", "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"),
            bad("CR within a value", getWith(HOST.strip(), "A: b\rc")),
            bad("NUL in a value", getWith(HOST.strip(), "A: b\0c")),
            bad("NUL in a name", getWith(HOST.strip(), "A\0: b")),
            bad("a control in a value", getWith(HOST.strip(), "A: b\bc")),
            bad("DEL in a value", getWith(HOST.strip(), "A: b\u007fc")),
            bad("a folded line", getWith(HOST.strip(), "A: b", " c")),
            bad("a line folded with a tab", getWith(HOST.strip(), "A: b", "\tc")),
            bad("a folded first line", getWith(" A: b", HOST.strip())),
            bad("a space before the colon", getWith(HOST.strip(), "A : b")),
            bad("a tab before the colon", getWith(HOST.strip(), "A\t: b")),
            bad("a space in a name", getWith(HOST.strip(), "A B: c")),
            bad("an empty name", getWith(HOST.strip(), ": b")),
            bad("no colon", getWith(HOST.strip(), "A")),
            bad("a byte above ASCII in a name", getWith(HOST.strip(), "\u00c4: b")),
            bad("a parenthesis in a name", getWith(HOST.strip(), "A(: b")),
            bad("the length folded away", getWith(HOST.strip(), "A: b", " Content-Length: 5")),
            // hosts
            good("an empty host", getWith("Host:"), "GET / 0"),
            good("a host with a port", getWith("host: x:80"), "GET / 0"),
            good("HTTP/1.0 with a host", "GET / HTTP/1.0\r\n" + HOST + "Connection: keep-alive\r\n\r\n", "GET / 0"),
            bad("no host", getWith("A: b")),
            bad("no header at all", "GET / HTTP/1.1\r\n\r\n"),
            bad("two hosts", getWith("Host: x", "Host: y")),
            bad("the same host twice", getWith("Host: x", "Host: x")),
            bad("two hosts for HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"),
            bad("a host with a space in its name", getWith("Host : x")),
            // lengths
            good("a body", post("Content-Length: 5\r\n", "hello"), "POST / 5"),
            good("a body of lines", post("Content-Length: 10\r\n", "\r\n\r\nGET /\0"), "POST / 10"),
            good("a body that is a request", post("Content-Length: " + hidden.length() + "\r\n", hidden), "POST / " + hidden.length()),
            good("an empty body", post("Content-Length: 0\r\n", ""), "POST / 0"),
            good("a length with zeros before", post("Content-Length: 0005\r\n", "hello"), "POST / 5"),
            good("a length with white space", post("content-length: \t5 \t\r\n", "hello"), "POST / 5"),
            good("a body for GET", "GET / HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello", "GET / 5"),
            good("a body for OPTIONS", "OPTIONS / HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello", "OPTIONS / 5"),
            good("a body for HTTP/1.0", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", "POST / 5"),
            bad("two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")),
            bad("the same length twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")),
            bad("a list of lengths", post("Content-Length: 5, 5\r\n", "hello")),
            bad("an empty length", post("Content-Length:\r\n", "")),
            bad("a negative length", post("Content-Length: -5\r\n", "hello")),
            bad("a length with a sign", post("Content-Length: +5\r\n", "hello")),
            bad("a length in hexadecimal", post("Content-Length: 0x5\r\n", "hello")),
            bad("a length with a fraction", post("Content-Length: 5.0\r\n", "hello")),
            bad("a length with something behind", post("Content-Length: 5 5\r\n", "hello")),
            bad("a length that overflows", post("Content-Length: 18446744073709551621\r\n", "hello")),
            bad("a length that is longer than a line is kept", post("Content-Length: " + "0".repeat(70) + "5\r\n", "hello")),
            bad("a length behind much white space", post("Content-Length:" + " ".repeat(70) + "5\r\n", "hello")),
            bad("a body for HEAD", "HEAD / HTTP/1.1\r\n" + HOST + "Content-Length: " + hidden.length() + "\r\n\r\n" + hidden),
            bad("a body for TRACE", "TRACE / HTTP/1.1\r\n" + HOST + "Content-Length: " + hidden.length() + "\r\n\r\n" + hidden),
            bad("chunks for HEAD", "HEAD / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            bad("length and chunks", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
            bad("chunks and length", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n")),
            // codings
            good("chunks", chunked("5\r\nhello\r\n0\r\n\r\n"), "POST / 5"),
            good("no chunk but the last", chunked("0\r\n\r\n"), "POST / 0"),
            good("several chunks", chunked("1\r\na\r\nA\r\n0123456789\r\n00b\r\n0123456789\n\r\n000\r\n\r\n"), "POST / 22"),
            good("chunks of line ends", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "POST / 4"),
            good("a trailer", chunked("1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n"), "POST / 1"),
            good("codings in other letters", post("TRANSFER-ENCODING: \t Chunked \t\r\n", "0\r\n\r\n"), "POST / 0"),
            bad("another coding", post("Transfer-Encoding: gzip\r\n", "")),
            bad("identity", post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello")),
            bad("no coding", post("Transfer-Encoding:\r\n", "")),
            bad("two codings in a line", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
            bad("two codings in two lines", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
            bad("chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
            bad("chunked before another coding", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
            bad("a parameter of chunked", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")),
            bad("a comma behind chunked", post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n")),
            bad("chunked in quotes", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
            bad("chunked with something before", post("Transfer-Encoding: xchunked\r\n", "")),
            bad("chunked with a vertical tab", post("Transfer-Encoding: \u000bchunked\r\n", "0\r\n\r\n")),
            bad("chunked behind much white space", post("Transfer-Encoding:" + " ".repeat(70) + "chunked\r\n", "0\r\n\r\n")),
            bad("chunks for HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            // chunks
            badChunk("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
            badChunk("a size with a plus", "+5\r\nhello\r\n0\r\n\r\n"),
            badChunk("a size with a minus", "-5\r\nhello\r\n0\r\n\r\n"),
            badChunk("a space before a size", " 5\r\nhello\r\n0\r\n\r\n"),
            badChunk("a space behind a size", "5 \r\nhello\r\n0\r\n\r\n"),
            badChunk("a tab before a size", "\t5\r\nhello\r\n0\r\n\r\n"),
            badChunk("an extension", "5;a=b\r\nhello\r\n0\r\n\r\n"),
            badChunk("no size", "\r\n0\r\n\r\n"),
            badChunk("a size of no digits", "g\r\nhello\r\n0\r\n\r\n"),
            badChunk("a size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
            badChunk("a size without end", "0".repeat(16)),
            badChunk("NUL behind a size", "5\0\r\nhello\r\n0\r\n\r\n"),
            badChunk("LF alone behind a size", "5\nhello\r\n0\r\n\r\n"),
            badChunk("CR alone behind a size", "5\rhello\r\n0\r\n\r\n"),
            badChunk("a chunk that is longer than its size", "4\r\nhello\r\n0\r\n\r\n"),
            badChunk("a chunk without its line end", "5\r\nhello0\r\n\r\n"),
            badChunk("LF alone behind a chunk", "5\r\nhello\n0\r\n\r\n"),
            badChunk("CR alone behind a chunk", "5\r\nhello\r0\r\n\r\n"),
            badChunk("an empty line between chunks", "5\r\nhello\r\n\r\n0\r\n\r\n"),
            badChunk("LF alone behind the last size", "0\n\r\n"),
            badChunk("LF alone as the end", "0\r\n\n"),
            badChunk("a request in place of the end", "0\r\n" + hidden),
            badChunk("a trailer without a colon", "0\r\nA\r\n\r\n"),
            badChunk("a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"),
            badChunk("a trailer with a space before its colon", "0\r\nA : b\r\n\r\n"),
            badChunk("NUL in a trailer", "0\r\nA: b\0\r\n\r\n"),
            badChunk("LF alone behind a trailer", "0\r\nA: b\n\r\n")));
        // Whatever follows, the request before it has its reply.
        for (Case following : List.copyOf(cases)) {
            cases.add(new Case("behind a good one: " + following, GOOD + following.request,
                Stream.concat(Stream.of(GOOD_REPLY), Stream.of(following.replies)).toArray(String[]::new)));
        }
        cases.add(good("many at once", GOOD.repeat(4), GOOD_REPLY, GOOD_REPLY, GOOD_REPLY, GOOD_REPLY));
        cases.add(good("chunks, a length and nothing in turn",
            chunked("5\r\nhello\r\n0\r\n\r\n") + post("Content-Length: 3\r\n", "abc") + GOOD, "POST / 5", "POST / 3", GOOD_REPLY));
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void requestsAreWhatAnyReaderTakesThemFor(Case what) throws Exception {
        serve();
        try (RawClient client = connect()) {
            check(what, client.send(what.request));
        }
        try (RawClient client = connect()) {
            for (String part : what.request.split("")) {
                sendMore(client, part);
                loop.turn();
            }
            check(what, client);
        }
        for (int at = 1; at < what.request.length(); at++) {
            try (RawClient client = connect()) {
                client.send(what.request.substring(0, at));
                loop.turn();
                sendMore(client, what.request.substring(at));
                check(what, client);
                client.reset(); // leaves no port in use for minutes
            }
        }
    }

    private static void sendMore(RawClient client, String more) throws IOException {
        try {
            client.send(more);
        } catch (SocketException e) { // refused already; what it was told can still be read
            assertTrue(e.getMessage().contains("Broken pipe") || e.getMessage().contains("reset"), e::toString);
        }
    }

    private static void check(Case what, RawClient client) throws IOException {
        String last = what.replies[what.replies.length - 1];
        boolean refused = last.length() == 3;
        for (String reply : what.replies) {
            if (!refused || reply != last) {
                Message message = client.response();
                assertEquals("200 " + reply, message.status() + " " + message.text());
            }
        }
        if (refused) {
            checkRefused(last, client);
        } else {
            assertEquals(GOOD_REPLY, client.send(GOOD).response().text());
        }
    }

    private static void checkRefused(String status, RawClient client) throws IOException {
        try {
            assertEquals(status, Integer.toString(client.response().status()));
            assertEquals("", client.readToEnd());
        } catch (SocketException e) { // closed before all was read, and the reset that tells so overtook the reply
            assertEquals("Connection reset", e.getMessage());
        }
    }

    @Test
    void withoutStrictFramingTheyAreWhatLibeventTakesThemFor() throws Exception {
        serveWith(builder -> builder.strictFraming(false));
        try (RawClient client = connect()) {
            assertEquals("GET / 0", client.send("GET / HTTP/1.1\nA : b\n c\n\n").response().text());
            assertEquals(GOOD_REPLY, client.send(GOOD).response().text());
        }
    }

    // ---- CONNECT and Upgrade

    @Test
    void whatFollowsARefusedConnectIsARequest() throws Exception {
        String connect = "CONNECT a:1 HTTP/1.1\r\n" + HOST + "\r\n";
        serve(HttpServer.Builder::allowAllMethods, exchange -> exchange.reply(exchange.method() == HttpMethod.CONNECT ? 405 : 200,
            exchange.method() + " " + exchange.rawUri() + " 0"));
        try (RawClient client = connect()) {
            client.send(connect + connect + GOOD);
            assertEquals("CONNECT a:1 0", client.response().text());
            assertEquals(405, client.response().status());
            assertEquals(GOOD_REPLY, client.response().text());
            client.send(connect);
            assertEquals(405, client.response().status());
            assertEquals(GOOD_REPLY, client.send(GOOD).response().text());
            client.send(connect + "GET / HTTP/1.1\n\n");
            assertEquals(405, client.response().status());
            checkRefused("400", client);
        }
    }

    @Test
    void whatFollowsAnUpgradeThatIsNotTakenUpIsARequest() throws Exception {
        String upgrade = getWith("Host: x", "upgrade: h2c", "Connection: Upgrade");
        serveWith(builder -> builder);
        try (RawClient client = connect()) {
            client.send(upgrade + upgrade + GOOD);
            assertEquals("GET / 0", client.response().text());
            assertEquals("GET / 0", client.response().text());
            assertEquals(GOOD_REPLY, client.response().text());
            client.send(upgrade + "GET / HTTP/1.1\n\n");
            assertEquals("GET / 0", client.response().text());
            checkRefused("400", client);
        }
    }

    /** None of it is HTTP, nor judged as such. */
    @Test
    void whatComesBehindAnUpgradeIsThereWhenItIsTakenOver() throws Exception {
        BlockingQueue<byte[]> behind = new LinkedBlockingQueue<>();
        String upgrade = "POST / HTTP/1.1\r\n" + HOST + "Upgrade: x\r\nConnection: Upgrade\r\nContent-Length: 4\r\n\r\nbody";
        serve(exchange -> {
            assertEquals("body", new String(exchange.body(), ISO_8859_1));
            BufferEvent event = exchange.takeOver(101);
            behind.add(event.input().removeAll());
            event.close();
        });
        try (RawClient client = connect()) {
            client.send(upgrade + "\u0081\0\n: no HTTP\n");
            assertEquals("HTTP/1.1 101 ", client.response().startLine());
            assertEquals("\u0081\0\n: no HTTP\n", new String(behind.take(), ISO_8859_1));
            assertEquals("", client.readToEnd());
        }
    }

    // ---- limits

    @Test
    void aRequestHasNoMoreHeadersThanItMay() throws Exception {
        serveWith(builder -> builder.maxHeaders(4));
        try (RawClient client = connect()) {
            assertEquals("GET / 0", client.send(getWith("Host: x", "A: b", "A: b", "A: b")).response().text());
            assertEquals("POST / 1", client.send(chunked("1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n")).response().text());
            client.send(getWith("Host: x", "A: b", "A: b", "A: b", "A: b"));
            checkRefused("400", client);
        }
        try (RawClient client = connect()) {
            client.send(chunked("0\r\n" + "A: b\r\n".repeat(3) + "\r\n")); // two in the head
            checkRefused("413", client);
        }
        serveWith(builder -> builder.maxHeaders(0));
        try (RawClient client = connect()) {
            assertEquals("GET / 0", client.send(getWith("Host: x", "A: b\r\n".repeat(1000).strip())).response().text());
        }
    }

    @Test
    void connectionsBeyondThoseThatMayBeAreClosed() throws Exception {
        serveWith(builder -> builder.maxConnections(2));
        assertEquals(0L, loop.call(() -> http.connections()));
        try (RawClient first = connect(); RawClient second = connect()) {
            assertEquals(200, first.get("/").status());
            assertEquals(200, second.get("/").status());
            assertEquals(2L, loop.call(() -> http.connections()));
            for (int i = 0; i < 10; i++) {
                try (RawClient more = connect()) {
                    assertEquals("", more.readToEnd());
                }
            }
            assertEquals(2L, loop.call(() -> http.connections()));
            assertEquals(200, first.get("/").status());
        }
        awaitConnections(0);
        try (RawClient again = connect()) {
            assertEquals(200, again.get("/").status());
        }
    }

    /** Waits until so many connections are open. */
    private void awaitConnections(long connections) throws Exception {
        while (loop.call(() -> http.connections()) != connections) {
            Thread.onSpinWait();
        }
    }

    @Test
    void everyEndOfAConnectionIsCounted() throws Exception {
        List<HttpExchange> deferred = new ArrayList<>();
        serveWith(builder -> builder.maxBodySize(10));
        loop.call(() -> {
            http.onRequest("/later", exchange -> deferred.add(exchange.defer()));
            http.onRequest("/abort", exchange -> exchange.start(200).abort());
            http.onRequest("/close", exchange -> exchange.header("Connection", "close").reply(200));
            return null;
        });
        connect().close(); // has never said anything
        try (RawClient client = connect()) {
            client.send("GET");
            loop.turn();
        }
        for (String ending : List.of("GET / HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "nonsense\r\n",
            "GET /close HTTP/1.1\r\n" + HOST + "\r\n", "GET /abort HTTP/1.1\r\n" + HOST + "\r\n",
            "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 11\r\n\r\n", "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\nExpect: 200-ok\r\n\r\n")) {
            try (RawClient client = connect()) {
                client.send(ending).readToEnd();
            }
        }
        try (RawClient client = connect()) {
            client.get("/");
            client.reset();
        }
        awaitConnections(0);
        RawClient later = connect().send("GET /later HTTP/1.1\r\n" + HOST + "\r\n");
        while (loop.call(deferred::size) == 0) {
            Thread.onSpinWait();
        }
        later.reset();
        assertEquals(1L, loop.call(() -> http.connections()));
        deferred.get(0).reply(200, new byte[1 << 20]);
        awaitConnections(0);
    }

    // ---- deadlines

    private static final Duration SHORT = Duration.ofMillis(100);

    @Test
    void aHeadThatNeverEndsIsGivenUp() throws Exception {
        serveWith(builder -> builder.deadlines(SHORT, Duration.ZERO));
        try (RawClient client = connect()) {
            client.get("/"); // the time counts anew for each request
            drip(client.send("GET / HTTP/1.1\r\nA: "), "b");
        }
    }

    @Test
    void aBodyThatNeverEndsIsGivenUp() throws Exception {
        serveWith(builder -> builder.deadlines(Duration.ZERO, SHORT).maxBodySize(-1));
        try (RawClient client = connect()) {
            drip(client.send(post("Content-Length: 1000000000\r\n", "")), "b");
        }
        try (RawClient client = connect()) {
            drip(client.send(chunked("")), "1\r\na\r\n");
        }
    }

    /** Never silent, never ready: sends more and more, until the server has had enough, without an answer. */
    private void drip(RawClient client, String more) throws Exception {
        awaitConnections(1);
        while (loop.call(() -> http.connections()) == 1) {
            sendMore(client, more);
        }
        try {
            assertEquals("", client.readToEnd());
        } catch (SocketException e) {
            assertEquals("Connection reset", e.getMessage());
        }
    }

    @Test
    void theDeadlinesAreForWhatComesInTurnNotForReplies() throws Exception {
        serveWith(builder -> builder.deadlines(SHORT, SHORT));
        CompletableFuture<HttpExchange> deferred = new CompletableFuture<>();
        loop.call(() -> {
            http.onRequest("/later", exchange -> deferred.complete(exchange.defer()));
            return null;
        });
        try (RawClient slow = connect(); RawClient other = connect()) {
            slow.send(GOOD + "GET /later HTTP/1.1\r\n" + HOST + "\r\nGET /good HTTP/1.1\r\n");
            assertEquals(GOOD_REPLY, slow.response().text());
            await(deferred);
            other.send("GET");
            awaitConnections(1); // its deadline began later
            deferred.get().reply(200, "at last");
            assertEquals("at last", slow.response().text());
            assertEquals(GOOD_REPLY, slow.send(HOST + "\r\n").response().text());
            slow.send("GET"); // and now it counts again
            assertEquals("", slow.readToEnd());
        }
    }

    @Test
    void withoutDeadlinesOnlyInactivityEnds() throws Exception {
        serveWith(builder -> builder.deadlines(Duration.ZERO, Duration.ZERO));
        try (RawClient slow = connect()) {
            slow.send("GET /good HTTP/1.1\r\n");
            awaitConnections(1);
            serveWith(builder -> builder.deadlines(SHORT, SHORT));
            try (RawClient other = connect()) {
                assertEquals("", other.send("GET").readToEnd());
            }
            assertEquals(GOOD_REPLY, slow.send(HOST + "\r\n").response().text());
        }
    }

    // ---- floods

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAClientSendsWhileItIsAnsweredStaysWithTheKernel(boolean strict) throws Exception {
        serveWith(builder -> builder.strictFraming(strict));
        CompletableFuture<ChunkedReply> started = new CompletableFuture<>();
        loop.call(() -> {
            http.onRequest("/stream", exchange -> started.complete(exchange.start(200)));
            return null;
        });
        try (SocketChannel client = SocketChannel.open(address)) {
            client.write(ByteBuffer.wrap(("GET /stream HTTP/1.1\r\n" + HOST + "\r\n").getBytes(ISO_8859_1)));
            ChunkedReply reply = await(started);
            long before = Live.allocations();
            for (int i = 0; i < 10; i++) { // each piece makes evhttp read again
                await(reply.send(new byte[100]));
                flood(client);
            }
            assertTrue(Live.allocations() - before < 1000, "native memory grows");
            reply.end();
        }
    }

    /** Sends more and more, until the server reads no more. */
    private void flood(SocketChannel client) throws Exception {
        ByteBuffer more = ByteBuffer.wrap(GOOD.repeat(1000).getBytes(ISO_8859_1));
        client.configureBlocking(false);
        long before;
        long unread = 0;
        for (long sent = 0; sent < 256 << 20; sent += client.write(more.hasRemaining() ? more : more.clear())) {
            before = unread;
            loop.turn(); // which reads what there is, or some of it
            unread = Kernel.unread((InetSocketAddress) client.getRemoteAddress(), (InetSocketAddress) client.getLocalAddress());
            if (unread > 0 && unread == before) {
                return;
            }
        }
        fail("the server reads on and on");
    }

    // ---- descriptors

    /** The system gives the next connection the descriptor that the last one had, when no client in this process takes it first. */
    @Test
    void aConnectionThatIsClosedTakesNothingFromTheNext(@TempDir Path directory) throws Exception {
        Path body = Files.write(directory.resolve("body"), new byte[100_001]);
        String url = loop.call(() -> {
            HttpServer http = HttpServer.newBuilder(loop.base()).maxBodySize(100_000).lingeringClose().build();
            http.onRequest(exchange -> exchange.reply(200));
            return "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
        });
        Programs.Result curl = Curl.run("--header", "Expect:", "--data-binary", "@" + body, "--write-out", "%{http_code} %{num_connects}\n",
            "--output", "/dev/null", url, "--output", "/dev/null", url, "--output", "/dev/null", url);
        assertEquals("413 1\n".repeat(3), curl.text(), curl.errors());
    }

    // ---- refusals

    /** Who closes a socket with something unread in it resets the connection, and a reset overtakes what was sent before. */
    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 3000000\r\n", "Transfer-Encoding: chunked\r\n", "No colon\r\n"})
    void aRefusalReachesAClientThatIsStillSending(String header) throws Exception {
        serveWith(builder -> builder.maxBodySize(10));
        int status = header.contains(":") ? 413 : 400;
        try (RawClient client = connect()) {
            client.send(post(header, "2dc6c0\r\n")).send(new byte[3_000_000]);
            assertEquals(status, client.response().status());
            assertEquals("", client.readToEnd());
            assertEquals(1, http.stats().openConnections()); // while what is sent is thrown away
            client.send(new byte[1000]);
        }
        awaitConnections(0);
    }

    @Test
    void aRefusedClientThatStaysGoesWithTheServer() throws Exception {
        serve();
        try (RawClient client = connect(); RawClient other = connect()) {
            assertTrue(client.send("nonsense\r\n\r\n").readToEnd().startsWith("HTTP/1.1 400"));
            assertTrue(other.send("nonsense\r\n\r\n").readToEnd().startsWith("HTTP/1.1 400"));
            assertEquals(2, http.stats().openConnections());
            http.close();
            loop.turn();
            assertEquals(0, http.stats().openConnections());
        }
    }

    @Test
    void aRefusedClientCountsAsAConnection() throws Exception {
        serveWith(builder -> builder.maxConnections(1));
        try (RawClient client = connect()) {
            assertTrue(client.send("nonsense\r\n\r\n").readToEnd().startsWith("HTTP/1.1 400"));
            try (RawClient surplus = connect()) {
                assertEquals("", surplus.readToEnd());
            }
        }
        awaitConnections(0);
        assertEquals(GOOD_REPLY, get("/good").text());
    }

    @Test
    void limitsAreNotNegative() throws Exception {
        HttpServer.Builder builder = HttpServer.newBuilder(loop.base());
        assertThrows(IllegalArgumentException.class, () -> builder.maxConnections(-1));
        assertThrows(IllegalArgumentException.class, () -> builder.maxHeaders(-1));
        assertThrows(IllegalArgumentException.class, () -> builder.deadlines(Duration.ofSeconds(-1), SHORT));
        assertThrows(IllegalArgumentException.class, () -> builder.deadlines(SHORT, Duration.ofSeconds(-1)));
    }
}
