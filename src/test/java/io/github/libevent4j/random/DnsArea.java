package io.github.libevent4j.random;

import io.github.libevent4j.dns.Dns;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Resolvers, and a name server that answers well, badly or not at all. */
final class DnsArea extends Area {

    private final DatagramChannel server;
    private final Path hosts;

    DnsArea(World world) throws Exception {
        super(world);
        server = DatagramChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
        server.configureBlocking(false);
        hosts = Files.writeString(world.directory.resolve("hosts"), "127.0.0.1 a.test\n::1 a.test\n");

        operation("create", () -> {
            Dns dns = world.made(Dns.createEmpty(world.base()));
            dns.option("timeout", "0.01");
            dns.option("attempts", "2");
            dns.addNameserver((InetSocketAddress) server.getLocalAddress());
        });
        for (int i = 0; i < 2; i++) {
            operation("lookup", () -> world.future("a lookup", one().lookup(name(), world.any(Dns.Family.values()))));
            operation("resolve", () -> world.future("a question", world.coin() ? one().resolveIpv4(name()) : one().resolveIpv6(name())));
            operation("answer", this::answer);
        }
        operation("reverse", () -> world.future("a reverse question", one().resolveReverse(InetAddress.getByName("127.0.0.1"))));
        operation("cancel", () -> world.one(CompletableFuture.class).cancel(world.coin()));
        operation("complete", () -> world.one(CompletableFuture.class).completeExceptionally(new World.Thrown()));
        operation("addNameserver", () -> one().addNameserver(world.coin() ? (InetSocketAddress) server.getLocalAddress()
            : new InetSocketAddress("127.0.0.1", 1)));
        operation("suspend", () -> one().clearNameserversAndSuspend());
        operation("resume", () -> one().resume());
        operation("hosts", () -> one().loadHosts(hosts));
        operation("clearHosts", () -> one().clearHosts());
        operation("search", () -> one().addSearch("test"));
        operation("clearSearch", () -> one().clearSearch());
        operation("searchDots", () -> one().searchDots(world.number(3)));
        operation("option", () -> one().option(world.any("randomize-case", "max-inflight", "nothing"), world.any("0", "1", "x")));
        operation("close", () -> world.close(Dns.class));
    }

    private Dns one() {
        return world.one(Dns.class);
    }

    private String name() {
        return world.any("a.test", "a", "b.test", "127.0.0.1", "::1", "nowhere.test", "", "x".repeat(70), "a..b");
    }

    /** Answers what has been asked. */
    private void answer() throws Exception {
        ByteBuffer asked = ByteBuffer.allocate(600);
        SocketAddress from;
        while ((from = server.receive(asked.clear())) != null) {
            if (asked.flip().limit() >= 12 && world.chance(0.9)) {
                server.send(reply(asked), from);
            }
        }
    }

    private ByteBuffer reply(ByteBuffer asked) {
        int type = asked.getShort(asked.limit() - 4);
        int size = type == 1 ? 4 : 16;
        ByteBuffer reply = ByteBuffer.allocate(700).put(asked);
        int code = world.any(0, 0, 0, 2, 3, 5);
        reply.putShort(2, (short) (0x8180 | code | (world.chance(0.05) ? 0x0200 : 0)));
        if (code == 0) {
            int count = world.number(3);
            reply.putShort(6, (short) count);
            for (int i = 0; i < count; i++) {
                reply.putShort((short) 0xc00c).putShort((short) type).putShort((short) 1).putInt(world.number(100));
                if (type == 12) {
                    reply.putShort((short) 3).put((byte) 1).put((byte) 'a').put((byte) 0);
                } else {
                    reply.putShort((short) size).put(new byte[size]);
                }
            }
        }
        reply.flip();
        if (world.chance(0.1)) {
            reply.limit(world.number(reply.limit()));
        }
        if (world.chance(0.1) && reply.limit() > 0) {
            reply.put(world.number(reply.limit()), (byte) world.number(256));
        }
        return reply;
    }

    @Override
    void end() throws Exception {
        server.close();
    }
}
