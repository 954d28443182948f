#include "internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/thread.h>

/* ---- threads ---- */

void
libevent4j_lock(libevent4j_mutex *mutex)
{
	pthread_mutex_lock(mutex);
}

void
libevent4j_unlock(libevent4j_mutex *mutex)
{
	pthread_mutex_unlock(mutex);
}

bool
libevent4j_wait(libevent4j_condition *condition, libevent4j_mutex *mutex, int seconds)
{
	struct timespec end;

	if (seconds == 0)
		return pthread_cond_wait(condition, mutex) == 0;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	return pthread_cond_timedwait(condition, mutex, &end) == 0;
}

void
libevent4j_signal(libevent4j_condition *condition)
{
	pthread_cond_broadcast(condition);
}

static pthread_key_t key;

bool
libevent4j_at_thread_end(void (*ended)(void *))
{
	return pthread_key_create(&key, ended) == 0;
}

bool
libevent4j_set_thread_value(void *value)
{
	return pthread_setspecific(key, value) == 0;
}

int
libevent4j_use_threads(void)
{
	return evthread_use_pthreads();
}

/* ---- descriptors ---- */

int
libevent4j_descriptor_check(int64_t fd)
{
	int flags = fcntl((int)fd, F_GETFD);

	libevent4j_failed(errno);
	return flags == -1 ? -1 : 0;
}

int
libevent4j_descriptor_is_file(int64_t fd)
{
	struct stat status;

	return fstat((int)fd, &status) != 0 ? -1 : S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

int
libevent4j_file_number(int64_t fd)
{
	return (int)fd;
}

int64_t
libevent4j_descriptor_dup(int64_t fd)
{
	int copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 0);

	libevent4j_failed(errno);
	return copy;
}

void
libevent4j_descriptor_close(int64_t fd)
{
	close((int)fd);
}

int
libevent4j_would_block(int error)
{
	return error == EAGAIN || error == EINTR;
}
