#include "internal.h"

#include <string.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event_struct.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#define HEAD 512                           /* bytes of a request's head that is kept */
#define FEW (32 * 1024)                    /* bytes that wait for the socket when the next piece of a body is asked for */
#define MOST_INTERIMS 100                  /* before one response */
#define READ_AT_ONCE 4096                  /* bytes that libevent reads from a socket in one go */
#define SHORT_BODY 2048                    /* bytes that are cheaper copied twice than in an array of C's making */
#define WRITE_MICROS (50 * 1000 * 1000LL) /* libevent's own timeout */

/* Where the body is that follows a request's head. */
enum upload {
	NO_UPLOAD, /* there is none, or it is through */
	HEAD_COMES,
	HEAD_GOES,
	BODY_GOES,
	BODY_ENDS,
	STOPPED /* the server reads no more of it */
};

/*
 * Java hands over one request at a time. Libevent has a queue of its own, but sends the next request before it could be seen that
 * the connection is not fit for it, and does nothing at all with what is queued when the local address cannot be bound again.
 * Its retries are not used either: they never stop counting, and clash with the cancelling of a request.
 *
 * A body that follows: evhttp sends the head alone, and then reads the response, whenever it comes. Meanwhile the body's pieces are
 * added to the bufferevent's output, each when little of those before it is left. Evhttp must not hear that something was written:
 * it takes that for its head.
 */
struct libevent4j_connection {
	LIST_ENTRY(libevent4j_connection) uploading; /* in the loop's list, while upload is something */
	TAILQ_ENTRY(libevent4j_connection) sending;  /* in the loop's list, while to_send */
	struct libevent4j_loop *loop;    /* Java's, outlives the connection */
	struct evhttp_connection *evcon; /* owned */
	void *id;
	int64_t timeout_micros; /* 0 for libevent's */
	bool exact;
	struct event later; /* acts when nothing of evhttp is on the stack */
	bool acts;          /* and is to */

	struct evhttp_request *request; /* under way, or NULL; libevent's */
	int method;
	int flags;   /* LIBEVENT4J_… */
	int error;   /* what the error callback said, or -1 */
	int refused; /* the kind of failure that a response is, though evhttp takes it; or -1 */
	int interims;  /* that announced the response, and how many of them were not 100 (Continue) */
	int unexpected;
	bool to_send;
	bool lost; /* there was a connection, which has been closed since the request began */
	evutil_socket_t known; /* the socket of the connection that the loop knows as such, or -1 */
	struct libevent4j_look look;
	struct libevent4j_framing framing;
	struct evbuffer_cb_entry *watched; /* calls on_input(); the input's, NULL while there is nothing to look at */
	struct evkeyvalq headers; /* owned: the last request's, which mostly are the next one's too */
	struct {                  /* the last request's head as evhttp wrote it, with these headers */
		char bytes[HEAD];
		size_t length; /* 0 when it is not known */
		size_t uri_at, uri_length;
		int method, minor_version;
	} head;
	bool again; /* what is to be sent is that */

	enum upload upload;
	bool expecting;             /* 100 (Continue) */
	bool asked;                 /* for a piece, which is still to come */
	struct evbuffer *held;      /* pieces that are kept from evhttp, while it believes that it writes; owned, NULL if there are none */
	bufferevent_event_cb event; /* evhttp's own */
};

static struct bufferevent *
bufferevent_of(const struct libevent4j_connection *connection)
{
	return evhttp_connection_get_bufferevent(connection->evcon);
}

static struct evbuffer *
output_of(const struct libevent4j_connection *connection)
{
	return bufferevent_get_output(bufferevent_of(connection));
}

static struct evbuffer *
input_of(const struct libevent4j_connection *connection)
{
	return bufferevent_get_input(bufferevent_of(connection));
}

static void
forget_headers(struct libevent4j_connection *connection)
{
	evhttp_clear_headers(&connection->headers);
	connection->head.length = 0;
}

/* Evhttp opens its socket unseen. It tells before it closes one that was connected. */
static void
know(struct libevent4j_connection *connection, evutil_socket_t fd)
{
	if (connection->known == fd)
		return;
	if (connection->known != -1)
		libevent4j_epoll_closing(connection->loop, connection->known);
	connection->known = fd;
	connection->look.turn = 0;
	if (fd != -1) {
		libevent4j_epoll_opened(connection->loop, fd);
		libevent4j_epoll_tell_end(connection->loop, fd);
		/* Epoll hears of that with the next change of what libevent waits for, and mostly there is none. */
		bufferevent_disable(bufferevent_of(connection), EV_READ);
		bufferevent_enable(bufferevent_of(connection), EV_READ);
	}
}

