package io.github.libevent4j.io;

import io.github.libevent4j.global.libevent;

/** What ends a line (enum evbuffer_eol_style). */
public enum EolStyle {
    /** Any sequence of CR and LF. */
    ANY(libevent.EVBUFFER_EOL_ANY),
    /** LF, with or without a CR before it. */
    CRLF(libevent.EVBUFFER_EOL_CRLF),
    /** CR and LF. */
    CRLF_STRICT(libevent.EVBUFFER_EOL_CRLF_STRICT),
    /** LF. */
    LF(libevent.EVBUFFER_EOL_LF),
    /** A zero byte. */
    NUL(libevent.EVBUFFER_EOL_NUL);

    final int value;

    EolStyle(int value) {
        this.value = value;
    }
}
