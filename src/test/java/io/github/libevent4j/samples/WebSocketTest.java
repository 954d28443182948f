package io.github.libevent4j.samples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Node;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebSocketTest extends SampleTest {

    private static final int MAX = 100_000;
    private static final String UPGRADE = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    static Server server;

    @BeforeAll
    static void start() throws Exception {
        server = new Server(new Programs.Java().option("-Xmx40m").start("Samples", "websocket", "--port", "0", "--max", Integer.toString(MAX)));
    }

    @AfterAll
    static void stop() throws Exception {
        try (Server ending = server) {
            assertEquals("", ending.stop("TERM"));
        }
    }

    // ---- the client of npm's package ws

    /** Runs a part of a script that is given a WebSocket client, and prints how the client was closed. */
    private static String script(String url, String part) throws Exception {
        Programs.Result result = new Node("ws", "8.23.0").run("""
            const WebSocket = require('ws');
            const client = new WebSocket(process.argv[3].replace('http', 'ws'));
            const next = event => new Promise(resolve => client.once(event, (...values) => resolve(values)));
            client.on('error', error => console.log('error', error.message));
            client.on('close', (code, reason) => console.log('close', code, reason.toString()));
            (async () => {
                await next('open');
            %s
            })();
            """.formatted(part), url);
        assertEquals("", result.errors());
        return result.text();
    }

    @Test
    void wsGetsItsMessagesBack() throws Exception {
        assertEquals("""
            extensions
            true true true true true true true true true
            hello, w\u00f6rld \u65e5\ud83d\ude00 false
            pong ping!
            close 4001 bye
            """, script(server.url, """
                console.log('extensions', client.extensions);
                const equal = [];
                for (const size of [0, 1, 125, 126, 127, 65535, 65536, 65537, %d]) {
                    const sent = Buffer.alloc(size, size);
                    client.send(sent);
                    const [received, binary] = await next('message');
                    equal.push(binary && sent.equals(received));
                }
                console.log(...equal);
                client.send('hello, ', {fin: false});
                client.ping('between');
                client.send(Buffer.from('w\\u00f6rld \\u65e5').subarray(0, 9), {fin: false});
                client.send(Buffer.from('w\\u00f6rld \\u65e5').subarray(9), {fin: false});
                client.send('\\ud83d\\ude00', {fin: true});
                const [text, binary] = await next('message');
                console.log(text.toString(), binary);
                client.ping('ping!');
                console.log('pong', (await next('pong')).toString());
                client.close(4001, 'bye');
            """.formatted(MAX)).replace("extensions \n", "extensions\n"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        client.send(Buffer.from([0x61, 0xff]), {binary: false})            | 1007 | text is UTF-8
        client.send(Buffer.from([0xed, 0xa0, 0x80]), {binary: false})      | 1007 | text is UTF-8
        client.send(Buffer.alloc(100001))                                  | 1009 | a message has at most 100000 bytes
        client.send(Buffer.alloc(60000), {fin: false}); client.send(Buffer.alloc(60000)) | 1009 | a message has at most 100000 bytes
        client.send('x', {mask: false})                                    | 1002 | a client masks its frames
        """)
    void wsIsToldWhatIsWrong(String send, int code, String reason) throws Exception {
        assertEquals("close " + code + " " + reason + "\n", script(server.url, send));
    }

    @Test
    void wsIsAskedForASignOfLife() throws Exception {
        try (Server impatient = new Server("websocket", "--port", "0", "--idle", "1000")) {
            assertEquals("ping\nclose 1000 \n", script(impatient.url, "await next('ping'); await next('ping'); console.log('ping'); client.close(1000);"));
            assertEquals("", impatient.stop("TERM"));
        }
    }

    // ---- the JDK's client

    /** Keeps what it hears. */
    private static final class Listener implements WebSocket.Listener {
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                heard.add("text " + text);
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
            heard.add("binary " + part.remaining());
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer bytes) {
            heard.add("pong " + bytes.remaining());
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            heard.add("close " + code + " " + reason);
            return null;
        }
    }

    private static WebSocket connect(Server server, Listener listener) throws Exception {
        return HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create(server.url.replace("http", "ws")), listener).get();
    }

    @Test
    void theJdksClientGetsItsMessagesBack() throws Exception {
        Listener listener = new Listener();
        WebSocket client = connect(server, listener);
        client.sendText("one ", false).get();
        client.sendPing(ByteBuffer.allocate(125)).get();
        client.sendText("t\u00f6", false).get();
        client.sendText("", true).get();
        assertEquals("pong 125", listener.heard.take());
        assertEquals("text one t\u00f6", listener.heard.take());
        client.sendBinary(ByteBuffer.allocate(1000), true).get();
        assertEquals("binary 1000", listener.heard.take());
        client.sendClose(WebSocket.NORMAL_CLOSURE, "done").get();
        assertEquals("close 1000 done", listener.heard.take());
    }

    @Test
    void whoIsThereWhenItStopsIsTold() throws Exception {
        try (Server ending = new Server("websocket", "--port", "0")) {
            Listener listener = new Listener();
            WebSocket client = connect(ending, listener);
            ending.running.signal("TERM");
            assertEquals("close 1001 the server stops", listener.heard.take());
            assertTrue(client.isInputClosed());
            assertEquals("", ending.awaitEnd());
        }
    }

    // ---- byte by byte

    private static RawClient upgraded() throws IOException {
        return upgraded(server, "");
    }

    private static RawClient upgraded(Server server, String behind) throws IOException {
        RawClient client = RawClient.slowlyTo(server.address());
        Message head = Message.head(client.send(UPGRADE + behind).in());
        assertEquals("HTTP/1.1 101 Switching Protocols", head.startLine());
        assertEquals("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head.header("Sec-WebSocket-Accept")); // the RFC's example
        return client;
    }

    /** A frame of up to 125 bytes, whose mask is zero. */
    private static String frame(int first, String payload) {
        return (char) first + "" + (char) (0x80 | payload.length()) + "\0\0\0\0" + payload;
    }

    @Test
    void framesMayComeInAnyPieces() throws Exception {
        String masked = "\u0081\u0085\u0037\u00fa\u0021\u003d\u007f\u009f\u004d\u0051\u0058"; // the RFC's example
        try (RawClient client = upgraded()) {
            assertEquals("\u0081\u0005Hello", new String(client.sendByteByByte(masked).in().readNBytes(7), ISO_8859_1));
            client.send(masked + masked + frame(0x88, ""));
            assertEquals("\u0081\u0005Hello\u0081\u0005Hello\u0088\0", client.readToEnd());
        }
        try (RawClient client = upgraded(server, masked)) { // before it could know
            assertEquals("\u0081\u0005Hello", new String(client.in().readNBytes(7), ISO_8859_1));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        1002 | c1 80 00000000                    | a reserved bit
        1002 | 83 80 00000000                    | an opcode that nobody knows
        1002 | 8b 80 00000000                    | another
        1002 | 81 00                             | no mask
        1002 | 09 80 00000000                    | a ping in fragments
        1002 | 89 fe 007e 00000000               | a ping that is large
        1002 | 80 80 00000000                    | a fragment of nothing
        1002 | 01 80 00000000 82 80 00000000     | a message within another
        1009 | 82 ff 8000000000000000 00000000   | a length that is negative
        1009 | 82 ff 7fffffffffffffff 00000000   | a length that is huge
        1002 | 88 81 00000000 03                 | half of a code
        1002 | 88 82 00000000 03e7               | the code 999
        1002 | 88 82 00000000 03ed               | the code 1005
        1002 | 88 82 00000000 03ee               | the code 1006
        1002 | 88 82 00000000 07d0               | the code 2000
        1007 | 88 83 00000000 03e8ff             | a reason that is not UTF-8
        1000 | 88 82 00000000 03e8               | all as it should be
        4999 | 88 82 00000000 1387               | likewise
        """)
    void whatIsWrongIsAnsweredWithACode(int code, String frames) throws Exception {
        byte[] bytes = new byte[frames.replace(" ", "").length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(frames.replace(" ", "").substring(2 * i, 2 * i + 2), 16);
        }
        try (RawClient client = upgraded()) {
            client.send(bytes);
            byte[] reply = client.in().readAllBytes(); // to the end: the server closes first
            assertEquals((byte) 0x88, reply[0]);
            assertEquals(reply.length - 2, reply[1]);
            assertEquals(code, ByteBuffer.wrap(reply).getShort(2));
        }
    }

    @Test
    void aSilentClientIsGivenUp() throws Exception {
        try (Server impatient = new Server("websocket", "--port", "0", "--idle", "50"); RawClient client = upgraded(impatient, "")) {
            assertEquals("\u0089\0", client.readToEnd()); // asked once
        }
    }

    /** A client that sends without end and reads nothing: it is not read from any more. */
    @Test
    void whoDoesNotReadCostsNoMemory() throws Exception {
        byte[] frame = new byte[14 + MAX];
        ByteBuffer.wrap(frame).put((byte) 0x82).put((byte) 0xFF).putLong(MAX);
        int count = 2000;
        try (RawClient client = upgraded()) {
            long before = server.running.peakMemory();
            Thread sender = new Thread(() -> {
                try {
                    for (int i = 0; i < count; i++) {
                        client.send(frame);
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            sender.start();
            byte[] expected = new byte[10 + MAX];
            ByteBuffer.wrap(expected).put((byte) 0x82).put((byte) 127).putLong(MAX);
            for (int i = 0; i < count; i++) {
                assertArrayEquals(expected, client.in().readNBytes(expected.length));
            }
            sender.join();
            long growth = server.running.peakMemory() - before;
            assertTrue(growth < 64 * 1024, "the server's memory grew by " + growth + " kB");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--request POST", "--http1.0", "--header Upgrade:", "--header Connection:", "--header Sec-WebSocket-Version:12",
        "--header Sec-WebSocket-Key:short", "--header Upgrade:h2c"})
    void whatAsksForNoWebSocketGetsNone(String difference) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(difference.split(" ")));
        for (String header : UPGRADE.split("\r\n")) {
            String name = header.split(":")[0] + ":";
            if (header.contains(": ") && !difference.contains(name)) {
                arguments.addAll(List.of("--header", header));
            }
        }
        arguments.add(server.url + "/");
        Curl.Reply reply = Curl.get(arguments.toArray(new String[0]));
        assertEquals(426, reply.status());
        assertEquals("websocket", reply.header("Upgrade"));
        assertEquals("13", reply.header("Sec-WebSocket-Version"));
        assertEquals("This is for WebSockets.\n", new String(reply.body(), UTF_8));
    }
}
