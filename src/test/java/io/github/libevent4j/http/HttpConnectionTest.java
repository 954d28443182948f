package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpConnectionTest extends HttpTest {

    private static final int EACCES = 13;
    private static final int EADDRINUSE = 98;
    private static final int ENETUNREACH = 101;
    private static final int ECONNREFUSED = 111;
    private static final HttpRequest GET = HttpRequest.newBuilder("/").build();

    private HttpConnection connection(int port) throws Exception {
        return connection(port, builder -> builder);
    }

    private HttpConnection connection(int port, UnaryOperator<HttpConnection.Builder> options) throws Exception {
        return loop.call(() -> options.apply(HttpConnection.newBuilder(loop.base(), "127.0.0.1", port)).build());
    }

    private static HttpRequest request(String uri, String... headers) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(uri);
        for (int i = 0; i < headers.length; i += 2) {
            builder.header(headers[i], headers[i + 1]);
        }
        return builder.build();
    }

    /** The future fails in this way. */
    private static HttpException assertFails(Failure failure, CompletableFuture<?> future) {
        HttpException e = assertThrows(HttpException.class, () -> await(future));
        assertEquals(failure, e.failure(), e.getMessage());
        return e;
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return free.getLocalPort();
        }
    }

    // ---- what is sent

    @ParameterizedTest
    @EnumSource
    void everyMethodIsSentAndAnswered(HttpMethod method) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response =
                connection.send(HttpRequest.newBuilder("/a?b").method(method, new byte[0]).header("A", "b").build());
            try (RawClient peer = server.accept()) {
                Message request = peer.request();
                assertEquals(method + " /a?b HTTP/1.1", request.startLine());
                List<String> expected = new ArrayList<>(List.of("Host: 127.0.0.1:" + server.port(), "A: b"));
                if (method == HttpMethod.POST || method == HttpMethod.PUT) {
                    expected.add("Content-Length: 0");
                }
                assertEquals(expected, request.headers());
                peer.send("HTTP/1.1 207 Why not\r\nX: 1\r\nContent-Length: 0\r\nx: 2\r\n\r\n");
            }
            HttpResponse answer = await(response);
            assertEquals(207, answer.status());
            assertEquals("Why not", answer.reason());
            assertEquals("HTTP/1.1", answer.version());
            assertEquals(List.of("1", "2"), answer.headers().all("X"));
            assertEquals(0, answer.body().length);
        }
    }

    @Test
    void aHostHeaderIsAddedWhereThereIsNone() throws Exception {
        try (RawServer server = new RawServer(); RawServer six = new RawServer("::1", 0)) {
            HttpConnection plain = connection(server.port());
            HttpConnection exact = connection(server.port(), HttpConnection.Builder::exact);
            HttpConnection bracketed = loop.call(() -> HttpConnection.create(loop.base(), "::1", six.port()));
            plain.send(GET);
            try (RawClient peer = server.accept()) {
                assertEquals("127.0.0.1:" + server.port(), peer.request().header("Host"));
            }
            plain.close();
            exact.send(GET);
            try (RawClient peer = server.accept()) {
                assertEquals(List.of(), peer.request().headers());
            }
            exact.close();
            CompletableFuture<HttpResponse> response = bracketed.send(GET);
            try (RawClient peer = six.accept()) {
                assertEquals("[::1]:" + six.port(), peer.request().header("Host"));
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(response);
                CompletableFuture<HttpResponse> own = bracketed.send(request("/", "host", "example.org"));
                assertEquals(List.of("host: example.org"), peer.request().headers());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(own);
            }
        }
    }

    /** Whatever was sent before: on this connection, with the same headers or others, or the same request on another. */
    @Test
    void eachRequestHasItsOwnHeaders() throws Exception {
        HttpRequest same = request("/", "A", "1");
        List<HttpRequest> requests = List.of(same, same, request("/2", "A", "1"), request("/", "A", "2"), request("/", "A", "2", "B", "1"),
            request("/", "B", "1", "A", "2"), request("/", "b", "1", "A", "2"), request("/", "A", "1"), GET, GET, same,
            HttpRequest.newBuilder("/").header("A", "1").POST("body").build(), same);
        try (RawServer server = new RawServer(); RawServer other = new RawServer()) {
            HttpConnection connection = connection(server.port());
            HttpConnection elsewhere = connection(other.port());
            HttpConnection exact = connection(other.port(), HttpConnection.Builder::exact);
            RawClient peer = serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n");
            RawClient elsewherePeer = serverEnd(other, elsewhere.send(GET), "HTTP/1.1 204 OK\r\n\r\n");
            RawClient exactPeer = serverEnd(other, exact.send(GET), "HTTP/1.1 204 OK\r\n\r\n");
            for (HttpRequest request : requests) {
                List<String> own = request.headers().toString().lines().toList();
                List<String> body = request.body().length == 0 ? List.of() : List.of("Content-Length: " + request.body().length);
                assertSent(request, connection, peer, List.of("Host: 127.0.0.1:" + server.port()), own, body);
                assertSent(request, elsewhere, elsewherePeer, List.of("Host: 127.0.0.1:" + other.port()), own, body);
                assertSent(request, exact, exactPeer, own, body);
            }
            for (RawClient each : List.of(peer, elsewherePeer, exactPeer)) {
                each.close();
            }
        }
    }

    @SafeVarargs
    private static void assertSent(HttpRequest request, HttpConnection connection, RawClient peer, List<String>... headers) throws Exception {
        CompletableFuture<HttpResponse> response = connection.send(request);
        Message message = peer.request();
        assertEquals(request + " HTTP/1.1", message.startLine());
        assertEquals(Arrays.stream(headers).flatMap(List::stream).toList(), message.headers());
        assertArrayEquals(request.body(), message.text().getBytes(UTF_8));
        peer.send("HTTP/1.1 204 OK\r\n\r\n");
        await(response);
    }

    @Test
    void anOldVersionIsSentAsSuch() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").version10().build());
            try (RawClient peer = server.accept()) {
                assertEquals("GET / HTTP/1.0", peer.request().startLine());
                peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
            }
            assertEquals("until the end", await(response).bodyText());
            assertEquals("HTTP/1.0", await(response).version());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 20_000, 3_000_000})
    void bodiesGoBothWays(int length) throws Exception {
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpConnection connection = connection(address.getPort());
        byte[] body = new byte[length];
        new Random(length).nextBytes(body);
        CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").POST(body).build());
        byte[] sent = body.clone();
        Arrays.fill(body, (byte) 0); // it was copied
        assertArrayEquals(sent, await(response).body());
    }

    @Test
    void headsLongerThanTheHeadBufferComeWhole() throws Exception {
        serve(builder -> builder.maxHeaders(0).maxHeadersSize(-1), exchange -> {
            exchange.headers().forEach((name, value) -> {
                if (name.startsWith("X-")) {
                    exchange.header(name, value);
                }
            });
            exchange.reply(200);
        });
        HttpConnection connection = connection(address.getPort());
        for (int count : new int[] {1, 3000, 10}) {
            HttpRequest.Builder request = HttpRequest.newBuilder("/");
            for (int i = 0; i < count; i++) {
                request.header("X-" + i, "v".repeat(i % 50) + i);
            }
            Headers headers = await(connection.send(request.build())).headers();
            for (int i = 0; i < count; i++) {
                assertEquals("v".repeat(i % 50) + i, headers.first("x-" + i).orElseThrow());
            }
        }
        String longest = "v".repeat(1_000_000);
        assertEquals(longest, await(connection.send(request("/", "X-Long", longest))).headers().first("X-Long").orElseThrow());
    }

    // ---- one after the other on one connection

    @Test
    void requestsShareAConnection() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.rawUri() + " " + exchange.remoteAddress().getPort()));
        HttpConnection connection = connection(address.getPort());
        String port = await(connection.send(request("/first"))).bodyText().substring("/first ".length());
        List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            responses.add(connection.send(request("/" + i)));
        }
        for (int i = 0; i < 100; i++) {
            assertEquals("/" + i + " " + port, await(responses.get(i)).bodyText());
        }
    }

    @Test
    void oneRequestIsUnderWayAtATime() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(request("/1"));
            CompletableFuture<HttpResponse> second = connection.send(request("/2"));
            try (RawClient peer = server.accept()) {
                assertEquals("GET /1 HTTP/1.1", peer.request().startLine());
                loop.turn();
                assertEquals(0, peer.in().available());
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
                assertEquals("1", await(first).bodyText());
                assertEquals("GET /2 HTTP/1.1", peer.request().startLine());
                assertFalse(second.isDone());
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
                assertEquals("2", await(second).bodyText());
            }
        }
    }

    @Test
    void whatAResponseGoesOnToSendComesNext() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.rawUri()));
        HttpConnection connection = connection(address.getPort());
        List<String> order = new ArrayList<>();
        CompletableFuture<Void> last = new CompletableFuture<>();
        loop.call(() -> {
            connection.send(request("/1")).thenAccept(response -> {
                order.add(response.bodyText());
                connection.send(request("/3")).thenAccept(third -> {
                    order.add(third.bodyText());
                    last.complete(null);
                });
            });
            return connection.send(request("/2")).thenAccept(response -> order.add(response.bodyText()));
        });
        await(last);
        assertEquals(List.of("/1", "/2", "/3"), order);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1", // says so
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", // does not say otherwise
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1surplus", // what follows would answer the next request
        "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", // as would another one announced
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", // nothing that follows is HTTP
        "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n1", // has no other end
        "HTTP/1.1 200 OK\r\n\r\n1"})
    void aConnectionThatIsNotFitForTheNextRequestIsMadeAnew(String response) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(request("/1"));
            CompletableFuture<HttpResponse> second = connection.send(request("/2"));
            try (RawClient peer = server.accept()) {
                assertEquals("GET /1 HTTP/1.1", peer.request().startLine());
                peer.send(response);
                peer.socket().shutdownOutput();
                assertEquals(response.contains("101") ? "" : "1", await(first).bodyText());
                try (RawClient next = server.accept()) {
                    assertEquals("GET /2 HTTP/1.1", next.request().startLine());
                    next.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
                    assertEquals("2", await(second).bodyText());
                }
            }
        }
    }

    @Test
    void anOldServerMayKeepTheConnection() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            try (RawClient peer = serverEnd(server, connection.send(GET), "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"
                + "Content-Length: 1\r\n\r\n1")) {
                CompletableFuture<HttpResponse> second = connection.send(request("/2"));
                assertEquals("GET /2 HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(second);
            }
        }
    }

    /** Answers the request, and returns its connection. */
    private static RawClient serverEnd(RawServer server, CompletableFuture<HttpResponse> response, String answer) throws Exception {
        RawClient peer = server.accept();
        peer.request();
        peer.send(answer);
        await(response);
        return peer;
    }

    @Test
    void aConnectionThatTheServerClosedIsMadeAnew() throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.onClose(() -> closed.complete(null)));
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
            await(closed);
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
        }
    }

    /** Libevent takes a connection that ended so for one that is idle still, until the next one is made. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatComesBetweenRequestsEndsTheConnectionAndTheNextMayFail(boolean exact) throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(),
                builder -> (exact ? builder.exact() : builder).onClose(() -> closed.complete(null)));
            try (RawClient peer = serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n")) {
                peer.send("surplus");
                await(closed);
            }
            CompletableFuture<HttpResponse> second = loop.call(() -> {
                CompletableFuture<HttpResponse> response = connection.send(GET);
                server.accept().reset(); // before the loop sees that it is connected
                return response;
            });
            assertThrows(HttpException.class, () -> await(second));
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
        }
    }

    @Test
    void aResponseMayBeAnnounced() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            for (int i = 0; i < 2; i++) {
                CompletableFuture<HttpResponse> response = i == 0 ? connection.send(GET) : connection.send(GET, data -> { });
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
                    loop.turn();
                    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                    assertEquals(201, await(response).status());
                }
            }
        }
    }

    @Test
    void theBodyWaitsForContinue() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response =
                connection.send(HttpRequest.newBuilder("/").POST("body").header("Expect", "100-continue").build());
            try (RawClient peer = server.accept()) {
                assertEquals("4", Message.head(peer.in()).header("Content-Length"));
                loop.turn();
                assertEquals(0, peer.in().available());
                peer.send("HTTP/1.1 100 Continue\r\n\r\n");
                assertEquals("body", new String(peer.in().readNBytes(4)));
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                assertEquals("ok", await(response).bodyText());
            }
        }
    }

    // ---- how it fails: three shapes at libevent, one future here

    @Test
    void refused() throws Exception {
        HttpConnection connection = connection(freePort());
        for (int i = 0; i < 3; i++) {
            HttpException e = assertFails(Failure.UNCONNECTED, connection.send(GET));
            assertEquals(ECONNREFUSED, e.errno());
            assertTrue(e.getMessage().contains("GET / to 127.0.0.1 port "), e.getMessage());
            assertTrue(e.getMessage().contains("refused"), e.getMessage());
        }
    }

    @Test
    void unresolved() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "nowhere.invalid", 80));
        for (int i = 0; i < 3; i++) {
            assertFails(Failure.UNRESOLVED, connection.send(GET));
        }
    }

    @Test
    void unreachable() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "255.255.255.255", 80));
        int errno = assertFails(Failure.UNCONNECTED, connection.send(GET)).errno();
        assertTrue(errno == EACCES || errno == ENETUNREACH, "errno " + errno);
    }

    @Test
    void notConnectedInTime() throws Exception {
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            List<SocketChannel> waiting = new ArrayList<>();
            for (int i = 0; i < 10; i++) { // the kernel answers no more when the backlog is full
                SocketChannel channel = SocketChannel.open();
                channel.configureBlocking(false);
                channel.connect(full.getLocalSocketAddress());
                waiting.add(channel);
            }
            HttpConnection connection = connection(full.getLocalPort(), builder -> builder.timeout(Duration.ofMillis(50)));
            HttpException e = assertFails(Failure.CONNECT_TIMEOUT, connection.send(GET));
            assertEquals(0, e.errno());
            for (SocketChannel channel : waiting) {
                channel.close();
            }
        }
    }

    /** A connection that has been used before. */
    @ParameterizedTest
    @CsvSource({"in the callback, false", "later, false", "in the callback, true", "later, true"})
    void aServerThatFallsSilentIsGivenUp(String when, boolean exact) throws Exception {
        Duration time = Duration.ofMillis(1500);
        CompletableFuture<Void> closed = new CompletableFuture<>();
        try (RawServer server = new RawServer()) {
            List<CompletableFuture<HttpResponse>> silent = new ArrayList<>();
            List<RawClient> peers = new ArrayList<>();
            for (HttpRequest next : List.of(request("/silent"), request("/half"),
                HttpRequest.newBuilder("/unread").POST(new byte[1_000_000]).build())) {
                HttpConnection connection = connection(server.port(), builder -> (exact ? builder.exact() : builder).timeout(time));
                CompletableFuture<HttpResponse> response = connection.send(GET);
                if (when.equals("later")) {
                    peers.add(serverEnd(server, response, "HTTP/1.1 204 OK\r\n\r\n"));
                    silent.add(connection.send(next));
                } else {
                    silent.add(response.thenCompose(first -> connection.send(next)));
                    peers.add(serverEnd(server, response, "HTTP/1.1 204 OK\r\n\r\n"));
                }
                if (next.uri().equals("/half")) {
                    peers.get(1).request();
                    peers.get(1).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
                }
            }
            HttpConnection idle = connection(server.port(), builder -> (exact ? builder.exact() : builder).timeout(time)
                .onClose(() -> closed.complete(null)));
            peers.add(serverEnd(server, idle.send(GET), "HTTP/1.1 204 OK\r\n\r\n"));
            for (CompletableFuture<HttpResponse> each : silent) {
                Throwable failure = await(each.handle((response, thrown) -> thrown));
                assertEquals(Failure.TIMEOUT, ((HttpException) (failure instanceof CompletionException e ? e.getCause() : failure)).failure());
            }
            await(closed);
            for (RawClient each : peers) {
                each.close();
            }
        }
    }

    @Test
    void notAnsweredInTime() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.timeout(Duration.ofMillis(50)));
            CompletableFuture<HttpResponse> silent = connection.send(GET);
            CompletableFuture<HttpResponse> next = connection.send(request("/next"));
            try (RawClient peer = server.accept()) {
                assertEquals("/", peer.request().startLine().split(" ")[1]);
                assertFails(Failure.TIMEOUT, silent);
                try (RawClient second = server.accept()) {
                    assertEquals("/next", second.request().startLine().split(" ")[1]);
                    second.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
                    assertFails(Failure.TIMEOUT, next);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "EOF|",
        "EOF|HTTP/1.1 200 OK",
        "EOF|HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n",
        "EOF|HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nabcd",
        "EOF|HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nabcde\\r\\n",
        "EOF|HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nabcde\\r\\n0\\r\\n",
        "INVALID_HEADER|nonsense\\r\\n\\r\\n",
        "INVALID_HEADER|HTTP/2.0 200 OK\\r\\n\\r\\n",
        "INVALID_HEADER|HTTP/1.1 zero\\r\\n\\r\\n",
        "INVALID_HEADER|HTTP/1.1 000 OK\\r\\n\\r\\n",
        "INVALID_HEADER|HTTP/1.1 200 OK\\r\\nno colon\\r\\n\\r\\n",
        "INVALID_HEADER|HTTP/1.1 200 OK\\r\\nContent-Length: 5x\\r\\n\\r\\nabcde",
        "INVALID_HEADER|HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n",
        "DATA_TOO_LONG|HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nx\\r\\n"})
    void aMalformedOrBrokenResponse(Failure failure, String response) throws Exception {
        String bytes = response == null ? "" : response.replace("\\r\\n", "\r\n");
        for (boolean streaming : new boolean[] {false, true}) {
            try (RawServer server = new RawServer()) {
                HttpConnection connection = connection(server.port());
                CompletableFuture<HttpResponse> broken = streaming ? connection.send(GET, data -> { }) : connection.send(GET);
                CompletableFuture<HttpResponse> next = connection.send(request("/next"));
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send(bytes);
                    if (failure == Failure.EOF) {
                        peer.socket().shutdownOutput();
                    }
                    assertEquals(0, assertFails(failure, broken).errno());
                }
                try (RawClient second = server.accept()) { // the one after it has a connection of its own
                    assertEquals("/next", second.request().startLine().split(" ")[1]);
                    second.send("HTTP/1.1 204 OK\r\n\r\n");
                    assertEquals(204, await(next).status());
                }
            }
        }
    }

    @Test
    void aConnectionThatIsReset() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(GET);
            RawClient peer = server.accept();
            peer.request();
            peer.reset();
            assertFails(Failure.EOF, response);
        }
    }

    @Test
    void aHeadOrABodyThatIsTooLong() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.maxHeadersSize(100).maxBodySize(10));
            for (String response : List.of("HTTP/1.1 200 " + "a".repeat(100) + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: " + "a".repeat(100) + "\r\n\r\n")) {
                CompletableFuture<HttpResponse> future = connection.send(GET);
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send(response);
                    assertFails(Failure.INVALID_HEADER, future);
                }
            }
            for (String response : List.of("Content-Length: 11\r\n\r\n12345678901", "Connection: close\r\n\r\n12345678901",
                "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n")) {
                CompletableFuture<HttpResponse> future = connection.send(GET);
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send("HTTP/1.1 200 OK\r\n" + response);
                    assertFails(Failure.DATA_TOO_LONG, future);
                }
            }
            CompletableFuture<HttpResponse> future = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890");
                assertEquals("1234567890", await(future).bodyText());
            }
        }
    }

    /** Names fail at once, inside of send(): who sends again when that fails must not end up at the end of the stack. */
    @Test
    void whatFailsAtOnceMayBeSentAgainForEver() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "255.255.255.255", 80));
        int times = 20_000;
        AtomicInteger failures = new AtomicInteger();
        CompletableFuture<Void> enough = new CompletableFuture<>();
        new Object() {
            void send() {
                connection.send(GET).exceptionally(e -> {
                    if (failures.incrementAndGet() < times) {
                        send();
                    } else {
                        enough.complete(null);
                    }
                    return null;
                });
            }
        }.send();
        await(enough);
        assertEquals(times, failures.get());
    }

    @Test
    void aBaseThatDoesNotRunYetSendsWhenItDoes() throws Exception {
        serve(exchange -> exchange.reply(200, "ok"));
        try (EventBase base = EventBase.create()) {
            HttpConnection connection = HttpConnection.create(base, "127.0.0.1", address.getPort());
            HttpConnection nowhere = HttpConnection.create(base, "255.255.255.255", 80);
            CompletableFuture<HttpResponse> response = connection.send(GET);
            CompletableFuture<HttpResponse> failure = nowhere.send(GET);
            CompletableFuture.allOf(response, failure).whenComplete((all, e) -> base.stop());
            base.dispatch();
            assertEquals("ok", response.join().bodyText());
            assertFails(Failure.UNCONNECTED, failure);
        }
    }

    // ---- retries

    @Test
    void retriesUntilAServerIsThere() throws Exception {
        int port = freePort();
        HttpConnection connection = connection(port, builder -> builder.retries(-1).retryDelay(Duration.ofMillis(1)));
        CompletableFuture<HttpResponse> first = connection.send(request("/1"));
        CompletableFuture<HttpResponse> second = connection.send(request("/2"));
        loop.call(() -> {
            Timer later = Timer.create(loop.base(), () -> {
                http = HttpServer.create(loop.base());
                http.onRequest(exchange -> exchange.reply(200, exchange.rawUri()));
                try {
                    http.bind("127.0.0.1", port);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            later.start(Duration.ofMillis(20));
            return null;
        });
        assertEquals("/1", await(first).bodyText());
        assertEquals("/2", await(second).bodyText());
    }

    @Test
    void givesUpAfterTheLastRetryAndTriesAgainForTheNextRequest() throws Exception {
        int port = freePort();
        HttpConnection connection = connection(port, builder -> builder.retries(2).retryDelay(Duration.ofMillis(1)));
        for (int i = 0; i < 2; i++) {
            CompletableFuture<HttpResponse> first = connection.send(GET);
            CompletableFuture<HttpResponse> second = connection.send(GET);
            assertEquals(ECONNREFUSED, assertFails(Failure.UNCONNECTED, first).errno());
            assertEquals(ECONNREFUSED, assertFails(Failure.UNCONNECTED, second).errno());
        }
        try (RawServer server = new RawServer("127.0.0.1", port)) {
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
        }
    }

    @Test
    void retriesWhatFailsAtOnce() throws Exception {
        HttpConnection connection = loop.call(() -> HttpConnection.newBuilder(loop.base(), "nowhere.invalid", 80).retries(2)
            .retryDelay(Duration.ofMillis(1)).build());
        assertFails(Failure.UNRESOLVED, connection.send(GET));
        assertFails(Failure.UNRESOLVED, connection.send(GET));
    }

    @Test
    void aRequestThatWaitsForItsRetryIsTakenBack() throws Exception {
        int port = freePort();
        HttpConnection connection = connection(port, builder -> builder.retries(-1).retryDelay(Duration.ofMillis(1)));
        CompletableFuture<HttpResponse> first = connection.send(request("/1"));
        CompletableFuture<HttpResponse> second = connection.send(request("/2"));
        CompletableFuture<HttpResponse> third = connection.send(request("/3"));
        for (int i = 0; i < 100; i++) {
            loop.turn();
        }
        assertTrue(first.cancel(false));
        try (RawServer server = new RawServer("127.0.0.1", port); RawClient peer = server.accept()) {
            assertEquals("GET /2 HTTP/1.1", peer.request().startLine());
            peer.send("HTTP/1.1 204 OK\r\n\r\n");
            assertEquals(204, await(second).status());
            assertEquals("GET /3 HTTP/1.1", peer.request().startLine());
            peer.send("HTTP/1.1 204 OK\r\n\r\n");
            assertEquals(204, await(third).status());
        }
    }

    @Test
    void closingEndsRetries() throws Exception {
        HttpConnection connection = connection(freePort(), builder -> builder.retries(-1).retryDelay(Duration.ofDays(1)));
        CompletableFuture<HttpResponse> response = connection.send(GET);
        loop.turn();
        connection.close();
        assertThrows(HttpException.class, () -> await(response));
    }

    // ---- the local end

    @Test
    void connectsFromALocalAddressAndPort() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.remoteAddress().toString()));
        int port = freePort();
        HttpConnection both = connection(address.getPort(), builder -> builder.localAddress("127.0.0.2").localPort(port));
        assertEquals("/127.0.0.2:" + port, await(both.send(GET)).bodyText());
        HttpConnection addressOnly = connection(address.getPort(), builder -> builder.localAddress("127.0.0.3"));
        assertTrue(await(addressOnly.send(GET)).bodyText().startsWith("/127.0.0.3:"));
    }

    @Test
    void aLocalAddressThatCannotBeHadFailsTheRequest() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            HttpConnection connection = connection(address.getPort(),
                builder -> builder.localAddress("127.0.0.1").localPort(taken.getLocalPort()));
            for (int i = 0; i < 3; i++) {
                assertEquals(EADDRINUSE, assertFails(Failure.UNCONNECTED, connection.send(GET)).errno());
            }
        }
        HttpConnection foreign = connection(address.getPort(), builder -> builder.localAddress("192.0.2.1"));
        assertNotEquals(0, assertFails(Failure.UNCONNECTED, foreign.send(GET)).errno());
        HttpConnection nonsense = connection(address.getPort(), builder -> builder.localAddress("nowhere.invalid"));
        assertFails(Failure.UNCONNECTED, nonsense.send(GET));
    }

    /** Each request closes the connection, and its port is not free again at once: libevent would forget those that wait. */
    @Test
    void aLocalPortThatIsStillInUseLosesNoRequest() throws Exception {
        serve(exchange -> exchange.reply(200));
        HttpConnection connection = connection(address.getPort(), builder -> builder.localAddress("127.0.0.1").localPort(freePortUnchecked()));
        List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            responses.add(connection.send(request("/", "Connection", "close")));
        }
        assertEquals(200, await(responses.get(0)).status());
        for (CompletableFuture<HttpResponse> response : responses) {
            await(response.handle((answer, failure) -> null));
        }
    }

    private static int freePortUnchecked() {
        try {
            return freePort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    // ---- the close callback

    @Test
    void eachCloseIsTold() throws Exception {
        BlockingQueue<Thread> closes = new LinkedBlockingQueue<>();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.onClose(() -> closes.add(Thread.currentThread())));
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close(); // by the server
            assertSame(loop.thread(), closes.take());
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n").close(); // by agreement
            assertSame(loop.thread(), closes.take());
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n"); // by closing
            connection.close();
            assertSame(loop.thread(), closes.take());
        }
        HttpConnection refused = connection(freePort(), builder -> builder.onClose(() -> closes.add(Thread.currentThread())));
        assertFails(Failure.UNCONNECTED, refused.send(GET));
        refused.close();
        loop.turn();
        assertTrue(closes.isEmpty(), "what never was open was not closed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 204 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "nonsense\r\n",
        "HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n", ""})
    void theCloseCallbackMaySend(String response) throws Exception {
        AtomicInteger closes = new AtomicInteger();
        CompletableFuture<CompletableFuture<HttpResponse>> sent = new CompletableFuture<>();
        HttpConnection[] self = new HttpConnection[1];
        try (RawServer server = new RawServer()) {
            self[0] = connection(server.port(), builder -> builder.onClose(() -> {
                if (closes.incrementAndGet() == 1) {
                    sent.complete(self[0].send(request("/again")));
                }
            }));
            CompletableFuture<HttpResponse> first = self[0].send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send(response);
            }
            await(first.handle((answer, failure) -> null));
            try (RawClient peer = server.accept()) {
                assertEquals("GET /again HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(await(sent)).status());
            }
        }
    }

    @Test
    void theCloseCallbackMayCloseTheConnection() throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        HttpConnection[] self = new HttpConnection[1];
        try (RawServer server = new RawServer()) {
            self[0] = connection(server.port(), builder -> builder.onClose(() -> {
                self[0].close();
                closed.complete(null);
            }));
            CompletableFuture<HttpResponse> second;
            CompletableFuture<HttpResponse> first = self[0].send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                second = self[0].send(GET);
            }
            await(closed);
            assertFails(Failure.REQUEST_CANCEL, second);
            await(first.handle((answer, failure) -> null));
            assertThrows(IllegalStateException.class, () -> self[0].send(GET));
        }
    }

    @Test
    void theCloseCallbackMayThrow() throws Exception {
        IllegalStateException thrown = new IllegalStateException("thrown by the close callback");
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.onClose(() -> {
                throw thrown;
            }));
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
            assertSame(thrown, loop.awaitException());
            serverEnd(server, connection.send(GET), "HTTP/1.1 204 OK\r\n\r\n").close();
            assertSame(thrown, loop.awaitException());
        }
    }

    // ---- taking requests back

    @Test
    void cancellingTheRequestUnderWayClosesItsConnection() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(GET);
            CompletableFuture<HttpResponse> second = connection.send(request("/2"));
            try (RawClient peer = server.accept()) {
                peer.request();
                assertTrue(first.cancel(true));
                assertThrows(CancellationException.class, first::join);
                assertEquals("", peer.readToEnd());
            }
            try (RawClient peer = server.accept()) {
                assertEquals("GET /2 HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(second).status());
            }
        }
    }

    @Test
    void cancellingAQueuedRequestLeavesTheOthers() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(request("/1"));
            CompletableFuture<HttpResponse> second = connection.send(request("/2"));
            CompletableFuture<HttpResponse> third = connection.send(request("/3"));
            try (RawClient peer = server.accept()) {
                peer.request();
                second.cancel(false);
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(first).status());
                assertEquals("GET /3 HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(third).status());
            }
        }
    }

    @Test
    void everyOtherCompletionTakesTheRequestBackToo() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> late = connection.send(GET).orTimeout(1, TimeUnit.MILLISECONDS);
            assertThrows(TimeoutException.class, () -> await(late));
            CompletableFuture<HttpResponse> failed = connection.send(GET);
            assertTrue(failed.completeExceptionally(new IOException("not wanted any more")));
            CompletableFuture<HttpResponse> replaced = connection.send(GET);
            assertTrue(replaced.complete(null));
            assertNull(await(replaced));
            assertNull(await(connection.send(GET).completeOnTimeout(null, 1, TimeUnit.MILLISECONDS)));
            assertNull(await(connection.send(GET).completeAsync(() -> null)));
            CompletableFuture<HttpResponse> computed = connection.send(GET).completeAsync(() -> {
                throw new IllegalStateException("nothing to replace it");
            });
            assertThrows(IllegalStateException.class, () -> await(computed));
            CompletableFuture<HttpResponse> obtruded = connection.send(GET);
            obtruded.obtrudeValue(null);
            assertNull(await(obtruded));
            obtruded.obtrudeException(new IOException("nor that"));
            CompletableFuture<HttpResponse> refused = connection.send(GET);
            refused.obtrudeException(new IOException("not wanted either"));
            assertTrue(connection.send(GET).cancel(false));
            CompletableFuture<HttpResponse> wanted = connection.send(request("/wanted"));
            Message request;
            RawClient peer;
            do { // the others' connections are closed, whether they had sent anything or not
                peer = server.accept();
                request = requestOrEnd(peer);
            } while (request == null || !request.startLine().startsWith("GET /wanted"));
            peer.send("HTTP/1.1 204 OK\r\n\r\n");
            assertEquals(204, await(wanted).status());
        }
    }

    private static Message requestOrEnd(RawClient peer) {
        try {
            return peer.request();
        } catch (IOException e) {
            return null;
        }
    }

    @Test
    void cancellingFromManyThreadsHarmsNobody() throws Exception {
        serve(exchange -> exchange.reply(200));
        HttpConnection connection = connection(address.getPort());
        for (int round = 0; round < 300; round++) {
            CompletableFuture<HttpResponse> one = connection.send(GET);
            CompletableFuture<HttpResponse> other = connection.send(GET);
            for (int i = 0; i < round % 7; i++) {
                loop.turn();
            }
            one.cancel(false);
            other.cancel(false);
        }
        assertEquals(200, await(connection.send(GET)).status());
    }

    // ---- streaming

    private enum Framing {
        LENGTH, CHUNKS, END;

        String frame(List<String> parts) {
            return switch (this) {
                case LENGTH -> "Content-Length: " + String.join("", parts).length() + "\r\n\r\n" + String.join("", parts);
                case END -> "\r\n" + String.join("", parts);
                case CHUNKS -> {
                    StringBuilder chunks = new StringBuilder("Transfer-Encoding: chunked\r\n\r\n");
                    parts.forEach(part -> chunks.append(Integer.toHexString(part.length())).append("\r\n").append(part).append("\r\n"));
                    yield chunks.append("0\r\n\r\n").toString();
                }
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBodyIsGivenOutWhileItComes(Framing framing) throws Exception {
        List<String> parts = List.of("one", "two", "x".repeat(100_000), "four");
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> headed = new CompletableFuture<>();
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            CompletableFuture<Void> some = new CompletableFuture<>();
            CompletableFuture<HttpResponse> response = connection.send(GET, new BodyListener() {
                @Override
                public void onHead(HttpResponse head) {
                    headed.complete(head);
                }

                @Override
                public void onData(byte[] data) throws IOException {
                    assertTrue(data.length > 0);
                    body.write(data);
                    some.complete(null);
                }
            });
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 Fine\r\nX: y\r\n");
                String framed = framing.frame(parts);
                int headEnd = framed.indexOf("\r\n\r\n") + 4;
                peer.send(framing == Framing.END ? framed.substring(0, 2) : framed.substring(0, headEnd));
                HttpResponse head = await(headed);
                assertEquals("Fine", head.reason());
                assertEquals("y", head.headers().first("X").orElseThrow());
                assertEquals(0, head.body().length);
                assertFalse(response.isDone());
                String rest = framed.substring(framing == Framing.END ? 2 : headEnd);
                int half = framing == Framing.CHUNKS ? 8 : 3;
                peer.send(rest.substring(0, half));
                await(some);
                assertFalse(response.isDone());
                peer.send(rest.substring(half));
                if (framing == Framing.END) {
                    peer.socket().shutdownOutput();
                }
                HttpResponse end = await(response);
                assertEquals(0, end.body().length);
                assertEquals("y", end.headers().first("X").orElseThrow());
                assertEquals(String.join("", parts), body.toString(UTF_8));
            }
        }
    }

    @Test
    void aResponseWithoutABodyIsStreamedToo() throws Exception {
        serve(exchange -> exchange.reply(204));
        HttpConnection connection = connection(address.getPort());
        List<String> calls = new ArrayList<>();
        await(connection.send(GET, new BodyListener() {
            @Override
            public void onHead(HttpResponse head) {
                calls.add("head " + head.status());
            }

            @Override
            public void onData(byte[] data) {
                calls.add("data");
            }
        }));
        assertEquals(List.of("head 204"), calls);
    }

    @ParameterizedTest
    @CsvSource({"false,LENGTH", "false,CHUNKS", "false,END", "true,LENGTH", "true,CHUNKS", "true,END"})
    void aListenersExceptionBreaksTheRequestOff(boolean inHead, Framing framing) throws Exception {
        IOException thrown = new IOException("thrown by the listener");
        AtomicInteger calls = new AtomicInteger();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(GET, new BodyListener() {
                @Override
                public void onHead(HttpResponse head) throws IOException {
                    if (inHead) {
                        calls.incrementAndGet();
                        throw thrown;
                    }
                }

                @Override
                public void onData(byte[] data) throws IOException {
                    calls.incrementAndGet();
                    throw thrown;
                }
            });
            CompletableFuture<HttpResponse> next = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                String whole = "HTTP/1.1 200 OK\r\n" + framing.frame(List.of("a", "b", "c"));
                peer.send(whole.substring(0, whole.length() - 1));
                assertSame(thrown, assertThrows(IOException.class, () -> await(response)));
                assertEquals("", peer.readToEnd());
            }
            assertEquals(1, calls.get());
            serverEnd(server, next, "HTTP/1.1 204 OK\r\n\r\n").close();
            assertEquals(204, await(next).status());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenersErrorComesOutOfTheLoop(boolean inHead) throws Exception {
        AssertionError error = new AssertionError("thrown by the listener");
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(GET, new BodyListener() {
                @Override
                public void onHead(HttpResponse head) {
                    if (inHead) {
                        throw error;
                    }
                }

                @Override
                public void onData(byte[] data) {
                    throw error;
                }
            });
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
                assertSame(error, loop.awaitError());
            }
            loop.close();
            assertTrue(response.isCompletedExceptionally());
        }
    }

    @ParameterizedTest
    @CsvSource({"true,CLOSE", "false,CLOSE", "true,CANCEL", "false,CANCEL", "true,CLOSE_BASE", "false,CLOSE_BASE"})
    void aListenerMayEndEverything(boolean inHead, String what) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<CompletableFuture<HttpResponse>> self = new CompletableFuture<>();
            Runnable end = () -> {
                switch (what) {
                    case "CLOSE" -> connection.close();
                    case "CANCEL" -> self.join().cancel(false);
                    default -> loop.base().close();
                }
            };
            CompletableFuture<HttpResponse> response = connection.send(GET, new BodyListener() {
                @Override
                public void onHead(HttpResponse head) {
                    if (inHead) {
                        end.run();
                    }
                }

                @Override
                public void onData(byte[] data) {
                    end.run();
                }
            });
            self.complete(response);
            CompletableFuture<HttpResponse> second = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n");
                assertEquals("", peer.readToEnd());
                await(response.handle((answer, failure) -> null));
                assertTrue(response.isCompletedExceptionally());
            }
            if (what.equals("CANCEL")) {
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send("HTTP/1.1 204 OK\r\n\r\n");
                    assertEquals(204, await(second).status());
                }
            } else {
                assertFails(Failure.REQUEST_CANCEL, second);
            }
        }
    }

    @Test
    void aPausedBodyWaits() throws Exception {
        byte[] body = new byte[30_000_000];
        serve(exchange -> exchange.reply(200, body));
        HttpConnection connection = connection(address.getPort());
        CompletableFuture<Void> paused = new CompletableFuture<>();
        int[] received = new int[1];
        CompletableFuture<HttpResponse> response = connection.send(GET, data -> {
            received[0] += data.length;
            connection.pause();
            paused.complete(null);
        });
        await(paused);
        for (int i = 0; i < 100; i++) {
            loop.turn();
        }
        int before = loop.call(() -> received[0]);
        assertTrue(before < body.length, "all came although it was paused");
        for (int i = 0; i < 100; i++) {
            loop.turn();
        }
        assertEquals(before, loop.call(() -> received[0]));
        while (!response.isDone()) {
            connection.resume();
            loop.turn();
        }
        await(response);
        assertEquals(body.length, loop.call(() -> received[0]));
    }

    // ---- responses in any number of segments

    static List<String> oddResponses() {
        return List.of(
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0002 \r\nbo\r\n2\r\ndy\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.1 200\r\n\r\nbody",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
            "HTTP/1.0 200 OK\r\nFolded: a\r\n  b\r\n\r\nbody",
            "HTTP/1.1 200 OK\nContent-Length: 4\n\nbody");
    }

    @ParameterizedTest
    @MethodSource("oddResponses")
    void aResponseMayComeByteByByte(String bytes) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(GET);
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.sendByteByByte(bytes);
                endIfThatEnds(peer, bytes);
                assertEquals("body", await(response).bodyText());
            }
        }
    }

    private static void endIfThatEnds(RawClient peer, String response) throws IOException {
        if (!response.contains("Content-Length") && !response.contains("chunked")) {
            peer.socket().shutdownOutput();
        }
    }

    @ParameterizedTest
    @MethodSource("oddResponses")
    void aResponseMayBeSplitAnywhere(String bytes) throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            for (int split = 1; split < bytes.length(); split++) {
                ByteArrayOutputStream body = new ByteArrayOutputStream();
                CompletableFuture<HttpResponse> response = connection.send(request("/", "Connection", "close"), body::write);
                try (RawClient peer = server.accept()) {
                    peer.request();
                    peer.send(bytes.substring(0, split));
                    loop.turn();
                    loop.turn();
                    peer.send(bytes.substring(split));
                    endIfThatEnds(peer, bytes);
                    assertEquals(200, await(response).status());
                    assertEquals("body", body.toString(UTF_8), "split at " + split);
                }
            }
        }
    }

    // ---- the end

    @Test
    void closeFailsWhatWaitsOnce() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            AtomicInteger completions = new AtomicInteger();
            List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                CompletableFuture<HttpResponse> response = connection.send(GET);
                response.whenComplete((answer, failure) -> completions.incrementAndGet());
                responses.add(response);
            }
            try (RawClient peer = server.accept()) {
                peer.request();
                connection.close();
                connection.close();
                assertEquals("", peer.readToEnd());
            }
            for (CompletableFuture<HttpResponse> response : responses) {
                HttpException e = assertFails(Failure.REQUEST_CANCEL, response);
                assertTrue(e.getMessage().contains("closed by this program"), e.getMessage());
            }
            loop.turn();
            assertEquals(5, completions.get());
            assertFalse(connection.isOpen());
            assertThrows(IllegalStateException.class, () -> connection.send(GET));
            assertThrows(IllegalStateException.class, connection::pause);
        }
    }

    @Test
    void closingTheBaseFailsWhatWaitsAndWhatWasNotStarted() throws Exception {
        for (int round = 0; round < 50; round++) {
            try (RawServer server = new RawServer(); LoopThread other = new LoopThread()) {
                HttpConnection connection = other.call(() -> HttpConnection.create(other.base(), "127.0.0.1", server.port()));
                List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
                Thread closer = new Thread(other.base()::close);
                for (int i = 0; i < 20; i++) {
                    try {
                        responses.add(connection.send(GET));
                    } catch (IllegalStateException e) {
                        assertFalse(other.base().isOpen());
                    }
                    if (i == round % 20) {
                        closer.start();
                    }
                }
                closer.join();
                for (CompletableFuture<HttpResponse> response : responses) {
                    assertFails(Failure.REQUEST_CANCEL, response);
                }
            }
        }
    }

    @Test
    void aCompletionMayCloseTheConnection() throws Exception {
        serve(exchange -> exchange.reply(200, "ok"));
        HttpConnection connection = connection(address.getPort());
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<HttpResponse> second = loop.call(() -> {
            connection.send(GET).thenAccept(response -> {
                connection.close();
                first.complete(response.bodyText());
            });
            return connection.send(GET);
        });
        assertEquals("ok", await(first));
        assertFails(Failure.REQUEST_CANCEL, second);

        HttpConnection refused = connection(freePort());
        CompletableFuture<Void> closed = refused.send(GET).handle((response, failure) -> {
            refused.close();
            return null;
        });
        await(closed);
    }

    @Test
    void aCompletionMayCancelTheOthers() throws Exception {
        serve(exchange -> exchange.reply(200, "ok"));
        HttpConnection connection = connection(address.getPort());
        List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
        // To wait for the first response itself could make this thread run what depends on it, when the second is on its way.
        await(loop.call(() -> {
            for (int i = 0; i < 5; i++) {
                responses.add(connection.send(GET));
            }
            return responses.get(0).thenRun(() -> responses.forEach(response -> response.cancel(false)));
        }));
        assertEquals("ok", await(responses.get(0)).bodyText());
        for (CompletableFuture<HttpResponse> response : responses.subList(1, 5)) {
            assertThrows(CancellationException.class, response::join);
        }
        assertEquals("ok", await(connection.send(GET)).bodyText());
    }

    @Test
    void theBuilderChecksWhatItIsGiven() throws Exception {
        EventBase base = loop.base();
        for (String host : List.of("", "a b", "a\r\nb", "\u00e9", "a\0")) {
            assertThrows(IllegalArgumentException.class, () -> HttpConnection.newBuilder(base, host, 80), host);
            assertThrows(IllegalArgumentException.class, () -> HttpConnection.newBuilder(base, "a", 80).localAddress(host), host);
        }
        for (int port : new int[] {0, -1, 65536}) {
            assertThrows(IllegalArgumentException.class, () -> HttpConnection.newBuilder(base, "a", port));
            assertThrows(IllegalArgumentException.class, () -> HttpConnection.newBuilder(base, "a", 80).localPort(port));
        }
        HttpConnection.Builder builder = HttpConnection.newBuilder(base, "a", 80);
        assertThrows(IllegalArgumentException.class, () -> builder.timeout(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.timeout(Duration.ofMillis(-1)));
        assertThrows(IllegalArgumentException.class, () -> builder.retryDelay(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.retries(-2));
        assertThrows(IllegalArgumentException.class, () -> builder.maxHeadersSize(0));
        assertThrows(IllegalArgumentException.class, () -> builder.maxBodySize(-1));
        assertThrows(NullPointerException.class, () -> builder.onClose(null));
        assertThrows(IllegalStateException.class, builder::build, "the loop runs on another thread");
        HttpConnection connection = connection(80);
        assertThrows(NullPointerException.class, () -> connection.send(null));
        assertThrows(NullPointerException.class, () -> connection.send(GET, null));
        assertTrue(connection.toString().contains("127.0.0.1"), connection.toString());
    }

    // ---- servers that are not ours

    @Test
    void nginxServes(@TempDir Path directory) throws Exception {
        byte[] large = new byte[20_000_000];
        new Random(1).nextBytes(large);
        Path www = Files.createDirectories(directory.resolve("www"));
        Files.write(www.resolve("large"), large);
        Files.writeString(www.resolve("small"), "small");
        Files.writeString(www.resolve("page.shtml"), "<!--#echo var=\"request_method\" -->" + "x".repeat(50_000));
        try (Nginx nginx = new Nginx(directory, """
            ssi on;
            ssi_types *;
            keepalive_requests 20;
            location = /empty { return 204; }
            location = /moved { return 301 /small; }
            location = /echo { client_max_body_size 1m; return 200 "$request_method $http_x"; }
            location = /large { ssi off; }
            location = /small { ssi off; }
            """)) {
            HttpConnection connection = connection(nginx.port());
            HttpResponse small = await(connection.send(request("/small")));
            assertEquals("small", small.bodyText());
            assertEquals("5", small.headers().first("Content-Length").orElseThrow());
            assertArrayEquals(large, await(connection.send(request("/large"))).body());
            HttpResponse part = await(connection.send(request("/large", "Range", "bytes=100-199")));
            assertEquals(206, part.status());
            assertArrayEquals(Arrays.copyOfRange(large, 100, 200), part.body());
            HttpResponse head = await(connection.send(HttpRequest.newBuilder("/large").method(HttpMethod.HEAD, new byte[0]).build()));
            assertEquals("20000000", head.headers().first("Content-Length").orElseThrow());
            assertEquals(0, head.body().length);
            assertEquals(204, await(connection.send(request("/empty"))).status());
            assertEquals(304, await(connection.send(request("/small", "If-None-Match",
                small.headers().first("ETag").orElseThrow()))).status());
            HttpResponse chunked = await(connection.send(request("/page.shtml")));
            assertEquals("chunked", chunked.headers().first("Transfer-Encoding").orElseThrow());
            assertEquals("GET" + "x".repeat(50_000), chunked.bodyText());
            assertEquals("/small", HttpUri.parse(await(connection.send(request("/moved"))).headers().first("Location").orElseThrow()).path());
            assertEquals(404, await(connection.send(request("/nowhere"))).status());
            assertEquals("PUT y", await(connection.send(HttpRequest.newBuilder("/echo")
                .method(HttpMethod.PUT, new byte[100_000]).header("X", "y").build())).bodyText());
            ByteArrayOutputStream streamed = new ByteArrayOutputStream();
            await(connection.send(request("/large"), streamed::write));
            assertArrayEquals(large, streamed.toByteArray());
            for (int i = 0; i < 50; i++) { // past what nginx allows on one connection
                assertEquals("small", await(connection.send(request("/small?" + i))).bodyText());
            }
            List<String> log = nginx.stop();
            assertEquals(61, log.size());
            for (int i = 0; i < log.size(); i++) {
                assertEquals(i % 20 + 1 + "", log.get(i).split(" ")[1], log.get(i));
            }
        }
    }

    @Test
    void pythonServes(@TempDir Path directory) throws Exception {
        byte[] file = new byte[1_000_000];
        new Random(2).nextBytes(file);
        Files.write(directory.resolve("file"), file);
        for (String protocol : List.of("HTTP/1.0", "HTTP/1.1")) {
            try (Programs.Running python = Programs.start("python3", "-u", "-c", """
                import functools, http.server, os, sys
                handler = http.server.SimpleHTTPRequestHandler
                handler.protocol_version = sys.argv[2]
                os.chdir(sys.argv[1])
                server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
                print('port', server.server_address[1])
                server.serve_forever()
                """, directory.toString(), protocol)) {
                int port = Integer.parseInt(python.awaitOutput(Pattern.compile("port (\\d+)\n")).group(1));
                HttpConnection connection = connection(port);
                List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
                for (int i = 0; i < 10; i++) { // 1.0 closes after each
                    responses.add(connection.send(request("/file")));
                    responses.add(connection.send(request("/nowhere")));
                    responses.add(connection.send(HttpRequest.newBuilder("/file").method(HttpMethod.HEAD, new byte[0]).build()));
                }
                for (int i = 0; i < responses.size(); i += 3) {
                    HttpResponse found = await(responses.get(i));
                    assertArrayEquals(file, found.body());
                    assertEquals(protocol, found.version());
                    assertEquals(404, await(responses.get(i + 1)).status());
                    HttpResponse head = await(responses.get(i + 2));
                    assertEquals("1000000", head.headers().first("Content-Length").orElseThrow());
                }
                assertEquals(501, await(connection.send(HttpRequest.newBuilder("/").POST("x").build())).status());
                connection.close();
            }
        }
    }
}
