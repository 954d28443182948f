package io.github.libevent4j.internal;

import io.github.libevent4j.bindings.event;
import io.github.libevent4j.global.libevent;
import java.time.Duration;
import java.util.Optional;

/**
 * A handle over a native event, and the target of its callback: of a million timers hardly one is in the processor's cache when it
 * fires, so that each object between the callback and what it runs would take its time.
 */
public abstract class EventHandle extends NativeHandle {

    private final long address;
    private final long id;

    /**
     * A new event (event_new). The loop is held.
     *
     * @param descriptor or signal, or -1
     * @param bits EV_*
     */
    protected EventHandle(NativeHandle base, long descriptor, int bits) {
        super(base);
        long made = 0;
        try {
            id = loop.register(this);
            made = Native.libevent4j_event_new(loop.address(), descriptor, bits, id);
            if (made == 0) {
                loop.unregister(id);
                throw new OutOfMemoryError("event_new");
            }
        } finally {
            address = made;
            if (made == 0) {
                transfer();
            }
        }
    }

    /** The event is active, with libevent's bits for why. */
    protected abstract void active(int what) throws Exception;

    /** The native event's address. */
    protected final long address() {
        return address;
    }

    /** The native event for the raw layer. */
    protected final event event() {
        return Addresses.of(address, event::new);
    }

    /** event_del(). */
    protected final void delete() {
        enter();
        try {
            libevent.event_del(event());
        } finally {
            exit();
        }
    }

    /** event_pending(), for anything. */
    protected final boolean pending() {
        enter();
        try {
            return libevent.event_pending(event(), (short) (libevent.EV_TIMEOUT | libevent.EV_READ | libevent.EV_WRITE
                | libevent.EV_SIGNAL | libevent.EV_CLOSED), null) != 0;
        } finally {
            exit();
        }
    }

    /** event_pending() for the timeout: how long that still is. */
    protected final Optional<Duration> timeLeft() {
        enter();
        try {
            return Micros.optional(Native.libevent4j_event_remaining(address));
        } finally {
            exit();
        }
    }

    /** event_get_priority(). */
    protected final int urgency() {
        enter();
        try {
            return libevent.event_get_priority(event());
        } finally {
            exit();
        }
    }

    /** event_priority_set(). */
    protected final void urgency(int priority) {
        enter();
        try {
            int priorities = loop.priorities();
            if (priority < 0 || priority >= priorities) {
                throw new IllegalArgumentException("this base has the priorities 0 to " + (priorities - 1) + ", not " + priority);
            }
            if (libevent.event_priority_set(event(), priority) != 0) {
                throw new IllegalStateException("the priority of an active event cannot change: set it before, or in its callback");
            }
        } finally {
            exit();
        }
    }

    /**
     * The descriptor may be closed from now on, and its number be another's: nothing may wait for it any more. A signal's event is
     * left to event_free(): it deletes the event, and a signal's that was deleted in its own callback, while deliveries coalesced,
     * for the second time, which writes to where the stack was.
     */
    @Override
    protected void disarm() {
        event event = event();
        if ((libevent.event_get_events(event) & libevent.EV_SIGNAL) == 0) {
            libevent.event_del(event);
        }
        loop.unregister(id);
    }

    @Override
    protected void release() {
        libevent.event_free(event());
        loop.unregister(id);
    }
}
