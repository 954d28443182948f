package io.github.libevent4j.random;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.internal.Native;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a round has made, and the dice. Each thread throws its own, from the round's seed. Every callback that the operations install
 * ends in {@link #called}, which does more operations from inside, and throws.
 */
final class World {

    /** What callbacks throw. */
    static final class Thrown extends Exception {
    }

    /** What callbacks throw rarely, and what then comes out of the loop or of an operation. */
    static final class Escaped extends Error {
    }

    /** There is nothing that an operation could work on. */
    private static final class Nothing extends RuntimeException {
        Nothing() {
            super(null, null, false, false);
        }
    }

    private static final int MOST_THINGS = 8; // of one type
    private static final int MOST_DEPTH = 3;
    private static final int MOST_CALLS = 300; // in one run of a loop

    private final long seed;
    private final Trail trail;
    private final AtomicInteger threads = new AtomicInteger();
    private final ThreadLocal<Dice> dice;
    private final Map<Class<?>, List<Object>> things = new HashMap<>(); // guarded by itself
    private final List<Expected> expected = new ArrayList<>(); // guarded by itself
    private final List<Area.Operation> operations = new ArrayList<>();
    private final List<Area> areas = new ArrayList<>();
    private volatile Throwable failure;
    private volatile boolean over; // what comes to its end now, or is found by the garbage collector, does no more operations
    final boolean confined; // to one thread
    final Path directory;

    /** A thread's own. */
    private static final class Dice {
        final Random random;
        int depth;
        int calls;

        Dice(long seed) {
            random = new Random(seed);
        }
    }

    /** Something that has to happen exactly once before the end of the round. */
    private static final class Expected {
        final String name;
        final AtomicInteger times = new AtomicInteger();

        Expected(String name) {
            this.name = name;
        }
    }

    World(long seed, boolean confined, Trail trail, Path directory) {
        this.seed = seed;
        this.confined = confined;
        this.trail = trail;
        this.directory = directory;
        this.dice = ThreadLocal.withInitial(() -> new Dice(seed + 31L * threads.getAndIncrement()));
    }

    void add(Area area) {
        areas.add(area);
        operations.addAll(area.operations);
    }

    // ---- dice

    Random random() {
        return dice.get().random;
    }

    int number(int bound) {
        return random().nextInt(bound);
    }

    boolean chance(double probability) {
        return random().nextDouble() < probability;
    }

    boolean coin() {
        return random().nextBoolean();
    }

    @SafeVarargs
    final <T> T any(T... choices) {
        return choices[number(choices.length)];
    }

    /** Mostly short. */
    byte[] bytes() {
        byte[] bytes = new byte[chance(0.05) ? number(40_000) : number(60)];
        random().nextBytes(bytes);
        return bytes;
    }

    /** From nothing to a few milliseconds, and now and then what never passes. */
    Duration time() {
        return chance(0.1) ? Duration.ofDays(1) : Duration.ofNanos(number(4_000_000));
    }

    // ---- things

    /** Keeps a new thing for later; one more of its type than there may be ends the world's interest in another, which is closed. */
    <T> T made(T thing) throws Exception {
        return made(thing.getClass(), thing);
    }

    <T> T made(Class<?> type, T thing) throws Exception {
        Object surplus = null;
        synchronized (things) {
            List<Object> same = things.computeIfAbsent(type, any -> new ArrayList<>());
            if (same.size() == MOST_THINGS) {
                surplus = same.remove(number(MOST_THINGS));
            }
            same.add(thing);
        }
        if (surplus instanceof AutoCloseable closeable) {
            closeable.close();
        }
        return thing;
    }

    /** One of the things of a type, open or closed. */
    <T> T one(Class<T> type) {
        synchronized (things) {
            List<Object> same = things.get(type);
            if (same == null || same.isEmpty()) {
                throw new Nothing();
            }
            return type.cast(same.get(number(same.size())));
        }
    }

    /** All things of a type. */
    <T> List<T> all(Class<T> type) {
        synchronized (things) {
            return things.getOrDefault(type, List.of()).stream().map(type::cast).toList();
        }
    }

    /** Closes one of the things of a type, and mostly forgets it. */
    <T extends AutoCloseable> void close(Class<T> type) throws Exception {
        T thing = one(type);
        if (chance(0.8)) {
            synchronized (things) {
                things.get(type).remove(thing);
            }
        }
        thing.close();
    }

    <T> void forget(Class<T> type, T thing) {
        synchronized (things) {
            things.getOrDefault(type, new ArrayList<>()).remove(thing);
        }
    }

    EventBase base() {
        return one(EventBase.class);
    }

    // ---- what has to happen

    /** What must run exactly once before the round ends. */
    Runnable once(String name) {
        Expected once = new Expected(name);
        synchronized (expected) {
            expected.add(once);
        }
        return () -> {
            if (once.times.incrementAndGet() > 1) {
                fail(new AssertionError(name + " has happened twice"));
            }
        };
    }

    /** A future that must be completed before the round ends, and which does operations when it is. */
    <F extends CompletableFuture<?>> F future(String name, F future) throws Exception {
        Runnable once = once(name);
        future.whenComplete((value, thrown) -> {
            once.run();
            if (thrown != null && !(thrown instanceof IOException || thrown instanceof Thrown || thrown instanceof CancellationException)) {
                judge(name, thrown instanceof CompletionException ? thrown.getCause() : thrown);
            }
            try {
                called(name);
            } catch (Exception | Escaped e) {
                return; // a future keeps what its dependents throw
            }
        });
        made(CompletableFuture.class, future);
        return future;
    }

    // ---- doing

    /** Does one operation, any. */
    void step() {
        Area.Operation operation = operations.get(number(operations.size()));
        operate(operation.name(), operation.body());
    }

    void operate(String name, Area.Body body) {
        trail.note((confined ? "" : Thread.currentThread().getName() + ": ") + "  ".repeat(dice.get().depth) + name);
        try {
            body.run();
        } catch (Nothing e) {
            return;
        } catch (Throwable e) {
            judge(name, e);
        }
    }

    /** Inside a callback: does some operations, and perhaps throws. */
    void called(String name) throws Exception {
        Dice own = dice.get();
        if (over || own.depth >= MOST_DEPTH || ++own.calls > MOST_CALLS) {
            if (own.calls > MOST_CALLS) {
                all(EventBase.class).forEach(this::stop);
            }
            return;
        }
        trail.note((confined ? "" : Thread.currentThread().getName() + ": ") + "  ".repeat(own.depth) + "> " + name);
        own.depth++;
        try {
            for (int n = chance(0.5) ? number(4) : 0; n > 0; n--) {
                step();
            }
            if (chance(0.03)) {
                throw new Thrown();
            }
            if (chance(0.01)) {
                throw new Escaped();
            }
        } finally {
            own.depth--;
        }
    }

    private void stop(EventBase base) {
        try {
            base.stop();
        } catch (IllegalStateException e) {
            return; // closed
        }
    }

    /** The same as something to run. */
    Runnable action(String name) {
        return () -> {
            try {
                called(name);
            } catch (Thrown e) {
                throw new IllegalStateException(e);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        };
    }

    interface Taking<T> {
        T take(long descriptor) throws Exception;
    }

    /** Gives a descriptor away, or closes it when it was not taken. */
    <T> T giveDescriptor(long descriptor, Taking<T> taking) throws Exception {
        try {
            return taking.take(descriptor);
        } catch (RuntimeException | IOException e) {
            Native.libevent4j_descriptor_close(descriptor);
            throw e;
        }
    }

    /** A new run of a loop. */
    void rested() {
        dice.get().calls = 0;
    }

    boolean inCallback() {
        return dice.get().depth > 0;
    }

    /** How operations may fail. */
    private static boolean isAllowed(Throwable thrown) {
        return thrown instanceof IllegalStateException || thrown instanceof IllegalArgumentException || thrown instanceof IOException
            || thrown instanceof RejectedExecutionException || thrown instanceof Thrown || thrown instanceof Escaped
            || thrown instanceof UncheckedIOException || thrown instanceof Nothing;
    }

    private void judge(String name, Throwable thrown) {
        if (!isAllowed(thrown)) {
            fail(new AssertionError(name + " failed in a way that is not allowed: " + thrown, thrown));
        }
        for (Throwable suppressed : thrown.getSuppressed()) {
            judge(name, suppressed);
        }
    }

    /** What a base's exception handler hears. */
    void heard(Exception exception) {
        judge("a callback", exception);
    }

    void fail(Throwable what) {
        if (failure == null) {
            failure = what;
            trail.note("FAILED: " + what);
        }
    }

    boolean isFailed() {
        return failure != null;
    }

    void check() throws Exception {
        for (Area area : areas) {
            area.check();
        }
        throwFailure();
    }

    private void throwFailure() throws AssertionError {
        if (failure != null) {
            throw new AssertionError(failure.getMessage(), failure);
        }
    }

    /** Closes all, and looks that everything has come to its end. */
    void end() throws Exception {
        over = true;
        for (EventBase base : all(EventBase.class)) {
            close(base);
        }
        for (Area area : areas) {
            area.end();
        }
        throwFailure();
    }

    private void close(EventBase base) {
        try {
            base.close();
        } catch (Throwable e) {
            judge("EventBase.close", e);
        }
    }

    /** The name of something that has not happened, or null. */
    String missing() {
        synchronized (expected) {
            return expected.stream().filter(each -> each.times.get() == 0).map(each -> each.name).findFirst().orElse(null);
        }
    }

    Path file(int size) throws IOException {
        Path file = directory.resolve("file-" + size);
        if (!Files.exists(file)) {
            Files.write(file, new byte[size]);
        }
        return file;
    }

    @Override
    public String toString() {
        return (confined ? "a round" : "a round of several threads") + " of seed " + seed;
    }
}
