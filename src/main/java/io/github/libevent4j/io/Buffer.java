package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.evbuffer_cb_entry;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import io.github.libevent4j.internal.Pins;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.SelectableChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * A queue of bytes: added at its end, removed at its start, moved between buffers without being copied (evbuffer).
 *
 * <p>Belongs to its base's loop, and is closed with it. A bufferevent's own buffers are part of it: they are open for as long as it
 * is, and closing them does nothing.
 *
 * <p>Changing a buffer at an end that is {@linkplain #freeze frozen} throws {@link IllegalStateException}. The end of a
 * bufferevent's input is frozen for ever, and so is the start of its output: these are the bufferevent's to change. An output cannot
 * be looked into either: files that are in it are not in memory.
 */
public final class Buffer extends NativeHandle implements ByteChannel, GatheringByteChannel, ScatteringByteChannel {

    /** An end of a buffer. */
    public enum End {
        /** Where bytes are removed, or prepended. */
        START,
        /** Where bytes are added. */
        END
    }

    /** Runs when a buffer's length has changed, on the thread that changes it. To change the buffer here calls all listeners again. */
    @FunctionalInterface
    public interface Listener {
        /**
         * @param before the length before the change
         * @param added bytes added since the last call
         * @param deleted bytes removed since the last call
         */
        void changed(long before, long added, long deleted) throws Exception;
    }

    /** A listener's place at a buffer. It ends with the buffer, or when this is closed. */
    public interface Subscription extends AutoCloseable {
        /** Does not call the listener until {@link #enable}; what changes meanwhile, it does not hear of (evbuffer_cb_clear_flags). */
        void disable();

        /** Calls the listener again (evbuffer_cb_set_flags). */
        void enable();

        /** Calls the listener no more (evbuffer_remove_cb_entry). Any thread. */
        @Override
        void close();
    }

    /** A line end that was found: where it begins, and how many bytes it has. */
    public record Eol(long position, int length) {
        /** Neither is negative. */
        public Eol {
            if (position < 0 || length < 0) {
                throw new IllegalArgumentException("neither a position nor a length is negative: " + position + ", " + length);
            }
        }
    }

    /** Whose a buffer is. */
    enum Use {
        /** Its own. */
        OWN,
        /** A bufferevent's, filled by libevent; what a filter reads from. */
        INPUT,
        /** A bufferevent's, emptied by libevent; what a filter writes to. */
        OUTPUT,
        /** The same, and into a socket. */
        SOCKET_OUTPUT
    }

    private static final long MOST_ROOM = 1 << 30;

    private final Loop loop;
    private final evbuffer buffer;
    private final long address;
    private final Use use;
    private final List<Subscribed> subscriptions = new ArrayList<>();
    private boolean startFrozen;
    private boolean endFrozen;
    private boolean deferred;

    /** A buffer of its own. */
    private Buffer(NativeHandle neighbour, evbuffer buffer) {
        super(neighbour);
        this.loop = Loop.of(neighbour);
        this.address = buffer.address();
        this.buffer = buffer;
        this.use = Use.OWN;
    }

    /** A part of an owner's native object. */
    Buffer(NativeHandle owner, long address, Use use) {
        super(owner, Borrowed.BORROWED);
        this.loop = Loop.of(owner);
        this.address = address;
        this.buffer = Addresses.of(address, evbuffer::new);
        this.use = use;
        this.startFrozen = use != Use.INPUT;
        this.endFrozen = use == Use.INPUT;
    }

    /** An empty buffer (evbuffer_new). */
    public static Buffer create(EventBase base) {
        return beside(base);
    }

    /** An empty buffer on the loop of another handle. */
    static Buffer beside(NativeHandle neighbour) {
        Loop loop = Loop.of(neighbour);
        loop.enter();
        try {
            evbuffer made = libevent.evbuffer_new();
            if (made == null) {
                throw new OutOfMemoryError("evbuffer_new");
            }
            return new Buffer(neighbour, made);
        } finally {
            loop.exit();
        }
    }

    /** What a new native buffer belongs to from now on. */
    static Buffer own(NativeHandle neighbour, long address) {
        return new Buffer(neighbour, Addresses.of(address, evbuffer::new));
    }

    /** Runs an operation with the address that removes bytes, for something on the loop of another handle. */
    void remove(NativeHandle neighbour, LongConsumer operation) {
        if (loop != Loop.of(neighbour)) {
            throw new IllegalArgumentException("buffers of two bases cannot share bytes: copy them");
        }
        enter(End.START);
        try {
            operation.accept(address);
        } finally {
            exit();
        }
    }

    /** A listener may be running below libevent's own frames. */
    @Override
    protected boolean isOwnUseOnly() {
        return use == Use.OWN && subscriptions.isEmpty();
    }

    /** Runs an operation that changes the open raw buffer at an end, with the loop held. */
    <T> T change(End end, Function<evbuffer, T> operation) {
        enter(end);
        try {
            return operation.apply(buffer);
        } finally {
            exit();
        }
    }

    /** Runs an operation that looks at the open raw buffer's bytes, with the loop held. */
    <T> T look(Function<evbuffer, T> operation) {
        enterToLook();
        try {
            return operation.apply(buffer);
        } finally {
            exit();
        }
    }

    /** Holds the loop to change the buffer at an end. */
    private void enter(End end) {
        enter();
        if (end == End.START ? startFrozen : endFrozen) {
            exit();
            throw new IllegalStateException("this buffer's " + (end == End.START ? "start" : "end")
                + (use == Use.OWN ? " is frozen" : " is the bufferevent's to change"));
        }
    }

    /** Holds the loop to look at the bytes. */
    private void enterToLook() {
        enter();
        if (use == Use.OUTPUT || use == Use.SOCKET_OUTPUT) {
            exit();
            throw new IllegalStateException("a bufferevent's output cannot be looked into: what is in it is libevent's to send");
        }
    }

    /** How many bytes it holds (evbuffer_get_length). */
    public long length() {
        enter();
        try {
            return libevent.evbuffer_get_length(buffer);
        } finally {
            exit();
        }
    }

    /** How many bytes lie in one piece at its start (evbuffer_get_contiguous_space). */
    public long contiguous() {
        enter();
        try {
            return libevent.evbuffer_get_contiguous_space(buffer);
        } finally {
            exit();
        }
    }

    // ---- adding

    /** Adds bytes at the end (evbuffer_add). */
    public Buffer add(byte... bytes) {
        return add(bytes, 0, Objects.requireNonNull(bytes, "bytes").length);
    }

    /** Adds a part of an array at the end (evbuffer_add). */
    public Buffer add(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, Objects.requireNonNull(bytes, "bytes").length);
        enter(End.END);
        try {
            check(Native.libevent4j_buffer_add(address, bytes, 0, offset, length), "evbuffer_add");
            return this;
        } finally {
            exit();
        }
    }

    /** Adds text as UTF-8 at the end (evbuffer_add). */
    public Buffer add(String text) {
        return add(Objects.requireNonNull(text, "text").getBytes(StandardCharsets.UTF_8));
    }

    /** Adds what is between the buffer's position and limit, and moves its position there (evbuffer_add). */
    public Buffer add(ByteBuffer bytes) {
        Objects.requireNonNull(bytes, "bytes");
        enter(End.END);
        try {
            int length = bytes.remaining();
            int result;
            if (bytes.isDirect()) {
                result = Native.libevent4j_buffer_add(address, bytes, 1, bytes.position(), length);
            } else if (bytes.hasArray()) {
                result = Native.libevent4j_buffer_add(address, bytes.array(), 0, bytes.arrayOffset() + bytes.position(), length);
            } else {
                byte[] copy = new byte[length];
                bytes.duplicate().get(copy);
                result = Native.libevent4j_buffer_add(address, copy, 0, 0, length);
            }
            check(result, "evbuffer_add");
            bytes.position(bytes.limit());
            return this;
        } finally {
            exit();
        }
    }

    /** Adds bytes at the start (evbuffer_prepend). */
    public Buffer prepend(byte... bytes) {
        Objects.requireNonNull(bytes, "bytes");
        enter(End.START);
        try {
            check(Native.libevent4j_buffer_prepend(address, bytes, 0, 0, bytes.length), "evbuffer_prepend");
            return this;
        } finally {
            exit();
        }
    }

    /** Makes room for more bytes, at most 2^30, so that adding them takes no memory (evbuffer_expand). */
    public Buffer expand(long bytes) {
        checkLength(bytes);
        checkRoom(bytes);
        enter(End.END);
        try {
            check(libevent.evbuffer_expand(buffer, bytes), "evbuffer_expand");
            return this;
        } finally {
            exit();
        }
    }

    /**
     * Adds a direct buffer's bytes, position to limit, without copying them (evbuffer_add_reference). They must not change until
     * they are released.
     *
     * @param released runs once, when no buffer and no {@linkplain #peek view} holds the bytes any more: on the loop's next turn, or
     *     at once when it does not run
     */
    public Buffer addReference(ByteBuffer direct, Runnable released) {
        Objects.requireNonNull(direct, "direct");
        Objects.requireNonNull(released, "released");
        if (!direct.isDirect()) {
            throw new IllegalArgumentException("only a direct buffer's memory stays where it is: add() copies others");
        }
        enter(End.END);
        try {
            if (!direct.hasRemaining()) {
                loop.whenSafe(released);
                return this;
            }
            Reference reference = new Reference(loop, direct, released);
            reference.id = loop.register(reference);
            if (Native.libevent4j_buffer_add_reference(address, direct, direct.position(), direct.remaining(), reference.id) != 0) {
                loop.unregister(reference.id);
                throw new OutOfMemoryError("evbuffer_add_reference");
            }
            return this;
        } finally {
            exit();
        }
    }

    /** The same for an array. The JVM may move it, so its bytes are copied; they are released as if they were not. */
    public Buffer addReference(byte[] bytes, Runnable released) {
        Objects.requireNonNull(bytes, "bytes");
        Objects.requireNonNull(released, "released");
        return addReference(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip(), released);
    }

    /** Keeps Java's memory reachable while libevent uses it. */
    private static final class Reference implements Callbacks.ReferenceTarget {
        private final Loop loop;
        @SuppressWarnings("unused") // by C
        private final ByteBuffer memory;
        private final Runnable released;
        private long id;

        Reference(Loop loop, ByteBuffer memory, Runnable released) {
            this.loop = loop;
            this.memory = memory;
            this.released = released;
        }

        @Override
        public void onReleased() {
            loop.unregister(id);
            loop.whenSafe(released); // the buffer is half changed now
        }
    }

    /** Room to be written without a copy: a piece of direct memory that {@link #commit} adds to its buffer's end. */
    public final class Reservation {
        private ByteBuffer space;

        private Reservation(int size) {
            space = ByteBuffer.allocateDirect(size);
        }

        /** The room, empty. Any thread; it is there until it is committed, whatever is closed. */
        public ByteBuffer space() {
            if (space == null) {
                throw new IllegalStateException("this room is committed already");
            }
            return space;
        }

        /** Adds what was written, up to the space's position. Afterwards the space must not be changed. */
        public void commit() {
            addReference(space().duplicate().flip(), () -> { });
            space = null;
        }
    }

    /**
     * Reserves room to be written and committed without a copy (evbuffer_reserve_space, evbuffer_commit_space).
     *
     * @param size 1 to 2^30 bytes
     */
    public Reservation reserve(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("the room must have at least 1 byte, not " + size);
        }
        checkRoom(size);
        ensureUsable();
        return new Reservation(size);
    }

    /**
     * Adds a part of a file (evbuffer_add_file_segment). To the output of a socket's bufferevent it costs no memory: the kernel alone
     * brings it from the file to the socket when its turn comes. Into any other buffer it is read now. The channel stays the
     * caller's, who may close it at once.
     *
     * @throws IllegalArgumentException when the file does not have these bytes
     * @throws IOException when the file cannot be read
     */
    public Buffer addFile(FileChannel file, long position, long count) throws IOException {
        Descriptors.checkPart(Objects.requireNonNull(file, "file"), position, count);
        enter(End.END);
        try {
            if (count == 0) {
                return this;
            }
            long descriptor = Descriptors.duplicate(file);
            if (descriptor < 0) {
                throw new LibeventException("dup of a file's descriptor", Native.libevent4j_errno());
            }
            int toSocket = use == Use.SOCKET_OUTPUT ? 1 : 0;
            if (Native.libevent4j_buffer_add_file(address, descriptor, position, count, toSocket) != 0) {
                int errno = Native.libevent4j_errno();
                if (errno == 0) {
                    throw new EOFException("the file has become shorter");
                }
                throw new LibeventException("evbuffer_add_file_segment", errno);
            }
            return this;
        } finally {
            exit();
        }
    }

    /** Adds the whole of a segment (evbuffer_add_file_segment). */
    public Buffer addFile(FileSegment segment) throws IOException {
        return addFile(segment, 0, Objects.requireNonNull(segment, "segment").length());
    }

    /**
     * Adds a part of a segment, which can be added again, here and elsewhere (evbuffer_add_file_segment). As with
     * {@link #addFile(FileChannel, long, long)}, the output of a socket's bufferevent holds no bytes of it; other buffers share
     * memory that the segment reads the file into when it is first added to one.
     *
     * @param offset where in the segment
     * @throws IOException when the file cannot be read
     */
    public Buffer addFile(FileSegment segment, long offset, long count) throws IOException {
        if (Loop.of(Objects.requireNonNull(segment, "segment")) != loop) {
            throw new IllegalArgumentException("a segment of another base cannot be added to this buffer");
        }
        if (offset < 0 || count < 0 || offset > segment.length() - count) {
            throw new IllegalArgumentException("the segment has " + segment.length() + " bytes, not " + count + " from " + offset);
        }
        enter(End.END);
        try {
            segment.addTo(buffer, offset, count, use == Use.SOCKET_OUTPUT);
            return this;
        } finally {
            exit();
        }
    }

    /** Adds a whole file; see {@link #addFile(FileChannel, long, long)}. */
    public Buffer addFile(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(Objects.requireNonNull(path, "path"), StandardOpenOption.READ)) {
            return addFile(file, 0, file.size());
        }
    }

    // ---- moving

    /** Moves all of another buffer's bytes to this one's end, without copying them (evbuffer_add_buffer). */
    public Buffer addBuffer(Buffer source) {
        enterWith(source, End.END);
        try {
            source.enter(End.START);
            try {
                check(libevent.evbuffer_add_buffer(buffer, source.buffer), "evbuffer_add_buffer");
                return this;
            } finally {
                source.exit();
            }
        } finally {
            exit();
        }
    }

    /** Moves all of another buffer's bytes to this one's start, without copying them (evbuffer_prepend_buffer). */
    public Buffer prependBuffer(Buffer source) {
        enterWith(source, End.START);
        try {
            source.enter(End.START);
            try {
                check(libevent.evbuffer_prepend_buffer(buffer, source.buffer), "evbuffer_prepend_buffer");
                return this;
            } finally {
                source.exit();
            }
        } finally {
            exit();
        }
    }

    /** Moves at most so many bytes from another buffer's start to this one's end; how many it were (evbuffer_remove_buffer). */
    public int addBuffer(Buffer source, int length) {
        checkLength(length);
        enterWith(source, End.END);
        try {
            source.enter(End.START);
            try {
                return check(Native.libevent4j_buffer_move(address, source.address, length), "evbuffer_remove_buffer");
            } finally {
                source.exit();
            }
        } finally {
            exit();
        }
    }

    /**
     * Adds a copy of another buffer's bytes, which stay there too. (Libevent's evbuffer_add_buffer_reference would share their memory,
     * and what is done to the other buffer later would show in this one. {@link #addReference} shares memory that nobody changes.)
     *
     * @throws IllegalStateException when the other holds a file's bytes, which only a socket can be given
     */
    public Buffer addCopy(Buffer source) {
        enterWith(source, End.END);
        try {
            source.enterToLook();
            try {
                check(Native.libevent4j_buffer_add_copy(address, source.address), "evbuffer_add");
            } finally {
                source.exit();
            }
            return this;
        } finally {
            exit();
        }
    }

    /** Runs an operation that moves bytes from the source's start to this buffer's end, with the loop held. */
    <T> T changeWith(Buffer source, BiFunction<evbuffer, evbuffer, T> operation) {
        enterWith(source, End.END);
        try {
            source.enter(End.START);
            try {
                return operation.apply(buffer, source.buffer);
            } finally {
                source.exit();
            }
        } finally {
            exit();
        }
    }

    private void enterWith(Buffer source, End end) {
        Objects.requireNonNull(source, "source");
        if (source == this) {
            throw new IllegalArgumentException("a buffer cannot be moved into itself");
        }
        if (source.loop != loop) {
            throw new IllegalArgumentException("buffers of two bases cannot share bytes: copy them");
        }
        enter(end);
    }

    // ---- looking and removing

    /** Copies bytes from a position, without removing them; how many (evbuffer_copyout_from). */
    public int copyOut(long position, byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, Objects.requireNonNull(target, "target").length);
        enterToLook();
        try {
            checkPosition(position);
            return Native.libevent4j_buffer_copy(address, position, target, 0, offset, length);
        } finally {
            exit();
        }
    }

    /** All bytes, which stay (evbuffer_copyout). */
    public byte[] copyOut() {
        enter();
        try {
            byte[] bytes = new byte[arraySize(length())];
            copyOut(0, bytes, 0, bytes.length);
            return bytes;
        } finally {
            exit();
        }
    }

    /** Removes bytes from the start into an array; how many (evbuffer_remove). */
    public int remove(byte[] target, int offset, int length) {
        enter(End.START);
        try {
            int copied = copyOut(0, target, offset, length);
            drain(copied);
            return copied;
        } finally {
            exit();
        }
    }

    /** Removes bytes from the start up to the target's limit; how many (evbuffer_remove). */
    public int remove(ByteBuffer target) {
        checkWritable(Objects.requireNonNull(target, "target"));
        enter(End.START);
        try {
            int position = target.position();
            int copied = target.isDirect()
                ? Native.libevent4j_buffer_copy(address, 0, target, 1, position, target.remaining())
                : Native.libevent4j_buffer_copy(address, 0, target.array(), 0, target.arrayOffset() + position, target.remaining());
            target.position(position + copied);
            drain(copied);
            return copied;
        } finally {
            exit();
        }
    }

    /** Removes and returns all bytes. */
    public byte[] removeAll() {
        enter(End.START);
        try {
            byte[] bytes = copyOut();
            drain(bytes.length);
            return bytes;
        } finally {
            exit();
        }
    }

    /** Removes bytes from the start, or all if there are fewer (evbuffer_drain). */
    public void drain(long length) {
        checkLength(length);
        enter(End.START);
        try {
            check(libevent.evbuffer_drain(buffer, length), "evbuffer_drain");
        } finally {
            exit();
        }
    }

    /** Makes the first bytes lie in one piece, copying if need be (evbuffer_pullup). */
    public void pullUp(long length) {
        enter(End.START);
        try {
            if (length < 0 || length > length()) {
                throw new IllegalArgumentException("the buffer has " + length() + " bytes, not " + length);
            }
            check(Native.libevent4j_buffer_pull_up(address, length), "evbuffer_pullup");
        } finally {
            exit();
        }
    }

    /**
     * The first bytes, which stay, as read-only views of the memory where they lie (evbuffer_peek). A view keeps that memory for as
     * long as it is reachable, even when the buffer is drained or closed; but where a part of a piece was drained, what comes later may
     * be written over it. Bytes that cannot be shared are copied: a file's, and any as long as views keep much memory that buffers have
     * given up.
     *
     * @param length how many bytes at the most
     */
    public List<ByteBuffer> peek(long length) {
        checkLength(length);
        enterToLook();
        try {
            long count = Math.min(length, length());
            if (count == 0) {
                return List.of();
            }
            List<ByteBuffer> views = Pins.views(loop, address, count);
            if (views != null) {
                return views;
            }
            byte[] copy = new byte[arraySize(count)];
            copyOut(0, copy, 0, copy.length);
            return List.of(ByteBuffer.wrap(copy).asReadOnlyBuffer());
        } finally {
            exit();
        }
    }

    /** Where these bytes begin, at or behind a position; or -1 (evbuffer_search). */
    public long search(byte[] what, long from) {
        return search(what, from, -1);
    }

    /** The same for bytes that end at or before a position, -1 for the buffer's end (evbuffer_search_range). */
    public long search(byte[] what, long from, long to) {
        if (Objects.requireNonNull(what, "what").length == 0) {
            throw new IllegalArgumentException("there must be something to search for");
        }
        enterToLook();
        try {
            checkPosition(from);
            if (to != -1) {
                checkPosition(to);
                if (to < from) {
                    throw new IllegalArgumentException("the end " + to + " is before the start " + from);
                }
            }
            return Native.libevent4j_buffer_search(address, what, from, to);
        } finally {
            exit();
        }
    }

    /** The first line end at or behind a position (evbuffer_search_eol). */
    public Optional<Eol> searchEol(long from, EolStyle style) {
        Objects.requireNonNull(style, "style");
        enterToLook();
        try {
            checkPosition(from);
            int[] length = new int[1];
            long position = Native.libevent4j_buffer_search_eol(address, from, style.value, length);
            return position < 0 ? Optional.empty() : Optional.of(new Eol(position, length[0]));
        } finally {
            exit();
        }
    }

    /** Removes and returns a line without its end, or nothing while there is no whole line (evbuffer_readln). */
    public Optional<byte[]> readLine(EolStyle style) {
        enter(End.START);
        try {
            return searchEol(0, style).map(eol -> {
                byte[] line = new byte[arraySize(eol.position())];
                copyOut(0, line, 0, line.length);
                drain(eol.position() + eol.length());
                return line;
            });
        } finally {
            exit();
        }
    }

    /** The same as text. */
    public Optional<String> readLine(EolStyle style, Charset charset) {
        Objects.requireNonNull(charset, "charset");
        return readLine(style).map(line -> new String(line, charset));
    }

    // ---- descriptors

    /**
     * Reads once from a non-blocking channel of the JDK to the end of this buffer (evbuffer_read).
     *
     * @return how many bytes; 0 when there is nothing to read now, -1 at the end
     */
    public int readFrom(SelectableChannel channel, int length) throws IOException {
        return readFrom(Descriptors.ofNonBlocking(Objects.requireNonNull(channel, "channel")), length);
    }

    /** The same from a descriptor. */
    public int readFrom(long descriptor, int length) throws IOException {
        Descriptors.checkRange(descriptor);
        checkLength(length);
        enter(End.END);
        try {
            if (length == 0) {
                return 0;
            }
            int count = Native.libevent4j_buffer_read(address, descriptor, length);
            return count == 0 ? -1 : transferred(count, "evbuffer_read from descriptor " + descriptor);
        } finally {
            exit();
        }
    }

    /**
     * Writes once from the start of this buffer to a non-blocking channel of the JDK, and removes what was written
     * (evbuffer_write_atmost).
     *
     * @return how many bytes; 0 when nothing can be written now
     */
    public int writeTo(SelectableChannel channel, long length) throws IOException {
        return writeTo(Descriptors.ofNonBlocking(Objects.requireNonNull(channel, "channel")), length);
    }

    /** The same to a descriptor. */
    public int writeTo(long descriptor, long length) throws IOException {
        Descriptors.checkRange(descriptor);
        checkLength(length);
        enter(End.START);
        try {
            if (length == 0 || length() == 0) {
                return 0;
            }
            return transferred(Native.libevent4j_buffer_write(address, descriptor, length),
                "evbuffer_write to descriptor " + descriptor);
        } finally {
            exit();
        }
    }

    private static int transferred(int count, String operation) throws LibeventException {
        if (count < 0) {
            int errno = Native.libevent4j_errno();
            if (Native.libevent4j_would_block(errno) == 0) {
                throw new LibeventException(operation, errno);
            }
            return 0;
        }
        return count;
    }

    // ---- listening and freezing

    /** Calls a listener each time when the length changes (evbuffer_add_cb). */
    public Subscription onChange(Listener listener) {
        Objects.requireNonNull(listener, "listener");
        enter();
        try {
            Subscribed[] made = new Subscribed[1];
            Callbacks.BufferTarget target = (before, added, deleted) -> {
                if (made[0].isOpen() && isOpen()) {
                    listener.changed(before, added, deleted);
                }
            };
            long id = loop.register(target);
            long entry = Native.libevent4j_buffer_add_cb(address, id);
            if (entry == 0) {
                loop.unregister(id);
                throw new OutOfMemoryError("evbuffer_add_cb");
            }
            made[0] = new Subscribed(this, id, Addresses.of(entry, evbuffer_cb_entry::new));
            subscriptions.add(made[0]);
            return made[0];
        } finally {
            exit();
        }
    }

    /**
     * Calls listeners from the loop from now on, once for all changes since the last time, and no longer inside the call that changes
     * the buffer (evbuffer_defer_callbacks).
     *
     * @throws IllegalStateException when this is a bufferevent's, which has to hear of each change itself
     */
    public void deferCallbacks() {
        enter();
        try {
            if (use != Use.OWN) {
                throw new IllegalStateException("a bufferevent's own buffer tells of its changes at once");
            }
            if (!deferred) { // again would forget that one is due
                libevent.evbuffer_defer_callbacks(buffer, loop.base());
                deferred = true;
            }
        } finally {
            exit();
        }
    }

    private static final class Subscribed extends NativeHandle implements Subscription {
        private final Buffer owner;
        private final long id;
        private final evbuffer_cb_entry entry;

        Subscribed(Buffer owner, long id, evbuffer_cb_entry entry) {
            super(owner);
            this.owner = owner;
            this.id = id;
            this.entry = entry;
        }

        @Override
        public void disable() {
            enter();
            try {
                libevent.evbuffer_cb_clear_flags(owner.buffer, entry, libevent.EVBUFFER_CB_ENABLED);
            } finally {
                exit();
            }
        }

        @Override
        public void enable() {
            enter();
            try {
                libevent.evbuffer_cb_set_flags(owner.buffer, entry, libevent.EVBUFFER_CB_ENABLED);
            } finally {
                exit();
            }
        }

        @Override
        protected void release() {
            if (owner.subscriptions.remove(this)) { // otherwise the buffer is gone
                libevent.evbuffer_remove_cb_entry(owner.buffer, entry);
            }
            owner.loop.unregister(id);
        }
    }

    /** Ends a borrowed buffer before its owner. */
    void endBorrow() {
        end();
    }

    /** Ends what hangs on this buffer, which is freed now. */
    void dropSubscriptions() {
        List<Subscribed> open = List.copyOf(subscriptions);
        subscriptions.clear();
        open.forEach(NativeHandle::close);
    }

    /** Lets nothing change this end until {@link #unfreeze} (evbuffer_freeze). */
    public void freeze(End end) {
        freeze(end, true);
    }

    /** Undoes {@link #freeze} (evbuffer_unfreeze). */
    public void unfreeze(End end) {
        freeze(end, false);
    }

    private void freeze(End end, boolean frozen) {
        Objects.requireNonNull(end, "end");
        enter();
        try {
            if (use != Use.OWN) {
                throw new IllegalStateException("the ends of a bufferevent's own buffer are for libevent to freeze");
            }
            int start = end == End.START ? 1 : 0;
            if (frozen) {
                libevent.evbuffer_freeze(buffer, start);
            } else {
                libevent.evbuffer_unfreeze(buffer, start);
            }
            if (end == End.START) {
                startFrozen = frozen;
            } else {
                endFrozen = frozen;
            }
        } finally {
            exit();
        }
    }

    // ---- as Java's channels and streams

    /** Removes bytes from the start; -1 when there are none. */
    @Override
    public int read(ByteBuffer target) {
        if (!Objects.requireNonNull(target, "target").hasRemaining()) {
            return 0;
        }
        int count = remove(target);
        return count == 0 ? -1 : count;
    }

    /** Adds all bytes at the end. */
    @Override
    public int write(ByteBuffer source) {
        int count = Objects.requireNonNull(source, "source").remaining();
        add(source);
        return count;
    }

    /** Adds all bytes of several buffers at the end (evbuffer_add_iovec). */
    @Override
    public long write(ByteBuffer[] sources) {
        return write(sources, 0, Objects.requireNonNull(sources, "sources").length);
    }

    /** Adds all bytes of some of these buffers at the end (evbuffer_add_iovec). */
    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        List<ByteBuffer> parts = part(sources, offset, length, "sources");
        enter(End.END);
        try {
            long count = 0;
            for (ByteBuffer part : parts) {
                count += write(part);
            }
            return count;
        } finally {
            exit();
        }
    }

    /** Removes bytes from the start into several buffers, one after the other; -1 when there are none. */
    @Override
    public long read(ByteBuffer[] targets) {
        return read(targets, 0, Objects.requireNonNull(targets, "targets").length);
    }

    /** Removes bytes from the start into some of these buffers, one after the other; -1 when there are none. */
    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
        List<ByteBuffer> parts = part(targets, offset, length, "targets");
        parts.forEach(Buffer::checkWritable);
        enter(End.START);
        try {
            boolean wanted = parts.stream().anyMatch(ByteBuffer::hasRemaining);
            long count = 0;
            for (ByteBuffer part : parts) {
                count += remove(part);
            }
            return wanted && count == 0 ? -1 : count;
        } finally {
            exit();
        }
    }

    /** Removes from the start what is read; at its end when the buffer is empty. Closing it does nothing. */
    public InputStream inputStream() {
        ensureUsable();
        return new InputStream() {
            private final byte[] one = new byte[1];

            @Override
            public int read() {
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                if (length == 0) {
                    return 0;
                }
                int count = remove(target, offset, length);
                return count == 0 ? -1 : count;
            }

            @Override
            public int available() {
                return (int) Math.min(length(), Integer.MAX_VALUE);
            }
        };
    }

    /** Adds at the end what is written. Closing it does nothing. */
    public OutputStream outputStream() {
        ensureUsable();
        return new OutputStream() {
            @Override
            public void write(int b) {
                add((byte) b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                add(bytes, offset, length);
            }
        };
    }

    // ----

    /** That this thread may use the open buffer now. */
    private void ensureUsable() {
        enter();
        exit();
    }

    private static List<ByteBuffer> part(ByteBuffer[] buffers, int offset, int length, String name) {
        List<ByteBuffer> all = List.of(Arguments.noNulls(buffers, name));
        return all.subList(offset, Objects.checkFromIndexSize(offset, length, buffers.length) + length);
    }

    private static void checkWritable(ByteBuffer target) {
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("the target is read-only");
        }
    }

    private void checkPosition(long position) {
        if (position < 0 || position > length()) {
            throw new IllegalArgumentException("a position is 0 to " + length() + ", not " + position);
        }
    }

    private static void checkLength(long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a length must not be negative: " + length);
        }
    }

    private static void checkRoom(long bytes) {
        if (bytes > MOST_ROOM) {
            throw new IllegalArgumentException("room is at most " + MOST_ROOM + " bytes, not " + bytes);
        }
    }

    private static int arraySize(long length) {
        if (length > Integer.MAX_VALUE) {
            throw new IllegalStateException(length + " bytes do not fit into an array: take parts");
        }
        return (int) length;
    }

    /** Frozen ends are checked before, so that only memory can be missing. */
    private static int check(int result, String operation) {
        if (result < 0) {
            throw new OutOfMemoryError(operation);
        }
        return result;
    }

    @Override
    protected void release() {
        dropSubscriptions();
        // Bytes that it shares, by way of another buffer with itself even, would keep all of it.
        libevent.evbuffer_unfreeze(buffer, 1);
        libevent.evbuffer_drain(buffer, libevent.evbuffer_get_length(buffer));
        libevent.evbuffer_free(buffer);
    }
}
