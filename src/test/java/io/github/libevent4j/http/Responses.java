package io.github.libevent4j.http;

import static io.github.libevent4j.support.Parts.CHUNKS;
import static io.github.libevent4j.support.Parts.head;

import io.github.libevent4j.support.Parts;
import java.util.ArrayList;
import java.util.List;

/** Responses as they come over the wire: good ones, odd ones, wrong ones. Text is ISO-8859-1. */
final class Responses {

    /** What a server sends on a connection of its own. */
    record Response(String name, HttpMethod method, String text) {
    }

    private static final String OK = "HTTP/1.1 200 OK";
    private static final String HELLO = head(OK, "Content-Length: 5") + "hello";

    private final List<Response> all = new ArrayList<>();

    private Responses() {
    }

    static List<Response> all() {
        Responses responses = new Responses();
        responses.statusLines();
        responses.headers();
        responses.framings();
        responses.ends();
        responses.methods();
        responses.interims();
        responses.surplus();
        responses.lineEnds();
        responses.unfinished();
        responses.huge();
        return List.copyOf(responses.all);
    }

    private void add(String kind, String what, String text) {
        add(kind, what, HttpMethod.GET, text);
    }

    private void add(String kind, String what, HttpMethod method, String text) {
        all.add(new Response(kind + ": " + what, method, text));
    }

    private void statusLines() {
        for (String line : List.of("", " ", "\t", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1  ", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200  OK",
            "HTTP/1.1  200 OK", " HTTP/1.1 200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 OK ", "HTTP/1.1 200 Not at all",
            "HTTP/1.1 200 \u00e9\u00ff", "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\u0000K", "HTTP/1.1 2\u00000 OK", "\u0000HTTP/1.1 200 OK",
            "HTTP/1.1 0 OK", "HTTP/1.1 00 OK", "HTTP/1.1 000 OK", "HTTP/1.1 1 OK", "HTTP/1.1 20 OK", "HTTP/1.1 99 OK", "HTTP/1.1 0200 OK",
            "HTTP/1.1 200x OK", "HTTP/1.1 x200 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 2.0 OK",
            "HTTP/1.1 0x200 OK", "HTTP/1.1 1000 OK", "HTTP/1.1 999 OK", "HTTP/1.1 65536 OK", "HTTP/1.1 4294967496 OK",
            "HTTP/1.1 99999999999999999999 OK", "HTTP/1.1 OK", "HTTP/1.1 two OK", "200 OK", "OK", "ICY 200 OK", "http/1.1 200 OK",
            "HTTP/1.1,200,OK", "HTTP 200 OK", "HTTP/ 200 OK", "HTTPS/1.1 200 OK", "GET / HTTP/1.1", "hello, is anybody there?",
            "\u0015\u0003\u0001\u0000\u0002\u0002\u0028", "<html>", "220 mail.example.org ESMTP", "SSH-2.0-x", "+OK", "\ufeffHTTP/1.1 200 OK")) {
            add("status line", line, head(line, "Content-Length: 5") + "hello");
        }
        for (String version : List.of("0.9", "1.0", "1.1", "1.2", "1.9", "1.10", "1.255", "1.256", "1.300", "01.01", "1.01", "1", "1.", ".1",
            "1.1.1", "1.1x", "+1.1", "-1.1", "1.-1", "1.+1", "2.0", "2", "3.0", "0.0", "1,1", "1.x", "4294967297.1", "1.99999999999")) {
            add("version", version, head("HTTP/" + version + " 200 OK", "Content-Length: 5") + "hello");
        }
        for (int status : new int[] {199, 200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 399, 400,
            401, 403, 404, 405, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 425, 426, 428, 429, 431, 451, 499, 500, 501,
            502, 503, 504, 505, 506, 507, 508, 511, 599, 600, 700}) {
            add("status", status + "", head("HTTP/1.1 " + status + " Reason", "Content-Length: 5") + "hello");
        }
    }

    private void headers() {
        for (String header : Parts.HEADERS) {
            add("header", header, head(OK, header, "Content-Length: 5") + "hello");
        }
        add("headers", "none", OK + "\r\n\r\nhello");
        add("headers", "a hundred", head(OK, "a: b\r\n".repeat(100) + "Content-Length: 5") + "hello");
        add("headers", "the same ones", head(OK, "A: 1", "a: 2", "A: 3", "Set-Cookie: a", "Set-Cookie: b", "Content-Length: 5") + "hello");
    }

    private void framings() {
        for (String framed : Parts.framed()) {
            add("framing", framed, OK + "\r\n" + framed);
        }
        for (String framed : List.of(head("Content-Length: 5") + "hello", head("Transfer-Encoding: chunked") + CHUNKS)) {
            for (String line : List.of("HTTP/1.0 200 OK", "HTTP/1.1 204 No", "HTTP/1.1 304 No", "HTTP/1.1 500 No", "HTTP/1.1 600 What")) {
                add("framing", line + " " + framed, line + "\r\n" + framed);
            }
        }
    }

