package io.github.libevent4j.misuse;

import static java.util.Map.entry;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Libevent;
import io.github.libevent4j.LibeventException;
import io.github.libevent4j.http.FileHandler;
import io.github.libevent4j.http.Headers;
import io.github.libevent4j.http.HttpBody;
import io.github.libevent4j.http.HttpClient;
import io.github.libevent4j.http.HttpRequest;
import io.github.libevent4j.http.HttpResponse;
import io.github.libevent4j.http.HttpResponseStream;
import io.github.libevent4j.http.HttpService;
import io.github.libevent4j.http.HttpUri;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Where misuse does not end in an exception: what the documentation says of it, word for word. */
final class Documented {

    /** Classes whose objects belong to no base, or have threads of their own. */
    static final Set<Class<?>> STANDS_ALONE = Set.of(Libevent.class, LibeventException.class, EventBase.Builder.class,
        FileHandler.class, Headers.class, HttpBody.class, HttpClient.class, HttpClient.Builder.class, HttpRequest.class,
        HttpRequest.Builder.class, HttpResponse.class, HttpResponseStream.class, HttpService.class, HttpService.Builder.class,
        HttpUri.class, HttpUri.Builder.class);

    /** Parameters that may be null. */
    private static final Map<String, String> NULLS = Map.of(
        "BufferEvent.rateLimit(RateLimit) limit", "or, with null, no longer");

    /** Calls, or all calls on a class, that do something sensible when the object or its base is closed. */
    private static final Map<String, String> WHEN_CLOSED = Map.ofEntries(
        entry("BufferEvent.input()", "the same each time, and open as long"),
        entry("BufferEvent.output()", "the same each time, and open as long"),
        entry("BufferEvent.underlying()", "Any thread"),
        entry("BufferEvent.partner()", "while that is open, or nothing"),
        entry("BufferEvent.base()", "or did"),
        entry("ConnectionListener.base()", "or did"),
        entry("Buffer.Reservation.space()", "whatever is closed"),
        entry("FileSegment.length()", "or had"),
        entry("ConnectionListener.address()", "or did"),
        entry("ConnectionListener.Accepted.peer()", "at any time"),
        entry("ConnectionListener.Accepted.take()", "whatever is closed"),
        entry("CommonTimeout", "Immutable"),
        entry("HttpExchange", "so is one when the server or its base has been closed"),
        entry("ChunkedReply", "or the server or its base has been closed, what is given is dropped"),
        entry("HttpServer.stop(Duration)", "at once when it has been already"),
        entry("HttpService.stop(Duration)", "closed already goes on to its end"),
        entry("HttpService.addresses()", "or did"),
        entry("HttpService.stats()", "also when they are closed"),
        entry("HttpService.stopped()", "How the service ends"),
        entry("HttpServer.stats()", "also when the server is closed"),
        entry("AccessLogEntry", "Immutable"),
        entry("HttpResponseStream.head()", "which stay when this is closed"),
        entry("HttpResponseStream.body()", "as it does when this is closed"));

    /** Calls that no recipe can make right. */
    private static final Map<String, String> ALWAYS = Map.of(
        "Libevent.enableDebugMode()", "when a base was made before");

    private Documented() {
    }

    /** Libevent frees its copy of an address with a scope by free(), which is not counted. */
    static boolean isMiscounted(Api.Call call, Object argument) {
        return Set.of("Dns.lookup(String, Family)", "Dns.lookup(String, int, Family)", "BufferEvent.connect(Dns, String, int)")
            .contains(call.toString())
            && argument instanceof String text && text.indexOf('%') >= 0;
    }

    static boolean takesNull(Api.Call call, String parameter) {
        return says(call, NULLS.get(call + " " + parameter));
    }

    static boolean throwsAlways(Api.Call call) {
        return says(call, ALWAYS.get(call.toString()));
    }

    static boolean worksWhenClosed(Api.Call call) {
        String name = call.code().getName();
        if (Set.of("close", "isOpen", "toString").contains(name) && call.types().length == 0) {
            return true;
        }
        return says(call, WHEN_CLOSED.getOrDefault(call.toString(), WHEN_CLOSED.get(Api.nested(call.owner()))));
    }

    private static boolean says(Api.Call call, String phrase) {
        if (phrase == null) {
            return false;
        }
        if (!Docs.says(call, Pattern.quote(phrase))) {
            throw new AssertionError("the documentation of " + call + " does not say: " + phrase);
        }
        return true;
    }
}
