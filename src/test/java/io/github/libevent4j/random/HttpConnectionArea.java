package io.github.libevent4j.random;

import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import java.time.Duration;

/** A client's connections to the servers of the {@link HttpServerArea}, and to where there is none. */
final class HttpConnectionArea extends Area {

    HttpConnectionArea(World world, HttpServerArea servers) {
        super(world);
        operation("create", () -> {
            int port = world.chance(0.2) ? 1 : servers.somewhere().getPort();
            HttpConnection.Builder builder = HttpConnection.newBuilder(world.base(), "127.0.0.1", port)
                .onClose(world.action("a connection's close"));
            if (world.coin()) {
                builder.retries(world.number(3)).retryDelay(Duration.ofMillis(1));
            }
            if (world.chance(0.2)) {
                builder.timeout(Duration.ofMillis(1));
            }
            if (world.chance(0.1)) {
                builder.exact();
            }
            if (world.chance(0.1)) {
                builder.maxBodySize(3);
            }
            world.made(builder.build());
        });
        for (int i = 0; i < 3; i++) {
            operation("send", () -> world.future("a response", one().send(request())));
            operation("stream", () -> world.future("a streamed response", one().send(request(), listener())));
        }
        operation("pause", () -> one().pause());
        operation("resume", () -> one().resume());
        operation("close", () -> world.close(HttpConnection.class));
    }

    private HttpConnection one() {
        return world.one(HttpConnection.class);
    }

    private HttpRequest request() {
        HttpRequest.Builder builder = HttpRequest.newBuilder(world.any("/", "/path", "/?q=a"));
        if (world.coin()) {
            builder.method(world.any(HttpMethod.values()), world.bytes());
        }
        if (world.chance(0.2)) {
            builder.header("Connection", "close");
        }
        if (world.chance(0.1)) {
            builder.version10();
        }
        return builder.build();
    }

    private BodyListener listener() {
        return new BodyListener() {
            @Override
            public void onHead(HttpResponse head) throws Exception {
                world.called("a response's head");
            }

            @Override
            public void onData(byte[] data) throws Exception {
                world.called("a response's data");
            }
        };
    }
}
