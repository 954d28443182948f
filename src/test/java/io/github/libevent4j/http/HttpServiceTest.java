package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpServiceTest extends LibeventTest {

    private static final int EADDRINUSE = 98;
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    private HttpService service;

    @AfterEach
    void close() {
        if (service != null) {
            service.close();
        }
    }

    private void start(UnaryOperator<HttpService.Builder> options) throws IOException {
        service = options.apply(HttpService.newBuilder().bind("127.0.0.1", 0)).start();
    }

    private RawClient connect() throws IOException {
        return RawClient.to(service.addresses().get(0));
    }

    private Message get(String target) throws IOException {
        try (RawClient client = connect()) {
            return client.get(target);
        }
    }

    private static <T> T await(CompletableFuture<T> future) throws Exception {
        return LoopThread.await(future);
    }

    private static void tellThread(HttpExchange exchange) {
        exchange.reply(200, Thread.currentThread().getName());
    }

    // ---- loops

    @Test
    void oneLoopIsOneThread() throws Exception {
        start(builder -> builder.handler(HttpServiceTest::tellThread));
        for (int i = 0; i < 10; i++) {
            assertEquals("libevent4j-http-0", get("/").text());
        }
    }

    /** The kernel spreads connections by their addresses, so that it is a matter of chance which loop gets the next. */
    @Test
    void allLoopsHaveTheSameHandlers() throws Exception {
        start(builder -> builder.loops(3).handler(HttpServiceTest::tellThread).handler("/path", HttpServiceTest::tellThread));
        for (String target : List.of("/", "/path")) {
            Set<String> threads = new HashSet<>();
            while (threads.size() < 3) {
                threads.add(get(target).text());
            }
            assertEquals(Set.of("libevent4j-http-0", "libevent4j-http-1", "libevent4j-http-2"), threads);
        }
    }

    @Test
    void aLoopThatIsBusyLeavesSharedSocketsToTheOthers() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        BlockingQueue<String> busy = new LinkedBlockingQueue<>();
        start(builder -> builder.loops(3).sharedSockets().handler(HttpServiceTest::tellThread).handler("/block", exchange -> {
            busy.add(Thread.currentThread().getName());
            release.await();
            tellThread(exchange);
        }));
        Set<String> free = new HashSet<>(Set.of("libevent4j-http-0", "libevent4j-http-1", "libevent4j-http-2"));
        List<RawClient> blocked = new ArrayList<>();
        try {
            while (free.size() > 1) {
                blocked.add(connect().send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n"));
                assertTrue(free.remove(busy.take()));
            }
            for (int i = 0; i < 10; i++) {
                assertEquals(free, Set.of(get("/").text()));
            }
        } finally {
            release.countDown();
        }
        for (RawClient client : blocked) {
            assertEquals(200, client.response().status());
            client.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void loopsListenOnEveryAddress(boolean shared, @TempDir Path directory) throws Exception {
        Path path = directory.resolve("socket");
        start(builder -> (shared ? builder.sharedSockets() : builder).loops(2).bind("::1", 0).bind(UnixDomainSocketAddress.of(path))
            .bind("127.0.0.1", 0).handler(exchange -> exchange.reply(200, "here")));
        List<InetSocketAddress> addresses = service.addresses();
        assertEquals(3, addresses.size());
        assertEquals(InetAddress.getByName("::1"), addresses.get(1).getAddress());
        assertNotEquals(addresses.get(0).getPort(), addresses.get(2).getPort());
        for (InetSocketAddress address : addresses) {
            for (int i = 0; i < 10; i++) {
                try (RawClient client = RawClient.to(address)) {
                    assertEquals("here", client.get("/").text());
                }
            }
        }
        assertEquals("here", Curl.get("--unix-socket", path.toString(), "http://x/").text());
        service.close();
        assertFalse(Files.exists(path));
    }

    @Test
    void aServicesPartsAreChecked() {
        HttpService.Builder builder = HttpService.newBuilder();
        assertThrows(IllegalStateException.class, builder::start);
        assertThrows(IllegalArgumentException.class, () -> builder.loops(0));
        assertThrows(IllegalArgumentException.class, () -> builder.bind("127.0.0.1", 65536));
        assertThrows(NullPointerException.class, () -> builder.bind(null, 0));
        assertThrows(NullPointerException.class, () -> builder.bind(null));
        assertThrows(NullPointerException.class, () -> builder.handler(null));
        assertThrows(NullPointerException.class, () -> builder.handler(null, HttpServiceTest::tellThread));
    }

    // ---- what cannot be started leaves nothing, as every test here asserts

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void anAddressThatCannotBeHadLeavesNothing(int loops, @TempDir Path directory) throws Exception {
        Path path = directory.resolve("socket");
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            HttpService.Builder builder = HttpService.newBuilder().loops(loops).bind("127.0.0.1", 0)
                .bind(UnixDomainSocketAddress.of(path)).bind("127.0.0.1", taken.getLocalPort());
            assertEquals(EADDRINUSE, assertThrows(LibeventException.class, builder::start).errno());
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void aPathThatIsTakenStays(@TempDir Path directory) throws Exception {
        Path path = Files.writeString(directory.resolve("socket"), "a file");
        HttpService.Builder builder = HttpService.newBuilder().bind(UnixDomainSocketAddress.of(path));
        assertEquals(EADDRINUSE, assertThrows(LibeventException.class, builder::start).errno());
        assertEquals("a file", Files.readString(path));
    }

    @Test
    void settingsThatFailLeaveNothing() {
        int[] times = {0};
        HttpService.Builder builder = HttpService.newBuilder().loops(3).bind("127.0.0.1", 0).server(settings -> {
            if (++times[0] == 3) {
                throw new IllegalArgumentException("the third");
            }
            return settings;
        });
        assertEquals("the third", assertThrows(IllegalArgumentException.class, builder::start).getMessage());
    }

    @Test
    void aPathThatIsNoneIsRefused() {
        HttpService.Builder builder = HttpService.newBuilder();
        assertThrows(IllegalArgumentException.class, () -> builder.handler("/a\0b", HttpServiceTest::tellThread));
    }

    // ---- the end

    @Test
    void closeWaitsForTheLoops() throws Exception {
        for (int i = 0; i < 20; i++) {
            start(builder -> builder.loops(2));
            service.close();
            assertTrue(service.stopped().isDone());
            assertThrows(ConnectException.class, this::connect);
            service.close();
        }
        await(service.stopped());
        await(service.stop(Duration.ofDays(1)));
    }

    @Test
    void closeInAHandlerDoesNotWaitForItself() throws Exception {
        start(builder -> builder.loops(2).handler(exchange -> {
            exchange.defer();
            service.close();
        }));
        try (RawClient client = connect()) {
            client.send(GET);
            assertEquals("", client.readToEnd());
        }
        await(service.stopped());
    }

    @Test
    void anInterruptEndsTheWaiting() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        start(builder -> builder.handler(exchange -> {
            entered.countDown();
            release.await();
            exchange.reply(200);
        }));
        try (RawClient client = connect()) {
            client.send(GET);
            entered.await();
            Thread.currentThread().interrupt();
            service.close();
            assertTrue(Thread.interrupted());
            assertFalse(service.stopped().isDone());
            release.countDown();
        }
        await(service.stopped());
    }

    @Test
    void stopAnswersWhatIsUnderWayOnEveryLoop() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        start(builder -> builder.loops(3).handler(exchange -> deferred.add(exchange.defer())));
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            clients.add(connect().send(GET));
        }
        List<HttpExchange> exchanges = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            exchanges.add(deferred.take());
        }
        assertEquals(30, service.stats().activeRequests());
        CompletableFuture<Void> stopped = service.stop(Duration.ofDays(1));
        assertFalse(stopped.isDone());
        exchanges.forEach(exchange -> exchange.reply(200, "late"));
        for (RawClient client : clients) {
            Message answer = client.response();
            assertEquals("late", answer.text());
            assertEquals("close", answer.header("Connection"));
            client.close();
        }
        await(stopped);
        assertThrows(ConnectException.class, this::connect);
        assertEquals(30, service.stats().completedRequests());
        assertEquals(0, service.stats().openConnections());
    }

    @Test
    void stopForcesTheEndAfterTheGraceTime() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        start(builder -> builder.loops(2).handler(exchange -> deferred.add(exchange.defer())));
        try (RawClient client = connect()) {
            client.send(GET);
            deferred.take();
            await(service.stop(Duration.ofMillis(20)));
            assertEquals("", client.readToEnd());
        }
        assertEquals(1, service.stats().abortedRequests());
    }

    @Test
    void stopInAHandlerLetsItAnswer() throws Exception {
        start(builder -> builder.loops(2).handler(exchange -> {
            service.stop(Duration.ofDays(1));
            exchange.reply(200, "bye");
        }));
        assertEquals("bye", get("/").text());
        await(service.stopped());
    }

    @Test
    void closeEndsAStopThatWaits() throws Exception {
        BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();
        start(builder -> builder.loops(2).handler(exchange -> deferred.add(exchange.defer())));
        try (RawClient client = connect()) {
            client.send(GET);
            deferred.take();
            CompletableFuture<Void> stopped = service.stop(Duration.ofDays(1));
            service.close();
            await(stopped);
            assertEquals("", client.readToEnd());
        }
    }

    /** An Error stops the loop that it is thrown on, and so the service. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anErrorInAHandlerEndsTheService(boolean onExecutor) throws Exception {
        StackOverflowError error = new StackOverflowError("thrown by a handler");
        BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> uncaught.add(thrown));
        ExecutorService workers = Executors.newSingleThreadExecutor();
        try {
            HttpHandler handler = exchange -> {
                throw error;
            };
            start(builder -> builder.loops(3).handler("/error", onExecutor ? handler.on(workers) : handler)
                .handler(exchange -> exchange.defer()));
            try (RawClient other = connect(); RawClient client = connect()) {
                other.send(GET);
                client.send("GET /error HTTP/1.1\r\nHost: x\r\n\r\n");
                assertSame(error, assertThrows(StackOverflowError.class, () -> await(service.stopped())));
                assertSame(error, uncaught.take());
                assertEquals("", other.readToEnd());
            }
            assertThrows(ConnectException.class, this::connect);
            assertSame(error, assertThrows(StackOverflowError.class, () -> await(service.stop(Duration.ZERO))));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
            workers.shutdown();
        }
    }

    @Test
    void anExceptionInAHandlerEndsNothing() throws Exception {
        BlockingQueue<Exception> told = new LinkedBlockingQueue<>();
        IllegalStateException thrown = new IllegalStateException("thrown by a handler");
        start(builder -> builder.loops(2).onException(told::add).handler(exchange -> {
            throw thrown;
        }));
        assertEquals(500, get("/").status());
        assertSame(thrown, told.take());
        assertEquals(500, get("/").status());
        assertSame(thrown, told.take());
        assertFalse(service.stopped().isDone());
    }

    // ---- executors

    @Test
    void handlersRunOnTheirExecutor() throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(2, task -> new Thread(task, "worker"));
        try {
            HttpHandler handler = HttpServiceTest::tellThread;
            start(builder -> builder.loops(2).handler("/worker", handler.on(workers)).handler(handler));
            for (int i = 0; i < 20; i++) {
                assertEquals("worker", get("/worker").text());
                assertTrue(get("/").text().startsWith("libevent4j-http-"));
            }
            assertEquals(0, service.stats().queuedRequests());
        } finally {
            workers.shutdown();
        }
    }

    @Test
    void handlersRunOnVirtualThreadsWhereThereAreSuch() throws Exception {
        ExecutorService threads;
        try {
            threads = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException e) {
            Assumptions.abort("this JVM has no virtual threads");
            return;
        }
        try {
            HttpHandler handler = exchange -> exchange.reply(200, Thread.class.getMethod("isVirtual").invoke(Thread.currentThread()) + " "
                + new String(exchange.body()));
            start(builder -> builder.loops(2).handler(handler.on(threads)));
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                clients.add(connect().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + (100 + i)));
            }
            for (int i = 0; i < 100; i++) {
                assertEquals("true " + (100 + i), clients.get(i).response().text());
                clients.get(i).close();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aFullQueueIs503() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        BlockingQueue<String> busy = new LinkedBlockingQueue<>();
        ThreadPoolExecutor workers = new ThreadPoolExecutor(1, 1, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(2));
        try {
            HttpHandler handler = exchange -> {
                busy.add(exchange.rawUri());
                release.await();
                exchange.reply(200, exchange.rawUri());
            };
            start(builder -> builder.handler(handler.on(workers)));
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(connect().send("GET /" + i + " HTTP/1.1\r\nHost: x\r\n\r\n"));
                if (i == 0) {
                    assertEquals("/0", busy.take());
                }
                while (service.stats().requests() <= i) {
                    Thread.onSpinWait();
                }
            }
            Message refused = get("/refused");
            assertEquals(503, refused.status());
            assertEquals("Service Unavailable\n", refused.text());
            assertEquals(2, service.stats().queuedRequests());
            release.countDown();
            for (int i = 0; i < 3; i++) {
                assertEquals("/" + i, clients.get(i).response().text());
                clients.get(i).close();
            }
            assertEquals("/again", get("/again").text());
            assertEquals(0, service.stats().queuedRequests());
            assertEquals(1, service.stats().serverErrors());
        } finally {
            release.countDown();
            workers.shutdown();
        }
    }

    @Test
    void anExecutorThatFailsIs503Too() throws Exception {
        Executor full = task -> {
            throw new RejectedExecutionException("full");
        };
        Executor broken = task -> {
            throw new UnsupportedOperationException("broken");
        };
        Executor direct = Runnable::run;
        HttpHandler handler = HttpServiceTest::tellThread;
        try (LoopThread loop = new LoopThread()) {
            InetSocketAddress address = loop.call(() -> {
                HttpServer http = HttpServer.create(loop.base());
                http.onRequest("/full", handler.on(full));
                http.onRequest("/broken", handler.on(broken));
                http.onRequest("/direct", handler.on(direct));
                return http.bind("127.0.0.1", 0);
            });
            try (RawClient client = RawClient.to(address)) {
                assertEquals(503, client.get("/full").status());
                assertEquals(503, client.get("/broken").status());
                assertEquals("broken", loop.awaitException().getMessage());
                assertEquals("loop", client.get("/direct").text());
            }
        }
    }

    // ---- numbers

    @Test
    void statsAreTheSumOfAllLoops() throws Exception {
        start(builder -> builder.loops(3).handler(exchange -> exchange.reply(200, "ten bytes.")));
        for (int i = 0; i < 60; i++) {
            assertEquals(200, get("/").status());
        }
        while (service.stats().openConnections() > 0) {
            Thread.onSpinWait();
        }
        HttpStats stats = service.stats();
        assertEquals(60, stats.acceptedConnections());
        assertEquals(60, stats.requests());
        assertEquals(60, stats.completedRequests());
        assertEquals(60, stats.successful());
        assertEquals(60L * GET.length(), stats.receivedBytes());
        assertEquals(0, stats.activeRequests());
        service.close();
        assertEquals(stats, service.stats());
    }
}
