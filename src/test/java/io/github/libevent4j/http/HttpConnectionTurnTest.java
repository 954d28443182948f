package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Kernel;
import io.github.libevent4j.support.RawClient;
import io.github.libevent4j.support.RawServer;
import io.github.libevent4j.support.Turns;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client's connection does in one turn of its loop: a request goes out as soon as the response before it has come. */
class HttpConnectionTurnTest extends LibeventTest {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1";
    private static final String LAST = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1";
    private static final int ENDED = 0x2000; // EPOLLRDHUP

    private EventBase base;
    private RawServer server;

    private HttpConnection connection(boolean changelist) throws Exception {
        EventBase.Builder builder = EventBase.newBuilder();
        base = (changelist ? builder.flags(EventBase.Flag.EPOLL_USE_CHANGELIST) : builder).build();
        server = new RawServer();
        return another();
    }

    private HttpConnection another() {
        return HttpConnection.create(base, "127.0.0.1", server.port());
    }

    @AfterEach
    void close() throws IOException {
        base.close();
        server.close();
    }

    private static HttpRequest get(String target) {
        return HttpRequest.newBuilder(target).build();
    }

    /** The server's end of a connection that has been used a few times. */
    private RawClient used(HttpConnection connection) throws Exception {
        CompletableFuture<HttpResponse> response = connection.send(get("/"));
        base.loop(EventBase.LoopFlag.NONBLOCK); // connects
        RawClient peer = server.accept();
        for (int i = 0; i < 3; i++) {
            answer(peer, OK, i == 0 ? response : connection.send(get("/" + i)));
        }
        return peer;
    }

