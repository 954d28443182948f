package io.github.libevent4j.samples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DownloadTest extends SampleTest {

    private static final String FULL = "[" + "=".repeat(40) + "] 100 % of ";

    @TempDir
    static Path directory;
    static Nginx nginx;
    static String url;
    static byte[] content = new byte[5_000_000];

    @BeforeAll
    static void start() throws Exception {
        new Random(1).nextBytes(content);
        nginx = new Nginx(directory, """
            location /moved { return 302 /file; }
            location /chunked { alias www/file; ssi on; ssi_types *; }
            """);
        Files.write(directory.resolve("www/file"), content);
        Files.createFile(directory.resolve("www/empty"));
        url = "http://127.0.0.1:" + nginx.port() + "/";
    }

    @AfterAll
    static void stop() throws Exception {
        try (Nginx ending = nginx) {
            ending.stop();
        }
    }

    private static String last(String errors) {
        return errors.substring(errors.lastIndexOf('\r') + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "moved"})
    void savesWhatNginxGives(String name) throws Exception {
        Path target = directory.resolve("saved");
        Programs.Result result = run("download", "-o", target.toString(), url + name);
        assertEquals(0, result.exit(), result.errors());
        assertEquals(FULL + "4.8 MiB\n", last(result.errors()));
        assertEquals(101, result.errors().split("%", -1).length - 1); // 0 to 100
        assertEquals("", result.text());
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void savesWhatHasNoLength() throws Exception {
        Path target = directory.resolve("saved");
        Programs.Result result = run("download", "-o", target.toString(), url + "chunked");
        assertEquals(0, result.exit(), result.errors());
        assertTrue(last(result.errors()).matches("4\\.\\d MiB\n"), result.errors());
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void theUrlNamesTheFile() throws Exception {
        Path here = Files.createDirectory(directory.resolve("here"));
        try (Programs.Running sample = new Programs.Java().directory(here).start("Samples", "download", url + "%65mpty?x=/y")) {
            Programs.Result result = sample.await();
            assertEquals(0, result.exit(), result.errors());
        }
        assertEquals(0, Files.size(here.resolve("empty")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/", "..", "%2e%2e", "..%2fa", "%2Fetc%2Fpasswd"})
    void whatNamesNoFileIsRefused(String path) throws Exception {
        Programs.Result result = run("download", url + path);
        assertEquals(1, result.exit());
        assertTrue(result.errors().startsWith("download: the path of " + url + path + " does not end with a file's name"), result.errors());
    }

    @Test
    void whatIsNotThereLeavesNothing() throws Exception {
        Path target = directory.resolve("nothing");
        Programs.Result result = run("download", "-o", target.toString(), url + "nothing");
        assertEquals(1, result.exit());
        assertTrue(result.errors().startsWith("download: " + url + "nothing gives HTTP/1.1 404"), result.errors());
        assertFalse(Files.exists(target));
    }

    @Test
    void whatBreaksOffLeavesNothing() throws Exception {
        Path target = directory.resolve("half");
        try (RawServer server = new RawServer();
             Programs.Running sample = Programs.startJava("Samples", "download", "-o", target.toString(), "http://127.0.0.1:" + server.port() + "/")) {
            try (RawClient end = server.accept()) {
                end.request();
                end.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").send(new byte[500_000]);
            }
            Programs.Result result = sample.await();
            assertEquals(1, result.exit());
            assertTrue(result.errors().contains("download: "), result.errors());
            assertFalse(Files.exists(target));
        }
    }

    /** What takes it is a pipe, whose reader takes its time. */
    @Test
    void aSlowDiskMakesTheServerWait() throws Exception {
        long size = 400_000_000;
        try (RandomAccessFile file = new RandomAccessFile(directory.resolve("www/large").toFile(), "rw")) {
            file.setLength(size); // of zeroes that are nowhere
        }
        Path pipe = directory.resolve("pipe");
        assertEquals(0, Programs.run("mkfifo", pipe.toString()).exit());
        try (Programs.Running sample = new Programs.Java().option("-Xmx24m").start("Samples", "download", "-o", pipe.toString(), url + "large");
             InputStream reader = Files.newInputStream(pipe)) {
            byte[] part = new byte[4096];
            long read = 0;
            for (int n = reader.read(part); n >= 0; n = reader.read(part)) {
                read += n;
            }
            Programs.Result result = sample.await();
            assertEquals(0, result.exit(), result.errors());
            assertEquals(size, read);
            assertEquals(FULL + "381.5 MiB\n", last(new String(result.errors().getBytes(US_ASCII), US_ASCII)));
            assertTrue(Files.exists(pipe));
        }
    }
}
