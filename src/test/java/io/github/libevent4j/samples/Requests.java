package io.github.libevent4j.samples;

import static io.github.libevent4j.support.Parts.CHUNKS;
import static io.github.libevent4j.support.Parts.head;

import io.github.libevent4j.support.Parts;
import java.util.ArrayList;
import java.util.List;

/** Requests as they go over the wire: good ones, odd ones, wrong ones. Text is ISO-8859-1. */
final class Requests {

    /**
     * What a client sends on a connection of its own.
     *
     * @param slow whether each request takes the server more than a turn of its loop
     */
    record Request(String name, String text, boolean slow) {
    }

    private static final String CRLF = "\r\n";
    private static final List<String> METHODS =
        List.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT");

    private final List<Request> all = new ArrayList<>();

    private Requests() {
    }

    static List<Request> all() {
        Requests requests = new Requests();
        requests.routes();
        requests.slowRoutes();
        requests.requestLines();
        requests.versions();
        requests.targets();
        requests.headers();
        requests.hosts();
        requests.connections();
        requests.framings();
        requests.bodies();
        requests.expectations();
        requests.lineEnds();
        requests.pipelines();
        requests.unfinished();
        requests.huge();
        return List.copyOf(requests.all);
    }

    private void add(String kind, String what, String text) {
        all.add(new Request(kind + ": " + what, text, false));
    }

    private void slow(String kind, String what, String text) {
        all.add(new Request(kind + ": " + what, text, true));
    }

    private static String get(String target, String... headers) {
        return request("GET", target, headers);
    }

    private static String post(String target, String... headers) {
        return request("POST", target, headers);
    }

    private static String request(String method, String target, String[] headers) {
        return method + " " + target + " HTTP/1.1" + CRLF + "Host: x" + CRLF + (headers.length == 0 ? CRLF : head(headers));
    }

    private static String chunked(String body) {
        return post("/echo", "Transfer-Encoding: chunked") + body;
    }

    // ---- what the server offers

    private void routes() {
        for (String method : METHODS) {
            for (String route : List.of("/", "/echo", "/inspect", "/boom", "/nothing", "/status/204", "/files/text.txt")) {
                add("route", method + " " + route, head(method + " " + route + " HTTP/1.1", "Host: x"));
            }
        }
        for (String status : List.of("199", "200", "201", "202", "203", "205", "206", "207", "299", "300", "304", "305", "306",
            "307", "308", "399", "400", "408", "417", "418", "451", "499", "500", "505", "506", "599", "600", "999", "1000", "abc",
            "", "-1", "00204", "2e2", "0000000000000000204", "204/", "\"")) {
            add("status", status, get("/status/" + status));
        }
        for (String status : List.of("200", "204", "304", "404")) {
            add("status", status + " as HTTP/1.0", head("GET /status/" + status + " HTTP/1.0"));
            add("status", status + " kept as HTTP/1.0", head("GET /status/" + status + " HTTP/1.0", "Connection: keep-alive"));
            add("status", status + " to HEAD", head("HEAD /status/" + status + " HTTP/1.1"));
        }
        for (String file : List.of("empty.txt", "none.txt", "", ".", "..", "../text.txt", "%74ext.txt", "text.txt?a=b", "link.txt",
            "directory", "text.txt/")) {
            add("file", file, get("/files/" + file));
        }
        add("file", "as HTTP/1.0", head("GET /files/text.txt HTTP/1.0"));
        add("file", "kept as HTTP/1.0", head("GET /files/text.txt HTTP/1.0", "Connection: keep-alive"));
    }

