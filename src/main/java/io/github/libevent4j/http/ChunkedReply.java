package io.github.libevent4j.http;

import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A reply that is sent piece by piece (evhttp_send_reply_start, _chunk and _end). It must be ended, or aborted. Safe on any thread;
 * pieces are sent in the order in which they are given. When the client has left, or the server or its base has been closed, what is
 * given is dropped, and the futures say so.
 */
public final class ChunkedReply {

    private static final int SENT = 0;
    private static final int DROPPED = 1;

    private final HttpServer server;
    private final Loop loop;
    private final HttpExchange.Watch watch;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Queue<CompletableFuture<Void>> waiting = new ArrayDeque<>();
    private long address;

    ChunkedReply(HttpServer server, Loop loop, HttpExchange.Watch watch) {
        this.server = server;
        this.loop = loop;
        this.watch = watch;
    }

    /**
     * Sends a piece (evhttp_send_reply_chunk_with_cb). To keep memory flat, send the next one when this one's future is done. A
     * piece of a reply that has no body, such as one to HEAD, is dropped.
     *
     * @return done, on the loop's thread, when the piece is with the kernel; failed with an {@link IOException} when the client
     *     left or the server was closed
     * @throws IllegalStateException after {@link #end} or {@link #abort}
     */
    public CompletableFuture<Void> send(byte[] bytes) {
        Objects.requireNonNull(bytes, "bytes");
        if (closed.get()) {
            throw new IllegalStateException("this reply has ended");
        }
        CompletableFuture<Void> sent = new CompletableFuture<>();
        byte[] stable = loop.submitsNow() ? bytes : bytes.clone();
        loop.submit(() -> {
            if (address == 0) {
                sent.completeExceptionally(server.isOpen() ? HttpExchange.clientLeft() : HttpExchange.closedServer());
            } else {
                send(stable, sent);
            }
        });
        return sent;
    }

    private void send(byte[] bytes, CompletableFuture<Void> sent) {
        switch (bytes.length == 0 ? DROPPED : Native.libevent4j_exchange_chunk(address, bytes, 0, 0, bytes.length)) {
            case SENT -> waiting.add(sent);
            case DROPPED -> loop.whenSafe(() -> sent.complete(null)); // later, as if sent: what sends the next one then must not recur
            default -> sent.completeExceptionally(new IOException("there was no memory for the piece"));
        }
    }

    /**
     * The reply as a stream, for a thread that may block: it waits while the client is slow. Closing it ends the reply. Not for the
     * loop's own thread, which would wait for itself.
     */
    public OutputStream outputStream() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                if (loop.held()) {
                    throw new IllegalStateException("the loop's thread must not wait for its own client: use send()");
                }
                try {
                    send(Arrays.copyOfRange(bytes, offset, offset + length)).get();
                } catch (ExecutionException e) {
                    throw new IOException(e.getCause().getMessage(), e.getCause());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("interrupted while the client was slow");
                }
            }

            @Override
            public void close() {
                end();
            }
        };
    }

    /** Ends the reply (evhttp_send_reply_end). Ending again does nothing. */
    public void end() {
        if (closed.compareAndSet(false, true)) {
            loop.submit(() -> {
                long exchange = take();
                if (exchange != 0) {
                    Native.libevent4j_exchange_end(exchange);
                }
            });
        }
    }

    /** Breaks the reply off: the connection is closed, so that the client can tell. After {@link #end} this does nothing. */
    public void abort() {
        if (closed.compareAndSet(false, true)) {
            loop.whenSafe(() -> { // libevent may be in the middle of this very connection
                long exchange = take();
                if (exchange != 0) {
                    Native.libevent4j_exchange_abort(exchange);
                }
            });
        }
    }

    /** The exchange, if there still is one, which nobody else gets any more. */
    private long take() {
        long exchange = server.isOpen() ? address : 0;
        address = 0;
        return exchange;
    }

    /** See {@link HttpExchange#completion}. */
    public CompletableFuture<Void> completion() {
        return watch.completion;
    }

    void started(long exchange) {
        address = exchange;
    }

    void drained() {
        finish(null);
    }

    /** The exchange has ended: complete, or because the client left, and then it is still to be freed. */
    void ended(IOException failure) {
        if (failure != null && address != 0) {
            Native.libevent4j_exchange_end(address);
        }
        address = 0;
        finish(failure);
    }

    private void finish(IOException failure) {
        // Those that wait now; what one of them goes on to do may already finish the others.
        for (int n = waiting.size(); n > 0 && !waiting.isEmpty(); n--) {
            CompletableFuture<Void> sent = waiting.remove();
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        }
    }
}
