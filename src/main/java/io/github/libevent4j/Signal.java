package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.Objects;
import java.util.Set;

/**
 * Runs something on the loop's thread when the process gets a signal (evsignal). Waits from its creation until {@link #close}, and
 * in place of the JVM's own handler, so that TERM, INT and HUP no longer end the process.
 *
 * <p>Signals belong to the process: only one open base can have them at a time.
 */
public final class Signal extends NativeHandle {

    /** The JVM needs these for itself, or nobody can handle them. */
    private static final Set<String> REFUSED = Set.of("SEGV", "BUS", "FPE", "ILL", "QUIT", "PIPE", "TRAP", "XFSZ", "USR2", "ABRT",
        "KILL", "STOP");

    private static WeakReference<EventBase> owner = new WeakReference<>(null);
    private static int count;

    private Event event;

    private Signal(EventBase base) {
        super(base);
    }

    /**
     * Handles a signal from now on (evsignal_new, event_add).
     *
     * @param name without SIG, such as {@code TERM}
     * @throws IllegalArgumentException for a signal that the JVM keeps for itself, or that this platform does not have
     * @throws IllegalStateException when another base handles signals
     * @throws IOException when the system refuses
     */
    public static Signal create(EventBase base, String name, Runnable action) throws IOException {
        Objects.requireNonNull(action, "action");
        if (REFUSED.contains(Objects.requireNonNull(name, "name"))) {
            throw new IllegalArgumentException("SIG" + name + " is the JVM's or the system's own: use another, such as TERM");
        }
        int number = number(name);
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            claim(base);
            // The handle comes before its event, so that a base that is closed frees it after: then the signals are free to have.
            Signal signal = new Signal(base);
            try {
                signal.event = Event.create(base, number, libevent.EV_SIGNAL | libevent.EV_PERSIST, "Signal", (event, what) -> action.run());
                signal.event.addMicros(-1);
                return signal;
            } catch (Throwable e) {
                signal.close();
                throw e;
            }
        } finally {
            loop.exit();
        }
    }

    static int number(String name) {
        int number = Native.libevent4j_signal_number(Objects.requireNonNull(name, "name"));
        if (number < 0) {
            throw new IllegalArgumentException("there is no signal " + name + " here: names are without SIG, such as TERM");
        }
        return number;
    }

    private static synchronized void claim(EventBase base) {
        EventBase other = owner.get();
        if (other != base) {
            if (other != null && count > 0) {
                throw new IllegalStateException(other + " handles signals already, and only one base can: use that one, or close it");
            }
            owner = new WeakReference<>(base);
            count = 0;
        }
        count++;
    }

    private static synchronized void giveUp() {
        count--;
    }

    /** Gives the signal back to the JVM's handler. Any thread. */
    @Override
    public void close() {
        if (event != null) {
            event.close();
        }
        super.close();
    }

    @Override
    protected void release() {
        giveUp();
    }
}
