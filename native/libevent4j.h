/*
 * The C side of libevent4j: what Java cannot bind, or what must be one call to be fast.
 *
 * Conventions
 * - An id is Java's name for a callback target (slot and generation in its loop's registry), carried in a void pointer. It is
 *   never dereferenced here, and a stale one is harmless: Java ignores it.
 * - Every function is called on the thread that holds its loop (see internal.Loop), except those marked "any thread".
 * - A function that can fail for a reason of the outside world leaves the reason in libevent4j_errno().
 * - No Java exception crosses a libevent frame: Java's side of a trampoline catches everything, and what still escapes (a
 *   StackOverflowError at its entry) is kept by libevent4j_upcall_done() and taken by libevent4j_take_thrown().
 *
 * Global state, all of it set once by libevent4j_init() and never changed:
 *   libevent4j_java   the JavaVM and the method ids of internal.Callbacks (library.c)
 *   the counter of live allocations and the one to fail (memory.c), the queue of log lines (log.c), and the count of changes to epolls
 *   whose loops do not run (epoll.c), which do change
 * and, per thread, the last errno, the loop that it runs, and a Throwable that escaped an upcall (library.c), the memory that it keeps
 * (cache.c) and has promised (memory.c), the epoll that it has made last (epoll.c), the line of a head that evhttp is at (line.c), the
 * connection whose requests it has in a row (more.c), and the buffer to which evhttp adds nothing (hold.c).
 */
#ifndef LIBEVENT4J_H
#define LIBEVENT4J_H

#include <jni.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/http.h>
#include <event2/listener.h>

