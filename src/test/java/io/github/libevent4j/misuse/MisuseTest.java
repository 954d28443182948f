package io.github.libevent4j.misuse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.CommonTimeout;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.Timer;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.internal.NativeHandle;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.misuse.Api.Call;
import io.github.libevent4j.misuse.Api.Outcome;
import io.github.libevent4j.support.Garbage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every public method of the API, misused: null, out of range, closed, on a wrong thread, with what belongs to another base. Each ends in
 * an exception or outcome that the documentation tells, and nothing has changed then: the same call works when it is made right.
 *
 * <p>The methods are found by reflection. One that has no recipe fails here; its message says what to add, and where.
 */
class MisuseTest extends LibeventTest {

    /** What a refused call may throw, exactly. */
    private static final Set<Class<?>> REFUSALS = Set.of(IllegalArgumentException.class, IllegalStateException.class,
        IndexOutOfBoundsException.class, UnsupportedOperationException.class, RejectedExecutionException.class, UncheckedIOException.class);

    private final List<String> wrong = new ArrayList<>();

    static List<Call> calls() {
        return Api.calls();
    }

    /** What libevent and the JDK allocate once for all time. */
    @BeforeAll
    static void callAllOnce() throws Exception {
        for (Call call : Api.calls()) {
            try {
                new MisuseTest().callRight(call);
            } catch (Throwable e) { // the test says it
                continue;
            }
        }
        collectViews();
    }

    /** Views of a buffer's memory are the one thing that only the collector frees. */
    @AfterEach
    void collect() {
        collectViews();
    }

    static void collectViews() {
        for (int i = 0; i < 100 && Live.targets() > 0; i++) {
            Garbage.collect();
        }
    }

    private interface Body {
        void run(World world, Object receiver) throws Exception;
    }

    /** Runs the body where a call's receiver is, and throws what it throws. */
    private void with(World world, Call call, Body body) throws Exception {
        CompletableFuture<Void> used = new CompletableFuture<>();
        Recipes.withReceiver(world, call, receiver -> use(world, receiver, body, used));
        if (!used.isDone()) {
            world.until(used::isDone);
        }
        rethrow(used);
    }

    private static void use(World world, Object receiver, Body body, CompletableFuture<Void> used) {
        try {
            body.run(world, receiver);
            used.complete(null);
        } catch (Throwable e) {
            used.completeExceptionally(e);
        }
    }

    private static void rethrow(CompletableFuture<Void> used) throws Exception {
        try {
            used.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (Exception) e.getCause();
        }
    }

    private void inAWorld(Call call, Body body) throws Exception {
        try (World world = new World()) {
            with(world, call, body);
            settle(world);
        }
    }

    /** Lets the loop do what it still has to do, and hears what goes wrong there. */
    private void settle(World world) {
        if (world.base().isOpen()) {
            world.base().loop(EventBase.LoopFlag.NONBLOCK);
        }
        for (Exception late : world.exceptions()) {
            if (!isRefusal(late)) {
                wrong.add("in the loop, later: " + new Outcome(null, late));
            }
        }
    }

    private static boolean isRefusal(Throwable thrown) {
        return (REFUSALS.contains(thrown.getClass()) || thrown instanceof IOException) && thrown.getMessage() != null
            && !thrown.getMessage().isBlank();
    }

    private Outcome call(World world, Call call, Object receiver, Object... arguments) {
        Outcome outcome = call.on(receiver, arguments);
        if (outcome.value() instanceof AutoCloseable made && made != receiver && !Arrays.asList(arguments).contains(made)) {
            world.keep(made);
        }
        return outcome;
    }

    private void callRight(Call call, World world, Object receiver, String after) throws Exception {
        Outcome outcome = call(world, call, receiver, Recipes.arguments(world, call, receiver));
        if (!outcome.isNormal() && !Documented.throwsAlways(call)) {
            wrong.add((after.isEmpty() ? "" : "after " + after + ", ") + "the call that Recipes makes right " + outcome);
        }
    }

    private void callRight(Call call) throws Exception {
        inAWorld(call, (world, receiver) -> callRight(call, world, receiver, ""));
    }

