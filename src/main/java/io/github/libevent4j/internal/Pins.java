package io.github.libevent4j.internal;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.global.libevent;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Views of libevent's memory that outlive whatever happens to the buffer they show. They are the one thing that the garbage
 * collector frees: nobody can close a ByteBuffer, and it must never show memory that is used for something else.
 */
public final class Pins {

    private static final Cleaner CLEANER = Cleaner.create();

    private Pins() {
    }

    /** The first bytes of a pinned evbuffer, which is freed when none of the views is reachable any more. Held. */
    public static List<ByteBuffer> views(Loop loop, long pinned, long length) {
        Object[] extents = (Object[]) Native.libevent4j_buffer_peek(pinned, length);
        List<ByteBuffer> views = new ArrayList<>(extents.length);
        Pin pin = new Pin(loop, pinned, extents.length);
        for (Object extent : extents) {
            // Every slice and duplicate of the view refers to this one, and so keeps it reachable.
            CLEANER.register(extent, pin::unpin);
            views.add(((ByteBuffer) extent).asReadOnlyBuffer());
        }
        return List.copyOf(views);
    }

    private static final class Pin {
        private final Loop loop;
        private final long pinned;
        private final AtomicInteger views;

        Pin(Loop loop, long pinned, int views) {
            this.loop = loop;
            this.pinned = pinned;
            this.views = new AtomicInteger(views);
        }

        void unpin() {
            if (views.decrementAndGet() == 0) {
                loop.whenSafe(() -> libevent.evbuffer_free(Addresses.of(pinned, evbuffer::new)));
            }
        }
    }
}
