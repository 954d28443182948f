#include "internal.h"

#include <event2/bufferevent_struct.h>
#include <event2/event_struct.h>
#include <event2/util.h>

static void
on_read(struct bufferevent *bev, void *id)
{
	JNIEnv *env = libevent4j_env();

	(void)bev;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.bufferevent_read, ID(id));
	libevent4j_upcall_done(env);
}

static void
on_written(struct bufferevent *bev, void *id)
{
	JNIEnv *env = libevent4j_env();

	(void)bev;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.bufferevent_written, ID(id));
	libevent4j_upcall_done(env);
}

static void
on_event(struct bufferevent *bev, short what, void *id)
{
	int error = libevent4j_error(); /* first of all: anything may overwrite it */
	JNIEnv *env = libevent4j_env();
	struct bufferevent *underlying;

	while ((underlying = bufferevent_get_underlying(bev)) != NULL)
		bev = underlying;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.bufferevent_event, ID(id), (jint)what,
	    (jint)error, (jint)bufferevent_socket_get_dns_error(bev));
	libevent4j_upcall_done(env);
}

void
libevent4j_bufferevent_set_callbacks(struct bufferevent *bev, void *id)
{
	bufferevent_setcb(bev, on_read, on_written, on_event, id);
}

static struct bufferevent *
with_callbacks(struct bufferevent *bev, void *id)
{
	if (bev != NULL)
		libevent4j_bufferevent_set_callbacks(bev, id);
	return bev;
}

int
libevent4j_bufferevent_prepare(struct libevent4j_loop *loop, int64_t fd)
{
	int is_file = libevent4j_descriptor_is_file(fd), result = -1;

	/* What epoll cannot wait for, a bufferevent would wait for in vain. */
	if (is_file == 1 && (event_base_get_features(loop->base) & EV_FEATURE_FDS) == 0)
		libevent4j_set_error(EPERM);
	else if (is_file >= 0)
		result = evutil_make_socket_nonblocking((evutil_socket_t)fd);
	libevent4j_failed(libevent4j_error());
	return result;
}

struct bufferevent *
libevent4j_bufferevent_socket(struct libevent4j_loop *loop, int64_t fd, int options, void *id)
{
	if (!libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 2))
		return NULL;
	return with_callbacks(bufferevent_socket_new(loop->base, (evutil_socket_t)fd, options), id);
}

struct bufferevent *
libevent4j_bufferevent_pair(struct libevent4j_loop *loop, int options, void *id, void *partner_id)
{
	struct bufferevent *pair[2];

	if (!libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 3) || bufferevent_pair_new(loop->base, options, pair) != 0)
		return NULL;
	with_callbacks(pair[1], partner_id);
	return with_callbacks(pair[0], id);
}

static enum bufferevent_filter_result
filter(struct evbuffer *source, struct evbuffer *target, ev_ssize_t limit, enum bufferevent_flush_mode mode, void *id,
    bool output)
{
	JNIEnv *env = libevent4j_env();
	size_t source_length = evbuffer_get_length(source), target_length = evbuffer_get_length(target);
	jint result = (*env)->CallStaticIntMethod(env, libevent4j_java.callbacks, libevent4j_java.filter, ID(id), (jlong)limit,
	    (jint)mode, (jboolean)output);

	if (!libevent4j_upcall_done(env))
		return BEV_ERROR;
	/* Libevent calls again and again for as long as it hears OK and there is something left. */
	if (result == BEV_OK && source_length > 0 && source_length == evbuffer_get_length(source) &&
	    target_length == evbuffer_get_length(target))
		return BEV_NEED_MORE;
	return (enum bufferevent_filter_result)result;
}

static enum bufferevent_filter_result
on_filter_input(struct evbuffer *source, struct evbuffer *target, ev_ssize_t limit, enum bufferevent_flush_mode mode, void *id)
{
	return filter(source, target, limit, mode, id, false);
}

static enum bufferevent_filter_result
on_filter_output(struct evbuffer *source, struct evbuffer *target, ev_ssize_t limit, enum bufferevent_flush_mode mode, void *id)
{
	return filter(source, target, limit, mode, id, true);
}

static void
on_filter_freed(void *id)
{
	JNIEnv *env = libevent4j_env();

	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.filter_freed, ID(id));
	libevent4j_upcall_done(env);
}

struct bufferevent *
libevent4j_bufferevent_filter(struct bufferevent *underlying, int options, void *id)
{
	if (!libevent4j_has_room(LIBEVENT4J_BUFFER_CALLBACK, 3))
		return NULL;
	return with_callbacks(
	    bufferevent_filter_new(underlying, on_filter_input, on_filter_output, options, on_filter_freed, id), id);
}

int
libevent4j_bufferevent_connect(struct bufferevent *bev, const char *address, int port)
{
	struct sockaddr_storage parsed;
	int length = libevent4j_parse_address(address, port, &parsed);
	evutil_socket_t failed = bufferevent_getfd(bev);
	int result;

	if (length < 0)
		return -1;
	if (failed >= 0) { /* by another address */
		bufferevent_setfd(bev, -1);
		evutil_closesocket(failed);
	}
	result = bufferevent_socket_connect(bev, (struct sockaddr *)&parsed, length);
	libevent4j_failed(libevent4j_error());
	/* When it was connected at once, libevent does not look for that until there is something to write. */
	if (result == 0 && (bufferevent_get_enabled(bev) & EV_WRITE) != 0)
		bufferevent_enable(bev, EV_WRITE);
	return result;
}

int
libevent4j_bufferevent_set_timeouts(struct bufferevent *bev, int64_t read_micros, int64_t write_micros)
{
	struct timeval read = libevent4j_timeval(read_micros), write = libevent4j_timeval(write_micros);

	return bufferevent_set_timeouts(bev, read_micros == 0 ? NULL : &read, write_micros == 0 ? NULL : &write);
}

void
libevent4j_bufferevent_set_descriptor(struct bufferevent *bev, int64_t fd)
{
	int priority = bufferevent_get_priority(bev);

	bufferevent_setfd(bev, (evutil_socket_t)fd);
	/* Its events are new ones, and have the priority of such; the deferred callback has kept its own. */
	event_priority_set(&bev->ev_read, priority);
	event_priority_set(&bev->ev_write, priority);
}

static int
on_event_found(const struct event_base *base, const struct event *event, void *active)
{
	(void)base;
	if (event->ev_evcallback.evcb_flags & EVLIST_ACTIVE)
		--*(int *)active;
	return 0;
}

/* Whether some bufferevent's deferred callback is due, which is active but no event. */
static bool
any_is_deferred(struct event_base *base)
{
	int active = event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE);

	if (active > 0)
		event_base_foreach_event(base, on_event_found, &active);
	return active > 0;
}

int
libevent4j_bufferevent_set_priority(struct bufferevent *bev, int priority)
{
	/* Libevent would tell a deferred callback in one priority's queue that it is in another's, and lose what is in both. */
	return any_is_deferred(bufferevent_get_base(bev)) ? -1 : bufferevent_priority_set(bev, priority);
}

struct ev_token_bucket_cfg *
libevent4j_token_bucket(int64_t read_rate, int64_t read_burst, int64_t write_rate, int64_t write_burst, int64_t tick_micros)
{
	struct timeval tick = libevent4j_timeval(tick_micros);
	struct ev_token_bucket_cfg *made;

	libevent4j_set_error(0); /* numbers that do not go together set none */
	made = ev_token_bucket_cfg_new((size_t)read_rate, (size_t)read_burst, (size_t)write_rate, (size_t)write_burst, &tick);
	libevent4j_failed(libevent4j_error());
	return made;
}
