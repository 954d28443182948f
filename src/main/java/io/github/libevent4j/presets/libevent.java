package io.github.libevent4j.presets;

import io.github.libevent4j.loading.LibraryFile;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.LoadEnabled;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * What JavaCPP binds of libevent, and how: one line per header, in the order in which one needs the other, and
 * an {@link Info} for each thing that JavaCPP cannot tell from the headers alone.
 *
 * <p>A class of {@code internal} that binds functions of {@code native/libevent4j.h} by hand joins the same native library with
 * {@code @Properties(inherit = libevent.class)}. To take a Java object as a {@code jobject}, a parameter is {@code @Raw}; where the
 * C function wants {@code (JNIEnv*, jclass, …)} first, one such parameter, or a method that returns an object, is
 * {@code @Raw(withEnv = true)}. JavaCPP's generator fails on a method that is {@code @Raw} and returns a primitive, and drops a
 * first parameter of type {@code Class}: such a one is an {@code Object}, a {@code jobject} to C.
 */
@Properties(
    value = @Platform(
        // Not cinclude: JavaCPP then takes every function for one that throws nothing, and what a callback throws ends the process.
        include = {
            "parsed/extern_c.h",
            "parsed/names.h",
            "event2/util.h",
            "event2/keyvalq_struct.h",
            "event2/event.h",
            "event2/event_struct.h",
            "event2/thread.h",
            "event2/buffer.h",
            "event2/bufferevent.h",
            "event2/bufferevent_struct.h",
            "event2/listener.h",
            "event2/http.h",
            "event2/http_struct.h",
            "event2/dns.h",
            "event2/dns_struct.h",
            "event2/tag.h",
            "event2/rpc.h",
            "event2/rpc_struct.h",
            "event2/event_compat.h",
            "event2/buffer_compat.h",
            "event2/bufferevent_compat.h",
            "event2/dns_compat.h",
            "event2/http_compat.h",
            "event2/tag_compat.h",
            "libevent4j.h", // internal.Native binds it by hand: mapConditions() hides it from the parser
        },
        exclude = "parsed/names.h", // parsed only, a C++ compiler has the system's own
        library = "jnilibevent"),
    target = "io.github.libevent4j.bindings",
    global = "io.github.libevent4j.global.libevent")
public class libevent implements InfoMapper, LoadEnabled {
    /** Called by JavaCPP before it loads the library for a class: {@link LibraryFile} does it instead. */
    @Override
    public void init(ClassProperties properties) {
        if (Loader.isLoadLibraries()) { // not in the build, which generates code by these properties
            LibraryFile.load();
            properties.setProperty("platform.library", "jnilibevent#"); // # for one that JavaCPP is not to look for
        }
    }

    @Override
    public void map(InfoMap infoMap) {
        mapConditions(infoMap);
        mapTypes(infoMap);
        mapCallbacks(infoMap);
        mapConstants(infoMap);
        mapMacros(infoMap);
        mapVariadics(infoMap);
    }

    /** The branches of the headers' conditions to take. */
    private static void mapConditions(InfoMap infoMap) {
        infoMap
            .put(new Info("__cplusplus", "EVENT__HAVE_STDINT_H", "EVENT__HAVE_GETTIMEOFDAY", "EVENT__HAVE_TIMERADD", "EVENT__HAVE_TIMERCLEAR",
                "EVENT__HAVE_TIMERISSET", "EVENT__SIZEOF_SIZE_T == 8", "LIBEVENT4J_H").define())
            // Without these, the headers define the structures themselves, by libevent's names.
            .put(new Info("EVENT__HAVE_SYS_UIO_H", "EVENT__HAVE_STRUCT_ADDRINFO").define(false))
            .put(new Info("_MSC_VER", "__GNUC__", "_WIN32", "defined(_WIN32)", "0",
                "EVENT_IN_DOXYGEN_", "defined(EVENT_IN_DOXYGEN_)", "EVENT__SIZEOF_SIZE_T == 4", "defined(TAILQ_ENTRY)",
                "defined(EVENT__SIZEOF_VOID__) && !defined(EVENT__SIZEOF_VOID_P)",
                "EVENT__HAVE_STRUCT_SOCKADDR_STORAGE___SS_FAMILY",
                "defined(EVENT_IN_DOXYGEN_) || defined(_WIN32)",
                "(defined(_WIN32) && !defined(EVENT__DISABLE_THREAD_SUPPORT)) || defined(EVENT_IN_DOXYGEN_)").define(false));
    }

