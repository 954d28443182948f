package io.github.libevent4j.internal;

import io.github.libevent4j.bindings.event;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.global.libevent;
import java.lang.System.Logger.Level;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;

/**
 * The inside of an event base: who may touch it, what it still has to do, what its callbacks throw.
 *
 * <p><b>Confinement.</b> A thread holds the loop for the whole of {@link #run}, or, while nobody runs it, from {@link #enter} to
 * {@link #exit}. So there is always at most one thread in libevent for a base, and a thread that comes while another runs the
 * loop is told so. {@code depth} counts the nested holds: above 1, frames of libevent may be on the stack, and nothing may be
 * freed. What is closed then is <i>doomed</i>, and freed on the loop's next turn or when the outermost hold ends.
 */
public final class Loop {

    private static final System.Logger LOGGER = System.getLogger("io.github.libevent4j");
    private static final int HEAD_SIZE = 16 * 1024;
    private static final int REPLY_SIZE = 4 * 1024;
    private static final long LONGEST_WAIT = 1_000_000_000; // nanoseconds that a thread with one loop waits for another that it is to get

    private final event_base base;
    private final long address;
    private final Wake stopper;
    private final Wake worker;
    private final Registry registry;
    private final HeadWriter writer = new HeadWriter(REPLY_SIZE);
    private final HeadReader reader = new HeadReader(HEAD_SIZE);
    private NativeHandle handle;
    private NativeHandle lastChild;

    private static final AtomicReferenceFieldUpdater<Loop, Thread> HOLDER =
        AtomicReferenceFieldUpdater.newUpdater(Loop.class, Thread.class, "holder");
    private volatile Thread holder; // not a lock: that cannot be given back at the end of the stack
    private int depth;
    private int filters; // whose functions are being run
    private int pins;
    private volatile Thread runner;
    private boolean closing;
    private volatile boolean freed;

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Queue<Runnable> deferred = new ConcurrentLinkedQueue<>();
    private final Object wakeLock = new Object();
    private final boolean locked;
    private volatile boolean stopRequested;

    private Throwable error;
    private volatile Consumer<? super Exception> exceptionHandler = Loop::log;

    /**
     * Takes the base over.
     *
     * @param locked whether the base has locks, so that other threads can wake it
     */
    public Loop(event_base base, boolean locked) {
        this.base = base;
        this.locked = locked;
        this.registry = new Registry(this);
        long id = registry.add(this);
        this.address = Native.libevent4j_loop_new(base.address(), id, reader.address(), reader.size());
        this.stopper = new Wake(this::obey);
        this.worker = new Wake(this::work);
        if (stopper.event.isNull() || worker.event.isNull()) {
            freeNative();
            throw new OutOfMemoryError("event_new");
        }
        libevent.event_priority_set(stopper.event, 0); // whatever else there is to do; work is an event like any other
    }

    /**
     * An event of the loop's own, by which any thread makes it do something soon. It becomes active by a timeout of zero, so that
     * the loop looks for other events each time before: one that is activated runs again in the same turn, for ever if need be.
     */
    private final class Wake {

        private final event event;
        private final AtomicBoolean added = new AtomicBoolean();

        Wake(Runnable action) {
            Callbacks.EventTarget target = what -> {
                added.set(false);
                action.run();
            };
            long id = registry.add(target);
            this.event = Addresses.of(address == 0 ? 0 : Native.libevent4j_event_new(address, -1, 0, id), event::new);
        }

        /** A loop that does not run is not woken: it looks for what there is to do when it starts. */
        void add() {
            if (runner != null && reachable() && added.compareAndSet(false, true)) {
                synchronized (wakeLock) {
                    if (!freed) {
                        Native.libevent4j_event_add(event.address(), 0);
                    }
                }
            }
        }

        /** What was added may have been lost with an error that kept its callback from running. */
        void forget() {
            added.set(false);
        }

        boolean in(int lists) {
            return (event.ev_evcallback().evcb_flags() & lists) != 0;
        }

        void free() {
            if (!event.isNull()) {
                libevent.event_free(event);
            }
        }
    }

    /** The loop that a handle lives on; what a caller gave as null was meant to be a base. */
    public static Loop of(NativeHandle handle) {
        return Objects.requireNonNull(handle, "base").loop;
    }

    /** The handle of the base itself: freed last, and only when the loop does not run. */
    void adopt(NativeHandle baseHandle) {
        this.handle = baseHandle;
    }

    public event_base base() {
        return base;
    }

    /** The handle of the base itself. */
    public NativeHandle handle() {
        return handle;
    }

