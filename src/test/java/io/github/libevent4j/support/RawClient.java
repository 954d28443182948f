package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;

/** One end of a TCP connection that says exactly what it is told to. Text is ISO-8859-1. */
public final class RawClient implements AutoCloseable {

    private static final int MILLIS = 30_000;

    private final Socket socket;
    private final InputStream in;

    /** Takes a connected socket. */
    public RawClient(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(MILLIS);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** Connects. */
    public static RawClient to(InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        socket.connect(address, MILLIS);
        return new RawClient(socket);
    }

    /** Connects with a small receive buffer, so that what is not read soon waits at the sender. */
    public static RawClient slowlyTo(InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(address, MILLIS);
        return new RawClient(socket);
    }

    public Socket socket() {
        return socket;
    }

    public InputStream in() {
        return in;
    }

    public RawClient send(String text) throws IOException {
        return send(text.getBytes(ISO_8859_1));
    }

    public RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Sends the text, each byte in a segment of its own. */
    public RawClient sendByteByByte(String text) throws IOException {
        for (byte b : text.getBytes(ISO_8859_1)) {
            socket.getOutputStream().write(b);
        }
        return this;
    }

    /** Sends a GET and returns its response. */
    public Message get(String target) throws IOException {
        return send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n").response();
    }

    public Message request() throws IOException {
        return Message.request(in);
    }

    public Message response() throws IOException {
        return Message.response(in);
    }

    /** Everything until the peer closes. */
    public String readToEnd() throws IOException {
        return new String(in.readAllBytes(), ISO_8859_1);
    }

    /** Closes with a reset, so that the peer's next write fails. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
