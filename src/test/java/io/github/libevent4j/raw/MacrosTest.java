package io.github.libevent4j.raw;

import static io.github.libevent4j.global.libevent.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.bindings.bufferevent;
import io.github.libevent4j.bindings.evbuffer;
import io.github.libevent4j.bindings.event;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.evkeyval;
import io.github.libevent4j.bindings.evkeyvalq;
import io.github.libevent4j.bindings.timeval;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** What libevent's headers have as macros, as variadic functions and as lists to walk, as the raw layer has it. */
class MacrosTest extends LibeventTest {

    private static final int USR1 = 10;

    private static final List<String> CALLS = new ArrayList<>();

    private static final event_callback_fn CALLED = new event_callback_fn() {
        @Override
        public void call(long fd, short what, Pointer arg) {
            CALLS.add(fd + " " + what);
        }
    };

    @Test
    void timers() {
        CALLS.clear();
        event_base base = event_base_new();
        try (event assigned = new event(); timeval soon = new timeval().tv_sec(0).tv_usec(1000);
             timeval later = new timeval().tv_sec(1000).tv_usec(0); timeval when = new timeval()) {
            assertEquals(0, evtimer_assign(assigned, base, CALLED, null));
            assertTrue(evtimer_initialized(assigned) != 0);
            assertEquals(0, evtimer_pending(assigned, null));
            assertEquals(0, evtimer_add(assigned, later));
            assertEquals(EV_TIMEOUT, evtimer_pending(assigned, when));
            assertTrue(evutil_timerisset(when));
            assertEquals(0, evtimer_del(assigned));
            assertEquals(0, evtimer_pending(assigned, null));

            event made = evtimer_new(base, CALLED, null);
            assertEquals(0, evtimer_add(made, soon));
            event_base_dispatch(base);
            event_free(made);
        }
        event_base_free(base);
        assertEquals(List.of("-1 " + EV_TIMEOUT), CALLS);
    }

    @Test
    void signals() {
        CALLS.clear();
        event_base base = event_base_new();
        try (event assigned = new event()) {
            assertEquals(0, evsignal_assign(assigned, base, USR1, CALLED, null));
            assertTrue(evsignal_initialized(assigned) != 0);
            assertEquals(USR1, event_get_signal(assigned));
            assertEquals(USR1, EVENT_SIGNAL(assigned));
            assertEquals(0, evsignal_add(assigned, null));
            assertTrue(evsignal_pending(assigned, null) != 0);
            assertEquals(0, evsignal_del(assigned));
            assertEquals(0, evsignal_pending(assigned, null));
        }
        event made = evsignal_new(base, USR1, CALLED, null);
        evsignal_add(made, null);
        event_base_active_by_signal(base, USR1);
        event_base_loop(base, EVLOOP_NONBLOCK);
        event_free(made);
        event_base_free(base);
        assertEquals(List.of(USR1 + " " + EV_SIGNAL), CALLS);
    }

    @Test
    void userEvents() {
        CALLS.clear();
        event_base base = event_base_new();
        event event = evuser_new(base, CALLED, null);
        assertTrue(evuser_initialized(event) != 0);
        assertEquals(0, evuser_pending(event, null));
        evuser_trigger(event);
        evuser_del(event);
        evuser_trigger(event);
        event_base_dispatch(base);
        event_free(event);
        event_base_free(base);
        assertEquals(List.of("-1 0"), CALLS);
    }

    @Test
    void namesOfEarlierReleases() {
        CALLS.clear();
        event_base base = event_init();
        try (event timer = new event(); event signal = new event(); timeval now = new timeval().tv_sec(0).tv_usec(0)) {
            evtimer_set(timer, CALLED, null);
            assertEquals(0, timeout_add(timer, now));
            assertTrue(timeout_pending(timer, null) != 0 && timeout_initialized(timer) != 0);
            timeout_del(timer);
            timeout_set(timer, CALLED, null);
            timeout_add(timer, now);
            assertEquals(-1, EVENT_FD(timer));
            evsignal_set(signal, USR1, CALLED, null);
            signal_set(signal, USR1, CALLED, null);
            assertEquals(0, signal_add(signal, null));
            assertTrue(signal_pending(signal, null) != 0 && signal_initialized(signal) != 0);
            signal_del(signal);
            event_dispatch();
        }
        event_base_free(base);
        assertEquals(List.of("-1 " + EV_TIMEOUT), CALLS);
    }

    @Test
    void times() {
        try (timeval a = new timeval().tv_sec(3).tv_usec(100_000); timeval b = new timeval().tv_sec(1).tv_usec(600_000);
             timeval result = new timeval()) {
            evutil_timersub(a, b, result);
            assertEquals(1_500_000, result.tv_sec() * 1_000_000 + result.tv_usec());
            evutil_timeradd(a, b, result);
            assertEquals(4_700_000, result.tv_sec() * 1_000_000 + result.tv_usec());
            evutil_timerclear(result);
            assertFalse(evutil_timerisset(result));
            assertEquals(0, evutil_gettimeofday(result, null));
            assertTrue(evutil_timerisset(result));
        }
    }

