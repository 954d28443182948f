#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <event2/event_struct.h>

struct timeval
libevent4j_timeval(int64_t micros)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(micros / 1000000);
	tv.tv_usec = micros % 1000000;
	return tv;
}

struct libevent4j_loop *
libevent4j_loop_new(struct event_base *base, void *id, void *head, int64_t head_size)
{
	struct libevent4j_loop *loop = libevent4j_calloc(sizeof(*loop));

	if (loop != NULL) {
		loop->base = base;
		loop->id = id;
		loop->head = head;
		loop->head_size = (size_t)head_size;
		TAILQ_INIT(&loop->senders);
		event_assign(&loop->send, base, -1, 0, libevent4j_connections_send, loop);
		libevent4j_epoll_adopt(loop);
	}
	return loop;
}

void
libevent4j_loop_free(struct libevent4j_loop *loop)
{
	if (loop != NULL) {
		event_debug_unassign(&loop->send);
		libevent4j_free(loop->registrations);
		for (size_t i = 0; i < LIBEVENT4J_PHRASES; i++)
			libevent4j_free(loop->phrases[i]);
	}
	libevent4j_free(loop);
}

int
libevent4j_loop_run(struct libevent4j_loop *loop, int flags)
{
	struct libevent4j_loop *outer;
	int result;

	loop->env = libevent4j_env();
	outer = libevent4j_run_loop(loop);
	result = event_base_loop(loop->base, flags);
	libevent4j_failed(libevent4j_error());
	libevent4j_run_loop(outer);
	return result;
}

int
libevent4j_config_max_dispatch(struct event_config *config, int64_t micros, int max_callbacks, int min_priority)
{
	struct timeval tv = libevent4j_timeval(micros);

	return event_config_set_max_dispatch_interval(config, micros < 0 ? NULL : &tv, max_callbacks, min_priority);
}

int
libevent4j_loop_exit_after(struct libevent4j_loop *loop, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);

	return event_base_loopexit(loop->base, &tv);
}

static void
on_event(evutil_socket_t fd, short what, void *id)
{
	JNIEnv *env = libevent4j_env();

	(void)fd;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.event, ID(id), (jint)what);
	libevent4j_upcall_done(env);
}

struct event *
libevent4j_event_new(struct libevent4j_loop *loop, int64_t fd, int what, void *id)
{
	return event_new(loop->base, (evutil_socket_t)fd, (short)what, on_event, id);
}

int
libevent4j_event_add(struct event *event, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);
	int result;

	libevent4j_set_error(0); /* kinds that do not go together set none */
	result = event_add(event, micros < 0 ? NULL : &tv);
	libevent4j_failed(libevent4j_error());
	return result;
}

int
libevent4j_event_once(struct libevent4j_loop *loop, int64_t fd, int what, void *id, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);
	int result = 0;

	/* event_base_once() that fails keeps the base's lock for ever: an event of our own finds out before. */
	if (fd >= 0) {
		struct event *trial = event_new(loop->base, (evutil_socket_t)fd, (short)(what & (EV_READ | EV_WRITE)), on_event, NULL);

		result = trial == NULL ? -1 : event_add(trial, NULL);
		libevent4j_failed(libevent4j_error());
		if (trial != NULL)
			event_free(trial);
	}
	if (result == 0) {
		result = event_base_once(loop->base, (evutil_socket_t)fd, (short)what, on_event, id, micros < 0 ? NULL : &tv);
		libevent4j_failed(libevent4j_error());
	}
	return result;
}

const struct timeval *
libevent4j_common_timeout(struct libevent4j_loop *loop, int64_t micros)
{
	struct timeval tv = libevent4j_timeval(micros);
	const struct timeval *timeout;

	libevent4j_set_error(0); /* that there are too many sets none */
	timeout = event_base_init_common_timeout(loop->base, &tv);
	libevent4j_failed(libevent4j_error());
	return timeout;
}

int
libevent4j_event_add_common(struct event *event, const struct timeval *timeout)
{
	int result = event_add(event, timeout);

	libevent4j_failed(libevent4j_error());
	return result;
}

static int64_t
micros_of(int result, const struct timeval *tv)
{
	return result != 0 ? -1 : (int64_t)tv->tv_sec * 1000000 + tv->tv_usec;
}

int64_t
libevent4j_loop_time(struct libevent4j_loop *loop)
{
	struct timeval tv;
	int result = event_base_gettimeofday_cached(loop->base, &tv);

	return micros_of(result, &tv);
}

