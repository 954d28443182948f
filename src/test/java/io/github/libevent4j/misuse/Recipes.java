package io.github.libevent4j.misuse;

import static java.util.Map.entry;

import io.github.libevent4j.CommonTimeout;
import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Signal;
import io.github.libevent4j.Timer;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.dns.DnsException;
import io.github.libevent4j.http.AccessLogEntry;
import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.FileHandler;
import io.github.libevent4j.http.Headers;
import io.github.libevent4j.http.HttpBody;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpException;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpHandler;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpResponseStream;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.http.HttpStats;
import io.github.libevent4j.http.HttpUri;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.FileSegment;
import io.github.libevent4j.io.RateLimit;
import io.github.libevent4j.io.RateLimitGroup;
import io.github.libevent4j.io.Tags;
import java.io.InputStream;
import java.lang.reflect.Array;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * How to make a live object of each class, and a valid argument for each parameter. This is where a new class, type of parameter or
 * method is made known to the walk over all of them.
 */
final class Recipes {

    /** What is done with an object. */
    @FunctionalInterface
    interface Use {
        void accept(Object receiver) throws Exception;
    }

    /** Makes an object and uses it: at once, or in a callback that comes when the world's loop runs. */
    @FunctionalInterface
    interface Recipe {
        void with(World world, Use use) throws Exception;
    }

    @FunctionalInterface
    private interface Maker {
        Object make(World world) throws Exception;
    }

    @FunctionalInterface
    private interface Argument {
        Object make(World world, Object receiver) throws Exception;
    }

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final BufferEvent.Listener SILENT = new BufferEvent.Listener() {
    };

    private Recipes() {
    }

    // ---- objects

