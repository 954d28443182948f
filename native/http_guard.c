/*
 * What a safe server does beyond evhttp: it counts connections, sets absolute deadlines, keeps what a client sends ahead small,
 * and refuses requests whose framing two readers could understand differently.
 *
 * A guard looks at a connection's bytes as they enter its bufferevent's input, before evhttp does. At a violation it leaves the
 * requests before it alone, and in place of the offending one a line that evhttp itself answers with 400, or within a chunked body
 * 413, and a closed connection.
 *
 * Libevent does not say when it frees a bufferevent, so a guard keeps it with a reference of its own, and lets go when evhttp has
 * taken its callbacks away. A timer looks after that, and after the deadlines, while there are connections.
 */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/bufferevent.h>
#include <event2/event_struct.h>

enum state {
	REQUEST_LINE,
	HEADER_START, /* at a line's first byte */
	HEADER_NAME,
	HEADER_VALUE,
	LINE_END, /* behind CR: LF must follow */
	BODY,
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_CR, /* behind a chunk's data */
	TRAILER_START,
	TRAILER_NAME,
	TRAILER_VALUE,
	REFUSED
};

/* Enough for the lines whose values matter. */
#define LINE_SIZE 64

struct libevent4j_guard {
	LIST_ENTRY(libevent4j_guard) next;
	struct libevent4j_guards *guards; /* owns the guard */
	struct bufferevent *bev;          /* a reference */
	uint64_t added;                   /* bytes that ever came */
	uint64_t boundary;                /* up to where, in these, all is good: a message's or a chunk's end */
	int64_t deadline;                 /* microseconds of the loop's time; 0 for none */
	enum state state, after_line;
	size_t line_length; /* may be more than fits */
	char line[LINE_SIZE];
	uint64_t remaining; /* of the body or chunk */
	unsigned headers, hosts, lengths, codings;
	bool any;      /* a byte of the message has come */
	bool old;      /* HTTP/1.0 */
	bool bodiless; /* evhttp reads no body for the method */
};

struct libevent4j_guards {
	struct event_base *base; /* Java's */
	struct event sweep;
	struct libevent4j_limits limits;
	int64_t connections;
	LIST_HEAD(, libevent4j_guard) all;
};

static const struct timeval SWEEP = {.tv_usec = 250000};

