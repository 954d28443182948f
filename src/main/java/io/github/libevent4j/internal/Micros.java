package io.github.libevent4j.internal;

import java.time.Duration;

/** Durations as libevent counts them. */
public final class Micros {

    private static final Duration MAX = Duration.ofDays(365 * 1000);

    private Micros() {
    }

    /**
     * Microseconds, rounded up, so that nothing fires early.
     *
     * @throws IllegalArgumentException when negative or longer than 1000 years
     */
    public static long of(Duration duration, String what) {
        if (duration.isNegative() || duration.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(what + " must be between zero and 1000 years, not " + duration);
        }
        return duration.getSeconds() * 1_000_000 + (duration.getNano() + 999) / 1000;
    }

    /** The same, but not zero. */
    public static long positive(Duration duration, String what) {
        if (duration.isZero()) {
            throw new IllegalArgumentException(what + " must be longer than zero");
        }
        return of(duration, what);
    }
}
