package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Other programs, run by tests as processes of their own. */
public final class Programs {

    /** How a program ended, and what it had to say. */
    public record Result(int exit, byte[] bytes, String errors) {

        /** Standard output as UTF-8. */
        public String text() {
            return new String(bytes, UTF_8);
        }
    }

    /** A program that runs. Close it, or it outlives its test. */
    public static final class Running implements AutoCloseable {

        private final List<String> command;
        private final Process process;
        private final Output output;
        private final Output errors;

        private Running(List<String> command) throws IOException {
            this.command = command;
            this.process = new ProcessBuilder(command).start();
            this.process.getOutputStream().close();
            this.output = new Output(process.getInputStream());
            this.errors = new Output(process.getErrorStream());
        }

        public long pid() {
            return process.pid();
        }

        /** Waits until standard output has what the pattern looks for. */
        public Matcher awaitOutput(Pattern pattern) throws InterruptedException {
            Matcher found = output.await(pattern);
            if (found == null) {
                throw new AssertionError(command + " ended with " + process.waitFor() + " and never printed " + pattern + ": "
                    + output.text() + errors.text());
            }
            return found;
        }

        /** Sends a signal, such as TERM. */
        public void signal(String name) throws IOException, InterruptedException {
            run("kill", "-" + name, Long.toString(pid()));
        }

        /** Waits for the end. */
        public Result await() throws InterruptedException {
            int exit = process.waitFor();
            return new Result(exit, output.all(), new String(errors.all(), UTF_8));
        }

        /** Ends the program if it has not ended by itself. */
        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    /** What comes out of a program, as it comes. */
    private static final class Output {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private boolean ended;

        Output(InputStream stream) {
            Thread reader = new Thread(() -> read(stream), "output");
            reader.setDaemon(true);
            reader.start();
        }

        private void read(InputStream stream) {
            byte[] part = new byte[8192];
            try (stream) {
                for (int n; (n = stream.read(part)) >= 0; ) {
                    synchronized (this) {
                        bytes.write(part, 0, n);
                        notifyAll();
                    }
                }
            } catch (IOException e) { // the program was ended from here
                throw new UncheckedIOException(e);
            } finally {
                synchronized (this) {
                    ended = true;
                    notifyAll();
                }
            }
        }

        synchronized String text() {
            return bytes.toString(UTF_8);
        }

        /** Null when it never came. */
        synchronized Matcher await(Pattern pattern) throws InterruptedException {
            while (true) {
                Matcher matcher = pattern.matcher(text());
                if (matcher.find()) {
                    return matcher;
                }
                if (ended) {
                    return null;
                }
                wait();
            }
        }

        synchronized byte[] all() throws InterruptedException {
            while (!ended) {
                wait();
            }
            return bytes.toByteArray();
        }
    }

    private static final AtomicInteger JVMS = new AtomicInteger();

    private Programs() {
    }

    /** Runs a program to its end. */
    public static Result run(String... command) throws IOException, InterruptedException {
        try (Running running = start(command)) {
            return running.await();
        }
    }

    /** Starts a program. */
    public static Running start(String... command) throws IOException {
        try {
            return new Running(List.of(command));
        } catch (IOException e) {
            throw new IOException("this test needs the program " + command[0] + ", which .ci/run installs: " + e.getMessage(), e);
        }
    }

    /**
     * Starts a class in a JVM like this one: the same class path and the same options, so that what the JVM has against its use
     * of JNI is found beside what it has against the tests'.
     */
    public static Running startJava(String mainClass, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        int number = JVMS.incrementAndGet();
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            command.add(option.startsWith("-XX:LogFile=") ? option.replace(".log", "-" + number + ".log") : option);
        }
        command.add("-XX:-DisplayVMOutput"); // it is in that log
        command.add("-Dlibevent4j.debug=true");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(List.of(arguments));
        return start(command.toArray(new String[0]));
    }
}
