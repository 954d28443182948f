package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.LibeventException;
import io.github.libevent4j.internal.BufferEvents;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Head;
import io.github.libevent4j.internal.HeadReader;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * A request and its reply (evhttp_request).
 *
 * <p>Until it is answered the exchange belongs to its handler, on the loop's thread. {@link #defer} keeps it for later: then any
 * one thread at a time may read and answer it. An exchange is answered exactly once; afterwards its request can no longer be read,
 * and every use but {@link #completion} throws {@link IllegalStateException}. A reply to a client that has left is dropped, and so is
 * one when the server or its base has been closed; {@link #completion} tells.
 */
public final class HttpExchange {

    private enum State {
        /** The handler has it. */
        HANDLING,
        /** Kept for later. */
        DEFERRED,
        /** Answered, or being answered in chunks. */
        ANSWERED
    }

    private static final AtomicReferenceFieldUpdater<HttpExchange, State> STATE =
        AtomicReferenceFieldUpdater.newUpdater(HttpExchange.class, State.class, "state");

    /** Behind a host of at least one character, whatever characters those are. */
    private static final Pattern PORT = Pattern.compile("(?<=.):[0-9]*\\z", Pattern.DOTALL);

    private final HttpServer server;
    private final Loop loop;
    private volatile State state = State.HANDLING;
    private long address;
    private Head head;
    private Headers headers;
    private HttpUri uri;
    private byte[] body;
    private boolean taken;
    private ReplyHeaders replyHeaders; // the server's while the handler has the exchange
    private String reason;
    private Watch watch;
    private volatile boolean waiting;

    /** @param replyHeaders none, which are the exchange's until its handler returns */
    HttpExchange(HttpServer server, Loop loop, long address, Head head, ReplyHeaders replyHeaders) {
        this.server = server;
        this.loop = loop;
        this.address = address;
        this.head = head;
        this.replyHeaders = replyHeaders;
    }

    // ---- the request

    /** The request's method (evhttp_request_get_command). */
    public HttpMethod method() {
        return HttpMethod.of(head().code());
    }

    /** The request's target as it was sent (evhttp_request_get_uri). */
    public String rawUri() {
        return head().text();
    }

    /** The request's target in its parts (evhttp_request_get_evhttp_uri). */
    public HttpUri uri() {
        if (uri == null) {
            uri = method() == HttpMethod.CONNECT ? HttpUri.parseAuthority(rawUri()) : HttpUri.parseLeniently(rawUri());
        }
        return uri;
    }

    /** The request's version, such as {@code HTTP/1.1}. */
    public String version() {
        return "HTTP/" + head().majorVersion() + "." + head().minorVersion();
    }

    /** The request's headers (evhttp_request_get_input_headers). For one or two of them {@link #firstHeader} is quicker. */
    public Headers headers() {
        Head current = wholeHead();
        if (headers == null) {
            headers = new Headers(current.fields());
        }
        return headers;
    }

    /**
     * The value of the request's first header of this name, as {@link Headers#first} tells it, without copying the others
     * (evhttp_find_header).
     */
    public Optional<String> firstHeader(String name) {
        Objects.requireNonNull(name, "name");
        return head().isWhole() || !HeadReader.takes(name) ? headers().first(name)
            : Optional.ofNullable(loop.headReader().firstHeader(address, name));
    }

    /** The host that the request is for, without a port: the target's, or else the Host header's (evhttp_request_get_host). */
    public Optional<String> host() {
        return uri().host().or(() -> firstHeader("Host").map(host -> PORT.matcher(host).replaceFirst("")));
    }

    /** The client's address (evhttp_connection_get_peer). */
    public InetSocketAddress remoteAddress() {
        try {
            return new InetSocketAddress(InetAddress.getByName(head().remoteHost()), head().remotePort());
        } catch (UnknownHostException e) { // an address in digits; should Java not know its scope, the text is still right
            return InetSocketAddress.createUnresolved(head().remoteHost(), head().remotePort());
        }
    }

    /** Bytes of the request's body. */
    public long bodyLength() {
        return head().bodyLength();
    }

    /** The request's body, empty when there is none; the same array each time (evhttp_request_get_input_buffer). */
    public byte[] body() {
        byte[] bytes = body;
        head();
        ensureBody();
        if (bytes == null) {
            bytes = new byte[bodySize()];
            if (bytes.length > 0) {
                copyBody(bytes);
            }
            body = bytes;
        }
        return bytes;
    }

    /** The request's body in a new direct buffer, from position 0 to its limit. */
    public ByteBuffer bodyBuffer() {
        byte[] bytes = body;
        head();
        ensureBody();
        if (bytes != null) {
            return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(bodySize());
        if (buffer.hasRemaining()) {
            copyBody(buffer);
        }
        return buffer;
    }

    /**
     * The request's body, without a copy, for whatever takes buffers; the caller's to close, and then the exchange has none any more
     * (evhttp_request_get_input_buffer, evbuffer_add_buffer). On the loop's thread.
     *
     * @throws IllegalStateException when it has been taken already
     */
    public Buffer takeBody() {
        byte[] bytes = body;
        head();
        ensureBody();
        loop.enter();
        try {
            long address = Native.libevent4j_exchange_take_body(bytes == null ? this.address : 0);
            if (address == 0) {
                throw new OutOfMemoryError("evbuffer_new");
            }
            Buffer buffer = (Buffer) BufferEvents.instance().buffer(server, address);
            if (bytes != null) {
                buffer.add(bytes);
            }
            taken = true;
            return buffer;
        } finally {
            loop.exit();
        }
    }

    private void ensureBody() {
        if (taken) {
            throw new IllegalStateException("this request's body has been taken: it is in the buffer that takeBody() returned");
        }
    }

    private int bodySize() {
        return Math.toIntExact(bodyLength()); // evhttp holds it in memory, so a larger one is not to be expected
    }

    private void copyBody(Object target) {
        loop.enter();
        try {
            Native.libevent4j_exchange_body(address, target);
        } finally {
            loop.exit();
        }
    }

    /** The head of a request that may still be read, by this thread. Once it is answered, which it says first, nothing is there. */
    private Head head() {
        Head current = head;
        switch (state) {
            case ANSWERED -> throw new IllegalStateException("this exchange is answered: its request can no longer be read");
            case HANDLING -> ensureHeld();
            default -> { }
        }
        return current;
    }

    /** The same with its headers, which a handler's exchange has once they are asked for. */
    private Head wholeHead() {
        Head current = head();
        return current.isWhole() ? current : loop.headReader().wholeRequest(address);
    }

    private void ensureHeld() {
        if (!loop.held()) {
            throw loop.wrongThread("a handler that wants others to use its exchange calls defer() first");
        }
    }

    // ---- how to answer

    /**
     * Keeps the exchange when its handler returns, to be answered later, on any thread. It must be answered: a client waits.
     *
     * @return this
     */
    public HttpExchange defer() {
        ensureHeld();
        if (state != State.HANDLING) {
            throw answeredAlready();
        }
        if (!taken) {
            body();
        }
        head = wholeHead().kept();
        replyHeaders = replyHeaders.copy();
        state = State.DEFERRED;
        return this;
    }

    /**
     * Adds a header to the reply (evhttp_add_header). Without them libevent adds Date, Content-Length and, where it must,
     * Connection.
     *
     * @param value one line; ISO-8859-1
     * @throws IllegalArgumentException when name or value is not allowed in HTTP
     */
    public HttpExchange header(String name, String value) {
        head();
        replyHeaders.add(name, value);
        return this;
    }

    /** Sets the reply's reason phrase, in place of libevent's own for its status. */
    public HttpExchange reason(String phrase) {
        head();
        reason = Syntax.line("a reason", Objects.requireNonNull(phrase, "phrase"));
        return this;
    }

    /**
     * How the reply ends: completed on the loop when all of it is with the kernel, or with an {@link IOException} when the client
     * left or the server was closed before. To be asked for before the reply.
     */
    public CompletableFuture<Void> completion() {
        if (watch == null) {
            head();
            watch = new Watch();
            loop.submit(this::watch);
        }
        return watch.completion;
    }

    /**
     * Notice of a client that goes: done, on the loop, when the client closes its side of the connection before the reply begins. A
     * client may close only its own side and still read, so the exchange goes on and is to be answered. To be asked for before the
     * reply; needs {@link io.github.libevent4j.EventBase.Feature#EARLY_CLOSE}, without which it is never done.
     */
    public CompletableFuture<Void> clientClosed() {
        completion();
        Watch watched = watch;
        loop.submit(() -> {
            watched.watchesClient = true;
            if (watched.completion.isDone()) {
                watched.clientClosed.cancel(false);
            } else if (address != 0 && server.isOpen()) {
                Native.libevent4j_exchange_watch_client(address);
            }
        });
        return watched.clientClosed;
    }

    /**
     * Answers with a head alone, and hands over the connection: for CONNECT and Upgrade. What the client has sent beyond its request
     * is in the bufferevent's input already, and its listener does not hear of it. Its reading is to be enabled; closing it closes the
     * connection. The server's {@code stop} waits for it, and its {@code close} closes it. To be called on the loop's thread.
     *
     * @param status such as 101 for Upgrade, 200 for CONNECT
     */
    public BufferEvent takeOver(int status) {
        Syntax.status(status);
        if (!loop.held()) {
            throw loop.wrongThread("pass this to the base's execute()");
        }
        if (!loop.submitsNow()) { // the connection's end could not be watched before it is taken over
            throw new IllegalStateException("a filter must not take a connection over: pass this to the base's execute()");
        }
        byte[] bytes = ("HTTP/1.1 " + status + " " + (reason == null ? "" : reason) + "\r\n" + replyHeaders + "\r\n").getBytes(ISO_8859_1);
        completion(); // watches for the connection's end
        Watch watched = watch;
        if (!server.isServing() || watched.completion.isDone()) {
            throw new IllegalStateException("the connection is closed: there is nothing to take over");
        }
        claim();
        long exchange = address;
        forget();
        watched.takenOver = (BufferEvent) BufferEvents.instance().adopt(server,
            id -> Native.libevent4j_exchange_take_over(exchange, status, bytes, 0, 0, bytes.length, id),
            () -> Native.libevent4j_exchange_abort(exchange));
        return watched.takenOver;
    }

    /** Replies without a body (evhttp_send_reply). */
    public void reply(int status) {
        reply(status, new byte[0], 0, 0);
    }

    /** Replies with text, as UTF-8, and as text/plain unless a Content-Type was added. */
    public void reply(int status, String text) {
        Syntax.status(status);
        byte[] bytes = Objects.requireNonNull(text, "text").getBytes(UTF_8);
        if (!replyHeaders.has("Content-Type")) {
            header("Content-Type", "text/plain; charset=utf-8");
        }
        reply(status, bytes, 0, bytes.length);
    }

    /** Replies with these bytes. */
    public void reply(int status, byte[] bytes) {
        reply(status, Objects.requireNonNull(bytes, "bytes"), 0, bytes.length);
    }

    /** Replies with the bytes between the buffer's position and limit, which it leaves as they are. */
    public void reply(int status, ByteBuffer bytes) {
        Syntax.status(status);
        if (Objects.requireNonNull(bytes, "bytes").hasArray()) {
            reply(status, bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        } else if (bytes.isDirect() && loop.submitsNow()) {
            answer((address, head) -> Native.libevent4j_exchange_reply(address, status, head, bytes, 1,
                bytes.position(), bytes.remaining()));
        } else {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(bytes.position(), copy);
            reply(status, copy, 0, copy.length);
        }
    }

    /**
     * Replies with all that a buffer of the same base holds, without copying it (evhttp_send_reply). The buffer stays the caller's, and is
     * empty when the reply is on its way. On the loop's thread.
     *
     * @throws IllegalStateException when the buffer is closed, or its {@linkplain Buffer#freeze start is frozen}
     */
    public void reply(int status, Buffer bytes) {
        Syntax.status(status);
        BufferEvents.instance().remove(server, Objects.requireNonNull(bytes, "bytes"), source -> {
            if (loop.submitsNow()) {
                answer((address, head) -> Native.libevent4j_exchange_reply_buffer(address, status, head, source));
            } else { // in a filter
                byte[] copy = bytes.copyOut();
                reply(status, copy, 0, copy.length);
                bytes.drain(copy.length);
            }
        });
    }

    private void reply(int status, byte[] bytes, int offset, int length) {
        Syntax.status(status);
        // On another thread, or in a filter, the bytes wait for the loop, and the caller may change them meanwhile.
        byte[] stable = loop.submitsNow() ? bytes : Arrays.copyOfRange(bytes, offset, offset + length);
        int start = stable == bytes ? offset : 0;
        answer((address, head) -> Native.libevent4j_exchange_reply(address, status, head, stable, 0, start, length));
    }

    /**
     * Replies with a part of a file, which the kernel sends without its bytes passing through memory where it can
     * (evbuffer_add_file_segment). The channel stays the caller's, who may close it at once.
     *
     * @throws IllegalArgumentException when the file does not have these bytes
     * @throws IOException when the file cannot be looked at, or no descriptor is left
     */
    public void reply(int status, FileChannel file, long position, long count) throws IOException {
        Syntax.status(status);
        Objects.requireNonNull(file, "file");
        head();
        Descriptors.checkPart(file, position, count);
        long descriptor = Descriptors.duplicate(file);
        if (descriptor < 0) {
            throw new LibeventException("dup of a file's descriptor", Native.libevent4j_errno());
        }
        answer(new Answer() {
            private boolean sent;

            @Override
            public int send(long exchange, long headAddress) {
                sent = true;
                return Native.libevent4j_exchange_reply_file(exchange, status, headAddress, descriptor, position, count);
            }

            @Override
            public void dropped() {
                if (!sent) {
                    sent = true;
                    Native.libevent4j_descriptor_close(descriptor);
                }
            }
        });
    }

    /** Replies with libevent's own page for a status, and closes the connection; headers added before are dropped (evhttp_send_error). */
    public void replyError(int status) {
        Syntax.status(status);
        answer((address, head) -> Native.libevent4j_exchange_error(address, status, head));
    }

    /**
     * Starts a reply that is sent piece by piece, over time: in chunks, unless a Content-Length was added
     * (evhttp_send_reply_start).
     */
    public ChunkedReply start(int status) {
        Syntax.status(status);
        claim();
        if (watch == null) {
            watch = new Watch();
        }
        ChunkedReply reply = new ChunkedReply(server, loop, watch);
        watch.reply = reply;
        loop.submit(() -> {
            watch();
            if (!server.isOpen()) {
                return;
            }
            int result = Native.libevent4j_exchange_start(address, status, writeHead());
            if (result == 0) {
                reply.started(address);
            } else if (result < 0) {
                Native.libevent4j_exchange_abort(address);
            } else {
                Native.libevent4j_exchange_end(address);
                watch.end(clientLeft());
            }
            forget();
        });
        return reply;
    }

    // ---- answering

    /** One of the ways to answer. Runs with the loop held. */
    @FunctionalInterface
    private interface Answer {
        /** @return 0, 1 when the client has left, or -1 when nothing was sent */
        int send(long exchange, long headAddress);

        /** Called when there is nothing to send to any more; after send() it has nothing to do. */
        default void dropped() {
        }
    }

    private void claim() {
        if (state == State.HANDLING) {
            ensureHeld();
            if (!loop.submitsNow()) {
                replyHeaders = replyHeaders.copy(); // they wait for the loop
            }
            state = State.ANSWERED; // only this thread has it
        } else if (!STATE.compareAndSet(this, State.DEFERRED, State.ANSWERED)) {
            throw answeredAlready();
        }
    }

    private static IllegalStateException answeredAlready() {
        return new IllegalStateException("this exchange is answered already: a request gets one reply");
    }

    private void answer(Answer answer) {
        try {
            claim();
            loop.submit(() -> send(answer));
        } catch (RuntimeException e) {
            answer.dropped();
            throw e;
        }
    }

    private void send(Answer answer) {
        watch();
        if (!server.isOpen()) {
            answer.dropped();
            return;
        }
        int result = answer.send(address, writeHead());
        if (result < 0) { // no memory for the reply, or no page for the file: the connection is all that can be given up
            Native.libevent4j_exchange_abort(address);
        } else if (result > 0 && watch != null) {
            watch.end(clientLeft());
        }
        forget();
    }

    static IOException clientLeft() {
        return new IOException("the client left before it had the whole reply");
    }

    static IOException closedServer() {
        return new IOException("the server was closed before the reply was sent");
    }

    /** The exchange is the shim's now. */
    private void forget() {
        address = 0;
        head = null;
        headers = null;
        body = null;
    }

    private long writeHead() {
        if (server.isStopping() && !replyHeaders.has("Connection")) {
            replyHeaders.add("Connection", "close");
        }
        return replyHeaders.write(loop.headWriter(), reason);
    }

    /**
     * Has the handler answer a request. While only the handler gets the exchange, and answers it before it returns, the compiler may do
     * without the object: so what follows a failure goes by another.
     */
    static void handle(HttpServer server, Loop loop, long address, Head head, ReplyHeaders replyHeaders, HttpHandler handler) {
        HttpExchange exchange = new HttpExchange(server, loop, address, head, replyHeaders);
        try {
            Consumer<? super AccessLogEntry> log = server.accessLog();
            if (log != null) {
                exchange.log(log);
            }
            handler.handle(exchange);
            if (exchange.state == State.HANDLING) {
                throw new IllegalStateException("the handler of " + head.text() + " returned without a reply: answer, or call defer()");
            }
        } catch (Throwable e) {
            if (exchange.state == State.HANDLING) {
                exchange.state = State.ANSWERED;
                exchange.address = 0; // it is the other's
                fail(server, loop, address, exchange.watch, replyHeaders);
            }
            loop.caught(e);
        }
    }

    private static void fail(HttpServer server, Loop loop, long address, Watch watch, ReplyHeaders replyHeaders) {
        HttpExchange exchange = new HttpExchange(server, loop, address, null, replyHeaders);
        exchange.watch = watch;
        exchange.answerFailure();
    }

    /** A handler on another thread answers this deferred exchange. */
    void handleBy(HttpHandler handler) {
        begin();
        try {
            handler.handle(this);
        } catch (Throwable e) {
            try {
                if (state == State.DEFERRED) {
                    answerFailure();
                }
            } finally {
                loop.submit(() -> loop.caught(e));
            }
        }
    }

    /** Hands this exchange to an executor, which may refuse it. */
    void handOver(Executor executor, HttpHandler handler) {
        defer();
        waiting = true;
        server.queued(1);
        try {
            executor.execute(() -> handleBy(handler));
        } catch (Throwable e) {
            begin();
            if (state == State.DEFERRED) { // unless an executor that runs tasks at once got through it
                reply(503, "Service Unavailable\n");
            }
            if (!(e instanceof RejectedExecutionException)) {
                throw e;
            }
        }
    }

    /** The exchange waits for an executor no more. */
    private void begin() {
        if (waiting) {
            waiting = false;
            server.queued(-1);
        }
    }

    private void answerFailure() {
        replyHeaders.clear();
        reason = null;
        reply(500, "Internal Server Error\n");
    }

    /** Tells this log when the exchange is through. Before the handler gets it. */
    void log(Consumer<? super AccessLogEntry> log) {
        head = wholeHead().kept();
        watch = new Watch();
        watch.log = log;
        watch.request = head;
        watch.begun = System.nanoTime();
        watch.time = Instant.now();
        watch();
    }

    /** Makes sure that whoever asked for the exchange's end is told. */
    private void watch() {
        if (watch == null || watch.id != 0) {
            return;
        }
        if (!server.isOpen()) {
            watch.end(closedServer());
        } else if (address != 0) {
            watch.id = loop.register(watch);
            Native.libevent4j_exchange_watch(address, watch.id, watch.log == null ? 0 : 1);
        }
    }

    /** Waits for the exchange's end. */
    final class Watch implements Callbacks.ExchangeTarget {

        final CompletableFuture<Void> completion = new CompletableFuture<>();
        final CompletableFuture<Void> clientClosed = new CompletableFuture<>();
        private long id;
        private boolean watchesClient;
        private ChunkedReply reply;
        private BufferEvent takenOver;
        private Consumer<? super AccessLogEntry> log;
        private Head request;
        private Instant time;
        private long begun;

        @Override
        public void onEnded(boolean complete, int status, long sent, long headLength) {
            end(complete ? null : server.isOpen() ? clientLeft() : closedServer());
            if (log != null) {
                log.accept(new AccessLogEntry(time, Duration.ofNanos(System.nanoTime() - begun), request, status, sent, headLength,
                    complete || takenOver != null));
            }
        }

        @Override
        public void onDrained() {
            if (reply != null) {
                reply.drained();
            }
        }

        @Override
        public void onClientClosed() {
            clientClosed.complete(null);
        }

        void end(IOException failure) {
            loop.unregister(id);
            if (takenOver != null) {
                BufferEvents.instance().release(takenOver);
            }
            if (failure != null) {
                clientClosed.complete(null);
            } else if (watchesClient) { // else that would be an exception for nobody
                clientClosed.cancel(false);
            }
            if (reply != null) {
                reply.ended(failure);
            }
            if (failure == null) {
                completion.complete(null);
            } else {
                completion.completeExceptionally(failure);
            }
        }
    }
}