    private void slowRoutes() {
        for (String length : List.of("0", "1", "65535", "65536", "65537", "300000")) {
            slow("bytes", length, get("/bytes/" + length));
            slow("bytes", length + " to HEAD", head("HEAD /bytes/" + length + " HTTP/1.1"));
        }
        slow("bytes", "as HTTP/1.0", head("GET /bytes/20000 HTTP/1.0"));
        slow("bytes", "kept as HTTP/1.0", head("GET /bytes/20000 HTTP/1.0", "Connection: keep-alive"));
        for (String length : List.of("x", "-1", "1073741825", "9999999999999999999", "")) {
            add("bytes", length, get("/bytes/" + length));
        }
        for (String query : List.of("count=0&size=5", "count=1&size=1", "count=3&size=5", "size=5&count=3", "count=3&size=16",
            "count=20&size=255&count=1", "count=%33&size=+5")) {
            slow("chunks", query, get("/chunks?" + query));
            slow("chunks", query + " as HTTP/1.0", head("GET /chunks?" + query + " HTTP/1.0"));
            slow("chunks", query + " kept as HTTP/1.0", head("GET /chunks?" + query + " HTTP/1.0", "Connection: keep-alive"));
            slow("chunks", query + " to HEAD", head("HEAD /chunks?" + query + " HTTP/1.1"));
        }
        slow("chunks", "large", get("/chunks?count=3&size=65536"));
        slow("chunks", "to POST", post("/chunks?count=2&size=2", "Content-Length: 2") + "ab");
        slow("chunks", "and close", get("/chunks?count=2&size=2", "Connection: close"));
        slow("chunks", "twice", get("/chunks?count=2&size=2") + get("/chunks?count=3&size=3"));
        for (String query : List.of("", "?count=3", "?size=3", "?count=-1&size=3", "?count=3&size=0", "?count=3&size=65537",
            "?count=a&size=1")) {
            add("chunks", query, get("/chunks" + query));
        }
        slow("delay", "0", get("/delay?ms=0"));
        slow("delay", "10", get("/delay?ms=10"));
        slow("delay", "to HEAD", head("HEAD /delay?ms=5 HTTP/1.1", "Host: x"));
        slow("delay", "as HTTP/1.0", head("GET /delay?ms=5 HTTP/1.0"));
        slow("delay", "before others", get("/delay?ms=10") + get("/") + get("/delay?ms=5") + get("/inspect"));
        add("delay", "none", get("/delay"));
        add("delay", "too long", get("/delay?ms=3600001"));
    }

    // ---- request lines

    private void requestLines() {
        for (String line : List.of("", " ", "\t", "GET", "GET ", "GET /", "GET / ", "GET  / HTTP/1.1", "GET /  HTTP/1.1",
            " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.1   ", "GET\t/\tHTTP/1.1", "GET /\tHTTP/1.1", "GET / a b HTTP/1.1",
            "GET /a b HTTP/1.1", "get / HTTP/1.1", "Get / HTTP/1.1", "GEt / HTTP/1.1", "GETS / HTTP/1.1", "GE / HTTP/1.11",
            "G / HTTP/1.1111", "PUTT / HTTP/1.1", "XXT / HTTP/1.1", "POSTS / HTTP/1.1", "BREW /pot HTTP/1.1", "M-SEARCH * HTTP/1.1",
            "PROPFIND / HTTP/1.1", "LINK /echo HTTP/1.1", "PRI * HTTP/2.0", "XXXXXXXXXXXXXXXXXXXX / HTTP/1.1", "OPTIONs / HTTP/1.1",
            "DELETe / HTTP/1.1", "DXLETE / HTTP/1.1", "HXAD / HTTP/1.1", "/ HTTP/1.1", "HTTP/1.1", "HTTP/1.1 200 OK",
            "GET HTTP/1.1", "GET / http/1.1", "GET / HTTP1.1", "GET /HTTP/1.1", "GET / HTTP /1.1", "GET / HTTP/ 1.1",
            "hello, is anybody there?", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", "\u0000",
            "GET /\u0000 HTTP/1.1", "GET / HTTP/1.1\u0000", "GET\u0000 / HTTP/1.1", "G\u00cbT / HTTP/1.1",
            "\u00ff\u00fe\u00fd / HTTP/1.1", "GET /\rHTTP/1.1", "GET /a\rb HTTP/1.1", "GET /inspect\rHost: a HTTP/1.1",
            "GET / HTTP/1.1\rHost: a", "{\"method\":\"echo\"}", "<policy-file-request/>")) {
            add("request line", line, head(line, "Host: x"));
        }
    }

