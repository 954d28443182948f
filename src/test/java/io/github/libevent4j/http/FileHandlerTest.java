package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileHandlerTest extends HttpTest {

    private static final Instant MODIFIED = Instant.parse("2024-02-29T12:34:56.789Z");
    private static final String MODIFIED_DATE = "Thu, 29 Feb 2024 12:34:56 GMT";
    private static final String EARLIER = "Thu, 29 Feb 2024 12:34:55 GMT";
    private static final String LATER = "Thu, 29 Feb 2024 12:34:57 GMT";

    @TempDir
    Path directory;
    private Path root;

    @BeforeEach
    void start() throws Exception {
        root = Files.createDirectory(directory.resolve("root"));
        serve(new FileHandler(root, "/files/"));
    }

    private Path write(String name, String content) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setLastModifiedTime(file, FileTime.from(MODIFIED));
        return file;
    }

    private Message get(String target, String... headers) throws IOException {
        return exchange("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + lines(headers) + "\r\n");
    }

    private Message head(String target, String... headers) throws IOException {
        try (RawClient client = connect()) {
            client.send("HEAD " + target + " HTTP/1.1\r\nHost: x\r\n" + lines(headers) + "Connection: close\r\n\r\n");
            Message head = Message.head(client.in());
            assertEquals("", client.readToEnd());
            return head;
        }
    }

    private static String lines(String... headers) {
        return headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    }

    // ---- what is sent

    @Test
    void aFileIsSentAsItIs() throws Exception {
        byte[] bytes = new byte[3_000_001];
        new Random(1).nextBytes(bytes);
        Files.write(root.resolve("large.bin"), bytes);
        Message reply = get("/files/large.bin");
        assertEquals(200, reply.status());
        assertEquals("3000001", reply.header("Content-Length"));
        assertEquals("bytes", reply.header("Accept-Ranges"));
        assertArrayEquals(bytes, reply.body());
        assertArrayEquals(bytes, Curl.get("http://127.0.0.1:" + address.getPort() + "/files/large.bin").body());
    }

    @Test
    void headTellsWhatGetWouldSend() throws Exception {
        write("a.txt", "0123456789");
        write("empty", "");
        for (String name : new String[] {"a.txt", "empty", "none"}) {
            Message get = get("/files/" + name);
            Message head = head("/files/" + name);
            assertEquals(get.startLine(), head.startLine());
            for (String header : new String[] {"Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges"}) {
                assertEquals(get.header(header), head.header(header), header);
            }
        }
        assertEquals("10", head("/files/a.txt", "Range: bytes=0-1").header("Content-Length"));
    }

    @ParameterizedTest
    @CsvSource({
        "a.html, text/html; charset=utf-8", "a.HTML, text/html; charset=utf-8", "a.css, text/css; charset=utf-8",
        "a.js, text/javascript; charset=utf-8", "a.json, application/json", "a.svg, image/svg+xml", "a.png, image/png",
        "a.jpg, image/jpeg", "a.txt, text/plain; charset=utf-8", "a.wasm, application/wasm", "a.b.css, text/css; charset=utf-8",
        "a, application/octet-stream", "html, application/octet-stream", "a.unknown, application/octet-stream",
        "a., application/octet-stream", ".html, text/html; charset=utf-8",
    })
    void theTypeFollowsTheSuffix(String name, String type) throws Exception {
        write(name, "x");
        assertEquals(type, get("/files/" + name).header("Content-Type"));
    }

    @Test
    void onlyGetAndHeadAreForFiles() throws Exception {
        Path file = write("a", "kept");
        Message reply = exchange("DELETE /files/a HTTP/1.1\r\nHost: x\r\n\r\n");
        assertEquals(405, reply.status());
        assertEquals("GET, HEAD", reply.header("Allow"));
        assertEquals(405, exchange("PUT /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").status());
        assertEquals("kept", Files.readString(file));
    }

    // ---- conditions

    @Test
    void anEntityTagIsStrongAndFollowsTheFile() throws Exception {
        Path file = write("a", "one");
        String tag = get("/files/a").header("ETag");
        assertTrue(tag.matches("\"[^\"]+\""), tag);
        assertEquals(tag, get("/files/a").header("ETag"));
        assertEquals(MODIFIED_DATE, get("/files/a").header("Last-Modified"));
        write("a", "more"); // of the same time
        assertNotEquals(tag, get("/files/a").header("ETag"));
        write("a", "two");
        assertEquals(tag, get("/files/a").header("ETag"));
        Files.setLastModifiedTime(file, FileTime.from(MODIFIED.plusNanos(1000)));
        assertNotEquals(tag, get("/files/a").header("ETag"));
    }

    /** RFC 9110, section 13: TAG is the file's tag. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // If-None-Match compares weakly
        "304 | If-None-Match: TAG", "304 | If-None-Match: W/TAG", "304 | If-None-Match: *", "304 | If-None-Match: \"a\", TAG",
        "304 | If-None-Match: \"a\",TAG , \"b\"", "304 | If-None-Match: \"a\"; If-None-Match: TAG", "304 | If-None-Match:\tTAG",
        "200 | If-None-Match: \"a\"", "200 | If-None-Match:", "200 | If-None-Match: TAGx", "200 | If-None-Match: w/TAG",
        "200 | If-None-Match: \"W/TAG\"",
        // and makes If-Modified-Since not count
        "200 | If-None-Match: \"a\"; If-Modified-Since: " + LATER, "304 | If-None-Match: TAG; If-Modified-Since: " + EARLIER,
        "304 | If-Modified-Since: " + MODIFIED_DATE, "304 | If-Modified-Since: " + LATER, "200 | If-Modified-Since: " + EARLIER,
        "200 | If-Modified-Since: yesterday", "200 | If-Modified-Since:",
        // If-Match compares strongly
        "200 | If-Match: TAG", "200 | If-Match: *", "200 | If-Match: \"a\", TAG", "412 | If-Match: W/TAG", "412 | If-Match: \"a\"",
        "412 | If-Match:", "412 | If-Match: \"a\", W/TAG",
        // and makes If-Unmodified-Since not count
        "200 | If-Match: TAG; If-Unmodified-Since: " + EARLIER, "412 | If-Match: \"a\"; If-Unmodified-Since: " + LATER,
        "200 | If-Unmodified-Since: " + MODIFIED_DATE, "200 | If-Unmodified-Since: " + LATER, "412 | If-Unmodified-Since: " + EARLIER,
        "200 | If-Unmodified-Since: never",
        // the first to fail decides
        "412 | If-Match: \"a\"; If-None-Match: TAG", "304 | If-Match: TAG; If-None-Match: TAG",
        "304 | If-Unmodified-Since: " + LATER + "; If-Modified-Since: " + LATER,
        "412 | If-Match: \"a\"; Range: bytes=0-1", "304 | If-None-Match: TAG; Range: bytes=0-1",
    })
    void conditionsAreKept(int status, String conditions) throws Exception {
        write("a.txt", "0123456789");
        String tag = get("/files/a.txt").header("ETag");
        String[] headers = conditions.replace("TAG", tag).split("; ?(?=If|Range)");
        Message reply = get("/files/a.txt", headers);
        assertEquals(status, reply.status());
        assertEquals(tag, reply.header("ETag"));
        assertEquals(MODIFIED_DATE, reply.header("Last-Modified"));
        assertEquals(status == 200 ? "0123456789" : "", reply.text());
        assertEquals(status == 200 ? "text/plain; charset=utf-8" : null, reply.header("Content-Type"));
        assertEquals(status, head("/files/a.txt", headers).status());
    }

    @Test
    void aReplyOf304HasNeitherBodyNorLengthAndTheConnectionGoesOn() throws Exception {
        write("a", "0123456789");
        String tag = get("/files/a").header("ETag");
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                Message reply = client.send("GET /files/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + tag + "\r\n\r\n").response();
                assertEquals(304, reply.status());
                assertNull(reply.header("Content-Length"));
                assertNull(reply.header("Transfer-Encoding"));
                assertTrue(reply.header("Date").endsWith("GMT"));
            }
            assertEquals("0123456789", client.get("/files/a").text());
        }
    }

    @Test
    void curlAsksOnlyForWhatIsNew() throws Exception {
        write("a", "0123456789");
        Path tags = directory.resolve("tags");
        String url = "http://127.0.0.1:" + address.getPort() + "/files/a";
        assertEquals(200, Curl.get("--etag-save", tags.toString(), url).status());
        assertEquals(304, Curl.get("--etag-compare", tags.toString(), url).status());
        assertEquals(304, Curl.get("--time-cond", MODIFIED_DATE, url).status());
        assertEquals(200, Curl.get("--time-cond", EARLIER, url).status());
        write("a", "changed");
        assertEquals("changed", Curl.get("--etag-compare", tags.toString(), url).text());
    }

    // ---- ranges

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bytes=0-0 | 0 | 0-0", "bytes=0-4 | 01234 | 0-4", "bytes=3-3 | 3 | 3-3", "bytes=9-9 | 9 | 9-9", "bytes=5- | 56789 | 5-9",
        "bytes=0- | 0123456789 | 0-9", "bytes=5-100 | 56789 | 5-9", "bytes=-3 | 789 | 7-9", "bytes=-10 | 0123456789 | 0-9",
        "bytes=-100 | 0123456789 | 0-9", "Bytes=1-2 | 12 | 1-2", "bytes= 1-2 | 12 | 1-2", "bytes=1-999999999999999999 | 123456789 | 1-9",
        "bytes=0001-02 | 12 | 1-2",
    })
    void aRangeIsSent(String range, String body, String sent) throws Exception {
        write("a.txt", "0123456789");
        Message reply = get("/files/a.txt", "Range: " + range);
        assertEquals(206, reply.status());
        assertEquals(body, reply.text());
        assertEquals("bytes " + sent + "/10", reply.header("Content-Range"));
        assertEquals(Integer.toString(body.length()), reply.header("Content-Length"));
        assertEquals("text/plain; charset=utf-8", reply.header("Content-Type"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=10-", "bytes=10-20", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"})
    void aRangeWithoutAByteIs416(String range) throws Exception {
        write("a.txt", "0123456789");
        Message reply = get("/files/a.txt", "Range: " + range);
        assertEquals(416, reply.status());
        assertEquals("bytes */10", reply.header("Content-Range"));
        assertEquals("", reply.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=2-1", "bytes=1-2-3", "bytes=--1", "bytes=+1-2", "bytes=0x1-2",
        "bytes=0-1,3-4", "bytes=0-1,", "lines=1-2", "bytes 1-2", "bytes=1 2-3", "bytes=99999999999999999999-", "bytes=\u00b2-3",
    })
    void whatIsNoSingleRangeIsIgnored(String range) throws Exception {
        write("a.txt", "0123456789");
        Message reply = get("/files/a.txt", "Range: " + range);
        assertEquals(200, reply.status());
        assertEquals("0123456789", reply.text());
        assertNull(reply.header("Content-Range"));
    }

    @Test
    void rangesTwiceAndOfNothingAreIgnored() throws Exception {
        write("a.txt", "0123456789");
        write("empty", "");
        assertEquals(200, get("/files/a.txt", "Range: bytes=0-1", "Range: bytes=2-3").status());
        for (String range : new String[] {"bytes=0-", "bytes=-1", "bytes=5-6"}) {
            Message reply = get("/files/empty", "Range: " + range);
            assertEquals(200, reply.status());
            assertEquals("", reply.text());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "206 | TAG", "200 | W/TAG", "200 | \"a\"", "200 | *", "206 | " + MODIFIED_DATE, "200 | " + EARLIER, "200 | " + LATER, "200 | now",
    })
    void aRangeOfAnotherStateIsTheWholeFile(int status, String state) throws Exception {
        write("a.txt", "0123456789");
        String tag = get("/files/a.txt").header("ETag");
        Message reply = get("/files/a.txt", "Range: bytes=2-4", "If-Range: " + state.replace("TAG", tag));
        assertEquals(status, reply.status());
        assertEquals(status == 206 ? "234" : "0123456789", reply.text());
    }

    @Test
    void curlGoesOnWhereItLeftOff() throws Exception {
        byte[] bytes = new byte[1_000_003];
        new Random(2).nextBytes(bytes);
        Files.write(root.resolve("large.bin"), bytes);
        Path part = Files.write(directory.resolve("part"), Arrays.copyOf(bytes, 400_001));
        String url = "http://127.0.0.1:" + address.getPort() + "/files/large.bin";
        Programs.Result curl = Curl.run("--continue-at", "-", "--output", part.toString(), "--write-out", "%{http_code}", url);
        assertEquals("206", curl.text());
        assertArrayEquals(bytes, Files.readAllBytes(part));
        assertArrayEquals(Arrays.copyOfRange(bytes, 1_000_000, 1_000_003), Curl.get("--range", "-3", url).body());
    }

    // ---- no way out

    @ParameterizedTest
    @ValueSource(strings = {
        "../secret", "%2e%2e/secret", "..%2fsecret", "%2E%2E%2Fsecret", "sub/../../secret", "sub/..%2f..%2fsecret", "./../secret",
        "sub/%2e%2e/%2e%2e/secret", "..%00/secret", "..%5csecret", "..\\secret", "%252e%252e/secret", ".%2e/secret",
        "DIRECTORY/secret", "/DIRECTORY/secret", "%2fDIRECTORY/secret", "file:DIRECTORY/secret",
        "link", "links/secret", "sub/link", "links", "inside", "loop", "loop/x",
        "", "/", ".", "..", "sub", "sub/", "sub//file", "//sub/file", "sub/./file", "sub/file/", "sub/file/x", "sub/file%2f", "pipe", "pipe/x",
        "socket", "none", "none/x", "file%00", "sub/file%00.txt", "%ff", "%", "%2", "NAME", "NAME/x", "PATH",
    })
    void thereIsNoWayOutOfTheRoot(String path) throws Exception {
        Files.writeString(directory.resolve("secret"), "secret");
        write("sub/file", "file");
        Files.createSymbolicLink(root.resolve("link"), Path.of("../secret"));
        Files.createSymbolicLink(root.resolve("links"), directory);
        Files.createSymbolicLink(root.resolve("sub/link"), Path.of("../../secret"));
        Files.createSymbolicLink(root.resolve("inside"), Path.of("sub/file"));
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        assertEquals(0, Programs.run("mkfifo", root.resolve("pipe").toString()).exit());
        loop.call(() -> {
            http.bind(java.net.UnixDomainSocketAddress.of(root.resolve("socket")));
            return null;
        });
        String target = "/files/" + path.replace("DIRECTORY", directory.toString()).replace("NAME", "n".repeat(300))
            .replace("PATH", "p/".repeat(5000) + "p");
        for (String each : new String[] {target, "http://x" + target}) {
            Message reply = get(each);
            assertEquals(404, reply.status(), each);
            assertFalse(reply.text().contains("secret"));
        }
        Message indexed = withIndex(target);
        assertFalse(indexed.text().contains("secret"));
        assertTrue(indexed.status() == 404 || indexed.status() == 301, indexed.startLine()); // 301 to a directory that is inside
        assertEquals("file", get("/files/sub/file").text());
    }

    private Message withIndex(String target) throws Exception {
        FileHandler handler = new FileHandler(root, "/files/").withIndex("secret");
        loop.call(() -> {
            http.onRequest(handler);
            return null;
        });
        Message reply = get(target);
        FileHandler plain = new FileHandler(root, "/files/");
        loop.call(() -> {
            http.onRequest(plain);
            return null;
        });
        return reply;
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/files", "/file", "/filesx/a", "/FILES/a", "/other/a", "*"})
    void whatIsNotBelowThePrefixIsNotThere(String target) throws Exception {
        write("a", "a");
        assertEquals(404, get(target).status());
        assertEquals("a", get("/files/a").text());
    }

    @Test
    void namesMayBeOfAnyCharacters() throws Exception {
        write("a b+c%d;e?f#g\"h", "odd");
        write(".hidden", "hidden");
        write("..x", "dots");
        write("back\\slash", "back");
        assertEquals("odd", get("/files/a%20b+c%25d;e%3ff%23g%22h").text());
        assertEquals("hidden", get("/files/.hidden").text());
        assertEquals("dots", get("/files/..x?query").text());
        assertEquals("back", get("/files/back%5cslash").text());
    }

    /** Root may read everything, and so has to be somebody else. */
    @Test
    void whatMayNotBeReadIsNotThere() throws Exception {
        write("denied/a", "a");
        Path file = write("b", "b");
        assertEquals(0, Programs.run("chmod", "000", root.resolve("denied").toString(), file.toString()).exit());
        boolean readable = Files.isReadable(file);
        try {
            assertEquals(readable ? 200 : 404, get("/files/denied/a").status());
            assertEquals(readable ? 200 : 404, get("/files/b").status());
        } finally {
            Programs.run("chmod", "700", root.resolve("denied").toString(), file.toString());
        }
    }

    @Test
    void aRootIsADirectory() throws Exception {
        Path file = write("a", "a");
        assertThrows(IllegalArgumentException.class, () -> new FileHandler(file, "/"));
        assertThrows(IOException.class, () -> new FileHandler(root.resolve("none"), "/"));
        for (String prefix : new String[] {"", "files/", "/files"}) {
            assertThrows(IllegalArgumentException.class, () -> new FileHandler(root, prefix));
        }
        for (String index : new String[] {"", "a/b"}) {
            assertThrows(IllegalArgumentException.class, () -> new FileHandler(root, "/").withIndex(index));
        }
        Path link = Files.createSymbolicLink(directory.resolve("link"), root);
        serve(new FileHandler(link, "/"));
        assertEquals("a", get("/a").text());
    }

    @Test
    void aRootThatGoesIsEmpty() throws Exception {
        Files.delete(root);
        assertEquals(404, get("/files/a").status());
    }

    // ---- files that change

    @Test
    void aFileThatGrowsIsSentAsLongAsItWasTold() throws Exception {
        Path file = write("a", "x".repeat(5_000_000));
        try (RawClient client = RawClient.slowlyTo(address)) {
            client.send("GET /files/a HTTP/1.1\r\nHost: x\r\n\r\nGET /files/a HTTP/1.1\r\nHost: x\r\n\r\n");
            client.in().mark(1 << 20);
            client.in().read();
            client.in().reset();
            try (RandomAccessFile growing = new RandomAccessFile(file.toFile(), "rw")) {
                growing.setLength(6_000_000);
            }
            assertEquals(5_000_000, client.response().body().length);
            assertEquals(6_000_000, client.response().body().length);
        }
    }

    @Test
    void aFileThatShrinksBreaksTheReplyOff() throws Exception {
        Path file = write("a", "x".repeat(20_000_000));
        try (RawClient client = RawClient.slowlyTo(address)) {
            client.send("GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n");
            Message head = Message.head(client.in());
            assertEquals("20000000", head.header("Content-Length"));
            try (RandomAccessFile shrinking = new RandomAccessFile(file.toFile(), "rw")) {
                shrinking.setLength(10);
            }
            int received = client.readToEnd().length();
            assertTrue(received < 20_000_000, received + " bytes");
        }
        assertEquals(10, get("/files/a").body().length);
    }

    @Test
    void aFileThatIsReplacedIsSentAsItWas() throws Exception {
        Path file = write("a", "x".repeat(5_000_000));
        try (RawClient client = RawClient.slowlyTo(address)) {
            client.send("GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n");
            Message head = Message.head(client.in());
            Path other = Files.writeString(directory.resolve("other"), "y".repeat(100));
            Files.move(other, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            byte[] body = client.in().readNBytes(Integer.parseInt(head.header("Content-Length")));
            assertEquals("x".repeat(5_000_000), new String(body, ISO_8859_1));
        }
        assertEquals("y".repeat(100), get("/files/a").text());
    }

    // ---- directories

    @Test
    void aDirectoryIsItsIndex() throws Exception {
        write("index.html", "root");
        write("sub/index.html", "sub");
        write("sub/empty/other", "other");
        serve(new FileHandler(root, "/files/").withIndex("index.html"));
        assertEquals("root", get("/files/").text());
        assertEquals("text/html; charset=utf-8", get("/files/").header("Content-Type"));
        assertEquals("sub", get("/files/sub/?query").text());
        assertEquals("sub", get("/files/sub/index.html").text());
        assertEquals(404, get("/files/sub/empty/").status());
        assertEquals(404, get("/files/none/").status());
        assertEquals(404, get("/files//").status());
        assertEquals(404, get("/files/index.html/").status());
    }

    @Test
    void aDirectoryWithoutItsSlashIsElsewhere() throws Exception {
        write("sub/a b/index.html", "sub");
        serve(new FileHandler(root, "/files/").withIndex("index.html"));
        assertMoved("/files/", "/files");
        assertMoved("/files/?a=b", "/files?a=b");
        assertMoved("/files/sub/a%20b/", "/files/sub/a%20b");
        assertMoved("/files/sub/a%20b/", "http://x/files/sub/a%20b");
        assertMoved("/files/sub%2fa%20b/?c?d", "/files/sub%2fa%20b?c?d");
        assertEquals(404, get("//files/sub").status());
        assertEquals(404, get("/files//sub").status());
        assertEquals("sub", Curl.get("--location", "--silent", "--output", "-", "http://127.0.0.1:" + address.getPort()
            + "/files/sub/a%20b").text().replaceFirst("(?s).*\r\n\r\n", ""));
    }

    private void assertMoved(String to, String from) throws IOException {
        Message reply = get(from);
        assertEquals(301, reply.status());
        assertEquals(to, reply.header("Location"));
    }
}