    private void answer(RawClient peer, String answer, CompletableFuture<HttpResponse> response) throws Exception {
        Turns.until(base, () -> peer.in().available() > 0);
        peer.request();
        peer.send(answer);
        assertEquals("1", Turns.await(base, response).bodyText());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNextRequestGoesOutInTheTurnOfTheResponse(boolean changelist) throws Exception {
        HttpConnection connection = connection(changelist);
        List<HttpConnection> connections = List.of(connection, another(), another());
        List<RawClient> peers = new ArrayList<>();
        List<CompletableFuture<HttpResponse>> last = new ArrayList<>();
        List<CompletableFuture<HttpResponse>> first = new ArrayList<>();
        for (HttpConnection each : connections) {
            RawClient peer = used(each);
            peers.add(peer);
            first.add(each.send(get("/first")).whenComplete((response, failure) -> last.add(each.send(get("/next")))));
            Turns.until(base, () -> peer.in().available() > 0);
            peer.request();
        }
        for (int i = 0; i < 3; i++) {
            peers.get(i).send(OK);
            CompletableFuture<HttpResponse> response = first.get(i);
            Turns.until(base, response::isDone);
            assertEquals("GET /next HTTP/1.1", peers.get(i).request().startLine()); // and no turn has begun since
            peers.get(i).send(OK);
            Turns.await(base, last.get(i));
            peers.get(i).close();
        }
    }

    /** The end has come with the response, though it is not in what was read. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConnectionThatHasEndedBehindItsResponseIsNotUsedForTheNext(boolean changelist) throws Exception {
        HttpConnection connection = connection(changelist);
        RawClient peer = used(connection);
        CompletableFuture<HttpResponse> second = new CompletableFuture<>();
        connection.send(get("/1")).thenAccept(response -> connection.send(get("/2")).thenAccept(second::complete));
        Turns.until(base, () -> peer.in().available() > 0);
        peer.request();
        peer.send(OK).close();
        base.loop(EventBase.LoopFlag.ONCE);
        RawClient next = server.accept();
        answer(next, OK, second);
        next.close();
    }

    /** A callback that takes its time: what epoll has said of the connection is old by then. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConnectionThatHasEndedWhileItsResponseWasLookedAtIsNotUsedForTheNext(boolean changelist) throws Exception {
        HttpConnection connection = connection(changelist);
        RawClient peer = used(connection);
        CompletableFuture<HttpResponse> second = new CompletableFuture<>();
        connection.send(get("/1")).thenAccept(response -> {
            assertDoesNotThrow(peer::close);
            long began = System.nanoTime();
            while (System.nanoTime() - began < 50_000_000) { // the clock by which it is old moves on
                Thread.onSpinWait();
            }
            connection.send(get("/2")).thenAccept(second::complete);
        });
        Turns.until(base, () -> peer.in().available() > 0);
        peer.request();
        peer.send(OK);
        base.loop(EventBase.LoopFlag.ONCE);
        RawClient next = server.accept();
        answer(next, OK, second);
        next.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theKernelIsAskedForWhatLibeventWaitsFor(boolean changelist) throws Exception {
        HttpConnection connection = connection(changelist);
        try (RawClient peer = used(connection)) {
            InetSocketAddress local = (InetSocketAddress) peer.socket().getRemoteSocketAddress();
            InetSocketAddress remote = (InetSocketAddress) peer.socket().getLocalSocketAddress();
            for (int i = 0; i < 10; i++) {
                answer(peer, OK, connection.send(get("/")));
                base.loop(EventBase.LoopFlag.NONBLOCK); // what a turn has changed is registered in the next
                assertEquals(Kernel.READABLE | ENDED, Kernel.polled(local, remote));
            }
        }
    }

    /** Connections end, and others get their descriptors. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDescriptorThatIsUsedAgainIsAskedForAgain(boolean changelist) throws Exception {
        HttpConnection first = connection(changelist);
        List<HttpConnection> connections = List.of(first, another(), another(), another());
        for (int round = 0; round < 5; round++) {
            List<RawClient> peers = new ArrayList<>();
            for (HttpConnection connection : connections) {
                peers.add(used(connection));
            }
            for (int i = 0; i < connections.size(); i++) {
                answer(peers.get(i), LAST, connections.get(i).send(get("/last")));
            }
            for (RawClient peer : peers) {
                assertEquals(-1, peer.in().read());
                peer.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsTakenBackInTheSameTurnIsNotSentAndTheOthersAre(boolean closing) throws Exception {
        HttpConnection first = connection(true);
        HttpConnection second = another();
        HttpConnection third = another();
        try (RawClient ended = used(first); RawClient peer = used(second); RawClient other = used(third)) {
            List<CompletableFuture<HttpResponse>> sent = new ArrayList<>();
            base.execute(() -> {
                CompletableFuture<HttpResponse> taken = first.send(get("/taken"));
                sent.add(second.send(get("/second")));
                if (closing) {
                    first.close();
                } else {
                    assertTrue(taken.cancel(false));
                }
                sent.add(third.send(get("/third")));
            });
            Turns.until(base, () -> peer.in().available() > 0 && other.in().available() > 0);
            answer(peer, OK, sent.get(0));
            answer(other, OK, sent.get(1));
            String request = new String(ended.in().readAllBytes());
            assertTrue(request.isEmpty() || request.startsWith("GET /taken HTTP/1.1\r\n"), request);
        }
    }

    /** One that is the same as the last goes out as that did. */
    @Test
    void aRequestGoesOutAsItIsWhateverTheLastOneWas() throws Exception {
        connection(true);
        CompletableFuture<Void> closed = new CompletableFuture<>();
        HttpConnection connection = HttpConnection.newBuilder(base, "127.0.0.1", server.port()).onClose(() -> closed.complete(null)).build();
        String host = "Host: 127.0.0.1:" + server.port() + "\r\n";
        String one = " HTTP/1.1\r\n" + host + "\r\n";
        HttpRequest first = HttpRequest.newBuilder("/a").header("X", "1").build();
        HttpRequest other = HttpRequest.newBuilder("/a").header("X", "2").build();
        String deep = "/" + "l".repeat(600);
        try (RawClient peer = used(connection)) {
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 3; i++) {
                    goesOut("GET /a" + one, connection, get("/a"), peer);
                }
                goesOut("GET /ab" + one, connection, get("/ab"), peer);
                goesOut("GET /" + one, connection, get("/"), peer);
                goesOut("GET /" + one, connection, get("/"), peer);
                goesOut("DELETE /" + one, connection, HttpRequest.newBuilder("/").method(HttpMethod.DELETE, new byte[0]).build(), peer);
                goesOut("GET /" + one, connection, get("/"), peer);
                goesOut("GET /a HTTP/1.1\r\n" + host + "X: 1\r\n\r\n", connection, first, peer);
                goesOut("GET /a HTTP/1.1\r\n" + host + "X: 1\r\n\r\n", connection, first, peer);
                goesOut("GET /a HTTP/1.1\r\n" + host + "X: 2\r\n\r\n", connection, other, peer);
                for (int i = 0; i < 3; i++) {
                    goesOut("POST /a HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\n" + i, connection,
                        HttpRequest.newBuilder("/a").POST(new byte[] {(byte) ('0' + i)}).build(), peer);
                }
                goesOut("GET " + deep + one, connection, get(deep), peer);
                goesOut("GET " + deep + one, connection, get(deep), peer);
            }
            goesOut("GET /a" + one, connection, get("/a"), peer);
        }
        Turns.await(base, closed);
        CompletableFuture<HttpResponse> response = connection.send(get("/a"));
        base.loop(EventBase.LoopFlag.NONBLOCK);
        try (RawClient peer = server.accept()) {
            answer(peer, OK, response);
            goesOut("GET /a" + one, connection, get("/a"), peer);
            goesOut("GET /a HTTP/1.0\r\n" + host + "\r\n", connection, HttpRequest.newBuilder("/a").version10().build(), peer);
        }
    }

    private void goesOut(String bytes, HttpConnection connection, HttpRequest request, RawClient peer) throws Exception {
        CompletableFuture<HttpResponse> response = connection.send(request);
        Turns.until(base, () -> peer.in().available() >= bytes.length());
        assertEquals(bytes, new String(peer.in().readNBytes(peer.in().available()), ISO_8859_1));
        peer.send(OK);
        assertEquals("1", Turns.await(base, response).bodyText());
    }

    /** More than a socket takes at once: the rest waits for the loop. */
    @Test
    void whatTheSocketDoesNotTakeFollows() throws Exception {
        HttpConnection connection = connection(true);
        byte[] body = new byte[1024 * 1024];
        try (RawClient peer = used(connection)) {
            CompletableFuture<HttpResponse> response = connection.send(HttpRequest.newBuilder("/").POST(body).build());
            base.loop(EventBase.LoopFlag.NONBLOCK);
            CompletableFuture<Integer> length = new CompletableFuture<>();
            new Thread(() -> {
                try {
                    length.complete(peer.request().body().length);
                    peer.send(OK);
                } catch (IOException e) {
                    length.completeExceptionally(e);
                }
            }).start();
            assertEquals("1", Turns.await(base, response).bodyText());
            assertEquals(body.length, length.get());
        }
    }
}
