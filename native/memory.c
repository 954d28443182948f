/*
 * Counted allocations (debug only), of which a test can make one fail. What libevent would not survive to be without is tried for
 * first: a block that this thread has just freed is given again, so the failing of tests, too, keeps to what was promised.
 */
#include "internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t live;
static bool counted;
static _Atomic int64_t until_failure; /* 0: none fails */

#define CLASSES 8
static LIBEVENT4J_THREAD_LOCAL unsigned promised[CLASSES]; /* blocks, by their size class */

static bool
keep_promise(size_t size)
{
	size_t class = libevent4j_size_class(size);

	if (class >= CLASSES || promised[class] == 0)
		return false;
	promised[class]--;
	return true;
}

static bool
fails(size_t size)
{
	bool kept = keep_promise(size);

	if (atomic_load_explicit(&until_failure, memory_order_relaxed) <= 0 || atomic_fetch_sub(&until_failure, 1) != 1 || kept)
		return false;
	errno = ENOMEM;
	return true;
}

static void *
counted_malloc(size_t size)
{
	void *memory = fails(size) ? NULL : libevent4j_cached_malloc(size);

	if (memory != NULL)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return memory;
}

static void *
counted_realloc(void *memory, size_t size)
{
	void *moved = fails(size) ? NULL : realloc(memory, size);

	if (memory == NULL && moved != NULL)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return moved;
}

static void
counted_free(void *memory)
{
	if (memory != NULL)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	libevent4j_cached_free(memory);
}

void
libevent4j_memory_init(bool count)
{
	counted = count;
	libevent4j_cache_init();
	if (count)
		event_set_mem_functions(counted_malloc, counted_realloc, counted_free);
	else
		event_set_mem_functions(libevent4j_cached_malloc, realloc, libevent4j_cached_free);
}

int64_t
libevent4j_fail_allocation(int64_t number)
{
	if (number < 0)
		return atomic_load(&until_failure);
	memset(promised, 0, sizeof(promised));
	return atomic_exchange(&until_failure, counted ? number : 0);
}

bool
libevent4j_has_room(size_t size, unsigned count)
{
	void *block[LIBEVENT4J_MOST_ROOM];
	unsigned got = 0;

	if (!counted && libevent4j_cached_has(size, count))
		return true;
	while (got < count && (block[got] = libevent4j_malloc(size)) != NULL)
		got++;
	if (got == count && counted && libevent4j_size_class(size) < CLASSES)
		promised[libevent4j_size_class(size)] = count;
	for (unsigned i = 0; i < got; i++)
		libevent4j_free(block[i]);
	return got == count;
}

int64_t
libevent4j_live_allocations(void)
{
	return counted ? atomic_load_explicit(&live, memory_order_relaxed) : -1;
}

void *
libevent4j_malloc(size_t size)
{
	return counted ? counted_malloc(size) : libevent4j_cached_malloc(size);
}

void *
libevent4j_calloc(size_t size)
{
	void *memory = libevent4j_malloc(size);

	return memory == NULL ? NULL : memset(memory, 0, size);
}

void
libevent4j_free(void *memory)
{
	if (counted)
		counted_free(memory);
	else
		libevent4j_cached_free(memory);
}

char *
libevent4j_strdup(const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = libevent4j_calloc(size);

	return copy == NULL ? NULL : memcpy(copy, string, size);
}
