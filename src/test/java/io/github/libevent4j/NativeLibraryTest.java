package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.bindings.event;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Logs;
import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

/** Loading, logging, counting, and the end that libevent puts to a process. */
class NativeLibraryTest extends LibeventTest {

    private static final String LOGGER = "io.github.libevent4j.native";

    /** A program that has no native library for its platform. */
    public static final class Unavailable {
        private Unavailable() {
        }

        public static void main(String[] arguments) {
            System.out.println(Libevent.isAvailable());
            System.out.println(Libevent.unavailabilityCause().getClass().getName());
            // What needs no libevent is there all the same.
            EventBase.Builder builder = EventBase.newBuilder().flags(EventBase.Flag.values())
                .requireFeatures(EventBase.Feature.values()).priorities(2);
            System.out.println(List.of(Event.Kind.values()).size() + HttpMethod.values().length > 0);
            String first = null;
            for (Runnable use : List.<Runnable>of(Libevent::version, Libevent::fixes, Libevent::supportedMethods, () -> build(builder),
                    () -> build(EventBase.newBuilder()), Libevent::version)) {
                try {
                    use.run();
                    System.out.println("it works");
                } catch (UnsatisfiedLinkError e) {
                    if (first == null) {
                        first = e.getMessage();
                        System.out.println(first);
                    }
                    System.out.println(first.equals(e.getMessage()) && e.getCause() == Libevent.unavailabilityCause());
                }
            }
        }

