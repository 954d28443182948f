package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.HeadWriter;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * A client's connection to one server (evhttp_connection): made when the first request is sent, kept between requests, and made
 * anew when the server has closed it. Requests are sent one after the other, in the order in which they were given.
 *
 * <p>Belongs to its base's loop, and is closed with it. Names are resolved by the system, which blocks the loop: give an address
 * where that matters.
 */
public final class HttpConnection extends NativeHandle {

    private final Loop loop;
    private final String host;
    private final int port;
    private final boolean exact;
    private final long connection;
    private final long id;
    private final Set<Call> calls = new LinkedHashSet<>();

    private HttpConnection(Builder builder, Loop loop, long connection, long id) {
        super(builder.base);
        this.loop = loop;
        this.host = builder.host;
        this.port = builder.port;
        this.exact = builder.exact;
        this.connection = connection;
        this.id = id;
    }

    /** A connection to a server (evhttp_connection_base_new). */
    public static HttpConnection create(EventBase base, String host, int port) {
        return newBuilder(base, host, port).build();
    }

    /** Chooses timeouts, limits and the rest first. */
    public static Builder newBuilder(EventBase base, String host, int port) {
        return new Builder(base, host, port);
    }

    /** What to make a connection of. Not thread-safe. */
    public static final class Builder {
        private final EventBase base;
        private final String host;
        private final int port;
        private boolean exact;
        private long timeoutMicros;
        private int retries;
        private long retryMicros;
        private String localAddress;
        private int localPort;
        private long maxHeadersSize = -1;
        private long maxBodySize = -1;
        private Runnable onClose;

        private Builder(EventBase base, String host, int port) {
            this.base = Objects.requireNonNull(base, "base");
            this.host = Syntax.target(host);
            if (port < 1 || port > 0xFFFF) {
                throw new IllegalArgumentException("a server's port is 1 to 65535, not " + port);
            }
            this.port = port;
        }

        /** Sends what libevent would send: without this a request gets its Host, and its body's Content-Length, where they are missing. */
        public Builder exact() {
            exact = true;
            return this;
        }

        /**
         * How long the connection may take to be made, and then be inactive while a request is under way; 45 and 50 seconds unless
         * set (evhttp_connection_set_timeout_tv). Longer than zero.
         */
        public Builder timeout(Duration timeout) {
            timeoutMicros = Micros.positive(timeout, "timeout");
            return this;
        }

        /** How often to try again to connect, none unless set, -1 for without end (evhttp_connection_set_retries). */
        public Builder retries(int retries) {
            if (retries < -1) {
                throw new IllegalArgumentException("retries must not be negative, but for -1: " + retries);
            }
            this.retries = retries;
            return this;
        }

        /** How long to wait before the first retry, 2 seconds unless set; doubled each time (evhttp_connection_set_initial_retry_tv). */
        public Builder retryDelay(Duration delay) {
            retryMicros = Micros.positive(delay, "retryDelay");
            return this;
        }

        /** The local address to connect from (evhttp_connection_set_local_address). */
        public Builder localAddress(String address) {
            localAddress = Syntax.target(address);
            return this;
        }

        /** The local port to connect from (evhttp_connection_set_local_port). */
        public Builder localPort(int port) {
            if (port < 1 || port > 0xFFFF) {
                throw new IllegalArgumentException("a local port is 1 to 65535, not " + port);
            }
            localPort = port;
            return this;
        }

        /** Bytes of a response's status line and headers; no limit unless set (evhttp_connection_set_max_headers_size). */
        public Builder maxHeadersSize(long bytes) {
            maxHeadersSize = limit(bytes);
            return this;
        }

        /** Bytes of a response's body; no limit unless set (evhttp_connection_set_max_body_size). */
        public Builder maxBodySize(long bytes) {
            maxBodySize = limit(bytes);
            return this;
        }

