package io.github.libevent4j.support;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.github.libevent4j.EventBase;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A loop that this thread runs turn by turn, until something has come about. */
public final class Turns {

    private Turns() {
    }

    /** Runs the loop until the condition holds. Fails when there is nothing left that could make it hold. */
    public static void until(EventBase base, Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            assertNotEquals(EventBase.LoopExit.NO_EVENTS, base.loop(EventBase.LoopFlag.ONCE), "there is nothing left to wait for");
        }
    }

    /** Runs the loop until the future is done, and returns its value or throws what it failed with. */
    public static <T> T await(EventBase base, CompletableFuture<T> future) throws Exception {
        until(base, future::isDone);
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception exception) {
                throw exception;
            }
            throw (Error) e.getCause();
        }
    }
}
