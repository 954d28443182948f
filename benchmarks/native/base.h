/* What the C programs over libevent have in common. */
#ifndef BASE_H
#define BASE_H

#include <event2/event.h>

/*
 * A base, with what this library sets where the Makefile says so: CACHE, memory that its thread keeps, and CHANGELIST, a list of changes
 * for epoll. To be called before anything else of libevent.
 */
struct event_base *new_base(void);

#endif
