package io.github.libevent4j.random;

import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** Clients of the kernel's sockets, who say what they want to, when they want to, and leave as they like. */
final class Clients extends Area {

    private static final String[] WORDS = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /path HTTP/1.1\r\nHost: host.test\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /path HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nmore",
        "GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n", "\r\n", "\n", "\0", "GET  / HTTP/1.1\r\n\r\n", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"};

    Clients(World world) {
        super(world);
        for (int i = 0; i < 4; i++) {
            operation("say", () -> say(world.any(WORDS)));
        }
        operation("sayMany", () -> say(world.any(WORDS).repeat(10)));
        operation("sayPart", () -> {
            String word = world.any(WORDS);
            say(word.substring(0, world.number(word.length())));
        });
        operation("sayMuch", () -> say("x".repeat(50_000)));
        for (int i = 0; i < 2; i++) {
            operation("read", () -> world.one(SocketChannel.class).read(ByteBuffer.allocate(world.any(10, 100_000))));
        }
        operation("shutdownOutput", () -> world.one(SocketChannel.class).shutdownOutput());
        operation("reset", () -> {
            SocketChannel one = world.one(SocketChannel.class);
            one.setOption(StandardSocketOptions.SO_LINGER, 0);
            one.close();
        });
        operation("close", () -> world.close(SocketChannel.class));
    }

    void connect(SocketAddress address) throws Exception {
        SocketChannel channel = SocketChannel.open(address);
        channel.configureBlocking(false);
        world.made(SocketChannel.class, channel);
    }

    private void say(String text) throws Exception {
        world.one(SocketChannel.class).write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    @Override
    void end() throws Exception {
        for (SocketChannel channel : world.all(SocketChannel.class)) {
            channel.close();
        }
    }
}
