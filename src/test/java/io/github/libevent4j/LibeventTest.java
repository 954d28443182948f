package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.internal.Live;
import io.github.libevent4j.internal.NativeLibrary;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** What every test of the API extends: it must leave no handle, no callback target and no native allocation behind. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class LibeventTest {

    private long allocations;

    @BeforeAll
    static void warmUp() throws Exception {
        NativeLibrary.ensureLoaded();
        assertTrue(NativeLibrary.DEBUG, "tests run with -Dlibevent4j.debug=true, which counts native allocations");
        // What libevent allocates once for all time.
        EventBase.create().close();
        Libevent.supportedMethods();
        Libevent.monotonicMicros();
    }

    @BeforeEach
    void count() {
        assertEquals(0, Live.handles(), "handles left by an earlier test");
        allocations = Live.allocations();
    }

    /** What libevent itself has leaked, in allocations, and is known to. */
    protected final void excuse(long leaked) {
        allocations += leaked;
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, Live.handles(), "handles that were not closed");
        assertEquals(0, Live.targets(), "callback targets that are still registered");
        assertEquals(allocations, Live.allocations(), "native allocations");
    }
}
