package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.EventHandle;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A descriptor to watch, or something to activate by hand (struct event). For time alone see {@link Timer}, for signals
 * {@link Signal}.
 *
 * <p>An event waits from {@link #add} until it has become active once, or, when {@link Kind#PERSIST persistent}, until
 * {@link #remove}. It does not own its descriptor: remove the event, or close it on the loop's thread, before the descriptor is
 * closed.
 */
public final class Event extends EventHandle {

    /** What to watch for, and how (EV_*). */
    public enum Kind {
        /** The time given to {@link Event#add(Duration)} has passed. */
        TIMEOUT(libevent.EV_TIMEOUT),
        /** There is something to read. */
        READ(libevent.EV_READ),
        /** Something can be written. */
        WRITE(libevent.EV_WRITE),
        /** The peer has closed; needs {@link EventBase.Feature#EARLY_CLOSE}. */
        CLOSED(libevent.EV_CLOSED),
        /** Stay added after becoming active. */
        PERSIST(libevent.EV_PERSIST),
        /** Become active when the state changes, not for as long as it lasts; needs {@link EventBase.Feature#EDGE_TRIGGERED}. */
        EDGE_TRIGGERED(libevent.EV_ET);

        private final int bit;

        Kind(int bit) {
            this.bit = bit;
        }
    }

    /** The kinds that say why an event is active; the others say how it waits. */
    private static final Set<Kind> HAPPENINGS = EnumSet.of(Kind.TIMEOUT, Kind.READ, Kind.WRITE, Kind.CLOSED);

    /** Runs on the loop's thread when an event is active. */
    @FunctionalInterface
    public interface Handler {
        /** @param what the kinds that made it active */
        void handle(Event event, Set<Kind> what) throws Exception;
    }

    /** What an event does when it is active, with libevent's bits for why. */
    interface Action {
        void run(Event event, int what) throws Exception;
    }

    private final long descriptor;
    private final String name;
    private final Action action;

    private Event(EventBase base, long descriptor, int bits, String name, Action action) {
        super(base, descriptor, bits);
        this.descriptor = descriptor;
        this.name = name;
        this.action = action;
    }

    /**
     * An event on a descriptor (event_new).
     *
     * @param descriptor an open descriptor, or -1 for an event that only time or {@link #activate} makes active
     * @throws IllegalArgumentException for kinds that the base's backend does not have
     */
    public static Event create(EventBase base, long descriptor, Set<Kind> kinds, Handler handler) {
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(handler, "handler");
        if (descriptor < -1 || descriptor > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(descriptor + " is not a descriptor");
        }
        Arguments.noNulls(kinds, "kinds");
        require(base, kinds, Kind.CLOSED, EventBase.Feature.EARLY_CLOSE);
        require(base, kinds, Kind.EDGE_TRIGGERED, EventBase.Feature.EDGE_TRIGGERED);
        int bits = bits(kinds);
        if (descriptor == -1 && (bits & (libevent.EV_READ | libevent.EV_WRITE | libevent.EV_CLOSED)) != 0) {
            throw new IllegalArgumentException("an event without a descriptor cannot wait for " + kinds);
        }
        return create(base, descriptor, bits, "Event", (event, what) -> handler.handle(event, kinds(what)));
    }

    /**
     * An event on a channel of the JDK, which must be in non-blocking mode and not be registered with a selector.
     *
     * @throws UnsupportedOperationException when the channel's descriptor cannot be had
     */
    public static Event create(EventBase base, SelectableChannel channel, Set<Kind> kinds, Handler handler) {
        return create(base, Descriptors.ofNonBlocking(Objects.requireNonNull(channel, "channel")), kinds, handler);
    }

    /** @param name what the event is to those who read its messages */
    static Event create(EventBase base, long descriptor, int bits, String name, Action action) {
        Loop loop = Loop.of(base);
        loop.enter();
        try {
            return new Event(base, descriptor, bits, name, action);
        } finally {
            loop.exit();
        }
    }

    @Override
    protected void active(int what) throws Exception {
        action.run(this, what);
    }

    private static void require(EventBase base, Set<Kind> kinds, Kind kind, EventBase.Feature feature) {
        if (kinds.contains(kind) && !base.features().contains(feature)) {
            throw new IllegalArgumentException("the backend " + base.method() + " has no " + kind + " events");
        }
    }

    static int bits(Set<Kind> kinds) {
        int bits = 0;
        for (Kind kind : Arguments.noNulls(kinds, "kinds")) {
            bits |= kind.bit;
        }
        return bits;
    }

    /** The bits of kinds that make an event active. */
    static short happenings(Set<Kind> kinds) {
        if (Arguments.noNulls(kinds, "kinds").isEmpty() || !HAPPENINGS.containsAll(kinds)) {
            throw new IllegalArgumentException("an event becomes active with READ, WRITE, CLOSED or TIMEOUT, not with " + kinds);
        }
        return (short) bits(kinds);
    }

    /** Those of the kinds that can happen; libevent reports EV_ET too. */
    static Set<Kind> kinds(int bits) {
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (Kind kind : HAPPENINGS) {
            if ((bits & kind.bit) != 0) {
                kinds.add(kind);
            }
        }
        return kinds;
    }

    /** The kinds of a set of bits, those that say how an event waits among them. */
    static Set<Kind> allKinds(int bits) {
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (Kind kind : Kind.values()) {
            if ((bits & kind.bit) != 0) {
                kinds.add(kind);
            }
        }
        return kinds;
    }

    /** The kinds that this event was created with (event_get_events). */
    public Set<Kind> kinds() {
        enter();
        try {
            return allKinds(libevent.event_get_events(event()));
        } finally {
            exit();
        }
    }

    /** The descriptor, or -1 (event_get_fd). Any thread. */
    public long descriptor() {
        ensureOpen();
        return descriptor;
    }

    /**
     * Waits for the event's kinds, without a timeout (event_add).
     *
     * @throws IOException when the backend does not take the descriptor
     */
    public void add() throws IOException {
        addDescriptor(-1);
    }

    /** Waits for the event's kinds, and becomes active with {@link Kind#TIMEOUT} after this time (event_add). */
    public void add(Duration timeout) throws IOException {
        addDescriptor(Micros.of(timeout, "timeout"));
    }

    private void addDescriptor(long micros) throws IOException {
        if (descriptor >= 0) {
            checkDescriptor(descriptor, "event_add");
        }
        addMicros(micros);
    }

    /** Libevent would make room for any number that is called a descriptor. */
    static void checkDescriptor(long descriptor, String operation) throws LibeventException {
        Descriptors.checkRange(descriptor);
        if (Native.libevent4j_descriptor_check(descriptor) != 0) {
            throw new LibeventException(operation + " of descriptor " + descriptor, Native.libevent4j_errno());
        }
    }

    /** The same with a common timeout of this event's base. */
    public void add(CommonTimeout timeout) throws IOException {
        Objects.requireNonNull(timeout, "timeout");
        if (descriptor >= 0) {
            checkDescriptor(descriptor, "event_add");
        }
        enter();
        try {
            if (Native.libevent4j_event_add_common(address(), timeout.address(this)) != 0) {
                throw new LibeventException("event_add of descriptor " + descriptor, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    void addMicros(long micros) throws IOException {
        enter();
        try {
            if (Native.libevent4j_event_add(address(), micros) != 0) {
                throw new LibeventException("event_add of descriptor " + descriptor, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    /** Waits no longer; a callback that was due does not run (event_del). */
    public void remove() {
        delete();
    }

    /** Waits on without the timeout, when it has one (event_remove_timer). */
    public void removeTimeout() {
        enter();
        try {
            libevent.event_remove_timer(event());
        } finally {
            exit();
        }
    }

    /**
     * Makes the event active with these kinds, as if they had happened (event_active). For another thread to do so, it passes this
     * to {@link EventBase#execute}.
     */
    public void activate(Set<Kind> kinds) {
        short bits = happenings(kinds);
        enter();
        try {
            libevent.event_active(event(), bits, (short) 1);
        } finally {
            exit();
        }
    }

    /** Whether the event waits, or its callback is due (event_pending). */
    public boolean isPending() {
        return pending();
    }

    /** How long the event still waits for its timeout, when it waits for one; zero when that is due (event_pending). */
    public Optional<Duration> remaining() {
        return timeLeft();
    }

    /** How urgent the event is, 0 being the most (event_get_priority). */
    public int priority() {
        return urgency();
    }

    /**
     * Sets how urgent the event is, 0 being the most (event_priority_set).
     *
     * @throws IllegalArgumentException when the base has no such priority
     * @throws IllegalStateException when the event's callback is due
     */
    public void priority(int priority) {
        urgency(priority);
    }

    /** For messages. Any thread. */
    @Override
    public String toString() {
        return name + "@" + Integer.toHexString(System.identityHashCode(this));
    }
}
