/* For a program without the shim's loops: libevent's calls of native/epoll.c are the C library's own. */
#include <sys/epoll.h>

int libevent4j_epoll_create1(int flags);
int libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);

int
libevent4j_epoll_create1(int flags)
{
	return epoll_create1(flags);
}

int
libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	return epoll_ctl(epoll, operation, fd, event);
}

int
libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	return epoll_wait(epoll, events, most, timeout);
}
