/*
 * What systems differ in. A function that is not inlined here is in posix.c and in windows.c, of which a build has the one that is its
 * own; all else is the same everywhere.
 */
#ifndef LIBEVENT4J_SYSTEM_H
#define LIBEVENT4J_SYSTEM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <strings.h>

#ifdef _WIN32

#include <winsock2.h>
#include <ws2tcpip.h>
#include <afunix.h>
#include <netioapi.h>
#include <malloc.h>

typedef SRWLOCK libevent4j_mutex;
typedef CONDITION_VARIABLE libevent4j_condition;
#define LIBEVENT4J_MUTEX SRWLOCK_INIT
#define LIBEVENT4J_CONDITION CONDITION_VARIABLE_INIT

typedef uint16_t in_port_t;
#define SHUT_WR SD_SEND
#define MSG_DONTWAIT 0 /* no socket that is read blocks */
#define poll WSAPoll

/* Sockets have numbers of their own for what goes wrong. */
#undef EAFNOSUPPORT
#define EAFNOSUPPORT WSAEAFNOSUPPORT
#undef ECONNREFUSED
#define ECONNREFUSED WSAECONNREFUSED
#undef ENAMETOOLONG
#define ENAMETOOLONG WSAENAMETOOLONG
#undef ENOTCONN
#define ENOTCONN WSAENOTCONN
#undef ETIMEDOUT
#define ETIMEDOUT WSAETIMEDOUT

#define libevent4j_usable_size _msize

#else

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

typedef pthread_mutex_t libevent4j_mutex;
typedef pthread_cond_t libevent4j_condition;
#define LIBEVENT4J_MUTEX PTHREAD_MUTEX_INITIALIZER
#define LIBEVENT4J_CONDITION PTHREAD_COND_INITIALIZER

#ifdef __APPLE__
#include <malloc/malloc.h>
#define libevent4j_usable_size malloc_size
#else
#include <malloc.h>
#define libevent4j_usable_size malloc_usable_size
#endif

#endif

/* ---- errors ---- */

/* Why this thread's last call to the system or to the C library failed: errno, or of a socket of Windows its own. */
static inline int
libevent4j_error(void)
{
#ifdef _WIN32
	int error = WSAGetLastError();

	/* GetLastError() by another name, where any call may have left something. */
	if (error >= WSABASEERR && error < WSABASEERR + 2000)
		return error;
#endif
	return errno;
}

static inline void
libevent4j_set_error(int error)
{
#ifdef _WIN32
	WSASetLastError(error);
#endif
	errno = error;
}

/* ---- threads ---- */

void libevent4j_lock(libevent4j_mutex *mutex);
void libevent4j_unlock(libevent4j_mutex *mutex);
/* False when so many seconds have passed; without end with 0. */
bool libevent4j_wait(libevent4j_condition *condition, libevent4j_mutex *mutex, int seconds);
void libevent4j_signal(libevent4j_condition *condition);

/* At the end of each thread that has one, the function gets the thread's value. To be called once; false when there is no key for it. */
bool libevent4j_at_thread_end(void (*ended)(void *));
bool libevent4j_set_thread_value(void *value);

/* evthread_use_pthreads(), or what stands for it. */
int libevent4j_use_threads(void);

/* ---- descriptors, beside those of libevent4j.h ---- */

/* Whether a descriptor is a file's or a directory's; -1 when it is none. */
int libevent4j_descriptor_is_file(int64_t fd);
/* The number by which the C library knows a file. */
int libevent4j_file_number(int64_t fd);

#endif