int64_t
libevent4j_monotonic_time(struct evutil_monotonic_timer *timer)
{
	struct timeval tv;
	int result = evutil_gettime_monotonic(timer, &tv);

	return micros_of(result, &tv);
}

int64_t
libevent4j_event_remaining(const struct event *event)
{
	struct timeval now, then, left;

	if (event_pending(event, EV_TIMEOUT, &then) == 0)
		return -1;
	if ((event->ev_evcallback.evcb_flags & EVLIST_TIMEOUT) == 0) /* it is due, and perhaps never had a time to wait for */
		return 0;
	event_base_gettimeofday_cached(event_get_base(event), &now);
	if (evutil_timercmp(&then, &now, <))
		return 0;
	evutil_timersub(&then, &now, &left);
	return micros_of(0, &left);
}

/* Events as they are found, under the base's lock; those beyond the room are only counted. */
struct found {
	const struct event **event;
	size_t room, count;
};

static int
on_found(const struct event_base *base, const struct event *event, void *arg)
{
	struct found *found = arg;

	(void)base;
	if ((event->ev_evcallback.evcb_flags & EVLIST_INTERNAL) == 0 && found->count++ < found->room)
		found->event[found->count - 1] = event;
	return 0;
}

jobject
libevent4j_loop_events(JNIEnv *env, jclass native, struct libevent4j_loop *loop)
{
	struct found found = {NULL, 0, 0};
	jlongArray facts = NULL;

	(void)native;
	event_base_foreach_event(loop->base, on_found, &found);
	found.room = found.count + 2; /* other threads may add the loop's own */
	found.count = 0;
	found.event = libevent4j_calloc(found.room * sizeof(struct event *));
	if (found.event != NULL) {
		event_base_foreach_event(loop->base, on_found, &found);
		if (found.count > found.room)
			found.count = found.room;
		facts = (*env)->NewLongArray(env, (jsize)(found.count * 5));
	}
	for (size_t i = 0; facts != NULL && i < found.count; i++) {
		const struct event *event = found.event[i];
		jlong fact[5] = {(jlong)(intptr_t)event, event_get_fd(event), event_get_events(event), event_get_priority(event),
		    libevent4j_event_remaining(event)};

		(*env)->SetLongArrayRegion(env, facts, (jsize)(i * 5), 5, fact);
	}
	libevent4j_free(found.event);
	return facts;
}

jobject
libevent4j_loop_dump(JNIEnv *env, jclass native, struct libevent4j_loop *loop)
{
	FILE *file = tmpfile();
	long size;
	char *text = NULL;
	jobject dump = NULL;

	(void)native;
	if (file == NULL) {
		libevent4j_failed(libevent4j_error());
		return NULL;
	}
	event_base_dump_events(loop->base, file);
	size = ftell(file);
	rewind(file);
	if (size >= 0 && (text = libevent4j_calloc((size_t)size + 1)) != NULL) {
		text[fread(text, 1, (size_t)size, file)] = '\0';
		dump = (*env)->NewStringUTF(env, text);
	} else {
		libevent4j_failed(ENOMEM);
	}
	libevent4j_free(text);
	fclose(file);
	return dump;
}

int
libevent4j_signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
	    {"INT", SIGINT},
	    {"TERM", SIGTERM},
	    {"ABRT", SIGABRT},
	    {"FPE", SIGFPE},
	    {"ILL", SIGILL},
	    {"SEGV", SIGSEGV},
#ifndef _WIN32
	    {"HUP", SIGHUP},
	    {"QUIT", SIGQUIT},
	    {"TRAP", SIGTRAP},
	    {"BUS", SIGBUS},
	    {"KILL", SIGKILL},
	    {"STOP", SIGSTOP},
	    {"PIPE", SIGPIPE},
	    {"XFSZ", SIGXFSZ},
	    {"ALRM", SIGALRM},
	    {"USR1", SIGUSR1},
	    {"USR2", SIGUSR2},
	    {"CHLD", SIGCHLD},
	    {"CONT", SIGCONT},
	    {"TSTP", SIGTSTP},
	    {"TTIN", SIGTTIN},
	    {"TTOU", SIGTTOU},
	    {"URG", SIGURG},
	    {"WINCH", SIGWINCH},
#endif
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	return -1;
}
