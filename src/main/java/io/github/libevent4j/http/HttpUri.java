package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A URI or a relative reference in its parts, as libevent takes it apart and joins it (evhttp_uri). The parts are as they were
 * written, not decoded. Two are equal when all their parts are, to the letter. Immutable.
 */
public final class HttpUri {

    private static final int SCHEME = 0;
    private static final int USER_INFO = 1;
    private static final int HOST = 2;
    private static final int PATH = 3;
    private static final int QUERY = 4;
    private static final int FRAGMENT = 5;
    private static final String[] PARTS = {"scheme", "user info", "host", "path", "query", "fragment"};
    private static final int PUNCTUATION = 16; // bytes, at most: what stands between the parts, and a port

    private static final boolean[] UNRESERVED = new boolean[128];

    static {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".chars().forEach(c -> UNRESERVED[c] = true);
    }

    private final String text;
    private final int port;
    private final String[] parts;

    private HttpUri(String text, int port, String[] parts) {
        this.text = text;
        this.port = port;
        this.parts = parts;
    }

    /**
     * Takes apart a URI or a relative reference by RFC 3986 (evhttp_uri_parse).
     *
     * @throws IllegalArgumentException when it is neither
     */
    public static HttpUri parse(String uri) {
        return parse(Syntax.visible("the URI", Objects.requireNonNull(uri, "uri")), 0);
    }

    /** The same for what clients really send: characters that RFC 3986 does not allow pass (EVHTTP_URI_NONCONFORMANT). */
    static HttpUri parseLeniently(String uri) {
        return parse(uri, libevent.EVHTTP_URI_NONCONFORMANT);
    }

    /** What stands in the request line of CONNECT: host and port. */
    static HttpUri parseAuthority(String authority) {
        return parse(authority, "//" + authority, libevent.EVHTTP_URI_NONCONFORMANT);
    }

    private static HttpUri parse(String uri, int flags) {
        return parse(uri, uri, flags);
    }

    private static HttpUri parse(String given, String uri, int flags) {
        NativeLibrary.ensureLoaded();
        byte[] text = terminated(uri);
        byte[] wire = new byte[text.length + (PARTS.length + 1) * Integer.BYTES];
        if (Native.libevent4j_uri_parse(text, flags, wire, wire.length) < 0) {
            throw new IllegalArgumentException("\"" + uri + "\" is not a URI: characters that may not stand in one are to be"
                + " percent-encoded");
        }
        ByteBuffer bytes = ByteBuffer.wrap(wire).order(ByteOrder.nativeOrder());
        int port = bytes.getInt();
        String[] parts = new String[PARTS.length];
        for (int i = 0; i < parts.length; i++) {
            int length = bytes.getInt();
            if (length >= 0) {
                parts[i] = new String(wire, bytes.position(), length, ISO_8859_1);
                bytes.position(bytes.position() + length);
            }
        }
        return new HttpUri(given, port, parts);
    }

    /** The parts in one, of which evhttp_uri_join() itself can tell no more than that it has one it does not like. */
    private static HttpUri join(int port, String[] parts, int flags) {
        NativeLibrary.ensureLoaded();
        byte[][] bytes = new byte[parts.length][];
        int size = PUNCTUATION;
        for (int i = 0; i < parts.length; i++) {
            bytes[i] = parts[i] == null ? null : terminated(parts[i]);
            size += parts[i] == null ? 0 : bytes[i].length;
        }
        byte[] joined = new byte[size];
        int result = Native.libevent4j_uri_join(bytes[SCHEME], bytes[USER_INFO], bytes[HOST], port, bytes[PATH], bytes[QUERY],
            bytes[FRAGMENT], flags, joined, size);
        if (result < 0) {
            throw new OutOfMemoryError("evhttp_uri_join");
        }
        if (result > 0) {
            throw new IllegalArgumentException("\"" + parts[result - 1] + "\" is not the " + PARTS[result - 1] + " of a URI"
                + (result - 1 > HOST ? ": characters that may not stand in one are to be percent-encoded" : ""));
        }
        int length = 0;
        while (joined[length] != 0) {
            length++;
        }
        return new HttpUri(new String(joined, 0, length, ISO_8859_1), port, parts);
    }

    private static byte[] terminated(String text) {
        return (text + '\0').getBytes(ISO_8859_1);
    }

    /** Starts a URI without any part but an empty path. */
    public static Builder newBuilder() {
        return new Builder();
    }

    /** Makes a URI from its parts, none of which libevent would refuse (evhttp_uri_new). Not thread-safe; may be used again. */
    public static final class Builder {

        private final String[] parts = new String[PARTS.length];
        private int port = -1;

        private Builder() {
            parts[PATH] = "";
        }

        /** Such as {@code http} (evhttp_uri_set_scheme). */
        public Builder scheme(String scheme) {
            return set(SCHEME, Objects.requireNonNull(scheme, "scheme"));
        }

