package io.github.libevent4j.io;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.global.libevent;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.bytedeco.javacpp.BytePointer;

/**
 * Tagged values in a buffer (evtag): each is a tag, a length and a payload, written at a buffer's end and read at its start. Tags and
 * numbers are unsigned.
 *
 * <p>Reading a value that has another tag, or is not whole yet, throws {@link ProtocolException} and leaves the buffer as it is; one
 * whose payload is malformed is removed.
 */
public final class Tags {

    private Tags() {
    }

    private static void write(Buffer buffer, Consumer<evbuffer> write) {
        Objects.requireNonNull(buffer, "buffer").change(Buffer.End.END, raw -> {
            write.accept(raw);
            return null;
        });
    }

    private static int look(Buffer buffer, Function<evbuffer, Integer> look) {
        return Objects.requireNonNull(buffer, "buffer").look(look);
    }

    /** Writes bytes (evtag_marshal). */
    public static void writeBytes(Buffer buffer, int tag, byte... bytes) {
        Objects.requireNonNull(bytes, "bytes");
        write(buffer, raw -> {
            try (BytePointer copy = new BytePointer(bytes)) {
                libevent.evtag_marshal(raw, tag, copy, bytes.length);
            }
        });
    }

    /**
     * Writes all of another buffer's bytes, which are moved, not copied (evtag_marshal_buffer).
     *
     * @throws IllegalArgumentException when they are 2^31 or more, or the buffer's own
     */
    public static void writeBuffer(Buffer buffer, int tag, Buffer bytes) {
        Objects.requireNonNull(buffer, "buffer");
        if (Objects.requireNonNull(bytes, "bytes").length() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a value has less than 2^31 bytes, not " + bytes.length());
        }
        buffer.changeWith(bytes, (raw, source) -> {
            libevent.evtag_marshal_buffer(raw, tag, source);
            return null;
        });
    }

    /** Writes a 32-bit number (evtag_marshal_int). */
    public static void writeInt(Buffer buffer, int tag, int number) {
        write(buffer, raw -> libevent.evtag_marshal_int(raw, tag, number));
    }

    /** Writes a 64-bit number (evtag_marshal_int64). */
    public static void writeLong(Buffer buffer, int tag, long number) {
        write(buffer, raw -> libevent.evtag_marshal_int64(raw, tag, number));
    }

