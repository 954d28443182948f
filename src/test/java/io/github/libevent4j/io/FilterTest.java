package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.BufferEvent.Filter;
import io.github.libevent4j.io.BufferEvent.Filter.Result;
import io.github.libevent4j.io.BufferEvent.FlushMode;
import io.github.libevent4j.support.Turns;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilterTest extends LibeventTest {

    private EventBase base;
    private BufferEvent near;
    private BufferEvent far;
    private final Recorder nearHeard = new Recorder();
    private final Recorder farHeard = new Recorder();

    @BeforeEach
    void open() throws IOException {
        base = EventBase.create();
        List<BufferEvent> pair = BufferEvent.pair(base);
        near = pair.get(0);
        far = pair.get(1);
        far.listener(farHeard);
        far.enable(Direction.READ);
    }

    @AfterEach
    void close() {
        base.close();
    }

    private BufferEvent filter(BufferEvent underlying, Filter input, Filter output, BufferEvent.Option... options) {
        BufferEvent filter = BufferEvent.filter(underlying, input, output, options);
        filter.listener(nearHeard);
        filter.enable(Direction.READ);
        return filter;
    }

    /** Adds a number to each byte. */
    private static Filter rotate(int by) {
        return (source, target, limit, mode) -> {
            byte[] bytes = source.removeAll();
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] += (byte) by;
            }
            target.add(bytes);
            return Result.OK;
        };
    }

    /** Waits for four bytes at a time. */
    private static final Filter FOUR = (source, target, limit, mode) -> {
        if (source.length() < 4 && mode == FlushMode.NORMAL) {
            return Result.NEED_MORE;
        }
        target.addBuffer(source, 4);
        return Result.OK;
    };

    static Filter deflate(Deflater deflater) {
        return (source, target, limit, mode) -> {
            deflater.setInput(source.removeAll());
            byte[] part = new byte[4096];
            int flush = mode == FlushMode.NORMAL ? Deflater.NO_FLUSH : Deflater.SYNC_FLUSH;
            if (mode == FlushMode.FINISHED) {
                deflater.finish();
            }
            for (int n; (n = deflater.deflate(part, 0, part.length, flush)) > 0; ) {
                target.add(part, 0, n);
            }
            return Result.OK;
        };
    }

    static Filter inflate(Inflater inflater) {
        return (source, target, limit, mode) -> {
            inflater.setInput(source.removeAll());
            byte[] part = new byte[4096];
            try {
                for (int n; (n = inflater.inflate(part)) > 0; ) {
                    target.add(part, 0, n);
                }
            } catch (DataFormatException e) {
                return Result.ERROR;
            }
            return Result.OK;
        };
    }

    @Test
    void transformsBothWays() throws Exception {
        BufferEvent filter = filter(near, rotate(-1), rotate(1));
        filter.write("HAL");
        far.write("JCN");
        Turns.until(base, () -> nearHeard.heard("read") && farHeard.heard("read"));
        assertEquals("IBM", farHeard.read.toString());
        assertEquals("IBM", nearHeard.read.toString());
    }

    @Test
    void waitsUntilThereIsEnough() throws Exception {
        BufferEvent filter = filter(near, FOUR, FOUR);
        filter.write("012");
        far.write("abcde");
        Turns.until(base, () -> nearHeard.heard("read"));
        assertEquals("abcd", nearHeard.read.toString());
        assertEquals(3, filter.output().length());
        filter.write("3");
        Turns.until(base, () -> farHeard.heard("read"));
        assertEquals("0123", farHeard.read.toString());
        filter.write("4");
        filter.flush(FlushMode.FLUSH, Direction.WRITE);
        Turns.until(base, () -> farHeard.read.length() == 5);
        filter.flush(FlushMode.FLUSH, Direction.READ);
        assertEquals(1, filter.input().length());
    }

    @Test
    void compressesOverSockets() throws Exception {
        Deflater deflater = new Deflater();
        Inflater inflater = new Inflater();
        BufferEvent[] accepted = new BufferEvent[1];
        ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress("127.0.0.1", 0),
            connection -> accepted[0] = filter(connection.toBufferEvent(), inflate(inflater), Filter.NONE));
        BufferEvent socket = BufferEvent.create(base);
        BufferEvent client = filter(socket, Filter.NONE, deflate(deflater));
        socket.connect(listener.address());
        String text = "all work and no play makes jack a dull boy\n".repeat(10_000);
        client.write(text);
        client.flush(FlushMode.FINISHED, Direction.WRITE);
        assertTrue(socket.output().length() < 10_000, () -> Long.toString(socket.output().length()));
        Turns.until(base, () -> nearHeard.read.length() == text.length());
        assertEquals(text, nearHeard.read.toString());
        assertTrue(accepted[0].underlying().orElseThrow().descriptor() >= 0);
        deflater.end();
        inflater.end();
    }

    @Test
    void filtersCanBeStacked() throws Exception {
        BufferEvent filter = near;
        for (int i = 0; i < 5; i++) {
            filter = BufferEvent.filter(filter, rotate(-1), rotate(1));
        }
        BufferEvent top = filter(filter, FOUR, FOUR);
        top.write("AAAA");
        far.write("FFFF");
        Turns.until(base, () -> nearHeard.heard("read") && farHeard.heard("read"));
        assertEquals("FFFF", farHeard.read.toString());
        assertEquals("AAAA", nearHeard.read.toString());
        top.close();
    }

    @Test
    void carriesMuch() throws Exception {
        byte[] bytes = new byte[5_000_000];
        new Random(1).nextBytes(bytes);
        BufferEvent filter = filter(near, Filter.NONE, rotate(7));
        BufferEvent other = BufferEvent.filter(far, rotate(-7), Filter.NONE);
        other.enable(Direction.READ);
        filter.write(bytes);
        Turns.until(base, () -> other.input().length() == bytes.length);
        assertArrayEquals(bytes, other.input().removeAll());
    }

    @Test
    void isToldHowMuchToAddForTheWatermark() throws Exception {
        List<Long> limits = new ArrayList<>();
        BufferEvent filter = filter(near, (source, target, limit, mode) -> {
            limits.add(limit);
            return Filter.NONE.filter(source, target, limit, mode);
        }, Filter.NONE);
        List<Long> lengths = new ArrayList<>();
        filter.input().onChange((before, added, deleted) -> lengths.add(filter.input().length()));
        far.write("abc");
        Turns.until(base, () -> nearHeard.read.length() == 3);
        assertEquals(List.of(-1L), limits);
        filter.watermark(Direction.READ, 0, 10);
        far.write("0123456789abcdef");
        Turns.until(base, () -> nearHeard.read.length() == 19);
        assertEquals(List.of(-1L, 10L, 10L), limits);
        assertEquals(10, Collections.max(lengths));
    }

    @Test
    void waitsForAnUnderlyingOneThatIsFull() throws Exception {
        far.disable(Direction.READ);
        BufferEvent filter = filter(near, Filter.NONE, Filter.NONE);
        near.watermark(Direction.WRITE, 0, 10);
        filter.write("0123456789abcdef");
        assertEquals(10, near.output().length());
        assertEquals(6, filter.output().length());
        far.enable(Direction.READ);
        Turns.until(base, () -> farHeard.read.length() == 16);
    }

    // ---- failures

    @Test
    void aFilterThatFailsTellsItsListener() throws Exception {
        int[] calls = new int[2];
        BufferEvent filter = filter(near, (source, target, limit, mode) -> {
            calls[0]++;
            return Result.ERROR;
        }, (source, target, limit, mode) -> {
            calls[1]++;
            return Result.ERROR;
        });
        far.write("x");
        Turns.until(base, () -> nearHeard.heard("error"));
        assertEquals("the filter of input failed", nearHeard.failure.getMessage());
        far.write("y");
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(1, calls[0], "it is asked no more");
        nearHeard.events.clear();
        filter.write("z");
        assertEquals(List.of(), nearHeard.events, "not inside the call that writes");
        Turns.until(base, () -> nearHeard.heard("error"));
        assertEquals("the filter of output failed", nearHeard.failure.getMessage());
        filter.write("z");
        assertEquals(1, calls[1]);
        assertTrue(filter.enabled().isEmpty());
    }

    @Test
    void whatAFilterThrowsGoesToTheHandlerAndCountsAsAnError() throws Exception {
        List<Exception> thrown = new ArrayList<>();
        base.onException(thrown::add);
        IllegalStateException failure = new IllegalStateException("on purpose");
        filter(near, (source, target, limit, mode) -> {
            throw failure;
        }, Filter.NONE);
        far.write("x");
        Turns.until(base, () -> nearHeard.heard("error"));
        assertEquals(List.of(failure), thrown);
        assertSame(failure, nearHeard.failure.getCause());
    }

    @Test
    void anErrorOfAFilterComesOutOfTheCall() {
        Error error = new AssertionError("on purpose");
        BufferEvent filter = filter(near, Filter.NONE, (source, target, limit, mode) -> {
            throw error;
        });
        assertSame(error, assertThrows(Error.class, () -> filter.write("x")));
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertEquals(List.of("error"), nearHeard.events);
    }

    @Test
    void aFilterThatMakesNoProgressDoesNotHoldTheLoop() throws Exception {
        BufferEvent filter = filter(near, (source, target, limit, mode) -> Result.OK, (source, target, limit, mode) -> Result.OK);
        filter.write("stays");
        far.write("stays too");
        assertEquals(EventBase.LoopExit.NO_EVENTS, base.dispatch());
        assertEquals(5, filter.output().length());
        assertEquals(9, near.input().length());
    }

    @Test
    void aFilterMayAddBeforeItRemoves() throws Exception {
        int[] left = {3};
        filter(near, (source, target, limit, mode) -> {
            target.add("+");
            if (--left[0] == 0) {
                source.drain(1);
            }
            return Result.OK;
        }, Filter.NONE);
        far.write("x");
        Turns.until(base, () -> nearHeard.heard("read"));
        assertEquals("+++", nearHeard.read.toString());
    }

    @Test
    void aFilterIsHeldToItsEnds() throws Exception {
        List<Throwable> caught = new ArrayList<>();
        BufferEvent filter = filter(near, Filter.NONE, (source, target, limit, mode) -> {
            caught.add(assertThrows(IllegalStateException.class, () -> source.add("x")));
            caught.add(assertThrows(IllegalStateException.class, () -> target.drain(1)));
            caught.add(assertThrows(IllegalStateException.class, target::copyOut));
            return Filter.NONE.filter(source, target, limit, mode);
        });
        filter.write("x");
        assertEquals(3, caught.size());
    }

    @Test
    void aFilterMayCloseWhatItFilters() throws Exception {
        BufferEvent[] filter = new BufferEvent[1];
        filter[0] = filter(near, (source, target, limit, mode) -> {
            filter[0].close();
            return Filter.NONE.filter(source, target, limit, mode);
        }, Filter.NONE);
        far.write("x");
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertFalse(filter[0].isOpen());
        assertEquals(List.of(), nearHeard.events);
    }

    @Test
    void buffersThatAFilterKeptEndWithIt() throws Exception {
        List<Buffer> kept = new ArrayList<>();
        BufferEvent filter = filter(near, Filter.NONE, (source, target, limit, mode) -> {
            kept.addAll(List.of(source, target));
            return Filter.NONE.filter(source, target, limit, mode);
        });
        filter.write("x");
        assertEquals(0, kept.get(0).length());
        filter.close();
        base.loop(EventBase.LoopFlag.NONBLOCK);
        assertThrows(IllegalStateException.class, kept.get(0)::length);
        assertThrows(IllegalStateException.class, () -> kept.get(1).add("x"));
    }

    // ---- the underlying one

    @Test
    void theUnderlyingOneBelongsToItsFilter() throws Exception {
        assertEquals(Optional.empty(), near.underlying());
        BufferEvent filter = filter(near, Filter.NONE, Filter.NONE);
        assertSame(near, filter.underlying().orElseThrow());
        near.close();
        assertTrue(near.isOpen());
        assertThrows(IllegalStateException.class, () -> near.listener(new Recorder()));
        assertThrows(IllegalStateException.class, () -> BufferEvent.filter(near, Filter.NONE, Filter.NONE));
        near.write("past the filter");
        Turns.until(base, () -> farHeard.heard("read"));
        filter.close();
        assertFalse(near.isOpen());
        assertThrows(IllegalStateException.class, near::enabled);
        assertThrows(IllegalStateException.class, near.output()::length);
    }

    @Test
    void closesItsSocket() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            BufferEvent socket = BufferEvent.create(base);
            BufferEvent filter = filter(socket, Filter.NONE, rotate(1));
            socket.connect(server.getLocalSocketAddress());
            filter.write("HAL");
            try (Socket accepted = server.accept()) {
                Turns.until(base, () -> nearHeard.heard("connected") && socket.output().length() == 0);
                socket.shutdownOutput();
                assertEquals("IBM", new String(accepted.getInputStream().readAllBytes(), UTF_8));
                filter.close();
                base.loop(EventBase.LoopFlag.NONBLOCK);
                accepted.getOutputStream().write(1);
                assertEquals(-1, accepted.getInputStream().read());
            }
        }
    }

    @Test
    void hearsThatItsSocketCannotConnect() throws Exception {
        int port;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }
        BufferEvent socket = BufferEvent.create(base);
        filter(filter(socket, Filter.NONE, Filter.NONE), Filter.NONE, Filter.NONE);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        Turns.until(base, () -> nearHeard.heard("error"));
        LibeventException failure = (LibeventException) nearHeard.failure;
        assertEquals(111, failure.errno(), "ECONNREFUSED");
        assertTrue(failure.getMessage().contains("127.0.0.1:" + port), failure.getMessage());

        nearHeard.events.clear();
        BufferEvent byName = BufferEvent.create(base);
        filter(byName, Filter.NONE, Filter.NONE);
        byName.connect("a..b", 80);
        assertEquals(List.of(), nearHeard.events);
        Turns.until(base, () -> nearHeard.heard("error"));
        assertTrue(nearHeard.failure.getMessage().contains("a..b"), nearHeard.failure.getMessage());
    }

    @Test
    void hearsTheEndAndFlushesWhatIsLeft() throws Exception {
        BufferEvent filter = filter(near, FOUR, FOUR);
        far.write("012345");
        far.flush(FlushMode.FINISHED, Direction.WRITE);
        Turns.until(base, () -> nearHeard.heard("eof"));
        filter.flush(FlushMode.FINISHED, Direction.READ);
        Turns.until(base, () -> (nearHeard.read + new String(filter.input().copyOut(), UTF_8)).equals("012345"));
    }

    @Test
    void filesGoThroughFilters(@TempDir Path directory) throws Exception {
        BufferEvent filter = filter(near, Filter.NONE, rotate(1));
        filter.output().addFile(Files.writeString(directory.resolve("file"), "HAL"));
        Turns.until(base, () -> farHeard.heard("read"));
        assertEquals("IBM", farHeard.read.toString());
    }

    @Test
    void onlySocketsCanBeLimited() {
        BufferEvent filter = filter(near, Filter.NONE, Filter.NONE);
        RateLimit limit = RateLimit.perSecond(1000, 1000);
        assertThrows(IllegalStateException.class, () -> filter.rateLimit(limit));
        RateLimitGroup group = RateLimitGroup.create(base, limit);
        assertThrows(IllegalStateException.class, () -> group.add(filter));
        BufferEvent socket = BufferEvent.create(base);
        BufferEvent limited = filter(socket, Filter.NONE, Filter.NONE);
        socket.rateLimit(limit);
        group.add(socket);
        limited.close();
    }
}
