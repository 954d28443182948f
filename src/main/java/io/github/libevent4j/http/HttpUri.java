package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.github.libevent4j.global.libevent;
import io.github.libevent4j.internal.Native;
import io.github.libevent4j.internal.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A URI in its parts, as libevent takes it apart (evhttp_uri). The parts are as they were written, not decoded. Immutable. */
public final class HttpUri {

    private static final int PARTS = 6;

    private final String text;
    private final int port;
    private final String[] parts = new String[PARTS];

    private HttpUri(String text, byte[] wire) {
        this.text = text;
        ByteBuffer bytes = ByteBuffer.wrap(wire).order(ByteOrder.nativeOrder());
        this.port = bytes.getInt();
        for (int i = 0; i < PARTS; i++) {
            int length = bytes.getInt();
            if (length >= 0) {
                parts[i] = new String(wire, bytes.position(), length, ISO_8859_1);
                bytes.position(bytes.position() + length);
            }
        }
    }

    /**
     * Takes apart a URI or a relative reference by RFC 3986 (evhttp_uri_parse).
     *
     * @throws IllegalArgumentException when it is neither
     */
    public static HttpUri parse(String uri) {
        return parse(Syntax.line("the URI", uri), 0);
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
        byte[] text = (uri + '\0').getBytes(ISO_8859_1);
        byte[] wire = new byte[text.length + (PARTS + 1) * Integer.BYTES];
        if (Native.libevent4j_uri_parse(text, flags, wire, wire.length) < 0) {
            throw new IllegalArgumentException("\"" + uri + "\" is not a URI: characters that may not stand in one are to be"
                + " percent-encoded");
        }
        return new HttpUri(given, wire);
    }

    /** Such as {@code http} (evhttp_uri_get_scheme). */
    public Optional<String> scheme() {
        return Optional.ofNullable(parts[0]);
    }

    /** What stands before an @ in the authority (evhttp_uri_get_userinfo). */
    public Optional<String> userInfo() {
        return Optional.ofNullable(parts[1]);
    }

    /** The host, an IPv6 address in its brackets (evhttp_uri_get_host). */
    public Optional<String> host() {
        return Optional.ofNullable(parts[2]);
    }

    /** The port, or -1 (evhttp_uri_get_port). */
    public int port() {
        return port;
    }

    /** The path, perhaps empty (evhttp_uri_get_path). */
    public String path() {
        return parts[3] == null ? "" : parts[3];
    }

    /** What stands behind the ? (evhttp_uri_get_query). */
    public Optional<String> query() {
        return Optional.ofNullable(parts[4]);
    }

    /** What stands behind the # (evhttp_uri_get_fragment). */
    public Optional<String> fragment() {
        return Optional.ofNullable(parts[5]);
    }

    /** The query's parameters in order, decoded, duplicates and all; one without = has an empty value. */
    public List<Map.Entry<String, String>> queryParameters() {
        List<Map.Entry<String, String>> parameters = new ArrayList<>();
        for (String parameter : query().orElse("").split("&")) {
            if (!parameter.isEmpty()) {
                int equals = parameter.indexOf('=');
                parameters.add(equals < 0
                    ? Map.entry(decode(parameter, true), "")
                    : Map.entry(decode(parameter.substring(0, equals), true), decode(parameter.substring(equals + 1), true)));
            }
        }
        return List.copyOf(parameters);
    }

    /** The value of the query's first parameter of this name, decoded. */
    public Optional<String> queryParameter(String name) {
        return queryParameters().stream().filter(p -> p.getKey().equals(name)).map(Map.Entry::getValue).findFirst();
    }

    /**
     * Decodes %XX, as UTF-8; what is not a correct escape stays as it is , as evhttp_uridecode does.
     *
     * @param plus whether + stands for a space, as in a query
     */
    public static String decode(String text, boolean plus) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
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

    /** The URI as it was given. */
    @Override
    public String toString() {
        return text;
    }
}
