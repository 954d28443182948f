package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A request may be taken back at every stage: its connection is closed, and the next request has one of its own. */
class HttpCancelTest extends HttpTest {

    private static final HttpRequest GET = HttpRequest.newBuilder("/first").build();
    private static final HttpRequest NEXT = HttpRequest.newBuilder("/next").build();

    @TempDir
    Path directory;

    /** How far the request has come. */
    private enum Stage {
        WAITING("GET", ""),
        ANNOUNCED("GET", "HTTP/1.1 100 Continue\r\n\r\n"),
        IN_STATUS_LINE("GET", "HTTP/1.1 20"),
        IN_HEAD("GET", "HTTP/1.1 200 OK\r\nContent-Le"),
        BEHIND_HEAD("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        IN_BODY("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"),
        IN_CHUNK_SIZE("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3"),
        IN_CHUNK("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nll"),
        IN_TRAILERS("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\nA: b\r\n"),
        IN_ENDLESS_BODY("GET", "HTTP/1.1 200 OK\r\n\r\nhe"),
        PAUSED("PAUSED", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"),
        BODY_WAITS_FOR_CONTINUE("EXPECT", ""),
        BODY_WAITS_FOR_ITS_PIECE("SILENT", ""),
        BODY_HALF_SENT("PIECES", ""),
        FILE_HALF_SENT("FILE", ""),
        FILE_HALF_SENT_AND_ANSWERED("FILE", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");

        final String request;
        final String response;

        Stage(String request, String response) {
            this.request = request;
            this.response = response;
        }
    }

    /** The ways to lose interest. */
    private enum How {
        CANCEL, COMPLETE, CLOSE, CLOSE_BASE
    }

    private HttpRequest request(Stage stage) throws IOException {
        HttpRequest.Builder builder = HttpRequest.newBuilder("/first");
        return switch (stage.request) {
            case "EXPECT" -> builder.POST("body").expectContinue(Duration.ofDays(1)).build();
            case "SILENT" -> builder.POST(HttpBody.ofPieces(CompletableFuture::new)).build();
            case "PIECES" -> builder.POST(HttpBody.ofPieces(() -> CompletableFuture.completedFuture(new byte[10_000]))).build();
            case "FILE" -> builder.POST(HttpBody.ofFile(Files.write(directory.resolve("file"), new byte[30_000_000]))).build();
            default -> GET;
        };
    }

    @ParameterizedTest
    @EnumSource
    void atEveryStage(Stage stage) throws Exception {
        for (How how : How.values()) { // the last of them ends the loop
            try (RawServer server = new RawServer()) {
                HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", server.port()));
                AtomicInteger completions = new AtomicInteger();
                CompletableFuture<Void> some = new CompletableFuture<>();
                CompletableFuture<HttpResponse> response = connection.send(request(stage), data -> {
                    if (stage == Stage.PAUSED) {
                        connection.pause();
                    }
                    some.complete(null);
                });
                response.whenComplete((answer, failure) -> completions.incrementAndGet());
                CompletableFuture<HttpResponse> next = how == How.CLOSE || how == How.CLOSE_BASE ? null : connection.send(NEXT);
                try (RawClient peer = server.accept()) {
                    Message.head(peer.in());
                    peer.send(stage.response);
                    if (stage.response.contains("he")) {
                        await(some);
                    }
                    loop.turn();
                    loop.turn();
                    assertFalse(response.isDone());
                    switch (how) {
                        case CANCEL -> assertTrue(response.cancel(true));
                        case COMPLETE -> assertTrue(response.completeExceptionally(new IOException("not wanted any more")));
                        case CLOSE -> connection.close();
                        default -> loop.base().close();
                    }
                    readToEnd(peer);
                }
                assertThrows(Exception.class, () -> await(response));
                if (next != null) {
                    try (RawClient peer = server.accept()) {
                        assertEquals("GET /next HTTP/1.1", peer.request().startLine());
                        peer.send("HTTP/1.1 204 OK\r\n\r\n");
                        assertEquals(204, await(next).status());
                    }
                    connection.close();
                }
                assertEquals(1, completions.get());
            }
        }
    }

    private static void readToEnd(RawClient peer) {
        try {
            peer.in().transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // reset, with something unread
        }
    }

    @Test
    void beforeItConnects() throws Exception {
        try (RawServer server = new RawServer()) {
            HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", server.port()));
            CompletableFuture<HttpResponse> next = loop.call(() -> {
                CompletableFuture<HttpResponse> first = connection.send(GET);
                CompletableFuture<HttpResponse> queued = connection.send(GET);
                CompletableFuture<HttpResponse> last = connection.send(NEXT);
                assertTrue(first.cancel(false)); // no turn of the loop has passed
                assertTrue(queued.cancel(false));
                assertThrows(CancellationException.class, first::join);
                return last;
            });
            RawClient peer = server.accept();
            Message request = requestOrNull(peer);
            if (request == null || request.startLine().equals("GET /first HTTP/1.1")) { // the first had begun to connect
                peer.close();
                peer = server.accept();
                request = peer.request();
            }
            assertEquals("GET /next HTTP/1.1", request.startLine());
            peer.send("HTTP/1.1 204 OK\r\n\r\n");
            assertEquals(204, await(next).status());
            peer.close();
        }
    }

    private static Message requestOrNull(RawClient peer) {
        try {
            return peer.request();
        } catch (IOException e) {
            return null;
        }
    }

    @ParameterizedTest
    @EnumSource
    void whileItConnects(How how) throws Exception {
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            List<SocketChannel> waiting = new ArrayList<>();
            for (int i = 0; i < 10; i++) { // the kernel answers no more when the backlog is full
                SocketChannel channel = SocketChannel.open();
                channel.configureBlocking(false);
                channel.connect(full.getLocalSocketAddress());
                waiting.add(channel);
            }
            HttpConnection connection = loop.call(() -> HttpConnection.create(loop.base(), "127.0.0.1", full.getLocalPort()));
            CompletableFuture<HttpResponse> response = connection.send(GET);
            loop.turn();
            switch (how) {
                case CANCEL -> assertTrue(response.cancel(true));
                case COMPLETE -> assertTrue(response.complete(null));
                case CLOSE -> connection.close();
                default -> loop.base().close();
            }
            if (how == How.CLOSE || how == How.CLOSE_BASE) {
                HttpException e = assertThrows(HttpException.class, () -> await(response));
                assertEquals(Failure.REQUEST_CANCEL, e.failure());
            } else {
                CompletableFuture<HttpResponse> next = connection.send(NEXT);
                loop.turn();
                assertFalse(next.isDone());
                next.cancel(false);
            }
            for (SocketChannel channel : waiting) {
                channel.close();
            }
        }
    }
}
