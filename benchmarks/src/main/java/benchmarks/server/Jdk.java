package benchmarks.server;

import benchmarks.Answers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/** The JDK's own server, with its dispatcher's thread for the handlers. */
public final class Jdk {

    private Jdk() {
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), Replies.port(args)), 1024);
        server.createContext("/", exchange -> {
            try (exchange) {
                handle(exchange, args);
            }
        });
        server.start();
        Answers.ready();
    }

    private static void handle(HttpExchange exchange, String[] args) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/plain");
        switch (exchange.getRequestURI().getPath()) {
            case "/" -> full(exchange, Replies.HELLO);
            case "/header" -> full(exchange, exchange.getRequestHeaders().getFirst(Replies.HEADER).getBytes(StandardCharsets.US_ASCII));
            case "/echo" -> full(exchange, exchange.getRequestBody().readAllBytes());
            case "/mib" -> full(exchange, Replies.MEBIBYTE);
            case "/stream" -> {
                exchange.sendResponseHeaders(200, 0);
                try (OutputStream body = exchange.getResponseBody()) {
                    for (int i = 0; i < Replies.CHUNKS; i++) {
                        body.write(Replies.CHUNK);
                        body.flush();
                    }
                }
            }
            default -> {
                exchange.sendResponseHeaders(200, Files.size(Replies.file(args)));
                try (OutputStream body = exchange.getResponseBody()) {
                    Files.copy(Replies.file(args), body);
                }
            }
        }
    }

    private static void full(HttpExchange exchange, byte[] body) throws IOException {
        exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }
}
