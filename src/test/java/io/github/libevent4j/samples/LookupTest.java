package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Dnsmasq;
import io.github.libevent4j.support.NameServer;
import io.github.libevent4j.support.Programs;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LookupTest extends SampleTest {

    @TempDir
    static Path files;
    private static Dnsmasq dnsmasq;

    @BeforeAll
    static void start() throws Exception {
        dnsmasq = new Dnsmasq(files, """
            local-ttl=77
            host-record=one.test,10.0.0.1
            host-record=both.test,10.0.0.2,fd00::2
            host-record=six.test,fd00::6
            """);
    }

    @AfterAll
    static void stop() {
        dnsmasq.close();
    }

    private static Programs.Result lookup(InetSocketAddress server, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("lookup", "--server", server.getAddress().getHostAddress() + ":" + server.getPort()));
        all.addAll(List.of(arguments));
        return run(all.toArray(new String[0]));
    }

    private static void assertPrints(String text, Programs.Result lookup) {
        assertEquals("", lookup.errors());
        assertEquals(text, lookup.text());
        assertEquals(0, lookup.exit());
    }

    @Test
    void addressesInTheOrderOfTheNames() throws Exception {
        assertPrints("""
            both.test 77 A 10.0.0.2
            both.test 77 AAAA fd00:0:0:0:0:0:0:2
            one.test 77 A 10.0.0.1
            six.test 77 AAAA fd00:0:0:0:0:0:0:6
            """, lookup(dnsmasq.address(), "both.test", "one.test", "six.test"));
    }

    @Test
    void oneTypeOfRecord() throws Exception {
        assertPrints("both.test 77 A 10.0.0.2\n", lookup(dnsmasq.address(), "--type", "A", "both.test"));
        assertPrints("both.test 77 AAAA fd00:0:0:0:0:0:0:2\n", lookup(dnsmasq.address(), "--type", "AAAA", "both.test"));
        assertPrints("10.0.0.1 77 PTR one.test\nfd00::6 77 PTR six.test\n",
            lookup(dnsmasq.address(), "--type", "PTR", "10.0.0.1", "fd00::6"));
    }

    @Test
    void oneFailureDoesNotHideTheOthers() throws Exception {
        Programs.Result lookup = lookup(dnsmasq.address(), "no.test", "one.test", "a..b");
        assertEquals(1, lookup.exit());
        assertEquals("one.test 77 A 10.0.0.1\n", lookup.text());
        List<String> errors = lookup.errors().lines().toList();
        assertEquals("lookup: no.test: AAAA of no.test: name does not exist", errors.get(0));
        assertTrue(errors.get(1).startsWith("lookup: a..b: "), errors.get(1));
        assertEquals(2, errors.size());
        assertEquals(1, lookup(dnsmasq.address(), "--type", "AAAA", "one.test").exit());
        assertEquals(1, lookup(dnsmasq.address(), "--type", "PTR", "one.test").exit());
    }

    @Test
    void aSilentServer() throws Exception {
        try (NameServer silent = new NameServer()) {
            Programs.Result lookup = lookup(silent.address(), "--type", "A", "--timeout", "0.05", "one.test");
            assertEquals(1, lookup.exit());
            assertTrue(lookup.errors().contains("lookup: one.test: A of one.test: request timed out"), lookup.errors());
        }
    }

    @Test
    void whatCannotBeAskedIsAnError() throws Exception {
        assertEquals(2, run("lookup").exit());
        assertEquals(2, run("lookup", "--type", "MX", "one.test").exit());
        assertEquals(1, run("lookup", "--server", "localhost", "one.test").exit());
        assertEquals(1, run("lookup", "--timeout", "never", "one.test").exit());
    }
}
