package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.BufferEvents;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Counters;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import io.github.libevent4j.io.BufferEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.Charset;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.time.ZoneId;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * An HTTP server on a base (evhttp).
 *
 * <p>Belongs to its base's loop, and is closed with it; closing it closes its sockets and connections at once, and drops the
 * requests that have no reply yet. {@link #stop} lets them finish first. Handlers run on the loop's thread.
 */
public final class HttpServer extends NativeHandle {

    private static final System.Logger LOGGER = System.getLogger("io.github.libevent4j");
    private static final long WARNING_INTERVAL = Duration.ofSeconds(1).toNanos();
    private static final int DEFAULT_BACKLOG = 128;

    static {
        // Loggers tell the time, whose zone's rules are in a file: when it is told that no descriptor is left, none is left to read it.
        ZoneId.systemDefault().getRules();
    }

    /** A handler as it is registered with evhttp. */
    private record Route(long address, long id) {
    }

    private final Loop loop;
    private final EventBase base;
    private final long server;
    private final evhttp http;
    private final long id;
    private final Map<String, Route> routes = new HashMap<>();
    private final Map<SocketAddress, Long> sockets = new LinkedHashMap<>();
    private final Map<HttpServer, String> virtualHosts = new LinkedHashMap<>();
    private HttpServer parent;
    private final Counters counters;
    private final LongAdder queued = new LongAdder();
    private BufferEventFactory bufferEvents;
    private Consumer<? super AccessLogEntry> accessLog;
    private Route general;
    private final ReplyHeaders replyHeaders = new ReplyHeaders(); // of the one exchange that a handler has
    private CompletableFuture<Void> stopped;
    private Timer deadline;
    private int backlog;
    private boolean reusePort;
    private long lastWarning;

    private HttpServer(EventBase base, long server, long id, Counters counters) {
        super(base);
        this.counters = counters;
        this.base = base;
        this.loop = Loop.of(base);
        this.server = server;
        this.id = id;
        this.http = Addresses.of(Native.libevent4j_server_http(server), evhttp::new);
    }

    /** A server with safe limits; see {@link Builder} (evhttp_new). */
    public static HttpServer create(EventBase base) {
        return newBuilder(base).build();
    }

    /** Chooses limits and behaviour first. */
    public static Builder newBuilder(EventBase base) {
        return new Builder(base);
    }

    /** Makes the bufferevent of a connection that arrives. On the loop's thread. */
    @FunctionalInterface
    public interface BufferEventFactory {
        /** @return a new bufferevent without a socket, on this base, or a filter over one; the server owns it from now on */
        BufferEvent create(EventBase base) throws Exception;
    }

    /** What to make a server of. Not thread-safe. */
    public static final class Builder {
        private final EventBase base;
        private boolean exact;
        private boolean lingeringClose;
        private long timeoutMicros = Duration.ofSeconds(60).toMillis() * 1000;
        private long maxHeadersSize = 64 * 1024;
        private long maxBodySize = 10 * 1024 * 1024;
        private int methods;
        private String contentType;
        private int backlog = DEFAULT_BACKLOG;
        private boolean reusePort;
        private BufferEventFactory bufferEvents;
        private Consumer<? super AccessLogEntry> accessLog;
        private boolean strictFraming = true;
        private int maxConnections = 20_000;
        private int maxHeaders = 100;
        private long headMicros = Duration.ofSeconds(30).toMillis() * 1000;
        private long bodyMicros = Duration.ofMinutes(5).toMillis() * 1000;

        private Builder(EventBase base) {
            this.base = Objects.requireNonNull(base, "base");
        }

        /**
         * Libevent's own defaults and nothing beside it: no limits, no timeout, text/html for a reply without a type, and a body
         * wherever one is given. What is set after this call holds.
         */
        public Builder exact() {
            exact = true;
            timeoutMicros = 0;
            maxHeadersSize = -1;
            maxBodySize = -1;
            contentType = null;
            strictFraming = false;
            maxConnections = 0;
            maxHeaders = 0;
            headMicros = 0;
            bodyMicros = 0;
            return this;
        }

        /**
         * Whether requests that two readers could understand differently are refused, with 400 or, within a chunked body, 413: NUL and
         * other controls, a bare CR or LF, folded lines, names that are no token, doubtful lengths and codings, no Host or two,
         * malformed chunks. They are unless this says otherwise; without it there are no {@link #maxHeaders} and {@link #deadlines},
         * which the same look at the bytes keeps.
         */
        public Builder strictFraming(boolean strict) {
            strictFraming = strict;
            return this;
        }

        /** Connections that may be open at once, 20,000 unless set, 0 for no limit; those beyond are closed when they come. */
        public Builder maxConnections(int connections) {
            maxConnections = notNegative(connections, "connections");
            return this;
        }

        /** Header fields that a request may have, 100 unless set, 0 for no limit; with more it is refused as by strict framing. */
        public Builder maxHeaders(int fields) {
            maxHeaders = notNegative(fields, "header fields");
            return this;
        }

        private static int notNegative(int number, String what) {
            if (number < 0) {
                throw new IllegalArgumentException(what + " must not be negative: " + number);
            }
            return number;
        }

        /**
         * How long a request may take to come, however busily: its head, from its first byte on, 30 seconds unless set; its body after
         * that, 5 minutes unless set. Beyond, the connection is closed. Zero for no deadline. Kept to a quarter of a second.
         */
        public Builder deadlines(Duration head, Duration body) {
            headMicros = Micros.of(head, "head");
            bodyMicros = Micros.of(body, "body");
            return this;
        }

        /**
         * How long a connection may be inactive, which it is not while a handler has its request; one minute unless set
         * (evhttp_set_timeout_tv). Longer than zero. It is closed at most a sixteenth of that, or 17 milliseconds, later. Exactly libevent
         * does not wait for that, and also counts the time for which a client only receives.
         */
        public Builder timeout(Duration timeout) {
            timeoutMicros = Micros.positive(timeout, "timeout");
            return this;
        }

        /** Bytes of a request's line and headers, 64 KiB unless set, -1 for no limit; beyond, 400 (evhttp_set_max_headers_size). */
        public Builder maxHeadersSize(long bytes) {
            maxHeadersSize = limit(bytes);
            return this;
        }

        /** Bytes of a request's body, 10 MiB unless set, -1 for no limit; beyond, 413 (evhttp_set_max_body_size). */
        public Builder maxBodySize(long bytes) {
            maxBodySize = limit(bytes);
            return this;
        }

        private static long limit(long bytes) {
            if (bytes < -1 || bytes == 0) {
                throw new IllegalArgumentException("a limit is at least 1 byte, or -1 for none, not " + bytes);
            }
            return bytes;
        }

        /** The methods that handlers see; the others get 501. GET, POST, HEAD, PUT, DELETE unless set (evhttp_set_allowed_methods). */
        public Builder allowedMethods(Collection<HttpMethod> allowed) {
            if (Arguments.noNulls(allowed, "allowed").isEmpty()) {
                throw new IllegalArgumentException("a server needs at least one allowed method");
            }
            methods = HttpMethod.bits(allowed);
            return this;
        }

        /** Allows every method. */
        public Builder allowAllMethods() {
            return allowedMethods(EnumSet.allOf(HttpMethod.class));
        }

        /** The Content-Type of a reply that has none (evhttp_set_default_content_type). */
        public Builder defaultContentType(String type) {
            contentType = Syntax.line("a content type", Objects.requireNonNull(type, "type"));
            return this;
        }

        /**
         * Reads a body that is too long to its end before 413, so that a client that does not listen before sees it too
         * (EVHTTP_SERVER_LINGERING_CLOSE). Unless exact, what a client sends after any refusal is read anyhow, for 5 seconds at most.
         */
        public Builder lingeringClose() {
            lingeringClose = true;
            return this;
        }

        /** Connections that may wait to be accepted, 128 unless set. */
        public Builder backlog(int connections) {
            if (connections < 1) {
                throw new IllegalArgumentException("a backlog is at least 1 connection, not " + connections);
            }
            backlog = connections;
            return this;
        }

        /** Shares ports, not local sockets, with other servers that do so too; the kernel spreads connections (LEV_OPT_REUSEABLE_PORT). */
        public Builder reusePort() {
            reusePort = true;
            return this;
        }

        /**
         * Makes each connection's bufferevent in place of a plain socket's (evhttp_set_bevcb). When the factory throws, the connection
         * is closed.
         *
         * <p>A filter is called with {@link BufferEvent.FlushMode#FLUSH} behind each piece of a reply, and the next piece waits until
         * that has gone: the filter is to keep nothing back then. When it fails, or leaves something, the connection is closed.
         */
        public Builder bufferEvents(BufferEventFactory factory) {
            bufferEvents = Objects.requireNonNull(factory, "factory");
            return this;
        }

        /**
         * Tells of each request when it is through. Off unless set, and then it costs nothing. A virtual host without one uses its
         * parent's.
         *
         * @param log called on the loop's thread, which it must not block
         */
        public Builder accessLog(Consumer<? super AccessLogEntry> log) {
            accessLog = Objects.requireNonNull(log, "log");
            return this;
        }

        private boolean isGuarded() {
            return strictFraming || accessLog != null || maxConnections != 0 || maxHeaders != 0 || headMicros != 0 || bodyMicros != 0;
        }

        /** Makes the server. It listens nowhere yet. */
        public HttpServer build() {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                HttpServer[] self = new HttpServer[1];
                Callbacks.ServerTarget target = new Callbacks.ServerTarget() {
                    @Override
                    public void onDrained() {
                        self[0].drained();
                    }

                    @Override
                    public long onConnection() throws Exception {
                        return self[0].makeBufferEvent();
                    }

                    @Override
                    public void onAcceptFailed(int errno) {
                        self[0].acceptFailed(errno);
                    }

                    @Override
                    public void onAnswered(int status, boolean complete, long sent, String host, int port) {
                        self[0].accessLog.accept(new AccessLogEntry(Instant.now(), host, port, status, sent, complete));
                    }
                };
                Counters counters = new Counters();
                long id = loop.register(target);
                long server = Native.libevent4j_server_new(loop.address(), id, exact ? 1 : 0, counters.address());
                if (server == 0) {
                    loop.unregister(id);
                    throw new OutOfMemoryError("evhttp_new");
                }
                self[0] = new HttpServer(base, server, id, counters);
                self[0].configure(this);
                return self[0];
            } finally {
                loop.exit();
            }
        }
    }

    private void configure(Builder builder) {
        backlog = builder.backlog;
        reusePort = builder.reusePort;
        bufferEvents = builder.bufferEvents;
        if (bufferEvents != null) {
            Native.libevent4j_server_ask_for_bufferevents(server);
        }
        if (builder.isGuarded() && Native.libevent4j_server_guard(server, builder.strictFraming ? 1 : 0, builder.maxConnections,
                builder.maxHeaders, builder.headMicros, builder.bodyMicros) != 0) {
            close();
            throw new OutOfMemoryError("libevent4j_server_guard");
        }
        accessLog = builder.accessLog;
        if (accessLog != null) {
            Native.libevent4j_server_log(server);
        }
        Native.libevent4j_server_set_timeout(server, builder.timeoutMicros);
        libevent.evhttp_set_max_headers_size(http, builder.maxHeadersSize);
        libevent.evhttp_set_max_body_size(http, builder.maxBodySize);
        if (builder.methods != 0) {
            libevent.evhttp_set_allowed_methods(http, (short) builder.methods);
        }
        if (builder.lingeringClose) {
            libevent.evhttp_set_flags(http, libevent.EVHTTP_SERVER_LINGERING_CLOSE);
        }
        if ((builder.contentType != null || !builder.exact)
            && Native.libevent4j_server_set_content_type(server, bytes(builder.contentType, ISO_8859_1)) != 0) {
            close();
            throw new OutOfMemoryError("evhttp_set_default_content_type");
        }
    }

    private static byte[] bytes(String string, Charset charset) {
        return string == null ? null : (string + '\0').getBytes(charset);
    }

    // ---- handlers

    /** Answers every request that no path's handler answers; replaces the handler before (evhttp_set_gencb). */
    public void onRequest(HttpHandler handler) {
        Objects.requireNonNull(handler, "handler");
        enter();
        try {
            removeGeneral();
            general = route(null, handler);
        } finally {
            exit();
        }
    }

    /**
     * Answers the requests for a path, compared after decoding as UTF-8, whatever their query (evhttp_set_cb).
     *
     * @throws IllegalStateException when the path has a handler already
     */
    public void onRequest(String path, HttpHandler handler) {
        Objects.requireNonNull(handler, "handler");
        checkPath(path);
        enter();
        try {
            if (routes.containsKey(path)) {
                throw new IllegalStateException(path + " has a handler already: removeHandler(\"" + path + "\") first");
            }
            routes.put(path, route(path, handler));
        } finally {
            exit();
        }
    }

    static void checkPath(String path) {
        if (Objects.requireNonNull(path, "path").indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a path must not hold NUL");
        }
    }

    /** Removes a path's handler, and tells whether there was one (evhttp_del_cb). */
    public boolean removeHandler(String path) {
        Objects.requireNonNull(path, "path");
        enter();
        try {
            Route route = routes.remove(path);
            unroute(route);
            return route != null;
        } finally {
            exit();
        }
    }

    private Route route(String path, HttpHandler handler) {
        Callbacks.RequestTarget target = (exchange, length) -> handle(handler, exchange, length);
        long routeId = loop.register(target);
        long address = Native.libevent4j_server_route(server, bytes(path, UTF_8), routeId);
        if (address == 0) {
            loop.unregister(routeId);
            throw new OutOfMemoryError("evhttp_set_cb");
        }
        return new Route(address, routeId);
    }

    private void unroute(Route route) {
        if (route != null) {
            Native.libevent4j_server_unroute(server, route.address);
            loop.unregister(route.id);
        }
    }

    private void removeGeneral() {
        unroute(general);
        general = null;
    }

    private void handle(HttpHandler handler, long address, int headLength) {
        if (!isOpen()) {
            return; // the request goes with the server, which is about to be freed
        }
        replyHeaders.clear();
        HttpExchange.handle(this, loop, address, loop.headReader().request(headLength), replyHeaders, handler);
    }

    Consumer<? super AccessLogEntry> accessLog() {
        return accessLog != null || parent == null ? accessLog : parent.accessLog();
    }

    // ---- sockets

    /**
     * Listens on an address (evhttp_bind_socket_with_handle). May be called for several.
     *
     * @param address an IPv4 or IPv6 address, or a name that the system resolves
     * @param port 0 to 65535; 0 for any that is free
     * @return the address with the port that it got
     * @throws IOException when the address cannot be had
     */
    public InetSocketAddress bind(String address, int port) throws IOException {
        Objects.requireNonNull(address, "address");
        checkPort(port);
        String operation = "bind to " + address + " port " + port;
        InetAddress resolved;
        try {
            resolved = InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new LibeventException(operation, 0, "the address does not resolve");
        }
        String digits = resolved.getHostAddress();
        boolean plain = !reusePort && backlog == DEFAULT_BACKLOG;
        return listen(operation,
            () -> plain ? Native.libevent4j_server_bind(server, digits, port) : listenOn(digits, port),
            socket -> new InetSocketAddress(resolved,
                Native.libevent4j_local_port(Native.libevent4j_socket_descriptor(socket))));
    }

    static int checkPort(int port) {
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
        }
        return port;
    }

    /**
     * Listens on a local socket (evhttp_bind_listener).
     *
     * @param address the path, where nothing may be yet
     * @throws IOException when the path cannot be had
     */
    public void bind(UnixDomainSocketAddress address) throws IOException {
        String path = Objects.requireNonNull(address, "address").getPath().toString();
        listen("bind to " + path, () -> listenOn(path, -1), socket -> address);
    }

    /**
     * Accepts on a socket that listens already (evhttp_accept_socket_with_handle). The channel stays the caller's, who may close it:
     * the server has a descriptor of its own. The channel becomes non-blocking.
     */
    public void bind(ServerSocketChannel listening) throws IOException {
        if (!Objects.requireNonNull(listening, "listening").isOpen()) {
            throw new IllegalStateException(listening + " is closed");
        }
        SocketAddress address = listening.getLocalAddress();
        if (address == null) {
            throw new IllegalArgumentException("the channel does not listen yet: bind it first");
        }
        listening.configureBlocking(false);
        listen("accept on " + address, () -> {
            long descriptor = Descriptors.duplicate(listening);
            return descriptor < 0 ? 0 : Native.libevent4j_server_accept(server, descriptor);
        }, socket -> address);
    }

    /** Accepts on another server's socket as well: each of the two takes connections out of the one queue. Neither loop runs yet. */
    void bindWith(HttpServer other, SocketAddress address) throws IOException {
        long socket = other.sockets.get(address);
        listen("accept on " + address, () -> {
            long descriptor = Descriptors.duplicate(Native.libevent4j_socket_descriptor(socket));
            return descriptor < 0 ? 0 : Native.libevent4j_server_accept(server, descriptor);
        }, mine -> address);
    }

    private long listenOn(String address, int port) {
        int flags = libevent.LEV_OPT_CLOSE_ON_FREE | libevent.LEV_OPT_CLOSE_ON_EXEC;
        if (port >= 0) {
            flags |= libevent.LEV_OPT_REUSEABLE | (reusePort ? libevent.LEV_OPT_REUSEABLE_PORT : 0);
        }
        return Native.libevent4j_server_listen(server, address, port, flags, backlog);
    }

    private <A extends SocketAddress> A listen(String operation, LongSupplier listen, LongFunction<A> name) throws IOException {
        enter();
        try {
            if (stopped != null) {
                throw new IllegalStateException(this + " is stopping");
            }
            if (parent != null) {
                throw new IllegalStateException("a virtual host does not listen: its parent does");
            }
            long socket = listen.getAsLong();
            if (socket == 0) {
                throw new LibeventException(operation, Native.libevent4j_errno());
            }
            A address = name.apply(socket);
            sockets.put(address, socket);
            return address;
        } finally {
            exit();
        }
    }

    /** Stops listening on an address that it was bound to; connections stay (evhttp_del_accept_socket). */
    public void unbind(SocketAddress address) {
        Objects.requireNonNull(address, "address");
        enter();
        try {
            Long socket = sockets.remove(address);
            if (socket == null) {
                throw new IllegalArgumentException("not bound to " + address + ", but to " + sockets.keySet());
            }
            Native.libevent4j_socket_close(socket);
        } finally {
            exit();
        }
    }

    private void acceptFailed(int errno) {
        long now = System.nanoTime();
        if (lastWarning == 0 || now - lastWarning > WARNING_INTERVAL) {
            lastWarning = now;
            LOGGER.log(System.Logger.Level.WARNING, new LibeventException("accept on " + sockets.keySet(), errno).getMessage()
                + ": trying again every tenth of a second");
        }
    }

    // ---- virtual hosts

    /**
     * Lets another server answer requests for the hosts that match a pattern, where * stands for anything
     * (evhttp_add_virtual_host). It is a part of this one from now on, and is closed with it; {@link #removeVirtualHost} gives it
     * back. Its handlers count, and its limits do not. The pattern that was added first goes before the others, and an alias before
     * all patterns.
     *
     * @throws IllegalArgumentException when the pattern ends with *, since libevent would find no host that matches
     * @throws IllegalStateException when it listens itself, or is a virtual host already
     */
    public void addVirtualHost(String pattern, HttpServer host) {
        Syntax.target(Objects.requireNonNull(pattern, "pattern"));
        Objects.requireNonNull(host, "host");
        if (pattern.endsWith("*")) {
            throw new IllegalArgumentException("libevent finds no host that matches " + pattern + ": a pattern must not end with *");
        }
        enter();
        try {
            host.ensureOpen();
            if (host == this || host.loop != loop) {
                throw new IllegalArgumentException("a virtual host is another server on the same base");
            }
            if (host.parent != null || !host.sockets.isEmpty() || isBelow(host)) {
                throw new IllegalStateException(host + " listens itself, or is a virtual host already");
            }
            if (libevent.evhttp_add_virtual_host(http, pattern, host.http) != 0) {
                throw new OutOfMemoryError("evhttp_add_virtual_host");
            }
            host.parent = this;
            virtualHosts.put(host, pattern);
        } finally {
            exit();
        }
    }

    private boolean isBelow(HttpServer other) {
        return parent != null && (parent == other || parent.isBelow(other));
    }

    /** Gives a virtual host back, which may then listen itself, or be another's (evhttp_remove_virtual_host). */
    public void removeVirtualHost(HttpServer host) {
        Objects.requireNonNull(host, "host");
        enter();
        try {
            host.ensureOpen();
            if (host.parent != this) {
                throw new IllegalArgumentException(host + " is no virtual host of " + this);
            }
            leave(host);
        } finally {
            exit();
        }
    }

    private void leave(HttpServer host) {
        libevent.evhttp_remove_virtual_host(http, host.http);
        host.parent = null;
        virtualHosts.remove(host);
    }

    /** Answers for another name of this host (evhttp_add_server_alias). */
    public void addAlias(String name) {
        Syntax.target(Objects.requireNonNull(name, "name"));
        enter();
        try {
            if (libevent.evhttp_add_server_alias(http, name) != 0) {
                throw new OutOfMemoryError("evhttp_add_server_alias");
            }
        } finally {
            exit();
        }
    }

    /** Answers for this name no more, and tells whether it had (evhttp_remove_server_alias). */
    public boolean removeAlias(String name) {
        Syntax.target(Objects.requireNonNull(name, "name"));
        enter();
        try {
            return libevent.evhttp_remove_server_alias(http, name) == 0;
        } finally {
            exit();
        }
    }

    /** The addresses that the server listens on. */
    public List<SocketAddress> addresses() {
        enter();
        try {
            return List.copyOf(sockets.keySet());
        } finally {
            exit();
        }
    }

    /** Requests that are being answered: those whose reply is not with the kernel yet. */
    public long activeRequests() {
        enter();
        try {
            return Native.libevent4j_server_active(server);
        } finally {
            exit();
        }
    }

    /** Connections that are open; -1 for a server that is {@linkplain Builder#exact exact}, and does not count them. */
    public long connections() {
        enter();
        try {
            return Native.libevent4j_server_connections(server);
        } finally {
            exit();
        }
    }

    /** What has been counted so far. Any thread, also when the server is closed. */
    public HttpStats stats() {
        return HttpStats.of(counters, queued.sum());
    }

    /** A request waits for a thread of an executor, or does so no more. Any thread. */
    void queued(int more) {
        queued.add(more);
    }

    // ---- the end

    /**
     * Stops gracefully: listens no longer, answers what has arrived with {@code Connection: close}, and closes when the last reply
     * is with the kernel, or after the grace time with what is left dropped. Any thread.
     *
     * @return done when the server is closed, at once when it has been already
     */
    public CompletableFuture<Void> stop(Duration grace) {
        Micros.of(grace, "grace");
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (isOpen()) {
            loop.submit(() -> stop(grace, done));
        } else {
            done.complete(null);
        }
        return done;
    }

    private void stop(Duration grace, CompletableFuture<Void> done) {
        if (!isOpen()) {
            done.complete(null);
            return;
        }
        boolean first = stopped == null;
        if (first) {
            stopped = new CompletableFuture<>();
        }
        stopped.thenAccept(done::complete); // before anything can fail
        if (first) {
            sockets.values().forEach(Native::libevent4j_socket_close);
            sockets.clear();
            if (active() == 0 || !base.isOpen()) {
                close();
            } else {
                notifyDrained();
                startDeadline(grace);
            }
        }
    }

    boolean isServing() {
        return isOpen() && base.isOpen();
    }

    private void startDeadline(Duration grace) {
        try {
            deadline = Timer.create(base, this::close);
            deadline.start(grace);
        } catch (IllegalStateException e) {
            if (base.isOpen()) {
                throw e;
            } // else another thread has closed it just now, and this server with it
        }
    }

    boolean isStopping() {
        return stopped != null || parent != null && parent.isStopping();
    }

    /** Requests without a reply, those of the virtual hosts too. */
    private long active() {
        return Native.libevent4j_server_active(server) + virtualHosts.keySet().stream().mapToLong(HttpServer::active).sum();
    }

    private void notifyDrained() {
        Native.libevent4j_server_notify_drained(server);
        virtualHosts.keySet().forEach(HttpServer::notifyDrained);
    }

    private void drained() {
        if (stopped != null && active() == 0) {
            close();
        }
        if (parent != null) {
            parent.drained();
        }
    }

    /** A bufferevent for a connection that arrives: evhttp owns it from now on. */
    private long makeBufferEvent() throws Exception {
        BufferEvent made = Objects.requireNonNull(bufferEvents.create(base), "the factory's bufferevent");
        if (Loop.of(made) != loop) {
            made.close();
            throw new IllegalStateException("a server's bufferevents are to be made on its own base");
        }
        return BufferEvents.instance().give(made);
    }

    @Override
    protected void release() {
        if (parent != null) {
            parent.leave(this);
        }
        for (HttpServer host : List.copyOf(virtualHosts.keySet())) {
            leave(host);
            host.close();
        }
        Native.libevent4j_server_free(server);
        loop.unregister(id);
        if (general != null) {
            loop.unregister(general.id);
        }
        routes.values().forEach(route -> loop.unregister(route.id));
        if (deadline != null) {
            deadline.close();
        }
        if (stopped != null) {
            stopped.complete(null);
        }
    }
}
