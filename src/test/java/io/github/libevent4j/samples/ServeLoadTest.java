package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.Programs;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The serve sample under more than it is likely to meet. */
class ServeLoadTest extends SampleTest {

    private static final int CONNECTIONS = 10_000;

    private static Server serve(Programs.Java java) throws Exception {
        return new Server(java.start("Samples", "serve", "--port", "0"));
    }

    private static void awaitDescriptors(Server server, long count) throws IOException {
        while (Kernel.descriptors(server.running.pid()) > count) {
            Thread.onSpinWait();
        }
    }

    @Test
    void tenThousandConnectionsAtOnce() throws Exception {
        try (Server server = serve(new Programs.Java())) {
            assertEquals(200, Curl.get(server.url + "/").status());
            long before = Kernel.descriptors(server.running.pid());
            List<RawClient> clients = new ArrayList<>();
            try {
                for (int i = 0; i < CONNECTIONS; i++) {
                    clients.add(RawClient.to(server.address()));
                }
                for (int round = 0; round < 2; round++) {
                    for (RawClient client : clients) {
                        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                    }
                    for (RawClient client : clients) {
                        assertEquals("Hello, World!", client.response().text());
                    }
                }
                assertTrue(Kernel.descriptors(server.running.pid()) > CONNECTIONS);
            } finally {
                for (RawClient client : clients) {
                    client.close();
                }
            }
            awaitDescriptors(server, before);
            assertEquals(200, Curl.get(server.url + "/").status());
            assertEquals("", server.stop("TERM"));
        }
    }

    /** Those for whom there is no descriptor wait until others leave. */
    @Test
    void aServerThatRunsOutOfDescriptorsRecovers(@TempDir Path jars) throws Exception {
        int most = 120;
        long start = System.nanoTime();
        try (Server server = serve(new Programs.Java().descriptors(most).packed(jars))) { // whose classes take no descriptor more
            assertEquals(200, Curl.get(server.url + "/").status());
            long before = Kernel.descriptors(server.running.pid());
            List<RawClient> clients = new ArrayList<>();
            try {
                for (int i = 0; i < most; i++) {
                    RawClient client = RawClient.to(server.address());
                    clients.add(client);
                    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                }
                assertEquals("Hello, World!", clients.get(0).response().text());
                server.running.awaitErrors(Pattern.compile("accept"));
                for (RawClient client : clients.subList(0, most / 2)) {
                    client.close();
                }
                for (RawClient client : clients.subList(most / 2, most)) {
                    assertEquals("Hello, World!", client.response().text());
                }
            } finally {
                for (RawClient client : clients) {
                    client.close();
                }
            }
            awaitDescriptors(server, before);
            assertEquals(200, Curl.get(server.url + "/").status());
            long warnings = Pattern.compile("accept on").matcher(server.stop("TERM")).results().count();
            long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();
            assertTrue(warnings > 0 && warnings <= seconds + 1, warnings + " warnings in " + seconds + " s"); // one a second at most
        }
    }
}
