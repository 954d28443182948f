/*
 * What a safe server does beyond evhttp: it counts connections and bytes, sets absolute deadlines, keeps what a client sends ahead
 * small, refuses requests whose framing two readers could understand differently, and sees to it that a refusal reaches its client. The
 * replies to requests that came together it sends together: those that go past evhttp's output, which has them in front of all others.
 *
 * A guard looks at a connection's bytes as they enter its bufferevent's input, before evhttp does. At a violation it leaves the
 * requests before it alone, and in place of the offending one a line that evhttp itself answers with 400, or within a chunked body
 * 413, and a closed connection.
 *
 * A guard is made with its bufferevent, before evhttp has made the connection. It meets the connection a little later, and hears of
 * its end by its close callback; while a request is being answered that callback is the exchange's, which passes the end on.
 */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event_struct.h>
#include <event2/util.h>

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
	HELD, /* behind a CONNECT or an Upgrade: only its reply tells whether requests follow */
	REFUSED
};

enum part { NOTHING, HEAD, BODY_PART };

#define LINE_SIZE 64           /* enough for the lines whose values matter */
#define MAX_LENGTH_DIGITS 18   /* these surely fit */
#define MAX_CHUNK_DIGITS 15
#define MAX_AHEAD (64 * 1024)  /* bytes that are read while evhttp wants none */
#define READ_SIZE 4096         /* that libevent reads at most */
#define READ_ON_SIZE (64 * 1024 - 64) /* with what libevent puts in front no more than 64 KiB */

#define IDLE_TICKS 16          /* in the time for which a connection may be inactive */
#define SHORTEST_TICK 1000     /* microseconds */

static const struct timeval LINGER_TIME = {.tv_sec = 5};

struct libevent4j_guard {
	LIST_ENTRY(libevent4j_guard) next;    /* in the guards' list, of the fresh or of the others */
	LIST_ENTRY(libevent4j_guard) same;    /* in the loop's table, when its connection is known */
	unsigned active;                      /* the tick of the last byte that came or went */
	struct libevent4j_guards *guards;     /* owns the guard */
	struct bufferevent *bev;              /* evhttp's; a reference while the guard is fresh */
	struct evhttp_connection *connection; /* evhttp's; NULL while the guard is fresh */
	struct event deadline;
	enum part timed; /* what the deadline is for */
	bool surplus;    /* more than there may be: to be closed */
	bool paused;     /* a request is being answered */
	bool limited;    /* no more than MAX_AHEAD is read */
	bool refused;    /* the last request was answered by evhttp itself */
	bool plain;      /* the bufferevent is a socket's, and closes it */
	bool reading_on; /* now, in a call */
	bool replacing;  /* the same */
	bool yielded;    /* what follows is not HTTP */

	uint64_t sent;          /* bytes that ever went out */
	char *gathered;         /* owned: replies that evhttp takes for sent, while nothing is in its output; NULL for none */
	size_t gathered_length;
	unsigned owed[5];       /* gathered replies, wherever they are, by the class of their status */
	struct event flush;     /* of a plain one: sends them as the socket takes them */
	bool flushing;          /* it waits for that */
	int answer;             /* the status of evhttp's own answer while it goes out, else 0 */
	uint64_t answered_from; /* where, in these bytes, it begins */

	uint64_t added;    /* bytes that ever came */
	uint64_t boundary; /* up to where, in these, all is good: a message's or a chunk's end */
	uint64_t begun;    /* where, in these, the last message begins of which something has come */
	enum state state, after_line;
	enum part part;     /* what has begun to come */
	size_t line_length; /* may be more than fits */
	char line[LINE_SIZE];
	uint64_t tail;      /* the request line's last eight bytes */
	uint64_t remaining; /* of the body or chunk */
	unsigned spaces, fields, hosts, lengths, codings;
	bool old;      /* HTTP/1.0 */
	bool bodiless; /* evhttp reads no body for the method */
	bool switches; /* perhaps to another protocol: CONNECT, Upgrade */
};

/*
 * A connection that evhttp closed behind an answer of its own, while the client may still be sending: to close the socket then would
 * be to reset it, which can take the answer from the client before it is read. So what comes is thrown away for a while.
 */
struct lingering {
	LIST_ENTRY(lingering) next;
	struct libevent4j_guards *guards; /* owns the linger */
	struct event readable, deadline;  /* the descriptor was the connection's, and is the lingering's to close */
};

struct libevent4j_guards {
	struct libevent4j_loop *loop; /* Java's, outlives the guards */
	struct libevent4j_limits limits;
	struct libevent4j_counters *counters; /* Java's, outlives the guards */
	const char *content_type; /* the server's */
	void *log;       /* Java's id; NULL when evhttp's own answers are not logged */
	bool only_count; /* there is no limit */
	const struct timeval *head, *body; /* the base's; NULL for no deadline */
	struct event meet;
	struct event tick;         /* while there are known guards, and an idle time */
	int64_t idle_micros;       /* for which a connection may be inactive; 0 when that is evhttp's to see to */
	unsigned ticks, known_count;
	struct libevent4j_guard_list fresh, known;
	LIST_HEAD(, lingering) lingerings;
};

