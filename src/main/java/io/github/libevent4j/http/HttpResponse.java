package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.internal.Head;

/** A response as it came. Immutable; safe on any thread. */
public final class HttpResponse {

    private final int status;
    private final String reason;
    private final String version;
    private final Headers headers;
    private final byte[] body;

    HttpResponse(Head head, byte[] body) {
        this.status = head.code();
        this.reason = head.text();
        this.version = "HTTP/" + head.majorVersion() + "." + head.minorVersion();
        this.headers = new Headers(head.fields());
        this.body = body;
    }

    private HttpResponse(HttpResponse head, byte[] body) {
        this.status = head.status;
        this.reason = head.reason;
        this.version = head.version;
        this.headers = head.headers;
        this.body = body;
    }

    /** This response with a body that was collected elsewhere. */
    HttpResponse with(byte[] collected) {
        return new HttpResponse(this, collected);
    }

    /** The status (evhttp_request_get_response_code). */
    public int status() {
        return status;
    }

    /** The reason phrase, perhaps empty (evhttp_request_get_response_code_line). */
    public String reason() {
        return reason;
    }

    /** The version, such as {@code HTTP/1.1}. */
    public String version() {
        return version;
    }

    /** The headers (evhttp_request_get_input_headers). */
    public Headers headers() {
        return headers;
    }

    /** The body; empty when it went to a {@link BodyListener}. The array is the response's own. */
    public byte[] body() {
        return body;
    }

    /** The body as UTF-8. */
    public String bodyText() {
        return new String(body, UTF_8);
    }

    @Override
    public String toString() {
        return version + " " + status + " " + reason;
    }
}
