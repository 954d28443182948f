package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that come together have replies that go together: each of them, in order, and none later than need be. */
class HttpPipelineTest extends HttpTest {

    private static final int PAGE = 9_000;

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();

    private int unread;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void serve() throws Exception {
        file = Files.writeString(directory.resolve("file"), "of a file");
        serve(this::answer);
    }

    private void answer(HttpExchange exchange) throws IOException {
        switch (exchange.uri().path()) {
            case "/later" -> deferred.add(exchange.defer());
            case "/large" -> exchange.reply(200, new byte[100_000]);
            case "/page" -> exchange.reply(200, new byte[PAGE]);
            case "/pieces" -> {
                ChunkedReply reply = exchange.start(200);
                reply.send("of ".getBytes(StandardCharsets.US_ASCII));
                reply.send("pieces".getBytes(StandardCharsets.US_ASCII));
                reply.end();
            }
            case "/file" -> {
                try (FileChannel channel = FileChannel.open(file)) {
                    exchange.reply(200, channel, 0, channel.size());
                }
            }
            case "/dated" -> exchange.header("Date", "Thu, 01 Jan 1970 00:00:00 GMT").reply(200, "dated");
            case "/last" -> exchange.header("Connection", "close").reply(200, "last");
            case "/none" -> exchange.reply(204);
            case "/taken" -> exchange.takeOver(101).write("raw");
            case "/abort" -> exchange.start(200).abort();
            default -> exchange.reply(200, exchange.rawUri());
        }
    }

    private static String request(String target, String... headers) {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + String.join("\r\n", headers) + (headers.length > 0 ? "\r\n" : "") + "\r\n";
    }

    private static void assertReplies(RawClient client, int from, int to) throws IOException {
        for (int i = from; i <= to; i++) {
            assertEquals("/" + i, client.response().text());
        }
    }

