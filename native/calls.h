/*
 * What libevent is compiled with in front of each of its files: some of its calls of the C library, and of http.c's of other files, come
 * here instead. Each does the same as the function whose name it takes; see format.c, scan.c, split.c, transfer.c, epoll.c, line.c,
 * more.c and hold.c for why.
 */
#include <stdarg.h>
#include <stdio.h>

int libevent4j_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
#define vsnprintf libevent4j_vsnprintf

int libevent4j_sscanf(const char *string, const char *format, ...);
#define sscanf libevent4j_sscanf

#if !defined(_WIN32)
#include <string.h>
#include <sys/uio.h>

char *libevent4j_strsep(char **string, const char *delimiters);
#define strsep libevent4j_strsep

size_t libevent4j_strspn(const char *string, const char *accepted);
#define strspn libevent4j_strspn

ssize_t libevent4j_readv(int fd, const struct iovec *pieces, int count);
#define readv libevent4j_readv

ssize_t libevent4j_writev(int fd, const struct iovec *pieces, int count);
#define writev libevent4j_writev
#endif

#if defined(__linux__)
struct epoll_event; /* not its header: there are some that include sys/ioctl.h, which is left out, see cppbuild.sh */

int libevent4j_epoll_create1(int flags);
#define epoll_create1 libevent4j_epoll_create1

int libevent4j_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
#define epoll_ctl libevent4j_epoll_ctl

int libevent4j_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
#define epoll_wait libevent4j_epoll_wait
#endif

#if defined(LIBEVENT4J_IN_http)
#include <event2/util.h>

char *libevent4j_strchr(const char *string, int character);
#define strchr libevent4j_strchr

char *libevent4j_strpbrk(const char *string, const char *accepted);
#define strpbrk libevent4j_strpbrk

/* Each of these is declared where the function is whose name it takes. */
#define evbuffer_readln libevent4j_readln
#define evbuffer_add libevent4j_add
#define evbuffer_add_printf libevent4j_add_printf
#define event_mm_free_ libevent4j_line_free
#define event_deferred_cb_init_ libevent4j_deferred_init
#define event_deferred_cb_schedule_ libevent4j_deferred_schedule
#define event_deferred_cb_cancel_ libevent4j_deferred_cancel
#define bufferevent_enable libevent4j_bufferevent_enable
#define bufferevent_disable libevent4j_bufferevent_disable

/* Evhttp looks for header after header among them all, and only asks whether names are the same. Most differ in their first letter, and
 * that needs no call. */
static inline int
libevent4j_strcasecmp(const char *one, const char *other)
{
	return ((*one ^ *other) & ~('a' ^ 'A')) != 0 ? 1 : evutil_ascii_strcasecmp(one, other);
}
#define evutil_ascii_strcasecmp libevent4j_strcasecmp
#endif
