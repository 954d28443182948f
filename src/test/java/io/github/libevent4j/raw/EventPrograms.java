package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.EV_READ;
import static io.github.libevent4j.global.libevent.EV_TIMEOUT;
import static io.github.libevent4j.global.libevent.event_active;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_foreach_event;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_new;
import static io.github.libevent4j.global.libevent.event_base_once;
import static io.github.libevent4j.global.libevent.event_enable_debug_mode;
import static io.github.libevent4j.global.libevent.event_free;
import static io.github.libevent4j.global.libevent.event_free_finalize;
import static io.github.libevent4j.global.libevent.event_new;
import static io.github.libevent4j.global.libevent.event_set_fatal_callback;
import static io.github.libevent4j.global.libevent.event_set_log_callback;

import io.github.libevent4j.bindings.event;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.event_base_foreach_event_cb;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.event_fatal_cb;
import io.github.libevent4j.bindings.event_finalize_callback_fn;
import io.github.libevent4j.bindings.event_log_cb;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.internal.NativeLibrary;
import io.github.libevent4j.support.Programs;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** C programs with each callback of event2/event.h. */
final class EventPrograms {

    private static final event_callback_fn ACTIVE = new event_callback_fn() {
        @Override
        public void call(long fd, short what, Pointer arg) {
            Fired.add(what == EV_READ ? "event_new" : "event_base_once");
        }
    };

    private static final event_finalize_callback_fn FINALIZED = new event_finalize_callback_fn() {
        @Override
        public void call(event event, Pointer arg) {
            Fired.add("event_free_finalize");
        }
    };

    private static final event_base_foreach_event_cb EACH = new event_base_foreach_event_cb() {
        @Override
        public int call(event_base base, event event, Pointer arg) {
            Fired.add("event_base_foreach_event");
            return 0;
        }
    };

    private EventPrograms() {
    }

    static void events() {
        event_base base = event_base_new();
        event event = event_new(base, -1, (short) 0, ACTIVE, null);
        event_active(event, EV_READ, (short) 1);
        try (timeval now = new timeval().tv_sec(0).tv_usec(0)) {
            event_base_once(base, -1, (short) EV_TIMEOUT, ACTIVE, null, now);
        }
        event_base_foreach_event(base, EACH, null);
        event_base_dispatch(base);
        event_free(event);
        event_base_free(base);
    }

    static void finalizer() {
        event_base base = event_base_new();
        event event = event_new(base, -1, (short) 0, ACTIVE, null);
        event_free_finalize(0, event, FINALIZED);
        event_base_dispatch(base);
        event_base_free(base);
    }

    /** Both callbacks belong to the process, and the second ends it: in a JVM of its own. */
    static void logAndFatal() throws Exception {
        Programs.Result result = new Programs.Java().run(Fatal.class);
        result.text().lines().forEach(Fired::add);
        if (result.exit() != Fatal.EXIT) {
            throw new AssertionError(result.exit() + result.errors());
        }
    }

    /** Libevent cannot go on, and says so. */
    static final class Fatal {

        static final int EXIT = 7;

        private static final event_log_cb LOG = new event_log_cb() {
            @Override
            public void call(int severity, BytePointer message) {
                System.out.println("event_set_log_callback");
            }
        };

        private static final event_fatal_cb FATAL = new event_fatal_cb() {
            @Override
            public void call(int error) {
                System.out.println("event_set_fatal_callback");
                Runtime.getRuntime().halt(EXIT); // it must not return
            }
        };

        private Fatal() {
        }

        public static void main(String[] args) {
            NativeLibrary.ensureLoaded();
            event_set_log_callback(LOG);
            event_set_fatal_callback(FATAL);
            event_enable_debug_mode();
            event_enable_debug_mode(); // once too often
        }
    }
}
