package io.github.libevent4j;

import io.github.libevent4j.internal.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A ScheduledExecutorService whose tasks are timers of a loop. */
final class LoopScheduler extends AbstractExecutorService implements ScheduledExecutorService {

    private final EventBase base;
    private final Loop loop;
    private final Set<Task<?>> tasks = new HashSet<>(); // guarded by this
    private final CountDownLatch terminated = new CountDownLatch(1);
    private boolean shutdown; // guarded by this

    LoopScheduler(EventBase base) {
        this.base = base;
        this.loop = Loop.of(base);
    }

    @Override
    public void execute(Runnable command) {
        start(Objects.requireNonNull(command, "command") instanceof Task<?> task ? task : newTaskFor(command, null));
    }

    @Override
    protected <T> Task<T> newTaskFor(Callable<T> callable) {
        return new Task<>(callable, 0, 0);
    }

    @Override
    protected <T> Task<T> newTaskFor(Runnable runnable, T value) {
        return newTaskFor(Executors.callable(runnable, value));
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        Objects.requireNonNull(command, "command");
        return start(new Task<Void>(() -> {
            command.run();
            return null;
        }, Objects.requireNonNull(unit, "unit").toNanos(delay), 0));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        return start(new Task<>(Objects.requireNonNull(callable, "callable"), Objects.requireNonNull(unit, "unit").toNanos(delay), 0));
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
        return start(repeated(command, Objects.requireNonNull(unit, "unit").toNanos(initialDelay), period(period, unit)));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
        return start(repeated(command, Objects.requireNonNull(unit, "unit").toNanos(initialDelay), -period(delay, unit)));
    }

    private static long period(long period, TimeUnit unit) {
        if (period <= 0) {
            throw new IllegalArgumentException("a period must be longer than zero: " + period + " " + unit);
        }
        return Objects.requireNonNull(unit, "unit").toNanos(period);
    }

    private Task<Void> repeated(Runnable command, long delay, long period) {
        Objects.requireNonNull(command, "command");
        return new Task<>(() -> {
            command.run();
            return null;
        }, delay, period);
    }

    private <V> Task<V> start(Task<V> task) {
        synchronized (this) {
            if (shutdown || !base.isOpen()) {
                throw new RejectedExecutionException(shutdown ? "this scheduler is shut down" : base + " is closed");
            }
            tasks.add(task);
        }
        try {
            loop.submit(task::begin);
        } catch (RejectedExecutionException e) {
            ended(task);
            throw e;
        }
        return task;
    }

    private synchronized void ended(Task<?> task) {
        tasks.remove(task);
        if (shutdown && tasks.isEmpty()) {
            terminated.countDown();
        }
    }

    /** Lets no new task in. Those that wait for their delay still run; repeated ones are cancelled. */
    @Override
    public void shutdown() {
        List<Task<?>> repeated = new ArrayList<>();
        synchronized (this) {
            shutdown = true;
            tasks.stream().filter(task -> task.period != 0).forEach(repeated::add);
            if (tasks.isEmpty()) {
                terminated.countDown();
            }
        }
        repeated.forEach(task -> task.cancel(false));
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown();
        List<Task<?>> waiting;
        synchronized (this) {
            waiting = List.copyOf(tasks);
        }
        waiting.forEach(task -> task.cancel(false));
        return new ArrayList<>(waiting);
    }

    @Override
    public synchronized boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return terminated.getCount() == 0;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return terminated.await(timeout, unit);
    }

    /** A task, and the timer that runs it: made and closed on the loop. */
    private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V>, Timer.Owned {
        private final long period; // nanoseconds; negative from the end of one run to the next
        private volatile long due;
        private volatile Timer timer;

        Task(Callable<V> callable, long delay, long period) {
            super(callable);
            this.period = period;
            this.due = System.nanoTime() + Math.max(0, delay);
        }

        void begin() {
            if (!base.isOpen()) {
                cancel(false);
            } else if (!isDone()) {
                timer = Timer.create(base, this);
                waitUntil(due);
            }
        }

        private void waitUntil(long until) {
            due = until;
            try {
                timer.start(Duration.ofNanos(Math.max(0, until - System.nanoTime())));
            } catch (IllegalStateException e) { // closed by a cancel, or something is wrong
                if (!isDone()) {
                    throw e;
                }
            }
            if (isDone()) { // by a cancel that came before the timer
                timer.close();
            }
        }

        @Override
        public void freed() {
            cancel(false); // unless it is done, its base was closed
        }

        @Override
        public void run() {
            if (period == 0) {
                super.run();
            } else if (super.runAndReset() && base.isOpen()) {
                waitUntil(period > 0 ? due + period : System.nanoTime() - period);
            }
        }

        @Override
        protected void done() {
            ended(this);
            Timer running = timer;
            if (running != null) {
                running.close();
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}
