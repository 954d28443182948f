package io.github.libevent4j.http;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;

/** Dates as HTTP's headers have them, such as {@code Sun, 06 Nov 1994 08:49:37 GMT} (evutil_date_rfc1123). */
public final class HttpDate {

    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
        .withZone(ZoneOffset.UTC);

    private HttpDate() {
    }

    /** A point in time, to the second. */
    public static String format(Instant time) {
        return FORMAT.format(time);
    }

    /** The point in time that a header tells, or nothing when it is no such date. */
    public static Optional<Instant> parse(String date) {
        try {
            return Optional.of(FORMAT.parse(date, Instant::from));
        } catch (DateTimeParseException e) {
            return Optional.empty(); // HTTP has a date that cannot be read be as good as none
        }
    }
}