    private void versions() {
        for (String version : List.of("0.8", "0.9", "1.0", "1.1", "1.2", "1.10", "1.9", "1.255", "1.256", "1.300", "01.01", "1.01",
            "1", "1.", ".1", "1.1.1", "1.1x", "x1.1", "+1.1", "-1.1", "1.-1", "1.+1", " 1.1", "1. 1", "2.0", "2", "9.9", "0.0",
            "1,1", "1.x", "\u00b1.1", "99999999999.1", "1.99999999999", "4294967297.1", "-4294967295.1")) {
            add("version", version, head("GET /inspect HTTP/" + version, "Host: x"));
        }
        for (String version : List.of("0.9", "0.5", "1.0", "1.2", "0.0")) {
            add("version", version + " kept", head("GET / HTTP/" + version, "Connection: keep-alive"));
            add("version", version + " with a body", head("POST /echo HTTP/" + version, "Content-Length: 5") + "hello");
            add("version", version + " with chunks", head("POST /echo HTTP/" + version, "Transfer-Encoding: chunked") + CHUNKS);
        }
        add("version", "none", "GET /\r\n");
        add("version", "none, long", "GET /inspect?a=long&way=to&go\r\n\r\n");
    }

    private void targets() {
        for (String target : List.of("*", "/*", "//", "//a", "//inspect", "///inspect", "/./inspect", "/a/../inspect", "/inspect/",
            "/inspect?", "/inspect?a", "/inspect?a=1&b=2&a=3", "/inspect?a=b=c", "/inspect?&&", "/inspect?a=%20+%2B", "/inspect?%",
            "/inspect#top", "/inspect?q#top", "/inspect??", "/inspect#?", "/inspect##", "/%69nspect", "/inspect%", "/inspect%2",
            "/inspect%00", "/inspect%zz", "/inspect?\"<>\\^`{|}", "/inspect?\u00e9\u00df\u0085\u00a0",
            "/inspect?\u0001\u0008\u000c\u001f\u007f", "inspect", "inspect:a", "?", "?a=b", "#", ":", ":80", "a:b", "/inspect:a",
            "/inspect;a=b", "/inspect?http://a/", "http://x/inspect", "http://x:80/inspect?a#b", "http://x:/inspect", "http://x",
            "http://x?a", "http:///inspect", "http://", "http:/inspect", "http:inspect", "http:", "HTTP://X/inspect",
            "https://x/inspect", "ftp://x/inspect", "http://u:p@x/inspect", "http://u@/inspect", "http://[::1]/inspect",
            "http://[::1]:8080/inspect", "http://[::1/inspect", "http://[]/inspect", "http://[v1.a]/inspect",
            "http://x:99999/inspect", "http://x:a/inspect", "http://x:-1/inspect", "http://a b/inspect", "http://a%20b/inspect",
            "http://a%2/inspect", "http://\u00e9/inspect", "://x/inspect", "1http://x/inspect", "h+t.t-p://x/inspect", "mailto:a@b",
            "urn:a:b", "/" + "a/".repeat(50) + "inspect")) {
            add("target", target, head("GET " + target + " HTTP/1.1", "Host: x"));
        }
        for (String target : List.of("http://x/inspect", "https://y/inspect", "ftp://x/inspect", "//x/inspect")) {
            for (String connection : List.of("Connection: close", "Connection: keep-alive", "Proxy-Connection: close",
                "Proxy-Connection: keep-alive")) {
                add("target", target + " with " + connection, get(target, connection));
            }
            add("target", target + " as HTTP/1.0", head("GET " + target + " HTTP/1.0"));
        }
        for (String target : List.of("x:443", "x", "x:", ":443", ":", "[::1]:443", "[::1", "x:0", "x:65535", "x:65536", "x:a",
            "u:p@x:443", "@x:443", "x y", "http://x/", "/", "*", "x:443/path", "x:443?query", "?", "\u00e9:1")) {
            add("target", "CONNECT " + target, head("CONNECT " + target + " HTTP/1.1", "Host: x"));
        }
        add("target", "CONNECT with a body", head("CONNECT x:443 HTTP/1.1", "Content-Length: 5") + "hello");
        add("target", "CONNECT and close", head("CONNECT x:443 HTTP/1.1", "Connection: close"));
        add("target", "CONNECT as HTTP/1.0", head("CONNECT x:443 HTTP/1.0"));
        for (String method : List.of("OPTIONS", "GET", "HEAD", "POST", "TRACE")) {
            add("target", method + " *", head(method + " * HTTP/1.1", "Host: x"));
        }
    }