    /** How to make an object of a class. */
    private static final Map<Class<?>, Recipe> RECEIVERS = Map.ofEntries(
        entry(EventBase.class, made(World::base)),
        entry(EventBase.EventInfo.class, made(world -> new EventBase.EventInfo(-1, 0, Set.of(), 0, Optional.empty()))),
        entry(EventBase.Builder.class, made(world -> EventBase.newBuilder())),
        entry(Event.class, made(world -> Event.create(world.base(), -1, Set.of(), (event, what) -> { }))),
        entry(Timer.class, made(world -> Timer.create(world.base(), () -> { }))),
        entry(Signal.class, made(world -> Signal.create(world.base(), "USR1", () -> { }))),
        entry(CommonTimeout.class, made(world -> world.base().commonTimeout(SECOND))),
        entry(LibeventException.class, made(world -> new LibeventException("operation", 1))),

        entry(Buffer.class, made(Recipes::buffer)),
        entry(Buffer.Reservation.class, made(world -> {
            Buffer.Reservation room = buffer(world).reserve(10);
            room.space().put((byte) 1);
            return room;
        })),
        entry(Buffer.Subscription.class, made(world -> buffer(world).onChange((before, added, deleted) -> { }))),
        entry(Buffer.Eol.class, made(world -> new Buffer.Eol(0, 1))),
        entry(BufferEvent.class, made(world -> BufferEvent.create(world.base()))),
        entry(BufferEvent.Watermark.class, made(world -> new BufferEvent.Watermark(0, 0))),
        entry(FileSegment.class, made(world -> FileSegment.create(world.base(), world.file()))),
        entry(ConnectionListener.class, made(Recipes::listener)),
        entry(ConnectionListener.Builder.class, made(world -> ConnectionListener.newBuilder(world.base(), free(), connection -> { }))),
        entry(ConnectionListener.Accepted.class, (world, use) -> {
            ConnectionListener listener = ConnectionListener.bind(world.base(), free(), use::accept);
            world.request((InetSocketAddress) listener.address(), "/");
        }),
        entry(RateLimit.class, made(world -> RateLimit.perSecond(1000, 1000))),
        entry(RateLimitGroup.class, made(world -> RateLimitGroup.create(world.base(), RateLimit.perSecond(1000, 1000)))),
        entry(RateLimitGroup.Totals.class, made(world -> new RateLimitGroup.Totals(0, 0))),

        entry(Dns.class, made(world -> Dns.createEmpty(world.base()))),
        entry(Dns.Answer.class, made(world -> new Dns.Answer<>(List.of("name"), SECOND))),
        entry(DnsException.class, (world, use) -> Dns.createEmpty(world.base()).resolveIpv4("name")
            .whenComplete((answer, failure) -> unchecked(() -> use.accept(failure)))),

        entry(HttpServer.class, made(world -> HttpServer.create(world.base()))),
        entry(HttpServer.Builder.class, made(world -> HttpServer.newBuilder(world.base()))),
        entry(HttpStats.class, made(world -> HttpStats.NONE)),
        entry(HttpBody.class, made(world -> HttpBody.ofString("text"))),
        entry(AccessLogEntry.class, (world, use) -> {
            HttpServer server = HttpServer.newBuilder(world.base()).accessLog(logged -> unchecked(() -> use.accept(logged))).build();
            server.onRequest(exchange -> exchange.reply(200));
            world.request(server.bind("127.0.0.1", 0), "/");
        }),
        entry(HttpExchange.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> {
                use.accept(exchange);
                abandon(exchange);
            });
            world.request(server.bind("127.0.0.1", 0), "/");
        }),
        entry(ChunkedReply.class, (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> use.accept(exchange.start(200)));
            world.request(server.bind("127.0.0.1", 0), "/");
        }),
        entry(HttpHandler.class, made(world -> (HttpHandler) exchange -> exchange.reply(200))),
        entry(FileHandler.class, made(world -> new FileHandler(world.directory(), "/files/"))),
        entry(HttpConnection.class, made(world -> HttpConnection.create(world.base(), "127.0.0.1", world.port()))),
        entry(HttpConnection.Builder.class, made(world -> HttpConnection.newBuilder(world.base(), "127.0.0.1", world.port()))),
        entry(HttpRequest.class, made(world -> HttpRequest.newBuilder("/").build())),
        entry(HttpRequest.Builder.class, made(world -> HttpRequest.newBuilder("/"))),
        entry(HttpResponse.class, (world, use) -> HttpConnection.create(world.base(), "127.0.0.1", world.service().getPort())
            .send(HttpRequest.newBuilder("/").build()).thenAccept(response -> unchecked(() -> use.accept(response)))),
        entry(HttpException.class, (world, use) -> HttpConnection.create(world.base(), "127.0.0.1", unusedPort(world))
            .send(HttpRequest.newBuilder("/").build()).whenComplete((response, failure) -> unchecked(() -> use.accept(failure)))),
        entry(HttpResponseStream.class, made(world -> world.keep(world.keep(HttpClient.create())
            .open(HttpRequest.newBuilder(world.serviceUri()).build())))),
        entry(Headers.class, made(world -> HttpRequest.newBuilder("/").header("X-Name", "value").build().headers())),
        entry(HttpUri.class, made(world -> HttpUri.parse("http://user@host:80/path?name=value#fragment"))),
        entry(HttpUri.Builder.class, made(world -> HttpUri.newBuilder().scheme("http").host("host"))),
        entry(HttpService.class, made(Recipes::service)),
        entry(HttpService.Builder.class, made(world -> HttpService.newBuilder().bind("127.0.0.1", 0)
            .handler(exchange -> exchange.reply(200)))),
        entry(HttpClient.class, made(world -> world.keep(HttpClient.create()))),
        entry(HttpClient.Builder.class, made(world -> HttpClient.newBuilder())));

    /** How to make an object for one method, where that of its class will not do. */
    private static final Map<String, Recipe> RECEIVERS_OF = Map.ofEntries(
        entry("BufferEvent.charge(Direction, long)", made(world -> {
            BufferEvent limited = BufferEvent.create(world.base());
            limited.rateLimit(RateLimit.perSecond(1000, 1000));
            return limited;
        })),
        entry("HttpUri.Builder.path(String)", made(world -> HttpUri.newBuilder().scheme("file"))),
        entry("BufferEvent.detach()", made(world -> BufferEvent.create(world.base(), world.freeDescriptor()))),
        entry("Dns.resume()", made(world -> {
            Dns dns = Dns.createEmpty(world.base());
            dns.addNameserver(world.address());
            return dns;
        })),
        entry("BufferEvent.shutdownOutput()", made(world -> BufferEvent.create(world.base(), world.freeDescriptor()))),
        entry("FileHandler.handle(HttpExchange)", (world, use) -> {
            HttpServer server = HttpServer.create(world.base());
            server.onRequest(exchange -> {
                world.exchange(exchange);
                use.accept(new FileHandler(world.directory(), "/files/"));
                abandon(exchange);
            });
            world.request(server.bind("127.0.0.1", 0), "/");
        }));

    private static Recipe made(Maker maker) {
        return (world, use) -> use.accept(maker.make(world));
    }

    static void unchecked(AutoCloseable action) {
        try {
            action.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static void abandon(HttpExchange exchange) {
        try {
            exchange.replyError(500);
        } catch (IllegalStateException e) {
            return; // it was answered
        }
    }

    private static Buffer buffer(World world) {
        return Buffer.create(world.base()).add("0123456789\r\n");
    }

    static InetSocketAddress free() {
        return new InetSocketAddress("127.0.0.1", 0);
    }

    private static ConnectionListener listener(World world) throws Exception {
        return ConnectionListener.bind(world.base(), free(), connection -> { });
    }

    private static HttpService service(World world) throws Exception {
        HttpService service = HttpService.newBuilder().bind("127.0.0.1", 0).handler(exchange -> exchange.reply(200)).start();
        world.keep(() -> World.stop(service));
        return service;
    }

    static int unusedPort(World world) throws Exception {
        try (ServerSocketChannel one = world.listening()) {
            return ((InetSocketAddress) one.getLocalAddress()).getPort();
        }
    }

    /** Makes what a call is called on, and uses it; null for what is called on nothing. */
    static void withReceiver(World world, Api.Call call, Use use) throws Exception {
        if (!call.hasReceiver()) {
            use.accept(null);
            return;
        }
        if (RECEIVERS_OF.containsKey(call.toString())) {
            RECEIVERS_OF.get(call.toString()).with(world, use);
        } else {
            with(world, call.owner(), use);
        }
    }

    /** Makes an object of a class, and uses it. */
    static void with(World world, Class<?> type, Use use) throws Exception {
        Recipe recipe = RECEIVERS.get(type);
        if (recipe == null) {
            throw new AssertionError("how is a live " + Api.nested(type) + " made? Add it to Recipes.RECEIVERS"
                + (type.isInterface() ? ", or, when users implement it, to Api.CALLBACKS" : ""));
        }
        recipe.with(world, use);
    }

    /** Whether the recipe needs no turn of the loop. */
    static boolean canBeMadeInACallback(Class<?> type) {
        return type != EventBase.class;
    }

    // ---- arguments

    /** Valid arguments by type. */
    private static final Map<Class<?>, Argument> BY_TYPE = Map.ofEntries(
        value(boolean.class, world -> false),
        value(int.class, world -> 1),
        value(long.class, world -> 1L),
        value(byte[].class, world -> new byte[10]),
        value(Duration.class, world -> SECOND),
        value(Instant.class, world -> Instant.EPOCH),
        value(Charset.class, world -> StandardCharsets.UTF_8),
        value(ByteBuffer.class, World::direct),
        value(ByteBuffer[].class, world -> new ByteBuffer[] {ByteBuffer.allocate(10)}),
        value(FileSegment.class, world -> FileSegment.create(world.base(), world.file())),
        value(HttpUri.class, world -> HttpUri.parse("http://host/")),
        value(Path.class, World::file),
        value(FileChannel.class, World::openFile),
        value(SelectableChannel.class, World::channel),
        value(ServerSocketChannel.class, World::listening),
        value(SocketAddress.class, World::address),
        value(InetSocketAddress.class, World::address),
        value(UnixDomainSocketAddress.class, world -> UnixDomainSocketAddress.of(world.nothing())),
        value(InetAddress.class, world -> InetAddress.getLoopbackAddress()),
        value(List.class, world -> List.of("name")),
        value(Optional.class, world -> Optional.empty()),
        value(InputStream.class, world -> InputStream.nullInputStream()),
        value(HttpBody.class, world -> HttpBody.ofString("text")),
        value(HttpBody.Pieces.class, world -> (HttpBody.Pieces) () -> CompletableFuture.completedStage(null)),
        value(HttpStats.class, world -> HttpStats.NONE),
        value(Executor.class, world -> (Executor) Runnable::run),
        value(Runnable.class, world -> (Runnable) () -> { }),
        value(Consumer.class, world -> (Consumer<Object>) any -> { }),
        value(BiConsumer.class, world -> (BiConsumer<Object, Object>) (one, two) -> { }),
        value(UnaryOperator.class, world -> UnaryOperator.identity()),

        value(EventBase.class, World::base),
        value(EventBase.Builder.class, world -> EventBase.newBuilder()),
        value(EventBase.LoopFlag[].class, world -> new EventBase.LoopFlag[] {EventBase.LoopFlag.NONBLOCK}),
        value(CommonTimeout.class, world -> world.base().commonTimeout(SECOND)),
        value(Event.Handler.class, world -> (Event.Handler) (event, what) -> { }),
        value(Buffer.class, Recipes::buffer),
        value(Buffer.Listener.class, world -> (Buffer.Listener) (before, added, deleted) -> { }),
        value(BufferEvent.class, world -> BufferEvent.create(world.base())),
        value(BufferEvent.Listener.class, world -> SILENT),
        value(BufferEvent.Filter.class, world -> BufferEvent.Filter.NONE),
        value(ConnectionListener.Handler.class, world -> (ConnectionListener.Handler) connection -> { }),
        value(ConnectionListener.ErrorHandler.class, world -> (ConnectionListener.ErrorHandler) failure -> { }),
        value(RateLimit.class, world -> RateLimit.perSecond(1000, 1000)),
        value(Dns.class, world -> Dns.createEmpty(world.base())),
        value(HttpServer.class, world -> HttpServer.create(world.base())),
        value(HttpServer.BufferEventFactory.class, world -> (HttpServer.BufferEventFactory) BufferEvent::create),
        value(HttpHandler.class, world -> (HttpHandler) exchange -> exchange.reply(200)),
        value(HttpRequest.class, world -> HttpRequest.newBuilder("/").build()),
        value(BodyListener.class, world -> (BodyListener) data -> { }));

    /** Valid strings by the parameter's name. */
    private static final Map<String, String> STRINGS = Map.ofEntries(
        entry("address", "127.0.0.1"), entry("host", "127.0.0.1"), entry("name", "name"), entry("domain", "example.com"),
        entry("text", "text"), entry("value", "value"), entry("uri", "/"), entry("path", "/path"), entry("pattern", "*.example.com"),
        entry("phrase", "Fine"), entry("user", "user"), entry("password", "password"), entry("prefix", "/files/"),
        entry("type", "text/plain"), entry("method", "poll"), entry("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        entry("operation", "operation"), entry("why", "why"), entry("scheme", "http"), entry("userInfo", "user"), entry("query", "name=value"),
        entry("fragment", "part"));

    /** Valid arguments by call and parameter, where those of the type will not do. */
    private static final Map<String, Argument> SPECIAL = Map.ofEntries(
        entry("EventBase.once(long, Set, Duration, Consumer) descriptor", (world, on) -> world.descriptor()),
        entry("EventBase.once(long, Set, Duration, Consumer) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("EventBase.EventInfo.new(long, int, Set, int, Optional) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("EventBase.activate(long, Set) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("EventBase.activate(long, Set) descriptor", (world, on) -> world.descriptor()),
        entry("EventBase.activate(String) signal", (world, on) -> "USR1"),
        entry("Event.create(EventBase, long, Set, Handler) descriptor", (world, on) -> world.descriptor()),
        entry("Event.create(EventBase, long, Set, Handler) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("Event.create(EventBase, SelectableChannel, Set, Handler) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("Event.activate(Set) kinds", (world, on) -> EnumSet.of(Event.Kind.READ)),
        entry("Event.priority(int) priority", (world, on) -> 0),
        entry("Timer.priority(int) priority", (world, on) -> 0),
        entry("BufferEvent.priority(int) priority", (world, on) -> 0),
        entry("Signal.create(EventBase, String, Runnable) name", (world, on) -> "USR1"),
        entry("Dns.option(String, String) name", (world, on) -> "attempts"),
        entry("Dns.option(String, String) value", (world, on) -> "1"),
        entry("Dns.parseResolvConf(Path, Setting[]) file", (world, on) -> Files.writeString(world.file(), "nameserver 127.0.0.1\n")),
        entry("BufferEvent.create(EventBase, long, Option[]) descriptor", (world, on) -> world.freeDescriptor()),
        entry("BufferEvent.attach(long) descriptor", (world, on) -> world.freeDescriptor()),
        entry("BufferEvent.connect(String, int) port", (world, on) -> world.port()),
        entry("BufferEvent.connect(Dns, String, int) port", (world, on) -> world.port()),
        entry("Buffer.writeTo(long, long) descriptor", (world, on) -> world.descriptor()),
        entry("Buffer.readFrom(long, int) descriptor", (world, on) -> world.descriptor()),
        entry("ConnectionListener.bind(EventBase, SocketAddress, Handler) address", (world, on) -> free()),
        entry("ConnectionListener.newBuilder(EventBase, SocketAddress, Handler) address", (world, on) -> free()),
        entry("RateLimitGroup.remove(BufferEvent) member", (world, on) -> {
            BufferEvent member = BufferEvent.create(world.base());
            ((RateLimitGroup) on).add(member);
            return member;
        }),
        entry("RateLimit.new(long, long, long, long, Duration) tick", (world, on) -> SECOND),
        entry("Tags.peekTag(Buffer) buffer", tagged(buffer -> Tags.writeInt(buffer, 1, 1))),
        entry("Tags.peekLength(Buffer) buffer", tagged(buffer -> Tags.writeInt(buffer, 1, 1))),
        entry("Tags.skip(Buffer) buffer", tagged(buffer -> Tags.writeInt(buffer, 1, 1))),
        entry("Tags.readBytes(Buffer, int) buffer", tagged(buffer -> Tags.writeBytes(buffer, 1, (byte) 1))),
        entry("Tags.readFixed(Buffer, int, byte[]) buffer", tagged(buffer -> Tags.writeBytes(buffer, 1, new byte[10]))),
        entry("Tags.readBuffer(Buffer, int, Buffer) buffer", tagged(buffer -> Tags.writeBytes(buffer, 1, (byte) 1))),
        entry("Tags.readHeader(Buffer, int) buffer", tagged(buffer -> Tags.writeBytes(buffer, 1, (byte) 1))),
        entry("Tags.payloadLength(Buffer) buffer", tagged(buffer -> Tags.writeInt(buffer, 1, 1))),
        entry("Tags.readInt(Buffer, int) buffer", tagged(buffer -> Tags.writeInt(buffer, 1, 1))),
        entry("Tags.readLong(Buffer, int) buffer", tagged(buffer -> Tags.writeLong(buffer, 1, 1))),
        entry("Tags.readString(Buffer, int) buffer", tagged(buffer -> Tags.writeString(buffer, 1, "text"))),
        entry("Tags.readDuration(Buffer, int) buffer", tagged(buffer -> Tags.writeDuration(buffer, 1, SECOND))),
        entry("HttpServer.bind(String, int) port", (world, on) -> 0),
        entry("HttpServer.unbind(SocketAddress) address", (world, on) -> ((HttpServer) on).bind("127.0.0.1", 0)),
        entry("HttpServer.removeVirtualHost(HttpServer) host", (world, on) -> {
            HttpServer host = HttpServer.create(world.base());
            ((HttpServer) on).addVirtualHost("*.example.com", host);
            return host;
        }),
        entry("HttpService.Builder.bind(String, int) port", (world, on) -> 0),
        entry("HttpServer.Builder.allowedMethods(Collection) allowed", (world, on) -> EnumSet.of(HttpMethod.GET)),
        entry("HttpUri.parse(String) uri", (world, on) -> "http://host/"),
        entry("HttpClient.send(HttpRequest) request", whole()),
        entry("HttpClient.send(HttpRequest, Path) request", whole()),
        entry("HttpClient.send(HttpRequest, ByteBuffer) request", whole()),
        entry("HttpClient.send(HttpRequest, ByteBuffer) target", (world, on) -> ByteBuffer.allocate(1000)),
        entry("HttpClient.sendAsync(HttpRequest, BodyListener, Executor) request", whole()),
        entry("HttpClient.sendAsync(HttpRequest) request", whole()),
        entry("HttpClient.sendAsync(HttpRequest, BodyListener) request", whole()),
        entry("HttpClient.open(HttpRequest) request", whole()),
        entry("FileHandler.new(Path, String) root", (world, on) -> world.directory()),
        entry("FileHandler.handle(HttpExchange) exchange", (world, on) -> world.exchange()));

    @FunctionalInterface
    private interface Writer {
        void write(Buffer buffer) throws Exception;
    }

    private static Argument tagged(Writer writer) {
        return (world, on) -> {
            Buffer buffer = Buffer.create(world.base());
            writer.write(buffer);
            return buffer;
        };
    }

    private static Argument whole() {
        return (world, on) -> HttpRequest.newBuilder(world.serviceUri()).build();
    }

    private static Map.Entry<Class<?>, Argument> value(Class<?> type, Maker maker) {
        return entry(type, (world, on) -> maker.make(world));
    }

    /** A valid argument for a parameter. */
    static Object argument(World world, Api.Call call, int index, Object receiver) throws Exception {
        String name = call.name(index);
        Class<?> type = call.types()[index];
        Argument special = SPECIAL.get(call + " " + name);
        if (special != null) {
            return special.make(world, receiver);
        }
        if (type == String.class && STRINGS.containsKey(name)) {
            return STRINGS.get(name);
        }
        if (type == int.class && name.equals("status")) {
            return 200;
        }
        if (type == int.class && name.equals("port")) {
            return world.port();
        }
        if ((type == int.class || type == long.class) && Set.of("offset", "position", "from").contains(name)) {
            return type == int.class ? (Object) 0 : (Object) 0L;
        }
        if (BY_TYPE.containsKey(type)) {
            return BY_TYPE.get(type).make(world, receiver);
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        if (type.isArray() && type.getComponentType().isEnum()) {
            Object array = Array.newInstance(type.getComponentType(), 1);
            Array.set(array, 0, type.getComponentType().getEnumConstants()[0]);
            return array;
        }
        throw new AssertionError("what is a valid " + type.getSimpleName() + " " + name + " of " + call + "? Add it to "
            + (type == String.class ? "Recipes.STRINGS or SPECIAL" : "Recipes.BY_TYPE or SPECIAL"));
    }

    /** An argument that belongs to another base. */
    static Object foreign(World world, Api.Call call, int index) throws Exception {
        return BY_TYPE.get(call.types()[index]).make(world.other(), null);
    }

    static Object[] arguments(World world, Api.Call call, Object receiver) throws Exception {
        Object[] arguments = new Object[call.types().length];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = argument(world, call, i, receiver);
        }
        return arguments;
    }
}
