package io.github.libevent4j.internal;

import io.github.libevent4j.presets.libevent;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.annotation.Raw;

/**
 * The functions of {@code native/libevent4j.h}, under their C names; that header says what each does. Addresses are longs: a
 * {@code Pointer} costs an allocation, and these are made and dropped with every request.
 */
@Properties(inherit = libevent.class)
@NoException
public final class Native {

    private Native() {
    }

    // library.c
    static native int libevent4j_init(@Raw(withEnv = true) Object callbacks, int debug);

    static native @Cast("const char*") String libevent4j_revision();

    static native @Cast("const char*") String libevent4j_fixes();

    public static native int libevent4j_errno();

    @Raw(withEnv = true)
    static native Object libevent4j_take_thrown();

    // memory.c
    static native @Cast("int64_t") long libevent4j_live_allocations();

    static native @Cast("int64_t") long libevent4j_fail_allocation(@Cast("int64_t") long number);

    // log.c
    static native int libevent4j_log_take(@Cast("char*") long line, int size, @Cast("int*") long lost);

    // descriptor.c
    static native @Cast("int64_t") long libevent4j_descriptor_of(@Raw(withEnv = true) Object channel);

    public static native int libevent4j_descriptor_check(@Cast("int64_t") long fd);

    static native @Cast("int64_t") long libevent4j_descriptor_dup(@Cast("int64_t") long fd);

    public static native void libevent4j_descriptor_close(@Cast("int64_t") long fd);

    public static native int libevent4j_descriptor_shut_down(@Cast("int64_t") long fd);

    public static native int libevent4j_would_block(int error);

    public static native int libevent4j_local_port(@Cast("int64_t") long fd);

    // event.c
    static native @Cast("libevent4j_loop*") long libevent4j_loop_new(@Cast("event_base*") long base, @Cast("void*") long id,
            @Cast("void*") long head, @Cast("int64_t") long headSize);

    static native void libevent4j_loop_free(@Cast("libevent4j_loop*") long loop);

    static native int libevent4j_loop_run(@Cast("libevent4j_loop*") long loop, int flags);

    public static native int libevent4j_config_max_dispatch(@Cast("event_config*") long config, @Cast("int64_t") long micros,
            int maxCallbacks, int minPriority);

    public static native int libevent4j_loop_exit_after(@Cast("libevent4j_loop*") long loop, @Cast("int64_t") long micros);

    public static native @Cast("event*") long libevent4j_event_new(@Cast("libevent4j_loop*") long loop, @Cast("int64_t") long fd,
            int what, @Cast("void*") long id);

    public static native int libevent4j_event_add(@Cast("event*") long event, @Cast("int64_t") long micros);

    public static native int libevent4j_event_once(@Cast("libevent4j_loop*") long loop, @Cast("int64_t") long fd, int what,
            @Cast("void*") long id, @Cast("int64_t") long micros);

    public static native @Cast("const timeval*") long libevent4j_common_timeout(@Cast("libevent4j_loop*") long loop,
            @Cast("int64_t") long micros);

    public static native int libevent4j_event_add_common(@Cast("event*") long event, @Cast("const timeval*") long timeout);

    public static native @Cast("int64_t") long libevent4j_event_remaining(@Cast("event*") long event);

    @Raw(withEnv = true)
    static native Object libevent4j_loop_events(@Cast("libevent4j_loop*") long loop);

    public static native @Cast("int64_t") long libevent4j_loop_time(@Cast("libevent4j_loop*") long loop);

    public static native @Cast("int64_t") long libevent4j_monotonic_time(@Cast("evutil_monotonic_timer*") long timer);

    @Raw(withEnv = true)
    public static native Object libevent4j_loop_dump(@Cast("libevent4j_loop*") long loop);

    public static native int libevent4j_signal_number(String name);

    // buffer.c
    public static native int libevent4j_buffer_add(@Cast("evbuffer*") long buffer, @Raw(withEnv = true) Object source, int direct,
            int offset, int length);

    public static native int libevent4j_buffer_prepend(@Cast("evbuffer*") long buffer, @Raw(withEnv = true) Object source,
            int direct, int offset, int length);

