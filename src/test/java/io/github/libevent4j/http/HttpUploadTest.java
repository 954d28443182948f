package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Timer;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies of requests that follow the head: files, streams, pieces. */
class HttpUploadTest extends HttpTest {

    private final ExecutorService workers = Executors.newCachedThreadPool();

    @TempDir
    Path directory;

    @AfterEach
    void stopWorkers() {
        workers.shutdownNow();
    }

    private HttpConnection connection(int port) throws Exception {
        return connection(port, builder -> builder);
    }

    private HttpConnection connection(int port, UnaryOperator<HttpConnection.Builder> options) throws Exception {
        return loop.call(() -> options.apply(HttpConnection.newBuilder(loop.base(), "127.0.0.1", port)).build());
    }

    private static HttpRequest post(HttpBody body) {
        return HttpRequest.newBuilder("/").POST(body).build();
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(directory.resolve("file"), bytes);
    }

    /** A body in these pieces; counts how many were asked for. */
    private static HttpBody.Pieces pieces(List<byte[]> pieces, AtomicInteger asked) {
        return () -> {
            int next = asked.getAndIncrement();
            return CompletableFuture.completedFuture(next < pieces.size() ? pieces.get(next) : null);
        };
    }

    private static HttpException assertFails(Failure failure, CompletableFuture<?> future) {
        HttpException e = assertThrows(HttpException.class, () -> await(future));
        assertEquals(failure, e.failure(), e.getMessage());
        return e;
    }

    // ---- what is sent

