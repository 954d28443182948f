package io.github.libevent4j;

import io.github.libevent4j.bindings.evutil_monotonic_timer;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Native;

/** Libevent's precise monotonic timer, of which one is enough: it lives as long as the process. */
final class MonotonicClock {

    private static final evutil_monotonic_timer TIMER = configure();

    private MonotonicClock() {
    }

    private static evutil_monotonic_timer configure() {
        evutil_monotonic_timer timer = libevent.evutil_monotonic_timer_new();
        if (timer == null) {
            throw new OutOfMemoryError("evutil_monotonic_timer_new");
        }
        libevent.evutil_configure_monotonic_time(timer, libevent.EV_MONOT_PRECISE);
        return timer;
    }

    static synchronized long micros() {
        return Native.libevent4j_monotonic_time(TIMER.address());
    }
}
