package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Programs;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TagsTest extends LibeventTest {

    private static final byte[] FIXED = {'f', 0, (byte) 0xFF};
    private static final Duration LONGEST = Duration.ofSeconds(0xFFFFFFFFL, 999_999_000);

    private EventBase base;
    private Buffer buffer;

    @BeforeEach
    void open() throws Exception {
        base = EventBase.create();
        buffer = Buffer.create(base);
    }

    @AfterEach
    void close() {
        base.close();
    }

    private interface Reader {
        Object read(Buffer buffer) throws ProtocolException;
    }

    private void fill(String hex) {
        buffer.removeAll();
        buffer.add(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private String hex() {
        return HexFormat.of().formatHex(buffer.copyOut());
    }

    private void assertMalformed(Reader reader) {
        assertThrows(ProtocolException.class, () -> reader.read(buffer));
    }

    /** Fails, and leaves the buffer as it is. */
    private void assertUnread(Reader reader) {
        byte[] before = buffer.copyOut();
        assertMalformed(reader);
        assertArrayEquals(before, buffer.copyOut());
    }

    private List<Reader> readersOf(int tag) {
        return List.of(
            b -> Tags.readBytes(b, tag),
            b -> Tags.readHeader(b, tag),
            b -> Tags.readInt(b, tag),
            b -> Tags.readLong(b, tag),
            b -> Tags.readString(b, tag),
            b -> Tags.readDuration(b, tag),
            b -> {
                Tags.readFixed(b, tag, new byte[3]);
                return null;
            },
            b -> {
                try (Buffer target = Buffer.create(base)) {
                    Tags.readBuffer(b, tag, target);
                    return null;
                }
            });
    }

    // ---- with a C program

    private void writeAll() {
        Tags.writeBytes(buffer, 0);
        Tags.writeInt(buffer, 1, 0);
        Tags.writeInt(buffer, 127, 0xDEADBEEF);
        Tags.writeLong(buffer, 128, 0xFEDCBA9876543210L);
        Tags.writeString(buffer, 0x166, "gr\u00fc\u00dfe");
        Tags.writeDuration(buffer, -1, LONGEST);
        Tags.writeBuffer(buffer, 7, Buffer.create(base).add("part"));
        Tags.writeBytes(buffer, 8, FIXED);
    }

    @Test
    void writesWhatCWrites() throws Exception {
        writeAll();
        try (Programs.Running program = Programs.startNative("tags", "write")) {
            assertEquals(HexFormat.of().formatHex(program.await().bytes()), hex());
        }
    }

    @Test
    void readsWhatCWrites() throws Exception {
        try (Programs.Running program = Programs.startNative("tags", "write")) {
            buffer.add(program.await().bytes());
        }
        assertEquals(0, Tags.peekTag(buffer));
        assertArrayEquals(new byte[0], Tags.readBytes(buffer, 0));
        assertEquals(0, Tags.readInt(buffer, 1));
        assertEquals(0xDEADBEEF, Tags.readInt(buffer, 127));
        assertEquals(0xFEDCBA9876543210L, Tags.readLong(buffer, 128));
        assertEquals("gr\u00fc\u00dfe", Tags.readString(buffer, 0x166));
        assertEquals(-1, Tags.peekTag(buffer));
        assertEquals(LONGEST, Tags.readDuration(buffer, -1));
        Buffer part = Buffer.create(base).add("a ");
        Tags.readBuffer(buffer, 7, part);
        assertEquals("a part", new String(part.removeAll(), UTF_8));
        byte[] fixed = new byte[3];
        Tags.readFixed(buffer, 8, fixed);
        assertArrayEquals(FIXED, fixed);
        assertEquals(0, buffer.length());
    }

    @Test
    void cReadsWhatIsWritten(@TempDir Path directory) throws Exception {
        writeAll();
        byte[] whole = buffer.removeAll();
        assertEquals(0, read(Files.write(directory.resolve("whole"), whole)));
        whole[whole.length - 1]++;
        assertEquals(8, read(Files.write(directory.resolve("other"), whole)), "the program sees what is wrong");
    }

    private static int read(Path file) throws Exception {
        try (Programs.Running program = Programs.startNative("tags", file, "read")) {
            return program.await().exit();
        }
    }

    // ---- on the wire

    @ParameterizedTest
    @CsvSource({"0,00", "1,01", "102,66", "127,7f", "128,8001", "0x166,e602", "0x3fff,ff7f", "0x4000,808001", "0x7fffffff,ffffffff07",
        "-2147483648,8080808008", "-1,ffffffff0f"})
    void tags(String tag, String hex) throws Exception {
        int number = (int) (long) Long.decode(tag);
        Tags.writeBytes(buffer, number);
        assertEquals(hex + "00", hex());
        assertEquals(number, Tags.peekTag(buffer));
        Tags.skip(buffer);
        assertEquals(0, buffer.length());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 255, 256, 4095, 65535, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void ints(int number) throws Exception {
        Tags.writeInt(buffer, 1, number);
        Tags.writeInt(buffer, 1, number);
        assertEquals(number, Tags.readInt(buffer, 1));
        assertEquals(Integer.toUnsignedLong(number), Tags.readLong(buffer, 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 15, 16, 0xFFFFFFFFL, 0x100000000L, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void longs(long number) throws Exception {
        Tags.writeLong(buffer, 1, number);
        assertEquals(number, Tags.readLong(buffer, 1));
        Tags.writeLong(buffer, 1, number);
        if (number >>> 32 == 0) {
            assertEquals((int) number, Tags.readInt(buffer, 1));
        } else {
            assertMalformed(b -> Tags.readInt(b, 1)); // too large for it
        }
        assertEquals(0, buffer.length());
    }

    @Test
    void durations() throws Exception {
        for (Duration duration : List.of(Duration.ZERO, Duration.ofNanos(1000), Duration.ofMillis(1), LONGEST)) {
            Tags.writeDuration(buffer, 1, duration);
            assertEquals(duration, Tags.readDuration(buffer, 1));
        }
        Tags.writeDuration(buffer, 1, Duration.ofNanos(1999));
        assertEquals(Duration.ofNanos(1000), Tags.readDuration(buffer, 1));
        assertThrows(IllegalArgumentException.class, () -> Tags.writeDuration(buffer, 1, Duration.ofNanos(-1)));
        assertThrows(IllegalArgumentException.class, () -> Tags.writeDuration(buffer, 1, Duration.ofSeconds(0x100000000L)));
        assertEquals(0, buffer.length());
    }

    @Test
    void largeValues() throws Exception {
        byte[] large = new byte[3_000_000];
        new Random(1).nextBytes(large);
        Tags.writeBytes(buffer, 1, large);
        Tags.writeString(buffer, 2, "x".repeat(1_000_000));
        assertEquals(large.length, Tags.payloadLength(buffer));
        assertEquals(large.length + 1 + 4, Tags.peekLength(buffer));
        assertArrayEquals(large, Tags.readBytes(buffer, 1));
        assertEquals("x".repeat(1_000_000), Tags.readString(buffer, 2));
    }

    @Test
    void aHeaderLeavesThePayload() throws Exception {
        Tags.writeString(buffer, 3, "payload");
        buffer.add(" and more");
        assertEquals(7, Tags.readHeader(buffer, 3));
        assertEquals("payload and more", new String(buffer.removeAll(), UTF_8));
    }

    @Test
    void aBufferIsMoved() throws Exception {
        Buffer bytes = Buffer.create(base).add("x".repeat(100_000));
        Tags.writeBuffer(buffer, 1, bytes);
        assertEquals(0, bytes.length());
        Tags.writeBuffer(buffer, 2, bytes);
        Tags.readBuffer(buffer, 1, bytes);
        assertEquals(100_000, bytes.length());
        Tags.readBuffer(buffer, 2, bytes);
        assertEquals(100_000, bytes.length());
        assertThrows(IllegalArgumentException.class, () -> Tags.writeBuffer(bytes, 1, bytes));
        Tags.writeBytes(buffer, 1, (byte) 1);
        assertThrows(IllegalArgumentException.class, () -> Tags.readBuffer(buffer, 1, buffer));
        bytes.freeze(Buffer.End.END);
        assertThrows(IllegalStateException.class, () -> Tags.readBuffer(buffer, 1, bytes));
        assertThrows(IllegalStateException.class, () -> Tags.writeInt(bytes, 1, 1));
        assertArrayEquals(new byte[] {1}, Tags.readBytes(buffer, 1), "nothing was lost");
        try (EventBase other = EventBase.create()) {
            Buffer foreign = Buffer.create(other);
            assertThrows(IllegalArgumentException.class, () -> Tags.writeBuffer(buffer, 1, foreign));
        }
    }

    @Test
    void nullIsRefusedBeforeAnythingIsWritten() {
        assertThrows(NullPointerException.class, () -> Tags.writeBytes(buffer, 1, (byte[]) null));
        assertThrows(NullPointerException.class, () -> Tags.writeString(buffer, 1, null));
        assertThrows(NullPointerException.class, () -> Tags.writeDuration(buffer, 1, null));
        assertThrows(NullPointerException.class, () -> Tags.writeBuffer(buffer, 1, null));
        Tags.writeInt(buffer, 1, 1);
        long length = buffer.length();
        assertThrows(NullPointerException.class, () -> Tags.readFixed(buffer, 1, null));
        assertThrows(NullPointerException.class, () -> Tags.readBuffer(buffer, 1, null));
        assertEquals(length, buffer.length());
    }

    // ---- what is not as it should be

    @Test
    void anotherTagLeavesTheBufferAsItIs() {
        Tags.writeBytes(buffer, 0xFFFFFFFE, FIXED);
        readersOf(5).forEach(this::assertUnread);
        String message = assertThrows(ProtocolException.class, () -> Tags.readInt(buffer, 5)).getMessage();
        assertEquals("the first value has the tag 4294967294, not 5", message);
    }

    /** Every beginning of each value can be waited on. */
    @Test
    void aValueThatIsNotWholeLeavesTheBufferAsItIs() throws Exception {
        List<Runnable> writers = List.of(
            () -> Tags.writeBytes(buffer, 300, FIXED),
            () -> Tags.writeBytes(buffer, 300, new byte[5000]),
            () -> Tags.writeInt(buffer, 300, -1),
            () -> Tags.writeLong(buffer, 300, -1),
            () -> Tags.writeDuration(buffer, 300, LONGEST));
        for (Runnable writer : writers) {
            writer.run();
            byte[] whole = buffer.removeAll();
            for (int length = 0; length < whole.length; length += length < 20 ? 1 : 500) {
                buffer.add(Arrays.copyOf(whole, length));
                readersOf(300).forEach(this::assertUnread);
                assertUnread(b -> {
                    Tags.skip(b);
                    return null;
                });
                buffer.removeAll();
            }
        }
    }

    /** The longest lengths that there are, and longer ones. */
    @ParameterizedTest
    @ValueSource(strings = {"01 7fffffffff", "01 77fffffff0", "01 7ffffffff0", "ffffffff0f 7fffffffff", "01 7800000000", "01 7fffffffa0",
        "01 8fffffffff00", "01 ffffffffffffffffff", "01 20ff"})
    void hostileLengths(String hex) throws Exception {
        fill(hex);
        int tag = Tags.peekTag(buffer);
        readersOf(tag).forEach(this::assertUnread);
        assertUnread(b -> {
            Tags.skip(b);
            return null;
        });
        if (!hex.startsWith("01 8") && !hex.startsWith("01 f")) {
            assertTrue(Tags.peekLength(buffer) > buffer.length());
            assertTrue(Tags.payloadLength(buffer) > 0);
        }
    }

    @Test
    void aLengthOf32BitsIsUnsigned() throws Exception {
        fill("01 7fffffffff");
        assertEquals(0xFFFFFFFFL, Tags.payloadLength(buffer));
        assertEquals(0xFFFFFFFFL + 6, Tags.peekLength(buffer));
    }

    /** Tags of more than 32 bits, and such as never end. */
    @ParameterizedTest
    @ValueSource(strings = {"", "80", "8080808080", "ffffffff10", "ffffffff1f 10 00", "ffffffff8f 01", "ffffffffffffffffffff",
        "8080808080 01 00"})
    void tagsThatAreNone(String hex) {
        fill(hex);
        assertUnread(b -> Tags.peekTag(b));
        assertUnread(b -> Tags.payloadLength(b));
        assertUnread(b -> Tags.peekLength(b));
        assertUnread(b -> {
            Tags.skip(b);
            return null;
        });
        readersOf(0).forEach(this::assertUnread);
    }

    /** A number that is longer than its payload is not read from what follows; the value is gone, and the next one is there. */
    @ParameterizedTest
    @ValueSource(strings = {"01 00", "01 00 10", "01 01 10", "01 01 70", "01 02 7fff", "01 01 f0"})
    void numbersBeyondTheirPayload(String hex) throws Exception {
        List<Reader> readers = new ArrayList<>(readersOf(1).subList(2, 4));
        readers.add(b -> Tags.readDuration(b, 1));
        for (Reader reader : readers) {
            fill(hex);
            int payload = (int) Tags.payloadLength(buffer);
            long whole = Tags.peekLength(buffer);
            if (buffer.length() < whole) {
                assertUnread(reader);
                continue;
            }
            buffer.removeAll();
            fill(hex);
            buffer.drain(0);
            byte[] value = Arrays.copyOf(buffer.removeAll(), (int) whole);
            buffer.add(value);
            if (payload == 0 || (value[(int) whole - payload] >> 4 & 0xF) / 2 + 1 > payload) {
                Tags.writeInt(buffer, 9, 99); // bytes that would do
                assertMalformed(reader);
                assertEquals(99, Tags.readInt(buffer, 9));
            }
        }
    }

    @Test
    void timesThatAreNone() throws Exception {
        // 1 second and 1,000,000 microseconds; seconds alone; microseconds beyond the payload
        for (String hex : List.of("01 04 01 40 42 4f", "01 01 01", "01 02 01 7f")) {
            fill(hex);
            Tags.writeInt(buffer, 9, 99);
            assertMalformed(b -> Tags.readDuration(b, 1));
            assertEquals(99, Tags.readInt(buffer, 9));
        }
    }

    @Test
    void fixedBytesMustFillTheirPlace() throws Exception {
        for (int length : new int[] {0, 2, 4}) {
            Tags.writeBytes(buffer, 1, new byte[length]);
            Tags.writeInt(buffer, 9, 99);
            ProtocolException failure = assertThrows(ProtocolException.class, () -> Tags.readFixed(buffer, 1, new byte[3]));
            assertEquals("the value with the tag 1 has " + length + " bytes, not 3", failure.getMessage());
            assertEquals(99, Tags.readInt(buffer, 9));
        }
        Tags.writeBytes(buffer, 1);
        Tags.readFixed(buffer, 1, new byte[0]);
    }

    @Test
    void textThatIsNotUtf8() throws Exception {
        Tags.writeBytes(buffer, 1, new byte[] {'a', (byte) 0xFF, 0, 'b'});
        assertEquals("a\uFFFD\0b", Tags.readString(buffer, 1));
    }

    /** Whatever the bytes are, in however many pieces: a value, or a ProtocolException. */
    @Test
    void anyBytes() throws Exception {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            for (int pieces = 1 + random.nextInt(3); pieces > 0; pieces--) {
                byte[] bytes = new byte[random.nextInt(12)];
                random.nextBytes(bytes);
                if (bytes.length > 0 && random.nextBoolean()) {
                    bytes[0] = 1;
                }
                buffer.addReference(bytes, () -> { }); // a piece of its own
            }
            int tag = random.nextBoolean() ? 1 : peek();
            Reader reader = readersOf(tag).get(random.nextInt(8));
            long before = buffer.length();
            try {
                reader.read(buffer);
                assertTrue(buffer.length() < before);
            } catch (ProtocolException expected) {
                assertTrue(buffer.length() <= before);
            }
            buffer.removeAll();
        }
    }

    private int peek() {
        try {
            return Tags.peekTag(buffer);
        } catch (ProtocolException e) {
            return 1;
        }
    }
}