    // ---- headers

    private void headers() {
        for (String lines : Parts.HEADERS) {
            add("headers", lines, get("/inspect", lines));
            add("headers", lines + " first", head("GET /inspect HTTP/1.1", lines, "Host: x"));
        }
        for (String type : List.of("text/html", "", "a\tb", "\u00e9", "a\r\n b", "a: b", "application/x-www-form-urlencoded")) {
            add("headers", "type " + type, post("/echo", "Content-Type: " + type, "Content-Length: 5") + "hello");
        }
        add("headers", "none", head("GET /inspect HTTP/1.1"));
        add("headers", "none for /", head("GET / HTTP/1.1"));
    }

    private void hosts() {
        for (String host : List.of("", "x", "x:80", "x:", "x::", ":80", ":", "80", "8:0", "x:80:90", "x:8a", "x:a8", "[::1]",
            "[::1]:80", "::1", "x y:80", "x:80 ", "\u00e9:80", "x:80\u0085", "\u0085:80", "x:\u0085", "\u00a0x:80", "x,y",
            "X.EXAMPLE:8080")) {
            add("host", host, head("GET /inspect HTTP/1.1", "Host: " + host));
        }
        add("host", "two", head("GET /inspect HTTP/1.1", "Host: a:1", "Host: b:2"));
        add("host", "other than the target's", head("GET http://a:1/inspect HTTP/1.1", "Host: b:2"));
        add("host", "folded", head("GET /inspect HTTP/1.1", "Host: a", " :80"));
    }

    private void connections() {
        for (String version : List.of("1.0", "1.1")) {
            for (String connection : List.of("close", "keep-alive", "Close", "KEEP-ALIVE", "keep-alive, close", "close, keep-alive",
                "keep-alive-not", "keepalive", "", "upgrade", " close ", "x")) {
                add("connection", connection + " in HTTP/" + version, head("GET / HTTP/" + version, "Connection: " + connection));
                add("connection", connection + " with a body in HTTP/" + version,
                    head("POST /echo HTTP/" + version, "Connection: " + connection, "Content-Length: 5") + "hello");
            }
            add("connection", "two, close first, in HTTP/" + version,
                head("GET / HTTP/" + version, "Connection: close", "Connection: keep-alive"));
            add("connection", "two, close last, in HTTP/" + version,
                head("GET / HTTP/" + version, "Connection: keep-alive", "Connection: close"));
        }
        for (String method : METHODS) {
            add("connection", "close by " + method, head(method + " /echo HTTP/1.1", "Connection: close"));
        }
    }

    // ---- bodies

    private void framings() {
        for (String framed : Parts.framed()) {
            add("framing", framed, "POST /echo HTTP/1.1" + CRLF + "Host: x" + CRLF + framed);
        }
        for (String method : METHODS) {
            add("framing", method, head(method + " /echo HTTP/1.1", "Transfer-Encoding: chunked") + CHUNKS);
        }
        add("framing", "none", post("/echo") + "hello");
        add("framing", "none, and close", post("/echo", "Connection: close") + "hello");
        add("framing", "two in chunks", chunked(CHUNKS) + chunked("5\r\nworld\r\n0\r\n\r\n"));
        add("framing", "a trailer and a second", chunked("5\r\nhello\r\n0\r\na: b\r\n\r\n") + get("/inspect"));
        add("framing", "chunks and close", post("/echo", "Transfer-Encoding: chunked", "Connection: close") + CHUNKS);
        add("framing", "chunks to what needs none", post("/", "Transfer-Encoding: chunked") + CHUNKS);
    }

