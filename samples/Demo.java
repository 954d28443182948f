import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.Libevent;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** A server and a client in one process, on one base: the client POSTs, the server answers. */
@Command(name = "demo",
    description = "Lets a client POST to a server, both on one base, and prints what went over the wire.")
final class Demo implements Callable<Integer> {

    @Override
    public Integer call() throws IOException {
        try (EventBase base = EventBase.create();
             HttpServer http = HttpServer.create(base)) {
            http.onRequest(exchange -> exchange.reply(200, "Hello, " + new String(exchange.body(), UTF_8) + "!\n"));
            InetSocketAddress server = http.bind("127.0.0.1", 0);

            try (Wire wire = new Wire(base, server);
                 HttpConnection connection = HttpConnection.create(base, "127.0.0.1", wire.port())) {
                HttpRequest request = HttpRequest.newBuilder("/greet")
                    .POST("World")
                    .header("Content-Type", "text/plain; charset=utf-8")
                    .header("Connection", "close")
                    .build();
                HttpResponse response = Samples.await(base, connection.send(request));

                System.out.println("* libevent " + Libevent.version() + ", " + base.method());
                wire.print();
                return response.status() == 200 ? 0 : 1;
            }
        }
    }

    /**
     * A wire that can be watched: what one client sends passes through here on its way to the server, and so does what the server
     * answers. It runs on the same base, on events of its own.
     */
    private static final class Wire implements AutoCloseable {

        private final EventBase base;
        private final Map<Event, SelectableChannel> watched = new LinkedHashMap<>();
        private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private final int port;

        Wire(EventBase base, InetSocketAddress server) throws IOException {
            this.base = base;
            ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(server.getAddress(), 0));
            this.port = listener.socket().getLocalPort();
            watch(listener, (event, what) -> {
                SocketChannel left = listener.accept();
                SocketChannel right = SocketChannel.open(server);
                pass(left, right, sent);
                pass(right, left, received);
            });
        }

        private void pass(SocketChannel from, SocketChannel to, ByteArrayOutputStream copy) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(4096);
            watch(from, (event, what) -> {
                if (from.read(bytes.clear()) < 0) {
                    event.close();
                    to.shutdownOutput();
                }
                copy.write(bytes.array(), 0, bytes.flip().limit());
                while (bytes.hasRemaining()) {
                    to.write(bytes);
                }
            });
        }

        private void watch(SelectableChannel channel, Event.Handler handler) throws IOException {
            channel.configureBlocking(false);
            Event event = Event.create(base, channel, Set.of(Event.Kind.READ, Event.Kind.PERSIST), handler);
            watched.put(event, channel);
            event.add();
        }

        int port() {
            return port;
        }

        void print() {
            sent.toString(ISO_8859_1).lines().forEach(line -> System.out.println("> " + line));
            received.toString(ISO_8859_1).lines().forEach(line -> System.out.println("< " + line));
        }

        @Override
        public void close() throws IOException {
            for (Map.Entry<Event, SelectableChannel> each : watched.entrySet()) {
                each.getKey().close(); // before its descriptor is
                each.getValue().close();
            }
        }
    }
}
