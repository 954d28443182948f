package benchmarks.client;

import benchmarks.Answers;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;

/** Vert.x's client with its native transport and one event loop; all requests are made on that loop. */
public final class Vertx {

    private Vertx() {
    }

    public static void main(String[] args) throws Exception {
        var vertx = io.vertx.core.Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1));
        if (!vertx.isNativeTransportEnabled()) {
            throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
        }
        HttpClient client = vertx.createHttpClient(new HttpClientOptions().setKeepAlive(true),
            new PoolOptions().setHttp1MaxSize(ClosedLoop.connections(args)));
        var context = vertx.getOrCreateContext();
        int port = ClosedLoop.port(args);
        Answers.ready(new ClosedLoop(ClosedLoop.connections(args), (connection, done) -> {
            if (io.vertx.core.Vertx.currentContext() == context) {
                send(client, port, done);
            } else {
                context.runOnContext(nothing -> send(client, port, done));
            }
        }));
    }

    private static void send(HttpClient client, int port, ClosedLoop.Response done) {
        client.request(HttpMethod.GET, port, "127.0.0.1", "/")
            .compose(request -> request.send())
            .onSuccess(response -> response.body()
                .onSuccess(body -> done.received(response.statusCode(), body.length()))
                .onFailure(ClosedLoop::failed))
            .onFailure(ClosedLoop::failed);
    }
}
