package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpStatsTest extends HttpTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /** The numbers, when they are so. */
    private HttpStats await(Predicate<HttpStats> reached) {
        HttpStats stats;
        do {
            stats = http.stats();
        } while (!reached.test(stats));
        return stats;
    }

    @Test
    void nothingIsCountedYet() throws Exception {
        serve(exchange -> exchange.reply(200));
        assertEquals(HttpStats.NONE, http.stats());
    }

    @Test
    void everyByteOfARequestAndItsReplyIsCounted(@TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[3_000_000]);
        serve(exchange -> {
            switch (exchange.rawUri()) {
                case "/text" -> exchange.reply(200, "text");
                case "/file" -> {
                    try (FileChannel channel = FileChannel.open(file)) {
                        exchange.reply(200, channel, 0, channel.size());
                    }
                }
                default -> {
                    ChunkedReply reply = exchange.start(200);
                    reply.send(new byte[1000]);
                    reply.send(new byte[2000]).thenRun(reply::end);
                }
            }
        });
        long in = 0;
        long out = 0;
        for (String target : new String[] {"/text", "/file", "/chunks"}) {
            String request = "POST " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 7\r\n\r\n1234567";
            try (RawClient client = connect()) {
                out += client.send(request).readToEnd().length();
                in += request.length();
            }
        }
        HttpStats stats = await(each -> each.openConnections() == 0);
        assertEquals(in, stats.receivedBytes());
        assertEquals(out, stats.sentBytes());
        assertTrue(out > 3_003_000, "" + out);
        assertEquals(3, stats.acceptedConnections());
        assertEquals(3, stats.completedRequests());
        assertEquals(3, stats.successful());
    }

    @ParameterizedTest
    @CsvSource({"200, 0, 1, 0, 0, 0", "204, 0, 1, 0, 0, 0", "299, 0, 1, 0, 0, 0", "304, 0, 0, 1, 0, 0", "404, 0, 0, 0, 1, 0",
        "500, 0, 0, 0, 0, 1", "599, 0, 0, 0, 0, 1", "600, 0, 0, 0, 0, 1", "999, 0, 0, 0, 0, 1"})
    void repliesAreCountedByTheirClass(int status, int one, int two, int three, int four, int five) throws Exception {
        serve(exchange -> exchange.reply(status));
        assertEquals(status, get("/").status());
        HttpStats stats = await(each -> each.completedRequests() == 1);
        assertEquals(one, stats.informational());
        assertEquals(two, stats.successful());
        assertEquals(three, stats.redirections());
        assertEquals(four, stats.clientErrors());
        assertEquals(five, stats.serverErrors());
        assertEquals(0, stats.refusedRequests());
    }

    @Test
    void whatLibeventAnswersItselfIsRefused() throws Exception {
        loop.call(() -> {
            http = HttpServer.newBuilder(loop.base()).maxBodySize(10).build();
            http.onRequest("/here", exchange -> exchange.reply(200));
            address = http.bind("127.0.0.1", 0);
            return null;
        });
        int refused = 0;
        for (String request : new String[] {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /there HTTP/1.1\r\nHost: x\r\n\r\n", "POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890",
            "POST /here HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\n"}) {
            Message answer = exchange(request);
            refused++;
            int expected = refused;
            HttpStats stats = await(each -> each.refusedRequests() >= expected);
            assertEquals(refused, stats.refusedRequests(), request);
            assertEquals(refused, stats.clientErrors() + stats.serverErrors(), answer.startLine());
        }
        assertEquals(0, http.stats().requests());
        assertEquals(1, http.stats().serverErrors()); // 501
        assertEquals(200, exchange("POST /here HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n").status());
        try (RawClient client = connect()) { // an interim reply refuses nothing
            client.send("POST /here HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
            assertEquals(100, Message.head(client.in()).status());
            client.send("x");
            assertEquals(200, client.response().status());
        }
        HttpStats stats = await(each -> each.completedRequests() == 2);
        assertEquals(refused, stats.refusedRequests());
        assertEquals(2, stats.successful());
        assertEquals(0, stats.informational());
    }

    @Test
    void whatIsUnderWayAndWhatBecameOfItIsCounted() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serve(exchange -> deferred.add(exchange.defer()));
        RawClient first = connect().send(GET);
        RawClient second = connect().send(GET);
        HttpExchange one = deferred.take();
        HttpExchange two = deferred.take();
        HttpStats stats = http.stats();
        assertEquals(2, stats.openConnections());
        assertEquals(2, stats.requests());
        assertEquals(2, stats.activeRequests());
        one.reply(200);
        await(each -> each.completedRequests() == 1);
        two.start(200).abort();
        assertEquals(1, await(each -> each.abortedRequests() == 1).requests() - 1);
        first.close();
        second.close();
        stats = await(each -> each.openConnections() == 0);
        assertEquals(0, stats.activeRequests());
        assertEquals(1, stats.successful());
        RawClient third = connect().send(GET);
        deferred.take();
        http.close();
        assertEquals("", third.readToEnd());
        stats = await(each -> each.abortedRequests() == 2);
        assertEquals(0, stats.activeRequests());
        third.close();
    }

    @Test
    void connectionsThatAreTooManyAreRefused() throws Exception {
        serve(builder -> builder.maxConnections(1), exchange -> exchange.reply(200));
        try (RawClient first = connect()) {
            assertEquals(200, first.get("/").status());
            try (RawClient second = connect()) {
                assertEquals("", second.readToEnd());
            }
            HttpStats stats = await(each -> each.refusedConnections() == 1);
            assertEquals(1, stats.acceptedConnections());
            assertEquals(1, stats.openConnections());
        }
        await(stats -> stats.openConnections() == 0);
    }

    @Test
    void aTakenConnectionIsItsReply() throws Exception {
        serve(exchange -> exchange.takeOver(101).close());
        try (RawClient client = connect()) {
            assertTrue(client.send(GET).readToEnd().startsWith("HTTP/1.1 101"));
        }
        HttpStats stats = await(each -> each.openConnections() == 0);
        assertEquals(1, stats.completedRequests());
        assertEquals(1, stats.informational());
        assertEquals(0, stats.activeRequests());
    }

    @Test
    void aVirtualHostCountsItsRequestsAndItsParentConnections() throws Exception {
        serve(exchange -> exchange.reply(200));
        HttpServer host = loop.call(() -> {
            HttpServer made = HttpServer.create(loop.base());
            made.onRequest(exchange -> exchange.reply(404));
            http.addVirtualHost("host", made);
            return made;
        });
        assertEquals(404, exchange("GET / HTTP/1.1\r\nHost: host\r\n\r\n").status());
        assertServes();
        HttpStats stats = await(each -> each.openConnections() == 0);
        assertEquals(1, stats.requests());
        assertEquals(2, stats.acceptedConnections());
        assertEquals(1, host.stats().requests());
        assertEquals(1, host.stats().clientErrors());
        assertEquals(0, host.stats().acceptedConnections());
        assertEquals(2, stats.plus(host.stats()).requests());
    }

    @Test
    void exactCountsRequestsAlone() throws Exception {
        serve(HttpServer.Builder::exact, exchange -> exchange.reply(200));
        assertServes();
        HttpStats stats = await(each -> each.completedRequests() == 1);
        assertEquals(1, stats.successful());
        assertEquals(0, stats.acceptedConnections());
        assertEquals(0, stats.sentBytes());
        assertEquals(0, stats.receivedBytes());
    }

    @Test
    void theLastNumbersStay() throws Exception {
        serve(exchange -> exchange.reply(200));
        assertServes();
        await(each -> each.openConnections() == 0);
        HttpStats stats = http.stats();
        http.close();
        loop.close();
        System.gc();
        assertEquals(stats, http.stats());
    }
}
