package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RpcTest extends SampleTest {

    private static final String[] CREDENTIALS = {"--user", "alice", "--password", "se:cret"};

    @TempDir
    static Path directory;
    static Server server;

    private static Server start(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("rpc", "--port", "0"));
        arguments.addAll(List.of(CREDENTIALS));
        arguments.addAll(List.of(options));
        return new Server(arguments.toArray(new String[0]));
    }

    @BeforeAll
    static void start() throws Exception {
        server = start(new String[0]);
    }

    @AfterAll
    static void stop() throws Exception {
        try (Server ending = server) {
            assertEquals("", ending.stop("TERM"));
        }
    }

    private static Curl.Reply post(Server server, String body) throws Exception {
        return Curl.get("--user", "alice:se:cret", "--data-binary", body, server.url + "/");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', nullValues = "-", textBlock = """
        200 | {"method": "echo", "params": [1, "two", {"three": [null, true]}], "id": 7} | {"result":[1,"two",{"three":[null,true]}],"error":null,"id":7}
        200 | {"jsonrpc": "1.0", "method": "echo", "params": {"a": 1}, "id": "x"} | {"result":{"a":1},"error":null,"id":"x"}
        200 | {"method": "echo", "params": [0.10000000, 21000000.00000001, 123456789012345678901234567890]} | {"result":[0.10000000,21000000.00000001,123456789012345678901234567890],"error":null,"id":null}
        200 | {"method": "echo", "id": [1]} | {"result":[],"error":null,"id":[1]}
        200 | {"method": "echo", "params": null, "id": null} | {"result":[],"error":null,"id":null}
        200 | {"method": "help", "id": 1} | {"result":"echo\\nhelp\\nstop\\nuptime","error":null,"id":1}
        404 | {"method": "nope", "id": 1} | {"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}
        400 | {"id": 1} | {"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1}
        400 | {"method": 5, "id": 1} | {"result":null,"error":{"code":-32600,"message":"Method must be a string"},"id":1}
        400 | {"method": "echo", "params": "x", "id": 1} | {"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":1}
        500 | {"method": "echo" | {"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}
        500 | {"method": "echo"} x | {"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}
        500 | "echo" | {"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}
        500 | `` | {"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}
        200 | [] | []
        200 | [{"method":"echo","params":[1],"id":1},{"method":"nope","id":2},3,{"method":"echo","id":4}] | [{"result":[1],"error":null,"id":1},{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":2},{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null},{"result":[],"error":null,"id":4}]
        """)
    void everyRequestGetsItsStatusAndItsAnswer(int status, String request, String answer) throws Exception {
        Curl.Reply reply = post(server, request);
        assertEquals(status, reply.status());
        assertEquals("application/json", reply.header("Content-Type"));
        assertEquals(answer + "\n", reply.text());
    }

    @Test
    void uptimeIsInSeconds() throws Exception {
        assertTrue(post(server, "{\"method\": \"uptime\"}").text().matches("\\{\"result\":\\d+,\"error\":null,\"id\":null}\n"));
    }

    /** Too deep for the parser is a parse error; all that it takes can be sent back. */
    @ParameterizedTest
    @CsvSource({"998, 200", "100000, 500"})
    void deepParametersAreNoTrouble(int depth, int status) throws Exception {
        Path file = Files.writeString(directory.resolve("deep"), "{\"method\": \"echo\", \"params\": " + "[".repeat(depth) + "]".repeat(depth) + "}");
        Curl.Reply reply = post(server, "@" + file);
        assertEquals(status, reply.status());
        assertTrue(reply.text().contains(status == 200 ? "[".repeat(depth) + "]".repeat(depth) : "-32700"), reply.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "alice:wrong", "alice:", "Alice:se:cret", ":se:cret", "alice:se:cret2"})
    void whoIsNotKnownIsRefused(String credentials) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--data", "{\"method\": \"stop\"}", server.url + "/"));
        if (!credentials.isEmpty()) {
            arguments.addAll(List.of("--user", credentials));
        }
        assertUnauthorized(Curl.get(arguments.toArray(new String[0])));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Basic", "Basic ", "Basic !", "Bearer YWxpY2U6c2U6Y3JldA==", "YWxpY2U6c2U6Y3JldA=="})
    void whatIsNoBasicAuthenticationIsRefused(String authorization) throws Exception {
        assertUnauthorized(Curl.get("--header", "Authorization: " + authorization, "--data", "{\"method\": \"stop\"}", server.url + "/"));
    }

    private static void assertUnauthorized(Curl.Reply reply) {
        assertEquals(401, reply.status());
        assertEquals("Basic realm=\"jsonrpc\"", reply.header("WWW-Authenticate"));
        assertEquals(0, reply.body().length);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"})
    void onlyPostIsTaken(String method) throws Exception {
        Curl.Reply reply = Curl.get("--user", "alice:se:cret", "--request", method, server.url + "/");
        assertEquals(405, reply.status());
        assertEquals("POST", reply.header("Allow"));
        assertEquals("JSONRPC server handles only POST requests", reply.text());
    }

    @Test
    void thereIsOnlyTheRoot() throws Exception {
        assertEquals(404, Curl.get("--user", "alice:se:cret", "--data", "{\"method\": \"stop\"}", server.url + "/wallet").status());
    }

    @Test
    void severalRequestsGoOverOneConnection() throws Exception {
        Programs.Result curl = Curl.run("--user", "alice:se:cret", "--data", "{\"method\": \"echo\"}", "--write-out", "%{http_code} %{num_connects}\n",
            "--output", "/dev/null", server.url + "/", "--output", "/dev/null", server.url + "/", "--output", "/dev/null", server.url + "/");
        assertEquals("200 1\n200 0\n200 0\n", curl.text());
    }

    /** With one worker and one place in the queue, clients that never rest find it full sooner or later, and the others are served. */
    @Test
    void aFullQueueIsTold() throws Exception {
        int calls = 2000;
        Path batch = Files.writeString(directory.resolve("batch"), Collections.nCopies(calls, "{\"method\":\"echo\",\"params\":[[1,2,3,4,5,6,7,8,9]]}").toString());
        try (Server busy = start("--workers", "1", "--queue", "1")) {
            Set<String> seen = new HashSet<>();
            while (!seen.containsAll(Set.of("200", "503"))) {
                List<String> clients = new ArrayList<>(List.of("--parallel", "--parallel-immediate", "--write-out", "%{http_code}\n",
                    "--user", "alice:se:cret", "--data-binary", "@" + batch));
                for (int i = 0; i < 20; i++) {
                    clients.addAll(List.of("--output", directory.resolve("reply" + i).toString(), busy.url + "/"));
                }
                Programs.Result curl = Curl.run(clients.toArray(new String[0]));
                assertEquals(0, curl.exit(), curl.errors());
                seen.addAll(curl.text().lines().toList());
                for (int i = 0; i < 20; i++) {
                    String reply = Files.readString(directory.resolve("reply" + i));
                    assertTrue(reply.equals("Work queue depth exceeded") || reply.split("\"result\":", -1).length == calls + 1, reply);
                }
            }
            assertEquals(Set.of("200", "503"), seen);
            assertEquals("", busy.stop("TERM"));
        }
    }

    @Test
    void stopAnswersAndStops() throws Exception {
        try (Server own = start("--workers", "1", "--queue", "1")) {
            Curl.Reply reply = post(own, "{\"method\": \"stop\", \"id\": 1}");
            assertEquals(200, reply.status());
            assertEquals("{\"result\":\"stopping\",\"error\":null,\"id\":1}\n", reply.text());
            assertEquals("", own.awaitEnd());
        }
    }

    @Test
    void anInterruptStopsItToo() throws Exception {
        try (Server own = start(new String[0])) {
            assertEquals("", own.stop("INT"));
        }
    }

    @Test
    void thePoolHasALeastSize() throws Exception {
        Programs.Result rpc = run("rpc", "--port", "0", "--user", "u", "--password", "p", "--queue", "0");
        assertEquals(1, rpc.exit());
        assertEquals("rpc: --workers and --queue take at least 1\n", rpc.errors());
    }

    // ---- rpc-call

    private static Programs.Result call(int port, String... call) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("rpc-call", "--port", Integer.toString(port)));
        arguments.addAll(List.of(CREDENTIALS));
        arguments.addAll(Arrays.asList(call));
        return run(arguments.toArray(new String[0]));
    }

    private static void assertPrinted(String text, Programs.Result call) {
        assertEquals(0, call.exit(), call.errors());
        assertEquals("", call.errors());
        assertEquals(text + "\n", call.text());
    }

    private static void assertFailed(String why, Programs.Result call) {
        assertEquals(1, call.exit());
        assertEquals("", call.text());
        assertEquals("rpc-call: " + why + "\n", call.errors());
    }

    @Test
    void aCallPrintsItsResult() throws Exception {
        assertPrinted("echo\nhelp\nstop\nuptime", call(server.port, "help"));
        assertPrinted("[ 1, -1, 0.50, true, null, \"text\", \"quoted\", \"\", \"--user\", \"@file\", \"a b\", \"01\", [ 2 ] ]",
            call(server.port, "echo", "1", "-1", "0.50", "true", "null", "text", "\"quoted\"", "", "--user", "@file", "a b", "01", "[2]"));
    }

    @Test
    void aCallThatFailsSaysWhy() throws Exception {
        assertFailed("error -32601: Method not found", call(server.port, "nope"));
        int port = freePort();
        assertFailed("POST / to 127.0.0.1 port " + port + ": connect: Connection refused (errno 111)", call(port, "help"));
        Programs.Result stranger = run("rpc-call", "--port", Integer.toString(server.port), "--user", "mallory", "--password", "x", "stop");
        assertFailed("the server answered 401 Unauthorized", stranger);
        assertEquals(2, call(server.port).exit());
    }

    @Test
    void aCallStopsTheServer() throws Exception {
        try (Server own = start(new String[0])) {
            assertPrinted("stopping", call(own.port, "stop"));
            assertEquals("", own.awaitEnd());
        }
    }
}
