/*
 * The server as a C program over evhttp. Plain, it is what anyone would write. Where the Makefile says so, it does with public functions
 * what this library does by default: AT_ONCE, replies are written at once, and DATE, one Date a second; see base.h for the others.
 *
 *   evhttp PORT FILE
 */
#include "base.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#define CHUNK_SIZE 1024
#define CHUNKS 16

static const char *path;
static char mebibyte[1 << 20];

/* Evhttp adds a Date of its own where there is none. */
static void
add_date(struct evkeyvalq *headers)
{
#ifdef DATE
	static char date[50];
	static time_t formatted;
	time_t now = time(NULL);

	if (now != formatted) {
		struct tm broken;

		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &broken));
		formatted = now;
	}
	evhttp_add_header(headers, "Date", date);
#else
	(void)headers;
#endif
}

/* Evhttp waits for the socket to be writable, and does so with what is left. */
static void
write_at_once(struct evhttp_request *request)
{
#ifdef AT_ONCE
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	struct evbuffer *output = bufferevent_get_output(bev);

	evbuffer_unfreeze(output, 1);
	evbuffer_write(output, bufferevent_getfd(bev));
	evbuffer_freeze(output, 1);
	if (evbuffer_get_length(output) == 0)
		bufferevent_trigger(bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
#else
	(void)request;
#endif
}

static void
reply(struct evhttp_request *request, struct evbuffer *body)
{
	add_date(evhttp_request_get_output_headers(request));
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
	evhttp_send_reply(request, 200, "OK", body);
	write_at_once(request);
}

static void
on_hello(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_printf(body, "Hello, World!");
	reply(request, body);
	evbuffer_free(body);
}

static void
on_header(struct evhttp_request *request, void *arg)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), "X-Header-30");
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add(body, value, strlen(value));
	reply(request, body);
	evbuffer_free(body);
}

static void
on_echo(struct evhttp_request *request, void *arg)
{
	(void)arg;
	reply(request, evhttp_request_get_input_buffer(request));
}

static void
on_mebibyte(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_reference(body, mebibyte, sizeof(mebibyte), NULL, NULL);
	reply(request, body);
	evbuffer_free(body);
}

static void
on_file(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	int fd = open(path, O_RDONLY);
	struct stat file;

	(void)arg;
	if (fd < 0 || fstat(fd, &file) != 0)
		exit(1);
	evbuffer_set_flags(body, EVBUFFER_FLAG_DRAINS_TO_FD);
	evbuffer_add_file(body, fd, 0, file.st_size);
	reply(request, body);
	evbuffer_free(body);
}

struct stream {
	struct evhttp_request *request;
	int left;
};

static void
send_chunk(struct evhttp_connection *connection, void *arg)
{
	struct stream *stream = arg;
	struct evhttp_request *request = stream->request;
	struct evbuffer *chunk;

	(void)connection;
	if (stream->left-- == 0) {
		free(stream);
		evhttp_send_reply_end(request);
		return;
	}
	chunk = evbuffer_new();
	evbuffer_add(chunk, mebibyte, CHUNK_SIZE);
	evhttp_send_reply_chunk_with_cb(request, chunk, send_chunk, stream);
	evbuffer_free(chunk);
}

static void
on_stream(struct evhttp_request *request, void *arg)
{
	struct stream *stream = malloc(sizeof(*stream));

	(void)arg;
	stream->request = request;
	stream->left = CHUNKS;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
	evhttp_send_reply_start(request, 200, "OK");
	send_chunk(NULL, stream);
}

int
main(int argc, char **argv)
{
	struct event_base *base;
	struct evhttp *http;

	if (argc != 3)
		return 2;
	path = argv[2];
	memset(mebibyte, 'x', sizeof(mebibyte));
	signal(SIGPIPE, SIG_IGN);
	base = new_base();
	http = evhttp_new(base);
	evhttp_set_cb(http, "/", on_hello, NULL);
	evhttp_set_cb(http, "/header", on_header, NULL);
	evhttp_set_cb(http, "/echo", on_echo, NULL);
	evhttp_set_cb(http, "/mib", on_mebibyte, NULL);
	evhttp_set_cb(http, "/stream", on_stream, NULL);
	evhttp_set_cb(http, "/file", on_file, NULL);
	if (evhttp_bind_socket(http, "127.0.0.1", (unsigned short)atoi(argv[1])) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	event_base_dispatch(base);
	return 0;
}
