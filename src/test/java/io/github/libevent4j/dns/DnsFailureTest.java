package io.github.libevent4j.dns;

import static io.github.libevent4j.support.NameServer.record;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.EventBase.LoopFlag;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.dns.Dns.Answer;
import io.github.libevent4j.dns.Dns.Family;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.NameServer;
import io.github.libevent4j.support.NameServer.Question;
import io.github.libevent4j.support.Turns;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The resolver with name servers that fail, lie, or are silent, and with programs that change their mind. */
class DnsFailureTest extends LibeventTest {

    private NameServer server;
    private EventBase base;
    private Dns dns;

    @BeforeEach
    void open() throws Exception {
        server = new NameServer();
        base = EventBase.create();
        dns = Dns.createEmpty(base);
        dns.addNameserver(server.address());
    }

    @AfterEach
    void close() {
        base.close();
        server.close();
    }

    /** Lets a question that has been asked go out. */
    private Question asked() throws Exception {
        base.loop(LoopFlag.NONBLOCK);
        return server.next();
    }

    private int codeOf(CompletableFuture<?> future) {
        DnsException failure = assertThrows(DnsException.class, () -> Turns.await(base, future));
        return failure.code();
    }

    private static int closedCode(CompletableFuture<?> future) {
        assertTrue(future.isDone());
        return ((DnsException) assertThrows(ExecutionException.class, future::get).getCause()).code();
    }

    // ---- answers

    @ParameterizedTest
    @CsvSource({"0x200,65,TRUNCATED", "1,1,FORMAT", "3,3,NOTEXIST", "4,4,NOTIMPL", "5,5,REFUSED", "9,66,UNKNOWN"})
    void whatServersSayIsToldApart(String flags, int code, String name) throws Exception {
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        asked().fail(Integer.decode(flags));
        assertEquals(code, codeOf(future), name);
        CompletableFuture<List<InetAddress>> lookup = dns.lookup("a.test", Family.IPV4);
        asked().fail(Integer.decode(flags));
        assertEquals(code == libevent.DNS_ERR_NOTEXIST ? libevent.EVUTIL_EAI_NONAME : libevent.EVUTIL_EAI_FAIL, codeOf(lookup), name);
    }

