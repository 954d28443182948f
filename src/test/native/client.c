/*
 * A plain evhttp client that tells what each of its callbacks is told, for a test to compare with what the Java client tells.
 *
 *   client PORT METHOD MODE COUNT
 *
 * Its first connection to 127.0.0.1 echoes what comes, so that the server can tell when a turn of the loop is over; at its end the
 * program ends. It makes COUNT requests, one after the other, each on a connection of its own; MODE is "stream" with a callback for
 * parts of the body, or "whole" without one. Each callback is a line, and a line of its own ends what belongs to a request. Bytes
 * that are not plain are escaped.
 *
 *   head STATUS MAJOR.MINOR REASON [NAME: VALUE]...
 *   data BYTES
 *   error KIND
 *   done STATUS MAJOR.MINOR REASON [NAME: VALUE]... BODY
 *   done refused    a request without a status
 *   done nothing    no request
 *   close
 *   end
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

static struct event_base *base;

static void
print_bytes(const unsigned char *bytes, size_t length)
{
	putchar('[');
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] > ' ' && bytes[i] < 0x7f && strchr("\\[]", bytes[i]) == NULL)
			putchar(bytes[i]);
		else
			printf("\\%02x", bytes[i]);
	}
	putchar(']');
}

static void
print_string(const char *string)
{
	putchar(' ');
	if (string == NULL)
		printf("none");
	else
		print_bytes((const unsigned char *)string, strlen(string));
}

static void
print_buffer(struct evbuffer *buffer)
{
	putchar(' ');
	print_bytes(evbuffer_pullup(buffer, -1), evbuffer_get_length(buffer));
}

static void
print_head(struct evhttp_request *request)
{
	const struct evkeyval *header;

	printf(" %d %d.%d", request->response_code, request->major, request->minor);
	print_string(request->response_code_line);
	for (header = request->input_headers->tqh_first; header != NULL; header = header->next.tqe_next) {
		print_string(header->key);
		print_string(header->value);
	}
}

static int
on_head(struct evhttp_request *request, void *arg)
{
	(void)arg;
	printf("head");
	print_head(request);
	printf("\n");
	return 0;
}

static void
on_data(struct evhttp_request *request, void *arg)
{
	(void)arg;
	printf("data");
	print_buffer(request->input_buffer);
	printf("\n");
}

static void
on_error(enum evhttp_request_error error, void *arg)
{
	(void)arg;
	printf("error %d\n", (int)error);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
	(void)connection;
	(void)arg;
	printf("close\n");
}

static void
on_done(struct evhttp_request *request, void *arg)
{
	(void)arg;
	if (request == NULL) {
		printf("done nothing\n");
	} else if (request->response_code == 0) {
		printf("done refused\n");
	} else {
		printf("done");
		print_head(request);
		print_buffer(request->input_buffer);
		printf("\n");
	}
	event_base_loopbreak(base);
}

static void
fetch(int port, enum evhttp_cmd_type method, bool stream)
{
	struct evhttp_connection *connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", (ev_uint16_t)port);
	struct evhttp_request *request = evhttp_request_new(on_done, NULL);

	evhttp_connection_set_closecb(connection, on_close, NULL);
	evhttp_request_set_header_cb(request, on_head);
	evhttp_request_set_error_cb(request, on_error);
	if (stream)
		evhttp_request_set_chunked_cb(request, on_data);
	evhttp_add_header(request->output_headers, "Host", "x");
	evhttp_make_request(connection, request, method, "/");
	event_base_dispatch(base);
	evhttp_connection_free(connection);
	printf("end\n");
	fflush(stdout);
}

static void
on_turn(struct bufferevent *turns, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(turns, bufferevent_get_input(turns));
}

static void
on_turns_end(struct bufferevent *turns, short what, void *arg)
{
	(void)turns;
	(void)arg;
	if (!(what & BEV_EVENT_CONNECTED))
		event_base_loopbreak(base);
}

static struct bufferevent *
connect_turns(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct bufferevent *turns = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	bufferevent_setcb(turns, on_turn, NULL, on_turns_end, NULL);
	bufferevent_enable(turns, EV_READ | EV_WRITE);
	bufferevent_socket_connect(turns, (struct sockaddr *)&address, sizeof(address));
	return turns;
}

int
main(int argc, char **argv)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"};
	struct bufferevent *turns;
	int method = 0;

	if (argc != 5)
		return 2;
	signal(SIGPIPE, SIG_IGN); /* as in a JVM */
	while (strcmp(argv[2], methods[method]) != 0)
		method++;
	base = event_base_new();
	turns = connect_turns(atoi(argv[1]));
	for (int i = atoi(argv[4]); i > 0; i--)
		fetch(atoi(argv[1]), (enum evhttp_cmd_type)(1 << method), strcmp(argv[3], "stream") == 0);
	event_base_dispatch(base);
	bufferevent_free(turns);
	event_base_free(base);
	return 0;
}
