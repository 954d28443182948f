package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.LibeventTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpUriTest extends LibeventTest {

    @ParameterizedTest
    @CsvSource(nullValues = "-", emptyValue = "", value = {
        "http://user:pass@host:8080/path/x?query=1#part,http,user:pass,host,8080,/path/x,query=1,part",
        "https://[2001:db8::1]/,https,-,[2001:db8::1],-1,/,-,-",
        "http://host,http,-,host,-1,'',-,-",
        "http://host:/,http,-,host,-1,/,-,-",
        "/only/path,-,-,-,-1,/only/path,-,-",
        "/path?,-,-,-,-1,/path,'',-",
        "/path#,-,-,-,-1,/path,-,''",
        "?query,-,-,-,-1,'',query,-",
        "//host/path,-,-,host,-1,/path,-,-",
        "a/relative/path,-,-,-,-1,a/relative/path,-,-",
        "mailto:someone@example.org,mailto,-,-,-1,someone@example.org,-,-",
        "/a?b?c=/d#e?f,-,-,-,-1,/a,b?c=/d,e?f",
        "'',-,-,-,-1,'',-,-"})
    void isTakenApart(String text, String scheme, String userInfo, String host, int port, String path, String query,
            String fragment) {
        HttpUri uri = HttpUri.parse(text);
        assertEquals(scheme, uri.scheme().orElse(null));
        assertEquals(userInfo, uri.userInfo().orElse(null));
        assertEquals(host, uri.host().orElse(null));
        assertEquals(port, uri.port());
        assertEquals(path, uri.path());
        assertEquals(query, uri.query().orElse(null));
        assertEquals(fragment, uri.fragment().orElse(null));
        assertEquals(text, uri.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://[", "http://host:port/", "http://host:99999/", "/a b", "/\u00e9", "http://[::g]/", "/%zz", "http://a b/",
        "/a\r\nb", "/a\0b", "/\u65e5", "1http://host/", "http://user@@host/"})
    void whatIsNoUriIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> HttpUri.parse(text));
    }

    @Test
    void nothingIsNoUri() {
        assertThrows(NullPointerException.class, () -> HttpUri.parse(null));
    }

    @Test
    void aLongUriIsTakenApartToo() {
        String path = "/" + "p".repeat(1_000_000);
        HttpUri uri = HttpUri.parse("http://" + "h".repeat(10_000) + path + "?" + "q".repeat(100_000));
        assertEquals(path, uri.path());
        assertEquals(10_000, uri.host().orElseThrow().length());
        assertEquals(100_000, uri.query().orElseThrow().length());
    }

    @Test
    void theQuerysParametersAreDecoded() {
        HttpUri uri = HttpUri.parse("/?a=1&b=%C3%A9+%2B&a=2&flag&=empty&c==&&d=%26");
        assertEquals(List.of(Map.entry("a", "1"), Map.entry("b", "\u00e9 +"), Map.entry("a", "2"), Map.entry("flag", ""),
            Map.entry("", "empty"), Map.entry("c", "="), Map.entry("d", "&")), uri.queryParameters());
        assertEquals("1", uri.queryParameter("a").orElseThrow());
        assertEquals("", uri.queryParameter("flag").orElseThrow());
        assertTrue(uri.queryParameter("z").isEmpty());
        assertEquals(List.of(), HttpUri.parse("/").queryParameters());
        assertEquals(List.of(), HttpUri.parse("/?").queryParameters());
    }

    @Test
    void decodesWhatIsCorrectAndLeavesTheRest() {
        assertEquals("a b+c", HttpUri.decode("a%20b+c", false));
        assertEquals("a b c", HttpUri.decode("a%20b+c", true));
        assertEquals("100%", HttpUri.decode("100%", true));
        assertEquals("%2", HttpUri.decode("%2", true));
        assertEquals("%zz%4", HttpUri.decode("%zz%4", true));
        assertEquals("\u65e5", HttpUri.decode("%E6%97%a5", false));
        assertEquals("\u65e5", HttpUri.decode("\u65e5", false));
        assertEquals("\0", HttpUri.decode("%00", false));
        assertEquals("", HttpUri.decode("", true));
    }

    @Test
    void whatCameAsBytesOfUtf8IsReadAsSuch() {
        HttpUri uri = HttpUri.parseLeniently("/?\u00c3\u00a9=\u00e6\u0097\u00a5&b=\u00ff");
        assertEquals(List.of(Map.entry("\u00e9", "\u65e5"), Map.entry("b", "\ufffd")), uri.queryParameters());
    }

    @Test
    void encodesAllButTheUnreserved() {
        assertEquals("aZ09-._~%20%2B%25%2F%26", HttpUri.encode("aZ09-._~ +%/&", false));
        assertEquals("+%2B", HttpUri.encode(" +", true));
        assertEquals("%E6%97%A5%F0%9F%98%80%00", HttpUri.encode("\u65e5\ud83d\ude00\0", false));
        assertEquals("", HttpUri.encode("", true));
        String huge = "\u00e9".repeat(1_000_000);
        assertEquals(huge, HttpUri.decode(HttpUri.encode(huge, false), false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\ud83d", "a\ude00b", "\ude00\ud83d"})
    void halfACharacterIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> HttpUri.encode(text, false));
        assertThrows(IllegalArgumentException.class, () -> HttpUri.decode(text, false));
        assertThrows(IllegalArgumentException.class, () -> HttpUri.newBuilder().queryParameter("name", text));
    }

    // ---- made from parts

    @Test
    void isMadeFromItsParts() {
        HttpUri uri = HttpUri.newBuilder().scheme("http").userInfo("user:p%40ss").host("::1").port(8080)
            .path("/a/" + HttpUri.encode("b/c d", false)).queryParameter("q", "1&2 = \u00e9").queryParameter("q", "").fragment("top").build();
        assertEquals("http://user:p%40ss@[::1]:8080/a/b%2Fc%20d?q=1%262%20%3D%20%C3%A9&q=#top", uri.toString());
        assertEquals(HttpUri.parse(uri.toString()), uri);
        assertEquals("[::1]", uri.host().orElseThrow());
        assertEquals(List.of(Map.entry("q", "1&2 = \u00e9"), Map.entry("q", "")), uri.queryParameters());
        assertEquals("", HttpUri.newBuilder().build().toString());
        assertEquals("?a&b=c", HttpUri.newBuilder().query("a").queryParameter("b", "c").build().toString());
        assertEquals("http://h", HttpUri.newBuilder().scheme("http").host("h").port(80).port(-1).build().toString());
    }

    @Test
    void aBuilderMakesMoreThanOne() {
        HttpUri.Builder builder = HttpUri.newBuilder().path("/a");
        HttpUri first = builder.build();
        HttpUri second = builder.path("/b").build();
        assertEquals("/a", first.path());
        assertEquals("/b", second.path());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        scheme   | 1http     | "1http" is not the scheme of a URI
        scheme   | ht:tp     | "ht:tp" is not the scheme of a URI
        userInfo | a@b       | "a@b" is not the user info of a URI
        host     | a/b       | "a/b" is not the host of a URI
        host     | [::g]     | "[::g]" is not the host of a URI
        host     | ::g       | "[::g]" is not the host of a URI
        host     | h:80      | "[h:80]" is not the host of a URI
        path     | /a?b      | "/a?b" is not the path of a URI: characters that may not stand in one are to be percent-encoded
        path     | /%4       | "/%4" is not the path of a URI: characters that may not stand in one are to be percent-encoded
        path     | a         | behind a host a path begins with /, which "a" does not
        path     | /a b      | the path "/a b" must not hold a space: percent-encode it
        path     | /\u00e9   | the path "/\u00e9" must not hold U+00E9: percent-encode it
        query    | a#b       | "a#b" is not the query of a URI: characters that may not stand in one are to be percent-encoded
        fragment | a#b       | "a#b" is not the fragment of a URI: characters that may not stand in one are to be percent-encoded
        """)
    void aPartThatIsNoneIsRefused(String part, String value, String message) {
        HttpUri.Builder builder = HttpUri.newBuilder().scheme("http").host("h");
        assertEquals(message, assertThrows(IllegalArgumentException.class, () -> (switch (part) {
            case "scheme" -> builder.scheme(value);
            case "userInfo" -> builder.userInfo(value);
            case "host" -> builder.host(value);
            case "path" -> builder.path(value);
            case "query" -> builder.query(value);
            default -> builder.fragment(value);
        }).build()).getMessage());
    }

    @Test
    void partsThatWouldBeReadOtherwiseAreRefused() {
        HttpUri.Builder builder = HttpUri.newBuilder();
        assertThrows(IllegalArgumentException.class, () -> builder.port(65536));
        assertThrows(IllegalArgumentException.class, () -> builder.port(-2));
        assertThrows(IllegalArgumentException.class, () -> builder.path("/\0"));
        assertThrows(NullPointerException.class, () -> builder.path(null));
        assertThrows(IllegalArgumentException.class, () -> HttpUri.newBuilder().port(1).build());
        assertThrows(IllegalArgumentException.class, () -> HttpUri.newBuilder().userInfo("u").build());
        assertThrows(IllegalArgumentException.class, () -> HttpUri.newBuilder().path("//host/").build());
        assertThrows(IllegalArgumentException.class, () -> HttpUri.newBuilder().path("a:b").build());
        assertEquals("x:a:b", HttpUri.newBuilder().scheme("x").path("a:b").build().toString());
        assertEquals("./a:b", HttpUri.newBuilder().path("./a:b").build().toString());
    }

    @Test
    void whatHasTheSamePartsIsEqual() {
        assertEquals(HttpUri.parse("http://h:/?a"), HttpUri.parse("http://h/?a"));
        assertEquals(HttpUri.parse("http://h/").hashCode(), HttpUri.parse("http://h:/").hashCode());
        for (String other : new String[] {"http://H/", "http://h", "http://h/?", "http://h/#", "http://h:80/", "http://@h/", "/", "https://h/"}) {
            assertNotEquals(HttpUri.parse("http://h/"), HttpUri.parse(other));
        }
        assertNotEquals(HttpUri.parse("h:80"), HttpUri.parseAuthority("h:80")); // a scheme and a path there, a host and a port here
    }

    // ---- references

    /** RFC 3986, sections 5.4.1 and 5.4.2. */
    @ParameterizedTest
    @CsvSource(emptyValue = "", value = {
        "g:h,g:h", "g,http://a/b/c/g", "./g,http://a/b/c/g", "g/,http://a/b/c/g/", "/g,http://a/g", "//g,http://g", "?y,http://a/b/c/d;p?y",
        "g?y,http://a/b/c/g?y", "#s,http://a/b/c/d;p?q#s", "g#s,http://a/b/c/g#s", "g?y#s,http://a/b/c/g?y#s", ";x,http://a/b/c/;x",
        "g;x,http://a/b/c/g;x", "g;x?y#s,http://a/b/c/g;x?y#s", "'',http://a/b/c/d;p?q", ".,http://a/b/c/", "./,http://a/b/c/",
        "..,http://a/b/", "../,http://a/b/", "../g,http://a/b/g", "../..,http://a/", "../../,http://a/", "../../g,http://a/g",
        "../../../g,http://a/g", "../../../../g,http://a/g", "/./g,http://a/g", "/../g,http://a/g", "g.,http://a/b/c/g.",
        ".g,http://a/b/c/.g", "g..,http://a/b/c/g..", "..g,http://a/b/c/..g", "./../g,http://a/b/g", "./g/.,http://a/b/c/g/",
        "g/./h,http://a/b/c/g/h", "g/../h,http://a/b/c/h", "g;x=1/./y,http://a/b/c/g;x=1/y", "g;x=1/../y,http://a/b/c/y",
        "g?y/./x,http://a/b/c/g?y/./x", "g?y/../x,http://a/b/c/g?y/../x", "g#s/./x,http://a/b/c/g#s/./x",
        "g#s/../x,http://a/b/c/g#s/../x", "http:g,http:g"})
    void referencesAreResolved(String reference, String target) {
        assertEquals(target, HttpUri.parse("http://a/b/c/d;p?q").resolve(HttpUri.parse(reference)).toString());
    }

    @ParameterizedTest
    @CsvSource(emptyValue = "", value = {
        "http://u@h:1,x?y,http://u@h:1/x?y", "http://h?q,'',http://h?q", "http://h?q,#f,http://h?q#f", "http://h/a?q,//i:2,http://i:2",
        "http://h/a//b,..,http://h/a/", "http://h/a/b,//i/../c,http://i/c", "mailto:a/b,c,mailto:a/c", "x:a,../b,x:b", "x:/a,.//b,x:/.//b",
        "http://h/%2e/a,%2e%2e/b,http://h/%2e/%2e%2e/b", "http://h/a?b,?,http://h/a?", "http://h/a,b:c,b:c"})
    void oddReferencesAreResolvedToo(String base, String reference, String target) {
        HttpUri resolved = HttpUri.parse(base).resolve(HttpUri.parse(reference));
        assertEquals(target, resolved.toString());
        assertEquals(HttpUri.parse(target), resolved);
    }

    @Test
    void aHugeReferenceIsResolvedInNoTime() {
        HttpUri base = HttpUri.parse("http://h" + "/a".repeat(300_000));
        assertEquals("http://h/", base.resolve(HttpUri.parse("../".repeat(400_000))).toString());
        assertEquals("http://h/", base.resolve(HttpUri.parse("/" + "./".repeat(400_000))).toString());
    }

    @Test
    void onlyFromAWholeUriCanBeResolved() {
        assertThrows(IllegalStateException.class, () -> HttpUri.parse("/a").resolve(HttpUri.parse("b")));
    }
}
