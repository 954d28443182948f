/*
 * What libevent is compiled with in front of each of its files: some of its calls of the C library come here instead. Each does the same
 * as the function whose name it takes; see format.c, scan.c and epoll.c for why.
 */
#include <stdarg.h>
#include <stdio.h>

int libevent4j_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
#define vsnprintf libevent4j_vsnprintf

int libevent4j_sscanf(const char *string, const char *format, ...);
#define sscanf libevent4j_sscanf

#if defined(__linux__)
#include <sys/epoll.h>

int libevent4j_epoll_create1(int flags);
#define epoll_create1 libevent4j_epoll_create1

int libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
#define epoll_ctl libevent4j_epoll_ctl

int libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
#define epoll_wait libevent4j_epoll_wait
#endif