/* ---- reading ---- */

static bool
is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

static void
begin_line(struct libevent4j_guard *guard)
{
	guard->line_length = 0;
}

static void
keep(struct libevent4j_guard *guard, const unsigned char *bytes, size_t length)
{
	size_t room = guard->line_length < LINE_SIZE - 1 ? LINE_SIZE - 1 - guard->line_length : 0;

	if (room > 0)
		memcpy(guard->line + guard->line_length, bytes, length < room ? length : room);
	guard->line_length += length;
}

/* The kept line as a string; false when it was too long to be kept whole. */
static bool
whole_line(struct libevent4j_guard *guard)
{
	guard->line[guard->line_length < LINE_SIZE ? guard->line_length : LINE_SIZE - 1] = '\0';
	return guard->line_length < LINE_SIZE;
}

static bool
has_method(const struct libevent4j_guard *guard, const char *method)
{
	size_t length = strlen(method);

	return guard->line[0] == *method && strncmp(guard->line, method, length) == 0 && guard->line[length] == ' ';
}

/* A method, a space, a target, a space, and a version of HTTP/1. */
static bool
request_line_ends(struct libevent4j_guard *guard)
{
	static const char *const with_body[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"};
	static const uint64_t version = 0x485454502f312e; /* HTTP/1. */
	unsigned char minor = guard->tail & 0xff;

	whole_line(guard);
	guard->bodiless = true;
	for (size_t i = 0; guard->bodiless && i < sizeof(with_body) / sizeof(with_body[0]); i++)
		guard->bodiless = !has_method(guard, with_body[i]);
	guard->switches = has_method(guard, "CONNECT");
	guard->old = minor == '0';
	guard->fields = guard->hosts = guard->lengths = guard->codings = 0;
	guard->remaining = 0;
	return guard->spaces == 2 && guard->tail >> 8 == version && isdigit(minor);
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
field_ends(struct libevent4j_guard *guard)
{
	return ++guard->fields <= guard->guards->limits.max_headers || guard->guards->limits.max_headers == 0;
}

/* Whether a header whose name begins with this is perhaps one of those below. */
static bool
may_matter(unsigned char letter)
{
	switch (letter | ' ') {
	case 'h':
	case 'c':
	case 't':
	case 'u':
		return true;
	default:
		return false;
	}
}

static bool
header_ends(struct libevent4j_guard *guard)
{
	bool whole = whole_line(guard);
	char *value;

	if (!field_ends(guard))
		return false;
	if (!may_matter(guard->line[0]))
		return true;
	if (value_of(guard, "Host") != NULL)
		return ++guard->hosts == 1;
	if ((value = value_of(guard, "Content-Length")) != NULL) {
		size_t digits = strspn(value, "0123456789");

		if (!whole || digits == 0 || digits > MAX_LENGTH_DIGITS || value[digits] != '\0' || ++guard->lengths > 1)
			return false;
		guard->remaining = strtoull(value, NULL, 10);
	} else if ((value = value_of(guard, "Transfer-Encoding")) != NULL) {
		return whole && strcasecmp(value, "chunked") == 0 && ++guard->codings == 1 && !guard->old;
	} else if (value_of(guard, "Upgrade") != NULL) {
		guard->switches = true;
	}
	return true;
}

static void
stop_deadline(struct libevent4j_guard *guard)
{
	if (guard->timed != NOTHING)
		event_del(&guard->deadline);
	guard->timed = NOTHING;
}

static void
message_ends(struct libevent4j_guard *guard)
{
	guard->state = guard->switches ? HELD : REQUEST_LINE;
	guard->part = NOTHING;
	guard->spaces = 0;
	stop_deadline(guard);
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
		guard->part = BODY_PART;
		begin_line(guard);
	} else {
		message_ends(guard);
	}
	return true;
}

static bool
chunk_size_ends(struct libevent4j_guard *guard)
{
	whole_line(guard);
	if (guard->line_length == 0)
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
		return request_line_ends(guard);
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
		return field_ends(guard);
	default:
		return false;
	}
}

