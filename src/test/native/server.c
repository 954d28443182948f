/*
 * What samples/Serve.java serves, in plain C: the same replies by the same calls of evhttp. Whatever else differs between the two is
 * for a test to find.
 *
 *   server [ROOT]    prints where it listens, and serves until SIGTERM; ROOT is what /files/ shows
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#define GIBIBYTE (1LL << 30)
#define BLOCK_SIZE (64 * 1024)
#define ALL_METHODS                                                                                                             \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |         \
	    EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

static struct event_base *base;
static const char *root;
static char block[BLOCK_SIZE];

static void
reply(struct evhttp_request *request, int status, const char *type, const char *text)
{
	if (type != NULL)
		evhttp_add_header(request->output_headers, "Content-Type", type);
	evbuffer_add(request->output_buffer, text, strlen(text));
	evhttp_send_reply(request, status, NULL, NULL);
}

static void
reply_text(struct evhttp_request *request, int status, const char *text)
{
	reply(request, status, "text/plain; charset=utf-8", text);
}

static void
not_found(struct evhttp_request *request)
{
	reply_text(request, HTTP_NOTFOUND, "There is no such thing here.\n");
}

/* ---- numbers in requests ---- */

/* The number, or -1 after a reply that there is none. */
static long long
number(struct evhttp_request *request, const char *what, const char *digits, long long min, long long max)
{
	size_t length = strspn(digits, "0123456789");
	char text[256];

	if (digits[length] == '\0' && length >= 1 && length <= 18) {
		long long value = strtoll(digits, NULL, 10);

		if (value >= min && value <= max)
			return value;
	}
	snprintf(text, sizeof(text), "%s must be a number from %lld to %lld, not \"%s\"\n", what, min, max, digits);
	reply_text(request, HTTP_BADREQUEST, text);
	return -1;
}

static long long
parameter(struct evhttp_request *request, const char *name, long long min, long long max)
{
	const char *query = evhttp_uri_get_query(request->uri_elems), *value;
	struct evkeyvalq parameters;
	long long result;

	evhttp_parse_query_str(query, &parameters);
	value = evhttp_find_header(&parameters, name);
	result = number(request, name, value == NULL ? "" : value, min, max);
	evhttp_clear_headers(&parameters);
	return result;
}

/* ---- the request, sent back ---- */

