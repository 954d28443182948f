/*
 * Whether what evhttp is compiled to call does what libevent's own functions do, for LineTest: libevent4j_readln() reads the same buffer's
 * lines, of all that a line's end can be made of, in pieces of many sizes, from a buffer that is frozen, without memory, and where its
 * thread has memory for one; libevent4j_strchr() and libevent4j_strpbrk() find the same in them; and libevent4j_strcasecmp() finds the same
 * names the same.
 *
 *   lines    says on standard error what is not the same, and exits with 1 then
 */
#define LIBEVENT4J_IN_http
#include "calls.h"
#undef evbuffer_readln
#undef event_mm_free_
#undef evutil_ascii_strcasecmp
#undef strchr
#undef strpbrk

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#define ROUNDS 20000
#define MOST 40 /* bytes in a buffer */

char *libevent4j_readln(struct evbuffer *buffer, size_t *length, enum evbuffer_eol_style style);
void libevent4j_line_free(void *memory);
void libevent4j_cache_init(void);
void *libevent4j_cached_malloc(size_t size);
void libevent4j_cached_free(void *memory);
char *libevent4j_cached_line(void);

static bool without_memory, with_cache;
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

/* Whether the same is found from any place in the line. */
static bool
finds(const char *line)
{
	static const char *const sets[] = {"\r\n", "\n\r", "\r", ":a"};

	for (size_t length = strlen(line), i = 0; i <= length; i++) {
		for (const char *character = "\r\n:a"; *character != '\0'; character++)
			if (libevent4j_strchr(line + i, *character) != strchr(line + i, *character))
				return false;
		for (size_t set = 0; set < sizeof(sets) / sizeof(sets[0]); set++)
			if (libevent4j_strpbrk(line + i, sets[set]) != strpbrk(line + i, sets[set]))
				return false;
	}
	return true;
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
		else if (our_line != NULL && !(finds(our_line) && finds(their_line)))
			wrong = "what is found";
		libevent4j_line_free(our_line);
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
	without_memory = round % 5 == 0 && !with_cache;
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

/* What was known of a line is forgotten with it: its memory is any other's then. A second line is in other memory, and a long one. */
static const char *
keep(void)
{
	static char bytes[2 * 1024];
	struct evbuffer *buffer = evbuffer_new();
	const char *wrong = NULL;
	char *first, *second;

	memset(bytes, 'a', sizeof(bytes));
	evbuffer_add(buffer, "one\r\ntwo\r\n", 10);
	first = libevent4j_readln(buffer, NULL, EVBUFFER_EOL_CRLF);
	second = libevent4j_readln(buffer, NULL, EVBUFFER_EOL_CRLF);
	if (strcmp(first, "one") != 0 || strcmp(second, "two") != 0)
		wrong = "two lines at once";
	libevent4j_line_free(second);
	libevent4j_line_free(first);
	if (first == second)
		wrong = "the second's memory";
	if (first == libevent4j_cached_line()) { /* nobody's now */
		first[1] = '\r';
		if (libevent4j_strchr(first, '\r') != first + 1 || libevent4j_strpbrk(first, "\r\n") != first + 1)
			wrong = "what is found where a line was";
	}
	for (size_t size = 1020; wrong == NULL && size < 1030; size++) {
		evbuffer_add(buffer, bytes, size);
		evbuffer_add(buffer, "\r\n", 2);
		evbuffer_pullup(buffer, -1);
		first = libevent4j_readln(buffer, NULL, EVBUFFER_EOL_CRLF);
		if (strlen(first) != size || memcmp(first, bytes, size) != 0)
			wrong = "a long line";
		libevent4j_line_free(first);
	}
	evbuffer_free(buffer);
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
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		const char *wrong;

		if (round == ROUNDS) { /* a thread keeps something from when it frees something */
			libevent4j_cache_init();
			libevent4j_cached_free(libevent4j_cached_malloc(1));
			with_cache = true;
		}
		srandom(round);
		wrong = try(round);
		if (wrong == NULL && round % ROUNDS == 0)
			wrong = keep();
		if (wrong == NULL && live > 0)
			wrong = "what is freed";
		if (wrong != NULL) {
			fprintf(stderr, "round %u: not the same: %s\n", round, wrong);
			return 1;
		}
	}
	return 0;
}
