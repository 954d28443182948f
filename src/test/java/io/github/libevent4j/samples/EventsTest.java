package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventsTest extends SampleTest {

    /** A client that shows events as they come. */
    private static Programs.Running curl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--no-buffer"));
        command.addAll(List.of(arguments));
        return Programs.start(command.toArray(new String[0]));
    }

    private static List<Long> ids(String text) {
        return text.lines().filter(line -> line.startsWith("id: ")).map(line -> Long.parseLong(line.substring("id: ".length()))).toList();
    }

    private static void assertConsecutive(List<Long> ids) {
        for (int i = 1; i < ids.size(); i++) {
            assertEquals(ids.get(i - 1) + 1, ids.get(i), () -> ids.toString());
        }
    }

    @Test
    void everyClientGetsEveryEventUntilTheEnd() throws Exception {
        List<Programs.Running> clients = new ArrayList<>();
        try (Server server = new Server("events", "--port", "0", "--interval", "5")) {
            for (int i = 0; i < 5; i++) {
                clients.add(curl("--include", server.url + "/"));
            }
            for (Programs.Running client : clients) {
                client.awaitOutput(Pattern.compile("(?:id: \\d+\ndata: [^\n]*\n\n){10}"));
            }
            assertEquals("", server.stop("TERM"));
            for (Programs.Running client : clients) {
                Programs.Result result = client.await();
                assertEquals(0, result.exit(), result.errors()); // the stream has its end
                assertTrue(result.text().startsWith("HTTP/1.1 200 OK\r\n"), result.text());
                assertTrue(result.text().contains("Content-Type: text/event-stream\r\n"), result.text());
                assertTrue(result.text().split("\r\n\r\n", 2)[1].matches("(id: \\d+\ndata: \\S+ \n\n)+"), result.text());
                assertConsecutive(ids(result.text()));
            }
        } finally {
            clients.forEach(Programs.Running::close);
        }
    }

    @Test
    void whoComesBackGetsWhatItMissed() throws Exception {
        try (Server server = new Server("events", "--port", "0", "--interval", "2", "--keep", "1000000");
             Programs.Running first = curl(server.url + "/")) {
            first.awaitOutput(Pattern.compile("(?m)^id: ([2-9]\\d|\\d{3,})\n"));
            try (Programs.Running again = curl("--header", "Last-Event-ID: 7", server.url + "/")) {
                again.awaitOutput(Pattern.compile("(?:id: \\d+\ndata: [^\n]*\n\n){30}"));
                server.stop("INT");
                List<Long> ids = ids(again.await().text());
                assertEquals(8, ids.get(0));
                assertConsecutive(ids);
            }
        }
    }

    @Test
    void whatIsNotKeptIsMissed() throws Exception {
        try (Server server = new Server("events", "--port", "0", "--interval", "2", "--keep", "3");
             Programs.Running first = curl(server.url + "/")) {
            first.awaitOutput(Pattern.compile("(?m)^id: ([2-9]\\d|\\d{3,})\n"));
            try (Programs.Running again = curl("--header", "Last-Event-ID: 1", server.url + "/")) {
                again.awaitOutput(Pattern.compile("data: "));
                server.stop("INT");
                assertTrue(ids(again.await().text()).get(0) > 17);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Last-Event-ID: 999999999", "Last-Event-ID: x", "Last-Event-ID: -1", "Last-Event-ID: 99999999999999999999"})
    void whatNoEventWasIsIgnored(String header) throws Exception {
        try (Server server = new Server("events", "--port", "0", "--interval", "5");
             Programs.Running client = curl("--header", header, server.url + "/")) {
            client.awaitOutput(Pattern.compile("data: "));
            server.stop("TERM");
            assertConsecutive(ids(client.await().text()));
        }
    }

    @Test
    void onlyEventsAreServedAndOnlyToBeRead() throws Exception {
        try (Server server = new Server("events", "--port", "0", "--interval", "1000000")) {
            assertEquals(404, Curl.get(server.url + "/x").status());
            Curl.Reply reply = Curl.get("--data", "x", server.url + "/");
            assertEquals(405, reply.status());
            assertEquals("GET", reply.header("Allow"));
            assertEquals(405, Curl.get("--head", server.url + "/").status());
            assertEquals("", server.stop("TERM"));
        }
    }

    /** One client reads all the time, one has stopped, and one reads only in the end. */
    @Test
    void whoDoesNotReadMissesEventsAndCostsNoMemory(@TempDir Path directory) throws Exception {
        int padding = 64 * 1024;
        int most = 64 * 1024; // kB
        Path output = directory.resolve("output");
        try (Server server = new Server(new Programs.Java().option("-Xmx40m").start("Samples", "events", "--port", "0", "--interval", "1",
                 "--keep", "10", "--padding", Integer.toString(padding)));
             Programs.Running stopped = curl("--output", output.toString(), "--dump-header", "-", server.url + "/");
             RawClient slow = RawClient.slowlyTo(server.address());
             RawClient fast = RawClient.to(server.address())) {
            stopped.awaitOutput(Pattern.compile("\r\n\r\n"));
            stopped.signal("STOP");
            slow.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            BufferedReader late = reader(slow);
            assertEquals("HTTP/1.1 200 OK", late.readLine());
            BufferedReader steady = reader(fast.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
            long first = nextId(steady);
            long before = server.running.peakMemory();
            long now = first;
            while (now < first + 2000) { // more than a hundred megabytes for each of those who do not read
                now = nextId(steady);
            }
            long growth = server.running.peakMemory() - before;
            assertTrue(growth < most, "the server's memory grew by " + growth + " kB");

            long id = nextId(late);
            for (long next = nextId(late); next == id + 1; next = nextId(late)) {
                id = next; // what the system had taken for it
                assertTrue(id < now, "events that came meanwhile are missing");
            }
            stopped.signal("CONT");
            fast.close();
            slow.close();
            assertEquals("", server.stop("TERM"));
            assertEquals(0, stopped.await().exit());
        }
    }

    private static BufferedReader reader(RawClient client) {
        return new BufferedReader(new InputStreamReader(client.in(), StandardCharsets.ISO_8859_1));
    }

    private static long nextId(BufferedReader reader) throws IOException {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("id: ")) {
                return Long.parseLong(line.substring("id: ".length()));
            }
        }
        throw new IOException("the stream has ended");
    }
}
