import io.github.libevent4j.EventBase;
import io.github.libevent4j.Timer;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.EolStyle;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * What the compiler takes for ordinary use: servers and clients that do most of what such do, small messages far more often than large
 * ones, over loopback. See renew, which counts what of the library that takes.
 */
public final class Training {

    private static final int CONNECTIONS = 20;
    private static final int ROUNDS = 400;
    private static final byte[] PAGE = "<!DOCTYPE html><title>A page</title><p>Of a few words.</p>\n".repeat(20).getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LARGE = new byte[1 << 20];
    private static final Map<String, String> BROWSER = Map.of(
        "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language", "en-GB,en;q=0.7,de;q=0.3",
        "Accept-Encoding", "gzip, deflate, br",
        "Cookie", "session=6f1c0a52e4b84b0c9d; theme=dark",
        "Referer", "http://127.0.0.1/index.html",
        "Cache-Control", "no-cache",
        "Connection", "keep-alive");

    private Training() {
    }

    public static void main(String[] args) throws Exception {
        Path file = Files.write(Files.createTempFile("training", ".bin"), LARGE);
        try (HttpService service = service(file)) {
            int port = service.addresses().get(0).getPort();
            connections(port);
            client(port);
            pipelined(port);
        } finally {
            Files.delete(file);
        }
        streams();
        timers();
        buffers();
    }

    private static HttpService service(Path file) throws IOException {
        return HttpService.newBuilder()
            .bind("127.0.0.1", 0)
            .handler("/", exchange -> exchange.header("Content-Type", "text/plain").reply(200, "Hello, World!"))
            .handler("/page", exchange -> exchange.header("Content-Type", "text/html").header("Cache-Control", "max-age=60")
                .header("Vary", exchange.firstHeader("Accept-Language").orElse("*")).reply(200, PAGE))
            .handler("/rpc", exchange -> exchange.header("Content-Type", "application/json").reply(200, exchange.body()))
            .handler("/echo", exchange -> {
                try (Buffer body = exchange.takeBody()) {
                    exchange.reply(200, body);
                }
            })
            .handler("/large", exchange -> exchange.reply(200, LARGE))
            .handler("/file", exchange -> {
                try (FileChannel channel = FileChannel.open(file)) {
                    exchange.reply(200, channel, 0, channel.size());
                }
            })
            .handler("/pieces", exchange -> send(exchange.start(200), 8))
            .start();
    }

    private static void send(ChunkedReply reply, int left) {
        if (left == 0) {
            reply.end();
        } else {
            reply.send(PAGE).thenRun(() -> send(reply, left - 1));
        }
    }

    private static HttpRequest request(Random random) {
        HttpRequest.Builder builder = switch (random.nextInt(40)) {
            case 0 -> HttpRequest.newBuilder("/large");
            case 1 -> HttpRequest.newBuilder("/file");
            case 2, 3 -> HttpRequest.newBuilder("/pieces");
            case 4 -> HttpRequest.newBuilder("/echo").POST(new byte[64 * 1024]);
            case 5 -> HttpRequest.newBuilder("/missing");
            case 6 -> HttpRequest.newBuilder("/").header("Connection", "close");
            case 7, 8, 9, 10, 11, 12 -> HttpRequest.newBuilder("/rpc").header("Content-Type", "application/json").POST("{\"id\": 17}");
            case 13, 14 -> HttpRequest.newBuilder("/echo").POST(PAGE);
            case 15, 16, 17, 18, 19, 20 -> HttpRequest.newBuilder("/page?of=" + random.nextInt(100));
            default -> HttpRequest.newBuilder("/");
        };
        if (random.nextBoolean()) {
            BROWSER.forEach((name, value) -> {
                if (!name.equals("Connection")) {
                    builder.header(name, value);
                }
            });
        }
        return builder.build();
    }

    /** On one loop, each with one request after the other. */
    private static void connections(int port) throws Exception {
        try (EventBase base = EventBase.create()) {
            for (int i = 0; i < CONNECTIONS; i++) {
                next(HttpConnection.create(base, "127.0.0.1", port), new Random(i), ROUNDS);
            }
            base.dispatch();
        }
    }

