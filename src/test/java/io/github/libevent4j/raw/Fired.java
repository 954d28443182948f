package io.github.libevent4j.raw;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Which callbacks were called: they are static, as C's functions are, and so is what they leave behind. */
final class Fired {

    private static final Set<String> SLOTS = ConcurrentHashMap.newKeySet();

    private Fired() {
    }

    static void clear() {
        SLOTS.clear();
    }

    /** @param slot what takes the callback: a function, with its parameter where it takes several */
    static void add(String slot) {
        SLOTS.add(slot);
    }

    static boolean has(String slot) {
        return SLOTS.contains(slot);
    }
}