static void
echo(struct evhttp_request *request)
{
	const char *type = evhttp_find_header(request->input_headers, "Content-Type");

	if (type != NULL)
		evhttp_add_header(request->output_headers, "Content-Type", type);
	evbuffer_add_buffer(request->output_buffer, request->input_buffer);
	evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

/* A JSON string of ISO-8859-1, or null. */
static void
add_string(struct evbuffer *json, const char *string)
{
	static const char escaped[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
	const unsigned char *at = (const unsigned char *)string;

	if (string == NULL) {
		evbuffer_add_printf(json, "null");
		return;
	}
	evbuffer_add_printf(json, "\"");
	for (; *at != '\0'; at++) {
		const char *escape = strchr(escaped, *at);

		if (escape != NULL)
			evbuffer_add_printf(json, "\\%c", escapes[escape - escaped]);
		else if (*at < ' ')
			evbuffer_add_printf(json, "\\u%04X", *at);
		else if (*at < 0x80)
			evbuffer_add(json, at, 1);
		else
			evbuffer_add_printf(json, "%c%c", 0xC0 | *at >> 6, 0x80 | (*at & 0x3F));
	}
	evbuffer_add_printf(json, "\"");
}

static void
add_member(struct evbuffer *json, const char *name, const char *value)
{
	evbuffer_add_printf(json, "\"%s\":", name);
	add_string(json, value);
	evbuffer_add_printf(json, ",");
}

static void
inspect(struct evhttp_request *request)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"};
	struct evbuffer *json = request->output_buffer;
	const struct evkeyval *header;
	const char *separator = "";
	char version[32];
	int method = 0;

	while (1 << method != (int)request->type)
		method++;
	snprintf(version, sizeof(version), "HTTP/%d.%d", request->major, request->minor);
	evbuffer_add_printf(json, "{");
	add_member(json, "method", methods[method]);
	add_member(json, "uri", evhttp_request_get_uri(request));
	add_member(json, "path", evhttp_uri_get_path(request->uri_elems));
	add_member(json, "query", evhttp_uri_get_query(request->uri_elems));
	add_member(json, "version", version);
	add_member(json, "host", evhttp_request_get_host(request));
	evbuffer_add_printf(json, "\"remote\":{\"address\":\"%s\",\"port\":%d},\"headers\":[", request->remote_host,
	    request->remote_port);
	for (header = request->input_headers->tqh_first; header != NULL; header = header->next.tqe_next) {
		evbuffer_add_printf(json, "%s[", separator);
		add_string(json, header->key);
		evbuffer_add_printf(json, ",");
		add_string(json, header->value);
		evbuffer_add_printf(json, "]");
		separator = ",";
	}
	evbuffer_add_printf(json, "],\"bodyLength\":%zu}", evbuffer_get_length(request->input_buffer));
	reply(request, HTTP_OK, "application/json", "\n");
}

/* ---- bodies that are made while they are sent ---- */

struct pieces {
	struct evhttp_request *request;
	long long left; /* bytes */
	size_t size;    /* of each piece but the last */
};

static void
send_piece(struct evhttp_connection *connection, void *arg)
{
	struct pieces *pieces = arg;
	size_t size = pieces->left < (long long)pieces->size ? (size_t)pieces->left : pieces->size;
	struct evbuffer *piece = evbuffer_new();
	bool sent = false;

	(void)connection;
	if (size > 0) {
		pieces->left -= size;
		evbuffer_add(piece, block, size);
		evhttp_send_reply_chunk_with_cb(pieces->request, piece, send_piece, pieces);
		sent = evbuffer_get_length(piece) == 0; /* a reply to HEAD has none, nor a callback */
	}
	evbuffer_free(piece);
	if (!sent) {
		evhttp_connection_set_closecb(pieces->request->evcon, NULL, NULL);
		evhttp_send_reply_end(pieces->request);
		free(pieces);
	}
}

/* The client has left: libevent frees the request if it still has it. */
static void
on_close(struct evhttp_connection *connection, void *arg)
{
	struct pieces *pieces = arg;

	(void)connection;
	if (pieces->request->evcon == NULL)
		evhttp_request_free(pieces->request);
	free(pieces);
}

static void
send_pieces(struct evhttp_request *request, long long length, size_t size)
{
	struct pieces *pieces = malloc(sizeof(*pieces));

	*pieces = (struct pieces){request, length, size};
	evhttp_connection_set_closecb(request->evcon, on_close, pieces);
	evhttp_send_reply_start(request, HTTP_OK, NULL);
	send_piece(NULL, pieces);
}

static void
bytes(struct evhttp_request *request, const char *digits)
{
	long long length = number(request, "the length", digits, 0, GIBIBYTE);
	char text[24];

	if (length < 0)
		return;
	snprintf(text, sizeof(text), "%lld", length);
	evhttp_add_header(request->output_headers, "Content-Type", "text/plain");
	evhttp_add_header(request->output_headers, "Content-Length", text);
	send_pieces(request, length, BLOCK_SIZE);
}

static void
chunks(struct evhttp_request *request)
{
	long long count = parameter(request, "count", 0, 1000000), size;

	if (count < 0 || (size = parameter(request, "size", 1, BLOCK_SIZE)) < 0)
		return;
	evhttp_add_header(request->output_headers, "Content-Type", "text/plain");
	send_pieces(request, count * size, (size_t)size);
}

/* ---- a reply that comes later ---- */

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct evhttp_request *request = arg;
	long long millis = parameter(request, "ms", 0, 3600000);
	char text[64];

	(void)fd;
	(void)what;
	snprintf(text, sizeof(text), "This took %lld ms.\n", millis);
	reply_text(request, HTTP_OK, text);
}

