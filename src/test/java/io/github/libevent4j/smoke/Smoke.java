package io.github.libevent4j.smoke;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Libevent;
import io.github.libevent4j.Timer;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpException;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.internal.Live;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.BufferEvent.Direction;
import io.github.libevent4j.io.ConnectionListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A little of everything, as one program without dependencies, for a platform whose JVM cannot run the tests: {@code platform/smoke.sh}.
 * It tells what it has done; its status is 0 when all of it was right. To be run with {@code -Dlibevent4j.debug=true}.
 */
public final class Smoke {

    private Smoke() {
    }

    public static void main(String[] args) throws Exception {
        System.out.println(System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", Java " + System.getProperty("java.version"));
        System.out.println("libevent " + Libevent.revision() + ", methods " + Libevent.supportedMethods());
        EventBase.create().close(); // with what libevent allocates once for all time
        long allocations = Live.allocations();

        raw();
        timers();
        http();
        streams();
        refused();

        check(Live.handles() == 0 && Live.targets() == 0, "no handle and no callback is left");
        check(Live.allocations() == allocations, "no allocation is left");
    }

    private static void raw() {
        try (timeval time = new timeval().tv_sec(3_000_000_000L).tv_usec(999_999)) {
            check(time.tv_usec() == 999_999 && (time.tv_sec() == 3_000_000_000L || time.sizeof() == 8), "structures have their members");
        }
        check(libevent.EVUTIL_EAI_NONAME != 0 && libevent.EVUTIL_EAI_NONAME != libevent.EVUTIL_EAI_AGAIN, "constants have their values");
    }

    private static void timers() throws Exception {
        List<String> order = new ArrayList<>();
        try (EventBase base = EventBase.create();
             Timer late = Timer.create(base, () -> {
                 order.add("late");
                 base.stop();
             });
             Timer early = Timer.create(base, () -> order.add("early"))) {
            System.out.println("the loop uses " + base.method());
            late.start(Duration.ofMillis(100));
            early.start(Duration.ofMillis(10));
            Thread other = new Thread(() -> base.execute(() -> order.add("task")));
            other.start();
            base.dispatch();
            other.join();
        }
        order.remove("task");
        check(order.equals(List.of("early", "late")), "timers run in their order, and another thread's task with them");
    }

    private static void http() throws Exception {
        Path path = Files.createTempFile("smoke", null);
        List<CompletableFuture<HttpResponse>> responses = new ArrayList<>();
        try (FileChannel file = FileChannel.open(Files.write(path, new byte[100_000]));
             EventBase base = EventBase.create();
             HttpServer server = HttpServer.create(base)) {
            server.onRequest(exchange -> exchange.header("X-Method", exchange.method().toString()).reply(200, exchange.body()));
            server.onRequest("/file", exchange -> exchange.reply(200, file, 0, file.size()));
            InetSocketAddress address = server.bind("127.0.0.1", 0);
            try (HttpConnection connection = HttpConnection.create(base, "127.0.0.1", address.getPort())) {
                responses.add(connection.send(HttpRequest.newBuilder("/").POST("x".repeat(200_000)).build()));
                responses.get(0).thenCompose(response -> {
                    responses.add(connection.send(HttpRequest.newBuilder("/file").build()));
                    return responses.get(1);
                }).whenComplete((response, failure) -> base.stop());
                base.dispatch();
            }
        } finally {
            Files.delete(path);
        }
        HttpResponse posted = responses.get(0).get();
        check(posted.status() == 200 && posted.bodyText().length() == 200_000 && posted.headers().first("X-Method").get().equals("POST"),
            "a server answers a client");
        check(responses.get(1).get().body().length == 100_000, "a server sends a file");
    }

    private static void streams() throws Exception {
        StringBuilder heard = new StringBuilder();
        try (EventBase base = EventBase.create();
             ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), connection -> {
                 BufferEvent event = connection.toBufferEvent();
                 event.listener(new BufferEvent.Listener() {
                     @Override
                     public void onRead(BufferEvent own) {
                         own.write(own.input());
                     }

                     @Override
                     public void onEof(BufferEvent own) {
                         own.close();
                     }
                 });
                 event.enable(Direction.READ);
             });
             BufferEvent client = BufferEvent.create(base)) {
            client.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent event) {
                    heard.append(new String(event.input().removeAll()));
                    if (heard.length() == 5) {
                        base.stop();
                    }
                }

                @Override
                public void onError(BufferEvent event, IOException failure) {
                    heard.append(failure);
                    base.stop();
                }
            });
            client.enable(Direction.READ);
            client.connect(listener.address());
            client.write("hello");
            base.dispatch();
        }
        check(heard.toString().equals("hello"), "a stream brings back what was sent: " + heard);
    }

    private static void refused() throws Exception {
        try (EventBase base = EventBase.create()) {
            int port;
            try (HttpServer server = HttpServer.create(base)) {
                port = server.bind("127.0.0.1", 0).getPort();
            }
            try (HttpConnection connection = HttpConnection.create(base, "127.0.0.1", port)) {
                List<Throwable> failures = new ArrayList<>();
                connection.send(HttpRequest.newBuilder("/").build()).whenComplete((response, failure) -> {
                    failures.add(failure);
                    base.stop();
                });
                base.dispatch();
                check(failures.get(0) instanceof HttpException refused && refused.failure() == HttpException.Failure.UNCONNECTED,
                    "where nobody listens: " + failures.get(0).getMessage());
            }
        }
    }

    private static void check(boolean right, String what) {
        if (!right) {
            System.out.println("WRONG: " + what);
            System.exit(1);
        }
        System.out.println(what);
    }
}
