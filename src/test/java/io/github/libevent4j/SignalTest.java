package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignalTest extends LibeventTest {

    private final List<String> got = new ArrayList<>();

    private static void kill(String signal) throws Exception {
        Programs.run("kill", "-" + signal, Long.toString(ProcessHandle.current().pid()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT", "HUP", "USR1", "WINCH", "CHLD", "ALRM"})
    void runsItsActionOnTheLoop(String name) throws Exception {
        try (EventBase base = EventBase.create();
             Signal signal = Signal.create(base, name, () -> {
                 got.add(name);
                 base.stop();
             })) {
            kill(name);
            assertEquals(LoopExit.STOPPED, base.dispatch());
            assertEquals(List.of(name), got);
            assertTrue(signal.isOpen());
        }
    }

    @Test
    void wakesALoopThatWaits() throws Exception {
        try (EventBase base = EventBase.create(); Signal signal = Signal.create(base, "USR1", base::stop)) {
            LoopThread loop = new LoopThread(base);
            kill("USR1");
            assertEquals(LoopExit.STOPPED, loop.awaitExit());
        }
    }

    @Test
    void keepsItsLoopFromReturning() throws Exception {
        try (EventBase base = EventBase.create()) {
            Signal signal = Signal.create(base, "USR1", () -> got.add("USR1"));
            assertEquals(LoopExit.STOPPED, base.loop(LoopFlag.NONBLOCK));
            signal.close();
            assertEquals(LoopExit.NO_EVENTS, base.loop(LoopFlag.NONBLOCK));
        }
    }

    @Test
    void isHandledForAsLongAsItIsOpen() throws Exception {
        try (EventBase base = EventBase.create(); Signal signal = Signal.create(base, "USR1", () -> {
            got.add("USR1");
            base.stop();
        })) {
            for (int i = 1; i <= 3; i++) {
                kill("USR1");
                base.dispatch();
                assertEquals(i, got.size());
            }
        }
    }

    @Test
    void hasSeveralActionsOnOneBase() throws Exception {
        try (EventBase base = EventBase.create();
             Signal first = Signal.create(base, "USR1", () -> got.add("first"));
             Signal second = Signal.create(base, "USR1", () -> got.add("second"));
             Signal other = Signal.create(base, "HUP", base::stop)) {
            kill("USR1");
            while (got.size() < 2) {
                base.loop(LoopFlag.ONCE);
            }
            first.close();
            got.clear();
            kill("USR1");
            base.loop(LoopFlag.ONCE);
            assertEquals(List.of("second"), got);
            kill("HUP");
            assertEquals(LoopExit.STOPPED, base.dispatch());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SEGV", "BUS", "FPE", "ILL", "QUIT", "PIPE", "TRAP", "XFSZ", "USR2", "ABRT", "KILL", "STOP"})
    void ofTheJvmIsRefused(String name) throws Exception {
        try (EventBase base = EventBase.create()) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Signal.create(base, name, () -> { }));
            assertTrue(e.getMessage().startsWith("SIG" + name + " is the JVM's or the system's own"), e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SIGTERM", "term", "15", "", "NOSUCH"})
    void ofAnotherNameIsRefused(String name) throws Exception {
        try (EventBase base = EventBase.create()) {
            assertThrows(IllegalArgumentException.class, () -> Signal.create(base, name, () -> { }));
        }
    }

    @Test
    void needsEverything() throws Exception {
        try (EventBase base = EventBase.create()) {
            assertThrows(NullPointerException.class, () -> Signal.create(base, null, () -> { }));
            assertThrows(NullPointerException.class, () -> Signal.create(base, "TERM", null));
            assertThrows(NullPointerException.class, () -> Signal.create(null, "TERM", () -> { }));
        }
    }

    @Test
    void belongsToOneBaseAtATime() throws Exception {
        try (EventBase first = EventBase.create(); EventBase second = EventBase.create()) {
            Signal signal = Signal.create(first, "USR1", () -> { });
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> Signal.create(second, "HUP", () -> { }));
            assertTrue(e.getMessage().startsWith(first + " handles signals already"), e.getMessage());
            signal.close();
            Signal.create(second, "USR1", () -> {
                got.add("second");
                second.stop();
            });
            kill("USR1");
            second.dispatch();
            assertEquals(List.of("second"), got);
        }
    }

    @Test
    void goesWithItsBase() throws Exception {
        EventBase first = EventBase.create();
        Signal orphan = Signal.create(first, "USR1", () -> got.add("first"));
        first.close();
        assertFalse(orphan.isOpen());
        try (EventBase second = EventBase.create(); EventBase third = EventBase.create()) {
            Signal.create(second, "USR1", second::stop);
            orphan.close(); // takes nothing from the second base
            assertThrows(IllegalStateException.class, () -> Signal.create(third, "USR1", () -> { }));
            kill("USR1");
            assertEquals(LoopExit.STOPPED, second.dispatch());
        }
        assertEquals(List.of(), got);
    }

    @Test
    void isNotAnothersBeforeItIsFreed() throws Exception {
        try (EventBase first = EventBase.create(); EventBase second = EventBase.create()) {
            Signal.create(first, "USR1", () -> got.add("first"));
            first.execute(() -> {
                first.close(); // and is freed when its loop has returned
                assertThrows(IllegalStateException.class, () -> Signal.create(second, "USR1", () -> { }));
                got.add("refused");
            });
            first.dispatch();
            Signal.create(second, "USR1", second::stop);
            kill("USR1");
            assertEquals(LoopExit.STOPPED, second.dispatch());
            assertEquals(List.of("refused"), got);
        }
    }

    @Test
    void createdFromAWrongThreadLeavesTheSignalsToOthers() throws Exception {
        try (EventBase base = EventBase.create(); EventBase other = EventBase.create()) {
            LoopThread loop = new LoopThread(base);
            assertThrows(IllegalStateException.class, () -> Signal.create(base, "USR1", () -> { }));
            Signal.create(other, "USR1", () -> { }).close();
            base.stop();
            loop.awaitExit();
        }
    }

    @Test
    void freedInItsOwnCallbackWhileDeliveriesCoalesceRunsOnce() throws Exception {
        try (EventBase base = EventBase.create()) {
            Signal[] self = new Signal[1];
            self[0] = Signal.create(base, "USR1", () -> {
                got.add("USR1");
                self[0].close();
            });
            for (int i = 0; i < 5; i++) {
                kill("USR1");
                while (isPending(10)) { // SIGUSR1: each is delivered by itself, and waits for the loop
                    Thread.onSpinWait();
                }
            }
            while (got.isEmpty()) {
                base.loop(LoopFlag.ONCE);
            }
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            assertEquals(List.of("USR1"), got);
        }
    }

    /** Whether the system still holds a signal for this process that no thread has taken. */
    private static boolean isPending(int signal) throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("ShdPnd:")) {
                return (Long.parseUnsignedLong(line.substring("ShdPnd:".length()).trim(), 16) >>> (signal - 1) & 1) != 0;
            }
        }
        throw new AssertionError("/proc/self/status does not say what is pending");
    }

    /** A program that handles TERM, then gives it back. */
    public static final class Terminated {
        private Terminated() {
        }

        public static void main(String[] arguments) throws Exception {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("the JVM's own")));
            try (EventBase base = EventBase.create()) {
                Signal signal = Signal.create(base, "TERM", base::stop);
                System.out.println("waiting");
                base.dispatch();
                signal.close();
                System.out.println("given back");
                Timer.create(base, () -> { }).start(Duration.ofDays(1));
                base.dispatch();
            }
        }
    }

    @Test
    void closedIsTheJvmsAgain() throws Exception {
        try (Programs.Running program = Programs.startJava(Terminated.class.getName())) {
            program.awaitOutput(Pattern.compile("waiting"));
            program.signal("TERM");
            program.awaitOutput(Pattern.compile("given back"));
            program.signal("TERM");
            Programs.Result result = program.await();
            assertEquals(128 + 15, result.exit(), result.errors());
            assertTrue(result.text().endsWith("the JVM's own\n"), result.text());
        }
    }
}
