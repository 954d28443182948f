package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.internal.Micros;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/** A request to send. Immutable, so that it may be sent again, unless its {@link HttpBody} says otherwise, and on any thread. */
public final class HttpRequest {

    private static final List<String> FRAMING = List.of("Content-Length", "Transfer-Encoding", "Expect");
    private static final HttpBody.Bytes NO_BODY = new HttpBody.Bytes(new byte[0]);

    private final HttpMethod method;
    private final String uri;
    private final int minorVersion;
    private final Headers headers;
    private final HttpBody body;
    private final Duration expectation; // null for none
    final Object headKey = new Object(); // names what the head is made of, without holding the body
    private volatile URI whole; // the URI, once it was asked for as such
    private volatile HttpRequest other; // the same for another URI, the last that was asked for

    private HttpRequest(HttpRequest request, String uri) {
        this.method = request.method;
        this.uri = uri;
        this.minorVersion = request.minorVersion;
        this.headers = request.headers;
        this.body = request.body;
        this.expectation = request.expectation;
    }

    private HttpRequest(Builder builder) {
        this.method = builder.method;
        this.uri = builder.uri;
        this.minorVersion = builder.minorVersion;
        this.headers = new Headers(builder.headers.toArray(new String[0]));
        this.body = builder.body;
        this.expectation = builder.expectation;
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
        private HttpBody body = NO_BODY;
        private Duration expectation;

        private Builder(String uri) {
            this.uri = Syntax.target(Objects.requireNonNull(uri, "uri"));
        }

        /** A GET, without a body. */
        public Builder GET() {
            return method(HttpMethod.GET, NO_BODY);
        }

        /** A POST of text, as UTF-8. */
        public Builder POST(String text) {
            return method(HttpMethod.POST, HttpBody.ofString(text));
        }

        /** A POST of these bytes, which are copied. */
        public Builder POST(byte[] bytes) {
            return method(HttpMethod.POST, bytes);
        }

        /** A POST of this body. */
        public Builder POST(HttpBody body) {
            return method(HttpMethod.POST, body);
        }

        /** Any method, with a body or an empty one; the bytes are copied. */
        public Builder method(HttpMethod method, byte[] bytes) {
            return method(method, HttpBody.ofBytes(bytes));
        }

        /** Any method, with this body. */
        public Builder method(HttpMethod method, HttpBody body) {
            this.method = Objects.requireNonNull(method, "method");
            this.body = Objects.requireNonNull(body, "body");
            return this;
        }

        /**
         * Asks the server before the body is sent (Expect: 100-continue). It is sent when the server says so, or when it has not
         * answered within this time, longer than zero; not when it answers with a response.
         */
        public Builder expectContinue(Duration limit) {
            Micros.positive(limit, "limit");
            expectation = limit;
            return this;
        }

        /**
         * Adds a header (evhttp_add_header).
         *
         * @throws IllegalArgumentException when name or value is not allowed in HTTP
         */
        public Builder header(String name, String value) {
            Syntax.name(name);
            Syntax.value(name, value);
            headers.add(name);
            headers.add(value);
            return this;
        }

        /** Adds an Authorization header with a user's name and password (RFC 7617). */
        public Builder basicAuth(String user, String password) {
            Objects.requireNonNull(password, "password");
            if (Objects.requireNonNull(user, "user").indexOf(':') >= 0) {
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

        /**
         * The request.
         *
         * @throws IllegalArgumentException when a header frames the body, which is not in memory and so is framed by this library
         */
        public HttpRequest build() {
            HttpRequest request = new HttpRequest(this);
            request.checkFraming();
            return request;
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

    /**
     * A copy of the body.
     *
     * @throws IllegalStateException when it is not in memory
     */
    public byte[] body() {
        if (body instanceof HttpBody.Bytes inMemory) {
            return inMemory.bytes.clone();
        }
        throw new IllegalStateException("the body of " + this + " is not in memory");
    }

    /** The same for another URI. */
    HttpRequest to(String target) {
        HttpRequest known = other;
        if (known == null || !known.uri.equals(target)) {
            known = new HttpRequest(this, target);
            other = known;
        }
        return known;
    }

    /** @throws IllegalArgumentException when what stands in the request line is no URI */
    URI whole() {
        URI known = whole;
        if (known == null) {
            known = URI.create(uri);
            whole = known;
        }
        return known;
    }

    HttpBody httpBody() {
        return body;
    }

    /** The body that goes out with the head; empty when it follows. */
    byte[] bytes() {
        return follows() ? NO_BODY.bytes : ((HttpBody.Bytes) body).bytes;
    }

    /** Whether the body follows the head in pieces of its own. */
    boolean follows() {
        return expectation != null || !(body instanceof HttpBody.Bytes);
    }

    /** How long to wait for 100 (Continue); null for not at all. */
    Duration expectation() {
        return expectation;
    }

    /** Whether a header says how the body is sent. */
    boolean isFramed() {
        return FRAMING.stream().anyMatch(name -> headers.first(name).isPresent());
    }

    /** What two readers could understand differently is not sent. */
    void checkLength() {
        if (!headers.has("Content-Length")) {
            return;
        }
        List<String> lengths = headers.all("Content-Length");
        boolean right = lengths.equals(List.of(Integer.toString(bytes().length))) && headers.first("Transfer-Encoding").isEmpty();
        if (!right) {
            throw new IllegalArgumentException(this + " has a body of " + bytes().length + " bytes, of which its headers say something else"
                + " (Content-Length: " + String.join(", ", lengths) + "): leave them out, and they are added");
        }
    }

    private void checkFraming() {
        for (String name : FRAMING) {
            if (follows() && headers.first(name).isPresent()) {
                throw new IllegalArgumentException(this + " must not have a " + name + " of its own: its body is framed by the library");
            }
        }
    }

    int minorVersion() {
        return minorVersion;
    }

    @Override
    public String toString() {
        return method + " " + uri;
    }
}
