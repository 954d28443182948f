/*
 * Between two requests on a connection evhttp disables and enables reading and writing several times. Each time events leave the loop or
 * come back to it with their timeouts, under its lock, and nobody gets to see anything of that when the next request goes out in the same
 * turn. Evhttp is compiled to call the functions here, by way of more.c, in place of bufferevent_disable() and bufferevent_enable(): while
 * a socket's bufferevent is held they only note what is enabled in the end.
 *
 * Whoever holds one lets go of it before the loop looks at its socket again. What is not evhttp's, such as an error's end of reading or the
 * closing of the connection, acts at once.
 *
 * And what evhttp writes of a request is the same as of the last one, when that is sent again: then it need not write it.
 */
#include "internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event_struct.h>

#if !defined(_WIN32)

#define HELD 0x4000 /* in what is enabled, of which libevent looks at EV_READ and EV_WRITE alone */

int
libevent4j_enable(struct bufferevent *bev, short events)
{
	if (!(bev->enabled & HELD))
		return bufferevent_enable(bev, events);
	bev->enabled |= events;
	return 0;
}

int
libevent4j_disable(struct bufferevent *bev, short events)
{
	if (!(bev->enabled & HELD))
		return bufferevent_disable(bev, events);
	bev->enabled &= (short)~events;
	return 0;
}

bool
libevent4j_hold(struct bufferevent *bev)
{
	bev->enabled |= HELD;
	return true;
}

static LIBEVENT4J_THREAD_LOCAL const struct evbuffer *omitted; /* what evhttp adds to it; NULL for nothing */

void
libevent4j_omit(const struct evbuffer *output)
{
	omitted = output;
}

int
libevent4j_add(struct evbuffer *buffer, const void *bytes, size_t length)
{
	return buffer == omitted ? 0 : evbuffer_add(buffer, bytes, length);
}

int
libevent4j_add_printf(struct evbuffer *buffer, const char *format, ...)
{
	va_list arguments;
	int length;

	if (buffer == omitted)
		return 0;
	va_start(arguments, format);
	length = evbuffer_add_vprintf(buffer, format, arguments);
	va_end(arguments);
	return length;
}

void
libevent4j_drop(struct bufferevent *bev)
{
	bev->enabled &= ~HELD;
}

static void
settle(struct bufferevent *bev, const struct event *event, short what, bool anew)
{
	bool active = (event->ev_evcallback.evcb_flags & EVLIST_INSERTED) != 0;

	if ((bev->enabled & what) && (anew || !active))
		bufferevent_enable(bev, what);
	else if (!(bev->enabled & what) && active)
		bufferevent_disable(bev, what);
}

void
libevent4j_let_go(struct bufferevent *bev, bool anew)
{
	if (!(bev->enabled & HELD))
		return;
	libevent4j_drop(bev);
	settle(bev, &bev->ev_read, EV_READ, anew);
	settle(bev, &bev->ev_write, EV_WRITE, anew);
}

#else /* where evhttp's calls are its own */

bool
libevent4j_hold(struct bufferevent *bev)
{
	(void)bev;
	return false;
}

void
libevent4j_omit(const struct evbuffer *output)
{
	(void)output;
}

void
libevent4j_drop(struct bufferevent *bev)
{
	(void)bev;
}

void
libevent4j_let_go(struct bufferevent *bev, bool anew)
{
	(void)bev;
	(void)anew;
}

#endif
