package io.github.libevent4j.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A message's head as {@code native/wire.c} lays it out, at first without a request's headers. The loop's is a view of its buffer: the next
 * message's head is the same object.
 */
public final class Head {

    private static final int MAJOR = 4;
    private static final int MINOR = 8;
    private static final int PORT = 12;
    private static final int BODY_LENGTH = 16;
    private static final int TEXT = 24;

    private ByteBuffer bytes;
    private int length;
    private boolean whole; // with its headers

    Head(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** The loop's buffer has another head, of this length. */
    Head of(int length, boolean whole) {
        this.length = length;
        this.whole = whole;
        return this;
    }

    int length() {
        return length;
    }

    /** Whether the headers are there. */
    public boolean isWhole() {
        return whole;
    }

    /** The loop has another buffer. */
    void in(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** A copy, which stays when the loop's buffer is written again. */
    public Head kept() {
        if (!bytes.isDirect()) {
            return this; // it is one
        }
        byte[] copy = new byte[length];
        bytes.get(0, copy);
        return new Head(ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder())).of(length, true);
    }

    /** A request's method, as evhttp's bit; a response's status. */
    public int code() {
        return bytes.getInt(0);
    }

    public int majorVersion() {
        return bytes.getInt(MAJOR);
    }

    public int minorVersion() {
        return bytes.getInt(MINOR);
    }

    public int remotePort() {
        return bytes.getInt(PORT);
    }

    public long bodyLength() {
        return bytes.getLong(BODY_LENGTH);
    }

    /** A request's URI as it was sent; a response's reason. */
    public String text() {
        return string(TEXT);
    }

    public String remoteHost() {
        return string(after(TEXT));
    }

    /** The headers, which stay when the loop's buffer is written again. */
    public HeadFields fields() {
        int at = after(after(TEXT));
        byte[] fields = new byte[length - at];
        bytes.get(at, fields);
        return new HeadFields(fields, 0);
    }

    /** The same with the text before them. */
    public HeadFields textAndFields() {
        byte[] rest = new byte[length - TEXT];
        bytes.get(TEXT, rest);
        return new HeadFields(rest, after(after(TEXT)) - TEXT);
    }

    /** The body, where C has put it behind the head. */
    public byte[] body() {
        byte[] body = new byte[(int) bodyLength()];
        bytes.get(length, body);
        return body;
    }

    private String string(int at) {
        int size = bytes.getInt(at);
        if (size < 0) {
            return null;
        }
        byte[] text = new byte[size];
        bytes.get(at + Integer.BYTES, text);
        return new String(text, ISO_8859_1);
    }

    private int after(int at) {
        return at + Integer.BYTES + Math.max(0, bytes.getInt(at));
    }
}
