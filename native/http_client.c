#include "internal.h"

#include <errno.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

/*
 * Java hands over one request at a time. Libevent has a queue of its own, but sends the next request before it could be seen that
 * the connection is not fit for it, and does nothing at all with what is queued when the local address cannot be bound again.
 * Its retries are not used either: they never stop counting, and clash with the cancelling of a request.
 */
struct libevent4j_connection {
	struct libevent4j_loop *loop;    /* Java's, outlives the connection */
	struct evhttp_connection *evcon; /* owned */
	void *id;
	struct evhttp_request *request; /* under way, or NULL; libevent's */
	void *call;                     /* Java's id for it */
	int error;                      /* what the error callback said, or -1 */
	bool streaming;
	bool lost; /* there was a connection, which has been closed since the request began */
};

static void
on_connection_close(struct evhttp_connection *evcon, void *arg)
{
	struct libevent4j_connection *connection = arg;
	JNIEnv *env = libevent4j_env();
	int error = errno; /* the request's callback, which comes next, looks at it */

	(void)evcon;
	connection->lost = true;
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
	evhttp_connection_free(connection->evcon);
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
libevent4j_connection_read(struct libevent4j_connection *connection, int read)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection->evcon);

	if (read)
		bufferevent_enable(bev, EV_READ);
	else
		bufferevent_disable(bev, EV_READ);
}

/* ---- responses come in ---- */

static void
tell_failed(const struct libevent4j_connection *connection, int kind, int error)
{
	JNIEnv *env = libevent4j_env();

	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_failed, ID(connection->call),
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
tell_response(const struct libevent4j_connection *connection, struct evhttp_request *request)
{
	JNIEnv *env = libevent4j_env();
	int length = libevent4j_write_head(env, connection->loop, request);
	jbyteArray body;

	if (length < 0) {
		tell_failed(connection, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
		return;
	}
	body = libevent4j_take_body(env, request->input_buffer);
	if (!libevent4j_upcall_done(env)) {
		tell_failed(connection, EVREQ_HTTP_BUFFER_ERROR, ENOMEM);
		return;
	}
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response, ID(connection->call), (jint)length,
	    body);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, body);
}

/* Java may send the next request from each of the calls that tell, so nothing of this one is looked at behind them. */
static void
on_response(struct evhttp_request *request, void *arg)
{
	int error = errno;
	struct libevent4j_connection *connection = arg;

	connection->request = NULL;
	if (request == NULL && (connection->error != EVREQ_HTTP_EOF || connection->lost))
		tell_failed(connection, connection->error, error);
	else if (request == NULL || request->response_code == 0)
		tell_unconnected(connection, request != NULL, error);
	else
		tell_response(connection, request);
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

/* What libevent gets wrong about the end of a response, told to it in the headers that it looks at. */
static void
set_end(struct evhttp_request *request)
{
	const char *connection = evhttp_find_header(request->input_headers, "Connection");
	bool kept = connection == NULL ? request->minor >= 1 : evutil_ascii_strcasecmp(connection, "close") != 0;

	if (has_body(request) && !request->chunked && evhttp_find_header(request->input_headers, "Content-Length") == NULL) {
		/* Such a body ends with the connection, whatever else the server says. */
		kept = false;
		if (connection != NULL)
			set_header(request->input_headers, "Connection", "close");
	}
	/* HTTP/1.0 closes unless it says otherwise; and what an early response announces is not for the next request. */
	if (!kept || request->response_code < 200)
		set_header(request->output_headers, "Connection", "close");
}

static int
on_response_head(struct evhttp_request *request, void *arg)
{
	struct libevent4j_connection *connection = arg;
	JNIEnv *env = libevent4j_env();
	jboolean wanted;
	int length;

	if (request->response_code == 100) /* the response is still to come */
		return 0;
	set_end(request);
	if (!connection->streaming)
		return 0;
	length = libevent4j_write_head(env, connection->loop, request);
	if (length < 0)
		return -1;
	wanted = (*env)->CallStaticBooleanMethod(env, libevent4j_java.callbacks, libevent4j_java.response_head,
	    ID(connection->call), (jint)length);
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
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.response_data, ID(connection->call), data);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, data);
}

/* ---- requests go out ---- */

int
libevent4j_connection_send(JNIEnv *env, jclass native, struct libevent4j_connection *connection, void *id, int method,
    const char *uri, int minor_version, int streaming, const void *head, jobject body, int direct, int offset, int length)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection->evcon);
	struct evhttp_request *request = evhttp_request_new(on_response, connection);
	const char *reason;
	int result;

	(void)native;
	if (request == NULL || libevent4j_read_head(head, request->output_headers, &reason) != 0 ||
	    libevent4j_add_body(env, request->output_buffer, body, direct, offset, length) != 0) {
		if (request != NULL)
			evhttp_request_free(request);
		libevent4j_failed(ENOMEM);
		return -1;
	}
	request->major = 1;
	request->minor = (char)minor_version;
	evhttp_request_set_error_cb(request, on_error);
	evhttp_request_set_header_cb(request, on_response_head);
	if (streaming)
		evhttp_request_set_chunked_cb(request, on_response_data);

	/* Bytes behind the last response answer nothing: an idle connection is closed when libevent looks at some. */
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0)
		bufferevent_trigger(bev, EV_READ, 0);

	connection->request = request;
	connection->call = id;
	connection->error = -1;
	connection->streaming = streaming;
	connection->lost = false;
	/* Owned for the time of the call: libevent frees an unowned request in some of its failures and not in others. */
	evhttp_request_own(request);
	errno = 0;
	result = evhttp_make_request(connection->evcon, request, (enum evhttp_cmd_type)method, uri);
	libevent4j_failed(errno);
	if (result == 0 && connection->request != NULL) {
		request->flags &= ~EVHTTP_USER_OWNED;
		return 0;
	}
	connection->request = NULL;
	evhttp_request_free(request);
	return result;
}

void
libevent4j_connection_cancel(struct libevent4j_connection *connection)
{
	struct evhttp_request *request = connection->request;

	connection->request = NULL;
	evhttp_cancel_request(request); /* the error callback, and perhaps the close callback, come inside */
}
