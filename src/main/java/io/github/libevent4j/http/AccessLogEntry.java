package io.github.libevent4j.http;

import io.github.libevent4j.internal.Head;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;

/**
 * A request that is through: its reply is with the kernel, or never will be. Immutable; safe to keep and on any thread.
 *
 * <p>A request that libevent answers itself, being malformed, too long, of a method that is not allowed or of a path without a
 * handler, has a status, a client and nothing else: libevent shows nobody what it was.
 */
public final class AccessLogEntry {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss xx", Locale.ROOT)
        .withZone(ZoneOffset.UTC);

    private final Instant time;
    private final Duration duration;
    private final Head head; // a copy; null for a request that nobody saw
    private final String remoteHost;
    private final int remotePort;
    private final int status;
    private final long sent;
    private final long body;
    private final boolean complete;

    /** A request that a handler got. */
    AccessLogEntry(Instant time, Duration duration, Head head, int status, long sent, long headLength, boolean complete) {
        this.time = time;
        this.duration = duration;
        this.head = head;
        this.remoteHost = head.remoteHost();
        this.remotePort = head.remotePort();
        this.status = status;
        this.sent = sent;
        this.body = sent < 0 ? -1 : Math.max(0, sent - headLength);
        this.complete = complete;
    }

    /** A request that libevent answered itself. */
    AccessLogEntry(Instant time, String remoteHost, int remotePort, int status, long sent, boolean complete) {
        this.time = time;
        this.duration = Duration.ZERO;
        this.head = null;
        this.remoteHost = remoteHost;
        this.remotePort = remotePort;
        this.status = status;
        this.sent = sent;
        this.body = -1;
        this.complete = complete;
    }

    /** When all of the request had come. */
    public Instant time() {
        return time;
    }

    /** From then until the reply was with the kernel, or the client left. */
    public Duration duration() {
        return duration;
    }

    /** The client's address in digits. */
    public String remoteHost() {
        return remoteHost;
    }

    /** The client's port. */
    public int remotePort() {
        return remotePort;
    }

    /** The request's method. */
    public Optional<HttpMethod> method() {
        return Optional.ofNullable(head).map(known -> HttpMethod.of(known.code()));
    }

    /** The request's target as it was sent, whatever that was. */
    public Optional<String> target() {
        return Optional.ofNullable(head).map(Head::text);
    }

    /** The request's version, such as {@code HTTP/1.1}. */
    public Optional<String> version() {
        return Optional.ofNullable(head).map(known -> "HTTP/" + known.majorVersion() + "." + known.minorVersion());
    }

    /** The value of the first of the request's headers of this name, such as Referer or User-Agent. */
    public Optional<String> header(String name) {
        return Optional.ofNullable(head).flatMap(known -> new Headers(known.fields()).first(name));
    }

    /** The reply's status; 0 when none had begun. */
    public int status() {
        return status;
    }

    /** Bytes of the reply that are with the kernel, its head and chunks included; -1 when they are not counted. */
    public long sentBytes() {
        return sent;
    }

    /** The same without the reply's head; -1 when that is not known. */
    public long sentBodyBytes() {
        return body;
    }

    /** Whether all of the reply is with the kernel. */
    public boolean complete() {
        return complete;
    }

    /**
     * The entry as a line, without its end, in the Common Log Format. What the client chose is escaped as Apache does it, so that it
     * can neither end the line nor its field: quotes, backslashes, controls and bytes beyond ASCII.
     */
    public String commonFormat() {
        StringBuilder line = new StringBuilder(128);
        line.append(remoteHost.isEmpty() ? "-" : remoteHost).append(" - - [").append(TIME.format(time)).append("] ");
        field(line, head == null ? "-" : HttpMethod.of(head.code()) + " " + head.text() + " " + version().orElseThrow());
        line.append(' ').append(status == 0 ? "-" : status).append(' ').append(body <= 0 ? "-" : body);
        return line.toString();
    }

    /** The same in the Combined Log Format, which ends with the Referer and User-Agent headers. */
    public String combinedFormat() {
        StringBuilder line = new StringBuilder(256).append(commonFormat());
        field(line.append(' '), header("Referer").orElse("-"));
        field(line.append(' '), header("User-Agent").orElse("-"));
        return line.toString();
    }

    private static void field(StringBuilder line, String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> line.append('\\').append(c);
                case '\t' -> line.append("\\t");
                case '\r' -> line.append("\\r");
                case '\n' -> line.append("\\n");
                default -> {
                    if (c >= ' ' && c < 0x7F) {
                        line.append(c);
                    } else {
                        line.append(String.format("\\x%02x", (int) c));
                    }
                }
            }
        }
        line.append('"');
    }

    /** {@link #commonFormat}. */
    @Override
    public String toString() {
        return commonFormat();
    }
}
