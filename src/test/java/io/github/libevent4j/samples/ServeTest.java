package io.github.libevent4j.samples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServeTest extends SampleTest {

    @TempDir
    static Path directory;
    static Path root;
    static Server server;

    @BeforeAll
    static void start() throws Exception {
        root = Files.createDirectories(directory.resolve("root"));
        server = new Server("serve", "--port", "0", "--root", root.toString());
    }

    /** Only /boom has anything to say on standard error, and once for each time that it was asked. */
    @AfterAll
    static void stop() throws Exception {
        try (Server ending = server) {
            String errors = ending.stop("TERM");
            assertEquals(2, errors.split("IllegalStateException: boom", -1).length, errors);
            assertEquals(2, errors.split("SEVERE", -1).length, errors);
            assertFalse(errors.contains("WARNING"), errors);
        }
    }

    private static Curl.Reply get(String path, String... options) throws Exception {
        String[] arguments = Arrays.copyOf(options, options.length + 2);
        arguments[options.length] = "--path-as-is";
        arguments[options.length + 1] = server.url + path;
        return Curl.get(arguments);
    }

    /** HEAD gets what GET gets, but for the body. */
    private static void assertHeadLike(Curl.Reply reply, String path) throws Exception {
        Curl.Reply head = get(path, "--head");
        assertEquals(reply.status(), head.status());
        assertEquals(reply.header("Content-Type"), head.header("Content-Type"));
        assertEquals(reply.header("Content-Length"), head.header("Content-Length"));
        assertEquals(0, head.body().length);
    }

    private static void assertRefused(int status, String why, Curl.Reply reply) {
        assertEquals(status, reply.status());
        assertEquals(why + "\n", reply.text());
    }

    @Test
    void theRootGreets() throws Exception {
        Curl.Reply reply = get("/");
        assertEquals(200, reply.status());
        assertEquals("Hello, World!", reply.text());
        assertEquals("13", reply.header("Content-Length"));
        assertEquals("text/plain", reply.header("Content-Type"));
        assertHeadLike(reply, "/");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    void echoSendsBodyAndTypeBack(String method) throws Exception {
        byte[] body = new byte[100_000];
        new Random(1).nextBytes(body);
        Path file = Files.write(directory.resolve("body"), body);
        Curl.Reply reply = get("/echo", "--request", method, "--data-binary", "@" + file, "--header", "Content-Type: x/" + method);
        assertEquals(200, reply.status());
        assertEquals("x/" + method, reply.header("Content-Type"));
        assertArrayEquals(body, reply.body());
    }

    @Test
    void echoOfNothingIsNothing() throws Exception {
        Curl.Reply reply = get("/echo");
        assertEquals(200, reply.status());
        assertEquals(0, reply.body().length);
        assertNull(reply.header("Content-Type"));
        assertHeadLike(reply, "/echo");
        assertEquals(200, get("/echo", "--request", "TRACE").status());
    }

    @Test
    void thisIsNoProxy() throws Exception {
        assertRefused(405, "This is no proxy.", get("/", "--request", "CONNECT", "--request-target", "[::1]:443"));
    }

    @Test
    void inspectTellsAllOfTheRequest() throws Exception {
        String uri = "/inspect?a=b%20c&a=%3D";
        Programs.Result curl = Curl.run("--write-out", "%{local_port}", "--header", "User-Agent: u", "--header", "Accept: one",
            "--header", "X-Twice: 1", "--header", "Y: \u00e9", "--header", "x-twice: 2", "--header", "Content-Type: t", "--data", "12345",
            "--request", "PUT", server.url + uri);
        String[] output = curl.text().split("\n");
        JsonNode json = new ObjectMapper().readTree(output[0]);
        String authority = server.url.substring("http://".length());
        assertEquals(new ObjectMapper().readTree("""
            {"method": "PUT", "uri": "%s", "path": "/inspect", "query": "a=b%%20c&a=%%3D", "version": "HTTP/1.1", "host": "127.0.0.1",
             "remote": {"address": "127.0.0.1", "port": %s},
             "headers": [["Host", "%s"], ["User-Agent", "u"], ["Accept", "one"], ["X-Twice", "1"], ["Y", "%s"], ["x-twice", "2"],
                         ["Content-Type", "t"], ["Content-Length", "5"]],
             "bodyLength": 5}""".formatted(uri, output[1], authority, new String("\u00e9".getBytes(UTF_8), ISO_8859_1))), json);
    }

    @Test
    void inspectOfABareRequest() throws Exception {
        JsonNode json = new ObjectMapper().readTree(get("/inspect", "--http1.0", "--header", "Host:", "--header", "Accept:",
            "--header", "User-Agent:").text());
        assertEquals("HTTP/1.0", json.get("version").asText());
        assertTrue(json.get("query").isNull());
        assertTrue(json.get("host").isNull());
        assertEquals(0, json.get("headers").size());
        assertEquals(0, json.get("bodyLength").asInt());
        assertHeadLike(get("/inspect", "--head"), "/inspect");
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 304, 404, 418, 503, 999})
    void statusRepliesWithTheStatus(int status) throws Exception {
        Curl.Reply reply = get("/status/" + status);
        assertEquals(status, reply.status());
        assertEquals(0, reply.body().length);
        assertEquals(status, get("/status/" + status, "--head").status());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        /status/199             | the status must be a number from 200 to 999, not "199"
        /status/1000            | the status must be a number from 200 to 999, not "1000"
        /status/x               | the status must be a number from 200 to 999, not "x"
        /status/                | the status must be a number from 200 to 999, not ""
        /bytes/-1               | the length must be a number from 0 to 1073741824, not "-1"
        /bytes/1073741825       | the length must be a number from 0 to 1073741824, not "1073741825"
        /bytes/9999999999999999999999 | the length must be a number from 0 to 1073741824, not "9999999999999999999999"
        /chunks?count=3         | size must be a number from 1 to 65536, not ""
        /chunks?size=3          | count must be a number from 0 to 1000000, not ""
        /chunks?count=1&size=0  | size must be a number from 1 to 65536, not "0"
        /chunks?count=x&size=1  | count must be a number from 0 to 1000000, not "x"
        /delay                  | ms must be a number from 0 to 3600000, not ""
        /delay?ms=1e3           | ms must be a number from 0 to 3600000, not "1e3"
        /delay?ms=3600001       | ms must be a number from 0 to 3600000, not "3600001"
        """)
    void badNumbersAreRefused(String path, String why) throws Exception {
        Curl.Reply reply = get(path);
        assertRefused(400, why, reply);
        assertHeadLike(reply, path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nope", "/status", "/bytes", "/inspect/", "/ECHO", "/.", "/files"})
    void whatIsUnknownIsNotFound(String path) throws Exception {
        Curl.Reply reply = get(path);
        assertRefused(404, "There is no such thing here.", reply);
        assertHeadLike(reply, path);
    }

    // ---- bodies that are made while they are sent

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65535, 65536, 65537, 1_000_000})
    void bytesSendsThatMany(int length) throws Exception {
        Curl.Reply reply = get("/bytes/" + length);
        assertEquals(200, reply.status());
        assertEquals(Integer.toString(length), reply.header("Content-Length"));
        assertEquals(length, reply.body().length);
        assertHeadLike(reply, "/bytes/" + length);
    }

    @Test
    void aGibibyteIsNotHeld() throws Exception {
        get("/bytes/10000000"); // what is used once is used by now
        long before = server.running.peakMemory();
        Programs.Result curl = Curl.run("--output", "/dev/null", "--write-out", "%{http_code} %{size_download}", server.url + "/bytes/1073741824");
        assertEquals("200 1073741824", curl.text());
        long growth = server.running.peakMemory() - before;
        assertTrue(growth < 128 * 1024, "the server's memory grew by " + growth + " kB");
    }

    @Test
    void aClientThatLeavesInTheMiddleDoesNoHarm() throws Exception {
        assertEquals(63, Curl.run("--max-filesize", "1", server.url + "/bytes/100000000").exit());
        assertEquals(200, get("/").status());
    }

    @Test
    void chunksSendsThatManyOfThatSize() throws Exception {
        Curl.Reply reply = get("/chunks?count=3&size=20", "--raw");
        assertEquals("chunked", reply.header("Transfer-Encoding"));
        assertEquals("14\r\nabcdefghijklmnopqrst\r\n".repeat(3) + "0\r\n\r\n", reply.text());
        assertEquals(200 * 65536, get("/chunks?count=200&size=65536").body().length);
        assertEquals(0, get("/chunks?count=0&size=1").body().length);
        assertEquals(200, get("/chunks?count=3&size=20", "--head").status());
        assertEquals("abcdabcd", get("/chunks?count=2&size=4", "--http1.0").text());
    }

    // ---- later, and never

    @Test
    void delayRepliesLater() throws Exception {
        Curl.Reply reply = get("/delay?ms=20");
        assertEquals(200, reply.status());
        assertEquals("This took 20 ms.\n", reply.text());
        assertHeadLike(reply, "/delay?ms=20");
    }

    @Test
    void boomIsAnErrorAndTheConnectionGoesOn() throws Exception {
        Programs.Result curl = Curl.run("--write-out", "%{http_code} %{num_connects}\n", "--output", "/dev/null", server.url + "/boom",
            "--output", "/dev/null", server.url + "/");
        assertEquals("500 1\n200 0\n", curl.text());
    }

    @Test
    void aMalformedRequestIsRefusedAndTheLoopGoesOn() throws Exception {
        try (RawClient client = RawClient.to(server.address())) {
            String reply = client.send("no such thing as a request\r\n\r\n").readToEnd();
            assertTrue(reply.startsWith("HTTP/1.1 400 Bad Request\r\n"), reply);
        }
        assertEquals(200, get("/").status());
    }

    @Test
    void aBodyThatIsExpectedIsAskedFor() throws Exception {
        Curl.Reply reply = get("/echo", "--header", "Expect: 100-continue", "--data", "abc");
        assertTrue(reply.head().startsWith("HTTP/1.1 100 Continue\r\n"), reply.head());
        assertEquals(200, reply.status());
        assertEquals("abc", reply.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Expect: 100-continue", "Expect:"}) // told before it is sent, and sent at once
    void aBodyThatIsTooLongIsRefused(String expect) throws Exception {
        Path file = Files.write(directory.resolve("long"), new byte[10 * 1024 * 1024 + 1]);
        assertEquals(413, get("/echo", "--header", expect, "--data-binary", "@" + file).status());
    }

    // ---- files

    @Test
    void filesAreSentAsTheyAre() throws Exception {
        byte[] bytes = new byte[5_000_001];
        new Random(2).nextBytes(bytes);
        Files.write(root.resolve("large.bin"), bytes);
        Curl.Reply reply = get("/files/large.bin");
        assertEquals(200, reply.status());
        assertEquals("application/octet-stream", reply.header("Content-Type"));
        assertEquals("5000001", reply.header("Content-Length"));
        assertArrayEquals(bytes, reply.body());
        assertHeadLike(reply, "/files/large.bin");
    }

    @ParameterizedTest
    @CsvSource({
        "page.html, /files/page.html, text/html; charset=utf-8",
        "data.json, /files/data.json, application/json",
        "empty.txt, /files/empty.txt, text/plain; charset=utf-8",
        "no suffix, /files/no%20suffix, application/octet-stream",
        "a+b%41.txt, /files/a+b%2541.txt, text/plain; charset=utf-8",
        "sub/deep/..x.css, /files/sub/deep/..x.css, text/css; charset=utf-8",
        "sub/deep/y.png, /files/%73ub%2fdeep%2Fy.png, image/png",
    })
    void filesAreFoundByTheirDecodedName(String name, String path, String type) throws Exception {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, name.startsWith("empty") ? "" : name);
        Curl.Reply reply = get(path);
        assertEquals(200, reply.status());
        assertEquals(type, reply.header("Content-Type"));
        assertEquals(Files.readString(file), reply.text());
        assertHeadLike(reply, path);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "../secret", "%2e%2e/secret", "..%2fsecret", "%2E%2E%2Fsecret", "sub/../../secret", "sub/..%2f..%2fsecret", "./../secret",
        "sub/%2e%2e/%2e%2e/secret", "..%00/secret", "..%5csecret", "%252e%252e/secret",
        "DIRECTORY/secret", "/DIRECTORY/secret", "%2fDIRECTORY/secret",
        "link", "links/secret", "sub/link", "links", "loop", "loop/x",
        "", "/", ".", "..", "sub", "sub/", "sub//file", "//sub/file", "sub/./file", "sub/file/", "sub/file/x", "pipe", "pipe/x",
        "none", "file%00", "%ff", "%", "%2", "NAME",
    })
    void thereIsNoWayOutOfTheRoot(String path) throws Exception {
        Files.writeString(directory.resolve("secret"), "secret");
        Path sub = Files.createDirectories(root.resolve("sub"));
        Files.writeString(sub.resolve("file"), "file");
        link(root.resolve("link"), Path.of("../secret"));
        link(root.resolve("links"), directory);
        link(sub.resolve("link"), Path.of("../../secret"));
        link(root.resolve("loop"), Path.of("loop"));
        if (!Files.exists(root.resolve("pipe"))) {
            assertEquals(0, Programs.run("mkfifo", root.resolve("pipe").toString()).exit());
        }
        String target = path.replace("DIRECTORY", directory.toString()).replace("NAME", "n".repeat(300));
        assertRefused(404, "no such file", get("/files/" + target));
        assertEquals("file", get("/files/sub/file").text()); // what can be had is still there
    }

    private static void link(Path link, Path target) throws IOException {
        if (!Files.isSymbolicLink(link)) {
            Files.createSymbolicLink(link, target);
        }
    }

    @Test
    void filesCanOnlyBeRead() throws Exception {
        Files.writeString(root.resolve("kept"), "kept");
        Curl.Reply reply = get("/files/kept", "--request", "DELETE");
        assertRefused(405, "files are for GET and HEAD", reply);
        assertEquals("GET, HEAD", reply.header("Allow"));
        assertEquals("kept", Files.readString(root.resolve("kept")));
    }

    @Test
    void aPartOfAFileIsSent() throws Exception {
        Files.writeString(root.resolve("part.txt"), "0123456789");
        Curl.Reply reply = get("/files/part.txt", "--range", "2-4");
        assertEquals(206, reply.status());
        assertEquals("bytes 2-4/10", reply.header("Content-Range"));
        assertEquals("234", reply.text());
        assertEquals("789", get("/files/part.txt", "--range", "-3").text());
        assertEquals(416, get("/files/part.txt", "--range", "10-").status());
        assertEquals(304, get("/files/part.txt", "--header", "If-None-Match: " + reply.header("ETag")).status());
    }

    // ---- servers of their own

    @Test
    void loopsShareThePort() throws Exception {
        try (Server own = new Server("serve", "--port", "0", "--loops", "3", "--root", root.toString())) {
            Files.writeString(root.resolve("shared"), "shared");
            for (int i = 0; i < 20; i++) {
                assertEquals("Hello, World!", Curl.get(own.url + "/").text());
                assertEquals("shared", Curl.get(own.url + "/files/shared").text());
            }
            assertEquals("", own.stop("TERM"));
        }
    }

    @ParameterizedTest
    @CsvSource({"--exact, 200", "--exact --strict, 400", "--strict, 400"})
    void strictGoesWithExact(String options, int status) throws Exception {
        try (Server own = new Server(("serve --port 0 " + options).split(" ")); RawClient client = RawClient.to(own.address())) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\nConnection: close\r\n\r\n");
            assertEquals(status, client.response().status());
            assertEquals("", own.stop("TERM"));
        }
    }

    @Test
    void requestsAreLogged() throws Exception {
        try (Server own = new Server("serve", "--port", "0", "--loops", "2", "--access-log", "--root", root.toString())) {
            Files.writeString(root.resolve("logged"), "0123456789");
            Curl.get("--user-agent", "a \"quoted\" agent", "--referer", "http://x/", own.url + "/files/logged");
            String line = "127\\.0\\.0\\.1 - - \\[[^]]+\\] \"GET /files/logged HTTP/1\\.1\" 200 10 \"http://x/\" \"a \\\\\"quoted\\\\\" agent\"\n";
            own.running.awaitOutput(Pattern.compile(line));
            Curl.get("--request", "BREW", own.url + "/");
            own.running.awaitOutput(Pattern.compile("\"-\" 501 - \"-\" \"-\"\n"));
            own.running.signal("TERM");
            assertEquals(0, own.running.await().exit());
        }
    }

    @Test
    void whatIsUnderWayIsAnsweredBeforeTheEnd() throws Exception {
        try (Server own = new Server("serve", "--port", "0"); RawClient client = RawClient.to(own.address())) {
            client.send("GET /delay?ms=2000 HTTP/1.1\r\nHost: x\r\n\r\n");
            // The loop takes what comes in turn: when these are answered, it has the one before.
            assertEquals(200, Curl.get(own.url + "/").status());
            assertEquals(200, Curl.get(own.url + "/").status());
            own.running.signal("TERM");
            assertEquals("This took 2000 ms.\n", client.response().text());
            assertEquals("", own.awaitEnd());
            assertThrows(ConnectException.class, () -> RawClient.to(own.address()));
        }
    }

    @Test
    void anInterruptStopsItToo() throws Exception {
        try (Server own = new Server("serve", "--port", "0"); RawClient idle = RawClient.to(own.address())) {
            assertEquals("", own.stop("INT"));
            assertEquals("", idle.readToEnd());
        }
    }

    @Test
    void exactIsWhatLibeventDoesByItself() throws Exception {
        try (Server own = new Server("serve", "--port", "0", "--exact")) {
            assertEquals("text/html; charset=ISO-8859-1", Curl.get(own.url + "/echo").header("Content-Type"));
            Path file = Files.write(directory.resolve("long"), new byte[10 * 1024 * 1024 + 1]);
            assertEquals(10 * 1024 * 1024 + 1, Curl.get("--data-binary", "@" + file, own.url + "/echo").body().length);
            assertEquals("", own.stop("TERM"));
        }
    }

    @Test
    void anAddressThatCannotBeHadIsAnErrorOfOneLine() throws Exception {
        Programs.Result taken = run("serve", "--port", Integer.toString(server.port));
        assertEquals(1, taken.exit());
        assertEquals("", taken.text());
        assertEquals("serve: bind to 127.0.0.1 port " + server.port + ": Address already in use (errno 98)\n", taken.errors());
        Programs.Result bad = run("serve", "--port", "65536");
        assertEquals(1, bad.exit());
        assertEquals("serve: a port is 0 to 65535, not 65536\n", bad.errors());
    }
}
