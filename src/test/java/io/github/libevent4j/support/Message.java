package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** A request or response as it came over the wire, read by the letter of RFC 9112. */
public record Message(String startLine, List<String> headers, byte[] body) {

    /** Reads a request. */
    public static Message request(InputStream in) throws IOException {
        return read(in, false, false);
    }

    /** Reads the response to a request that was not HEAD. */
    public static Message response(InputStream in) throws IOException {
        return read(in, true, false);
    }

    /** Reads a head alone. */
    public static Message head(InputStream in) throws IOException {
        return read(in, true, true);
    }

    private static Message read(InputStream in, boolean response, boolean headOnly) throws IOException {
        String startLine = line(in);
        List<String> headers = new ArrayList<>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            headers.add(line);
        }
        Message head = new Message(startLine, headers, new byte[0]);
        String length = head.header("Content-Length");
        int status = response && !headOnly ? head.status() : 0;
        if (headOnly || status / 100 == 1 || status == 204 || status == 304) {
            return head;
        } else if ("chunked".equals(head.header("Transfer-Encoding"))) {
            return new Message(startLine, headers, chunks(in));
        } else if (length != null) {
            return new Message(startLine, headers, exactly(in, Integer.parseInt(length)));
        }
        return response ? new Message(startLine, headers, in.readAllBytes()) : head;
    }

    private static byte[] chunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
            body.write(exactly(in, size));
            if (!line(in).isEmpty()) {
                throw new IOException("a chunk is not followed by CRLF");
            }
        }
        if (!line(in).isEmpty()) {
            throw new IOException("there is a trailer");
        }
        return body.toByteArray();
    }

    private static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("the body ends after " + bytes.length + " of " + length + " bytes");
        }
        return bytes;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection ends after \"" + line + "\"");
            }
            line.append((char) c);
        }
        if (line.isEmpty() || line.charAt(line.length() - 1) != '\r') {
            throw new IOException("a line without CR: " + line);
        }
        return line.substring(0, line.length() - 1);
    }

    /** A response's status. */
    public int status() {
        return Integer.parseInt(startLine.split(" ")[1]);
    }

    /** The value of the first header of this name, or null. */
    public String header(String name) {
        return headers.stream().filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
            .map(line -> line.substring(name.length() + 1).trim()).findFirst().orElse(null);
    }

    /** The body as ISO-8859-1. */
    public String text() {
        return new String(body, ISO_8859_1);
    }
}
