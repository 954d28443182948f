package io.github.libevent4j.http;

/** Answers requests. */
@FunctionalInterface
public interface HttpHandler {

    /**
     * Answers a request, or {@linkplain HttpExchange#defer defers} the answer. Runs on the loop's thread, so it must not block.
     * When it throws an exception, or does neither, the client gets 500 and the base's exception handler is told.
     */
    void handle(HttpExchange exchange) throws Exception;
}