    public static native int libevent4j_buffer_copy(@Cast("evbuffer*") long buffer, @Cast("int64_t") long position,
            @Raw(withEnv = true) Object target, int direct, int offset, int length);

    public static native @Cast("int64_t") long libevent4j_buffer_search(@Cast("evbuffer*") long buffer,
            @Raw(withEnv = true) Object what, @Cast("int64_t") long start, @Cast("int64_t") long end);

    public static native @Cast("int64_t") long libevent4j_buffer_search_eol(@Cast("evbuffer*") long buffer,
            @Cast("int64_t") long start, int style, int[] length);

    public static native int libevent4j_buffer_pull_up(@Cast("evbuffer*") long buffer, @Cast("int64_t") long length);

    public static native int libevent4j_buffer_move(@Cast("evbuffer*") long target, @Cast("evbuffer*") long source, int length);

    public static native int libevent4j_buffer_add_reference(@Cast("evbuffer*") long buffer, @Raw(withEnv = true) Object source,
            int offset, int length, @Cast("void*") long id);

    public static native int libevent4j_buffer_add_file(@Cast("evbuffer*") long buffer, @Cast("int64_t") long fd,
            @Cast("int64_t") long offset, @Cast("int64_t") long length, int toSocket);

    public static native @Cast("evbuffer_file_segment*") long libevent4j_file_segment_new(@Cast("int64_t") long fd,
            @Cast("int64_t") long offset, @Cast("int64_t") long length, int toSocket, @Cast("void*") long id);

    public static native int libevent4j_buffer_add_copy(@Cast("evbuffer*") long buffer, @Cast("evbuffer*") long source);

    public static native @Cast("evbuffer*") long libevent4j_buffer_pin(@Cast("evbuffer*") long buffer);

    @Raw(withEnv = true)
    public static native Object libevent4j_buffer_peek(@Cast("evbuffer*") long pinned, @Cast("int64_t") long length);

    public static native @Cast("evbuffer_cb_entry*") long libevent4j_buffer_add_cb(@Cast("evbuffer*") long buffer,
            @Cast("void*") long id);

    public static native int libevent4j_buffer_read(@Cast("evbuffer*") long buffer, @Cast("int64_t") long fd, int length);

    public static native int libevent4j_buffer_write(@Cast("evbuffer*") long buffer, @Cast("int64_t") long fd,
            @Cast("int64_t") long length);

    // bufferevent.c
    public static native int libevent4j_bufferevent_prepare(@Cast("libevent4j_loop*") long loop, @Cast("int64_t") long fd);

    public static native @Cast("bufferevent*") long libevent4j_bufferevent_socket(@Cast("libevent4j_loop*") long loop,
            @Cast("int64_t") long fd, int options, @Cast("void*") long id);

    public static native @Cast("bufferevent*") long libevent4j_bufferevent_pair(@Cast("libevent4j_loop*") long loop, int options,
            @Cast("void*") long id, @Cast("void*") long partnerId);

    public static native @Cast("bufferevent*") long libevent4j_bufferevent_filter(@Cast("bufferevent*") long underlying,
            int options, @Cast("void*") long id);

    public static native int libevent4j_bufferevent_connect(@Cast("bufferevent*") long bev, String address, int port);

    public static native int libevent4j_bufferevent_set_timeouts(@Cast("bufferevent*") long bev,
            @Cast("int64_t") long readMicros, @Cast("int64_t") long writeMicros);

    public static native void libevent4j_bufferevent_set_descriptor(@Cast("bufferevent*") long bev, @Cast("int64_t") long fd);

    public static native int libevent4j_bufferevent_set_priority(@Cast("bufferevent*") long bev, int priority);

    public static native @Cast("ev_token_bucket_cfg*") long libevent4j_token_bucket(@Cast("int64_t") long readRate,
            @Cast("int64_t") long readBurst, @Cast("int64_t") long writeRate, @Cast("int64_t") long writeBurst,
            @Cast("int64_t") long tickMicros);

    // listener.c
    public static native @Cast("evconnlistener*") long libevent4j_listener_new(@Cast("libevent4j_loop*") long loop,
            @Cast("int64_t") long fd, int flags, int backlog, @Cast("void*") long id);

    @Raw(withEnv = true)
    public static native Object libevent4j_listener_host(@Cast("int64_t") long fd);