/* One byte that is not part of a body. False when it must not be there. */
static bool
take(struct libevent4j_guard *guard, unsigned char c)
{
	if (guard->state == LINE_END)
		return c == '\n' && line_ends(guard);
	if (c == '\r') {
		guard->after_line = guard->state;
		guard->state = LINE_END;
		return guard->after_line != HEADER_NAME && guard->after_line != TRAILER_NAME;
	}
	switch (guard->state) {
	case REQUEST_LINE:
		guard->part = HEAD;
		guard->spaces += c == ' ';
		guard->tail = guard->tail << 8 | c;
		keep(guard, &c, 1);
		return !is_control(c);
	case HEADER_START:
	case TRAILER_START:
		begin_line(guard);
		guard->state = guard->state == HEADER_START ? HEADER_NAME : TRAILER_NAME;
		keep(guard, &c, 1);
		return libevent4j_token[c]; /* no name begins with white space: a line is never continued */
	case HEADER_NAME:
	case TRAILER_NAME:
		keep(guard, &c, 1);
		if (c == ':')
			guard->state = guard->state == HEADER_NAME ? HEADER_VALUE : TRAILER_VALUE;
		return c == ':' || libevent4j_token[c];
	case HEADER_VALUE:
	case TRAILER_VALUE:
		keep(guard, &c, 1);
		return !is_control(c) || c == '\t';
	case CHUNK_SIZE:
		keep(guard, &c, 1);
		return isxdigit(c) && guard->line_length <= MAX_CHUNK_DIGITS;
	default: /* CHUNK_CR: only CR */
		return false;
	}
}

/* How many bytes there are before the first control, which most lines have only at their ends. */
static size_t
count_plain(const unsigned char *bytes, size_t length)
{
	static const uint64_t ones = UINT64_MAX / 255, highest = ones << 7;
	size_t plain = 0;
	uint64_t eight, deletes;

	/* Eight at a time: the highest bit of one stays when it is below a space, or, of another, when it is DEL; see is_control(). */
	for (; length - plain >= sizeof(eight); plain += sizeof(eight)) {
		memcpy(&eight, bytes + plain, sizeof(eight));
		deletes = eight ^ ones * 0x7f;
		if ((((eight - ones * ' ') & ~eight) | ((deletes - ones) & ~deletes)) & highest)
			break;
	}
	while (plain < length && !is_control(bytes[plain]))
		plain++;
	return plain;
}

/* How many of the bytes are no more than a part of the line that has begun, and are taken together: nearly all of a head is such. */
static size_t
take_run(struct libevent4j_guard *guard, const unsigned char *bytes, size_t length)
{
	size_t run = 0;

	switch (guard->state) {
	case REQUEST_LINE:
		if (guard->part != HEAD)
			break;
		run = count_plain(bytes, length);
		for (size_t i = 0; i < run; i++)
			guard->spaces += bytes[i] == ' ';
		for (size_t i = run > sizeof(guard->tail) ? run - sizeof(guard->tail) : 0; i < run; i++)
			guard->tail = guard->tail << 8 | bytes[i];
		break;
	case HEADER_NAME:
		while (run < length && libevent4j_token[bytes[run]])
			run++;
		break;
	case HEADER_VALUE:
		run = count_plain(bytes, length);
		break;
	default:
		break;
	}
	if (run > 0)
		keep(guard, bytes, run);
	return run;
}

/* Bytes of a header line with its end, of which nothing is missing or needs a closer look; else 0. */
static size_t
whole_header(const unsigned char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && libevent4j_token[bytes[at]])
		at++;
	if (at == 0 || at == length || bytes[at] != ':')
		return 0;
	at += count_plain(bytes + at, length - at);
	return length - at >= 2 && bytes[at] == '\r' && bytes[at + 1] == '\n' ? at + 2 : 0;
}

/* Takes it all at once; false when it must not be there. */
static bool
take_header(struct libevent4j_guard *guard, const unsigned char *bytes, size_t length)
{
	if (!may_matter(*bytes))
		return field_ends(guard);
	begin_line(guard);
	keep(guard, bytes, length - 2);
	return header_ends(guard);
}

/* Reads what came; false at a violation. */
static bool
read_bytes(struct libevent4j_guard *guard, const unsigned char *bytes, size_t length, uint64_t position)
{
	const unsigned char *end = bytes + length, *start = bytes;
	size_t header;

	while (bytes < end && guard->state != HELD) {
		if (guard->state == HEADER_START && (header = whole_header(bytes, (size_t)(end - bytes))) > 0) {
			if (!take_header(guard, bytes, header))
				return false;
			bytes += header;
			continue;
		}
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
		if ((guard->state == REQUEST_LINE && guard->part == NOTHING) ||
		    (guard->state == CHUNK_SIZE && guard->line_length == 0) || guard->state == CHUNK_CR ||
		    guard->state == TRAILER_START)
			guard->boundary = position + (uint64_t)(bytes - start);
		if (guard->state == REQUEST_LINE && guard->part == NOTHING)
			guard->begun = guard->boundary;
		bytes += take_run(guard, bytes, (size_t)(end - bytes));
		if (bytes < end && !take(guard, *bytes++))
			return false;
	}
	return true;
}

/* ---- acting ---- */

static void
refuse(struct libevent4j_guard *guard, struct evbuffer *input)
{
	static const char nonsense[] = "\001\r\n";
	uint64_t gone = guard->added - evbuffer_get_length(input);
	size_t before = guard->boundary > gone ? (size_t)(guard->boundary - gone) : 0;
	struct evbuffer *kept = evbuffer_new();

	guard->state = REFUSED;
	guard->part = NOTHING;
	stop_deadline(guard);
	if (kept != NULL)
		evbuffer_remove_buffer(input, kept, before);
	evbuffer_drain(input, (size_t)-1);
	if (kept != NULL) {
		evbuffer_add_buffer(input, kept);
		evbuffer_free(kept);
	}
	evbuffer_add(input, nonsense, sizeof(nonsense) - 1);
}

