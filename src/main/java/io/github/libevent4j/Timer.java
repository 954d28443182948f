package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.EventHandle;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** Runs something after a time, once or again and again (evtimer). On the loop's thread. */
public final class Timer extends EventHandle {

    /** An action that wants to know when its timer is closed, or its base. */
    interface Owned extends Runnable {
        void freed();
    }

    private final Runnable action;
    private final boolean periodic;

    private Timer(EventBase base, int bits, Runnable action) {
        super(base, -1, bits);
        this.action = action;
        this.periodic = bits != 0;
    }

    private static Timer create(EventBase base, int bits, Runnable action) {
        Objects.requireNonNull(action, "action");
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            return new Timer(base, bits, action);
        } finally {
            loop.exit();
        }
    }

    /** A timer that runs once for each {@link #start} (evtimer_new). */
    public static Timer create(EventBase base, Runnable action) {
        return create(base, 0, action);
    }

    /** A timer that runs again and again from {@link #start} to {@link #stop}, without drift (EV_PERSIST). */
    public static Timer periodic(EventBase base, Runnable action) {
        return create(base, libevent.EV_PERSIST, action);
    }

    @Override
    protected void active(int what) {
        action.run();
    }

    /** Starts, or starts anew: the time counts from now (evtimer_add). A periodic timer's must be longer than zero. */
    public void start(Duration delay) {
        long micros = periodic ? Micros.positive(delay, "delay") : Micros.of(delay, "delay");
        enter();
        try {
            check(Native.libevent4j_event_add(address(), micros));
        } finally {
            exit();
        }
    }

    /** The same with a common timeout of this timer's base. */
    public void start(CommonTimeout delay) {
        Objects.requireNonNull(delay, "delay");
        enter();
        try {
            check(Native.libevent4j_event_add_common(address(), delay.address(this)));
        } finally {
            exit();
        }
    }

    private static void check(int result) {
        if (result != 0) { // there is no descriptor that a backend could refuse
            throw new UncheckedIOException(new LibeventException("event_add of a timer", Native.libevent4j_errno()));
        }
    }

    /** Waits no longer (evtimer_del). */
    public void stop() {
        delete();
    }

    /** Whether the timer waits, or is due (evtimer_pending). */
    public boolean isPending() {
        return pending();
    }

    /** How long the timer still waits, when it does (evtimer_pending). */
    public Optional<Duration> remaining() {
        return timeLeft();
    }

    /** See {@link Event#priority()}. */
    public int priority() {
        return urgency();
    }

    /** See {@link Event#priority(int)}. */
    public void priority(int priority) {
        urgency(priority);
    }

    @Override
    protected void release() {
        super.release();
        if (action instanceof Owned owned) {
            owned.freed();
        }
    }
}
