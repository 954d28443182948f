package io.github.libevent4j.http;

import java.util.Objects;
import java.util.concurrent.Executor;

/** Answers requests. */
@FunctionalInterface
public interface HttpHandler {

    /**
     * Answers a request, or {@linkplain HttpExchange#defer defers} the answer. Runs on the loop's thread, so it must not block.
     * When it throws an exception, or does neither, the client gets 500 and the base's exception handler is told.
     */
    void handle(HttpExchange exchange) throws Exception;

    /**
     * This handler on an executor's threads, where it may block: each exchange is deferred, and then belongs to one of them. When the
     * executor refuses, as one with a bounded queue does, or fails, the client gets 503. A handler that works for long can learn from
     * {@link HttpExchange#clientClosed} that nobody waits for it any more.
     */
    default HttpHandler on(Executor executor) {
        Objects.requireNonNull(executor, "executor");
        return exchange -> exchange.handOver(executor, this);
    }
}
