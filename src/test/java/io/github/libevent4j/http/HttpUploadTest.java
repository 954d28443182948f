package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

    private static final int EPIPE_LATE = 1000;

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
}
