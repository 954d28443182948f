package io.github.libevent4j.support;

import io.github.libevent4j.EventBase;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** Loops that run while something else uses what lives on them. */
public final class Loops {

    private Loops() {
    }

    /** Runs the loop on this thread until the client, on a thread of its own, is through, and returns what it returned. */
    public static <T> T runWhile(EventBase base, Callable<T> client) throws Exception {
        FutureTask<T> task = new FutureTask<>(client) {
            @Override
            protected void done() {
                base.stop();
            }
        };
        Thread thread = new Thread(task, "client");
        thread.setDaemon(true);
        thread.start();
        base.dispatch();
        return task.get();
    }
}