    /** Writes text, as UTF-8 (evtag_marshal_string). */
    public static void writeString(Buffer buffer, int tag, String text) {
        writeBytes(buffer, tag, Objects.requireNonNull(text, "text").getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes a span of time, to the microsecond (evtag_marshal_timeval).
     *
     * @param duration 0 to 2^32 - 1 seconds
     */
    public static void writeDuration(Buffer buffer, int tag, Duration duration) {
        if (Objects.requireNonNull(duration, "duration").isNegative() || duration.getSeconds() > 0xFFFFFFFFL) {
            throw new IllegalArgumentException("a span of time on the wire is 0 to 2^32 - 1 seconds, not " + duration);
        }
        write(buffer, raw -> {
            try (timeval time = new timeval()) {
                libevent.evtag_marshal_timeval(raw, tag, time.tv_sec(duration.getSeconds()).tv_usec(duration.getNano() / 1000));
            }
        });
    }

    /** The first value's tag; the value stays (evtag_peek). */
    public static int peekTag(Buffer buffer) throws ProtocolException {
        int[] tag = new int[1];
        check(look(buffer, raw -> libevent.evtag_peek(raw, tag)), "a tag");
        return tag[0];
    }

    /**
     * The length of the first value's payload; the value stays (evtag_payload_length).
     *
     * @return 0 to 2^32 - 1, however many bytes have come
     */
    public static long payloadLength(Buffer buffer) throws ProtocolException {
        int[] length = new int[1];
        check(look(buffer, raw -> libevent.evtag_payload_length(raw, length)), "a tag and a length");
        return length[0] & 0xFFFFFFFFL;
    }

    /** The length of the whole first value, with its tag and length; the value stays (evtag_peek_length). */
    public static long peekLength(Buffer buffer) throws ProtocolException {
        long payload = payloadLength(buffer);
        int[] length = new int[1];
        check(look(buffer, raw -> libevent.evtag_peek_length(raw, length)), "a tag and a length");
        return payload + (length[0] - (int) payload); // libevent's own sum begins at 0 again behind 2^32 - 1
    }

    /** Removes the first value (evtag_consume). */
    public static void skip(Buffer buffer) throws ProtocolException {
        readHeader(buffer, peekTag(buffer), raw -> libevent.evtag_consume(raw));
    }

    /**
     * Reads the tag and the length of the value with this tag (evtag_unmarshal_header). The payload is at the buffer's start then, and
     * is whole.
     *
     * @return the payload's length
     */
    public static int readHeader(Buffer buffer, int tag) throws ProtocolException {
        return readHeader(buffer, tag, raw -> libevent.evtag_unmarshal_header(raw, new int[1]));
    }

    private static int readHeader(Buffer buffer, int tag, ToIntFunction<evbuffer> read) throws ProtocolException {
        expect(buffer, tag);
        int result = buffer.change(Buffer.End.START, read::applyAsInt);
        check(result, "a value with the tag " + Integer.toUnsignedString(tag));
        return result;
    }

    /** Reads the bytes with this tag (evtag_unmarshal). */
    public static byte[] readBytes(Buffer buffer, int tag) throws ProtocolException {
        byte[] bytes = new byte[readHeader(buffer, tag)];
        buffer.remove(bytes, 0, bytes.length);
        return bytes;
    }

    /**
     * Reads the bytes with this tag into an array, which they must fill (evtag_unmarshal_fixed).
     *
     * @throws ProtocolException also when they are more or less, and the value is removed
     */
    public static void readFixed(Buffer buffer, int tag, byte[] target) throws ProtocolException {
        Objects.requireNonNull(target, "target");
        int length = readHeader(buffer, tag);
        if (length != target.length) {
            buffer.drain(length);
            throw new ProtocolException("the value with the tag " + Integer.toUnsignedString(tag) + " has " + length + " bytes, not "
                + target.length);
        }
        buffer.remove(target, 0, length);
    }

    /** Reads the bytes with this tag to another buffer's end (evtag_unmarshal). */
    public static void readBuffer(Buffer buffer, int tag, Buffer target) throws ProtocolException {
        Objects.requireNonNull(target, "target");
        expect(buffer, tag);
        check(target.changeWith(buffer, (end, raw) -> libevent.evtag_unmarshal(raw, new int[1], end)), "a value");
    }

    /** Reads the 32-bit number with this tag (evtag_unmarshal_int). */
    public static int readInt(Buffer buffer, int tag) throws ProtocolException {
        int[] number = new int[1];
        readHeader(buffer, tag, raw -> libevent.evtag_unmarshal_int(raw, tag, number));
        return number[0];
    }

    /** Reads the 64-bit number with this tag (evtag_unmarshal_int64). */
    public static long readLong(Buffer buffer, int tag) throws ProtocolException {
        long[] number = new long[1];
        readHeader(buffer, tag, raw -> libevent.evtag_unmarshal_int64(raw, tag, number));
        return number[0];
    }

    /** Reads the text with this tag, which is UTF-8; what is not is replaced by U+FFFD (evtag_unmarshal_string). */
    public static String readString(Buffer buffer, int tag) throws ProtocolException {
        return new String(readBytes(buffer, tag), StandardCharsets.UTF_8);
    }

    /** Reads the span of time with this tag (evtag_unmarshal_timeval). */
    public static Duration readDuration(Buffer buffer, int tag) throws ProtocolException {
        try (timeval time = new timeval()) {
            readHeader(buffer, tag, raw -> libevent.evtag_unmarshal_timeval(raw, tag, time));
            if (time.tv_usec() >= 1_000_000) {
                throw new ProtocolException("the span of time with the tag " + Integer.toUnsignedString(tag) + " has " + time.tv_usec()
                    + " microseconds beside its seconds");
            }
            return Duration.ofSeconds(time.tv_sec() & 0xFFFFFFFFL, time.tv_usec() * 1000L);
        }
    }

    /** Libevent's readers remove what they have read when the rest is not as it should be, so it is looked at before. */
    private static void expect(Buffer buffer, int tag) throws ProtocolException {
        int found = peekTag(buffer);
        if (found != tag) {
            throw new ProtocolException("the first value has the tag " + Integer.toUnsignedString(found) + ", not "
                + Integer.toUnsignedString(tag));
        }
        long length = peekLength(buffer);
        if (length > buffer.length()) {
            throw new ProtocolException("the value with the tag " + Integer.toUnsignedString(tag) + " is not whole yet: it has " + length
                + " bytes, of which " + buffer.length() + " are here");
        }
    }

    private static void check(int result, String what) throws ProtocolException {
        if (result < 0) {
            throw new ProtocolException("the buffer does not begin with " + what);
        }
    }
}
