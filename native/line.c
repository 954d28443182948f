/*
 * Evhttp takes a head line by line from its buffer with evbuffer_readln(), which looks for the line's end, for what is before that, copies
 * the line, drains it and then its end, each time through the buffer's chains, its lock and its callbacks. It is compiled to call this
 * instead: the same for a line that is in the first chain, as most are, and evbuffer_readln() itself for all others. Callbacks hear at
 * once of a line and its end, and not of one after the other.
 *
 * It has one line at a time, and frees it soon: that is in memory which its thread keeps. In the name and in the value that it finds there
 * it looks for CR, for LF, and for both: what is known of the line already it is told without looking.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <string.h>

/* Libevent's own, for what it frees itself. */
void *event_mm_malloc_(size_t size);
void event_mm_free_(void *memory);
void event_warn(const char *format, ...);

/* The line that evhttp has in its thread's memory, to which it writes nothing but NULs. */
static LIBEVENT4J_THREAD_LOCAL char *held;  /* NULL for none */
static LIBEVENT4J_THREAD_LOCAL bool is_one; /* neither CR nor LF is in it */

static char *
make_line(size_t size)
{
	char *line = held == NULL && size <= LIBEVENT4J_LINE ? libevent4j_cached_line() : NULL;

	if (line == NULL)
		return event_mm_malloc_(size);
	held = line;
	return line;
}

void
libevent4j_line_free(void *memory)
{
	if (memory != NULL && memory == held)
		held = NULL;
	else
		event_mm_free_(memory);
}

static bool
is_in_line(const char *string)
{
	return held != NULL && is_one && (uintptr_t)string - (uintptr_t)held < LIBEVENT4J_LINE;
}

char *
libevent4j_strchr(const char *string, int character)
{
	return (character == '\r' || character == '\n') && is_in_line(string) ? NULL : strchr(string, character);
}

char *
libevent4j_strpbrk(const char *string, const char *accepted)
{
	return strcmp(accepted, "\r\n") == 0 && is_in_line(string) ? NULL : strpbrk(string, accepted);
}

/* So many bytes from the start of the buffer, where they stand, as a string; NULL as of evbuffer_readln(). */
static char *
take(struct evbuffer *buffer, const char *start, size_t length, size_t end)
{
	char *line = make_line(length + 1);

	if (line == NULL) {
		event_warn("evbuffer_readln: out of memory");
		return NULL;
	}
	memcpy(line, start, length);
	line[length] = '\0';
	if (line == held) /* asked where it has been for longer: the copy is on its way to memory */
		is_one = memchr(start, '\r', length) == NULL;
	if (evbuffer_drain(buffer, length + end) == 0)
		return line;
	libevent4j_line_free(line); /* the buffer's start is frozen */
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
