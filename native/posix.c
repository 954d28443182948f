#include "internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/thread.h>

int
libevent4j_system_init(void)
{
	return evthread_use_pthreads();
}

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
