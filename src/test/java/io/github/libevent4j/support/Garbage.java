package io.github.libevent4j.support;

import java.lang.ref.WeakReference;
import java.util.function.BooleanSupplier;

/** The garbage collector, made to work. */
public final class Garbage {

    private Garbage() {
    }

    /** Collects at least once. */
    public static void collect() {
        WeakReference<Object> garbage = new WeakReference<>(new Object());
        collectUntil(() -> garbage.get() == null);
    }

    /** Collects until that has had an effect. */
    public static void collectUntil(BooleanSupplier effect) {
        while (!effect.getAsBoolean()) {
            System.gc();
            Thread.onSpinWait();
        }
    }
}