/* Reads the last bytes of the input. */
static void
judge(struct libevent4j_guard *guard, struct evbuffer *input, size_t left)
{
	struct evbuffer_ptr at;
	struct evbuffer_iovec extent;

	if ((guard->state == BODY || guard->state == CHUNK_DATA) && guard->remaining > left) {
		guard->remaining -= left;
		return;
	}
	if (evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - left, EVBUFFER_PTR_SET) != 0)
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

/* The part that has begun to come has its time from now on. */
static void
start_deadline(struct libevent4j_guard *guard)
{
	const struct timeval *time = guard->part == HEAD ? guard->guards->head : guard->guards->body;

	if (guard->part == guard->timed || guard->paused)
		return;
	stop_deadline(guard);
	if (guard->part != NOTHING && time != NULL) {
		event_add(&guard->deadline, time);
		guard->timed = guard->part;
	}
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_guard *guard = arg;

	(void)fd;
	(void)what;
	guard->timed = NOTHING;
	/* What evhttp does when nothing comes for too long. */
	bufferevent_trigger_event(guard->bev, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
}

/* Evhttp does not stop reading while it writes, but wants nothing of it. */
static void
limit_input(struct libevent4j_guard *guard, struct evbuffer *input)
{
	bufferevent_data_cb read;

	if (guard->limited || guard->guards->only_count || evbuffer_get_length(input) <= MAX_AHEAD)
		return;
	bufferevent_getcb(guard->bev, &read, NULL, NULL, NULL);
	if (read == NULL) {
		guard->limited = true;
		bufferevent_setwatermark(guard->bev, EV_READ, 0, MAX_AHEAD);
	}
}

static void
lift_limit(struct libevent4j_guard *guard)
{
	if (guard->limited)
		bufferevent_setwatermark(guard->bev, EV_READ, 0, 0);
	guard->limited = false;
}

/*
 * Libevent reads 4 KiB, and then looks at everything else. When it has got as much there is more, of a body: it is read at once, which
 * brings on_input() again.
 */
static void
read_on(struct libevent4j_guard *guard, struct evbuffer *input, size_t got)
{
	size_t size = guard->state == BODY && guard->remaining < READ_ON_SIZE ? (size_t)guard->remaining : READ_ON_SIZE;
	struct evbuffer_iovec room;
	bufferevent_data_cb read;
	ev_ssize_t more;

	bufferevent_getcb(guard->bev, &read, NULL, NULL, NULL);
	if (guard->reading_on || got < READ_SIZE || !guard->plain || guard->paused || read == NULL)
		return;
	if (evbuffer_reserve_space(input, (ev_ssize_t)size, &room, 1) != 1)
		return;
	more = recv(bufferevent_getfd(guard->bev), room.iov_base, size, 0);
	if (more > 0) {
		room.iov_len = (size_t)more;
		guard->reading_on = true;
		evbuffer_commit_space(input, &room, 1);
		guard->reading_on = false;
	} else if (more < 0 && !libevent4j_would_block(evutil_socket_geterror(bufferevent_getfd(guard->bev)))) {
		/* The socket does not tell it again. */
		bufferevent_trigger_event(guard->bev, BEV_EVENT_READING | BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
	}
}

static void meet(struct libevent4j_guard *guard);

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct libevent4j_guard *guard = arg;

	if (info->n_added == 0)
		return;
	guard->active = guard->guards->ticks;
	if (guard->surplus) {
		evbuffer_drain(input, (size_t)-1);
		return;
	}
	if (guard->connection == NULL)
		meet(guard);
	guard->added += info->n_added;
	if (guard->state != REFUSED)
		libevent4j_count(&guard->guards->counters->received, (int64_t)info->n_added);
	limit_input(guard, input);
	if (guard->guards->limits.strict && guard->state != HELD && guard->state != REFUSED) {
		judge(guard, input, info->n_added);
		start_deadline(guard);
	}
	if (guard->state == BODY || guard->state == CHUNK_DATA)
		read_on(guard, input, info->n_added);
}

/* ---- evhttp's own answers ---- */

/* What goes out while no exchange has the connection is from evhttp itself. Its status stands at the same place in each answer. */
static void
read_status(struct libevent4j_guard *guard, struct evbuffer *output, size_t from)
{
	struct evbuffer_ptr at;
	char line[sizeof("HTTP/1.1 200") - 1];
	bool read;
	int status;

	evbuffer_unfreeze(output, 1); /* as it is while it is read or written */
	read = evbuffer_ptr_set(output, &at, from, EVBUFFER_PTR_SET) == 0 &&
	    evbuffer_copyout_from(output, &at, line, sizeof(line)) == sizeof(line);
	evbuffer_freeze(output, 1);
	if (!read)
		return;
	status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
	if (status < 200) /* goes before another */
		return;
	guard->answer = status;
	guard->answered_from = guard->sent + from;
	guard->refused = true;
	libevent4j_count(&guard->guards->counters->answered, 1);
	libevent4j_count_status(guard->guards->counters, status);
}

static void
answer_ends(struct libevent4j_guard *guard, bool complete)
{
	int status = guard->answer;
	JNIEnv *env;
	jstring host;
	char *address;
	ev_uint16_t port;

	guard->answer = 0;
	if (guard->guards->log == NULL || guard->connection == NULL)
		return;
	env = libevent4j_env();
	evhttp_connection_get_peer(guard->connection, &address, &port);
	host = (*env)->NewStringUTF(env, address);
	if (!libevent4j_upcall_done(env))
		return;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.server_answered, ID(guard->guards->log),
	    (jint)status, (jboolean)complete, (jlong)(guard->sent - guard->answered_from), host, (jint)port);
	libevent4j_upcall_done(env);
	(*env)->DeleteLocalRef(env, host);
}