        private static void build(EventBase.Builder builder) {
            try {
                builder.build().close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void aMissingLibraryIsToldWithWhatToAdd() throws Exception {
        Programs.Result result = new Programs.Java().withoutNativeLibrary().run(Unavailable.class);
        assertEquals(0, result.exit(), result.errors());
        List<String> lines = result.text().lines().toList();
        assertEquals("false", lines.get(0));
        assertEquals("java.lang.UnsatisfiedLinkError", lines.get(1));
        assertEquals("true", lines.get(2));
        assertEquals("libevent4j has no native library for " + Loader.getPlatform() + " here, nor for any other platform: add the dependency "
            + "io.github.libevent4j:libevent4j with the classifier " + Loader.getPlatform()
            + " (or io.github.libevent4j:libevent4j-platform, which has all)", lines.get(3));
        assertEquals(List.of("true", "true", "true", "true", "true", "true"), lines.subList(4, lines.size()));
    }

    /** Makes libevent log a warning. */
    private static void warn() {
        libevent.event_base_free((event_base) null);
    }

    private static final String WARNING = "event_base_free_: no base to free";

    @Test
    void libeventsWarningsReachTheLogger() throws Exception {
        try (Logs logs = Logs.of(LOGGER)) {
            warn();
            LogRecord record = logs.await(any -> true);
            assertEquals(Level.WARNING, record.getLevel());
            assertEquals(WARNING, record.getMessage());
        }
    }

    @Test
    void aLoggerThatFailsCostsOneLine() throws Exception {
        Logger logger = Logger.getLogger(LOGGER);
        Handler failing = new Handler() {
            @Override
            public void publish(LogRecord record) {
                logger.removeHandler(this);
                throw new IllegalStateException("a handler's");
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        };
        logger.addHandler(failing);
        try (Logs logs = Logs.of(LOGGER)) {
            warn();
            warn();
            logs.await(record -> record.getMessage().equals(WARNING));
        } finally {
            logger.removeHandler(failing);
        }
    }

    @Test
    void linesThatNoLoggerTakesAreDroppedAndCounted() throws Exception {
        int room = 128;
        int more = 5;
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        Logger logger = Logger.getLogger(LOGGER);
        Handler blocking = new Handler() {
            @Override
            public void publish(LogRecord record) {
                busy.countDown();
                try {
                    released.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        };
        try (Logs logs = Logs.of(LOGGER)) {
            logger.addHandler(blocking);
            warn();
            busy.await();
            for (int i = 0; i < room + more; i++) {
                warn();
            }
            released.countDown();
            logs.await(record -> record.getMessage().equals(more + " log lines of libevent were dropped"));
            warn();
            for (int i = 0; i < room; i++) { // those that were kept, and the new one
                logs.await(record -> record.getMessage().equals(WARNING));
            }
        } finally {
            released.countDown();
            logger.removeHandler(blocking);
        }
    }

    /** Shows whether allocations are counted. */
    public static final class Allocations {
        private Allocations() {
        }

        public static void main(String[] arguments) throws Exception {
            try (EventBase base = EventBase.create()) {
                System.out.println(Live.allocations());
            }
            System.out.println(Live.handles() + " " + Live.targets());
        }
    }

    @Test
    void allocationsAreCountedInDebugModeOnly() throws Exception {
        assertEquals("-1\n0 0\n", new Programs.Java().option("-Dlibevent4j.debug=false").run(Allocations.class).text());
        String counted = new Programs.Java().run(Allocations.class).text();
        assertTrue(counted.matches("[1-9]\\d*\n0 0\n"), counted);
    }

    /** Breaks one of libevent's rules in the raw layer. */
    public static final class Fatal {
        private Fatal() {
        }

        public static void main(String[] arguments) throws Exception {
            try (EventBase ignored = EventBase.create()) {
                event_base base = libevent.event_base_new();
                evhttp_connection connection = libevent.evhttp_connection_base_new(base, null, "127.0.0.1", (short) 80);
                System.out.println("before");
                libevent.evhttp_connection_set_base(connection, base);
                System.out.println("after");
            }
        }
    }

    @Test
    void whatLibeventCannotGoOnFromIsSaidBeforeTheProcessEnds() throws Exception {
        Programs.Result result = new Programs.Java().run(Fatal.class);
        assertEquals(128 + 6, result.exit()); // SIGABRT
        assertEquals("before\n", result.text());
        assertTrue(result.errors().contains("libevent4j: libevent cannot go on: ")
            && result.errors().contains("Assertion evcon->base == NULL failed in evhttp_connection_set_base"), result.errors());
        // and the logger, which prints its lines there too
        assertEquals(2, result.errors().split("Assertion evcon->base == NULL failed", -1).length - 1, result.errors());
    }

    @Test
    void aLoggerThatNeverReturnsKeepsNoProcessFromEnding() throws Exception {
        Programs.Result result = new Programs.Java().run(FatalWithoutLogger.class);
        assertEquals(128 + 6, result.exit());
        assertTrue(result.errors().contains("libevent4j: libevent cannot go on: "), result.errors());
    }

    /** The same, with a logger that hangs. */
    public static final class FatalWithoutLogger {
        private FatalWithoutLogger() {
        }

        public static void main(String[] arguments) throws Exception {
            Logger.getLogger("io.github.libevent4j.native").setFilter(record -> {
                LockSupport.park();
                return false;
            });
            Fatal.main(arguments);
        }
    }

    @Test
    void theEnvironmentChoosesTheBackendUnlessItIsIgnored() throws Exception {
        Programs.Result result = new Programs.Java().environment("EVENT_NOEPOLL", "1").run(Methods.class);
        assertEquals("poll epoll\n", result.text(), result.errors());
    }

    /** Tells the backends of two bases. */
    public static final class Methods {
        private Methods() {
        }

        public static void main(String[] arguments) throws Exception {
            try (EventBase obedient = EventBase.create();
                 EventBase ignorant = EventBase.newBuilder().flags(EventBase.Flag.IGNORE_ENV).build()) {
                System.out.println(obedient.method() + " " + ignorant.method());
            }
        }
    }

    @Test
    void debugModeEndsAProcessThatMisusesEvents() throws Exception {
        Programs.Result result = new Programs.Java().run(Misuse.class);
        assertEquals("what is right is done\n", result.text(), result.errors());
        assertEquals(128 + 6, result.exit());
        assertTrue(result.errors().contains("called on an already added event"), result.errors());
    }

    /** Uses the API, which debug mode must have nothing against, and then the raw layer wrongly. */
    public static final class Misuse {
        private Misuse() {
        }

        public static void main(String[] arguments) throws Exception {
            Libevent.enableDebugMode();
            try (EventBase base = EventBase.create();
                 Timer timer = Timer.create(base, () -> System.out.println("what is right is done"))) {
                timer.start(Duration.ZERO);
                base.dispatch();
                event added = libevent.event_new(libevent.event_base_new(), -1, (short) 0, null, null);
                libevent.event_add(added, new timeval().tv_sec(1).tv_usec(0));
                libevent.event_assign(added, libevent.event_get_base(added), -1, (short) 0, null, null);
                System.out.println("and what is wrong");
            }
        }
    }
}