    public static native @Cast("evconnlistener*") long libevent4j_listener_bind(@Cast("libevent4j_loop*") long loop,
            String address, int port, int flags, int backlog, @Cast("void*") long id);

    // dns.c
    public static native @Cast("evdns_request*") long libevent4j_dns_resolve(@Cast("evdns_base*") long dns, String name, int type,
            int flags, @Cast("void*") long id);

    public static native @Cast("evdns_request*") long libevent4j_dns_reverse(@Cast("evdns_base*") long dns, String address,
            int flags, @Cast("void*") long id);

    public static native @Cast("evdns_getaddrinfo_request*") long libevent4j_dns_getaddrinfo(@Cast("evdns_base*") long dns,
            String host, String service, int family, @Cast("void*") long id);

    public static native int libevent4j_dns_add_nameserver(@Cast("evdns_base*") long dns, String address, int port);

    public static native int libevent4j_dns_nameserver(@Cast("evdns_base*") long dns, int index, @Cast("char*") byte[] out, int size);

    public static native void libevent4j_dns_free(@Cast("libevent4j_loop*") long loop, @Cast("evdns_base*") long dns);

    // http_server.c
    public static native @Cast("libevent4j_server*") long libevent4j_server_new(@Cast("libevent4j_loop*") long loop,
            @Cast("void*") long id, int exact, @Cast("void*") long counters);

    public static native void libevent4j_server_free(@Cast("libevent4j_server*") long server);

    public static native @Cast("evhttp*") long libevent4j_server_http(@Cast("libevent4j_server*") long server);

    public static native void libevent4j_server_set_timeout(@Cast("libevent4j_server*") long server,
            @Cast("int64_t") long micros);

    public static native int libevent4j_server_set_content_type(@Cast("libevent4j_server*") long server,
            @Cast("const char*") byte[] type);

    public static native @Cast("libevent4j_route*") long libevent4j_server_route(@Cast("libevent4j_server*") long server,
            @Cast("const char*") byte[] path, @Cast("void*") long id);

    public static native void libevent4j_server_unroute(@Cast("libevent4j_server*") long server,
            @Cast("libevent4j_route*") long route);

    public static native @Cast("libevent4j_socket*") long libevent4j_server_bind(@Cast("libevent4j_server*") long server,
            String address, int port);

    public static native @Cast("libevent4j_socket*") long libevent4j_server_accept(@Cast("libevent4j_server*") long server,
            @Cast("int64_t") long fd);

    public static native @Cast("libevent4j_socket*") long libevent4j_server_listen(@Cast("libevent4j_server*") long server,
            String address, int port, int flags, int backlog);

    public static native @Cast("int64_t") long libevent4j_socket_descriptor(@Cast("libevent4j_socket*") long socket);

    public static native void libevent4j_socket_close(@Cast("libevent4j_socket*") long socket);

    public static native void libevent4j_server_ask_for_bufferevents(@Cast("libevent4j_server*") long server);

    public static native int libevent4j_server_guard(@Cast("libevent4j_server*") long server, int strict,
            @Cast("int64_t") long maxConnections, int maxHeaders, @Cast("int64_t") long headMicros,
            @Cast("int64_t") long bodyMicros);

    public static native void libevent4j_server_log(@Cast("libevent4j_server*") long server);

    public static native @Cast("int64_t") long libevent4j_server_connections(@Cast("libevent4j_server*") long server);

    public static native @Cast("int64_t") long libevent4j_server_active(@Cast("libevent4j_server*") long server);

    public static native void libevent4j_server_notify_drained(@Cast("libevent4j_server*") long server);

    public static native void libevent4j_exchange_watch(@Cast("libevent4j_exchange*") long exchange, @Cast("void*") long id,
            int measure);

    public static native int libevent4j_exchange_watch_client(@Cast("libevent4j_exchange*") long exchange);

    public static native @Cast("bufferevent*") long libevent4j_exchange_take_over(@Cast("libevent4j_exchange*") long exchange,
            int status, @Raw(withEnv = true) Object head, int direct, int offset, int length, @Cast("void*") long id);

    static native int libevent4j_exchange_headers(@Cast("libevent4j_exchange*") long exchange, int at);

