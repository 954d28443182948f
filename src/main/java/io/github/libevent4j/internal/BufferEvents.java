package io.github.libevent4j.internal;

import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;

/** What the package {@code io} does for {@code http} without showing it to everyone. */
public abstract class BufferEvents {

    private static BufferEvents instance;

    /** Called once, by the class that can. */
    protected BufferEvents() {
        instance = this;
    }

    /** Initialises the class that can, which nobody may have used yet. */
    public static BufferEvents instance() {
        if (instance == null) {
            try {
                Class.forName("io.github.libevent4j.io.BufferEvent");
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
        return instance;
    }

    /**
     * A handle over a bufferevent that belongs to something else.
     *
     * @param neighbour a handle on the same loop
     * @param maker takes the id of the callbacks and returns the bufferevent's address, or 0
     * @param free ends what the bufferevent belongs to, when the handle is closed
     * @return null when the maker returned 0
     */
    public abstract NativeHandle adopt(NativeHandle neighbour, LongUnaryOperator maker, Runnable free);

    /**
     * Gives a new bufferevent to something native that owns it from now on, and returns its address; the handle is closed.
     *
     * @throws IllegalStateException when it has a socket already, or belongs to something
     */
    public abstract long give(NativeHandle bufferEvent);

    /**
     * A handle that owns a new buffer.
     *
     * @param neighbour a handle on the same loop
     */
    public abstract NativeHandle buffer(NativeHandle neighbour, long address);

    /**
     * Runs an operation that removes bytes of an open buffer on the same loop, with its address.
     *
     * @throws IllegalStateException when its start is frozen
     * @throws IllegalArgumentException when it is another base's
     */
    public abstract void remove(NativeHandle neighbour, NativeHandle buffer, LongConsumer operation);

    /** Ends a handle, even a closed one, whose bufferevent is freed by its owner, and returns the bufferevent's address. Held. */
    public abstract long release(NativeHandle bufferEvent);
}
