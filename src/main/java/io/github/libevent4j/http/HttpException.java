package io.github.libevent4j.http;

import io.github.libevent4j.LibeventException;

/** A request that got no response. */
public final class HttpException extends LibeventException {

    private static final long serialVersionUID = 1;

    /** Why there is no response. Those after CONNECT_TIMEOUT are evhttp's own (enum evhttp_request_error). */
    public enum Failure {
        /** The connection could not be made; {@link #errno} says why. */
        UNCONNECTED,
        /** The server's name did not resolve. */
        UNRESOLVED,
        /** The connection was not made in time. */
        CONNECT_TIMEOUT,
        /** Nothing came, or could be sent, in the connection's time of inactivity (EVREQ_HTTP_TIMEOUT). */
        TIMEOUT,
        /** The connection ended before the response did (EVREQ_HTTP_EOF). */
        EOF,
        /** The response is not HTTP, or its head is longer than the connection takes (EVREQ_HTTP_INVALID_HEADER). */
        INVALID_HEADER,
        /** The socket or the memory for the response failed (EVREQ_HTTP_BUFFER_ERROR). */
        BUFFER_ERROR,
        /** The connection was closed by this program (EVREQ_HTTP_REQUEST_CANCEL). */
        REQUEST_CANCEL,
        /** The response's body is longer than the connection takes, or its chunks are malformed (EVREQ_HTTP_DATA_TOO_LONG). */
        DATA_TOO_LONG
    }

    private final Failure failure;

    HttpException(String operation, int errno, Failure failure, String why) {
        super(operation, errno, why);
        this.failure = failure;
    }

    /** Why there is no response. */
    public Failure failure() {
        return failure;
    }
}
