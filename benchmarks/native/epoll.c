/*
 * The floor: a loop over epoll that reads requests without a body, looks for nothing but their ends, and answers each with the same
 * bytes.
 *
 *   epoll PORT FILE
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
#define SIZE 16384

static char reply[256];
static size_t reply_length;

static void
format_reply(void)
{
	static time_t formatted;
	time_t now = time(NULL);
	struct tm broken;
	char date[50];

	if (now == formatted)
		return;
	formatted = now;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &broken));
	reply_length = (size_t)snprintf(reply, sizeof(reply),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: %s\r\nContent-Length: 13\r\n\r\nHello, World!", date);
}

static void
serve(int fd)
{
	static char in[SIZE], out[SIZE * 4];
	ssize_t length = read(fd, in, sizeof(in) - 1);
	size_t written = 0;

	if (length <= 0) {
		close(fd);
		return;
	}
	in[length] = '\0';
	for (const char *at = in; (at = strstr(at, "\r\n\r\n")) != NULL && written + reply_length <= sizeof(out); at += 4) {
		memcpy(out + written, reply, reply_length);
		written += reply_length;
	}
	if (write(fd, out, written) != (ssize_t)written || strstr(in, "Connection: close") != NULL)
		close(fd);
}

int
main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), yes = 1;
	struct epoll_event events[EVENTS], added = {.events = EPOLLIN, .data.fd = listener};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (argc != 3)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 1024) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &added) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		format_reply();
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener) {
				int fd;

				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					added.data.fd = fd;
					epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &added);
				}
			} else {
				serve(events[i].data.fd);
			}
		}
	}
}