/* ---- replies that go together ---- */

#define GATHERED (16 * 1024) /* bytes that wait for more at most */

/* Whether what has come and was not read by evhttp yet begins with a whole request: it is going to be answered, if by evhttp itself. */
static bool
has_more(const struct libevent4j_guard *guard)
{
	uint64_t whole = guard->state == REQUEST_LINE && guard->part == NOTHING ? guard->added : guard->begun;

	return guard->plain && guard->guards->limits.strict && guard->state != HELD && guard->state != REFUSED &&
	    guard->added - evbuffer_get_length(bufferevent_get_input(guard->bev)) < whole;
}

size_t
libevent4j_guard_room(const struct libevent4j_guard *guard, const struct libevent4j_counters *counters)
{
	if (!guard->plain || guard->state == HELD || evbuffer_get_length(bufferevent_get_output(guard->bev)) > 0)
		return 0;
	if (guard->gathered == NULL && !has_more(guard))
		return SIZE_MAX;
	return counters == guard->guards->counters ? GATHERED - guard->gathered_length : 0; /* another server's may be gone when they go out */
}

const char *
libevent4j_guard_content_type(const struct libevent4j_guard *guard)
{
	return guard->guards->content_type;
}

static void
count_sent(struct libevent4j_guard *guard, size_t bytes)
{
	guard->active = guard->guards->ticks;
	guard->sent += bytes;
	libevent4j_count(&guard->guards->counters->sent, (int64_t)bytes);
}

bool
libevent4j_guard_owes(struct libevent4j_guard *guard, int status)
{
	if (guard->gathered == NULL)
		return false;
	guard->owed[status >= 100 && status < 600 ? status / 100 - 1 : 4]++;
	return true;
}

static void
settle(struct libevent4j_guard *guard, bool complete)
{
	for (int class = 0; class < 5; class++)
		for (; guard->owed[class] > 0; guard->owed[class]--)
			libevent4j_count_end(guard->guards->counters, 100 * (class + 1), complete);
}

/* They are somewhere else, or lost. */
static void
free_gathered(struct libevent4j_guard *guard)
{
	if (guard->flushing)
		event_del(&guard->flush);
	guard->flushing = false;
	libevent4j_free(guard->gathered);
	guard->gathered = NULL;
	guard->gathered_length = 0;
}

/* How many of the bytes the socket takes. */
static size_t
send_bytes(struct libevent4j_guard *guard, const char *bytes, size_t length)
{
	ssize_t sent = send(bufferevent_getfd(guard->bev), bytes, length, 0);

	if (sent <= 0) /* an error comes up again when evhttp writes */
		return 0;
	count_sent(guard, (size_t)sent);
	return (size_t)sent;
}

/* False when the socket does not take them all. */
static bool
send_gathered(struct libevent4j_guard *guard)
{
	size_t sent = send_bytes(guard, guard->gathered, guard->gathered_length);

	guard->gathered_length -= sent;
	if (guard->gathered_length > 0) {
		memmove(guard->gathered, guard->gathered + sent, guard->gathered_length);
		return false;
	}
	free_gathered(guard);
	settle(guard, true);
	return true;
}

/* Nothing may go out any more: something that was to go ahead is lost. */
static int
break_off(struct libevent4j_guard *guard)
{
	shutdown(bufferevent_getfd(guard->bev), SHUT_WR);
	return -1;
}

