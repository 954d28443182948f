package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.evbuffer_add;
import static io.github.libevent4j.global.libevent.evbuffer_add_buffer;
import static io.github.libevent4j.global.libevent.evbuffer_free;
import static io.github.libevent4j.global.libevent.evbuffer_get_length;
import static io.github.libevent4j.global.libevent.evbuffer_new;
import static io.github.libevent4j.global.libevent.evbuffer_read;
import static io.github.libevent4j.global.libevent.evbuffer_remove;
import static io.github.libevent4j.global.libevent.evbuffer_write;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.internal.Descriptors;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.Channel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What libevent reads and writes with is native/transfer.c: the same bytes, whatever they go through, and in however many pieces. */
class TransferTest extends LibeventTest {

    /** Lengths of pieces, around what is put together and beyond it. */
    static Stream<int[]> pieces() {
        return Stream.of(new int[][] {
            {1}, {200, 13}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {4095, 1}, {4096, 1}, {1, 4096}, {5000}, {3000, 3000, 3000}});
    }

    @ParameterizedTest
    @MethodSource("pieces")
    void throughASocket(int[] pieces) throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
             SocketChannel from = SocketChannel.open(listener.getLocalAddress()); SocketChannel to = listener.accept()) {
            transfer(pieces, from, to);
        }
    }

    @ParameterizedTest
    @MethodSource("pieces")
    void throughAPipe(int[] pieces) throws IOException {
        Pipe pipe = Pipe.open();
        try (Channel from = pipe.sink(); Channel to = pipe.source()) {
            transfer(pieces, from, to);
        }
    }

    private static void transfer(int[] pieces, Channel from, Channel to) {
        StringBuilder expected = new StringBuilder();
        evbuffer output = evbuffer_new();
        evbuffer input = evbuffer_new();
        for (int length : pieces) {
            evbuffer piece = evbuffer_new();
            String text = Character.toString('a' + expected.length() % 26).repeat(length);
            expected.append(text);
            try (BytePointer bytes = new BytePointer(text)) {
                evbuffer_add(piece, bytes, length);
            }
            evbuffer_add_buffer(output, piece);
            evbuffer_free(piece);
        }
        while (evbuffer_get_length(output) > 0) {
            assertTrue(evbuffer_write(output, (int) Descriptors.of(from)) > 0);
        }
        while (evbuffer_get_length(input) < expected.length()) {
            assertTrue(evbuffer_read(input, (int) Descriptors.of(to), -1) > 0);
        }
        byte[] got = new byte[expected.length()];
        try (BytePointer bytes = new BytePointer(got.length)) {
            assertEquals(got.length, evbuffer_remove(input, bytes, got.length));
            bytes.get(got);
        }
        assertEquals(expected.toString(), new String(got, US_ASCII), () -> "in pieces of " + Arrays.toString(pieces));
        evbuffer_free(input);
        evbuffer_free(output);
    }
}
