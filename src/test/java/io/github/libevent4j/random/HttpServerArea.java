package io.github.libevent4j.random;

import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;

/** Servers, their exchanges and replies. */
final class HttpServerArea extends Area {

    private final BufferEventArea events;

    HttpServerArea(World world, BufferEventArea events, Clients clients) {
        super(world);
        this.events = events;
        operation("create", () -> world.made(options(HttpServer.newBuilder(world.base())).build()));
        operation("bound", () -> {
            HttpServer server = world.made(options(HttpServer.newBuilder(world.base())).build());
            server.onRequest(this::handle);
            server.bind("127.0.0.1", 0);
        });
        operation("bind", () -> one().bind("127.0.0.1", 0));
        operation("unbind", () -> one().unbind(address()));
        for (int i = 0; i < 4; i++) {
            operation("connect", () -> clients.connect(address()));
        }
        operation("onRequest", () -> one().onRequest(this::handle));
        operation("onPath", () -> one().onRequest("/path", this::handle));
        operation("removeHandler", () -> one().removeHandler("/path"));
        operation("addVirtualHost", () -> one().addVirtualHost(world.any("*.test", "a"), one()));
        operation("removeVirtualHost", () -> one().removeVirtualHost(one()));
        operation("addAlias", () -> one().addAlias("host.test"));
        operation("removeAlias", () -> one().removeAlias("host.test"));
        operation("questions", () -> {
            HttpServer one = one();
            one.activeRequests();
            one.connections();
            one.addresses();
        });
        operation("stop", () -> world.future("a server's stop", one().stop(world.time())));
        operation("close", () -> {
            if (world.chance(0.3)) {
                world.close(HttpServer.class);
            }
        });

        for (int i = 0; i < 2; i++) {
            operation("answer", () -> answer(exchange()));
            operation("send", () -> {
                byte[] piece = world.bytes();
                world.future("a piece", reply().send(piece));
            });
        }
        operation("read", () -> {
            HttpExchange one = exchange();
            one.method();
            one.headers().forEach((name, value) -> { });
            one.host();
            one.remoteAddress();
            one.body();
            one.bodyBuffer();
        });
        operation("takeBody", () -> world.made(exchange().takeBody()));
        operation("reply with a buffer", () -> exchange().reply(200, world.one(Buffer.class)));
        operation("completion", () -> world.future("an exchange's completion", exchange().completion()));
        operation("clientClosed", () -> exchange().clientClosed());
        operation("end", () -> reply().end());
        operation("abort", () -> reply().abort());
    }

    private HttpServer one() {
        return world.one(HttpServer.class);
    }

    private HttpExchange exchange() {
        return world.one(HttpExchange.class);
    }

    private ChunkedReply reply() {
        return world.one(ChunkedReply.class);
    }

    private SocketAddress address() throws IOException {
        List<SocketAddress> addresses = one().addresses();
        if (addresses.isEmpty()) {
            throw new IOException("it listens nowhere");
        }
        return addresses.get(world.number(addresses.size()));
    }

    private HttpServer.Builder options(HttpServer.Builder builder) {
        if (world.chance(0.2)) {
            builder.exact();
        }
        if (world.chance(0.1)) {
            builder.maxConnections(1);
        }
        if (world.chance(0.1)) {
            builder.timeout(Duration.ofMillis(1));
        }
        if (world.chance(0.1)) {
            builder.deadlines(Duration.ofMillis(1), Duration.ofMillis(1));
        }
        if (world.chance(0.1)) {
            builder.reusePort();
        }
        if (world.chance(0.1)) {
            builder.lingeringClose();
        }
        if (world.chance(0.1)) {
            builder.maxBodySize(3);
        }
        if (world.coin()) {
            builder.allowedMethods(EnumSet.allOf(HttpMethod.class));
        }
        if (world.chance(0.3)) {
            builder.bufferEvents(base -> {
                world.called("a connection's bufferevent");
                BufferEvent made = BufferEvent.create(base);
                return switch (world.number(10)) {
                    case 1 -> world.one(BufferEvent.class); // which may be anything
                    case 2 -> world.made(made);
                    case 3, 4 -> BufferEvent.filter(made, BufferEvent.Filter.NONE, BufferEvent.Filter.NONE);
                    case 5 -> BufferEvent.filter(made, BufferEvent.Filter.NONE, (source, target, limit, mode) -> {
                        world.called("a connection's filter");
                        target.addBuffer(source);
                        return BufferEvent.Filter.Result.OK;
                    });
                    default -> made;
                };
            });
        }
        return builder;
    }

    private void handle(HttpExchange exchange) throws Exception {
        world.made(exchange);
        if (world.chance(0.3)) {
            exchange.completion();
        }
        world.called("request");
        if (world.chance(0.3)) {
            exchange.defer();
        } else if (world.chance(0.95)) {
            answer(exchange);
        }
    }

    private void answer(HttpExchange exchange) throws Exception {
        if (world.chance(0.2)) {
            exchange.header(world.any("Connection", "Content-Type", "X", "Content-Length"), world.any("close", "5", "y"));
        }
        int status = world.any(200, 200, 200, 204, 304, 404, 500, 101, 100);
        switch (world.number(9)) {
            case 0 -> exchange.reply(status);
            case 1 -> exchange.reply(status, "hello");
            case 2 -> exchange.reply(status, world.bytes());
            case 3 -> exchange.reply(status, ByteBuffer.allocateDirect(world.any(1, 10, 300_000)));
            case 4 -> exchange.replyError(status);
            case 5 -> {
                try (FileChannel file = FileChannel.open(world.file(100_000))) {
                    exchange.reply(status, file, world.number(1000), world.number(99_000));
                }
            }
            case 6 -> {
                BufferEvent taken = world.made(exchange.takeOver(status));
                events.listen(taken);
            }
            default -> {
                ChunkedReply reply = world.made(exchange.start(status));
                world.future("a reply's completion", reply.completion());
            }
        }
    }

    @Override
    void end() {
        // Exchanges and their replies end with their servers.
    }

    InetSocketAddress somewhere() throws IOException {
        return (InetSocketAddress) address();
    }
}