int
libevent4j_guard_send(struct libevent4j_guard *guard, const char *bytes, size_t length, struct evbuffer **rest)
{
	bool more = has_more(guard);
	size_t sent;

	*rest = NULL;
	if (more && guard->gathered == NULL)
		guard->gathered = libevent4j_malloc(GATHERED); /* without it: one that is sent now */
	if (guard->gathered != NULL) {
		memcpy(guard->gathered + guard->gathered_length, bytes, length);
		guard->gathered_length += length;
		if (more || send_gathered(guard))
			return 0;
		bytes = guard->gathered;
		length = guard->gathered_length;
	} else {
		sent = send_bytes(guard, bytes, length);
		bytes += sent;
		length -= sent;
	}
	if (length == 0)
		return 0;
	*rest = evbuffer_new();
	if (*rest == NULL || evbuffer_add(*rest, bytes, length) != 0) {
		if (*rest != NULL)
			evbuffer_free(*rest);
		return break_off(guard);
	}
	free_gathered(guard);
	return 0;
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_guard *guard = arg;
	size_t before = guard->gathered_length;

	(void)fd;
	(void)what;
	guard->flushing = false;
	if (send_gathered(guard))
		return;
	/* Of an error the socket would tell again and again. */
	if (guard->gathered_length < before || libevent4j_would_block(libevent4j_error()))
		guard->flushing = event_add(&guard->flush, NULL) == 0;
}

void
libevent4j_guard_flush(struct libevent4j_guard *guard)
{
	if (guard->paused && guard->gathered != NULL && !guard->flushing)
		on_flush(-1, 0, guard);
}

size_t
libevent4j_guard_gathered(const struct libevent4j_guard *guard)
{
	return guard->gathered_length;
}

/* Whatever comes into the output, by whoever's doing, has them in front. */
static void
put_in_front(struct libevent4j_guard *guard)
{
	struct evbuffer *output = bufferevent_get_output(guard->bev);

	if (guard->gathered == NULL)
		return;
	guard->replacing = true;
	evbuffer_unfreeze(output, 1);
	if (evbuffer_prepend(output, guard->gathered, guard->gathered_length) != 0)
		break_off(guard);
	evbuffer_freeze(output, 1);
	guard->replacing = false;
	free_gathered(guard);
}

static void
on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct libevent4j_guard *guard = arg;

	if (guard->replacing)
		return;
	guard->active = guard->guards->ticks;
	if (info->n_added > 0)
		put_in_front(guard);
	if (info->n_deleted > 0) {
		count_sent(guard, info->n_deleted);
		if (evbuffer_get_length(output) == 0)
			settle(guard, true);
	}
	if (guard->paused)
		return;
	if (guard->answer == 0 && info->n_added > 0)
		read_status(guard, output, evbuffer_get_length(output) - info->n_added);
	else if (guard->answer != 0 && evbuffer_get_length(output) == 0)
		answer_ends(guard, true);
}

/* ---- lingering ---- */

static void
free_lingering(struct lingering *lingering)
{
	evutil_socket_t fd = event_get_fd(&lingering->readable);

	LIST_REMOVE(lingering, next);
	event_del(&lingering->readable);
	event_debug_unassign(&lingering->readable);
	event_del(&lingering->deadline);
	event_debug_unassign(&lingering->deadline);
	libevent4j_descriptor_close(fd);
	libevent4j_count(&lingering->guards->counters->open, -1);
	libevent4j_free(lingering);
}

static void
on_late_input(evutil_socket_t fd, short what, void *arg)
{
	char nowhere[16 * 1024];

	/* The end and an error end it, and so does its time. */
	if ((what & EV_TIMEOUT) != 0 ||
	    (recv(fd, nowhere, sizeof(nowhere), 0) <= 0 && !libevent4j_would_block(libevent4j_error())))
		free_lingering(arg);
}

/* Evhttp is about to free the connection: it shuts the socket down, and leaves it to the bufferevent to close what that has. */
static bool
linger(struct libevent4j_guard *guard)
{
	struct libevent4j_guards *guards = guard->guards;
	struct event_base *base = guards->loop->base;
	evutil_socket_t fd = bufferevent_getfd(guard->bev);
	struct lingering *lingering;

	if (!guard->refused || !guard->plain || guards->only_count || fd < 0 || (lingering = libevent4j_calloc(sizeof(*lingering))) == NULL)
		return false;
	bufferevent_setfd(guard->bev, -1);
	lingering->guards = guards;
	event_assign(&lingering->readable, base, fd, EV_READ | EV_PERSIST, on_late_input, lingering);
	event_assign(&lingering->deadline, base, -1, 0, on_late_input, lingering);
	LIST_INSERT_HEAD(&guards->lingerings, lingering, next);
	event_add(&lingering->readable, NULL);
	event_add(&lingering->deadline, &LINGER_TIME);
	return true;
}

/* ---- inactive connections ---- */

/*
 * Evhttp's timeouts are the events' own, which it starts anew several times for each request. Here a connection notes the tick of its last
 * byte, and at each tick, of which there are a few in the idle time, those are closed whose byte is too long ago. A request that has no
 * reply yet is no inactivity.
 */
