package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.DNS_ERR_NONE;
import static io.github.libevent4j.global.libevent.DNS_QUERY_NO_SEARCH;
import static io.github.libevent4j.global.libevent.evdns_add_server_port_with_base;
import static io.github.libevent4j.global.libevent.evdns_base_free;
import static io.github.libevent4j.global.libevent.evdns_base_nameserver_ip_add;
import static io.github.libevent4j.global.libevent.evdns_base_new;
import static io.github.libevent4j.global.libevent.evdns_base_resolve_ipv4;
import static io.github.libevent4j.global.libevent.evdns_close_server_port;
import static io.github.libevent4j.global.libevent.evdns_getaddrinfo;
import static io.github.libevent4j.global.libevent.evdns_server_request_add_a_reply;
import static io.github.libevent4j.global.libevent.evdns_server_request_respond;
import static io.github.libevent4j.global.libevent.evdns_set_log_fn;
import static io.github.libevent4j.global.libevent.event_base_dispatch;
import static io.github.libevent4j.global.libevent.event_base_free;
import static io.github.libevent4j.global.libevent.event_base_loopbreak;
import static io.github.libevent4j.global.libevent.event_base_new;
import static io.github.libevent4j.global.libevent.evutil_freeaddrinfo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.github.libevent4j.bindings.evdns_base;
import io.github.libevent4j.bindings.evdns_callback_type;
import io.github.libevent4j.bindings.evdns_debug_log_fn_type;
import io.github.libevent4j.bindings.evdns_getaddrinfo_cb;
import io.github.libevent4j.bindings.evdns_request_callback_fn_type;
import io.github.libevent4j.bindings.evdns_server_port;
import io.github.libevent4j.bindings.evdns_server_request;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.evutil_addrinfo;
import io.github.libevent4j.internal.Descriptors;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** C programs with each callback of event2/dns.h that libevent calls. */
final class DnsPrograms {

    private static final int AF_INET = 2;

    private static final evdns_request_callback_fn_type ANSWER = new evdns_request_callback_fn_type() {
        @Override
        public void call(evdns_server_request request, Pointer arg) {
            Fired.add("evdns_add_server_port_with_base");
            try (BytePointer address = new BytePointer((byte) 192, (byte) 0, (byte) 2, (byte) 1)) {
                evdns_server_request_add_a_reply(request, request.questions(0).name(), 1, address, 60);
            }
            evdns_server_request_respond(request, DNS_ERR_NONE);
        }
    };

    private static final evdns_callback_type RESOLVED = new evdns_callback_type() {
        @Override
        public void call(int result, byte type, int count, int ttl, Pointer addresses, Pointer base) {
            if (result == DNS_ERR_NONE && count == 1 && new BytePointer(addresses).get() == (byte) 192) {
                Fired.add("evdns_base_resolve_ipv4");
            }
            event_base_loopbreak(new event_base(base));
        }
    };

    private static final evdns_getaddrinfo_cb ADDRESSES = new evdns_getaddrinfo_cb() {
        @Override
        public void call(int result, evutil_addrinfo addresses, Pointer base) {
            if (result == 0) {
                Fired.add("evdns_getaddrinfo");
                evutil_freeaddrinfo(addresses);
            }
            event_base_loopbreak(new event_base(base));
        }
    };

    private static final evdns_debug_log_fn_type LOG = new evdns_debug_log_fn_type() {
        @Override
        public void call(int warning, BytePointer message) {
            Fired.add("evdns_set_log_fn");
        }
    };

    private DnsPrograms() {
    }

    /** A server and those who ask it. */
    static void questions() throws Exception {
        event_base base = event_base_new();
        int port;
        evdns_server_port server;
        try (DatagramChannel socket = DatagramChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            socket.configureBlocking(false);
            port = socket.socket().getLocalPort();
            server = evdns_add_server_port_with_base(base, Descriptors.duplicate(socket), 0, ANSWER, null);
        }
        evdns_base dns = evdns_base_new(base, 0);
        assertEquals(0, evdns_base_nameserver_ip_add(dns, "127.0.0.1:" + port));

        evdns_base_resolve_ipv4(dns, "libevent.test", DNS_QUERY_NO_SEARCH, RESOLVED, base);
        event_base_dispatch(base);
        try (evutil_addrinfo hints = new evutil_addrinfo()) {
            Pointer.memset(hints, 0, hints.sizeof());
            hints.ai_family(AF_INET);
            evdns_getaddrinfo(dns, "libevent.test", "80", hints, ADDRESSES, base);
            event_base_dispatch(base);
        }

        evdns_base_free(dns, 1);
        evdns_close_server_port(server);
        event_base_free(base);
    }

    static void log() {
        event_base base = event_base_new();
        evdns_base dns = evdns_base_new(base, 0);
        evdns_set_log_fn(LOG);
        assertNotEquals(0, evdns_base_nameserver_ip_add(dns, "nonsense"));
        evdns_set_log_fn(null);
        evdns_base_free(dns, 1);
        event_base_free(base);
    }
}
