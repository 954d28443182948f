package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProxyTest extends SampleTest {

    private static final Pattern CLOSED = Pattern.compile("127.0.0.1:\\d+: closed, after (\\d+) bytes there \\((\\d+) times at the limit\\)"
        + " and (\\d+) bytes back \\((\\d+) times\\)\n");

    private static Programs.Running proxy(int target, String... options) throws Exception {
        String[] all = new String[5 + options.length];
        System.arraycopy(new String[] {"proxy", "--listen", "0", "--to", "127.0.0.1:" + target}, 0, all, 0, 5);
        System.arraycopy(options, 0, all, 5, options.length);
        return Programs.startJava("Samples", all);
    }

    @Test
    void passesHttpOnAndCountsIt() throws Exception {
        try (Server serve = new Server("serve", "--port", "0"); Programs.Running proxy = proxy(serve.port)) {
            int port = awaitPort(proxy);
            Programs.Result direct = shell("curl -s " + serve.url + "/bytes/3000000");
            Programs.Result through = shell("curl -s http://127.0.0.1:" + port + "/bytes/3000000");
            assertArrayEquals(direct.bytes(), through.bytes());
            Matcher closed = proxy.awaitOutput(CLOSED);
            assertTrue(Long.parseLong(closed.group(3)) > 3_000_000, closed.group());
            assertEquals("0", closed.group(2));
            assertEquals("0", closed.group(4));
            long total = Long.parseLong(closed.group(1)) + Long.parseLong(closed.group(3));
            assertTrue(stop(proxy, "TERM").text().endsWith("passed on " + total + " bytes\n"));
            serve.stop("TERM");
        }
    }

    /** A second's worth passes at once, and then a tenth of it in each tenth: seldom more than that comes between two. */
    @Test
    void keepsToItsRateInBothDirections() throws Exception {
        keepsToItsRate("--rate");
    }

    @Test
    void keepsToItsTotalRate() throws Exception {
        keepsToItsRate("--total-rate");
    }

    private void keepsToItsRate(String option) throws Exception {
        try (Programs.Running echo = Programs.startJava("Samples", "echo", "--port", "0");
             Programs.Running proxy = proxy(awaitPort(echo), option, "200000")) {
            Programs.Result back = shell("head -c 500000 /dev/zero | nc -N 127.0.0.1 " + awaitPort(proxy));
            assertEquals(500_000, back.bytes().length);
            Matcher closed = proxy.awaitOutput(CLOSED);
            assertEquals("500000", closed.group(1));
            assertEquals("500000", closed.group(3));
            assertTrue(Integer.parseInt(closed.group(2)) + Integer.parseInt(closed.group(4)) >= 2, closed.group());
            assertTrue(stop(proxy, "INT").text().endsWith("passed on 1000000 bytes\n"));
            stop(echo, "INT");
        }
    }

    @Test
    void passesTheEndOfOneDirectionOn(@TempDir Path directory) throws Exception {
        byte[] content = new byte[2_000_000];
        new Random(1).nextBytes(content);
        Path file = Files.write(directory.resolve("file"), content);
        int target = freePort();
        // It answers when what it gets has come to an end.
        try (Programs.Running server = Programs.start("socat", "-t", "60", "-d", "-d", "TCP-LISTEN:" + target + ",bind=127.0.0.1",
                 "SYSTEM:sha256sum");
             Programs.Running proxy = proxy(target)) {
            server.awaitErrors(Pattern.compile("listening on"));
            int port = awaitPort(proxy);
            String sum = shell("socat -t 60 - TCP:127.0.0.1:" + port + " < " + file).text();
            assertEquals(shell("sha256sum < " + file).text(), sum);
            Matcher closed = proxy.awaitOutput(CLOSED);
            assertEquals("2000000", closed.group(1));
            stop(proxy, "TERM");
        }
    }

    @Test
    void tellsWhyAConnectionCannotBePassedOn() throws Exception {
        int nobody = freePort();
        try (Programs.Running proxy = proxy(nobody)) {
            assertEquals("", shell("nc 127.0.0.1 " + awaitPort(proxy) + " < /dev/null").text());
            proxy.awaitOutput(Pattern.compile("127.0.0.1:\\d+: connect to /127.0.0.1:" + nobody
                + ": Connection refused \\(errno 111\\), after 0"));
            stop(proxy, "TERM");
        }
        assertEquals(2, run("proxy", "--listen", "0", "--to", "nowhere").exit());
    }
}
