/*
 * The loop as a C program: so many timers, of which each, when it fires, starts again with another time at random, up to so many
 * microseconds; or, with none, one event that activates itself again and again. benchmarks.loop.Libevent4j is the same in Java.
 *
 *   loop TIMERS LONGEST
 */
#include "base.h"
#include "rounds.h"

#include <stdint.h>
#include <stdlib.h>

static struct event_base *base;
static struct event **timers;
static int count;
static uint32_t longest, random_state = 1;

static void
start(struct event *timer)
{
	struct timeval time;
	uint32_t micros;

	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	micros = random_state % (longest + 1);
	time.tv_sec = micros / 1000000;
	time.tv_usec = micros % 1000000;
	event_add(timer, &time);
}

static void
on_timer(evutil_socket_t fd, short what, void *timer)
{
	(void)fd;
	(void)what;
	start(timer);
	if (!more())
		event_base_loopbreak(base);
}

static void
on_active(evutil_socket_t fd, short what, void *event)
{
	(void)fd;
	(void)what;
	event_active(event, EV_TIMEOUT, 1);
	if (!more())
		event_base_loopbreak(base);
}

static void
start_all(void)
{
	for (int i = 0; i < count; i++)
		start(timers[i]);
}

static void
run(void)
{
	event_base_dispatch(base);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	count = atoi(argv[1]);
	longest = (uint32_t)atoi(argv[2]);
	base = new_base();
	if (count == 0)
		event_active(event_new(base, -1, 0, on_active, event_self_cbarg()), EV_TIMEOUT, 1);
	timers = calloc((size_t)count, sizeof(*timers));
	for (int i = 0; i < count; i++)
		timers[i] = event_new(base, -1, 0, on_timer, event_self_cbarg());
	answer(run, start_all);
	return 0;
}
