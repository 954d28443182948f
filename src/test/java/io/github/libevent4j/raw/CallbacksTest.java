package io.github.libevent4j.raw;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.github.libevent4j.LibeventTest;
import io.github.libevent4j.bindings.bufferevent_data_cb;
import io.github.libevent4j.bindings.bufferevent_event_cb;
import io.github.libevent4j.bindings.bufferevent_filter_cb;
import io.github.libevent4j.bindings.evbuffer_cb;
import io.github.libevent4j.bindings.evbuffer_cb_func;
import io.github.libevent4j.bindings.evbuffer_file_segment_cleanup_cb;
import io.github.libevent4j.bindings.evbuffer_ref_cleanup_cb;
import io.github.libevent4j.bindings.evconnlistener_cb;
import io.github.libevent4j.bindings.evconnlistener_errorcb;
import io.github.libevent4j.bindings.evdns_callback_type;
import io.github.libevent4j.bindings.evdns_debug_log_fn_type;
import io.github.libevent4j.bindings.evdns_getaddrinfo_cb;
import io.github.libevent4j.bindings.evdns_random_bytes_fn;
import io.github.libevent4j.bindings.evdns_request_callback_fn_type;
import io.github.libevent4j.bindings.evdns_transaction_id_fn;
import io.github.libevent4j.bindings.event_base_foreach_event_cb;
import io.github.libevent4j.bindings.event_callback;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.event_fatal_cb;
import io.github.libevent4j.bindings.event_finalize_callback_fn;
import io.github.libevent4j.bindings.event_log_cb;
import io.github.libevent4j.bindings.evhttp_bound_socket_foreach_fn;
import io.github.libevent4j.bindings.evhttp_bufferevent_cb;
import io.github.libevent4j.bindings.evhttp_connection_cb;
import io.github.libevent4j.bindings.evhttp_error_cb;
import io.github.libevent4j.bindings.evhttp_header_cb;
import io.github.libevent4j.bindings.evhttp_request_cb;
import io.github.libevent4j.bindings.evrpc_complete_fn;
import io.github.libevent4j.bindings.evrpc_hook_cb;
import io.github.libevent4j.bindings.evrpc_marshal_fn;
import io.github.libevent4j.bindings.evrpc_new_fn;
import io.github.libevent4j.bindings.evrpc_reply_cb;
import io.github.libevent4j.bindings.evrpc_request_cb;
import io.github.libevent4j.bindings.evrpc_unmarshal_fn;
import io.github.libevent4j.bindings.evthread_condition_callbacks;
import io.github.libevent4j.bindings.evthread_id_fn;
import io.github.libevent4j.bindings.evthread_lock_callbacks;
import io.github.libevent4j.bindings.free_fn;
import io.github.libevent4j.bindings.malloc_fn;
import io.github.libevent4j.bindings.realloc_fn;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FunctionPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Libevent calls back into Java wherever it calls back at all: each place is here, or with those that must not be Java's. */
class CallbacksTest extends LibeventTest {

    /** A place that takes a callback, and a program in which that is called. */
    private record Slot(String name, Class<? extends FunctionPointer> type, Executable program) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final String ANY_THREAD = "libevent calls it on any thread, and in states in which no Java can run";
    private static final String NEVER_CALLED = "libevent takes it, and never calls it";
    private static final String PRIVATE = "libevent keeps it to itself";

    private static final Map<Class<? extends FunctionPointer>, String> NOT_FOR_JAVA = Map.ofEntries(
        Map.entry(malloc_fn.class, ANY_THREAD),
        Map.entry(realloc_fn.class, ANY_THREAD),
        Map.entry(evthread_id_fn.class, ANY_THREAD),
        Map.entry(evthread_lock_callbacks.Alloc_int.class, ANY_THREAD),
        Map.entry(evthread_lock_callbacks.Free_Pointer_int.class, ANY_THREAD),
        Map.entry(evthread_lock_callbacks.Lock_int_Pointer.class, ANY_THREAD),
        Map.entry(evthread_lock_callbacks.Unlock_int_Pointer.class, ANY_THREAD),
        Map.entry(evthread_condition_callbacks.Alloc_condition_int.class, ANY_THREAD),
        Map.entry(evthread_condition_callbacks.Signal_condition_Pointer_int.class, ANY_THREAD),
        Map.entry(evthread_condition_callbacks.Wait_condition_Pointer_Pointer_timeval.class, ANY_THREAD),
        Map.entry(evdns_transaction_id_fn.class, NEVER_CALLED),
        Map.entry(evdns_random_bytes_fn.class, NEVER_CALLED),
        Map.entry(event_callback.Evcb_selfcb_event_callback_Pointer.class, PRIVATE),
        Map.entry(event_callback.Evcb_cbfinalize_event_callback_Pointer.class, PRIVATE));

