package io.github.libevent4j.support;

import io.github.libevent4j.EventBase;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A base that a thread of its own runs until {@link #close}. What its callbacks throw must be {@link #awaitException awaited}, and what
 * comes out of its loop {@link #awaitError too}: else close() fails.
 */
public final class LoopThread implements AutoCloseable {

    private static final long SECONDS = 30;

    private final EventBase base;
    private final BlockingQueue<Exception> exceptions = new LinkedBlockingQueue<>();
    private final CompletableFuture<EventBase.LoopExit> exit = new CompletableFuture<>();
    private final CompletableFuture<Throwable> ended = exit.handle((why, error) -> error);
    private final Thread thread = new Thread(this::run, "loop");
    private boolean awaited;

    public LoopThread() throws Exception {
        this(EventBase.create());
    }

    /** Runs this base, which does run when this returns, and closes it in the end. */
    public LoopThread(EventBase base) {
        this.base = base;
        base.onException(exceptions::add);
        CompletableFuture<Void> running = CompletableFuture.runAsync(() -> { }, base);
        thread.start();
        running.join();
    }

    private void run() {
        try {
            exit.complete(base.loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY));
        } catch (Throwable e) {
            exit.completeExceptionally(e);
        }
    }

    public EventBase base() {
        return base;
    }

    public Thread thread() {
        return thread;
    }

    /** Runs the task on the loop's thread, and returns or throws what it does. */
    public <T> T call(Callable<T> task) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        base.execute(() -> {
            try {
                result.complete(task.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return await(result);
    }

    /** Waits until the loop has run all that was active when this was called. */
    public void turn() throws Exception {
        call(() -> null); // which the turn under way may run, when it has looked already for what other threads wanted of a handle
        call(() -> null);
    }

    /** What the future becomes, or throws what it fails with. */
    public static <T> T await(CompletableFuture<T> future) throws Exception {
        try {
            return future.get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception exception) {
                throw exception;
            }
            throw (Error) e.getCause();
        }
    }

    /** The first exception that a callback threw, or throws soon. */
    public Exception awaitException() throws Exception {
        Exception first = exceptions.poll(SECONDS, TimeUnit.SECONDS);
        if (first == null) {
            throw new AssertionError("no callback threw an exception");
        }
        return first;
    }

    /** Why the loop returned, which ends the thread. */
    public EventBase.LoopExit awaitExit() throws Exception {
        return await(exit);
    }

    /** What came out of the loop, which ends the thread. */
    public Throwable awaitError() throws Exception {
        awaited = true;
        return await(ended);
    }

    /** Closes the base, if it is not yet closed, and waits for the thread. */
    @Override
    public void close() throws Exception {
        base.close();
        Throwable error = await(ended);
        thread.join();
        AssertionError unexpected = new AssertionError("unexpected in the loop");
        if (error != null && !awaited) {
            unexpected.addSuppressed(error);
        }
        exceptions.forEach(unexpected::addSuppressed);
        if (unexpected.getSuppressed().length > 0) {
            throw unexpected;
        }
    }
}
