package io.github.libevent4j.io;

import io.github.libevent4j.internal.Micros;
import java.time.Duration;

/**
 * How fast bytes may flow: token buckets that are filled by a rate at each tick, and hold no more than a burst
 * (ev_token_bucket_cfg). Immutable.
 *
 * @param readRate bytes that may be read in one tick
 * @param readBurst the most bytes that may be read at once; at least the rate
 * @param writeRate bytes that may be written in one tick
 * @param writeBurst the most bytes that may be written at once; at least the rate
 * @param tick the time between two fillings, at least a millisecond
 */
public record RateLimit(long readRate, long readBurst, long writeRate, long writeBurst, Duration tick) {

    /** No limit for one direction. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /** Checks the ranges. */
    public RateLimit {
        if (readRate < 1 || writeRate < 1 || readBurst < readRate || writeBurst < writeRate) {
            throw new IllegalArgumentException("rates must be at least 1 byte, and bursts at least the rate: read " + readRate + "/"
                + readBurst + ", write " + writeRate + "/" + writeBurst);
        }
        Micros.positive(tick, "tick");
        if (tick.compareTo(Duration.ofMillis(1)) < 0 || tick.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("a tick is a millisecond to an hour, not " + tick);
        }
    }

    /** So many bytes a second in each direction, at most a second's worth at once, spread over ticks of a tenth of a second. */
    public static RateLimit perSecond(long read, long write) {
        return new RateLimit(read < 1 ? read : Math.max(1, read / 10), read, write < 1 ? write : Math.max(1, write / 10), write,
            Duration.ofMillis(100));
    }
}
