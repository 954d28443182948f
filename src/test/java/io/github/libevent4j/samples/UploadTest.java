package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UploadTest extends SampleTest {

    private static final String FULL = "\r[" + "=".repeat(40) + "] 100 % of ";

    @TempDir
    static Path directory;
    static Nginx nginx;
    static Path file;
    static byte[] content = new byte[5_000_000];

    @BeforeAll
    static void start() throws Exception {
        new Random(1).nextBytes(content);
        file = Files.write(directory.resolve("file"), content);
        nginx = new Nginx(directory, """
            client_max_body_size 0;
            location /dav/ { dav_methods PUT; create_full_put_path on; }
            """);
    }

    @AfterAll
    static void stop() throws Exception {
        try (Nginx ending = nginx) {
            ending.stop();
        }
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + nginx.port() + path;
    }

    @Test
    void nginxGetsTheFile() throws Exception {
        Programs.Result result = run("upload", file.toString(), url("/dav/a%20file"));
        assertEquals(0, result.exit(), result.errors());
        assertEquals("HTTP/1.1 201 Created\n", result.text());
        assertTrue(result.errors().endsWith(FULL + "4.8 MiB\n"), result.errors());
        assertArrayEquals(content, Files.readAllBytes(directory.resolve("www/dav/a file")));
    }

    @Test
    void nginxGetsWhatHasNoLength() throws Exception {
        try (Programs.Running sample = new Programs.Java().input(file).start("Samples", "upload", "-", url("/dav/input"))) {
            Programs.Result result = sample.await();
            assertEquals(0, result.exit(), result.errors());
            assertTrue(result.errors().endsWith("\r4.8 MiB\n"), result.errors());
            assertArrayEquals(content, Files.readAllBytes(directory.resolve("www/dav/input")));
        }
    }

    @Test
    void nginxGetsNothing() throws Exception {
        Programs.Result result = run("upload", Files.createFile(directory.resolve("empty")).toString(), url("/dav/empty"));
        assertEquals(0, result.exit(), result.errors());
        assertEquals(0, Files.size(directory.resolve("www/dav/empty")));
    }

    @Test
    void aRefusalIsAFailure() throws Exception {
        Programs.Result result = run("upload", file.toString(), url("/no"));
        assertEquals(1, result.exit());
        assertTrue(result.text().startsWith("HTTP/1.1 405 Not Allowed\n<html>"), result.text());
    }

    @Test
    void whatCannotBeSentIsSaid() throws Exception {
        Programs.Result result = run("upload", directory.resolve("none").toString(), url("/dav/none"));
        assertEquals(1, result.exit());
        assertTrue(result.errors().contains("none"), result.errors());
        assertEquals(1, run("upload", file.toString(), "https://127.0.0.1/").exit());
        assertEquals(1, run("upload", file.toString(), "http://127.0.0.1:" + freePort() + "/").exit());
    }

    @Test
    void aSlowServerCostsNoMemory() throws Exception {
        long size = 1 << 30;
        Path large = directory.resolve("large");
        try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
            sparse.setLength(size);
        }
        try (RawServer server = new RawServer();
             Programs.Running sample = new Programs.Java().option("-Xmx24m").start("Samples", "upload", large.toString(),
                 "http://127.0.0.1:" + server.port() + "/");
             RawClient end = server.accept()) {
            assertEquals(Long.toString(size), Message.head(end.in()).header("Content-Length"));
            long before = sample.peakMemory();
            for (long left = size; left > 0; left -= end.in().skip(left)) {
                // and on
            }
            long growth = sample.peakMemory() - before;
            assertTrue(growth < 64 * 1024, "the client's memory grew by " + growth + " kB");
            end.send("HTTP/1.1 204 No Content\r\n\r\n");
            assertEquals("HTTP/1.1 204 No Content\n", sample.await().text());
        }
    }
}
