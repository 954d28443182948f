package io.github.libevent4j;

import io.github.libevent4j.bindings.event;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Addresses;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
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
public final class Event extends NativeHandle {

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

        /** The event was closed, or its base. */
        default void freed() {
        }
    }

    private final event event;
    private final long id;
    private final long descriptor;
    private final String name;
    private final Action action;

    private Event(EventBase base, long descriptor, String name, Action action, event event, long id) {
        super(base);
        this.descriptor = descriptor;
        this.name = name;
        this.action = action;
        this.event = event;
        this.id = id;
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
            Event[] self = new Event[1];
            Callbacks.EventTarget target = what -> action.run(self[0], what);
            long id = loop.register(target);
            long address = Native.libevent4j_event_new(loop.address(), descriptor, bits, id);
            if (address == 0) {
                loop.unregister(id);
                throw new OutOfMemoryError("event_new");
            }
            self[0] = new Event(base, descriptor, name, action, Addresses.of(address, event::new), id);
            return self[0];
        } finally {
            loop.exit();
        }
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
            return allKinds(libevent.event_get_events(event));
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
            if (Native.libevent4j_event_add_common(event.address(), timeout.address(this)) != 0) {
                throw new LibeventException("event_add of descriptor " + descriptor, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    void addMicros(long micros) throws IOException {
        enter();
        try {
            if (Native.libevent4j_event_add(event.address(), micros) != 0) {
                throw new LibeventException("event_add of descriptor " + descriptor, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    /** Waits no longer; a callback that was due does not run (event_del). */
    public void remove() {
        enter();
        try {
            libevent.event_del(event);
        } finally {
            exit();
        }
    }

    /** Waits on without the timeout, when it has one (event_remove_timer). */
    public void removeTimeout() {
        enter();
        try {
            libevent.event_remove_timer(event);
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
            libevent.event_active(event, bits, (short) 1);
        } finally {
            exit();
        }
    }

    /** Whether the event waits, or its callback is due (event_pending). */
    public boolean isPending() {
        enter();
        try {
            return libevent.event_pending(event, (short) (libevent.EV_TIMEOUT | libevent.EV_READ | libevent.EV_WRITE
                | libevent.EV_SIGNAL | libevent.EV_CLOSED), null) != 0;
        } finally {
            exit();
        }
    }

    /** How long the event still waits for its timeout, when it waits for one; zero when that is due (event_pending). */
    public Optional<Duration> remaining() {
        enter();
        try {
            return Micros.optional(Native.libevent4j_event_remaining(event.address()));
        } finally {
            exit();
        }
    }

    /** How urgent the event is, 0 being the most (event_get_priority). */
    public int priority() {
        enter();
        try {
            return libevent.event_get_priority(event);
        } finally {
            exit();
        }
    }

    /**
     * Sets how urgent the event is, 0 being the most (event_priority_set).
     *
     * @throws IllegalArgumentException when the base has no such priority
     * @throws IllegalStateException when the event's callback is due
     */
    public void priority(int priority) {
        enter();
        try {
            int priorities = Loop.of(this).priorities();
            if (priority < 0 || priority >= priorities) {
                throw new IllegalArgumentException("this base has the priorities 0 to " + (priorities - 1) + ", not " + priority);
            }
            if (libevent.event_priority_set(event, priority) != 0) {
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
        if ((libevent.event_get_events(event) & libevent.EV_SIGNAL) == 0) {
            libevent.event_del(event);
        }
        Loop.of(this).unregister(id);
    }

    @Override
    protected void release() {
        libevent.event_free(event);
        Loop.of(this).unregister(id);
        action.freed();
    }

    /** For messages. Any thread. */
    @Override
    public String toString() {
        return name + "@" + Integer.toHexString(System.identityHashCode(this));
    }
}
