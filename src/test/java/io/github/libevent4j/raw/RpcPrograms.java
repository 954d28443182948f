package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.EVRPC_CONTINUE;
import static io.github.libevent4j.global.libevent.EVRPC_INPUT;
import static io.github.libevent4j.global.libevent.EVRPC_OUTPUT;
import static io.github.libevent4j.global.libevent.EVRPC_PAUSE;
import static io.github.libevent4j.global.libevent.EVRPC_STATUS_ERR_NONE;
import static io.github.libevent4j.global.libevent.EV_TIMEOUT;
import static io.github.libevent4j.global.libevent.evbuffer_add_buffer;
import static io.github.libevent4j.global.libevent.evbuffer_drain;
import static io.github.libevent4j.global.libevent.evbuffer_free;
import static io.github.libevent4j.global.libevent.evbuffer_get_length;
import static io.github.libevent4j.global.libevent.evbuffer_new;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_loopbreak;
import static io.github.libevent4j.global.libevent.event_base_once;
import static io.github.libevent4j.global.libevent.event_init;
import static io.github.libevent4j.global.libevent.evhttp_bind_socket_with_handle;
import static io.github.libevent4j.global.libevent.evhttp_bound_socket_get_fd;
import static io.github.libevent4j.global.libevent.evhttp_connection_base_new;
import static io.github.libevent4j.global.libevent.evhttp_free;
import static io.github.libevent4j.global.libevent.evhttp_new;
import static io.github.libevent4j.global.libevent.evhttp_request_get_uri;
import static io.github.libevent4j.global.libevent.evrpc_add_hook;
import static io.github.libevent4j.global.libevent.evrpc_free;
import static io.github.libevent4j.global.libevent.evrpc_get_reply;
import static io.github.libevent4j.global.libevent.evrpc_get_request;
import static io.github.libevent4j.global.libevent.evrpc_init;
import static io.github.libevent4j.global.libevent.evrpc_pool_add_connection;
import static io.github.libevent4j.global.libevent.evrpc_pool_free;
import static io.github.libevent4j.global.libevent.evrpc_pool_new;
import static io.github.libevent4j.global.libevent.evrpc_register_generic;
import static io.github.libevent4j.global.libevent.evrpc_request_done;
import static io.github.libevent4j.global.libevent.evrpc_resume_request;
import static io.github.libevent4j.global.libevent.evrpc_send_request_generic;
import static io.github.libevent4j.global.libevent.evtag_marshal_int;
import static io.github.libevent4j.global.libevent.evtag_peek;
import static io.github.libevent4j.global.libevent.evtag_unmarshal_int;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.bindings.evhttp_bound_socket;
import io.github.libevent4j.bindings.evhttp_request;
import io.github.libevent4j.bindings.evrpc_base;
import io.github.libevent4j.bindings.evrpc_complete_fn;
import io.github.libevent4j.bindings.evrpc_hook_cb;
import io.github.libevent4j.bindings.evrpc_marshal_fn;
import io.github.libevent4j.bindings.evrpc_new_fn;
import io.github.libevent4j.bindings.evrpc_pool;
import io.github.libevent4j.bindings.evrpc_reply_cb;
import io.github.libevent4j.bindings.evrpc_req_generic;
import io.github.libevent4j.bindings.evrpc_request_cb;
import io.github.libevent4j.bindings.evrpc_status;
import io.github.libevent4j.bindings.evrpc_unmarshal_fn;
import io.github.libevent4j.bindings.free_fn;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.internal.Native;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** A C program with each callback of event2/rpc.h: a message is an evbuffer. */
final class RpcPrograms {

    private static final int NUMBER = 1;

    private static evrpc_base server;

    private static final evrpc_new_fn NEW = new evrpc_new_fn() {
        @Override
        public Pointer call(Pointer arg) {
            Fired.add(arg == null ? "evrpc_register_generic req_new" : "evrpc_register_generic rpl_new");
            return evbuffer_new();
        }
    };

    private static final class Free extends free_fn {
        private final String slot;

        Free(String slot) {
            this.slot = slot;
        }

        @Override
        public void call(Pointer message) {
            Fired.add(slot);
            evbuffer_free(new evbuffer(message));
        }
    }

    private static final class Unmarshal extends evrpc_unmarshal_fn {
        private final String slot;

        Unmarshal(String slot) {
            this.slot = slot;
        }

        @Override
        public int call(Pointer message, evbuffer wire) {
            Fired.add(slot);
            try (IntPointer tag = new IntPointer(1)) {
                boolean known = evtag_peek(wire, tag) > 0 && tag.get() == NUMBER;
                return known ? evbuffer_add_buffer(new evbuffer(message), wire) : -1;
            }
        }
    }

    private static final class Marshal extends evrpc_marshal_fn {
        private final String slot;

        Marshal(String slot) {
            this.slot = slot;
        }

        @Override
        public void call(evbuffer wire, Pointer message) {
            Fired.add(slot);
            evbuffer_add_buffer(wire, new evbuffer(message));
        }
    }

