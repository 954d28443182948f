package io.github.libevent4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.support.Turns;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Limits are looked at from inside: what a bucket holds, and what comes at a time. Nothing is timed. */
class RateLimitTest extends LibeventTest {

    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration LONG = Duration.ofHours(1);

    private EventBase base;
    private ConnectionListener listener;
    private final List<BufferEvent> accepted = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
        listener = ConnectionListener.bind(base, new InetSocketAddress("127.0.0.1", 0),
            connection -> accepted.add(connection.toBufferEvent()));
    }

    @AfterEach
    void close() {
        base.close();
    }

    /** A connected socket; its other side is accepted last. */
    private BufferEvent connect() throws Exception {
        BufferEvent client = BufferEvent.create(base);
        Recorder recorder = new Recorder();
        client.listener(recorder);
        client.connect(listener.address());
        int before = accepted.size();
        Turns.until(base, () -> recorder.heard("connected") && accepted.size() > before);
        return client;
    }

    private BufferEvent lastAccepted() {
        return accepted.get(accepted.size() - 1);
    }

    /** What is added to the event's input, piece by piece. */
    private static List<Long> pieces(BufferEvent event) {
        List<Long> pieces = new ArrayList<>();
        event.input().onChange((before, added, deleted) -> pieces.add(added));
        event.enable(Direction.READ);
        return pieces;
    }

    private static RateLimit limit(long rate, long burst, Duration tick) {
        return new RateLimit(rate, burst, rate, burst, tick);
    }

    @Test
    void checksItsRanges() {
        assertThrows(IllegalArgumentException.class, () -> limit(0, 1, TICK));
        assertThrows(IllegalArgumentException.class, () -> limit(2, 1, TICK));
        assertThrows(IllegalArgumentException.class, () -> new RateLimit(1, 1, -1, 1, TICK));
        assertThrows(IllegalArgumentException.class, () -> limit(1, 1, Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> limit(1, 1, Duration.ofNanos(1)));
        assertThrows(IllegalArgumentException.class, () -> limit(1, 1, Duration.ofHours(2)));
        assertEquals(new RateLimit(100, 1000, 1, 5, Duration.ofMillis(100)), RateLimit.perSecond(1000, 5));
        assertEquals(RateLimit.UNLIMITED, RateLimit.perSecond(RateLimit.UNLIMITED, 1).readBurst());
    }

    @Test
    void readsNoMoreAtATimeThanItsBucketHolds() throws Exception {
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        assertEquals(RateLimit.UNLIMITED, server.readLimit());
        server.rateLimit(limit(500, 1000, TICK));
        assertTrue(server.readLimit() <= 1000);
        List<Long> pieces = pieces(server);
        client.write(new byte[50_000]);
        Turns.until(base, () -> server.input().length() == 50_000);
        assertTrue(pieces.stream().allMatch(piece -> piece <= 1000), pieces.toString());
    }

    @Test
    void waitsWhenItsBucketIsEmptyAndGoesOnWhenItIsNotLimitedAnyMore() throws Exception {
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        server.rateLimit(limit(1000, 1000, LONG));
        server.enable(Direction.READ);
        client.write(new byte[5000]);
        Turns.until(base, () -> server.input().length() == 1000);
        assertEquals(0, server.readLimit());
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(1000, server.input().length());
        server.charge(Direction.READ, -700);
        Turns.until(base, () -> server.input().length() == 1700);
        server.rateLimit(limit(2000, 2000, LONG));
        server.charge(Direction.READ, -2000);
        Turns.until(base, () -> server.input().length() > 1700);
        server.rateLimit(null);
        Turns.until(base, () -> server.input().length() == 5000);
        assertEquals(RateLimit.UNLIMITED, server.readLimit());
        assertThrows(IllegalStateException.class, () -> server.charge(Direction.READ, 1));
    }

    @Test
    void writesNoMoreAtATimeThanItsBucketHolds() throws Exception {
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        client.rateLimit(limit(1000, 1000, LONG));
        client.write(new byte[5000]);
        server.enable(Direction.READ);
        Turns.until(base, () -> server.input().length() == 1000);
        assertEquals(4000, client.output().length());
        assertEquals(0, client.writeLimit());
        client.charge(Direction.WRITE, -1500);
        Turns.until(base, () -> server.input().length() == 2500);
        client.rateLimit(limit(1000, 10_000, TICK));
        Turns.until(base, () -> server.input().length() == 5000);
    }

    @Test
    void limitsManyTimesWithoutALeak() throws Exception {
        BufferEvent client = connect();
        for (int i = 1; i <= 100; i++) {
            client.rateLimit(limit(i, i, TICK));
            if (i % 7 == 0) {
                client.rateLimit(null);
                client.rateLimit(null);
            }
        }
        lastAccepted().rateLimit(limit(1, 1, TICK));
    }

    // ---- groups

    @Test
    void aGroupSharesItsLimitAndCounts() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(2000, 2000, TICK));
        List<BufferEvent> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            BufferEvent client = connect();
            group.add(lastAccepted());
            lastAccepted().enable(Direction.READ);
            client.write(new byte[10_000]);
            clients.add(client);
        }
        Turns.until(base, () -> {
            assertTrue(group.readLimit() <= 2000);
            return accepted.stream().allMatch(event -> event.input().length() == 10_000);
        });
        assertEquals(new RateLimitGroup.Totals(50_000, 0), group.totals());
        accepted.get(0).write(new byte[100]);
        Turns.until(base, () -> accepted.get(0).output().length() == 0);
        assertEquals(new RateLimitGroup.Totals(50_000, 100), group.totals());
        group.resetTotals();
        assertEquals(new RateLimitGroup.Totals(0, 0), group.totals());
        assertTrue(group.writeLimit() <= 2000);
    }

    @Test
    void aGroupThatIsEmptyWaits() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(1000, 1000, LONG));
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        group.add(server);
        server.enable(Direction.READ);
        client.write(new byte[5000]);
        Turns.until(base, () -> group.readLimit() <= 0);
        long had = server.input().length();
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(had, server.input().length());
        group.charge(Direction.READ, -500);
        Turns.until(base, () -> server.input().length() > had);
        assertNotEquals(5000, server.input().length());
        group.remove(server);
        Turns.until(base, () -> server.input().length() == 5000);
        group.charge(Direction.WRITE, 10);
        assertEquals(990, group.writeLimit());
    }

    @Test
    void membersGoOnWhenTheirGroupIsClosed() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(1000, 1000, LONG));
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        group.add(server);
        group.add(client);
        server.enable(Direction.READ);
        client.write(new byte[5000]);
        Turns.until(base, () -> group.readLimit() <= 0);
        group.close();
        Turns.until(base, () -> server.input().length() == 5000);
        assertThrows(IllegalStateException.class, group::totals);
        assertThrows(IllegalStateException.class, () -> group.add(client));
    }

    @Test
    void aGroupForgetsMembersThatAreClosed() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(1000, 1000, TICK));
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        group.add(client);
        group.add(server);
        group.add(server);
        client.close();
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertThrows(IllegalStateException.class, () -> group.remove(client));
        assertThrows(IllegalStateException.class, () -> group.add(client));
        group.close();
        assertTrue(server.isOpen());
    }

    @Test
    void aMemberChangesItsGroup() throws Exception {
        RateLimitGroup first = RateLimitGroup.create(base, limit(1000, 1000, LONG));
        RateLimitGroup second = RateLimitGroup.create(base, RateLimit.perSecond(RateLimit.UNLIMITED, RateLimit.UNLIMITED));
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        first.add(server);
        server.enable(Direction.READ);
        client.write(new byte[5000]);
        Turns.until(base, () -> first.readLimit() <= 0);
        second.add(server);
        assertThrows(IllegalArgumentException.class, () -> first.remove(server));
        Turns.until(base, () -> server.input().length() == 5000);
        assertEquals(5000, first.totals().read() + second.totals().read());
        assertNotEquals(0, second.totals().read());
    }

    @Test
    void changesItsLimit() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(1000, 1000, LONG));
        BufferEvent client = connect();
        BufferEvent server = lastAccepted();
        group.add(server);
        server.enable(Direction.READ);
        client.write(new byte[5000]);
        Turns.until(base, () -> group.readLimit() <= 0);
        group.limit(limit(1000, 10_000, TICK));
        Turns.until(base, () -> server.input().length() == 5000);
        group.minShare(0);
        group.minShare(100);
        assertThrows(IllegalArgumentException.class, () -> group.minShare(-1));
    }

    @Test
    void eachMemberGetsItsMinimumAtATime() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(300, 300, TICK));
        group.minShare(300);
        List<List<Long>> pieces = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            BufferEvent client = connect();
            pieces.add(pieces(lastAccepted()));
            group.add(lastAccepted());
            client.write(new byte[3000]);
        }
        Turns.until(base, () -> accepted.stream().allMatch(event -> event.input().length() == 3000));
        for (List<Long> each : pieces) {
            assertTrue(each.stream().allMatch(piece -> piece <= 300), each.toString());
            assertTrue(each.stream().filter(piece -> piece == 300).count() >= 9, each.toString());
        }
    }

    @Test
    void isForOneBaseOnly() throws Exception {
        RateLimitGroup group = RateLimitGroup.create(base, limit(1, 1, TICK));
        try (EventBase other = EventBase.create()) {
            BufferEvent foreign = BufferEvent.create(other);
            assertThrows(IllegalArgumentException.class, () -> group.add(foreign));
        }
        assertThrows(NullPointerException.class, () -> group.add(null));
        assertThrows(NullPointerException.class, () -> group.limit(null));
        base.close();
        assertFalse(group.isOpen());
        assertThrows(IllegalStateException.class, () -> RateLimitGroup.create(base, limit(1, 1, TICK)));
    }
}
