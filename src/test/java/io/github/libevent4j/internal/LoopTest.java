package io.github.libevent4j.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.LoopThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What handles ask of their loop. */
class LoopTest extends LibeventTest {

    private final List<Object> ran = new ArrayList<>();

    /** An action that defers the next one, so many times. */
    private void chain(Loop loop, int length) {
        if (length == 0) {
            ran.add("end");
        } else {
            loop.whenSafe(() -> chain(loop, length - 1));
        }
    }

    @Test
    void whatIsDeferredByWhatWasDeferredTakesNoStack() throws Exception {
        try (EventBase base = EventBase.create()) {
            chain(Loop.of(base), 100_000);
            assertEquals(List.of("end"), ran);
        }
    }

    @Test
    void whatIsDeferredInACallbackRunsAfterIt() throws Exception {
        try (EventBase base = EventBase.create()) {
            Loop loop = Loop.of(base);
            base.execute(() -> {
                loop.whenSafe(() -> ran.add("deferred"));
                loop.submit(() -> ran.add("submitted"));
                ran.add("callback");
            });
            base.dispatch();
            assertEquals(List.of("submitted", "callback", "deferred"), ran);
        }
    }

    @Test
    void whatIsDeferredRunsThoughTheBaseIsClosed() throws Exception {
        EventBase base = EventBase.create();
        Loop loop = Loop.of(base);
        base.execute(() -> {
            base.close();
            loop.whenSafe(() -> ran.add(base.isOpen()));
        });
        base.dispatch();
        loop.whenSafe(() -> ran.add("later"));
        loop.submit(() -> ran.add("latest"));
        assertEquals(List.of(false, "later", "latest"), ran);
    }

    @Test
    void otherThreadsActionsKeepTheirOrder() throws Exception {
        try (LoopThread thread = new LoopThread()) {
            Loop loop = Loop.of(thread.base());
            for (int i = 0; i < 1000; i++) {
                int number = i;
                if (i % 2 == 0) {
                    loop.submit(() -> ran.add(number));
                } else {
                    loop.whenSafe(() -> ran.add(number));
                }
            }
            CompletableFuture<Void> last = new CompletableFuture<>();
            loop.whenSafe(() -> last.complete(null));
            LoopThread.await(last);
            for (int i = 0; i < 1000; i++) {
                assertEquals(i, ran.get(i));
            }
        }
    }

    @Test
    void everyErrorOfWhatWasDeferredComesOut() throws Exception {
        Error first = new AssertionError("first");
        Error second = new AssertionError("second");
        try (EventBase base = EventBase.create()) {
            Loop loop = Loop.of(base);
            assertSame(first, assertThrows(AssertionError.class, () -> loop.whenSafe(() -> {
                loop.whenSafe(() -> {
                    throw second;
                });
                throw first;
            })));
            assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
            loop.whenSafe(() -> ran.add("after"));
            assertEquals(List.of("after"), ran);
        }
    }
}
