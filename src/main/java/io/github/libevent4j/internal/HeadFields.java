package io.github.libevent4j.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A copy of the headers of a {@link Head}, of which only what is asked for becomes Strings. Immutable. */
public final class HeadFields {

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final byte[] bytes;
    private final int start; // of their number, and for each its name's length, its name, its value's length, its value

    HeadFields(byte[] bytes, int start) {
        this.bytes = bytes;
        this.start = start;
    }

    private int length(int at) {
        return (int) INT.get(bytes, at);
    }

    private int after(int at) {
        return at + Integer.BYTES + length(at);
    }

    private String string(int at) {
        return new String(bytes, at + Integer.BYTES, length(at), ISO_8859_1);
    }

    /** What {@link Head#text} says, where it was copied with the headers ({@link Head#textAndFields}). */
    public String text() {
        return string(0);
    }

    /** How many there are. */
    public int size() {
        return length(start);
    }

    /** The value of the first of this name, without regard to case, or null. */
    public String first(String name) {
        int at = start + Integer.BYTES;
        for (int left = size(); left > 0; left--) {
            int value = after(at);
            if (is(at, name)) {
                return string(value);
            }
            at = after(value);
        }
        return null;
    }

    private boolean is(int at, String name) {
        if (length(at) != name.length()) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            char own = (char) (bytes[at + Integer.BYTES + i] & 0xff);
            char other = name.charAt(i);
            if (own != other && Character.toLowerCase(Character.toUpperCase(own)) != Character.toLowerCase(Character.toUpperCase(other))) {
                return false;
            }
        }
        return true;
    }

    /** Name, value, name, value, in the order in which they came. */
    public String[] strings() {
        String[] strings = new String[2 * size()];
        int at = start + Integer.BYTES;
        for (int i = 0; i < strings.length; i++) {
            strings[i] = string(at);
            at = after(at);
        }
        return strings;
    }
}
