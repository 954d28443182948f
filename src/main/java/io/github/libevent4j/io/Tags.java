package io.github.libevent4j.io;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.global.libevent;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;

/**
 * Tagged values in a buffer (evtag): each is a tag, a length and a payload, written at a buffer's end and read at its start. Numbers
 * are unsigned. Reading a value that is not there, or has another tag, throws {@link ProtocolException}; the buffer may then have lost
 * its first value.
 */
public final class Tags {

    private Tags() {
    }

    private static void write(Buffer buffer, Consumer<evbuffer> write) {
        buffer.change(Buffer.End.END, raw -> {
            write.accept(raw);
            return null;
        });
    }

    /** Writes bytes (evtag_marshal). */
    public static void writeBytes(Buffer buffer, int tag, byte... bytes) {
        write(buffer, raw -> {
            try (BytePointer copy = new BytePointer(bytes)) {
                libevent.evtag_marshal(raw, tag, copy, bytes.length);
            }
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
        writeBytes(buffer, tag, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes a span of time, to the microsecond (evtag_marshal_timeval).
     *
     * @param duration 0 to 2^32 - 1 seconds
     */
    public static void writeDuration(Buffer buffer, int tag, Duration duration) {
        if (duration.isNegative() || duration.getSeconds() > 0xFFFFFFFFL) {
            throw new IllegalArgumentException("a span of time on the wire is 0 to 2^32 - 1 seconds, not " + duration);
        }
        write(buffer, raw -> {
            try (timeval time = new timeval()) {
                libevent.evtag_marshal_timeval(raw, tag, time.tv_sec(duration.getSeconds()).tv_usec(duration.getNano() / 1000));
            }
        });
    }

    /** The first value's tag, which stays (evtag_peek). */
    public static int peekTag(Buffer buffer) throws ProtocolException {
        int[] tag = new int[1];
        check(buffer.look(raw -> libevent.evtag_peek(raw, tag)), "a tag");
        return tag[0];
    }

    /** The first value's payload length, which stays (evtag_payload_length). */
    public static int peekLength(Buffer buffer) throws ProtocolException {
        int[] length = new int[1];
        check(buffer.look(raw -> libevent.evtag_payload_length(raw, length)), "a length");
        return length[0];
    }

    /** Removes the first value (evtag_consume). */
    public static void skip(Buffer buffer) throws ProtocolException {
        check(buffer.change(Buffer.End.START, raw -> libevent.evtag_consume(raw)), "a value");
    }

    /** Reads the bytes with this tag (evtag_unmarshal). */
    public static byte[] readBytes(Buffer buffer, int tag) throws ProtocolException {
        expect(buffer, tag);
        return buffer.change(Buffer.End.START, raw -> {
            try (Buffer payload = Buffer.beside(buffer)) {
                int[] found = new int[1];
                return payload.change(Buffer.End.END, target -> libevent.evtag_unmarshal(raw, found, target)) < 0 ? null : payload.removeAll();
            }
        });
    }

    /** Reads the 32-bit number with this tag (evtag_unmarshal_int). */
    public static int readInt(Buffer buffer, int tag) throws ProtocolException {
        int[] number = new int[1];
        check(buffer.change(Buffer.End.START, raw -> libevent.evtag_unmarshal_int(raw, tag, number)), "a number with the tag " + tag);
        return number[0];
    }

    /** Reads the 64-bit number with this tag (evtag_unmarshal_int64). */
    public static long readLong(Buffer buffer, int tag) throws ProtocolException {
        long[] number = new long[1];
        check(buffer.change(Buffer.End.START, raw -> libevent.evtag_unmarshal_int64(raw, tag, number)), "a number with the tag " + tag);
        return number[0];
    }

    /** Reads the text with this tag (evtag_unmarshal_string). */
    public static String readString(Buffer buffer, int tag) throws ProtocolException {
        return new String(readBytes(buffer, tag), StandardCharsets.UTF_8);
    }

    /** Reads the span of time with this tag (evtag_unmarshal_timeval). */
    public static Duration readDuration(Buffer buffer, int tag) throws ProtocolException {
        expect(buffer, tag);
        try (timeval time = new timeval()) {
            check(buffer.change(Buffer.End.START, raw -> libevent.evtag_unmarshal_timeval(raw, tag, time)), "a span of time with the tag " + tag);
            return Duration.ofSeconds(time.tv_sec() & 0xFFFFFFFFL, time.tv_usec() * 1000L);
        }
    }

    private static void expect(Buffer buffer, int tag) throws ProtocolException {
        int found = peekTag(buffer);
        if (found != tag) {
            throw new ProtocolException("the first value has the tag " + found + ", not " + tag);
        }
        int length = peekLength(buffer);
        if (length < 0 || length > buffer.length()) {
            throw new ProtocolException("the value with the tag " + tag + " is not whole yet");
        }
    }

    private static void check(int result, String what) throws ProtocolException {
        if (result < 0) {
            throw new ProtocolException("the buffer does not begin with " + what);
        }
    }
}
