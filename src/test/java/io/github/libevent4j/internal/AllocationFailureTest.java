package io.github.libevent4j.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.Signal;
import io.github.libevent4j.Timer;
import io.github.libevent4j.dns.Dns;
import io.github.libevent4j.http.ChunkedReply;
import io.github.libevent4j.http.HttpConnection;
import io.github.libevent4j.http.HttpExchange;
import io.github.libevent4j.http.HttpHandler;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import io.github.libevent4j.io.RateLimit;
import io.github.libevent4j.io.RateLimitGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever allocation fails, the program gets an error, or its connection is closed, and nothing is leaked, or used after it is freed.
 * Each program runs with its first allocation failing, with its second, and so on, until none fails any more.
 *
 * <p>An exact server is left out: evhttp makes its connections without asking this library, and does not survive to be without memory
 * there. So is a search domain of a resolver, which evdns counts before it has memory for it.
 */
class AllocationFailureTest extends LibeventTest {

    private static final int HTTP_LEAK = 5; // a bufferevent's, its buffers' and their callback's, and a guard
    private static final int PATIENCE = 20; // turns of the watch for what got lost

    /** What a program waits for. */
    private static final class Waiting {
        private final EventBase base;
        private final List<CompletableFuture<?>> futures = new ArrayList<>();
        private boolean spared;

        Waiting(EventBase base) {
            this.base = base;
        }

        void on(CompletableFuture<?> future) {
            futures.add(future);
        }

        /** Stops the loop when something is done that need not be. */
        CompletableFuture<Void> perhaps() {
            CompletableFuture<Void> done = new CompletableFuture<>();
            done.thenRun(base::stop);
            return done;
        }

        /** From here on no allocation fails. */
        void spare() {
            spared = Native.libevent4j_fail_allocation(0) > 0;
        }

