#include "base.h"

#include <stdlib.h>

#ifdef TUNED
/* native/cache.c */
void libevent4j_cache_init(void);
void *libevent4j_cached_malloc(size_t size);
void libevent4j_cached_free(void *memory);
#endif

struct event_base *
new_base(void)
{
#ifdef TUNED
	struct event_base *base;
	struct event_config *config;

	libevent4j_cache_init();
	event_set_mem_functions(libevent4j_cached_malloc, realloc, libevent4j_cached_free);
	config = event_config_new();
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
#else
	return event_base_new();
#endif
}
