package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EchoTest extends SampleTest {

    @Test
    void sendsBackWhatComesAndThenCloses(@TempDir Path directory) throws Exception {
        byte[] content = new byte[5_000_000];
        new Random(1).nextBytes(content);
        Path file = Files.write(directory.resolve("file"), content);
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0")) {
            int port = awaitPort(echo);
            assertEquals("hello", shell("printf hello | nc -N 127.0.0.1 " + port).text());
            assertEquals("", shell("nc -N 127.0.0.1 " + port + " < /dev/null").text());
            assertArrayEquals(content, shell("socat - TCP:127.0.0.1:" + port + " < " + file).bytes());
            assertArrayEquals(content, shell("nc -N 127.0.0.1 " + port + " < " + file).bytes());
            Programs.Result result = stop(echo, "TERM");
            assertEquals("listening on 127.0.0.1:" + port + "\n", result.text());
            assertEquals("", result.errors());
        }
    }

    @Test
    void listensOnALocalSocketAndRemovesIt(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("echo");
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--unix", path.toString())) {
            echo.awaitOutput(Pattern.compile("listening on " + path + "\n"));
            assertEquals("hello", shell("printf hello | socat - UNIX:" + path).text());
            stop(echo, "INT");
            assertFalse(Files.exists(path));
        }
    }

    @Test
    void aTakenPortIsOneLine() throws Exception {
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0")) {
            String port = Integer.toString(awaitPort(echo));
            Programs.Result second = run("echo", "--port", port);
            assertEquals(1, second.exit());
            assertEquals("echo: bind to /127.0.0.1:" + port + ": Address already in use (errno 98)\n", second.errors());
            stop(echo, "TERM");
        }
        Programs.Result wrong = run("echo", "--port", "70000");
        assertEquals(1, wrong.exit());
        assertEquals("echo: port out of range:70000\n", wrong.errors());
    }
}
