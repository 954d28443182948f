package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Head;
import io.github.libevent4j.internal.HeadWriter;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * A client's connection to one server (evhttp_connection): made when the first request is sent, kept between requests, and made
 * anew when the server has closed it. Requests are sent one after the other, in the order in which they were given.
 *
 * <p>Belongs to its base's loop, and is closed with it. Names are resolved by the system, which blocks the loop, unless there is a
 * {@link Builder#dns Dns}.
 */
public final class HttpConnection extends NativeHandle {

    private static final int LONG_BODY = 1024 * 1024; // more than a socket takes at once
    private static final byte[] NOTHING = {};
    private static final Duration LONGEST_RETRY_DELAY = Duration.ofHours(1);

    private final EventBase base;
    private final Loop loop;
    private final String host;
    private final int port;
    private final String authority; // for the Host header
    private final boolean exact;
    private final int retries;
    private final Duration retryDelay;
    private final Runnable onClose;
    private final Builder settings;
    private long connection; // with a Dns another one for each address
    private final long id;
    private final Queue<Call> queue = new ArrayDeque<>();
    private Call active;
    private Timer retry;
    private boolean closing; // the connection; libevent is in the middle of it

    private HttpConnection(Builder builder, Loop loop, long connection, long id) {
        super(builder.base);
        this.base = builder.base;
        this.loop = loop;
        this.retries = builder.retries;
        this.retryDelay = builder.retryDelay;
        this.onClose = builder.onClose;
        this.host = builder.host;
        this.port = builder.port;
        String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        this.authority = port == 80 ? name : name + ":" + port;
        this.exact = builder.exact;
        this.settings = builder.copy();
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
    public static final class Builder implements Cloneable {
        private final EventBase base;
        private final String host;
        private final int port;
        private boolean exact;
        private long timeoutMicros;
        private int retries;
        private Duration retryDelay = Duration.ofSeconds(2);
        private String localAddress;
        private int localPort;
        private long maxHeadersSize = -1;
        private long maxBodySize = -1;
        private Runnable onClose = () -> { };
        private Dns dns;

        private Builder(EventBase base, String host, int port) {
            this.base = Objects.requireNonNull(base, "base");
            this.host = Syntax.target(Objects.requireNonNull(host, "host"));
            if (port < 1 || port > 0xFFFF) {
                throw new IllegalArgumentException("a server's port is 1 to 65535, not " + port);
            }
            this.port = port;
        }

        /**
         * Is libevent to the letter. Without this a request gets its Host, and its body's Content-Length, where they are missing; a
         * response whose framing two readers could understand differently is refused; all that announces a response, 1xx but for 101
         * (Switching Protocols), is passed over; and no connection is used again behind what is not fit for it, such as surplus bytes.
         */
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

        /** How often a request tries again when no connection can be made; not at all unless set, -1 for without end. */
        public Builder retries(int retries) {
            if (retries < -1) {
                throw new IllegalArgumentException("retries must not be negative, but for -1: " + retries);
            }
            this.retries = retries;
            return this;
        }

        /** How long a request waits before its first retry, 2 seconds unless set; doubled each time, up to an hour. */
        public Builder retryDelay(Duration delay) {
            Micros.positive(delay, "delay");
            retryDelay = delay;
            return this;
        }

        /** The local address to connect from (evhttp_connection_set_local_address). */
        public Builder localAddress(String address) {
            localAddress = Syntax.target(Objects.requireNonNull(address, "address"));
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

        /**
         * Resolves the server's name without blocking the loop, each time when a connection is to be made, and connects to the first of
         * its addresses that accepts. The time that this takes is the resolver's own, and no part of {@link #timeout}. When the Dns is
         * closed, connections that are made stay, and new ones fail with UNRESOLVED.
         *
         * @throws IllegalArgumentException when it is another base's
         */
        public Builder dns(Dns dns) {
            if (Loop.of(Objects.requireNonNull(dns, "dns")) != Loop.of(base)) {
                throw new IllegalArgumentException("a Dns of another base cannot resolve for this one");
            }
            this.dns = dns;
            return this;
        }

        private Builder copy() {
            try {
                return (Builder) clone();
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }

        /** Makes the connection. It connects when the first request is sent. */
        public HttpConnection build() {
            Loop loop = Loop.of(base);
            loop.enter();
            try {
                Target target = new Target();
                long id = loop.register(target);
                long connection = open(loop, id, host);
                if (connection == 0) {
                    loop.unregister(id);
                    throw new OutOfMemoryError("evhttp_connection_base_new");
                }
                target.self = new HttpConnection(this, loop, connection, id);
                return target.self;
            } finally {
                loop.exit();
            }
        }

        /** A connection to be made to that name or address; 0 without memory. */
        private long open(Loop loop, long id, String address) {
            long connection = Native.libevent4j_connection_new(loop.address(), id, address, port, exact ? 1 : 0);
            if (connection == 0) {
                return 0;
            }
            evhttp_connection evcon = evcon(connection);
            Native.libevent4j_connection_set_timeout(connection, timeoutMicros);
            if (localAddress != null) {
                libevent.evhttp_connection_set_local_address(evcon, localAddress);
            }
            if (localPort != 0) {
                libevent.evhttp_connection_set_local_port(evcon, (short) localPort);
            }
            libevent.evhttp_connection_set_max_headers_size(evcon, maxHeadersSize);
            libevent.evhttp_connection_set_max_body_size(evcon, maxBodySize);
            return connection;
        }
    }

    /** What C calls: what it has to tell is of the request under way. */
    private static final class Target implements Callbacks.ConnectionTarget, Callbacks.CallTarget {

        private HttpConnection self;

        @Override
        public void onClosed() {
            self.closed();
        }

        @Override
        public void onDrained() {
            if (self.active != null) {
                self.active.onDrained();
            }
        }

        @Override
        public boolean onHead(int headLength) {
            return self.active != null && self.active.onHead(headLength);
        }

        @Override
        public void onData(byte[] data) {
            if (self.active != null) {
                self.active.onData(data);
            }
        }

        @Override
        public void onResponse(int headLength, byte[] body) {
            if (self.active != null) {
                self.active.onResponse(headLength, body);
            }
        }

        @Override
        public void onFailure(int kind, int errno) {
            if (self.active != null) {
                self.active.onFailure(kind, errno);
            }
        }
    }

    private static evhttp_connection evcon(long connection) {
        return Addresses.of(Native.libevent4j_connection_evcon(connection), evhttp_connection::new);
    }

    private boolean connected() {
        return libevent.bufferevent_getfd(libevent.evhttp_connection_get_bufferevent(evcon(connection))) >= 0;
    }


    /**
     * Sends a request, after those that were given before (evhttp_make_request). Any thread.
     *
     * @throws IllegalArgumentException when the request has a Content-Length that is not its body's, unless this is exact
     * @return the response, completed on the loop's thread, or an {@link HttpException} that says why there is none. Completing it
     *     in any other way, such as by cancelling it or with orTimeout(), takes the request back, and closes the connection when
     *     it is under way
     */
    public CompletableFuture<HttpResponse> send(HttpRequest request) {
        return enqueue(new Call(request, null));
    }

    /** The same with the body given out while it comes, so that none of it is kept. Any thread. */
    public CompletableFuture<HttpResponse> send(HttpRequest request, BodyListener listener) {
        return enqueue(new Call(request, Objects.requireNonNull(listener, "listener")));
    }

    /**
     * Reads no more of the response that a {@link BodyListener} is being given, until {@link #resume}: the server waits meanwhile,
     * and no timeout passes. What has been read already may still be given out. Does nothing when no such response is under way. Any
     * thread.
     */
    public void pause() {
        read(0);
    }

    /** The most that a response's body may have from now on, -1 for no limit (evhttp_connection_set_max_body_size). On the loop. */
    void limitBody(long bytes) {
        if (settings.maxBodySize != bytes) {
            settings.maxBodySize = bytes;
            libevent.evhttp_connection_set_max_body_size(evcon(connection), bytes);
        }
    }

    /** Reads on after {@link #pause}. Any thread. */
    public void resume() {
        read(1);
    }

    private void read(int on) {
        ensureOpen();
        loop.submit(() -> {
            if (isOpen() && active != null && active.isStreaming()) {
                Native.libevent4j_connection_read(connection, on);
            }
        });
    }

    private Call enqueue(Call call) {
        ensureOpen();
        if (!exact) {
            call.request.checkLength();
        }
        if (loop.submitsNow()) {
            accept(call);
        } else {
            loop.submit(() -> accept(call));
        }
        return call;
    }

    private void accept(Call call) {
        if (isOpen()) {
            queue.add(call);
            next();
        } else {
            call.connectionClosed();
        }
    }

    /** Starts the next request, when there is one and the connection is free for it. */
    private void next() {
        while (active == null && !closing && isOpen() && !queue.isEmpty()) {
            Call call = queue.remove();
            if (!call.isDone()) {
                active = call;
                call.begin();
            }
        }
    }

    private void closed() {
        closing = true;
        try {
            onClose.run();
        } finally {
            closing = false;
            if (!queue.isEmpty()) {
                loop.whenSafe(this::next);
            }
        }
    }

    @Override
    protected void release() {
        List<Call> pending = new ArrayList<>(queue);
        queue.clear();
        if (active != null) {
            active.endLookup();
            pending.add(0, active);
            active = null;
        }
        if (retry != null) {
            retry.close();
        }
        Native.libevent4j_connection_free(connection);
        loop.unregister(id);
        pending.forEach(Call::connectionClosed);
    }

    /** One request, waiting or under way. */
    private final class Call extends CompletableFuture<HttpResponse> implements HttpBody.Sink {

        private final HttpRequest request;
        private final BodyListener listener;
        private boolean sent; // and libevent has the request
        private boolean starting;
        private boolean streaming; // the head has come
        private IOException failedToStart;
        private HttpBody.Sending upload; // null unless the body follows the head
        private Timer expectation;
        private Duration delay = retryDelay;
        private int retried;
        private boolean ended; // set on the loop; who does not see it from elsewhere takes back what is over, which does nothing
        private CompletableFuture<List<InetAddress>> lookup; // of the host; null unless it is under way
        private Queue<InetAddress> untried; // of its addresses; null unless they were looked up

        Call(HttpRequest request, BodyListener listener) {
            this.request = Objects.requireNonNull(request, "request");
            this.listener = listener;
        }

        // ---- a caller completes it in some other way: each of these, without a stage of its own for each request

        @Override
        public boolean complete(HttpResponse response) {
            return completed(super.complete(response));
        }

        @Override
        public boolean completeExceptionally(Throwable failure) {
            return completed(super.completeExceptionally(failure));
        }

        @Override
        public boolean cancel(boolean interrupt) {
            return completed(super.cancel(interrupt));
        }

        @Override
        public CompletableFuture<HttpResponse> completeAsync(Supplier<? extends HttpResponse> supplier, Executor executor) {
            CompletableFuture.<HttpResponse>supplyAsync(supplier::get, executor).whenComplete((response, failure) -> {
                if (failure == null) {
                    complete(response);
                } else {
                    completeExceptionally(failure);
                }
            });
            return this;
        }

        @Override
        public void obtrudeValue(HttpResponse response) {
            super.obtrudeValue(response);
            completed(true);
        }

        @Override
        public void obtrudeException(Throwable failure) {
            super.obtrudeException(failure);
            completed(true);
        }

        private boolean completed(boolean now) {
            if (now && !ended) {
                loop.whenSafe(this::takeBack); // libevent may be in the middle of this very request
            }
            return now;
        }

        // ---- it is sent

        /** Resolves the host first, if need be. The call is the active one. */
        void begin() {
            if (settings.dns == null || connected()) {
                start();
                return;
            }
            try {
                lookup = settings.dns.lookup(host, Dns.Family.ANY);
            } catch (IllegalStateException e) {
                lookup = CompletableFuture.failedFuture(e); // the Dns is closed
            }
            CompletableFuture<?> asked = lookup;
            lookup.whenComplete((addresses, failure) -> loop.whenSafe(() -> {
                if (lookup == asked) {
                    resolved(addresses, failure);
                }
            }));
        }

        private void resolved(List<InetAddress> addresses, Throwable unresolved) {
            lookup = null;
            if (unresolved != null) {
                HttpException failure = failure(Failure.UNRESOLVED, 0);
                failure.initCause(unresolved);
                failed(failure);
                return;
            }
            untried = new ArrayDeque<>(addresses);
            startAtNext();
        }

        /** At the next of the host's addresses. Nothing of evhttp is on the stack. */
        private void startAtNext() {
            long next = settings.open(loop, id, untried.remove().getHostAddress());
            if (next == 0) {
                failed(failure(Failure.UNCONNECTED, 12)); // ENOMEM
                return;
            }
            Native.libevent4j_connection_free(connection);
            connection = next;
            start();
        }

        /** Nobody waits for the host's addresses any more. */
        void endLookup() {
            if (lookup != null) {
                CompletableFuture<?> ending = lookup;
                lookup = null;
                ending.cancel(false);
            }
        }

        /** The call is the active one. */
        void start() {
            failedToStart = null;
            try {
                openUpload();
            } catch (IOException e) {
                failedToStart = e;
            }
            if (failedToStart == null) {
                sent = true;
                byte[] body = upload == null ? request.bytes() : NOTHING;
                starting = true;
                int result = Native.libevent4j_connection_send(connection, request.method().bit, request.minorVersion(), flags(),
                    head(), body, 0, 0, body.length);
                starting = false;
                if (result != 0) {
                    int errno = Native.libevent4j_errno();
                    release();
                    failedToStart = failure(Failure.UNCONNECTED, errno);
                }
            }
            if (failedToStart != null) {
                loop.whenSafe(() -> failed(failedToStart)); // not on the stack of the caller, who may send again when it fails
            }
        }

        private void openUpload() throws IOException {
            if (!request.follows() && (exact || !isLong())) {
                return;
            }
            upload = request.httpBody().open();
            if (upload.length() == HttpBody.UNKNOWN && request.minorVersion() == 0) {
                throw new IOException(this + ": HTTP/1.0 has no chunks, so that the length of the body must be known");
            }
        }

        /** Evhttp looks for no response before all is sent that it was given: a long body follows, so that the server may refuse it. */
        private boolean isLong() {
            return request.bytes().length > LONG_BODY && !request.isFramed();
        }

        private int flags() {
            int flags = listener == null ? 0 : Native.LISTENING;
            if (upload != null && upload.length() != 0) {
                flags |= Native.UPLOADING;
                flags |= upload.length() == HttpBody.UNKNOWN ? Native.CHUNKED : 0;
                flags |= request.expectation() != null ? Native.EXPECTING : 0;
            }
            return flags;
        }

        /** The same request is often sent again, on this connection or another of the loop's. */
        private long head() {
            if (upload != null) {
                return writeHead().end();
            }
            String variant = exact ? null : authority;
            long written = loop.headWriter().written(request.headKey, variant);
            return written != 0 ? written : writeHead().end(request.headKey, variant);
        }

        private HeadWriter writeHead() {
            HeadWriter writer = loop.headWriter().begin(request.uri());
            if (!exact && !request.headers().has("Host")) {
                writer.add("Host", authority);
            }
            request.headers().forEach(writer::add);
            if (upload != null) {
                if (upload.length() == HttpBody.UNKNOWN) {
                    writer.add("Transfer-Encoding", "chunked");
                } else {
                    writer.add("Content-Length", Long.toString(upload.length()));
                }
                if ((flags() & Native.EXPECTING) != 0) {
                    writer.add("Expect", "100-continue");
                }
            }
            // Libevent tells it for POST and PUT alone; without it a server takes the body for the next request.
            if (!exact && upload == null && request.bytes().length > 0 && !request.headers().has("Content-Length")
                && !request.headers().has("Transfer-Encoding")) {
                writer.add("Content-Length", Integer.toString(request.bytes().length));
            }
            return writer;
        }

        /** Libevent is through with the request. */
        private void release() {
            sent = false;
            if (upload != null) {
                upload.close();
                upload = null;
            }
            if (expectation != null) {
                expectation.close();
                expectation = null;
            }
        }

        // ---- the body that follows

        void onDrained() {
            if (request.expectation() != null && expectation == null) {
                expectation = Timer.create(base, () -> Native.libevent4j_connection_continue(connection));
                expectation.start(request.expectation());
                return;
            }
            if (expectation != null) {
                expectation.stop();
            }
            try {
                upload.next(this);
            } catch (Exception e) {
                completeExceptionally(e);
            }
        }

        @Override
        public void add(byte[] piece) {
            give(() -> {
                if (piece.length == 0) {
                    loop.whenSafe(() -> give(this::onDrained)); // it would end the chunks; nor is there anything that is drained
                } else if (Native.libevent4j_connection_add(connection, piece, 0, 0, piece.length) != 0) {
                    fail(new IOException(this + ": there was no memory for the body"));
                }
            });
        }

        @Override
        public void addFile(long descriptor, long position, long count) {
            if (Native.libevent4j_connection_add_file(connection, descriptor, position, count) != 0) {
                int errno = Native.libevent4j_errno();
                fail(errno == 0 ? new IOException(this + ": the file has become shorter")
                    : new LibeventException("evbuffer_add_file_segment", errno));
            }
        }

        @Override
        public void end() {
            give(() -> Native.libevent4j_connection_end(connection));
        }

        @Override
        public void fail(Throwable failure) {
            completeExceptionally(failure);
        }

        /** Does that on the loop, unless the body is not wanted any more. */
        private void give(Runnable action) {
            loop.submit(() -> {
                if (sent && isOpen() && !isDone()) {
                    action.run();
                }
            });
        }

        /** The call is through, and the next one's turn comes when everybody knows. */
        private void end(HttpResponse response, IOException failure) {
            active = null;
            ended = true;
            if (failure == null) {
                complete(response);
            } else {
                completeExceptionally(failure);
            }
            next();
        }

        boolean onHead(int headLength) {
            streaming = true;
            return listen(() -> listener.onHead(new HttpResponse(loop.headReader().response(headLength), new byte[0])));
        }

        void onData(byte[] data) {
            listen(() -> listener.onData(data));
        }

        /** Whether parts of the body may come now. */
        boolean isStreaming() {
            return sent && streaming;
        }

        private interface Listening {
            void run() throws Exception;
        }

        /** Runs the listener, and tells whether to go on. */
        private boolean listen(Listening listening) {
            if (!isDone() && isOpen()) {
                try {
                    listening.run();
                } catch (Exception e) {
                    completeExceptionally(e);
                }
            }
            return !isDone() && isOpen();
        }

        void onResponse(int headLength, byte[] body) {
            release();
            try {
                Head head = loop.headReader().response(headLength);
                end(new HttpResponse(head, body == null ? head.body() : body), null);
            } catch (Throwable e) { // nobody waits in vain, not even when memory runs out
                completeExceptionally(e);
                throw e;
            }
        }

        void onFailure(int kind, int errno) {
            release();
            HttpException failure = failure(Failure.values()[kind < 0 ? -1 - kind : kind + Failure.TIMEOUT.ordinal()], errno);
            if (starting) {
                failedToStart = failure;
            } else {
                failed(failure);
            }
        }

        private HttpException failure(Failure failure, int errno) {
            return new HttpException(toString(), failure == Failure.UNCONNECTED ? errno : 0, failure, switch (failure) {
                case UNCONNECTED -> new LibeventException("connect", errno).getMessage();
                case UNRESOLVED -> "the name does not resolve";
                case CONNECT_TIMEOUT -> "the connection was not made in time";
                case TIMEOUT -> "timed out while the response was awaited";
                case EOF -> "the connection ended before the response did";
                case INVALID_HEADER -> "the response is malformed, or its head is too long";
                case BUFFER_ERROR -> "reading the response failed";
                case REQUEST_CANCEL -> "cancelled";
                case DATA_TOO_LONG -> "the response's body is too long, or its chunks are malformed";
            });
        }

        private void failed(IOException failure) {
            if (active != this) {
                return; // taken back, or the connection was closed
            }
            boolean unconnected = failure instanceof HttpException http && http.failure().compareTo(Failure.CONNECT_TIMEOUT) <= 0;
            if (unconnected && untried != null && !untried.isEmpty() && !isDone() && isOpen()) {
                loop.whenSafe(() -> {
                    if (active == this && isOpen()) {
                        startAtNext();
                    }
                });
            } else if (unconnected && (retries < 0 || retried < retries) && !isDone() && isOpen()) {
                if (retry == null) {
                    retry = Timer.create(base, () -> {
                        if (isOpen()) {
                            active.begin();
                        }
                    });
                }
                retry.start(delay);
                retried++;
                delay = delay.compareTo(LONGEST_RETRY_DELAY.dividedBy(2)) < 0 ? delay.multipliedBy(2) : LONGEST_RETRY_DELAY;
            } else {
                end(null, failure);
            }
        }

        /** The program does not want the response any more. */
        private void takeBack() {
            if (!isOpen()) {
                return; // all is taken back when the connection is freed
            }
            if (active != this) {
                queue.remove(this);
                return;
            }
            active = null;
            endLookup();
            if (sent) {
                release();
                Native.libevent4j_connection_cancel(connection);
            } else if (retry != null) {
                retry.stop();
            }
            next();
        }

        void connectionClosed() {
            release();
            ended = true;
            completeExceptionally(new HttpException(toString(), 0, Failure.REQUEST_CANCEL,
                "the connection was closed by this program before the response came"));
        }

        @Override
        public String toString() {
            return request + " to " + HttpConnection.this.host + " port " + port;
        }
    }

    /** For messages. Any thread. */
    @Override
    public String toString() {
        return "HttpConnection to " + host + " port " + port;
    }
}
