import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.http.Headers;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpMethod;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;

/**
 * A WebSocket (RFC 6455), the server's side, on a connection that is taken over from HTTP: puts messages together from their frames,
 * answers pings, asks a silent client for a sign of life, and closes as both sides agree. A client that does not read what it is
 * sent is not read from either. On its loop's thread.
 */
final class WebSocket implements BufferEvent.Listener {

    /** What happens on a WebSocket. On the loop's thread. */
    interface Handler {
        default void onOpen(WebSocket socket) {
        }

        default void onText(WebSocket socket, String text) {
        }

        default void onBinary(WebSocket socket, byte[] bytes) {
        }

        /** The connection is closed; the code is 1006 when nobody gave one. */
        default void onClose(WebSocket socket, int code) {
        }
    }

    static final int GOING_AWAY = 1001;
    private static final int PROTOCOL_ERROR = 1002;
    private static final int NO_CODE = 1005;
    private static final int ABNORMAL = 1006;
    private static final int NOT_UTF_8 = 1007;
    private static final int TOO_BIG = 1009;

    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    private static final int LARGEST_HEAD = 14;
    private static final int LARGEST_CONTROL = 125;
    private static final long MOST_OUTPUT = 256 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(10); // with a client that is to read, or to close

    private final BufferEvent event;
    private final int maxMessage;
    private final Handler handler;
    private final ByteArrayOutputStream message = new ByteArrayOutputStream();
    private int kind = CONTINUATION; // of the message that has begun
    private int code = ABNORMAL;
    private boolean silent; // for so long that it was pinged
    private boolean closing; // the last frame is sent
    private boolean ended; // nothing more is read

    private WebSocket(BufferEvent event, int maxMessage, Handler handler) {
        this.event = event;
        this.maxMessage = maxMessage;
        this.handler = handler;
    }

    /**
     * Answers a request: with 101 when it is for a WebSocket, or else with 426.
     *
     * @param maxMessage bytes of a message
     * @param idle how long a client may be silent before it is pinged, and then before it is given up
     */
    static void accept(HttpExchange exchange, int maxMessage, Duration idle, Handler handler) {
        Headers headers = exchange.headers();
        String key = headers.first("Sec-WebSocket-Key").orElse("");
        exchange.header("Upgrade", "websocket").header("Connection", "Upgrade");
        if (exchange.method() != HttpMethod.GET || !exchange.version().equals("HTTP/1.1") || !lists(headers, "Upgrade", "websocket")
                || !lists(headers, "Connection", "Upgrade") || !key.matches("[A-Za-z0-9+/]{22}==")
                || !headers.first("Sec-WebSocket-Version").orElse("").equals("13")) {
            exchange.header("Sec-WebSocket-Version", "13").reply(426, "This is for WebSockets.\n");
            return;
        }
        BufferEvent event = exchange.header("Sec-WebSocket-Accept", answer(key)).reason("Switching Protocols").takeOver(101);
        WebSocket socket = new WebSocket(event, maxMessage, handler);
        event.listener(socket);
        event.timeouts(idle, PATIENCE);
        event.enable(Direction.READ);
        handler.onOpen(socket);
        socket.read(); // what came behind the request
    }

    private static boolean lists(Headers headers, String name, String item) {
        return headers.all(name).stream().flatMap(list -> Arrays.stream(list.split(","))).anyMatch(one -> one.strip().equalsIgnoreCase(item));
    }

