package io.github.libevent4j.internal;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;

/** Durations as libevent counts them. */
public final class Micros {

    private static final Duration MAX = Duration.ofDays(365 * 1000);

    private Micros() {
    }

    /**
     * Microseconds, rounded up, so that nothing fires early.
     *
     * @param name the parameter's, for messages
     * @throws IllegalArgumentException when negative or longer than 1000 years
     */
    public static long of(Duration duration, String name) {
        if (Objects.requireNonNull(duration, name).isNegative() || duration.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(name + " must be between zero and 1000 years, not " + duration);
        }
        return duration.getSeconds() * 1_000_000 + (duration.getNano() + 999) / 1000;
    }

    /** The other way round; a negative number is no duration. */
    public static Optional<Duration> optional(long micros) {
        return micros < 0 ? Optional.empty() : Optional.of(Duration.of(micros, ChronoUnit.MICROS));
    }

    /** The same, but not zero. */
    public static long positive(Duration duration, String name) {
        if (Objects.requireNonNull(duration, name).isZero()) {
            throw new IllegalArgumentException(name + " must be longer than zero");
        }
        return of(duration, name);
    }
}
