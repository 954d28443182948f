package io.github.libevent4j.http;

import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Calls a listener on an executor, in order and one call at a time; while it has much to do, the server is made to wait. */
final class ListenerElsewhere implements BodyListener {

    private static final int MOST = 256 * 1024;
    private static final int FEW = 64 * 1024;

    private interface Step {
        void run() throws Exception;
    }

    private final BodyListener listener;
    private final Executor executor;
    private final Queue<Step> steps = new ArrayDeque<>(); // guarded by this, as all that follows
    private final CompletableFuture<HttpResponse> heard = new CompletableFuture<>();
    private Consumer<Boolean> pause;
    private boolean running;
    private long waiting;
    private boolean paused;

    ListenerElsewhere(BodyListener listener, Executor executor) {
        this.listener = Objects.requireNonNull(listener, "listener");
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    /** The response whose body this listens to, before it begins; returns the one that waits for the listener. */
    CompletableFuture<HttpResponse> attach(CompletableFuture<HttpResponse> response, Consumer<Boolean> pause) {
        this.pause = pause;
        response.whenComplete((answer, failure) -> {
            if (failure != null) {
                heard.completeExceptionally(failure);
            } else {
                add(() -> heard.complete(answer));
            }
        });
        heard.whenComplete((answer, failure) -> response.cancel(false)); // unless it has come
        return heard;
    }

    @Override
    public void onHead(HttpResponse head) {
        add(() -> listener.onHead(head));
    }

    @Override
    public void onData(byte[] data) {
        synchronized (this) {
            waiting += data.length;
            if (waiting > MOST && !paused) {
                paused = true;
                pause.accept(true);
            }
        }
        add(() -> {
            listener.onData(data);
            taken(data.length);
        });
    }

    private synchronized void taken(int length) {
        waiting -= length;
        if (waiting < FEW && paused) {
            paused = false;
            pause.accept(false);
        }
    }

    private void add(Step step) {
        synchronized (this) {
            steps.add(step);
            if (running) {
                return;
            }
            running = true;
        }
        try {
            executor.execute(this::run);
        } catch (RuntimeException e) { // such as that of a full queue
            heard.completeExceptionally(e);
        }
    }

    private void run() {
        for (Step step = next(); step != null && !heard.isDone(); step = next()) {
            try {
                step.run();
            } catch (Exception e) {
                heard.completeExceptionally(e);
            } catch (Error e) { // breaks the request off too
                heard.completeExceptionally(e);
                throw e;
            }
        }
    }

    private synchronized Step next() {
        Step step = steps.poll();
        running = step != null;
        return step;
    }
}
