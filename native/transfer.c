/*
 * Libevent reads and writes with readv() and writev(), for which the kernel goes through its files and copies and checks a vector.
 * It is compiled to call these instead: a socket's bytes go the shorter way of recv() and send(), those of few small pieces put
 * together first, as a reply's head and body are. What is no socket, and what is more, goes by readv() and writev() themselves.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <errno.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/uio.h>

#define TOGETHER 4096 /* bytes at most that are copied to be one piece */

ssize_t
libevent4j_readv(int fd, const struct iovec *pieces, int count)
{
	if (count == 1 && pieces->iov_len > 0) {
		ssize_t length = recv(fd, pieces->iov_base, pieces->iov_len, 0);

		if (length >= 0 || errno != ENOTSOCK)
			return length;
	}
	return readv(fd, pieces, count);
}

/* All the pieces in one, in this memory unless there is only one; its iov_base is NULL when they are more than fit. */
static struct iovec
join(const struct iovec *pieces, int count, char memory[TOGETHER])
{
	struct iovec whole = {.iov_base = memory};

	if (count == 1)
		return *pieces;
	for (int i = 0; i < count; i++) {
		if (pieces[i].iov_len > TOGETHER - whole.iov_len)
			return (struct iovec){NULL, 0};
		memcpy(memory + whole.iov_len, pieces[i].iov_base, pieces[i].iov_len);
		whole.iov_len += pieces[i].iov_len;
	}
	return whole;
}

ssize_t
libevent4j_writev(int fd, const struct iovec *pieces, int count)
{
	char memory[TOGETHER];
	struct iovec whole = join(pieces, count, memory);

	if (whole.iov_len > 0) {
		ssize_t length = send(fd, whole.iov_base, whole.iov_len, 0);

		if (length >= 0 || errno != ENOTSOCK)
			return length;
	}
	return writev(fd, pieces, count);
}

#endif