    @Test
    void socketErrors() {
        EVUTIL_SET_SOCKET_ERROR(11);
        assertFalse(evutil_socket_error_to_string(11).getString().isEmpty());
        assertTrue(EVUTIL_SOCKET_ERROR() >= 0); // errno, which the JVM may have used since
    }

    @Test
    void buffersOfBufferevents() {
        event_base base = event_base_new();
        bufferevent bev = bufferevent_socket_new(base, -1, 0);
        assertEquals(bufferevent_get_input(bev), EVBUFFER_INPUT(bev));
        assertEquals(bufferevent_get_output(bev), EVBUFFER_OUTPUT(bev));
        bufferevent_free(bev);
        event_base_loop(base, EVLOOP_NONBLOCK);
        event_base_free(base);
    }

    @Test
    void printf() {
        evbuffer buffer = evbuffer_new();
        assertEquals(6, evbuffer_add_printf(buffer, "100%%, "));
        evbuffer_add_printf(buffer, "%s, ", "a string");
        evbuffer_add_printf(buffer, "%d, ", 42);
        evbuffer_add_printf(buffer, "%lld, ", 1L << 40);
        evbuffer_add_printf(buffer, "%.2f", 0.5);
        assertEquals("100%, a string, 42, 1099511627776, 0.50", text(buffer));
        evbuffer_free(buffer);
        try (BytePointer memory = new BytePointer(16)) {
            assertEquals(8, evutil_snprintf(memory, 16, "%s", "a string"));
            assertEquals("a string", memory.limit(8).getString());
        }
    }

    /** A va_list is a C function's, and passes through Java from one to another. This one is as the x86-64 ABI lays it out. */
    @Test
    void vprintf() {
        assumeTrue(Loader.getPlatform().equals("linux-x86_64"));
        evbuffer buffer = evbuffer_new();
        try (LongPointer arguments = new LongPointer(1, 2); IntPointer list = new IntPointer(6); BytePointer memory = new BytePointer(16)) {
            evbuffer_add_vprintf(buffer, "%ld and %ld", vaList(list, arguments));
            assertEquals("1 and 2", text(buffer));
            assertEquals(7, evutil_vsnprintf(memory, 16, "%ld and %ld", vaList(list, arguments)));
            assertEquals("1 and 2", memory.limit(7).getString());
        }
        evbuffer_free(buffer);
    }

    /** No argument is left in the registers, all are in memory. */
    private static Pointer vaList(IntPointer list, LongPointer arguments) {
        list.put(0, 48).put(1, 304);
        new LongPointer(list).put(1, arguments.address()).put(2, 0);
        return list;
    }

    /** TAILQ_FOREACH */
    @Test
    void headersAreWalked() {
        evkeyvalq headers = new evkeyvalq();
        assertEquals(0, evhttp_parse_query_str("a=1&b=2&c=3", headers));
        List<String> found = new ArrayList<>();
        for (evkeyval header = headers.tqh_first(); header != null; header = header.next_tqe_next()) {
            found.add(header.key().getString() + "=" + header.value().getString());
        }
        assertEquals(List.of("a=1", "b=2", "c=3"), found);
        evhttp_clear_headers(headers);
        assertNull(headers.tqh_first());
        headers.close();
    }

    /** EVTAG_ASSIGN and EVTAG_GET of a message of fields. */
    @Test
    void tags() {
        evbuffer message = evbuffer_new();
        evtag_init();
        evtag_marshal_int(message, 1, 42);
        evtag_marshal_int64(message, 2, 1L << 40);
        evtag_marshal_string(message, 3, "a string");
        encode_int(message, 7);
        encode_int64(message, 8);
        try (IntPointer number = new IntPointer(1); LongPointer wide = new LongPointer(1);
             IntPointer tag = new IntPointer(1); BytePointer string = new BytePointer(8)) {
            assertTrue(evtag_unmarshal_int(message, 1, number) >= 0);
            assertEquals(42, number.get());
            assertTrue(evtag_unmarshal_int64(message, 2, wide) >= 0);
            assertEquals(1L << 40, wide.get());
            assertEquals(8, evtag_unmarshal_header(message, tag));
            assertEquals(3, tag.get());
            assertEquals(8, evbuffer_remove(message, string, 8));
            assertEquals("a string", string.getString());
        }
        assertEquals(2, evbuffer_get_length(message));
        evbuffer_free(message);
    }

    private static String text(evbuffer buffer) {
        BytePointer data = EVBUFFER_DATA(buffer);
        byte[] bytes = new byte[(int) EVBUFFER_LENGTH(buffer)];
        data.get(bytes);
        evbuffer_drain(buffer, bytes.length);
        return new String(bytes);
    }
}
