package io.github.libevent4j;

import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.NativeHandle;
import java.time.Duration;

/** A duration that a base keeps a queue for, see {@link EventBase#commonTimeout}. Lives as long as its base. Immutable. */
public final class CommonTimeout {

    private final EventBase base;
    private final Duration duration;
    private final long timeout;

    CommonTimeout(EventBase base, Duration duration, long timeout) {
        this.base = base;
        this.duration = duration;
        this.timeout = timeout;
    }

    /** The duration. */
    public Duration duration() {
        return duration;
    }

    long address(NativeHandle user) {
        if (Loop.of(user) != Loop.of(base)) {
            throw new IllegalArgumentException("this common timeout belongs to another base");
        }
        return timeout;
    }
}
