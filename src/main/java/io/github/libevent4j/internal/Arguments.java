package io.github.libevent4j.internal;

import java.util.Collection;
import java.util.Objects;

/** What callers give in numbers. */
public final class Arguments {

    private Arguments() {
    }

    /**
     * The array, which has no null in it.
     *
     * @throws NullPointerException that names what is null
     */
    public static <T> T[] noNulls(T[] array, String name) {
        Objects.requireNonNull(array, name);
        for (int i = 0; i < array.length; i++) {
            if (array[i] == null) {
                throw new NullPointerException(name + "[" + i + "]");
            }
        }
        return array;
    }

    /** The same for a collection. */
    public static <T extends Collection<?>> T noNulls(T collection, String name) {
        for (Object element : Objects.requireNonNull(collection, name)) {
            if (element == null) {
                throw new NullPointerException(name + "'s elements");
            }
        }
        return collection;
    }
}
