package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Message;
import io.github.libevent4j.support.RawClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtualHostTest extends HttpTest {

    private final BlockingQueue<HttpExchange> deferred = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() throws Exception {
        serve(exchange -> exchange.reply(200, "parent"));
    }

    /** A server that answers with its name, and nowhere listens. */
    private HttpServer host(String name) {
        HttpServer host = HttpServer.create(loop.base());
        host.onRequest(exchange -> exchange.reply(200, name));
        host.onRequest("/defer", exchange -> deferred.add(exchange.defer()));
        return host;
    }

    private interface Action {
        void run() throws Exception;
    }

    private void onLoop(Action action) throws Exception {
        loop.call(() -> {
            action.run();
            return null;
        });
    }

    private String ask(String host) throws IOException {
        return exchange("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").text();
    }

    // ---- which host

    @ParameterizedTest
    @CsvSource({
        "example.org, example.org, true", "example.org, EXAMPLE.Org, true", "EXAMPLE.ORG, example.org, true",
        "example.org, www.example.org, false", "example.org, example.org.evil, false", "example.org, xexample.org, false",
        "example.org, example.org:8080, true", "*.example.org, www.example.org, true", "*.example.org, a.b.example.org, true",
        "*.example.org, example.org, false", "*.example.org, .example.org, true", "*.example.org, www.example.org.evil, false",
        "www.*.org, www.example.org, true", "www.*.org, www.example.com, false", "a*c, abc, true", "a*c, acb, false",
        "*a*b*c, xxaxxbxxc:80, true", "*a*b*c, xxbxxaxxc, false", "127.0.0.1, 127.0.0.1:80, true",
    })
    void aPatternMatchesTheHostWithoutItsPort(String pattern, String name, boolean matches) throws Exception {
        onLoop(() -> http.addVirtualHost(pattern, host("host")));
        assertEquals(matches ? "host" : "parent", ask(name));
        assertEquals(matches ? "host" : "parent", exchange("GET http://" + name + "/ HTTP/1.1\r\nHost: other\r\n\r\n").text());
    }

    @Test
    void theFirstPatternThatMatchesIsTaken() throws Exception {
        onLoop(() -> {
            http.addVirtualHost("a.*b", host("first"));
            http.addVirtualHost("*.b", host("second"));
        });
        assertEquals("first", ask("a.x.b"));
        assertEquals("second", ask("c.b"));
    }

    @Test
    void aRequestWithoutAHostIsTheParents() throws Exception {
        onLoop(() -> http.addVirtualHost("*x", host("host")));
        assertEquals("parent", exchange("GET / HTTP/1.0\r\n\r\n").text());
    }

    @Test
    void anAliasIsAnotherNameForItsHost() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> {
            http.addVirtualHost("*.example.org", host);
            host.addAlias("alias");
            http.addAlias("own.example.org"); // goes before every pattern
        });
        assertEquals("host", ask("www.example.org"));
        assertEquals("host", ask("ALIAS:80"));
        assertEquals("parent", ask("own.example.org"));
        onLoop(() -> {
            assertTrue(host.removeAlias("Alias"));
            assertFalse(host.removeAlias("alias"));
            assertTrue(http.removeAlias("own.example.org"));
        });
        assertEquals("parent", ask("alias"));
        assertEquals("host", ask("own.example.org"));
    }

    @Test
    void hostsMayHaveHosts() throws Exception {
        HttpServer middle = loop.call(() -> host("middle"));
        onLoop(() -> {
            http.addVirtualHost("*.org", middle);
            middle.addVirtualHost("*.example.org", host("inner"));
        });
        assertEquals("inner", ask("www.example.org"));
        assertEquals("middle", ask("www.other.org"));
        assertEquals("parent", ask("www.example.com"));
    }

    @Test
    void pathsAndGeneralHandlersAreEachHostsOwn() throws Exception {
        HttpServer host = loop.call(() -> HttpServer.create(loop.base()));
        onLoop(() -> {
            host.onRequest("/there", exchange -> exchange.reply(200, "there"));
            http.onRequest("/here", exchange -> exchange.reply(200, "here"));
            http.addVirtualHost("host", host);
        });
        assertEquals("there", exchange("GET /there HTTP/1.1\r\nHost: host\r\n\r\n").text());
        assertEquals(404, exchange("GET /here HTTP/1.1\r\nHost: host\r\n\r\n").status());
        assertEquals("here", get("/here").text());
        assertEquals("parent", get("/there").text());
        onLoop(() -> host.removeHandler("/there"));
        assertEquals(404, exchange("GET /there HTTP/1.1\r\nHost: host\r\n\r\n").status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "www.*", "*a*"})
    void aPatternThatLibeventMatchesWithNothingIsRefused(String pattern) throws Exception {
        onLoop(() -> {
            HttpServer host = host("host");
            IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> http.addVirtualHost(pattern, host));
            assertTrue(refused.getMessage().contains(pattern), refused.getMessage());
            host.close();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a\0b", "a\r\n", "\u00e9"})
    void aNameIsChecked(String name) throws Exception {
        onLoop(() -> {
            HttpServer host = host("host");
            assertThrows(IllegalArgumentException.class, () -> http.addVirtualHost(name, host));
            assertThrows(IllegalArgumentException.class, () -> http.addAlias(name));
            assertThrows(IllegalArgumentException.class, () -> http.removeAlias(name));
            host.close();
        });
        assertServes();
    }

    // ---- whose it is

    @Test
    void aHostBelongsToOneAndListensNowhere() throws Exception {
        onLoop(() -> {
            HttpServer host = host("host");
            HttpServer inner = host("inner");
            http.addVirtualHost("host", host);
            host.addVirtualHost("inner", inner);
            assertThrows(IllegalStateException.class, () -> http.addVirtualHost("again", host));
            assertThrows(IllegalStateException.class, () -> host.bind("127.0.0.1", 0));
            assertThrows(IllegalArgumentException.class, () -> host.addVirtualHost("self", host));
            assertThrows(IllegalStateException.class, () -> inner.addVirtualHost("loop", http)); // it listens
            assertThrows(IllegalArgumentException.class, () -> http.removeVirtualHost(inner));
            assertThrows(IllegalArgumentException.class, () -> http.removeVirtualHost(http));
            HttpServer top = host("top");
            HttpServer below = host("below");
            top.addVirtualHost("below", below);
            assertThrows(IllegalStateException.class, () -> below.addVirtualHost("top", top)); // a circle
            top.close();
            assertThrows(IllegalStateException.class, () -> http.addVirtualHost("closed", top));
        });
        try (LoopThread other = new LoopThread()) {
            HttpServer foreign = other.call(() -> HttpServer.create(other.base()));
            onLoop(() -> assertThrows(IllegalArgumentException.class, () -> http.addVirtualHost("foreign", foreign)));
        }
    }

    @Test
    void aHostThatIsGivenBackMayListenOrBeAnothers() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        for (int i = 0; i < 3; i++) {
            onLoop(() -> http.addVirtualHost("name", host));
            assertEquals("host", ask("name"));
            onLoop(() -> http.removeVirtualHost(host));
            assertEquals("parent", ask("name"));
        }
        HttpServer first = http;
        serve(exchange -> exchange.reply(200, "other"));
        onLoop(() -> http.addVirtualHost("name", host));
        assertEquals("host", ask("name"));
        onLoop(() -> http.removeVirtualHost(host));
        first.close();
        address = loop.call(() -> host.bind("127.0.0.1", 0));
        assertEquals("host", ask("whatever"));
        onLoop(() -> {
            assertThrows(IllegalStateException.class, () -> http.addVirtualHost("name", host)); // it listens
            host.unbind(address);
            http.addVirtualHost("name", host);
        });
    }

    /** A request stays with the host that has it, whoever that host belongs to by then. */
    @Test
    void aHostMayBeGivenBackWithItsRequestsPending() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> http.addVirtualHost("name", host));
        try (RawClient client = connect()) {
            client.send("GET /defer HTTP/1.1\r\nHost: name\r\n\r\n");
            HttpExchange exchange = deferred.take();
            onLoop(() -> http.removeVirtualHost(host));
            exchange.reply(200, "late");
            assertEquals("late", client.response().text());
            client.send("GET / HTTP/1.1\r\nHost: name\r\n\r\n");
            assertEquals("parent", client.response().text());
        }
        host.close();
    }

    // ---- the end

    /** Each of 24 servers in three layers is closed once, in any order, while each has a request pending. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void hostsMayBeClosedInAnyOrder(int seed) throws Exception {
        List<HttpServer> servers = new ArrayList<>(List.of(http));
        onLoop(() -> {
            for (int i = 0; i < 6; i++) {
                HttpServer host = host("host" + i);
                servers.add(host);
                http.addVirtualHost("host" + i, host);
                host.addAlias("alias" + i);
                for (int j = 0; j < 3; j++) {
                    HttpServer inner = host("inner" + i + j);
                    servers.add(inner);
                    host.addVirtualHost("*.x", inner);
                    inner.addAlias("inner" + i + j);
                }
            }
        });
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            for (String name : List.of("alias" + i, "inner" + i + 1)) {
                clients.add(connect().send("GET /defer HTTP/1.1\r\nHost: " + name + "\r\n\r\n"));
                deferred.take();
            }
        }
        Collections.shuffle(servers, new Random(seed));
        for (HttpServer server : servers) {
            server.close();
            if (seed % 2 == 0) {
                loop.turn();
            }
        }
        for (RawClient client : clients) {
            assertEquals("", client.readToEnd());
            client.close();
        }
    }

    @Test
    void aHandlerMayCloseItsHost() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> {
            host.onRequest("/close", exchange -> {
                host.close();
                exchange.reply(200, "closing");
            });
            http.addVirtualHost("name", host);
        });
        try (RawClient client = connect()) {
            client.send("GET /close HTTP/1.1\r\nHost: name\r\n\r\n");
            assertEquals("", client.readToEnd()); // its request went with it
        }
        assertEquals("parent", ask("name"));
    }

    @Test
    void aHandlerMayCloseItsHostsParent() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> {
            host.onRequest("/close", exchange -> {
                http.close();
                exchange.reply(200, "closing");
            });
            http.addVirtualHost("name", host);
        });
        try (RawClient client = connect()) {
            client.send("GET /close HTTP/1.1\r\nHost: name\r\n\r\n");
            client.readToEnd();
        }
        loop.turn();
        assertFalse(host.isOpen());
    }

    @Test
    void aHandlerMayMoveItsHost() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> {
            host.onRequest("/leave", exchange -> {
                http.removeVirtualHost(host);
                exchange.reply(200, "left");
            });
            http.addVirtualHost("name", host);
        });
        assertEquals("left", exchange("GET /leave HTTP/1.1\r\nHost: name\r\n\r\n").text());
        assertEquals("parent", ask("name"));
        host.close();
    }

    @Test
    void aHostStopsByItself() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> http.addVirtualHost("name", host));
        try (RawClient client = connect()) {
            client.send("GET /defer HTTP/1.1\r\nHost: name\r\n\r\n");
            HttpExchange exchange = deferred.take();
            CompletableFuture<Void> stopped = host.stop(Duration.ofDays(1));
            loop.turn();
            assertFalse(stopped.isDone());
            exchange.reply(200, "waited for");
            Message answer = client.response();
            assertEquals("waited for", answer.text());
            assertEquals("close", answer.header("Connection"));
            await(stopped);
        }
        assertEquals("parent", ask("name"));
    }

    @Test
    void aParentThatIsForcedToStopForcesItsHosts() throws Exception {
        HttpServer host = loop.call(() -> host("host"));
        onLoop(() -> http.addVirtualHost("name", host));
        try (RawClient client = connect()) {
            client.send("GET /defer HTTP/1.1\r\nHost: name\r\n\r\n");
            CompletableFuture<Void> completion = deferred.take().completion();
            await(http.stop(Duration.ofMillis(20)));
            assertThrows(IOException.class, () -> await(completion));
            assertEquals("", client.readToEnd());
        }
        assertFalse(host.isOpen());
    }
}
