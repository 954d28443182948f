/*
 * Load at a rate: requests fall due at equal distances, whatever becomes of those before, and each one's time counts from when it was
 * due. A server that falls behind cannot slow down what it is measured with. Tells, as JSON, microseconds of the requests, and how late
 * they were sent, which says whether the pace was real.
 *
 *   pace PORT CONNECTIONS REQUESTS-PER-SECOND SECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define NANOS 1000000000LL
#define END "Hello, World!"

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

struct connection {
	int fd;
	int64_t due; /* its request */
	char reply[1024];
	size_t length;
};

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NANOS + time.tv_nsec;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
open_connection(struct connection *connection, int epoll, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	connection->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
		fail("connect");
}

/* Whether all of the reply is there. */
static int
receive(struct connection *connection)
{
	ssize_t length = read(connection->fd, connection->reply + connection->length, sizeof(connection->reply) - connection->length);

	if (length <= 0)
		fail("read");
	connection->length += (size_t)length;
	return connection->length >= strlen(END) &&
	    memcmp(connection->reply + connection->length - strlen(END), END, strlen(END)) == 0;
}

static int
compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static double
percentile(const int64_t *sorted, int64_t count, double percent)
{
	return (double)sorted[(int64_t)((double)(count - 1) * percent / 100)] / 1000;
}

int
main(int argc, char **argv)
{
	int epoll = epoll_create1(0);
	int64_t count, rate, total, sent = 0, done = 0, free_first = 0, free_count, start;
	int64_t *latency, *late;
	struct connection *connections, **waiting; /* a ring of those that are free, longest first */
	struct epoll_event events[EVENTS];

	if (argc != 5)
		return 2;
	count = free_count = atoll(argv[2]);
	rate = atoll(argv[3]);
	total = rate * atoll(argv[4]);
	connections = calloc((size_t)count, sizeof(*connections));
	waiting = calloc((size_t)count, sizeof(*waiting));
	latency = calloc((size_t)total, sizeof(*latency));
	late = calloc((size_t)total, sizeof(*late));
	for (int64_t i = 0; i < count; i++)
		open_connection(waiting[i] = &connections[i], epoll, atoi(argv[1]));
	start = now();
	while (done < total) {
		int ready;

		for (int64_t time = now(); free_count > 0 && sent < total && start + sent * NANOS / rate <= time; time = now()) {
			struct connection *connection = waiting[free_first];

			free_first = (free_first + 1) % count;
			free_count--;
			connection->due = start + sent * NANOS / rate;
			connection->length = 0;
			late[sent++] = time - connection->due;
			if (write(connection->fd, request, strlen(request)) != (ssize_t)strlen(request))
				fail("write");
		}
		ready = epoll_wait(epoll, events, EVENTS, 0); /* the core is ours: to sleep would be to wake up late */
		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;

			if (receive(connection)) {
				latency[done++] = now() - connection->due;
				waiting[(free_first + free_count++) % count] = connection;
			}
		}
	}
	printf("{\"requests\": %lld, \"seconds\": %.6f", (long long)total, (double)(now() - start) / NANOS);
	qsort(latency, (size_t)total, sizeof(*latency), compare);
	qsort(late, (size_t)total, sizeof(*late), compare);
	printf(", \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, \"late_p99\": %.1f}\n", percentile(latency, total, 50),
	    percentile(latency, total, 99), percentile(latency, total, 99.9), percentile(latency, total, 100), percentile(late, total, 99));
	return 0;
}
