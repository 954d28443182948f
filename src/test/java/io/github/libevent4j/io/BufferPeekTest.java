package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.support.Garbage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Views of a buffer's memory: only the collector frees what they show. */
class BufferPeekTest extends LibeventTest {

    private long allocations;
    private EventBase base;
    private Buffer buffer;

    @BeforeEach
    void open() throws IOException {
        allocations = Live.allocations();
        base = EventBase.create();
        buffer = Buffer.create(base);
    }

    @AfterEach
    void collect() {
        base.close();
        Garbage.collectUntil(() -> Live.allocations() == allocations && Live.targets() == 0);
    }

    private static List<String> texts(List<ByteBuffer> views) {
        return views.stream().map(view -> UTF_8.decode(view.duplicate()).toString()).toList();
    }

    private Buffer pieces() {
        for (String piece : List.of("0123", "4567", "89")) {
            buffer.addReference(piece.getBytes(UTF_8), () -> { });
        }
        return buffer;
    }

    @Test
    void showsBytesWhereTheyLie() {
        List<ByteBuffer> views = pieces().peek(6);
        assertEquals(List.of("0123", "45"), texts(views));
        assertEquals(List.of("0123", "4567", "89"), texts(buffer.peek(Long.MAX_VALUE)));
        assertTrue(views.get(0).isDirect());
        assertThrows(ReadOnlyBufferException.class, () -> views.get(0).put(0, (byte) 0));
        assertEquals("0123456789", new String(buffer.removeAll(), UTF_8));
    }

    @Test
    void showsReferencedMemoryItself() {
        ByteBuffer memory = ByteBuffer.allocateDirect(3).put(new byte[] {1, 2, 3}).flip();
        ByteBuffer view = buffer.addReference(memory, () -> { }).peek(3).get(0);
        memory.put(1, (byte) 9);
        assertEquals(9, view.get(1));
    }

    @Test
    void showsNothingOfNothing() {
        assertEquals(List.of(), buffer.peek(10));
        assertEquals(List.of(), buffer.add("x").peek(0));
        assertThrows(IllegalArgumentException.class, () -> buffer.peek(-1));
    }

    @Test
    void showsOnePieceThatWasPulledUp() {
        pieces().pullUp(10);
        assertEquals(List.of("0123456789"), texts(buffer.peek(10)));
    }

    @Test
    void viewsSurviveTheirBytesTheirBufferAndTheirBase() {
        byte[] bytes = new byte[100_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        List<ByteBuffer> views = buffer.add(bytes).peek(bytes.length);
        buffer.drain(50_000);
        check(views);
        buffer.add(bytes).drain(Long.MAX_VALUE);
        check(views);
        buffer.close();
        check(views);
        base.close();
        check(views);
    }

    private static void check(List<ByteBuffer> views) {
        Garbage.collect();
        int at = 0;
        for (ByteBuffer view : views) {
            for (int i = 0; i < view.limit(); i++, at++) {
                assertEquals((byte) at, view.get(i));
            }
        }
        assertEquals(100_000, at);
    }

    @Test
    void aSliceKeepsTheMemoryOfItsView() {
        ByteBuffer slice = buffer.add("0123456789").peek(10).get(0).position(5).slice().duplicate();
        base.close();
        Garbage.collect();
        assertEquals("56789", UTF_8.decode(slice).toString());
    }

    @Test
    void changingTheBufferLeavesViewsAlone() {
        ByteBuffer view = buffer.add("0123456789").peek(10).get(0);
        buffer.add("abc").prepend((byte) '-');
        buffer.pullUp(14);
        buffer.drain(5);
        assertEquals("456789abc", new String(buffer.copyOut(), UTF_8));
        assertEquals("0123456789", UTF_8.decode(view).toString());
    }

    @Test
    void theBytesOfAFileAreCopied(@TempDir Path directory) throws IOException {
        buffer.add("before").addFile(Files.writeString(directory.resolve("file"), "-file"));
        List<ByteBuffer> copies = buffer.peek(100);
        assertFalse(copies.get(0).isDirect());
        assertThrows(ReadOnlyBufferException.class, () -> copies.get(0).put(0, (byte) 0));
        assertEquals(List.of("before-file"), texts(copies));
    }

    @Test
    void releasesAReferenceWhenItsLastViewIsGone() {
        AtomicInteger released = new AtomicInteger();
        List<ByteBuffer> views = buffer.addReference("abc".getBytes(UTF_8), released::incrementAndGet).peek(3);
        base.close();
        Garbage.collect();
        assertEquals(0, released.get());
        assertEquals(List.of("abc"), texts(views));
        views = null;
        Garbage.collectUntil(() -> released.get() > 0);
        assertEquals(1, released.get());
    }

    @Test
    void copiesWhileViewsKeepMuchMemory() {
        byte[] bytes = new byte[1 << 20];
        List<List<ByteBuffer>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            buffer.add(bytes);
            all.add(buffer.peek(bytes.length));
            buffer.drain(bytes.length);
        }
        assertTrue(all.get(0).get(0).isDirect());
        assertFalse(all.get(99).get(0).isDirect());
        all.clear();
        buffer.add(bytes);
        Garbage.collectUntil(() -> buffer.peek(1).get(0).isDirect());
    }
}
