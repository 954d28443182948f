package io.github.libevent4j.raw;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.Programs;
import org.junit.jupiter.api.Test;

/** What evhttp takes lines from its buffer with is native/line.c: the same as evbuffer_readln(), whether it takes the line itself or not. */
class LineTest {

    @Test
    void readsAsEvbufferReadlnDoes() throws Exception {
        try (Programs.Running program = Programs.startNative("lines")) {
            Programs.Result result = program.await();
            assertEquals("", result.errors());
            assertEquals(0, result.exit());
        }
    }
}
