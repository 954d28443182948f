package io.github.libevent4j.http;

import io.github.libevent4j.internal.Counters;
import java.util.Objects;

/**
 * What a server has counted up to one moment, as plain numbers for whatever measures. They only grow, but for {@code openConnections}
 * and {@code queuedRequests}. Each number is exact; those of one snapshot may be a request apart, as the loop goes on.
 *
 * <p>Connections and bytes are counted by the server that listens, requests by the server whose handlers get them, which may be a
 * {@linkplain HttpServer#addVirtualHost virtual host}. A server that is {@linkplain HttpServer.Builder#exact exact} counts only
 * requests, unless one of the limits or the access log was chosen beside it.
 *
 * @param acceptedConnections connections that were taken
 * @param openConnections those of them that are open now
 * @param refusedConnections connections that were closed at once, being more than there may be
 * @param requests requests that handlers got
 * @param completedRequests those of them whose reply is with the kernel to its last byte
 * @param abortedRequests those of them that ended without that: the client left, the reply was aborted, or the server was closed
 * @param refusedRequests requests that libevent answered itself: malformed, too long, of a method that is not allowed, of a path
 *     without a handler
 * @param queuedRequests requests that wait for a thread of the executor that they were handed to by {@link HttpHandler#on}
 * @param informational replies of status 1xx, which are the ends of HTTP on their connections; of completed and refused requests, as
 *     are the next
 * @param successful replies of status 2xx
 * @param redirections replies of status 3xx
 * @param clientErrors replies of status 4xx
 * @param serverErrors replies of status 5xx, and of those that HTTP does not know
 * @param receivedBytes bytes that came, up to where a connection was refused
 * @param sentBytes bytes that are with the kernel
 */
public record HttpStats(long acceptedConnections, long openConnections, long refusedConnections, long requests, long completedRequests,
                        long abortedRequests, long refusedRequests, long queuedRequests, long informational, long successful,
                        long redirections, long clientErrors, long serverErrors, long receivedBytes, long sentBytes) {

    /** Nothing yet. */
    public static final HttpStats NONE = new HttpStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    static HttpStats of(Counters counters, long queued) {
        // Ends before beginnings, so that no request seems to have ended that has not begun.
        long completed = counters.get(Counters.COMPLETED);
        long aborted = counters.get(Counters.ABORTED);
        return new HttpStats(counters.get(Counters.ACCEPTED), counters.get(Counters.OPEN), counters.get(Counters.REFUSED),
            counters.get(Counters.BEGUN), completed, aborted, counters.get(Counters.ANSWERED), queued, counters.get(Counters.CLASSES),
            counters.get(Counters.CLASSES + 1), counters.get(Counters.CLASSES + 2), counters.get(Counters.CLASSES + 3),
            counters.get(Counters.CLASSES + 4), counters.get(Counters.RECEIVED), counters.get(Counters.SENT));
    }

    /** Requests that are being answered. */
    public long activeRequests() {
        return Math.max(0, requests - completedRequests - abortedRequests);
    }

    /** The sums of two servers' numbers. */
    public HttpStats plus(HttpStats other) {
        Objects.requireNonNull(other, "other");
        return new HttpStats(acceptedConnections + other.acceptedConnections, openConnections + other.openConnections,
            refusedConnections + other.refusedConnections, requests + other.requests, completedRequests + other.completedRequests,
            abortedRequests + other.abortedRequests, refusedRequests + other.refusedRequests, queuedRequests + other.queuedRequests,
            informational + other.informational, successful + other.successful, redirections + other.redirections,
            clientErrors + other.clientErrors, serverErrors + other.serverErrors, receivedBytes + other.receivedBytes,
            sentBytes + other.sentBytes);
    }
}