static void
on_connection_close(struct evhttp_connection *evcon, void *arg)
{
	struct libevent4j_connection *connection = arg;
	JNIEnv *env = libevent4j_env();
	int error = libevent4j_error(); /* the request's callback, which comes next, looks at it */

	(void)evcon;
	know(connection, -1);
	libevent4j_drop(bufferevent_of(connection));
	connection->lost = true;
	forget_headers(connection);
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.connection_closed, ID(connection->id));
	libevent4j_upcall_done(env);
	libevent4j_set_error(error);
}

static void
act_later(struct libevent4j_connection *connection)
{
	connection->acts = true;
	event_active(&connection->later, EV_TIMEOUT, 0);
}

static void on_later(evutil_socket_t fd, short what, void *arg);
static void rest(const struct libevent4j_connection *connection);
static void unwatch(struct libevent4j_connection *connection);
static void end_request(struct libevent4j_connection *connection);

struct libevent4j_connection *
libevent4j_connection_new(struct libevent4j_loop *loop, void *id, const char *host, int port, int exact)
{
	struct libevent4j_connection *connection = libevent4j_calloc(sizeof(*connection));
	struct bufferevent *bev;

	if (connection == NULL)
		return NULL;
	/* Evhttp does not survive to be without a bufferevent, nor without a copy of the host. */
	bev = libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 2) ? bufferevent_socket_new(loop->base, -1, 0) : NULL;
	if (bev != NULL && libevent4j_has_room(strlen(host) + 1, 1))
		connection->evcon = evhttp_connection_base_bufferevent_new(loop->base, NULL, bev, host, (ev_uint16_t)port);
	if (connection->evcon == NULL) {
		if (bev != NULL)
			bufferevent_free(bev);
		libevent4j_free(connection);
		return NULL;
	}
	connection->loop = loop;
	connection->id = id;
	connection->exact = exact;
	connection->refused = -1;
	connection->known = -1;
	TAILQ_INIT(&connection->headers);
	event_assign(&connection->later, loop->base, -1, 0, on_later, connection);
	evhttp_connection_set_closecb(connection->evcon, on_connection_close, connection);
	return connection;
}

void
libevent4j_connection_free(struct libevent4j_connection *connection)
{
	end_request(connection);
	know(connection, -1);
	unwatch(connection);
	evhttp_connection_free(connection->evcon);
	forget_headers(connection);
	event_debug_unassign(&connection->later);
	libevent4j_free(connection);
}

struct evhttp_connection *
libevent4j_connection_evcon(struct libevent4j_connection *connection)
{
	return connection->evcon;
}

void
libevent4j_connection_set_timeout(struct libevent4j_connection *connection, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);

	connection->timeout_micros = micros;
	evhttp_connection_set_timeout_tv(connection->evcon, micros == 0 ? NULL : &tv);
}

void
libevent4j_connection_read(struct libevent4j_connection *connection, int read)
{
	struct bufferevent *bev = bufferevent_of(connection);

	if (read)
		bufferevent_enable(bev, EV_READ);
	else
		bufferevent_disable(bev, EV_READ);
}

/*
 * From the end of a response's head to the end of the turn that sends the next request, or of the callback that sends none, the loop hears
 * nothing of what evhttp enables and disables (see hold.c). A timeout that the loop has begun in this turn, when it found the socket
 * readable, need not begin anew.
 */
static void
let_go(const struct libevent4j_connection *connection)
{
	libevent4j_let_go(bufferevent_of(connection), connection->look.turn == 0 || connection->look.turn != connection->loop->turn);
}

/* ---- bodies go out behind the head ---- */

static void
on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct libevent4j_connection *connection = arg;

	if (connection->upload == HEAD_COMES) {
		/* The request line. Libevent adds a Content-Length to POST and PUT, even beside chunks: it is another method by then. */
		connection->upload = HEAD_GOES;
		if (connection->flags & LIBEVENT4J_CHUNKED)
			connection->request->type = EVHTTP_REQ_PATCH;
	} else if (info->n_added > 0 && connection->upload == HEAD_GOES) {
		connection->request->type = (enum evhttp_cmd_type)connection->method;
	} else if (info->n_deleted > 0 && evbuffer_get_length(output) <= (connection->upload == BODY_GOES ? FEW : 0)) {
		act_later(connection);
	}
}

