package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Programs;
import java.util.List;
import org.junit.jupiter.api.Test;

class DemoTest extends SampleTest {

    @Test
    void withoutArgumentsTheExchangeOfTheDemoIsPrinted() throws Exception {
        Programs.Result demo = run();
        assertEquals(0, demo.exit());
        assertEquals("", demo.errors());
        List<String> lines = demo.text().lines().map(line -> line.replaceAll("(Host: 127.0.0.1|Date|libevent).*", "$1")).toList();
        assertEquals(List.of(
            "* libevent",
            "> POST /greet HTTP/1.1",
            "> Host: 127.0.0.1",
            "> Content-Type: text/plain; charset=utf-8",
            "> Connection: close",
            "> Content-Length: 5",
            "> ",
            "> World",
            "< HTTP/1.1 200 OK",
            "< Content-Type: text/plain; charset=utf-8",
            "< Date",
            "< Content-Length: 14",
            "< Connection: close",
            "< ",
            "< Hello, World!"), lines);
    }

    @Test
    void helpNamesEveryProgram() throws Exception {
        Programs.Result help = run("--help");
        assertEquals(0, help.exit());
        for (String name : List.of("demo", "serve", "fetch", "download", "lookup", "events", "tunnel", "websocket", "rpc",
            "rpc-call", "echo", "chat", "proxy", "squeeze", "transfer", "evrpc")) {
            assertTrue(help.text().contains("\n  " + name + " "), help.text());
        }
    }

    @Test
    void anUnknownProgramIsAnError() throws Exception {
        assertEquals(2, run("nonsense").exit());
    }
}
