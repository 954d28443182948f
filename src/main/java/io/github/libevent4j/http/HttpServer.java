package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.bindings.evhttp_bound_socket;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * An HTTP server on a base (evhttp).
 *
 * <p>Belongs to its base's loop, and is closed with it; closing it closes its sockets and connections at once, and drops the
 * requests that have no reply yet. {@link #stop} lets them finish first. Handlers run on the loop's thread.
 */
public final class HttpServer extends NativeHandle {

    /** A handler as it is registered with evhttp. */
    private record Route(long address, long id) {
    }

    private final Loop loop;
    private final EventBase base;
    private final long server;
    private final evhttp http;
    private final long id;
    private final Map<String, Route> routes = new HashMap<>();
    private final Map<InetSocketAddress, evhttp_bound_socket> sockets = new LinkedHashMap<>();
    private Route general;
    private CompletableFuture<Void> stopped;
    private Timer deadline;

    private HttpServer(EventBase base, long server, long id) {
        super(base);
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

        private Builder(EventBase base) {
            this.base = Objects.requireNonNull(base, "base");
        }

        /**
         * Libevent's own defaults and nothing beside it: no limits, 50 seconds of inactivity, text/html for a reply without a type,
         * and a body wherever one is given. What is set after this call holds.
         */
        public Builder exact() {
            exact = true;
            timeoutMicros = 0;
            maxHeadersSize = -1;
            maxBodySize = -1;
            contentType = null;
            return this;
        }

        /** How long a connection may be inactive; one minute unless set (evhttp_set_timeout_tv). Longer than zero. */
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
            if (allowed.isEmpty()) {
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
            contentType = Syntax.line("a content type", type);
            return this;
        }

        /** Reads a body that is too long to its end before 413, so that the client sees it (EVHTTP_SERVER_LINGERING_CLOSE). */
        public Builder lingeringClose() {
            lingeringClose = true;
            return this;
        }

        /** Makes the server. It listens nowhere yet. */
        public HttpServer build() {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                HttpServer[] self = new HttpServer[1];
                Callbacks.ServerTarget target = () -> self[0].drained();
                long id = loop.register(target);
                long server = Native.libevent4j_server_new(loop.address(), id, exact ? 1 : 0);
                if (server == 0) {
                    loop.unregister(id);
                    throw new OutOfMemoryError("evhttp_new");
                }
                self[0] = new HttpServer(base, server, id);
                self[0].configure(this);
                return self[0];
            } finally {
                loop.exit();
            }
        }
    }

    private void configure(Builder builder) {
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
            && Native.libevent4j_server_set_content_type(server, builder.contentType) != 0) {
            close();
            throw new OutOfMemoryError("evhttp_set_default_content_type");
        }
    }

    // ---- handlers

    /** Answers every request that no path's handler answers; replaces the handler before (evhttp_set_gencb). */
    public void onRequest(HttpHandler handler) {
        enter();
        try {
            removeGeneral();
            general = route(null, handler);
        } finally {
            exit();
        }
    }

    /**
     * Answers the requests for a path, compared after decoding, whatever their query (evhttp_set_cb).
     *
     * @throws IllegalStateException when the path has a handler already
     */
    public void onRequest(String path, HttpHandler handler) {
        enter();
        try {
            if (routes.containsKey(path)) {
                throw new IllegalStateException(path + " has a handler already: removeHandler(\"" + path + "\") first");
            }
            Syntax.line("a path", path);
            routes.put(path, route(path, handler));
        } finally {
            exit();
        }
    }

    /** Removes a path's handler, and tells whether there was one (evhttp_del_cb). */
    public boolean removeHandler(String path) {
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
        Objects.requireNonNull(handler, "handler");
        Callbacks.RequestTarget target = (exchange, length) -> handle(handler, exchange, length);
        long routeId = loop.register(target);
        long address = Native.libevent4j_server_route(server, path, routeId);
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
        HttpExchange exchange = new HttpExchange(this, loop, address, loop.head(headLength));
        try {
            handler.handle(exchange);
            exchange.handled();
        } catch (Throwable e) {
            exchange.failed();
            loop.caught(e);
        }
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
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
        }
        enter();
        try {
            if (stopped != null) {
                throw new IllegalStateException(this + " is stopping");
            }
            String operation = "bind to " + address + " port " + port;
            InetAddress resolved;
            try {
                resolved = InetAddress.getByName(address);
            } catch (UnknownHostException e) {
                throw new LibeventException(operation, 0, "the address does not resolve");
            }
            long bound = Native.libevent4j_server_bind(server, address, port);
            if (bound == 0) {
                throw new LibeventException(operation, Native.libevent4j_errno());
            }
            evhttp_bound_socket socket = Addresses.of(bound, evhttp_bound_socket::new);
            int localPort = Native.libevent4j_local_port(libevent.evhttp_bound_socket_get_fd(socket));
            InetSocketAddress local = new InetSocketAddress(resolved, localPort);
            sockets.put(local, socket);
            return local;
        } finally {
            exit();
        }
    }

    /** Stops listening on an address that {@link #bind} gave; connections stay (evhttp_del_accept_socket). */
    public void unbind(InetSocketAddress address) {
        enter();
        try {
            evhttp_bound_socket socket = sockets.remove(address);
            if (socket == null) {
                throw new IllegalArgumentException("not bound to " + address + ", but to " + sockets.keySet());
            }
            libevent.evhttp_del_accept_socket(http, socket);
        } finally {
            exit();
        }
    }

    /** The addresses that the server listens on. */
    public List<InetSocketAddress> addresses() {
        enter();
        try {
            return List.copyOf(sockets.keySet());
        } finally {
            exit();
        }
    }

    // ---- the end

    /**
     * Stops gracefully: listens no longer, answers what has arrived with {@code Connection: close}, and closes when the last reply
     * is with the kernel, or after the grace time with what is left dropped. Any thread.
     *
     * @return done when the server is closed
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
        if (stopped == null) {
            stopped = new CompletableFuture<>();
            Set.copyOf(sockets.keySet()).forEach(this::unbind);
            if (Native.libevent4j_server_active(server) == 0) {
                close();
            } else {
                Native.libevent4j_server_notify_drained(server);
                deadline = Timer.create(base, this::close);
                deadline.start(grace);
            }
        }
        stopped.thenAccept(done::complete);
    }

    boolean isStopping() {
        return stopped != null;
    }

    private void drained() {
        close();
    }

    @Override
    protected void release() {
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