    static Stream<Slot> slots() {
        return Stream.of(
            new Slot("event_new", event_callback_fn.class, EventPrograms::events),
            new Slot("event_base_once", event_callback_fn.class, EventPrograms::events),
            new Slot("event_base_foreach_event", event_base_foreach_event_cb.class, EventPrograms::events),
            new Slot("event_free_finalize", event_finalize_callback_fn.class, EventPrograms::finalizer),
            new Slot("event_set_log_callback", event_log_cb.class, EventPrograms::logAndFatal),
            new Slot("event_set_fatal_callback", event_fatal_cb.class, EventPrograms::logAndFatal),

            new Slot("evbuffer_add_cb", evbuffer_cb_func.class, IoPrograms::buffers),
            new Slot("evbuffer_setcb", evbuffer_cb.class, IoPrograms::buffers),
            new Slot("evbuffer_add_reference", evbuffer_ref_cleanup_cb.class, IoPrograms::references),
            new Slot("evbuffer_file_segment_add_cleanup_cb", evbuffer_file_segment_cleanup_cb.class, IoPrograms::references),
            new Slot("bufferevent_setcb read", bufferevent_data_cb.class, IoPrograms::bufferEvents),
            new Slot("bufferevent_setcb write", bufferevent_data_cb.class, IoPrograms::bufferEvents),
            new Slot("bufferevent_setcb event", bufferevent_event_cb.class, IoPrograms::bufferEvents),
            new Slot("bufferevent_filter_new input", bufferevent_filter_cb.class, IoPrograms::bufferEvents),
            new Slot("bufferevent_filter_new output", bufferevent_filter_cb.class, IoPrograms::bufferEvents),
            new Slot("bufferevent_filter_new free_context", free_fn.class, IoPrograms::bufferEvents),
            new Slot("evconnlistener_new", evconnlistener_cb.class, IoPrograms::listener),
            new Slot("evconnlistener_set_error_cb", evconnlistener_errorcb.class, IoPrograms::failingListener),

            new Slot("evhttp_set_bevcb", evhttp_bufferevent_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_foreach_bound_socket", evhttp_bound_socket_foreach_fn.class, HttpPrograms::exchanges),
            new Slot("evhttp_set_cb", evhttp_request_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_set_gencb", evhttp_request_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_request_set_on_complete_cb", evhttp_request_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_send_reply_chunk_with_cb", evhttp_connection_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_connection_set_closecb", evhttp_connection_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_request_new", evhttp_request_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_request_set_header_cb", evhttp_header_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_request_set_chunked_cb", evhttp_request_cb.class, HttpPrograms::exchanges),
            new Slot("evhttp_request_set_error_cb", evhttp_error_cb.class, HttpPrograms::exchanges),

            new Slot("evdns_base_resolve_ipv4", evdns_callback_type.class, DnsPrograms::questions),
            new Slot("evdns_getaddrinfo", evdns_getaddrinfo_cb.class, DnsPrograms::questions),
            new Slot("evdns_add_server_port_with_base", evdns_request_callback_fn_type.class, DnsPrograms::questions),
            new Slot("evdns_set_log_fn", evdns_debug_log_fn_type.class, DnsPrograms::log),

            new Slot("evrpc_register_generic callback", evrpc_request_cb.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic req_new", evrpc_new_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic req_free", free_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic req_unmarshal", evrpc_unmarshal_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic rpl_new", evrpc_new_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic rpl_free", free_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic rpl_complete", evrpc_complete_fn.class, RpcPrograms::calls),
            new Slot("evrpc_register_generic rpl_marshal", evrpc_marshal_fn.class, RpcPrograms::calls),
            new Slot("evrpc_add_hook server", evrpc_hook_cb.class, RpcPrograms::calls),
            new Slot("evrpc_add_hook client", evrpc_hook_cb.class, RpcPrograms::calls),
            new Slot("evrpc_send_request_generic callback", evrpc_reply_cb.class, RpcPrograms::calls),
            new Slot("evrpc_send_request_generic req_marshal", evrpc_marshal_fn.class, RpcPrograms::calls),
            new Slot("evrpc_send_request_generic rpl_clear", free_fn.class, RpcPrograms::calls),
            new Slot("evrpc_send_request_generic rpl_unmarshal", evrpc_unmarshal_fn.class, RpcPrograms::calls));
    }

    @ParameterizedTest
    @MethodSource("slots")
    void itIsCalled(Slot slot) throws Throwable {
        Fired.clear();
        slot.program().execute();
        assertTrue(Fired.has(slot.name()), slot.name() + " was not called");
    }

    @Test
    void noTypeIsForgotten() {
        Set<String> there = new ClassFileImporter().importPackages("io.github.libevent4j.bindings").stream()
            .filter(assignableTo(FunctionPointer.class))
            .map(type -> simpleName(type.reflect()))
            .collect(toCollection(TreeSet::new));
        Set<String> called = slots().map(slot -> simpleName(slot.type())).collect(toCollection(TreeSet::new));
        Set<String> notForJava = NOT_FOR_JAVA.keySet().stream().map(CallbacksTest::simpleName).collect(toCollection(TreeSet::new));
        Set<String> both = new TreeSet<>(called);
        both.retainAll(notForJava);
        assertEquals(Set.of(), both);
        called.addAll(notForJava);
        assertEquals(there, called);
    }

    /** A structure's member has a class of its own for the same type, by the same simple name. */
    private static String simpleName(Class<?> type) {
        return type.getSimpleName();
    }
}
