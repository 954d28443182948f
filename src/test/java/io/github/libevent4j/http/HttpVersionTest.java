package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.support.RawClient;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What libevent reads a request's version with is native/scan.c: the same as sscanf(), whether it knows the text itself or not. */
class HttpVersionTest extends HttpTest {

    @ParameterizedTest
    @CsvSource({
        "HTTP/1.1, 1.1", "HTTP/1.0, 1.0", "HTTP/0.9, 0.9", "HTTP/1.12, 1.12", "HTTP/01.01, 1.1", "HTTP/000000001.1, 1.1",
        "HTTP/1.999999999, 1.-1", // libevent keeps a byte of it
        // Not known there: the C library reads these.
        "HTTP/+1.1, 1.1", "HTTP/1.+1, 1.1", "HTTP/\t1.1, 1.1", "HTTP/0000000001.1, 1.1",
        // No versions.
        "HTTP/2.0,", "HTTP/1,", "HTTP/1.,", "HTTP/.1,", "HTTP/x.1,", "HTTP/1.x,", "HTTP/1.1x,", "HTTP/1x1,", "http/1.1,", "HTTP1.1,",
        "HTTP/1.1.1,", "HTTP/0x1.1,"})
    void isReadAsTheLibraryDoes(String version, String read) throws Exception {
        serve(HttpServer.Builder::exact, exchange -> exchange.reply(200, exchange.version()));
        try (RawClient client = connect()) {
            String response = client.send("GET / " + version + "\r\nHost: x\r\nConnection: close\r\n\r\n").readToEnd();
            assertEquals(read == null ? "400" : "200", response.split(" ")[1], response);
            if (read != null) {
                assertEquals("HTTP/" + read, response.substring(response.indexOf("\r\n\r\n") + 4));
            }
        }
    }
}
