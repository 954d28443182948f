/*
 * Libevent may log on any thread and under its locks, so its callback only copies the line into a ring, under a mutex that
 * nothing else is taken inside of. Java's log thread waits for lines at the other end.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 128
#define LINE_SIZE 512
#define LAST_SECONDS 2 /* that Java's log thread has for the last lines */

static struct {
	libevent4j_mutex mutex;
	libevent4j_condition arrived, passed_on;
	bool waiting; /* Java's log thread is through with all it took */
	unsigned first, count, lost;
	struct {
		int severity;
		char text[LINE_SIZE];
	} line[LINES];
	char last_error[LINE_SIZE];
} ring = {.mutex = LIBEVENT4J_MUTEX, .arrived = LIBEVENT4J_CONDITION, .passed_on = LIBEVENT4J_CONDITION};

static void
on_log(int severity, const char *message)
{
	int error = libevent4j_error(); /* libevent's callers look at errno after a warning */

	libevent4j_lock(&ring.mutex);
	if (severity == EVENT_LOG_ERR)
		strncpy(ring.last_error, message, LINE_SIZE - 1);
	if (ring.count == LINES) {
		ring.lost++;
	} else {
		unsigned slot = (ring.first + ring.count++) % LINES;

		ring.line[slot].severity = severity;
		strncpy(ring.line[slot].text, message, LINE_SIZE - 1);
		libevent4j_wake(&ring.arrived);
	}
	libevent4j_unlock(&ring.mutex);
	libevent4j_set_error(error);
}

/* Lets Java's logger have the last lines. Whoever holds what it needs makes it late, and nothing worse. */
static void
pass_on(void)
{
	libevent4j_lock(&ring.mutex);
	while ((ring.count > 0 || !ring.waiting) && libevent4j_wait(&ring.passed_on, &ring.mutex, LAST_SECONDS))
		;
	libevent4j_unlock(&ring.mutex);
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

	libevent4j_lock(&ring.mutex);
	ring.waiting = true;
	while (ring.count == 0) {
		libevent4j_wake(&ring.passed_on);
		libevent4j_wait(&ring.arrived, &ring.mutex, 0);
	}
	ring.waiting = false;
	severity = ring.line[ring.first].severity;
	strncpy(line, ring.line[ring.first].text, (size_t)size - 1);
	line[size - 1] = '\0';
	*lost = (int)ring.lost;
	ring.lost = 0;
	ring.first = (ring.first + 1) % LINES;
	ring.count--;
	libevent4j_unlock(&ring.mutex);
	return severity;
}
