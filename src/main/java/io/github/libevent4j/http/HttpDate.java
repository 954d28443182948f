package io.github.libevent4j.http;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Dates as HTTP's headers have them, such as {@code Sun, 06 Nov 1994 08:49:37 GMT} (RFC 9110, section 5.6.7). */
public final class HttpDate {

    private static final List<String> DAYS = List.of("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");
    private static final List<String> MONTHS = List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
        "Dec");

    /** The form of today, that of RFC 850, and that of C's asctime. The day of the week tells nothing that the date does not. */
    private static final List<Pattern> FORMS = Stream.of(
        "DAY, (?<day>\\d\\d) (?<month>MONTH) (?<year>\\d{4}) (?<time>TIME) GMT",
        "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-(?<month>MONTH)-(?<year>\\d\\d) (?<time>TIME) GMT",
        "DAY (?<month>MONTH) (?<day>[ \\d]\\d) (?<time>TIME) (?<year>\\d{4})")
        .map(form -> form.replace("DAY", "(?:" + String.join("|", DAYS) + ")").replace("MONTH", String.join("|", MONTHS))
            .replace("TIME", "\\d\\d:\\d\\d:\\d\\d"))
        .map(Pattern::compile).toList();

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant BEYOND = Instant.parse("9999-12-31T23:59:59Z").plusSeconds(1);


    private HttpDate() {
    }

    /**
     * A point in time, to the second (evutil_date_rfc1123).
     *
     * @throws IllegalArgumentException when its year has not four digits
     */
    public static String format(Instant time) {
        if (Objects.requireNonNull(time, "time").isBefore(FIRST) || !time.isBefore(BEYOND)) {
            throw new IllegalArgumentException("a date has a year of four digits, which " + time + " has not");
        }
        OffsetDateTime utc = time.atOffset(ZoneOffset.UTC);
        return String.format(Locale.ROOT, "%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS.get(utc.getDayOfWeek().ordinal()),
            utc.getDayOfMonth(), MONTHS.get(utc.getMonthValue() - 1), utc.getYear(), utc.getHour(), utc.getMinute(), utc.getSecond());
    }

    /**
     * The point in time that a header tells, in any of HTTP's three forms, or nothing when it is no such date: one that cannot be read
     * is as good as none. Libevent has no function for it.
     */
    public static Optional<Instant> parse(String date) {
        Objects.requireNonNull(date, "date");
        return FORMS.stream().map(form -> form.matcher(date)).filter(Matcher::matches).findFirst().flatMap(HttpDate::instant);
    }

    private static Optional<Instant> instant(Matcher date) {
        int year = Integer.parseInt(date.group("year"));
        String[] time = date.group("time").split(":");
        int second = Integer.parseInt(time[2]);
        try {
            return Optional.of(LocalDateTime.of(date.group("year").length() == 2 ? century(year) : year,
                    MONTHS.indexOf(date.group("month")) + 1, Integer.parseInt(date.group("day").strip()),
                    Integer.parseInt(time[0]), Integer.parseInt(time[1]), second == 60 ? 59 : second) // a leap second
                .toInstant(ZoneOffset.UTC));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /** The year of two digits that is not more than 50 years ahead. */
    private static int century(int year) {
        int now = OffsetDateTime.now(ZoneOffset.UTC).getYear();
        int guess = now / 100 * 100 + year;
        return guess > now + 50 ? guess - 100 : guess;
    }
}