    private static String answer(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(ISO_8859_1));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-1", e);
        }
    }

    // ---- sending

    void send(String text) {
        send(TEXT, text.getBytes(UTF_8));
    }

    void send(byte[] bytes) {
        send(BINARY, bytes);
    }

    /** Begins to close; the client has a while to agree. */
    void close(int code, String reason) {
        byte[] text = reason.getBytes(UTF_8);
        sendClose(ByteBuffer.allocate(2 + text.length).putShort((short) code).put(text).array());
    }

    private void sendClose(byte[] payload) {
        send(CLOSE, payload);
        closing = true;
        event.timeouts(PATIENCE, PATIENCE);
    }

    private void send(int opcode, byte[] payload) {
        if (closing || !event.isOpen()) {
            return; // nothing may follow a close
        }
        ByteBuffer head = ByteBuffer.allocate(LARGEST_HEAD).put((byte) (0x80 | opcode));
        if (payload.length <= LARGEST_CONTROL) {
            head.put((byte) payload.length);
        } else if (payload.length <= 0xFFFF) {
            head.put((byte) 126).putShort((short) payload.length);
        } else {
            head.put((byte) 127).putLong(payload.length);
        }
        event.write(head.flip());
        event.write(payload);
    }

    // ---- receiving

    private void read() {
        while (!ended && event.isOpen() && event.output().length() < MOST_OUTPUT && readFrame()) {
            // and the next one
        }
        if (ended && event.isOpen()) {
            event.input().drain(event.input().length());
        } else if (event.isOpen() && event.output().length() >= MOST_OUTPUT) {
            event.disable(Direction.READ);
        }
    }

    /** False when the next frame is not all there, or wrong. */
    private boolean readFrame() {
        Buffer input = event.input();
        byte[] bytes = new byte[LARGEST_HEAD];
        int known = input.copyOut(0, bytes, 0, bytes.length);
        if (known < 2) {
            return false;
        }
        int opcode = bytes[0] & 0x0F;
        boolean last = bytes[0] < 0;
        int size = bytes[1] & 0x7F;
        if ((bytes[0] & 0x70) != 0 || opcode > PONG || opcode > BINARY && opcode < CLOSE) {
            return fail(PROTOCOL_ERROR, "a kind of frame that nobody asked for");
        } else if (bytes[1] >= 0) {
            return fail(PROTOCOL_ERROR, "a client masks its frames");
        } else if (opcode >= CLOSE && (!last || size > LARGEST_CONTROL)) {
            return fail(PROTOCOL_ERROR, "a control frame is small and whole");
        } else if (opcode < CLOSE && (opcode == CONTINUATION) == (kind == CONTINUATION)) {
            return fail(PROTOCOL_ERROR, "a fragment belongs to a message that has begun");
        }
        int headSize = (size == 126 ? 4 : size == 127 ? 10 : 2) + Integer.BYTES;
        if (known < headSize) {
            return false;
        }
        ByteBuffer head = ByteBuffer.wrap(bytes, 2, LARGEST_HEAD - 2);
        long length = size == 126 ? head.getShort() & 0xFFFF : size == 127 ? head.getLong() : size;
        if (length < 0 || opcode < CLOSE && length > maxMessage - message.size()) {
            return fail(TOO_BIG, "a message has at most " + maxMessage + " bytes");
        }
        if (input.length() < headSize + length) {
            return false;
        }
        byte[] payload = new byte[(int) length];
        input.drain(headSize);
        input.remove(payload, 0, payload.length);
        for (int i = 0; i < payload.length; i++) {
            payload[i] ^= bytes[headSize - Integer.BYTES + i % Integer.BYTES];
        }
        try {
            receive(opcode, last, payload);
        } catch (CharacterCodingException e) {
            return fail(NOT_UTF_8, "text is UTF-8");
        }
        return true;
    }

    private void receive(int opcode, boolean last, byte[] payload) throws CharacterCodingException {
        switch (opcode) {
            case CLOSE -> receiveClose(payload);
            case PING -> send(PONG, payload);
            case PONG -> { } // heard of it already
            default -> {
                kind = opcode == CONTINUATION ? kind : opcode;
                message.writeBytes(payload);
                if (last) {
                    byte[] whole = message.toByteArray();
                    int type = kind;
                    message.reset();
                    kind = CONTINUATION;
                    if (!closing && type == TEXT) {
                        handler.onText(this, text(whole));
                    } else if (!closing) {
                        handler.onBinary(this, whole);
                    }
                }
            }
        }
    }

    private void receiveClose(byte[] payload) throws CharacterCodingException {
        int given = payload.length == 0 ? NO_CODE : payload.length == 1 ? 0 : ByteBuffer.wrap(payload).getShort() & 0xFFFF;
        boolean known = given >= 1000 && given <= 1014 && given != 1004 && given != ABNORMAL && (given != NO_CODE || payload.length == 0);
        if (!known && (given < 3000 || given > 4999)) {
            fail(PROTOCOL_ERROR, "this is no reason to close");
            return;
        }
        text(Arrays.copyOfRange(payload, Math.min(2, payload.length), payload.length));
        code = given;
        sendClose(payload);
        end();
    }

    private static String text(byte[] bytes) throws CharacterCodingException {
        return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }

    private boolean fail(int code, String reason) {
        this.code = code;
        close(code, reason);
        end();
        return false;
    }

    /** Sends no more and reads no more, but waits for the client to close: to close before it has read all could lose what it has not. */
    private void end() {
        ended = true;
        event.shutdownOutput();
        event.enable(Direction.READ);
    }

    private void closed() {
        event.close();
        handler.onClose(this, code);
    }

    @Override
    public void onRead(BufferEvent event) {
        silent = false;
        read();
    }

    @Override
    public void onWritten(BufferEvent event) {
        if (!ended) {
            event.enable(Direction.READ);
            read(); // what was left while there was too much to write
        }
    }

    @Override
    public void onTimeout(BufferEvent event, Direction direction) {
        if (closing || silent || direction == Direction.WRITE) {
            closed();
        } else {
            silent = true;
            send(PING, new byte[0]);
            event.enable(Direction.READ);
        }
    }

    @Override
    public void onEof(BufferEvent event) {
        closed();
    }

    @Override
    public void onError(BufferEvent event, IOException failure) {
        closed();
    }
}
