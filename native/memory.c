#include "internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t live;
static bool counted;

static void *
counted_malloc(size_t size)
{
	void *memory = malloc(size);

	if (memory != NULL)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return memory;
}

static void *
counted_realloc(void *memory, size_t size)
{
	void *moved = realloc(memory, size);

	if (memory == NULL && moved != NULL)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return moved;
}

static void
counted_free(void *memory)
{
	if (memory != NULL)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	free(memory);
}

void
libevent4j_count_allocations(void)
{
	counted = true;
	event_set_mem_functions(counted_malloc, counted_realloc, counted_free);
}

int64_t
libevent4j_live_allocations(void)
{
	return counted ? atomic_load_explicit(&live, memory_order_relaxed) : -1;
}

void *
libevent4j_calloc(size_t size)
{
	void *memory = counted ? counted_malloc(size) : malloc(size);

	return memory == NULL ? NULL : memset(memory, 0, size);
}

void
libevent4j_free(void *memory)
{
	if (counted)
		counted_free(memory);
	else
		free(memory);
}

char *
libevent4j_strdup(const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = libevent4j_calloc(size);

	return copy == NULL ? NULL : memcpy(copy, string, size);
}
