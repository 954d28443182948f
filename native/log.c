/*
 * Libevent may log on any thread and under its locks, so its callback only copies the line into a ring, under a mutex that
 * nothing else is taken inside of. Java's log thread waits for lines at the other end.
 */
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES 128
#define LINE_SIZE 512
#define LAST_SECONDS 2 /* that Java's log thread has for the last lines */

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t arrived, passed_on;
	bool waiting; /* Java's log thread is through with all it took */
	unsigned first, count, lost;
	struct {
		int severity;
		char text[LINE_SIZE];
	} line[LINES];
	char last_error[LINE_SIZE];
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER, .passed_on = PTHREAD_COND_INITIALIZER};

static void
on_log(int severity, const char *message)
{
	int error = errno; /* libevent's callers look at errno after a warning */

	pthread_mutex_lock(&ring.mutex);
	if (severity == EVENT_LOG_ERR)
		strncpy(ring.last_error, message, LINE_SIZE - 1);
	if (ring.count == LINES) {
		ring.lost++;
	} else {
		unsigned slot = (ring.first + ring.count++) % LINES;

		ring.line[slot].severity = severity;
		strncpy(ring.line[slot].text, message, LINE_SIZE - 1);
		pthread_cond_signal(&ring.arrived);
	}
	pthread_mutex_unlock(&ring.mutex);
	errno = error;
}

/* Lets Java's logger have the last lines. Whoever holds what it needs makes it late, and nothing worse. */
static void
pass_on(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LAST_SECONDS;
	pthread_mutex_lock(&ring.mutex);
	while ((ring.count > 0 || !ring.waiting) && pthread_cond_timedwait(&ring.passed_on, &ring.mutex, &end) == 0)
		;
	pthread_mutex_unlock(&ring.mutex);
}

static void
on_fatal(int error)
{
	static const char what[] = "libevent4j: libevent cannot go on: ";
	ssize_t written;

	(void)error;
	written = write(STDERR_FILENO, what, sizeof(what) - 1);
	written = write(STDERR_FILENO, ring.last_error, strlen(ring.last_error));
	written = write(STDERR_FILENO, "\n", 1);
	(void)written;
	pass_on();
	abort();
}

void
libevent4j_log_init(void)
{
	event_set_log_callback(on_log);
	event_set_fatal_callback(on_fatal);
}

int
libevent4j_log_take(char *line, int size, int *lost)
{
	int severity;

	pthread_mutex_lock(&ring.mutex);
	ring.waiting = true;
	while (ring.count == 0) {
		pthread_cond_broadcast(&ring.passed_on);
		pthread_cond_wait(&ring.arrived, &ring.mutex);
	}
	ring.waiting = false;
	severity = ring.line[ring.first].severity;
	strncpy(line, ring.line[ring.first].text, (size_t)size - 1);
	line[size - 1] = '\0';
	*lost = (int)ring.lost;
	ring.lost = 0;
	ring.first = (ring.first + 1) % LINES;
	ring.count--;
	pthread_mutex_unlock(&ring.mutex);
	return severity;
}
