package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that come together have replies that go together: each of them, in order, and none later than need be. */
class HttpPipelineTest extends HttpTest {

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();

    @BeforeEach
    void serve() throws Exception {
        serve(exchange -> {
            switch (exchange.uri().path()) {
                case "/later" -> deferred.add(exchange.defer());
                case "/large" -> exchange.reply(200, new byte[100_000]);
                case "/taken" -> exchange.takeOver(101).write("raw");
                case "/abort" -> exchange.start(200).abort();
                default -> exchange.reply(200, exchange.rawUri());
            }
        });
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

    private HttpStats statsWhenDone(long ended) throws Exception {
        while (http.stats().completedRequests() + http.stats().abortedRequests() < ended) {
            loop.turn();
        }
        return http.stats();
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
}