    static native int libevent4j_exchange_find_header(@Cast("libevent4j_exchange*") long exchange, @Raw(withEnv = true) Object bytes,
            int length);

    public static native @Cast("int64_t") long libevent4j_exchange_body_length(@Cast("libevent4j_exchange*") long exchange);

    public static native void libevent4j_exchange_body(@Cast("libevent4j_exchange*") long exchange, @Raw(withEnv = true) Object target);

    public static native @Cast("evbuffer*") long libevent4j_exchange_take_body(@Cast("libevent4j_exchange*") long exchange);

    public static native int libevent4j_exchange_reply(@Cast("libevent4j_exchange*") long exchange, int status,
            @Cast("const void*") long head, @Raw(withEnv = true) Object body, int direct, int offset, int length);

    public static native int libevent4j_exchange_reply_buffer(@Cast("libevent4j_exchange*") long exchange, int status,
            @Cast("const void*") long head, @Cast("evbuffer*") long body);

    public static native int libevent4j_exchange_reply_file(@Cast("libevent4j_exchange*") long exchange, int status,
            @Cast("const void*") long head, @Cast("int64_t") long fd, @Cast("int64_t") long offset,
            @Cast("int64_t") long length);

    public static native int libevent4j_exchange_error(@Cast("libevent4j_exchange*") long exchange, int status,
            @Cast("const void*") long head);

    public static native int libevent4j_exchange_start(@Cast("libevent4j_exchange*") long exchange, int status,
            @Cast("const void*") long head);

    public static native int libevent4j_exchange_chunk(@Cast("libevent4j_exchange*") long exchange, @Raw(withEnv = true) Object body, int direct,
            int offset, int length);

    public static native int libevent4j_exchange_end(@Cast("libevent4j_exchange*") long exchange);

    public static native void libevent4j_exchange_abort(@Cast("libevent4j_exchange*") long exchange);

    // http_client.c
    public static native @Cast("libevent4j_connection*") long libevent4j_connection_new(@Cast("libevent4j_loop*") long loop,
            @Cast("void*") long id, String host, int port, int exact);

    public static native void libevent4j_connection_free(@Cast("libevent4j_connection*") long connection);

    public static native @Cast("evhttp_connection*") long libevent4j_connection_evcon(
            @Cast("libevent4j_connection*") long connection);

    public static native void libevent4j_connection_read(@Cast("libevent4j_connection*") long connection, int read);

    public static native void libevent4j_connection_set_timeout(@Cast("libevent4j_connection*") long connection,
            @Cast("int64_t") long micros);

    /** Flags of libevent4j_connection_send(). */
    public static final int LISTENING = 1;
    public static final int UPLOADING = 2;
    public static final int CHUNKED = 4;
    public static final int EXPECTING = 8;

    public static native int libevent4j_connection_send(@Cast("libevent4j_connection*") long connection,
            int method, int minorVersion, int flags, @Cast("const void*") long head,
            @Raw(withEnv = true) Object body, int direct, int offset, int length);

    public static native void libevent4j_connection_cancel(@Cast("libevent4j_connection*") long connection);

    public static native int libevent4j_connection_add(@Cast("libevent4j_connection*") long connection,
            @Raw(withEnv = true) Object body, int direct, int offset, int length);

    public static native int libevent4j_connection_add_file(@Cast("libevent4j_connection*") long connection,
            @Cast("int64_t") long fd, @Cast("int64_t") long offset, @Cast("int64_t") long length);

    public static native void libevent4j_connection_end(@Cast("libevent4j_connection*") long connection);

    public static native void libevent4j_connection_continue(@Cast("libevent4j_connection*") long connection);

    // uri.c
    public static native int libevent4j_uri_parse(@Cast("const char*") byte[] uri, int flags, @Cast("char*") byte[] out,
            int size);

    public static native int libevent4j_uri_join(@Cast("const char*") byte[] scheme, @Cast("const char*") byte[] userInfo,
            @Cast("const char*") byte[] host, int port, @Cast("const char*") byte[] path, @Cast("const char*") byte[] query,
            @Cast("const char*") byte[] fragment, int flags, @Cast("char*") byte[] out, int size);
}
