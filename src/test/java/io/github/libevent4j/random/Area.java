package io.github.libevent4j.random;

import java.util.ArrayList;
import java.util.List;

/**
 * A part of the API, as a list of operations. An operation takes what it works on from the {@link World}, open or closed, does one
 * thing, and gives what it made to the world. It may fail in the ways that {@link World} knows.
 */
abstract class Area {

    /** One thing to do. */
    interface Body {
        void run() throws Throwable;
    }

    record Operation(String name, Body body) {
    }

    final World world;
    final List<Operation> operations = new ArrayList<>();

    Area(World world) {
        this.world = world;
    }

    /** Adds an operation. */
    final void operation(String name, Body body) {
        operations.add(new Operation(getClass().getSimpleName() + "." + name, body));
    }

    /** Looks at what should hold at any time. */
    void check() throws Exception {
    }

    /** Gives back what is not closed with the bases, which are closed now. */
    void end() throws Exception {
    }
}
