package io.github.libevent4j.misuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.Timer;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.misuse.Api.Call;
import io.github.libevent4j.misuse.Api.Outcome;
import java.io.IOException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of callback, in which every public method of the object that calls back is called, and everything is closed: that object, its
 * base, and others beside it. The loop is alive afterwards, and what was closed is gone.
 */
class ReentrantTest extends LibeventTest {

    static List<Places.Place> places() {
        return Places.ALL;
    }

    @BeforeAll
    static void comeToAllPlacesOnce() throws Exception {
        for (Places.Place place : Places.ALL) {
            try {
                inPlace(place, (world, self) -> { });
            } catch (Throwable e) { // the test says it
                continue;
            }
        }
        MisuseTest.collectViews();
    }

    @AfterEach
    void collect() {
        MisuseTest.collectViews();
    }

    private interface Body {
        void run(World world, Object self) throws Exception;
    }

    /** Runs the body in the callback, once; then the loop must still run, unless its base was closed. */
    private static void inPlace(Places.Place place, Body body) throws Exception {
        try (World world = new World()) {
            CompletableFuture<Void> used = new CompletableFuture<>();
            AtomicBoolean first = new AtomicBoolean(true);
            place.setup().start(world, self -> {
                if (first.getAndSet(false)) {
                    try {
                        body.run(world, self);
                        used.complete(null);
                    } catch (Throwable e) {
                        used.completeExceptionally(e);
                    }
                }
            });
            if (!used.isDone()) {
                world.until(used::isDone);
            }
            used.join();
            if (world.base().isOpen()) {
                CompletableFuture<Void> alive = CompletableFuture.runAsync(() -> { }, world.base());
                world.until(alive::isDone);
            }
            for (Exception late : world.exceptions()) {
                if (!isDocumented(late)) {
                    throw new AssertionError("in the loop, later", late);
                }
            }
        }
    }

    private static boolean isDocumented(Throwable thrown) {
        return (thrown.getClass() == IllegalStateException.class || thrown.getClass() == IllegalArgumentException.class
            || thrown.getClass() == UnsupportedOperationException.class || thrown instanceof IOException) && thrown.getMessage() != null;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void anyMethodMayBeCalledInACallback(Places.Place place) throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Call call : Api.calls()) {
            if (call.owner() == place.self() && call.hasReceiver()) {
                try {
                    inPlace(place, (world, self) -> {
                        Object[] arguments;
                        try {
                            arguments = Recipes.arguments(world, call, self);
                        } catch (IllegalStateException e) {
                            return; // it is closed when this calls back, and so gives nothing to call it with
                        }
                        Outcome outcome = call.on(self, arguments);
                        if (!outcome.isNormal() && !isDocumented(outcome.thrown())) {
                            wrong.add(call + " " + outcome);
                        }
                    });
                } catch (Throwable e) {
                    wrong.add(call + ": " + new Outcome(null, e.getCause() == null ? e : e.getCause()));
                }
                if (Live.handles() > 0) {
                    fail(call + " leaves a handle");
                }
            }
        }
        assertEquals("", String.join("\n    ", wrong), place.toString());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void theObjectItselfMayBeClosed(Places.Place place) throws Exception {
        if (AutoCloseable.class.isAssignableFrom(place.self()) && place.self() != EventBase.class) {
            inPlace(place, (world, self) -> {
                ((AutoCloseable) self).close();
                ((AutoCloseable) self).close();
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void theBaseMayBeClosed(Places.Place place) throws Exception {
        inPlace(place, (world, self) -> {
            world.base().close();
            world.base().close();
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void othersMayBeClosed(Places.Place place) throws Exception {
        inPlace(place, (world, self) -> {
            Timer timer = Timer.create(world.base(), () -> { });
            timer.start(Duration.ofDays(1));
            timer.close();
            for (Class<?> type : Api.types()) {
                if (AutoCloseable.class.isAssignableFrom(type) && Recipes.canBeMadeInACallback(type)) {
                    Recipes.with(world, type, other -> ((AutoCloseable) other).close());
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void theLoopCannotBeRun(Places.Place place) throws Exception {
        inPlace(place, (world, self) -> {
            try {
                world.base().dispatch();
                fail("it ran");
            } catch (IllegalStateException e) {
                assertTrue(e.getMessage().contains("already being run by this thread"), e.getMessage());
            }
        });
    }

    /** Whatever calls back has a place above. */
    @Test
    void everyCallbackHasAPlace() {
        Set<String> callbacks = new TreeSet<>();
        for (Class<?> type : Api.CALLBACKS) {
            for (Method method : type.getDeclaredMethods()) {
                if (!method.isSynthetic() && Api.isCallback(method)) {
                    callbacks.add(new Call(type, method).toString());
                }
            }
        }
        for (Call call : Api.calls()) {
            boolean takesAFunction = Stream.of(call.types()).anyMatch(type -> type.getPackageName().equals("java.util.function")
                || type == Runnable.class || type == Executor.class);
            if (takesAFunction || call.result() == CompletableFuture.class) {
                callbacks.add(call.toString());
            }
        }
        Set<String> places = new TreeSet<>(Places.ELSEWHERE.keySet());
        Places.ALL.forEach(place -> places.addAll(place.callbacks()));
        Set<String> missing = new TreeSet<>(callbacks);
        missing.removeAll(places);
        assertEquals(Set.of(), missing, "add a place in which these call back to Places.ALL");
        places.removeAll(callbacks);
        assertEquals(Set.of(), places, "these call back no more: remove them from Places");
    }
}