    private static String gets(int from, int to) {
        StringBuilder requests = new StringBuilder();
        for (int i = from; i <= to; i++) {
            requests.append(request("/" + i));
        }
        return requests.toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 16, 1000})
    void allAreAnsweredAndCounted(int count) throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, count));
            assertReplies(client, 1, count);
            HttpStats stats = statsWhenDone(count);
            assertEquals(count, stats.completedRequests());
            assertEquals(count, stats.successful());
        }
    }

    @Test
    void noneWaitsForOneThatIsAnsweredLater() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/later") + gets(4, 5));
            assertReplies(client, 1, 3);
            deferred.take().reply(200, "late");
            assertEquals("late", client.response().text());
            assertReplies(client, 4, 5);
        }
    }

    @Test
    void noneWaitsForOneThatHasNotComeWhole() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + "GET /4 HTTP/1.1\r\nHo");
            assertReplies(client, 1, 3);
            client.send("st: x\r\n\r\n");
            assertReplies(client, 4, 4);
        }
    }

    @Test
    void thoseBeforeARefusedOneComeToo() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + "GET / HTTP/1.1\r\nno header\r\n\r\n");
            assertReplies(client, 1, 3);
            assertEquals(400, client.response().status());
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void thoseBeforeTheLastOneComeToo() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/4", "Connection: close"));
            assertReplies(client, 1, 4);
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void allComeToAClientThatSaysNoMore() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 20));
            client.socket().shutdownOutput();
            assertReplies(client, 1, 20);
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void thoseBeforeALargeOneComeToo() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/large") + gets(4, 4));
            assertReplies(client, 1, 3);
            assertEquals(100_000, client.response().body().length);
            assertReplies(client, 4, 4);
        }
    }

    @Test
    void thoseBeforeATakenOverConnectionGoAheadOfWhatFollows() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/taken", "Upgrade: raw", "Connection: Upgrade"));
            assertReplies(client, 1, 3);
            assertEquals(101, Message.head(client.in()).status());
            assertEquals("raw", new String(client.in().readNBytes(3)));
        }
    }

    @Test
    void aConnectionThatIsBrokenOffCountsWhatWasNotSent() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/abort"));
            client.readToEnd();
            assertEquals(4, statsWhenDone(4).requests());
        }
    }

    @Test
    void aReaderThatIsSlowHoldsUpItsOwnRequestsOnly() throws Exception {
        int count = 20_000;
        try (RawClient slow = RawClient.slowlyTo(address)) {
            Thread sender = new Thread(() -> {
                try {
                    slow.send(gets(1, count));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            sender.start();
            assertEquals("/fast", exchange(request("/fast")).text());
            assertReplies(slow, 1, count);
            sender.join();
            assertEquals(count + 1, statsWhenDone(count + 1).completedRequests());
        }
    }

    @Test
    void aServerThatStopsSendsAllBefore() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/later"));
            HttpExchange last = deferred.take();
            var stopped = loop.call(() -> http.stop(Duration.ofSeconds(30)));
            last.reply(200, "last");
            assertReplies(client, 1, 3);
            assertEquals("last", client.response().text());
            await(stopped);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/pieces", "/file", "/large", "/page", "/dated", "/none"})
    void onesOfOtherKindsStayInTheirPlaces(String target) throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request(target) + gets(4, 6) + request(target) + request(target) + gets(7, 7));
            assertReplies(client, 1, 3);
            Message first = client.response();
            assertReplies(client, 4, 6);
            for (int i = 0; i < 2; i++) {
                Message again = client.response();
                assertEquals(first.status(), again.status());
                assertArrayEquals(first.body(), again.body());
            }
            assertReplies(client, 7, 7);
            assertEquals(10, statsWhenDone(10).completedRequests());
        }
    }

    @Test
    void oneThatLibeventAnswersItselfStaysInItsPlace() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + "BREW / HTTP/1.1\r\nHost: x\r\n\r\n" + gets(4, 5));
            assertReplies(client, 1, 3);
            assertEquals(501, client.response().status());
            assertEquals("", client.readToEnd());
            HttpStats stats = statsWhenDone(3);
            assertEquals(3, stats.completedRequests());
            assertEquals(1, stats.refusedRequests());
            assertEquals(3, stats.successful());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /4 HTTP/1.0\r\n\r\n"})
    void noneIsAnsweredBehindTheLastOne(String last) throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + last + gets(5, 6));
            assertReplies(client, 1, 4);
            assertEquals("", client.readToEnd());
            assertEquals(4, statsWhenDone(4).requests());
        }
    }

    @Test
    void noneIsAnsweredBehindTheLastReply() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + request("/last") + gets(5, 6));
            assertReplies(client, 1, 3);
            assertEquals("last", client.response().text());
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void moreThanIsGatheredComesInOrder() throws Exception {
        try (RawClient client = connect()) {
            client.send((request("/page") + request("/page") + gets(1, 1)).repeat(20));
            for (int i = 0; i < 20; i++) {
                assertEquals(PAGE, client.response().body().length);
                assertEquals(PAGE, client.response().body().length);
                assertReplies(client, 1, 1);
            }
            assertEquals(60, statsWhenDone(60).completedRequests());
        }
    }

    @Test
    void aBodyThatComesInPartsIsAskedForBehindWhatIsBeforeIt() throws Exception {
        try (RawClient client = connect()) {
            client.send(gets(1, 3) + "POST /4 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
            assertReplies(client, 1, 3);
            assertEquals(100, Message.head(client.in()).status());
            client.send("body" + gets(5, 6));
            assertReplies(client, 4, 6);
        }
    }

    @Test
    void whatALaterReplyHoldsUpGoesOutAsTheClientReads() throws Exception {
        try (RawClient slow = RawClient.slowlyTo(address)) {
            int pages = fill(slow);
            Thread reader = new Thread(() -> {
                try {
                    for (; unread > 0; unread--) {
                        slow.response();
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            HttpExchange last = deferred.take();
            reader.start();
            while (http.stats().completedRequests() < 2L * pages - 1) { /* though the last has no reply yet */
                loop.turn();
            }
            last.reply(200, "last");
            reader.join();
            HttpStats stats = statsWhenDone(2L * pages);
            assertEquals(2L * pages, stats.completedRequests());
        }
    }

    /**
     * Has the client sent requests in twos, for a page and for what is answered later, until the socket does not take a whole page. Returns
     * how often.
     */
    private int fill(RawClient client) throws Exception {
        int read = 0;
        for (int sent = 2;; sent += 2) {
            client.send(request("/page") + request("/later"));
            HttpExchange later = deferred.take();
            loop.turn();
            if (http.stats().completedRequests() < sent - 1) {
                deferred.add(later);
                unread = sent - read;
                return sent / 2;
            }
            loop.call(() -> {
                later.reply(200, "later");
                return null;
            });
            for (; http.stats().completedRequests() < sent && read < sent; read++) { /* it was this one that was not taken */
                client.response();
            }
            while (http.stats().completedRequests() < sent) {
                loop.turn();
            }
        }
    }

    @Test
    void whatAClientThatLeavesHasNotTakenIsAborted() throws Exception {
        RawClient slow = RawClient.slowlyTo(address);
        int pages = fill(slow);
        slow.reset();
        deferred.take().reply(200, "nobody");
        HttpStats stats = statsWhenDone(2L * pages);
        assertEquals(2, stats.abortedRequests());
        assertEquals(2L * pages - 2, stats.successful());
    }

    @Test
    void aClientThatTakesNothingIsInactive() throws Exception {
        serve(builder -> builder.timeout(Duration.ofSeconds(1)), this::answer);
        try (RawClient slow = RawClient.slowlyTo(address)) {
            int pages = fill(slow);
            HttpExchange last = deferred.take(); // unanswered: nobody would be inactive, were it not for the page before it
            while (http.stats().openConnections() > 0) {
                loop.turn();
            }
            last.reply(200, "nobody");
            assertEquals(2, statsWhenDone(2L * pages).abortedRequests());
        }
    }

    @Test
    void theBytesAreThoseOfEvhttpAlone() throws Exception {
        String requests = gets(1, 3) + request("/pieces") + gets(4, 5) + request("/none") + request("/file") + gets(6, 7)
            + request("/dated") + request("/page") + request("/page") + gets(8, 20) + request("/last");
        serve(builder -> builder.defaultContentType("text/css"), this::answer);
        String gathered = replies(requests);
        serve(builder -> builder.exact().defaultContentType("text/css"), this::answer);
        assertEquals(replies(requests), gathered);
    }

    private String replies(String requests) throws IOException {
        try (RawClient client = connect()) {
            return client.send(requests).readToEnd().replaceAll("Date: [^\r]*", "Date: …");
        }
    }

    @Test
    void eachHostCountsItsOwn() throws Exception {
        HttpServer other = loop.call(() -> {
            HttpServer host = HttpServer.newBuilder(loop.base()).build();
            host.onRequest(this::answer);
            http.addVirtualHost("other", host);
            return host;
        });
        try (RawClient client = connect()) {
            String there = "GET /1 HTTP/1.1\r\nHost: other\r\n\r\n";
            client.send(gets(1, 2) + there + there + there + gets(1, 1));
            assertReplies(client, 1, 2);
            for (int i = 0; i < 4; i++) {
                assertReplies(client, 1, 1);
            }
            assertEquals(3, statsWhenDone(3).completedRequests());
            assertEquals(3, other.stats().completedRequests());
        }
    }

    @Test
    void whoeverAsksHearsOfItsOwnBytes() throws Exception {
        BlockingQueue<AccessLogEntry> log = new LinkedBlockingQueue<>();
        serve(builder -> builder.accessLog(log::add), this::answer);
        try (RawClient client = connect()) {
            client.send(gets(1, 16));
            assertReplies(client, 1, 16);
            for (int i = 1; i <= 16; i++) {
                assertEquals(("/" + i).length(), log.take().sentBodyBytes());
            }
        }
    }
}
