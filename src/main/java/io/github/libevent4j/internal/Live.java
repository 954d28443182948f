package io.github.libevent4j.internal;

import java.util.concurrent.atomic.AtomicLong;

/** What is alive now, so that a test can tell that nothing is left. */
public final class Live {

    static final AtomicLong HANDLES = new AtomicLong();
    static final AtomicLong TARGETS = new AtomicLong();

    private Live() {
    }

    /** Handles whose native object is not freed yet. */
    public static long handles() {
        return HANDLES.get();
    }

    /** Callback targets that C can reach by an id. */
    public static long targets() {
        return TARGETS.get();
    }

    /** Allocations of libevent and the shim, or -1 unless {@link NativeLibrary#DEBUG}. */
    public static long allocations() {
        return Native.libevent4j_live_allocations();
    }
}
