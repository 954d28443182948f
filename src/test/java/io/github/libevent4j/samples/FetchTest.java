package io.github.libevent4j.samples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FetchTest extends SampleTest {

    /** Answers every method with what came: the connection's port, the request line, the headers and the body. */
    private static final String MIRROR = """
        import http.server
        class Mirror(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                reply = ('%d\\n%s\\n%s' % (self.client_address[1], self.requestline, self.headers)).encode() + body
                self.send_response(200)
                if self.path == '/chunked':
                    self.send_header('Transfer-Encoding', 'chunked')
                    self.end_headers()
                    for i in range(0, len(reply), 10):
                        self.wfile.write(b'%x\\r\\n%s\\r\\n' % (len(reply[i:i + 10]), reply[i:i + 10]))
                    self.wfile.write(b'0\\r\\n\\r\\n')
                else:
                    self.send_header('Content-Length', str(len(reply)))
                    self.end_headers()
                    if self.command != 'HEAD':
                        self.wfile.write(reply)
            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Mirror)
        print('port', server.server_port, flush=True)
        server.serve_forever()
        """;

    @TempDir
    Path directory;

    private static Programs.Result fetch(String... arguments) throws Exception {
        String[] all = new String[arguments.length + 1];
        all[0] = "fetch";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return run(all);
    }

    /** A server in Python, and where it is. */
    private record Python(Programs.Running running, String url) implements AutoCloseable {

        static Python start(String... arguments) throws Exception {
            List<String> command = new ArrayList<>(List.of("python3", "-u"));
            command.addAll(List.of(arguments));
            Programs.Running running = Programs.start(command.toArray(new String[0]));
            return new Python(running, "http://127.0.0.1:" + running.awaitOutput(Pattern.compile("port (\\d+)")).group(1));
        }

        @Override
        public void close() {
            running.close();
        }
    }

    /** What fetch printed of a single response: its head, and its body as it came. */
    private record Printed(List<String> head, byte[] body) {

        static Printed of(Programs.Result fetch) {
            assertEquals(0, fetch.exit(), fetch.errors());
            assertEquals("", fetch.errors());
            int end = new String(fetch.bytes(), ISO_8859_1).indexOf("\n\n");
            return new Printed(new String(fetch.bytes(), 0, end, ISO_8859_1).lines().toList(),
                Arrays.copyOfRange(fetch.bytes(), end + 2, fetch.bytes().length));
        }
    }

    @Test
    void statusLineHeadersAndBodyOfPythonsServer() throws Exception {
        byte[] bytes = new byte[300_000];
        new Random(3).nextBytes(bytes);
        Files.write(directory.resolve("file.bin"), bytes);
        try (Python python = Python.start("-m", "http.server", "--bind", "127.0.0.1", "--directory", directory.toString(), "0")) {
            Printed printed = Printed.of(fetch(python.url + "/file.bin"));
            assertEquals("HTTP/1.0 200 OK", printed.head.get(0));
            assertTrue(printed.head.contains("Content-type: application/octet-stream"), printed.head.toString());
            assertArrayEquals(bytes, printed.body);

            // A response is a response, whatever its status.
            Printed refused = Printed.of(fetch("-d", "x", python.url + "/"));
            assertEquals("HTTP/1.0 501 Unsupported method ('POST')", refused.head.get(0));
        }
    }

    @Test
    void theRequestIsWhatWasAskedFor() throws Exception {
        Path file = Files.write(directory.resolve("body"), new byte[] {0, 1, '\n', -1});
        try (Python python = Python.start("-c", MIRROR)) {
            String host = "Host: " + python.url.substring("http://".length());

            assertSent(List.of("GET /a?b=c HTTP/1.1", host), "", fetch(python.url + "/a?b=c#d"));
            assertSent(List.of("GET / HTTP/1.1", host), "", fetch(python.url));
            assertSent(List.of("POST / HTTP/1.1", host, "Content-Length: 7"), "a=\u00e4 @b", fetch("-d", "a=\u00e4 @b", python.url + "/"));
            assertSent(List.of("POST / HTTP/1.1", host, "X: 1", "x: 2", "Content-Length: 4"), "\0\1\n\u00ff",
                fetch("-H", "X: 1", "-H", "x:2", "-d", "@" + file, python.url + "/"));
            assertSent(List.of("PATCH /chunked HTTP/1.1", "Host: other", "Content-Length: 1"), "x",
                fetch("-X", "PATCH", "-H", "Host: other", "-d", "x", python.url + "/chunked"));
            assertSent(List.of("DELETE / HTTP/1.1", host), "", fetch("-X", "DELETE", python.url + "/"));

            Printed head = Printed.of(fetch("-X", "HEAD", python.url + "/"));
            assertEquals("HTTP/1.1 200 OK", head.head.get(0));
            assertEquals(0, head.body.length);
        }
    }

    /** @param body UTF-8 when it is that, else one character a byte */
    private static void assertSent(List<String> head, String body, Programs.Result fetch) throws IOException {
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        expected.write((String.join("\n", head) + "\n\n").getBytes(UTF_8));
        expected.write(body.getBytes(body.startsWith("\0") ? ISO_8859_1 : UTF_8));
        String mirrored = new String(Printed.of(fetch).body, ISO_8859_1);
        assertEquals(expected.toString(ISO_8859_1), mirrored.substring(mirrored.indexOf('\n') + 1));
    }

    @Test
    void urlsOfOneOriginShareAConnectionToPython() throws Exception {
        try (Python python = Python.start("-c", MIRROR); Python other = Python.start("-c", MIRROR)) {
            Programs.Result fetch = fetch("-d", "x", python.url + "/1", other.url + "/2", python.url + "/chunked", python.url + "/4");
            assertEquals(0, fetch.exit(), fetch.errors());
            List<String> ports = Pattern.compile("^(\\d+)\nPOST", Pattern.MULTILINE).matcher(fetch.text()).results().map(m -> m.group(1)).toList();
            assertEquals(List.of(ports.get(0), ports.get(1), ports.get(0), ports.get(0)), ports);
        }
    }

    @Test
    void urlsOfOneOriginShareAConnectionToNginx() throws Exception {
        try (Nginx nginx = new Nginx(directory, "location = /gone { return 410 gone; }")) {
            Files.writeString(directory.resolve("www/page.html"), "a page");
            String url = "http://127.0.0.1:" + nginx.port();
            Programs.Result fetch = fetch(url + "/page.html", url + "/gone", url + "/page.html?x");
            assertEquals(0, fetch.exit(), fetch.errors());
            assertEquals("", fetch.errors());
            String[] responses = fetch.text().split("(?=HTTP/1.1 )");
            assertTrue(responses[0].startsWith("HTTP/1.1 200 OK\n") && responses[0].endsWith("\n\na page"), responses[0]);
            assertTrue(responses[1].startsWith("HTTP/1.1 410 Gone\n") && responses[1].endsWith("\n\ngone"), responses[1]);
            assertTrue(responses[2].startsWith("HTTP/1.1 200 OK\n") && responses[2].endsWith("\n\na page"), responses[2]);

            List<String> log = nginx.stop();
            String connection = log.get(0).split(" ")[0];
            assertEquals(List.of(
                connection + " 1 GET /page.html HTTP/1.1",
                connection + " 2 GET /gone HTTP/1.1",
                connection + " 3 GET /page.html?x HTTP/1.1"), log);
        }
    }

    @Test
    void aConnectionThatTheServerClosesIsMadeAnew() throws Exception {
        try (Nginx nginx = new Nginx(directory, "keepalive_requests 1;")) {
            Files.writeString(directory.resolve("www/a"), "a");
            String url = "http://127.0.0.1:" + nginx.port() + "/a";
            assertEquals(0, fetch(url, url, url).exit());
            assertEquals(List.of("1", "1", "1"), nginx.stop().stream().map(line -> line.split(" ")[1]).toList());
        }
    }

    // ---- failures

    private static void assertFailed(String url, String why, Programs.Result fetch) {
        assertEquals(1, fetch.exit());
        assertEquals("fetch: " + url + ": " + why + "\n", fetch.errors());
    }

    /** Fetches from a server that answers the first request with this text and closes. */
    private static void assertFailed(String answer, String why) throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
             Programs.Running fetch = Programs.startJava("Samples", "fetch", "http://127.0.0.1:" + listener.getLocalPort() + "/")) {
            try (RawClient server = new RawClient(listener.accept())) {
                server.request();
                server.send(answer);
            }
            assertFailed("http://127.0.0.1:" + listener.getLocalPort() + "/",
                "GET / to 127.0.0.1 port " + listener.getLocalPort() + ": " + why, fetch.await());
        }
    }

    @Test
    void aMalformedReplyIsToldApart() throws Exception {
        assertFailed("no such thing as a response\r\n\r\n", "the response is malformed, or its head is too long");
        assertFailed("HTTP/1.1 200 OK\r\nno header\r\n\r\n", "the response is malformed, or its head is too long");
    }

    @Test
    void aReplyThatEndsTooEarlyIsToldApart() throws Exception {
        assertFailed("", "the connection ended before the response did");
        assertFailed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "the connection ended before the response did");
    }

    @Test
    void aServerThatIsSilentIsToldApart() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String url = "http://127.0.0.1:" + silent.getLocalPort() + "/";
            assertFailed(url, "GET / to 127.0.0.1 port " + silent.getLocalPort() + ": timed out while the response was awaited",
                fetch("--timeout", "0.1", url));
        }
    }

    @Test
    void aRefusedConnectionIsToldApart() throws Exception {
        int port = freePort();
        assertFailed("http://127.0.0.1:" + port, "GET / to 127.0.0.1 port " + port + ": connect: Connection refused (errno 111)",
            fetch("http://127.0.0.1:" + port));
    }

    @Test
    void aNameThatDoesNotResolveIsToldApart() throws Exception {
        assertFailed("http://no.such.host.invalid/x", "GET /x to no.such.host.invalid port 80: the name does not resolve",
            fetch("http://no.such.host.invalid/x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "/path", "http:///path", "http://user@127.0.0.1/", ""})
    void onlyHttpCanBeFetched(String url) throws Exception {
        assertFailed(url, "only http://HOST[:PORT]/PATH can be fetched", fetch(url));
    }

    @Test
    void oneFailureDoesNotKeepTheOthersFromBeingFetched() throws Exception {
        String refused = "http://127.0.0.1:" + freePort() + "/";
        try (Python python = Python.start("-c", MIRROR)) {
            Programs.Result fetch = fetch(python.url + "/1", refused, "http://a b/", python.url + "/2");
            assertEquals(1, fetch.exit());
            List<String> lines = fetch.errors().lines().toList();
            assertEquals(2, lines.size(), fetch.errors());
            assertTrue(lines.get(0).startsWith("fetch: " + refused + ": ") && lines.get(0).contains("refused"), lines.get(0));
            assertTrue(lines.get(1).startsWith("fetch: http://a b/: ") && lines.get(1).contains("percent-encode"), lines.get(1));
            assertEquals(2, fetch.text().split("HTTP/1.1 200 OK", -1).length - 1, fetch.text());
            assertTrue(fetch.text().contains("GET /1 ") && fetch.text().contains("GET /2 "), fetch.text());
        }
    }

    @Test
    void whatCannotBeAskedForIsAnError() throws Exception {
        assertEquals(2, fetch().exit());
        assertEquals(2, fetch("-X", "NONE", "http://127.0.0.1/").exit());
        assertFailed("http://127.0.0.1/", "-H wants 'Name: value', not 'x'", fetch("-H", "x", "http://127.0.0.1/"));
        Programs.Result missing = fetch("-d", "@" + directory.resolve("none"), "http://127.0.0.1/");
        assertEquals(1, missing.exit());
        assertEquals(1, missing.errors().lines().count(), missing.errors());
    }
}