static void on_upload_event(struct bufferevent *bev, short what, void *evcon);

/* From now on evhttp does not hear what is written, and time passes only while the server takes nothing. */
static void
take(struct libevent4j_connection *connection)
{
	struct bufferevent *bev = bufferevent_of(connection);
	struct timeval tv = libevent4j_timeval(connection->timeout_micros != 0 ? connection->timeout_micros : WRITE_MICROS);
	bufferevent_event_cb event;
	bufferevent_data_cb read;
	void *evcon;

	bufferevent_getcb(bev, &read, NULL, &event, &evcon);
	if (event == on_upload_event)
		return;
	connection->event = event;
	bufferevent_setcb(bev, read, NULL, on_upload_event, evcon);
	libevent4j_descriptor_send_at_once(bufferevent_getfd(bev));
	bufferevent_set_timeouts(bev, NULL, &tv);
	if (connection->upload == HEAD_GOES)
		connection->upload = BODY_GOES;
	if (connection->held != NULL) {
		evbuffer_add_buffer(bufferevent_get_output(bev), connection->held);
		evbuffer_free(connection->held);
		connection->held = NULL;
	}
	bufferevent_enable(bev, EV_WRITE);
}

/* To evhttp, which awaits the response. */
static void
give_back(struct libevent4j_connection *connection)
{
	struct bufferevent *bev = bufferevent_of(connection);
	bufferevent_event_cb event;
	bufferevent_data_cb read;
	void *evcon;

	bufferevent_getcb(bev, &read, NULL, &event, &evcon);
	if (event == on_upload_event) {
		bufferevent_setcb(bev, read, NULL, connection->event, evcon);
		libevent4j_connection_set_timeout(connection, connection->timeout_micros);
	}
}

static void
end_upload(struct libevent4j_connection *connection)
{
	if (connection->upload == NO_UPLOAD)
		return;
	connection->upload = NO_UPLOAD;
	LIST_REMOVE(connection, uploading);
	evbuffer_remove_cb(output_of(connection), on_output, connection);
	give_back(connection);
	if (connection->held != NULL)
		evbuffer_free(connection->held);
	connection->held = NULL;
}

static int
begin_upload(struct libevent4j_connection *connection)
{
	if (evbuffer_add_cb(output_of(connection), on_output, connection) == NULL)
		return -1;
	LIST_INSERT_HEAD(&connection->loop->uploads, connection, uploading);
	connection->upload = HEAD_COMES;
	connection->expecting = (connection->flags & LIBEVENT4J_EXPECTING) != 0;
	connection->asked = false;
	return 0;
}

static void
drop_output(struct libevent4j_connection *connection, struct evbuffer *kept)
{
	struct evbuffer *output = output_of(connection);

	evbuffer_unfreeze(output, 1); /* as it is while bytes go */
	if (kept != NULL)
		evbuffer_add_buffer(kept, output);
	else
		evbuffer_drain(output, (size_t)-1);
	evbuffer_freeze(output, 1);
}

static void
on_upload_event(struct bufferevent *bev, short what, void *evcon)
{
	struct libevent4j_connection *connection;

	LIST_FOREACH (connection, &libevent4j_running_loop()->uploads, uploading)
		if (connection->evcon == evcon)
			break;
	if ((what & BEV_EVENT_WRITING) && (what & BEV_EVENT_ERROR)) { /* the server reads no more, but may have said why */
		connection->upload = STOPPED;
		give_back(connection);
		drop_output(connection, NULL);
	} else {
		connection->event(bev, what, evcon);
	}
}

/* Behind a 100 evhttp goes back to writing until the socket has taken all. It does not wait for that here when there is nothing to be
 * written: it would miss the response of a server that has closed the connection meanwhile. */
static int
announced(struct libevent4j_connection *connection)
{
	if (connection->expecting)
		connection->expecting = connection->asked = false;
	if (connection->upload == BODY_GOES || connection->upload == BODY_ENDS) {
		if (connection->held == NULL && (connection->held = evbuffer_new()) == NULL)
			return -1;
		drop_output(connection, connection->held);
	}
	if (!connection->exact || connection->upload != NO_UPLOAD)
		act_later(connection);
	return 0;
}