        /** What stands before an @ in the authority, percent-encoded (evhttp_uri_set_userinfo). */
        public Builder userInfo(String userInfo) {
            return set(USER_INFO, Objects.requireNonNull(userInfo, "userInfo"));
        }

        /** A name or an address; an IPv6 address with its brackets or without (evhttp_uri_set_host). */
        public Builder host(String host) {
            Objects.requireNonNull(host, "host");
            return set(HOST, host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host);
        }

        /** 0 to 65535, or -1 for none (evhttp_uri_set_port). */
        public Builder port(int port) {
            if (port < -1 || port > 0xFFFF) {
                throw new IllegalArgumentException("a port is 0 to 65535, or -1 for none, not " + port);
            }
            this.port = port;
            return this;
        }

        /** The path, percent-encoded; {@link HttpUri#encode} does that for one of its segments (evhttp_uri_set_path). */
        public Builder path(String path) {
            return set(PATH, Objects.requireNonNull(path, "path"));
        }

        /** What stands behind the ?, percent-encoded; replaces parameters that were added before (evhttp_uri_set_query). */
        public Builder query(String query) {
            return set(QUERY, Objects.requireNonNull(query, "query"));
        }

        /** Adds a parameter to the query's end, and encodes both its parts (evhttp_uriencode). */
        public Builder queryParameter(String name, String value) {
            String parameter = encode(Objects.requireNonNull(name, "name"), false) + "="
                + encode(Objects.requireNonNull(value, "value"), false);
            return set(QUERY, parts[QUERY] == null || parts[QUERY].isEmpty() ? parameter : parts[QUERY] + "&" + parameter);
        }

        /** What stands behind the #, percent-encoded (evhttp_uri_set_fragment). */
        public Builder fragment(String fragment) {
            return set(FRAGMENT, Objects.requireNonNull(fragment, "fragment"));
        }

        private Builder set(int part, String value) {
            String[] alone = new String[PARTS.length];
            alone[part] = Syntax.visible("the " + PARTS[part], value);
            join(-1, alone, 0); // refused here, if it is
            parts[part] = value;
            return this;
        }

        /**
         * Joins the parts (evhttp_uri_join).
         *
         * @throws IllegalArgumentException when the parts do not go together: they would be read otherwise
         */
        public HttpUri build() {
            String path = parts[PATH];
            if (parts[HOST] == null && (parts[USER_INFO] != null || port >= 0)) {
                throw new IllegalArgumentException("a URI with a user or a port needs a host");
            } else if (parts[HOST] != null && !path.isEmpty() && !path.startsWith("/")) {
                throw new IllegalArgumentException("behind a host a path begins with /, which \"" + path + "\" does not");
            } else if (parts[HOST] == null && path.startsWith("//")) {
                throw new IllegalArgumentException("without a host, \"" + path + "\" would be read as one");
            } else if (parts[SCHEME] == null && parts[HOST] == null && path.split("/", 2)[0].indexOf(':') >= 0) {
                throw new IllegalArgumentException("without a scheme, \"" + path + "\" would be read as one: begin it with ./");
            }
            return join(port, parts.clone(), 0);
        }
    }

    /** Such as {@code http} (evhttp_uri_get_scheme). */
    public Optional<String> scheme() {
        return Optional.ofNullable(parts[SCHEME]);
    }

    /** What stands before an @ in the authority (evhttp_uri_get_userinfo). */
    public Optional<String> userInfo() {
        return Optional.ofNullable(parts[USER_INFO]);
    }

    /** The host, an IPv6 address in its brackets (evhttp_uri_get_host). */
    public Optional<String> host() {
        return Optional.ofNullable(parts[HOST]);
    }

    /** The port, or -1 (evhttp_uri_get_port). */
    public int port() {
        return port;
    }

    /** The path, perhaps empty (evhttp_uri_get_path). */
    public String path() {
        return parts[PATH];
    }

    /** What stands behind the ? (evhttp_uri_get_query). */
    public Optional<String> query() {
        return Optional.ofNullable(parts[QUERY]);
    }

    /** What stands behind the # (evhttp_uri_get_fragment). */
    public Optional<String> fragment() {
        return Optional.ofNullable(parts[FRAGMENT]);
    }

    /**
     * The query's parameters in order, names and values decoded, + for a space, duplicates and all. (evhttp_parse_query_str decodes
     * values alone, and takes no query in which a parameter has no name or no =; here the value of one without = is empty.)
     */
    public List<Map.Entry<String, String>> queryParameters() {
        List<Map.Entry<String, String>> parameters = new ArrayList<>();
        for (String parameter : query().orElse("").split("&")) {
            if (!parameter.isEmpty()) {
                int equals = parameter.indexOf('=');
                parameters.add(equals < 0 ? Map.entry(decodePart(parameter), "")
                    : Map.entry(decodePart(parameter.substring(0, equals)), decodePart(parameter.substring(equals + 1))));
            }
        }
        return List.copyOf(parameters);
    }

