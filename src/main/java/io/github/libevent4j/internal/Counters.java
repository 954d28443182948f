package io.github.libevent4j.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/**
 * What C counts for a server, as {@code struct libevent4j_counters} lays it out. C writes it on the loop's thread; any thread reads
 * it, whether the server still is or not.
 */
public final class Counters {

    public static final int ACCEPTED = 0;
    public static final int OPEN = 1;
    public static final int REFUSED = 2;
    public static final int BEGUN = 3;
    public static final int COMPLETED = 4;
    public static final int ABORTED = 5;
    public static final int ANSWERED = 6;
    /** The first of five. */
    public static final int CLASSES = 7;
    public static final int RECEIVED = 12;
    public static final int SENT = 13;
    private static final int COUNT = 14;

    private static final VarHandle LONGS = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final ByteBuffer bytes = ByteBuffer.allocateDirect((COUNT + 1) * Long.BYTES).alignedSlice(Long.BYTES);

    /** Where C writes. Valid for as long as this is reachable. */
    public long address() {
        return new Pointer(bytes).address();
    }

    /** One of the counters. Any thread. */
    public long get(int counter) {
        return (long) LONGS.getOpaque(bytes, counter * Long.BYTES);
    }
}