/* Whether evhttp reads, as it is made to when it has nothing left to write. */
static bool
reads(struct bufferevent *bev)
{
	bufferevent_data_cb read;

	bufferevent_getcb(bev, &read, NULL, NULL, NULL);
	if (read == NULL) {
		bufferevent_trigger(bev, EV_WRITE, 0);
		bufferevent_getcb(bev, &read, NULL, NULL, NULL);
	}
	return read != NULL;
}

static void
ask(struct libevent4j_connection *connection)
{
	JNIEnv *env = libevent4j_env();

	if (connection->asked)
		return;
	connection->asked = true;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.request_drained, ID(connection->id));
	libevent4j_upcall_done(env);
}

static void
go_on(struct libevent4j_connection *connection)
{
	size_t left;

	if (connection->upload == STOPPED || !reads(bufferevent_of(connection)))
		return;
	if (connection->expecting) {
		ask(connection);
		return;
	}
	take(connection);
	left = evbuffer_get_length(output_of(connection));
	if (connection->upload == BODY_GOES && left <= FEW) {
		ask(connection);
	} else if (connection->upload == BODY_ENDS && left == 0) {
		end_upload(connection);
	}
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_connection *connection = arg;

	(void)fd;
	(void)what;
	connection->acts = false;
	if (connection->refused >= 0)
		bufferevent_trigger_event(bufferevent_of(connection), BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	else if (connection->upload != NO_UPLOAD)
		go_on(connection);
	else
		reads(bufferevent_of(connection));
}

/* Where the next piece goes; NULL when none is wanted any more. */
static struct evbuffer *
place(struct libevent4j_connection *connection)
{
	connection->asked = false;
	if (connection->upload != BODY_GOES)
		return NULL;
	act_later(connection);
	return connection->held != NULL ? connection->held : output_of(connection);
}

int
libevent4j_connection_add(JNIEnv *env, jclass native, struct libevent4j_connection *connection, jobject body, int direct,
    int offset, int length)
{
	struct evbuffer *output = place(connection);
	bool chunked = connection->flags & LIBEVENT4J_CHUNKED;

	(void)native;
	if (output == NULL)
		return 0;
	if (chunked && evbuffer_add_printf(output, "%x\r\n", (unsigned)length) < 0)
		return -1;
	if (libevent4j_add_body(env, output, body, direct, offset, length) != 0)
		return -1;
	return chunked ? evbuffer_add(output, "\r\n", 2) : 0;
}

int
libevent4j_connection_add_file(struct libevent4j_connection *connection, int64_t fd, int64_t offset, int64_t length)
{
	struct evbuffer *output = place(connection);

	if (output == NULL) {
		libevent4j_descriptor_close(fd);
		return 0;
	}
	return libevent4j_buffer_add_file(output, fd, offset, length, 1);
}

void
libevent4j_connection_end(struct libevent4j_connection *connection)
{
	struct evbuffer *output = place(connection);

	if (output == NULL)
		return;
	connection->upload = BODY_ENDS;
	if (connection->flags & LIBEVENT4J_CHUNKED)
		evbuffer_add_printf(output, "0\r\n\r\n");
}

void
libevent4j_connection_continue(struct libevent4j_connection *connection)
{
	connection->expecting = connection->asked = false;
	act_later(connection);
}

/* ---- requests go out ---- */

/*
 * Libevent writes when the loop next finds the socket writable, which it nearly always is. Writing at the end of this turn saves the next
 * and its system calls; and a server that gets the requests of several connections together wakes up less often. What a socket does not
 * take waits for the loop as before.
 */
static void
send_soon(struct libevent4j_connection *connection)
{
	struct libevent4j_loop *loop = connection->loop;

	if (TAILQ_EMPTY(&loop->senders))
		event_active(&loop->send, EV_TIMEOUT, 0);
	TAILQ_INSERT_TAIL(&loop->senders, connection, sending);
	connection->to_send = true;
}

static void
send_no_more(struct libevent4j_connection *connection)
{
	if (connection->to_send)
		TAILQ_REMOVE(&connection->loop->senders, connection, sending);
	connection->to_send = connection->again = false;
}

static bool
is_head(const struct libevent4j_connection *connection, int method, int minor_version, const char *uri)
{
	size_t length = connection->head.uri_length;

	return connection->head.length > 0 && connection->head.method == method && connection->head.minor_version == minor_version &&
	    strncmp(connection->head.bytes + connection->head.uri_at, uri, length) == 0 && uri[length] == '\0';
}

/* Which is all that evhttp has written. */
static void
keep_head(struct libevent4j_connection *connection, int method, int minor_version, const char *uri)
{
	struct evbuffer *output = output_of(connection);
	struct evbuffer_iovec all;
	const char *space;

	if (evbuffer_get_length(output) > HEAD || evbuffer_peek(output, -1, NULL, &all, 1) != 1 ||
	    (space = memchr(all.iov_base, ' ', all.iov_len)) == NULL)
		return;
	memcpy(connection->head.bytes, all.iov_base, all.iov_len);
	connection->head.length = all.iov_len;
	connection->head.uri_at = (size_t)(space + 1 - (const char *)all.iov_base);
	connection->head.uri_length = strlen(uri);
	connection->head.method = method;
	connection->head.minor_version = minor_version;
}

/* The head that evhttp has not written; what the socket does not take of it goes the long way, as an error does, which comes up again. */
static void
send_again(struct libevent4j_connection *connection)
{
	struct bufferevent *bev = bufferevent_of(connection);
	size_t length = connection->head.length, sent = 0;
	ssize_t count = send(bufferevent_getfd(bev), connection->head.bytes, length, 0);

	if (count > 0)
		sent = (size_t)count;
	if (sent < length && evbuffer_add(bufferevent_get_output(bev), connection->head.bytes + sent, length - sent) != 0)
		bufferevent_trigger_event(bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR, 0);
}

void
libevent4j_connections_send(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_loop *loop = arg;
	struct libevent4j_connection *connection;

	(void)fd;
	(void)what;
	while ((connection = TAILQ_FIRST(&loop->senders)) != NULL) {
		struct bufferevent *bev = bufferevent_of(connection);
		struct evbuffer *output = bufferevent_get_output(bev);
		bool again = connection->again;

		send_no_more(connection);
		if (again) {
			send_again(connection);
		} else {
			evbuffer_unfreeze(output, 1);
			evbuffer_write(output, bufferevent_getfd(bev)); /* an error comes up again when the loop writes */
			evbuffer_freeze(output, 1);
		}
		reads(bev);
		let_go(connection);
	}
}

/* ---- responses come in ---- */

/* Evhttp is through with it, or is to be. */
static void
end_request(struct libevent4j_connection *connection)
{
	connection->request = NULL;
	if (connection->acts)
		event_del(&connection->later);
	connection->acts = false;
	end_upload(connection);
	send_no_more(connection);
}

static void
tell_failed(const struct libevent4j_connection *connection, int kind, int error)
{
	JNIEnv *env = libevent4j_env();

	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_failed, ID(connection->id),
	    (jint)kind, (jint)error);
	libevent4j_upcall_done(env);
}

