package io.github.libevent4j.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/**
 * Reads the heads that C has written into the loop's buffer. A request's headers are not there until they are asked for: most handlers need
 * none of them, or one. One per loop, used again for each message.
 */
public final class HeadReader {

    private static final int NAME_SIZE = 256; // LIBEVENT4J_NAME_SIZE
    private static final int GONE = -2;

    private ByteBuffer buffer;
    private final Head head;
    private byte[] header = new byte[1024]; // its name to C, its value back

    HeadReader(int size) {
        buffer = allocate(size);
        head = new Head(buffer);
    }

    private static ByteBuffer allocate(int size) {
        return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    }

    long address() {
        return new Pointer(buffer).address();
    }

    int size() {
        return buffer.capacity();
    }

    void grow(int size) {
        buffer = allocate(size).put(0, buffer, 0, buffer.capacity());
        head.in(buffer);
    }

    /** The head of the response that C has just received. It is overwritten by the next. */
    public Head response(int length) {
        return head.of(length, true);
    }

    /** The head of the request that C has just received, without its headers. It is overwritten by the next. */
    public Head request(int length) {
        return head.of(length, false);
    }

    /** The head of a request that is not yet answered, with its headers. The same. */
    public Head wholeRequest(long exchange) {
        int length = Native.libevent4j_exchange_headers(exchange, head.length());
        if (length == -1) {
            throw new OutOfMemoryError("libevent4j_exchange_headers");
        }
        if (length == GONE) {
            throw gone();
        }
        return head.of(length, true);
    }

    /** Whether {@link #firstHeader} can be asked for this name. */
    public static boolean takes(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) == 0 || name.charAt(i) > 0x7f) {
                return false; // C would end the name there, or compare it otherwise than Java does
            }
        }
        return name.length() <= NAME_SIZE;
    }

    /** The value of the first header of this name, or null, of a request that is not yet answered. */
    @SuppressWarnings("deprecation") // the name's low bytes, which are all there is of ASCII
    public String firstHeader(long exchange, String name) {
        while (true) {
            name.getBytes(0, name.length(), header, 0);
            int size = Native.libevent4j_exchange_find_header(exchange, header, name.length());
            if (size == GONE) {
                throw gone();
            }
            if (size <= header.length) {
                return size < 0 ? null : new String(header, 0, size, ISO_8859_1);
            }
            header = new byte[size];
        }
    }

    private static IllegalStateException gone() {
        return new IllegalStateException("the connection is closed: what has not been read of its request is gone");
    }
}
