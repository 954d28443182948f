#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>

struct libevent4j_route {
	LIST_ENTRY(libevent4j_route) next;
	struct libevent4j_server *server; /* owns the route */
	char *path;                       /* owned; NULL for the general callback */
	void *id;
};

/* A socket that a server listens on. Accepting pauses when it fails: otherwise the loop would spin until it succeeds. */
struct libevent4j_socket {
	LIST_ENTRY(libevent4j_socket) next;  /* in the loop's list */
	struct libevent4j_server *server;    /* owns the socket */
	struct evhttp_bound_socket *bound;   /* evhttp's */
	struct event *resume;                /* owned */
};

static const struct timeval ACCEPT_PAUSE = {.tv_usec = 100000};

struct libevent4j_server {
	struct libevent4j_loop *loop; /* Java's, outlives the server */
	struct evhttp *http;          /* owned */
	void *id;
	char *content_type; /* owned, evhttp only points at it */
	bool exact, notify_drained, own_bufferevents;
	struct libevent4j_guards *guards; /* owned; NULL unless asked for */
	struct libevent4j_counters *counters; /* Java's, outlives the server */
	int64_t active;
	LIST_HEAD(, libevent4j_route) routes;
	LIST_HEAD(, libevent4j_exchange) exchanges;
};

/*
 * One request on its way to its reply. It ends, and is freed, when both sides are through with it: Java by the call that ends
 * the reply, libevent by the completion of the write or the end of the connection, whichever comes last.
 */
struct libevent4j_exchange {
	LIST_ENTRY(libevent4j_exchange) next;
	struct libevent4j_server *server;
	struct evhttp_request *request; /* libevent's while the connection lasts; ours once it is gone; NULL when freed */
	void *id;                       /* NULL: nobody watches */
	struct event *closed;           /* owned: waits for the client to close its side; NULL unless asked for */
	struct libevent4j_guard *guard; /* the connection's, while that lasts; NULL when it has none */
	bool replied, gone, taken_over, measured;
	int status;              /* of the reply, once it has begun */
	uint64_t sent_before;    /* bytes that the connection sends before it */
	int64_t head_length;     /* of the reply, when measured */
	unsigned pieces;         /* of the reply, so far */
	struct timeval read_timeout; /* the connection's, while the reply must not be cut off by it */
};

/* ---- connections ---- */

bool
libevent4j_can_make_request(void)
{
	return libevent4j_has_room(sizeof(struct evkeyvalq), 2);
}

/*
 * What evhttp does not survive to be without when a connection comes: the headers of its first request, and the client's address,
 * among what else of their size is allocated on the way.
 */
static bool
has_room_for_connection(void)
{
	bool room = libevent4j_has_room(24, 5);

	for (size_t size = 40; size <= 88; size += 16)
		room &= libevent4j_has_room(size, 1);
	return room;
}

/* One end of a pair without its other end: it takes no descriptor, so that evhttp closes the connection. */
static struct bufferevent *
dead_bufferevent(struct event_base *base)
{
	struct bufferevent *pair[2];

	if (!libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 2) || bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, pair) != 0)
		return NULL;
	bufferevent_free(pair[1]);
	return pair[0];
}

static struct bufferevent *
make_bufferevent(struct libevent4j_server *server)
{
	JNIEnv *env;
	struct bufferevent *made;

	/*
	 * A reference, of a callback under way, may outlive the connection for a moment, and the bufferevent's events with it: the
	 * descriptor must not be another connection's by then. So it is the bufferevent's to close, not evhttp's.
	 */
	if (!server->own_bufferevents && !libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 2))
		return NULL;
	if (!server->own_bufferevents)
		return bufferevent_socket_new(server->loop->base, -1, BEV_OPT_CLOSE_ON_FREE);
	env = libevent4j_env();
	made = (struct bufferevent *)(intptr_t)(*env)->CallStaticLongMethod(env, libevent4j_java.callbacks,
	    libevent4j_java.server_bufferevent, ID(server->id));
	if (!libevent4j_upcall_done(env) || made == NULL)
		return NULL;
	return bufferevent_get_underlying(made) == NULL ? made : libevent4j_cover_new(server->loop, made);
}

static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct libevent4j_server *server = arg;
	struct bufferevent *bev = make_bufferevent(server);

	if (bev != NULL && server->guards != NULL && libevent4j_guard_new(server->guards, bev, !server->own_bufferevents) != 0) {
		bufferevent_free(bev);
		bev = NULL;
	}
	/* With NULL evhttp would make a plain connection in place of the one that was asked for. */
	if (bev == NULL)
		bev = dead_bufferevent(base);
	if (!has_room_for_connection() && bev != NULL) { /* then at least for one that is closed at once */
		bufferevent_free(bev);
		bev = dead_bufferevent(base);
		has_room_for_connection();
	}
	return bev;
}

/* ---- servers ---- */

struct libevent4j_server *
libevent4j_server_new(struct libevent4j_loop *loop, void *id, int exact, void *counters)
{
	struct libevent4j_server *server = libevent4j_calloc(sizeof(*server));

	if (server == NULL)
		return NULL;
	server->http = evhttp_new(loop->base);
	if (server->http == NULL) {
		libevent4j_free(server);
		return NULL;
	}
	server->loop = loop;
	server->id = id;
	server->exact = exact;
	server->counters = counters;
	if (!exact)
		evhttp_set_bevcb(server->http, on_connection, server);
	return server;
}

struct evhttp *
libevent4j_server_http(struct libevent4j_server *server)
{
	return server->http;
}

