package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What tests of HTTP share: a running loop, and a server on it. */
abstract class HttpTest extends LibeventTest {

    LoopThread loop;
    HttpServer http;
    InetSocketAddress address;

    @BeforeEach
    void startLoop() throws Exception {
        loop = new LoopThread();
    }

    @AfterEach
    void closeLoop() throws Exception {
        loop.close();
    }

    /** A server with this general handler. */
    void serve(HttpHandler handler) throws Exception {
        serve(builder -> builder, handler);
    }

    void serve(UnaryOperator<HttpServer.Builder> options, HttpHandler handler) throws Exception {
        loop.call(() -> {
            http = options.apply(HttpServer.newBuilder(loop.base())).build();
            http.onRequest(handler);
            address = http.bind("127.0.0.1", 0);
            return null;
        });
    }

    RawClient connect() throws IOException {
        return RawClient.to(address);
    }

    /** Sends bytes on a connection of their own, and returns the response. */
    Message exchange(String request) throws IOException {
        try (RawClient client = connect()) {
            return client.send(request).response();
        }
    }

    Message get(String target) throws IOException {
        try (RawClient client = connect()) {
            return client.get(target);
        }
    }

    /** The loop and its server are as well as before. */
    void assertServes() throws IOException {
        assertEquals(200, get("/").status());
    }

    /** The statistics once so many requests have ended, which the loop counts when the client may have its reply already. */
    HttpStats statsWhenDone(long ended) throws Exception {
        while (http.stats().completedRequests() + http.stats().abortedRequests() < ended) {
            loop.turn();
        }
        return http.stats();
    }

    static <T> T await(CompletableFuture<T> future) throws Exception {
        return LoopThread.await(future);
    }
}
