package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.internal.Descriptors;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.Turns;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is registered with the kernel for a server's connections is what libevent waits for, though it is not registered again in vain. */
class HttpEpollTest extends LibeventTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String LAST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    private EventBase base;
    private HttpServer server;
    private InetSocketAddress address;

    private void serve(boolean changelist) throws Exception {
        EventBase.Builder builder = EventBase.newBuilder();
        base = (changelist ? builder.flags(EventBase.Flag.EPOLL_USE_CHANGELIST) : builder).build();
        server = HttpServer.newBuilder(base).build();
        server.onRequest(exchange -> exchange.reply(200, "Hello"));
        address = server.bind("127.0.0.1", 0);
    }

    @AfterEach
    void close() {
        base.close();
    }

    /** Runs the loop until there is something to be read. */
    private Message response(RawClient client) throws Exception {
        Turns.until(base, () -> client.in().available() > 0);
        return client.response();
    }

    /** The server waits for input of the client alone. */
    private void assertReads(RawClient client) throws Exception {
        base.loop(EventBase.LoopFlag.NONBLOCK); // what a turn has changed is registered in the next
        assertEquals(Kernel.READABLE, Kernel.polled(address, (InetSocketAddress) client.socket().getLocalSocketAddress()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isWhatItWasAfterEachReply(boolean changelist) throws Exception {
        serve(changelist);
        try (RawClient client = RawClient.to(address)) {
            for (int i = 0; i < 10; i++) {
                assertEquals(200, response(client.send(GET)).status());
                assertReads(client);
            }
        }
    }

    /** Connections whose descriptors are those of connections that have ended. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isThereForADescriptorThatIsUsedAgain(boolean changelist) throws Exception {
        serve(changelist);
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            RawClient client = RawClient.to(address);
            clients.add(client);
            assertEquals(200, response(client.send(GET)).status());
        }
        for (int round = 0; round < 10; round++) {
            List<RawClient> next = new ArrayList<>();
            for (RawClient client : clients) {
                client.send(LAST);
                next.add(RawClient.to(address).send(GET));
            }
            for (RawClient client : clients) {
                assertEquals(200, response(client).status());
                client.close();
            }
            for (RawClient client : next) {
                assertEquals(200, response(client).status());
                assertReads(client);
                assertEquals(200, response(client.send(GET)).status());
            }
            clients = next;
        }
        for (RawClient client : clients) {
            client.close();
        }
    }

    /** A connection ends, and in the same turn libevent is to read from something else that has got its descriptor. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isThereForADescriptorThatIsSomethingElseInTheSameTurn(boolean changelist) throws Exception {
        serve(changelist);
        StringBuilder heard = new StringBuilder();
        BufferEvent later = BufferEvent.pair(base).get(0);
        try (ServerSocketChannel listening = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
                SocketChannel peer = SocketChannel.open(listening.getLocalAddress()); SocketChannel other = listening.accept()) {
            later.listener(new BufferEvent.Listener() {
                @Override
                public void onRead(BufferEvent from) throws IOException {
                    BufferEvent event = BufferEvent.create(base, Descriptors.duplicate(other)); // the lowest free number
                    event.listener(new BufferEvent.Listener() {
                        @Override
                        public void onRead(BufferEvent from) {
                            heard.append(new String(from.input().removeAll(), US_ASCII));
                        }
                    });
                    event.enable(BufferEvent.Direction.READ);
                }
            });
            server.onRequest("/last", exchange -> {
                exchange.completion().thenRun(() -> later.trigger(BufferEvent.Direction.READ));
                exchange.reply(200, "bye");
            });
            try (RawClient client = RawClient.to(address)) {
                assertEquals(200, response(client.send(GET)).status());
                client.send(LAST.replace("GET /", "GET /last"));
                assertEquals(200, response(client).status());
            }
            peer.write(ByteBuffer.wrap("hello".getBytes(US_ASCII)));
            Turns.until(base, () -> heard.toString().equals("hello"));
        }
    }

    /** A piece of a reply, which waits for its client, is written from another loop's callback while this loop does not run. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isRightAfterAnotherLoopHasChangedIt(boolean changelist) throws Exception {
        serve(changelist);
        List<ChunkedReply> replies = new ArrayList<>();
        server.onRequest("/pieces", exchange -> replies.add(exchange.start(200)));
        byte[] large = new byte[8 * 1024 * 1024];
        try (LoopThread other = new LoopThread(); RawClient client = RawClient.to(address)) {
            client.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
            Turns.until(base, () -> !replies.isEmpty());
            ChunkedReply reply = replies.get(0);
            Turns.await(base, reply.send("first".getBytes(US_ASCII)));
            assertReads(client);
            CompletableFuture<Void> sent = other.call(() -> reply.send(large));
            CompletableFuture<Message> answer = new CompletableFuture<>();
            new Thread(() -> {
                try {
                    answer.complete(client.response());
                } catch (Exception e) {
                    answer.completeExceptionally(e);
                }
                base.execute(() -> { }); // wakes the loop
            }).start();
            Turns.await(base, sent);
            assertReads(client);
            reply.end();
            assertEquals("first".length() + large.length, Turns.await(base, answer).body().length);
            assertReads(client);
            assertEquals(200, response(client.send(GET)).status());
        }
    }
}
