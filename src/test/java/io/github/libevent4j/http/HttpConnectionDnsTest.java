package io.github.libevent4j.http;

import static io.github.libevent4j.support.NameServer.record;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.dns.DnsException;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.NameServer;
import io.github.libevent4j.support.NameServer.Question;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A connection whose server's name is resolved by a Dns, in every order in which the two can come to an end. */
class HttpConnectionDnsTest extends LibeventTest {

    private static final String NAME = "server.test";

    private LoopThread loop;
    private NameServer names;
    private Dns dns;
    private int port;
    private final AtomicInteger closed = new AtomicInteger();

    @BeforeEach
    void open() throws Exception {
        loop = new LoopThread();
        names = new NameServer();
        loop.call(() -> {
            HttpServer server = HttpServer.create(loop.base());
            server.onRequest(exchange -> exchange.reply(200, exchange.headers().first("Host").orElse("none")));
            port = server.bind("127.0.0.1", 0).getPort();
            dns = Dns.createEmpty(loop.base());
            dns.addNameserver(names.address());
            return null;
        });
    }

    @AfterEach
    void close() throws Exception {
        loop.close();
        names.close();
    }

    private HttpConnection connection() throws Exception {
        return connection(port, builder -> builder);
    }

    private interface Choice {
        HttpConnection.Builder choose(HttpConnection.Builder builder);
    }

    private HttpConnection connection(int to, Choice choice) throws Exception {
        HttpConnection.Builder builder = HttpConnection.newBuilder(loop.base(), NAME, to).dns(dns).onClose(closed::incrementAndGet);
        return loop.call(() -> choice.choose(builder).build());
    }

    private static HttpRequest request(String... headers) {
        HttpRequest.Builder builder = HttpRequest.newBuilder("/");
        for (int i = 0; i < headers.length; i += 2) {
            builder.header(headers[i], headers[i + 1]);
        }
        return builder.build();
    }

    /** Answers the two questions of a lookup, the one about IPv4 with these addresses. */
    private void resolve(String... addresses) throws Exception {
        for (int i = 0; i < 2; i++) {
            Question question = names.next();
            assertEquals(NAME, question.name());
            List<byte[]> records = new ArrayList<>();
            for (String address : addresses) {
                if (InetAddress.getByName(address).getAddress().length == (question.type() == NameServer.A ? 4 : 16)) {
                    records.add(record(60, address));
                }
            }
            question.answer(records.toArray(new byte[0][]));
        }
    }

    private static HttpException assertFails(Failure failure, CompletableFuture<HttpResponse> response) {
        HttpException thrown = assertThrows(HttpException.class, () -> LoopThread.await(response));
        assertEquals(failure, thrown.failure(), thrown.getMessage());
        return thrown;
    }

    private static int closedPort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private void closeDns() throws Exception {
        dns.close();
        loop.turn();
    }

    @Test
    void theNameIsResolvedOnceForAConnection() throws Exception {
        HttpConnection connection = connection();
        List<CompletableFuture<HttpResponse>> responses = List.of(connection.send(request()), connection.send(request()));
        resolve("127.0.0.1");
        for (CompletableFuture<HttpResponse> response : responses) {
            assertEquals(NAME + ":" + port, LoopThread.await(response).bodyText(), "the name, not the address");
        }
        assertEquals(200, LoopThread.await(connection.send(request())).status());
        assertFalse(names.asked());
        assertEquals(0, closed.get());
    }

    @Test
    void theNameIsResolvedAgainForANewConnection() throws Exception {
        HttpConnection connection = connection();
        for (int i = 1; i <= 3; i++) {
            CompletableFuture<HttpResponse> response = connection.send(request("Connection", "close"));
            resolve("127.0.0.1");
            assertEquals(200, LoopThread.await(response).status());
            loop.turn();
            assertEquals(i, closed.get());
        }
    }

