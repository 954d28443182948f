package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.EVHTTP_REQ_GET;
import static io.github.libevent4j.global.libevent.HTTP_OK;
import static io.github.libevent4j.global.libevent.LIBEVENT_VERSION;
import static io.github.libevent4j.global.libevent.evbuffer_add;
import static io.github.libevent4j.global.libevent.evbuffer_add_printf;
import static io.github.libevent4j.global.libevent.evbuffer_free;
import static io.github.libevent4j.global.libevent.evbuffer_get_length;
import static io.github.libevent4j.global.libevent.evbuffer_new;
import static io.github.libevent4j.global.libevent.evbuffer_peek;
import static io.github.libevent4j.global.libevent.evbuffer_remove;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_loopbreak;
import static io.github.libevent4j.global.libevent.event_base_new;
import static io.github.libevent4j.global.libevent.event_free;
import static io.github.libevent4j.global.libevent.event_get_version;
import static io.github.libevent4j.global.libevent.evhttp_bind_socket_with_handle;
import static io.github.libevent4j.global.libevent.evhttp_bound_socket_get_fd;
import static io.github.libevent4j.global.libevent.evhttp_connection_base_new;
import static io.github.libevent4j.global.libevent.evhttp_connection_free;
import static io.github.libevent4j.global.libevent.evhttp_free;
import static io.github.libevent4j.global.libevent.evhttp_make_request;
import static io.github.libevent4j.global.libevent.evhttp_new;
import static io.github.libevent4j.global.libevent.evhttp_request_get_input_buffer;
import static io.github.libevent4j.global.libevent.evhttp_request_get_response_code;
import static io.github.libevent4j.global.libevent.evhttp_request_get_uri;
import static io.github.libevent4j.global.libevent.evhttp_request_new;
import static io.github.libevent4j.global.libevent.evhttp_send_reply;
import static io.github.libevent4j.global.libevent.evhttp_set_gencb;
import static io.github.libevent4j.global.libevent.evtimer_add;
import static io.github.libevent4j.global.libevent.evtimer_new;
import static io.github.libevent4j.global.libevent.evutil_timeradd;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.evbuffer_iovec;
import io.github.libevent4j.bindings.event;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.bindings.evhttp_bound_socket;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.bindings.evhttp_request;
import io.github.libevent4j.bindings.evhttp_request_cb;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.internal.Native;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** C programs, line by line: what the raw layer is for. */
class RawTest extends LibeventTest {

    /** What the callbacks below leave for their test; they are the same for every test, as C's functions are. */
    private static final StringBuilder LOG = new StringBuilder();

    private static final event_callback_fn TICK = new event_callback_fn() {
        @Override
        public void call(long fd, short what, Pointer arg) {
            LOG.append("tick ").append(fd).append(' ').append(what);
        }
    };

    private static final evhttp_request_cb SERVE = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer arg) {
            LOG.append("serve ").append(evhttp_request_get_uri(request).getString());
            evbuffer body = evbuffer_new();
            evbuffer_add_printf(body, "%d bottles", 99);
            evhttp_send_reply(request, HTTP_OK, "OK", body);
            evbuffer_free(body);
        }
    };

    private static final evhttp_request_cb RECEIVE = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer arg) {
            byte[] body = new byte[64];
            int length = evbuffer_remove(evhttp_request_get_input_buffer(request), new BytePointer(body), body.length);
            LOG.append(", receive ").append(evhttp_request_get_response_code(request));
            LOG.append(' ').append(length);
            event_base_loopbreak(new event_base(arg));
        }
    };

    @Test
    void versionIsTheOneOfTheHeaders() {
        assertEquals(LIBEVENT_VERSION, event_get_version().getString());
    }

    @Test
    void timerFires() {
        LOG.setLength(0);
        event_base base = event_base_new();
        event timer = evtimer_new(base, TICK, null);
        try (timeval soon = new timeval().tv_sec(0).tv_usec(1000)) {
            assertEquals(0, evtimer_add(timer, soon));
            assertEquals(1, event_base_dispatch(base), "no events are left");
        }
        event_free(timer);
        event_base_free(base);
        assertEquals("tick -1 1", LOG.toString());
    }

    @Test
    void httpServerAnswersHttpClient() {
        LOG.setLength(0);
        event_base base = event_base_new();
        evhttp http = evhttp_new(base);
        evhttp_set_gencb(http, SERVE, null);
        evhttp_bound_socket socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", (short) 0);
        assertNotNull(socket);
        int port = Native.libevent4j_local_port(evhttp_bound_socket_get_fd(socket));
        evhttp_connection connection = evhttp_connection_base_new(base, null, "127.0.0.1", (short) port);
        evhttp_request request = evhttp_request_new(RECEIVE, base);
        assertEquals(0, evhttp_make_request(connection, request, EVHTTP_REQ_GET, "/wall"));
        event_base_dispatch(base);
        evhttp_connection_free(connection);
        evhttp_free(http);
        event_base_free(base);
        assertEquals("serve /wall, receive 200 10", LOG.toString());
    }

    @Test
    void bufferIsReadInPlace() {
        evbuffer buffer = evbuffer_new();
        evbuffer_add(buffer, new BytePointer("0123456789".getBytes(US_ASCII)), 10);
        assertEquals(10, evbuffer_get_length(buffer));
        try (evbuffer_iovec extent = new evbuffer_iovec(1)) {
            assertEquals(1, evbuffer_peek(buffer, -1, null, extent, 1));
            assertEquals(10, extent.iov_len());
            assertEquals('7', new BytePointer(extent.iov_base()).get(7));
        }
        evbuffer_free(buffer);
    }

    @Test
    void macrosCalculate() {
        try (timeval a = new timeval().tv_sec(1).tv_usec(600_000);
             timeval b = new timeval().tv_sec(2).tv_usec(700_000);
             timeval sum = new timeval()) {
            evutil_timeradd(a, b, sum);
            assertEquals(4, sum.tv_sec());
            assertEquals(300_000, sum.tv_usec());
        }
    }
}
