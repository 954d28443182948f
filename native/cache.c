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

#else

#define CLASSES 512                  /* up to 8 KiB, which a read takes */
#define MOST_BYTES (2 * 1024 * 1024) /* that a thread keeps */

/* What is in a block while it is kept. */
struct block {
	struct block *next; /* kept too */
};

struct cache {
	struct block *kept[CLASSES]; /* owned */
	size_t bytes;
};

static libevent4j_key key; /* whose value is the thread's cache, so that it is freed with its thread */
static bool has_key;
static _Thread_local struct cache *cache; /* owned by the thread; NULL until it frees something */
static _Thread_local bool ended;          /* the thread: it keeps nothing any more */

static void
free_cache(void *own)
{
	struct cache *ending = own;

	for (size_t class = 0; class < CLASSES; class++) {
		struct block *next;

		for (struct block *block = ending->kept[class]; block != NULL; block = next) {
			next = block->next;
			free(block);
		}
	}
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

void *
libevent4j_cached_malloc(size_t size)
{
	size_t class = libevent4j_size_class(size);
	struct block *block;

	if (class >= CLASSES)
		return malloc(size);
	if (cache == NULL || (block = cache->kept[class]) == NULL)
		return malloc(size_of(class));
	cache->kept[class] = block->next;
	cache->bytes -= size_of(class);
	return block;
}

void
libevent4j_cached_free(void *memory)
{
	struct block *block = memory;
	struct cache *own = cache;
	size_t class, size;

	if (block == NULL)
		return;
	size = libevent4j_usable_size(block);
	class = size < size_of(0) ? CLASSES : (size - size_of(0)) / 16;
	if (class >= CLASSES || (own == NULL && (own = make_cache()) == NULL) || own->bytes + size_of(class) > MOST_BYTES) {
		free(block);
		return;
	}
	block->next = own->kept[class];
	own->kept[class] = block;
	own->bytes += size_of(class);
}

#endif
