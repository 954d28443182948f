package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Logs;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class LibeventInfoTest extends LibeventTest {

    @Test
    void isAvailable() {
        assertTrue(Libevent.isAvailable());
        assertNull(Libevent.unavailabilityCause());
    }

    @Test
    void tellsItsVersionInTwoWays() {
        Matcher version = Pattern.compile("(\\d+)\\.(\\d+)\\.(\\d+)-\\w+").matcher(Libevent.version());
        assertTrue(version.matches(), Libevent.version());
        int number = Integer.parseInt(version.group(1)) << 24 | Integer.parseInt(version.group(2)) << 16
            | Integer.parseInt(version.group(3)) << 8;
        assertEquals(number, Libevent.versionNumber() & 0xFFFFFF00);
    }

    @Test
    void tellsWhatItWasBuiltFrom() {
        String release = Libevent.version().substring(0, Libevent.version().indexOf('-'));
        assertTrue(Libevent.revision().startsWith(release), Libevent.revision());
        assertTrue(Libevent.fixes().containsAll(List.of("CVE-2026-63379", "CVE-2026-63381", "CVE-2026-63382", "CVE-2026-63383",
            "CVE-2026-63384", "CVE-2026-63385", "CVE-2026-63387", "CVE-2026-63388")), () -> Libevent.fixes().toString());
    }

    @Test
    void tellsItsBackendsBestFirst() {
        assertEquals(List.of("epoll", "poll", "select"), Libevent.supportedMethods());
    }

    @Test
    void hasAClockThatNeverGoesBack() {
        long last = Libevent.monotonicMicros();
        for (int i = 0; i < 1000; i++) {
            long now = Libevent.monotonicMicros();
            assertTrue(now >= last, now + " after " + last);
            last = now;
        }
    }

    @Test
    void entersDebugModeOnlyBeforeTheFirstBase() {
        assertThrows(IllegalStateException.class, Libevent::enableDebugMode);
    }

    @Test
    void logsWhatItDoesWhenAskedTo() throws Exception {
        try (Logs logs = Logs.of("io.github.libevent4j.native")) {
            Libevent.debugLogging(true);
            try (EventBase base = EventBase.create()) {
                base.dispatch();
            } finally {
                Libevent.debugLogging(false);
            }
            logs.await(record -> record.getMessage().contains("no events registered"));
        }
    }
}
