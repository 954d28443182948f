package benchmarks.server;

import benchmarks.Answers;
import io.undertow.UndertowOptions;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Undertow with one thread for input and output. */
public final class Undertow {

    private static final ByteBuffer HELLO = direct(Replies.HELLO);
    private static final ByteBuffer MEBIBYTE = direct(Replies.MEBIBYTE);
    private static final ByteBuffer CHUNK = direct(Replies.CHUNK);

    private Undertow() {
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    public static void main(String[] args) throws Exception {
        FileChannel file = open(args);
        io.undertow.Undertow.builder()
            .addHttpListener(Replies.port(args), "127.0.0.1")
            .setIoThreads(1)
            .setServerOption(UndertowOptions.ALWAYS_SET_DATE, true)
            .setHandler(exchange -> handle(exchange, file))
            .build().start();
        Answers.ready();
    }

    private static FileChannel open(String[] args) {
        try {
            return FileChannel.open(Replies.file(args));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void handle(HttpServerExchange exchange, FileChannel file) throws IOException {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain");
        switch (exchange.getRequestPath()) {
            case "/" -> exchange.getResponseSender().send(HELLO.duplicate());
            case "/header" -> exchange.getResponseSender().send(exchange.getRequestHeaders().getFirst(Replies.HEADER));
            case "/echo" -> exchange.getRequestReceiver().receiveFullBytes((received, body) ->
                received.getResponseSender().send(ByteBuffer.wrap(body)));
            case "/mib" -> exchange.getResponseSender().send(MEBIBYTE.duplicate());
            case "/stream" -> exchange.getResponseSender().send(CHUNK.duplicate(), new Chunks());
            default -> {
                exchange.setResponseContentLength(file.size());
                exchange.getResponseSender().transferFrom(file.position(0), IoCallback.END_EXCHANGE);
            }
        }
    }

    private static final class Chunks implements IoCallback {

        private int left = Replies.CHUNKS - 1;

        @Override
        public void onComplete(HttpServerExchange exchange, Sender sender) {
            if (left-- > 0) {
                sender.send(CHUNK.duplicate(), this);
            } else {
                IoCallback.END_EXCHANGE.onComplete(exchange, sender);
            }
        }

        @Override
        public void onException(HttpServerExchange exchange, Sender sender, IOException failure) {
            IoCallback.END_EXCHANGE.onException(exchange, sender, failure);
        }
    }
}