static bool
is_idle(const struct libevent4j_guard *guard)
{
	return guard->guards->ticks - guard->active > IDLE_TICKS && !guard->yielded &&
	    (!guard->paused || guard->gathered != NULL || evbuffer_get_length(bufferevent_get_output(guard->bev)) > 0);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_guards *guards = arg;
	struct libevent4j_guard_list looked_at = LIST_HEAD_INITIALIZER(looked_at);
	struct libevent4j_guard *guard;

	(void)fd;
	(void)what;
	guards->ticks++;
	/* The end of one may be the end of others. */
	while ((guard = LIST_FIRST(&guards->known)) != NULL) {
		LIST_REMOVE(guard, next);
		LIST_INSERT_HEAD(&looked_at, guard, next);
		if (is_idle(guard)) /* what evhttp's own timeout does */
			bufferevent_trigger_event(guard->bev, (guard->paused ? BEV_EVENT_WRITING : BEV_EVENT_READING) | BEV_EVENT_TIMEOUT, 0);
	}
	while ((guard = LIST_FIRST(&looked_at)) != NULL) {
		LIST_REMOVE(guard, next);
		LIST_INSERT_HEAD(&guards->known, guard, next);
	}
}

static void
begin_ticks(struct libevent4j_guards *guards)
{
	int64_t micros = guards->idle_micros / IDLE_TICKS + 1;
	struct timeval tick = libevent4j_timeval(micros > SHORTEST_TICK ? micros : SHORTEST_TICK);

	if (guards->idle_micros > 0)
		event_add(&guards->tick, &tick);
}

void
libevent4j_guards_set_idle(struct libevent4j_guards *guards, int64_t micros)
{
	guards->idle_micros = micros;
}

/* ---- connections ---- */

static void
unwatch_buffers(struct libevent4j_guard *guard)
{
	evbuffer_remove_cb(bufferevent_get_input(guard->bev), on_input, guard);
	evbuffer_remove_cb(bufferevent_get_output(guard->bev), on_output, guard);
}

static void
free_guard(struct libevent4j_guard *guard, bool lingers)
{
	LIST_REMOVE(guard, next);
	free_gathered(guard);
	settle(guard, false);
	if (guard->connection != NULL && guard->plain) {
		event_del(&guard->flush);
		event_debug_unassign(&guard->flush);
	}
	if (guard->connection != NULL && --guard->guards->known_count == 0)
		event_del(&guard->guards->tick);
	event_del(&guard->deadline);
	event_debug_unassign(&guard->deadline);
	if (!guard->surplus && !lingers)
		libevent4j_count(&guard->guards->counters->open, -1);
	libevent4j_free(guard);
}

void
libevent4j_guard_end(struct libevent4j_guard *guard)
{
	if (guard->answer != 0)
		answer_ends(guard, false);
	if (guard->gathered != NULL)
		send_gathered(guard); /* what was answered, if the socket takes it */
	libevent4j_epoll_closing(guard->guards->loop, bufferevent_getfd(guard->bev));
	unwatch_buffers(guard);
	LIST_REMOVE(guard, same);
	free_guard(guard, linger(guard));
}

static void
on_connection_closed(struct evhttp_connection *connection, void *arg)
{
	(void)connection;
	libevent4j_guard_end(arg);
}

static struct libevent4j_guard_list *
same(struct libevent4j_loop *loop, const struct evhttp_connection *connection)
{
	return &loop->guards[((uintptr_t)connection >> 6) % LIBEVENT4J_GUARD_LISTS];
}

struct libevent4j_guard *
libevent4j_guard_of(struct libevent4j_loop *loop, const struct evhttp_connection *connection)
{
	struct libevent4j_guard *guard;

	LIST_FOREACH (guard, same(loop, connection), same)
		if (guard->connection == connection)
			break;
	return guard;
}

/* Evhttp has the connection now, as the argument of the bufferevent's callbacks, or could not make it. */
static void
meet(struct libevent4j_guard *guard)
{
	bufferevent_event_cb event;
	struct bufferevent *bev = guard->bev;
	void *connection;

	bufferevent_getcb(bev, NULL, NULL, &event, &connection);
	if (event == NULL) {
		unwatch_buffers(guard);
		free_guard(guard, false);
	} else {
		guard->connection = connection;
		guard->active = guard->guards->ticks;
		if (guard->guards->known_count++ == 0)
			begin_ticks(guard->guards);
		LIST_REMOVE(guard, next);
		LIST_INSERT_HEAD(&guard->guards->known, guard, next);
		LIST_INSERT_HEAD(same(guard->guards->loop, connection), guard, same);
		evhttp_connection_set_closecb(connection, on_connection_closed, guard);
		if (guard->plain) {
			libevent4j_epoll_opened(guard->guards->loop, bufferevent_getfd(bev));
			event_assign(&guard->flush, guard->guards->loop->base, bufferevent_getfd(bev), EV_WRITE, on_flush, guard);
		}
	}
	bufferevent_decref(bev);
	if (event != NULL && guard->surplus)
		evhttp_connection_free(connection);
}

static void
on_meet(evutil_socket_t fd, short what, void *arg)
{
	struct libevent4j_guards *guards = arg;

	(void)fd;
	(void)what;
	while (!LIST_EMPTY(&guards->fresh))
		meet(LIST_FIRST(&guards->fresh));
}

