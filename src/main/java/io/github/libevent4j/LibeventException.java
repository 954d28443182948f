package io.github.libevent4j;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.NativeLibrary;
import java.io.IOException;
import java.util.Objects;

/** A failure of the outside world: an operation of libevent or of the system could not be done. */
public class LibeventException extends IOException {

    private static final long serialVersionUID = 1;

    private final String operation;
    private final int errno;

    /**
     * @param operation what was tried, beginning with libevent's name for it
     * @param errno the system's error number, or 0 when it gave none
     */
    public LibeventException(String operation, int errno) {
        this(operation, errno, errno == 0 ? "failed" : describe(errno));
    }

    /** @param why the reason, in place of the error number's own text */
    public LibeventException(String operation, int errno, String why) {
        super(Objects.requireNonNull(operation, "operation") + ": " + Objects.requireNonNull(why, "why"));
        this.operation = operation;
        this.errno = errno;
    }

    private static String describe(int errno) {
        NativeLibrary.ensureLoaded();
        return libevent.evutil_socket_error_to_string(errno).getString() + " (errno " + errno + ")";
    }

    /** What was tried. */
    public String operation() {
        return operation;
    }

    /** The system's error number, or 0 when it gave none. */
    public int errno() {
        return errno;
    }
}
