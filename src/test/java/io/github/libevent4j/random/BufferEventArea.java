package io.github.libevent4j.random;

import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.BufferEvent.FlushMode;
import io.github.libevent4j.io.BufferEvent.Option;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.RateLimit;
import io.github.libevent4j.io.RateLimitGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/** Bufferevents on sockets, in pairs and over each other, and their rate limits. */
final class BufferEventArea extends Area {

    BufferEventArea(World world) {
        super(world);
        operation("create", () -> heard(BufferEvent.create(world.base(), options())));
        operation("connected", this::connected);
        for (int i = 0; i < 2; i++) {
            operation("pair", () -> {
                for (BufferEvent end : BufferEvent.pair(world.base(), options())) {
                    heard(end);
                }
            });
            operation("filter", () -> heard(BufferEvent.filter(one(), filter(), filter(), options())));
            operation("write", () -> one().write(world.bytes()));
            operation("enable", () -> one().enable(world.any(Direction.values())));
        }
        operation("connect", () -> one().connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 1)));
        operation("connectToListener", () -> one().connect(world.one(ConnectionListener.class).address()));
        operation("connectByName", () -> one().connect("127.0.0.1", 1 + world.number(2)));
        operation("connectByDns", () -> one().connect(world.one(Dns.class), world.any("127.0.0.1", "a.test", "nowhere.test"), 1));
        operation("writeInput", () -> one().write(one().input()));
        operation("disable", () -> one().disable(world.any(Direction.values())));
        operation("enabled", () -> one().enabled());
        operation("descriptor", () -> one().descriptor());
        operation("underlying", () -> one().underlying().ifPresent(under -> {
            if (world.coin()) {
                under.close();
            } else {
                under.write(world.bytes());
            }
        }));
        operation("watermark", () -> one().watermark(world.any(Direction.values()), world.number(50), world.any(0, 20, 100)));
        operation("timeouts", () -> one().timeouts(world.time(), world.time()));
        // None above the others': an input that is full and that nobody empties is told of in each turn, ahead of what is to end the loop.
        operation("priority", () -> one().priority(1 + world.number(3)));
        operation("flush", () -> one().flush(world.any(FlushMode.values()), world.any(Direction.values())));
        operation("trigger", () -> one().trigger(world.any(Direction.values())));
        operation("maxSingle", () -> one().maxSingle(world.any(Direction.values()), world.number(3000)));
        operation("shutdownOutput", () -> one().shutdownOutput());
        operation("listener", () -> one().listener(listener()));
        operation("drain", () -> one().input().drain(world.number(1000)));
        operation("close", () -> world.close(BufferEvent.class));

        operation("rateLimit", () -> one().rateLimit(world.chance(0.3) ? null : limit()));
        operation("limits", () -> {
            BufferEvent one = one();
            one.readLimit();
            one.writeLimit();
        });
        operation("charge", () -> one().charge(world.any(Direction.values()), world.number(100) - 20));
        operation("group", () -> world.made(RateLimitGroup.create(world.base(), limit())));
        operation("Group.add", () -> group().add(one()));
        operation("Group.remove", () -> group().remove(one()));
        operation("Group.limit", () -> group().limit(limit()));
        operation("Group.minShare", () -> group().minShare(world.number(100)));
        operation("Group.charge", () -> group().charge(world.any(Direction.values()), world.number(100) - 20));
        operation("Group.questions", () -> {
            RateLimitGroup group = group();
            group.totals();
            group.readLimit();
            group.writeLimit();
            group.resetTotals();
        });
        operation("Group.close", () -> world.close(RateLimitGroup.class));
    }

    private BufferEvent one() {
        return world.one(BufferEvent.class);
    }

    private RateLimitGroup group() {
        return world.one(RateLimitGroup.class);
    }

    private Option[] options() {
        return world.any(new Option[0], new Option[0], new Option[] {Option.DEFER_CALLBACKS}, Option.values());
    }

    private RateLimit limit() {
        return new RateLimit(1 + world.number(100), 100 + world.number(1000), 1 + world.number(100), 100 + world.number(1000),
            Duration.ofMillis(1 + world.number(3)));
    }

    /** Two bufferevents on the ends of a connection. */
    private void connected() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
             SocketChannel near = SocketChannel.open(server.getLocalAddress());
             SocketChannel far = server.accept()) {
            for (SocketChannel end : new SocketChannel[] {near, far}) {
                heard(world.giveDescriptor(Descriptors.duplicate(end), copy -> BufferEvent.create(world.base(), copy, options())));
            }
        }
    }

    private BufferEvent heard(BufferEvent event) throws Exception {
        world.made(event);
        listen(event);
        return event;
    }

    void listen(BufferEvent event) {
        event.listener(listener());
        if (world.chance(0.7)) {
            event.enable(Direction.READ);
        }
    }

    private BufferEvent.Listener listener() {
        return new BufferEvent.Listener() {
            @Override
            public void onRead(BufferEvent event) throws Exception {
                if (world.chance(0.8)) {
                    event.input().drain(world.coin() ? 1000_000 : 10);
                }
                world.called("read");
            }

            @Override
            public void onWritten(BufferEvent event) throws Exception {
                world.called("written");
            }

            @Override
            public void onConnected(BufferEvent event) throws Exception {
                world.called("connected");
            }

            @Override
            public void onEof(BufferEvent event) throws Exception {
                world.called("eof");
            }

            @Override
            public void onTimeout(BufferEvent event, Direction direction) throws Exception {
                world.called("timeout");
            }

            @Override
            public void onError(BufferEvent event, IOException failure) throws Exception {
                world.called("error");
            }
        };
    }

    private BufferEvent.Filter filter() {
        return switch (world.number(4)) {
            case 0 -> BufferEvent.Filter.NONE;
            case 1 -> (source, target, limit, mode) -> { // one buffer after the other, and not at once
                world.called("filter");
                if (mode == FlushMode.NORMAL && source.length() < 10) {
                    return BufferEvent.Filter.Result.NEED_MORE;
                }
                target.addBuffer(source);
                return BufferEvent.Filter.Result.OK;
            };
            default -> (source, target, limit, mode) -> {
                world.called("filter");
                byte[] bytes = source.removeAll();
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] ^= 1;
                }
                target.add(bytes);
                if (world.chance(0.05)) {
                    keep(source, target);
                }
                return world.chance(0.02) ? BufferEvent.Filter.Result.ERROR : BufferEvent.Filter.Result.OK;
            };
        };
    }

    /** What a filter has seen may be used, and refused, later. */
    private void keep(Buffer... buffers) throws Exception {
        for (Buffer buffer : buffers) {
            world.made(Buffer.class, buffer);
        }
    }
}