static int64_t
now(const struct libevent4j_guards *guards)
{
	struct timeval tv;

	event_base_gettimeofday_cached(guards->base, &tv);
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void
set_deadline(struct libevent4j_guard *guard, int64_t micros)
{
	guard->deadline = micros == 0 ? 0 : now(guard->guards) + micros;
}

/* ---- reading ---- */

static bool
is_token(unsigned char c)
{
	return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void
begin_line(struct libevent4j_guard *guard)
{
	guard->line_length = 0;
}

static void
keep(struct libevent4j_guard *guard, unsigned char c)
{
	if (guard->line_length < LINE_SIZE - 1)
		guard->line[guard->line_length] = (char)c;
	guard->line_length++;
}

/* The kept line as a string; false when it was too long to be kept whole. */
static bool
whole_line(struct libevent4j_guard *guard)
{
	guard->line[guard->line_length < LINE_SIZE ? guard->line_length : LINE_SIZE - 1] = '\0';
	return guard->line_length < LINE_SIZE;
}

/* Only the line's two ends matter: the method, and the version, which 'old' has followed. */
static void
request_line_ends(struct libevent4j_guard *guard)
{
	whole_line(guard);
	guard->bodiless = strncmp(guard->line, "HEAD ", 5) == 0 || strncmp(guard->line, "TRACE ", 6) == 0;
	guard->headers = guard->hosts = guard->lengths = guard->codings = 0;
	guard->remaining = 0;
}

/* The value of the kept line when its name is this one, without the white space around it; else NULL. */
static char *
value_of(struct libevent4j_guard *guard, const char *name)
{
	size_t length = strlen(name);
	char *value, *end;

	if (strncasecmp(guard->line, name, length) != 0 || guard->line[length] != ':')
		return NULL;
	value = guard->line + length + 1;
	while (*value == ' ' || *value == '\t')
		value++;
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return value;
}

static bool
header_ends(struct libevent4j_guard *guard)
{
	bool whole = whole_line(guard);
	char *value;

	if (++guard->headers > guard->guards->limits.max_headers && guard->guards->limits.max_headers != 0)
		return false;
	if (strncasecmp(guard->line, "Host:", 5) == 0)
		return ++guard->hosts == 1;
	if ((value = value_of(guard, "Content-Length")) != NULL) {
		size_t digits = strspn(value, "0123456789");

		if (!whole || digits == 0 || digits > 18 || value[digits] != '\0' || ++guard->lengths > 1)
			return false;
		for (guard->remaining = 0; *value != '\0'; value++)
			guard->remaining = guard->remaining * 10 + (uint64_t)(*value - '0');
	} else if ((value = value_of(guard, "Transfer-Encoding")) != NULL) {
		return whole && strcasecmp(value, "chunked") == 0 && ++guard->codings == 1 && !guard->old;
	}
	return true;
}

static void
message_ends(struct libevent4j_guard *guard)
{
	guard->state = REQUEST_LINE;
	guard->any = false;
	guard->deadline = 0;
	begin_line(guard);
}

static bool
head_ends(struct libevent4j_guard *guard)
{
	if ((guard->hosts == 0 && !guard->old) || (guard->lengths > 0 && guard->codings > 0) ||
	    (guard->bodiless && (guard->remaining > 0 || guard->codings > 0)))
		return false;
	if (guard->codings > 0 || guard->remaining > 0) {
		guard->state = guard->codings > 0 ? CHUNK_SIZE : BODY;
		set_deadline(guard, guard->guards->limits.body_micros);
		begin_line(guard);
	} else {
		message_ends(guard);
	}
	return true;
}

static bool
chunk_size_ends(struct libevent4j_guard *guard)
{
	if (!whole_line(guard) || guard->line_length == 0 || guard->line_length > 15)
		return false;
	guard->remaining = strtoull(guard->line, NULL, 16);
	guard->state = guard->remaining == 0 ? TRAILER_START : CHUNK_DATA;
	begin_line(guard);
	return true;
}

/* What stands between two ends of lines. */
static bool
line_ends(struct libevent4j_guard *guard)
{
	switch (guard->after_line) {
	case REQUEST_LINE:
		guard->state = HEADER_START;
		request_line_ends(guard);
		return true;
	case HEADER_START:
		return head_ends(guard);
	case HEADER_VALUE:
		guard->state = HEADER_START;
		return header_ends(guard);
	case CHUNK_SIZE:
		return chunk_size_ends(guard);
	case CHUNK_CR:
		guard->state = CHUNK_SIZE;
		begin_line(guard);
		return true;
	case TRAILER_START:
		message_ends(guard);
		return true;
	case TRAILER_VALUE:
		guard->state = TRAILER_START;
		return true;
	default:
		return false;
	}
}

/* One byte that is not part of a body. False when it must not be there. */
static bool
take(struct libevent4j_guard *guard, unsigned char c)
{
	bool control = c < ' ' || c == 0x7f;

	if (guard->state == LINE_END)
		return c == '\n' && line_ends(guard);
	if (c == '\r') {
		guard->after_line = guard->state;
		guard->state = LINE_END;
		return guard->after_line != HEADER_NAME && guard->after_line != TRAILER_NAME;
	}
	switch (guard->state) {
	case REQUEST_LINE:
		if (!guard->any) {
			guard->any = true;
			set_deadline(guard, guard->guards->limits.head_micros);
		}
		guard->old = c == '0'; /* of HTTP/1.0, once the line is complete */
		keep(guard, c);
		return !control;
	case HEADER_START:
	case TRAILER_START:
		begin_line(guard);
		guard->state = guard->state == HEADER_START ? HEADER_NAME : TRAILER_NAME;
		keep(guard, c);
		return is_token(c); /* no name begins with white space: a line is never continued */
	case HEADER_NAME:
	case TRAILER_NAME:
		keep(guard, c);
		if (c == ':')
			guard->state = guard->state == HEADER_NAME ? HEADER_VALUE : TRAILER_VALUE;
		return c == ':' || is_token(c);
	case HEADER_VALUE:
	case TRAILER_VALUE:
		keep(guard, c);
		return !control || c == '\t';
	case CHUNK_SIZE:
		keep(guard, c);
		return isxdigit(c);
	default: /* CHUNK_CR: only CR */
		return false;
	}
}

/* Reads what came; false at a violation. */
static bool
read_bytes(struct libevent4j_guard *guard, const unsigned char *bytes, size_t length, uint64_t position)
{
	const unsigned char *end = bytes + length, *start = bytes;

	while (bytes < end) {
		if (guard->state == BODY || guard->state == CHUNK_DATA) {
			size_t part = (size_t)(end - bytes);

			if (part > guard->remaining)
				part = (size_t)guard->remaining;
			bytes += part;
			guard->remaining -= part;
			if (guard->remaining == 0) {
				if (guard->state == BODY)
					message_ends(guard);
				else
					guard->state = CHUNK_CR;
			}
			continue;
		}
		if ((guard->state == REQUEST_LINE && !guard->any) || (guard->state == CHUNK_SIZE && guard->line_length == 0) ||
		    guard->state == CHUNK_CR || guard->state == TRAILER_START)
			guard->boundary = position + (uint64_t)(bytes - start);
		if (!take(guard, *bytes++))
			return false;
	}
	return true;
}

/* ---- acting ---- */

static void
refuse(struct libevent4j_guard *guard, struct evbuffer *input)
{
	static const char nonsense[] = "\001\r\n";
	size_t length = evbuffer_get_length(input);
	uint64_t gone = guard->added - length;
	size_t before = guard->boundary > gone ? (size_t)(guard->boundary - gone) : 0;
	struct evbuffer *kept = evbuffer_new();

	guard->state = REFUSED;
	guard->deadline = 0;
	if (kept != NULL)
		evbuffer_remove_buffer(input, kept, before);
	evbuffer_drain(input, (size_t)-1);
	if (kept != NULL) {
		evbuffer_add_buffer(input, kept);
		evbuffer_free(kept);
	}
	evbuffer_add(input, nonsense, sizeof(nonsense) - 1);
}

/* Whether evhttp has freed the connection: only our reference keeps its bufferevent. */
static bool
is_free(const struct libevent4j_guard *guard)
{
	bufferevent_event_cb event;

	bufferevent_getcb(guard->bev, NULL, NULL, &event, NULL);
	return event == NULL;
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct libevent4j_guard *guard = arg;
	struct evbuffer_ptr at;
	struct evbuffer_iovec extent;
	size_t left = info->n_added;

	if (left == 0)
		return;
	if (is_free(guard)) { /* what still comes is nobody's */
		bufferevent_disable(guard->bev, EV_READ);
		return;
	}
	if (guard->state == REFUSED)
		return;
	guard->added += left;
	if (!guard->guards->limits.strict || evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - left, EVBUFFER_PTR_SET) != 0)
		return;
	while (left > 0 && evbuffer_peek(input, (ev_ssize_t)left, &at, &extent, 1) > 0) {
		size_t length = extent.iov_len < left ? extent.iov_len : left;

		if (!read_bytes(guard, extent.iov_base, length, guard->added - left)) {
			refuse(guard, input);
			return;
		}
		left -= length;
		if (left > 0 && evbuffer_ptr_set(input, &at, length, EVBUFFER_PTR_ADD) != 0)
			return;
	}
}

static void
let_go(struct libevent4j_guard *guard)
{
	evbuffer_remove_cb(bufferevent_get_input(guard->bev), on_input, guard);
	bufferevent_decref(guard->bev);
	LIST_REMOVE(guard, next);
	guard->guards->connections--;
	libevent4j_free(guard);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_guards *guards = arg;
	struct libevent4j_guard *guard, *next;
	int64_t time = now(guards);

	(void)fd;
	(void)what;
	for (guard = LIST_FIRST(&guards->all); guard != NULL; guard = next) {
		next = LIST_NEXT(guard, next);
		/* What evhttp does when nothing comes for too long. */
		if (!is_free(guard) && guard->deadline != 0 && guard->deadline <= time)
			bufferevent_trigger_event(guard->bev, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
		if (is_free(guard))
			let_go(guard);
	}
	if (guards->connections > 0)
		event_add(&guards->sweep, &SWEEP);
}

/* ---- for http_server.c ---- */

struct libevent4j_guards *
libevent4j_guards_new(struct event_base *base, const struct libevent4j_limits *limits)
{
	struct libevent4j_guards *guards = libevent4j_calloc(sizeof(*guards));

	if (guards != NULL) {
		guards->base = base;
		guards->limits = *limits;
		event_assign(&guards->sweep, base, -1, 0, on_sweep, guards);
	}
	return guards;
}

void
libevent4j_guards_free(struct libevent4j_guards *guards)
{
	if (guards == NULL)
		return;
	while (!LIST_EMPTY(&guards->all))
		let_go(LIST_FIRST(&guards->all));
	event_del(&guards->sweep);
	event_debug_unassign(&guards->sweep);
	libevent4j_free(guards);
}

int64_t
libevent4j_guards_connections(const struct libevent4j_guards *guards)
{
	const struct libevent4j_guard *guard;
	int64_t open = 0;

	LIST_FOREACH (guard, &guards->all, next)
		if (!is_free(guard))
			open++;
	return open;
}

int
libevent4j_guard_new(struct libevent4j_guards *guards, struct bufferevent *bev)
{
	struct libevent4j_guard *guard;

	if (guards->limits.max_connections != 0 && guards->connections >= guards->limits.max_connections &&
	    libevent4j_guards_connections(guards) >= guards->limits.max_connections)
		return -1;
	if ((guard = libevent4j_calloc(sizeof(*guard))) == NULL)
		return -1;
	if (evbuffer_add_cb(bufferevent_get_input(bev), on_input, guard) == NULL) {
		libevent4j_free(guard);
		return -1;
	}
	bufferevent_incref(bev);
	guard->guards = guards;
	guard->bev = bev;
	LIST_INSERT_HEAD(&guards->all, guard, next);
	if (guards->connections++ == 0)
		event_add(&guards->sweep, &SWEEP);
	return 0;
}
