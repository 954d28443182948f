package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.evbuffer_file_segment;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/**
 * A part of a file that {@linkplain Buffer#addFile(FileSegment) goes into} any number of buffers, any number of times, with one
 * descriptor for all of them (evbuffer_file_segment).
 *
 * <p>Belongs to its base's loop, and is closed with it. Closing it leaves the buffers alone that hold it: the file stays open until
 * the last of them has given its bytes up. The file's bytes should not change meanwhile.
 */
public final class FileSegment extends NativeHandle {

    private final long position;
    private final long length;
    private final long descriptor; // which the first of the two has
    private final Segments segments;
    private evbuffer_file_segment sent; // by the kernel, from the file to a socket
    private evbuffer_file_segment read; // for other buffers; null until there is one

    private FileSegment(EventBase base, Segments segments, long descriptor, evbuffer_file_segment sent, long position, long length) {
        super(base);
        this.segments = segments;
        this.descriptor = descriptor;
        this.sent = sent;
        this.position = position;
        this.length = length;
    }

    /** A whole file. */
    public static FileSegment create(EventBase base, Path path) throws IOException {
        try (FileChannel file = FileChannel.open(Objects.requireNonNull(path, "path"), StandardOpenOption.READ)) {
            return create(base, file, 0, file.size());
        }
    }

    /** A part of a file (evbuffer_file_segment_new). The channel stays the caller's, who may close it at once. */
    public static FileSegment create(EventBase base, FileChannel file, long position, long count) throws IOException {
        return create(base, file, position, count, () -> { });
    }

    /**
     * The same, and what to do in the end (evbuffer_file_segment_add_cleanup_cb).
     *
     * @param released runs once, when this is closed and no buffer holds any of it: on the loop's next turn, or at once when it does
     *     not run
     * @throws IllegalArgumentException when the file does not have these bytes
     * @throws IOException when there is no descriptor left
     */
    public static FileSegment create(EventBase base, FileChannel file, long position, long count, Runnable released) throws IOException {
        Objects.requireNonNull(released, "released");
        Descriptors.checkPart(Objects.requireNonNull(file, "file"), position, count);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            long descriptor = Descriptors.duplicate(file);
            Segments segments = new Segments(loop, released);
            evbuffer_file_segment sent = segments.make(descriptor, position, count, 1);
            return new FileSegment(base, segments, descriptor, sent, position, count);
        } finally {
            loop.exit();
        }
    }

    /** How many bytes it has, or had. Any thread. */
    public long length() {
        return length;
    }

    /** Adds a part of it to a buffer that can take it. */
    void addTo(evbuffer buffer, long offset, long count, boolean toSocket) throws IOException {
        enter();
        try {
            if (count == 0) {
                return;
            }
            if (toSocket) {
                libevent.evbuffer_set_flags(buffer, libevent.EVBUFFER_FLAG_DRAINS_TO_FD);
            } else if (read == null) {
                read = segments.make(Descriptors.duplicate(descriptor), position, length, 0);
            }
            if (libevent.evbuffer_add_file_segment(buffer, toSocket ? sent : read, offset, count) != 0) {
                if (toSocket) { // it has dropped our reference
                    sent = null;
                } else {
                    read = null;
                }
                close();
                throw new OutOfMemoryError("evbuffer_add_file_segment");
            }
        } finally {
            exit();
        }
    }

    /** The native segments, for as long as libevent has one of them. */
    private static final class Segments implements Callbacks.ReferenceTarget {
        private final Loop loop;
        private final Runnable released;
        private final long id;
        private int alive;

        Segments(Loop loop, Runnable released) {
            this.loop = loop;
            this.released = released;
            this.id = loop.register(this);
        }

        /** Takes the descriptor. */
        evbuffer_file_segment make(long descriptor, long position, long length, int toSocket) throws IOException {
            long made = descriptor < 0 ? 0 : Native.libevent4j_file_segment_new(descriptor, position, length, toSocket, id);
            if (made == 0) {
                int errno = Native.libevent4j_errno();
                if (alive == 0) {
                    loop.unregister(id);
                }
                throw errno == 0 ? new EOFException("the file has become shorter")
                    : new LibeventException(descriptor < 0 ? "dup of a file's descriptor" : "evbuffer_file_segment_new", errno);
            }
            alive++;
            return Addresses.of(made, evbuffer_file_segment::new);
        }

        @Override
        public void onReleased() {
            if (--alive == 0) {
                loop.unregister(id);
                loop.whenSafe(released); // a buffer is half changed now
            }
        }
    }

    @Override
    protected void release() {
        for (evbuffer_file_segment segment : new evbuffer_file_segment[] {sent, read}) {
            if (segment != null) {
                libevent.evbuffer_file_segment_free(segment);
            }
        }
    }
}
