package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.support.Curl;
import io.github.libevent4j.support.LoopThread;
import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a safe server does beyond evhttp. */
class GuardTest extends LibeventTest {

    /** The system gives the next connection the descriptor that the last one had, when no client in this process takes it first. */
    @Test
    void aConnectionThatIsClosedTakesNothingFromTheNext(@TempDir Path directory) throws Exception {
        Path body = Files.write(directory.resolve("body"), new byte[100_001]);
        try (LoopThread loop = new LoopThread()) {
            String url = loop.call(() -> {
                HttpServer http = HttpServer.newBuilder(loop.base()).maxBodySize(100_000).lingeringClose().build();
                http.onRequest(exchange -> exchange.reply(200));
                return "http://127.0.0.1:" + http.bind("127.0.0.1", 0).getPort() + "/";
            });
            Programs.Result curl = Curl.run("--header", "Expect:", "--data-binary", "@" + body, "--write-out", "%{http_code} %{num_connects}\n",
                "--output", "/dev/null", url, "--output", "/dev/null", url, "--output", "/dev/null", url);
            assertEquals("413 1\n".repeat(3), curl.text(), curl.errors());
        }
    }
}
