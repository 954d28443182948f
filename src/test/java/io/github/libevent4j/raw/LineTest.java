package io.github.libevent4j.raw;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.Programs;
import org.junit.jupiter.api.Test;

/** What evhttp reads lines with, native/line.c, and compares names with, native/calls.h: the same as libevent's own, by src/test/native/lines.c. */
class LineTest {

    @Test
    void theSameAsLibevents() throws Exception {
        try (Programs.Running program = Programs.startNative("lines")) {
            Programs.Result result = program.await();
            assertEquals("", result.errors());
            assertEquals(0, result.exit());
        }
    }
}
