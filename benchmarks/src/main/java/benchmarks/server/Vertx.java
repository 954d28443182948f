package benchmarks.server;

import benchmarks.Answers;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.TimeUnit;

/** Vert.x with its native transport and one event loop; constant headers, a cached date. */
public final class Vertx {

    private static final CharSequence PLAIN = HttpHeaders.createOptimized("text/plain");
    private static final Buffer HELLO = Buffer.buffer(Replies.HELLO);
    private static final Buffer MEBIBYTE = Buffer.buffer(Replies.MEBIBYTE);
    private static final Buffer CHUNK = Buffer.buffer(Replies.CHUNK);

    private static volatile CharSequence date;

    private Vertx() {
    }

    private static void tick() {
        date = HttpHeaders.createOptimized(DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    }

    public static void main(String[] args) throws Exception {
        var vertx = io.vertx.core.Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1));
        if (!vertx.isNativeTransportEnabled()) {
            throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
        }
        tick();
        vertx.setPeriodic(1000, id -> tick());
        String file = Replies.file(args).toString();
        vertx.createHttpServer(new HttpServerOptions().setTcpFastOpen(false).setAcceptBacklog(1024))
            .requestHandler(request -> handle(request, file))
            .listen(Replies.port(args), "127.0.0.1").toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        Answers.ready();
    }

    private static void handle(HttpServerRequest request, String file) {
        HttpServerResponse response = request.response();
        response.headers().add(HttpHeaders.CONTENT_TYPE, PLAIN).add(HttpHeaders.DATE, date);
        switch (request.uri()) {
            case "/" -> response.end(HELLO);
            case "/header" -> response.end(request.getHeader(Replies.HEADER));
            case "/echo" -> request.bodyHandler(response::end);
            case "/mib" -> response.end(MEBIBYTE);
            case "/stream" -> send(response.setChunked(true), Replies.CHUNKS);
            default -> response.sendFile(file);
        }
    }

    private static void send(HttpServerResponse response, int left) {
        if (left == 0) {
            response.end();
        } else {
            response.write(CHUNK).onSuccess(sent -> send(response, left - 1));
        }
    }
}
