/*
 * What a safe client does beyond evhttp: it refuses responses whose framing two readers could understand differently, so that nobody
 * in between can make one response of two, or two of one. What is merely old passes: lines that end with LF alone or are continued.
 *
 * The bytes are looked at as they enter the connection's input, before evhttp sees them: a NUL, which ends evhttp's strings, and the
 * chunks' sizes and ends cannot be seen later. All else is looked at in the headers.
 */
#include "internal.h"

#include <ctype.h>
#include <string.h>

#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

enum {
	STATUS_LINE,
	LINE,       /* of a head, or of trailers */
	LINE_START, /* they may end here */
	LINE_START_CR,
	UNJUDGED, /* behind a head that evhttp has not read yet, in a body, behind it */
	CHUNK_SIZE,
	CHUNK_EXTENSION, /* behind a space */
	CHUNK_SIZE_CR,
	CHUNK_DATA,
	CHUNK_END,
	CHUNK_END_CR
};

#define MAX_CHUNK_DIGITS 15 /* these surely fit */
#define MAX_LENGTH_DIGITS 18

const bool libevent4j_token[256] = {
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
	['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1,
	['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
	['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1,
	['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1,
	['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1,
	['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1};

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Whether a header's name, of that length, is this one; mostly in the same case. */
#define IS_NAMED(header, length, name) ((length) == sizeof(name) - 1 && \
    (memcmp((header)->key, name, sizeof(name) - 1) == 0 || evutil_ascii_strcasecmp((header)->key, name) == 0))

void
libevent4j_framing_begin(struct libevent4j_framing *framing)
{
	framing->state = STATUS_LINE;
	framing->count = 0;
}

void
libevent4j_framing_body(struct libevent4j_framing *framing, bool chunked)
{
	framing->state = chunked ? CHUNK_SIZE : UNJUDGED;
	framing->remaining = 0;
	framing->count = 0;
}

/* HTTP/1.d ddd, and the end or a reason. */
static const char STATUS[] = "HTTP/1.d ddd";

static bool
in_status_line(unsigned position, unsigned char c)
{
	if (position < sizeof(STATUS) - 1)
		return STATUS[position] == 'd' ? is_digit(c) : c == (unsigned char)STATUS[position];
	return c == ' ' || c == '\r' || c == '\n';
}

static void
chunk_size_ends(struct libevent4j_framing *framing)
{
	framing->state = framing->remaining > 0 ? CHUNK_DATA : LINE_START;
	framing->count = 0;
}

static bool
take(struct libevent4j_framing *framing, unsigned char c)
{
	switch (framing->state) {
	case STATUS_LINE:
		if (!in_status_line(framing->count++, c))
			return false;
		if (c == '\n')
			framing->state = LINE_START;
		else if (framing->count == sizeof(STATUS))
			framing->state = LINE;
		return true;
	case LINE_START:
		framing->state = c == '\n' ? UNJUDGED : c == '\r' ? LINE_START_CR : LINE;
		return c != '\0';
	case LINE_START_CR:
		framing->state = UNJUDGED;
		return c == '\n';
	case CHUNK_SIZE:
		if (isxdigit(c)) {
			framing->remaining = framing->remaining * 16 + (uint64_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
			return ++framing->count <= MAX_CHUNK_DIGITS;
		}
		if (framing->count == 0)
			return false;
		if (c == '\n')
			chunk_size_ends(framing);
		else
			framing->state = c == '\r' ? CHUNK_SIZE_CR : CHUNK_EXTENSION;
		framing->count = 0;
		return c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == ';';
	case CHUNK_EXTENSION: /* blanks, and what a semicolon begins */
		framing->count += c == ';';
		if (c == '\n')
			chunk_size_ends(framing);
		else if (c == '\r')
			framing->state = CHUNK_SIZE_CR;
		return c == '\n' || c == '\r' || c == ' ' || c == '\t' || (framing->count > 0 && c > ' ' && c != 0x7f);
	case CHUNK_SIZE_CR:
		chunk_size_ends(framing);
		return c == '\n';
	case CHUNK_END:
		framing->state = c == '\n' ? CHUNK_SIZE : CHUNK_END_CR;
		return c == '\n' || c == '\r';
	default: /* CHUNK_END_CR */
		framing->state = CHUNK_SIZE;
		return c == '\n';
	}
}

/* The bytes of a status line up to its reason, where they are there in one piece; else 0. */
static size_t
status_length(const unsigned char *bytes, size_t length)
{
	unsigned position = 0;

	if (length < sizeof(STATUS))
		return 0;
	while (position < sizeof(STATUS) && in_status_line(position, bytes[position]))
		position++;
	return position == sizeof(STATUS) && bytes[position - 1] != '\n' ? position : 0;
}

static bool
read_bytes(struct libevent4j_framing *framing, const unsigned char *bytes, size_t length)
{
	const unsigned char *end = bytes + length;
	const unsigned char *nul = framing->state == CHUNK_DATA ? bytes : memchr(bytes, '\0', length); /* or an earlier byte */

	if (framing->state == STATUS_LINE && framing->count == 0) {
		bytes += status_length(bytes, length);
		if (end - bytes < (ptrdiff_t)length)
			framing->state = LINE;
	}
	while (bytes < end && framing->state != UNJUDGED) {
		if (framing->state == LINE) {
			const unsigned char *line = bytes, *line_end;

			do { /* what a line begins with is mostly neither its end nor a NUL */
				line_end = memchr(bytes, '\n', (size_t)(end - bytes));
				bytes = line_end == NULL ? end : line_end + 1;
			} while (bytes < end && *bytes > '\r');
			if (line_end != NULL)
				framing->state = LINE_START;
			if (nul != NULL && nul < bytes && memchr(line, '\0', (size_t)(bytes - line)) != NULL)
				return false;
		} else if (framing->state == CHUNK_DATA) {
			size_t part = (size_t)(end - bytes);

			if (part > framing->remaining)
				part = (size_t)framing->remaining;
			bytes += part;
			framing->remaining -= part;
			if (framing->remaining == 0)
				framing->state = CHUNK_END;
		} else if (!take(framing, *bytes++)) {
			return false;
		}
	}
	return true;
}

bool
libevent4j_framing_read(struct libevent4j_framing *framing, struct evbuffer *input, size_t left)
{
	struct evbuffer_ptr at;
	struct evbuffer_iovec extent;

	if (framing->state == CHUNK_DATA && framing->remaining > left) {
		framing->remaining -= left;
		return true;
	}
	if (left == 0 || framing->state == UNJUDGED)
		return true;
	if (evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - left, EVBUFFER_PTR_SET) != 0)
		return false;
	while (left > 0) {
		size_t length;

		if (evbuffer_peek(input, (ev_ssize_t)left, &at, &extent, 1) < 1)
			return false;
		length = extent.iov_len < left ? extent.iov_len : left;
		if (!read_bytes(framing, extent.iov_base, length))
			return false;
		left -= length;
		if (left > 0 && evbuffer_ptr_set(input, &at, length, EVBUFFER_PTR_ADD) != 0)
			return false;
	}
	return true;
}

bool
libevent4j_framing_in_head(const struct libevent4j_framing *framing)
{
	return framing->state < UNJUDGED;
}

bool
libevent4j_framing_waits(const struct libevent4j_framing *framing)
{
	return framing->state != UNJUDGED;
}

/* How long a name is; 0 when it is not a token. */
static size_t
token_length(const char *name)
{
	size_t length = 0;

	while (libevent4j_token[(unsigned char)name[length]])
		length++;
	return name[length] == '\0' ? length : 0;
}

bool
libevent4j_framing_judge(const struct evhttp_request *response, struct libevent4j_framing_headers *found)
{
	const struct evkeyval *header;
	const char *length = NULL, *connection = NULL;
	unsigned codings = 0;

	for (header = response->input_headers->tqh_first; header != NULL; header = header->next.tqe_next) {
		size_t named = token_length(header->key);

		if (named == 0)
			return false;
		if (IS_NAMED(header, named, "Content-Length")) {
			const char *value = header->value;
			size_t digits = 0;

			while (is_digit((unsigned char)value[digits]))
				digits++;
			if (digits == 0 || digits > MAX_LENGTH_DIGITS || value[digits] != '\0' || (length != NULL && strcmp(length, value) != 0))
				return false;
			length = value;
		} else if (IS_NAMED(header, named, "Transfer-Encoding")) {
			if (evutil_ascii_strcasecmp(header->value, "chunked") != 0 || ++codings > 1)
				return false;
		} else if (connection == NULL && IS_NAMED(header, named, "Connection")) {
			connection = header->value;
		}
	}
	found->length = length != NULL;
	found->connection = connection;
	return codings == 0 || (length == NULL && response->minor > 0);
}
