package io.github.libevent4j.raw;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.global.libevent;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What libevent prints with is native/format.c: the same as the C library's, whether it knows the conversion itself or not. */
class FormatTest extends LibeventTest {

    /** A call of evutil_snprintf() for a buffer of some size, and what it must print in full. */
    record Printed(String expected, BiFunction<BytePointer, Integer, Integer> call) {
        @Override
        public String toString() {
            return expected.length() > 40 ? expected.length() + " characters" : expected;
        }
    }

    private static Printed plain(String format, String expected) {
        return new Printed(expected, (buffer, size) -> libevent.evutil_snprintf(buffer, size, format));
    }

    private static Printed of(String format, String argument, String expected) {
        return new Printed(expected, (buffer, size) -> libevent.evutil_snprintf(buffer, size, format, argument));
    }

    private static Printed of(String format, int argument, String expected) {
        return new Printed(expected, (buffer, size) -> libevent.evutil_snprintf(buffer, size, format, argument));
    }

    private static Printed of(String format, long argument, String expected) {
        return new Printed(expected, (buffer, size) -> libevent.evutil_snprintf(buffer, size, format, argument));
    }

    static Stream<Printed> prints() {
        return Stream.of(
            plain("", ""), plain("plain", "plain"), plain("100%%", "100%"), plain("%%%%", "%%"),
            of("%s", "", ""), of("<%s>", "text", "<text>"), of("%s: x\r\n", "y".repeat(5000), "y".repeat(5000) + ": x\r\n"),
            of("%d", 0, "0"), of("%d", 7, "7"), of("%d", -7, "-7"), of("%d", Integer.MAX_VALUE, "2147483647"),
            of("%d", Integer.MIN_VALUE, "-2147483648"), of("%u", -1, "4294967295"), of("%x", 0xbeef, "beef"), of("%x", 0, "0"),
            of("a%cb", 'c', "acb"), of("%ld", Long.MIN_VALUE, "-9223372036854775808"), of("%ld", Long.MAX_VALUE, "9223372036854775807"),
            of("%lu", -1L, "18446744073709551615"), of("%lx", -1L, "ffffffffffffffff"), of("%zu", 10L, "10"),
            // Not known there: the C library prints these.
            of("%5d|", 42, "   42|"), of("%05d", 42, "00042"), of("%+d", 42, "+42"), of("%X", 0xbeef, "BEEF"), of("%o", 8, "10"),
            of("%.2s", "abc", "ab"), of("%-5s|", "ab", "ab   |"), of("%lld", -5L, "-5"), of("%hd", 70000, "4464"),
            of("known first %d%%, then not %1$d", 3, "known first 3%, then not 3"));
    }

    @ParameterizedTest
    @MethodSource("prints")
    void printsAsTheLibraryDoes(Printed printed) {
        int length = printed.expected.length();
        for (int size : new int[] {length + 10, length + 1, length, length / 2, 1}) {
            try (BytePointer buffer = new BytePointer(size + 1L)) {
                buffer.fill('#');
                if (size > 0) {
                    assertEquals(length, printed.call.apply(buffer, size), "the length of it all");
                    byte[] bytes = new byte[Math.min(length, size - 1)];
                    buffer.get(bytes);
                    assertEquals(printed.expected.substring(0, bytes.length), new String(bytes, US_ASCII));
                    assertEquals(0, buffer.get(bytes.length), "the end");
                }
                assertEquals('#', buffer.get(size), "behind the buffer");
            }
        }
    }

    @Test
    void aBufferOfNoSizeIsLeftAlone() {
        try (BytePointer buffer = new BytePointer(1L)) {
            buffer.fill('#');
            assertEquals(0, libevent.evutil_snprintf(buffer, 0, "%d", 12345));
            assertEquals('#', buffer.get(0));
        }
    }
}
