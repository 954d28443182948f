package io.github.libevent4j.random;

import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpService;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;

/**
 * Clients and services. They have threads of their own, on which no other operations are done: closing one waits for its threads, and
 * they must not wait for who closes it.
 */
final class ServiceArea extends Area {

    private static final int MOST = 2; // of each

    private final HttpServerArea servers;

    ServiceArea(World world, HttpServerArea servers) {
        super(world);
        this.servers = servers;
        operation("client", () -> {
            if (world.all(HttpClient.class).size() < MOST) {
                world.made(HttpClient.newBuilder().maxConnections(1 + world.number(3)).maxRedirects(world.number(2))
                    .idleTimeout(Duration.ofMillis(1 + world.number(10))).build());
            }
        });
        for (int i = 0; i < 3; i++) {
            operation("send", () -> expect(client().sendAsync(request())));
            operation("stream", () -> {
                HttpClient client = client();
                expect(client.sendAsync(request(), listener(client)));
            });
        }
        operation("streamElsewhere", () -> expect(client().sendAsync(request(), data -> { }, ForkJoinPool.commonPool())));
        operation("cancel", () -> expect(client().sendAsync(request())).cancel(true));
        operation("Client.close", () -> {
            if (world.chance(0.3)) {
                world.close(HttpClient.class);
            }
        });

        operation("service", () -> {
            if (world.all(HttpService.class).size() < MOST) {
                HttpService service = HttpService.newBuilder().bind("127.0.0.1", 0).loops(1 + world.number(2)).handler(this::handle)
                    .onException(world::heard).start();
                Runnable stopped = world.once("a service's end");
                service.stopped().whenComplete((done, thrown) -> stopped.run());
                world.made(service);
            }
        });
        operation("Service.stats", () -> service().stats());
        operation("Service.stop", () -> {
            if (world.chance(0.3)) {
                service().stop(world.time());
            }
        });
        operation("Service.close", () -> {
            if (world.chance(0.3)) {
                world.close(HttpService.class);
            }
        });
    }

    private HttpClient client() {
        return world.one(HttpClient.class);
    }

    private HttpService service() {
        return world.one(HttpService.class);
    }

    private HttpRequest request() throws IOException {
        int port = switch (world.number(10)) {
            case 0 -> 1;
            case 1, 2 -> servers.somewhere().getPort();
            default -> service().addresses().get(0).getPort();
        };
        HttpRequest.Builder builder = HttpRequest.newBuilder("http://127.0.0.1:" + port + "/");
        return (world.coin() ? builder.POST(world.bytes()) : builder).build();
    }

    private CompletableFuture<HttpResponse> expect(CompletableFuture<HttpResponse> response) {
        Runnable once = world.once("a client's response");
        response.whenComplete((answer, thrown) -> {
            once.run();
            if (thrown != null && !(thrown instanceof IOException || thrown instanceof World.Thrown
                || thrown instanceof CancellationException)) {
                world.fail(new AssertionError("a response failed in a way that is not allowed: " + thrown, thrown));
            }
        });
        return response;
    }

    /** Throws, or closes its client. */
    private BodyListener listener(HttpClient client) {
        return data -> {
            if (world.chance(0.05)) {
                client.close();
            }
            if (world.chance(0.05)) {
                throw new World.Thrown();
            }
        };
    }

    private void handle(HttpExchange exchange) throws Exception {
        switch (world.number(10)) {
            case 0 -> exchange.defer();
            case 1 -> throw new World.Thrown();
            case 2 -> exchange.header("Location", "/elsewhere").reply(302);
            case 3 -> exchange.header("Connection", "close").reply(200, "last");
            case 4 -> exchange.reply(200, new byte[300_000]);
            case 5 -> {
                ChunkedReply reply = exchange.start(200);
                reply.send(world.bytes());
                if (world.coin()) {
                    reply.end();
                } else {
                    reply.abort();
                }
            }
            default -> exchange.reply(200, world.bytes());
        }
    }

    @Override
    void end() {
        world.all(HttpClient.class).forEach(HttpClient::close);
        world.all(HttpService.class).forEach(HttpService::close);
    }
}
