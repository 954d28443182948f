package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.Programs;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class EvRpcTest extends SampleTest {

    @Test
    void theCallIsAnswered() throws Exception {
        Programs.Result call = run("evrpc", "--port", String.valueOf(freePort()), "Tatiana");
        assertEquals("Hello, Tatiana!\n", call.text(), call.errors());
        assertEquals(0, call.exit());
        assertEquals("", call.errors());
    }

    @Test
    void aPortThatIsTakenIsAnError() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Programs.Result call = run("evrpc", "--port", String.valueOf(taken.getLocalPort()));
            assertEquals(1, call.exit());
            assertEquals("evrpc: port " + taken.getLocalPort() + " cannot be had\n", call.errors());
        }
    }
}
