package io.github.libevent4j.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Garbage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Drives the API in random orders, legal and illegal: what is closed, in callbacks, on other threads, again after an Error. Whatever
 * the order, operations fail in the ways they may, everything that has to happen happens once, and nothing is left. To add an
 * operation, see an {@link Area}.
 *
 * <p>{@code -Drandom.seconds=} goes on for so long, from a seed of the time's; without it there are a few rounds, the same each time.
 * {@code -Drandom.seed=} begins with that seed, and {@code -Drandom.steps=} sets the length of a round. The last operations are in
 * {@code target/random.log} too, for what ends the process.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RandomTest extends LibeventTest {

    private static final long SECONDS = Long.getLong("random.seconds", 0);
    private static final long SEED = Long.getLong("random.seed", SECONDS == 0 ? 1 : System.currentTimeMillis() % 1_000_000 * 1000);
    private static final int STEPS = Integer.getInteger("random.steps", 400);
    private static final int FEWEST_ROUNDS = SECONDS == 0 ? 10 : 1;
    private static final Path LOG = Path.of("target", "random.log");

    private static final Duration STUCK = Duration.ofSeconds(10);
    private static final Duration LOST = Duration.ofMinutes(2);

    @TempDir
    Path directory;

    private interface Round {
        void run(World world) throws Exception;
    }

    @Test
    void oneThread() throws Exception {
        rounds(true, world -> {
            for (int i = 0; i < STEPS; i++) {
                keepABase(world);
                world.step();
                if (i % 20 == 0) {
                    world.check();
                }
            }
        });
    }

    @Test
    void severalThreads() throws Exception {
        rounds(false, world -> {
            AtomicBoolean done = new AtomicBoolean();
            Thread looping = new Thread(() -> {
                while (!done.get()) {
                    keepABase(world);
                    world.rested();
                    world.operate("a loop's thread", () -> world.base().loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY));
                }
            }, "looping");
            List<Thread> others = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                others.add(new Thread(() -> {
                    for (int n = 0; n < STEPS && !world.isFailed(); n++) {
                        world.step();
                    }
                }, "other " + i));
            }
            looping.start();
            others.forEach(Thread::start);
            for (Thread other : others) {
                while (other.isAlive()) {
                    world.all(EventBase.class).forEach(base -> world.operate("a stop", base::stop)); // what ends one's loop may end another's
                    other.join(10);
                }
            }
            done.set(true);
            while (looping.isAlive()) {
                world.all(EventBase.class).forEach(base -> world.operate("a base's end", base::close));
                looping.join(1);
            }
        });
    }

    private static void keepABase(World world) {
        if (world.all(EventBase.class).stream().noneMatch(EventBase::isOpen)) {
            world.operate("a base", () -> LoopArea.create(world));
        }
    }

    private void rounds(boolean confined, Round round) throws Exception {
        System.out.println("RandomTest: -Drandom.seed=" + SEED);
        long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
        long rounds = 0;
        try (Trail trail = new Trail(LOG)) {
            run(0, confined, round, trail); // what is opened and allocated once for all time
            for (long seed = SEED; rounds < FEWEST_ROUNDS || System.nanoTime() < end; seed++) {
                Map<String, Integer> descriptors = descriptors();
                long allocations = Live.allocations();
                run(seed, confined, round, trail);
                settle(seed, trail, () -> "something is left, of allocations more than " + allocations, () -> Live.handles() == 0 && Live.targets() == 0
                    && Live.allocations() <= allocations);
                assertEquals(descriptors, descriptors(), () -> "open descriptors\n" + trail);
                rounds++;
            }
        }
        System.out.println("RandomTest: " + rounds + " rounds");
    }

    private void run(long seed, boolean confined, Round round, Trail trail) throws Exception {
        trail.begin("RandomTest: -Drandom.seed=" + seed);
        Path files = Files.createTempDirectory(directory, "round");
        World world = new World(seed, confined, trail, files);
        CountDownLatch over = new CountDownLatch(1);
        watch(over, trail);
        try {
            BufferEventArea events = new BufferEventArea(world);
            Clients clients = new Clients(world);
            HttpServerArea servers = new HttpServerArea(world, events, clients);
            for (Area area : List.of(new LoopArea(world), new BufferArea(world), events, clients, new ListenerArea(world, events, clients),
                    new DnsArea(world), servers, new HttpConnectionArea(world, servers), new ServiceArea(world, servers))) {
                world.add(area);
            }
            try {
                round.run(world);
                world.check();
            } finally {
                world.end();
            }
            settle(seed, trail, () -> world.missing() + " did not happen", () -> world.missing() == null);
        } catch (Throwable e) {
            throw new AssertionError(world + " failed: " + e.getMessage() + "\n" + trail, e);
        } finally {
            over.countDown();
        }
    }

    /** Says where a round is that does not end; and no test can follow one that never does, so that ends the process. */
    private static void watch(CountDownLatch over, Trail trail) {
        Thread watch = new Thread(() -> {
            try {
                if (over.await(STUCK.toSeconds(), TimeUnit.SECONDS)) {
                    return;
                }
                StringBuilder stacks = new StringBuilder("RandomTest is stuck\n").append(trail);
                Thread.getAllStackTraces().forEach((thread, stack) -> stacks.append("\n\n").append(thread).append("\n  ")
                    .append(String.join("\n  ", Stream.of(stack).map(String::valueOf).toList())));
                System.out.println(stacks);
                if (!over.await(LOST.toSeconds(), TimeUnit.SECONDS)) {
                    System.out.println("RandomTest is lost");
                    Runtime.getRuntime().halt(1);
                }
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts this thread", e);
            }
        }, "watch");
        watch.setDaemon(true);
        watch.start();
    }

    /** Waits for the garbage collector, which ends views of buffers. */
    private static void settle(long seed, Trail trail, Supplier<String> otherwise, BooleanSupplier settled) {
        long end = System.nanoTime() + STUCK.toNanos();
        while (!settled.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("seed " + seed + ": " + otherwise.get() + ": " + Live.handles() + " handles, " + Live.targets() + " targets, "
                    + Live.allocations() + " allocations\n" + trail);
            }
            Garbage.collect();
        }
    }

    /** Open descriptors that the library could have opened. */
    private static Map<String, Integer> descriptors() throws IOException {
        Map<String, Integer> kinds = new TreeMap<>();
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : open.toList()) {
                String target;
                try {
                    target = Files.readSymbolicLink(descriptor).toString();
                } catch (IOException e) {
                    continue; // the one that lists them
                }
                String kind = target.replaceFirst("(socket|pipe):.*", "$1");
                if (!kind.startsWith("/") || kind.contains("/file-")) {
                    kinds.merge(kind, 1, Integer::sum);
                }
            }
        }
        return kinds;
    }
}