    private static void mapTypes(InfoMap infoMap) {
        infoMap
            .put(new Info("EVENT2_EXPORT_SYMBOL", "EVENT2_CORE_EXPORT_SYMBOL").cppTypes().annotations())
            .put(type("ev_uint64_t", "ev_int64_t").valueTypes("long").pointerTypes("LongPointer", "LongBuffer", "long[]"))
            .put(type("ev_uint32_t", "ev_int32_t").valueTypes("int").pointerTypes("IntPointer", "IntBuffer", "int[]"))
            .put(type("ev_uint16_t", "ev_int16_t").valueTypes("short").pointerTypes("ShortPointer", "ShortBuffer", "short[]"))
            .put(type("ev_uint8_t", "ev_int8_t").valueTypes("byte").pointerTypes("BytePointer", "ByteBuffer", "byte[]"))
            .put(type("ev_ssize_t", "ev_off_t", "ev_uintptr_t", "ev_intptr_t").valueTypes("long").pointerTypes("SizeTPointer"))
            .put(type("ev_socklen_t").valueTypes("int").pointerTypes("IntPointer", "IntBuffer", "int[]"))
            // An int on POSIX, a pointer's size on Windows.
            .put(type("evutil_socket_t").valueTypes("long").pointerTypes("Pointer"))
            .put(type("time_t", "suseconds_t").valueTypes("long"))
            .put(new Info("evbuffercb", "everrorcb").cppTypes()) // other names of types
            .put(type("FILE").pointerTypes("Pointer"));
    }

    /** A type that is a name to Java, whatever macro it is defined with. */
    private static Info type(String... names) {
        return new Info(names).cppText("").cast();
    }

    /** Names for the callbacks that the headers leave without one, by their signatures. */
    private static void mapCallbacks(InfoMap infoMap) {
        infoMap
            .put(callback("void (*)(evutil_socket_t, short, void*)", "event_callback_fn"))
            .put(callback("void (*)(event*, void*)", "event_finalize_callback_fn"))
            .put(callback("void* (*)(size_t)", "malloc_fn"))
            .put(callback("void* (*)(void*, size_t)", "realloc_fn"))
            .put(callback("void (*)(void*)", "free_fn"))
            .put(callback("id_fn", "evthread_id_fn"))
            .put(callback("void (*)(evhttp_request*, void*)", "evhttp_request_cb"))
            .put(callback("int (*)(evhttp_request*, void*)", "evhttp_header_cb"))
            .put(callback("void (*)(evhttp_request_error, void*)", "evhttp_error_cb"))
            .put(callback("void (*)(evhttp_connection*, void*)", "evhttp_connection_cb"))
            .put(callback("bufferevent* (*)(event_base*, void*)", "evhttp_bufferevent_cb"))
            .put(callback("fn", "evdns_transaction_id_fn"))
            .put(callback("void (*)(char*, size_t)", "evdns_random_bytes_fn"))
            .put(callback("void (*)(evrpc_req_generic*, void*)", "evrpc_request_cb"))
            .put(callback("void (*)(evrpc_status*, void*, void*, void*)", "evrpc_reply_cb"))
            .put(callback("int (*)(void*, evhttp_request*, evbuffer*, void*)", "evrpc_hook_cb"))
            .put(callback("void* (*)(void*)", "evrpc_new_fn"))
            .put(callback("int (*)(void*)", "evrpc_complete_fn"))
            .put(callback("void (*)(evbuffer*, void*)", "evrpc_marshal_fn"))
            .put(callback("int (*)(void*, evbuffer*)", "evrpc_unmarshal_fn"));
    }

    private static Info callback(String signature, String name) {
        return new Info(signature).pointerTypes(name);
    }

    /** Constants whose values depend on the platform: read from the library when it is loaded. */
    private static void mapConstants(InfoMap infoMap) {
        infoMap
            .put(new Info("EV_INT8_MAX", "EV_INT8_MIN", "EV_UINT8_MAX", "EV_INT16_MAX", "EV_INT16_MIN", "EV_UINT16_MAX",
                "EV_INT32_MAX", "EV_INT32_MIN", "EVENT_DBG_ALL", "LIBEVENT_VERSION_NUMBER",
                "EVUTIL_EAI_ADDRFAMILY", "EVUTIL_EAI_AGAIN", "EVUTIL_EAI_BADFLAGS", "EVUTIL_EAI_FAIL", "EVUTIL_EAI_FAMILY",
                "EVUTIL_EAI_MEMORY", "EVUTIL_EAI_NODATA", "EVUTIL_EAI_NONAME", "EVUTIL_EAI_SERVICE", "EVUTIL_EAI_SOCKTYPE",
                "EVUTIL_EAI_SYSTEM", "EVUTIL_AI_PASSIVE", "EVUTIL_AI_CANONNAME", "EVUTIL_AI_NUMERICHOST",
                "EVUTIL_AI_NUMERICSERV", "EVUTIL_AI_V4MAPPED", "EVUTIL_AI_ALL", "EVUTIL_AI_ADDRCONFIG")
                .cppTypes("int").translate(false))
            .put(new Info("EV_UINT32_MAX", "EV_INT64_MAX", "EV_INT64_MIN", "EV_UINT64_MAX", "EV_SIZE_MAX", "EV_SSIZE_MAX",
                "EV_SSIZE_MIN", "EV_RATE_LIMIT_MAX")
                .cppTypes("long long").translate(false))
            .put(new Info("LIBEVENT_VERSION").cppTypes("const char*").pointerTypes("String").translate(false));
        for (String name : new String[] {"EAI_ADDRFAMILY", "EAI_AGAIN", "EAI_BADFLAGS", "EAI_FAIL", "EAI_FAMILY", "EAI_MEMORY",
                "EAI_NONAME", "EAI_SERVICE", "EAI_SOCKTYPE", "EAI_SYSTEM", "AI_PASSIVE", "AI_CANONNAME", "AI_NUMERICHOST",
                "AI_NUMERICSERV", "AI_V4MAPPED", "AI_ALL", "AI_ADDRCONFIG"}) {
            infoMap.put(new Info("defined(" + name + ") && defined(EVENT__HAVE_GETADDRINFO)").define());
        }
        infoMap.put(new Info("defined(EAI_NODATA) && defined(EVENT__HAVE_GETADDRINFO) && (!defined(EAI_NONAME) || "
            + "EAI_NODATA != EAI_NONAME)").define());
    }

