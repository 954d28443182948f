package benchmarks.server;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What every server answers: / with 13 bytes, /header with a request's last one, /echo with what was posted, /mib with a mebibyte, /stream
 * with chunks, /file with the file that is the program's second argument. The first is the port, on 127.0.0.1.
 */
final class Replies {

    static final byte[] HELLO = "Hello, World!".getBytes(StandardCharsets.US_ASCII);
    static final byte[] MEBIBYTE = filled(1 << 20);
    static final byte[] CHUNK = filled(1024);
    static final int CHUNKS = 16;
    static final String HEADER = "X-Header-30";

    private Replies() {
    }

    private static byte[] filled(int size) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) 'x');
        return bytes;
    }

    static int port(String[] args) {
        return Integer.parseInt(args[0]);
    }

    static Path file(String[] args) {
        return Path.of(args[1]);
    }
}