void
libevent4j_server_set_timeout(struct libevent4j_server *server, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);
	const struct timeval *common;

	if (server->guards != NULL && !server->exact && !server->own_bufferevents) {
		libevent4j_guards_set_idle(server->guards, micros);
		return;
	}
	/* The same for all connections, set anew for each request: the base has a queue for it. */
	common = micros == 0 ? NULL : event_base_init_common_timeout(server->loop->base, &tv);
	evhttp_set_timeout_tv(server->http, common != NULL || micros == 0 ? common : &tv);
}

int
libevent4j_server_set_content_type(struct libevent4j_server *server, const char *type)
{
	char *copy = NULL;

	if (type != NULL && (copy = libevent4j_strdup(type)) == NULL)
		return -1;
	evhttp_set_default_content_type(server->http, copy);
	if (server->guards != NULL)
		libevent4j_guards_set_content_type(server->guards, copy);
	libevent4j_free(server->content_type);
	server->content_type = copy;
	return 0;
}

/* ---- counting ---- */

void
libevent4j_count_status(struct libevent4j_counters *counters, int status)
{
	/* What is in no class counts as RFC 9110 has clients take it. */
	libevent4j_count(&counters->classes[status >= 100 && status < 600 ? status / 100 - 1 : 4], 1);
}

void
libevent4j_count_end(struct libevent4j_counters *counters, int status, bool complete)
{
	libevent4j_count(complete ? &counters->completed : &counters->aborted, 1);
	if (complete)
		libevent4j_count_status(counters, status);
}

/* To be called when the head of the reply is in the output, which was this long before. */
static void
measure_head(struct libevent4j_exchange *exchange, size_t before)
{
	struct evbuffer *output;
	struct evbuffer_ptr from, end;

	if (!exchange->measured)
		return;
	output = bufferevent_get_output(evhttp_connection_get_bufferevent(exchange->request->evcon));
	if (evbuffer_ptr_set(output, &from, before, EVBUFFER_PTR_SET) != 0)
		return;
	end = evbuffer_search(output, "\r\n\r\n", 4, &from);
	if (end.pos >= 0)
		exchange->head_length = (int64_t)(end.pos + 4 - (ev_ssize_t)before);
}

/* ---- requests come in ---- */

static void
forget(struct libevent4j_exchange *exchange)
{
	struct libevent4j_server *server = exchange->server;

	LIST_REMOVE(exchange, next);
	libevent4j_free(exchange);
	if (--server->active == 0 && server->notify_drained) {
		JNIEnv *env = libevent4j_env();

		(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.server_drained, ID(server->id));
		libevent4j_upcall_done(env);
	}
}

/* Java is through with an exchange whose client has left. */
static int
end_gone(struct libevent4j_exchange *exchange)
{
	if (exchange->request != NULL)
		evhttp_request_free(exchange->request);
	forget(exchange);
	return 1;
}

static void
tell_ended(const struct libevent4j_exchange *exchange, bool complete, int64_t sent)
{
	JNIEnv *env;

	if (exchange->id == NULL)
		return;
	env = libevent4j_env();
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.exchange_ended, ID(exchange->id),
	    (jboolean)complete, (jint)exchange->status, (jlong)sent, (jlong)exchange->head_length);
	libevent4j_upcall_done(env);
}

/* Bytes of the reply that went out, behind those before it; -1 when its connection is not guarded, and so not counted. */
static int64_t
sent(const struct libevent4j_exchange *exchange)
{
	uint64_t all;

	if (exchange->guard == NULL)
		return -1;
	all = libevent4j_guard_sent(exchange->guard);
	return all < exchange->sent_before ? 0 : (int64_t)(all - exchange->sent_before);
}

static void
unwatch_client(struct libevent4j_exchange *exchange)
{
	if (exchange->closed != NULL)
		event_free(exchange->closed);
	exchange->closed = NULL;
}

/*
 * While a reply is on its way libevent reads, so as to see the client leave, and takes a client that has nothing to say for
 * inactive. Unless exact, that is for the writes to tell.
 */
static void
wait_for_writes(struct libevent4j_exchange *exchange)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->request->evcon);

	if (!exchange->server->exact && evutil_timerisset(&bev->timeout_read)) {
		exchange->read_timeout = bev->timeout_read;
		bufferevent_set_timeouts(bev, NULL, &bev->timeout_write);
	}
}

static void
wait_for_reads(struct libevent4j_exchange *exchange)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->request->evcon);

	if (evutil_timerisset(&exchange->read_timeout))
		bufferevent_set_timeouts(bev, &exchange->read_timeout, &bev->timeout_write);
}

/* The whole reply is with the kernel, or gathered. */
static void
on_complete(struct evhttp_request *request, void *arg)
{
	struct libevent4j_exchange *exchange = arg;

	wait_for_reads(exchange);
	if (!libevent4j_can_make_request()) { /* the next one: the connection ends, as an HTTP/1.0 client's does */
		request->major = 1;
		request->minor = 0;
		evhttp_remove_header(request->input_headers, "Connection");
	}
	/* The connection lives on: without this its end would be reported to an exchange that no longer exists. */
	evhttp_connection_set_closecb(request->evcon, NULL, NULL);
	if (exchange->guard == NULL || !libevent4j_guard_owes(exchange->guard, exchange->status))
		libevent4j_count_end(exchange->server->counters, exchange->status, true);
	if (exchange->guard != NULL)
		libevent4j_guard_resume(exchange->guard);
	tell_ended(exchange, true, sent(exchange));
	forget(exchange);
}

/* The connection ends before the reply was written. */
static void
on_close(struct evhttp_connection *connection, void *arg)
{
	struct libevent4j_exchange *exchange = arg;
	bool replied = exchange->replied;
	int64_t bytes = sent(exchange);

	(void)connection;
	exchange->gone = true;
	libevent4j_count_end(exchange->server->counters, exchange->status, exchange->taken_over);
	unwatch_client(exchange); /* while it still has its descriptor */
	if (exchange->guard != NULL)
		libevent4j_guard_end(exchange->guard);
	exchange->guard = NULL;
	/* A request that libevent has not taken off the connection is freed with it; one that it has is ours to free. */
	if (exchange->request->evcon != NULL)
		exchange->request = NULL;
	tell_ended(exchange, false, bytes);
	/* Unless it had replied, Java still holds the exchange, or has ended it in tell_ended(). */
	if (replied)
		forget(exchange);
}

