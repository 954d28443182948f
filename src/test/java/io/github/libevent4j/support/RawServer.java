package io.github.libevent4j.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** A server on the loopback whose every word a test says itself. */
public final class RawServer implements AutoCloseable {

    private static final int MILLIS = 30_000;

    private final ServerSocket socket;

    /** Listens on 127.0.0.1. */
    public RawServer() throws IOException {
        this("127.0.0.1", 0);
    }

    /** Listens there. */
    public RawServer(String address, int port) throws IOException {
        socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
        socket.setSoTimeout(MILLIS);
    }

    public int port() {
        return socket.getLocalPort();
    }

    /** The server's end of the next connection. */
    public RawClient accept() throws IOException {
        return new RawClient(socket.accept());
    }

    /** Listens no longer; connections stay. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
