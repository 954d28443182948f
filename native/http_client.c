#include "internal.h"

#include <errno.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

struct libevent4j_connection {
	struct libevent4j_loop *loop;    /* Java's, outlives the connection */
	struct evhttp_connection *evcon; /* owned */
	void *id;
	LIST_HEAD(, libevent4j_call) calls; /* owned, those that have not ended */
};

/* One request that waits for its response. */
struct libevent4j_call {
	LIST_ENTRY(libevent4j_call) next;
	struct libevent4j_connection *connection;
	struct evhttp_request *request; /* libevent's, but ours while starting */
	void *id;
	int error;     /* what the error callback said, or -1 */
	bool starting; /* inside evhttp_make_request() */
	bool ended;
};

static void
on_connection_close(struct evhttp_connection *evcon, void *arg)
{
	struct libevent4j_connection *connection = arg;
	JNIEnv *env = libevent4j_env();
	int error = errno; /* the request's callback, which comes next, looks at it */

	(void)evcon;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.connection_closed, ID(connection->id));
	libevent4j_upcall_done(env);
	errno = error;
}

struct libevent4j_connection *
libevent4j_connection_new(struct libevent4j_loop *loop, void *id, const char *host, int port)
{
	struct libevent4j_connection *connection = libevent4j_calloc(sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->evcon = evhttp_connection_base_new(loop->base, NULL, host, (ev_uint16_t)port);
	if (connection->evcon == NULL) {
		libevent4j_free(connection);
		return NULL;
	}
	connection->loop = loop;
	connection->id = id;
	evhttp_connection_set_closecb(connection->evcon, on_connection_close, connection);
	return connection;
}

void
libevent4j_connection_free(struct libevent4j_connection *connection)
{
	struct libevent4j_call *call;

	evhttp_connection_free(connection->evcon);
	while ((call = LIST_FIRST(&connection->calls)) != NULL) {
		LIST_REMOVE(call, next);
		libevent4j_free(call);
	}
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

	evhttp_connection_set_timeout_tv(connection->evcon, micros == 0 ? NULL : &tv);
}

void
libevent4j_connection_set_retry_delay(struct libevent4j_connection *connection, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);

	evhttp_connection_set_initial_retry_tv(connection->evcon, micros == 0 ? NULL : &tv);
}

/* ---- responses come in ---- */

/*
 * Whether the connection could not be made, and why. Libevent does not say: what is left is the resolver's error, and errno,
 * which libevent keeps for the callback in some of its ways to fail.
 */
static bool
unconnected(struct libevent4j_connection *connection, int error)
{
	if (bufferevent_socket_get_dns_error(evhttp_connection_get_bufferevent(connection->evcon)) != 0)
		return true;
	switch (error) {
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return true;
	default:
		return false;
	}
}

static void
tell_failed(struct libevent4j_call *call, int kind, int error)
{
	JNIEnv *env = libevent4j_env();

	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_failed, ID(call->id), (jint)kind,
	    (jint)error);
	libevent4j_upcall_done(env);
}

/* The request never had a connection: it was refused, did not resolve, or timed out. */
static void
tell_unconnected(struct libevent4j_call *call, int error)
{
	/* A refused connection has been shut down by now, which fails with ENOTCONN; one that timed out shuts down well. */
	if (error == ENOTCONN)
		error = ECONNREFUSED;
	if (bufferevent_socket_get_dns_error(evhttp_connection_get_bufferevent(call->connection->evcon)) != 0)
		tell_failed(call, LIBEVENT4J_UNRESOLVED, 0);
	else if (unconnected(call->connection, error))
		tell_failed(call, LIBEVENT4J_UNCONNECTED, error);
	else
		tell_failed(call, LIBEVENT4J_CONNECT_TIMEOUT, ETIMEDOUT);
}

