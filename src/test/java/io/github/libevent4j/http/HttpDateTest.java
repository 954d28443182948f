package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpDateTest {

    private static final Instant EXAMPLE = Instant.parse("1994-11-06T08:49:37Z");

    @Test
    void isWrittenInTheFormOfToday() {
        assertEquals("Sun, 06 Nov 1994 08:49:37 GMT", HttpDate.format(EXAMPLE.plusMillis(999)));
        assertEquals("Thu, 01 Jan 1970 00:00:00 GMT", HttpDate.format(Instant.EPOCH));
        assertEquals("Fri, 31 Dec 9999 23:59:59 GMT", HttpDate.format(Instant.parse("9999-12-31T23:59:59Z")));
    }

    @Test
    void theUsersLanguageDoesNotMatter() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertEquals("Sun, 06 Nov 1994 08:49:37 GMT", HttpDate.format(EXAMPLE));
            assertEquals(EXAMPLE, HttpDate.parse("Sun, 06 Nov 1994 08:49:37 GMT").orElseThrow());
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-0001-12-31T23:59:59Z", "+10000-01-01T00:00:00Z", "+1000000000-12-31T23:59:59Z"})
    void aYearOfMoreDigitsIsRefused(String time) {
        assertThrows(IllegalArgumentException.class, () -> HttpDate.format(Instant.parse(time)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    void isReadInEachOfItsForms(String date) {
        assertEquals(Optional.of(EXAMPLE), HttpDate.parse(date));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        Sun, 29 Feb 2032 23:59:60 GMT   | 2032-02-29T23:59:59Z
        Mon, 06 Nov 1994 08:49:37 GMT   | 1994-11-06T08:49:37Z
        Wed Nov 16 08:49:37 1994        | 1994-11-16T08:49:37Z
        Fri, 31 Dec 9999 23:59:59 GMT   | 9999-12-31T23:59:59Z
        """)
    void isReadForWhatItTells(String date, Instant time) {
        assertEquals(Optional.of(time), HttpDate.parse(date));
    }

    @Test
    void aYearOfTwoDigitsIsNotFarAhead() {
        int now = OffsetDateTime.now(ZoneOffset.UTC).getYear();
        for (int year = now - 49; year <= now + 50; year++) {
            String date = String.format(Locale.ROOT, "Monday, 01-Jan-%02d 00:00:00 GMT", year % 100);
            assertEquals(year, HttpDate.parse(date).orElseThrow().atOffset(ZoneOffset.UTC).getYear(), date);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "0", "784111777", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 GMT\0", "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Someday, 06 Nov 1994 08:49:37 GMT", "Sun Nov    08:49:37 1994"})
    void whatIsNoDateIsNone(String date) {
        assertEquals(Optional.empty(), HttpDate.parse(date));
    }
}
