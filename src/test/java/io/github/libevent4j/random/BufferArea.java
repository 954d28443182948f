package io.github.libevent4j.random;

import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.Buffer.End;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.EolStyle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Buffers, each with an array that says what it should hold. Only one thread's operations can be followed so; and when an operation
 * ran others inside, in a listener, the arrays are taken from the buffers again.
 */
final class BufferArea extends Area {

    private final class Followed implements AutoCloseable {
        final Buffer buffer;
        byte[] content = {};

        Followed(Buffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public void close() {
            buffer.close();
        }
    }

    /** A view of a buffer, and what it has to show for ever. */
    private record View(ByteBuffer shown, byte[] content) {
    }

    private interface Change {
        byte[] apply() throws Throwable;
    }

    private final Pipe pipe;
    private final List<View> views = new ArrayList<>();
    private long changes;
    private long current; // the number of the change that is under way
    private int depth; // how many changes are
    boolean peeked;

    BufferArea(World world) throws Exception {
        super(world);
        pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        pipe.sink().configureBlocking(false);

        operation("create", () -> world.made(new Followed(Buffer.create(world.base()))));
        operation("close", () -> world.close(Followed.class));
        for (int i = 0; i < 2; i++) {
            operation("add", () -> {
                byte[] bytes = world.bytes();
                add(buffer -> buffer.add(bytes), bytes);
            });
        }
        operation("addDirect", () -> {
            byte[] bytes = world.bytes();
            add(buffer -> buffer.add(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip()), bytes);
        });
        operation("prepend", () -> {
            byte[] bytes = world.bytes();
            Followed one = one();
            change(one, () -> {
                one.buffer.prepend(bytes);
                return joined(bytes, one.content);
            });
        });
        operation("addReference", () -> {
            byte[] bytes = world.bytes();
            Followed one = one();
            Runnable once = world.once("a reference's release");
            try {
                change(one, () -> {
                    one.buffer.addReference(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip(), () -> {
                        once.run();
                        world.action("released").run();
                    });
                    return joined(one.content, bytes);
                });
            } catch (IllegalStateException e) { // so it was not added; else the loop's own error comes, after the release is due
                once.run();
            }
        });
        operation("reserve", () -> {
            byte[] bytes = world.bytes();
            add(buffer -> {
                Buffer.Reservation room = buffer.reserve(bytes.length + 1);
                room.space().put(bytes);
                room.commit();
            }, bytes);
        });
        operation("addFile", () -> {
            int size = 1 + world.number(3000);
            try (FileChannel file = FileChannel.open(world.file(4096))) {
                add(buffer -> buffer.addFile(file, world.number(1000), size), new byte[size]);
            }
        });
        operation("addBuffer", () -> move((target, source) -> {
            target.buffer.addBuffer(source.buffer);
            target.content = joined(target.content, source.content);
            source.content = new byte[0];
        }));
        operation("prependBuffer", () -> move((target, source) -> {
            target.buffer.prependBuffer(source.buffer);
            target.content = joined(source.content, target.content);
            source.content = new byte[0];
        }));
        operation("addPart", () -> move((target, source) -> {
            int moved = target.buffer.addBuffer(source.buffer, world.number(100));
            target.content = joined(target.content, Arrays.copyOf(source.content, moved));
            source.content = from(source.content, moved);
        }));
        operation("addCopy", () -> move((target, source) -> {
            target.buffer.addCopy(source.buffer);
            target.content = joined(target.content, source.content);
        }));
        operation("drain", () -> {
            Followed one = one();
            int length = world.number(100);
            change(one, () -> {
                one.buffer.drain(length);
                return from(one.content, length);
            });
        });
        operation("remove", () -> {
            Followed one = one();
            ByteBuffer target = world.coin() ? ByteBuffer.allocate(world.number(200)) : ByteBuffer.allocateDirect(world.number(200));
            change(one, () -> {
                int removed = one.buffer.remove(target);
                byte[] got = new byte[removed];
                target.flip().get(got);
                if (isUndisturbed()) {
                    same(Arrays.copyOf(one.content, removed), got, "what was removed");
                }
                return from(one.content, removed);
            });
        });
        operation("removeAll", () -> {
            Followed one = one();
            change(one, () -> {
                byte[] all = one.buffer.removeAll();
                if (isUndisturbed()) {
                    same(one.content, all, "all that was removed");
                }
                return new byte[0];
            });
        });
        operation("pullUp", () -> {
            Followed one = one();
            change(one, () -> {
                one.buffer.pullUp(world.number(100));
                return one.content;
            });
        });
        operation("expand", () -> one().buffer.expand(world.number(10_000)));
        operation("contiguous", () -> one().buffer.contiguous());
        operation("peek", () -> {
            Followed one = one();
            int length = world.number(200);
            long before = changes;
            List<ByteBuffer> shown = one.buffer.peek(length);
            int at = 0;
            for (ByteBuffer part : shown) {
                if (world.confined && changes == before && depth == 0) {
                    views.add(new View(part, Arrays.copyOfRange(one.content, at, at + part.remaining())));
                }
                at += part.remaining();
            }
            peeked = true;
            while (views.size() > 10) {
                views.remove(0);
            }
        });
        operation("search", () -> {
            Followed one = one();
            one.buffer.search(new byte[] {(byte) world.number(256)}, world.number(50));
        });
        operation("readLine", () -> {
            Followed one = one();
            change(one, () -> {
                int before = one.content.length;
                one.buffer.readLine(world.any(EolStyle.values()));
                return from(one.content, Math.max(0, before - (int) one.buffer.length()));
            });
        });
        operation("readFrom", () -> {
            Followed one = one();
            pipe.sink().write(ByteBuffer.wrap(new byte[world.number(50)]));
            change(one, () -> {
                int count = one.buffer.readFrom(pipe.source(), 1 + world.number(100));
                return joined(one.content, new byte[Math.max(0, count)]);
            });
        });
        operation("writeTo", () -> {
            Followed one = one();
            change(one, () -> from(one.content, one.buffer.writeTo(world.coin() ? pipe.sink() : pipe.source(), world.number(100))));
            while (pipe.source().read(ByteBuffer.allocate(10_000)) > 0) { }
        });
        operation("freeze", () -> one().buffer.freeze(world.any(End.values())));
        for (int i = 0; i < 3; i++) {
            operation("unfreeze", () -> one().buffer.unfreeze(world.any(End.values())));
        }
        operation("onChange", () -> world.made(Buffer.Subscription.class,
            any().onChange((before, added, deleted) -> world.called("changed"))));
        operation("Subscription.close", () -> world.close(Buffer.Subscription.class));
        // Bytes on their way to and from bufferevents, which nobody follows.
        operation("addInput", () -> {
            Followed one = one();
            unfollowed(() -> one.buffer.addBuffer(world.one(BufferEvent.class).input()));
        });
        operation("toOutput", () -> {
            Followed one = one();
            unfollowed(() -> world.one(BufferEvent.class).write(one.buffer));
        });
        operation("shareOutput", () -> {
            world.one(BufferEvent.class).output().addCopy(one().buffer);
        });
        operation("peekInput", () -> {
            world.one(BufferEvent.class).input().peek(100);
            peeked = true;
        });
        operation("referenceToOutput", () -> {
            Runnable once = world.once("the release of a reference in an output");
            try {
                world.one(BufferEvent.class).output().addReference(ByteBuffer.allocateDirect(1 + world.number(20_000)), () -> {
                    once.run();
                    world.action("released").run();
                });
            } catch (Throwable e) {
                if (!(e instanceof World.Escaped)) {
                    once.run();
                }
                throw e;
            }
        });
        operation("fileToOutput", () -> world.one(BufferEvent.class).output().addFile(world.file(world.any(0, 10, 4096, 100_000))));
    }

