package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.internal.Head;
import io.github.libevent4j.internal.HeadFields;

/** A response as it came. Immutable; safe on any thread. */
public final class HttpResponse {

    private final int status;
    private final int majorVersion;
    private final int minorVersion;
    private final HeadFields received;
    private final Headers headers;
    private final byte[] body;

    HttpResponse(Head head, byte[] body) {
        this.status = head.code();
        this.majorVersion = head.majorVersion();
        this.minorVersion = head.minorVersion();
        this.received = head.textAndFields();
        this.headers = new Headers(received);
        this.body = body;
    }

    private HttpResponse(HttpResponse head, byte[] body) {
        this.status = head.status;
        this.majorVersion = head.majorVersion;
        this.minorVersion = head.minorVersion;
        this.received = head.received;
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
        return received.text();
    }

    /** The version, such as {@code HTTP/1.1}. */
    public String version() {
        return "HTTP/" + majorVersion + "." + minorVersion;
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
        return version() + " " + status + " " + reason();
    }
}
