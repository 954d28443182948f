package io.github.libevent4j;

import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.event_config;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Arguments;
import io.github.libevent4j.internal.Callbacks;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.internal.Loop;
import io.github.libevent4j.internal.Micros;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeHandle;
import io.github.libevent4j.internal.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * A loop and all that waits on it (event_base).
 *
 * <p>What lives on a base belongs to the thread that runs it: while one thread is in {@link #dispatch} or {@link #loop}, every
 * other that uses the base, or what lives on it, gets an {@link IllegalStateException} that names both. While no thread runs it,
 * any thread may use it. {@link #execute}, {@link #stop}, {@link #close} and what says so are safe on any thread at any time.
 *
 * <p>An exception that a callback throws goes to {@link #onException}'s handler, and the loop goes on. An {@link Error}, and what
 * that handler throws, stops the loop and comes out of {@link #dispatch}.
 *
 * <p>Closing a base closes all that lives on it. While its loop runs, the loop stops first.
 */
public final class EventBase extends NativeHandle implements Executor {

    /** How a base is set up (enum event_base_config_flag). */
    public enum Flag {
        /**
         * No locks: no other thread can reach a base that runs. {@link #execute} and {@link #stop} are refused there, and
         * {@link #close} waits for the loop to return.
         */
        NOLOCK(libevent.EVENT_BASE_FLAG_NOLOCK),
        /** Ignore the environment's {@code EVENT_*} variables. */
        IGNORE_ENV(libevent.EVENT_BASE_FLAG_IGNORE_ENV),
        /** Start up IOCP (Windows only). */
        STARTUP_IOCP(libevent.EVENT_BASE_FLAG_STARTUP_IOCP),
        /** Ask for the time anew after each callback. */
        NO_CACHE_TIME(libevent.EVENT_BASE_FLAG_NO_CACHE_TIME),
        /** Collect changes for epoll between two turns: fewer system calls; not for duplicated descriptors. */
        EPOLL_USE_CHANGELIST(libevent.EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST),
        /** Use the system's most precise timer, even where that is slower. */
        PRECISE_TIMER(libevent.EVENT_BASE_FLAG_PRECISE_TIMER);

        private final int bit;

        Flag(int bit) {
            this.bit = bit;
        }
    }

    /** What a backend can do (enum event_method_feature). */
    public enum Feature {
        /** Edge-triggered events. */
        EDGE_TRIGGERED(libevent.EV_FEATURE_ET),
        /** Constant cost of adding, removing or triggering one event. */
        O1(libevent.EV_FEATURE_O1),
        /** Descriptors of any type, not only sockets. */
        FDS(libevent.EV_FEATURE_FDS),
        /** Notice of a closed peer without reading what it sent before ({@link Event.Kind#CLOSED}). */
        EARLY_CLOSE(libevent.EV_FEATURE_EARLY_CLOSE);

        private final int bit;

        Feature(int bit) {
            this.bit = bit;
        }
    }

    /** How {@link #loop} runs. */
    public enum LoopFlag {
        /** Wait for events, run the callbacks of those that became active, and return. */
        ONCE(libevent.EVLOOP_ONCE),
        /** Run the callbacks of what is active now, and return without waiting. */
        NONBLOCK(libevent.EVLOOP_NONBLOCK),
        /** Go on waiting although no event is pending. */
        NO_EXIT_ON_EMPTY(libevent.EVLOOP_NO_EXIT_ON_EMPTY);

        private final int bit;

        LoopFlag(int bit) {
            this.bit = bit;
        }
    }

    /** Why a loop returned. */
    public enum LoopExit {
        /** It was told to, or had done what its flags asked for. */
        STOPPED,
        /** Nothing was pending or active any more. */
        NO_EVENTS
    }

    /**
     * An event that a base waits for, whoever made it.
     *
     * @param descriptor what it watches, or -1
     * @param signal the number of the signal that it waits for, or 0
     * @param kinds what it waits for, and how
     * @param remaining the time until its timeout, when it waits for one
     */
    public record EventInfo(long descriptor, int signal, Set<Event.Kind> kinds, int priority, Optional<Duration> remaining) {
        /** Copies the kinds. */
        public EventInfo {
            kinds = Set.copyOf(Arguments.noNulls(kinds, "kinds"));
            Objects.requireNonNull(remaining, "remaining");
        }
    }

    private final event_base base;
    private final Loop loop;

    private EventBase(event_base base, Loop loop) {
        super(loop);
        this.base = base;
        this.loop = loop;
    }

    /**
     * A base with the best backend of the platform (event_base_new).
     *
     * @throws IOException when the system refuses, for example for want of descriptors
     */
    public static EventBase create() throws IOException {
        return newBuilder().build();
    }

    /** Chooses backend, flags and priorities first (event_config). */
    public static Builder newBuilder() {
        return new Builder();
    }

    /** What to make a base of. Not thread-safe; may be used again. */
    public static final class Builder {
        private final List<String> avoided = new ArrayList<>();
        private final Set<Feature> required = EnumSet.noneOf(Feature.class);
        private final Set<Flag> flags = EnumSet.noneOf(Flag.class);
        private int priorities = 1;
        private long maxDispatchMicros = -1;
        private int maxCallbacks = -1;
        private int minPriority;
        private int cpus;

        private Builder() {
        }

        /** Leaves a backend out, by its name in {@link Libevent#supportedMethods} (event_config_avoid_method). */
        public Builder avoidMethod(String method) {
            avoided.add(Objects.requireNonNull(method, "method"));
            return this;
        }

        /** Takes only a backend that has all of these (event_config_require_features). */
        public Builder requireFeatures(Feature... features) {
            required.addAll(List.of(Arguments.noNulls(features, "features")));
            return this;
        }

        /** Sets flags (event_config_set_flag). */
        public Builder flags(Flag... flags) {
            this.flags.addAll(List.of(Arguments.noNulls(flags, "flags")));
            return this;
        }

        /**
         * The number of priorities, 1 to 255, of which 0 is the most urgent; new events get the middle one
         * (event_base_priority_init).
         */
        public Builder priorities(int count) {
            if (count < 1 || count >= libevent.EVENT_MAX_PRIORITIES) { // libevent refuses its own maximum
                throw new IllegalArgumentException("priorities must be 1 to " + (libevent.EVENT_MAX_PRIORITIES - 1) + ", not "
                    + count);
            }
            priorities = count;
            return this;
        }

        /**
         * Looks for more urgent events at least this often while callbacks of priority {@code minPriority} and less urgent ones
         * run (event_config_set_max_dispatch_interval).
         *
         * @param interval the longest time without a look; zero for no such limit
         * @param callbacks the most callbacks without a look; 0 for no such limit
         */
        public Builder maxDispatchInterval(Duration interval, int callbacks, int minPriority) {
            long micros = Micros.of(interval, "interval");
            if (callbacks < 0 || minPriority < 0) {
                throw new IllegalArgumentException("callbacks and minPriority must not be negative: " + callbacks + ", "
                    + minPriority);
            }
            maxDispatchMicros = micros == 0 ? -1 : micros;
            maxCallbacks = callbacks == 0 ? -1 : callbacks;
            this.minPriority = minPriority;
            return this;
        }

        /** How many processors IOCP may count on; no other backend asks (event_config_set_num_cpus_hint, Windows only). */
        public Builder numCpusHint(int cpus) {
            if (cpus < 1) {
                throw new IllegalArgumentException("cpus must be at least 1, not " + cpus);
            }
            this.cpus = cpus;
            return this;
        }

        /**
         * Makes the base (event_base_new_with_config).
         *
         * @throws IOException when no backend fits, or the system refuses
         */
        public EventBase build() throws IOException {
            NativeLibrary.ensureLoaded();
            event_config config = libevent.event_config_new();
            if (config == null) {
                throw new OutOfMemoryError("event_config_new");
            }
            event_base base;
            try {
                madeOne();
                for (String method : avoided) {
                    libevent.event_config_avoid_method(config, method);
                }
                libevent.event_config_require_features(config, required.stream().mapToInt(f -> f.bit).sum());
                flags.forEach(flag -> libevent.event_config_set_flag(config, flag.bit));
                if (maxDispatchMicros > 0 || maxCallbacks > 0) {
                    Native.libevent4j_config_max_dispatch(config.address(), maxDispatchMicros, maxCallbacks, minPriority);
                }
                if (cpus > 0) {
                    libevent.event_config_set_num_cpus_hint(config, cpus);
                }
                base = libevent.event_base_new_with_config(config);
            } finally {
                libevent.event_config_free(config);
            }
            if (base == null) {
                throw new LibeventException("event_base_new_with_config", 0, "no backend of " + Libevent.supportedMethods()
                    + " is left that has the features " + required + " and could be started");
            }
            Loop loop;
            try {
                if (priorities > 1 && libevent.event_base_priority_init(base, priorities) != 0) {
                    throw new OutOfMemoryError("event_base_priority_init");
                }
                loop = new Loop(base, !flags.contains(Flag.NOLOCK));
            } catch (Throwable e) {
                libevent.event_base_free(base);
                throw e;
            }
            return new EventBase(base, loop);
        }
    }

    private static boolean first = true;

    private static synchronized void madeOne() {
        first = false;
    }

    static synchronized void beforeTheFirst(Runnable action) {
        NativeLibrary.ensureLoaded();
        if (!first) {
            throw new IllegalStateException("this must come before the first event base is made");
        }
        action.run();
    }

    // ---- running

    /**
     * Runs the loop on this thread until {@link #stop}, {@link #close} or nothing is pending any more (event_base_dispatch).
     *
     * @throws IllegalStateException when this base is closed or being run already
     * @throws UncheckedIOException when the backend fails
     */
    public LoopExit dispatch() {
        return loop();
    }

    /** {@link #dispatch} with flags (event_base_loop). */
    public LoopExit loop(LoopFlag... flags) {
        int bits = 0;
        for (LoopFlag flag : Arguments.noNulls(flags, "flags")) {
            bits |= flag.bit;
        }
        ensureOpen();
        int result = loop.run(bits);
        if (result < 0) {
            throw new UncheckedIOException(new LibeventException("event_base_loop", Native.libevent4j_errno()));
        }
        return result == 0 ? LoopExit.STOPPED : LoopExit.NO_EVENTS;
    }

    /**
     * Makes the loop return after the callback that it is running (event_base_loopbreak). Any thread. When the loop does not run,
     * the next {@link #dispatch} returns at once.
     */
    public void stop() {
        ensureOpen();
        loop.stop();
    }

    /** Makes the loop return after this time, when it has run what is active then (event_base_loopexit). */
    public void stopAfter(Duration delay) {
        long micros = Micros.of(delay, "delay");
        enter();
        try {
            if (Native.libevent4j_loop_exit_after(loop.address(), micros) != 0) {
                throw new OutOfMemoryError("event_base_loopexit");
            }
        } finally {
            exit();
        }
    }

    /**
     * For a callback that made events ready: the loop looks for them when that callback returns, before it runs others that are due
     * (event_base_loopcontinue).
     */
    public void loopContinue() {
        enter();
        try {
            libevent.event_base_loopcontinue(base);
        } finally {
            exit();
        }
    }

    /** Whether it was {@link #stop} that the loop, which runs or ran last, was told to return by (event_base_got_break). */
    public boolean gotBreak() {
        enter();
        try {
            return libevent.event_base_got_break(base) != 0;
        } finally {
            exit();
        }
    }

    /** Whether it was {@link #stopAfter}, whose time has come (event_base_got_exit). */
    public boolean gotExit() {
        enter();
        try {
            return libevent.event_base_got_exit(base) != 0;
        } finally {
            exit();
        }
    }

    /**
     * Makes active what waits for a descriptor, as if these kinds had happened (event_base_active_by_fd). With TIMEOUT, it is what has
     * a timeout beside that descriptor, and TIMEOUT is all that happened.
     *
     * @param kinds of READ, WRITE, CLOSED and TIMEOUT
     */
    public void activate(long descriptor, Set<Event.Kind> kinds) {
        short bits = Event.happenings(kinds);
        Descriptors.checkRange(descriptor);
        enter();
        try {
            libevent.event_base_active_by_fd(base, descriptor, bits);
        } finally {
            exit();
        }
    }

    /**
     * Makes active what waits for a signal, as if it had come (event_base_active_by_signal).
     *
     * @param signal without SIG, such as {@code TERM}
     * @throws IllegalArgumentException when this platform does not have it
     */
    public void activate(String signal) {
        int number = Signal.number(Objects.requireNonNull(signal, "signal"));
        enter();
        try {
            libevent.event_base_active_by_signal(base, number);
        } finally {
            exit();
        }
    }

    /**
     * Runs a task on the loop's thread, on one of its next turns, in the order in which tasks were given, and among events as one
     * of the middle priority. Any thread. Tasks wait while the loop does not run, and keep no loop from returning. Those that still
     * wait when the base is closed run then, on the thread that frees it, and find it closed.
     *
     * @throws RejectedExecutionException when this base is closed
     */
    @Override
    public void execute(Runnable task) {
        Objects.requireNonNull(task, "task");
        if (!isOpen()) {
            throw new RejectedExecutionException(this + " is closed");
        }
        loop.execute(task);
    }

    /**
     * Sets what happens with an exception that a callback throws; in place of logging it. The handler runs on the loop's thread.
     * What it throws stops the loop. Any thread.
     */
    public void onException(Consumer<? super Exception> handler) {
        Objects.requireNonNull(handler, "handler");
        ensureOpen();
        loop.onException(handler);
    }

    /**
     * Runs something once after a time (event_base_once). Unlike a {@link Timer} it cannot be taken back; closing the base drops it.
     */
    public void once(Duration delay, Runnable action) {
        Objects.requireNonNull(action, "action");
        try {
            once(-1, libevent.EV_TIMEOUT, Micros.of(delay, "delay"), what -> action.run());
        } catch (IOException e) { // there is no descriptor that a backend could refuse
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a handler once when a descriptor is ready, or after a timeout (event_base_once).
     *
     * @param kinds READ, WRITE or both
     * @param timeout zero for none
     * @throws IOException when the backend does not take the descriptor
     */
    public void once(long descriptor, Set<Event.Kind> kinds, Duration timeout, Consumer<Set<Event.Kind>> handler)
            throws IOException {
        Objects.requireNonNull(handler, "handler");
        int bits = Event.bits(kinds);
        if ((bits & ~(libevent.EV_READ | libevent.EV_WRITE | libevent.EV_TIMEOUT)) != 0
            || (bits & (libevent.EV_READ | libevent.EV_WRITE)) == 0) {
            throw new IllegalArgumentException("once waits for READ or WRITE, not for " + kinds);
        }
        Event.checkDescriptor(descriptor, "event_base_once");
        long micros = Micros.of(timeout, "timeout");
        once(descriptor, bits | libevent.EV_TIMEOUT, micros == 0 ? -1 : micros, what -> handler.accept(Event.kinds(what)));
    }

    private void once(long descriptor, int bits, long micros, Callbacks.EventTarget target) throws LibeventException {
        enter();
        try {
            long[] id = new long[1];
            Callbacks.EventTarget once = what -> {
                loop.unregister(id[0]);
                target.onEvent(what);
            };
            id[0] = loop.register(once);
            if (Native.libevent4j_event_once(loop.address(), descriptor, bits, id[0], micros) != 0) {
                loop.unregister(id[0]);
                throw new LibeventException("event_base_once of descriptor " + descriptor, Native.libevent4j_errno());
            }
        } finally {
            exit();
        }
    }

    /**
     * A duration that many timers of this base will use; starting them with it is cheaper (event_base_init_common_timeout). There can
     * be 256 of them.
     */
    public CommonTimeout commonTimeout(Duration duration) {
        long micros = Micros.of(duration, "duration");
        enter();
        try {
            long timeout = Native.libevent4j_common_timeout(loop.address(), micros);
            if (timeout == 0) {
                if (Native.libevent4j_errno() != 0) {
                    throw new OutOfMemoryError("event_base_init_common_timeout");
                }
                throw new IllegalStateException("a base has at most 256 common timeouts");
            }
            return new CommonTimeout(this, duration, timeout);
        } finally {
            exit();
        }
    }

    /** Schedules tasks on this loop. Any thread. Shutting the scheduler down does not close the base. */
    public ScheduledExecutorService scheduler() {
        ensureOpen();
        return new LoopScheduler(this);
    }

    // ---- questions

    /** The time of day as this turn of the loop has it, so that asking costs nothing (event_base_gettimeofday_cached). */
    public Instant cachedTime() {
        enter();
        try {
            long micros = Native.libevent4j_loop_time(loop.address());
            return Instant.ofEpochSecond(micros / 1_000_000, micros % 1_000_000 * 1000);
        } finally {
            exit();
        }
    }

    /** Asks the system for the time again, for a callback that took long (event_base_update_cache_time). */
    public void updateCachedTime() {
        enter();
        try {
            libevent.event_base_update_cache_time(base);
        } finally {
            exit();
        }
    }

    /**
     * What this base waits for, for people to read (event_base_dump_events).
     *
     * @throws IOException when there is no temporary file for it
     */
    public String dump() throws IOException {
        enter();
        try {
            String dump = (String) Native.libevent4j_loop_dump(loop.address());
            if (dump == null) {
                throw new LibeventException("event_base_dump_events", Native.libevent4j_errno());
            }
            return dump;
        } finally {
            exit();
        }
    }

    /**
     * What this base waits for now, without the loop's own events, in no order (event_base_foreach_event). Bufferevents, listeners
     * and all else that libevent is made of have their events there too.
     */
    public List<EventInfo> events() {
        List<EventInfo> events = new ArrayList<>();
        enter();
        try {
            loop.forEachEvent((descriptorOrSignal, bits, priority, remaining) -> {
                boolean signal = (bits & libevent.EV_SIGNAL) != 0;
                events.add(new EventInfo(signal ? -1 : descriptorOrSignal, signal ? (int) descriptorOrSignal : 0, Event.allKinds(bits),
                    priority, Micros.optional(remaining)));
            });
            return events;
        } finally {
            exit();
        }
    }

    /** The backend in use, such as {@code epoll} (event_base_get_method). */
    public String method() {
        enter();
        try {
            return libevent.event_base_get_method(base).getString();
        } finally {
            exit();
        }
    }

    /** What the backend in use can do (event_base_get_features). */
    public Set<Feature> features() {
        enter();
        try {
            int bits = libevent.event_base_get_features(base);
            Set<Feature> features = EnumSet.noneOf(Feature.class);
            for (Feature feature : Feature.values()) {
                if ((bits & feature.bit) != 0) {
                    features.add(feature);
                }
            }
            return features;
        } finally {
            exit();
        }
    }

    /** The number of priorities (event_base_get_npriorities). */
    public int priorities() {
        enter();
        try {
            return loop.priorities();
        } finally {
            exit();
        }
    }

    /** Events whose callback is due (event_base_get_num_events, EVENT_BASE_COUNT_ACTIVE). */
    public int activeEvents() {
        enter();
        try {
            return loop.activeEvents();
        } finally {
            exit();
        }
    }

    /**
     * Events that wait or are due; one that waits for both a descriptor and a time counts twice (event_base_get_num_events,
     * EVENT_BASE_COUNT_ADDED).
     */
    public int pendingEvents() {
        enter();
        try {
            return loop.pendingEvents();
        } finally {
            exit();
        }
    }

    /**
     * The most {@link #activeEvents} there have been since this was cleared, with the loop's own, of which there are two
     * (event_base_get_max_events, EVENT_BASE_COUNT_ACTIVE).
     */
    public int mostActiveEvents(boolean clear) {
        enter();
        try {
            return loop.mostEvents(libevent.EVENT_BASE_COUNT_ACTIVE, clear);
        } finally {
            exit();
        }
    }

    /**
     * The most {@link #pendingEvents} there have been since this was cleared, with the loop's own, of which there are two
     * (event_base_get_max_events, EVENT_BASE_COUNT_ADDED).
     */
    public int mostPendingEvents(boolean clear) {
        enter();
        try {
            return loop.mostEvents(libevent.EVENT_BASE_COUNT_ADDED, clear);
        } finally {
            exit();
        }
    }

    @Override
    protected void release() {
        libevent.event_base_free(base);
    }
}
