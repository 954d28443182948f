package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The bundled libevent: whether it is there, and which it is. Safe on any thread.
 *
 * <p>It is unpacked, once for each build of it, to {@code ~/.libevent4j}, or below {@code java.io.tmpdir} where there is no home to write
 * to; {@code -Dlibevent4j.cachedir=…} names another directory, which must be this user's alone.
 */
public final class Libevent {

    private Libevent() {
    }

    /** Whether the native library of this platform could be loaded. Never throws. */
    public static boolean isAvailable() {
        return unavailabilityCause() == null;
    }

    /**
     * Why {@link #isAvailable} is false, or null when it is true. Its message names the platform, what was found, and what to do, such as
     * the dependency to add. Never throws.
     */
    public static Throwable unavailabilityCause() {
        return NativeLibrary.unavailabilityCause();
    }

    /** Libevent's version, such as {@code 2.1.12-stable} (event_get_version). */
    public static String version() {
        NativeLibrary.ensureLoaded();
        return libevent.event_get_version().getString();
    }

    /** Libevent's version as a number, one byte for each part (event_get_version_number). */
    public static int versionNumber() {
        NativeLibrary.ensureLoaded();
        return libevent.event_get_version_number();
    }

    /** The revision of the distribution's source package that the bundled libevent was built from. */
    public static String revision() {
        NativeLibrary.ensureLoaded();
        return NativeLibrary.revision();
    }

    /** The security fixes that this build has on top of libevent's release, by their CVE identifiers. */
    public static List<String> fixes() {
        NativeLibrary.ensureLoaded();
        return NativeLibrary.fixes();
    }

    /** The backends that this platform's build has, best first, such as {@code epoll} (event_get_supported_methods). */
    public static List<String> supportedMethods() {
        NativeLibrary.ensureLoaded();
        List<String> methods = new ArrayList<>();
        PointerPointer<BytePointer> names = new PointerPointer<>(libevent.event_get_supported_methods());
        for (int i = 0; names.get(BytePointer.class, i) != null; i++) {
            methods.add(names.get(BytePointer.class, i).getString());
        }
        return List.copyOf(methods);
    }

    /** The microseconds of a clock that never goes back, with the system's best precision (evutil_gettime_monotonic). */
    public static long monotonicMicros() {
        NativeLibrary.ensureLoaded();
        return MonotonicClock.micros();
    }

    /**
     * Makes libevent check how its events are used, at a cost, and end the process when they are misused (event_enable_debug_mode).
     * This library does not misuse them; raw code may.
     *
     * @throws IllegalStateException when a base was made before
     */
    public static void enableDebugMode() {
        EventBase.beforeTheFirst(libevent::event_enable_debug_mode);
    }

    /** Whether libevent logs what it does, to the logger {@code io.github.libevent4j.native} (event_enable_debug_logging). */
    public static void debugLogging(boolean enabled) {
        NativeLibrary.ensureLoaded();
        libevent.event_enable_debug_logging(enabled ? (int) libevent.EVENT_DBG_ALL : libevent.EVENT_DBG_NONE);
    }
}