/*
 * The request never had a connection. Libevent does not say why: what is left is the resolver's error, and errno. When the
 * connection was refused or timed out it calls back with a request, after it has shut the socket down, which fails with ENOTCONN
 * for the one, and not for the other.
 */
static void
tell_unconnected(const struct libevent4j_connection *connection, bool refused_or_late, int error)
{
	if (bufferevent_socket_get_dns_error(evhttp_connection_get_bufferevent(connection->evcon)) != 0)
		tell_failed(connection, LIBEVENT4J_UNRESOLVED, 0);
	else if (refused_or_late && error != ENOTCONN && error != ECONNREFUSED)
		tell_failed(connection, LIBEVENT4J_CONNECT_TIMEOUT, ETIMEDOUT);
	else
		tell_failed(connection, LIBEVENT4J_UNCONNECTED, refused_or_late ? ECONNREFUSED : error);
}

static void
move_headers(struct evkeyvalq *from, struct evkeyvalq *to)
{
	struct evkeyval *header;

	while ((header = TAILQ_FIRST(from)) != NULL) {
		TAILQ_REMOVE(from, header, next);
		TAILQ_INSERT_TAIL(to, header, next);
	}
}

/* Those that Java gives; libevent has looked at them, and copied them, if they are the last request's. */
static int
set_headers(struct libevent4j_connection *connection, struct evhttp_request *request, const void *head, const char **uri)
{
	if (libevent4j_is_head(head, &connection->headers, uri)) {
		move_headers(&connection->headers, request->output_headers);
		return 0;
	}
	forget_headers(connection);
	return libevent4j_read_head(head, request->output_headers, uri);
}