    /** The value of the query's first parameter of this name, decoded. */
    public Optional<String> queryParameter(String name) {
        Objects.requireNonNull(name, "name");
        return queryParameters().stream().filter(p -> p.getKey().equals(name)).map(Map.Entry::getValue).findFirst();
    }

    /**
     * What a reference means that was found where this URI leads, such as a response's Location (RFC 3986, section 5.2). Libevent
     * has no function for it.
     *
     * @throws IllegalStateException when this has no scheme, and so is a reference itself
     */
    public HttpUri resolve(HttpUri reference) {
        Objects.requireNonNull(reference, "reference");
        if (parts[SCHEME] == null) {
            throw new IllegalStateException("\"" + this + "\" is a reference itself: only from a URI with a scheme can one be resolved");
        }
        String[] resolved = reference.parts.clone();
        int resolvedPort = reference.port;
        String path = reference.path();
        if (resolved[SCHEME] == null) {
            resolved[SCHEME] = parts[SCHEME];
            if (resolved[HOST] == null) {
                resolved[USER_INFO] = parts[USER_INFO];
                resolved[HOST] = parts[HOST];
                resolvedPort = port;
                if (path.isEmpty() && resolved[QUERY] == null) {
                    resolved[QUERY] = parts[QUERY];
                }
                path = path.isEmpty() ? path() : path.startsWith("/") ? path : directory() + path;
            }
        }
        resolved[PATH] = reference.path().isEmpty() ? path : withoutDots(path);
        if (resolved[HOST] == null && resolved[PATH].startsWith("//")) {
            resolved[PATH] = "/." + resolved[PATH]; // or it would be read as a host
        }
        return join(resolvedPort, resolved, libevent.EVHTTP_URI_NONCONFORMANT);
    }

    /** The path up to its last /. */
    private String directory() {
        return parts[HOST] != null && path().isEmpty() ? "/" : path().substring(0, path().lastIndexOf('/') + 1);
    }

    /** Section 5.2.4. */
    private static String withoutDots(String path) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < path.length()) {
            int next = path.indexOf('/', at + 1);
            int end = next < 0 ? path.length() : next;
            String segment = path.substring(at, end); // with the / before it, but for the first of a relative path
            switch (segment) {
                case ".", ".." -> end = Math.min(end + 1, path.length());
                case "/." -> out.append(next < 0 ? "/" : "");
                case "/.." -> {
                    out.setLength(Math.max(0, out.lastIndexOf("/")));
                    out.append(next < 0 ? "/" : "");
                }
                default -> out.append(segment);
            }
            at = end;
        }
        return out.toString();
    }

    /**
     * Encodes text for a part of a URI: letters, digits and -._~ stay, every other byte of its UTF-8 becomes %XX (evhttp_uriencode).
     *
     * @param plus whether a space becomes +, as it may in a query
     * @throws IllegalArgumentException when half of a surrogate pair is missing
     */
    public static String encode(String text, boolean plus) {
        byte[] bytes = utf8(text);
        StringBuilder encoded = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            if (b >= 0 && UNRESERVED[b]) {
                encoded.append((char) b);
            } else if (b == ' ' && plus) {
                encoded.append('+');
            } else {
                encoded.append('%').append(hex(b >> 4)).append(hex(b));
            }
        }
        return encoded.toString();
    }

    private static char hex(int digit) {
        return Character.toUpperCase(Character.forDigit(digit & 0xF, 16));
    }

    /**
     * Decodes %XX, as UTF-8; what is not a correct escape stays as it is (evhttp_uridecode). What is not correct UTF-8 then becomes
     * U+FFFD.
     *
     * @param plus whether + stands for a space, as in a query
     * @throws IllegalArgumentException when half of a surrogate pair is missing
     */
    public static String decode(String text, boolean plus) {
        return decode(utf8(text), plus);
    }

    /** The same for a part of the query, whose characters are the bytes that came. */
    private static String decodePart(String part) {
        return decode(part.getBytes(ISO_8859_1), true);
    }

    private static String decode(byte[] bytes, boolean plus) {
        int length = 0;
        for (int i = 0; i < bytes.length; i++) {
            int high = bytes[i] == '%' && i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(bytes[i + 2], 16);
            if (low >= 0) {
                bytes[length++] = (byte) (high << 4 | low);
                i += 2;
            } else {
                bytes[length++] = plus && bytes[i] == '+' ? (byte) ' ' : bytes[i];
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        Objects.requireNonNull(text, "text");
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return Arrays.copyOf(bytes.array(), bytes.limit());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("half of a surrogate pair is missing in the text", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HttpUri uri && port == uri.port && Arrays.equals(parts, uri.parts);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(parts) + port;
    }

    /** The URI as it was given, or as it was joined. */
    @Override
    public String toString() {
        return text;
    }
}