static void send_error(struct libevent4j_exchange *exchange, int status, const char *reason);

static void
on_request(struct evhttp_request *request, void *arg)
{
	struct libevent4j_route *route = arg;
	struct libevent4j_server *server = route->server;
	JNIEnv *env = libevent4j_env();
	struct libevent4j_exchange *exchange = NULL;
	int length = libevent4j_write_head(env, server->loop, request);
	struct evhttp_connection *connection = request->evcon;
	struct libevent4j_guard *guard;
	size_t gathered = 0;
	jboolean taken;

	if (length < 0 || (exchange = libevent4j_calloc(sizeof(*exchange))) == NULL) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	exchange->server = server;
	exchange->request = request;
	LIST_INSERT_HEAD(&server->exchanges, exchange, next);
	server->active++;
	evhttp_request_set_on_complete_cb(request, on_complete, exchange);
	evhttp_connection_set_closecb(request->evcon, on_close, exchange);
	exchange->guard = libevent4j_guard_of(server->loop, connection);
	if (exchange->guard != NULL) {
		libevent4j_guard_pause(exchange->guard);
		gathered = libevent4j_guard_gathered(exchange->guard);
		exchange->sent_before = libevent4j_guard_sent(exchange->guard) + gathered;
		if (!server->exact && libevent4j_guard_is_plain(exchange->guard))
			libevent4j_row_of(connection);
	}
	libevent4j_count(&server->counters->begun, 1);

	taken = (*env)->CallStaticBooleanMethodA(env, libevent4j_java.callbacks, libevent4j_java.request,
	    (const jvalue[]){{.j = ID(route->id)}, {.j = ID(exchange)}, {.i = length}});
	/* After an escaped Throwable nobody knows who holds the exchange: it is freed with the server. */
	if (libevent4j_upcall_done(env) && !taken)
		send_error(exchange, HTTP_SERVUNAVAIL, NULL);
	/* What waits for this request's reply must not wait for long; the connection may be gone by now. */
	if (gathered > 0 && (guard = libevent4j_guard_of(server->loop, connection)) != NULL)
		libevent4j_guard_flush(guard);
}

struct libevent4j_route *
libevent4j_server_route(struct libevent4j_server *server, const char *path, void *id)
{
	struct libevent4j_route *route = libevent4j_calloc(sizeof(*route));

	if (route == NULL)
		return NULL;
	route->server = server;
	route->id = id;
	if (path == NULL) {
		evhttp_set_gencb(server->http, on_request, route);
	} else if ((route->path = libevent4j_strdup(path)) == NULL ||
	    evhttp_set_cb(server->http, path, on_request, route) != 0) {
		libevent4j_free(route->path);
		libevent4j_free(route);
		return NULL;
	}
	LIST_INSERT_HEAD(&server->routes, route, next);
	return route;
}

static void
free_route(struct libevent4j_route *route)
{
	LIST_REMOVE(route, next);
	libevent4j_free(route->path);
	libevent4j_free(route);
}

void
libevent4j_server_unroute(struct libevent4j_server *server, struct libevent4j_route *route)
{
	if (route->path == NULL)
		evhttp_set_gencb(server->http, NULL, NULL);
	else
		evhttp_del_cb(server->http, route->path);
	free_route(route);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	const struct libevent4j_socket *socket = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(evhttp_bound_socket_get_listener(socket->bound));
}

/* Libevent passes the listener's argument, which is evhttp's own: the socket is found by its listener. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	int error = libevent4j_error();
	JNIEnv *env = libevent4j_env();
	struct libevent4j_socket *socket;

	(void)arg;
	LIST_FOREACH (socket, &libevent4j_running_loop()->sockets, next) {
		if (evhttp_bound_socket_get_listener(socket->bound) == listener) {
			evconnlistener_disable(listener);
			event_add(socket->resume, &ACCEPT_PAUSE);
			(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.server_accept_failed,
			    ID(socket->server->id), (jint)error);
			libevent4j_upcall_done(env);
			return;
		}
	}
}

/* Takes a bound socket, or NULL with errno. */
static struct libevent4j_socket *
with_pauses(struct libevent4j_server *server, struct evhttp_bound_socket *bound)
{
	struct libevent4j_socket *socket = NULL;

	libevent4j_failed(libevent4j_error());
	if (bound == NULL)
		return NULL;
	if ((socket = libevent4j_calloc(sizeof(*socket))) == NULL ||
	    (socket->resume = event_new(server->loop->base, -1, 0, on_resume, socket)) == NULL) {
		libevent4j_free(socket);
		evhttp_del_accept_socket(server->http, bound);
		libevent4j_failed(ENOMEM);
		return NULL;
	}
	socket->server = server;
	socket->bound = bound;
	LIST_INSERT_HEAD(&server->loop->sockets, socket, next);
	evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_accept_error);
	if (!server->exact)
		libevent4j_descriptor_send_at_once(evhttp_bound_socket_get_fd(bound));
	return socket;
}

struct libevent4j_socket *
libevent4j_server_bind(struct libevent4j_server *server, const char *address, int port)
{
	libevent4j_set_error(0); /* an address that does not resolve sets none */
	return with_pauses(server, evhttp_bind_socket_with_handle(server->http, address, (ev_uint16_t)port));
}