        private static long limit(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("a limit is at least 1 byte, not " + bytes);
            }
            return bytes;
        }

        /** Runs on the loop's thread each time when the connection is closed, by either side (evhttp_connection_set_closecb). */
        public Builder onClose(Runnable action) {
            onClose = Objects.requireNonNull(action, "action");
            return this;
        }

        /** Makes the connection. It connects when the first request is sent. */
        public HttpConnection build() {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                Runnable action = onClose;
                Callbacks.ConnectionTarget target = () -> {
                    if (action != null) {
                        action.run();
                    }
                };
                long id = loop.register(target);
                long connection = Native.libevent4j_connection_new(loop.address(), id, host, port);
                if (connection == 0) {
                    loop.unregister(id);
                    throw new OutOfMemoryError("evhttp_connection_base_new");
                }
                HttpConnection made = new HttpConnection(this, loop, connection, id);
                made.configure(this);
                return made;
            } finally {
                loop.exit();
            }
        }
    }

    private void configure(Builder builder) {
        evhttp_connection evcon = Addresses.of(Native.libevent4j_connection_evcon(connection), evhttp_connection::new);
        Native.libevent4j_connection_set_timeout(connection, builder.timeoutMicros);
        libevent.evhttp_connection_set_retries(evcon, builder.retries);
        Native.libevent4j_connection_set_retry_delay(connection, builder.retryMicros);
        if (builder.localAddress != null) {
            libevent.evhttp_connection_set_local_address(evcon, builder.localAddress);
        }
        if (builder.localPort != 0) {
            libevent.evhttp_connection_set_local_port(evcon, (short) builder.localPort);
        }
        libevent.evhttp_connection_set_max_headers_size(evcon, builder.maxHeadersSize);
        libevent.evhttp_connection_set_max_body_size(evcon, builder.maxBodySize);
    }

    /**
     * Sends a request, after those that were given before (evhttp_make_request). Any thread.
     *
     * @return the response, completed on the loop's thread, or an {@link HttpException} that says why there is none; cancelling it
     *     cancels the request, and with it, when it is under way, the connection
     */
    public CompletableFuture<HttpResponse> send(HttpRequest request) {
        return send(request, null, false);
    }

    /** The same with the body given out while it comes, so that none of it is kept. */
    public CompletableFuture<HttpResponse> send(HttpRequest request, BodyListener listener) {
        return send(request, Objects.requireNonNull(listener, "listener"), true);
    }

    private CompletableFuture<HttpResponse> send(HttpRequest request, BodyListener listener, boolean streaming) {
        Objects.requireNonNull(request, "request");
        ensureOpen();
        Call call = new Call(request, listener, streaming);
        loop.submit(call::start);
        return call;
    }

    @Override
    protected void release() {
        List<Call> pending = List.copyOf(calls);
        calls.clear();
        Native.libevent4j_connection_free(connection);
        loop.unregister(id);
        pending.forEach(Call::connectionClosed);
    }

    /** One request under way. */
    private final class Call extends CompletableFuture<HttpResponse> implements Callbacks.CallTarget {

        private final HttpRequest request;
        private final BodyListener listener;
        private final boolean streaming;
        private long callId;
        private long address; // 0 before the start and after the end

        Call(HttpRequest request, BodyListener listener, boolean streaming) {
            this.request = request;
            this.listener = listener;
            this.streaming = streaming;
        }

        void start() {
            if (isDone()) {
                return; // cancelled while it waited for the loop
            }
            if (!isOpen()) {
                connectionClosed();
                return;
            }
            callId = loop.register(this);
            calls.add(this);
            byte[] body = request.bytes();
            long started = Native.libevent4j_call_start(connection, callId, request.method().bit, request.uri(),
                request.minorVersion(), streaming ? 1 : 0, writeHead(), body, 0, 0, body.length);
            if (started != 0) {
                address = started;
            } else if (Native.libevent4j_errno() != 0) {
                ended();
                int errno = Native.libevent4j_errno();
                completeExceptionally(new HttpException(toString(), errno, Failure.UNCONNECTED,
                    new LibeventException("connect", errno).getMessage()));
            }
        }

        private long writeHead() {
            HeadWriter writer = loop.headWriter().begin(null);
            if (!exact && request.headers().first("Host").isEmpty()) {
                String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
                writer.add("Host", port == 80 ? name : name + ":" + port);
            }
            // Libevent tells it for POST and PUT alone; without it a server takes the body for the next request.
            if (!exact && request.bytes().length > 0 && request.headers().first("Content-Length").isEmpty()
                && request.headers().first("Transfer-Encoding").isEmpty()) {
                writer.add("Content-Length", Integer.toString(request.bytes().length));
            }
            request.headers().forEach(writer::add);
            return writer.end();
        }

        /** Libevent is through with the request. */
        private void ended() {
            address = 0;
            calls.remove(this);
            loop.unregister(callId);
        }

        @Override
        public boolean onHead(int headLength) throws Exception {
            return listen(() -> listener.onHead(new HttpResponse(loop.head(headLength), new byte[0])));
        }

        @Override
        public void onData(byte[] data) {
            if (!listen(() -> listener.onData(data))) {
                cancelNative();
            }
        }

        private interface Listening {
            void run() throws Exception;
        }

        /** Runs the listener, and tells whether to go on. */
        private boolean listen(Listening listening) {
            if (isDone()) {
                return false;
            }
            try {
                listening.run();
                return true;
            } catch (Exception e) {
                completeExceptionally(e);
                return false;
            }
        }

        @Override
        public void onResponse(int headLength, byte[] body) {
            ended();
            try {
                complete(new HttpResponse(loop.head(headLength), body));
            } catch (Throwable e) { // nobody waits in vain, not even when memory runs out
                completeExceptionally(e);
                throw e;
            }
        }

        @Override
        public void onFailure(int kind, int errno) {
            ended();
            Failure failure = Failure.values()[kind < 0 ? -1 - kind : kind + Failure.TIMEOUT.ordinal()];
            completeExceptionally(new HttpException(toString(), failure == Failure.UNCONNECTED ? errno : 0, failure,
                switch (failure) {
                    case UNCONNECTED -> new LibeventException("connect", errno).getMessage();
                    case UNRESOLVED -> "the name does not resolve";
                    case CONNECT_TIMEOUT -> "the connection was not made in time";
                    case TIMEOUT -> "timed out while the response was awaited";
                    case EOF -> "the connection ended before the response did";
                    case INVALID_HEADER -> "the response is malformed, or its head is too long";
                    case BUFFER_ERROR -> "reading the response failed";
                    case REQUEST_CANCEL -> "cancelled";
                    case DATA_TOO_LONG -> "the response's body is too long, or its chunks are malformed";
                }));
        }

        void connectionClosed() {
            loop.unregister(callId);
            address = 0;
            completeExceptionally(new HttpException(toString(), 0, Failure.REQUEST_CANCEL,
                "the connection was closed by this program before the response came"));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled && isOpen()) {
                cancelNative();
            }
            return cancelled;
        }

        private void cancelNative() {
            Runnable cancel = () -> {
                long call = address;
                if (call != 0 && isOpen()) {
                    ended();
                    Native.libevent4j_call_cancel(call);
                }
            };
            try {
                if (loop.inCallback()) {
                    loop.execute(cancel); // libevent may be in the middle of this very request
                } else {
                    loop.submit(cancel);
                }
            } catch (RejectedExecutionException | IllegalStateException e) {
                return; // the base was closed meanwhile, and the request with it
            }
        }

        @Override
        public String toString() {
            return request + " to " + HttpConnection.this.host + " port " + port;
        }
    }

    @Override
    public String toString() {
        return "HttpConnection to " + host + " port " + port;
    }
}
