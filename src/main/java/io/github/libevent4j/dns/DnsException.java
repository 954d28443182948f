package io.github.libevent4j.dns;

import io.github.libevent4j.LibeventException;

/** A name that could not be resolved. */
public final class DnsException extends LibeventException {

    private static final long serialVersionUID = 1;

    private final int code;

    DnsException(String operation, int code, String why) {
        super(operation, 0, why);
        this.code = code;
    }

    /** Libevent's code: DNS_ERR_*, or of an address lookup EVUTIL_EAI_*. */
    public int code() {
        return code;
    }
}
