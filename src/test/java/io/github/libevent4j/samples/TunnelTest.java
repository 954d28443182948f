package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Nginx;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TunnelTest extends SampleTest {

    @TempDir
    static Path directory;
    static Nginx nginx;
    static Server proxy;
    static byte[] content = new byte[3_000_000];

    @BeforeAll
    static void start() throws Exception {
        nginx = new Nginx(directory, "");
        new Random(1).nextBytes(content);
        Files.write(directory.resolve("www/file"), content);
        proxy = new Server(new Programs.Java().option("-Xmx40m").start("Samples", "tunnel", "--port", "0"));
    }

    @AfterAll
    static void stop() throws Exception {
        try (Server ending = proxy; Nginx server = nginx) {
            assertEquals("", ending.stop("TERM"));
            server.stop();
        }
    }

    private static Programs.Result curl(String url) throws Exception {
        return Curl.run("--proxytunnel", "--proxy", proxy.url, "--noproxy", "", "--write-out", "%{stderr}%{http_connect} %{http_code}", url);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "LOCALHOST"})
    void curlReachesNginx(String host) throws Exception {
        Programs.Result result = curl("http://" + host + ":" + nginx.port() + "/file");
        assertEquals("200 200", result.errors());
        assertArrayEquals(content, result.bytes());
    }

    @Test
    void socatReachesNginxAndMayEndFirst() throws Exception {
        Path request = Files.writeString(directory.resolve("request"), "GET /file HTTP/1.0\r\n\r\n");
        Programs.Result result = Programs.run("bash", "-c", "exec socat -t 60 STDIO PROXY:127.0.0.1:127.0.0.1:" + nginx.port() + ",proxyport="
            + proxy.port + " < " + request);
        assertEquals(0, result.exit(), result.errors());
        byte[] reply = result.bytes();
        assertTrue(result.text().startsWith("HTTP/1.1 200 OK\r\n"));
        assertArrayEquals(content, Arrays.copyOfRange(reply, reply.length - content.length, reply.length));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.2", "example.org", "[::2]", "localhost.example.org", "0.0.0.0"})
    void elsewhereNoTunnelLeads(String host) throws Exception {
        Programs.Result result = curl("http://" + host + ":80/");
        assertEquals(56, result.exit());
        assertTrue(result.errors().contains("403"), result.errors());
    }

    @Test
    void aListSaysWhereTunnelsLead() throws Exception {
        try (RawServer other = new RawServer();
             Server strict = new Server("tunnel", "--port", "0", "--allow", "127.0.0.1:" + nginx.port() + ",[::1]:1")) {
            assertEquals(200, connect(strict, "127.0.0.1:" + nginx.port()));
            assertEquals(403, connect(strict, "127.0.0.1:" + other.port()));
            assertEquals(403, connect(strict, "localhost:" + nginx.port()));
            assertEquals(502, connect(strict, "[::1]:1"));
        }
        Programs.Result result = run("tunnel", "--port", "0", "--allow", "a b");
        assertEquals(1, result.exit());
        assertTrue(result.errors().startsWith("tunnel: "), result.errors());
    }

    private static int connect(Server through, String target) throws IOException {
        try (RawClient client = RawClient.to(through.address())) {
            return Message.head(client.send("CONNECT " + target + " HTTP/1.1\r\nHost: x\r\n\r\n").in()).status();
        }
    }

    @Test
    void whatIsNoTargetIsRefused() throws Exception {
        assertEquals(400, connect(proxy, "127.0.0.1"));
        assertEquals(400, connect(proxy, ":80"));
        assertEquals(502, connect(proxy, "127.0.0.1:" + freePort()));
        assertEquals(501, Curl.get(proxy.url + "/").status()); // evhttp's own word for a method that is not allowed
    }

    @Test
    void whatComesWithTheRequestGoesThroughToo() throws Exception {
        try (RawServer server = new RawServer(); RawClient client = RawClient.to(proxy.address())) {
            client.send("CONNECT 127.0.0.1:" + server.port() + " HTTP/1.1\r\nHost: x\r\n\r\nhello");
            try (RawClient end = server.accept()) {
                assertEquals("hello", new String(end.in().readNBytes(5)));
                assertEquals(200, Message.head(client.in()).status());
                end.send("hi");
                end.socket().shutdownOutput(); // one direction ends, the other goes on
                assertEquals("hi", client.readToEnd());
                client.send("and more");
                client.socket().shutdownOutput();
                assertEquals("and more", end.readToEnd());
            }
        }
    }

    @Test
    void aResetGoesThrough() throws Exception {
        try (RawServer server = new RawServer(); RawClient client = RawClient.to(proxy.address())) {
            client.send("CONNECT 127.0.0.1:" + server.port() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
            RawClient end = server.accept();
            end.reset();
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void aClientThatLeavesClosesTheTarget() throws Exception {
        try (RawServer server = new RawServer(); RawClient client = RawClient.to(proxy.address())) {
            client.send("CONNECT 127.0.0.1:" + server.port() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
            try (RawClient end = server.accept()) {
                client.reset();
                assertEquals("", end.readToEnd());
            }
        }
    }

    /** Each side sends all it can before the other reads any of it: in memory there is never much. */
    @Test
    void whoDoesNotReadMakesTheOtherSideWait() throws Exception {
        byte[] block = new byte[1 << 20];
        int blocks = 300;
        try (RawServer server = new RawServer(); RawClient client = RawClient.slowlyTo(proxy.address())) {
            client.send("CONNECT 127.0.0.1:" + server.port() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
            try (RawClient end = server.accept()) {
                for (RawClient[] pair : new RawClient[][] {{end, client}, {client, end}}) {
                    long before = proxy.running.peakMemory();
                    Thread sender = new Thread(() -> send(pair[0], block, blocks));
                    sender.start();
                    for (long left = (long) block.length * blocks; left > 0; left -= block.length) {
                        assertEquals(block.length, pair[1].in().readNBytes(block.length).length);
                    }
                    sender.join();
                    long growth = proxy.running.peakMemory() - before;
                    assertTrue(growth < 64 * 1024, "the proxy's memory grew by " + growth + " kB");
                }
            }
        }
    }

    private static void send(RawClient client, byte[] block, int times) {
        try {
            for (int i = 0; i < times; i++) {
                client.send(block);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aStopEndsWhatIsOpen() throws Exception {
        try (RawServer server = new RawServer();
             Server ending = new Server("tunnel", "--port", "0");
             RawClient client = RawClient.to(ending.address())) {
            client.send("CONNECT 127.0.0.1:" + server.port() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(200, Message.head(client.in()).status());
            try (RawClient end = server.accept()) {
                ending.running.signal("TERM");
                client.send("still").socket().shutdownOutput();
                assertEquals("still", end.readToEnd());
                end.close();
                assertEquals("", ending.awaitEnd());
            }
        }
    }
}
