package io.github.libevent4j.samples;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TransferTest extends SampleTest {

    private static final int SIZE = 8_000_000;
    private static final String FULL = "\r[" + "=".repeat(40) + "] 100 % of 7.6 MiB\n";

    @TempDir
    private Path directory;
    private Path file;
    private Path copy;

    @BeforeEach
    void write() throws Exception {
        byte[] content = new byte[SIZE];
        new Random(1).nextBytes(content);
        file = Files.write(directory.resolve("file"), content);
        copy = directory.resolve("copy");
    }

    private void assertCopied() throws Exception {
        assertEquals(-1, Files.mismatch(file, copy));
    }

    @Test
    void sendsToSocat() throws Exception {
        int port = freePort();
        try (Programs.Running socat = Programs.start("socat", "-d", "-d", "-u", "TCP-LISTEN:" + port + ",bind=127.0.0.1,rcvbuf=4096",
                 "CREATE:" + copy)) {
            socat.awaitErrors(Pattern.compile("listening on"));
            socat.signal("STOP"); // what the kernel does not keep for it has to wait
            try (Programs.Running transfer = Programs.startJava("Samples", "transfer", "send", "--progress", file.toString(),
                    "127.0.0.1:" + port)) {
                transfer.awaitErrors(Pattern.compile("^\r\\[ {40}]   0 % of 7.6 MiB\r\\[=* +] {2,3}[1-9][0-9]? %"));
                socat.signal("CONT");
                Programs.Result sent = transfer.await();
                assertEquals(0, sent.exit(), sent.errors());
                assertEquals("", sent.text());
                assertTrue(sent.errors().endsWith(FULL), sent.errors());
            }
            socat.await();
            assertCopied();
        }
    }

    @Test
    void sendsToNcWithoutABarWhereThereIsNoTerminal() throws Exception {
        int port = freePort();
        try (Programs.Running nc = Programs.start("bash", "-c", "nc -v -l 127.0.0.1 " + port + " > " + copy)) {
            nc.awaitErrors(Pattern.compile("Listening on"));
            Programs.Result sent = run("transfer", "send", file.toString(), "127.0.0.1:" + port);
            assertEquals(0, sent.exit(), sent.errors());
            assertEquals("", sent.errors());
            nc.await();
            assertCopied();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nc -N 127.0.0.1 %s < %s", "socat -u FILE:%2$s TCP:127.0.0.1:%1$s"})
    void receives(String sender) throws Exception {
        Files.write(copy, new byte[SIZE + 1]); // what was there before
        try (Programs.Running transfer = Programs.startJava("Samples", "transfer", "receive", "--progress", "--size",
                Integer.toString(SIZE), "0", copy.toString())) {
            int port = awaitPort(transfer);
            shell(String.format(sender, port, file));
            Programs.Result received = transfer.await();
            assertEquals(0, received.exit(), received.errors());
            assertTrue(received.errors().endsWith(FULL), received.errors());
            assertCopied();
        }
    }

    @Test
    void sendsToItself() throws Exception {
        try (Programs.Running receiving = Programs.startJava("Samples", "transfer", "--progress", "receive", "0", copy.toString())) {
            Programs.Result sent = run("transfer", "send", file.toString(), "127.0.0.1:" + awaitPort(receiving));
            assertEquals(0, sent.exit(), sent.errors());
            Programs.Result received = receiving.await();
            assertEquals(0, received.exit(), received.errors());
            assertTrue(received.errors().startsWith("\r0.0 MiB\r"), received.errors()); // it does not know how much there will be
            assertTrue(received.errors().endsWith("\r7.6 MiB\n"), received.errors());
            assertCopied();
        }
    }

    @Test
    void aTransferThatIsNotWholeIsAnError() throws Exception {
        try (Programs.Running transfer = Programs.startJava("Samples", "transfer", "receive", "--size", "100", "0", copy.toString())) {
            shell("printf 12345 | nc -N 127.0.0.1 " + awaitPort(transfer));
            Programs.Result received = transfer.await();
            assertEquals(1, received.exit());
            assertEquals("receive: the sender closed after 5 of 100 bytes\n", received.errors());
        }
        int port = freePort();
        Programs.Result refused = run("transfer", "send", file.toString(), "127.0.0.1:" + port);
        assertEquals(1, refused.exit());
        assertEquals("send: connect to /127.0.0.1:" + port + ": Connection refused (errno 111)\n", refused.errors());
        Programs.Result none = run("transfer", "send", copy.toString() + "x", "127.0.0.1:" + port);
        assertEquals(1, none.exit());
        assertEquals("send: there is no file " + copy + "x\n", none.errors());
        assertEquals(2, run("transfer").exit());
    }

    @Test
    void aSignalEndsIt() throws Exception {
        try (Programs.Running transfer = Programs.startJava("Samples", "transfer", "receive", "0", copy.toString())) {
            awaitPort(transfer);
            transfer.signal("TERM");
            Programs.Result interrupted = transfer.await();
            assertEquals(1, interrupted.exit());
            assertEquals("receive: interrupted after 0 bytes\n", interrupted.errors());
        }
    }
}