    private void nothingIsWrongWith(Call call) {
        assertEquals("", String.join("\n    ", wrong), call.toString());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void worksWhenItIsCalledRight(Call call) throws Exception {
        callRight(call);
        nothingIsWrongWith(call);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void refusesNullByItsName(Call call) throws Exception {
        for (int i = 0; i < call.types().length; i++) {
            if (!call.types()[i].isPrimitive()) {
                int index = i;
                inAWorld(call, (world, receiver) -> {
                    Object[] arguments = Recipes.arguments(world, call, receiver);
                    arguments[index] = null;
                    Outcome outcome = call(world, call, receiver, arguments);
                    String name = call.name(index);
                    if (Documented.takesNull(call, name)) {
                        if (!outcome.isNormal()) {
                            wrong.add(name + " may be null, says Documented, but it " + outcome);
                        }
                    } else if (!outcome.is(NullPointerException.class) || !name.equals(outcome.message())) {
                        wrong.add("null for " + name + " " + outcome + "\n      -> Objects.requireNonNull(" + name + ", \"" + name
                            + "\"), or document what null means and add it to Documented.NULLS");
                    } else {
                        callRight(call, world, receiver, "null for " + name);
                    }
                });
            }
        }
        nothingIsWrongWith(call);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void refusesOrTakesWhatIsOutOfRange(Call call) throws Exception {
        for (int i = 0; i < call.types().length; i++) {
            int index = i;
            int count;
            try (World world = new World()) {
                count = Extremes.of(world, call, i).size();
            }
            for (int n = 0; n < count; n++) {
                int number = n;
                inAWorld(call, (world, receiver) -> {
                    Object[] arguments = Recipes.arguments(world, call, receiver);
                    arguments[index] = Extremes.of(world, call, index).get(number);
                    String what = Extremes.show(arguments[index]) + " for " + call.name(index);
                    if (Documented.isMiscounted(call, arguments[index])) {
                        return;
                    }
                    Outcome outcome = call(world, call, receiver, arguments);
                    if (outcome.isNormal()) {
                        finish(world, call, receiver, what);
                    } else if (isRefusal(outcome.thrown()) || outcome.is(NullPointerException.class) && outcome.message() != null
                            && outcome.message().matches(call.name(index) + "('s elements|\\[\\d+])")) {
                        callRight(call, world, receiver, what);
                    } else {
                        wrong.add(what + " " + outcome + "\n      -> check it before anything is done with it");
                    }
                });
            }
        }
        nothingIsWrongWith(call);
    }

    /** What a builder took, it must also be able to build with. */
    private void finish(World world, Call call, Object receiver, String what) throws Exception {
        if (!call.isSetting()) {
            return;
        }
        Method last = Arrays.stream(call.owner().getMethods())
            .filter(method -> Set.of("build", "bind", "start").contains(method.getName()) && method.getParameterCount() == 0)
            .findFirst().orElseThrow();
        Call finisher = new Call(call.owner(), last);
        Outcome built = call(world, finisher, receiver);
        boolean documented = built.is(IllegalArgumentException.class) && Docs.says(finisher, "@throws IllegalArgumentException");
        if (!built.isNormal() && !built.is(IOException.class) && !documented) {
            wrong.add(what + " was taken, and then " + last.getName() + "() " + built + "\n      -> check it where it is set");
        }
        if (built.value() instanceof HttpClient client) {
            Call send = Api.calls().stream()
                .filter(each -> each.toString().equals("HttpClient.send(HttpRequest)")).findFirst().orElseThrow();
            Outcome sent = call(world, send, client, Recipes.arguments(world, send, client));
            if (!sent.isNormal() && !sent.is(IOException.class)) {
                wrong.add(what + " was taken, and then send() " + sent);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void isRefusedByWhatIsClosed(Call call) throws Exception {
        if (call.hasReceiver() && AutoCloseable.class.isAssignableFrom(call.owner())) {
            inAWorld(call, (world, receiver) -> {
                Object[] arguments = Recipes.arguments(world, call, receiver);
                ((AutoCloseable) receiver).close();
                expectClosed(call, call(world, call, receiver, arguments), "on a closed one");
            });
        }
        for (int i = 0; i < call.types().length; i++) {
            int index = i;
            if (isBound(call.types()[i]) && call.types()[i] != CommonTimeout.class && !call.result().getSimpleName().equals("Builder")) {
                inAWorld(call, (world, receiver) -> {
                    Object[] arguments = Recipes.arguments(world, call, receiver);
                    ((AutoCloseable) arguments[index]).close();
                    expectClosed(call, call(world, call, receiver, arguments), "with a closed " + call.name(index));
                });
            }
        }
        nothingIsWrongWith(call);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void isRefusedWhenTheBaseIsClosed(Call call) throws Exception {
        if (call.hasReceiver() && !call.isSetting() && livesOnABase(call.owner())) {
            inAWorld(call, (world, receiver) -> {
                Object[] arguments = Recipes.arguments(world, call, receiver);
                world.base().close();
                expectClosed(call, call(world, call, receiver, arguments), "on a closed base");
            });
        }
        nothingIsWrongWith(call);
    }

    private void expectClosed(Call call, Outcome outcome, String when) {
        if (outcome.is(IllegalStateException.class) && outcome.message() != null && outcome.message().contains("closed")) {
            return;
        }
        if (outcome.is(RejectedExecutionException.class) && Docs.says(call, "RejectedExecutionException when")) {
            return;
        }
        if (!outcome.isNormal() || !Documented.worksWhenClosed(call)) {
            wrong.add(when + " " + outcome + "\n      -> throw an IllegalStateException that says it is closed, or document that it works"
                + " and add it to Documented.WHEN_CLOSED");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void isRefusedOnAWrongThread(Call call) throws Exception {
        boolean bound = call.hasReceiver() ? livesOnABase(call.owner()) : Arrays.stream(call.types()).anyMatch(MisuseTest::isBound);
        if (!bound || call.result().getSimpleName().equals("Builder")) {
            return;
        }
        try (World world = new World()) {
            EventBase base = world.base();
            Thread loop = new Thread(() -> base.loop(EventBase.LoopFlag.NO_EXIT_ON_EMPTY), "the-loop");
            loop.start();
            try {
                CompletableFuture<Void> used = new CompletableFuture<>();
                base.execute(() -> {
                    try {
                        Recipes.withReceiver(world, call, receiver ->
                            use(world, receiver, (same, on) -> callOnAWrongThread(call, same, on), used));
                    } catch (Throwable e) {
                        used.completeExceptionally(e);
                    }
                });
                rethrow(used);
            } finally {
                base.close();
                loop.join();
            }
        }
        nothingIsWrongWith(call);
    }

    private void callOnAWrongThread(Call call, World world, Object receiver) throws Exception {
        Object[] arguments = Recipes.arguments(world, call, receiver);
        Outcome[] outcome = new Outcome[1];
        Thread other = new Thread(() -> outcome[0] = call.on(receiver, arguments), "another-thread");
        other.start();
        other.join();
        if (outcome[0].isNormal()) {
            if (!Docs.says(call, "(?i)any thread|immutable|thread-safe")) {
                wrong.add("on another thread it " + outcome[0] + "\n      -> say \"Any thread.\" in its documentation, or confine it");
            }
        } else if (Docs.says(call, "(^|[.;] )Any thread")) {
            wrong.add("on any thread, says its documentation, but it " + outcome[0]);
        } else if (!outcome[0].is(IllegalStateException.class) || !outcome[0].message().contains("the-loop")
                || !outcome[0].message().contains("another-thread")) {
            wrong.add("on another thread it " + outcome[0] + "\n      -> throw an IllegalStateException that names both threads");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void refusesWhatBelongsToAnotherBase(Call call) throws Exception {
        for (int i = 0; i < call.types().length; i++) {
            int index = i;
            if (call.hasReceiver() && livesOnABase(call.owner()) && isBound(call.types()[i])) {
                inAWorld(call, (world, receiver) -> {
                    Object[] arguments = Recipes.arguments(world, call, receiver);
                    arguments[index] = Recipes.foreign(world, call, index);
                    Outcome outcome = call(world, call, receiver, arguments);
                    if (!outcome.is(IllegalArgumentException.class)) {
                        wrong.add("another base's " + call.name(index) + " " + outcome + "\n      -> throw an IllegalArgumentException");
                    } else {
                        callRight(call, world, receiver, "another base's " + call.name(index));
                    }
                });
            }
        }
        nothingIsWrongWith(call);
    }

    /** Whether an object of this class belongs to a base. */
    private static boolean isBound(Class<?> type) {
        return NativeHandle.class.isAssignableFrom(type) || type == CommonTimeout.class || type == Timer.class;
    }

    /** The same for what calls are made on: all but what stands for itself, or has a thread of its own. */
    private static boolean livesOnABase(Class<?> type) {
        return !type.isRecord() && !Throwable.class.isAssignableFrom(type) && !Documented.STANDS_ALONE.contains(type)
            && (!type.isInterface() || type == Buffer.Subscription.class);
    }
}