static void
tell_response(struct libevent4j_call *call, struct evhttp_request *request)
{
	JNIEnv *env = libevent4j_env();
	int length = libevent4j_write_head(env, call->connection->loop, request);
	jbyteArray body;

	if (length < 0) {
		tell_failed(call, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
		return;
	}
	body = libevent4j_take_body(env, request->input_buffer);
	if (!libevent4j_upcall_done(env)) {
		tell_failed(call, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
		return;
	}
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response, ID(call->id), (jint)length, body);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, body);
}

static void
on_response(struct evhttp_request *request, void *arg)
{
	int error = errno;
	struct libevent4j_call *call = arg;

	LIST_REMOVE(call, next);
	call->ended = true;
	if (request == NULL && call->error == EVREQ_HTTP_EOF && unconnected(call->connection, error))
		tell_unconnected(call, error);
	else if (request == NULL)
		tell_failed(call, call->error, error);
	else if (request->response_code == 0)
		tell_unconnected(call, error);
	else
		tell_response(call, request);
	if (!call->starting)
		libevent4j_free(call);
}

static void
on_error(enum evhttp_request_error error, void *arg)
{
	struct libevent4j_call *call = arg;

	call->error = (int)error;
}

static int
on_response_head(struct evhttp_request *request, void *arg)
{
	struct libevent4j_call *call = arg;
	JNIEnv *env = libevent4j_env();
	int length = libevent4j_write_head(env, call->connection->loop, request);
	jboolean wanted;

	if (length < 0)
		return -1;
	wanted = (*env)->CallStaticBooleanMethod(env, libevent4j_java.callbacks, libevent4j_java.response_head, ID(call->id),
	    (jint)length);
	return libevent4j_upcall_done(env) && wanted ? 0 : -1;
}

static void
on_response_data(struct evhttp_request *request, void *arg)
{
	struct libevent4j_call *call = arg;
	JNIEnv *env = libevent4j_env();
	jbyteArray data = libevent4j_take_body(env, request->input_buffer);

	if (!libevent4j_upcall_done(env))
		return;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_data, ID(call->id), data);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, data);
}

/* ---- requests go out ---- */

struct libevent4j_call *
libevent4j_call_start(JNIEnv *env, jclass native, struct libevent4j_connection *connection, void *id, int method,
    const char *uri, int minor_version, int streaming, const void *head, jobject body, int direct, int offset, int length)
{
	struct libevent4j_call *call = libevent4j_calloc(sizeof(*call));
	struct evhttp_request *request = NULL;
	const char *reason;
	int result;

	(void)native;
	libevent4j_failed(ENOMEM);
	if (call == NULL || (request = evhttp_request_new(on_response, call)) == NULL ||
	    libevent4j_read_head(head, request->output_headers, &reason) != 0 ||
	    libevent4j_add_body(env, request->output_buffer, body, direct, offset, length) != 0) {
		if (request != NULL)
			evhttp_request_free(request);
		libevent4j_free(call);
		return NULL;
	}
	call->connection = connection;
	call->request = request;
	call->id = id;
	call->error = -1;
	LIST_INSERT_HEAD(&connection->calls, call, next);
	request->major = 1;
	request->minor = (char)minor_version;
	evhttp_request_set_error_cb(request, on_error);
	if (streaming) {
		evhttp_request_set_header_cb(request, on_response_head);
		evhttp_request_set_chunked_cb(request, on_response_data);
	}

	/* Owned for the time of the call: libevent frees an unowned request in some of its failures and not in others. */
	evhttp_request_own(request);
	call->starting = true;
	result = evhttp_make_request(connection->evcon, request, (enum evhttp_cmd_type)method, uri);
	libevent4j_failed(result == 0 ? 0 : errno);
	call->starting = false;
	if (result == 0 && !call->ended) {
		request->flags &= ~EVHTTP_USER_OWNED;
		return call;
	}
	if (!call->ended)
		LIST_REMOVE(call, next);
	evhttp_request_free(request);
	libevent4j_free(call);
	return NULL;
}

void
libevent4j_call_cancel(struct libevent4j_call *call)
{
	LIST_REMOVE(call, next);
	evhttp_cancel_request(call->request); /* the error callback, if there is one, comes inside */
	libevent4j_free(call);
}
