package io.github.libevent4j.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/** A name server on a port of the loopback that does what no other does: a test takes each question and answers it by hand. */
public final class NameServer implements AutoCloseable {

    public static final int A = 1;
    public static final int CNAME = 5;
    public static final int PTR = 12;
    public static final int AAAA = 28;

    public static final int RESPONSE = 0x8180; // to a question that asked for recursion, which is available
    public static final int TRUNCATED = 0x0200;
    public static final int FORMAT_ERROR = 1;
    public static final int SERVER_FAILURE = 2;
    public static final int NO_SUCH_NAME = 3;
    public static final int NOT_IMPLEMENTED = 4;
    public static final int REFUSED = 5;

    private static final int HEADER = 12;
    private static final int MILLIS = 30_000;

    private final DatagramSocket socket;

    public NameServer() throws IOException {
        this(InetAddress.getByName("127.0.0.1"));
    }

    public NameServer(InetAddress address) throws IOException {
        socket = new DatagramSocket(0, address);
        socket.setSoTimeout(MILLIS);
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    /** The next question. */
    public Question next() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[1500], 1500);
        socket.receive(packet);
        return new Question(Arrays.copyOf(packet.getData(), packet.getLength()), packet.getSocketAddress());
    }

    /** A question that has come, or null. */
    public Question poll() throws IOException {
        socket.setSoTimeout(1);
        try {
            return next();
        } catch (SocketTimeoutException e) {
            return null;
        } finally {
            socket.setSoTimeout(MILLIS);
        }
    }

    /** Whether a question has come, which is lost. */
    public boolean asked() throws IOException {
        return poll() != null;
    }

    /** A question as it came, and how to answer it. */
    public final class Question {

        private final byte[] bytes;
        private final SocketAddress from;

        private Question(byte[] bytes, SocketAddress from) {
            this.bytes = bytes;
            this.from = from;
        }

        /** In lower case: libevent mixes it. */
        public String name() {
            StringBuilder name = new StringBuilder();
            for (int at = HEADER; bytes[at] != 0; at += 1 + bytes[at]) {
                name.append(name.isEmpty() ? "" : ".").append(new String(bytes, at + 1, bytes[at], StandardCharsets.ISO_8859_1));
            }
            return name.toString().toLowerCase(Locale.ROOT);
        }

        public int type() {
            return ByteBuffer.wrap(bytes).getShort(bytes.length - 4);
        }

        /** A response, with the question in it. */
        public byte[] response(int flags, byte[]... records) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(bytes);
            Arrays.stream(records).forEach(out::writeBytes);
            byte[] response = out.toByteArray();
            ByteBuffer.wrap(response).putShort(2, (short) (RESPONSE | flags)).putShort(6, (short) records.length);
            return response;
        }

        public void answer(byte[]... records) {
            send(response(0, records));
        }

        public void fail(int flags) {
            send(response(flags));
        }

        public void send(byte[] response) {
            sendFrom(socket, response);
        }

        /** Sends it as if from another server. */
        public void sendFrom(DatagramSocket other, byte[] response) {
            try {
                other.send(new DatagramPacket(response, response.length, from));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** A record about the question's name. */
    public static byte[] record(int type, int seconds, byte[] data) {
        return ByteBuffer.allocate(HEADER + data.length)
            .putShort((short) (0xC000 | HEADER)).putShort((short) type).putShort((short) 1)
            .putInt(seconds).putShort((short) data.length).put(data)
            .array();
    }

    /** An address's record, A or AAAA. */
    public static byte[] record(int seconds, String digits) throws IOException {
        byte[] address = InetAddress.getByName(digits).getAddress();
        return record(address.length == 4 ? A : AAAA, seconds, address);
    }

    /** A name as records hold it. */
    public static byte[] name(String name) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String label : name.split("\\.")) {
            out.write(label.length());
            out.writeBytes(label.getBytes(StandardCharsets.ISO_8859_1));
        }
        out.write(0);
        return out.toByteArray();
    }

    @Override
    public void close() {
        socket.close();
    }
}
