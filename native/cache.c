/*
 * An allocator for what libevent asks for with every request: dozens of blocks of the same few sizes, freed soon after and by the
 * thread that took them. Each thread keeps what it has freed, up to a limit, and takes from that first. The blocks are the C library's
 * own: what libevent gives away to be freed with free() can be.
 *
 * A sanitizer must see each block freed: it gets the C library's functions as they are.
 */
#include "internal.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)

void
libevent4j_cache_init(void)
{
}

void *
libevent4j_cached_malloc(size_t size)
{
	return malloc(size);
}

void
libevent4j_cached_free(void *memory)
{
	free(memory);
}

bool
libevent4j_cached_has(size_t size, unsigned count)
{
	(void)size;
	return count == 0;
}

char *
libevent4j_cached_line(void)
{
	return NULL;
}

#else

#define CLASSES 512                  /* up to 8 KiB, which a read takes */
#define LEAST_BITS 14                /* larger ones are of 2 to some power bytes, as libevent makes them for bodies */
#define MOST_BITS 19
#define MOST_BYTES (2 * 1024 * 1024) /* that a thread keeps, of the small and of the large */

/* What is in a block while it is kept. */
struct block {
	struct block *next; /* kept too */
};

struct cache {
	struct list {
		struct block *first; /* owned */
	} small[CLASSES], large[MOST_BITS - LEAST_BITS + 1];
	size_t small_bytes, large_bytes;
	char line[LIBEVENT4J_LINE];
};

static libevent4j_key key; /* whose value is the thread's cache, so that it is freed with its thread */
static bool has_key;
static LIBEVENT4J_THREAD_LOCAL struct cache *cache; /* owned by the thread; NULL until it frees something */
static LIBEVENT4J_THREAD_LOCAL bool ended;          /* the thread: it keeps nothing any more */

static void *
take(struct list *list)
{
	struct block *block = list->first;

	list->first = block->next;
	return block;
}

static void
keep(struct list *list, void *memory)
{
	struct block *block = memory;

	block->next = list->first;
	list->first = block;
}

static void
free_all(struct list *lists, size_t count)
{
	for (; count > 0; count--, lists++)
		while (lists->first != NULL)
			free(take(lists));
}

static void
free_cache(void *own)
{
	struct cache *ending = own;

	free_all(ending->small, CLASSES);
	free_all(ending->large, MOST_BITS - LEAST_BITS + 1);
	free(ending);
	cache = NULL;
	ended = true;
}

void
libevent4j_cache_init(void)
{
	has_key = libevent4j_key_create(&key, free_cache);
}

static struct cache *
make_cache(void)
{
	if (!has_key || ended)
		return NULL;
	cache = calloc(1, sizeof(*cache));
	if (cache != NULL && !libevent4j_key_set(key, cache)) {
		free(cache);
		cache = NULL;
	}
	return cache;
}

/* Bytes that every block of a class has at least. */
static size_t
size_of(size_t class)
{
	return 24 + 16 * class;
}

static void *
large_malloc(size_t size)
{
	unsigned bits = LEAST_BITS;

	while (bits <= MOST_BITS && (size_t)1 << bits < size)
		bits++;
	if (bits > MOST_BITS)
		return malloc(size);
	if (cache == NULL || cache->large[bits - LEAST_BITS].first == NULL)
		return malloc((size_t)1 << bits);
	cache->large_bytes -= (size_t)1 << bits;
	return take(&cache->large[bits - LEAST_BITS]);
}

void *
libevent4j_cached_malloc(size_t size)
{
	size_t class = libevent4j_size_class(size);

	if (class >= CLASSES)
		return large_malloc(size);
	if (cache == NULL || cache->small[class].first == NULL)
		return malloc(size_of(class));
	cache->small_bytes -= size_of(class);
	return take(&cache->small[class]);
}

bool
libevent4j_cached_has(size_t size, unsigned count)
{
	size_t class = libevent4j_size_class(size);
	const struct block *block = cache == NULL || class >= CLASSES ? NULL : cache->small[class].first;

	for (; count > 0 && block != NULL; block = block->next)
		count--;
	return count == 0;
}

static bool
keep_large(struct cache *own, void *memory, size_t size)
{
	unsigned bits = LEAST_BITS;

	while (bits <= MOST_BITS && (size_t)2 << bits <= size)
		bits++;
	if (bits > MOST_BITS || own->large_bytes + ((size_t)1 << bits) > MOST_BYTES)
		return false;
	own->large_bytes += (size_t)1 << bits;
	keep(&own->large[bits - LEAST_BITS], memory);
	return true;
}

/* What is not of a small class, is too much to keep, or is the first that the thread frees. */
static __attribute__((noinline)) void
free_other(void *memory, size_t size)
{
	if (cache == NULL && make_cache() != NULL && size >= size_of(0))
		libevent4j_cached_free(memory);
	else if (cache == NULL || size < (size_t)1 << LEAST_BITS || !keep_large(cache, memory, size))
		free(memory);
}

void
libevent4j_cached_free(void *memory)
{
	struct cache *own;
	size_t size, class;

	if (memory == NULL)
		return;
	size = libevent4j_usable_size(memory);
	class = (size - size_of(0)) / 16; /* of what is smaller than the smallest: beyond the last */
	own = cache;
	if (own == NULL || class >= CLASSES || own->small_bytes + size_of(class) > MOST_BYTES) {
		free_other(memory, size);
	} else {
		own->small_bytes += size_of(class);
		keep(&own->small[class], memory);
	}
}

char *
libevent4j_cached_line(void)
{
	return cache == NULL ? NULL : cache->line;
}

#endif