    private static void next(HttpConnection connection, Random random, int left) {
        if (left == 0) {
            connection.close();
            return;
        }
        connection.send(request(random)).whenComplete((response, failure) -> {
            check(response, failure);
            next(connection, random, left - 1);
        });
    }

    private static void check(HttpResponse response, Throwable failure) {
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
        response.headers().first("Content-Type");
    }

    /** From another thread. */
    private static void client(int port) throws Exception {
        Random random = new Random(1);
        try (HttpClient client = HttpClient.create()) {
            for (int i = 0; i < ROUNDS; i++) {
                CompletableFuture<?>[] all = new CompletableFuture<?>[CONNECTIONS / 2];
                for (int j = 0; j < all.length; j++) {
                    all[j] = client.sendAsync(HttpRequest.newBuilder("http://127.0.0.1:" + port + "/page").header("Accept", "*/*").build())
                        .thenAccept(response -> check(response, null));
                }
                CompletableFuture.allOf(all).get();
                if (random.nextInt(10) == 0) {
                    client.send(HttpRequest.newBuilder("http://127.0.0.1:" + port + "/pieces").build());
                }
            }
        }
    }

    private static void pipelined(int port) throws IOException {
        StringBuilder headers = new StringBuilder();
        BROWSER.forEach((name, value) -> headers.append(name).append(": ").append(value).append("\r\n"));
        byte[] requests = ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(7) + "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n")
            .getBytes(StandardCharsets.US_ASCII);

        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            for (int i = 0; i < ROUNDS; i++) {
                out.write(requests);
                for (int ends = 0; ends < 8; ) {
                    ends += in.read() == '!' ? 1 : 0;
                }
            }
        }
    }

    /** A server of lines, and clients that send some. */
    private static void streams() throws IOException {
        try (EventBase base = EventBase.create()) {
            ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress("127.0.0.1", 0), connection -> {
                BufferEvent event = connection.toBufferEvent();
                event.listener(new BufferEvent.Listener() {
                    @Override
                    public void onRead(BufferEvent answering) {
                        for (var line = answering.input().readLine(EolStyle.LF); line.isPresent(); line = answering.input().readLine(EolStyle.LF)) {
                            answering.output().add(line.get()).add("\n");
                        }
                    }

                    @Override
                    public void onEof(BufferEvent answering) {
                        answering.close();
                    }
                });
                event.enable(BufferEvent.Direction.READ);
            });
            int[] open = {CONNECTIONS};
            for (int i = 0; i < CONNECTIONS; i++) {
                BufferEvent event = BufferEvent.create(base);
                event.listener(new BufferEvent.Listener() {
                    private int left = ROUNDS;

                    @Override
                    public void onRead(BufferEvent asking) {
                        asking.input().drain(asking.input().length());
                        if (left-- > 0) {
                            asking.write("a line\nand another\n");
                        } else {
                            asking.close();
                            if (--open[0] == 0) {
                                listener.close();
                            }
                        }
                    }
                });
                event.enable(BufferEvent.Direction.READ);
                event.connect(listener.address());
                event.write("a line\n");
            }
            base.dispatch();
        }
    }

    private static void timers() throws IOException {
        try (EventBase base = EventBase.create()) {
            Random random = new Random(2);
            for (int i = 0; i < 1000; i++) {
                int[] left = {20};
                Timer[] timer = new Timer[1];
                timer[0] = Timer.create(base, () -> {
                    if (left[0]-- > 0) {
                        timer[0].start(Duration.ofNanos(random.nextInt(3_000_000)));
                    } else {
                        timer[0].close();
                    }
                });
                timer[0].start(Duration.ofNanos(random.nextInt(3_000_000)));
            }
            base.dispatch();
        }
    }

    private static void buffers() throws IOException {
        try (EventBase base = EventBase.create(); Buffer one = Buffer.create(base); Buffer other = Buffer.create(base)) {
            byte[] bytes = new byte[512];
            for (int i = 0; i < ROUNDS * 20; i++) {
                one.add(PAGE).add("a line\n");
                other.addBuffer(one);
                other.search("line".getBytes(StandardCharsets.US_ASCII), 0);
                while (other.remove(bytes, 0, bytes.length) > 0) {
                    one.length();
                }
            }
        }
    }
}