struct libevent4j_socket *
libevent4j_server_accept(struct libevent4j_server *server, int64_t fd)
{
	struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(server->http, (evutil_socket_t)fd);
	int error = libevent4j_error();

	if (bound == NULL)
		libevent4j_descriptor_close(fd);
	libevent4j_set_error(error);
	return with_pauses(server, bound);
}

struct libevent4j_socket *
libevent4j_server_listen(struct libevent4j_server *server, const char *address, int port, int flags, int backlog)
{
	struct sockaddr_storage parsed;
	int length = libevent4j_parse_address(address, port, &parsed);
	struct evconnlistener *listener;
	struct evhttp_bound_socket *bound = NULL;

	if (length < 0)
		return NULL;
	/* evhttp sets the callback. */
	listener = evconnlistener_new_bind(server->loop->base, NULL, NULL, (unsigned)flags, backlog, (struct sockaddr *)&parsed,
	    length);
	if (listener != NULL && (bound = evhttp_bind_listener(server->http, listener)) == NULL) {
		evconnlistener_free(listener);
		libevent4j_set_error(ENOMEM);
	}
	return with_pauses(server, bound);
}

int64_t
libevent4j_socket_descriptor(struct libevent4j_socket *socket)
{
	return evhttp_bound_socket_get_fd(socket->bound);
}

void
libevent4j_socket_close(struct libevent4j_socket *socket)
{
	evhttp_del_accept_socket(socket->server->http, socket->bound);
	event_free(socket->resume);
	LIST_REMOVE(socket, next);
	libevent4j_free(socket);
}

void
libevent4j_server_ask_for_bufferevents(struct libevent4j_server *server)
{
	server->own_bufferevents = true;
	evhttp_set_bevcb(server->http, on_connection, server);
}

int
libevent4j_server_guard(struct libevent4j_server *server, int strict, int64_t max_connections, int max_headers,
    int64_t head_micros, int64_t body_micros)
{
	struct libevent4j_limits limits = {strict, max_connections, (unsigned)max_headers, head_micros, body_micros};

	server->guards = libevent4j_guards_new(server->loop, &limits, server->counters);
	if (server->guards == NULL)
		return -1;
	evhttp_set_bevcb(server->http, on_connection, server);
	return 0;
}

void
libevent4j_server_log(struct libevent4j_server *server)
{
	libevent4j_guards_log(server->guards, server->id);
}

int64_t
libevent4j_server_connections(struct libevent4j_server *server)
{
	return server->guards == NULL ? -1 : atomic_load(&server->counters->open);
}

int64_t
libevent4j_server_active(struct libevent4j_server *server)
{
	return server->active;
}

void
libevent4j_server_notify_drained(struct libevent4j_server *server)
{
	server->notify_drained = true;
}

void
libevent4j_server_free(struct libevent4j_server *server)
{
	struct libevent4j_exchange *exchange;
	struct libevent4j_route *route;
	struct libevent4j_socket *socket, *next;

	server->notify_drained = false;
	for (socket = LIST_FIRST(&server->loop->sockets); socket != NULL; socket = next) {
		next = LIST_NEXT(socket, next);
		if (socket->server == server)
			libevent4j_socket_close(socket);
	}
	if (server->guards != NULL)
		libevent4j_guards_meet(server->guards);
	/* Before the evhttp, whose connections these need not be: a virtual host's are its parent's. */
	while ((exchange = LIST_FIRST(&server->exchanges)) != NULL) {
		if (exchange->gone)
			end_gone(exchange);
		else
			evhttp_connection_free(exchange->request->evcon);
	}
	evhttp_free(server->http);
	if (server->guards != NULL)
		libevent4j_guards_free(server->guards);
	while ((route = LIST_FIRST(&server->routes)) != NULL)
		free_route(route);
	libevent4j_free(server->content_type);
	libevent4j_free(server);
}

/* ---- replies go out ---- */

void
libevent4j_exchange_watch(struct libevent4j_exchange *exchange, void *id, int measure)
{
	exchange->id = id;
	exchange->measured = measure;
}

/* The client has sent something, has closed its side, or is gone. */
static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_exchange *exchange = arg;
	struct pollfd gone = {.fd = fd};
	JNIEnv *env;

	if ((what & EV_CLOSED) == 0 && poll(&gone, 1, 0) != 1)
		return;
	unwatch_client(exchange);
	env = libevent4j_env();
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.exchange_client_closed, ID(exchange->id));
	libevent4j_upcall_done(env);
}

int
libevent4j_exchange_watch_client(struct libevent4j_exchange *exchange)
{
	const int features = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;
	struct event_base *base = exchange->server->loop->base;
	struct bufferevent *bev;

	if (exchange->gone || exchange->closed != NULL)
		return 0;
	if ((event_base_get_features(base) & features) != features)
		return -1;
	libevent4j_row_stops(); /* of a descriptor's events none or all are of edges */
	/*
	 * Libevent does not read while an answer is awaited, so it would not notice. An error of the socket comes as something to
	 * read; and whatever comes, comes once: it stays unread.
	 */
	bev = evhttp_connection_get_bufferevent(exchange->request->evcon);
	exchange->closed = event_new(base, bufferevent_getfd(bev), EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_client, exchange);
	return exchange->closed != NULL && event_add(exchange->closed, NULL) == 0 ? 0 : -1;
}

int
libevent4j_exchange_headers(struct libevent4j_exchange *exchange, int at)
{
	return exchange->request == NULL ? -2 : libevent4j_write_headers(libevent4j_env(), exchange->server->loop, exchange->request, at);
}

