package io.github.libevent4j.internal;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.global.libevent;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Views of libevent's memory that outlive whatever happens to the buffer they show. They are the one thing that the garbage
 * collector frees: nobody can close a ByteBuffer, and it must never show memory that is used for something else. The collector does
 * not know how much memory that is, so there is a limit.
 */
public final class Pins {

    private static final long MOST_BYTES = 64 << 20;
    private static final int PIN_BYTES = 512; // what a view takes besides the bytes it shows, roughly

    private static final Cleaner CLEANER = Cleaner.create();
    private static final AtomicLong BYTES = new AtomicLong();

    private Pins() {
    }

    /** The first bytes of an evbuffer; null when they cannot be shared, or much is pinned already. Held. */
    public static List<ByteBuffer> views(Loop loop, long buffer, long length) {
        if (BYTES.get() > MOST_BYTES) {
            return null;
        }
        long pinned = Native.libevent4j_buffer_pin(buffer);
        if (pinned == 0) {
            return null;
        }
        Object[] extents = (Object[]) Native.libevent4j_buffer_peek(pinned, length);
        List<ByteBuffer> views = new ArrayList<>(extents.length);
        Pin pin = new Pin(loop, Addresses.of(pinned, evbuffer::new), extents.length);
        for (Object extent : extents) {
            // Every slice and duplicate of the view refers to this one, and so keeps it reachable.
            CLEANER.register(extent, pin::unpin);
            views.add(((ByteBuffer) extent).asReadOnlyBuffer());
        }
        return List.copyOf(views);
    }

    private static final class Pin {
        private final Loop loop;
        private final evbuffer pinned;
        private final long bytes;
        private final AtomicInteger views;

        Pin(Loop loop, evbuffer pinned, int views) {
            this.loop = loop;
            this.pinned = pinned;
            this.bytes = libevent.evbuffer_get_length(pinned) + PIN_BYTES;
            this.views = new AtomicInteger(views);
            BYTES.addAndGet(bytes);
            loop.pin();
        }

        void unpin() {
            if (views.decrementAndGet() == 0) {
                loop.whenSafe(() -> {
                    libevent.evbuffer_free(pinned);
                    BYTES.addAndGet(-bytes);
                    loop.unpin();
                });
            }
        }
    }
}
