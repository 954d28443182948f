package io.github.libevent4j.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the system's that tests work with. */
public final class Tool implements AutoCloseable {

    private static final long SECONDS = 60;

    private final Process process;
    private final Path output;

    private Tool(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** Starts a program, which {@link #close} ends. Its output goes to a file. */
    public static Tool start(Path directory, String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(find(name)));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(directory, name, ".log");
        return new Tool(new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
            .redirectOutput(output.toFile()).start(), output);
    }

    /** Runs a program to its end, and returns what it wrote. It must succeed. */
    public static String run(Path directory, String name, String... arguments) throws Exception {
        try (Tool tool = start(directory, name, arguments)) {
            assertTrue(tool.process.waitFor(SECONDS, TimeUnit.SECONDS), name + " does not end");
            assertEquals(0, tool.process.exitValue(), () -> name + " failed: " + tool.output());
            return tool.output();
        }
    }

    /** The program's path. */
    static String find(String name) {
        String path = System.getenv("PATH") + File.pathSeparator + "/usr/sbin";
        for (String directory : path.split(File.pathSeparator)) {
            File file = new File(directory, name);
            if (file.canExecute()) {
                return file.getPath();
            }
        }
        return fail(name + " is not installed, and this test needs it: .ci/run installs it");
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** What the program has written. */
    public String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws Exception {
        process.destroy();
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "a program does not end when it is told to");
    }
}
