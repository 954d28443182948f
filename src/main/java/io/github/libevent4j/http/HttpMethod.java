package io.github.libevent4j.http;

import io.github.libevent4j.global.libevent;
import java.util.Collection;

/** A request's method (enum evhttp_cmd_type). */
public enum HttpMethod {
    GET(libevent.EVHTTP_REQ_GET),
    POST(libevent.EVHTTP_REQ_POST),
    HEAD(libevent.EVHTTP_REQ_HEAD),
    PUT(libevent.EVHTTP_REQ_PUT),
    DELETE(libevent.EVHTTP_REQ_DELETE),
    OPTIONS(libevent.EVHTTP_REQ_OPTIONS),
    TRACE(libevent.EVHTTP_REQ_TRACE),
    CONNECT(libevent.EVHTTP_REQ_CONNECT),
    PATCH(libevent.EVHTTP_REQ_PATCH);

    private static final HttpMethod[] METHODS = values();

    final int bit;

    HttpMethod(int bit) {
        this.bit = bit;
    }

    static HttpMethod of(int bit) {
        for (HttpMethod method : METHODS) {
            if (method.bit == bit) {
                return method;
            }
        }
        throw new IllegalArgumentException("no method has the bit " + bit);
    }

    static int bits(Collection<HttpMethod> methods) {
        return methods.stream().mapToInt(method -> method.bit).reduce(0, (a, b) -> a | b);
    }
}