    @Test
    void theLoopGoesOnWhileTheNameIsResolved() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        Question question = names.next();
        loop.turn();
        assertFalse(response.isDone());
        question.answer(record(60, "127.0.0.1"));
        names.next().fail(NameServer.NO_SUCH_NAME);
        assertEquals(200, LoopThread.await(response).status());
    }

    @Test
    void addressesAreTriedInTurn() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        resolve("127.0.0.2", "127.0.0.3", "::1", "127.0.0.1");
        assertEquals(200, LoopThread.await(response).status());
        assertEquals(0, closed.get());
    }

    @Test
    void ipv6() throws Exception {
        int six = loop.call(() -> {
            HttpServer server = HttpServer.create(loop.base());
            server.onRequest(exchange -> exchange.reply(200, "six"));
            return server.bind("::1", 0).getPort();
        });
        CompletableFuture<HttpResponse> response = connection(six, builder -> builder).send(request());
        resolve("127.0.0.1", "::1");
        assertEquals("six", LoopThread.await(response).bodyText());
    }

    @Test
    void whenAllRefuseTheLastRefusalIsTold() throws Exception {
        CompletableFuture<HttpResponse> response = connection(closedPort(), builder -> builder).send(request());
        resolve("127.0.0.1", "127.0.0.2");
        assertEquals(111, assertFails(Failure.UNCONNECTED, response).errno());
        assertFalse(names.asked());
    }

    @Test
    void aNameThatDoesNotResolve() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        names.next().fail(NameServer.NO_SUCH_NAME);
        names.next().fail(NameServer.NO_SUCH_NAME);
        HttpException failure = assertFails(Failure.UNRESOLVED, response);
        assertEquals(libevent.EVUTIL_EAI_NONAME, assertInstanceOf(DnsException.class, failure.getCause()).code());
        response = connection.send(request());
        resolve("127.0.0.1");
        assertEquals(200, LoopThread.await(response).status());
    }

    @Test
    void aRetryResolvesAgain() throws Exception {
        HttpConnection connection = connection(port, builder -> builder.retries(2).retryDelay(Duration.ofMillis(1)));
        CompletableFuture<HttpResponse> response = connection.send(request());
        names.next().fail(NameServer.NO_SUCH_NAME);
        names.next().fail(NameServer.NO_SUCH_NAME);
        resolve("127.0.0.2", "127.0.0.3"); // which refuse
        resolve("127.0.0.1");
        assertEquals(200, LoopThread.await(response).status());
    }

    @Test
    void settingsAreThoseOfEachConnection() throws Exception {
        HttpConnection connection = connection(port, builder -> builder.maxBodySize(3).maxHeadersSize(10_000).localAddress("127.0.0.1")
            .timeout(Duration.ofSeconds(60)));
        CompletableFuture<HttpResponse> response = connection.send(request());
        resolve("127.0.0.1");
        assertFails(Failure.DATA_TOO_LONG, response);
    }

    @Test
    void digitsAreNotAskedFor() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.newBuilder(loop.base(), "127.0.0.1", port).dns(dns).build());
        assertEquals(200, LoopThread.await(connection.send(request())).status());
        assertFalse(names.asked());
    }

    // ---- ends

    @Test
    void theDnsIsClosedBeforeTheRequest() throws Exception {
        HttpConnection connection = connection();
        closeDns();
        assertInstanceOf(IllegalStateException.class, assertFails(Failure.UNRESOLVED, connection.send(request())).getCause());
    }

    @Test
    void theDnsIsClosedDuringTheLookup() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        CompletableFuture<HttpResponse> next = connection.send(request());
        names.next();
        dns.close();
        assertFails(Failure.UNRESOLVED, response);
        assertFails(Failure.UNRESOLVED, next);
    }

    @Test
    void theDnsIsClosedWhenTheConnectionIsMade() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        resolve("127.0.0.1");
        LoopThread.await(response);
        closeDns();
        assertEquals(200, LoopThread.await(connection.send(request("Connection", "close"))).status());
        assertFails(Failure.UNRESOLVED, connection.send(request()));
    }

    @Test
    void theConnectionIsClosedDuringTheLookup() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        CompletableFuture<HttpResponse> next = connection.send(request());
        Question question = names.next();
        connection.close();
        assertFails(Failure.REQUEST_CANCEL, response);
        assertFails(Failure.REQUEST_CANCEL, next);
        question.answer(record(60, "127.0.0.1"));
        loop.turn();
    }

    @Test
    void theBaseIsClosedDuringTheLookup() throws Exception {
        CompletableFuture<HttpResponse> response = connection().send(request());
        names.next();
        loop.close();
        assertTrue(response.isCompletedExceptionally());
    }

    @Test
    void theRequestIsTakenBackDuringTheLookup() throws Exception {
        HttpConnection connection = connection();
        CompletableFuture<HttpResponse> response = connection.send(request());
        CompletableFuture<HttpResponse> next = connection.send(request());
        names.next();
        names.next();
        response.cancel(false);
        resolve("127.0.0.1"); // for the next
        assertEquals(200, LoopThread.await(next).status());
        assertThrows(CancellationException.class, response::get);
    }

    @Test
    void everythingIsClosedInACompletion() throws Exception {
        for (boolean base : new boolean[] {false, true}) {
            HttpConnection connection = connection();
            CompletableFuture<HttpResponse> response = connection.send(request());
            CompletableFuture<?> done = response.whenComplete((answer, failure) -> {
                connection.close();
                dns.close();
                if (base) {
                    loop.base().close();
                }
            });
            names.next().fail(NameServer.NO_SUCH_NAME);
            names.next().fail(NameServer.NO_SUCH_NAME);
            assertThrows(HttpException.class, () -> LoopThread.await(done));
            if (!base) {
                dns = loop.call(() -> Dns.createEmpty(loop.base()));
                loop.call(() -> {
                    dns.addNameserver(names.address());
                    return null;
                });
            }
        }
    }

    @Test
    void aDnsOfAnotherBaseIsRefused() throws Exception {
        try (EventBase other = EventBase.create(); Dns foreign = Dns.createEmpty(other)) {
            assertThrows(IllegalArgumentException.class, () -> HttpConnection.newBuilder(loop.base(), NAME, port).dns(foreign));
        }
        assertThrows(NullPointerException.class, () -> HttpConnection.newBuilder(loop.base(), NAME, port).dns(null));
    }
}