/* ---- for http_server.c ---- */

void
libevent4j_guard_pause(struct libevent4j_guard *guard)
{
	guard->paused = true;
	guard->refused = false;
	stop_deadline(guard);
}

void
libevent4j_guard_resume(struct libevent4j_guard *guard)
{
	struct evbuffer *input = bufferevent_get_input(guard->bev);

	evhttp_connection_set_closecb(guard->connection, on_connection_closed, guard);
	guard->paused = false;
	guard->active = guard->guards->ticks;
	lift_limit(guard);
	if (guard->state == HELD) {
		guard->state = REQUEST_LINE;
		evbuffer_unfreeze(input, 0); /* as it is while bytes come */
		judge(guard, input, evbuffer_get_length(input));
		evbuffer_freeze(input, 0);
	}
	start_deadline(guard);
}

bool
libevent4j_guard_is_plain(const struct libevent4j_guard *guard)
{
	return guard->plain;
}

void
libevent4j_guard_replace(struct libevent4j_guard *guard, bool begin)
{
	guard->replacing = begin;
}

uint64_t
libevent4j_guard_sent(const struct libevent4j_guard *guard)
{
	return guard->sent;
}

void
libevent4j_guard_yield(struct libevent4j_guard *guard)
{
	guard->state = HELD;
	guard->yielded = true;
	lift_limit(guard);
	put_in_front(guard); /* of what follows */
	libevent4j_epoll_closing(guard->guards->loop, bufferevent_getfd(guard->bev));
}

/* There are many deadlines of few lengths, and nearly all are taken back: the base has a queue for each length. */
static bool
set_time(struct event_base *base, int64_t micros, const struct timeval **time)
{
	struct timeval tv = libevent4j_timeval(micros);

	*time = micros == 0 ? NULL : event_base_init_common_timeout(base, &tv);
	return micros == 0 || *time != NULL;
}

struct libevent4j_guards *
libevent4j_guards_new(struct libevent4j_loop *loop, const struct libevent4j_limits *limits, struct libevent4j_counters *counters)
{
	struct libevent4j_guards *guards = libevent4j_calloc(sizeof(*guards));

	if (guards == NULL || !set_time(loop->base, limits->head_micros, &guards->head) ||
	    !set_time(loop->base, limits->body_micros, &guards->body)) {
		libevent4j_free(guards);
		return NULL;
	}
	guards->loop = loop;
	guards->limits = *limits;
	guards->counters = counters;
	guards->only_count = !limits->strict && limits->max_connections == 0 && limits->max_headers == 0 &&
	    limits->head_micros == 0 && limits->body_micros == 0;
	event_assign(&guards->meet, loop->base, -1, 0, on_meet, guards);
	event_assign(&guards->tick, loop->base, -1, EV_PERSIST, on_tick, guards);
	return guards;
}

void
libevent4j_guards_log(struct libevent4j_guards *guards, void *id)
{
	guards->log = id;
}

void
libevent4j_guards_set_content_type(struct libevent4j_guards *guards, const char *type)
{
	guards->content_type = type;
}

void
libevent4j_guards_meet(struct libevent4j_guards *guards)
{
	on_meet(-1, 0, guards);
}

void
libevent4j_guards_free(struct libevent4j_guards *guards)
{
	while (!LIST_EMPTY(&guards->lingerings))
		free_lingering(LIST_FIRST(&guards->lingerings));
	event_del(&guards->meet);
	event_debug_unassign(&guards->meet);
	event_debug_unassign(&guards->tick);
	libevent4j_free(guards);
}

int
libevent4j_guard_new(struct libevent4j_guards *guards, struct bufferevent *bev, bool plain)
{
	struct libevent4j_counters *counters = guards->counters;
	struct libevent4j_guard *guard = libevent4j_calloc(sizeof(*guard));

	if (guard == NULL || evbuffer_add_cb(bufferevent_get_input(bev), on_input, guard) == NULL) {
		libevent4j_free(guard);
		return -1;
	}
	if (evbuffer_add_cb(bufferevent_get_output(bev), on_output, guard) == NULL) {
		evbuffer_remove_cb(bufferevent_get_input(bev), on_input, guard);
		libevent4j_free(guard);
		return -1;
	}
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL); /* until evhttp sets its own */
	bufferevent_incref(bev);
	guard->guards = guards;
	guard->bev = bev;
	guard->plain = plain;
	event_assign(&guard->deadline, guards->loop->base, -1, 0, on_deadline, guard);
	if (guards->limits.max_connections != 0 && atomic_load(&counters->open) >= guards->limits.max_connections) {
		guard->surplus = true;
		libevent4j_count(&counters->refused, 1);
	} else {
		libevent4j_count(&counters->accepted, 1);
		libevent4j_count(&counters->open, 1);
	}
	LIST_INSERT_HEAD(&guards->fresh, guard, next);
	event_active(&guards->meet, EV_TIMEOUT, 0);
	return 0;
}
