package io.github.libevent4j.dns;

import java.util.Objects;

/** What can be asked for, checked before anything is sent. */
final class Names {

    private static final int LONGEST = 253;

    private Names() {
    }

    /**
     * A name of visible ASCII characters, or an address in digits.
     *
     * @param what the parameter
     */
    static String check(String name, String what) {
        Objects.requireNonNull(name, what);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c <= ' ' || c >= 0x7F) {
                throw new IllegalArgumentException("the " + what + " holds the character U+" + String.format("%04X", (int) c)
                    + (c >= 0x7F ? ": encode it, with java.net.IDN.toASCII for one" : ""));
            }
        }
        String body = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        if (body.isEmpty() || body.length() > LONGEST) {
            throw new IllegalArgumentException("the " + what + " has " + body.length() + " characters: 1 to " + LONGEST + " are allowed");
        }
        for (String label : body.split("\\.", -1)) {
            if (label.isEmpty() || label.length() > 63) {
                throw new IllegalArgumentException("between its dots the " + what + " " + name + " must have 1 to 63 characters");
            }
        }
        return name;
    }
}