/* evhttp_find_header(), for a name that is known to end here: of names that begin alike most have another length or end. */
static const char *
find_header(const struct evkeyvalq *headers, const char *name, size_t length)
{
	const struct evkeyval *header;

	for (header = headers->tqh_first; header != NULL; header = header->next.tqe_next)
		if (strlen(header->key) == length && (length == 0 || ((header->key[length - 1] ^ name[length - 1]) & ~('a' ^ 'A')) == 0) &&
		    evutil_ascii_strcasecmp(header->key, name) == 0)
			return header->value;
	return NULL;
}

int
libevent4j_exchange_find_header(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject bytes, int length)
{
	char name[LIBEVENT4J_NAME_SIZE + 1];
	const char *value;
	size_t size;

	(void)native;
	if (exchange->request == NULL)
		return -2;
	(*env)->GetByteArrayRegion(env, bytes, 0, length, (jbyte *)name);
	name[length] = '\0';
	value = find_header(exchange->request->input_headers, name, (size_t)length);
	if (value == NULL)
		return -1;
	size = strlen(value);
	if (size > INT_MAX)
		return INT_MAX;
	if ((jsize)size <= (*env)->GetArrayLength(env, bytes))
		(*env)->SetByteArrayRegion(env, bytes, 0, (jsize)size, (const jbyte *)value);
	return (int)size;
}

int64_t
libevent4j_exchange_body_length(struct libevent4j_exchange *exchange)
{
	return exchange->request == NULL ? 0 : (int64_t)evbuffer_get_length(exchange->request->input_buffer);
}

void
libevent4j_exchange_body(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject target)
{
	struct evbuffer *body;
	struct evbuffer_ptr at;
	struct evbuffer_iovec extent;
	jsize copied = 0;
	void *direct = (*env)->GetDirectBufferAddress(env, target);

	(void)native;
	if (exchange->request == NULL)
		return;
	body = exchange->request->input_buffer;
	if (direct != NULL) {
		evbuffer_copyout(body, direct, evbuffer_get_length(body));
		return;
	}
	evbuffer_ptr_set(body, &at, 0, EVBUFFER_PTR_SET);
	while (evbuffer_peek(body, -1, &at, &extent, 1) > 0 && extent.iov_len > 0) {
		(*env)->SetByteArrayRegion(env, target, copied, (jsize)extent.iov_len, extent.iov_base);
		copied += (jsize)extent.iov_len;
		if (evbuffer_ptr_set(body, &at, extent.iov_len, EVBUFFER_PTR_ADD) != 0)
			break;
	}
}

struct evbuffer *
libevent4j_exchange_take_body(struct libevent4j_exchange *exchange)
{
	struct evbuffer *body = evbuffer_new();

	if (body != NULL && exchange != NULL && exchange->request != NULL &&
	    evbuffer_add_buffer(body, exchange->request->input_buffer) != 0) {
		evbuffer_free(body);
		return NULL;
	}
	return body;
}

/* Whether what goes out goes to a socket as it is, through no filter and no pair. */
static bool
sends_to_socket(struct evhttp_connection *connection)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

	return bufferevent_get_underlying(bev) == NULL && bufferevent_pair_get_partner(bev) == NULL;
}

/*
 * Libevent writes when the loop next finds the socket writable, which it nearly always is: writing at once saves that turn and its
 * system calls. What the socket does not take waits for the loop as before, and evhttp's own callback ends the request in any case.
 */
static void
write_now(struct bufferevent *bev)
{
	struct evbuffer *output = bufferevent_get_output(bev);

	evbuffer_unfreeze(output, 1);
	evbuffer_write(output, bufferevent_getfd(bev)); /* an error comes up again when the loop writes */
	evbuffer_freeze(output, 1);
	/*
	 * In this turn still, so that the event that waits for the socket is gone before the kernel is told of it: of deferred callbacks
	 * libevent runs a few each turn.
	 */
	if (evbuffer_get_length(output) == 0)
		event_active(&bev->ev_write, EV_WRITE, 1);
}

/*
 * Whether that is possible: the connection is libevent's alone and a socket. A virtual host's is its parent's, and may have a filter that
 * this server knows nothing of.
 */
static bool
writes_at_once(const struct libevent4j_exchange *exchange)
{
	const struct libevent4j_server *server = exchange->server;

	if (exchange->guard != NULL)
		return !server->exact && libevent4j_guard_is_plain(exchange->guard);
	return !server->exact && !server->own_bufferevents && sends_to_socket(exchange->request->evcon);
}

static const char *
date_of(struct libevent4j_loop *loop)
{
	time_t now = time(NULL);

	if (now != loop->dated) {
		loop->dated = now;
		evutil_date_rfc1123(loop->date, sizeof(loop->date), NULL);
	}
	return loop->date;
}

/* What evhttp would add itself, and format each time. */
static void
add_date(const struct libevent4j_exchange *exchange)
{
	struct evkeyvalq *headers = exchange->request->output_headers;

	if (exchange->request->major == 1 && exchange->request->minor >= 1 && evhttp_find_header(headers, "Date") == NULL)
		evhttp_add_header(headers, "Date", date_of(exchange->server->loop));
}

/* Where the loop keeps evhttp's phrase for a status; NULL for one that it does not keep. */
static char **
phrase_of(struct libevent4j_loop *loop, int status)
{
	return status >= 100 && status < 100 + LIBEVENT4J_PHRASES ? &loop->phrases[status - 100] : NULL;
}

static void
learn_phrase(struct libevent4j_loop *loop, const struct evhttp_request *request)
{
	char **phrase = phrase_of(loop, request->response_code);

	if (phrase != NULL && *phrase == NULL && request->response_code_line != NULL)
		*phrase = libevent4j_strdup(request->response_code_line);
}

/* Bytes that go out ahead of what is added to the output now. */
static size_t
ahead(const struct libevent4j_exchange *exchange)
{
	size_t written = evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(exchange->request->evcon)));

	return exchange->guard == NULL ? written : written + libevent4j_guard_gathered(exchange->guard);
}

