package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;

/** What the tests of the samples have in common: each sample runs in a JVM of its own, as a user would run it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class SampleTest {

    /** A sample that serves. */
    static final class Server implements AutoCloseable {

        private static final Pattern LISTENING = Pattern.compile("^listening on (http://.*:(\\d+))/$", Pattern.MULTILINE);

        final Programs.Running running;
        final String url;
        final int port;

        Server(String... arguments) throws IOException, InterruptedException {
            this(Programs.startJava("Samples", arguments));
        }

        /** A program that tells where it listens as a sample does. */
        Server(Programs.Running running) throws InterruptedException {
            this.running = running;
            Matcher listening = running.awaitOutput(LISTENING);
            url = listening.group(1);
            port = Integer.parseInt(listening.group(2));
        }

        InetSocketAddress address() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }

        /** Stops it, gracefully, and returns what it printed to standard error. */
        String stop(String signal) throws IOException, InterruptedException {
            running.signal(signal);
            return awaitEnd();
        }

        /** Waits for it to stop gracefully, and returns what it printed to standard error. */
        String awaitEnd() throws InterruptedException {
            Programs.Result result = running.await();
            assertEquals(0, result.exit(), result.errors());
            assertEquals("listening on " + url + "/\n", result.text());
            return result.errors();
        }

        @Override
        public void close() {
            running.close();
        }
    }

    /** The port where a sample listens that does not speak HTTP. */
    static int awaitPort(Programs.Running sample) throws InterruptedException {
        return Integer.parseInt(sample.awaitOutput(Pattern.compile("^listening on .*:(\\d+)$", Pattern.MULTILINE)).group(1));
    }

    /** Ends a sample as the system would, and returns what it printed. */
    static Programs.Result stop(Programs.Running sample, String signal) throws IOException, InterruptedException {
        sample.signal(signal);
        Programs.Result result = sample.await();
        assertEquals(0, result.exit(), result.errors());
        return result;
    }

    /** Runs a line of the shell. */
    static Programs.Result shell(String line) throws IOException, InterruptedException {
        return Programs.run("bash", "-c", line);
    }

    static Programs.Result run(String... arguments) throws IOException, InterruptedException {
        try (Programs.Running sample = Programs.startJava("Samples", arguments)) {
            return sample.await();
        }
    }

    /** A port on which nobody listens. */
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