    /** The number of priorities (event_base_get_npriorities). */
    public int priorities() {
        return libevent.event_base_get_npriorities(base);
    }

    /** The shim's {@code libevent4j_loop}. */
    public long address() {
        return address;
    }

    // ---- confinement

    /**
     * Holds the loop for this thread until {@link #exit}.
     *
     * @throws IllegalStateException when another thread runs the loop, or the base is closed
     */
    public void enter() {
        ensureOpen();
        if (!held()) {
            acquire();
        }
        depth++;
        if (freed) {
            exit();
            ensureOpen();
        }
    }

    /** @throws IllegalStateException when the base is closed */
    void ensureOpen() {
        if (!handle.isOpen()) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    private void acquire() {
        long began = 0;
        while (!HOLDER.compareAndSet(this, null, Thread.currentThread())) {
            ensureOpen(); // what is being closed may take its time, and even wait for this thread
            Thread other = runner;
            if (other != null) {
                throw wrongThread(other, "pass the work to execute()");
            }
            if (began == 0) {
                began = System.nanoTime();
            } else if (System.nanoTime() - began > LONGEST_WAIT && Registry.isAnyHeldBy(Thread.currentThread())) {
                throw new IllegalStateException(this + " is being used by another thread, which may be waiting for the base whose callback this is: "
                    + "pass the work to execute()");
            }
            Thread.onSpinWait(); // some other thread's short operation
        }
    }

    /** What a thread is told that must not use what belongs to this loop. */
    public IllegalStateException wrongThread(String advice) {
        return wrongThread(runner, advice);
    }

    private IllegalStateException wrongThread(Thread other, String advice) {
        return new IllegalStateException(this + " is being run by " + (other == null ? "no thread" : "thread " + other.getName())
            + ", so thread " + Thread.currentThread().getName() + " must not use it: " + advice);
    }

    /** Ends a hold. The outermost does what was deferred, and throws an error that a callback left. */
    public void exit() {
        if (depth > 1) {
            depth--;
            return;
        }
        Throwable thrown = null;
        do {
            try {
                runDeferred();
                thrown = merge(thrown, takeError());
            } finally {
                depth = 0;
                holder = null;
            }
        } while (!deferred.isEmpty() && tryEnter()); // what another thread deferred in between
        if (thrown != null) {
            throw Loop.<RuntimeException>sneaky(thrown);
        }
    }

    /** An outermost hold, unless there is one. */
    private boolean tryEnter() {
        if (HOLDER.compareAndSet(this, null, Thread.currentThread())) {
            depth = 1;
            return true;
        }
        return false;
    }

    boolean isHeldBy(Thread thread) {
        return holder == thread;
    }

    /** Whether this thread holds the loop. A caller's code that runs then is in a callback, with libevent's frames below it. */
    public boolean held() {
        return holder == Thread.currentThread();
    }

    // ---- running

    /** event_base_loop(); 0, 1 (no events) or -1. */
    public int run(int flags) {
        if (held()) {
            throw new IllegalStateException(this + " is already being run by this thread: a callback must not run its own loop");
        }
        Thread self = Thread.currentThread();
        enter();
        try {
            runner = self;
            stopper.forget();
            worker.forget();
            if (takeStop()) {
                libevent.event_base_loopbreak(base); // for event_base_got_break()
                return 0;
            }
            addWorker();
            return Native.libevent4j_loop_run(address, flags);
        } finally {
            runner = null;
            depth = 1; // should the stack have ended between an enter() and its exit()
            filters = 0;
            try {
                exit();
            } finally {
                if (holder == self) { // or here
                    holder = null;
                }
            }
        }
    }

    private void addWorker() {
        if (!tasks.isEmpty() || !deferred.isEmpty()) {
            worker.add();
        }
    }

    /** Whether this thread can make the loop do something. */
    private boolean reachable() {
        return locked || runner == null || held();
    }

    private String unreachable() {
        return this + " has no locks (NOLOCK), so only the thread that runs it may use it";
    }

    /** Makes run() return after the callback that is being run. Any thread; before run(), the next one returns at once. */
    public void stop() {
        if (!reachable()) {
            throw new IllegalStateException(unreachable());
        }
        requestStop();
    }

    private void requestStop() {
        if (held() && runner != null) {
            breakOff();
        } else {
            stopRequested = true;
            stopper.add();
        }
    }

    private boolean takeStop() {
        if (!stopRequested) {
            return false; // and leave a request alone that comes now
        }
        stopRequested = false;
        return true;
    }

    private void breakOff() {
        if (runner != null) {
            libevent.event_base_loopbreak(base);
        }
    }

    /** Runs the task on the loop's thread, at its next turn, or when the base is closed. Any thread. */
    public void execute(Runnable task) {
        if (!reachable()) {
            throw new RejectedExecutionException(unreachable());
        }
        synchronized (wakeLock) {
            if (freed) {
                throw new RejectedExecutionException(this + " is closed");
            }
            tasks.add(task);
        }
        worker.add();
    }

    /** Whether {@link #submit} would run an action now. */
    public boolean submitsNow() {
        return held() && filters == 0;
    }

    /**
     * A filter's function begins. Libevent goes on with the filter when it ends, and does not see to it that it is still there: what
     * may free it, such as the end of a reply that goes through it, waits.
     */
    public void beginFilter() {
        filters++;
    }

    /** See {@link #beginFilter}. */
    public void endFilter() {
        filters--;
    }

    /** Runs an action of a handle: now, if this thread holds the loop and is in no filter, else {@link #whenSafe}. Any thread. */
    public void submit(Runnable action) {
        if (submitsNow()) {
            action.run();
            return;
        }
        if (!reachable()) {
            throw new RejectedExecutionException(unreachable());
        }
        whenSafe(action);
    }

    /** What another thread wants whatever else there is to do. */
    private void obey() {
        if (takeStop()) {
            breakOff();
        }
    }

    /** What waits for nothing of libevent but the loop itself to be on the stack. */
    private void work() {
        runDeferred();
        // Only what is here now: a task that adds itself again must not keep the loop from its events.
        for (int n = tasks.size(); n > 0 && libevent.event_base_got_break(base) == 0; n--) {
            runTask();
        }
        addWorker();
    }

    private void runTask() {
        try {
            tasks.remove().run();
        } catch (Throwable e) {
            caught(e);
        }
    }

    // ---- what callbacks throw

    public void onException(Consumer<? super Exception> handler) {
        exceptionHandler = handler;
    }

    private static void log(Exception e) {
        LOGGER.log(Level.ERROR, "A callback failed", e);
    }

    /** Hands an Exception to the base's handler; an Error, and what the handler throws, stops the loop and comes out of it. */
    public void caught(Throwable thrown) {
        if (thrown instanceof Exception exception) {
            try {
                exceptionHandler.accept(exception);
                return;
            } catch (Throwable e) {
                if (e != exception) {
                    e.addSuppressed(exception);
                }
                thrown = e;
            }
        }
        error = merge(error, thrown);
        breakOff();
    }

    /** The first of both, which keeps the other; either may be null. */
    private static Throwable merge(Throwable first, Throwable next) {
        if (first == null) {
            return next;
        }
        if (next != null && next != first) {
            first.addSuppressed(next);
        }
        return first;
    }

    /** Whether user code is to be called no more, for now or for good: an error waits to come out, or the base is being closed. */
    boolean deaf() {
        return error != null || closing;
    }

    private Throwable takeError() {
        Throwable taken = merge(error, (Throwable) Native.libevent4j_take_thrown());
        error = null;
        return taken;
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T sneaky(Throwable thrown) throws T {
        throw (T) thrown;
    }

    // ---- callbacks' targets

    /** Registers a callback's target. Held. */
    public long register(Object target) {
        return registry.add(target);
    }

    /** Makes an id stale. Held. */
    public void unregister(long id) {
        registry.remove(id);
    }

    Object target(long id) {
        return registry.get(id);
    }

    // ---- heads

    /** Where this loop's thread reads heads from C. */
    public HeadReader headReader() {
        return reader;
    }

    /** Where this loop's thread writes a head for C. */
    public HeadWriter headWriter() {
        return writer;
    }

    long growHead(int size) {
        reader.grow(size);
        return reader.address();
    }

    // ---- ends

    void addChild(NativeHandle child) {
        child.previous = lastChild;
        if (lastChild != null) {
            lastChild.next = child;
        }
        lastChild = child;
    }

    void removeChild(NativeHandle child) {
        if (child.next != null) {
            child.next.previous = child.previous;
        } else if (lastChild == child) {
            lastChild = child.previous;
        }
        if (child.previous != null) {
            child.previous.next = child.next;
        }
        child.previous = null;
        child.next = null;
    }

    /** Frees a closed handle as soon as that is safe. Any thread. */
    void doom(NativeHandle closed) {
        if (closed == handle) {
            requestStop();
        } else if (held()) {
            closed.disarm();
            if (closed.isIdle()) {
                destroy(closed);
                return;
            }
        }
        whenSafe(() -> reap(closed));
    }

    /**
     * Runs an action of a handle as soon as nothing of libevent but the loop itself is on the stack: now, if nobody holds the loop,
     * else on its next turn or when the hold ends; in the order in which a thread gives them. It runs in any case, when the base is
     * closed too, and looks itself whether what it acts on is still open. Any thread.
     */
    public void whenSafe(Runnable action) {
        deferred.add(action);
        if (!held() && tryEnter()) {
            exit();
        } else {
            worker.add(); // the thread that holds the loop does it on its next turn, or when its hold ends
        }
    }

    private void runDeferred() {
        // Only what is here now: what an action defers must not keep the loop from its events.
        for (int n = deferred.size(); n > 0; n--) {
            try {
                deferred.remove().run();
            } catch (Throwable e) {
                caught(e);
            }
        }
    }

    private void reap(NativeHandle closed) {
        if (freed) {
            return; // with its base
        }
        if (closed != handle) {
            destroy(closed);
        } else if (runner == null) {
            free();
        } else {
            breakOff();
            deferred.add(() -> reap(closed)); // for the end of run()
        }
    }

    private void destroy(NativeHandle closed) {
        try {
            closed.destroy();
        } catch (Throwable e) { // a user's close callback
            caught(e);
        }
    }

    /** Frees the base, after all that lives on it. */
    private void free() {
        closing = true;
        while (lastChild != null) {
            NativeHandle child = lastChild;
            child.markClosed();
            destroy(child);
        }
        // Libevent ends some things on turns of their own: a freed bufferevent, a resolver's last answers, each turn some of them.
        do {
            Native.libevent4j_loop_run(address, libevent.EVLOOP_NONBLOCK);
        } while (libevent.event_base_get_num_events(base, libevent.EVENT_BASE_COUNT_ACTIVE) > 0);
        synchronized (wakeLock) {
            freed = true;
        }
        while (!tasks.isEmpty()) {
            runTask(); // late, but something may wait for it
        }
        freeNative();
    }

    private void freeNative() {
        stopper.free();
        worker.free();
        if (handle != null) {
            handle.destroy();
        }
        Native.libevent4j_loop_free(address);
        releaseRegistry();
    }

    private void releaseRegistry() {
        if (pins == 0) {
            registry.release();
        }
    }

    /** Keeps callbacks' ids valid when the base is closed, for native memory that outlives it, until {@link #unpin}. Held. */
    void pin() {
        pins++;
    }

    /** See {@link #pin}. Held. */
    void unpin() {
        pins--;
        if (freed) {
            releaseRegistry();
        }
    }

    /** event_base_get_num_events(ADDED), without the loop's own. Held. */
    public int pendingEvents() {
        return count(libevent.EVENT_BASE_COUNT_ADDED, libevent.EVLIST_TIMEOUT | libevent.EVLIST_ACTIVE);
    }

    /** event_base_get_num_events(ACTIVE), without the loop's own. Held. */
    public int activeEvents() {
        return count(libevent.EVENT_BASE_COUNT_ACTIVE, libevent.EVLIST_ACTIVE);
    }

    /** event_base_get_max_events(ADDED or ACTIVE), with the loop's own. Held. */
    public int mostEvents(int which, boolean clear) {
        return libevent.event_base_get_max_events(base, which, clear ? 1 : 0);
    }

    /** What an event is given to {@link #forEachEvent}. */
    public interface EventVisitor {
        /** @param remainingMicros until its timeout; -1 for none */
        void visit(long descriptorOrSignal, int bits, int priority, long remainingMicros);
    }

    /** event_base_foreach_event(), without the loop's own and libevent's. Held; the visitor may do anything. */
    public void forEachEvent(EventVisitor visitor) {
        long[] facts = (long[]) Native.libevent4j_loop_events(address);
        if (facts == null) {
            throw new OutOfMemoryError("event_base_foreach_event");
        }
        for (int i = 0; i < facts.length; i += 5) {
            if (facts[i] != stopper.event.address() && facts[i] != worker.event.address()) {
                visitor.visit(facts[i + 1], (int) facts[i + 2], (int) facts[i + 3], facts[i + 4]);
            }
        }
    }

    private int count(int which, int lists) {
        synchronized (wakeLock) { // others add the loop's own events
            return libevent.event_base_get_num_events(base, which) - (stopper.in(lists) ? 1 : 0) - (worker.in(lists) ? 1 : 0);
        }
    }

    @Override
    public String toString() {
        return String.valueOf(handle);
    }
}