static void
send_reply(struct libevent4j_exchange *exchange, int status, const char *reason)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->request->evcon);
	size_t before = ahead(exchange);

	unwatch_client(exchange);
	exchange->replied = true;
	exchange->status = status;
	add_date(exchange);
	evhttp_send_reply(exchange->request, status, reason, NULL);
	if (reason == NULL)
		learn_phrase(exchange->server->loop, exchange->request);
	measure_head(exchange, before);
	if (writes_at_once(exchange))
		write_now(bev);
	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		wait_for_writes(exchange);
}

/* Whether HTTP forbids this reply a body, whatever its headers say. */
static bool
bodiless(const struct libevent4j_exchange *exchange, int status)
{
	enum evhttp_cmd_type method = exchange->request->type;

	return method == EVHTTP_REQ_HEAD || (method == EVHTTP_REQ_CONNECT && status >= 200 && status < 300) ||
	    status == HTTP_NOCONTENT || status == HTTP_NOTMODIFIED || (status >= 100 && status < 200);
}

/*
 * Libevent sends whatever body it is given; unless exact, one that must not be sent is left out. It tells no length for HEAD, nor
 * for CONNECT, whose refusals have bodies.
 */
static bool
wants_body(struct libevent4j_exchange *exchange, int status, int64_t length)
{
	struct evkeyvalq *headers = exchange->request->output_headers;
	enum evhttp_cmd_type method = exchange->request->type;
	char digits[24];

	if (exchange->server->exact)
		return length > 0;
	if (((method == EVHTTP_REQ_HEAD && status >= 200 && status != HTTP_NOCONTENT) ||
	     (method == EVHTTP_REQ_CONNECT && !bodiless(exchange, status))) &&
	    evhttp_find_header(headers, "Content-Length") == NULL &&
	    evhttp_find_header(headers, "Transfer-Encoding") == NULL) {
		snprintf(digits, sizeof(digits), "%lld", (long long)length);
		evhttp_add_header(headers, "Content-Length", digits);
	}
	return length > 0 && !bodiless(exchange, status);
}

/* A reply that could not be made leaves no trace in the request. */
static int
undo(struct libevent4j_exchange *exchange)
{
	evhttp_clear_headers(exchange->request->output_headers);
	evbuffer_drain(exchange->request->output_buffer, (size_t)-1);
	return -1;
}

#define IN_PLACE_SIZE (16 * 1024) /* bytes of a body for which that is worth its while */

/* Copies what the socket has not taken of a body in Java's memory, which the output ends with. */
static void
keep_rest(struct libevent4j_exchange *exchange, const uint8_t *body, size_t length)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->request->evcon);
	struct evbuffer *output = bufferevent_get_output(bev), *kept;
	size_t left = evbuffer_get_length(output), rest = left < length ? left : length;

	if (left == 0)
		return;
	libevent4j_guard_replace(exchange->guard, true);
	evbuffer_unfreeze(output, 1);
	kept = evbuffer_new();
	if (kept == NULL || evbuffer_remove_buffer(output, kept, left - rest) < 0 ||
	    evbuffer_add(kept, body + length - rest, rest) != 0 || evbuffer_drain(output, rest) != 0 ||
	    evbuffer_add_buffer(output, kept) != 0) {
		evbuffer_drain(output, (size_t)-1);
		bufferevent_trigger_event(bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
	}
	if (kept != NULL)
		evbuffer_free(kept);
	evbuffer_freeze(output, 1);
	libevent4j_guard_replace(exchange->guard, false);
}

/*
 * A large body goes to the socket from where Java has it. Nothing of Java's may be called before that memory is given back: so
 * nothing else is in the output, whose end somebody waits for, and nobody else's callbacks are at it. For what is gathered nobody waits.
 */
static bool
may_reply_in_place(const struct libevent4j_exchange *exchange, int length)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->request->evcon);

	return length > IN_PLACE_SIZE && !exchange->server->exact && exchange->guard != NULL && libevent4j_guard_is_plain(exchange->guard) &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0;
}

static int
reply_in_place(JNIEnv *env, struct libevent4j_exchange *exchange, int status, const char *reason, jobject body, int direct,
    int offset, int length)
{
	uint8_t *memory = direct ? (*env)->GetDirectBufferAddress(env, body) : (*env)->GetPrimitiveArrayCritical(env, body, NULL);
	int result = -1;

	if (memory != NULL && evbuffer_add_reference(exchange->request->output_buffer, memory + offset, (size_t)length, NULL, NULL) == 0) {
		send_reply(exchange, status, reason);
		keep_rest(exchange, memory + offset, (size_t)length);
		result = 0;
	}
	if (memory != NULL && !direct)
		(*env)->ReleasePrimitiveArrayCritical(env, body, memory, JNI_ABORT);
	return result == 0 ? 0 : undo(exchange);
}

/* ---- replies of which evhttp only hears that they are out ---- */

#define SIMPLE_SIZE (IN_PLACE_SIZE + 2048) /* bytes of head and body: longer bodies go in place */

/*
 * Whether evhttp would do nothing for the reply but write a head and the body, and then end the request. That may happen before the call
 * that replies returns: nobody waits to hear of it.
 */
static bool
is_simple(const struct libevent4j_exchange *exchange, int status)
{
	const struct evhttp_request *request = exchange->request;
	const char *connection;

	if (exchange->server->exact || exchange->id != NULL || exchange->server->notify_drained || request->major != 1 || request->minor != 1 ||
	    (request->flags & EVHTTP_PROXY_REQUEST) || request->type == EVHTTP_REQ_CONNECT || bodiless(exchange, status))
		return false;
	connection = evhttp_find_header(request->input_headers, "Connection");
	return connection == NULL || evutil_ascii_strcasecmp(connection, "close") != 0;
}

