package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpServerTest extends HttpTest {

    private static final int EADDRINUSE = 98;
    private static final int EADDRNOTAVAIL = 99;

    // ---- handlers

    @Test
    void theGeneralHandlerAnswersEveryPath() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.rawUri()));
        assertEquals("/", get("/").text());
        assertEquals("/a/b?c=d", get("/a/b?c=d").text());
    }

    @Test
    void aPathsHandlerGoesBeforeTheGeneralOne() throws Exception {
        serve(exchange -> exchange.reply(200, "general"));
        loop.call(() -> {
            http.onRequest("/a b", exchange -> exchange.reply(200, "path"));
            return null;
        });
        assertEquals("path", get("/a%20b").text());
        assertEquals("path", get("/a%20b?query=1").text());
        assertEquals("general", get("/a%20b/").text());
        assertEquals("general", get("/a+b").text());
    }

    @Test
    void aPathIsComparedAsUtf8() throws Exception {
        serve(exchange -> exchange.reply(200, "general"));
        loop.call(() -> {
            http.onRequest("/caf\u00e9", exchange -> exchange.reply(200, "coffee"));
            http.onRequest("/\u65e5\u672c", exchange -> exchange.reply(200, "Japan"));
            return null;
        });
        assertEquals("coffee", get("/caf%C3%A9").text());
        assertEquals("Japan", get("/%E6%97%A5%E6%9C%AC").text());
    }

    @Test
    void aPathHasOneHandlerUntilItIsRemoved() throws Exception {
        serve(exchange -> exchange.reply(200, "general"));
        loop.call(() -> {
            http.onRequest("/a", exchange -> exchange.reply(200, "first"));
            IllegalStateException taken =
                assertThrows(IllegalStateException.class, () -> http.onRequest("/a", exchange -> exchange.reply(200)));
            assertTrue(taken.getMessage().contains("removeHandler(\"/a\")"), taken.getMessage());
            return null;
        });
        assertEquals("first", get("/a").text());
        assertTrue(loop.call(() -> http.removeHandler("/a")));
        assertFalse(loop.call(() -> http.removeHandler("/a")));
        assertEquals("general", get("/a").text());
        loop.call(() -> {
            http.onRequest("/a", exchange -> exchange.reply(200, "second"));
            return null;
        });
        assertEquals("second", get("/a").text());
    }

    @Test
    void aHandlerMayRemoveItself() throws Exception {
        serve(exchange -> exchange.reply(200, "general"));
        loop.call(() -> {
            http.onRequest("/once", exchange -> {
                http.removeHandler("/once");
                exchange.reply(200, "once");
            });
            return null;
        });
        assertEquals("once", get("/once").text());
        assertEquals("general", get("/once").text());
    }

    @Test
    void aNewGeneralHandlerReplacesTheOldOne() throws Exception {
        serve(exchange -> exchange.reply(200, "old"));
        loop.call(() -> {
            assertThrows(NullPointerException.class, () -> http.onRequest(null));
            return null;
        });
        assertEquals("old", get("/").text());
        loop.call(() -> {
            http.onRequest(exchange -> exchange.reply(200, "new"));
            return null;
        });
        assertEquals("new", get("/").text());
    }

    @Test
    void withoutAHandlerLibeventAnswers404() throws Exception {
        loop.call(() -> {
            http = HttpServer.create(loop.base());
            http.onRequest("/here", exchange -> exchange.reply(200));
            address = http.bind("127.0.0.1", 0);
            return null;
        });
        assertEquals(404, get("/there").status());
        assertEquals(200, get("/here").status());
    }

    @Test
    void aPathIsChecked() throws Exception {
        serve(exchange -> exchange.reply(200));
        loop.call(() -> {
            assertThrows(IllegalArgumentException.class, () -> http.onRequest("/a\0b", exchange -> exchange.reply(200)));
            assertThrows(NullPointerException.class, () -> http.onRequest(null, exchange -> exchange.reply(200)));
            assertThrows(NullPointerException.class, () -> http.onRequest("/a", null));
            assertFalse(http.removeHandler("/a"));
            return null;
        });
        assertServes();
    }

    // ---- methods

    @ParameterizedTest
    @EnumSource
    void everyAllowedMethodReachesTheHandler(HttpMethod method) throws Exception {
        BlockingQueue<HttpMethod> seen = new LinkedBlockingQueue<>();
        serve(HttpServer.Builder::allowAllMethods, exchange -> {
            seen.add(exchange.method());
            exchange.reply(200, "body");
        });
        String target = method == HttpMethod.CONNECT ? "x:80" : "/";
        try (RawClient client = connect()) {
            client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
        }
        assertEquals(method, seen.take());
    }

    @Test
    void aMethodThatIsNotAllowedGets501() throws Exception {
        serve(exchange -> exchange.reply(200));
        for (String method : List.of("OPTIONS", "TRACE", "PATCH", "BREW")) {
            assertEquals(501, exchange(method + " / HTTP/1.1\r\nHost: x\r\n\r\n").status(), method);
        }
        try (RawClient client = connect()) { // libevent tells no length for CONNECT
            client.send("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(501, Message.head(client.in()).status());
        }
        assertServes();
    }

    @Test
    void theAllowedMethodsAreChosen() throws Exception {
        serve(builder -> builder.allowedMethods(Set.of(HttpMethod.GET, HttpMethod.PATCH)), exchange -> exchange.reply(200));
        assertEquals(200, exchange("PATCH / HTTP/1.1\r\nHost: x\r\n\r\n").status());
        assertEquals(501, exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").status());
        assertThrows(IllegalArgumentException.class, () -> HttpServer.newBuilder(loop.base()).allowedMethods(Set.of()));
    }

    // ---- limits

    @Test
    void aHeadThatIsTooLongGets400() throws Exception {
        serve(builder -> builder.maxHeadersSize(200), exchange -> exchange.reply(200));
        assertEquals(400, get("/" + "a".repeat(200)).status());
        assertEquals(400, exchange("GET / HTTP/1.1\r\nHost: x\r\nA: " + "a".repeat(200) + "\r\n\r\n").status());
        assertServes();
    }

    @Test
    void aBodyThatIsTooLongGets413() throws Exception {
        serve(builder -> builder.maxBodySize(10), exchange -> exchange.reply(200, exchange.bodyLength() + ""));
        String head = "POST / HTTP/1.1\r\nHost: x\r\n";
        assertEquals("10", exchange(head + "Content-Length: 10\r\n\r\n0123456789").text());
        assertEquals(413, exchange(head + "Content-Length: 11\r\n\r\n0123456789a").status());
        assertEquals(413, exchange(head + "Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n").status());
        assertEquals(413, exchange(head + "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n").status());
        assertEquals(413, exchange(head + "Content-Length: 99999999999\r\n\r\n").status());
        assertServes();
    }

    @Test
    void theDefaultLimitsAreFinite() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.bodyLength() + ""));
        assertEquals(400, exchange("GET / HTTP/1.1\r\nHost: x\r\nA: " + "a".repeat(64 * 1024) + "\r\n\r\n").status());
        assertEquals(413, exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n").status());
    }

    @Test
    void exactHasNoLimits() throws Exception {
        serve(HttpServer.Builder::exact, exchange -> exchange.reply(200, exchange.headers().first("A").orElse("").length() + " "
            + exchange.bodyLength()));
        assertEquals("100000 11000000", exchange("POST / HTTP/1.1\r\nHost: x\r\nA: " + "a".repeat(100_000)
            + "\r\nContent-Length: 11000000\r\n\r\n" + "b".repeat(11_000_000)).text());
    }

    @Test
    void aLimitIsLiftedByItself() throws Exception {
        serve(builder -> builder.maxHeadersSize(-1).maxBodySize(-1), exchange -> exchange.reply(200));
        assertEquals(200, exchange("POST / HTTP/1.1\r\nHost: x\r\nA: " + "a".repeat(100_000) + "\r\nContent-Length: 11000000\r\n\r\n"
            + "b".repeat(11_000_000)).status());
        for (long limit : new long[] {0, -2, Long.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> HttpServer.newBuilder(loop.base()).maxBodySize(limit));
            assertThrows(IllegalArgumentException.class, () -> HttpServer.newBuilder(loop.base()).maxHeadersSize(limit));
        }
    }

    @Test
    void lingeringCloseLetsTheClientSeeTheAnswer() throws Exception {
        serve(builder -> builder.maxBodySize(10).lingeringClose(), exchange -> exchange.reply(200));
        assertEquals(413, exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + "a".repeat(3_000_000)).status());
        assertServes();
    }

    @Test
    void anInactiveConnectionIsClosed() throws Exception {
        serve(builder -> builder.timeout(Duration.ofMillis(50)), exchange -> exchange.reply(200));
        try (RawClient silent = connect(); RawClient kept = connect(); RawClient stuck = connect()) {
            assertEquals(200, kept.get("/").status());
            stuck.send("GET / HT");
            assertEquals("", silent.readToEnd());
            assertEquals("", kept.readToEnd());
            assertEquals("", stuck.readToEnd());
        }
        assertThrows(IllegalArgumentException.class, () -> HttpServer.newBuilder(loop.base()).timeout(Duration.ZERO));
    }

    // ---- sockets

    @Test
    void listensOnSeveralAddresses() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.remoteAddress().getAddress().getHostAddress()));
        InetSocketAddress second = loop.call(() -> http.bind("127.0.0.1", 0));
        InetSocketAddress six = loop.call(() -> http.bind("::1", 0));
        assertEquals(List.of(address, second, six), loop.call(() -> http.addresses()));
        for (InetSocketAddress bound : List.of(address, second)) {
            try (RawClient client = RawClient.to(bound)) {
                assertEquals("127.0.0.1", client.get("/").text());
            }
        }
        assertEquals(InetAddress.getByName("::1"), six.getAddress());
        try (RawClient client = RawClient.to(six)) {
            assertEquals("0:0:0:0:0:0:0:1", client.get("/").text());
        }
    }

    @Test
    void unbindStopsListeningButKeepsConnections() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (RawClient kept = connect()) {
            assertEquals(200, kept.get("/").status());
            loop.call(() -> {
                http.unbind(address);
                assertThrows(IllegalArgumentException.class, () -> http.unbind(address));
                return null;
            });
            assertEquals(List.of(), loop.call(() -> http.addresses()));
            assertThrows(ConnectException.class, this::connect);
            assertEquals(200, kept.get("/").status());
        }
    }

    @Test
    void aTakenPortIsAnIOExceptionThatNamesIt() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            LibeventException e = assertThrows(LibeventException.class,
                () -> loop.call(() -> http.bind("127.0.0.1", taken.getLocalPort())));
            assertEquals(EADDRINUSE, e.errno());
            assertTrue(e.getMessage().contains("127.0.0.1"), e.getMessage());
            assertTrue(e.getMessage().contains("port " + taken.getLocalPort()), e.getMessage());
            assertTrue(e.getMessage().contains("errno 98"), e.getMessage());
        }
        assertServes();
    }

    @Test
    void anAddressThatCannotBeHadIsAnIOException() throws Exception {
        serve(exchange -> exchange.reply(200));
        assertEquals(EADDRNOTAVAIL,
            assertThrows(LibeventException.class, () -> loop.call(() -> http.bind("192.0.2.1", 0))).errno());
        LibeventException unresolved =
            assertThrows(LibeventException.class, () -> loop.call(() -> http.bind("nowhere.invalid", 0)));
        assertTrue(unresolved.getMessage().contains("nowhere.invalid"), unresolved.getMessage());
        for (int port : new int[] {-1, 65536}) {
            assertThrows(IllegalArgumentException.class, () -> loop.call(() -> http.bind("127.0.0.1", port)));
        }
        assertThrows(NullPointerException.class, () -> loop.call(() -> http.bind(null, 0)));
        assertServes();
    }

    @Test
    void aNamesAddressIsTheOneThatIsListenedOn() throws Exception {
        serve(exchange -> exchange.reply(200));
        address = loop.call(() -> http.bind("localhost", 0));
        assertServes();
    }

    // ---- what goes wrong on the wire

    @ParameterizedTest
    @ValueSource(strings = {
        "GET\r\n\r\n", "\r\n\r\n", "GET /\r\n\r\n", "/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTX/1.1\r\n\r\n",
        "GET  HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1 x\r\n\r\n", "GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n folded first\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"})
    void aMalformedRequestGetsLibeventsOwn400(String request) throws Exception {
        serve(exchange -> exchange.reply(200));
        try (RawClient client = connect()) {
            Message answer = client.send(request).response();
            assertEquals(400, answer.status());
            assertEquals("text/html", answer.header("Content-Type"));
            assertEquals("close", answer.header("Connection"));
            assertEquals("", client.readToEnd());
        }
        assertServes();
    }

    @Test
    void aMalformedChunkGets413() throws Exception {
        serve(exchange -> exchange.reply(200));
        assertEquals(413, exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n").status());
        assertServes();
    }

    @Test
    void anUnknownExpectationGets417() throws Exception {
        serve(exchange -> exchange.reply(200));
        assertEquals(417, exchange("POST / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\n").status());
        assertServes();
    }

    @Test
    void aRequestMayComeInAnyNumberOfSegments() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.headers().size() + " " + new String(exchange.body())));
        try (RawClient client = connect()) {
            client.sendByteByByte("POST / HTTP/1.1\r\nHost: x\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
            assertEquals("3 abcde", client.response().text());
            client.sendByteByByte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nfgh");
            assertEquals("2 fgh", client.response().text());
        }
    }

    @Test
    void aClientThatLeavesInTheMiddleOfARequestHarmsNobody() throws Exception {
        serve(exchange -> exchange.reply(200));
        String request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd";
        for (int length = 0; length <= request.length(); length += 3) {
            connect().send(request.substring(0, length)).close();
            connect().send(request.substring(0, length)).reset();
        }
        assertServes();
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.rawUri() + new String(exchange.body())));
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            requests.append("POST /").append(i).append(" HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
        }
        try (RawClient client = connect()) {
            client.send(requests.toString());
            for (int i = 0; i < 100; i++) {
                assertEquals("/" + i + "body", client.response().text());
            }
        }
    }

    @Test
    void headsLongerThanTheHeadBufferComeWhole() throws Exception {
        serve(builder -> builder.maxHeadersSize(-1).maxHeaders(0), exchange -> {
            exchange.headers().forEach((name, value) -> {
                if (name.startsWith("X-")) {
                    exchange.header(name, value);
                }
            });
            exchange.reply(200, exchange.headers().size() + "");
        });
        for (int count : new int[] {0, 1000, 10, 5000}) {
            StringBuilder request = new StringBuilder("GET / HTTP/1.1\r\nHost: x\r\n");
            List<String> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add("X-" + i + ": " + "v".repeat(i % 97));
                request.append(sent.get(i)).append("\r\n");
            }
            Message answer = exchange(request.append("\r\n").toString());
            assertEquals(count + 1 + "", answer.text()); // and Host
            List<String> echoed = answer.headers().stream().filter(line -> line.startsWith("X-")).toList();
            assertEquals(sent.stream().map(String::trim).toList(), echoed.stream().map(String::trim).toList());
        }
        int longest = 1_000_000;
        assertEquals(longest, exchange("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + "a".repeat(longest) + "\r\n\r\n").header("X-A").length());
    }

    // ---- Content-Type

    @Test
    void aReplyWithoutATypeGetsTheDefault() throws Exception {
        serve(builder -> builder.defaultContentType("text/caf" + "\u00e9"), exchange -> {
            byte[] body = exchange.rawUri().getBytes();
            if (exchange.rawUri().equals("/typed")) {
                exchange.header("content-type", "a/b");
            }
            exchange.reply(200, body);
        });
        for (int i = 0; i < 20; i++) {
            System.gc();
            assertEquals("text/caf\u00e9", get("/").header("Content-Type"));
            assertEquals("a/b", get("/typed").header("Content-Type"));
        }
    }

    @Test
    void withoutADefaultTypeThereIsNoneUnlessExact() throws Exception {
        serve(exchange -> exchange.reply(200, new byte[1]));
        assertNull(get("/").header("Content-Type"));
        serve(HttpServer.Builder::exact, exchange -> exchange.reply(200, new byte[1]));
        assertEquals("text/html; charset=ISO-8859-1", get("/").header("Content-Type"));
        serve(builder -> builder.exact().defaultContentType("a/b"), exchange -> exchange.reply(200, new byte[1]));
        assertEquals("a/b", get("/").header("Content-Type"));
        assertThrows(IllegalArgumentException.class, () -> HttpServer.newBuilder(loop.base()).defaultContentType("a\r\nb"));
    }

    // ---- the end

    @Test
    void aThreadThatDoesNotRunTheLoopIsToldSo() throws Exception {
        serve(exchange -> exchange.reply(200));
        List<IllegalStateException> refused = List.of(
            assertThrows(IllegalStateException.class, () -> HttpServer.create(loop.base())),
            assertThrows(IllegalStateException.class, () -> http.onRequest(exchange -> exchange.reply(200))),
            assertThrows(IllegalStateException.class, () -> http.onRequest("/", exchange -> exchange.reply(200))),
            assertThrows(IllegalStateException.class, () -> http.removeHandler("/")),
            assertThrows(IllegalStateException.class, () -> http.bind("127.0.0.1", 0)),
            assertThrows(IllegalStateException.class, () -> http.unbind(address)),
            assertThrows(IllegalStateException.class, () -> http.addresses()));
        for (IllegalStateException e : refused) {
            assertTrue(e.getMessage().contains(loop.thread().getName()), e.getMessage());
            assertTrue(e.getMessage().contains(Thread.currentThread().getName()), e.getMessage());
        }
        assertServes();
    }

    @Test
    void aClosedServerRefusesEverything() throws Exception {
        serve(exchange -> exchange.reply(200));
        http.close();
        http.close();
        assertFalse(http.isOpen());
        loop.call(() -> {
            assertThrows(IllegalStateException.class, () -> http.onRequest(exchange -> exchange.reply(200)));
            assertThrows(IllegalStateException.class, () -> http.onRequest("/", exchange -> exchange.reply(200)));
            assertThrows(IllegalStateException.class, () -> http.removeHandler("/"));
            assertThrows(IllegalStateException.class, () -> http.bind("127.0.0.1", 0));
            assertThrows(IllegalStateException.class, () -> http.unbind(address));
            assertThrows(IllegalStateException.class, () -> http.addresses());
            return null;
        });
        assertThrows(IOException.class, this::connect);
        await(http.stop(Duration.ofDays(1)));
    }

    @Test
    void closeEndsConnectionsAtOnce() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (RawClient idle = connect(); RawClient silent = connect()) {
            assertEquals(200, idle.get("/").status());
            http.close();
            assertEquals("", idle.readToEnd());
            assertEquals("", silent.readToEnd());
        }
    }

    @Test
    void aServerLivesOnItsBaseWhetherItRunsOrNot() throws Exception {
        try (EventBase base = EventBase.create(); HttpServer server = HttpServer.create(base)) {
            InetSocketAddress bound = server.bind("127.0.0.1", 0);
            assertEquals(List.of(bound), server.addresses());
            await(server.stop(Duration.ZERO));
            assertFalse(server.isOpen());
        }
    }

    // ---- stop

    @Test
    void stopAnswersWhatIsInFlightFirst() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient first = connect(); RawClient second = connect()) {
            first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /never HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange one = deferred.take();
            second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange two = deferred.take();
            CompletableFuture<Void> stopped = http.stop(Duration.ofDays(1));
            loop.turn();
            assertThrows(ConnectException.class, this::connect);
            assertFalse(stopped.isDone());
            one.reply(200, "one");
            Message answer = first.response();
            assertEquals("one", answer.text());
            assertEquals("close", answer.header("Connection"));
            assertEquals("", first.readToEnd());
            loop.turn();
            assertFalse(stopped.isDone());
            CompletableFuture<Void> again = http.stop(Duration.ofDays(1));
            two.reply(200, "two");
            assertEquals("two", second.response().text());
            await(stopped);
            await(again);
            assertFalse(http.isOpen());
        }
        assertTrue(deferred.isEmpty());
    }

    @Test
    void stopWaitsForAChunkedReply() throws Exception {
        BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
        serve(exchange -> replies.add(exchange.start(200)));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            ChunkedReply reply = replies.take();
            CompletableFuture<Void> stopped = http.stop(Duration.ofDays(1));
            await(reply.send("part".getBytes()));
            assertFalse(stopped.isDone());
            reply.end();
            assertEquals("part", client.response().text());
            await(stopped);
        }
    }

    @Test
    void stopClosesIdleConnectionsAtOnce() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (RawClient idle = connect(); RawClient half = connect()) {
            assertEquals(200, idle.get("/").status());
            half.send("GET / HTTP/1.1\r\nHost: x\r\n");
            await(http.stop(Duration.ofDays(1)));
            assertEquals("", idle.readToEnd());
            assertEquals("", half.readToEnd());
        }
        await(http.stop(Duration.ofDays(1)));
    }

    @Test
    void stopForcesTheEndAfterTheGraceTime() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange late = deferred.take();
            CompletableFuture<Void> completion = late.completion();
            await(http.stop(Duration.ofMillis(20)));
            assertEquals("", client.readToEnd());
            assertThrows(IOException.class, () -> await(completion));
            late.reply(200);
        }
    }

    @Test
    void stopInAHandlerLetsThatHandlerAnswer() throws Exception {
        CompletableFuture<Void> stopped = new CompletableFuture<>();
        serve(exchange -> {
            http.stop(Duration.ofDays(1)).thenAccept(stopped::complete);
            exchange.reply(200, "bye");
        });
        try (RawClient client = connect()) {
            Message answer = client.get("/");
            assertEquals("bye", answer.text());
            assertEquals("close", answer.header("Connection"));
        }
        await(stopped);
    }

    @Test
    void aStoppingServerBindsNoMore() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> stopped = http.stop(Duration.ofDays(1));
            assertThrows(IllegalStateException.class, () -> loop.call(() -> http.bind("127.0.0.1", 0)));
            exchange.reply(204);
            assertEquals(204, client.response().status());
            await(stopped);
        }
        assertThrows(IllegalArgumentException.class, () -> http.stop(Duration.ofMillis(-1)));
    }

    @Test
    void stopEndsWithTheBase() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            deferred.take();
            CompletableFuture<Void> stopped = http.stop(Duration.ofDays(1));
            loop.close();
            await(stopped);
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void closeInAHandlerDropsItsRequest() throws Exception {
        CompletableFuture<Boolean> open = new CompletableFuture<>();
        serve(exchange -> {
            http.close();
            open.complete(http.isOpen());
            exchange.reply(200);
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("", client.readToEnd());
        }
        assertFalse(await(open));
    }

    @Test
    void closingTheBaseInAHandlerEndsItsLoop() throws Exception {
        serve(exchange -> {
            exchange.defer();
            loop.base().close();
        });
        try (RawClient client = connect()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("", client.readToEnd());
        }
        assertNull(loop.awaitError());
    }

    @Test
    void severalServersShareALoop() throws Exception {
        serve(exchange -> exchange.reply(200, "one"));
        HttpServer one = http;
        InetSocketAddress first = address;
        serve(exchange -> exchange.reply(200, "two"));
        assertEquals("two", get("/").text());
        http.close();
        loop.turn();
        address = first;
        assertEquals("one", get("/").text());
        assertTrue(one.isOpen());
    }

    @Test
    void aLoopThreadMayHaveAnyPriorities() throws Exception {
        try (LoopThread other = new LoopThread(EventBase.newBuilder().priorities(3).build())) {
            InetSocketAddress bound = other.call(() -> {
                HttpServer server = HttpServer.create(other.base());
                server.onRequest(exchange -> exchange.reply(200));
                return server.bind("127.0.0.1", 0);
            });
            try (RawClient client = RawClient.to(bound)) {
                assertEquals(200, client.get("/").status());
            }
        }
    }
}
