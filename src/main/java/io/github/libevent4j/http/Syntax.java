package io.github.libevent4j.http;

import java.util.Objects;

/** What HTTP allows in the parts of a message, checked before anything is sent. */
final class Syntax {

    private static final boolean[] TOKEN = new boolean[128];

    static {
        for (char c = '0'; c <= '9'; c++) {
            TOKEN[c] = true;
        }
        for (char c = 'a'; c <= 'z'; c++) {
            TOKEN[c] = true;
            TOKEN[c - 'a' + 'A'] = true;
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN[c] = true;
        }
    }

    private Syntax() {
    }

    /** A header's name: a token. */
    static String name(String name) {
        Objects.requireNonNull(name, "name");
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c >= TOKEN.length || !TOKEN[c]) {
                throw new IllegalArgumentException("a header's name is a token, which " + quote(name) + " is not because of "
                    + describe(c));
            }
        }
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a header's name must not be empty");
        }
        return name;
    }

    /** A header's value: one line of ISO-8859-1. */
    static String value(String name, String value) {
        Objects.requireNonNull(value, "value");
        for (int i = 0; i < value.length(); i++) {
            if (!inLine(value.charAt(i))) {
                return line("the value of " + name, value);
            }
        }
        return value;
    }

    private static boolean inLine(char c) {
        return c != '\r' && c != '\n' && c != 0 && c <= 0xFF;
    }

    /** The same for a reason phrase and others. */
    static String line(String what, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (!inLine(c)) {
                throw new IllegalArgumentException(what + " " + quote(value) + " must not hold " + describe(c)
                    + (c > 0xFF ? ": encode it, headers are ISO-8859-1" : ""));
            }
        }
        return value;
    }

    /** A request's target: visible ASCII. */
    static String target(String uri) {
        if (uri.isEmpty()) {
            throw new IllegalArgumentException("a request's URI must not be empty: use / for the root");
        }
        return visible("the URI", uri);
    }

    /** A URI, or a part of one: visible ASCII. */
    static String visible(String what, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7F) {
                throw new IllegalArgumentException(what + " " + quote(text) + " must not hold " + describe(c) + ": percent-encode it");
            }
        }
        return text;
    }

    static int status(int status) {
        if (status < 100 || status > 999) {
            throw new IllegalArgumentException("a status has three digits, which " + status + " has not");
        }
        return status;
    }

    private static String describe(char c) {
        return switch (c) {
            case '\r' -> "CR";
            case '\n' -> "LF";
            case 0 -> "NUL";
            case ' ' -> "a space";
            default -> c > ' ' && c < 0x7F ? "'" + c + "'" : String.format("U+%04X", (int) c);
        };
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < Math.min(text.length(), 80); i++) {
            char c = text.charAt(i);
            quoted.append(c < ' ' || c == 0x7F ? '?' : c);
        }
        return quoted.append('"').toString();
    }
}