#ifdef __cplusplus
extern "C" {
#endif

struct libevent4j_loop;
struct libevent4j_server;
struct libevent4j_route;
struct libevent4j_socket;
struct libevent4j_exchange;
struct libevent4j_connection;

/* ---- library.c: loading, and the way into Java ---- */

/* Initialises libevent's threads, log and (when debug) counted allocations. Returns 0, or -1 with a Java exception pending. */
int libevent4j_init(JNIEnv *env, jclass native, jobject callbacks, int debug);
/* The distribution's revision of the libevent inside, and the security fixes applied to it, separated by spaces. Any thread. */
const char *libevent4j_revision(void);
const char *libevent4j_fixes(void);
/* The reason of this thread's last failure. Any thread. */
int libevent4j_errno(void);
/* What escaped an upcall on this thread since the last call, or NULL. */
jobject libevent4j_take_thrown(JNIEnv *env, jclass native);

/* ---- memory.c ---- */

/* Allocations that libevent and this shim hold now; -1 where they are not counted (debug is off). Any thread. */
int64_t libevent4j_live_allocations(void);

/* For tests: makes an allocation of libevent's or this shim's fail, the next with 1; 0 for none, and a negative number changes
 * nothing. Returns what was still to come of the number before, 0 when it has failed. Only where they are counted. Any thread. */
int64_t libevent4j_fail_allocation(int64_t number);

/* ---- log.c ---- */

/* Waits for a log line, copies it into the direct buffer and returns its severity; *lost counts lines dropped before it.
 * Called by one thread, Java's log thread. */
int libevent4j_log_take(char *line, int size, int *lost);

/* ---- descriptor.c ---- */

/* The descriptor of a Java channel, or -1 when the object has none that can be had. Any thread. */
int64_t libevent4j_descriptor_of(JNIEnv *env, jclass native, jobject channel);
/* 0 when the descriptor is open, else -1. Any thread. */
int libevent4j_descriptor_check(int64_t fd);
/* A second descriptor of the same file, the caller's to close, or -1. Any thread. */
int64_t libevent4j_descriptor_dup(int64_t fd);
void libevent4j_descriptor_close(int64_t fd);
/* Ends what a connected socket sends. 0, or -1 with errno. */
int libevent4j_descriptor_shut_down(int64_t fd);
/* Whether an errno only says that nothing can be read or written now. Any thread. */
int libevent4j_would_block(int error);
/* The local port that a socket is bound to, or -1. */
int libevent4j_local_port(int64_t fd);

/* ---- event.c ---- */

/* A loop's C side. The head buffer is Java's; it stays valid until libevent4j_loop_set_head() names another. */
struct libevent4j_loop *libevent4j_loop_new(struct event_base *base, void *id, void *head, int64_t head_size);
void libevent4j_loop_free(struct libevent4j_loop *loop);
/* event_base_loop(). */
int libevent4j_loop_run(struct libevent4j_loop *loop, int flags);
/* Options of event_base_new_with_config() that take a struct timeval. Microseconds; -1 for none. */
int libevent4j_config_max_dispatch(struct event_config *config, int64_t micros, int max_callbacks, int min_priority);
/* event_base_loopexit() after microseconds. */
int libevent4j_loop_exit_after(struct libevent4j_loop *loop, int64_t micros);
/* event_new() whose callback is Callbacks.event(id, what). Freed with event_free(). */
struct event *libevent4j_event_new(struct libevent4j_loop *loop, int64_t fd, int what, void *id);
/* event_add(); micros < 0 means without a timeout. */
int libevent4j_event_add(struct event *event, int64_t micros);
/* event_base_once() whose callback is Callbacks.event(id, what); micros < 0 means without a timeout. */
int libevent4j_event_once(struct libevent4j_loop *loop, int64_t fd, int what, void *id, int64_t micros);
/* event_base_init_common_timeout(); what it returns is the base's, or NULL, with errno unless there are too many. event_add() with it. */
const struct timeval *libevent4j_common_timeout(struct libevent4j_loop *loop, int64_t micros);
int libevent4j_event_add_common(struct event *event, const struct timeval *timeout);
/* The microseconds until the event's timeout, by event_pending() and the loop's time; 0 when it is due, -1 when it has none. */
int64_t libevent4j_event_remaining(const struct event *event);
/* event_base_foreach_event(), without libevent's internal events: a long[] with, for each, its address, its descriptor or signal,
 * its EV_* bits, its priority and what libevent4j_event_remaining() says. NULL without memory. */
jobject libevent4j_loop_events(JNIEnv *env, jclass native, struct libevent4j_loop *loop);
/* event_base_gettimeofday_cached(), and evutil_gettime_monotonic(), in microseconds; -1 when they fail. */
int64_t libevent4j_loop_time(struct libevent4j_loop *loop);
int64_t libevent4j_monotonic_time(struct evutil_monotonic_timer *timer);
/* event_base_dump_events() as text; NULL with errno when there is no temporary file. */
jobject libevent4j_loop_dump(JNIEnv *env, jclass native, struct libevent4j_loop *loop);
/* The signal number of a name such as "TERM", or -1. Any thread. */
int libevent4j_signal_number(const char *name);

/* ---- buffer.c: a target or source is a byte array or, with direct, a direct buffer ---- */

int libevent4j_buffer_add(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int direct, int offset, int length);
int libevent4j_buffer_prepend(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int direct, int offset,
    int length);
/* Copies up to length bytes from a position; how many. */
int libevent4j_buffer_copy(JNIEnv *env, jclass native, struct evbuffer *buffer, int64_t position, jobject target, int direct,
    int offset, int length);
/* evbuffer_search_range() from start to end (-1 for the buffer's); the position, or -1. */
int64_t libevent4j_buffer_search(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject what, int64_t start, int64_t end);
/* evbuffer_search_eol() from a position; the position, or -1. The line end's length goes to length[0]. */
int64_t libevent4j_buffer_search_eol(struct evbuffer *buffer, int64_t start, int style, int *length);
/* evbuffer_pullup(); 0 or -1. */
int libevent4j_buffer_pull_up(struct evbuffer *buffer, int64_t length);
/* evbuffer_remove_buffer(); how many bytes, or -1. */
int libevent4j_buffer_move(struct evbuffer *target, struct evbuffer *source, int length);
/* evbuffer_add_reference() to a direct buffer; Callbacks.bufferReleased(id) when libevent is through with it. 0 or -1. */
int libevent4j_buffer_add_reference(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int offset, int length,
    void *id);
/* evbuffer_add_file_segment() of a whole part of a file. Takes the descriptor. With to_socket the buffer must drain to a plain
 * socket, and nobody may look into it: the kernel sends what is never in its memory. 0, or -1 with errno, which is 0
 * when the file has become shorter. */
int libevent4j_buffer_add_file(struct evbuffer *buffer, int64_t fd, int64_t offset, int64_t length, int to_socket);
/* evbuffer_file_segment_new() of a part of a file: with to_socket for buffers that drain to a plain socket alone, else read now.
 * Takes the descriptor; NULL like the above. Freed with evbuffer_file_segment_free(); Callbacks.bufferReleased(id) when no buffer
 * has it any more either. */
struct evbuffer_file_segment *libevent4j_file_segment_new(int64_t fd, int64_t offset, int64_t length, int to_socket, void *id);
/* Appends a copy of another buffer's bytes, of which none are a file's. 0 or -1. */
int libevent4j_buffer_add_copy(struct evbuffer *buffer, struct evbuffer *source);
/* A buffer that shares the first bytes of another, so that they stay; NULL when they cannot be shared. Freed with evbuffer_free(). */
struct evbuffer *libevent4j_buffer_pin(struct evbuffer *buffer);
/* evbuffer_peek(): the extents of the buffer's first bytes, as direct buffers in an Object[]. */
jobject libevent4j_buffer_peek(JNIEnv *env, jclass native, struct evbuffer *pinned, int64_t length);
/* evbuffer_add_cb(): Callbacks.bufferChanged(id, …). NULL without memory. */
struct evbuffer_cb_entry *libevent4j_buffer_add_cb(struct evbuffer *buffer, void *id);
/* evbuffer_read() and evbuffer_write_atmost(); how many bytes, 0 at the end, or -1 with errno. */
int libevent4j_buffer_read(struct evbuffer *buffer, int64_t fd, int length);
int libevent4j_buffer_write(struct evbuffer *buffer, int64_t fd, int64_t length);

/* ---- bufferevent.c: Callbacks.bufferEventRead(id), …Written(id) and …Event(id, what, errno, gai error) ---- */

/* Makes a descriptor ready for a bufferevent of this loop. 0, or -1 with errno when it cannot be. */
int libevent4j_bufferevent_prepare(struct libevent4j_loop *loop, int64_t fd);
/* bufferevent_socket_new(), with -1 for a socket to be connected. Freed with bufferevent_free(). */
struct bufferevent *libevent4j_bufferevent_socket(struct libevent4j_loop *loop, int64_t fd, int options, void *id);
/* bufferevent_pair_new(); the second is bufferevent_pair_get_partner() of the first. */
struct bufferevent *libevent4j_bufferevent_pair(struct libevent4j_loop *loop, int options, void *id, void *partner_id);
/* bufferevent_filter_new(): Callbacks.filter(id, …) transforms, Callbacks.filterFreed(id) is its last callback. */
struct bufferevent *libevent4j_bufferevent_filter(struct bufferevent *underlying, int options, void *id);
/* bufferevent_socket_connect() to an address in digits, or with port -1 to the path of a local socket. 0, or -1 with errno. */
int libevent4j_bufferevent_connect(struct bufferevent *bev, const char *address, int port);
/* bufferevent_set_timeouts(); 0 means none. */
int libevent4j_bufferevent_set_timeouts(struct bufferevent *bev, int64_t read_micros, int64_t write_micros);
/* bufferevent_setfd() of a socket, which keeps its priority. */
void libevent4j_bufferevent_set_descriptor(struct bufferevent *bev, int64_t fd);
/* bufferevent_priority_set(). 0, or -1 when it is no socket, or a callback is due. */
int libevent4j_bufferevent_set_priority(struct bufferevent *bev, int priority);
/* ev_token_bucket_cfg_new(). Freed with ev_token_bucket_cfg_free() when no bufferevent has it. */
struct ev_token_bucket_cfg *libevent4j_token_bucket(int64_t read_rate, int64_t read_burst, int64_t write_rate,
    int64_t write_burst, int64_t tick_micros);

/* ---- listener.c: Callbacks.accepted(id, fd, host, port) and .acceptFailed(id, errno) ---- */

/* evconnlistener_new() of a socket that is bound, which it owns unless this returns NULL with errno. */
struct evconnlistener *libevent4j_listener_new(struct libevent4j_loop *loop, int64_t fd, int flags, int backlog, void *id);
/* The address that a socket is bound to in digits, "" of a local one; NULL with errno. */
jobject libevent4j_listener_host(JNIEnv *env, jclass native, int64_t fd);
/* evconnlistener_new_bind(); port -1 for the path of a local socket. NULL with errno. Freed with evconnlistener_free(). */
struct evconnlistener *libevent4j_listener_bind(struct libevent4j_loop *loop, const char *address, int port, int flags,
    int backlog, void *id);

/* ---- dns.c ---- */

/* evdns_base_resolve_*(): Callbacks.dnsAnswer(id, …). type is DNS_IPv4_A or DNS_IPv6_AAAA. NULL when it could not be sent. */
struct evdns_request *libevent4j_dns_resolve(struct evdns_base *dns, const char *name, int type, int flags, void *id);
/* The same for the name of an address in digits. */
struct evdns_request *libevent4j_dns_reverse(struct evdns_base *dns, const char *address, int flags, void *id);
/* evdns_getaddrinfo(): Callbacks.dnsAddresses(id, …), perhaps before this returns NULL. */
struct evdns_getaddrinfo_request *libevent4j_dns_getaddrinfo(struct evdns_base *dns, const char *host, const char *service,
    int family, void *id);
/* evdns_base_nameserver_sockaddr_add() of an address in digits: its result, and errno. */
int libevent4j_dns_add_nameserver(struct evdns_base *dns, const char *address, int port);
/* evdns_base_get_nameserver_addr(), in the form of Callbacks.dnsAddresses(): how many bytes, or -1 when there is none. */
int libevent4j_dns_nameserver(struct evdns_base *dns, int index, char *out, int size);
/* evdns_base_free(), on the loop's next turn. Everything that was asked has been cancelled. */
void libevent4j_dns_free(struct libevent4j_loop *loop, struct evdns_base *dns);

/* ---- http_server.c ---- */

/* An evhttp with its exchanges. The counters (internal.Counters) are Java's, and outlive the server. */
struct libevent4j_server *libevent4j_server_new(struct libevent4j_loop *loop, void *id, int exact, void *counters);
/* Frees the evhttp, its connections and every exchange; closes before it returns. */
void libevent4j_server_free(struct libevent4j_server *server);
struct evhttp *libevent4j_server_http(struct libevent4j_server *server);
/* evhttp_set_timeout_tv(); 0 means none. */
void libevent4j_server_set_timeout(struct libevent4j_server *server, int64_t micros);
/* evhttp_set_default_content_type() with a copy that the server owns; NULL for none. 0 or -1. */
int libevent4j_server_set_content_type(struct libevent4j_server *server, const char *type);
/* evhttp_set_cb() for a path, evhttp_set_gencb() when path is NULL. The route belongs to the server; NULL when taken or no memory. */
struct libevent4j_route *libevent4j_server_route(struct libevent4j_server *server, const char *path, void *id);
/* Undoes libevent4j_server_route(). */
void libevent4j_server_unroute(struct libevent4j_server *server, struct libevent4j_route *route);
/* Guards the connections that come from now on; a limit of 0 is none, and times are microseconds. 0, or -1 without memory. */
int libevent4j_server_guard(struct libevent4j_server *server, int strict, int64_t max_connections, int max_headers,
    int64_t head_micros, int64_t body_micros);
/* Asks for Callbacks.serverAnswered(id, status, sent to the end, bytes, host, port) for each request that evhttp answers itself on a
 * guarded connection. */
void libevent4j_server_log(struct libevent4j_server *server);
/* Open connections; -1 when they are not guarded, and so not counted. */
int64_t libevent4j_server_connections(struct libevent4j_server *server);
/* Sockets to listen on belong to their server. When accepting fails it pauses for a tenth of a second, and
 * Callbacks.serverAcceptFailed(id, errno) is called. NULL with errno. */
/* evhttp_bind_socket_with_handle(). */
struct libevent4j_socket *libevent4j_server_bind(struct libevent4j_server *server, const char *address, int port);
/* evhttp_accept_socket_with_handle(). Takes the descriptor. */
struct libevent4j_socket *libevent4j_server_accept(struct libevent4j_server *server, int64_t fd);
/* evhttp_bind_listener() of a listener of the shim's making, with LEV_OPT_* flags; port -1 for the path of a local socket. */
struct libevent4j_socket *libevent4j_server_listen(struct libevent4j_server *server, const char *address, int port, int flags,
    int backlog);
int64_t libevent4j_socket_descriptor(struct libevent4j_socket *socket);
/* evhttp_del_accept_socket(). */
void libevent4j_socket_close(struct libevent4j_socket *socket);
/* evhttp_set_bevcb(): Callbacks.serverBufferEvent(id) makes each connection's bufferevent; without one the connection is closed. */
void libevent4j_server_ask_for_bufferevents(struct libevent4j_server *server);
/* Requests whose reply is not yet handed to the kernel. */
int64_t libevent4j_server_active(struct libevent4j_server *server);
/* From now on Callbacks.serverDrained(id) is called when the last active request ends. */
void libevent4j_server_notify_drained(struct libevent4j_server *server);

/* The exchange belongs to the shim. Java may use it from Callbacks.request() until it ends the reply (reply, error, file,
 * end, abort); afterwards only its id is used, for Callbacks.exchangeEnded(). */

/* Asks for Callbacks.exchangeEnded(id, sent to the end, status or 0, bytes sent or -1, bytes of the head) and
 * Callbacks.exchangeDrained(id). Only with measure is the head's length known. */
void libevent4j_exchange_watch(struct libevent4j_exchange *exchange, void *id, int measure);
/* Asks for Callbacks.exchangeClientClosed(id) when the client closes its side before the reply begins. 0, or -1 without the means. */
int libevent4j_exchange_watch_client(struct libevent4j_exchange *exchange);
/* Sends a head and takes the connection's bufferevent out of evhttp's hands, with the callbacks of bufferevent.c. It lasts until
 * libevent4j_exchange_abort(), or until Callbacks.exchangeEnded() of the exchange's watch says that the server has freed it. NULL
 * when the client has left, or there is no memory; the exchange is still there. */
struct bufferevent *libevent4j_exchange_take_over(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, int status,
    jobject head, int direct, int offset, int length, void *id);
/* Writes the request's headers behind its head, whose length this is, into the loop's buffer; the length of both, -1 when there is
 * no memory, or -2 when the connection is gone. */
int libevent4j_exchange_headers(struct libevent4j_exchange *exchange, int at);
#define LIBEVENT4J_NAME_SIZE 256
/* Finds the first of the request's headers whose name the array begins with, of at most this length. The length of its value, which is in
 * the array if it is no longer than that; -1 when there is none, -2 when the connection is gone. */
int libevent4j_exchange_find_header(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject bytes, int length);
int64_t libevent4j_exchange_body_length(struct libevent4j_exchange *exchange);
/* Copies the request's body into a byte array or a direct buffer of that size. */
void libevent4j_exchange_body(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject target);
/* The request's body in a buffer of its own, the caller's, without being copied; an empty one without an exchange. NULL without memory. */
struct evbuffer *libevent4j_exchange_take_body(struct libevent4j_exchange *exchange);
/* The answers. head is in the layout of wire.c. Each returns 0, 1 when the client has left (the exchange is then ended all the
 * same), or -1 when nothing was sent and the exchange is still there. A body is a byte array, or with direct a direct buffer. */
int libevent4j_exchange_reply(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, int status, const void *head,
    jobject body, int direct, int offset, int length);
/* With all of a buffer's bytes, which leave it. */
int libevent4j_exchange_reply_buffer(struct libevent4j_exchange *exchange, int status, const void *head, struct evbuffer *body);
/* Takes the descriptor, whatever it returns. */
int libevent4j_exchange_reply_file(struct libevent4j_exchange *exchange, int status, const void *head, int64_t fd,
    int64_t offset, int64_t length);
/* Of the head, only the reason is sent. */
int libevent4j_exchange_error(struct libevent4j_exchange *exchange, int status, const void *head);
int libevent4j_exchange_start(struct libevent4j_exchange *exchange, int status, const void *head);
/* 0: Callbacks.exchangeDrained(id) follows when the chunk, and all before it, is with the kernel. 1: dropped, since this reply
 * has no body. -1: failed. */
int libevent4j_exchange_chunk(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject body, int direct,
    int offset, int length);
int libevent4j_exchange_end(struct libevent4j_exchange *exchange);
/* Closes the connection in the middle of a reply. */
void libevent4j_exchange_abort(struct libevent4j_exchange *exchange);

/* ---- http_client.c ---- */

/* evhttp_connection_base_new() without evdns: names resolve with the system's blocking resolver. Unless exact, it takes no response
 * that two readers could understand differently, and is not used again behind what is not fit for it. */
struct libevent4j_connection *libevent4j_connection_new(struct libevent4j_loop *loop, void *id, const char *host, int port,
    int exact);
/* Frees the connection; no callback of its request follows. */
void libevent4j_connection_free(struct libevent4j_connection *connection);
struct evhttp_connection *libevent4j_connection_evcon(struct libevent4j_connection *connection);
/* evhttp_connection_set_timeout_tv(); 0 means libevent's default. */
void libevent4j_connection_set_timeout(struct libevent4j_connection *connection, int64_t micros);
/* Reads from the connection, or does not: what a server sends then waits with it. */
void libevent4j_connection_read(struct libevent4j_connection *connection, int read);
/* Kinds of failure beside those of enum evhttp_request_error. */
#define LIBEVENT4J_UNCONNECTED (-1) /* errno says why */
#define LIBEVENT4J_UNRESOLVED (-2)
#define LIBEVENT4J_CONNECT_TIMEOUT (-3)

/* Flags of a request. */
#define LIBEVENT4J_LISTENING 1 /* to the response's parts, as they come */
#define LIBEVENT4J_UPLOADING 2 /* the body follows the head */
#define LIBEVENT4J_CHUNKED 4   /* and so in chunks */
#define LIBEVENT4J_EXPECTING 8 /* and waits for 100 (Continue) */

/* evhttp_make_request(), when no other request is under way, with a head whose text is the URI. 0, and exactly one of
 * Callbacks.response(id, …) and Callbacks.responseFailed(id, …) follows with the connection's id, perhaps before this returns, unless
 * the request is cancelled or the connection freed; when LISTENING, Callbacks.responseHead() and .responseData() come first. A short
 * body stands behind the head, where Java has no array of it. Or -1 with errno, and nothing follows. */
int libevent4j_connection_send(JNIEnv *env, jclass native, struct libevent4j_connection *connection, int method, int minor_version,
    int flags, const void *head, jobject body, int direct, int offset, int length);
/* evhttp_cancel_request() of the request under way; no callback of it follows. */
void libevent4j_connection_cancel(struct libevent4j_connection *connection);

/* When UPLOADING, each Callbacks.requestDrained(id) asks for one of these: a piece, a part of a file, or the end. When EXPECTING, the
 * first tells only that the head is with the kernel. What comes when the server reads no more is dropped. */
/* 0, or -1 without memory. */
int libevent4j_connection_add(JNIEnv *env, jclass native, struct libevent4j_connection *connection, jobject body, int direct,
    int offset, int length);
/* Takes the descriptor. 0, or -1 with errno, which is 0 when the file has become shorter. */
int libevent4j_connection_add_file(struct libevent4j_connection *connection, int64_t fd, int64_t offset, int64_t length);
void libevent4j_connection_end(struct libevent4j_connection *connection);
/* Waits for 100 (Continue) no longer: the body is asked for. */
void libevent4j_connection_continue(struct libevent4j_connection *connection);

/* ---- uri.c ---- */

/* evhttp_uri_parse_with_flags() into the buffer, in the layout of wire.c; the length, or -1. Any thread. */
int libevent4j_uri_parse(const char *uri, int flags, char *out, int size);
/* evhttp_uri_join() of these parts, of which any may be NULL, into the buffer: 0, or the number of the first string, from 1, that
 * libevent refuses, or -1 when there is no memory or it does not fit. Any thread. */
int libevent4j_uri_join(const char *scheme, const char *userinfo, const char *host, int port, const char *path, const char *query,
    const char *fragment, int flags, char *out, int size);

#ifdef __cplusplus
}
#endif

#endif
