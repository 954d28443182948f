package io.github.libevent4j.support;

import java.util.ArrayList;
import java.util.List;

/** Parts of messages, of requests and responses alike: good ones, odd ones, wrong ones. Text is ISO-8859-1. */
public final class Parts {

    /** The lines of a header or a few, without the end of the last. */
    public static final List<String> HEADERS = List.of("a:b", "a: b", "a:  b", "a:\tb", "a: b ", "a: b\t", "a: b \t ", "a:", "a: ",
        "a:\t", "a", "a b", "a : b", "a b: c", "a\t: b", ": b", ":", " a: b", "\ta: b", " ", "\t", "a: b\r\n c", "a: b\r\n\tc",
        "a: b\r\n  c  \r\n\td ", "a: b\r\n ", "a: b\r\n \r\n c", "a:\r\n b", "a: b\r\nc: d\r\n e\r\nf: g", "a: b\r\na: c\r\nA: d",
        "a: b:c::d", "a:: b", "a: \"b\"", "a\\: \\", "\u00e9: \u00e9\u00ff\u0085", "a: \u0001\u0008\u000b\u001f\u007f", "a: b\rc",
        "a\rb: c", "a: b\r\r\nc: d", "\r: a", "a\u0000b: c", "a: b\u0000c", "a: b\r\n\u0000", "\u0000a: b\r\nc: d",
        "a: b\u0000\r\n c", "a;b,c(d)e@f/g[h]i?j={k}: l", "Content-Type: text/x; charset=y", "Content-Type: a\r\nContent-Type: b",
        "Date: never", "Server: me", "Transfer-encoding:", "Upgrade: websocket", "Cookie: a=b; c=d\r\nCookie: e",
        "Content-Length: 0", "X: " + "y".repeat(300));

    /** A body of "hello" in chunks. */
    public static final String CHUNKS = "5\r\nhello\r\n0\r\n\r\n";

    private static final List<String> LENGTHS = List.of("5", "05", "0000000000000000000000005", "+5", "-5", "-0", "+0", "0", "5 ",
        " 5", "5\t", "\t5", "5,5", "5, 5", "5;", "5.0", "0x5", "5e0", "five", "", "+", "-", "4", "1", "6", "\u00b2", "5\u0000",
        "5 5", "9223372036854775807", "9223372036854775808", "18446744073709551621", "-9223372036854775809", "4294967301",
        "99999999999999999999999999");

    private static final List<String> CODINGS = List.of("chunked", "Chunked", "CHUNKED", " chunked ", "chunked\t", "chunked;q=1",
        "chunked ; q=1", "gzip, chunked", "gzip,chunked", "gzip ,\tchunked", "chunked, gzip", "chunked, chunked", "chunked,",
        ",chunked", ",", "", "gzip", "identity", "x-chunked", "chunkedx", "\"chunked\"", "chunke", "chunked\u0000", "chunked gzip",
        "gzip chunked", "\u000bchunked");

    private static final List<String> CHUNKED = List.of("0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n",
        "005\r\nhello\r\n000\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5  x\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "\t5\r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
        "-0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "0X5\r\nhello\r\n0\r\n\r\n", "5h\r\nhello\r\n0\r\n\r\n", "x\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n", "\r\n\r\n\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r\n\r\n\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n", "5\nhello\n0\n\n", "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n",
        "5\r\nhel\r\n0\r\n\r\n", "5\r\nhello world\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5 ;a=b\r\nhello\r\n0\r\n\r\n",
        "5; a=\"b\"\r\nhello\r\n0;x\r\n\r\n", "5\r\nhello\r\n0;x=y\r\n\r\n", "5\r\nhello\r\n0 \r\n\r\n",
        "5\r\nhello\r\n00000000000000000000\r\n\r\n", "5\r\nhello\r\n0\r\na: b\r\n\r\n", "5\r\nhello\r\n0\r\na: b\r\nc: d\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 3\r\nHost: y\r\n\r\n", "5\r\nhello\r\n0\r\na\r\n\r\n", "5\r\nhello\r\n0\r\n a\r\n\r\n",
        "5\r\nhello\r\n0\r\na: b\r\n c\r\n\r\n", "5\r\nhello\r\n0\r\n: \r\n\r\n", "5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\u0000\r\n", "5\u0000\r\nhello\r\n0\r\n\r\n", "\u00005\r\nhello\r\n0\r\n\r\n",
        "5\r\nh\u0000llo\r\n0\r\n\r\n", "5\r\n\r\n\r\n\r\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "8000000000000000\r\n",
        "7fffffffffffffff\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "1\r\nh\r\n7fffffffffffffff\r\n",
        "fffffffffffffffff\r\n", "5\r\nhello\r\ng\r\n", "5\r\nhello\r\n \r\n0\r\n\r\n", "5\r\nhello\r\nGET / HTTP/1.1\r\n\r\n",
        "\u00b5\r\n0\r\n\r\n", "0000000000000000000000005\r\nhello\r\n0\r\n\r\n");

    private Parts() {
    }

    /** What follows the first line of a message whose body is meant to be "hello", or another in chunks. */
    public static List<String> framed() {
        List<String> framed = new ArrayList<>();
        for (String length : LENGTHS) {
            framed.add(head("Content-Length: " + length) + "hello");
        }
        framed.add(head("Content-Length: 5", "Content-Length: 5") + "hello");
        framed.add(head("Content-Length: 5", "Content-Length: 4") + "hello");
        framed.add(head("Content-Length: 4", "Content-Length: 5") + "hello");
        framed.add(head("cOnTeNt-LeNgTh: 5") + "hello");
        framed.add(head("Content-Length: 5", " 5") + "hello");
        framed.add(head("Content-Length:", " 5") + "hello");
        framed.add(head("Content-Length: 5", "Transfer-Encoding: identity") + "hello");
        framed.add(head("Content-Length: 5", "Transfer-Encoding: chunked") + CHUNKS);
        framed.add(head("Transfer-Encoding: chunked", "Content-Length: 5") + CHUNKS);
        framed.add(head("Content-Length: 5", "Content-Length: 6", "Transfer-Encoding: chunked") + CHUNKS);
        for (String coding : CODINGS) {
            framed.add(head("Transfer-Encoding: " + coding) + CHUNKS);
        }
        framed.add(head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + CHUNKS);
        framed.add(head("Transfer-Encoding: gzip", "Transfer-Encoding: chunked") + CHUNKS);
        framed.add(head("Transfer-Encoding: chunked", "Transfer-Encoding: gzip") + CHUNKS);
        framed.add(head("Transfer-Encoding:", " chunked") + CHUNKS);
        framed.add(head("Transfer-Encoding : chunked") + CHUNKS);
        for (String chunks : CHUNKED) {
            framed.add(head("Transfer-Encoding: chunked") + chunks);
        }
        return framed;
    }

    /** Lines, and the one that ends a head. */
    public static String head(String... lines) {
        return String.join("\r\n", lines) + "\r\n\r\n";
    }
}
