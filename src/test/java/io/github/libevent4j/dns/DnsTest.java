package io.github.libevent4j.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.EventBase.LoopExit;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.dns.Dns.Answer;
import io.github.libevent4j.dns.Dns.Family;
import io.github.libevent4j.dns.Dns.Flag;
import io.github.libevent4j.dns.Dns.Setting;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.support.Dnsmasq;
import io.github.libevent4j.support.LoopThread;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The resolver with a name server that is not ours. */
class DnsTest extends LibeventTest {

    private static final String RECORDS = """
        local-ttl=77
        host-record=one.test,10.0.0.1
        host-record=six.test,fd00::6
        host-record=both.test,10.0.0.2,fd00::2
        host-record=kept.test,10.0.0.3,1234
        host-record=many.test,10.1.0.1
        host-record=many.test,10.1.0.2
        host-record=many.test,10.1.0.3
        host-record=many.test,fd00::1:1
        host-record=many.test,fd00::1:2
        cname=alias.test,one.test
        cname=chain.test,alias.test
        txt-record=text.test,hello
        address=/wild.test/10.9.9.9
        host-record=host.inner.test,10.2.0.1
        host-record=host.outer.test,10.2.0.2
        host-record=a.b.inner.test,10.2.0.3
        host-record=only.outer.test,10.2.0.4
        host-record=server.test,127.0.0.3,::1
        host-record=server.test,127.0.0.1
        """;

    @TempDir
    static Path files;
    private static Dnsmasq dnsmasq;

    @TempDir
    Path directory;
    private LoopThread loop;
    private Dns dns;

    @BeforeAll
    static void start() throws Exception {
        dnsmasq = new Dnsmasq(files, RECORDS);
    }

    @AfterAll
    static void stop() {
        dnsmasq.close();
    }

    @BeforeEach
    void open() throws Exception {
        loop = new LoopThread();
        dns = loop.call(() -> Dns.createEmpty(loop.base()));
        loop.call(() -> {
            dns.addNameserver(dnsmasq.address());
            return null;
        });
    }

    @AfterEach
    void close() throws Exception {
        loop.close();
    }

    private interface Action {
        void run() throws Exception;
    }

    private void set(Action action) throws Exception {
        loop.call(() -> {
            action.run();
            return null;
        });
    }

    private static Set<InetAddress> addresses(String... digits) throws UnknownHostException {
        Set<InetAddress> addresses = new HashSet<>();
        for (String each : digits) {
            addresses.add(InetAddress.getByName(each));
        }
        return addresses;
    }

    private static void assertRecords(CompletableFuture<Answer<InetAddress>> future, String... digits) throws Exception {
        Answer<InetAddress> answer = LoopThread.await(future);
        assertEquals(digits.length, answer.records().size(), answer.toString());
        assertEquals(addresses(digits), new HashSet<>(answer.records()));
    }

    private static DnsException assertFails(int code, CompletableFuture<?> future) {
        DnsException failure = assertThrows(DnsException.class, () -> LoopThread.await(future));
        assertEquals(code, failure.code(), failure.getMessage());
        return failure;
    }

    // ---- questions

    @Test
    void addressesOfNames() throws Exception {
        assertRecords(dns.resolveIpv4("one.test"), "10.0.0.1");
        assertRecords(dns.resolveIpv4("ONE.Test."), "10.0.0.1");
        assertRecords(dns.resolveIpv6("six.test"), "fd00::6");
        assertRecords(dns.resolveIpv4("both.test"), "10.0.0.2");
        assertRecords(dns.resolveIpv6("both.test"), "fd00::2");
        assertRecords(dns.resolveIpv4("many.test"), "10.1.0.1", "10.1.0.2", "10.1.0.3");
        assertRecords(dns.resolveIpv6("many.test"), "fd00::1:1", "fd00::1:2");
        assertRecords(dns.resolveIpv4("anything.wild.test"), "10.9.9.9");
    }

