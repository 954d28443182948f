package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.Garbage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class BufferTest extends LibeventTest {

    private EventBase base;
    private Buffer buffer;

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
        buffer = Buffer.create(base);
    }

    @AfterEach
    void close() {
        base.close();
    }

    private static String text(Buffer buffer) {
        return new String(buffer.copyOut(), ISO_8859_1);
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    /** A buffer with each of these in a piece of its own. */
    private Buffer pieces(String... pieces) {
        Buffer made = Buffer.create(base);
        for (String piece : pieces) {
            made.addReference(piece.getBytes(ISO_8859_1), () -> { });
        }
        return made;
    }

    // ---- adding

    @Test
    void addsAtTheEndAndTheStart() {
        buffer.add((byte) 'c').add("def").add("-gh-".getBytes(UTF_8), 1, 2).prepend((byte) 'a', (byte) 'b');
        assertEquals("abcdefgh", text(buffer));
        assertEquals(8, buffer.length());
    }

    @Test
    void addsTextAsUtf8() {
        assertArrayEquals("grün €".getBytes(UTF_8), buffer.add("grün €").removeAll());
    }

    @Test
    void addsNothing() {
        buffer.add().add("").add(ByteBuffer.allocate(0)).prepend();
        assertEquals(0, buffer.length());
        assertEquals(0, buffer.contiguous());
        assertArrayEquals(new byte[0], buffer.copyOut());
    }

    @Test
    void addsFromEachKindOfByteBufferBetweenPositionAndLimit() {
        byte[] bytes = "0123456789".getBytes(UTF_8);
        ByteBuffer slice = ByteBuffer.wrap(bytes).position(2).slice().position(1).limit(3);
        ByteBuffer direct = ByteBuffer.allocateDirect(10).put(bytes).position(5).limit(7);
        ByteBuffer readOnly = ByteBuffer.wrap(bytes).asReadOnlyBuffer().position(8).limit(10);
        buffer.add(slice).add(direct).add(readOnly);
        assertEquals("345689", text(buffer));
        assertEquals(3, slice.position());
        assertEquals(7, direct.position());
        assertEquals(10, readOnly.position());
    }

    @Test
    void checksPartsOfArrays() {
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.add(new byte[4], 2, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.add(new byte[4], -1, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.copyOut(0, new byte[4], 0, 5));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.remove(new byte[4], 5, 0));
        assertEquals(0, buffer.length());
    }

    @Test
    void holdsMuch() {
        byte[] bytes = random(20_000_000);
        for (int at = 0; at < bytes.length; at += 1_000_000) {
            buffer.add(bytes, at, 1_000_000);
        }
        assertEquals(bytes.length, buffer.length());
        assertArrayEquals(bytes, buffer.removeAll());
    }

    @Test
    void expandsWithoutChangingItsLength() {
        buffer.add("x").expand(1_000_000).add("y");
        assertEquals("xy", text(buffer));
        assertThrows(IllegalArgumentException.class, () -> buffer.expand(-1));
        assertThrows(IllegalArgumentException.class, () -> buffer.expand(Long.MAX_VALUE));
    }

    // ---- references

    @Test
    void releasesAReferenceOnceWhenItsLastByteIsDrained() {
        List<String> released = new ArrayList<>();
        ByteBuffer direct = ByteBuffer.allocateDirect(8).put("-abcdef-".getBytes(UTF_8)).position(1).limit(7);
        buffer.addReference(direct, () -> released.add("first")).addReference("ghi".getBytes(UTF_8), () -> released.add("second"));
        assertEquals("abcdefghi", text(buffer));
        buffer.drain(5);
        assertEquals(List.of(), released);
        buffer.drain(1);
        assertEquals(List.of("first"), released);
        buffer.close();
        assertEquals(List.of("first", "second"), released);
    }

    @Test
    void referencesTheMemoryItselfAndNotACopy() {
        ByteBuffer direct = ByteBuffer.allocateDirect(3).put(new byte[] {1, 2, 3}).flip();
        buffer.addReference(direct, () -> { });
        direct.put(1, (byte) 9);
        assertArrayEquals(new byte[] {1, 9, 3}, buffer.removeAll());
    }

    @Test
    void keepsReferencedMemoryFromTheCollector() {
        for (int i = 0; i < 200; i++) {
            buffer.addReference(ByteBuffer.allocateDirect(1000).put(0, (byte) i), () -> { });
            if (i % 50 == 0) {
                System.gc();
            }
        }
        Garbage.collect();
        for (int i = 0; i < 200; i++) {
            byte[] bytes = new byte[1000];
            assertEquals(1000, buffer.remove(bytes, 0, 1000));
            assertEquals((byte) i, bytes[0]);
        }
    }

    @Test
    void releasesAReferenceWhenItsBaseIsClosed() {
        List<String> released = new ArrayList<>();
        buffer.addReference("x".getBytes(UTF_8), () -> released.add("x"));
        base.close();
        assertEquals(List.of("x"), released);
    }

    @Test
    void releasesAnEmptyReferenceToo() {
        List<String> released = new ArrayList<>();
        buffer.addReference(ByteBuffer.allocateDirect(0), () -> released.add("empty"));
        assertEquals(List.of("empty"), released);
        assertThrows(IllegalArgumentException.class, () -> buffer.addReference(ByteBuffer.allocate(1), () -> { }));
    }

    @Test
    void aReferenceThatIsRefusedIsNotReleased() {
        List<String> released = new ArrayList<>();
        buffer.freeze(Buffer.End.END);
        assertThrows(IllegalStateException.class, () -> buffer.addReference("x".getBytes(UTF_8), () -> released.add("x")));
        assertEquals(List.of(), released);
    }

    @Test
    void aReleaseMayUseTheSameBuffer() {
        int[] left = {1000};
        Runnable[] again = new Runnable[1];
        again[0] = () -> {
            if (--left[0] > 0) {
                buffer.addReference(new byte[100], again[0]).drain(100);
            }
        };
        buffer.addReference(new byte[100], again[0]);
        buffer.drain(100);
        assertEquals(0, left[0]);
        assertEquals(0, buffer.length());
    }

    @Test
    void whatAReleaseThrowsGoesToTheBasesHandler() {
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        IllegalStateException failure = new IllegalStateException("on purpose");
        buffer.addReference("x".getBytes(UTF_8), () -> {
            throw failure;
        });
        buffer.drain(1);
        assertEquals(List.of(failure), thrown);
    }

    @Test
    void commitsWhatWasWrittenIntoReservedRoom() {
        Buffer.Reservation reservation = buffer.reserve(10);
        reservation.space().put("abc".getBytes(UTF_8));
        reservation.commit();
        assertEquals("abc", text(buffer));
        assertThrows(IllegalStateException.class, reservation::space);
        assertThrows(IllegalStateException.class, reservation::commit);
        buffer.reserve(5).commit();
        assertEquals("abc", text(buffer));
        assertThrows(IllegalArgumentException.class, () -> buffer.reserve(0));
    }

    @Test
    void aRefusedCommitCanBeMadeGood() {
        Buffer.Reservation reservation = buffer.reserve(10);
        reservation.space().put((byte) 'x');
        buffer.freeze(Buffer.End.END);
        assertThrows(IllegalStateException.class, reservation::commit);
        buffer.unfreeze(Buffer.End.END);
        reservation.commit();
        assertEquals("x", text(buffer));
    }

    // ---- files

    @Test
    void addsPartsOfFiles(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("file"), random(100_000));
        try (FileChannel channel = FileChannel.open(file)) {
            buffer.addFile(channel, 40_000, 50_000).addFile(channel, 99_999, 1).addFile(channel, 100_000, 0);
            assertEquals(0, channel.position());
        }
        Files.delete(file); // it is in memory already
        byte[] expected = Arrays.copyOf(Arrays.copyOfRange(random(100_000), 40_000, 90_000), 50_001);
        expected[50_000] = random(100_000)[99_999];
        assertArrayEquals(expected, buffer.removeAll());
    }

    @Test
    void addsAWholeFile(@TempDir Path directory) throws IOException {
        buffer.addFile(Files.write(directory.resolve("file"), random(10_000))).addFile(Files.createFile(directory.resolve("empty")));
        assertArrayEquals(random(10_000), buffer.removeAll());
    }

    @Test
    void refusesPartsThatAFileDoesNotHave(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[10]);
        FileChannel channel = FileChannel.open(file);
        try (channel) {
            assertThrows(IllegalArgumentException.class, () -> buffer.addFile(channel, 5, 6));
            assertThrows(IllegalArgumentException.class, () -> buffer.addFile(channel, -1, 1));
            assertThrows(IllegalArgumentException.class, () -> buffer.addFile(channel, 0, -1));
            assertThrows(IllegalArgumentException.class, () -> buffer.addFile(channel, 1, Long.MAX_VALUE));
        }
        assertThrows(IllegalStateException.class, () -> buffer.addFile(channel, 0, 10));
        assertThrows(IOException.class, () -> buffer.addFile(directory.resolve("none")));
        try (FileChannel unreadable = FileChannel.open(file, StandardOpenOption.WRITE)) {
            assertThrows(LibeventException.class, () -> buffer.addFile(unreadable, 0, 10));
        }
        assertEquals(0, buffer.length());
    }

    @Test
    void aFileThatIsRefusedLeaksNoDescriptor(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[10]);
        buffer.freeze(Buffer.End.END);
        long before = Kernel.descriptors(file);
        for (int i = 0; i < 50; i++) {
            assertThrows(IllegalStateException.class, () -> buffer.addFile(file));
            try (FileChannel unreadable = FileChannel.open(file, StandardOpenOption.WRITE); Buffer other = Buffer.create(base)) {
                assertThrows(LibeventException.class, () -> other.addFile(unreadable, 0, 10));
            }
        }
        assertEquals(before, Kernel.descriptors(file));
    }

    // ---- moving

    @Test
    void movesAllBytes() {
        Buffer other = Buffer.create(base).add("cd");
        buffer.add("ab").addBuffer(other);
        assertEquals("abcd", text(buffer));
        assertEquals(0, other.length());
        other.add("--");
        assertEquals("--abcd", text(buffer.prependBuffer(other)));
        assertEquals("--abcd", text(buffer.addBuffer(other).prependBuffer(other)));
    }

    @Test
    void movesSomeBytes() {
        Buffer other = pieces("0123", "4567", "89");
        assertEquals(6, buffer.addBuffer(other, 6));
        assertEquals("012345", text(buffer));
        assertEquals("6789", text(other));
        assertEquals(0, buffer.addBuffer(other, 0));
        assertEquals(4, buffer.addBuffer(other, 100));
        assertEquals(0, buffer.addBuffer(other, 100));
        assertEquals("0123456789", text(buffer));
        assertThrows(IllegalArgumentException.class, () -> buffer.addBuffer(other, -1));
    }

    @Test
    void copiesAnothersBytes() {
        Buffer other = Buffer.create(base).addReference("abc".getBytes(UTF_8), () -> { }).add("de");
        buffer.add("-").addCopy(other);
        assertEquals("-abcde", text(buffer));
        assertEquals("abcde", text(other));
        other.add("f").close();
        assertEquals("-abcde", text(buffer));
        assertEquals("-abcde", text(Buffer.create(base).addCopy(Buffer.create(base)).addCopy(buffer)));
    }

    /** In libevent itself, what is put in front of a buffer lies where its drained bytes were, which others may share. */
    @Test
    void aCopyStaysWhatItIs() {
        buffer.add("0123456789");
        Buffer copy = Buffer.create(base).addCopy(buffer);
        buffer.drain(8);
        buffer.prepend("abcd".getBytes(UTF_8)).add("e".repeat(3000));
        assertEquals("0123456789", text(copy));
    }

    @Test
    void movesOnlyBetweenTwoBuffersOfOneBase() throws IOException {
        assertThrows(IllegalArgumentException.class, () -> buffer.addBuffer(buffer));
        assertThrows(IllegalArgumentException.class, () -> buffer.addCopy(buffer));
        try (EventBase other = EventBase.create()) {
            Buffer foreign = Buffer.create(other).add("x");
            assertThrows(IllegalArgumentException.class, () -> buffer.addBuffer(foreign));
            assertThrows(IllegalArgumentException.class, () -> buffer.prependBuffer(foreign));
            assertThrows(IllegalArgumentException.class, () -> buffer.addBuffer(foreign, 1));
            assertThrows(IllegalArgumentException.class, () -> buffer.addCopy(foreign));
        }
        Buffer closed = Buffer.create(base);
        closed.close();
        assertThrows(IllegalStateException.class, () -> buffer.addBuffer(closed));
        assertThrows(IllegalStateException.class, () -> buffer.addCopy(closed));
    }

    // ---- looking

    @Test
    void copiesOutAcrossPieces() {
        Buffer pieces = pieces("0123", "4567", "89");
        byte[] target = "----------".getBytes(UTF_8);
        assertEquals(5, pieces.copyOut(3, target, 2, 5));
        assertEquals("--34567---", new String(target, UTF_8));
        assertEquals(2, pieces.copyOut(8, target, 0, 10));
        assertEquals(0, pieces.copyOut(10, target, 0, 10));
        assertThrows(IllegalArgumentException.class, () -> pieces.copyOut(11, target, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> pieces.copyOut(-1, target, 0, 1));
        assertEquals("0123456789", text(pieces));
    }

    @Test
    void removesIntoArraysAndByteBuffers() {
        Buffer pieces = pieces("0123", "4567", "89");
        byte[] target = new byte[4];
        assertEquals(3, pieces.remove(target, 1, 3));
        assertArrayEquals(new byte[] {0, '0', '1', '2'}, target);
        ByteBuffer heap = ByteBuffer.allocate(10).position(4).slice().position(1).limit(3);
        assertEquals(2, pieces.remove(heap));
        assertEquals(3, heap.position());
        assertEquals("34", new String(heap.array(), 5, 2, UTF_8));
        ByteBuffer direct = ByteBuffer.allocateDirect(10).position(5);
        assertEquals(5, pieces.remove(direct));
        assertEquals(10, direct.position());
        assertEquals('9', direct.get(9));
        assertEquals(0, pieces.remove(direct.clear()));
        assertThrows(IllegalArgumentException.class, () -> pieces.remove(ByteBuffer.allocate(1).asReadOnlyBuffer()));
    }

    @Test
    void drainsNoMoreThanThereIs() {
        buffer.add("abc").drain(1);
        assertEquals("bc", text(buffer));
        buffer.drain(Long.MAX_VALUE);
        assertEquals(0, buffer.length());
        assertThrows(IllegalArgumentException.class, () -> buffer.drain(-1));
    }

    @Test
    void pullsUp() {
        Buffer pieces = pieces("0123", "4567", "89");
        assertEquals(4, pieces.contiguous());
        pieces.pullUp(6);
        assertTrue(pieces.contiguous() >= 6);
        pieces.pullUp(0);
        pieces.pullUp(10);
        assertEquals(10, pieces.contiguous());
        assertEquals("0123456789", text(pieces));
        assertThrows(IllegalArgumentException.class, () -> pieces.pullUp(11));
        assertThrows(IllegalArgumentException.class, () -> pieces.pullUp(-1));
    }

    @ParameterizedTest
    @CsvSource({
        "45, 0, -1, 4",
        "45, 4, -1, 4",
        "45, 5, -1, 14",
        "45, 15, -1, -1",
        "45, 0, 5, -1",
        "45, 0, 6, 4",
        "012, 1, -1, 10",
        "890, 0, -1, 8",
        "8901, 0, 11, -1",
        "8901, 0, 12, 8",
        "x, 0, -1, -1",
        "0, 20, -1, -1",
        "0123456789012345678901, 0, -1, -1",
    })
    void searches(String what, long from, long to, long expected) {
        Buffer pieces = pieces("0123", "4567", "8", "90123", "456789");
        assertEquals(expected, pieces.search(what.getBytes(UTF_8), from, to));
        if (to == -1) {
            assertEquals(expected, pieces.search(what.getBytes(UTF_8), from));
        }
    }

    @Test
    void searchesWithinItsLengthOnly() {
        buffer.add("0123");
        byte[] what = {'1'};
        assertThrows(IllegalArgumentException.class, () -> buffer.search(new byte[0], 0));
        assertThrows(IllegalArgumentException.class, () -> buffer.search(what, 5));
        assertThrows(IllegalArgumentException.class, () -> buffer.search(what, -1));
        assertThrows(IllegalArgumentException.class, () -> buffer.search(what, 2, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.search(what, 0, 5));
        assertEquals(-1, Buffer.create(base).search(what, 0));
    }

    static Stream<Arguments> lines() {
        return Stream.of(
            arguments(EolStyle.ANY, "a\n\r\n\rb", "a", 4),
            arguments(EolStyle.ANY, "a\rb", "a", 1),
            arguments(EolStyle.ANY, "ab", null, 0),
            arguments(EolStyle.CRLF, "a\r\nb", "a", 2),
            arguments(EolStyle.CRLF, "a\nb", "a", 1),
            arguments(EolStyle.CRLF, "a\rb", null, 0),
            arguments(EolStyle.CRLF, "\nb", "", 1),
            arguments(EolStyle.CRLF, "a\r\r\n", "a\r", 2),
            arguments(EolStyle.CRLF_STRICT, "a\nb\r\n", "a\nb", 2),
            arguments(EolStyle.CRLF_STRICT, "a\rb\n", null, 0),
            arguments(EolStyle.LF, "a\r\nb", "a\r", 1),
            arguments(EolStyle.LF, "a\r", null, 0),
            arguments(EolStyle.NUL, "a\n\0b", "a\n", 1),
            arguments(EolStyle.NUL, "a\n", null, 0));
    }

    @ParameterizedTest
    @MethodSource("lines")
    void readsLines(EolStyle style, String text, String line, int eol) {
        String[] bytes = text.split(""); // each in a piece of its own
        for (Buffer each : List.of(Buffer.create(base).add(text), pieces(bytes))) {
            if (line == null) {
                assertTrue(each.searchEol(0, style).isEmpty());
                assertTrue(each.readLine(style).isEmpty());
                assertEquals(text, text(each));
            } else {
                assertEquals(new Buffer.Eol(line.length(), eol), each.searchEol(0, style).orElseThrow());
                assertEquals(line, each.readLine(style, ISO_8859_1).orElseThrow());
                assertEquals(text.substring(line.length() + eol), text(each));
            }
        }
    }

    @Test
    void searchesLineEndsFromAPosition() {
        buffer.add("ab\r\ncd\r\n");
        assertEquals(new Buffer.Eol(2, 2), buffer.searchEol(2, EolStyle.CRLF).orElseThrow());
        assertEquals(new Buffer.Eol(3, 1), buffer.searchEol(3, EolStyle.CRLF).orElseThrow());
        assertEquals(new Buffer.Eol(6, 2), buffer.searchEol(4, EolStyle.CRLF).orElseThrow());
        assertTrue(buffer.searchEol(8, EolStyle.CRLF).isEmpty());
        assertThrows(IllegalArgumentException.class, () -> buffer.searchEol(9, EolStyle.CRLF));
    }

    @Test
    void readsNothingWhileThereIsNothing() {
        for (EolStyle style : EolStyle.values()) {
            assertTrue(buffer.readLine(style).isEmpty());
        }
    }

    // ---- descriptors

    @Test
    void readsFromAndWritesToChannels() throws IOException {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source(); Pipe.SinkChannel sink = pipe.sink()) {
            source.configureBlocking(false);
            sink.configureBlocking(false);
            assertEquals(0, buffer.readFrom(source, 100));
            Buffer from = pieces("0123", "4567", "89");
            assertEquals(6, from.writeTo(sink, 6));
            assertEquals("6789", text(from));
            assertEquals(0, from.writeTo(sink, 0));
            assertEquals(4, from.writeTo(sink, 100));
            assertEquals(0, from.writeTo(sink, 100));
            assertEquals(0, buffer.readFrom(source, 0));
            assertEquals(3, buffer.readFrom(source, 3));
            assertEquals(7, buffer.readFrom(source, 100));
            assertEquals("0123456789", text(buffer));
            sink.close();
            assertEquals(-1, buffer.readFrom(source, 100));
        }
    }

    @Test
    void writesUntilTheChannelIsFull() throws IOException {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source(); Pipe.SinkChannel sink = pipe.sink()) {
            source.configureBlocking(false);
            sink.configureBlocking(false);
            byte[] bytes = random(1_000_000);
            Buffer from = Buffer.create(base).add(bytes);
            while (buffer.length() < bytes.length) {
                while (from.writeTo(sink, Long.MAX_VALUE) > 0) {
                    assertTrue(from.length() < bytes.length);
                }
                while (buffer.readFrom(source, Integer.MAX_VALUE) > 0) {
                    assertTrue(buffer.length() > 0);
                }
            }
            assertArrayEquals(bytes, buffer.removeAll());
        }
    }

    @Test
    void readsFromAndWritesToDescriptorsOfSockets() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
             SocketChannel client = SocketChannel.open(server.getLocalAddress());
             SocketChannel accepted = server.accept()) {
            client.configureBlocking(false);
            assertEquals(5, buffer.add("hello").writeTo(client, Long.MAX_VALUE));
            ByteBuffer received = ByteBuffer.allocate(5);
            while (received.hasRemaining()) {
                accepted.read(received);
            }
            assertEquals("hello", new String(received.array(), UTF_8));
            accepted.setOption(StandardSocketOptions.SO_LINGER, 0).close();
            LibeventException reset = assertThrows(LibeventException.class, () -> {
                while (buffer.readFrom(client, 100) == 0) {
                    Thread.onSpinWait(); // until the reset is there
                }
            });
            assertTrue(reset.getMessage().contains("Connection reset"), reset.getMessage());
        }
    }

    @Test
    void refusesWhatCannotBeReadOrWritten() throws IOException {
        buffer.add("x");
        for (long descriptor : new long[] {-1, 1L << 31, 1L << 32}) {
            assertThrows(IllegalArgumentException.class, () -> buffer.readFrom(descriptor, 1));
            assertThrows(IllegalArgumentException.class, () -> buffer.writeTo(descriptor, 1));
        }
        assertEquals(9, assertThrows(LibeventException.class, () -> buffer.readFrom(999_999, 1)).errno());
        assertEquals(9, assertThrows(LibeventException.class, () -> buffer.writeTo(999_999, 1)).errno());
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source(); Pipe.SinkChannel sink = pipe.sink()) {
            assertThrows(IllegalArgumentException.class, () -> buffer.readFrom(source, 1), "it blocks");
            assertThrows(IllegalArgumentException.class, () -> buffer.writeTo(sink, 1), "it blocks");
            source.configureBlocking(false);
            sink.configureBlocking(false);
            assertThrows(IllegalArgumentException.class, () -> buffer.readFrom(source, -1));
            assertThrows(IllegalArgumentException.class, () -> buffer.writeTo(sink, -1));
            source.close();
            assertThrows(IllegalStateException.class, () -> buffer.readFrom(source, 1));
            assertEquals(32, assertThrows(LibeventException.class, () -> buffer.writeTo(sink, 1)).errno(), "EPIPE");
        }
        assertEquals("x", text(buffer));
    }

    // ---- listeners

    @Test
    void tellsOfChanges() {
        List<List<Long>> changes = new ArrayList<>();
        Buffer.Subscription subscription = buffer.onChange((before, added, deleted) -> changes.add(List.of(before, added, deleted)));
        buffer.add("0123456789").drain(3);
        Buffer other = Buffer.create(base).addBuffer(buffer);
        assertEquals(List.of(List.of(0L, 10L, 0L), List.of(10L, 0L, 3L), List.of(7L, 0L, 7L)), changes);
        subscription.close();
        subscription.close();
        buffer.addBuffer(other);
        assertEquals(3, changes.size());
    }

    @Test
    void aDisabledListenerMissesWhatChanges() {
        List<List<Long>> changes = new ArrayList<>();
        Buffer.Subscription subscription = buffer.onChange((before, added, deleted) -> changes.add(List.of(before, added, deleted)));
        subscription.disable();
        subscription.disable();
        buffer.add("0123456789").drain(3);
        assertEquals(List.of(), changes);
        subscription.enable();
        buffer.add("x");
        assertEquals(List.of(List.of(7L, 1L, 0L)), changes);
        subscription.close();
        assertThrows(IllegalStateException.class, subscription::enable);
        assertThrows(IllegalStateException.class, subscription::disable);
    }

    @Test
    void deferredListenersHearOfAllChangesAtOnceFromTheLoop() {
        List<List<Long>> changes = new ArrayList<>();
        buffer.onChange((before, added, deleted) -> changes.add(List.of(before, added, deleted)));
        buffer.deferCallbacks();
        buffer.add("0123456789").drain(3);
        buffer.deferCallbacks();
        buffer.add("x");
        assertEquals(List.of(), changes);
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(List.of(List.of(0L, 11L, 3L)), changes);
        buffer.add("y").close(); // with a call that is due
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(1, changes.size());
        Buffer last = Buffer.create(base);
        last.deferCallbacks();
        last.onChange((before, added, deleted) -> changes.add(List.of()));
        last.add("z");
        base.close();
        assertEquals(1, changes.size());
    }

    @Test
    void aListenerMayChangeTheBufferAndCloseEverything() {
        try (Buffer.Subscription draining = buffer.onChange((before, added, deleted) -> {
            if (added > 0) {
                buffer.drain(added);
            }
        })) {
            buffer.add("xyz");
            assertEquals(0, buffer.length());
        }
        buffer.onChange((before, added, deleted) -> base.close());
        buffer.add("x");
        assertFalse(buffer.isOpen());
    }

    @Test
    void aListenerMayEndItselfAndOthers() {
        List<String> called = new ArrayList<>();
        Buffer.Subscription[] all = new Buffer.Subscription[2];
        for (int i = 0; i < 2; i++) {
            all[i] = buffer.onChange((before, added, deleted) -> {
                called.add("called");
                all[0].close();
                all[1].close();
            });
        }
        buffer.add("x").add("y");
        assertEquals(List.of("called"), called);
    }

    @Test
    void aListenerMayTouchTheOtherBufferOfAMove() {
        Buffer source = pieces("0123", "4567", "89");
        buffer.onChange((before, added, deleted) -> source.drain(Long.MAX_VALUE));
        source.onChange((before, added, deleted) -> buffer.length());
        assertEquals(6, buffer.addBuffer(source, 6));
        assertEquals("012345", text(buffer));
        assertEquals(0, source.length());
    }

    @Test
    void subscriptionsEndWithTheirBuffer() {
        Buffer.Subscription subscription = buffer.onChange((before, added, deleted) -> { });
        buffer.onChange((before, added, deleted) -> { });
        buffer.close();
        subscription.close();
        assertThrows(IllegalStateException.class, () -> buffer.onChange((before, added, deleted) -> { }));
    }

    @Test
    void whatAListenerThrowsGoesToTheBasesHandler() {
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        IOException failure = new IOException("on purpose");
        buffer.onChange((before, added, deleted) -> {
            throw failure;
        });
        buffer.add("x");
        assertEquals(List.of(failure), thrown);
        Error error = new AssertionError("on purpose");
        base.onException(e -> {
            throw error;
        });
        assertSame(error, assertThrows(Error.class, () -> buffer.add("y")));
        assertEquals("xy", text(buffer));
    }

    // ---- freezing

    @Test
    void aFrozenEndTakesNothing() {
        Buffer other = Buffer.create(base).add("o");
        buffer.add("abc\n").freeze(Buffer.End.END);
        assertThrows(IllegalStateException.class, () -> buffer.add("x"));
        assertThrows(IllegalStateException.class, () -> buffer.add(ByteBuffer.allocate(1)));
        assertThrows(IllegalStateException.class, () -> buffer.addBuffer(other));
        assertThrows(IllegalStateException.class, () -> buffer.addBuffer(other, 1));
        assertThrows(IllegalStateException.class, () -> buffer.addCopy(other));
        assertThrows(IllegalStateException.class, () -> buffer.readFrom(0, 1));
        buffer.prepend((byte) '-').drain(1);
        buffer.unfreeze(Buffer.End.END);
        assertEquals("abc\no", text(buffer.addBuffer(other)));
    }

    @Test
    void aFrozenStartGivesNothing() {
        Buffer other = Buffer.create(base).add("o");
        buffer.add("abc\n").freeze(Buffer.End.START);
        assertThrows(IllegalStateException.class, () -> buffer.prepend((byte) 'x'));
        assertThrows(IllegalStateException.class, () -> buffer.prependBuffer(other));
        assertThrows(IllegalStateException.class, () -> buffer.drain(1));
        assertThrows(IllegalStateException.class, () -> buffer.remove(new byte[1], 0, 1));
        assertThrows(IllegalStateException.class, () -> buffer.remove(ByteBuffer.allocateDirect(1)));
        assertThrows(IllegalStateException.class, buffer::removeAll);
        assertThrows(IllegalStateException.class, () -> buffer.readLine(EolStyle.LF));
        assertThrows(IllegalStateException.class, () -> buffer.writeTo(1, 1));
        assertThrows(IllegalStateException.class, () -> other.addBuffer(buffer));
        assertThrows(IllegalStateException.class, () -> other.prependBuffer(buffer));
        assertThrows(IllegalStateException.class, () -> other.addBuffer(buffer, 1));
        assertEquals("abc\n", text(buffer));
        assertEquals("oabc\n", text(other.addCopy(buffer)));
        buffer.add("d").unfreeze(Buffer.End.START);
        assertEquals("abc", buffer.readLine(EolStyle.LF, UTF_8).orElseThrow());
        assertEquals("d", text(buffer));
    }

    // ---- channels and streams

    @Test
    void isAChannel() throws IOException {
        assertEquals(3, buffer.write(ByteBuffer.wrap("abc".getBytes(UTF_8))));
        assertEquals(0, buffer.read(ByteBuffer.allocate(0)));
        ByteBuffer target = ByteBuffer.allocate(2);
        assertEquals(2, buffer.read(target));
        assertEquals("ab", new String(target.array(), UTF_8));
        assertEquals(1, buffer.read(target.clear()));
        assertEquals(-1, buffer.read(target.clear()));
        buffer.add("lines\nof text");
        assertEquals(List.of("lines", "of text"), new BufferedReader(Channels.newReader(buffer, UTF_8)).lines().toList());
    }

    @Test
    void gathersAndScatters() {
        ByteBuffer[] parts = {ByteBuffer.wrap("ab".getBytes(UTF_8)), ByteBuffer.allocateDirect(3).put("cde".getBytes(UTF_8)).flip(),
            ByteBuffer.allocate(0), ByteBuffer.wrap("f".getBytes(UTF_8)).asReadOnlyBuffer()};
        assertEquals(6, buffer.write(parts));
        assertEquals(0, buffer.write(parts), "their positions have moved");
        assertEquals("abcdef", text(buffer));
        parts[0].rewind();
        parts[3].rewind();
        assertEquals(1, buffer.write(parts, 2, 2));
        assertEquals("abcdeff", text(buffer));
        ByteBuffer[] targets = {ByteBuffer.allocate(2), ByteBuffer.allocateDirect(4), ByteBuffer.allocate(4)};
        assertEquals(6, buffer.read(targets, 0, 2));
        assertEquals("ab", new String(targets[0].array(), UTF_8));
        assertEquals('f', targets[1].get(3));
        assertEquals(0, buffer.read(targets, 0, 2), "they are full");
        assertEquals(1, buffer.read(targets));
        assertEquals(-1, buffer.read(targets));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.write(parts, 3, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.read(targets, -1, 2));
        parts[1] = null;
        assertThrows(NullPointerException.class, () -> buffer.write(parts));
        assertEquals(0, buffer.length());
    }

    @Test
    void isAStream() throws IOException {
        try (OutputStream out = buffer.outputStream(); InputStream in = buffer.inputStream()) {
            assertEquals(-1, in.read());
            out.write(0xFF);
            out.write("-abc-".getBytes(UTF_8), 1, 3);
            assertEquals(4, in.available());
            assertEquals(0xFF, in.read());
            byte[] target = new byte[10];
            assertEquals(0, in.read(target, 0, 0));
            assertEquals(3, in.read(target, 1, 9));
            assertEquals("abc", new String(target, 1, 3, UTF_8));
            assertEquals(-1, in.read(target));
        }
        assertTrue(buffer.isOpen());
    }

    @Test
    void carriesObjectsThroughStreams() throws Exception {
        try (ObjectOutputStream out = new ObjectOutputStream(buffer.outputStream())) {
            out.writeObject(List.of("a", 1));
        }
        try (ObjectInputStream in = new ObjectInputStream(buffer.inputStream())) {
            assertEquals(List.of("a", 1), in.readObject());
        }
    }

    // ---- life

    @Test
    void isUsedNoMoreWhenClosed() {
        buffer.close();
        buffer.close();
        assertFalse(buffer.isOpen());
        assertThrows(IllegalStateException.class, () -> buffer.add("x"));
        assertThrows(IllegalStateException.class, buffer::length);
        assertThrows(IllegalStateException.class, () -> buffer.reserve(1));
        assertThrows(IllegalStateException.class, () -> buffer.outputStream().write(1));
        base.close();
        assertThrows(IllegalStateException.class, () -> Buffer.create(base));
    }

    @Test
    void belongsToTheThreadThatRunsItsLoop() throws Exception {
        Object[] caught = new Object[1];
        base.once(Duration.ZERO, () -> {
            Thread other = new Thread(() -> caught[0] = assertThrows(IllegalStateException.class, () -> buffer.add("x")), "other");
            other.start();
            while (other.isAlive()) {
                Thread.onSpinWait();
            }
            buffer.add("y");
        });
        base.dispatch();
        assertTrue(caught[0].toString().contains("other"), caught[0].toString());
        assertEquals("y", text(buffer));
    }
}
