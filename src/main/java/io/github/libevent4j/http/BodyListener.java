package io.github.libevent4j.http;

/**
 * Takes a response's body while it comes. On the loop's thread. An exception breaks the request off and comes out of its future.
 */
@FunctionalInterface
public interface BodyListener {

    /** The head came (evhttp_request_set_header_cb). The response's body is empty. */
    default void onHead(HttpResponse head) throws Exception {
    }

    /** A part of the body came (evhttp_request_set_chunked_cb). The array is the listener's to keep. */
    void onData(byte[] data) throws Exception;
}
