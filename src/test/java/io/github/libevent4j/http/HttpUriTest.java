package io.github.libevent4j.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
}
