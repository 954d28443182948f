/*
 * When a request has its reply, and the next has come with it, evhttp goes on to that in a deferred callback, for which the loop goes through
 * its queues and locks once more; and of those libevent runs some thirty a turn. Evhttp is compiled to call these instead of the functions
 * whose names they take: of a connection that is known to be in nobody else's hands, what it defers while it is in such a callback follows
 * at once, a few times in a row.
 *
 * In between it stops reading, has the request answered, and reads on. That it has stopped is noted, and done when the row ends, or somebody
 * is to see it; mostly it reads again by then.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/http.h>

#define IN_A_ROW 16 /* requests of one connection: then others have their turn */

/* Libevent's own. */
struct event_callback;
void event_deferred_cb_init_(struct event_callback *callback, uint8_t priority, void (*run)(struct event_callback *, void *), void *arg);
int event_deferred_cb_schedule_(struct event_base *base, struct event_callback *callback);
void event_deferred_cb_cancel_(struct event_base *base, struct event_callback *callback);

static LIBEVENT4J_THREAD_LOCAL struct row {
	const struct event_callback *callback; /* the connection's, that runs here; NULL for none */
	const struct evhttp_connection *connection;
	struct bufferevent *bev; /* the connection's, and a reference, when nobody else has it; else NULL */
	bool again;                            /* the callback is wanted again */
	bool stopped;                          /* reading, but that is not done yet */
} row;

void
libevent4j_row_stops(void)
{
	if (row.stopped)
		bufferevent_disable(row.bev, EV_READ);
	row.stopped = false;
}

void
libevent4j_row_of(struct evhttp_connection *connection)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

	/* To enable is also to start a timeout anew. */
	if (row.bev != NULL || row.connection != connection || evutil_timerisset(&bev->timeout_read))
		return;
	bufferevent_incref(bev);
	row.bev = bev;
}

static void
on_more(struct event_callback *callback, void *connection)
{
	struct event_base *base = evhttp_connection_get_base(connection);
	struct row outer = row; /* of another loop, in a callback of which this one runs */
	int left = IN_A_ROW;
	bool again;

	row = (struct row){.callback = callback, .connection = connection};
	do {
		struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

		row.again = false;
		if (bev->readcb != NULL) /* the connection may end in it: then it is not wanted again */
			bev->readcb(bev, connection);
	} while (row.again && --left > 0 && !event_base_got_break(base));
	again = row.again;
	if (row.bev != NULL) {
		if (row.bev->cbarg == connection) /* else it has ended, or somebody has taken it over */
			libevent4j_row_stops();
		bufferevent_decref(row.bev);
	}
	row = outer;
	if (again)
		event_deferred_cb_schedule_(base, callback);
}

void
libevent4j_deferred_init(struct event_callback *callback, uint8_t priority, void (*run)(struct event_callback *, void *), void *connection)
{
	(void)run; /* which calls the read callback */
	event_deferred_cb_init_(callback, priority, on_more, connection);
}

int
libevent4j_deferred_schedule(struct event_base *base, struct event_callback *callback)
{
	bool again = row.again;

	if (callback != row.callback || row.bev == NULL)
		return event_deferred_cb_schedule_(base, callback);
	row.again = true;
	return !again;
}

void
libevent4j_deferred_cancel(struct event_base *base, struct event_callback *callback)
{
	if (callback == row.callback)
		row.again = false;
	event_deferred_cb_cancel_(base, callback);
}

int
libevent4j_bufferevent_enable(struct bufferevent *bev, short events)
{
	if (bev == row.bev && (bev->enabled & EV_READ)) {
		events &= ~EV_READ;
		row.stopped = false;
	}
	return events == 0 ? 0 : libevent4j_enable(bev, events);
}

int
libevent4j_bufferevent_disable(struct bufferevent *bev, short events)
{
	if (events == EV_WRITE && (bev->enabled & EV_WRITE) == 0)
		return 0;
	if (bev != row.bev || (events & EV_READ) == 0)
		return libevent4j_disable(bev, events);
	row.stopped = events == EV_READ;
	return row.stopped ? 0 : libevent4j_disable(bev, events);
}

#endif
