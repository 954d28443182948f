package io.github.libevent4j.http;

import io.github.libevent4j.internal.HeadFields;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * The headers of a message, in the order in which they came, duplicates and all. Names are compared without regard to case. Bytes
 * are read as ISO-8859-1. Immutable.
 */
public final class Headers implements Iterable<Map.Entry<String, String>> {

    private final HeadFields received; // null when they were given as Strings
    private volatile String[] lines; // name, value, name, value; null until all are asked for

    /** Takes the array: name, value, name, value. */
    Headers(String[] lines) {
        this.received = null;
        this.lines = lines;
    }

    Headers(HeadFields received) {
        this.received = received;
    }

    private String[] lines() {
        if (lines == null) {
            lines = received.strings();
        }
        return lines;
    }

    /** The value of the first header of this name (evhttp_find_header). */
    public Optional<String> first(String name) {
        Objects.requireNonNull(name, "name");
        if (received != null) {
            return Optional.ofNullable(received.first(name));
        }
        for (int i = 0; i < lines.length; i += 2) {
            if (lines[i].equalsIgnoreCase(name)) {
                return Optional.of(lines[i + 1]);
            }
        }
        return Optional.empty();
    }

    /** Whether there is a header of this name. */
    boolean has(String name) {
        return first(name).isPresent();
    }

    /** The values of all headers of this name, in order. */
    public List<String> all(String name) {
        Objects.requireNonNull(name, "name");
        List<String> values = new ArrayList<>();
        String[] lines = lines();
        for (int i = 0; i < lines.length; i += 2) {
            if (lines[i].equalsIgnoreCase(name)) {
                values.add(lines[i + 1]);
            }
        }
        return List.copyOf(values);
    }

    /** How many headers there are, each duplicate counted. */
    public int size() {
        return received != null ? received.size() : lines.length / 2;
    }

    /** Calls the action with name and value of each header, in order. */
    public void forEach(BiConsumer<String, String> action) {
        Objects.requireNonNull(action, "action");
        String[] lines = lines();
        for (int i = 0; i < lines.length; i += 2) {
            action.accept(lines[i], lines[i + 1]);
        }
    }

    /** Name and value of each header, in order. */
    @Override
    public Iterator<Map.Entry<String, String>> iterator() {
        String[] lines = lines();
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < lines.length;
            }

            @Override
            public Map.Entry<String, String> next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                at += 2;
                return Map.entry(lines[at - 2], lines[at - 1]);
            }
        };
    }

    /** The header lines, each as it would be sent, without line ends. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        forEach((name, value) -> text.append(text.isEmpty() ? "" : "\n").append(name).append(": ").append(value));
        return text.toString();
    }
}