        /** Runs the loop until all is done, or what is not will not be. */
        void run() {
            if (!futures.isEmpty()) {
                CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)).whenComplete((done, e) -> base.stop());
            }
            base.dispatch();
        }
    }

    private interface Program {
        void run(EventBase base, Waiting waiting) throws Exception;
    }

    private enum Scenario {
        TIMERS((base, waiting) -> {
            Timer.create(base, () -> { }).start(Duration.ofMillis(1));
            Timer.periodic(base, () -> { }).start(base.commonTimeout(Duration.ofMillis(1)));
            Event.create(base, -1, Set.of(), (self, what) -> { }).activate(EnumSet.of(Event.Kind.READ));
            base.once(Duration.ZERO, () -> { });
            Signal.create(base, "USR1", () -> { });
            base.events();
            base.dump();
            base.stopAfter(Duration.ofMillis(1));
            base.dispatch();
        }),
        BUFFERS((base, waiting) -> {
            Buffer buffer = Buffer.create(base);
            buffer.onChange((before, added, deleted) -> { });
            buffer.add("a line\r\n".getBytes(US_ASCII));
            buffer.prepend(new byte[5000]);
            buffer.addReference(ByteBuffer.allocateDirect(10), () -> { });
            Buffer other = Buffer.create(base);
            other.add(new byte[3]);
            other.addCopy(buffer);
            other.addBuffer(buffer);
            other.pullUp(other.length());
            other.removeAll();
        }),
        PAIR((base, waiting) -> {
            List<BufferEvent> pair = BufferEvent.pair(base);
            move(waiting, pair.get(0), pair.get(1));
        }),
        FILTER((base, waiting) -> {
            List<BufferEvent> pair = BufferEvent.pair(base);
            BufferEvent.Filter copy = (source, target, limit, mode) -> {
                target.addBuffer(source);
                return BufferEvent.Filter.Result.OK;
            };
            move(waiting, pair.get(0), BufferEvent.filter(pair.get(1), copy, copy));
        }),
        RATE_LIMIT((base, waiting) -> {
            BufferEvent socket = BufferEvent.create(base);
            RateLimitGroup.create(base, RateLimit.perSecond(1 << 20, 1 << 20)).add(socket);
            socket.rateLimit(RateLimit.perSecond(1 << 20, 1 << 20));
        }),
        LISTENER((base, waiting) -> {
            CompletableFuture<Void> read = waiting.perhaps();
            ConnectionListener listener = ConnectionListener.bind(base, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                accepted -> receive(accepted.toBufferEvent(), read));
            BufferEvent client = BufferEvent.create(base);
            client.connect(listener.address());
            client.enable(BufferEvent.Direction.READ, BufferEvent.Direction.WRITE);
            client.write("text");
            waiting.run();
        }),
        /**
         * Evdns drops an answer that it has no memory to pass on, and with it what a cancelled question looks at: the process may not
         * survive that. So no allocation fails once all is asked.
         */
        DNS((base, waiting) -> {
            try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                Dns dns = Dns.createEmpty(base);
                dns.addNameserver((InetSocketAddress) silent.getLocalSocketAddress());
                dns.option("timeout", "0.01");
                dns.option("attempts", "1");
                waiting.on(dns.lookup("127.0.0.1", Dns.Family.ANY));
                waiting.on(dns.resolveIpv4("name"));
                waiting.on(dns.resolveReverse(InetAddress.getLoopbackAddress()));
                waiting.on(dns.lookup("name", Dns.Family.ANY));
                waiting.spare();
                waiting.run();
            }
        }),
        /** Evhttp drops the bufferevent that it was given when it has no memory for the connection: that much is leaked. */
        REPLY(HTTP_LEAK, (base, waiting) -> exchange(base, waiting, exchange -> exchange.header("X-Name", "value").reply(200, "text"))),
        ERROR(HTTP_LEAK, (base, waiting) -> exchange(base, waiting, exchange -> exchange.replyError(404))),
        DEFERRED(HTTP_LEAK, (base, waiting) -> exchange(base, waiting, exchange -> {
            exchange.defer();
            base.execute(() -> exchange.reply(200, "text"));
        })),
        CHUNKS(HTTP_LEAK, (base, waiting) -> exchange(base, waiting, exchange -> {
            ChunkedReply reply = exchange.start(200);
            reply.send(new byte[100]).thenCompose(sent -> reply.send(new byte[10_000])).whenComplete((sent, e) -> reply.end());
        })),
        VIRTUAL_HOST(HTTP_LEAK, (base, waiting) -> {
            HttpServer http = HttpServer.create(base);
            HttpServer host = HttpServer.create(base);
            host.onRequest("/", exchange -> exchange.reply(200));
            http.addVirtualHost("*.test", host);
            host.addAlias("alias.test");
            send(waiting, base, http.bind("127.0.0.1", 0));
        });

        private final int leak;
        private final Program program;

        Scenario(Program program) {
            this(0, program);
        }

        /** @param leak what libevent itself may leak, in allocations: nothing that can be reached from outside */
        Scenario(int leak, Program program) {
            this.leak = leak;
            this.program = program;
        }
    }

    private static void move(Waiting waiting, BufferEvent from, BufferEvent to) {
        CompletableFuture<Void> read = waiting.perhaps();
        receive(to, read);
        from.enable(BufferEvent.Direction.WRITE);
        from.write(new byte[10_000]);
        waiting.run();
    }

    private static void receive(BufferEvent bev, CompletableFuture<Void> read) {
        bev.listener(new BufferEvent.Listener() {
            @Override
            public void onRead(BufferEvent self) {
                read.complete(null);
            }
        });
        bev.enable(BufferEvent.Direction.READ);
    }

    private static void exchange(EventBase base, Waiting waiting, HttpHandler handler) throws IOException {
        HttpServer http = HttpServer.newBuilder(base).maxConnections(10).timeout(Duration.ofSeconds(10)).build();
        http.onRequest(handler);
        send(waiting, base, http.bind("127.0.0.1", 0));
    }

    /** Two requests on one connection, the second of which asks for its end. */
    private static void send(Waiting waiting, EventBase base, InetSocketAddress address) {
        HttpConnection connection = HttpConnection.create(base, "127.0.0.1", address.getPort());
        waiting.on(connection.send(HttpRequest.newBuilder("/").POST("body").header("Host", "a.test").build()));
        waiting.on(connection.send(HttpRequest.newBuilder("/").header("Host", "alias.test").header("Connection", "close").build()));
        waiting.run();
    }

    /** Whether an allocation failed. */
    private static boolean runWithout(int number, Scenario scenario) throws Exception {
        boolean threw = false;
        Waiting waiting = null;
        try (EventBase base = EventBase.create(); Timer watch = Timer.periodic(base, new Runnable() {
            private int turns;

            @Override
            public void run() {
                if (Native.libevent4j_fail_allocation(-1) == 0 && ++turns == PATIENCE) {
                    base.stop();
                }
            }
        })) {
            watch.start(Duration.ofMillis(10));
            base.onException(e -> { });
            waiting = new Waiting(base);
            Native.libevent4j_fail_allocation(number);
            scenario.program.run(base, waiting);
        } catch (OutOfMemoryError | IOException | UncheckedIOException e) {
            threw = true;
        } catch (Throwable e) {
            Native.libevent4j_fail_allocation(0);
            throw e;
        }
        boolean failed = !waiting.spared && Native.libevent4j_fail_allocation(-1) == 0;
        Native.libevent4j_fail_allocation(0);
        assertTrue(failed || !threw, "an error without a reason");
        for (CompletableFuture<?> future : waiting.futures) {
            assertTrue(future.isDone() || threw, "what is waited for is done when all is closed");
        }
        assertEquals(0, Live.handles());
        assertEquals(0, Live.targets());
        return failed;
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void endsWell(Scenario scenario) throws Exception {
        int number = 0;
        long allocations;
        do {
            allocations = Live.allocations();
            number++;
        } while (runWithout(number, scenario) & nothingLeaked(allocations, scenario, number));
        assertTrue(number > 1, "nothing was allocated");
    }

    private boolean nothingLeaked(long before, Scenario scenario, int number) {
        long leaked = Live.allocations() - before;
        excuse(leaked);
        assertTrue(leaked >= 0 && leaked <= scenario.leak, leaked + " leaked by " + scenario + " without allocation " + number);
        return true;
    }
}
