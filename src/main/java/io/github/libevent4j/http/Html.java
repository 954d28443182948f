package io.github.libevent4j.http;

import java.util.Objects;

/** Text for pages. */
public final class Html {

    private Html() {
    }

    /** The text as it stands in HTML, between tags or in a quoted attribute: &lt;, &gt;, ", ' and &amp; are escaped (evhttp_htmlescape). */
    public static String escape(String text) {
        Objects.requireNonNull(text, "text");
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#039;");
                case '&' -> escaped.append("&amp;");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }
}