    private Followed one() {
        return world.one(Followed.class);
    }

    /** One of those that are followed, or of a bufferevent's. */
    private Buffer any() {
        return switch (world.number(4)) {
            case 0 -> world.one(BufferEvent.class).input();
            case 1 -> world.one(BufferEvent.class).output();
            default -> one().buffer;
        };
    }

    private static byte[] joined(byte[] first, byte[] next) {
        byte[] joined = Arrays.copyOf(first, first.length + next.length);
        System.arraycopy(next, 0, joined, first.length, next.length);
        return joined;
    }

    private static byte[] from(byte[] bytes, int start) {
        return Arrays.copyOfRange(bytes, Math.min(start, bytes.length), bytes.length);
    }

    private interface Adding {
        void add(Buffer buffer) throws Throwable;
    }

    private void add(Adding adding, byte[] bytes) throws Throwable {
        Followed one = one();
        change(one, () -> {
            adding.add(one.buffer);
            return joined(one.content, bytes);
        });
    }

    private void change(Followed one, Change change) throws Throwable {
        follow(() -> one.content = change.apply());
    }

    private interface Move {
        void apply(Followed target, Followed source) throws Throwable;
    }

    private void move(Move move) throws Throwable {
        Followed target = one();
        Followed source = one();
        follow(() -> move.apply(target, source));
    }

    private void follow(Body change) throws Throwable {
        long outer = current;
        current = ++changes;
        depth++;
        try {
            change.run();
        } catch (World.Escaped e) { // thrown by a listener: the change is made
            changes++;
            throw e;
        } finally {
            boolean disturbed = !isUndisturbed();
            current = outer;
            depth--;
            if (disturbed) {
                follow();
            }
        }
    }

    private void unfollowed(Body change) throws Throwable {
        depth++;
        try {
            change.run();
        } finally { // what a filter or a listener throws comes after the bytes have moved
            depth--;
            follow();
        }
    }

    /** Whether the current change is in no other, and no other happened in it. */
    private boolean isUndisturbed() {
        return world.confined && changes == current && depth == 1;
    }

    /** Takes the arrays from the buffers. */
    private void follow() {
        changes++;
        if (world.confined) {
            for (Followed one : world.all(Followed.class)) {
                if (one.buffer.isOpen()) {
                    try {
                        one.content = one.buffer.copyOut();
                    } catch (IllegalStateException e) {
                        continue; // its base is closed, which others' need not be
                    }
                }
            }
        }
    }

    private void same(byte[] expected, byte[] is, String what) {
        if (!Arrays.equals(expected, is)) {
            world.fail(new AssertionError(what + " is " + Arrays.toString(is) + ", not " + Arrays.toString(expected)));
        }
    }

    @Override
    void check() {
        if (!world.confined) {
            return;
        }
        for (Followed one : world.all(Followed.class)) {
            try {
                same(one.content, one.buffer.copyOut(), "a buffer's content");
            } catch (IllegalStateException e) {
                continue; // closed
            }
        }
        for (View view : views) {
            byte[] shown = new byte[view.shown.remaining()];
            view.shown.duplicate().get(shown);
            same(view.content, shown, "a view");
        }
    }

    @Override
    void end() throws Exception {
        views.clear();
        pipe.source().close();
        pipe.sink().close();
    }
}