    private void ends() {
        for (String connection : List.of("close", "Close", "CLOSE", "close ", "close, x", "x, close", "keep-alive", "Keep-Alive", "keep-alive, x",
            "upgrade", "", ",", "closed")) {
            for (String version : List.of("1.0", "1.1")) {
                add("end", version + " " + connection + " with a length",
                    head("HTTP/" + version + " 200 OK", "Connection: " + connection, "Content-Length: 5") + "hello");
                add("end", version + " " + connection + " without one",
                    head("HTTP/" + version + " 200 OK", "Connection: " + connection) + "hello");
            }
        }
        add("end", "twice", head(OK, "Connection: keep-alive", "Connection: close") + "hello");
        add("end", "of a proxy", head(OK, "Proxy-Connection: close", "Content-Length: 5") + "hello");
        add("end", "without a length as HTTP/1.0", head("HTTP/1.0 200 OK") + "hello");
        add("end", "without a length", head(OK) + "hello");
        add("end", "without a body", head(OK));
    }

    private void methods() {
        for (HttpMethod method : HttpMethod.values()) {
            for (String line : List.of(OK, "HTTP/1.1 204 No", "HTTP/1.1 304 No", "HTTP/1.1 404 No", "HTTP/1.0 200 OK", "HTTP/1.1 101 On")) {
                add("to " + method, line + " with a length", method, head(line, "Content-Length: 5"));
                add("to " + method, line + " with a body", method, head(line, "Content-Length: 5") + "hello");
                add("to " + method, line + " without", method, head(line));
            }
            add("to " + method, "in chunks", method, head(OK, "Transfer-Encoding: chunked") + CHUNKS);
            add("to " + method, "nonsense", method, "nonsense\r\n");
            add("to " + method, "nothing", method, "");
        }
    }

    private void interims() {
        for (String interim : List.of(head("HTTP/1.1 100 Continue"), head("HTTP/1.1 100"), head("HTTP/1.0 100 Continue"),
            head("HTTP/1.1 100 Continue", "A: b"), head("HTTP/1.1 100 Continue", "Content-Length: 3"),
            head("HTTP/1.1 100 Continue", "Connection: close"), head("HTTP/1.1 100 Continue").repeat(3))) {
            add("interim", interim, interim + HELLO);
            add("interim", interim + " without a body", interim + head("HTTP/1.1 204 No"));
        }
        for (int status : new int[] {101, 102, 103, 104, 150, 199}) {
            add("interim", status + "", head("HTTP/1.1 " + status + " Wait", "A: b"));
            add("interim", status + " before another", head("HTTP/1.1 " + status + " Wait", "A: b") + HELLO);
            add("interim", status + " with a length", head("HTTP/1.1 " + status + " Wait", "Content-Length: 5") + "hello" + HELLO);
        }
        add("interim", "that is malformed", head("HTTP/1.1 100 Continue", "no colon") + HELLO);
        add("interim", "with two framings", head("HTTP/1.1 100 Continue", "Content-Length: 5", "Transfer-Encoding: chunked") + HELLO);
    }

    private void surplus() {
        for (String surplus : List.of("x", "\r\n", "\n", "\u0000", " ", HELLO, HELLO.repeat(3), "x".repeat(20_000))) {
            add("surplus", "behind a length: " + surplus, HELLO + surplus);
            add("surplus", "behind chunks: " + surplus, head(OK, "Transfer-Encoding: chunked") + CHUNKS + surplus);
            add("surplus", "behind none: " + surplus, head("HTTP/1.1 204 No") + surplus);
        }
    }

    private void lineEnds() {
        for (String text : List.of(HELLO, head(OK, "Transfer-Encoding: chunked") + CHUNKS, head("HTTP/1.1 204 No", "A: b"))) {
            for (String end : List.of("\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\u0085", "\r\n\u0000")) {
                add("line ends", end + " in " + text, text.replace("\r\n", end));
            }
        }
        for (String before : List.of("\r\n", "\n", "\r\n\r\n", " ", "\u0000")) {
            add("before it", before, before + HELLO);
        }
    }

    private void unfinished() {
        for (String text : List.of(head(OK, "A: b", "Content-Length: 5") + "hello", head(OK, "Transfer-Encoding: chunked") + CHUNKS,
            head(OK, "A: b") + "hello")) {
            for (int i = 0; i < text.length(); i++) {
                add("unfinished", text.substring(0, i), text.substring(0, i));
            }
        }
    }

    private void huge() {
        add("huge", "reason", head("HTTP/1.1 200 " + "x".repeat(100_000), "Content-Length: 5") + "hello");
        add("huge", "name", head(OK, "x".repeat(100_000) + ": y", "Content-Length: 5") + "hello");
        add("huge", "value", head(OK, "y: " + "x".repeat(100_000), "Content-Length: 5") + "hello");
        add("huge", "folded value", head(OK, "y: a" + "\r\n x".repeat(5_000), "Content-Length: 5") + "hello");
        add("huge", "number of headers", head(OK, "x: y\r\n".repeat(5_000) + "Content-Length: 5") + "hello");
        add("huge", "body", head(OK, "Content-Length: 300000") + "x".repeat(300_000));
        add("huge", "body in chunks", head(OK, "Transfer-Encoding: chunked") + ("4000\r\n" + "x".repeat(0x4000) + "\r\n").repeat(20)
            + "0\r\n\r\n");
        add("huge", "body until the end", head(OK) + "x".repeat(300_000));
        add("huge", "chunk size", head(OK, "Transfer-Encoding: chunked") + "0".repeat(50_000) + "5\r\nhello\r\n0\r\n\r\n");
        add("huge", "trailer", head(OK, "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n" + "a: b\r\n".repeat(5_000) + "\r\n");
        add("huge", "line without an end", OK + "x".repeat(100_000));
    }
}