static void
tell_response(const struct libevent4j_connection *connection, struct evhttp_request *request)
{
	JNIEnv *env = libevent4j_env();
	struct libevent4j_loop *loop = connection->loop;
	int length = libevent4j_write_headers(env, loop, request, libevent4j_write_head(env, loop, request));
	size_t body_length = evbuffer_get_length(request->input_buffer);
	jbyteArray body = NULL;

	if (length < 0) {
		tell_failed(connection, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
		return;
	}
	if (body_length <= SHORT_BODY && body_length <= loop->head_size - (size_t)length) {
		evbuffer_copyout(request->input_buffer, loop->head + length, body_length);
	} else {
		body = libevent4j_take_body(env, request->input_buffer);
		if (!libevent4j_upcall_done(env)) {
			tell_failed(connection, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
			return;
		}
	}
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response, ID(connection->id), (jint)length,
	    body);
	libevent4j_upcall_done(env);
	if (body != NULL)
		(*env)->DeleteLocalRef(env, body);
}

/* As at its end: evhttp's own callback would close it too, but take the next one for an idle one while it is being made. */
static void
on_surplus(struct bufferevent *bev, void *evcon)
{
	bufferevent_event_cb event;

	bufferevent_getcb(bev, NULL, NULL, &event, NULL);
	event(bev, BEV_EVENT_READING | BEV_EVENT_EOF, evcon);
}

/* What comes before the next request closes the connection, unless that is closed already. */
static void
watch_idle(struct libevent4j_connection *connection)
{
	struct bufferevent *bev = bufferevent_of(connection);
	bufferevent_data_cb read, written;
	bufferevent_event_cb event;
	void *evcon;

	bufferevent_getcb(bev, &read, &written, &event, &evcon);
	if (read != NULL) {
		bufferevent_setcb(bev, on_surplus, written, event, evcon);
		know(connection, bufferevent_getfd(bev));
	}
}

static void
close_idle(const struct libevent4j_connection *connection)
{
	bufferevent_trigger(bufferevent_of(connection), EV_READ, 0);
}

/* Unless the next request is under way, the connection is idle, for as long as its timeout lets it. */
static void
rest(const struct libevent4j_connection *connection)
{
	if (connection->request == NULL)
		let_go(connection);
}

/* Java may send the next request from each of the calls that tell, so nothing of this one is looked at behind them. */
static void
on_response(struct evhttp_request *request, void *arg)
{
	int error = libevent4j_error();
	struct libevent4j_connection *connection = arg;
	/* The server may wait for more of the body, or take for it what comes next. */
	bool unsent = connection->upload != NO_UPLOAD ||
	    (!connection->exact && request != NULL && evbuffer_get_length(request->output_buffer) > 0);

	end_request(connection);
	if (request != NULL && !connection->lost)
		move_headers(request->output_headers, &connection->headers);
	if (request != NULL && request->response_code != 0)
		watch_idle(connection);
	if (request != NULL && request->response_code != 0 && unsent && !connection->lost)
		close_idle(connection);
	if (request == NULL && connection->refused >= 0)
		tell_failed(connection, connection->refused, 0);
	else if (request == NULL && (connection->error != EVREQ_HTTP_EOF || connection->lost))
		tell_failed(connection, connection->error, error);
	else if (request == NULL || request->response_code == 0)
		tell_unconnected(connection, request != NULL, error);
	else
		tell_response(connection, request);
	rest(connection);
}

static void
on_error(enum evhttp_request_error error, void *arg)
{
	struct libevent4j_connection *connection = arg;

	connection->error = (int)error;
}

static bool
has_body(const struct evhttp_request *request)
{
	return request->type != EVHTTP_REQ_HEAD && request->type != EVHTTP_REQ_CONNECT && request->response_code >= 200 &&
	    request->response_code != HTTP_NOCONTENT && request->response_code != HTTP_NOTMODIFIED;
}

static void
set_header(struct evkeyvalq *headers, const char *name, const char *value)
{
	while (evhttp_remove_header(headers, name) == 0)
		;
	evhttp_add_header(headers, name, value);
}

/* Whether one of the words of a header is this one. */
static bool
says(const char *value, const char *word)
{
	size_t length;

	for (; value != NULL && *value != '\0'; value += length) {
		value += strspn(value, ", \t");
		length = strcspn(value, ", \t");
		if (length == strlen(word) && strncasecmp(value, word, length) == 0)
			return true;
	}
	return false;
}

/* What libevent gets wrong about the end of a response, told to it in the headers that it looks at. */
static void
set_end(const struct libevent4j_connection *connection, struct evhttp_request *request, const struct libevent4j_framing_headers *found)
{
	bool kept = request->minor >= 1 ? !says(found->connection, "close") : says(found->connection, "keep-alive");

	if (has_body(request) && !request->chunked && !found->length) {
		/* Such a body ends with the connection, whatever else the server says. */
		kept = false;
		if (found->connection != NULL)
			set_header(request->input_headers, "Connection", "close");
	}
	/* What announced this response announces perhaps another; and after 101 (Switching Protocols) it is not HTTP that comes. */
	if (!kept || connection->unexpected > 0 || request->response_code < 200)
		set_header(request->output_headers, "Connection", "close");
}

/* A response that announces another. Libevent knows only 100 as one, and takes its headers for the next one's. */
static bool
pass_over(struct libevent4j_connection *connection, struct evhttp_request *request)
{
	if (connection->exact)
		return request->response_code == 100;
	if (request->response_code < 100 || request->response_code >= 200 || request->response_code == 101)
		return false;
	connection->unexpected += request->response_code == 100 ? 0 : 1;
	request->response_code = 100;
	evhttp_clear_headers(request->input_headers);
	return true;
}

static int
refuse(struct libevent4j_connection *connection, enum evhttp_request_error kind)
{
	connection->refused = (int)kind;
	return -1;
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct libevent4j_connection *connection = arg;
	bool in_head;

	if (info->n_added == 0 || connection->request == NULL)
		return;
	in_head = libevent4j_framing_in_head(&connection->framing);
	if (info->n_added < READ_AT_ONCE)
		libevent4j_epoll_look(connection->loop, &connection->look);
	else
		connection->look.turn = 0;
	if (connection->refused < 0 && !libevent4j_framing_read(&connection->framing, input, info->n_added)) {
		refuse(connection, in_head ? EVREQ_HTTP_INVALID_HEADER : EVREQ_HTTP_DATA_TOO_LONG);
		act_later(connection);
	}
	if (connection->refused >= 0)
		evbuffer_drain(input, (size_t)-1); /* evhttp is to see none of it */
	else if (in_head && !libevent4j_framing_in_head(&connection->framing))
		unwatch(connection);
}

/* Evhttp takes a head out of the input line by line, and each of them would be told: the input is watched while bytes may come to be
 * looked at. */
static int
watch(struct libevent4j_connection *connection)
{
	if (connection->watched == NULL)
		connection->watched = evbuffer_add_cb(input_of(connection), on_input, connection);
	return connection->watched == NULL ? -1 : 0;
}

static void
unwatch(struct libevent4j_connection *connection)
{
	if (connection->watched != NULL)
		evbuffer_remove_cb_entry(input_of(connection), connection->watched);
	connection->watched = NULL;
}

/* At what there is behind a head; and at what comes, unless that is only more of a body. */
static int
look_on(struct libevent4j_connection *connection, enum evhttp_request_error otherwise)
{
	struct evbuffer *input = input_of(connection);
	size_t length = evbuffer_get_length(input);

	if (!libevent4j_framing_read(&connection->framing, input, length))
		return refuse(connection, otherwise);
	if ((length == 0 || libevent4j_framing_waits(&connection->framing)) && watch(connection) != 0)
		return refuse(connection, EVREQ_HTTP_BUFFER_ERROR);
	return 0;
}

static int
on_response_head(struct evhttp_request *request, void *arg)
{
	struct libevent4j_connection *connection = arg;
	struct libevent4j_framing_headers found;
	JNIEnv *env;
	jboolean wanted;
	int length;

	if (!connection->exact && !libevent4j_framing_judge(request, &found))
		return refuse(connection, EVREQ_HTTP_INVALID_HEADER);
	if (pass_over(connection, request)) { /* the response is still to come */
		if (!connection->exact && ++connection->interims > MOST_INTERIMS)
			return refuse(connection, EVREQ_HTTP_INVALID_HEADER);
		libevent4j_framing_begin(&connection->framing);
		if (!connection->exact && look_on(connection, EVREQ_HTTP_INVALID_HEADER) != 0)
			return -1;
		return announced(connection);
	}
	if (!connection->exact) {
		set_end(connection, request, &found);
		libevent4j_framing_body(&connection->framing, request->chunked && has_body(request));
		if (look_on(connection, EVREQ_HTTP_DATA_TOO_LONG) != 0)
			return -1;
	}
	if (!(connection->flags & LIBEVENT4J_LISTENING)) {
		if (!connection->exact && connection->upload == NO_UPLOAD)
			libevent4j_hold(bufferevent_of(connection));
		return 0;
	}
	env = libevent4j_env();
	length = libevent4j_write_head(env, connection->loop, request);
	length = libevent4j_write_headers(env, connection->loop, request, length);
	if (length < 0)
		return -1;
	wanted = (*env)->CallStaticBooleanMethod(env, libevent4j_java.callbacks, libevent4j_java.response_head,
	    ID(connection->id), (jint)length);
	return libevent4j_upcall_done(env) && wanted ? 0 : -1;
}

static void
on_response_data(struct evhttp_request *request, void *arg)
{
	struct libevent4j_connection *connection = arg;
	JNIEnv *env = libevent4j_env();
	jbyteArray data = libevent4j_take_body(env, request->input_buffer);

	if (!libevent4j_upcall_done(env))
		return;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_data, ID(connection->id), data);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, data);
}