    @ParameterizedTest
    @CsvSource({"POST,false", "PUT,false", "PATCH,false", "DELETE,false", "GET,false", "POST,true"})
    void aFileIsSentWithItsLength(HttpMethod method, boolean exact) throws Exception {
        byte[] bytes = random(300_000);
        Path file = file(bytes);
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> exact ? builder.exact() : builder);
            HttpRequest request = HttpRequest.newBuilder("/up").method(method, HttpBody.ofFile(file)).header("A", "b").build();
            CompletableFuture<HttpResponse> response = connection.send(request);
            CompletableFuture<HttpResponse> again = connection.send(request); // a file can be sent twice
            try (RawClient peer = server.accept()) {
                for (CompletableFuture<HttpResponse> each : List.of(response, again)) {
                    Message received = peer.request();
                    assertEquals(method + " /up HTTP/1.1", received.startLine());
                    assertEquals(exact ? List.of("A: b", "Content-Length: 300000")
                        : List.of("Host: 127.0.0.1:" + server.port(), "A: b", "Content-Length: 300000"), received.headers());
                    assertArrayEquals(bytes, received.body());
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    assertEquals("ok", await(each).bodyText());
                }
            }
        }
    }

    @Test
    void aPartOfAFileIsSent() throws Exception {
        byte[] bytes = random(100_000);
        serve(exchange -> exchange.reply(200, exchange.body()));
        try (FileChannel channel = FileChannel.open(file(bytes))) {
            HttpConnection connection = connection(address.getPort());
            assertArrayEquals(Arrays.copyOfRange(bytes, 1000, 51_000),
                await(connection.send(post(HttpBody.ofFile(channel, 1000, 50_000)))).body());
            assertEquals(0, await(connection.send(post(HttpBody.ofFile(channel, 100_000, 0)))).body().length);
            IOException e = assertThrows(IOException.class, () -> await(connection.send(post(HttpBody.ofFile(channel, 1, 100_000)))));
            assertTrue(e.getMessage().contains("100000 bytes"), e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> HttpBody.ofFile(channel, -1, 1));
            assertThrows(IllegalArgumentException.class, () -> HttpBody.ofFile(channel, 1, -1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "PATCH", "GET"})
    void piecesOfUnknownLengthAreChunks(HttpMethod method) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").method(method, HttpBody.ofPieces(
                pieces(List.of("one".getBytes(), new byte[0], "three".getBytes(), "x".repeat(100_000).getBytes()), asked))).build());
            try (RawClient peer = server.accept()) {
                Message received = peer.request();
                assertEquals(method + " / HTTP/1.1", received.startLine());
                assertEquals(List.of("Host: 127.0.0.1:" + server.port(), "Transfer-Encoding: chunked"), received.headers());
                assertEquals("onethree" + "x".repeat(100_000), received.text());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(response).status());
                assertEquals(5, asked.get());
                CompletableFuture<HttpResponse> next = connection.send(HttpRequest.newBuilder("/next").build());
                assertEquals("GET /next HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(next);
            }
        }
    }

    @Test
    void aStreamIsReadOnItsExecutor() throws Exception {
        byte[] bytes = random(5_000_000);
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpConnection connection = connection(address.getPort());
        assertArrayEquals(bytes, await(connection.send(post(HttpBody.ofStream(new ByteArrayInputStream(bytes), workers)))).body());
        assertArrayEquals(bytes,
            await(connection.send(post(HttpBody.ofStream(new ByteArrayInputStream(bytes), bytes.length, workers)))).body());
        assertEquals(0, await(connection.send(post(HttpBody.ofStream(new ByteArrayInputStream(new byte[0]), workers)))).body().length);
        assertEquals(0, await(connection.send(post(HttpBody.ofStream(InputStream.nullInputStream(), 0, workers)))).body().length);
    }

    @Test
    void bytesAndTextAreBodiesToo() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpConnection connection = connection(address.getPort());
        assertEquals("\u00e9", await(connection.send(post(HttpBody.ofString("\u00e9")))).bodyText());
        byte[] bytes = {1, 2, 3};
        HttpRequest request = post(HttpBody.ofBytes(bytes));
        bytes[0] = 9;
        assertArrayEquals(new byte[] {1, 2, 3}, request.body());
        assertArrayEquals(new byte[] {1, 2, 3}, await(connection.send(request)).body());
        assertThrows(IllegalStateException.class, post(HttpBody.ofFile(Path.of("any")))::body);
    }

    @Test
    void aLargeFileIsTheKernelsToSend() throws Exception {
        Path file = directory.resolve("large");
        long length = (1L << 31) + 12_345;
        try (FileChannel sparse = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE)) {
            sparse.write(ByteBuffer.wrap("end".getBytes()), length - 3);
        }
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofFile(file)));
            try (RawClient peer = server.accept()) {
                assertEquals(Long.toString(length), Message.head(peer.in()).header("Content-Length"));
                peer.in().skipNBytes(length - 3);
                assertEquals("end", new String(peer.in().readNBytes(3)));
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(response).status());
            }
        }
    }

    // ---- what is refused before anything is sent

    @Test
    void theLibraryFramesWhatFollows() {
        HttpBody body = HttpBody.ofPieces(() -> null);
        for (String name : List.of("Content-Length", "transfer-encoding", "Expect")) {
            HttpRequest.Builder builder = HttpRequest.newBuilder("/").POST(body).header(name, "1");
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, builder::build);
            assertTrue(e.getMessage().contains("framed by the library"), e.getMessage());
        }
        assertThrows(IllegalArgumentException.class, () -> HttpBody.ofPieces(() -> null, -1));
        assertThrows(IllegalArgumentException.class, () -> HttpRequest.newBuilder("/").expectContinue(Duration.ZERO));
        assertThrows(NullPointerException.class, () -> HttpRequest.newBuilder("/").POST((HttpBody) null));
        assertThrows(NullPointerException.class, () -> HttpBody.ofPieces(null));
        assertThrows(NullPointerException.class, () -> HttpBody.ofFile(null));
        assertThrows(NullPointerException.class, () -> HttpBody.ofStream(null, workers));
        assertThrows(NullPointerException.class, () -> HttpBody.ofStream(InputStream.nullInputStream(), null));
    }

    @Test
    void nothingIsSentOfABodyThatCannotBe() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            assertThrows(NoSuchFileException.class, () -> await(connection.send(post(HttpBody.ofFile(directory.resolve("none"))))));
            assertThrows(IOException.class, () -> await(connection.send(HttpRequest.newBuilder("/").version10()
                .POST(HttpBody.ofPieces(() -> null)).build())));
            CompletableFuture<HttpResponse> next = connection.send(HttpRequest.newBuilder("/next").build());
            try (RawClient peer = server.accept()) {
                assertEquals("GET /next HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(next);
            }
        }
    }

    @Test
    void whatCanBeSentOnceIsNotSentTwice() throws Exception {
        serve(exchange -> exchange.reply(200, exchange.body()));
        HttpConnection connection = connection(address.getPort());
        HttpRequest request = post(HttpBody.ofStream(new ByteArrayInputStream("once".getBytes()), workers));
        assertEquals("once", await(connection.send(request)).bodyText());
        IOException e = assertThrows(IOException.class, () -> await(connection.send(request)));
        assertTrue(e.getMessage().contains("only once"), e.getMessage());
    }

    @Test
    void aRetryBeforeAnythingIsSentTakesNothingFromTheBody() throws Exception {
        int port;
        try (RawServer free = new RawServer()) {
            port = free.port();
        }
        HttpConnection connection = connection(port, builder -> builder.retries(-1).retryDelay(Duration.ofMillis(1)));
        CompletableFuture<HttpResponse> response =
            connection.send(post(HttpBody.ofStream(new ByteArrayInputStream("once".getBytes()), workers)));
        for (int i = 0; i < 50; i++) {
            loop.turn();
        }
        try (RawServer server = new RawServer("127.0.0.1", port); RawClient peer = server.accept()) {
            assertEquals("once", peer.request().text());
            peer.send("HTTP/1.1 204 OK\r\n\r\n");
            assertEquals(204, await(response).status());
        }
    }

    // ---- as fast as the server reads

    @Test
    void aServerThatDoesNotReadIsWaitedFor() throws Exception {
        AtomicLong given = new AtomicLong();
        CompletableFuture<Void> some = new CompletableFuture<>();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofPieces(() -> {
                some.complete(null);
                return CompletableFuture.completedFuture(given.addAndGet(1 << 16) > 1L << 30 ? null : new byte[1 << 16]);
            })));
            try (RawClient peer = server.accept()) {
                await(some);
                long before;
                do { // until the kernel's buffers are full
                    before = given.get();
                    for (int i = 0; i < 200; i++) {
                        loop.turn();
                    }
                } while (given.get() > before);
                assertTrue(before < 64 << 20, before + " bytes were asked for");
                Message.head(peer.in());
                peer.in().skipNBytes(10 << 20);
                while (given.get() == before) {
                    loop.turn();
                }
                assertFalse(response.isDone());
                response.cancel(false);
            }
        }
    }

    @Test
    void piecesAreAskedForOneByOne() throws Exception {
        List<CompletableFuture<byte[]>> asked = new ArrayList<>();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofPieces(() -> {
                assertSame(loop.thread(), Thread.currentThread());
                CompletableFuture<byte[]> next = new CompletableFuture<>();
                asked.add(next);
                return next;
            }, 6)));
            try (RawClient peer = server.accept()) {
                Message.head(peer.in());
                for (int i = 0; i < 3; i++) {
                    while (loop.call(asked::size) <= i) {
                        loop.turn();
                    }
                    loop.turn();
                    assertEquals(i + 1, loop.call(asked::size));
                    asked.get(i).complete("ab".getBytes()); // on this thread
                    assertEquals("ab", new String(peer.in().readNBytes(2)));
                }
                while (loop.call(asked::size) < 4) {
                    loop.turn();
                }
                asked.get(3).complete(null);
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(response).status());
            }
        }
    }

    // ---- the response comes first

    @ParameterizedTest
    @ValueSource(strings = {"file", "bytes", "pieces", "silent"})
    void aResponseMayComeBeforeTheBodyIsThrough(String kind) throws Exception {
        HttpBody body = switch (kind) {
            case "file" -> HttpBody.ofFile(file(new byte[30_000_000]));
            case "bytes" -> HttpBody.ofBytes(new byte[30_000_000]);
            case "pieces" -> HttpBody.ofPieces(() -> CompletableFuture.completedFuture(new byte[10_000]));
            default -> HttpBody.ofPieces(CompletableFuture::new);
        };
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(post(body));
            CompletableFuture<HttpResponse> next = connection.send(HttpRequest.newBuilder("/next").build());
            try (RawClient peer = server.accept()) {
                Message.head(peer.in());
                peer.send("HTTP/1.1 413 Too much\r\nContent-Length: 3\r\n\r\nno!");
                assertEquals("no!", await(response).bodyText());
                try (RawClient second = server.accept()) { // the first has the rest of a body outstanding
                    assertEquals("GET /next HTTP/1.1", second.request().startLine());
                    second.send("HTTP/1.1 204 OK\r\n\r\n");
                    assertEquals(204, await(next).status());
                }
            }
        }
    }

    @Test
    void aBodyGoesOnWhileTheResponseComes() throws Exception {
        CompletableFuture<byte[]> second = new CompletableFuture<>();
        Iterator<CompletableFuture<byte[]>> pieces =
            List.of(CompletableFuture.completedFuture("one".getBytes()), second, CompletableFuture.<byte[]>completedFuture(null))
                .iterator();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<Void> some = new CompletableFuture<>();
            ByteArrayOutputStream echo = new ByteArrayOutputStream();
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofPieces(pieces::next)), data -> {
                echo.write(data);
                some.complete(null);
            });
            try (RawClient peer = server.accept()) {
                Message.head(peer.in());
                assertEquals("3\r\none\r\n", new String(peer.in().readNBytes(8)));
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
                await(some);
                second.complete("two".getBytes());
                assertEquals("3\r\ntwo\r\n0\r\n\r\n", new String(peer.in().readNBytes(13)));
                peer.send("3\r\ntwo\r\n0\r\n\r\n");
                await(response);
                assertEquals("onetwo", echo.toString());
                CompletableFuture<HttpResponse> next = connection.send(HttpRequest.newBuilder("/next").build());
                assertEquals("GET /next HTTP/1.1", peer.request().startLine()); // the body was through
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                await(next);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"})
    void whatIsAnnouncedWhileTheBodyGoesDoesNotHoldItUp(String interim) throws Exception {
        byte[] bytes = random(3_000_000);
        for (HttpBody body : List.of(HttpBody.ofFile(file(bytes)),
            HttpBody.ofStream(new ByteArrayInputStream(bytes), bytes.length, workers))) {
            try (RawServer server = new RawServer()) {
                HttpConnection connection = connection(server.port());
                CompletableFuture<HttpResponse> response = connection.send(post(body));
                try (RawClient peer = server.accept()) {
                    Message.head(peer.in());
                    ByteArrayOutputStream received = new ByteArrayOutputStream();
                    for (int i = 0; i < 10; i++) {
                        peer.send(interim);
                        loop.turn();
                        received.write(peer.in().readNBytes(i < 9 ? 100_000 : 2_100_000));
                    }
                    assertArrayEquals(bytes, received.toByteArray());
                    peer.send("HTTP/1.1 204 OK\r\n\r\n");
                    assertEquals(204, await(response).status());
                }
                connection.close();
            }
        }
    }

    // ---- 100 (Continue)

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theBodyWaitsUntilTheServerWantsIt(boolean inMemory) throws Exception {
        HttpBody body = inMemory ? HttpBody.ofString("body") : HttpBody.ofFile(file("body".getBytes()));
        HttpRequest request = HttpRequest.newBuilder("/").POST(body).expectContinue(Duration.ofDays(1)).build();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> first = connection.send(request);
            try (RawClient peer = server.accept()) {
                for (CompletableFuture<HttpResponse> each = first; each != null; each = each == first ? connection.send(request) : null) {
                    Message head = Message.head(peer.in());
                    assertEquals("100-continue", head.header("Expect"));
                    assertEquals("4", head.header("Content-Length"));
                    for (int i = 0; i < 10; i++) {
                        loop.turn();
                    }
                    assertEquals(0, peer.in().available());
                    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
                    assertEquals("body", new String(peer.in().readNBytes(4)));
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    assertEquals("ok", await(each).bodyText());
                }
            }
        }
    }

    @Test
    void theBodyIsSentWhenTheServerSaysNothing() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").POST("body")
                .expectContinue(Duration.ofMillis(1)).build());
            try (RawClient peer = server.accept()) {
                assertEquals("body", peer.request().text());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(response).status());
            }
        }
    }

    @Test
    void theBodyIsNotSentWhenTheServerDoesNotWantIt() throws Exception {
        HttpRequest request = HttpRequest.newBuilder("/").POST("body").expectContinue(Duration.ofDays(1)).build();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(request);
            try (RawClient peer = server.accept()) {
                Message.head(peer.in());
                peer.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
                assertEquals(417, await(response).status());
                assertEquals("", peer.readToEnd()); // what comes next would be taken for the body
            }
        }
    }

    // ---- it breaks off

    @ParameterizedTest
    @CsvSource({"thrown", "failed", "null", "long", "short"})
    void aBodyThatFailsBreaksTheRequestOff(String how) throws Exception {
        IOException thrown = new IOException("thrown by the body");
        AtomicInteger asked = new AtomicInteger();
        HttpBody.Pieces pieces = () -> {
            CompletableFuture<byte[]> next = CompletableFuture.completedFuture("ab".getBytes());
            return asked.incrementAndGet() == 1 ? next : switch (how) {
                case "thrown" -> throw thrown;
                case "failed" -> CompletableFuture.failedFuture(thrown);
                case "null" -> null;
                case "short" -> CompletableFuture.completedFuture(null);
                default -> next;
            };
        };
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port());
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofPieces(pieces, 3)));
            CompletableFuture<HttpResponse> next = connection.send(HttpRequest.newBuilder("/next").build());
            try (RawClient peer = server.accept()) {
                Message.head(peer.in());
                assertEquals("ab", peer.readToEnd());
                Exception e = assertThrows(Exception.class, () -> await(response));
                switch (how) {
                    case "thrown", "failed" -> assertSame(thrown, e);
                    case "null" -> assertSame(NullPointerException.class, e.getClass());
                    default -> assertTrue(e.getMessage().contains("instead of 3"), e.getMessage());
                }
            }
            try (RawClient peer = server.accept()) {
                assertEquals("GET /next HTTP/1.1", peer.request().startLine());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(next).status());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aServerThatLeavesBreaksTheBodyOff(boolean reset) throws Exception {
        for (HttpBody body : List.of(HttpBody.ofFile(file(new byte[30_000_000])),
            HttpBody.ofPieces(() -> CompletableFuture.completedFuture(new byte[10_000])), HttpBody.ofPieces(CompletableFuture::new))) {
            try (RawServer server = new RawServer()) {
                HttpConnection connection = connection(server.port());
                CompletableFuture<HttpResponse> response = connection.send(post(body));
                try (RawClient peer = server.accept()) {
                    Message.head(peer.in());
                    if (reset) {
                        peer.reset();
                    }
                }
                assertFails(Failure.EOF, response);
                connection.close();
            }
        }
    }

    @Test
    void aServerThatReadsNothingForTooLongIsGivenUp() throws Exception {
        HttpBody endless = HttpBody.ofPieces(() -> CompletableFuture.completedFuture(new byte[10_000]));
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.timeout(Duration.ofMillis(100)));
            CompletableFuture<HttpResponse> response = connection.send(post(endless));
            try (RawClient peer = server.accept()) {
                assertFails(Failure.TIMEOUT, response);
                assertTrue(peer.socket().isConnected());
            }
        }
    }

    @Test
    void aServerThatDoesNotAnswerTheWholeBodyIsGivenUp() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.timeout(Duration.ofMillis(100)));
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofFile(file("body".getBytes()))));
            try (RawClient peer = server.accept()) {
                assertEquals("body", peer.request().text());
                assertFails(Failure.TIMEOUT, response);
            }
        }
    }

    /** While the program itself has nothing to send, no time passes for the server. */
    @Test
    void aSlowBodyIsNotTheServersFault() throws Exception {
        CompletableFuture<byte[]> slow = new CompletableFuture<>();
        Iterator<CompletableFuture<byte[]>> pieces = List.of(slow, CompletableFuture.<byte[]>completedFuture(null)).iterator();
        try (RawServer server = new RawServer()) {
            HttpConnection connection = connection(server.port(), builder -> builder.timeout(Duration.ofMillis(500)));
            CompletableFuture<Void> asked = new CompletableFuture<>();
            CompletableFuture<HttpResponse> response = connection.send(post(HttpBody.ofPieces(() -> {
                asked.complete(null);
                return pieces.next();
            })));
            try (RawClient peer = server.accept()) {
                await(asked);
                await(loop.call(() -> {
                    CompletableFuture<Void> later = new CompletableFuture<>();
                    Timer.create(loop.base(), () -> later.complete(null)).start(Duration.ofSeconds(1));
                    return later;
                }));
                assertFalse(response.isDone());
                slow.complete("late".getBytes());
                assertEquals("late", peer.request().text());
                peer.send("HTTP/1.1 204 OK\r\n\r\n");
                assertEquals(204, await(response).status());
            }
        }
    }
}
