package io.github.libevent4j.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.bytedeco.javacpp.Pointer;

/** Writes a message's head for C, as {@code native/wire.c} reads it. One per loop, used again for each message. */
public final class HeadWriter {

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private byte[] bytes;
    private int length;
    private ByteBuffer copy; // C's
    private long address;
    private int countAt;
    private int count;
    private Object source; // names what the written head is made of; null when its writer has not
    private String variant;

    HeadWriter(int size) {
        bytes = new byte[size];
        allocate(size);
    }

    private void allocate(int size) {
        copy = ByteBuffer.allocateDirect(size);
        address = new Pointer(copy).address();
    }

    /** Starts a head, with a request's URI or a reply's reason phrase, null for libevent's own. */
    public HeadWriter begin(String text) {
        source = null;
        length = 0;
        put(text);
        countAt = length;
        count = 0;
        putInt(0);
        return this;
    }

    /** Adds a header; both are ISO-8859-1. */
    public HeadWriter add(String name, String value) {
        put(name);
        put(value);
        count++;
        return this;
    }

    /**
     * Ends the head as {@link #end} does, and remembers what it was made of: the name of something immutable, which is held until the next
     * begin(), and the one thing that is not told by that.
     */
    public long end(Object source, String variant) {
        long written = end();
        this.source = source;
        this.variant = variant;
        return written;
    }

    /** The address of the head that was last written, when it was made of just that; else 0. */
    public long written(Object source, String variant) {
        return this.source == source && Objects.equals(this.variant, variant) ? address : 0;
    }

    /** Ends the head and returns its address. It is valid until the next begin(). */
    public long end() {
        INT.set(bytes, countAt, count);
        if (copy.capacity() < length) {
            allocate(bytes.length);
        }
        copy.put(0, bytes, 0, length);
        return address;
    }

    @SuppressWarnings("deprecation") // of all characters this takes the low byte, which is what there is of ISO-8859-1
    private void put(String string) {
        if (string == null) {
            putInt(-1);
            return;
        }
        int size = string.length();
        putInt(size);
        ensure(size + 1);
        string.getBytes(0, size, bytes, length);
        length += size;
        bytes[length++] = 0;
    }

    private void putInt(int value) {
        ensure(Integer.BYTES);
        INT.set(bytes, length, value);
        length += Integer.BYTES;
    }

    private void ensure(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
