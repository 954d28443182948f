package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;

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

        private Running(ProcessBuilder builder) throws IOException {
            this(builder, false);
        }

        private Running(ProcessBuilder builder, boolean listening) throws IOException {
            this.command = builder.command();
            this.process = builder.start();
            if (!listening) {
                this.process.getOutputStream().close();
            }
            this.output = new Output(process.getInputStream());
            this.errors = new Output(process.getErrorStream());
        }

        public long pid() {
            return process.pid();
        }

        /** What it has written to standard output so far. */
        public String output() {
            return output.text();
        }

        /** Waits until standard output has what the pattern looks for. */
        public Matcher awaitOutput(Pattern pattern) throws InterruptedException {
            return await(output, pattern);
        }

        /** Waits until standard error has what the pattern looks for. */
        public Matcher awaitErrors(Pattern pattern) throws InterruptedException {
            return await(errors, pattern);
        }

        private Matcher await(Output output, Pattern pattern) throws InterruptedException {
            Matcher found = output.await(pattern);
            if (found == null) {
                throw new AssertionError(command + " ended with " + process.waitFor() + " and never printed " + pattern + ": "
                    + this.output.text() + errors.text());
            }
            return found;
        }

        /** Writes to the standard input of a program that listens. */
        public Running say(String text) throws IOException {
            process.getOutputStream().write(text.getBytes(UTF_8));
            process.getOutputStream().flush();
            return this;
        }

        /** Ends the standard input of a program that listens. */
        public void sayNoMore() throws IOException {
            process.getOutputStream().close();
        }

        /** The most memory that it has ever had, in kB. */
        public long peakMemory() throws IOException {
            Matcher peak = Pattern.compile("VmHWM:\\s+(\\d+) kB").matcher(Files.readString(Path.of("/proc/" + pid() + "/status")));
            if (!peak.find()) {
                throw new IOException(command + " has ended");
            }
            return Long.parseLong(peak.group(1));
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

    /** The directory on the class path that has the native library in it. */
    public static final Path NATIVE = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(entry -> Files.isDirectory(entry.resolve(Path.of("io", "github", "libevent4j", Loader.getPlatform()))))
        .findFirst().orElseThrow();

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
        return new Running(builder(command));
    }

    /** Starts a program whose standard input is open. */
    public static Running startListening(String... command) throws IOException {
        return new Running(builder(command), true);
    }

    private static ProcessBuilder builder(String... command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.command().set(0, find(command[0]));
        builder.environment().remove("LD_PRELOAD"); // a sanitizer's library is for what this project builds
        return builder;
    }

    /** Starts one of the C programs of src/test/native. */
    public static Running startNative(String name, String... arguments) throws IOException {
        return new Running(nativeProgram(name, arguments));
    }

    /** The same with a file for its standard input. */
    public static Running startNative(String name, Path input, String... arguments) throws IOException {
        return new Running(nativeProgram(name, arguments).redirectInput(input.toFile()));
    }

    private static ProcessBuilder nativeProgram(String name, String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("libevent4j.programs"), name).toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    private static String find(String name) {
        String path = System.getenv("PATH") + File.pathSeparator + "/usr/sbin";
        for (String directory : path.split(File.pathSeparator)) {
            File file = new File(directory, name);
            if (file.canExecute()) {
                return file.getPath();
            }
        }
        throw new AssertionError(name + " is not installed, and this test needs it: .ci/run installs it");
    }

    /** Starts a class in {@linkplain Java a JVM like this one}. */
    public static Running startJava(String mainClass, String... arguments) throws IOException {
        return new Java().start(mainClass, arguments);
    }

    /**
     * A JVM like this one: the same class path and the same options, so that what the JVM has against its use of JNI is found beside
     * what it has against the tests'.
     */
    public static final class Java {

        private final List<String> options = new ArrayList<>();
        private final Map<String, String> environment = new TreeMap<>();
        private int user; // 0 for this process's
        private int descriptors; // 0 for as many as this process may have
        private Path directory; // null for this process's
        private Path input; // null for none
        private String classPath = System.getProperty("java.class.path");

        public Java() {
            int number = JVMS.incrementAndGet();
            for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
                options.add(option.startsWith("-XX:LogFile=") ? option.replace(".log", "-" + number + ".log") : option);
            }
            options.add("-XX:-DisplayVMOutput"); // it is in that log
            options.add("-Dlibevent4j.debug=true");
        }

        /** An option more, which may take one of those above back. */
        public Java option(String option) {
            options.add(option);
            return this;
        }

        public Java environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        /** The most descriptors it may have open. */
        public Java descriptors(int most) {
            descriptors = most;
            return this;
        }

        /** Where it runs. */
        public Java directory(Path path) {
            directory = path;
            return this;
        }

        /** What it reads from standard input. */
        public Java input(Path file) {
            input = file;
            return this;
        }

        /** The class path without the native library. */
        public Java withoutNativeLibrary() {
            return replace(NATIVE.toString(), "");
        }

        /** The class path with another entry, or none, in the place of one. */
        public Java replace(String entry, String other) {
            classPath = Arrays.stream(classPath.split(File.pathSeparator))
                .map(each -> each.equals(entry) ? other : each)
                .filter(each -> !each.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
            return this;
        }

        public Java classPath(String path) {
            classPath = path;
            return this;
        }

        /** Whom it belongs to; only the administrator can give it away. */
        public Java user(int id) {
            user = id;
            return this;
        }

        /** The class path's directories as jars, which are made in this directory: as users have it. */
        public Java packed(Path directory) {
            ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
            List<String> entries = new ArrayList<>();
            for (String entry : classPath.split(File.pathSeparator)) {
                String packed = entry;
                if (Files.isDirectory(Path.of(entry))) {
                    packed = directory.resolve(entries.size() + ".jar").toString();
                    assertEquals(0, jar.run(System.out, System.err, "--create", "--file", packed, "-C", entry, "."));
                }
                entries.add(packed);
            }
            classPath = String.join(File.pathSeparator, entries);
            return this;
        }

        /** What is on the class path now. */
        public String classPath() {
            return classPath;
        }

        public Running start(String mainClass, String... arguments) throws IOException {
            List<String> command = new ArrayList<>();
            if (descriptors > 0) {
                command.addAll(List.of("bash", "-c", "ulimit -n " + descriptors + " && exec \"$@\"", "bash"));
            }
            if (user > 0) {
                command.addAll(List.of("setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups"));
            }
            command.add(ProcessHandle.current().info().command().orElseThrow());
            command.addAll(options);
            command.addAll(List.of("-cp", classPath, mainClass));
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().putAll(environment);
            builder.directory(directory == null ? null : directory.toFile());
            if (input != null) {
                builder.redirectInput(input.toFile());
            }
            return new Running(builder);
        }

        /** Runs a class to its end. */
        public Result run(Class<?> mainClass, String... arguments) throws IOException, InterruptedException {
            try (Running running = start(mainClass.getName(), arguments)) {
                return running.await();
            }
        }
    }
}
