package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.bindings.evhttp_uri;
import io.github.libevent4j.bindings.evkeyval;
import io.github.libevent4j.bindings.evkeyvalq;
import io.github.libevent4j.bindings.tm;
import io.github.libevent4j.global.libevent;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is done in Java, because a call costs more than it does, gives what libevent's own functions give: for thousands of inputs,
 * hostile ones among them. (Not a LibeventTest: what these functions return is C's to free, so that libevent's allocations do not
 * add up.)
 */
class HttpUriExactTest {

    private static final int ROUNDS = 5_000;
    private static final String[] PIECES = {"%", "%4", "%41", "%zz", "%00", "%C3%A9", "%ff", "+", " ", "&", "&&", "=", "==", "a", "b1", "~", "/",
        "//", "?", "#", ":", "@", ";", "[", "]", "[::1]", "..", ".", "\u00e9", "\u00ff", "\u0001", "\u007f", "<", ">", "\"", "'", "amp;", "\r\n"};

    private final Random random = new Random(1);
    private PointerScope scope;

    @BeforeEach
    void open() {
        scope = new PointerScope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /** Text of a few pieces. */
    private String text() {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(8); n > 0; n--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    private static BytePointer pointer(byte[] bytes) {
        return new BytePointer(Arrays.copyOf(bytes, bytes.length + 1)); // and a NUL
    }

    /** A result that is the caller's to free. */
    private static String taken(BytePointer result) {
        String text = result.getString(StandardCharsets.UTF_8);
        Pointer.free(result);
        return text;
    }

    @Test
    void encodesAsLibeventDoes() {
        for (int i = 0; i < ROUNDS; i++) {
            String text = text() + (i % 7 == 0 ? "\0\u65e5\ud83d\ude00" : "");
            byte[] bytes = text.getBytes(UTF_8);
            for (int plus = 0; plus < 2; plus++) {
                assertEquals(taken(libevent.evhttp_uriencode(pointer(bytes), bytes.length, plus)), HttpUri.encode(text, plus == 1));
            }
        }
    }

    @Test
    void decodesAsLibeventDoes() {
        SizeTPointer size = new SizeTPointer(1);
        for (int i = 0; i < ROUNDS; i++) {
            String text = text();
            for (int plus = 0; plus < 2; plus++) {
                BytePointer decoded = libevent.evhttp_uridecode(pointer(text.getBytes(UTF_8)), plus, size);
                byte[] result = new byte[(int) size.get()];
                decoded.get(result);
                Pointer.free(decoded);
                assertEquals(new String(result, UTF_8), HttpUri.decode(text, plus == 1), text);
            }
        }
    }

    /** Where libevent takes a query, which it does not when a parameter has no name or no =. */
    @Test
    void readsAQueryAsLibeventDoes() {
        evkeyvalq raw = new evkeyvalq();
        int accepted = 0;
        for (int i = 0; i < ROUNDS; i++) {
            String query = text().replace("#", "");
            if (libevent.evhttp_parse_query_str(pointer(query.getBytes(ISO_8859_1)), raw) == 0) {
                List<Map.Entry<String, String>> read = HttpUri.parseLeniently("/?" + query).queryParameters();
                int n = 0;
                for (evkeyval each = raw.tqh_first(); each != null; each = each.next_tqe_next()) {
                    String name = each.key().getString(StandardCharsets.ISO_8859_1);
                    if (name.matches("[!-~&&[^%+]]*")) { // there names are not decoded
                        assertEquals(name, read.get(n).getKey(), query);
                    }
                    // There a value is a string of C, which ends at a NUL.
                    assertEquals(each.value().getString(StandardCharsets.UTF_8), read.get(n).getValue().split("\0", 2)[0], query);
                    n++;
                }
                assertEquals(n, read.size(), query);
                libevent.evhttp_clear_headers(raw);
                accepted += n > 0 ? 1 : 0;
            }
        }
        assertTrue(accepted > 100, accepted + " queries with parameters");
    }

    @Test
    void escapesForHtmlAsLibeventDoes() {
        for (int i = 0; i < ROUNDS; i++) {
            String text = text() + (i % 7 == 0 ? "\u65e5\ud83d\ude00" : "");
            assertEquals(taken(libevent.evhttp_htmlescape(pointer(text.getBytes(UTF_8)))), Html.escape(text));
        }
    }

    @Test
    void writesDatesAsLibeventDoes() {
        byte[] line = new byte[64];
        tm time = new tm();
        for (int i = 0; i < ROUNDS; i++) {
            Instant instant = Instant.ofEpochSecond(random.nextLong(-62_167_219_200L, 253_402_300_800L)); // the years 0 to 9999
            OffsetDateTime utc = instant.atOffset(ZoneOffset.UTC);
            time.tm_sec(utc.getSecond()).tm_min(utc.getMinute()).tm_hour(utc.getHour()).tm_mday(utc.getDayOfMonth())
                .tm_mon(utc.getMonthValue() - 1).tm_year(utc.getYear() - 1900).tm_wday(utc.getDayOfWeek().getValue() % 7);
            int length = libevent.evutil_date_rfc1123(line, line.length, time);
            String date = new String(line, 0, length, ISO_8859_1);
            if (utc.getYear() >= 1000) { // before, libevent has spaces in place of zeroes
                assertEquals(date, HttpDate.format(instant));
            }
            assertEquals(instant, HttpDate.parse(HttpDate.format(instant)).orElseThrow());
        }
    }

    /** The builder takes just what libevent takes and reads back as it was given. */
    @Test
    void buildsWhatLibeventJoinsAndReadsBack() {
        int accepted = 0;
        for (int i = 0; i < 4 * ROUNDS; i++) {
            String[] parts = {pick("http", "a+b-c.1", null, null, random.nextInt(9) == 0 ? text() : null), pick(null, null, "u:p", "u%41", text()),
                pick(null, "host", "[::1]", "", "[v1.a]", text().replaceAll("^[^\\[].*:.*", "h")), pick("", "/", "/a", "a:b", "//a", "a", text()),
                pick(null, "", "q?/=", text()), pick(null, "", "f", text())};
            int port = random.nextInt(3) - 1;
            HttpUri built = null;
            HttpUri.Builder builder = HttpUri.newBuilder().port(port);
            try {
                for (int part = 0; part < parts.length; part++) {
                    set(builder, part, parts[part]);
                }
                built = builder.build();
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().length() > 20, e.getMessage());
            }
            String joined = rawJoin(parts, port);
            boolean same = joined != null && Arrays.equals(parts, rawParts(joined)) && rawPort(joined) == port;
            assertEquals(same ? joined : null, built == null ? null : built.toString(), () -> Arrays.toString(parts) + port);
            if (built != null) {
                accepted++;
                HttpUri read = HttpUri.parse(built.toString());
                assertEquals(read, built);
                assertEquals(read.hashCode(), built.hashCode());
                assertArrayEquals(parts, new String[] {read.scheme().orElse(null), read.userInfo().orElse(null),
                    read.host().orElse(null), read.path(), read.query().orElse(null), read.fragment().orElse(null)});
            }
        }
        assertTrue(accepted > ROUNDS / 10, accepted + " were built");
    }

    private String pick(String... choices) {
        return choices[random.nextInt(choices.length)];
    }

    private static void set(HttpUri.Builder builder, int part, String value) {
        if (value != null) {
            switch (part) {
                case 0 -> builder.scheme(value);
                case 1 -> builder.userInfo(value);
                case 2 -> builder.host(value);
                case 3 -> builder.path(value);
                case 4 -> builder.query(value);
                default -> builder.fragment(value);
            }
        }
    }

    /** Null when libevent refuses a part. */
    private static String rawJoin(String[] parts, int port) {
        evhttp_uri uri = libevent.evhttp_uri_new();
        BytePointer[] raw = new BytePointer[parts.length];
        for (int i = 0; i < parts.length; i++) {
            raw[i] = parts[i] == null ? null : pointer(parts[i].getBytes(ISO_8859_1));
        }
        byte[] joined = new byte[1000];
        boolean good = libevent.evhttp_uri_set_scheme(uri, raw[0]) == 0 && libevent.evhttp_uri_set_userinfo(uri, raw[1]) == 0
            && libevent.evhttp_uri_set_host(uri, raw[2]) == 0 && libevent.evhttp_uri_set_port(uri, port) == 0
            && libevent.evhttp_uri_set_path(uri, raw[3]) == 0 && libevent.evhttp_uri_set_query(uri, raw[4]) == 0
            && libevent.evhttp_uri_set_fragment(uri, raw[5]) == 0 && libevent.evhttp_uri_join(uri, joined, joined.length) != null;
        libevent.evhttp_uri_free(uri);
        return good && joined[0] == 0 ? "" : good ? new String(joined, ISO_8859_1).split("\0", 2)[0] : null;
    }

    private static String[] rawParts(String text) {
        evhttp_uri uri = libevent.evhttp_uri_parse(pointer(text.getBytes(ISO_8859_1)));
        if (uri == null) {
            return null;
        }
        String[] parts = {string(libevent.evhttp_uri_get_scheme(uri)), string(libevent.evhttp_uri_get_userinfo(uri)),
            string(libevent.evhttp_uri_get_host(uri)), string(libevent.evhttp_uri_get_path(uri)),
            string(libevent.evhttp_uri_get_query(uri)), string(libevent.evhttp_uri_get_fragment(uri))};
        libevent.evhttp_uri_free(uri);
        return parts;
    }

    private static int rawPort(String text) {
        evhttp_uri uri = libevent.evhttp_uri_parse(pointer(text.getBytes(ISO_8859_1)));
        int port = libevent.evhttp_uri_get_port(uri);
        libevent.evhttp_uri_free(uri);
        return port;
    }

    private static String string(BytePointer pointer) {
        return pointer == null ? null : pointer.getString(StandardCharsets.ISO_8859_1);
    }
}
