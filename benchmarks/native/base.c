#include "base.h"

#include <stdlib.h>

#ifdef CACHE
/* native/cache.c */
void libevent4j_cache_init(void);
void *libevent4j_cached_malloc(size_t size);
void libevent4j_cached_free(void *memory);
#endif

struct event_base *
new_base(void)
{
	struct event_config *config;
	struct event_base *base;

#ifdef CACHE
	libevent4j_cache_init();
	event_set_mem_functions(libevent4j_cached_malloc, realloc, libevent4j_cached_free);
#endif
	config = event_config_new();
#ifdef CHANGELIST
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
#endif
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}
