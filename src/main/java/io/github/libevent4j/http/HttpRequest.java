package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/** A request to send. Immutable, so that it may be sent again and on any thread. */
public final class HttpRequest {

    private final HttpMethod method;
    private final String uri;
    private final int minorVersion;
    private final Headers headers;
    private final byte[] body;

    private HttpRequest(Builder builder) {
        this.method = builder.method;
        this.uri = builder.uri;
        this.minorVersion = builder.minorVersion;
        this.headers = new Headers(builder.headers.toArray(new String[0]));
        this.body = builder.body;
    }

    /**
     * A GET of this target unless the builder is told otherwise.
     *
     * @param uri what stands in the request line: a path with its query, such as {@code /search?q=a}; visible ASCII
     */
    public static Builder newBuilder(String uri) {
        return new Builder(uri);
    }

    /** Puts a request together. Not thread-safe. */
    public static final class Builder {
        private final String uri;
        private final List<String> headers = new ArrayList<>();
        private HttpMethod method = HttpMethod.GET;
        private int minorVersion = 1;
        private byte[] body = new byte[0];

        private Builder(String uri) {
            this.uri = Syntax.target(uri);
        }

        /** A GET, without a body. */
        public Builder GET() {
            return method(HttpMethod.GET, new byte[0]);
        }

        /** A POST of text, as UTF-8. */
        public Builder POST(String text) {
            return method(HttpMethod.POST, text.getBytes(UTF_8));
        }

        /** A POST of these bytes, which are copied. */
        public Builder POST(byte[] bytes) {
            return method(HttpMethod.POST, bytes);
        }

        /** Any method, with a body or an empty one; the bytes are copied. */
        public Builder method(HttpMethod method, byte[] bytes) {
            this.method = Objects.requireNonNull(method, "method");
            this.body = bytes.clone();
            return this;
        }

        /**
         * Adds a header (evhttp_add_header).
         *
         * @throws IllegalArgumentException when name or value is not allowed in HTTP
         */
        public Builder header(String name, String value) {
            Syntax.name(name);
            Syntax.line("the value of " + name, value);
            headers.add(name);
            headers.add(value);
            return this;
        }

        /** Adds an Authorization header with a user's name and password (RFC 7617). */
        public Builder basicAuth(String user, String password) {
            if (user.indexOf(':') >= 0) {
                throw new IllegalArgumentException("a user's name must not hold a colon in Basic authentication");
            }
            return header("Authorization",
                "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(UTF_8)));
        }

        /** Sends the request as HTTP/1.0. */
        public Builder version10() {
            minorVersion = 0;
            return this;
        }

        /** The request. */
        public HttpRequest build() {
            return new HttpRequest(this);
        }
    }

    /** The method. */
    public HttpMethod method() {
        return method;
    }

    /** What stands in the request line. */
    public String uri() {
        return uri;
    }

    /** The headers that were added. */
    public Headers headers() {
        return headers;
    }

    /** A copy of the body. */
    public byte[] body() {
        return body.clone();
    }

    byte[] bytes() {
        return body;
    }

    int minorVersion() {
        return minorVersion;
    }

    @Override
    public String toString() {
        return method + " " + uri;
    }
}