    /** Macros that are functions in all but name: what they return, and what they take. */
    private static void mapMacros(InfoMap infoMap) {
        String event = "event*", base = "event_base*", callback = "event_callback_fn", time = "timeval*", data = "void*";
        infoMap
            .put(new Info("evtimer_assign").cppTypes("int", event, base, callback, data))
            .put(new Info("evtimer_new", "evuser_new").cppTypes(event, base, callback, data))
            .put(new Info("evtimer_add", "evsignal_add").cppTypes("int", event, "const " + time))
            .put(new Info("evtimer_del", "evsignal_del", "evuser_del", "evtimer_initialized", "evsignal_initialized",
                "evuser_initialized", "event_get_signal").cppTypes("int", event))
            .put(new Info("evtimer_pending", "evsignal_pending", "evuser_pending").cppTypes("int", event, time))
            .put(new Info("evsignal_assign").cppTypes("int", event, base, "int", callback, data))
            .put(new Info("evsignal_new").cppTypes(event, base, "int", callback, data))
            .put(new Info("evuser_trigger").cppTypes("void", event))
            .put(new Info("evutil_timeradd", "evutil_timersub").cppTypes("void", "const " + time, "const " + time, time))
            .put(new Info("evutil_timerclear").cppTypes("void", time))
            .put(new Info("evutil_timerisset").cppTypes("bool", "const " + time))
            .put(new Info("evutil_gettimeofday").cppTypes("int", time, data))
            .put(new Info("EVUTIL_SOCKET_ERROR").cppTypes("int"))
            .put(new Info("EVUTIL_SET_SOCKET_ERROR").cppTypes("void", "int"))
            .put(new Info("evutil_socket_geterror").cppTypes("int", "evutil_socket_t"))
            .put(new Info("evutil_socket_error_to_string").cppTypes("const char*", "int"))
            .put(new Info("evhttp_request_uri").cppTypes("const char*", "const evhttp_request*"))
            .put(new Info("evtimer_set", "timeout_set").cppTypes("void", event, callback, data))
            .put(new Info("evsignal_set", "signal_set").cppTypes("void", event, "int", callback, data))
            .put(new Info("timeout_add", "signal_add").cppTypes("int", event, "const " + time))
            .put(new Info("timeout_pending", "signal_pending").cppTypes("int", event, time))
            .put(new Info("timeout_del", "signal_del", "timeout_initialized", "signal_initialized", "EVENT_FD", "EVENT_SIGNAL")
                .cppTypes("int", event))
            .put(new Info("EVBUFFER_LENGTH").cppTypes("size_t", "evbuffer*"))
            .put(new Info("EVBUFFER_DATA").cppTypes("unsigned char*", "evbuffer*"))
            .put(new Info("EVBUFFER_INPUT", "EVBUFFER_OUTPUT").cppTypes("evbuffer*", "bufferevent*"))
            .put(new Info("encode_int").cppTypes("void", "evbuffer*", "ev_uint32_t"))
            .put(new Info("encode_int64").cppTypes("void", "evbuffer*", "ev_uint64_t"))
            .put(new Info("evutil_timercmp", "evutil_offsetof").cppText("")); // of no use without C's preprocessor
    }

    /** Variadic functions, for the formats of no argument and of one. */
    private static void mapVariadics(InfoMap infoMap) {
        variadic(infoMap, "evbuffer_add_printf", "evbuffer buf");
        variadic(infoMap, "evutil_snprintf", "@Cast(\"char*\") BytePointer buf, @Cast(\"size_t\") long buflen");
    }

    private static void variadic(InfoMap infoMap, String function, String parameters) {
        StringBuilder text = new StringBuilder("/** The format, and what it formats, as C's printf takes them: as unsafe here as there. */\n");
        for (String argument : new String[] {"", ", String arg", ", int arg", ", long arg", ", double arg", ", Pointer arg"}) {
            text.append("public static native int " + function + "(" + parameters + ", String format" + argument + ");\n");
        }
        infoMap.put(new Info(function).javaText(text.toString()));
    }
}
