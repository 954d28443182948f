/*
 * The client as a C program over evhttp: a request under way on each of its connections, and another when its response is there. The
 * server is epoll.c. With AT_ONCE, which is what this library does by default, the requests of a turn go out at its end.
 *
 *   client PORT CONNECTIONS
 */
#include "base.h"
#include "rounds.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

static struct event_base *base;
static struct evhttp_connection **connections;
static int count, busy;
#ifdef AT_ONCE
static struct evhttp_connection **made; /* requests that are still to go out, by their connections */
static int made_count;
static struct event *turn_ends;
#endif

static void send_request(struct evhttp_connection *connection);

static void
on_response(struct evhttp_request *request, void *connection)
{
	if (request == NULL || evhttp_request_get_response_code(request) != 200 ||
	    evbuffer_get_length(evhttp_request_get_input_buffer(request)) != strlen("Hello, World!"))
		exit(1);
	if (more())
		send_request(connection);
	else if (--busy == 0)
		event_base_loopbreak(base);
}

#ifdef AT_ONCE
static void
on_turn_ends(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (int i = 0; i < made_count; i++) {
		struct bufferevent *bev = evhttp_connection_get_bufferevent(made[i]);
		struct evbuffer *output = bufferevent_get_output(bev);

		if (evbuffer_get_length(output) == 0)
			continue; /* it connects */
		evbuffer_unfreeze(output, 1);
		evbuffer_write(output, bufferevent_getfd(bev));
		evbuffer_freeze(output, 1);
		if (evbuffer_get_length(output) == 0)
			bufferevent_trigger(bev, EV_WRITE, 0);
	}
	made_count = 0;
}
#endif

static void
send_request(struct evhttp_connection *connection)
{
	struct evhttp_request *request = evhttp_request_new(on_response, connection);

	evhttp_add_header(evhttp_request_get_output_headers(request), "Host", "127.0.0.1");
	if (evhttp_make_request(connection, request, EVHTTP_REQ_GET, "/") != 0)
		exit(1);
#ifdef AT_ONCE
	if (made_count == 0)
		event_active(turn_ends, EV_TIMEOUT, 0);
	made[made_count++] = connection;
#endif
}

static void
send_requests(void)
{
	busy = count;
	for (int i = 0; i < count; i++)
		send_request(connections[i]);
	event_base_dispatch(base);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	base = new_base();
	count = atoi(argv[2]);
	connections = calloc((size_t)count, sizeof(*connections));
	for (int i = 0; i < count; i++)
		connections[i] = evhttp_connection_base_new(base, NULL, "127.0.0.1", (unsigned short)atoi(argv[1]));
#ifdef AT_ONCE
	made = calloc((size_t)count, sizeof(struct evhttp_connection *));
	turn_ends = event_new(base, -1, 0, on_turn_ends, NULL);
#endif
	answer(send_requests, NULL);
	return 0;
}
