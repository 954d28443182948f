package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeLibrary;
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
public final class Signal implements AutoCloseable {

    /** The JVM needs these for itself, or nobody can handle them. */
    private static final Set<String> REFUSED = Set.of("SEGV", "BUS", "FPE", "ILL", "QUIT", "PIPE", "TRAP", "XFSZ", "USR2", "ABRT",
        "KILL", "STOP");

    private static WeakReference<EventBase> owner = new WeakReference<>(null);
    private static int count;

    private final Event event;
    private boolean closed;

    private Signal(Event event) {
        this.event = event;
    }

    /**
     * Handles a signal from now on (evsignal_new, event_add).
     *
     * @param name without SIG, such as {@code TERM}
     * @throws IllegalArgumentException for a signal that the JVM keeps for itself, or that this platform does not have
     * @throws IllegalStateException when another open base handles signals
     * @throws IOException when the system refuses
     */
    public static Signal create(EventBase base, String name, Runnable action) throws IOException {
        Objects.requireNonNull(action, "action");
        NativeLibrary.ensureLoaded();
        if (REFUSED.contains(name)) {
            throw new IllegalArgumentException("SIG" + name + " is the JVM's or the system's own: use another, such as TERM");
        }
        int number = Native.libevent4j_signal_number(name);
        if (number < 0) {
            throw new IllegalArgumentException("there is no signal " + name + " here: names are without SIG, such as TERM");
        }
        claim(base);
        Event event = null;
        try {
            event = Event.create(base, number, libevent.EV_SIGNAL | libevent.EV_PERSIST, what -> action.run());
            event.addMicros(-1);
            return new Signal(event);
        } catch (Throwable e) {
            if (event != null) {
                event.close();
            }
            giveUp();
            throw e;
        }
    }

    private static synchronized void claim(EventBase base) {
        EventBase other = owner.get();
        if (count > 0 && other != null && other != base && other.isOpen()) {
            throw new IllegalStateException(other + " handles signals already, and only one base can: use that one");
        }
        if (other != base) {
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
        synchronized (Signal.class) {
            if (!closed) {
                closed = true;
                giveUp();
            }
        }
        event.close();
    }
}
