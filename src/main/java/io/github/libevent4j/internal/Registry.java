package io.github.libevent4j.internal;

import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * The callback targets of one loop, under the ids that C carries in its {@code void *}: the loop's index, a generation and a slot.
 * An id that was removed finds nothing, even when its slot is in use again. The loops are held weakly, so that a base which its
 * program has lost can be told from one that is in use; while a base runs, its dispatch() holds it.
 */
final class Registry {

    private static final boolean WIDE = Loader.sizeof(Pointer.class) == 8;
    private static final int SLOT_BITS = WIDE ? 24 : 16;
    private static final int GENERATION_BITS = WIDE ? 24 : 8;
    private static final int LOOP_BITS = WIDE ? 15 : 7; // the sign stays clear
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;
    private static final int GENERATION_MASK = (1 << GENERATION_BITS) - 1;

    private static final AtomicInteger GENERATIONS = new AtomicInteger();
    private static volatile WeakReference<?>[] loops = new WeakReference<?>[0];

    private final Loop loop;
    private final int index;
    private Object[] targets = new Object[16];
    private int[] generations = new int[16];
    private int[] free = new int[16];
    private int freeCount;
    private int used;

    Registry(Loop loop) {
        this.loop = loop;
        this.index = claim(loop);
    }

    private static synchronized int claim(Loop loop) {
        WeakReference<?>[] table = loops.clone();
        int index = 0;
        while (index < table.length && table[index].get() != null) {
            index++;
        }
        if (index == 1 << LOOP_BITS) {
            throw new IllegalStateException("there are " + index + " event bases open: close some first");
        }
        if (index == table.length) {
            table = Arrays.copyOf(table, index + 1);
        }
        table[index] = new WeakReference<>(loop);
        loops = table;
        return index;
    }

    /** Gives the index back; every id of this registry is stale from now on. */
    void release() {
        Live.TARGETS.addAndGet(freeCount - used);
        synchronized (Registry.class) {
            loops[index].clear();
        }
    }

    /** The loop of an id, or null. */
    static Loop loop(long id) {
        WeakReference<?>[] table = loops;
        int index = (int) (id >>> (SLOT_BITS + GENERATION_BITS));
        return index < table.length ? (Loop) table[index].get() : null;
    }

    /** Whether a thread holds any loop. */
    static boolean isAnyHeldBy(Thread thread) {
        for (WeakReference<?> each : loops) {
            Loop loop = (Loop) each.get();
            if (loop != null && loop.isHeldBy(thread)) {
                return true;
            }
        }
        return false;
    }

    /** A new id for the target. */
    long add(Object target) {
        int slot;
        if (freeCount > 0) {
            slot = free[--freeCount];
        } else {
            slot = used;
            if (slot > SLOT_MASK) {
                throw new IllegalStateException(loop + " has " + slot + " callbacks: close some first");
            }
            if (slot == targets.length) {
                generations = Arrays.copyOf(generations, slot * 2);
                targets = Arrays.copyOf(targets, slot * 2);
            }
            used++; // not before there is room
        }
        int generation;
        do { // 0 is never one, so that no id is NULL
            generation = GENERATIONS.incrementAndGet() & GENERATION_MASK;
        } while (generation == 0);
        targets[slot] = target;
        generations[slot] = generation;
        Live.TARGETS.incrementAndGet();
        return ((long) index << (SLOT_BITS + GENERATION_BITS)) | ((long) generation << SLOT_BITS) | slot;
    }

    /** The target of an id, or null when it has been removed. */
    Object get(long id) {
        int slot = (int) id & SLOT_MASK;
        return slot < used && targets[slot] != null && generations[slot] == ((int) (id >>> SLOT_BITS) & GENERATION_MASK) ? targets[slot] : null;
    }

    void remove(long id) {
        if (get(id) == null) {
            return;
        }
        int slot = (int) id & SLOT_MASK;
        targets[slot] = null;
        generations[slot] = 0;
        Live.TARGETS.decrementAndGet();
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, freeCount * 2);
        }
        free[freeCount++] = slot;
    }
}
