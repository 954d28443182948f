package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqueezeTest extends SampleTest {

    private static final String UNZIP = "import sys, zlib; z = zlib.decompressobj(); d = z.decompress(sys.stdin.buffer.read());"
        + " assert z.eof; sys.stdout.buffer.write(d)";
    private static final String ZIP = "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))";

    @TempDir
    private Path directory;
    private Path file;
    private byte[] content;

    @BeforeEach
    void write() throws Exception {
        StringBuilder text = new StringBuilder();
        Random random = new Random(1);
        for (int i = 0; i < 300_000; i++) {
            text.append(random.nextInt(1000)).append(' ');
        }
        content = text.toString().getBytes();
        file = Files.write(directory.resolve("file"), content);
    }

    private static Programs.Running squeeze(int target, String... options) throws Exception {
        String[] all = new String[5 + options.length];
        System.arraycopy(new String[] {"squeeze", "--listen", "0", "--to", "127.0.0.1:" + target}, 0, all, 0, 5);
        System.arraycopy(options, 0, all, 5, options.length);
        return Programs.startJava("Samples", all);
    }

    /** A server that is python: what it gets squeezed it writes to a file as it was, and answers, squeezed. */
    @Test
    void speaksZlibToTheTarget() throws Exception {
        int target = freePort();
        Path got = directory.resolve("got");
        Path server = Files.writeString(directory.resolve("server.sh"), "python3 -c '" + UNZIP + "' > " + got + "\n"
            + "python3 -c '" + ZIP + "' < " + got + "\n");
        try (Programs.Running python = Programs.start("socat", "-t", "60", "-d", "-d", "TCP-LISTEN:" + target + ",bind=127.0.0.1",
                 "EXEC:bash " + server);
             Programs.Running squeeze = squeeze(target)) {
            python.awaitErrors(Pattern.compile("listening on"));
            byte[] back = shell("socat -t 60 - TCP:127.0.0.1:" + awaitPort(squeeze) + " < " + file).bytes();
            assertArrayEquals(content, Files.readAllBytes(got));
            assertArrayEquals(content, back);
            assertEquals("", stop(squeeze, "TERM").errors());
        }
    }

    @Test
    void speaksZlibToThoseWhoConnect() throws Exception {
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0");
             Programs.Running squeeze = squeeze(awaitPort(echo), "--reverse")) {
            int port = awaitPort(squeeze);
            byte[] back = shell("python3 -c '" + ZIP + "' < " + file + " | socat -t 60 - TCP:127.0.0.1:" + port
                + " | python3 -c '" + UNZIP + "'").bytes();
            assertArrayEquals(content, back);
            assertEquals("", stop(squeeze, "INT").errors());
            stop(echo, "TERM");
        }
    }

    @Test
    void twoOfThemSqueezeWhatIsBetweenThem() throws Exception {
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0");
             Programs.Running far = squeeze(awaitPort(echo), "--reverse");
             Programs.Running counting = Programs.startJava("Samples", "proxy", "--listen", "0", "--to", "127.0.0.1:" + awaitPort(far));
             Programs.Running near = squeeze(awaitPort(counting))) {
            assertArrayEquals(content, shell("nc -N 127.0.0.1 " + awaitPort(near) + " < " + file).bytes());
            String closed = counting.awaitOutput(Pattern.compile("after (\\d+) bytes there")).group(1);
            assertTrue(Long.parseLong(closed) < content.length * 6L / 10, closed);
            // What is said is heard at once, and not when there is more.
            try (Programs.Running talk = Programs.startListening("nc", "-N", "127.0.0.1", Integer.toString(awaitPort(near)))) {
                talk.say("hello\n").awaitOutput(Pattern.compile("^hello\n"));
                talk.say("again\n").awaitOutput(Pattern.compile("^hello\nagain\n"));
                talk.sayNoMore();
                assertEquals("hello\nagain\n", talk.await().text());
            }
            for (Programs.Running each : new Programs.Running[] {near, counting, far, echo}) {
                assertEquals("", stop(each, "TERM").errors());
            }
        }
    }

    @Test
    void endsAConnectionThatDoesNotSpeakZlib() throws Exception {
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0");
             Programs.Running squeeze = squeeze(awaitPort(echo), "--reverse")) {
            int port = awaitPort(squeeze);
            assertEquals("", shell("printf nonsense | socat - TCP:127.0.0.1:" + port).text());
            squeeze.awaitErrors(Pattern.compile("the filter of input failed\n"));
            shell("python3 -c '" + ZIP + "' < " + file + " | head -c 1000 | socat - TCP:127.0.0.1:" + port);
            squeeze.awaitErrors(Pattern.compile("what came squeezed has no end\n"));
            stop(squeeze, "TERM");
            stop(echo, "TERM");
        }
    }
}
