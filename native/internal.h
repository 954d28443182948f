/* What the shim's files share among themselves. */
#ifndef LIBEVENT4J_INTERNAL_H
#define LIBEVENT4J_INTERNAL_H

#include "system.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event_struct.h>
#include <event2/util.h>

#include "libevent4j.h"

/* The few bytes that each thread has. In ELF they are at a fixed place, which costs no call to find. */
#if defined(__ELF__)
#define LIBEVENT4J_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define LIBEVENT4J_THREAD_LOCAL _Thread_local
#endif

/* ---- library.c ---- */

/* The static methods of internal.Callbacks, one per trampoline. */
struct libevent4j_java {
	JavaVM *vm;
	jclass callbacks; /* a global reference, held for ever */
	jmethodID event, grow_head, request, exchange_ended, exchange_drained, exchange_client_closed, server_drained,
	    server_bufferevent, server_accept_failed, server_answered, request_drained, response_head, response_data, response, response_failed,
	    connection_closed, buffer_changed, buffer_released, bufferevent_read, bufferevent_written, bufferevent_event, filter,
	    filter_freed, accepted, accept_failed, dns_answer, dns_addresses;
};
extern struct libevent4j_java libevent4j_java;

#define ID(pointer) ((jlong)(intptr_t)(pointer))

/* The environment of this thread: every loop runs on a thread of the JVM. */
JNIEnv *libevent4j_env(void);
/* To be called after each upcall. False when a Throwable escaped it: it is kept, and the running loop breaks off. */
bool libevent4j_upcall_done(JNIEnv *env);
/* The loop that this thread runs, or NULL. */
struct libevent4j_loop *libevent4j_running_loop(void);
/* Names the loop that this thread runs, and returns the one it ran before. */
struct libevent4j_loop *libevent4j_run_loop(struct libevent4j_loop *loop);
/* Keeps an error as the reason that libevent4j_errno() tells. */
void libevent4j_failed(int error);

/* ---- memory.c ---- */

/* To be called before libevent's first allocation. */
void libevent4j_memory_init(bool count);
/* Zeroed memory, counted like libevent's own; freed with libevent4j_free(). */
void *libevent4j_calloc(size_t size);
void libevent4j_free(void *memory);
/* The same, with anything in it. */
void *libevent4j_malloc(size_t size);
char *libevent4j_strdup(const char *string);
#define LIBEVENT4J_MOST_ROOM 5
/* Whether this thread's next so many allocations of about that size, 120 bytes at most, will succeed. */
bool libevent4j_has_room(size_t size, unsigned count);
/* The size of what evbuffer_add_cb() allocates, and of a lock. Where libevent itself calls it, it does not look at what it returns. */
#define LIBEVENT4J_BUFFER_CALLBACK 40

/* ---- cache.c: in place of malloc() and free(), and for the same memory; on any thread ---- */

void libevent4j_cache_init(void);
/* Memory of one class takes each other's place: as of malloc() 24 bytes at least, and then steps of 16. */
static inline size_t
libevent4j_size_class(size_t size)
{
	return size <= 24 ? 0 : (size - 9) / 16;
}
void *libevent4j_cached_malloc(size_t size);
void libevent4j_cached_free(void *memory);
/* Whether this thread's next so many allocations of about that size take what it has. */
bool libevent4j_cached_has(size_t size, unsigned count);
/* Memory for a line of so many bytes, the same each time: the thread's; NULL while it keeps nothing. */
#define LIBEVENT4J_LINE 1024
char *libevent4j_cached_line(void);

/* ---- format.c, scan.c, split.c, transfer.c, epoll.c, line.c, more.c, hold.c: what libevent calls in place of the C library, or evhttp in
 * place of libevent; see calls.h ---- */

/* vsnprintf(), and quicker. */
int libevent4j_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
/* sscanf(), and quicker. */
int libevent4j_sscanf(const char *string, const char *format, ...);

#if !defined(_WIN32)
/* strsep() and strspn(), and quicker for one character. */
char *libevent4j_strsep(char **string, const char *delimiters);
size_t libevent4j_strspn(const char *string, const char *accepted);

/* evbuffer_readln(), and quicker for EVBUFFER_EOL_CRLF; what it returns is freed with libevent4j_line_free(). */
char *libevent4j_readln(struct evbuffer *buffer, size_t *length, enum evbuffer_eol_style style);
/* Libevent's mm_free(), for such lines too. */
void libevent4j_line_free(void *memory);
/* strchr() and strpbrk(), and quicker for a line's end in such a line. */
char *libevent4j_strchr(const char *string, int character);
char *libevent4j_strpbrk(const char *string, const char *accepted);

