package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Micros;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** Runs something after a time, once or again and again (evtimer). On the loop's thread. */
public final class Timer implements AutoCloseable {

    private final Event event;
    private final boolean periodic;

    Timer(EventBase base, int bits, Event.Action action) {
        this.periodic = bits != 0;
        this.event = Event.create(base, -1, bits, "Timer", action);
    }

    private static Event.Action run(Runnable action) {
        Objects.requireNonNull(action, "action");
        return (event, what) -> action.run();
    }

    /** A timer that runs once for each {@link #start} (evtimer_new). */
    public static Timer create(EventBase base, Runnable action) {
        return new Timer(base, 0, run(action));
    }

    /** A timer that runs again and again from {@link #start} to {@link #stop}, without drift (EV_PERSIST). */
    public static Timer periodic(EventBase base, Runnable action) {
        return new Timer(base, libevent.EV_PERSIST, run(action));
    }

    /** Starts, or starts anew: the time counts from now (evtimer_add). A periodic timer's must be longer than zero. */
    public void start(Duration delay) {
        try {
            event.addMicros(periodic ? Micros.positive(delay, "delay") : Micros.of(delay, "delay"));
        } catch (IOException e) { // there is no descriptor that a backend could refuse
            throw new UncheckedIOException(e);
        }
    }

    /** The same with a common timeout of this timer's base. */
    public void start(CommonTimeout delay) {
        Objects.requireNonNull(delay, "delay");
        try {
            event.add(delay);
        } catch (IOException e) { // there is no descriptor that a backend could refuse
            throw new UncheckedIOException(e);
        }
    }

    /** Waits no longer (evtimer_del). */
    public void stop() {
        event.remove();
    }

    /** Whether the timer waits, or is due (evtimer_pending). */
    public boolean isPending() {
        return event.isPending();
    }

    /** How long the timer still waits, when it does (evtimer_pending). */
    public Optional<Duration> remaining() {
        return event.remaining();
    }

    /** See {@link Event#priority()}. */
    public int priority() {
        return event.priority();
    }

    /** See {@link Event#priority(int)}. */
    public void priority(int priority) {
        event.priority(priority);
    }

    /** See {@link Event#close}. Any thread. */
    @Override
    public void close() {
        event.close();
    }
}
