package io.github.libevent4j.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A response whose body is read while it comes. One thread reads; while it does not, the server is made to wait, so that at most some
 * hundred kilobytes are kept.
 */
public final class HttpResponseStream implements AutoCloseable {

    private static final int MOST = 256 * 1024;
    private static final int FEW = 64 * 1024;

    private final CompletableFuture<HttpResponse> opened = new CompletableFuture<>();
    private final Queue<byte[]> parts = new ArrayDeque<>();
    private final Body body = new Body();
    private CompletableFuture<HttpResponse> result;
    private Consumer<Boolean> pause;
    private long kept;
    private boolean paused;
    private boolean ended;
    private Throwable failure;

    HttpResponseStream() {
    }

    /** The exchange that this reads, before it begins. */
    void attach(CompletableFuture<HttpResponse> result, Consumer<Boolean> pause) {
        this.result = result;
        this.pause = pause;
        result.whenComplete((response, failed) -> end(failed));
    }

    /** How the client's thread gives the body. */
    BodyListener listener() {
        return new BodyListener() {
            @Override
            public void onHead(HttpResponse head) {
                opened.complete(head);
            }

            @Override
            public void onData(byte[] data) {
                add(data);
            }
        };
    }

    CompletableFuture<HttpResponse> opened() {
        return opened;
    }

    private synchronized void add(byte[] data) {
        parts.add(data);
        kept += data.length;
        if (kept > MOST && !paused) {
            paused = true;
            pause.accept(true);
        }
        notifyAll();
    }

    private void end(Throwable failed) {
        synchronized (this) {
            ended = true;
            failure = failed;
            notifyAll();
        }
        if (failed == null) {
            opened.complete(result.join()); // a response without a body
        } else {
            opened.completeExceptionally(failed);
        }
    }

    /** The next part of the body, or null at its end. */
    private synchronized byte[] next() throws IOException {
        while (parts.isEmpty() && !ended) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw (IOException) new InterruptedIOException("interrupted while the body was awaited").initCause(e);
            }
        }
        byte[] part = parts.poll();
        if (part == null && failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
        if (part != null) {
            kept -= part.length;
            if (paused && kept < FEW) {
                paused = false;
                pause.accept(false);
            }
        }
        return part;
    }

    /** The response's status and headers, which stay when this is closed. */
    public HttpResponse head() {
        return opened.join();
    }

    /** The body. A response that breaks off ends with an {@link IOException}, as it does when this is closed. Closing it closes this. */
    public InputStream body() {
        return body;
    }

    /** Takes the request back, unless the whole response has come; the connection is closed then. */
    @Override
    public void close() {
        result.cancel(false);
    }

    private final class Body extends InputStream {

        private byte[] part = {};
        private int at;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            while (part != null && at == part.length && length > 0) {
                part = next();
                at = 0;
            }
            if (part == null) {
                return -1;
            }
            int count = Math.min(length, part.length - at);
            System.arraycopy(part, at, target, offset, count);
            at += count;
            return count;
        }

        @Override
        public void close() {
            HttpResponseStream.this.close();
        }
    }
}
