package io.github.libevent4j.random;

import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

/** Listeners, and who connects to them. */
final class ListenerArea extends Area {

    private int paths;

    ListenerArea(World world, BufferEventArea events, Clients clients) {
        super(world);
        operation("bind", () -> {
            ConnectionListener.Builder builder = ConnectionListener.newBuilder(world.base(), address(), connection -> {
                switch (world.number(4)) {
                    case 0 -> events.listen(world.made(world.giveDescriptor(connection.take(), taken ->
                        BufferEvent.create(world.base(), taken))));
                    case 1 -> world.made(ConnectionListener.Accepted.class, connection); // which is too late
                    default -> events.listen(world.made(connection.toBufferEvent()));
                }
                world.called("accepted");
            }).onError(failure -> world.called("not accepted"));
            world.made((world.chance(0.2) ? builder.disabled() : builder).bind());
        });
        operation("enable", () -> world.one(ConnectionListener.class).enable());
        operation("disable", () -> world.one(ConnectionListener.class).disable());
        operation("tooLate", () -> world.one(ConnectionListener.Accepted.class).toBufferEvent());
        operation("connect", () -> clients.connect(world.one(ConnectionListener.class).address()));
        operation("close", () -> world.close(ConnectionListener.class));
    }

    private synchronized SocketAddress address() {
        return world.coin() ? new InetSocketAddress("127.0.0.1", 0)
            : UnixDomainSocketAddress.of(world.directory.resolve("listener-" + paths++));
    }
}
