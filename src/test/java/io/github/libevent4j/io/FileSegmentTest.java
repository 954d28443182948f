package io.github.libevent4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.Turns;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSegmentTest extends LibeventTest {

    private final byte[] content = new byte[100_000];
    private EventBase base;
    private Path file;

    @BeforeEach
    void open(@TempDir Path directory) throws IOException {
        new Random(1).nextBytes(content);
        file = Files.write(directory.resolve("file"), content);
        base = EventBase.create();
    }

    @AfterEach
    void close() {
        base.close();
    }

    @Test
    void goesIntoManyBuffersManyTimes() throws IOException {
        FileSegment segment;
        try (FileChannel channel = FileChannel.open(file)) {
            segment = FileSegment.create(base, channel, 10, 50_000);
            assertEquals(0, channel.position());
        }
        assertEquals(50_000, segment.length());
        byte[] expected = Arrays.copyOfRange(content, 10, 50_010);
        Buffer first = Buffer.create(base).addFile(segment);
        Buffer second = Buffer.create(base).addFile(segment, 5, 10).addFile(segment, 49_999, 1).addFile(segment, 50_000, 0);
        assertArrayEquals(expected, first.removeAll());
        byte[] parts = Arrays.copyOfRange(expected, 5, 16);
        parts[10] = expected[49_999];
        assertArrayEquals(parts, second.removeAll());
        assertArrayEquals(expected, first.addFile(segment).removeAll());
    }

    /** What is in memory was read once: the file may be gone. */
    @Test
    void readsTheFileOnce() throws IOException {
        FileSegment segment = FileSegment.create(base, file);
        Buffer.create(base).addFile(segment, 0, 1);
        Files.write(file, new byte[0]);
        assertArrayEquals(content, Buffer.create(base).addFile(segment).removeAll());
        assertThrows(EOFException.class, () -> {
            FileSegment shorter = FileSegment.create(base, Files.write(file, new byte[10]));
            Files.write(file, new byte[5]);
            Buffer.create(base).addFile(shorter);
        });
    }

    @Test
    void goesToManySocketsWithOneDescriptor() throws Exception {
        List<BufferEvent> accepted = new ArrayList<>();
        ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress("127.0.0.1", 0),
            connection -> accepted.add(connection.toBufferEvent()));
        try (Socket one = new Socket(); Socket other = new Socket()) {
            one.connect(listener.address());
            other.connect(listener.address());
            Turns.until(base, () -> accepted.size() == 2);
            long before = Kernel.descriptors(file);
            FileSegment segment = FileSegment.create(base, file);
            for (BufferEvent event : accepted) {
                event.write("<");
                event.output().addFile(segment, 1000, 50_000).addFile(segment, 0, 1000);
                event.write(">");
            }
            segment.close(); // what is to be sent stays
            assertEquals(before + 1, Kernel.descriptors(file));
            Turns.until(base, () -> accepted.stream().allMatch(event -> event.output().length() == 0));
            assertEquals(before, Kernel.descriptors(file));
            byte[] expected = new byte[51_002];
            expected[0] = '<';
            System.arraycopy(content, 1000, expected, 1, 50_000);
            System.arraycopy(content, 0, expected, 50_001, 1000);
            expected[51_001] = '>';
            assertArrayEquals(expected, one.getInputStream().readNBytes(expected.length));
            assertArrayEquals(expected, other.getInputStream().readNBytes(expected.length));
        }
    }

    @Test
    void isReleasedOnceWhenItIsClosedAndNoBufferHoldsIt() throws IOException {
        List<String> released = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file)) {
            FileSegment segment = FileSegment.create(base, channel, 0, 100, () -> released.add("first"));
            Buffer buffer = Buffer.create(base).addFile(segment).addFile(segment);
            buffer.drain(100);
            segment.close();
            segment.close();
            assertEquals(List.of(), released);
            assertThrows(IllegalStateException.class, () -> buffer.addFile(segment));
            buffer.drain(100);
            assertEquals(List.of("first"), released);

            FileSegment.create(base, channel, 0, 100, () -> released.add("never added")).close();
            assertEquals(List.of("first", "never added"), released);

            buffer.addFile(FileSegment.create(base, channel, 0, 100, () -> released.add("base")));
            base.close();
            assertEquals(List.of("first", "never added", "base"), released);
        }
    }

    @Test
    void refusesWhatItDoesNotHave() throws IOException {
        Buffer buffer = Buffer.create(base);
        long before = Kernel.descriptors(file);
        FileSegment segment = FileSegment.create(base, file);
        assertThrows(IllegalArgumentException.class, () -> buffer.addFile(segment, 1, 100_000));
        assertThrows(IllegalArgumentException.class, () -> buffer.addFile(segment, -1, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.addFile(segment, 0, -1));
        assertThrows(IllegalArgumentException.class, () -> buffer.addFile(segment, 1, Long.MAX_VALUE));
        buffer.freeze(Buffer.End.END);
        assertThrows(IllegalStateException.class, () -> buffer.addFile(segment));
        buffer.unfreeze(Buffer.End.END);
        try (EventBase other = EventBase.create()) {
            Buffer foreign = Buffer.create(other);
            assertThrows(IllegalArgumentException.class, () -> foreign.addFile(segment));
        }
        try (FileChannel channel = FileChannel.open(file)) {
            assertThrows(IllegalArgumentException.class, () -> FileSegment.create(base, channel, 1, 100_000));
            assertThrows(IllegalArgumentException.class, () -> FileSegment.create(base, channel, -1, 1));
            assertThrows(NullPointerException.class, () -> FileSegment.create(base, channel, 0, 1, null));
        }
        try (FileChannel unreadable = FileChannel.open(file, StandardOpenOption.WRITE);
             FileSegment useless = FileSegment.create(base, unreadable, 0, 10)) {
            for (int i = 0; i < 10; i++) {
                assertThrows(LibeventException.class, () -> buffer.addFile(useless));
            }
        }
        segment.close();
        assertEquals(before, Kernel.descriptors(file));
        assertEquals(0, buffer.length());
    }
}
