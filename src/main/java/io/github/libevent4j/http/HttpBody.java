package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.LibeventException;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Native;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What a request sends behind its head. Bytes are sent from memory and files by the kernel. The pieces of all else are taken one by
 * one, each when little is left of those before it, so that memory stays flat however slow the server reads.
 *
 * <p>A body whose length is known is sent with a Content-Length, any other in chunks, which HTTP/1.0 has not. Bytes and files can be
 * sent again and again; what comes from a stream or in pieces, once.
 */
public abstract sealed class HttpBody {

    static final long UNKNOWN = -1;

    /** Gives the pieces of a body. */
    @FunctionalInterface
    public interface Pieces {
        /**
         * The next piece, or null behind the last. Asked for on the loop's thread, which must not be made to wait, when the one
         * before is on its way; completed by any thread. An exception breaks the request off and comes out of its future.
         */
        CompletionStage<byte[]> next() throws Exception;
    }

    private HttpBody() {
    }

    /** These bytes, which are copied. */
    public static HttpBody ofBytes(byte[] bytes) {
        return new Bytes(Objects.requireNonNull(bytes, "bytes").clone());
    }

    /** Text, as UTF-8. */
    public static HttpBody ofString(String text) {
        return new Bytes(Objects.requireNonNull(text, "text").getBytes(UTF_8));
    }

    /** A file, as long as it is when it is sent. */
    public static HttpBody ofFile(Path file) {
        return new File(Objects.requireNonNull(file, "file"), null, 0, UNKNOWN);
    }

    /**
     * A part of a file. The channel stays the caller's, who closes it when the response has come.
     *
     * @throws IllegalArgumentException when position or count is negative
     */
    public static HttpBody ofFile(FileChannel file, long position, long count) {
        if (position < 0 || count < 0) {
            throw new IllegalArgumentException("position and count must not be negative: " + position + ", " + count);
        }
        return new File(null, Objects.requireNonNull(file, "file"), position, count);
    }

    /** What a stream gives, in chunks. It is read on the executor, where it may block, and stays the caller's to close. */
    public static HttpBody ofStream(InputStream stream, Executor executor) {
        return ofPieces(Piecewise.reader(stream, executor));
    }

    /** The same with a Content-Length; the request fails when the stream gives more or less. */
    public static HttpBody ofStream(InputStream stream, long length, Executor executor) {
        return ofPieces(Piecewise.reader(stream, executor), length);
    }

    /** Pieces, in chunks. */
    public static HttpBody ofPieces(Pieces pieces) {
        return new Piecewise(Objects.requireNonNull(pieces, "pieces"), UNKNOWN);
    }

