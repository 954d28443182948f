package io.github.libevent4j.random;

import io.github.libevent4j.CommonTimeout;
import io.github.libevent4j.Event;
import io.github.libevent4j.Event.Kind;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.Signal;
import io.github.libevent4j.Timer;
import io.github.libevent4j.internal.Descriptors;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Bases, events, timers, signals, tasks and schedulers. */
final class LoopArea extends Area {

    private static final int MOST_BASES = 2;
    private static final String SIGNAL = "WINCH"; // which nobody misses when it is not handled

    private final List<Pipe> pipes = new ArrayList<>();

    LoopArea(World world) throws Exception {
        super(world);
        for (int i = 0; i < 3; i++) {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            pipes.add(pipe);
        }

        operation("create", () -> {
            if (world.all(EventBase.class).stream().filter(EventBase::isOpen).count() < MOST_BASES) {
                create(world);
            }
        });
        for (int i = 0; i < 6; i++) { // most of what is to happen happens here
            operation("loop", () -> run(LoopFlag.NONBLOCK));
            operation("loopOnce", () -> run(LoopFlag.ONCE));
        }
        operation("dispatch", this::run);
        operation("stop", () -> world.base().stop());
        operation("stopAfter", () -> world.base().stopAfter(world.time()));
        operation("close", () -> {
            if (world.chance(0.05)) {
                world.close(EventBase.class);
            }
        });
        operation("execute", () -> {
            EventBase base = world.base();
            Runnable once = world.once("a task");
            try {
                base.execute(() -> {
                    once.run();
                    world.action("task").run();
                });
            } catch (java.util.concurrent.RejectedExecutionException e) {
                once.run();
            }
        });
        operation("onException", () -> world.base().onException(e -> {
            world.heard(e);
            try {
                world.called("exception");
            } catch (Exception thrown) {
                throw new World.Escaped();
            }
        }));
        operation("once", () -> world.base().once(world.time(), world.action("once")));
        operation("onceReady", () -> world.base().once(Descriptors.of(pipe().source()), EnumSet.of(Kind.READ), world.time(),
            what -> world.action("once ready").run()));
        operation("commonTimeout", () -> world.made(world.base().commonTimeout(Duration.ofMillis(world.number(4)))));
        operation("questions", () -> {
            EventBase base = world.base();
            base.activeEvents();
            base.pendingEvents();
            base.cachedTime();
            base.updateCachedTime();
            base.features();
            base.priorities();
        });
        operation("dump", () -> world.base().dump());

        operation("write", () -> pipe().sink().write(ByteBuffer.wrap(world.bytes())));
        operation("read", () -> pipe().source().read(ByteBuffer.allocate(100)));
        operation("event", () -> {
            Set<Kind> kinds = EnumSet.noneOf(Kind.class);
            for (Kind kind : Kind.values()) {
                if (world.chance(0.3)) {
                    kinds.add(kind);
                }
            }
            long descriptor = world.chance(0.3) ? -1 : Descriptors.of(world.coin() ? pipe().source() : pipe().sink());
            world.made(Event.create(world.base(), descriptor, kinds, (event, what) -> world.called("event")));
        });
        operation("Event.add", () -> world.one(Event.class).add());
        operation("Event.addFor", () -> world.one(Event.class).add(world.time()));
        operation("Event.remove", () -> world.one(Event.class).remove());
        operation("Event.activate", () -> world.one(Event.class).activate(EnumSet.of(world.any(Kind.values()))));
        operation("Event.isPending", () -> world.one(Event.class).isPending());
        operation("Event.priority", () -> world.one(Event.class).priority(world.number(4)));
        operation("Event.close", () -> world.close(Event.class));

        operation("timer", () -> world.made(Timer.create(world.base(), world.action("timer"))));
        operation("periodic", () -> world.made(Timer.periodic(world.base(), world.action("periodic timer"))));
        operation("Timer.start", () -> world.one(Timer.class).start(world.time()));
        operation("Timer.startCommon", () -> world.one(Timer.class).start(world.one(CommonTimeout.class)));
        operation("Timer.stop", () -> world.one(Timer.class).stop());
        operation("Timer.isPending", () -> world.one(Timer.class).isPending());
        operation("Timer.priority", () -> world.one(Timer.class).priority(world.number(4)));
        operation("Timer.close", () -> world.close(Timer.class));

        operation("signal", () -> world.made(Signal.create(world.base(), SIGNAL, world.action("signal"))));
        operation("raise", () -> sun.misc.Signal.raise(new sun.misc.Signal(SIGNAL)));
        operation("Signal.close", () -> world.close(Signal.class));

        operation("scheduler", () -> world.made(ScheduledExecutorService.class, world.base().scheduler()));
        operation("schedule", () -> scheduled(scheduler().schedule(world.action("scheduled"), world.number(3), TimeUnit.MILLISECONDS)));
        operation("atFixedRate", () -> scheduled(scheduler().scheduleAtFixedRate(world.action("at a rate"), world.number(2),
            1 + world.number(2), TimeUnit.MILLISECONDS)));
        operation("withFixedDelay", () -> scheduled(scheduler().scheduleWithFixedDelay(world.action("with a delay"), world.number(2),
            1 + world.number(2), TimeUnit.MILLISECONDS)));
        operation("submit", () -> scheduled(scheduler().submit(world.action("submitted"))));
        operation("Scheduled.cancel", () -> world.one(Future.class).cancel(false));
        operation("shutdown", () -> scheduler().shutdown());
        operation("shutdownNow", () -> scheduler().shutdownNow());
    }

    private ScheduledExecutorService scheduler() {
        return world.one(ScheduledExecutorService.class);
    }

    private void scheduled(Future<?> future) throws Exception {
        futures.add(future);
        world.made(Future.class, future);
    }

    private final List<Future<?>> futures = java.util.Collections.synchronizedList(new ArrayList<>());

    private Pipe pipe() {
        return pipes.get(world.number(pipes.size()));
    }

    static EventBase create(World world) throws Exception {
        EventBase base = EventBase.newBuilder().priorities(1 + world.number(3)).build();
        base.onException(world::heard);
        return world.made(base);
    }

    private void run(LoopFlag... flags) {
        EventBase base = world.base();
        base.stopAfter(Duration.ofMillis(world.number(4)));
        if (!world.inCallback()) {
            world.rested();
        }
        base.loop(flags);
    }

    @Override
    void end() throws Exception {
        for (Future<?> future : futures) {
            if (!future.isDone()) {
                world.fail(new AssertionError("a scheduled task's future is not done: " + future));
            }
        }
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
    }
}
