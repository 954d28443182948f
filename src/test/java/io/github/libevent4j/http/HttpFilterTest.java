package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Filter;
import io.github.libevent4j.io.BufferEvent.FlushMode;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server behind a filter, which keeps back what it can until it is told that there is no more for now. */
class HttpFilterTest extends HttpTest {

    private static final byte[] LARGE = new byte[5_000_000]; // more than sockets hold

    static {
        new Random(1).nextBytes(LARGE);
    }

    @TempDir
    Path directory;

    private static final Filter INVERTING = (source, target, limit, mode) -> {
        if (source.length() < 1000 && mode == FlushMode.NORMAL) {
            return Filter.Result.NEED_MORE;
        }
        byte[] bytes = source.removeAll();
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] ^= -1;
        }
        target.add(bytes);
        return Filter.Result.OK;
    };

    private void serveFiltered(Filter output, HttpHandler handler) throws Exception {
        serve(builder -> builder.bufferEvents(base -> BufferEvent.filter(BufferEvent.create(base), Filter.NONE, output)), handler);
    }

    private static InputStream inverted(RawClient client) {
        return new FilterInputStream(client.in()) {
            @Override
            public int read() throws IOException {
                int next = super.read();
                return next < 0 ? next : next ^ 0xFF;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                int count = super.read(target, offset, length);
                for (int i = 0; i < count; i++) {
                    target[offset + i] ^= -1;
                }
                return count;
            }
        };
    }

    private static String request(String target, boolean close) {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + (close ? "Connection: close\r\n" : "") + "\r\n";
    }

    private void answer(HttpExchange exchange) throws Exception {
        switch (exchange.rawUri()) {
            case "/large" -> exchange.reply(200, LARGE);
            case "/file" -> {
                Path file = Files.write(directory.resolve("file"), LARGE);
                try (FileChannel channel = FileChannel.open(file)) {
                    exchange.reply(200, channel, 0, LARGE.length);
                }
            }
            default -> exchange.reply(200, "small");
        }
    }

    @Test
    void aConnectionIsKept() throws Exception {
        serveFiltered(INVERTING, this::answer);
        try (RawClient client = connect()) {
            InputStream in = inverted(client);
            for (int i = 0; i < 3; i++) {
                client.send(request("/", false));
                assertEquals("small", Message.response(in).text());
                client.send(request("/large", false));
                assertArrayEquals(LARGE, Message.response(in).body());
            }
            client.send(request("/", false) + request("/nothing", false));
            assertEquals("small", Message.response(in).text());
            assertEquals("small", Message.response(in).text());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/large", "/file"})
    void allOfAReplyComesBeforeTheConnectionIsClosed(String target) throws Exception {
        serveFiltered(INVERTING, this::answer);
        for (int i = 0; i < 3; i++) {
            try (RawClient client = connect()) {
                InputStream in = inverted(client);
                client.send(request(target, true));
                Message reply = Message.response(in);
                assertArrayEquals(target.equals("/") ? "small".getBytes() : LARGE, reply.body());
                assertEquals(-1, in.read());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReplyInPieces(boolean close) throws Exception {
        serveFiltered(INVERTING, exchange -> {
            ChunkedReply reply = exchange.start(200);
            reply.send(LARGE).thenRun(() -> reply.send("end".getBytes()).thenRun(reply::end));
        });
        try (RawClient client = connect()) {
            InputStream in = inverted(client);
            client.send(request("/", close));
            byte[] body = Message.response(in).body();
            assertEquals(LARGE.length + 3, body.length);
            assertEquals("end", new String(body, LARGE.length, 3));
            if (close) {
                assertEquals(-1, in.read());
            }
        }
    }

    @Test
    void aVirtualHostsRepliesPassItsParentsFilter() throws Exception {
        serveFiltered(INVERTING, exchange -> exchange.reply(404));
        loop.call(() -> {
            HttpServer host = HttpServer.create(loop.base());
            host.onRequest(this::answer);
            http.addVirtualHost("host.test", host);
            return null;
        });
        try (RawClient client = connect()) {
            InputStream in = inverted(client);
            client.send(request("/", false).replace("Host: x", "Host: host.test"));
            assertEquals("small", Message.response(in).text());
            client.send(request("/large", false).replace("Host: x", "Host: host.test"));
            assertArrayEquals(LARGE, Message.response(in).body());
        }
    }

    @Test
    void whatLibeventAnswersItselfComesToo() throws Exception {
        serveFiltered(INVERTING, this::answer);
        try (RawClient client = connect()) {
            client.send("nonsense\r\n\r\n");
            assertEquals(400, Message.response(inverted(client)).status());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFilterThatFailsOrKeepsBytesClosesTheConnection(boolean keeps) throws Exception {
        BlockingQueue<HttpExchange> seen = new LinkedBlockingQueue<>();
        serveFiltered((source, target, limit, mode) -> keeps ? Filter.Result.NEED_MORE : Filter.Result.ERROR, exchange -> {
            seen.add(exchange);
            exchange.reply(200, "lost");
        });
        try (RawClient client = connect()) {
            client.send(request("/", false));
            assertEquals("", client.readToEnd());
        }
        assertEquals(1, seen.size());
    }
}
