/*
 * An allocator for what libevent asks for with every request: dozens of blocks of the same few sizes, freed soon after and by the
 * thread that took them. Each thread keeps what it has freed, up to a limit, and takes from that first; the rest is the C library's.
 *
 * A sanitizer must see each block freed: it gets the C library's functions as they are.
 */
#include "internal.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

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

void *
libevent4j_cached_realloc(void *memory, size_t size)
{
	return realloc(memory, size);
}

void
libevent4j_cached_free(void *memory)
{
	free(memory);
}

#else

#include <pthread.h>

#define CLASSES 512                 /* up to 8 KiB, which a read takes */
#define KEPT_NOT CLASSES
#define MOST_BYTES (2 * 1024 * 1024) /* that a thread keeps */

/* What stands before each block's memory. */
struct block {
	alignas(max_align_t) struct block *next; /* kept too; meaningless while the block is in use */
	size_t class;                            /* or KEPT_NOT when it is too large */
};

struct cache {
	struct block *kept[CLASSES]; /* owned */
	size_t bytes;
};

static pthread_key_t key; /* whose value is the thread's cache, so that it is freed with its thread */
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
	has_key = pthread_key_create(&key, free_cache) == 0;
}

static struct cache *
make_cache(void)
{
	if (!has_key || ended)
		return NULL;
	cache = calloc(1, sizeof(*cache));
	if (cache != NULL && pthread_setspecific(key, cache) != 0) {
		free(cache);
		cache = NULL;
	}
	return cache;
}

/* Bytes that every block of a class has. */
static size_t
size_of(size_t class)
{
	return 24 + 16 * class;
}

static void *
plain(struct block *block, size_t size)
{
	if (size > SIZE_MAX - sizeof(*block) || (block = realloc(block, sizeof(*block) + size)) == NULL)
		return NULL;
	block->class = KEPT_NOT;
	return block + 1;
}

void *
libevent4j_cached_malloc(size_t size)
{
	size_t class = libevent4j_size_class(size);
	struct block *block;

	if (class >= CLASSES)
		return plain(NULL, size);
	if (cache != NULL && (block = cache->kept[class]) != NULL) {
		cache->kept[class] = block->next;
		cache->bytes -= size_of(class);
	} else if ((block = malloc(sizeof(*block) + size_of(class))) == NULL) {
		return NULL;
	}
	block->class = class;
	return block + 1;
}

void
libevent4j_cached_free(void *memory)
{
	struct block *block = (struct block *)memory - 1;
	struct cache *own = cache;

	if (memory == NULL)
		return;
	if (block->class == KEPT_NOT || (own == NULL && (own = make_cache()) == NULL) ||
	    own->bytes + size_of(block->class) > MOST_BYTES) {
		free(block);
		return;
	}
	block->next = own->kept[block->class];
	own->kept[block->class] = block;
	own->bytes += size_of(block->class);
}

void *
libevent4j_cached_realloc(void *memory, size_t size)
{
	struct block *block = (struct block *)memory - 1;
	size_t before;
	void *moved;

	if (memory == NULL)
		return libevent4j_cached_malloc(size);
	if (block->class == KEPT_NOT && libevent4j_size_class(size) >= CLASSES)
		return plain(block, size);
	if (block->class != KEPT_NOT && size <= size_of(block->class))
		return memory;
	before = block->class == KEPT_NOT ? size : size_of(block->class); /* one of both is kept, so that the smaller size is known */
	moved = libevent4j_cached_malloc(size);
	if (moved != NULL) {
		memcpy(moved, memory, before < size ? before : size);
		libevent4j_cached_free(memory);
	}
	return moved;
}

#endif