/* ---- requests are made ---- */

/* Nothing may have come since the last response: it would answer this request. Nor may the server have closed the connection. */
static void
check_idle(const struct libevent4j_connection *connection)
{
	struct bufferevent *bev = bufferevent_of(connection);
	evutil_socket_t fd = bufferevent_getfd(bev);
	char byte;

	if (fd == -1)
		return;
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0 || (!libevent4j_epoll_looked(connection->loop, fd, &connection->look) &&
	    (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || !libevent4j_would_block(libevent4j_error()))))
		close_idle(connection);
}

int
libevent4j_connection_send(JNIEnv *env, jclass native, struct libevent4j_connection *connection, int method, int minor_version,
    int flags, const void *head, jobject body, int direct, int offset, int length)
{
	struct evhttp_request *request = libevent4j_can_make_request() ? evhttp_request_new(on_response, connection) : NULL;
	const char *uri;
	bool head_only = false, again; /* is what goes out */
	int result;

	(void)native;
	connection->flags = flags;
	if (request == NULL || set_headers(connection, request, head, &uri) != 0 ||
	    libevent4j_add_body(env, request->output_buffer, body, direct, offset, length) != 0 ||
	    (!connection->exact && watch(connection) != 0) ||
	    ((flags & LIBEVENT4J_UPLOADING) && begin_upload(connection) != 0)) {
		if (request != NULL)
			evhttp_request_free(request);
		libevent4j_failed(ENOMEM);
		return -1;
	}
	request->major = 1;
	request->minor = (char)minor_version;
	evhttp_request_set_error_cb(request, on_error);
	evhttp_request_set_header_cb(request, on_response_head);
	if (flags & LIBEVENT4J_LISTENING)
		evhttp_request_set_chunked_cb(request, on_response_data);

	if (!connection->exact)
		check_idle(connection);
	if (connection->exact || connection->upload != NO_UPLOAD)
		let_go(connection);
	else if (connection->known != -1)
		head_only = libevent4j_hold(bufferevent_of(connection)) && /* until it is sent */
		    evbuffer_get_length(request->output_buffer) == 0 && evbuffer_get_length(output_of(connection)) == 0;
	again = head_only && is_head(connection, method, minor_version, uri);

	connection->request = request;
	connection->method = method;
	connection->error = connection->refused = -1;
	connection->interims = connection->unexpected = 0;
	connection->lost = false;
	libevent4j_framing_begin(&connection->framing);
	/* Owned for the time of the call: libevent frees an unowned request in some of its failures and not in others. */
	evhttp_request_own(request);
	libevent4j_set_error(0);
	libevent4j_omit(again ? output_of(connection) : NULL);
	result = evhttp_make_request(connection->evcon, request, (enum evhttp_cmd_type)method, uri);
	libevent4j_omit(NULL);
	libevent4j_failed(libevent4j_error());
	if (result == 0 && connection->request != NULL) {
		request->flags &= ~EVHTTP_USER_OWNED;
		if (head_only && !again)
			keep_head(connection, method, minor_version, uri);
		if (again || (!connection->exact && connection->upload == NO_UPLOAD && evbuffer_get_length(output_of(connection)) > 0))
			send_soon(connection);
		connection->again = again;
		return 0;
	}
	end_request(connection);
	evhttp_request_free(request);
	rest(connection);
	return result;
}

void
libevent4j_connection_cancel(struct libevent4j_connection *connection)
{
	struct evhttp_request *request = connection->request;

	end_request(connection);
	evhttp_cancel_request(request); /* the error callback, and perhaps the close callback, come inside */
}
