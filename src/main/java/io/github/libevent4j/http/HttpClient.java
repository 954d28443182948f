package io.github.libevent4j.http;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.internal.Micros;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * A client with a thread of its own, which keeps connections to servers and uses them again ({@link HttpConnection}). Requests have
 * whole URIs, such as {@code http://127.0.0.1:8080/path}. Safe on any thread.
 *
 * <p>Names are resolved with the system's settings ({@link Dns#create}), while other requests go on.
 *
 * <p>A connection is used again only after a whole response with nothing behind it, and when the server has not closed it since. A
 * request is sent a second time only for a redirect: whether a server that closed the connection has acted on it is not for the
 * client to guess.
 */
public final class HttpClient implements AutoCloseable {

    private static final long STARTED = System.nanoTime();
    private static final long MAX_HEADERS_SIZE = 256 * 1024;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<String> CREDENTIALS = Set.of("authorization", "cookie", "proxy-authorization");

    private final EventBase base;
    private final Thread thread;
    private final int maxConnections;
    private final long idleMicros;
    private final Duration deadline;
    private final Duration inactivity;
    private final int maxRedirects;
    private final long maxBodySize;
    private final Map<Origin, Pool> pools = new HashMap<>(); // the loop's
    private final Deadlines deadlines; // the same
    private Dns dns; // the same; null until a name is to be resolved

    private HttpClient(Builder builder) throws IOException {
        this.base = EventBase.newBuilder().flags(EventBase.Flag.EPOLL_USE_CHANGELIST).build();
        this.maxConnections = builder.maxConnections;
        this.idleMicros = Micros.of(builder.idleTimeout, "timeout");
        this.deadline = builder.deadline;
        this.deadlines = new Deadlines();
        this.inactivity = builder.inactivity;
        this.maxRedirects = builder.maxRedirects;
        this.maxBodySize = builder.maxBodySize;
        this.thread = new Thread(() -> {
            try (base) {
                base.loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY);
            } catch (IllegalStateException e) {
                if (base.isOpen()) {
                    throw e;
                } // else closed before this thread came to run it
            } finally {
                pools.values().forEach(Pool::fail);
            }
        }, "libevent4j-client");
        thread.setDaemon(true);
    }

    /** A client with the defaults of {@link Builder}. */
    public static HttpClient create() throws IOException {
        return newBuilder().build();
    }

    /** Chooses limits first. */
    public static Builder newBuilder() {
        return new Builder();
    }

    /** What to make a client of. Not thread-safe; may be used again. */
    public static final class Builder {
        private int maxConnections = 16;
        private Duration idleTimeout = Duration.ofSeconds(30);
        private Duration deadline = Duration.ofMinutes(1);
        private Duration inactivity = Duration.ofSeconds(30);
        private int maxRedirects;
        private long maxBodySize = 64 * 1024 * 1024;

        private Builder() {
        }

        /** Connections to one server at a time, 16 unless set; further requests wait for one. */
        public Builder maxConnections(int connections) {
            if (connections < 1) {
                throw new IllegalArgumentException("a client needs at least 1 connection, not " + connections);
            }
            maxConnections = connections;
            return this;
        }

        /** How long a connection is kept without a request, 30 seconds unless set. Longer than zero. */
        public Builder idleTimeout(Duration timeout) {
            idleTimeout = positive(timeout, "timeout");
            return this;
        }

        /** How long a request may take from {@link HttpClient#send} to the end of its response, a minute unless set. */
        public Builder deadline(Duration deadline) {
            this.deadline = positive(deadline, "deadline");
            return this;
        }

        /** How long connecting may take, and nothing may move then, 30 seconds unless set. */
        public Builder inactivity(Duration timeout) {
            inactivity = positive(timeout, "timeout");
            return this;
        }

        private static Duration positive(Duration duration, String name) {
            Micros.positive(duration, name);
            return duration;
        }

        /**
         * How many redirects to follow for one request, none unless set. Credentials (Authorization, Cookie, Proxy-Authorization) go
         * to the first origin alone. 307 and 308 repeat the body, and fail when it can be sent only once.
         */
        public Builder maxRedirects(int redirects) {
            if (redirects < 0) {
                throw new IllegalArgumentException("redirects must not be negative: " + redirects);
            }
            maxRedirects = redirects;
            return this;
        }

        /** Bytes of a response's body, when it is kept in memory, 64 MiB unless set. */
        public Builder maxBodySize(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("a limit is at least 1 byte, not " + bytes);
            }
            maxBodySize = bytes;
            return this;
        }

        /**
         * Starts the client's thread.
         *
         * @throws IOException when the system refuses an event base
         */
        public HttpClient build() throws IOException {
            HttpClient client = new HttpClient(this);
            client.thread.start();
            return client;
        }
    }

    // ---- sending

    /**
     * Sends a request.
     *
     * @return the response, completed on the client's thread, or an {@link IOException}. Cancelling it takes the request back
     * @throws IllegalArgumentException when the request's URI is not a whole one, beginning with http://, or its Content-Length is not
     *     its body's
     * @throws IllegalStateException when this client is closed
     */
    public CompletableFuture<HttpResponse> sendAsync(HttpRequest request) {
        return start(request, null);
    }

    /**
     * The same with the body given out while it comes, so that none of it is kept: on the client's thread, which must not be made to
     * wait.
     */
    public CompletableFuture<HttpResponse> sendAsync(HttpRequest request, BodyListener listener) {
        return start(request, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * The same with the listener on an executor, where it may block: the server is made to wait for it, and so is the response's
     * future.
     */
    public CompletableFuture<HttpResponse> sendAsync(HttpRequest request, BodyListener listener, Executor executor) {
        ListenerElsewhere elsewhere = new ListenerElsewhere(listener, executor);
        Exchange exchange = prepare(request, elsewhere);
        CompletableFuture<HttpResponse> result = elsewhere.attach(exchange.result, exchange::pause);
        submit(exchange);
        return result;
    }

    /** Sends a request and waits for its response. */
    public HttpResponse send(HttpRequest request) throws IOException {
        return await(sendAsync(request));
    }

    /** The same with the body written to a file, which is made anew. What a failure leaves of it is the caller's to remove. */
    public HttpResponse send(HttpRequest request, Path file) throws IOException {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(file, "file");
        try (FileChannel target = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            BodyListener writer = data -> {
                ByteBuffer bytes = ByteBuffer.wrap(data);
                while (bytes.hasRemaining()) {
                    target.write(bytes);
                }
            };
            return await(sendAsync(request, writer));
        }
    }

    /**
     * The same with the body put into a buffer, from its position on, which is moved. What a failure leaves there has no meaning.
     *
     * @throws IOException when it does not fit, too
     */
    public HttpResponse send(HttpRequest request, ByteBuffer target) throws IOException {
        if (Objects.requireNonNull(target, "target").isReadOnly()) {
            throw new IllegalArgumentException("the target is read-only");
        }
        return await(sendAsync(request, data -> {
            if (data.length > target.remaining()) {
                throw new HttpException(request.toString(), 0, Failure.DATA_TOO_LONG, "the response's body does not fit into the buffer");
            }
            target.put(data);
        }));
    }

    /**
     * Sends a request and waits for its response's head; the body is read from a stream. A reader that is slow makes the server wait.
     * The stream is to be closed; closing it early closes the connection.
     */
    public HttpResponseStream open(HttpRequest request) throws IOException {
        HttpResponseStream stream = new HttpResponseStream();
        Exchange exchange = prepare(request, stream.listener());
        stream.attach(exchange.result, exchange::pause);
        submit(exchange);
        await(stream.opened());
        return stream;
    }

    private HttpResponse await(CompletableFuture<HttpResponse> response) throws IOException {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("the client's own thread must not wait for a response: use sendAsync()");
        }
        try {
            return response.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            response.cancel(true);
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while the response was awaited").initCause(e);
        }
    }

    private CompletableFuture<HttpResponse> start(HttpRequest request, BodyListener listener) {
        Exchange exchange = prepare(request, listener);
        submit(exchange);
        return exchange.result;
    }

    private Exchange prepare(HttpRequest request, BodyListener listener) {
        Objects.requireNonNull(request, "request").checkLength();
        return new Exchange(request, target(request.whole()), listener);
    }

    private void submit(Exchange exchange) {
        if (Thread.currentThread() == thread && base.isOpen()) {
            exchange.begin();
            return;
        }
        try {
            base.execute(exchange::begin);
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException("this client is closed", e);
        }
    }

    private HttpConnection.Builder connect(Origin origin) throws IOException {
        HttpConnection.Builder builder = HttpConnection.newBuilder(base, origin.host, origin.port);
        if (origin.isAddress()) {
            return builder;
        }
        if (dns == null) {
            dns = Dns.create(base);
        }
        return builder.dns(dns);
    }

    private static URI target(URI uri) {
        if (!"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null) {
            throw new IllegalArgumentException("a client's request has a whole URI, beginning with http://, not " + uri);
        }
        if (uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("a URI with a user's name is not sent: use basicAuth()");
        }
        return uri;
    }

    private record Origin(String host, int port) {

        static Origin of(URI uri) {
            String host = uri.getHost();
            host = host.toLowerCase(Locale.ROOT);
            return new Origin(host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                uri.getPort() == -1 ? 80 : uri.getPort());
        }

        boolean isAddress() {
            return host.indexOf(':') >= 0 || host.chars().allMatch(c -> c >= '0' && c <= '9' || c == '.');
        }
    }

    /** Of a clock that only goes forward, for differences. */
    private static long micros() {
        return (System.nanoTime() - STARTED) / 1000;
    }

    private static Duration micros(long micros) {
        return Duration.of(micros, ChronoUnit.MICROS);
    }

    /** The exchanges under way. They have the same time each, so that the oldest is due first, and one timer does for all. On the loop. */
    private final class Deadlines {

        private final Timer timer = Timer.create(base, this::expire);
        private final long time = Micros.of(deadline, "deadline");
        private boolean runs;
        private Exchange oldest;
        private Exchange newest;

        void add(Exchange exchange) {
            exchange.due = micros() + time;
            exchange.older = newest;
            if (newest != null) {
                newest.newer = exchange;
            } else {
                oldest = exchange;
                start(time);
            }
            newest = exchange;
        }

        private void start(long left) {
            if (!runs) {
                timer.start(micros(left));
                runs = true;
            }
        }

        void remove(Exchange exchange) {
            if (exchange.older == null && oldest != exchange) {
                return; // it is not here
            }
            if (exchange.older != null) {
                exchange.older.newer = exchange.newer;
            } else {
                oldest = exchange.newer;
            }
            if (exchange.newer != null) {
                exchange.newer.older = exchange.older;
            } else {
                newest = exchange.older;
            }
            exchange.older = null;
            exchange.newer = null;
        }

        private void expire() {
            runs = false;
            long now = micros();
            while (oldest != null && oldest.due <= now) {
                Exchange late = oldest;
                remove(late);
                late.result.completeExceptionally(new HttpException(late.toString(), 0, Failure.TIMEOUT,
                    "the response was not whole within " + deadline));
            }
            if (oldest != null && base.isOpen()) {
                start(oldest.due - now);
            }
        }
    }

    /** A request from its sending to the end of its last response. On the loop, but for its result. */
    private final class Exchange {

        final CompletableFuture<HttpResponse> result = new CompletableFuture<>();
        private final HttpRequest request;
        private final BodyListener listener;
        private final URI first;
        private URI uri;
        private HttpMethod method;
        private final ByteArrayOutputStream body; // null unless it is kept here
        private int redirects;
        private Exchange older; // the neighbours among the deadlines
        private Exchange newer;
        private long due;
        private HttpConnection connection;
        private CompletableFuture<HttpResponse> call;

        Exchange(HttpRequest request, URI uri, BodyListener listener) {
            this.request = request;
            this.listener = listener;
            this.first = uri;
            this.uri = uri;
            this.method = request.method();
            this.body = listener == null && maxRedirects > 0 ? new ByteArrayOutputStream(0) : null;
            result.whenComplete((response, failure) -> {
                if (Thread.currentThread() == thread) {
                    finished();
                } else {
                    runOnLoop(this::finished);
                }
            });
        }

        void begin() {
            if (result.isDone()) {
                return;
            }
            if (!base.isOpen()) {
                result.completeExceptionally(closed());
                return;
            }
            deadlines.add(this);
            pool().add(this);
        }

        private HttpException closed() {
            return new HttpException(toString(), 0, Failure.REQUEST_CANCEL, "the client was closed before the response came");
        }

        private Pool pool() {
            return pools.computeIfAbsent(Origin.of(uri), Pool::new);
        }

        /** The result is known: nothing is to go on for it. */
        private void finished() {
            deadlines.remove(this);
            if (call != null) {
                call.cancel(false);
            }
        }

        /** A connection is free for this. */
        void sendOn(HttpConnection free) {
            connection = free;
            HttpRequest message = message();
            if (listener == null && body == null) {
                free.limitBody(maxBodySize);
                call = free.send(message);
                return;
            }
            free.limitBody(-1);
            call = free.send(message, new BodyListener() {
                private boolean redirected;

                @Override
                public void onHead(HttpResponse head) throws Exception {
                    redirected = isRedirect(head);
                    if (!redirected && listener != null) {
                        listener.onHead(head);
                    }
                }

                @Override
                public void onData(byte[] data) throws Exception {
                    if (redirected) {
                        return;
                    }
                    if (listener != null) {
                        listener.onData(data);
                    } else {
                        keep(data);
                    }
                }
            });
        }

        private void keep(byte[] data) throws HttpException {
            if (body.size() + (long) data.length > maxBodySize) {
                throw new HttpException(toString(), 0, Failure.DATA_TOO_LONG, "the response's body has more than " + maxBodySize
                    + " bytes");
            }
            body.writeBytes(data);
        }

        private HttpRequest message() {
            String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            String target = uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
            if (uri == first) {
                return request.to(target);
            }
            HttpRequest.Builder builder = HttpRequest.newBuilder(target);
            boolean same = Origin.of(uri).equals(Origin.of(first));
            boolean sameMethod = method == request.method();
            request.headers().forEach((name, value) -> {
                String lower = name.toLowerCase(Locale.ROOT);
                boolean credentials = CREDENTIALS.contains(lower);
                boolean ofBody = lower.startsWith("content-") || lower.equals("transfer-encoding");
                boolean ofOrigin = lower.equals("host");
                if ((same || !credentials && !ofOrigin) && (sameMethod || !ofBody)) {
                    builder.header(name, value);
                }
            });
            if (!sameMethod) {
                return builder.method(method, new byte[0]).build();
            }
            builder.method(method, request.httpBody());
            if (request.expectation() != null) {
                builder.expectContinue(request.expectation());
            }
            return (request.minorVersion() == 0 ? builder.version10() : builder).build();
        }

        private boolean isRedirect(HttpResponse response) {
            return maxRedirects > 0 && REDIRECTS.contains(response.status()) && response.headers().first("Location").isPresent();
        }

        /** The connection has answered, or failed. */
        void answered(HttpResponse response, Throwable failure) {
            call = null;
            connection = null;
            if (failure != null) {
                result.completeExceptionally(failure);
            } else if (!isRedirect(response)) {
                result.complete(body == null ? response : response.with(body.toByteArray()));
            } else {
                redirect(response);
            }
        }

        private void redirect(HttpResponse response) {
            String location = response.headers().first("Location").orElseThrow();
            if (++redirects > maxRedirects) {
                result.completeExceptionally(new IOException(this + ": more than " + maxRedirects + " redirects, the last to " + location));
                return;
            }
            try {
                uri = target(uri.resolve(location));
            } catch (IllegalArgumentException e) {
                result.completeExceptionally(new IOException(this + ": redirected to " + location + ", which cannot be followed", e));
                return;
            }
            boolean toGet = response.status() == 303 && method != HttpMethod.HEAD
                || (response.status() == 301 || response.status() == 302) && method == HttpMethod.POST;
            if (toGet) {
                method = HttpMethod.GET;
            } else if (method == request.method() && !request.httpBody().isRepeatable()) {
                result.completeExceptionally(new IOException(this + ": redirected to " + location + " by " + response.status()
                    + ", with a body that can be sent only once"));
                return;
            }
            if (!base.isOpen()) {
                result.completeExceptionally(closed());
            } else if (!result.isDone()) {
                pool().add(this);
            }
        }

        /** Any thread. */
        void pause(boolean paused) {
            runOnLoop(() -> {
                if (connection != null && connection.isOpen()) {
                    if (paused) {
                        connection.pause();
                    } else {
                        connection.resume();
                    }
                }
            });
        }

        @Override
        public String toString() {
            return request.toString();
        }
    }

    private void runOnLoop(Runnable task) {
        try {
            base.execute(task);
        } catch (RejectedExecutionException e) {
            return; // the base was closed, and all that the task is about with it
        }
    }

    /** The connections to one server. On the loop. */
    private final class Pool {

        private final Origin origin;
        private final Deque<Pooled> idle = new ArrayDeque<>();
        private final Queue<Exchange> waiting = new ArrayDeque<>();
        private int open;

        Pool(Origin origin) {
            this.origin = origin;
        }

        void add(Exchange exchange) {
            waiting.add(exchange);
            next();
        }

        /** The client is closed. */
        void fail() {
            while (!waiting.isEmpty()) {
                Exchange exchange = waiting.remove();
                exchange.result.completeExceptionally(exchange.closed());
            }
        }

        private void next() {
            while (!waiting.isEmpty() && base.isOpen()) {
                if (waiting.peek().result.isDone()) {
                    waiting.remove();
                } else if (!idle.isEmpty()) {
                    use(idle.removeLast(), waiting.remove());
                } else if (open < maxConnections) {
                    Exchange exchange = waiting.remove();
                    try {
                        Pooled pooled = new Pooled();
                        open++;
                        use(pooled, exchange);
                    } catch (IOException e) { // not on the stack of the caller, who may send again when it fails
                        runOnLoop(() -> exchange.result.completeExceptionally(e));
                    }
                } else {
                    return;
                }
            }
            if (open == 0 && waiting.isEmpty()) {
                pools.remove(origin, this);
            }
        }

        private void use(Pooled pooled, Exchange exchange) {
            exchange.sendOn(pooled.connection);
            pooled.closed = false; // what the server closed before this has been made anew
            exchange.call.whenComplete((response, failure) -> {
                if (failure == null && base.isOpen() && !pooled.closed) {
                    idle.addLast(pooled);
                    pooled.rest();
                } else {
                    drop(pooled);
                }
                exchange.answered(response, failure);
                next();
            });
        }

        private void drop(Pooled pooled) {
            open--;
            pooled.connection.close();
            pooled.idle.close();
        }

        private final class Pooled {
            final HttpConnection connection;
            final Timer idle;
            boolean runs; // and runs on while the connection is in use
            long idleSince;
            boolean closed;

            /** @throws IOException when names cannot be resolved at all */
            Pooled() throws IOException {
                connection = connect(origin).timeout(inactivity).maxHeadersSize(MAX_HEADERS_SIZE).onClose(this::onClose).build();
                idle = Timer.create(base, this::rested);
            }

            void rest() {
                idleSince = micros();
                start(idleMicros);
            }

            private void start(long left) {
                if (!runs) {
                    idle.start(micros(left));
                    runs = true;
                }
            }

            private void rested() {
                runs = false;
                long left = idleSince + idleMicros - micros();
                if (left <= 0) {
                    leave();
                } else if (Pool.this.idle.contains(this)) {
                    start(left);
                }
            }

            /** By either side. */
            private void onClose() {
                closed = true;
                leave();
            }

            /** It is not kept any longer, unless it is in use. */
            private void leave() {
                if (Pool.this.idle.remove(this)) {
                    drop(this);
                    next();
                }
            }
        }
    }

    /** Closes all connections; what waits for a response fails. Any thread; waits for the client's thread, unless it is that. */
    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            base.close();
        } else {
            runOnLoop(base::close); // where nothing finds the base closed in the midst of what it does
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