    /** "Sometimes means that it is broken, and sometimes that the request was confusing", says libevent. */
    @Test
    void aServerFailureIsAskedAgainUntilItCountsAsATimeout() throws Exception {
        dns.option("attempts", "2");
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        asked().fail(NameServer.SERVER_FAILURE);
        base.loop(LoopFlag.ONCE);
        server.next().fail(NameServer.SERVER_FAILURE);
        assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(future));
    }

    @Test
    void aSilentServerIsAskedAsOftenAsTold() throws Exception {
        dns.option("timeout", "0.02");
        dns.option("attempts", "3");
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(future));
        for (int i = 0; i < 3; i++) {
            assertEquals("a.test", server.next().name());
        }
        assertFalse(server.asked());
        CompletableFuture<List<InetAddress>> lookup = dns.lookup("a.test", Family.ANY);
        assertEquals(libevent.EVUTIL_EAI_FAIL, codeOf(lookup));
    }

    @Test
    void anotherServerIsAskedWhenOneIsSilent() throws Exception {
        try (NameServer other = new NameServer()) {
            dns.option("timeout", "0.01");
            dns.option("attempts", "255");
            dns.option("max-timeouts", "255");
            dns.addNameserver(other.address());
            List<CompletableFuture<Answer<InetAddress>>> futures = List.of(dns.resolveIpv4("a.test"), dns.resolveIpv4("b.test"));
            while (!futures.stream().allMatch(CompletableFuture::isDone)) {
                base.loop(LoopFlag.NONBLOCK);
                Question question = other.poll();
                if (question != null) {
                    question.answer(record(60, "10.0.0.1"));
                }
            }
            for (CompletableFuture<Answer<InetAddress>> future : futures) {
                assertEquals(1, future.get().records().size());
            }
            assertTrue(server.asked());
        }
    }

    /** Later: libevent sends the question only when the first server could have been silent. */
    @Test
    void anotherServerIsAskedWhenOneRefuses() throws Exception {
        try (NameServer other = new NameServer()) {
            dns.option("timeout", "0.02");
            dns.addNameserver(other.address());
            CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
            base.loop(LoopFlag.NONBLOCK);
            Question refused = null;
            NameServer second = null;
            while (refused == null) {
                refused = server.poll();
                second = other;
                if (refused == null) {
                    refused = other.poll();
                    second = server;
                }
            }
            refused.fail(NameServer.REFUSED);
            Question again = second.poll();
            while (again == null) {
                base.loop(LoopFlag.ONCE);
                again = second.poll();
            }
            again.answer(record(60, "10.0.0.1"));
            assertEquals(1, Turns.await(base, future).records().size());
        }
    }

    @Test
    void answersOfOthersAndToOtherQuestionsAreIgnored() throws Exception {
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        Question question = asked();
        byte[] right = question.response(0, record(60, "10.0.0.1"));
        byte[] evil = question.response(0, record(60, "10.6.6.6"));
        evil[0] ^= 1; // another id
        question.send(evil);
        base.loop(LoopFlag.ONCE);
        evil[0] ^= 1;
        evil[2] &= 0x7F; // no response
        question.send(evil);
        base.loop(LoopFlag.ONCE);
        evil[2] |= (byte) 0x80;
        try (DatagramSocket stranger = new DatagramSocket(0, InetAddress.getByName("127.0.0.2"))) {
            question.sendFrom(stranger, evil);
            base.loop(LoopFlag.ONCE);
        }
        assertFalse(future.isDone());
        question.send(right);
        assertEquals(List.of(InetAddress.getByName("10.0.0.1")), Turns.await(base, future).records());
    }

    @Test
    void anAnswerForAnotherNameIsAFailure() throws Exception {
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        Question question = asked();
        byte[] response = question.response(0, record(60, "10.6.6.6"));
        response[13] = 'b';
        question.send(response);
        assertEquals(libevent.DNS_ERR_UNKNOWN, codeOf(future));
    }

    @Test
    void moreAddressesThanLibeventKeeps() throws Exception {
        byte[][] four = new byte[40][];
        byte[][] six = new byte[40][];
        for (int i = 0; i < 40; i++) {
            four[i] = record(60 + i, "10.0.0." + i);
            six[i] = record(60 + i, "fd00::" + Integer.toHexString(i));
        }
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        asked().answer(four);
        assertEquals(32, Turns.await(base, future).records().size());
        CompletableFuture<Answer<InetAddress>> future6 = dns.resolveIpv6("a.test");
        asked().answer(six);
        Answer<InetAddress> answer = Turns.await(base, future6);
        assertEquals(32, answer.records().size());
        assertEquals(InetAddress.getByName("fd00::1f"), answer.records().get(31));
        assertEquals(Duration.ofSeconds(60), answer.timeToLive(), "the shortest");
    }

    @Test
    void timesToLive() throws Exception {
        for (int[] time : new int[][] {{0, 0}, {Integer.MAX_VALUE, Integer.MAX_VALUE}, {Integer.MIN_VALUE, 0}, {-2, 0}}) {
            CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
            asked().answer(record(time[0], "10.0.0.1"));
            assertEquals(Duration.ofSeconds(time[1]), Turns.await(base, future).timeToLive());
        }
    }

    @Test
    void namesInAnswers() throws Exception {
        InetAddress address = InetAddress.getByName("10.0.0.1");
        String longest = "a".repeat(59) + ".abc"; // 63
        for (String name : List.of("a.test", "caf\u00e9.test", longest)) {
            CompletableFuture<Answer<String>> future = dns.resolveReverse(address);
            Question question = asked();
            assertEquals("1.0.0.10.in-addr.arpa", question.name());
            question.answer(record(NameServer.PTR, 60, NameServer.name(name)));
            assertEquals(List.of(name), Turns.await(base, future).records());
        }
        CompletableFuture<Answer<String>> tooLong = dns.resolveReverse(address);
        asked().answer(record(NameServer.PTR, 60, NameServer.name(longest + "d")));
        assertEquals(libevent.DNS_ERR_UNKNOWN, codeOf(tooLong));

        CompletableFuture<Answer<String>> root = dns.resolveReverse(address);
        asked().answer(record(NameServer.PTR, 60, new byte[1]));
        assertEquals(List.of(""), Turns.await(base, root).records());

        CompletableFuture<Answer<String>> several = dns.resolveReverse(address);
        asked().answer(record(NameServer.PTR, 60, NameServer.name("a.test")), record(NameServer.PTR, 60, NameServer.name("b.test")));
        assertEquals(List.of("a.test"), Turns.await(base, several).records());
    }

    @Test
    void reverseQuestionsOfIpv6() throws Exception {
        CompletableFuture<Answer<String>> future = dns.resolveReverse(InetAddress.getByName("2001:db8::f00"));
        Question question = asked();
        assertEquals("0.0.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", question.name());
        assertEquals(NameServer.PTR, question.type());
        question.answer(record(NameServer.PTR, 60, NameServer.name("a.test")));
        assertEquals(List.of("a.test"), Turns.await(base, future).records());
    }

    /** Every beginning of a response, and bytes of it that are others: each question ends, and nothing is read that is not there. */
    @Test
    void malformedResponses() throws Exception {
        dns.option("timeout", "0.02");
        dns.option("attempts", "1");
        dns.option("max-timeouts", "255");
        dns.option("initial-probe-timeout", "3600");
        Random random = new Random(42);
        for (int i = 0; i < 600; i++) {
            boolean reverse = i % 3 == 2;
            CompletableFuture<?> future = reverse ? dns.resolveReverse(InetAddress.getByName("10.0.0.1"))
                : i % 3 == 1 ? dns.resolveIpv6("a.test") : dns.lookup("a.test", Family.IPV4);
            Question question = asked();
            byte[] response = question.response(0,
                record(NameServer.CNAME, 60, NameServer.name("b.test")),
                reverse ? record(NameServer.PTR, 60, NameServer.name("c.test")) : record(60, i % 3 == 1 ? "fd00::1" : "10.0.0.1"));
            if (i < 200) {
                response = Arrays.copyOf(response, Math.min(i, response.length));
            } else {
                for (int n = random.nextInt(4); n >= 0; n--) {
                    response[2 + random.nextInt(response.length - 2)] = (byte) random.nextInt(256);
                }
            }
            question.send(response);
            Turns.until(base, future::isDone);
            while (server.asked()) { // when it timed out
            }
        }
    }

    @Test
    void aCompressionLoopIsAFailure() throws Exception {
        CompletableFuture<Answer<String>> future = dns.resolveReverse(InetAddress.getByName("10.0.0.1"));
        Question question = asked();
        int data = question.response(0).length + 12;
        question.answer(record(NameServer.PTR, 60, new byte[] {(byte) (0xC0 | data >> 8), (byte) data}));
        assertEquals(libevent.DNS_ERR_UNKNOWN, codeOf(future));
    }

    // ---- the program changes its mind

    @Test
    void cancellingTakesTheQuestionBack() throws Exception {
        for (CompletableFuture<?> future : List.of(dns.resolveIpv4("a.test"), dns.resolveIpv6("a.test"),
                dns.resolveReverse(InetAddress.getByName("10.0.0.1")), dns.lookup("a.test", Family.IPV4))) {
            Question question = asked();
            assertTrue(future.cancel(false));
            question.answer(record(60, "10.0.0.1")); // too late
            base.loop(LoopFlag.NONBLOCK);
            assertThrows(CancellationException.class, future::get);
        }
        assertEquals(0, base.pendingEvents(), "nothing is under way");
    }

    @Test
    void completingInAnotherWayTakesTheQuestionBackToo() throws Exception {
        CompletableFuture<List<InetAddress>> completed = dns.lookup("a.test", Family.ANY);
        completed.complete(List.of());
        CompletableFuture<Answer<InetAddress>> late = dns.resolveIpv4("b.test").orTimeout(1, TimeUnit.MILLISECONDS);
        ExecutionException failure = assertThrows(ExecutionException.class, late::get);
        assertTrue(failure.getCause() instanceof TimeoutException);
        Turns.until(base, () -> base.pendingEvents() == 0);
    }

    @Test
    void anAnswerThatIsHereAlreadyCanBeCancelled() throws Exception {
        List<CompletableFuture<Answer<InetAddress>>> futures = new ArrayList<>();
        AtomicInteger answered = new AtomicInteger();
        for (int i = 0; i < 40; i++) { // more than libevent answers in one turn
            futures.add(dns.resolveIpv4("a" + i + ".test").whenComplete((answer, failure) -> {
                if (failure == null) {
                    answered.incrementAndGet();
                    futures.forEach(future -> future.cancel(false));
                }
            }));
        }
        base.loop(LoopFlag.NONBLOCK);
        for (int i = 0; i < 40; i++) {
            server.next().answer(record(60, "10.0.0.1"));
        }
        for (CompletableFuture<Answer<InetAddress>> future : futures) {
            Turns.until(base, future::isDone);
        }
        assertEquals(1, answered.get());
    }

    /** Libevent's own callback of a cancelled lookup looks at its resolver. */
    @Test
    void aLookupIsCancelledAndItsResolverClosedAtOnce() throws Exception {
        CompletableFuture<List<InetAddress>> future = dns.lookup("a.test", Family.ANY);
        future.cancel(false);
        dns.close();
        base.loop(LoopFlag.NONBLOCK);
        assertThrows(CancellationException.class, future::get);
    }

    /** So does that of one that has been answered. */
    @Test
    void aResolverIsClosedWithAnswersOnTheirWay() throws Exception {
        List<CompletableFuture<List<InetAddress>>> futures = new ArrayList<>();
        AtomicInteger answered = new AtomicInteger();
        for (int i = 0; i < 40; i++) {
            futures.add(dns.lookup("a" + i + ".test", Family.IPV4).whenComplete((answer, failure) -> {
                answered.incrementAndGet();
                dns.close();
            }));
        }
        base.loop(LoopFlag.NONBLOCK);
        for (int i = 0; i < 40; i++) {
            server.next().answer(record(60, "10.0.0.1"));
        }
        for (CompletableFuture<List<InetAddress>> future : futures) {
            Turns.until(base, future::isDone);
        }
        assertEquals(40, answered.get());
        assertFalse(dns.isOpen());
    }

    @Test
    void closingFailsWhatIsAsked() throws Exception {
        List<CompletableFuture<?>> futures = new ArrayList<>();
        AtomicInteger completions = new AtomicInteger();
        for (int i = 0; i < 200; i++) { // more than libevent asks at the same time
            futures.add(i % 2 == 0 ? dns.lookup("a" + i + ".test", Family.ANY) : dns.resolveIpv4("a" + i + ".test"));
            futures.get(i).whenComplete((answer, failure) -> completions.incrementAndGet());
        }
        Question question = asked();
        dns.close();
        for (CompletableFuture<?> future : futures) {
            assertEquals(libevent.DNS_ERR_SHUTDOWN, closedCode(future));
        }
        question.answer(record(60, "10.0.0.1"));
        base.loop(LoopFlag.NONBLOCK);
        assertEquals(200, completions.get());
        assertThrows(IllegalStateException.class, () -> dns.resolveIpv4("a.test"));
        assertThrows(IllegalStateException.class, () -> dns.lookup("a.test", Family.ANY));
        assertThrows(IllegalStateException.class, () -> dns.resolveReverse(InetAddress.getLoopbackAddress()));
        assertThrows(IllegalStateException.class, dns::nameservers);
        futures.get(0).cancel(false);
        dns.close();
    }

    @Test
    void closingTheBaseFailsWhatIsAsked() throws Exception {
        List<CompletableFuture<?>> futures = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            futures.add(i % 2 == 0 ? dns.lookup("a" + i + ".test", Family.ANY) : dns.resolveIpv4("a" + i + ".test"));
        }
        base.loop(LoopFlag.NONBLOCK);
        base.close();
        for (CompletableFuture<?> future : futures) {
            assertEquals(libevent.DNS_ERR_SHUTDOWN, closedCode(future));
        }
    }

    private enum Act {
        ASK, CLOSE, CLOSE_BASE, CANCEL_OTHERS, CLEAR
    }

    /** From within a completion, of an answer, of a failure, and of a lookup that is answered at once. */
    @ParameterizedTest
    @EnumSource(Act.class)
    void completionsMayDoAnything(Act act) throws Exception {
        List<CompletableFuture<?>> others = new ArrayList<>();
        AtomicInteger acted = new AtomicInteger();
        Runnable action = () -> {
            acted.incrementAndGet();
            switch (act) {
                case ASK -> others.add(dns.resolveIpv4("again.test"));
                case CLOSE -> dns.close();
                case CLOSE_BASE -> base.close();
                case CANCEL_OTHERS -> others.forEach(other -> other.cancel(false));
                case CLEAR -> dns.clearNameserversAndSuspend();
            }
        };
        CompletableFuture<?> answered = dns.resolveIpv4("a.test").whenComplete((answer, failure) -> action.run());
        Question question = asked();
        others.add(dns.lookup("b.test", Family.ANY));
        others.add(dns.resolveIpv6("c.test"));
        base.loop(LoopFlag.NONBLOCK);
        question.answer(record(60, "10.0.0.1"));
        Turns.until(base, answered::isDone);
        assertEquals(1, acted.get());
        if (act != Act.CLOSE && act != Act.CLOSE_BASE) {
            CompletableFuture<?> atOnce = dns.lookup("127.0.0.1", Family.ANY).whenComplete((answer, failure) -> action.run());
            assertTrue(atOnce.isDone());
            CompletableFuture<?> cancelled = dns.resolveIpv4("d.test");
            CompletableFuture<?> dependent = cancelled.whenComplete((answer, failure) -> action.run());
            cancelled.cancel(false);
            assertTrue(dependent.isDone());
            assertEquals(3, acted.get());
        }
        base.close();
        others.forEach(other -> assertTrue(other.isDone()));
    }

    @Test
    void aCompletionOfTheCloseMayAskInVain() throws Exception {
        CompletableFuture<CompletableFuture<?>> again = new CompletableFuture<>();
        dns.resolveIpv4("a.test").whenComplete((answer, failure) -> {
            try {
                again.complete(dns.resolveIpv4("b.test"));
            } catch (IllegalStateException e) {
                again.completeExceptionally(e);
            }
        });
        dns.close();
        assertThrows(ExecutionException.class, again::get);
    }

    @Test
    void closingFromAnotherThread() throws Exception {
        base.close();
        try (LoopThread loop = new LoopThread()) {
            for (int i = 0; i < 100; i++) {
                Dns each = loop.call(() -> Dns.createEmpty(loop.base()));
                loop.call(() -> {
                    each.addNameserver(server.address());
                    return null;
                });
                CountDownLatch completed = new CountDownLatch(2);
                List<CompletableFuture<?>> futures = List.of(each.lookup("a.test", Family.ANY), each.resolveIpv4("b.test"));
                futures.forEach(future -> future.whenComplete((answer, failure) -> completed.countDown()));
                if (i % 2 == 0) {
                    futures.get(0).cancel(true);
                }
                each.close();
                completed.await();
            }
        }
    }

    // ---- servers that come and go

    @Test
    void whatIsAskedWhileSuspendedWaits() throws Exception {
        CompletableFuture<Answer<InetAddress>> before = dns.resolveIpv4("a.test");
        CompletableFuture<List<InetAddress>> lookup = dns.lookup("b.test", Family.IPV6);
        base.loop(LoopFlag.NONBLOCK);
        server.next();
        server.next();
        dns.clearNameserversAndSuspend();
        CompletableFuture<Answer<InetAddress>> meanwhile = dns.resolveIpv4("c.test");
        base.loop(LoopFlag.NONBLOCK);
        assertFalse(before.isDone() || lookup.isDone() || meanwhile.isDone());
        assertThrows(IllegalStateException.class, dns::resume);
        try (NameServer other = new NameServer()) {
            dns.addNameserver(other.address());
            base.loop(LoopFlag.NONBLOCK);
            assertFalse(other.asked());
            dns.resume();
            for (String name : List.of("a.test", "b.test", "c.test")) {
                Question question = other.next();
                assertEquals(name, question.name());
                question.answer(record(60, question.type() == NameServer.A ? "10.0.0.1" : "fd00::1"));
            }
            Turns.await(base, before);
            Turns.await(base, meanwhile);
            assertEquals(List.of(InetAddress.getByName("fd00::1")), Turns.await(base, lookup));
        }
        assertFalse(server.asked());
    }

    /** Two servers that failed and are asked whether they are back, and more questions than are asked at the same time. */
    @Test
    void serversAreClearedWhileLibeventLooksWhetherTheyAreBack() throws Exception {
        try (NameServer other = new NameServer()) {
            dns.option("timeout", "0.01");
            dns.option("attempts", "1");
            dns.option("initial-probe-timeout", "0.001");
            dns.addNameserver(other.address());
            assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(dns.resolveIpv4("a.test")));
            assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(dns.resolveIpv4("a.test")));
            dns.option("timeout", "100");
            for (NameServer each : List.of(server, other)) {
                while (!probed(each)) {
                    base.loop(LoopFlag.ONCE);
                }
            }
            dns.option("max-inflight", "1");
            List<CompletableFuture<?>> futures = List.of(dns.resolveIpv4("b.test"), dns.lookup("c.test", Family.ANY));
            base.loop(LoopFlag.NONBLOCK);
            dns.clearNameserversAndSuspend();
            base.loop(LoopFlag.NONBLOCK);
            assertFalse(futures.stream().anyMatch(CompletableFuture::isDone));
            assertEquals(0, base.pendingEvents());
        }
    }

    private static boolean probed(NameServer server) throws Exception {
        while (true) {
            Question question = server.poll();
            if (question == null) {
                return false;
            }
            if (question.name().equals("google.com")) {
                return true;
            }
        }
    }

    /** Libevent would call back with a server that it has freed. */
    @Test
    void aResolverIsClosedWhileLibeventLooksWhetherItsServerIsBack() throws Exception {
        dns.option("timeout", "0.01");
        dns.option("attempts", "1");
        dns.option("initial-probe-timeout", "0.001");
        assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(dns.resolveIpv4("a.test")));
        dns.option("timeout", "100");
        while (!probed(server)) {
            base.loop(LoopFlag.ONCE);
        }
        assertTrue(base.pendingEvents() > 0);
        dns.close();
        base.loop(LoopFlag.NONBLOCK);
        assertEquals(0, base.pendingEvents());
    }

    @Test
    void aServerThatIsBackIsUsedAgain() throws Exception {
        dns.option("timeout", "0.01");
        dns.option("attempts", "1");
        dns.option("initial-probe-timeout", "0.001");
        assertEquals(libevent.DNS_ERR_TIMEOUT, codeOf(dns.resolveIpv4("a.test")));
        while (base.pendingEvents() > 0) {
            base.loop(LoopFlag.NONBLOCK);
            Question question = server.poll();
            if (question != null) {
                question.fail(NameServer.NO_SUCH_NAME);
            }
        }
        dns.option("timeout", "100");
        while (server.asked()) { // of libevent's own
        }
        CompletableFuture<Answer<InetAddress>> future = dns.resolveIpv4("a.test");
        asked().answer(record(60, "10.0.0.1"));
        assertEquals(1, Turns.await(base, future).records().size());
    }

    @Test
    void oneFamilyIsEnoughWhenTheOtherTakesTooLong() throws Exception {
        dns.option("getaddrinfo-allow-skew", "0.01");
        CompletableFuture<List<InetAddress>> future = dns.lookup("a.test", Family.ANY);
        base.loop(LoopFlag.NONBLOCK);
        Question first = server.next();
        Question second = server.next();
        (first.type() == NameServer.A ? first : second).answer(record(60, "10.0.0.1"));
        future.whenComplete((addresses, failure) -> dns.close()); // with libevent's end of the other still to come
        assertEquals(List.of(InetAddress.getByName("10.0.0.1")), Turns.await(base, future));
        base.loop(LoopFlag.NONBLOCK);
    }
}
