package io.github.libevent4j.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/** Writes a message's head for C, as {@code native/wire.c} reads it. One per loop, used again for each message. */
public final class HeadWriter {

    private ByteBuffer bytes;
    private long address;
    private int countAt;
    private int count;

    HeadWriter(int size) {
        allocate(size);
    }

    private void allocate(int size) {
        bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
        address = new Pointer(bytes).address();
    }

    /** Starts a head, with a reason phrase or, for libevent's own, null. */
    public HeadWriter begin(String reason) {
        bytes.clear();
        put(reason);
        ensure(Integer.BYTES);
        countAt = bytes.position();
        count = 0;
        bytes.putInt(0);
        return this;
    }

    /** Adds a header; both are ISO-8859-1. */
    public HeadWriter add(String name, String value) {
        put(name);
        put(value);
        count++;
        return this;
    }

    /** Ends the head and returns its address. It is valid until the next begin(). */
    public long end() {
        bytes.putInt(countAt, count);
        return address;
    }

    private void put(String string) {
        if (string == null) {
            ensure(Integer.BYTES);
            bytes.putInt(-1);
            return;
        }
        int length = string.length();
        ensure(Integer.BYTES + length + 1);
        bytes.putInt(length);
        for (int i = 0; i < length; i++) {
            bytes.put((byte) string.charAt(i));
        }
        bytes.put((byte) 0);
    }

    private void ensure(int more) {
        if (bytes.remaining() < more) {
            ByteBuffer full = bytes;
            allocate(Math.max(full.capacity() * 2, full.position() + more));
            bytes.put(full.flip());
        }
    }
}
