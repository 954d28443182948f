package io.github.libevent4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Programs for Node.js that use one package of npm's, which is installed below target/ when it is first needed. */
public final class Node {

    private final Path directory;

    /**
     * Installs the package, unless it is there.
     *
     * @param version a whole one, so that it is always the same
     */
    public Node(String name, String version) throws IOException, InterruptedException {
        directory = Files.createDirectories(Path.of("target", "node")).toAbsolutePath();
        Path description = directory.resolve("node_modules").resolve(name).resolve("package.json");
        if (Files.exists(description) && Files.readString(description).contains("\"version\": \"" + version + "\"")) {
            return;
        }
        Programs.Result result = Programs.run("npm", "install", "--prefix", directory.toString(), "--no-save", "--no-package-lock", "--no-audit",
            "--no-fund", "--ignore-scripts", "--prefer-offline", name + "@" + version);
        if (result.exit() != 0) {
            throw new AssertionError("npm could not install " + name + " " + version + ", which this test needs: is its registry within reach? "
                + result.errors());
        }
    }

    /** Starts a script, which can require() the package. */
    public Programs.Running start(String script, String... arguments) throws IOException {
        String[] command = new String[arguments.length + 3];
        command[0] = "node";
        command[1] = Files.writeString(Files.createTempFile(directory, "script", ".js"), script).toString();
        command[2] = "--";
        System.arraycopy(arguments, 0, command, 3, arguments.length);
        return Programs.start(command);
    }

    /** Runs a script to its end. */
    public Programs.Result run(String script, String... arguments) throws IOException, InterruptedException {
        try (Programs.Running running = start(script, arguments)) {
            return running.await();
        }
    }
}
