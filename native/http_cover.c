#include "internal.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>

/*
 * Evhttp is made for sockets: it takes what has left its bufferevent for sent, and closes behind it; it writes while writing is
 * disabled; and it frees the bufferevent in a callback. With a filter, bytes would be stuck or lost, and the filter, which calls back
 * in the middle of its work, would go on with freed memory. So evhttp gets a cover in place of the filter: another filter above it,
 * which calls back from the loop, pushes what evhttp writes through the filter, and keeps it until it has left the socket's output.
 */
struct cover {
	struct bufferevent *bev;             /* evhttp's, which owns the cover */
	struct bufferevent *filter, *socket; /* bev's to free: what is covered, and what is at the bottom of it */
	struct event *turn;                  /* owned: there may be something to do */
	struct evbuffer_cb_entry *written;   /* at the socket's output */
	size_t pushed;                       /* bytes at the start of bev's output that the filter has had */
};

#define PIECE (256 * 1024) /* what is pushed at a time, and is there twice until it is sent */

/* Does nothing by itself: the bytes go on in a turn of their own, because evhttp is in the midst of its work now. */
static enum bufferevent_filter_result
on_output(struct evbuffer *source, struct evbuffer *target, ev_ssize_t limit, enum bufferevent_flush_mode mode, void *arg)
{
	(void)source;
	(void)target;
	(void)limit;
	(void)mode;
	(void)arg;
	return BEV_NEED_MORE;
}

static void
on_change(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	const struct cover *cover = arg;

	(void)buffer;
	(void)info;
	event_active(cover->turn, EV_WRITE, 0);
}

static bool
is_empty_below(const struct cover *cover)
{
	for (struct bufferevent *bev = cover->filter; bev != NULL; bev = bufferevent_get_underlying(bev))
		if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
			return false;
	return true;
}

static int
push(struct cover *cover, struct evbuffer *output)
{
	struct evbuffer *target = bufferevent_get_output(cover->filter);
	size_t length = evbuffer_get_length(output);
	struct evbuffer_iovec space;

	if (length > PIECE)
		length = PIECE;
	if (evbuffer_reserve_space(target, (ev_ssize_t)length, &space, 1) != 1)
		return -1;
	space.iov_len = (size_t)evbuffer_copyout(output, space.iov_base, length);
	cover->pushed = space.iov_len;
	if (evbuffer_commit_space(target, &space, 1) != 0)
		return -1;
	/* A filter may wait for more, which does not come before this has been answered. */
	bufferevent_flush(cover->filter, EV_WRITE, BEV_FLUSH);
	/* What the filter has left now, it leaves for ever. */
	return evbuffer_get_length(bufferevent_get_output(cover->filter)) == 0 ? 0 : -1;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct cover *cover = arg;
	struct bufferevent *bev = cover->bev;
	struct evbuffer *output = bufferevent_get_output(bev);
	bufferevent_data_cb written;
	bufferevent_event_cb told;
	void *owner;
	int result = 0;

	(void)fd;
	(void)what;
	bufferevent_getcb(bev, NULL, &written, &told, &owner);
	if (told == NULL || evbuffer_get_length(output) == 0 || !is_empty_below(cover)) /* it is freed; idle; busy */
		return;
	bufferevent_incref(bev);
	evbuffer_unfreeze(output, 1);
	evbuffer_drain(output, cover->pushed);
	cover->pushed = 0;
	if (evbuffer_get_length(output) > 0)
		result = push(cover, output);
	evbuffer_freeze(output, 1);
	if (result != 0) {
		bufferevent_trigger_event(bev, BEV_EVENT_ERROR | BEV_EVENT_WRITING, 0);
	} else {
		bufferevent_set_timeouts(bev, &bev->timeout_read, &bev->timeout_write); /* they begin anew */
		if (evbuffer_get_length(output) == 0 && written != NULL)
			written(bev, owner);
	}
	bufferevent_decref(bev);
}

static void
free_cover(void *arg)
{
	struct cover *cover = arg;

	if (cover->written != NULL)
		evbuffer_remove_cb_entry(bufferevent_get_output(cover->socket), cover->written);
	if (cover->turn != NULL)
		event_free(cover->turn);
	libevent4j_free(cover);
}

struct bufferevent *
libevent4j_cover_new(struct libevent4j_loop *loop, struct bufferevent *filter)
{
	struct cover *cover = libevent4j_calloc(sizeof(*cover));

	if (cover == NULL || !libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 5) ||
	    (cover->bev = bufferevent_filter_new(filter, NULL, on_output, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS, free_cover,
	         cover)) == NULL) {
		libevent4j_free(cover);
		bufferevent_free(filter);
		return NULL;
	}
	cover->filter = cover->socket = filter;
	for (struct bufferevent *bev = filter; bev != NULL; bev = bufferevent_get_underlying(bev))
		cover->socket = bev;
	cover->turn = event_new(loop->base, -1, 0, on_turn, cover);
	cover->written = evbuffer_add_cb(bufferevent_get_output(cover->socket), on_change, cover);
	if (cover->turn == NULL || cover->written == NULL ||
	    evbuffer_add_cb(bufferevent_get_output(cover->bev), on_change, cover) == NULL) {
		bufferevent_free(cover->bev);
		return NULL;
	}
	return cover->bev;
}
