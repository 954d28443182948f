/*
 * Evhttp takes a head line by line from its buffer with evbuffer_readln(), which looks for the line's end, for what is before that, copies
 * the line, drains it and then its end, each time through the buffer's chains, its lock and its callbacks. It is compiled to call this
 * instead: the same for a line that is in the first chain, as most are, and evbuffer_readln() itself for all others. Callbacks hear at
 * once of a line and its end, and not of one after the other.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <string.h>

/* Libevent's own, for what it frees itself. */
void *event_mm_malloc_(size_t size);
void event_mm_free_(void *memory);
void event_warn(const char *format, ...);

/* So many bytes from the start of the buffer, where they stand, as a string; NULL as of evbuffer_readln(). */
static char *
take(struct evbuffer *buffer, const char *start, size_t length, size_t end)
{
	char *line = event_mm_malloc_(length + 1);

	if (line == NULL) {
		event_warn("evbuffer_readln: out of memory");
		return NULL;
	}
	memcpy(line, start, length);
	line[length] = '\0';
	if (evbuffer_drain(buffer, length + end) == 0)
		return line;
	event_mm_free_(line); /* the buffer's start is frozen */
	return NULL;
}

char *
libevent4j_readln(struct evbuffer *buffer, size_t *length, enum evbuffer_eol_style style)
{
	struct evbuffer_iovec chain;
	const char *end = NULL;
	size_t size;
	char *line;
	bool cr;

	evbuffer_lock(buffer);
	if (style == EVBUFFER_EOL_CRLF && evbuffer_peek(buffer, -1, NULL, &chain, 1) == 1)
		end = memchr(chain.iov_base, '\n', chain.iov_len);
	if (end == NULL) {
		line = evbuffer_readln(buffer, length, style);
	} else {
		size = (size_t)(end - (const char *)chain.iov_base);
		cr = size > 0 && end[-1] == '\r';
		line = take(buffer, chain.iov_base, size - cr, 1 + cr);
		if (length != NULL)
			*length = line == NULL ? 0 : size - cr;
	}
	evbuffer_unlock(buffer);
	return line;
}

#endif
