package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files in buffers: their bytes are never where there is no memory for them. */
class BufferFileTest extends LibeventTest {

    private final byte[] content = "0123456789\n".repeat(10_000).getBytes(US_ASCII);
    private Path file;

    @BeforeEach
    void write(@TempDir Path directory) throws IOException {
        file = Files.write(directory.resolve("file"), content);
    }

    @Test
    void bytesOfAFileCanBeLookedAt() throws IOException {
        try (EventBase base = EventBase.create(); Buffer buffer = Buffer.create(base); Buffer other = Buffer.create(base)) {
            buffer.add((byte) 'x').addFile(file);
            assertEquals(1 + 10, buffer.search("\n".getBytes(US_ASCII), 1));
            assertArrayEquals("x0123456789".getBytes(US_ASCII), buffer.readLine(EolStyle.LF).orElseThrow());
            other.addBuffer(buffer, 11);
            other.pullUp(11);
            assertArrayEquals("0123456789\n".getBytes(US_ASCII), other.removeAll());
            ByteBuffer direct = ByteBuffer.allocateDirect(11);
            buffer.remove(direct);
            assertEquals("0123456789\n", US_ASCII.decode(direct.flip()).toString());
            assertArrayEquals(Arrays.copyOfRange(content, 33, content.length), buffer.removeAll());
        }
    }

    @Test
    void bytesOfAFileStayWhenItBecomesShorter() throws IOException {
        try (EventBase base = EventBase.create(); Buffer buffer = Buffer.create(base);
             FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.position(5);
            buffer.addFile(channel, 3, content.length - 3);
            assertEquals(5, channel.position());
            channel.truncate(0);
            assertArrayEquals(Arrays.copyOfRange(content, 3, content.length), buffer.removeAll());
        }
    }

    @Test
    void outputCannotBeLookedInto() throws IOException {
        try (EventBase base = EventBase.create(); BufferEvent socket = BufferEvent.create(base); Buffer buffer = Buffer.create(base)) {
            Buffer output = socket.output().addFile(file);
            assertEquals(content.length, output.length());
            assertThrows(IllegalStateException.class, output::copyOut);
            assertThrows(IllegalStateException.class, output::removeAll);
            assertThrows(IllegalStateException.class, () -> output.copyOut(0, new byte[1], 0, 1));
            assertThrows(IllegalStateException.class, () -> output.remove(new byte[1], 0, 1));
            assertThrows(IllegalStateException.class, () -> output.remove(ByteBuffer.allocateDirect(1)));
            assertThrows(IllegalStateException.class, () -> output.pullUp(1));
            assertThrows(IllegalStateException.class, () -> output.peek(1));
            assertThrows(IllegalStateException.class, () -> output.search(new byte[1], 0));
            assertThrows(IllegalStateException.class, () -> output.searchEol(0, EolStyle.LF));
            assertThrows(IllegalStateException.class, () -> output.readLine(EolStyle.LF));
            assertThrows(IllegalStateException.class, () -> Tags.peekTag(output));
            assertThrows(IllegalStateException.class, () -> Tags.readBytes(output, 1));
            assertThrows(IllegalStateException.class, () -> buffer.addBuffer(output));
            assertThrows(IllegalStateException.class, () -> buffer.addCopy(output));
            assertEquals(content.length, output.length());
        }
    }

    @Test
    void filterTransformsTheBytesOfAFile() throws IOException {
        try (EventBase base = EventBase.create()) {
            List<BufferEvent> pair = BufferEvent.pair(base);
            BufferEvent filter = BufferEvent.filter(pair.get(0), BufferEvent.Filter.NONE, BufferEvent.Filter.NONE);
            pair.get(1).enable(BufferEvent.Direction.READ);
            filter.output().addFile(file);
            while (pair.get(1).input().length() < content.length) {
                base.loop(EventBase.LoopFlag.ONCE);
            }
            assertArrayEquals(content, pair.get(1).input().removeAll());
        }
    }
}