/* What libevent has for callbacks that it defers, and quicker for a connection that has read its next request already. */
struct event_callback;
void libevent4j_deferred_init(struct event_callback *callback, uint8_t priority, void (*run)(struct event_callback *, void *),
    void *connection);
int libevent4j_deferred_schedule(struct event_base *base, struct event_callback *callback);
void libevent4j_deferred_cancel(struct event_base *base, struct event_callback *callback);
/* What is of no effect now, or is taken back before anybody sees it, is not done. */
int libevent4j_bufferevent_enable(struct bufferevent *bev, short events);
int libevent4j_bufferevent_disable(struct bufferevent *bev, short events);

/* A connection, if its requests are what follows in a row, has a socket's bufferevent that is in nobody's hands but evhttp's and the guard's. */
void libevent4j_row_of(struct evhttp_connection *connection);
/* It is about to be in somebody else's: where evhttp has stopped reading, that is done. */
void libevent4j_row_stops(void);
/* bufferevent_enable() and bufferevent_disable(), but for one that is held. */
int libevent4j_enable(struct bufferevent *bev, short events);
int libevent4j_disable(struct bufferevent *bev, short events);
/* evbuffer_add() and evbuffer_add_printf(), but for what is omitted. */
int libevent4j_add(struct evbuffer *buffer, const void *bytes, size_t length);
int libevent4j_add_printf(struct evbuffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct iovec;
/* readv() and writev(), and quicker for sockets. */
ssize_t libevent4j_readv(int fd, const struct iovec *pieces, int count);
ssize_t libevent4j_writev(int fd, const struct iovec *pieces, int count);
#else
static inline void
libevent4j_row_of(struct evhttp_connection *connection)
{
	(void)connection;
}

static inline void
libevent4j_row_stops(void)
{
}
#endif

/* From now on the loop does not hear what evhttp enables and disables of a socket's bufferevent; false where it does. */
bool libevent4j_hold(struct bufferevent *bev);
/* Until now, when it hears what is enabled of one that was held; that with its timeout begun anew, if it is to. */
void libevent4j_let_go(struct bufferevent *bev, bool anew);
/* Until now, and nothing is enabled. */
void libevent4j_drop(struct bufferevent *bev);
/* What evhttp adds to this buffer from now on, on this thread, is left out; until another one is told, or NULL. Where a bufferevent can be
 * held. */
void libevent4j_omit(const struct evbuffer *output);

struct epoll_event;
int libevent4j_epoll_create1(int flags);
/* epoll_ctl(), but for what would change nothing. */
int libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
/* epoll_wait(). */
int libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
/* The loop's epoll is the one that this thread has made last. */
void libevent4j_epoll_adopt(struct libevent4j_loop *loop);
/* A descriptor of the loop's is the same open socket from now on, until it is said that it is about to be closed. */
void libevent4j_epoll_opened(struct libevent4j_loop *loop, evutil_socket_t fd);
void libevent4j_epoll_closing(struct libevent4j_loop *loop, evutil_socket_t fd);
/* From now on the loop looks, with such a socket's input, for the end of it. */
void libevent4j_epoll_tell_end(struct libevent4j_loop *loop, evutil_socket_t fd);
/* A moment in which all that had come over a socket was read. */
struct libevent4j_look {
	unsigned turn; /* of the loop; 0 for none */
	int64_t tick;  /* of a clock that moves every few milliseconds */
};
/* Now. */
void libevent4j_epoll_look(const struct libevent4j_loop *loop, struct libevent4j_look *look);
/* Whether that was just now, and the end had not come when the loop looked for it: then to look again is to learn nothing. */
bool libevent4j_epoll_looked(struct libevent4j_loop *loop, evutil_socket_t fd, const struct libevent4j_look *look);

/* ---- log.c ---- */

void libevent4j_log_init(void);

/* ---- event.c ---- */

#define LIBEVENT4J_GUARD_LISTS 1024
LIST_HEAD(libevent4j_guard_list, libevent4j_guard);
#define LIBEVENT4J_PHRASES 500

struct libevent4j_loop {
	struct event_base *base; /* Java's EventBase owns it */
	void *id;
	JNIEnv *env;   /* of the thread that runs it */
	uint8_t *head; /* Java's direct buffer */
	size_t head_size;
	int epoll; /* -1 for another backend */
	struct libevent4j_registration *registrations; /* owned; by their descriptors, see epoll.c */
	size_t registrations_size;
	unsigned elsewhere; /* when they were right */
	unsigned turn;      /* counts how often epoll has looked, but for 0 */
	char date[50]; /* the Date of a reply in the second dated */
	time_t dated;
	char *phrases[LIBEVENT4J_PHRASES]; /* evhttp's, of the statuses from 100 on; owned, NULL until it has told */
	LIST_HEAD(, libevent4j_socket) sockets; /* of all its servers, which own them */
	LIST_HEAD(, libevent4j_connection) uploads; /* whose request's body is on its way; Java's */
	TAILQ_HEAD(, libevent4j_connection) senders; /* whose request goes out at the end of this turn; Java's */
	struct event send;                           /* then */
	struct libevent4j_guard_list guards[LIBEVENT4J_GUARD_LISTS]; /* by their connections; their servers own them */
};

struct timeval libevent4j_timeval(int64_t micros);

/* ---- bufferevent.c ---- */

void libevent4j_bufferevent_set_callbacks(struct bufferevent *bev, void *id);

/* ---- descriptor.c ---- */

/* Small packets do not wait for the answers to those before them (TCP_NODELAY): whoever writes whole messages gains nothing by it. What a
 * listening socket accepts is the same. */
void libevent4j_descriptor_send_at_once(evutil_socket_t fd);
/* An address in digits with its port, or with port -1 the path of a local socket; its length, or -1 with errno. */
int libevent4j_parse_address(const char *address, int port, struct sockaddr_storage *parsed);

/* ---- http_server.c: what a server counts ---- */

/* In the memory of internal.Counters, which any thread reads. Only the loop's thread writes it, so that adding needs no lock. */
struct libevent4j_counters {
	_Atomic int64_t accepted, open, refused; /* connections */
	_Atomic int64_t begun, completed, aborted; /* exchanges */
	_Atomic int64_t answered; /* by evhttp itself */
	_Atomic int64_t classes[5]; /* of what was sent to the end: 1xx to 5xx */
	_Atomic int64_t received, sent; /* bytes */
};

static inline void
libevent4j_count(_Atomic int64_t *counter, int64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

void libevent4j_count_status(struct libevent4j_counters *counters, int status);
/* An exchange ends: whether all of its reply went out. */
void libevent4j_count_end(struct libevent4j_counters *counters, int status, bool complete);

/* ---- http_cover.c: see there ---- */

/* What evhttp gets in place of a filter, which it takes; NULL without memory. */
struct bufferevent *libevent4j_cover_new(struct libevent4j_loop *loop, struct bufferevent *filter);

/* ---- http_guard.c: see there ---- */

/* 0 means no such limit. */
struct libevent4j_limits {
	bool strict; /* framing */
	int64_t max_connections;
	unsigned max_headers;
	int64_t head_micros, body_micros; /* from a message's, or a body's, first byte to its last */
};

struct libevent4j_guards *libevent4j_guards_new(struct libevent4j_loop *loop, const struct libevent4j_limits *limits,
    struct libevent4j_counters *counters);
/* Asks for Callbacks.serverAnswered(id, …). */
void libevent4j_guards_log(struct libevent4j_guards *guards, void *id);
/* The Content-Type of replies without one, as evhttp has it: the server's, NULL for none. */
void libevent4j_guards_set_content_type(struct libevent4j_guards *guards, const char *type);
/* For how long a connection may be inactive; to be called before there are any. It is closed at most a sixteenth of that,
 * or 17 milliseconds, later. */
void libevent4j_guards_set_idle(struct libevent4j_guards *guards, int64_t micros);
/* To be called before evhttp_free(), which ends all guards. */
void libevent4j_guards_meet(struct libevent4j_guards *guards);
/* When no guard is left. */
void libevent4j_guards_free(struct libevent4j_guards *guards);
/* Guards a new connection's bufferevent, or has it closed soon when there are too many; -1 without memory. Plain is one of a
 * socket with BEV_OPT_CLOSE_ON_FREE. */
int libevent4j_guard_new(struct libevent4j_guards *guards, struct bufferevent *bev, bool plain);
/* A connection's guard; NULL when it has none. */
struct libevent4j_guard *libevent4j_guard_of(struct libevent4j_loop *loop, const struct evhttp_connection *connection);
/* A request is being answered, which takes as long as it takes. Whoever pauses a guard has the connection's close callback. */
void libevent4j_guard_pause(struct libevent4j_guard *guard);
/* The reply is through, and the connection goes on. */
void libevent4j_guard_resume(struct libevent4j_guard *guard);
/* Bytes of a reply that may go past evhttp's output at most: 0 while something is in that, and SIZE_MAX where the reply goes now. The
 * counters are those of its server, which may be another than the connection's. */
size_t libevent4j_guard_room(const struct libevent4j_guard *guard, const struct libevent4j_counters *counters);
/* The connection's replies' Content-Type, see above. */
const char *libevent4j_guard_content_type(const struct libevent4j_guard *guard);
/* Sends such a reply, or gathers it: where a request follows that has come, it goes together with the reply to that. What goes now, and the
 * socket does not take, is in *rest, which is for the caller to send and to free; NULL when there is none. 0, or -1 without memory for it:
 * then nothing goes out on the connection any more. */
int libevent4j_guard_send(struct libevent4j_guard *guard, const char *bytes, size_t length, struct evbuffer **rest);
/* Bytes that are gathered, which go ahead of what comes into the output. */
size_t libevent4j_guard_gathered(const struct libevent4j_guard *guard);
/* Sends them, unless the request has its reply meanwhile. */
void libevent4j_guard_flush(struct libevent4j_guard *guard);
/* Whether a reply of which evhttp is through still waits: then the guard counts its end. */
bool libevent4j_guard_owes(struct libevent4j_guard *guard, int status);
/* Whether its bufferevent is a socket's, and nobody else's. */
bool libevent4j_guard_is_plain(const struct libevent4j_guard *guard);
/* What leaves the output from now on is not sent, but replaced. */
void libevent4j_guard_replace(struct libevent4j_guard *guard, bool begin);
/* Bytes that ever went out on the connection. */
uint64_t libevent4j_guard_sent(const struct libevent4j_guard *guard);
/* What follows is not HTTP. */
void libevent4j_guard_yield(struct libevent4j_guard *guard);
/* The connection is closed now. */
void libevent4j_guard_end(struct libevent4j_guard *guard);

/* ---- http_client.c ---- */

/* Sends the requests of a loop's senders; an event's callback. */
void libevent4j_connections_send(evutil_socket_t fd, short what, void *loop);

/* ---- http_framing.c: see there ---- */

/* The bytes that a header's name is made of (RFC 9110, 5.6.2). */
extern const bool libevent4j_token[256];

struct libevent4j_framing {
	int state;
	unsigned count;     /* of characters in the status line, of a chunk's size; of semicolons behind that */
	uint64_t remaining; /* of a chunk */
};

/* A response's head comes next. */
void libevent4j_framing_begin(struct libevent4j_framing *framing);
/* The body of a response whose head evhttp has read. */
void libevent4j_framing_body(struct libevent4j_framing *framing, bool chunked);
/* Looks at the last bytes of the input, which have just come; false when they must not be there. */
bool libevent4j_framing_read(struct libevent4j_framing *framing, struct evbuffer *input, size_t left);
bool libevent4j_framing_in_head(const struct libevent4j_framing *framing);
/* Whether there is something to be looked at in what comes next. */
bool libevent4j_framing_waits(const struct libevent4j_framing *framing);
struct libevent4j_framing_headers {
	bool length;            /* there is a Content-Length */
	const char *connection; /* the first; the response's, or NULL */
};
/* Looks at the headers that evhttp has read. */
bool libevent4j_framing_judge(const struct evhttp_request *response, struct libevent4j_framing_headers *found);

/* ---- http_server.c ---- */

/* Whether evhttp_request_new() may be called: it does not survive to be without headers. */
bool libevent4j_can_make_request(void);

/* ---- wire.c: heads and bodies on their way between C and Java ---- */

/* Writes a request's or a response's head but for its headers into the loop's buffer, growing it when it must; its length, or -1 (no
 * memory). */
int libevent4j_write_head(JNIEnv *env, struct libevent4j_loop *loop, struct evhttp_request *request);
/* The same with its headers behind a head of this length, -1 included; the length of both. */
int libevent4j_write_headers(JNIEnv *env, struct libevent4j_loop *loop, struct evhttp_request *request, int at);
/* Adds Java's headers to those of a message and points *text at the reason phrase or the URI inside head, or at NULL. 0 or -1. */
int libevent4j_read_head(const void *head, struct evkeyvalq *headers, const char **text);
/* Whether these are Java's headers already; points *text there as well. */
bool libevent4j_is_head(const void *head, const struct evkeyvalq *headers, const char **text);
/* A reply whose head evhttp need not make. */
struct libevent4j_reply {
	int status;
	const char *phrase; /* evhttp's; NULL when it is not known */
	const char *date;
	const char *type; /* unless Java gives one; NULL for none */
	size_t length;    /* of the body */
};
/* Writes the head that evhttp would make of Java's for a request of HTTP/1.1; its length, or 0 when it does not fit, or evhttp would do
 * more than that. */
size_t libevent4j_print_head(const void *head, const struct libevent4j_reply *reply, char *target, size_t size);
/* Appends a part of a byte array, or of a direct buffer. 0 or -1. */
int libevent4j_add_body(JNIEnv *env, struct evbuffer *buffer, jobject body, int direct, int offset, int length);
/* A new byte array with all the bytes, which are drained; NULL with an exception pending. */
jbyteArray libevent4j_take_body(JNIEnv *env, struct evbuffer *buffer);

#endif
