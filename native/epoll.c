/*
 * Within one turn evhttp stops reading a connection, has its request answered, and reads on: of that the list of changes leaves one,
 * which asks the kernel for what it does already. Libevent is compiled to call the functions here, which leave such a change out.
 *
 * That is right only while a descriptor is the same open socket: the kernel forgets a closed one by itself, and the next of its number
 * must not be taken for it. So whoever opens and closes a socket says so, and of all others nothing is remembered.
 *
 * A client that is about to use its connection again has to know whether the server has ended it. Mostly the response has just been read,
 * so that epoll may as well say it: that saves the client a look of its own.
 */
#include "internal.h"

#if defined(__linux__)

#include <string.h>

#include <sys/epoll.h>

struct libevent4j_registration {
	bool open;       /* until whoever said so takes it back, before closing it */
	bool tells_end;  /* of its input, which libevent has not asked for */
	uint32_t events; /* that the kernel reports; 0 when not known */
	unsigned ended;  /* the turn in which it has told so last */
};

static LIBEVENT4J_THREAD_LOCAL int made = -1; /* the last epoll that this thread made */
/* Counts changes that are made while the epoll's own loop does not run. */
static _Atomic unsigned elsewhere;

int
libevent4j_epoll_create1(int flags)
{
	return made = epoll_create1(flags);
}

/* Since the last look something may have been changed on another thread, or in another loop's callback. */
static void
forget_old(struct libevent4j_loop *loop)
{
	unsigned now = atomic_load(&elsewhere);

	if (loop->elsewhere == now)
		return;
	loop->elsewhere = now;
	for (size_t fd = 0; fd < loop->registrations_size; fd++)
		loop->registrations[fd].events = 0;
}

static struct libevent4j_registration *
registration_of(const struct libevent4j_loop *loop, int fd)
{
	return fd >= 0 && (size_t)fd < loop->registrations_size ? &loop->registrations[fd] : NULL;
}

int
libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	struct libevent4j_loop *loop = libevent4j_running_loop();
	struct libevent4j_registration *registration;
	int result;

	if (loop == NULL || loop->epoll != epoll) {
		atomic_fetch_add(&elsewhere, 1);
		return epoll_ctl(epoll, operation, fd, event);
	}
	registration = registration_of(loop, fd);
	if (registration == NULL || !registration->open)
		return epoll_ctl(epoll, operation, fd, event);
	forget_old(loop);
	if (registration->tells_end && (event->events & EPOLLIN))
		event->events |= EPOLLRDHUP;
	/* To ask for an edge again is to be told of it again. */
	if (operation == EPOLL_CTL_MOD && event->events == registration->events && (event->events & EPOLLET) == 0)
		return 0;
	result = epoll_ctl(epoll, operation, fd, event);
	registration->events = result == 0 && operation != EPOLL_CTL_DEL ? event->events : 0;
	return result;
}

int
libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	struct libevent4j_loop *loop = libevent4j_running_loop();
	int count = epoll_wait(epoll, events, most, timeout);

	if (loop == NULL || loop->epoll != epoll)
		return count;
	if (++loop->turn == 0)
		loop->turn++;
	for (int i = 0; i < count; i++) {
		struct libevent4j_registration *registration;

		if ((events[i].events & EPOLLRDHUP) && (registration = registration_of(loop, events[i].data.fd)) != NULL &&
		    registration->tells_end) {
			registration->ended = loop->turn;
			events[i].events &= ~(uint32_t)EPOLLRDHUP;
		}
	}
	return count;
}

void
libevent4j_epoll_adopt(struct libevent4j_loop *loop)
{
	loop->epoll = made;
	made = -1;
}

void
libevent4j_epoll_opened(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	struct libevent4j_registration *registration = registration_of(loop, fd), *grown;

	if (registration == NULL && fd >= 0) {
		size_t size = 2 * ((size_t)fd + 32);

		if ((grown = libevent4j_calloc(size * sizeof(*grown))) == NULL)
			return; /* then nothing is left out */
		if (loop->registrations_size > 0)
			memcpy(grown, loop->registrations, loop->registrations_size * sizeof(*grown));
		libevent4j_free(loop->registrations);
		loop->registrations = grown;
		loop->registrations_size = size;
		registration = &grown[fd];
	}
	if (registration != NULL)
		*registration = (struct libevent4j_registration){.open = true};
}

void
libevent4j_epoll_closing(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	struct libevent4j_registration *registration = registration_of(loop, fd);

	if (registration != NULL)
		registration->open = registration->tells_end = false;
}

void
libevent4j_epoll_tell_end(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	struct libevent4j_registration *registration = registration_of(loop, fd);

	if (registration != NULL && registration->open)
		registration->tells_end = true;
}

/* By a clock that costs nothing, and moves every few milliseconds. */
static int64_t
tick(void)
{
	struct timespec time;

	return clock_gettime(CLOCK_MONOTONIC_COARSE, &time) == 0 ? (int64_t)time.tv_sec * 1000000000 + time.tv_nsec : 0;
}

void
libevent4j_epoll_look(const struct libevent4j_loop *loop, struct libevent4j_look *look)
{
	look->turn = loop->turn;
	look->tick = tick();
}

bool
libevent4j_epoll_looked(struct libevent4j_loop *loop, evutil_socket_t fd, const struct libevent4j_look *look)
{
	const struct libevent4j_registration *registration = registration_of(loop, fd);

	forget_old(loop);
	return look->turn != 0 && look->turn == loop->turn && registration != NULL && (registration->events & EPOLLRDHUP) &&
	    registration->ended != loop->turn && look->tick == tick();
}

#else

void
libevent4j_epoll_adopt(struct libevent4j_loop *loop)
{
	(void)loop;
}

void
libevent4j_epoll_opened(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	(void)loop;
	(void)fd;
}

void
libevent4j_epoll_closing(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	(void)loop;
	(void)fd;
}

void
libevent4j_epoll_tell_end(struct libevent4j_loop *loop, evutil_socket_t fd)
{
	(void)loop;
	(void)fd;
}

void
libevent4j_epoll_look(const struct libevent4j_loop *loop, struct libevent4j_look *look)
{
	(void)loop;
	look->turn = 0;
}

bool
libevent4j_epoll_looked(struct libevent4j_loop *loop, evutil_socket_t fd, const struct libevent4j_look *look)
{
	(void)loop;
	(void)fd;
	(void)look;
	return false;
}

#endif