static void
delay(struct evhttp_request *request)
{
	long long millis = parameter(request, "ms", 0, 3600000);
	struct timeval tv = {.tv_sec = millis / 1000, .tv_usec = millis % 1000 * 1000};

	if (millis >= 0)
		event_base_once(base, -1, EV_TIMEOUT, on_time, request, &tv);
}

/* ---- files ---- */

static void
file(struct evhttp_request *request, const char *encoded)
{
	int directory, fd = -1;
	struct stat status;
	char *name;

	if (request->type != EVHTTP_REQ_GET && request->type != EVHTTP_REQ_HEAD) {
		evhttp_add_header(request->output_headers, "Allow", "GET, HEAD");
		reply_text(request, HTTP_BADMETHOD, "Files can only be read.\n");
		return;
	}
	name = evhttp_uridecode(encoded, 0, NULL);
	if (root != NULL && strchr(name, '/') == NULL && (directory = open(root, O_RDONLY | O_DIRECTORY)) >= 0) {
		fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		close(directory);
	}
	free(name);
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		if (fd >= 0)
			close(fd);
		not_found(request);
		return;
	}
	evhttp_add_header(request->output_headers, "Content-Type", "text/plain");
	if (status.st_size == 0)
		close(fd);
	else
		evbuffer_add_file(request->output_buffer, fd, 0, status.st_size);
	evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

/* ---- the server ---- */

static bool
begins(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	const char *path = evhttp_uri_get_path(request->uri_elems);
	long long status;

	(void)arg;
	if (request->type == EVHTTP_REQ_CONNECT) {
		reply_text(request, HTTP_BADMETHOD, "This is no proxy.\n");
	} else if (strcmp(path, "/") == 0) {
		reply(request, HTTP_OK, "text/plain", "Hello, World!");
	} else if (strcmp(path, "/echo") == 0) {
		echo(request);
	} else if (strcmp(path, "/inspect") == 0) {
		inspect(request);
	} else if (strcmp(path, "/chunks") == 0) {
		chunks(request);
	} else if (strcmp(path, "/delay") == 0) {
		delay(request);
	} else if (strcmp(path, "/boom") == 0) {
		reply_text(request, HTTP_INTERNAL, "Internal Server Error\n");
	} else if (begins(path, "/status/")) {
		if ((status = number(request, "the status", path + strlen("/status/"), 200, 999)) >= 0)
			evhttp_send_reply(request, (int)status, NULL, NULL);
	} else if (begins(path, "/bytes/")) {
		bytes(request, path + strlen("/bytes/"));
	} else if (begins(path, "/files/")) {
		file(request, path + strlen("/files/"));
	} else {
		not_found(request);
	}
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

int
main(int argc, char **argv)
{
	struct evhttp *http;
	struct evhttp_bound_socket *socket;
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	struct event *terminate;

	root = argc > 1 ? argv[1] : NULL;
	signal(SIGPIPE, SIG_IGN); /* as in a JVM */
	for (int i = 0; i < BLOCK_SIZE; i++)
		block[i] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 26);

	base = event_base_new();
	http = evhttp_new(base);
	evhttp_set_allowed_methods(http, ALL_METHODS);
	evhttp_set_gencb(http, on_request, NULL);
	socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	if (socket == NULL || getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&address, &length) != 0) {
		perror("bind");
		return 1;
	}
	terminate = evsignal_new(base, SIGTERM, on_signal, NULL);
	event_add(terminate, NULL);
	printf("listening on http://127.0.0.1:%d/\n", ntohs(address.sin_port));
	fflush(stdout);

	event_base_dispatch(base);

	event_free(terminate);
	evhttp_free(http);
	event_base_free(base);
	return 0;
}