    @Test
    void anAliasIsFollowed() throws Exception {
        assertRecords(dns.resolveIpv4("alias.test"), "10.0.0.1");
        assertRecords(dns.resolveIpv4("chain.test"), "10.0.0.1");
        assertEquals(List.copyOf(addresses("10.0.0.1")), LoopThread.await(dns.lookup("chain.test", Family.ANY)));
    }

    @Test
    void namesOfAddresses() throws Exception {
        assertEquals(List.of("one.test"), LoopThread.await(dns.resolveReverse(InetAddress.getByName("10.0.0.1"))).records());
        assertEquals(List.of("six.test"), LoopThread.await(dns.resolveReverse(InetAddress.getByName("fd00::6"))).records());
        Inet6Address zoned = Inet6Address.getByAddress(null, InetAddress.getByName("fd00::2").getAddress(), 1);
        assertEquals(List.of("both.test"), LoopThread.await(dns.resolveReverse(zoned)).records());
        DnsException failure = assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveReverse(InetAddress.getByName("127.9.9.9")));
        assertEquals("PTR of 127.9.9.9: name does not exist", failure.getMessage());
    }

    @Test
    void anAnswerTellsForHowLongItMayBeKept() throws Exception {
        assertEquals(Duration.ofSeconds(77), LoopThread.await(dns.resolveIpv4("one.test")).timeToLive());
        assertEquals(Duration.ofSeconds(1234), LoopThread.await(dns.resolveIpv4("kept.test")).timeToLive());
        assertEquals(Duration.ofSeconds(77), LoopThread.await(dns.resolveReverse(InetAddress.getByName("10.0.0.1"))).timeToLive());
    }

    @Test
    void whatIsNotThereIsToldApart() throws Exception {
        DnsException none = assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4("no.test"));
        assertEquals("A of no.test: name does not exist", none.getMessage());
        assertEquals("A of no.test", none.operation());
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv6("no.test"));
        assertEquals("AAAA of one.test: no records in the reply",
            assertFails(libevent.DNS_ERR_NODATA, dns.resolveIpv6("one.test")).getMessage());
        assertFails(libevent.DNS_ERR_NODATA, dns.resolveIpv4("text.test"));
    }

    @Test
    void answersAreGivenOnTheLoopsThread() throws Exception {
        CompletableFuture<Thread> answered = dns.resolveIpv4("one.test").thenApply(answer -> Thread.currentThread());
        Thread thread = LoopThread.await(answered);
        assertTrue(thread == loop.thread() || thread == Thread.currentThread(), "the second when it was there already");
        answered = loop.call(() -> dns.resolveIpv4("one.test").thenApply(answer -> Thread.currentThread()));
        assertEquals(loop.thread(), LoopThread.await(answered));
    }

    @Test
    void manyThreadsAskAtOnce() throws Exception {
        List<CompletableFuture<List<InetAddress>>> futures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int from = t * 100;
            threads.add(new Thread(() -> {
                for (int i = from; i < from + 100; i++) {
                    CompletableFuture<List<InetAddress>> future = i % 2 == 0 ? dns.lookup("n" + i + ".wild.test", Family.IPV4)
                        : dns.resolveIpv4("n" + i + ".wild.test").thenApply(Answer::records);
                    synchronized (futures) {
                        futures.add(future);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        for (CompletableFuture<List<InetAddress>> future : futures) {
            assertEquals(List.copyOf(addresses("10.9.9.9")), LoopThread.await(future));
        }
        assertEquals(400, futures.size());
    }

    @Test
    void overIpv6() throws Exception {
        try (Dnsmasq six = new Dnsmasq(directory, "::1", RECORDS)) {
            set(() -> {
                dns.clearNameserversAndSuspend();
                dns.addNameserver(six.address());
                dns.resume();
            });
            assertRecords(dns.resolveIpv6("six.test"), "fd00::6");
            assertEquals(List.of(six.address()), loop.call(dns::nameservers));
        }
    }

    // ---- lookups

    @Test
    void lookupsTakeBothFamilies() throws Exception {
        assertEquals(addresses("10.0.0.2", "fd00::2"), new HashSet<>(LoopThread.await(dns.lookup("both.test", Family.ANY))));
        assertEquals(addresses("10.0.0.2"), new HashSet<>(LoopThread.await(dns.lookup("both.test", Family.IPV4))));
        assertEquals(addresses("fd00::2"), new HashSet<>(LoopThread.await(dns.lookup("both.test", Family.IPV6))));
        assertEquals(addresses("10.0.0.1"), new HashSet<>(LoopThread.await(dns.lookup("one.test", Family.ANY))));
        assertEquals(addresses("fd00::6"), new HashSet<>(LoopThread.await(dns.lookup("six.test", Family.ANY))));
        assertEquals("one.test", LoopThread.await(dns.lookup("one.test", Family.ANY)).get(0).getHostName());
    }

    @Test
    void lookupsWithAPort() throws Exception {
        assertEquals(Set.of(new InetSocketAddress("10.0.0.2", 80), new InetSocketAddress("fd00::2", 80)),
            new HashSet<>(LoopThread.await(dns.lookup("both.test", 80, Family.ANY))));
        assertEquals(List.of(new InetSocketAddress("::1", 65535)), LoopThread.await(dns.lookup("::1", 65535, Family.ANY)));
        assertEquals(List.of(new InetSocketAddress("127.0.0.1", 0)), LoopThread.await(dns.lookup("127.0.0.1", 0, Family.IPV4)));
    }

    @Test
    void failedLookups() throws Exception {
        DnsException none = assertFails(libevent.EVUTIL_EAI_NONAME, dns.lookup("no.test", Family.ANY));
        assertTrue(none.getMessage().startsWith("addresses of no.test: "), none.getMessage());
        assertFails(libevent.EVUTIL_EAI_FAIL, dns.lookup("one.test", Family.IPV6));
        assertFails(libevent.EVUTIL_EAI_FAIL, dns.lookup("text.test", Family.ANY));
    }

    @Test
    void digitsNeedNoServer() throws Exception {
        set(dns::clearNameserversAndSuspend);
        assertEquals(List.copyOf(addresses("10.1.2.3")), LoopThread.await(dns.lookup("10.1.2.3", Family.ANY)));
        assertEquals(List.copyOf(addresses("fd00::abc")), LoopThread.await(dns.lookup("fd00::abc", Family.ANY)));
        // At once, where the loop is held.
        assertTrue(loop.call(() -> dns.lookup("10.1.2.3", Family.ANY).isDone()));
    }

    @Test
    void hostsFilesComeFirst() throws Exception {
        Path hosts = Files.writeString(directory.resolve("hosts"), """
            # a comment
            10.5.0.1  one.test   other   # and more
            10.5.0.2\tother
            fd00::5 other

            nonsense here
            10.5.0.4:80 not.test
            """);
        set(() -> dns.loadHosts(hosts));
        assertEquals(addresses("10.5.0.1"), new HashSet<>(LoopThread.await(dns.lookup("ONE.test", Family.ANY))));
        assertEquals(addresses("10.5.0.1", "10.5.0.2", "fd00::5"), new HashSet<>(LoopThread.await(dns.lookup("other", Family.ANY))));
        assertEquals(addresses("fd00::5"), new HashSet<>(LoopThread.await(dns.lookup("other", Family.IPV6))));
        DnsException none = assertFails(libevent.EVUTIL_EAI_NODATA, dns.lookup("one.test", Family.IPV6));
        assertEquals("addresses of one.test: the hosts file has no address of this family", none.getMessage());
        assertRecords(dns.resolveIpv4("one.test"), "10.0.0.1"); // which asks name servers alone

        set(dns::clearHosts);
        assertEquals(addresses("10.0.0.1"), new HashSet<>(LoopThread.await(dns.lookup("one.test", Family.ANY))));
    }

    @Test
    void aHostsFileThatCannotBeReadChangesNothing() throws Exception {
        assertThrows(NoSuchFileException.class, () -> set(() -> dns.loadHosts(directory.resolve("none"))));
        assertThrows(IOException.class, () -> set(() -> dns.loadHosts(directory)));
        assertFails(libevent.EVUTIL_EAI_NONAME, dns.lookup("localhost.no.test", Family.ANY));
        set(() -> dns.loadHosts(Files.writeString(directory.resolve("empty"), "")));
        // Long lines, no end of line, and more of them than anybody has.
        StringBuilder many = new StringBuilder("10.6.0.1");
        for (int i = 0; i < 50_000; i++) {
            many.append(i % 100 == 99 ? "\n10.6.0.1" : "").append(" h").append(i);
        }
        set(() -> dns.loadHosts(Files.writeString(directory.resolve("huge"), many)));
        assertEquals(addresses("10.6.0.1"), new HashSet<>(LoopThread.await(dns.lookup("h49999", Family.ANY))));
    }

    // ---- settings

    @Test
    void searchDomains() throws Exception {
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4("host"));
        set(() -> {
            dns.addSearch("outer.test");
            dns.addSearch("inner.test");
        });
        assertRecords(dns.resolveIpv4("host"), "10.2.0.1");
        assertRecords(dns.resolveIpv4("only"), "10.2.0.4");
        assertEquals(addresses("10.2.0.1"), new HashSet<>(LoopThread.await(dns.lookup("host", Family.ANY))));
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4("host", Flag.NO_SEARCH));
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv6("host", Flag.NO_SEARCH));
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4("nowhere"));
        assertRecords(dns.resolveIpv4("a.b"), "10.2.0.3"); // after it was tried as it is
        dnsmasq.awaitQuery("query[A] a.b from");

        set(() -> dns.searchDots(2));
        assertRecords(dns.resolveIpv4("a.b"), "10.2.0.3");
        set(dns::clearSearch);
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4("host"));
    }

    @Test
    void nameservers() throws Exception {
        InetSocketAddress first = dnsmasq.address();
        List<InetSocketAddress> others = List.of(new InetSocketAddress("10.0.0.1", 53), new InetSocketAddress("10.0.0.1", 5353),
            new InetSocketAddress("fd00::1", 53), new InetSocketAddress("::1", 1));
        set(() -> {
            for (InetSocketAddress other : others) {
                dns.addNameserver(other.getPort() == 53 ? new InetSocketAddress(other.getAddress(), 0) : other);
                dns.addNameserver(other);
            }
        });
        Set<InetSocketAddress> all = new HashSet<>(others);
        all.add(first);
        List<InetSocketAddress> known = loop.call(dns::nameservers);
        assertEquals(5, known.size());
        assertEquals(all, new HashSet<>(known));
        set(dns::clearNameserversAndSuspend);
        assertEquals(List.of(), loop.call(dns::nameservers));
        assertThrows(IllegalArgumentException.class, () -> dns.addNameserver(InetSocketAddress.createUnresolved("x", 53)));
        assertThrows(IllegalStateException.class, () -> set(dns::resume));
    }

    @Test
    void aNameserverWithAZone() throws Exception {
        Inet6Address zoned = Inet6Address.getByAddress(null, InetAddress.getByName("fe80::1").getAddress(), 1);
        set(() -> dns.addNameserver(new InetSocketAddress(zoned, 53)));
        assertTrue(loop.call(dns::nameservers).contains(new InetSocketAddress(zoned, 53)));
    }

    @Test
    void withoutANameserverNothingIsResolved() throws Exception {
        Dns empty = loop.call(() -> Dns.createEmpty(loop.base()));
        for (CompletableFuture<?> future : List.of(empty.resolveIpv4("one.test"), empty.resolveIpv6("one.test"),
                empty.resolveReverse(InetAddress.getByName("::1")), empty.lookup("one.test", Family.ANY))) {
            assertTrue(assertFails(libevent.DNS_ERR_UNKNOWN, future).getMessage().endsWith("there is no name server: add one"));
        }
    }

    @Test
    void resolvConf() throws Exception {
        Path file = Files.writeString(directory.resolve("resolv.conf"), """
            # the form that resolv.conf has
            nameserver 10.3.0.1
            nameserver fd00::3
            nameserver nonsense
            search inner.test outer.test
            options ndots:2 timeout:1 attempts:1 unknown edns0
            """);
        InetSocketAddress server = dnsmasq.address();
        set(() -> dns.parseResolvConf(file, Setting.SEARCH, Setting.MISC));
        assertEquals(List.of(server), loop.call(dns::nameservers));
        assertRecords(dns.resolveIpv4("host"), "10.2.0.1");
        assertRecords(dns.resolveIpv4("a.b"), "10.2.0.3");

        set(() -> dns.parseResolvConf(file));
        assertEquals(Set.of(server, new InetSocketAddress("10.3.0.1", 53), new InetSocketAddress("fd00::3", 53)),
            new HashSet<>(loop.call(dns::nameservers)));

        set(() -> dns.parseResolvConf(Files.writeString(directory.resolve("empty"), "")));
        assertThrows(NoSuchFileException.class, () -> set(() -> dns.parseResolvConf(directory.resolve("none"))));
        assertThrows(IOException.class, () -> set(() -> dns.parseResolvConf(directory)));
    }

    @Test
    void aResolvConfWithoutServersAddsNone() throws Exception {
        Dns empty = loop.call(() -> Dns.createEmpty(loop.base()));
        set(() -> empty.parseResolvConf(Files.writeString(directory.resolve("resolv.conf"), "search inner.test\n")));
        assertEquals(List.of(), loop.call(empty::nameservers));
        assertFails(libevent.EVUTIL_EAI_FAIL, dns.lookup("localhost.test", Family.IPV6).handle((list, failure) -> null).thenCompose(
            nothing -> dns.lookup("one.test", Family.IPV6)));
    }

    @ParameterizedTest
    @CsvSource({"timeout,2", "timeout:,0.5", "attempts,3", "max-timeouts,1", "max-inflight,1", "max-inflight,65000", "ndots,0",
        "randomize-case,0", "randomize-case,1", "getaddrinfo-allow-skew,0.001", "initial-probe-timeout,3600", "bind-to,127.0.0.1",
        "bind-to,[::1]:0053", "bind-to,::1", "so-rcvbuf,65536", "so-sndbuf,65536"})
    void optionsThatThereAre(String name, String value) throws Exception {
        set(() -> dns.option(name, value));
        assertRecords(dns.resolveIpv4("one.test"), "10.0.0.1");
    }

    @ParameterizedTest
    @CsvSource({"timeouts,1", "'',1", ":,1", "timeout:1,1", "edns0,1", "rotate,1", "Timeout,1", "timeout,''", "timeout,0", "timeout,0.0001",
        "timeout,-1", "timeout,nan", "timeout,inf", "timeout,1e9", "timeout,99999", "timeout,1s", "attempts,0", "attempts,-3",
        "attempts,256", "attempts,''", "attempts,1x", "max-timeouts,0", "max-inflight,0", "max-inflight,65001", "max-inflight,4294967297", "ndots,-1",
        "randomize-case,2", "randomize-case,yes", "bind-to,''", "bind-to,localhost", "bind-to,127.0.0.1:80x", "bind-to,1.2.3.4:99999",
        "so-rcvbuf,-1", "so-sndbuf,2147483648", "initial-probe-timeout,never"})
    void optionsThatThereAreNot(String name, String value) throws Exception {
        assertThrows(IllegalArgumentException.class, () -> set(() -> dns.option(name, value)));
    }

    @Test
    void optionsNeedBoth() throws Exception {
        assertThrows(NullPointerException.class, () -> set(() -> dns.option(null, "1")));
        assertThrows(NullPointerException.class, () -> set(() -> dns.option("timeout", null)));
        String message = assertThrows(IllegalArgumentException.class, () -> set(() -> dns.option("retries", "1"))).getMessage();
        assertTrue(message.contains("attempts"), message);
    }

    @Test
    void anOutgoingAddressThatIsNotOursIsRefused() throws Exception {
        set(() -> {
            dns.option("bind-to", "203.0.113.1");
            dns.addNameserver(new InetSocketAddress("127.0.0.9", 53)); // not for the loopback
        });
        IOException failure = assertThrows(IOException.class, () -> set(() -> dns.addNameserver(new InetSocketAddress("10.0.0.1", 53))));
        assertTrue(failure.getMessage().contains("10.0.0.1"), failure.getMessage());
    }

    // ---- what is refused

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a..b", ".a", "a b", "a\0.test", "a\n", "b\u00fccher.test", "a.test\u007f",
        "0123456789012345678901234567890123456789012345678901234567890123.test"})
    void namesThatAreNone(String name) throws Exception {
        assertThrows(IllegalArgumentException.class, () -> dns.resolveIpv4(name));
        assertThrows(IllegalArgumentException.class, () -> dns.resolveIpv6(name));
        assertThrows(IllegalArgumentException.class, () -> dns.lookup(name, Family.ANY));
        assertThrows(IllegalArgumentException.class, () -> dns.lookup(name, 80, Family.ANY));
    }

    @Test
    void aNameHas253CharactersAtMost() throws Exception {
        String longest = ("a".repeat(49) + ".").repeat(5) + "abc"; // 253
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4(longest.substring(0, 248) + ".test"));
        assertThrows(IllegalArgumentException.class, () -> dns.resolveIpv4(longest + "d"));
        // With a search domain behind it, it is too long for any server.
        set(() -> dns.addSearch("inner.test"));
        String label = "a".repeat(63);
        String name = label + "." + label + "." + label + "." + label.substring(4);
        assertFails(libevent.DNS_ERR_NOTEXIST, dns.resolveIpv4(name));
        set(() -> dns.searchDots(9));
        assertFails(libevent.DNS_ERR_UNKNOWN, dns.resolveIpv4(name));
        assertFails(libevent.EVUTIL_EAI_FAIL, dns.lookup(name, Family.ANY));
    }

    @Test
    void nullIsRefusedBeforeAnythingIsAsked() throws Exception {
        assertThrows(NullPointerException.class, () -> dns.resolveIpv4(null));
        assertThrows(NullPointerException.class, () -> dns.resolveIpv6(null));
        assertThrows(NullPointerException.class, () -> dns.resolveReverse(null));
        assertThrows(NullPointerException.class, () -> dns.lookup(null, Family.ANY));
        assertThrows(NullPointerException.class, () -> dns.lookup("one.test", null));
        assertThrows(NullPointerException.class, () -> dns.resolveIpv4("one.test", (Flag) null));
        assertThrows(NullPointerException.class, () -> set(() -> dns.addSearch(null)));
        assertThrows(NullPointerException.class, () -> set(() -> dns.addNameserver(null)));
        assertThrows(NullPointerException.class, () -> set(() -> dns.parseResolvConf(null)));
        assertThrows(NullPointerException.class, () -> set(() -> dns.loadHosts(null)));
        assertThrows(IllegalArgumentException.class, () -> dns.lookup("one.test", -1, Family.ANY));
        assertThrows(IllegalArgumentException.class, () -> dns.lookup("one.test", 65536, Family.ANY));
        assertThrows(IllegalArgumentException.class, () -> set(() -> dns.searchDots(-1)));
        assertThrows(IllegalArgumentException.class, () -> set(() -> dns.addSearch("")));
        assertThrows(IllegalArgumentException.class, () -> set(() -> dns.addSearch("a b")));
    }

    @Test
    void settingsAreForTheLoopsThread() {
        assertThrows(IllegalStateException.class, dns::nameservers);
        assertThrows(IllegalStateException.class, () -> dns.option("timeout", "1"));
        assertThrows(IllegalStateException.class, dns::clearNameserversAndSuspend);
    }

    // ---- the system's settings

    @Test
    void theSystemsSettings() throws Exception {
        Dns system = loop.call(() -> Dns.create(loop.base()));
        assertFalse(loop.call(system::nameservers).isEmpty());
        assertTrue(LoopThread.await(system.lookup("localhost", Family.IPV4)).contains(InetAddress.getByName("127.0.0.1")));
    }

    @Test
    void aResolverWithoutQuestionsDoesNotKeepTheLoopRunning() throws Exception {
        try (EventBase base = EventBase.create(); Dns system = Dns.create(base); Dns ours = Dns.createEmpty(base)) {
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            ours.addNameserver(dnsmasq.address());
            assertEquals(LoopExit.NO_EVENTS, base.dispatch());
            CompletableFuture<Answer<InetAddress>> answer = ours.resolveIpv4("one.test");
            base.dispatch();
            assertTrue(answer.isDone());
            assertTrue(system.isOpen());
        }
    }

    // ---- connecting by name

    @Test
    void connectsByNameToTheFirstAddressThatAccepts() throws Exception {
        CompletableFuture<String> heard = new CompletableFuture<>();
        set(() -> {
            ConnectionListener listener = ConnectionListener.bind(loop.base(), new InetSocketAddress("127.0.0.1", 0), connection -> {
                BufferEvent event = connection.toBufferEvent();
                event.listener(new BufferEvent.Listener() {
                    @Override
                    public void onRead(BufferEvent event) {
                        event.write(event.input());
                    }
                });
                event.enable(BufferEvent.Direction.READ);
            });
            BufferEvent client = BufferEvent.create(loop.base());
            client.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent event) {
                    heard.complete(new String(event.input().removeAll()));
                }

                @Override
                public void onError(BufferEvent event, IOException failure) {
                    heard.completeExceptionally(failure);
                }
            });
            client.connect(dns, "server.test", ((InetSocketAddress) listener.address()).getPort()); // two others refuse
            client.write("hello");
            client.enable(BufferEvent.Direction.READ);
        });
        assertEquals("hello", LoopThread.await(heard));
    }

    @Test
    void theLastRefusalIsToldWhenNoAddressAccepts() throws Exception {
        CompletableFuture<IOException> refused = new CompletableFuture<>();
        CompletableFuture<IOException> unknown = new CompletableFuture<>();
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = socket.getLocalPort();
        }
        set(() -> {
            BufferEvent client = BufferEvent.create(loop.base());
            client.listener(failureOf(refused));
            client.connect(dns, "server.test", port);
            BufferEvent nowhere = BufferEvent.create(loop.base());
            nowhere.listener(failureOf(unknown));
            nowhere.connect(dns, "no.test", port);
        });
        assertEquals("connect to server.test:" + port + ": Connection refused (errno 111)", LoopThread.await(refused).getMessage());
        UnknownHostException failure = (UnknownHostException) LoopThread.await(unknown);
        assertEquals(libevent.EVUTIL_EAI_NONAME, ((DnsException) failure.getCause()).code());
    }

    private static BufferEvent.Listener failureOf(CompletableFuture<IOException> failure) {
        return new BufferEvent.Listener() {
            @Override
            public void onError(BufferEvent event, IOException why) {
                assertTrue(failure.complete(why), "told once");
            }
        };
    }

    @Test
    void aNameThatCannotBeAskedForLeavesTheBufferEventAsItWas() throws Exception {
        set(() -> {
            BufferEvent client = BufferEvent.create(loop.base());
            assertThrows(IllegalArgumentException.class, () -> client.connect(dns, "a..b", 80));
            Dns closed = Dns.createEmpty(loop.base());
            closed.close();
            assertThrows(IllegalStateException.class, () -> client.connect(closed, "one.test", 80));
            client.connect(dns, "one.test", 80);
            client.close();
        });
    }
}
