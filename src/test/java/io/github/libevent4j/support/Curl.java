package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The client curl. */
public final class Curl {

    /**
     * What curl got.
     *
     * @param head status line and headers; those of a reply such as 100 Continue come first
     */
    public record Reply(int status, String head, byte[] body) {

        /** The body as UTF-8. */
        public String text() {
            return new String(body, UTF_8);
        }

        /** The value of the last header of this name, or null. */
        public String header(String name) {
            return head.lines().filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .reduce((first, last) -> last).map(line -> line.substring(name.length() + 1).strip()).orElse(null);
        }
    }

    private Curl() {
    }

    /** Runs curl, whatever comes of it. */
    public static Programs.Result run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("curl", "--disable", "--silent", "--show-error", "--noproxy", "*"));
        command.addAll(List.of(arguments));
        return Programs.run(command.toArray(new String[0]));
    }

    /** Makes one request, which must get a reply. */
    public static Reply get(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("--include"));
        all.addAll(List.of(arguments));
        Programs.Result result = run(all.toArray(new String[0]));
        assertEquals(0, result.exit(), () -> "curl " + all + ": " + result.errors());
        return parse(result.bytes());
    }

    private static Reply parse(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        int end = 0;
        int status;
        do { // each head of an interim reply ends where the next one begins
            status = Integer.parseInt(text.substring(end).split(" ", 3)[1].strip());
            end = text.indexOf("\r\n\r\n", end) + 4;
        } while (status < 200);
        return new Reply(status, text.substring(0, end), Arrays.copyOfRange(bytes, end, bytes.length));
    }
}
