package io.github.libevent4j.http;

import io.github.libevent4j.internal.HeadWriter;
import java.util.Arrays;

/**
 * A reply's headers before it is sent. The one of a server is used again for each exchange that a handler has; headers that are the same
 * objects as those of the reply before are neither checked nor written again.
 */
final class ReplyHeaders {

    private String[] lines; // name, value, name, value; all of them are allowed in HTTP
    private int length;
    private int written; // so many of them were in the head that was last written
    private boolean changed; // since then

    ReplyHeaders() {
        lines = new String[16];
    }

    private ReplyHeaders(String[] lines) {
        this.lines = lines;
        this.length = lines.length;
    }

    ReplyHeaders copy() {
        return new ReplyHeaders(Arrays.copyOf(lines, length));
    }

    void clear() {
        length = 0;
    }

    void add(String name, String value) {
        if (length < written && lines[length] == name && lines[length + 1] == value) {
            length += 2;
            return;
        }
        Syntax.name(name);
        Syntax.value(name, value);
        if (length == lines.length) {
            lines = Arrays.copyOf(lines, Math.max(16, 2 * length));
        }
        lines[length++] = name;
        lines[length++] = value;
        changed = true;
    }

    boolean has(String name) {
        for (int i = 0; i < length; i += 2) {
            if (lines[i].equalsIgnoreCase(name)) {
                return true;
            }
        }
        return false;
    }

    /** Writes a head with this reason, null for libevent's own, and returns its address. */
    long write(HeadWriter writer, String reason) {
        long address = changed || length != written ? 0 : writer.written(this, reason);
        if (address != 0) {
            return address;
        }
        writer.begin(reason);
        for (int i = 0; i < length; i += 2) {
            writer.add(lines[i], lines[i + 1]);
        }
        written = length;
        changed = false;
        return writer.end(this, reason);
    }

    /** The header lines as they are sent. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i += 2) {
            text.append(lines[i]).append(": ").append(lines[i + 1]).append("\r\n");
        }
        return text.toString();
    }
}