/* The head of such a reply; its length, or 0 when it is not one after all, or does not fit with its body. */
static size_t
print_head(struct libevent4j_exchange *exchange, int status, const void *head, size_t length, char bytes[SIMPLE_SIZE])
{
	size_t room = exchange->guard == NULL ? 0 : libevent4j_guard_room(exchange->guard, exchange->server->counters);
	char **phrase = phrase_of(exchange->server->loop, status);
	struct libevent4j_reply reply;

	if (room > SIMPLE_SIZE)
		room = SIMPLE_SIZE;
	if (length > room || !is_simple(exchange, status))
		return 0;
	reply.status = status;
	reply.phrase = phrase == NULL ? NULL : *phrase;
	reply.date = date_of(exchange->server->loop);
	reply.type = libevent4j_guard_content_type(exchange->guard);
	reply.length = length;
	return libevent4j_print_head(head, &reply, bytes, room - length);
}

/*
 * Sends it without evhttp's output. For evhttp it is one that is streamed, with a length: of what the socket takes, or waits for the next
 * reply, it hears nothing, the rest is a piece, and then it ends. 0, or -1 without memory for the rest.
 */
static int
send_simple(struct libevent4j_exchange *exchange, int status, const char *bytes, size_t size)
{
	struct evhttp_request *request = exchange->request;
	struct evbuffer *rest;

	exchange->status = status;
	if (libevent4j_guard_send(exchange->guard, bytes, size, &rest) != 0)
		return -1;
	exchange->replied = true;
	request->kind = EVHTTP_RESPONSE;
	request->response_code = status;
	request->chunked = 0; /* as the request may have been */
	if (rest != NULL) {
		evhttp_send_reply_chunk(request, rest);
		evbuffer_free(rest);
		wait_for_writes(exchange);
	}
	evhttp_send_reply_end(request); /* completes at once, and frees the exchange, unless there is a rest */
	return 0;
}

int
libevent4j_exchange_reply(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, int status, const void *head,
    jobject body, int direct, int offset, int length)
{
	char simple[SIMPLE_SIZE];
	const char *reason;
	size_t printed;

	(void)native;
	if (exchange->gone)
		return end_gone(exchange);
	if ((printed = print_head(exchange, status, head, (size_t)length, simple)) > 0) {
		if (direct)
			memcpy(simple + printed, (uint8_t *)(*env)->GetDirectBufferAddress(env, body) + offset, (size_t)length);
		else
			(*env)->GetByteArrayRegion(env, body, offset, length, (jbyte *)simple + printed);
		return send_simple(exchange, status, simple, printed + (size_t)length);
	}
	if (libevent4j_read_head(head, exchange->request->output_headers, &reason) != 0)
		return undo(exchange);
	if (wants_body(exchange, status, length)) {
		if (may_reply_in_place(exchange, length))
			return reply_in_place(env, exchange, status, reason, body, direct, offset, length);
		if (libevent4j_add_body(env, exchange->request->output_buffer, body, direct, offset, length) != 0)
			return undo(exchange);
	}
	send_reply(exchange, status, reason);
	return 0;
}

int
libevent4j_exchange_reply_buffer(struct libevent4j_exchange *exchange, int status, const void *head, struct evbuffer *body)
{
	size_t length = evbuffer_get_length(body), printed;
	char simple[SIMPLE_SIZE];
	const char *reason;

	if (exchange->gone)
		return end_gone(exchange);
	if ((printed = print_head(exchange, status, head, length, simple)) > 0) {
		evbuffer_remove(body, simple + printed, length);
		return send_simple(exchange, status, simple, printed + length);
	}
	if (libevent4j_read_head(head, exchange->request->output_headers, &reason) != 0)
		return undo(exchange);
	if (!wants_body(exchange, status, (int64_t)length))
		evbuffer_drain(body, length);
	else if (evbuffer_add_buffer(exchange->request->output_buffer, body) != 0)
		return undo(exchange);
	send_reply(exchange, status, reason);
	return 0;
}

int
libevent4j_exchange_reply_file(struct libevent4j_exchange *exchange, int status, const void *head, int64_t fd, int64_t offset,
    int64_t length)
{
	const char *reason;

	if (exchange->gone) {
		libevent4j_descriptor_close(fd);
		return end_gone(exchange);
	}
	if (libevent4j_read_head(head, exchange->request->output_headers, &reason) != 0) {
		libevent4j_descriptor_close(fd);
		return undo(exchange);
	}
	if (!wants_body(exchange, status, length))
		libevent4j_descriptor_close(fd);
	else if (libevent4j_buffer_add_file(exchange->request->output_buffer, fd, offset, length,
	             sends_to_socket(exchange->request->evcon)) != 0)
		return undo(exchange);
	send_reply(exchange, status, reason);
	return 0;
}

static void
send_error(struct libevent4j_exchange *exchange, int status, const char *reason)
{
	size_t before = ahead(exchange);

	unwatch_client(exchange);
	exchange->replied = true;
	exchange->status = status;
	if (exchange->server->exact || !bodiless(exchange, status)) {
		evhttp_send_error(exchange->request, status, reason);
	} else { /* the same without its page */
		evhttp_clear_headers(exchange->request->output_headers);
		evhttp_add_header(exchange->request->output_headers, "Connection", "close");
		evhttp_send_reply(exchange->request, status, reason, NULL);
	}
	measure_head(exchange, before);
}

int
libevent4j_exchange_error(struct libevent4j_exchange *exchange, int status, const void *head)
{
	const char *reason;

	if (exchange->gone)
		return end_gone(exchange);
	if (libevent4j_read_head(head, exchange->request->output_headers, &reason) != 0)
		return undo(exchange);
	send_error(exchange, status, reason);
	return 0;
}

