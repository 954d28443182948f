import static io.github.libevent4j.global.libevent.*;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.evhttp;
import io.github.libevent4j.bindings.evhttp_connection;
import io.github.libevent4j.bindings.evrpc_base;
import io.github.libevent4j.bindings.evrpc_complete_fn;
import io.github.libevent4j.bindings.evrpc_marshal_fn;
import io.github.libevent4j.bindings.evrpc_new_fn;
import io.github.libevent4j.bindings.evrpc_pool;
import io.github.libevent4j.bindings.evrpc_reply_cb;
import io.github.libevent4j.bindings.evrpc_req_generic;
import io.github.libevent4j.bindings.evrpc_request_cb;
import io.github.libevent4j.bindings.evrpc_status;
import io.github.libevent4j.bindings.evrpc_unmarshal_fn;
import io.github.libevent4j.bindings.free_fn;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * A call over evrpc, server and client in one process, on the raw layer: C's functions, and C's care. What C's macros EVRPC_HEADER,
 * EVRPC_GENERATE and EVRPC_REGISTER generate for each message is written once here for all: a message is an evbuffer with its
 * tagged fields. Callbacks are static and final, so that they are never collected.
 */
@Command(name = "evrpc", description = "Calls a function over evrpc, on the raw layer, and prints its result.")
final class EvRpc implements Callable<Integer> {

    private static final int NAME = 1; // the fields' tags
    private static final int GREETING = 2;

    @Option(names = "--port", paramLabel = "N", description = "where the server listens", defaultValue = "8045")
    private int port;

    @Parameters(paramLabel = "NAME", description = "who is to be greeted", defaultValue = "World")
    private String name;

    // What a message is

    private static final evrpc_new_fn NEW = new evrpc_new_fn() {
        @Override
        public Pointer call(Pointer arg) {
            return evbuffer_new();
        }
    };

    private static final free_fn FREE = new free_fn() {
        @Override
        public void call(Pointer message) {
            evbuffer_free(new evbuffer(message));
        }
    };

    private static final free_fn CLEAR = new free_fn() {
        @Override
        public void call(Pointer message) {
            evbuffer_drain(new evbuffer(message), -1);
        }
    };

    private static final evrpc_complete_fn COMPLETE = new evrpc_complete_fn() {
        @Override
        public int call(Pointer message) {
            return evbuffer_get_length(new evbuffer(message)) > 0 ? 0 : -1;
        }
    };

    private static final evrpc_marshal_fn MARSHAL = new evrpc_marshal_fn() {
        @Override
        public void call(evbuffer wire, Pointer message) {
            evbuffer_add_buffer(wire, new evbuffer(message));
        }
    };

    private static final evrpc_unmarshal_fn UNMARSHAL = new evrpc_unmarshal_fn() {
        @Override
        public int call(Pointer message, evbuffer wire) {
            return evbuffer_add_buffer(new evbuffer(message), wire);
        }
    };

    /** EVTAG_GET: takes the next field out of a message; null when it is another, or damaged. */
    private static String take(Pointer message, int tag) {
        evbuffer fields = new evbuffer(message);
        try (IntPointer found = new IntPointer(1)) {
            int length = evtag_unmarshal_header(fields, found);
            if (length < 0 || found.get() != tag) {
                return null;
            }
            try (BytePointer text = new BytePointer(length)) {
                evbuffer_remove(fields, text, length);
                return text.getString(UTF_8);
            }
        }
    }

    // The server

    private static final evrpc_request_cb GREET = new evrpc_request_cb() {
        @Override
        public void call(evrpc_req_generic call, Pointer arg) {
            String who = take(evrpc_get_request(call), NAME);
            if (who != null) { // a reply without a field is not complete: the client gets an error
                evtag_marshal_string(new evbuffer(evrpc_get_reply(call)), GREETING, "Hello, " + who + "!");
            }
            evrpc_request_done(call);
        }
    };

    // The client

    private static String greeting;

    private static final evrpc_reply_cb GREETED = new evrpc_reply_cb() {
        @Override
        public void call(evrpc_status status, Pointer request, Pointer reply, Pointer base) {
            greeting = status.error() == EVRPC_STATUS_ERR_NONE ? take(reply, GREETING) : null;
            event_base_loopbreak(new event_base(base));
        }
    };

    @Override
    public Integer call() throws IOException {
        event_base base = event_init(); // the base of a connection, too, until its pool sets one
        evhttp http = evhttp_new(base);
        if (evhttp_bind_socket(http, "127.0.0.1", (short) port) != 0) {
            throw new IOException("port " + port + " cannot be had");
        }
        evrpc_base server = evrpc_init(http);
        evrpc_register_generic(server, "Greet", GREET, null, NEW, null, FREE, UNMARSHAL, NEW, null, FREE, COMPLETE, MARSHAL);

        evrpc_pool pool = evrpc_pool_new(base);
        evhttp_connection connection = evhttp_connection_base_new(null, null, "127.0.0.1", (short) port);
        evrpc_pool_add_connection(pool, connection); // which frees it
        evbuffer request = evbuffer_new();
        evbuffer reply = evbuffer_new();
        evtag_marshal_string(request, NAME, name);
        evrpc_send_request_generic(pool, request, reply, GREETED, base, "Greet", MARSHAL, CLEAR, UNMARSHAL);
        event_base_dispatch(base);

        evbuffer_free(request);
        evbuffer_free(reply);
        evrpc_pool_free(pool);
        evrpc_free(server);
        evhttp_free(http);
        event_base_free(base);
        System.out.println(greeting);
        return greeting == null ? 1 : 0;
    }
}
