/*
 * What systems differ in: here, and in posix.c or windows.c, of which a build has the one that is its own. All else is the same
 * everywhere.
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
typedef DWORD libevent4j_key;

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

static inline void
libevent4j_lock(libevent4j_mutex *mutex)
{
	AcquireSRWLockExclusive(mutex);
}

static inline void
libevent4j_unlock(libevent4j_mutex *mutex)
{
	ReleaseSRWLockExclusive(mutex);
}

static inline bool
libevent4j_wait(libevent4j_condition *condition, libevent4j_mutex *mutex, int seconds)
{
	return SleepConditionVariableSRW(condition, mutex, seconds == 0 ? INFINITE : (DWORD)seconds * 1000, 0) != 0;
}

static inline void
libevent4j_wake(libevent4j_condition *condition)
{
	WakeAllConditionVariable(condition);
}

static inline bool
libevent4j_key_create(libevent4j_key *key, void (*ended)(void *))
{
	return (*key = FlsAlloc(ended)) != FLS_OUT_OF_INDEXES;
}

static inline bool
libevent4j_key_set(libevent4j_key key, void *value)
{
	return FlsSetValue(key, value) != 0;
}

#else

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

typedef pthread_mutex_t libevent4j_mutex;
typedef pthread_cond_t libevent4j_condition;
#define LIBEVENT4J_MUTEX PTHREAD_MUTEX_INITIALIZER
#define LIBEVENT4J_CONDITION PTHREAD_COND_INITIALIZER
typedef pthread_key_t libevent4j_key;

#ifdef __APPLE__
#include <malloc/malloc.h>
#define libevent4j_usable_size malloc_size
#else
#include <malloc.h>
#define libevent4j_usable_size malloc_usable_size
#endif

static inline void
libevent4j_lock(libevent4j_mutex *mutex)
{
	pthread_mutex_lock(mutex);
}

static inline void
libevent4j_unlock(libevent4j_mutex *mutex)
{
	pthread_mutex_unlock(mutex);
}

/* False when so many seconds have passed; 0 is without end. */
static inline bool
libevent4j_wait(libevent4j_condition *condition, libevent4j_mutex *mutex, int seconds)
{
	struct timespec end;

	if (seconds == 0)
		return pthread_cond_wait(condition, mutex) == 0;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	return pthread_cond_timedwait(condition, mutex, &end) == 0;
}

static inline void
libevent4j_wake(libevent4j_condition *condition)
{
	pthread_cond_broadcast(condition);
}

/* A key's value in a thread is given to the function when that thread ends. */
static inline bool
libevent4j_key_create(libevent4j_key *key, void (*ended)(void *))
{
	return pthread_key_create(key, ended) == 0;
}

static inline bool
libevent4j_key_set(libevent4j_key key, void *value)
{
	return pthread_setspecific(key, value) == 0;
}

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

/* ---- in posix.c and in windows.c, as are some of the descriptors of libevent4j.h ---- */

/* Prepares the system for libevent: evthread_use_pthreads(), or what stands for it. 0 or -1. */
int libevent4j_system_init(void);

/* Whether a descriptor is a file's or a directory's; -1 when it is none. */
int libevent4j_descriptor_is_file(int64_t fd);
/* The number by which the C library knows a file. */
int libevent4j_file_number(int64_t fd);

#endif