int
libevent4j_exchange_start(struct libevent4j_exchange *exchange, int status, const void *head)
{
	const char *reason;
	size_t before;

	if (exchange->gone)
		return 1;
	if (libevent4j_read_head(head, exchange->request->output_headers, &reason) != 0)
		return undo(exchange);
	/* The end of the connection ends what has no length and no chunks; for keep-alive libevent would tell a length of 0. */
	if (!exchange->server->exact && exchange->request->major == 1 && exchange->request->minor == 0 &&
	    evhttp_find_header(exchange->request->output_headers, "Content-Length") == NULL)
		evhttp_remove_header(exchange->request->input_headers, "Connection");
	unwatch_client(exchange);
	before = ahead(exchange);
	exchange->status = status;
	evhttp_send_reply_start(exchange->request, status, reason);
	measure_head(exchange, before);
	wait_for_writes(exchange); /* now that it reads: a timeout that is not running would stay */
	return 0;
}

#define PIECES_A_TURN 32         /* of one reply: then other connections have theirs */
#define PIECE_SIZE (16 * 1024)   /* of those at most */

/*
 * What is in the output goes out in this turn still, when whoever adds to it has said all he has to say: libevent would first ask whether
 * the socket can take it.
 */
static void
send_soon(const struct libevent4j_exchange *exchange)
{
	event_active(&evhttp_connection_get_bufferevent(exchange->request->evcon)->ev_write, EV_WRITE, 1);
}

static void
on_drained(struct evhttp_connection *connection, void *id) /* not the exchange, which may be gone when a callback was deferred */
{
	JNIEnv *env = libevent4j_env();

	(void)connection;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.exchange_drained, ID(id));
	libevent4j_upcall_done(env);
}

/* Frames a piece of a chunked reply in one extent, of which evhttp would make three. */
static int
add_chunk(JNIEnv *env, struct evbuffer *buffer, jobject body, int direct, int offset, int length)
{
	struct evbuffer_iovec space;
	char size[] = "00000000\r\n", *digits = size + 8;
	size_t framing;

	for (unsigned left = (unsigned)length; left > 0; left /= 16)
		*--digits = "0123456789abcdef"[left % 16];
	framing = strlen(digits);
	if (length == 0 || evbuffer_reserve_space(buffer, (ev_ssize_t)framing + length + 2, &space, 1) != 1)
		return length == 0 ? 0 : -1;
	memcpy(space.iov_base, digits, framing);
	if (direct)
		memcpy((char *)space.iov_base + framing, (uint8_t *)(*env)->GetDirectBufferAddress(env, body) + offset, (size_t)length);
	else
		(*env)->GetByteArrayRegion(env, body, offset, length, (jbyte *)space.iov_base + framing);
	memcpy((char *)space.iov_base + framing + length, "\r\n", 2);
	space.iov_len = framing + (size_t)length + 2;
	return evbuffer_commit_space(buffer, &space, 1);
}

int
libevent4j_exchange_chunk(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, jobject body, int direct, int offset,
    int length)
{
	struct evbuffer *chunk;
	bool frames;
	int result = -1;

	(void)native;
	if (exchange->gone)
		return -1;
	chunk = evbuffer_new();
	if (chunk == NULL)
		return -1;
	frames = exchange->request->chunked && !exchange->server->exact;
	if ((frames ? add_chunk(env, chunk, body, direct, offset, length)
	            : libevent4j_add_body(env, chunk, body, direct, offset, length)) == 0) {
		exchange->request->chunked &= !frames;
		evhttp_send_reply_chunk_with_cb(exchange->request, chunk, on_drained, exchange->id);
		exchange->request->chunked |= frames;
		result = evbuffer_get_length(chunk) == 0 ? 0 : 1; /* libevent leaves what a reply to HEAD must not have */
		if (result == 0 && length <= PIECE_SIZE && ++exchange->pieces % PIECES_A_TURN != 0 && writes_at_once(exchange))
			send_soon(exchange);
	}
	evbuffer_free(chunk);
	return result;
}

int
libevent4j_exchange_end(struct libevent4j_exchange *exchange)
{
	if (exchange->gone)
		return end_gone(exchange);
	exchange->replied = true;
	if (exchange->request->chunked && writes_at_once(exchange))
		send_soon(exchange);
	evhttp_send_reply_end(exchange->request); /* may complete at once and free the exchange */
	return 0;
}

void
libevent4j_exchange_abort(struct libevent4j_exchange *exchange)
{
	if (exchange->gone) {
		end_gone(exchange);
		return;
	}
	exchange->replied = true; /* on_close forgets the exchange, libevent frees the request with its connection */
	evhttp_connection_free(exchange->request->evcon);
}

/* ---- taking a connection over ---- */

struct bufferevent *
libevent4j_exchange_take_over(JNIEnv *env, jclass native, struct libevent4j_exchange *exchange, int status, jobject head,
    int direct, int offset, int length, void *id)
{
	struct bufferevent *bev;

	(void)native;
	if (exchange->gone)
		return NULL;
	bev = evhttp_connection_get_bufferevent(exchange->request->evcon);
	if (libevent4j_add_body(env, bufferevent_get_output(bev), head, direct, offset, length) != 0)
		return NULL;
	unwatch_client(exchange);
	libevent4j_row_stops();
	if (exchange->guard != NULL)
		libevent4j_guard_yield(exchange->guard);
	exchange->replied = exchange->taken_over = true;
	exchange->status = status;
	exchange->head_length = length;
	/* From here on evhttp has no callback of the bufferevent any more: the connection is only its owner. */
	bufferevent_set_timeouts(bev, NULL, NULL);
	libevent4j_bufferevent_set_callbacks(bev, id);
	bufferevent_enable(bev, EV_WRITE);
	return bev;
}
