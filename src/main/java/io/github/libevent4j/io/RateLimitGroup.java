package io.github.libevent4j.io;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.bindings.bufferevent_rate_limit_group;
import io.github.libevent4j.bindings.ev_token_bucket_cfg;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.NativeHandle;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * A rate limit that several bufferevents share (bufferevent_rate_limit_group). Belongs to its base's loop, and is closed with it;
 * its members leave it then.
 */
public final class RateLimitGroup extends NativeHandle {

    /** Bytes that a group's members have read and written. */
    public record Totals(long read, long written) {
    }

    private final Loop loop;
    private final bufferevent_rate_limit_group group;
    private final Set<BufferEvent> members = new LinkedHashSet<>();

    private RateLimitGroup(EventBase base, bufferevent_rate_limit_group group) {
        super(base);
        this.loop = Loop.of(base);
        this.group = group;
    }

    /** A group without members (bufferevent_rate_limit_group_new). */
    public static RateLimitGroup create(EventBase base, RateLimit limit) {
        Objects.requireNonNull(limit, "limit");
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            ev_token_bucket_cfg bucket = BufferEvent.bucket(limit);
            bufferevent_rate_limit_group group = libevent.bufferevent_rate_limit_group_new(loop.base(), bucket);
            libevent.ev_token_bucket_cfg_free(bucket); // the group has copied it
            if (group == null) {
                throw new OutOfMemoryError("bufferevent_rate_limit_group_new");
            }
            return new RateLimitGroup(base, group);
        } finally {
            loop.exit();
        }
    }

    /** Changes the limit (bufferevent_rate_limit_group_set_cfg). */
    public void limit(RateLimit limit) {
        Objects.requireNonNull(limit, "limit");
        enter();
        try {
            ev_token_bucket_cfg bucket = BufferEvent.bucket(limit);
            libevent.bufferevent_rate_limit_group_set_cfg(group, bucket);
            libevent.ev_token_bucket_cfg_free(bucket);
        } finally {
            exit();
        }
    }

    /** The fewest bytes that a member gets at a time, however many members there are (…_group_set_min_share). */
    public void minShare(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a share must not be negative: " + bytes);
        }
        enter();
        try {
            libevent.bufferevent_rate_limit_group_set_min_share(group, bytes);
        } finally {
            exit();
        }
    }

    /** Lets a bufferevent share the limit; it leaves another group for it (bufferevent_add_to_rate_limit_group). */
    public void add(BufferEvent member) {
        Objects.requireNonNull(member, "member");
        if (Loop.of(member) != loop) {
            throw new IllegalArgumentException("a bufferevent of another base cannot be in this group");
        }
        enter();
        try {
            member.join(this, group);
            members.add(member);
        } finally {
            exit();
        }
    }

    /** Lets a member go on without the group's limit (bufferevent_remove_from_rate_limit_group). */
    public void remove(BufferEvent member) {
        Objects.requireNonNull(member, "member");
        enter();
        try {
            if (!members.contains(member)) {
                throw member.isOpen() ? new IllegalArgumentException(member + " is not in this group")
                    : new IllegalStateException(member + " is closed, and so has left");
            }
            member.leave();
        } finally {
            exit();
        }
    }

    void left(BufferEvent member) {
        members.remove(member);
    }

    /** Bytes that members have moved since the start or the last reset (…_group_get_totals). */
    public Totals totals() {
        enter();
        try {
            long[] read = new long[1];
            long[] written = new long[1];
            libevent.bufferevent_rate_limit_group_get_totals(group, read, written);
            return new Totals(read[0], written[0]);
        } finally {
            exit();
        }
    }

    /** Counts from zero again (…_group_reset_totals). */
    public void resetTotals() {
        enter();
        try {
            libevent.bufferevent_rate_limit_group_reset_totals(group);
        } finally {
            exit();
        }
    }

    /** Bytes that may be read before the next tick; negative when more was read than was allowed (…_group_get_read_limit). */
    public long readLimit() {
        enter();
        try {
            return libevent.bufferevent_rate_limit_group_get_read_limit(group);
        } finally {
            exit();
        }
    }

    /** Bytes that may be written before the next tick (…_group_get_write_limit). */
    public long writeLimit() {
        enter();
        try {
            return libevent.bufferevent_rate_limit_group_get_write_limit(group);
        } finally {
            exit();
        }
    }

    /**
     * Counts bytes against the limit that are not a member's, or, with a negative number, gives some back
     * (bufferevent_rate_limit_group_decrement_read, bufferevent_rate_limit_group_decrement_write).
     */
    public void charge(BufferEvent.Direction direction, long bytes) {
        Objects.requireNonNull(direction, "direction");
        enter();
        try {
            if (direction == BufferEvent.Direction.READ) {
                libevent.bufferevent_rate_limit_group_decrement_read(group, bytes);
            } else {
                libevent.bufferevent_rate_limit_group_decrement_write(group, bytes);
            }
        } finally {
            exit();
        }
    }

    @Override
    protected void release() {
        Set.copyOf(members).forEach(BufferEvent::leave);
        libevent.bufferevent_rate_limit_group_free(group);
    }
}
