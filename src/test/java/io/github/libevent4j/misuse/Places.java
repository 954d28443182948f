package io.github.libevent4j.misuse;

import static java.util.Map.entry;

import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.Signal;
import io.github.libevent4j.Timer;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpBody;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpHandler;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.FileSegment;
import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/** The callbacks of the API, and what has to be done so that each comes. */
final class Places {

    /** Sets things up so that {@code inCallback} is called, with the object that calls back. */
    @FunctionalInterface
    interface Setup {
        void start(World world, Recipes.Use inCallback) throws Exception;
    }

    /** A place in which user code is called back. */
    record Place(Class<?> self, List<String> callbacks, Setup setup) {
        @Override
        public String toString() {
            return callbacks.get(0) + (callbacks.size() > 1 ? " …" : "");
        }
    }

    private Places() {
    }

    static final List<Place> ALL = List.of(
        place(EventBase.class, (world, use) -> world.base().execute(unchecked(use, world.base())), "EventBase.execute(Runnable)"),
        place(EventBase.class, (world, use) -> world.base().once(Duration.ZERO, unchecked(use, world.base())),
            "EventBase.once(Duration, Runnable)"),
        place(EventBase.class, (world, use) -> world.base().once(world.descriptor(), EnumSet.of(Event.Kind.READ), Duration.ZERO,
            what -> unchecked(use, world.base()).run()), "EventBase.once(long, Set, Duration, Consumer)"),
        place(EventBase.class, (world, use) -> {
            world.base().onException(e -> unchecked(use, world.base()).run());
            world.base().execute(() -> {
                throw new IllegalStateException("for the handler");
            });
        }, "EventBase.onException(Consumer)"),
        place(Event.class, (world, use) -> Event.create(world.base(), -1, Set.of(), (event, what) -> use.accept(event))
            .activate(EnumSet.of(Event.Kind.READ)), "Event.Handler.handle(Event, Set)"),
        place(Timer.class, (world, use) -> {
            Timer[] self = new Timer[1];
            self[0] = Timer.create(world.base(), () -> unchecked(use, self[0]).run());
            self[0].start(Duration.ZERO);
        }, "Timer.create(EventBase, Runnable)"),
        place(Timer.class, (world, use) -> {
            Timer[] self = new Timer[1];
            self[0] = Timer.periodic(world.base(), () -> unchecked(use, self[0]).run());
            self[0].start(Duration.ofNanos(1));
        }, "Timer.periodic(EventBase, Runnable)"),
        place(Signal.class, (world, use) -> {
            Signal[] self = new Signal[1];
            self[0] = Signal.create(world.base(), "USR1", () -> unchecked(use, self[0]).run());
            Programs.run("kill", "-USR1", Long.toString(ProcessHandle.current().pid()));
        }, "Signal.create(EventBase, String, Runnable)"),

        place(Buffer.class, (world, use) -> {
            Buffer buffer = Buffer.create(world.base()).add("text\r\n");
            buffer.onChange((before, added, deleted) -> use.accept(buffer));
            buffer.add("more");
        }, "Buffer.Listener.changed(long, long, long)"),
        place(Buffer.Subscription.class, (world, use) -> {
            Buffer buffer = Buffer.create(world.base());
            Buffer.Subscription[] self = new Buffer.Subscription[1];
            self[0] = buffer.onChange((before, added, deleted) -> use.accept(self[0]));
            buffer.add("more");
        }, "Buffer.Listener.changed(long, long, long)"),
        place(Buffer.class, (world, use) -> {
            Buffer buffer = Buffer.create(world.base());
            buffer.addReference(world.direct(), unchecked(use, buffer)).drain(1000);
        }, "Buffer.addReference(ByteBuffer, Runnable)", "Buffer.addReference(byte[], Runnable)"),

        place(Buffer.class, (world, use) -> {
            Buffer buffer = Buffer.create(world.base());
            FileSegment segment = FileSegment.create(world.base(), world.openFile(), 0, 1, unchecked(use, buffer));
            buffer.addFile(segment);
            segment.close();
            world.base().execute(() -> buffer.drain(1));
        }, "FileSegment.create(EventBase, FileChannel, long, long, Runnable)"),

        listening("onRead(BufferEvent)", (first, second) -> second.write("text")),
        listening("onWritten(BufferEvent)", (first, second) -> {
            second.enable(BufferEvent.Direction.READ);
            first.write("text");
        }),
        listening("onEof(BufferEvent)", (first, second) -> second.flush(BufferEvent.FlushMode.FINISHED, BufferEvent.Direction.WRITE)),
        listening("onTimeout(BufferEvent, Direction)", (first, second) -> first.timeouts(Duration.ofMillis(1), Duration.ZERO)),
        place(BufferEvent.class, (world, use) -> {
            BufferEvent event = BufferEvent.create(world.base());
            event.listener(new BufferEvent.Listener() {
                @Override
                public void onConnected(BufferEvent self) throws Exception {
                    use.accept(self);
                }
            });
            event.connect(world.address());
        }, "BufferEvent.Listener.onConnected(BufferEvent)"),
        place(BufferEvent.class, (world, use) -> {
            BufferEvent event = BufferEvent.create(world.base());
            event.listener(new BufferEvent.Listener() {
                @Override
                public void onError(BufferEvent self, IOException failure) throws Exception {
                    use.accept(self);
                }
            });
            int unused = Recipes.unusedPort(world);
            event.connect("127.0.0.1", unused);
        }, "BufferEvent.Listener.onError(BufferEvent, IOException)"),
        filtering(true),
        filtering(false),

        place(ConnectionListener.class, (world, use) -> {
            ConnectionListener[] self = new ConnectionListener[1];
            self[0] = ConnectionListener.bind(world.base(), Recipes.free(), connection -> use.accept(self[0]));
            world.request((InetSocketAddress) self[0].address(), "/");
        }, "ConnectionListener.Handler.accepted(Accepted)"),
        place(ConnectionListener.Accepted.class, (world, use) -> {
            ConnectionListener listener = ConnectionListener.bind(world.base(), Recipes.free(), use::accept);
            world.request((InetSocketAddress) listener.address(), "/");
        }, "ConnectionListener.Handler.accepted(Accepted)"),

        completing(Dns.class, (world, dns) -> ((Dns) dns).resolveIpv4("name"), "Dns.resolveIpv4(String, Flag[])"),
        completing(Dns.class, (world, dns) -> ((Dns) dns).resolveIpv6("name"), "Dns.resolveIpv6(String, Flag[])"),
        completing(Dns.class, (world, dns) -> ((Dns) dns).resolveReverse(InetAddress.getLoopbackAddress()),
            "Dns.resolveReverse(InetAddress)"),
        completing(Dns.class, (world, dns) -> ((Dns) dns).lookup("127.0.0.1", Dns.Family.ANY), "Dns.lookup(String, Family)"),
        completing(Dns.class, (world, dns) -> ((Dns) dns).lookup("127.0.0.1", 80, Dns.Family.ANY), "Dns.lookup(String, int, Family)"),

        place(HttpServer.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> {
                use.accept(server);
                Recipes.abandon(exchange);
            });
            world.request(server.bind("127.0.0.1", 0), "/");
        }, "HttpHandler.handle(HttpExchange)"),
        place(HttpExchange.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> {
                use.accept(exchange);
                Recipes.abandon(exchange);
            });
            world.request(server.bind("127.0.0.1", 0), "/");
        }, "HttpHandler.handle(HttpExchange)"),
        place(HttpExchange.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            HttpHandler handler = exchange -> {
                use.accept(exchange);
                Recipes.abandon(exchange);
            };
            server.onRequest(handler.on(Runnable::run));
            world.request(server.bind("127.0.0.1", 0), "/");
        }, "HttpHandler.on(Executor)"),
        place(HttpServer.class, (world, use) -> {
            HttpServer[] self = new HttpServer[1];
            self[0] = HttpServer.newBuilder(world.base()).bufferEvents(base -> {
                use.accept(self[0]);
                return BufferEvent.create(base);
            }).build();
            self[0].onRequest(exchange -> exchange.reply(200));
            world.request(self[0].bind("127.0.0.1", 0), "/");
        }, "HttpServer.BufferEventFactory.create(EventBase)"),
        completing(HttpServer.class, (world, server) -> ((HttpServer) server).stop(Duration.ZERO), "HttpServer.stop(Duration)"),
        place(HttpServer.class, (world, use) -> {
            HttpServer[] self = new HttpServer[1];
            self[0] = HttpServer.newBuilder(world.base()).accessLog(logged -> unchecked(use, self[0]).run()).build();
            self[0].onRequest(exchange -> exchange.reply(200));
            world.request(self[0].bind("127.0.0.1", 0), "/");
        }, "HttpServer.Builder.accessLog(Consumer)"),
        calling((connection, use) -> connection.send(HttpRequest.newBuilder("/").POST(HttpBody.ofPieces(() -> {
            use.accept(connection);
            return CompletableFuture.completedStage(null);
        })).build()), "HttpBody.Pieces.next()"),
        exchanging((exchange, inCallback) -> {
            exchange.completion().whenComplete((done, failure) -> inCallback.run());
            exchange.reply(200, "text");
        }, "HttpExchange.completion()"),
        exchanging((exchange, inCallback) -> {
            exchange.clientClosed().whenComplete((done, failure) -> inCallback.run());
            exchange.reply(200, "text");
        }, "HttpExchange.clientClosed()"),
        chunking((reply, inCallback) -> reply.send(new byte[1]).whenComplete((done, failure) -> inCallback.run()),
            "ChunkedReply.send(byte[])"),
        chunking((reply, inCallback) -> reply.send(new byte[0]).whenComplete((done, failure) -> inCallback.run()),
            "ChunkedReply.send(byte[])"),
        chunking((reply, inCallback) -> {
            reply.completion().whenComplete((done, failure) -> inCallback.run());
            reply.end();
        }, "ChunkedReply.completion()"),

        calling((connection, use) -> connection.send(HttpRequest.newBuilder("/").build())
            .whenComplete((response, failure) -> unchecked(use, connection).run()), "HttpConnection.send(HttpRequest)"),
        calling((connection, use) -> connection.send(HttpRequest.newBuilder("/").build(), new BodyListener() {
            @Override
            public void onHead(HttpResponse head) throws Exception {
                use.accept(connection);
            }

            @Override
            public void onData(byte[] data) {
            }
        }), "BodyListener.onHead(HttpResponse)"),
        calling((connection, use) -> connection.send(HttpRequest.newBuilder("/").build(), data -> use.accept(connection)),
            "BodyListener.onData(byte[])"),
        calling((connection, use) -> connection.send(HttpRequest.newBuilder("/").build(), data -> { })
            .whenComplete((response, failure) -> unchecked(use, connection).run()), "HttpConnection.send(HttpRequest, BodyListener)"),
        place(HttpConnection.class, (world, use) -> {
            HttpConnection[] self = new HttpConnection[1];
            self[0] = HttpConnection.newBuilder(world.base(), "127.0.0.1", world.service().getPort())
                .onClose(() -> unchecked(use, self[0]).run()).build();
            self[0].send(HttpRequest.newBuilder("/").header("Connection", "close").build());
        }, "HttpConnection.Builder.onClose(Runnable)"));

    /** Callbacks that have a thread or a test of their own, and why. */
    static final Map<String, String> ELSEWHERE = Map.ofEntries(
        entry("ConnectionListener.ErrorHandler.failed(IOException)", "needs a process without descriptors: ConnectionListenerTest"),
        entry("BufferEvent.Filter.filter(Buffer, Buffer, long, FlushMode)", "both directions are above, and in FilterTest"),
        entry("Headers.forEach(BiConsumer)", "in the call itself, of what is immutable"),
        entry("FileHandler.on(Executor)", "what HttpHandler.on() is"),
        entry("HttpService.Builder.onException(Consumer)", "what EventBase.onException() is"),
        entry("HttpService.stopped()", "on threads that end"),
        entry("HttpBody.ofStream(InputStream, Executor)", "on the executor's threads"),
        entry("HttpBody.ofStream(InputStream, long, Executor)", "on the executor's threads"),
        entry("HttpClient.sendAsync(HttpRequest, BodyListener, Executor)", "on the executor's threads"),
        entry("HttpService.Builder.server(UnaryOperator)", "in the call of start()"),
        entry("HttpService.stop(Duration)", "on threads that end"),
        entry("HttpClient.sendAsync(HttpRequest)", "on the client's own thread: HttpConnection's above"),
        entry("HttpClient.sendAsync(HttpRequest, BodyListener)", "on the client's own thread: HttpConnection's above"));

    private static Place place(Class<?> self, Setup setup, String... callbacks) {
        return new Place(self, List.of(callbacks), setup);
    }

    private static Runnable unchecked(Recipes.Use use, Object self) {
        return () -> Recipes.unchecked(() -> use.accept(self));
    }

    private interface Pair {
        void use(BufferEvent first, BufferEvent second);
    }

    /** The callbacks of a bufferevent whose partner does something. */
    private static Place listening(String callback, Pair pair) {
        return place(BufferEvent.class, (world, use) -> {
            List<BufferEvent> both = BufferEvent.pair(world.base());
            both.get(0).listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent self) throws Exception {
                    on("onRead(BufferEvent)", self);
                }

                @Override
                public void onWritten(BufferEvent self) throws Exception {
                    on("onWritten(BufferEvent)", self);
                }

                @Override
                public void onEof(BufferEvent self) throws Exception {
                    on("onEof(BufferEvent)", self);
                }

                @Override
                public void onTimeout(BufferEvent self, BufferEvent.Direction direction) throws Exception {
                    on("onTimeout(BufferEvent, Direction)", self);
                }

                private void on(String what, BufferEvent self) throws Exception {
                    if (what.equals(callback)) {
                        use.accept(self);
                    }
                }
            });
            both.get(0).enable(BufferEvent.Direction.READ);
            pair.use(both.get(0), both.get(1));
        }, "BufferEvent.Listener." + callback);
    }

    private static Place filtering(boolean output) {
        return place(BufferEvent.class, (world, use) -> {
            List<BufferEvent> both = BufferEvent.pair(world.base());
            BufferEvent[] self = new BufferEvent[1];
            BufferEvent.Filter filter = (source, target, limit, mode) -> {
                use.accept(self[0]);
                return BufferEvent.Filter.NONE.filter(source, target, limit, mode);
            };
            self[0] = BufferEvent.filter(both.get(0), output ? BufferEvent.Filter.NONE : filter, output ? filter : BufferEvent.Filter.NONE);
            self[0].enable(BufferEvent.Direction.READ);
            if (output) {
                self[0].write("text");
            } else {
                both.get(1).write("text");
            }
        }, "BufferEvent.Filter.filter(Buffer, Buffer, long, FlushMode)");
    }

    private interface Asking {
        CompletableFuture<?> ask(World world, Object self) throws Exception;
    }

    /** The completion of a future. */
    private static Place completing(Class<?> type, Asking asking, String callback) {
        return place(type, (world, use) -> {
            Object self = type == Dns.class ? Dns.createEmpty(world.base()) : HttpServer.create(world.base());
            world.base().execute(() -> Recipes.unchecked(() -> asking.ask(world, self)
                .whenComplete((done, failure) -> unchecked(use, self).run())));
        }, callback);
    }

    private static Place exchanging(BiConsumer<HttpExchange, Runnable> action, String callback) {
        return place(HttpExchange.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> action.accept(exchange, unchecked(use, exchange)));
            world.request(server.bind("127.0.0.1", 0), "/");
        }, callback);
    }

    private static Place chunking(BiConsumer<ChunkedReply, Runnable> action, String callback) {
        return place(ChunkedReply.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> {
                ChunkedReply reply = exchange.start(200);
                action.accept(reply, unchecked(use, reply));
            });
            world.request(server.bind("127.0.0.1", 0), "/");
        }, callback);
    }

    private static Place calling(BiConsumer<HttpConnection, Recipes.Use> action, String callback) {
        return place(HttpConnection.class, (world, use) ->
            action.accept(HttpConnection.create(world.base(), "127.0.0.1", world.service().getPort()), use), callback);
    }
}
