/* What the C programs over libevent have in common. */
#ifndef BASE_H
#define BASE_H

#include <event2/event.h>

/*
 * A base. Plain, as anyone would make it. With -DTUNED, as this library makes those of its services and clients: memory that its thread
 * keeps, and a list of changes for epoll. To be called before anything else of libevent.
 */
struct event_base *new_base(void);

#endif
