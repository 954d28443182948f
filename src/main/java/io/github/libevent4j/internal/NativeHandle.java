package io.github.libevent4j.internal;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * An object over a native one. It is open until {@link #close}; its native object is freed then, or, where libevent may still be
 * using it, on the loop's next turn. The garbage collector frees nothing: a handle that is lost unclosed is reported.
 */
public abstract class NativeHandle implements AutoCloseable {

    private static final System.Logger LOGGER = System.getLogger("io.github.libevent4j");
    private static final Cleaner CLEANER = Cleaner.create();
    private static final AtomicIntegerFieldUpdater<NativeHandle> CLOSED =
        AtomicIntegerFieldUpdater.newUpdater(NativeHandle.class, "closed");

    final Loop loop;
    private volatile NativeHandle owner; // null unless this is a borrowed part of another handle
    NativeHandle previous;
    NativeHandle next;
    private boolean gone; // freed, or given away; the loop's
    private volatile int closed; // 0 or 1
    private int uses; // operations that are under way; the loop's
    private final Leak leak; // of a base, whose handle alone may be lost

    /** The handle of a base, which is what its loop's children hang on. */
    protected NativeHandle(Loop loop) {
        this.loop = loop;
        loop.adopt(this);
        Live.HANDLES.incrementAndGet();
        leak = new Leak(getClass().getName());
        CLEANER.register(this, leak);
    }

    /** A handle that lives on a base, and is closed with it. The loop is held. */
    protected NativeHandle(NativeHandle base) {
        this.loop = base.loop;
        this.leak = null;
        loop.addChild(this);
        Live.HANDLES.incrementAndGet();
    }

    /** A handle over a part of an open handle's native object: open for as long as that is, and never freed by itself. */
    protected NativeHandle(NativeHandle owner, Borrowed borrowed) {
        this.loop = owner.loop;
        this.leak = null;
        this.owner = owner;
    }

    /** Marks the constructor of a borrowed handle. */
    protected enum Borrowed {
        BORROWED
    }

    /** Stops calling back, where that can be done before {@link #release}. The loop is held and the handle has just been closed. */
    protected void disarm() {
    }

    /** Frees the native object. The loop is held and the handle is closed; called once. */
    protected abstract void release();

    /** Frees the native object, unless that has been done, or it has been given away. The loop is held. */
    final void destroy() {
        if (leave()) {
            release();
        }
    }

    /** Is the first to end what this handle has to do with its native object. Another thread may have closed it meanwhile. */
    private boolean leave() {
        if (gone) {
            return false;
        }
        gone = true;
        loop.removeChild(this);
        Live.HANDLES.decrementAndGet();
        return true;
    }

    final boolean markClosed() {
        boolean first = CLOSED.compareAndSet(this, 0, 1);
        if (first && leak != null) {
            leak.closed = true;
        }
        return first;
    }

    /**
     * Closes this object; what lives on it is closed first. Safe on any thread and in any callback: while libevent may still be
     * using the native object, it is freed on the loop's next turn. Closing again does nothing; any other use of a closed object
     * throws {@link IllegalStateException}.
     */
    @Override
    public void close() {
        if (owner == null && markClosed()) {
            loop.doom(this);
        }
    }

    /** Gives the native object to another, which frees it: this handle is closed without being freed. The loop is held. */
    protected final void transfer() {
        markClosed();
        leave();
    }

    /** Makes the native object a part of another handle's, which frees it: this handle is a borrowed one from now on. The loop is held. */
    protected final void transferTo(NativeHandle newOwner) {
        leave();
        owner = newOwner;
        closed = 0; // a close() that came in the meantime came too late
    }

    /** Ends a borrowed handle before its owner. The loop is held. */
    protected final void end() {
        markClosed();
    }

    /** Whether {@link #close} has not been called yet. Any thread. */
    public boolean isOpen() {
        return closed == 0 && (owner == null || owner.isOpen());
    }

    /** @throws IllegalStateException when this is closed, or its base */
    protected final void ensureOpen() {
        loop.ensureOpen();
        if (!isOpen()) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    /** Holds the loop for an operation on this open object, until {@link #exit}. */
    protected final void enter() {
        loop.enter();
        if (!isOpen()) {
            loop.exit();
            ensureOpen();
        }
        uses++;
    }

    protected final void exit() {
        uses--;
        loop.exit();
    }

    /**
     * Whether the native object can be freed at once, though the loop is held: for what libevent itself never uses, but in the
     * operations of this class.
     */
    protected boolean isOwnUseOnly() {
        return false;
    }

    /** Whether libevent is surely not using the native object now. The loop is held. */
    final boolean isIdle() {
        return uses == 0 && isOwnUseOnly();
    }

    /** For messages. Any thread. */
    @Override
    public String toString() {
        return getClass().getSimpleName() + "@" + Integer.toHexString(System.identityHashCode(this));
    }

    /** What is known of a handle when it is gone: nothing of the handle itself, or it would never go. */
    private static final class Leak implements Runnable {

        private final String type;
        private volatile boolean closed;
        private final Throwable made = NativeLibrary.DEBUG ? new Throwable("made here") : null;

        Leak(String type) {
            this.type = type;
        }

        @Override
        public void run() {
            if (!closed) {
                LOGGER.log(Level.WARNING, type + " was lost without close(): its native memory is leaked"
                    + (made == null ? " (start with -Dlibevent4j.debug=true to see where it was made)" : ""), made);
            }
        }
    }
}
