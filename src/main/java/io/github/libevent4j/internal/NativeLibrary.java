package io.github.libevent4j.internal;

import io.github.libevent4j.global.libevent;
import java.util.List;
import org.bytedeco.javacpp.Loader;

/** Loads the native library, once. A failure is kept and told to each who asks, instead of breaking a class for good. */
public final class NativeLibrary {

    /** Set to {@code true} to count native allocations and to remember where each handle was made. */
    public static final boolean DEBUG = Boolean.getBoolean("libevent4j.debug");

    private static final Throwable CAUSE = load();

    private NativeLibrary() {
    }

    private static Throwable load() {
        try {
            Loader.load(libevent.class);
            if (Native.libevent4j_init(Callbacks.class, DEBUG ? 1 : 0) != 0) {
                return new UnsatisfiedLinkError("libevent's threads could not be initialised");
            }
            NativeLog.start();
            return null;
        } catch (Throwable e) { // whatever it is, the caller of ensureLoaded() is told
            return e;
        }
    }

    /** Why the library could not be loaded, or null. */
    public static Throwable unavailabilityCause() {
        return CAUSE;
    }

    /** @throws UnsatisfiedLinkError when the library could not be loaded */
    public static void ensureLoaded() {
        if (CAUSE != null) {
            throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(CAUSE.getMessage()).initCause(CAUSE);
        }
    }

    /** The distribution's revision of libevent's source. */
    public static String revision() {
        return Native.libevent4j_revision();
    }

    /** The security fixes that are applied to it. */
    public static List<String> fixes() {
        return List.of(Native.libevent4j_fixes().split(" "));
    }
}
