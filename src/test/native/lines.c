/*
 * Whether what evhttp is compiled to call does what libevent's own functions do, for LineTest: libevent4j_readln() reads the same buffer's
 * lines, of all that a line's end can be made of, in pieces of many sizes, from a buffer that is frozen, and without memory; and
 * libevent4j_strcasecmp() finds the same names the same.
 *
 *   lines    says on standard error what is not the same, and exits with 1 then
 */
#define LIBEVENT4J_IN_http
#include "calls.h"
#undef evbuffer_readln
#undef evutil_ascii_strcasecmp

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#define ROUNDS 20000
#define MOST 40 /* bytes in a buffer */

char *libevent4j_readln(struct evbuffer *buffer, size_t *length, enum evbuffer_eol_style style);

static bool without_memory;
static unsigned live;

static void *
count_malloc(size_t size)
{
	void *memory = without_memory ? NULL : malloc(size);

	live += memory != NULL;
	return memory;
}

static void
count_free(void *memory)
{
	live -= memory != NULL;
	free(memory);
}

static void
log_nothing(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

static void
on_change(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *deleted)
{
	(void)buffer;
	*(size_t *)deleted += info->n_deleted;
}

/* A buffer of these bytes, in chains that end where the bits say so. */
static struct evbuffer *
make(const char *bytes, size_t size, unsigned long ends, size_t *deleted)
{
	struct evbuffer *buffer = evbuffer_new();
	size_t start = 0;

	for (size_t end = 1; end <= size; end++) {
		if (end == size || (ends >> (end % 32) & 1) != 0) {
			evbuffer_add_reference(buffer, bytes + start, end - start, NULL, NULL);
			start = end;
		}
	}
	evbuffer_add_cb(buffer, on_change, deleted);
	return buffer;
}

static bool
same(struct evbuffer *ours, struct evbuffer *theirs)
{
	size_t size = evbuffer_get_length(theirs);

	return evbuffer_get_length(ours) == size && (size == 0 || memcmp(evbuffer_pullup(ours, -1), evbuffer_pullup(theirs, -1), size) == 0);
}

/* Reads all lines of both, until there is none; what was not the same, or NULL. */
static const char *
compare(struct evbuffer *ours, struct evbuffer *theirs, enum evbuffer_eol_style style, bool with_length)
{
	size_t our_length = 99, their_length = 99;
	char *our_line, *their_line;
	const char *wrong = NULL;

	do {
		our_line = libevent4j_readln(ours, with_length ? &our_length : NULL, style);
		their_line = evbuffer_readln(theirs, with_length ? &their_length : NULL, style);
		if ((our_line == NULL) != (their_line == NULL))
			wrong = "whether there is a line";
		else if (our_length != their_length)
			wrong = "its length";
		else if (our_line != NULL && (with_length ? memcmp(our_line, their_line, our_length + 1) : strcmp(our_line, their_line)) != 0)
			wrong = "the line";
		count_free(our_line);
		count_free(their_line);
	} while (wrong == NULL && our_line != NULL);
	return wrong;
}

static const char *
try(unsigned round)
{
	static const char alphabet[] = "\n\r\n\r\nabc: \t"; /* and its NUL */
	char bytes[MOST];
	size_t size = (size_t)(random() % (MOST + 1)), our_deleted = 0, their_deleted = 0;
	unsigned long ends = random() % 3 == 0 ? 0 : (unsigned long)(random() & random());
	enum evbuffer_eol_style style = random() % 4 == 0 ? (enum evbuffer_eol_style)(random() % 5) : EVBUFFER_EOL_CRLF;
	struct evbuffer *ours, *theirs;
	bool frozen = round % 7 == 0;
	const char *wrong;

	for (size_t i = 0; i < size; i++)
		bytes[i] = alphabet[random() % (long)sizeof(alphabet)];
	ours = make(bytes, size, ends, &our_deleted);
	theirs = make(bytes, size, ends, &their_deleted);
	if (frozen) {
		evbuffer_freeze(ours, 1);
		evbuffer_freeze(theirs, 1);
	}
	without_memory = round % 5 == 0;
	wrong = compare(ours, theirs, style, round % 3 != 0);
	without_memory = false;
	evbuffer_unfreeze(ours, 1);
	evbuffer_unfreeze(theirs, 1);
	if (wrong == NULL && our_deleted != their_deleted)
		wrong = "what callbacks hear";
	if (wrong == NULL && !same(ours, theirs))
		wrong = "what is left";
	evbuffer_free(ours);
	evbuffer_free(theirs);
	return wrong;
}

/* Names whose first characters are any two, with the rest the same and not. */
static bool
compares_names(void)
{
	for (unsigned pair = 0; pair < 256 * 256 * 2; pair++) {
		char one[] = {(char)pair, 'b', '\0'}, other[] = {(char)(pair >> 8), pair < 256 * 256 ? 'B' : 'c', '\0'};

		if ((libevent4j_strcasecmp(one, other) == 0) != (evutil_ascii_strcasecmp(one, other) == 0))
			return false;
	}
	return true;
}

int
main(void)
{
	if (!compares_names()) {
		fprintf(stderr, "not the same: names\n");
		return 1;
	}
	event_set_mem_functions(count_malloc, realloc, count_free);
	event_set_log_callback(log_nothing);
	for (unsigned round = 0; round < ROUNDS; round++) {
		const char *wrong;

		srandom(round);
		wrong = try(round);
		if (wrong == NULL && live > 0)
			wrong = "what is freed";
		if (wrong != NULL) {
			fprintf(stderr, "round %u: not the same: %s\n", round, wrong);
			return 1;
		}
	}
	return 0;
}
