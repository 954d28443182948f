package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpClientTest extends HttpTest {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private final ExecutorService workers = Executors.newCachedThreadPool();

    @TempDir
    Path directory;

    @AfterEach
    void stopWorkers() {
        workers.shutdownNow();
    }

    private static HttpRequest get(RawServer server, String path) {
        return HttpRequest.newBuilder(url(server, path)).build();
    }

    private static String url(RawServer server, String path) {
        return "http://127.0.0.1:" + server.port() + path;
    }

    private static void assertFails(Failure failure, CompletableFuture<?> future) {
        HttpException e = assertThrows(HttpException.class, () -> await(future));
        assertEquals(failure, e.failure(), e.getMessage());
    }

    /** Answers the next request on the connection. */
    private static Message answer(RawClient peer, String response) throws IOException {
        Message request = peer.request();
        peer.send(response);
        return request;
    }

    // ---- sending

    @Test
    void sendsAndWaits() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponse> response = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.send(HttpRequest.newBuilder(url(server, "/a/b?c=d")).POST("body").header("A", "b").build());
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }, workers);
            try (RawClient peer = server.accept()) {
                Message request = answer(peer, OK);
                assertEquals("POST /a/b?c=d HTTP/1.1", request.startLine());
                assertEquals("127.0.0.1:" + server.port(), request.header("Host"));
                assertEquals("b", request.header("A"));
                assertEquals("body", request.text());
                assertEquals("ok", await(response).bodyText());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"'',/", "?a=b,/?a=b", "/,/", "/%20,/%20"})
    void aTargetHasAPath(String path, String target) throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponse> response = client.sendAsync(get(server, path));
            try (RawClient peer = server.accept()) {
                assertEquals("GET " + target + " HTTP/1.1", answer(peer, OK).startLine());
                await(response);
            }
        }
    }

    @Test
    void aUriIsWhole() throws Exception {
        try (HttpClient client = HttpClient.create()) {
            for (String uri : List.of("/path", "127.0.0.1:80/", "https://127.0.0.1/", "http:///path", "http:path", "ftp://127.0.0.1/",
                "http://user@127.0.0.1/", "http://user:password@127.0.0.1/", "http://[::1", "http://a/%")) {
                assertThrows(IllegalArgumentException.class, () -> client.sendAsync(HttpRequest.newBuilder(uri).build()), uri);
            }
            assertThrows(NullPointerException.class, () -> client.sendAsync(null));
        }
    }

    @Test
    void namesAreResolved() throws Exception {
        serve(exchange -> exchange.reply(200));
        try (HttpClient client = HttpClient.create()) {
            for (String host : List.of("localhost", "LocalHost")) {
                HttpRequest request = HttpRequest.newBuilder("http://" + host + ":" + address.getPort() + "/").build();
                assertEquals(200, client.send(request).status());
                assertEquals(200, client.send(request).status());
            }
        }
    }

    @Test
    void theLoopsThreadDoesNotWaitForItself() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponse> second = client.sendAsync(get(server, "/")).thenApply(response -> {
                assertThrows(IllegalStateException.class, () -> client.send(get(server, "/")));
                return response;
            });
            try (RawClient peer = server.accept()) {
                answer(peer, OK);
                await(second);
            }
        }
    }

    @Test
    void manyThreadsShareAClient() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.rawUri()));
        try (HttpClient client = HttpClient.newBuilder().maxConnections(4).build()) {
            String origin = "http://127.0.0.1:" + address.getPort();
            List<CompletableFuture<Void>> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int thread = i;
                threads.add(CompletableFuture.runAsync(() -> {
                    for (int j = 0; j < 100; j++) {
                        String path = "/" + thread + "/" + j;
                        try {
                            assertEquals(path, client.send(HttpRequest.newBuilder(origin + path).build()).bodyText());
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    }
                }, workers));
            }
            await(CompletableFuture.allOf(threads.toArray(new CompletableFuture[0])));
        }
    }

    // ---- connections

    /** By the log of a server that is not ours. */
    @Test
    void connectionsAreKept() throws Exception {
        Path www = Files.createDirectories(directory.resolve("www"));
        Files.writeString(www.resolve("small"), "small");
        try (Nginx nginx = new Nginx(directory, "keepalive_requests 1000; location = /close { keepalive_timeout 0; return 200 x; }");
             HttpClient client = HttpClient.newBuilder().maxConnections(3).build()) {
            String origin = "http://127.0.0.1:" + nginx.port();
            HttpRequest small = HttpRequest.newBuilder(origin + "/small").build();
            for (int i = 0; i < 10; i++) {
                assertEquals("small", client.send(small).bodyText());
            }
            assertEquals("x", client.send(HttpRequest.newBuilder(origin + "/close").build()).bodyText());
            List<CompletableFuture<HttpResponse>> many = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                many.add(client.sendAsync(small));
            }
            for (CompletableFuture<HttpResponse> each : many) {
                assertEquals("small", await(each).bodyText());
            }
            List<String> log = nginx.stop();
            assertEquals(71, log.size());
            Set<String> first = new HashSet<>();
            for (int i = 0; i < 11; i++) {
                first.add(log.get(i).split(" ")[0]);
                assertEquals(i + 1 + "", log.get(i).split(" ")[1], "the number of the request on its connection");
            }
            assertEquals(1, first.size());
            Set<String> rest = new HashSet<>();
            log.subList(11, 71).forEach(line -> rest.add(line.split(" ")[0]));
            assertTrue(rest.size() <= 3, "no more than maxConnections(), and none but those"); // one may answer them as they come
            assertFalse(rest.removeAll(first), "the first was closed by the server");
        }
    }

    @Test
    void noMoreConnectionsThanAllowedAndTheOthersWait() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxConnections(2).build()) {
            List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                responses.add(client.sendAsync(get(server, "/" + i)));
            }
            try (RawClient one = server.accept(); RawClient other = server.accept()) {
                Message first = one.request();
                Message second = other.request();
                assertEquals(Set.of("GET /0 HTTP/1.1", "GET /1 HTTP/1.1"), Set.of(first.startLine(), second.startLine()));
                one.send(OK);
                assertEquals("GET /2 HTTP/1.1", one.request().startLine());
                responses.get(3).cancel(false); // while it waits
                one.send(OK);
                assertEquals("GET /4 HTTP/1.1", one.request().startLine());
                one.send(OK);
                other.send(OK);
                for (int i : new int[] {0, 1, 2, 4}) {
                    assertEquals("ok", await(responses.get(i)).bodyText());
                }
                assertThrows(CancellationException.class, responses.get(3)::join);
            }
        }
    }

    @Test
    void originsHaveConnectionsOfTheirOwn() throws Exception {
        try (RawServer server = new RawServer(); RawServer other = new RawServer();
             HttpClient client = HttpClient.newBuilder().maxConnections(1).build()) {
            CompletableFuture<HttpResponse> first = client.sendAsync(get(server, "/"));
            CompletableFuture<HttpResponse> second = client.sendAsync(get(other, "/"));
            try (RawClient one = server.accept(); RawClient two = other.accept()) {
                answer(two, OK);
                await(second);
                answer(one, OK);
                await(first);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"closed", "reset", "bytes", "response"})
    void aConnectionThatIsNotIdleAnyMoreIsNotUsedAgain(String what) throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            for (int round = 0; round < 20; round++) {
                CompletableFuture<HttpResponse> first = client.sendAsync(get(server, "/first"));
                RawClient peer = server.accept();
                answer(peer, OK);
                await(first);
                switch (what) {
                    case "closed" -> peer.close();
                    case "reset" -> peer.reset();
                    case "bytes" -> peer.send("x");
                    default -> peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
                }
                CompletableFuture<HttpResponse> second = client.sendAsync(get(server, "/second")); // at once
                try (RawClient next = server.accept()) {
                    assertEquals("GET /second HTTP/1.1",
                        answer(next, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").startLine());
                    assertEquals("ok", await(second).bodyText());
                }
                peer.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"})
    void whatIsNotFitIsNotUsedAgain(String response) throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponse> first = client.sendAsync(get(server, "/first"));
            try (RawClient peer = server.accept()) {
                answer(peer, response);
                assertEquals("ok", await(first).bodyText());
                CompletableFuture<HttpResponse> second = client.sendAsync(get(server, "/second"));
                try (RawClient next = server.accept()) {
                    assertEquals("GET /second HTTP/1.1", answer(next, OK).startLine());
                    assertEquals("ok", await(second).bodyText());
                }
            }
        }
    }

    @Test
    void anIdleConnectionIsClosedInTime() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().idleTimeout(Duration.ofMillis(10)).build()) {
            for (int i = 0; i < 3; i++) {
                CompletableFuture<HttpResponse> response = client.sendAsync(get(server, "/"));
                try (RawClient peer = server.accept()) {
                    answer(peer, OK);
                    await(response);
                    assertEquals("", peer.readToEnd());
                }
            }
        }
    }

    /** It may have been acted on. */
    @Test
    void aRequestThatWasSentIsNotSentAgain() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponse> first = client.sendAsync(get(server, "/"));
            try (RawClient peer = server.accept()) {
                answer(peer, OK);
                await(first);
                CompletableFuture<HttpResponse> second = client.sendAsync(get(server, "/second"));
                peer.request();
                peer.close();
                assertFails(Failure.EOF, second);
            }
            CompletableFuture<HttpResponse> third = client.sendAsync(get(server, "/third"));
            try (RawClient peer = server.accept()) {
                assertEquals("GET /third HTTP/1.1", answer(peer, OK).startLine());
                await(third);
            }
        }
    }

    @Test
    void failuresAreTold() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (HttpClient client = HttpClient.create(); RawServer server = new RawServer()) {
            assertFails(Failure.UNCONNECTED, client.sendAsync(HttpRequest.newBuilder("http://127.0.0.1:" + port).build()));
            HttpRequest refused = HttpRequest.newBuilder("http://127.0.0.1:" + port).build();
            IOException e = assertThrows(HttpException.class, () -> client.send(refused));
            assertTrue(e.getMessage().contains("127.0.0.1 port " + port), e.getMessage());
            CompletableFuture<HttpResponse> truncated = client.sendAsync(get(server, "/"));
            try (RawClient peer = server.accept()) {
                answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
            }
            assertFails(Failure.EOF, truncated);
        }
    }

    // ---- deadlines

    @Test
    void aDeadlineCountsEverything() throws Exception {
        try (RawServer server = new RawServer();
             HttpClient client = HttpClient.newBuilder().maxConnections(1).deadline(Duration.ofMillis(300)).build()) {
            CompletableFuture<HttpResponse> busy = client.sendAsync(get(server, "/busy"));
            CompletableFuture<HttpResponse> waiting = client.sendAsync(get(server, "/waiting"));
            try (RawClient peer = server.accept()) {
                peer.request();
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
                while (!busy.isDone()) { // something always comes
                    try {
                        peer.send("x");
                    } catch (IOException e) {
                        break;
                    }
                    Thread.onSpinWait();
                }
                assertFails(Failure.TIMEOUT, busy);
            }
            assertFails(Failure.TIMEOUT, waiting);
        }
    }

    @Test
    void inactivityIsNotWaitedFor() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().inactivity(Duration.ofMillis(50)).build()) {
            CompletableFuture<HttpResponse> silent = client.sendAsync(get(server, "/"));
            try (RawClient peer = server.accept()) {
                peer.request();
                assertFails(Failure.TIMEOUT, silent);
            }
        }
    }

    // ---- redirects

    private static String redirect(int status, String location) {
        return "HTTP/1.1 " + status + " Elsewhere\r\nLocation: " + location + "\r\nContent-Length: 4\r\n\r\nbody";
    }

    @ParameterizedTest
    @CsvSource({"301,POST,GET", "302,POST,GET", "303,POST,GET", "303,PUT,GET", "303,HEAD,HEAD", "301,PUT,PUT", "302,HEAD,HEAD",
        "307,POST,POST",
        "308,PUT,PUT", "301,GET,GET"})
    void redirectsAreFollowed(int status, HttpMethod method, HttpMethod followed) throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxRedirects(1).build()) {
            byte[] body = method == HttpMethod.POST || method == HttpMethod.PUT ? "text".getBytes() : new byte[0];
            HttpRequest.Builder builder = HttpRequest.newBuilder(url(server, "/first/one")).method(method, body)
                .header("A", "b").basicAuth("u", "p");
            if (body.length > 0) {
                builder.header("Content-Type", "text/plain");
            }
            CompletableFuture<HttpResponse> response = client.sendAsync(builder.build());
            try (RawClient peer = server.accept()) {
                String redirect = redirect(status, "two?c=d");
                assertEquals(method + " /first/one HTTP/1.1",
                    answer(peer, method == HttpMethod.HEAD ? redirect.replace("body", "") : redirect).startLine());
                Message second = answer(peer, method == HttpMethod.HEAD ? "HTTP/1.1 204 OK\r\n\r\n" : OK);
                assertEquals(followed + " /first/two?c=d HTTP/1.1", second.startLine());
                assertEquals("b", second.header("A"));
                assertTrue(second.header("Authorization").startsWith("Basic "));
                assertEquals(followed == method && body.length > 0 ? "text" : "", second.text());
                assertEquals(followed == method && body.length > 0 ? "text/plain" : null, second.header("Content-Type"));
                assertEquals(method == HttpMethod.HEAD ? "" : "ok", await(response).bodyText());
            }
        }
    }

    @Test
    void credentialsGoToNoOtherOrigin() throws Exception {
        try (RawServer server = new RawServer(); RawServer other = new RawServer();
             HttpClient client = HttpClient.newBuilder().maxRedirects(2).build()) {
            CompletableFuture<HttpResponse> response = client.sendAsync(HttpRequest.newBuilder(url(server, "/")).basicAuth("u", "p")
                .header("cookie", "a=b").header("Proxy-Authorization", "x").header("Host", "example.org").header("X", "y").build());
            try (RawClient peer = server.accept();
                 RawClient elsewhere = acceptAfter(other, () -> answer(peer, redirect(302, url(other, "/other"))))) {
                Message second = answer(elsewhere, redirect(302, url(server, "/back")));
                assertEquals(List.of("Host: 127.0.0.1:" + other.port(), "X: y"), second.headers());
                Message third = answer(peer, OK);
                assertEquals("GET /back HTTP/1.1", third.startLine());
                assertTrue(third.header("Authorization").startsWith("Basic "));
                assertEquals("ok", await(response).bodyText());
            }
        }
    }

    private interface Action {
        Object run() throws Exception;
    }

    private static RawClient acceptAfter(RawServer server, Action action) throws Exception {
        action.run();
        return server.accept();
    }

    @Test
    void redirectsAreBounded() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxRedirects(3).build();
             HttpClient none = HttpClient.create()) {
            CompletableFuture<HttpResponse> response = client.sendAsync(get(server, "/0"));
            try (RawClient peer = server.accept()) {
                for (int i = 0; i <= 3; i++) {
                    assertEquals("GET /" + i + " HTTP/1.1", answer(peer, redirect(302, "/" + (i + 1))).startLine());
                }
                IOException e = assertThrows(IOException.class, () -> await(response));
                assertTrue(e.getMessage().contains("more than 3 redirects"), e.getMessage());
            }
            CompletableFuture<HttpResponse> given = none.sendAsync(get(server, "/"));
            try (RawClient peer = server.accept()) {
                answer(peer, redirect(302, "/elsewhere"));
                assertEquals(302, await(given).status());
                assertEquals("body", await(given).bodyText());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://127.0.0.1/", "ftp://127.0.0.1/", "http://", "http://a b/", "http://user@127.0.0.1/", "//", ":"})
    void whereARedirectCannotLead(String location) throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxRedirects(3).build()) {
            CompletableFuture<HttpResponse> response = client.sendAsync(get(server, "/"));
            try (RawClient peer = server.accept()) {
                answer(peer, redirect(302, location));
                IOException e = assertThrows(IOException.class, () -> await(response));
                assertTrue(e.getMessage().contains("cannot be followed"), e.getMessage());
            }
        }
    }

    @Test
    void aFileIsRepeatedAndAStreamIsNot() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "what is in the file");
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxRedirects(3).build()) {
            CompletableFuture<HttpResponse> repeated =
                client.sendAsync(HttpRequest.newBuilder(url(server, "/1")).POST(HttpBody.ofFile(file)).build());
            try (RawClient peer = server.accept()) {
                assertEquals("what is in the file", answer(peer, redirect(307, "/2")).text());
                assertEquals("what is in the file", answer(peer, OK).text());
                await(repeated);
                HttpBody once = HttpBody.ofStream(new ByteArrayInputStream("once".getBytes()), workers);
                CompletableFuture<HttpResponse> failed = client.sendAsync(HttpRequest.newBuilder(url(server, "/1")).POST(once).build());
                assertEquals("once", answer(peer, redirect(308, "/2")).text());
                IOException e = assertThrows(IOException.class, () -> await(failed));
                assertTrue(e.getMessage().contains("only once"), e.getMessage());
                HttpBody other = HttpBody.ofStream(new ByteArrayInputStream("once".getBytes()), workers);
                CompletableFuture<HttpResponse> toGet = client.sendAsync(HttpRequest.newBuilder(url(server, "/1")).POST(other).build());
                assertEquals("once", answer(peer, redirect(303, "/2")).text());
                assertEquals("GET /2 HTTP/1.1", answer(peer, OK).startLine());
                await(toGet);
            }
        }
    }

    // ---- bodies

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    /** Of the server on the loop. */
    private HttpRequest get() {
        return HttpRequest.newBuilder("http://127.0.0.1:" + address.getPort() + "/").build();
    }

    private HttpRequest head() {
        return HttpRequest.newBuilder(get().uri()).method(HttpMethod.HEAD, new byte[0]).build();
    }

    @Test
    void aBodyGoesWhereItIsWanted() throws Exception {
        byte[] body = random(3_000_000);
        serve(exchange -> exchange.reply(200, body));
        try (HttpClient client = HttpClient.create()) {
            HttpRequest request = get();
            assertArrayEquals(body, client.send(request).body());

            Path file = directory.resolve("file");
            assertEquals(0, client.send(request, file).body().length);
            assertArrayEquals(body, Files.readAllBytes(file));

            ByteBuffer buffer = ByteBuffer.allocateDirect(3_000_010).position(10);
            client.send(request, buffer);
            assertFalse(buffer.hasRemaining());
            byte[] copy = new byte[body.length];
            buffer.position(10).get(copy);
            assertArrayEquals(body, copy);
            HttpException e = assertThrows(HttpException.class, () -> client.send(request, ByteBuffer.allocate(2_999_999)));
            assertEquals(Failure.DATA_TOO_LONG, e.failure());
            assertThrows(IllegalArgumentException.class, () -> client.send(request, ByteBuffer.allocate(1).asReadOnlyBuffer()));

            ByteArrayOutputStream listened = new ByteArrayOutputStream();
            await(client.sendAsync(request, listened::write));
            assertArrayEquals(body, listened.toByteArray());

            try (HttpResponseStream stream = client.open(request)) {
                assertEquals(200, stream.head().status());
                assertArrayEquals(body, stream.body().readAllBytes());
            }
        }
    }

    @Test
    void aBodyInMemoryIsBounded() throws Exception {
        serve(exchange -> exchange.reply(200, new byte[1001]));
        try (HttpClient client = HttpClient.newBuilder().maxBodySize(1000).build()) {
            assertFails(Failure.DATA_TOO_LONG, client.sendAsync(get()));
            AtomicInteger count = new AtomicInteger();
            await(client.sendAsync(get(), data -> count.addAndGet(data.length)));
            assertEquals(1001, count.get());
        }
    }

    @Test
    void aListenerMayBlockElsewhere() throws Exception {
        byte[] body = random(30_000_000);
        serve(exchange -> exchange.reply(200, body));
        try (HttpClient client = HttpClient.create()) {
            Semaphore allowed = new Semaphore(0);
            ByteArrayOutputStream received = new ByteArrayOutputStream();
            AtomicReference<HttpResponse> head = new AtomicReference<>();
            CountDownLatch first = new CountDownLatch(1);
            CompletableFuture<HttpResponse> response = client.sendAsync(get(), new BodyListener() {
                @Override
                public void onHead(HttpResponse response) {
                    head.set(response);
                }

                @Override
                public void onData(byte[] data) throws Exception {
                    assertFalse(Thread.currentThread().getName().equals("libevent4j-client"));
                    first.countDown();
                    allowed.acquire();
                    received.write(data);
                }
            }, workers);
            assertTrue(first.await(30, TimeUnit.SECONDS));
            assertEquals(200, head.get().status());
            for (int i = 0; i < 50; i++) { // the client's thread is free meanwhile
                assertEquals(200, await(client.sendAsync(head())).status());
            }
            assertFalse(response.isDone());
            allowed.release(Integer.MAX_VALUE / 2);
            await(response);
            assertArrayEquals(body, received.toByteArray());
        }
    }

    @Test
    void aListenersExceptionComesOut() throws Exception {
        IOException thrown = new IOException("thrown by the listener");
        serve(exchange -> exchange.reply(200, new byte[10]));
        try (HttpClient client = HttpClient.create()) {
            assertSame(thrown, assertThrows(IOException.class, () -> await(client.sendAsync(get(), data -> {
                throw thrown;
            }))));
            assertSame(thrown, assertThrows(IOException.class, () -> await(client.sendAsync(get(), data -> {
                throw thrown;
            }, workers))));
            ExecutorService stopped = Executors.newCachedThreadPool();
            stopped.shutdown();
            assertThrows(java.util.concurrent.RejectedExecutionException.class, () -> await(client.sendAsync(get(), data -> { }, stopped)));
            assertEquals(200, client.send(get()).status());
        }
    }

    @Test
    void aStreamMakesTheServerWait() throws Exception {
        byte[] body = random(30_000_000);
        serve(exchange -> exchange.reply(200, body));
        try (HttpClient client = HttpClient.create();
             HttpResponseStream stream = client.open(get())) {
            InputStream in = stream.body();
            assertArrayEquals(Arrays.copyOf(body, 1000), in.readNBytes(1000));
            for (int i = 0; i < 50; i++) { // the client's thread is free meanwhile
                await(client.sendAsync(head()));
            }
            assertArrayEquals(Arrays.copyOfRange(body, 1000, body.length), in.readAllBytes());
            assertEquals(-1, in.read());
        }
    }

    @Test
    void aStreamThatBreaksOffSaysSo() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<HttpResponseStream> opened = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.open(get(server, "/"));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }, workers);
            try (RawClient peer = server.accept()) {
                answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
                await(opened);
            }
            try (HttpResponseStream stream = await(opened)) {
                assertEquals("hell", new String(stream.body().readNBytes(4)));
                assertThrows(IOException.class, stream.body()::read);
            }
        }
    }

    @Test
    void closingAStreamEarlyClosesItsConnection() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<Void> closed = CompletableFuture.runAsync(() -> {
                try (HttpResponseStream stream = client.open(get(server, "/"))) {
                    assertEquals('x', stream.body().read());
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }, workers);
            try (RawClient peer = server.accept()) {
                answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
                await(closed);
                assertEquals("", peer.readToEnd());
            }
        }
    }

    @Test
    void bodiesAreSentAsTheyCome() throws Exception {
        byte[] body = random(5_000_000);
        serve(exchange -> exchange.reply(200, exchange.body()));
        try (HttpClient client = HttpClient.create()) {
            String url = get().uri();
            Path file = Files.write(directory.resolve("file"), body);
            for (HttpBody each : List.of(HttpBody.ofFile(file), HttpBody.ofStream(new ByteArrayInputStream(body), workers),
                HttpBody.ofStream(new ByteArrayInputStream(body), body.length, workers), HttpBody.ofBytes(body))) {
                assertArrayEquals(body, client.send(HttpRequest.newBuilder(url).POST(each).build()).body());
                HttpRequest asking = HttpRequest.newBuilder(url).POST(HttpBody.ofFile(file)).expectContinue(Duration.ofDays(1)).build();
                assertArrayEquals(body, client.send(asking).body());
            }
        }
    }

    // ---- cancelling, and the end

    @Test
    void cancellingClosesTheConnectionAndFreesItsPlace() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.newBuilder().maxConnections(1).build()) {
            CompletableFuture<HttpResponse> first = client.sendAsync(get(server, "/first"));
            CompletableFuture<HttpResponse> second = client.sendAsync(get(server, "/second"));
            try (RawClient peer = server.accept()) {
                peer.request();
                assertTrue(first.cancel(true));
                assertEquals("", peer.readToEnd());
            }
            try (RawClient peer = server.accept()) {
                assertEquals("GET /second HTTP/1.1", answer(peer, OK).startLine());
                assertEquals("ok", await(second).bodyText());
            }
        }
    }

    @Test
    void aWaitingThreadMayBeInterrupted() throws Exception {
        try (RawServer server = new RawServer(); HttpClient client = HttpClient.create()) {
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    client.send(get(server, "/"));
                    thrown.complete(null);
                } catch (Throwable e) {
                    thrown.complete(Thread.currentThread().isInterrupted() ? e : new AssertionError("not interrupted any more", e));
                }
            });
            thread.start();
            try (RawClient peer = server.accept()) {
                peer.request();
                thread.interrupt();
                assertSame(InterruptedIOException.class, await(thrown).getClass());
                assertEquals("", peer.readToEnd());
            }
        }
    }

    @Test
    void closingFailsEverythingOnce() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpClient client = HttpClient.newBuilder().maxConnections(2).build();
            List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
            AtomicInteger completions = new AtomicInteger();
            for (int i = 0; i < 6; i++) {
                CompletableFuture<HttpResponse> response = client.sendAsync(get(server, "/"));
                response.whenComplete((answer, failure) -> completions.incrementAndGet());
                responses.add(response);
            }
            try (RawClient one = server.accept(); RawClient other = server.accept()) {
                one.request();
                other.request();
                client.close();
                client.close();
                assertEquals("", one.readToEnd());
                assertEquals("", other.readToEnd());
            }
            for (CompletableFuture<HttpResponse> response : responses) {
                assertFails(Failure.REQUEST_CANCEL, response);
            }
            assertEquals(6, completions.get());
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> client.sendAsync(get(server, "/")));
            assertTrue(e.getMessage().contains("closed"), e.getMessage());
        }
    }

    /** By another thread, or by the client's own in the midst of what it does. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closingAtAnyMomentCompletesEveryResponse(boolean inCallback) throws Exception {
        serve(exchange -> exchange.reply(200, "ok"));
        HttpRequest request = HttpRequest.newBuilder("http://127.0.0.1:" + address.getPort() + "/").build();
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            HttpClient client = HttpClient.newBuilder().maxConnections(1 + random.nextInt(3)).build();
            AtomicInteger left = new AtomicInteger(random.nextInt(30));
            CompletableFuture<Void> moment = new CompletableFuture<>();
            Queue<CompletableFuture<HttpResponse>> responses = new ConcurrentLinkedQueue<>();
            BodyListener listener = data -> {
                if (left.decrementAndGet() <= 0) {
                    moment.complete(null);
                }
            };
            if (inCallback) {
                moment.thenRun(client::close);
            } else if (left.get() == 0) {
                moment.complete(null);
            }
            List<CompletableFuture<Void>> senders = new ArrayList<>();
            for (int sender = 0; sender < 2; sender++) {
                senders.add(CompletableFuture.runAsync(() -> {
                    for (int n = 0; n < 20; n++) {
                        try {
                            responses.add(client.sendAsync(request, listener));
                        } catch (IllegalStateException e) {
                            return; // closed
                        }
                    }
                }, workers));
            }
            await(moment);
            client.close();
            for (CompletableFuture<Void> sender : senders) {
                await(sender);
            }
            for (CompletableFuture<HttpResponse> response : responses) {
                Throwable failure = await(response.handle((answer, thrown) -> thrown));
                assertTrue(failure == null || failure instanceof IOException, () -> String.valueOf(failure));
            }
        }
    }

    @Test
    void aCompletionMayCloseTheClient() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpClient client = HttpClient.create();
            CompletableFuture<Void> closed = client.sendAsync(get(server, "/")).thenRun(client::close);
            try (RawClient peer = server.accept()) {
                answer(peer, OK);
                await(closed);
                assertEquals("", peer.readToEnd());
            }
            client.close();
        }
    }

    @Test
    void theBuilderChecksWhatItIsGiven() throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder();
        assertThrows(IllegalArgumentException.class, () -> builder.maxConnections(0));
        assertThrows(IllegalArgumentException.class, () -> builder.idleTimeout(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.deadline(Duration.ofMillis(-1)));
        assertThrows(IllegalArgumentException.class, () -> builder.inactivity(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.maxRedirects(-1));
        assertThrows(IllegalArgumentException.class, () -> builder.maxBodySize(0));
        assertThrows(NullPointerException.class, () -> builder.deadline(null));
        try (HttpClient one = builder.build(); HttpClient other = builder.build()) {
            assertNotSame(one, other);
            assertThrows(NullPointerException.class, () -> one.sendAsync(HttpRequest.newBuilder("http://a/").build(), null));
        }
    }
}
