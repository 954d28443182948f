package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.http.HttpException.Failure;
import io.github.libevent4j.http.Responses.Response;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An exact client is libevent to the callback: src/test/native/client.c, a plain evhttp client, gets the same responses in the same
 * pieces, and must be told the same in the same order. What each callback tells is a line, in the words of that program:
 *
 * <table>
 * <tr><th>evhttp</th><th>Java</th></tr>
 * <tr><td>header_cb: head</td><td>{@link BodyListener#onHead}; of 100 (Continue), after which evhttp goes on, nothing is told</td></tr>
 * <tr><td>chunked_cb: data</td><td>{@link BodyListener#onData}</td></tr>
 * <tr><td>error_cb(n), then the completion without a request: error n, done nothing</td><td>an {@link HttpException} whose {@link
 * Failure} is the n-th after CONNECT_TIMEOUT</td></tr>
 * <tr><td>the completion with a request without a status: done refused</td><td>UNCONNECTED, UNRESOLVED or CONNECT_TIMEOUT</td></tr>
 * <tr><td>the completion with a request: done</td><td>the {@link HttpResponse}</td></tr>
 * <tr><td>the close callback: close</td><td>{@link HttpConnection.Builder#onClose}</td></tr>
 * </table>
 */
class HttpResponsesTest extends HttpTest {

    private static final Pattern LINES = Pattern.compile("(?<=\r)(?=\n)|(?<=\n)");
    private static final Pattern FOLDED_TRAILER = Pattern.compile("\\n0\\r\\n.*\\n[ \\t]", Pattern.DOTALL);
    private static final int LONG = 1000;
    private static final String BYTE_BY_BYTE = "byte by byte";

    private RawClient turns; // of the C program

    /** A response, and how it is sent. */
    private record Run(Response response, String how, List<String> pieces, boolean reset) {

        static List<Run> of(Response response) {
            List<Run> runs = new ArrayList<>();
            String text = response.text();
            runs.add(new Run(response, "whole", List.of(text), false));
            if (text.length() < LONG) {
                runs.add(new Run(response, "line by line", List.of(LINES.split(text)), false));
                if (!FOLDED_TRAILER.matcher(text).find()) { // evhttp joins its lines only when it reads them at once
                    runs.add(new Run(response, BYTE_BY_BYTE, List.of(text.split("")), false));
                }
                runs.add(new Run(response, "whole, and reset", List.of(text), true)); // a long one could lose its end
            }
            return runs;
        }

        boolean howManyAreReadAtOnceIsAMatterOfTime() {
            return how.equals(BYTE_BY_BYTE) || response.text().length() >= LONG;
        }

        @Override
        public String toString() {
            return response.name() + ", " + how;
        }
    }

    @Test
    void thereAreEnough() {
        assertTrue(Responses.all().size() >= 300, Responses.all().size() + " responses");
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "whole"})
    void eachIsToldAsEvhttpTellsIt(String mode) throws Exception {
        Map<HttpMethod, List<Run>> byMethod = new EnumMap<>(HttpMethod.class);
        for (Response response : Responses.all()) {
            byMethod.computeIfAbsent(response.method(), method -> new ArrayList<>()).addAll(Run.of(response));
        }
        List<String> differences = new ArrayList<>();
        for (Map.Entry<HttpMethod, List<Run>> entry : byMethod.entrySet()) {
            compare(entry.getKey(), mode, entry.getValue(), differences);
        }
        assertEquals("", String.join("\n", differences));
    }

    private void compare(HttpMethod method, String mode, List<Run> runs, List<String> differences) throws Exception {
        List<String> actual = new ArrayList<>();
        String output;
        try (RawServer forC = new RawServer();
             RawServer forJava = new RawServer();
             Programs.Running program =
                 Programs.startNative("client", forC.port() + "", method.name(), mode, runs.size() + "")) {
            turns = forC.accept();
            for (Run run : runs) {
                actual.add(run(run, method, mode.equals("stream"), forC, forJava));
            }
            turns.close();
            output = program.await().text();
        }
        List<String> expected = expected(output, mode.equals("stream"));
        assertEquals(runs.size(), expected.size());
        for (int i = 0; i < runs.size(); i++) {
            String java = actual.get(i);
            String c = expected.get(i);
            if (runs.get(i).howManyAreReadAtOnceIsAMatterOfTime()) {
                java = java.replace("]\ndata [", "");
                c = c.replace("]\ndata [", "");
            }
            if (!c.equals(java)) {
                differences.add(shorten(runs.get(i).toString()) + "\n--- Java\n" + shorten(java) + "\n--- C\n" + shorten(c));
            }
        }
    }

    /** What the C program tells and Java's client does not: heads that announce, and without a listener all heads. */
    private static List<String> expected(String output, boolean streaming) {
        List<String> all = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (String line : output.split("\n")) {
            if (line.equals("end")) {
                all.add(String.join("\n", lines));
                lines.clear();
            } else if (!line.startsWith("head ") || streaming && !line.startsWith("head 100 ")) {
                lines.add(line);
            }
        }
        return all;
    }

    private static String shorten(String text) {
        return text.length() < LONG ? text : text.substring(0, LONG) + "... " + text.length();
    }

    private String run(Run run, HttpMethod method, boolean streaming, RawServer forC, RawServer forJava) throws Exception {
        Recorder recorder = new Recorder();
        HttpConnection connection = loop.call(() -> HttpConnection.newBuilder(loop.base(), "127.0.0.1", forJava.port()).exact()
            .onClose(() -> recorder.lines.add("close")).build());
        HttpRequest request = HttpRequest.newBuilder("/").method(method, new byte[0]).header("Host", "x").build();
        CompletableFuture<Void> told = (streaming ? connection.send(request, recorder) : connection.send(request))
            .handle((response, failure) -> {
                recorder.done(response, failure);
                connection.close();
                return null;
            });
        try (RawClient java = accept(forJava); RawClient c = accept(forC)) {
            for (String piece : run.pieces) {
                send(java, piece);
                send(c, piece);
                if (!run.how.equals(BYTE_BY_BYTE)) {
                    turn();
                }
            }
            turn();
            end(java, run.reset);
            end(c, run.reset);
            await(told);
            awaitEnd(c, run.reset); // a long response takes it many turns
            turn();
        }
        return loop.call(() -> String.join("\n", recorder.lines));
    }

    private static RawClient accept(RawServer server) throws IOException {
        RawClient client = server.accept();
        Message.head(client.in());
        return client;
    }

    private static void send(RawClient peer, String piece) {
        try {
            peer.send(piece);
        } catch (IOException e) {
            // the client has closed the connection already
        }
    }

    /** Both have read what was sent, and done what there is to do about it, when answers to what came later are here, twice. */
    private void turn() throws Exception {
        for (int i = 0; i < 2; i++) {
            turns.send("x");
            assertEquals('x', turns.in().read());
            loop.turn();
        }
    }

    private static void end(RawClient peer, boolean reset) {
        try {
            if (reset) {
                peer.reset();
            } else {
                peer.socket().shutdownOutput();
            }
        } catch (IOException e) {
            // as above
        }
    }

    /** Until the client has closed the connection, if it was not reset. */
    private static void awaitEnd(RawClient peer, boolean reset) {
        try {
            while (!reset && peer.in().read() >= 0) {
                continue;
            }
        } catch (IOException e) {
            // closed before it had read all
        }
    }

    /** Tells in the C program's words. On the loop's thread. */
    private static final class Recorder implements BodyListener {

        private final List<String> lines = new ArrayList<>();

        @Override
        public void onHead(HttpResponse head) {
            lines.add("head " + describe(head));
        }

        @Override
        public void onData(byte[] data) {
            lines.add("data " + describe(data));
        }

        void done(HttpResponse response, Throwable failure) {
            if (response != null) {
                lines.add("done " + describe(response) + " " + describe(response.body()));
            } else if (!(failure instanceof HttpException known)) {
                lines.add(failure.toString());
            } else if (known.failure().compareTo(Failure.CONNECT_TIMEOUT) <= 0) {
                lines.add("done refused");
            } else {
                lines.add("error " + (known.failure().ordinal() - Failure.TIMEOUT.ordinal()));
                lines.add("done nothing");
            }
        }

        private static String describe(HttpResponse head) {
            StringBuilder text = new StringBuilder(head.status() + " " + head.version().substring("HTTP/".length()) + " "
                + describe(head.reason()));
            head.headers().forEach((name, value) -> text.append(' ').append(describe(name)).append(' ').append(describe(value)));
            return text.toString();
        }

        private static String describe(String text) {
            return describe(text.getBytes(ISO_8859_1));
        }

        private static String describe(byte[] bytes) {
            return new String(bytes, ISO_8859_1).chars()
                .mapToObj(c -> c > ' ' && c < 0x7F && "\\[]".indexOf(c) < 0 ? Character.toString(c) : String.format("\\%02x", c))
                .collect(Collectors.joining("", "[", "]"));
        }
    }
}
