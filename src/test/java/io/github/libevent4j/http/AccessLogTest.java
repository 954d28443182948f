package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessLogTest extends HttpTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String TIME = "\\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d \\+0000\\]";

    private final BlockingQueue<AccessLogEntry> log = new LinkedBlockingQueue<>();

    private void serveLogged(HttpHandler handler) throws Exception {
        serve(builder -> builder.accessLog(log::add), handler);
    }

    @Test
    void tellsAllOfARequest() throws Exception {
        serveLogged(exchange -> exchange.header("A", "b").reply(201, "0123456789"));
        Instant before = Instant.now();
        String received;
        int port;
        try (RawClient client = connect()) {
            port = client.socket().getLocalPort();
            received = client.send("PUT /a%20b?c HTTP/1.0\r\nReferer: http://r/\r\nUser-Agent: u/1\r\nContent-Length: 3\r\n\r\nabc").readToEnd();
        }
        AccessLogEntry entry = log.take();
        assertEquals(Optional.of(HttpMethod.PUT), entry.method());
        assertEquals(Optional.of("/a%20b?c"), entry.target());
        assertEquals(Optional.of("HTTP/1.0"), entry.version());
        assertEquals(Optional.of("http://r/"), entry.header("referer"));
        assertEquals(Optional.empty(), entry.header("Cookie"));
        assertEquals("127.0.0.1", entry.remoteHost());
        assertEquals(port, entry.remotePort());
        assertEquals(201, entry.status());
        assertEquals(received.length(), entry.sentBytes());
        assertEquals(10, entry.sentBodyBytes());
        assertTrue(entry.complete());
        assertFalse(entry.duration().isNegative());
        assertFalse(entry.time().isBefore(before.minusMillis(1)) || entry.time().isAfter(Instant.now()));
        assertMatches("127\\.0\\.0\\.1 - - " + TIME + " \"PUT /a%20b\\?c HTTP/1\\.0\" 201 10", entry.commonFormat());
        assertEquals(entry.commonFormat() + " \"http://r/\" \"u/1\"", entry.combinedFormat());
        assertEquals(entry.commonFormat(), entry.toString());
    }

    private static void assertMatches(String pattern, String line) {
        assertTrue(line.matches(pattern), line);
    }

    @Test
    void repliesOfEveryKindAreMeasured(@TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[3_000_000]);
        serveLogged(exchange -> {
            switch (exchange.rawUri()) {
                case "/empty" -> exchange.reply(204);
                case "/file" -> {
                    try (FileChannel channel = FileChannel.open(file)) {
                        exchange.reply(200, channel, 0, channel.size());
                    }
                }
                case "/error" -> exchange.replyError(503);
                case "/deferred" -> {
                    exchange.defer();
                    new Thread(() -> exchange.reply(200, "deferred")).start();
                }
                default -> {
                    ChunkedReply reply = exchange.start(200);
                    reply.send(new byte[1000]);
                    reply.send(new byte[2000]).thenRun(reply::end);
                }
            }
        });
        for (String target : new String[] {"/empty", "/file", "/error", "/deferred", "/chunks"}) {
            try (RawClient client = connect()) {
                String all = client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").readToEnd();
                AccessLogEntry entry = log.take();
                assertEquals(Optional.of(target), entry.target());
                assertEquals(all.substring(9, 12), Integer.toString(entry.status()));
                assertEquals(all.length(), entry.sentBytes(), target);
                assertEquals(all.length() - all.indexOf("\r\n\r\n") - 4, entry.sentBodyBytes(), target);
                assertTrue(entry.complete(), target);
            }
        }
    }

    @Test
    void severalRequestsOfAConnectionAreEntriesOfTheirOwn() throws Exception {
        serveLogged(exchange -> exchange.reply(200, exchange.rawUri()));
        try (RawClient client = connect()) {
            client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /22 HTTP/1.1\r\nHost: x\r\n\r\nGET /333 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("/1", client.response().text());
            assertEquals(200, Message.head(client.in()).status());
            assertEquals("/333", client.response().text());
        }
        for (int body : new int[] {2, 0, 4}) {
            AccessLogEntry entry = log.take();
            assertEquals(body, entry.sentBodyBytes());
            assertEquals(200, entry.status());
        }
        assertNull(log.poll());
    }

    @Test
    void aHandlersExceptionIsA500() throws Exception {
        serveLogged(exchange -> {
            throw new IllegalStateException("boom");
        });
        assertEquals(500, get("/").status());
        assertEquals(500, log.take().status());
        assertEquals("boom", loop.awaitException().getMessage());
    }

    @Test
    void aClientThatLeavesBeforeItsReplyHasNoStatus() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        serveLogged(exchange -> deferred.add(exchange.defer()));
        RawClient client = connect().send(GET);
        HttpExchange exchange = deferred.take();
        CompletableFuture<Void> left = exchange.clientClosed();
        client.reset();
        await(left);
        exchange.reply(200, new byte[10_000_000]);
        AccessLogEntry entry = log.take();
        assertFalse(entry.complete());
        assertEquals(200, entry.status()); // which the server had begun to send
        assertTrue(entry.sentBytes() < 10_000_000);
        connect().send(GET);
        deferred.take();
        http.close();
        AccessLogEntry dropped = log.take();
        assertFalse(dropped.complete());
        assertEquals(0, dropped.status());
        assertEquals(0, dropped.sentBytes());
        assertMatches(".* \"GET / HTTP/1\\.1\" - -", dropped.commonFormat());
    }

    @Test
    void aStreamThatIsBrokenOffTellsWhatWasSent() throws Exception {
        BlockingQueue<ChunkedReply> replies = new LinkedBlockingQueue<>();
        serveLogged(exchange -> replies.add(exchange.start(200)));
        try (RawClient client = connect()) {
            client.send(GET);
            ChunkedReply reply = replies.take();
            await(reply.send(new byte[1000]));
            reply.abort();
            String all = client.readToEnd();
            AccessLogEntry entry = log.take();
            assertFalse(entry.complete());
            assertEquals(200, entry.status());
            assertEquals(all.length(), entry.sentBytes());
            assertEquals(1000 + "3e8\r\n\r\n".length(), entry.sentBodyBytes());
        }
    }

    @Test
    void aTakenConnectionIsAnEntryWhenItEnds() throws Exception {
        serveLogged(exchange -> {
            BufferEvent taken = exchange.reason("Switching").takeOver(101);
            taken.listener(new BufferEvent.Listener() {
                @Override
                public void onWritten(BufferEvent drained) {
                    drained.close();
                }
            });
            taken.write("tunnel");
        });
        try (RawClient client = connect()) {
            String all = client.send(GET).readToEnd();
            assertEquals("HTTP/1.1 101 Switching\r\n\r\ntunnel", all);
        }
        AccessLogEntry entry = log.take();
        assertEquals(101, entry.status());
        assertTrue(entry.complete());
        assertEquals(6, entry.sentBodyBytes());
    }

    /** Libevent shows nobody what it refuses. */
    @Test
    void whatLibeventAnswersItselfIsAnEntryWithoutARequest() throws Exception {
        serveLogged(exchange -> exchange.reply(200));
        for (String request : new String[] {"nonsense\r\n\r\n", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"}) {
            try (RawClient client = connect()) {
                int status = client.send(request).response().status();
                AccessLogEntry entry = log.take();
                assertEquals(status, entry.status());
                assertEquals(client.socket().getLocalPort(), entry.remotePort());
                assertEquals(Optional.empty(), entry.method());
                assertEquals(Optional.empty(), entry.target());
                assertEquals(Optional.empty(), entry.version());
                assertEquals(Optional.empty(), entry.header("Host"));
                assertTrue(entry.sentBytes() > 100);
                assertEquals(-1, entry.sentBodyBytes());
                assertTrue(entry.complete());
                assertMatches("127\\.0\\.0\\.1 - - " + TIME + " \"-\" " + status + " - \"-\" \"-\"", entry.combinedFormat());
            }
        }
        assertServes();
        assertEquals(200, log.take().status());
        assertNull(log.poll());
    }

    @Test
    void noClientCanForgeALine() throws Exception {
        serve(builder -> builder.exact().accessLog(log::add), exchange -> exchange.reply(200));
        String evil = "a\" \\ \t\u0001\u001b[31m\u007f\u00e9\u0085";
        try (RawClient client = connect()) {
            client.send("GET /\"x\\\u00e9 HTTP/1.1\r\nUser-Agent: " + evil + "\r\nReferer: a\r\n b\r\n\r\n");
            assertEquals(200, client.response().status());
        }
        String line = log.take().combinedFormat();
        assertTrue(line.endsWith("\"GET /\\\"x\\\\\\xe9 HTTP/1.1\" 200 - \"a b\" \"a\\\" \\\\ \\t\\x01\\x1b[31m\\x7f\\xe9\\x85\""), line);
        assertTrue(line.chars().allMatch(c -> c >= ' ' && c < 0x7F), line);
        assertEquals(1, line.lines().count());
    }

    @Test
    void exactIsLoggedToo() throws Exception {
        serve(builder -> builder.exact().accessLog(log::add), exchange -> exchange.reply(200, "text"));
        assertServes();
        AccessLogEntry entry = log.take();
        assertEquals(200, entry.status());
        assertEquals(4, entry.sentBodyBytes());
        assertEquals(400, exchange("nonsense\r\n\r\n").status());
        assertEquals(400, log.take().status());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aVirtualHostHasItsOwnLogOrItsParents(boolean own) throws Exception {
        BlockingQueue<AccessLogEntry> hosts = new LinkedBlockingQueue<>();
        serveLogged(exchange -> exchange.reply(200));
        UnaryOperator<HttpServer.Builder> options = builder -> own ? builder.accessLog(hosts::add) : builder;
        loop.call(() -> {
            HttpServer host = options.apply(HttpServer.newBuilder(loop.base())).build();
            host.onRequest(exchange -> exchange.reply(200, "host"));
            http.addVirtualHost("host", host);
            return null;
        });
        exchange("GET / HTTP/1.1\r\nHost: host\r\n\r\n");
        assertEquals(4, (own ? hosts : log).take().sentBodyBytes());
        assertServes();
        assertEquals(0, log.take().sentBodyBytes());
        assertNull(hosts.poll());
    }

    @Test
    void aLogThatThrowsHarmsNobody() throws Exception {
        RuntimeException thrown = new IllegalStateException("no more paper");
        CompletableFuture<Void> completion = new CompletableFuture<>();
        serve(builder -> builder.accessLog(entry -> {
            throw thrown;
        }), exchange -> {
            exchange.completion().thenRun(() -> completion.complete(null));
            exchange.reply(200, "still");
        });
        assertEquals("still", get("/").text());
        assertSame(thrown, loop.awaitException());
        await(completion);
        assertEquals(400, exchange("nonsense\r\n\r\n").status());
        assertSame(thrown, loop.awaitException());
        assertThrows(NullPointerException.class, () -> HttpServer.newBuilder(loop.base()).accessLog(null));
    }

    @Test
    void aLogMayCloseItsServer() throws Exception {
        serve(builder -> builder.accessLog(entry -> http.close()), exchange -> exchange.reply(200, "last"));
        assertEquals("last", get("/").text());
        loop.turn();
        assertFalse(http.isOpen());
        serve(builder -> builder.accessLog(entry -> http.close()), exchange -> exchange.reply(200));
        try (RawClient client = connect()) {
            assertTrue(client.send("nonsense\r\n\r\n").readToEnd().startsWith("HTTP/1.1 400"));
        }
    }
}