    private void bodies() {
        for (String method : METHODS) {
            String target = method.equals("CONNECT") ? "x:1" : "/echo";
            add("body", method, head(method + " " + target + " HTTP/1.1", "Content-Length: 5") + "hello");
            add("body", "a request, to " + method,
                head(method + " " + target + " HTTP/1.1", "Content-Length: 28") + head("GET /status/201 HTTP/1.1"));
            add("body", "in HTTP/1.0, to " + method, head(method + " " + target + " HTTP/1.0", "Content-Length: 5") + "hello");
        }
        add("body", "to HEAD of /inspect", head("HEAD /inspect HTTP/1.1", "Content-Length: 5") + "hello");
        add("body", "of every byte", post("/echo", "Content-Length: 256") + everyByte());
        add("body", "to an unknown method", head("BREW /echo HTTP/1.1", "Content-Length: 5") + "hello");
        add("body", "to /boom", post("/boom", "Content-Length: 5") + "hello");
        add("body", "to /inspect", post("/inspect", "Content-Length: 5") + "hello");
    }

    private static String everyByte() {
        StringBuilder bytes = new StringBuilder();
        for (char c = 0; c < 256; c++) {
            bytes.append(c);
        }
        return bytes.toString();
    }

    private void expectations() {
        for (String expect : List.of("100-continue", "100-Continue", " 100-continue ", "100-continue, x", "x", "", "200-ok",
            "100")) {
            add("expect", expect, post("/echo", "Expect: " + expect, "Content-Length: 5") + "hello");
            add("expect", expect + " in HTTP/1.0", head("POST /echo HTTP/1.0", "Expect: " + expect, "Content-Length: 5") + "hello");
            add("expect", expect + " without a body", get("/inspect", "Expect: " + expect));
        }
        add("expect", "chunked", post("/echo", "Expect: 100-continue", "Transfer-Encoding: chunked") + CHUNKS);
        add("expect", "an empty body", post("/echo", "Expect: 100-continue", "Content-Length: 0"));
        add("expect", "a wrong length", post("/echo", "Expect: 100-continue", "Content-Length: x") + "hello");
        add("expect", "twice", (post("/echo", "Expect: 100-continue", "Content-Length: 5") + "hello").repeat(2));
        add("expect", "two, good first", post("/echo", "Expect: 100-continue", "Expect: x", "Content-Length: 5") + "hello");
        add("expect", "HTTP/1.2", head("POST /echo HTTP/1.2", "Expect: 100-continue", "Content-Length: 5") + "hello");
        add("expect", "HEAD", head("HEAD /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 5") + "hello");
        add("expect", "CONNECT", head("CONNECT x:1 HTTP/1.1", "Expect: 100-continue", "Content-Length: 5") + "hello");
    }

    // ---- what is around requests

    private void lineEnds() {
        String request = get("/inspect", "a: b");
        add("line ends", "LF", request.replace("\r", ""));
        add("line ends", "CR", request.replace("\n", ""));
        add("line ends", "LF CR", request.replace("\r\n", "\n\r"));
        add("line ends", "CR CR LF", request.replace("\r\n", "\r\r\n"));
        add("line ends", "LF in the end", request.substring(0, request.length() - 2) + "\n");
        add("line ends", "LF LF in the end", request.substring(0, request.length() - 4) + "\n\n");
        add("line ends", "CR in the end", request.substring(0, request.length() - 2) + "\r" + request);
        add("line ends", "LF for the first", request.replaceFirst("\r\n", "\n"));
        add("line ends", "LF with a body", post("/echo", "Content-Length: 5").replace("\r", "") + "hello");
        for (String before : List.of("\r\n", "\n", "\r\n\r\n", "\r", " ", "\r\n ", "\u0000", "\u00ef\u00bb\u00bf")) {
            add("before", before, before + request);
            add("between", before, request + before + request);
            add("after a body", before, post("/echo", "Content-Length: 5") + "hello" + before + request);
        }
    }

