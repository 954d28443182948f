package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.BEV_OPT_CLOSE_ON_FREE;
import static io.github.libevent4j.global.libevent.EVHTTP_REQ_GET;
import static io.github.libevent4j.global.libevent.HTTP_OK;
import static io.github.libevent4j.global.libevent.bufferevent_socket_new;
import static io.github.libevent4j.global.libevent.evbuffer_add_printf;
import static io.github.libevent4j.global.libevent.evbuffer_free;
import static io.github.libevent4j.global.libevent.evbuffer_new;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_loopbreak;
import static io.github.libevent4j.global.libevent.event_base_new;
import static io.github.libevent4j.global.libevent.evhttp_bind_socket_with_handle;
import static io.github.libevent4j.global.libevent.evhttp_bound_socket_get_fd;
import static io.github.libevent4j.global.libevent.evhttp_connection_base_new;
import static io.github.libevent4j.global.libevent.evhttp_connection_free;
import static io.github.libevent4j.global.libevent.evhttp_connection_set_closecb;
import static io.github.libevent4j.global.libevent.evhttp_foreach_bound_socket;
import static io.github.libevent4j.global.libevent.evhttp_free;
import static io.github.libevent4j.global.libevent.evhttp_make_request;
import static io.github.libevent4j.global.libevent.evhttp_new;
import static io.github.libevent4j.global.libevent.evhttp_request_get_connection;
import static io.github.libevent4j.global.libevent.evhttp_request_new;
import static io.github.libevent4j.global.libevent.evhttp_request_set_chunked_cb;
import static io.github.libevent4j.global.libevent.evhttp_request_set_error_cb;
import static io.github.libevent4j.global.libevent.evhttp_request_set_header_cb;
import static io.github.libevent4j.global.libevent.evhttp_request_set_on_complete_cb;
import static io.github.libevent4j.global.libevent.evhttp_send_reply_chunk_with_cb;
import static io.github.libevent4j.global.libevent.evhttp_send_reply_end;
import static io.github.libevent4j.global.libevent.evhttp_send_reply_start;
import static io.github.libevent4j.global.libevent.evhttp_set_bevcb;
import static io.github.libevent4j.global.libevent.evhttp_set_cb;
import static io.github.libevent4j.global.libevent.evhttp_set_gencb;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.bindings.bufferevent;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.bindings.evhttp_bound_socket;
import io.github.libevent4j.bindings.evhttp_bound_socket_foreach_fn;
import io.github.libevent4j.bindings.evhttp_bufferevent_cb;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.bindings.evhttp_connection_cb;
import io.github.libevent4j.bindings.evhttp_error_cb;
import io.github.libevent4j.bindings.evhttp_header_cb;
import io.github.libevent4j.bindings.evhttp_request;
import io.github.libevent4j.bindings.evhttp_request_cb;
import io.github.libevent4j.internal.Native;
import org.bytedeco.javacpp.Pointer;

/** A C program with each callback of event2/http.h. */
final class HttpPrograms {

    private static final evhttp_bufferevent_cb CONNECTION = new evhttp_bufferevent_cb() {
        @Override
        public bufferevent call(event_base base, Pointer arg) {
            Fired.add("evhttp_set_bevcb");
            return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
        }
    };

    private static final evhttp_bound_socket_foreach_fn EACH = new evhttp_bound_socket_foreach_fn() {
        @Override
        public void call(evhttp_bound_socket socket, Pointer arg) {
            Fired.add("evhttp_foreach_bound_socket");
        }
    };

    private static final evhttp_request_cb SERVE_CHUNK = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer arg) {
            Fired.add("evhttp_set_cb");
            evhttp_connection_set_closecb(evhttp_request_get_connection(request), CLOSED, null);
            evhttp_request_set_on_complete_cb(request, COMPLETED, null);
            evhttp_send_reply_start(request, HTTP_OK, "OK");
            evbuffer chunk = evbuffer_new();
            evbuffer_add_printf(chunk, "a chunk");
            evhttp_send_reply_chunk_with_cb(request, chunk, CHUNK_SENT, request);
            evbuffer_free(chunk);
        }
    };

    private static final evhttp_connection_cb CHUNK_SENT = new evhttp_connection_cb() {
        @Override
        public void call(evhttp_connection connection, Pointer request) {
            Fired.add("evhttp_send_reply_chunk_with_cb");
            evhttp_send_reply_end(new evhttp_request(request));
        }
    };

    private static final evhttp_request_cb COMPLETED = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer arg) {
            Fired.add("evhttp_request_set_on_complete_cb");
        }
    };

    private static final evhttp_connection_cb CLOSED = new evhttp_connection_cb() {
        @Override
        public void call(evhttp_connection connection, Pointer arg) {
            Fired.add("evhttp_connection_set_closecb");
        }
    };

    private static final evhttp_request_cb HANG_UP = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer arg) {
            Fired.add("evhttp_set_gencb");
            evhttp_connection_free(evhttp_request_get_connection(request));
        }
    };

    private static final evhttp_request_cb RECEIVE = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer base) {
            Fired.add("evhttp_request_new");
            event_base_loopbreak(new event_base(base));
        }
    };

    private static final evhttp_header_cb RECEIVE_HEAD = new evhttp_header_cb() {
        @Override
        public int call(evhttp_request request, Pointer base) {
            Fired.add("evhttp_request_set_header_cb");
            return 0;
        }
    };

    private static final evhttp_request_cb RECEIVE_CHUNK = new evhttp_request_cb() {
        @Override
        public void call(evhttp_request request, Pointer base) {
            Fired.add("evhttp_request_set_chunked_cb");
        }
    };

    private static final evhttp_error_cb FAIL = new evhttp_error_cb() {
        @Override
        public void call(int error, Pointer base) {
            Fired.add("evhttp_request_set_error_cb");
        }
    };

    private HttpPrograms() {
    }

    /** A request that gets its response in a chunk, and one that gets none. */
    static void exchanges() {
        event_base base = event_base_new();
        evhttp http = evhttp_new(base);
        evhttp_set_bevcb(http, CONNECTION, null);
        evhttp_set_cb(http, "/chunk", SERVE_CHUNK, null);
        evhttp_set_gencb(http, HANG_UP, null);
        evhttp_bound_socket socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", (short) 0);
        evhttp_foreach_bound_socket(http, EACH, null);
        int port = Native.libevent4j_local_port(evhttp_bound_socket_get_fd(socket));
        evhttp_connection connection = evhttp_connection_base_new(base, null, "127.0.0.1", (short) port);
        request(base, connection, "/chunk");
        request(base, connection, "/");
        evhttp_connection_free(connection);
        evhttp_free(http);
        event_base_free(base);
    }

    private static void request(event_base base, evhttp_connection connection, String uri) {
        evhttp_request request = evhttp_request_new(RECEIVE, base);
        evhttp_request_set_header_cb(request, RECEIVE_HEAD);
        evhttp_request_set_chunked_cb(request, RECEIVE_CHUNK);
        evhttp_request_set_error_cb(request, FAIL);
        assertEquals(0, evhttp_make_request(connection, request, EVHTTP_REQ_GET, uri));
        event_base_dispatch(base);
    }
}