    /** The same with a Content-Length; the request fails when there is more or less. */
    public static HttpBody ofPieces(Pieces pieces, long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a length must not be negative: " + length);
        }
        return new Piecewise(Objects.requireNonNull(pieces, "pieces"), length);
    }

    /** Whether it can be sent again. */
    abstract boolean isRepeatable();

    /** Gets ready to be sent, before anything is. */
    abstract Sending open() throws IOException;

    /** The body of one request, on its way. On the loop's thread. */
    interface Sending extends AutoCloseable {
        /** Its length, or UNKNOWN. */
        long length();

        /** The next piece is wanted. */
        void next(Sink sink) throws Exception;

        @Override
        default void close() {
        }
    }

    /** Takes one of these for each next(). Any thread. */
    interface Sink {
        void add(byte[] piece);

        /** Takes the descriptor. */
        void addFile(long descriptor, long position, long count);

        void end();

        void fail(Throwable failure);
    }

    /** In memory. */
    static final class Bytes extends HttpBody {

        final byte[] bytes;

        Bytes(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        boolean isRepeatable() {
            return true;
        }

        @Override
        Sending open() {
            return new Sending() {
                private boolean added;

                @Override
                public long length() {
                    return bytes.length;
                }

                @Override
                public void next(Sink sink) {
                    if (added) {
                        sink.end();
                    } else {
                        added = true;
                        sink.add(bytes);
                    }
                }
            };
        }
    }

    private static final class File extends HttpBody {

        private final Path path; // or the channel
        private final FileChannel channel;
        private final long position;
        private final long count;

        File(Path path, FileChannel channel, long position, long count) {
            this.path = path;
            this.channel = channel;
            this.position = position;
            this.count = count;
        }

        @Override
        boolean isRepeatable() {
            return true;
        }

        @Override
        Sending open() throws IOException {
            if (channel != null) {
                long size = channel.size();
                if (position > size - count) {
                    throw new IOException("the file has " + size + " bytes, not " + count + " from " + position);
                }
                return sending(channel, count);
            }
            FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
            try (file) {
                return sending(file, file.size());
            }
        }

        private Sending sending(FileChannel file, long length) throws LibeventException {
            long duplicate = Descriptors.duplicate(file);
            if (duplicate < 0) {
                throw new LibeventException("dup of a file's descriptor", Native.libevent4j_errno());
            }
            return new Sending() {
                private long descriptor = duplicate;

                @Override
                public long length() {
                    return length;
                }

                @Override
                public void next(Sink sink) {
                    if (descriptor < 0) {
                        sink.end();
                    } else {
                        sink.addFile(take(), position, length);
                    }
                }

                private long take() {
                    long taken = descriptor;
                    descriptor = -1;
                    return taken;
                }

                @Override
                public void close() {
                    if (descriptor >= 0) {
                        Native.libevent4j_descriptor_close(take());
                    }
                }
            };
        }
    }

    private static final class Piecewise extends HttpBody {

        private static final int PIECE = 64 * 1024;

        private final Pieces pieces;
        private final long length;
        private final AtomicBoolean begun = new AtomicBoolean();

        Piecewise(Pieces pieces, long length) {
            this.pieces = pieces;
            this.length = length;
        }

        static Pieces reader(InputStream stream, Executor executor) {
            Objects.requireNonNull(stream, "stream");
            Objects.requireNonNull(executor, "executor");
            return () -> {
                CompletableFuture<byte[]> piece = new CompletableFuture<>();
                executor.execute(() -> {
                    try {
                        byte[] bytes = new byte[PIECE];
                        int length = stream.read(bytes);
                        piece.complete(length < 0 ? null : Arrays.copyOf(bytes, length));
                    } catch (IOException | RuntimeException e) {
                        piece.completeExceptionally(e);
                    } catch (Error e) { // breaks the request off too
                        piece.completeExceptionally(e);
                        throw e;
                    }
                });
                return piece;
            };
        }

        @Override
        boolean isRepeatable() {
            return false;
        }

        @Override
        Sending open() throws IOException {
            if (begun.get()) {
                throw sentBefore();
            }
            return new Sending() {
                private boolean first = true;
                private long sent;

                @Override
                public long length() {
                    return length;
                }

                @Override
                public void next(Sink sink) throws Exception {
                    if (first && !begun.compareAndSet(false, true)) {
                        throw sentBefore();
                    }
                    first = false;
                    CompletionStage<byte[]> next = Objects.requireNonNull(pieces.next(), "a body's next piece");
                    next.whenComplete((piece, failure) -> take(piece, failure, sink));
                }

                private void take(byte[] piece, Throwable failure, Sink sink) {
                    sent += piece == null ? 0 : piece.length;
                    if (failure != null) {
                        sink.fail(failure);
                    } else if (length != UNKNOWN && (sent > length || piece == null && sent < length)) {
                        sink.fail(new IOException("the body has " + (piece == null ? "" : "at least ") + sent + " bytes instead of "
                            + length));
                    } else if (piece == null) {
                        sink.end();
                    } else {
                        sink.add(piece);
                    }
                }
            };
        }

        private static IOException sentBefore() {
            return new IOException("a body from a stream or in pieces can be sent only once, and this one has been");
        }
    }
}