    private void pipelines() {
        add("pipeline", "two", get("/") + get("/inspect"));
        add("pipeline", "ten", get("/", "Number: many").repeat(10));
        add("pipeline", "bodies", (post("/echo", "Content-Length: 5") + "hello").repeat(3));
        add("pipeline", "of all sorts", get("/") + post("/echo", "Content-Length: 3") + "abc" + head("HEAD / HTTP/1.1")
            + get("/status/304") + chunked(CHUNKS) + get("/nothing"));
        add("pipeline", "behind close", get("/", "Connection: close") + get("/inspect"));
        add("pipeline", "behind HTTP/1.0", head("GET / HTTP/1.0") + get("/inspect"));
        add("pipeline", "behind HTTP/1.0 kept", head("GET / HTTP/1.0", "Connection: keep-alive") + get("/inspect"));
        add("pipeline", "behind an error", head("GET", "Host: x") + get("/inspect"));
        add("pipeline", "an error behind", get("/inspect") + head("GET", "Host: x"));
        add("pipeline", "behind an exception", get("/boom") + get("/boom") + get("/"));
        add("pipeline", "behind an unknown method", head("BREW / HTTP/1.1") + get("/"));
        add("pipeline", "behind a failed expectation", post("/echo", "Expect: x", "Content-Length: 5") + "hello" + get("/"));
        add("pipeline", "behind CONNECT", head("CONNECT x:1 HTTP/1.1") + get("/"));
        add("pipeline", "behind a proxied one", get("http://y/") + get("/"));
        add("pipeline", "files", get("/files/text.txt") + get("/files/text.txt") + get("/files/none.txt"));
    }

    private void unfinished() {
        add("unfinished", "nothing", "");
        for (String text : List.of("G", "GET", "GET /", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nHost", "GET / HTTP/1.1\r\nHost: x", "GET / HTTP/1.1\r\nHost: x\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\r", "\r\n", "\u0000")) {
            add("unfinished", text, text);
        }
        add("unfinished", "a body", post("/echo", "Content-Length: 500") + "hello");
        add("unfinished", "no body", post("/echo", "Content-Length: 500"));
        add("unfinished", "an expected body", post("/echo", "Expect: 100-continue", "Content-Length: 500"));
        for (String body : List.of("", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0",
            "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\na: b", "5\r\nhello\r\n0\r\na: b\r\n", "500\r\nhello\r\n0\r\n\r\n")) {
            add("unfinished", "chunked " + body, chunked(body));
        }
        add("unfinished", "behind another", get("/inspect") + "GET / HTTP/1.1\r\n");
        add("unfinished", "a body behind another", get("/inspect") + post("/echo", "Content-Length: 500") + "hello");
    }

    private void huge() {
        slow("huge", "header", get("/inspect", "a: " + "b".repeat(100_000)));
        slow("huge", "name", get("/inspect", "a".repeat(50_000) + ": b"));
        slow("huge", "number of headers", get("/inspect", ("a: b" + CRLF).repeat(2000).stripTrailing()));
        slow("huge", "folded header", get("/inspect", "a: b", (" c" + CRLF).repeat(1000).stripTrailing()));
        slow("huge", "target", get("/inspect?" + "a=b&".repeat(10_000)));
        slow("huge", "path", get("/" + "a".repeat(50_000)));
        slow("huge", "method", head("A".repeat(50_000) + " / HTTP/1.1"));
        slow("huge", "body", post("/echo", "Content-Length: 100000") + "hello".repeat(20_000));
        slow("huge", "chunk", chunked("186a0\r\n" + "hello".repeat(20_000) + "\r\n0\r\n\r\n"));
        slow("huge", "number of chunks", chunked("5\r\nhello\r\n".repeat(3000) + "0\r\n\r\n"));
        slow("huge", "chunk size line", chunked("0".repeat(20_000) + CHUNKS));
        slow("huge", "trailer", chunked("0\r\na: " + "b".repeat(50_000) + "\r\n\r\n"));
        slow("huge", "head before an error", head("GET / HTTP/9.9", "a: " + "b".repeat(50_000)));
    }
}