    private static final Free FREE_REQUEST = new Free("evrpc_register_generic req_free");
    private static final Free FREE_REPLY = new Free("evrpc_register_generic rpl_free");
    private static final Unmarshal UNMARSHAL_REQUEST = new Unmarshal("evrpc_register_generic req_unmarshal");
    private static final Unmarshal UNMARSHAL_REPLY = new Unmarshal("evrpc_send_request_generic rpl_unmarshal");
    private static final Marshal MARSHAL_REQUEST = new Marshal("evrpc_send_request_generic req_marshal");
    private static final Marshal MARSHAL_REPLY = new Marshal("evrpc_register_generic rpl_marshal");

    private static final evrpc_complete_fn COMPLETE = new evrpc_complete_fn() {
        @Override
        public int call(Pointer message) {
            Fired.add("evrpc_register_generic rpl_complete");
            return evbuffer_get_length(new evbuffer(message)) > 0 ? 0 : -1;
        }
    };

    private static final free_fn CLEAR = new free_fn() {
        @Override
        public void call(Pointer message) {
            Fired.add("evrpc_send_request_generic rpl_clear");
            evbuffer_drain(new evbuffer(message), -1);
        }
    };

    private static final evrpc_hook_cb PAUSE = new evrpc_hook_cb() {
        @Override
        public int call(Pointer context, evhttp_request request, evbuffer data, Pointer base) {
            try (timeval now = new timeval().tv_sec(0).tv_usec(0)) {
                event_base_once(new event_base(base), -1, (short) EV_TIMEOUT, RESUME, context, now);
            }
            return EVRPC_PAUSE;
        }
    };

    private static final event_callback_fn RESUME = new event_callback_fn() {
        @Override
        public void call(long fd, short what, Pointer context) {
            if (evrpc_resume_request(server, context, EVRPC_CONTINUE) == 0) {
                Fired.add("evrpc_add_hook server");
            }
        }
    };

    private static final evrpc_hook_cb GO_ON = new evrpc_hook_cb() {
        @Override
        public int call(Pointer context, evhttp_request request, evbuffer data, Pointer arg) {
            Fired.add("evrpc_add_hook client");
            return EVRPC_CONTINUE;
        }
    };

    private static final evrpc_request_cb SERVE = new evrpc_request_cb() {
        @Override
        public void call(evrpc_req_generic call, Pointer arg) {
            evhttp_request http = new PointerPointer<evhttp_request>(call).get(evhttp_request.class, 4); // EVRPC_REQUEST_HTTP
            if (evhttp_request_get_uri(http).getString().equals("/.rpc.Increment")) {
                Fired.add("evrpc_register_generic callback");
            }
            evtag_marshal_int(new evbuffer(evrpc_get_reply(call)), NUMBER, 1 + number(evrpc_get_request(call)));
            evrpc_request_done(call);
        }
    };

    private static final evrpc_reply_cb RECEIVE = new evrpc_reply_cb() {
        @Override
        public void call(evrpc_status status, Pointer request, Pointer reply, Pointer base) {
            if (status.error() == EVRPC_STATUS_ERR_NONE && number(reply) == 42) {
                Fired.add("evrpc_send_request_generic callback");
            }
            event_base_loopbreak(new event_base(base));
        }
    };

    private RpcPrograms() {
    }

    private static int number(Pointer message) {
        try (IntPointer number = new IntPointer(1)) {
            return evtag_unmarshal_int(new evbuffer(message), NUMBER, number) < 0 ? -1 : number.get();
        }
    }

    /** A call that is answered, and one that nobody serves. */
    static void calls() {
        event_base base = event_init(); // and so the one of a connection that has none until its pool sets it
        evhttp http = evhttp_new(base);
        evhttp_bound_socket socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", (short) 0);
        int port = Native.libevent4j_local_port(evhttp_bound_socket_get_fd(socket));
        server = evrpc_init(http);
        evrpc_register_generic(server, "Increment", SERVE, null, NEW, null, FREE_REQUEST, UNMARSHAL_REQUEST, NEW, server, FREE_REPLY,
            COMPLETE, MARSHAL_REPLY);
        evrpc_add_hook(server, EVRPC_INPUT, PAUSE, base);
        evrpc_pool pool = evrpc_pool_new(base);
        evrpc_pool_add_connection(pool, evhttp_connection_base_new(null, null, "127.0.0.1", (short) port));
        evrpc_add_hook(pool, EVRPC_OUTPUT, GO_ON, null);

        call(base, pool, "Increment");
        call(base, pool, "Decrement");

        evrpc_pool_free(pool);
        evrpc_free(server);
        evhttp_free(http);
        event_base_free(base);
    }

    private static void call(event_base base, evrpc_pool pool, String name) {
        evbuffer request = evbuffer_new();
        evbuffer reply = evbuffer_new();
        evtag_marshal_int(request, NUMBER, 41);
        assertEquals(0, evrpc_send_request_generic(pool, request, reply, RECEIVE, base, name, MARSHAL_REQUEST, CLEAR,
            UNMARSHAL_REPLY));
        event_base_dispatch(base);
        evbuffer_free(request);
        evbuffer_free(reply);
    }
}
