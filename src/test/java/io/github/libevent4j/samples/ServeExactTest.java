package io.github.libevent4j.samples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.libevent4j.samples.Requests.Request;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code serve --exact} is libevent to the byte: src/test/native/server.c, which serves the same with plain evhttp, gets the same
 * requests, in the same pieces, and must answer with the same bytes and close when the sample does. Only the Date may differ.
 *
 * <p>A piece has been read when the answer to a request behind it, on another connection, is here: a loop looks at all its
 * connections in turn.
 */
class ServeExactTest extends SampleTest {

    /** Shows whether a connection is still good, and ends it. */
    private static final String LAST = "GET /status/299 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final Pattern DATE = Pattern.compile("^Date: .*$", Pattern.MULTILINE);
    /** Within the ends of lines, and behind them. */
    private static final Pattern CUT = Pattern.compile("(?<=\r)(?=\n)|(?<=\n)");
    private static final int LONG = 1000;

    /** One of the two servers. */
    private static final class Subject implements AutoCloseable {

        private final InetSocketAddress address;
        private final RawClient turns;
        private RawClient client;

        Subject(Server server) throws IOException {
            address = server.address();
            turns = RawClient.to(address);
        }

        void connect(Socket socket) throws IOException {
            socket.connect(address);
            client = new RawClient(socket);
        }

        void send(String piece) {
            try {
                client.send(piece);
            } catch (IOException e) {
                // the server has closed the connection already, and what it had to say can still be read
            }
        }

        void askForTurn() throws IOException {
            turns.send("GET / HTTP/1.1\r\n\r\n");
        }

        void awaitTurn() throws IOException {
            turns.response();
        }

        /** Ends the requests, not the answers. */
        void halfClose() {
            try {
                client.socket().shutdownOutput();
            } catch (IOException e) {
                // as above
            }
        }

        /** All that came until the server closed the connection. */
        String readToEnd() throws IOException {
            StringBuilder answer = new StringBuilder();
            byte[] part = new byte[8192];
            try (RawClient ending = client) {
                for (int n; (n = ending.in().read(part)) >= 0; ) {
                    answer.append(new String(part, 0, n, ISO_8859_1));
                }
            } catch (SocketException e) {
                // closed before it had read all that was sent
            }
            return DATE.matcher(answer).replaceAll("Date: *");
        }

        @Override
        public void close() throws IOException {
            turns.close();
        }
    }

    private final List<String> differences = new ArrayList<>();
    private Subject java;
    private Subject c;

    @Test
    void everyRequestGetsTheSameBytes(@TempDir Path root) throws Exception {
        Files.writeString(root.resolve("text.txt"), "What is in a file.\n");
        Files.createFile(root.resolve("empty.txt"));
        Files.createDirectory(root.resolve("directory"));
        Files.createSymbolicLink(root.resolve("link.txt"), root.resolve("text.txt"));
        try (Server sample = new Server("serve", "--exact", "--port", "0", "--root", root.toString());
             Server program = new Server(Programs.startNative("server", root.toString()));
             Subject java = new Subject(sample);
             Subject c = new Subject(program)) {
            this.java = java;
            this.c = c;
            for (Request request : Requests.all()) {
                compare(request);
            }
            assertFalse(sample.stop("TERM").contains("WARNING"));
            assertEquals("", program.stop("TERM"));
        }
        assertEquals("", String.join("\n", differences));
    }

    private void compare(Request request) throws IOException {
        String text = request.text();
        compare(request, "whole", List.of(text + LAST));
        if (!request.slow()) {
            compare(request, "half-closed", List.of(text));
        }
        if (text.length() < LONG) {
            List<String> pieces = new ArrayList<>(List.of(text.split("")));
            pieces.add(LAST);
            compare(request, "byte by byte", pieces);
            Matcher cut = CUT.matcher(text);
            while (cut.find()) {
                compare(request, "cut at " + cut.start(), List.of(text.substring(0, cut.start()), text.substring(cut.start()) + LAST));
            }
        }
    }

    private void compare(Request request, String how, List<String> pieces) throws IOException {
        connect();
        for (String piece : pieces) {
            java.send(piece);
            c.send(piece);
            turn();
        }
        if (!request.slow()) {
            for (int i = request.text().split("HTTP/", -1).length; i > 0; i--) {
                turn(); // a request takes one
            }
            java.halfClose();
            c.halfClose();
        }
        String actual = java.readToEnd();
        String expected = c.readToEnd();
        if (!actual.equals(expected)) {
            differences.add(request.name() + ", " + how + "\n--- Java\n" + shorten(actual) + "\n--- C\n" + shorten(expected));
        }
    }

    private static String shorten(String answer) {
        return answer.length() < LONG ? answer : answer.substring(0, LONG) + "... " + answer.length();
    }

    private void turn() throws IOException {
        java.askForTurn();
        c.askForTurn();
        java.awaitTurn();
        c.awaitTurn();
    }

    /** Both see the same client, down to its port. */
    private void connect() throws IOException {
        Socket one = new Socket();
        Socket other = new Socket();
        one.setReuseAddress(true);
        other.setReuseAddress(true);
        one.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        other.bind(one.getLocalSocketAddress());
        java.connect(one);
        c.connect(other);
        turn(); // accepted: from now on each turn reads what has come
    }
}
