package benchmarks.server;

import benchmarks.Answers;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.io.Buffer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Duration;

/** This library, with its defaults but for a queue as long as the others', and a timeout that lets connections be idle as long as theirs. */
public final class Libevent4j {

    private Libevent4j() {
    }

    public static void main(String[] args) throws Exception {
        HttpService.newBuilder()
            .bind("127.0.0.1", Replies.port(args))
            .server(server -> server.timeout(Duration.ofMinutes(10)).backlog(1024))
            .handler("/", exchange -> exchange.header("Content-Type", "text/plain").reply(200, Replies.HELLO))
            .handler("/header", exchange -> exchange.header("Content-Type", "text/plain")
                .reply(200, exchange.firstHeader(Replies.HEADER).orElseThrow()))
            .handler("/echo", exchange -> {
                try (Buffer body = exchange.takeBody()) {
                    exchange.header("Content-Type", "text/plain").reply(200, body);
                }
            })
            .handler("/mib", exchange -> exchange.header("Content-Type", "text/plain").reply(200, Replies.MEBIBYTE))
            .handler("/stream", exchange -> send(exchange.header("Content-Type", "text/plain").start(200), Replies.CHUNKS))
            .handler("/file", exchange -> file(exchange, args))
            .start();
        Answers.ready();
    }

    private static void send(ChunkedReply reply, int left) {
        if (left == 0) {
            reply.end();
        } else {
            reply.send(Replies.CHUNK).thenRun(() -> send(reply, left - 1));
        }
    }

    private static void file(HttpExchange exchange, String[] args) throws IOException {
        try (FileChannel file = FileChannel.open(Replies.file(args))) {
            exchange.header("Content-Type", "text/plain").reply(200, file, 0, file.size());
        }
    }
}
