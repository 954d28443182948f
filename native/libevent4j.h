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
 *   the counter of live allocations (memory.c) and the queue of log lines (log.c)
 * and, per thread, the last errno and a Throwable that escaped an upcall (library.c).
 */
#ifndef LIBEVENT4J_H
#define LIBEVENT4J_H

#include <jni.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct libevent4j_loop;
struct libevent4j_server;
struct libevent4j_route;
struct libevent4j_exchange;
struct libevent4j_connection;
struct libevent4j_call;

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
/* The signal number of a name such as "TERM", or -1. Any thread. */
int libevent4j_signal_number(const char *name);

/* ---- http_server.c ---- */

/* An evhttp with its exchanges. */
struct libevent4j_server *libevent4j_server_new(struct libevent4j_loop *loop, void *id, int exact);
/* Frees the evhttp, its connections and every exchange; closes before it returns. */
void libevent4j_server_free(struct libevent4j_server *server);
struct evhttp *libevent4j_server_http(struct libevent4j_server *server);
/* evhttp_set_timeout_tv(); 0 means libevent's default. */
void libevent4j_server_set_timeout(struct libevent4j_server *server, int64_t micros);
/* evhttp_set_default_content_type() with a copy that the server owns; NULL for none. 0 or -1. */
int libevent4j_server_set_content_type(struct libevent4j_server *server, const char *type);
/* evhttp_set_cb() for a path, evhttp_set_gencb() when path is NULL. The route belongs to the server; NULL when taken or no memory. */
struct libevent4j_route *libevent4j_server_route(struct libevent4j_server *server, const char *path, void *id);
/* Undoes libevent4j_server_route(). */
void libevent4j_server_unroute(struct libevent4j_server *server, struct libevent4j_route *route);
/* evhttp_bind_socket_with_handle(). */
struct evhttp_bound_socket *libevent4j_server_bind(struct libevent4j_server *server, const char *address, int port);
/* Requests whose reply is not yet handed to the kernel. */
int64_t libevent4j_server_active(struct libevent4j_server *server);
/* From now on Callbacks.serverDrained(id) is called when the last active request ends. */
void libevent4j_server_notify_drained(struct libevent4j_server *server);

/* The exchange belongs to the shim. Java may use it from Callbacks.request() until it ends the reply (reply, error, file,
 * end, abort); afterwards only its id is used, for Callbacks.exchangeEnded(). */

/* Asks for Callbacks.exchangeEnded(id, …) and Callbacks.exchangeDrained(id). */
void libevent4j_exchange_watch(struct libevent4j_exchange *exchange, void *id);
int64_t libevent4j_exchange_body_length(struct libevent4j_exchange *exchange);
/* Copies the request's body into a byte array or a direct buffer of that size. */
void libevent4j_exchange_body(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject target);
/* The answers. head is in the layout of wire.c. Each returns 0, 1 when the client has left (the exchange is then ended all the
 * same), or -1 when nothing was sent and the exchange is still there. A body is a byte array, or with direct a direct buffer. */
int libevent4j_exchange_reply(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, int status, const void *head,
    jobject body, int direct, int offset, int length);
/* Takes the descriptor, whatever it returns. */
int libevent4j_exchange_reply_file(struct libevent4j_exchange *exchange, int status, const void *head, int64_t fd,
    int64_t offset, int64_t length);
int libevent4j_exchange_error(struct libevent4j_exchange *exchange, int status, const char *reason);
int libevent4j_exchange_start(struct libevent4j_exchange *exchange, int status, const void *head);
/* Callbacks.exchangeDrained(id) follows when the chunk, and all before it, is with the kernel. */
int libevent4j_exchange_chunk(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject body, int direct,
    int offset, int length);
int libevent4j_exchange_end(struct libevent4j_exchange *exchange);
/* Closes the connection in the middle of a reply. */
void libevent4j_exchange_abort(struct libevent4j_exchange *exchange);

/* ---- http_client.c ---- */

/* evhttp_connection_base_new() without evdns: names resolve with the system's blocking resolver. */
struct libevent4j_connection *libevent4j_connection_new(struct libevent4j_loop *loop, void *id, const char *host, int port);
/* Frees the connection and its calls; no callback of the calls follows. */
void libevent4j_connection_free(struct libevent4j_connection *connection);
struct evhttp_connection *libevent4j_connection_evcon(struct libevent4j_connection *connection);
/* evhttp_connection_set_timeout_tv() and …_set_initial_retry_tv(); 0 means libevent's default. */
void libevent4j_connection_set_timeout(struct libevent4j_connection *connection, int64_t micros);
void libevent4j_connection_set_retry_delay(struct libevent4j_connection *connection, int64_t micros);
/* Kinds of failure beside those of enum evhttp_request_error. */
#define LIBEVENT4J_UNCONNECTED (-1) /* errno says why */
#define LIBEVENT4J_UNRESOLVED (-2)
#define LIBEVENT4J_CONNECT_TIMEOUT (-3)

/* evhttp_make_request(). Exactly one of Callbacks.response(id, …) and Callbacks.responseFailed(id, …) follows, perhaps before
 * this returns, unless the call is cancelled or the connection freed. With streaming, Callbacks.responseHead() and
 * .responseData() come first. Returns the call, or NULL: with errno when it failed, and with errno 0 when it has already ended.
 * The call is valid until its final callback. */
struct libevent4j_call *libevent4j_call_start(JNIEnv *env, jclass native, struct libevent4j_connection *connection, void *id,
    int method, const char *uri, int minor_version, int streaming, const void *head, jobject body, int direct, int offset,
    int length);
/* evhttp_cancel_request(); no callback of the call follows. */
void libevent4j_call_cancel(struct libevent4j_call *call);

/* ---- uri.c ---- */

/* evhttp_uri_parse_with_flags() into the buffer, in the layout of wire.c; the length, or -1. Any thread. */
int libevent4j_uri_parse(const char *uri, int flags, char *out, int size);

#ifdef __cplusplus
}
#endif

#endif
