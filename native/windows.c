/*
 * A socket is a handle here, and a file is one to Java, but to libevent a number of the C library's. To tell the two apart, such a number
 * is a descriptor with a bit that no handle has.
 */
#include "internal.h"

#include <fcntl.h>
#include <io.h>

#include <event2/thread.h>

int
libevent4j_system_init(void)
{
	WSADATA sockets;

	/* Java does so too, but not before it has a socket of its own. */
	return WSAStartup(MAKEWORD(2, 2), &sockets) != 0 ? -1 : evthread_use_windows_threads();
}

/* The bindings know this function on every platform. */
int
evthread_use_pthreads(void)
{
	return -1;
}

#define FILE_BIT (1 << 30)

int
libevent4j_descriptor_check(int64_t fd)
{
	int type, length = sizeof(type);
	int result = getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&type, &length);

	libevent4j_failed(libevent4j_error());
	return result == 0 ? 0 : -1;
}

int
libevent4j_descriptor_is_file(int64_t fd)
{
	return (fd & FILE_BIT) != 0 ? 1 : libevent4j_descriptor_check(fd);
}

int
libevent4j_file_number(int64_t fd)
{
	return (int)(fd & ~(int64_t)FILE_BIT);
}

static int64_t
duplicate_socket(SOCKET socket)
{
	WSAPROTOCOL_INFOW protocol;

	if (WSADuplicateSocketW(socket, GetCurrentProcessId(), &protocol) != 0)
		return -1;
	return (int64_t)WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &protocol, 0,
	    WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

static int64_t
duplicate_file(int64_t fd)
{
	HANDLE file = (fd & FILE_BIT) != 0 ? (HANDLE)_get_osfhandle(libevent4j_file_number(fd)) : (HANDLE)(intptr_t)fd;
	HANDLE copy;
	int number;

	if (!DuplicateHandle(GetCurrentProcess(), file, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
		libevent4j_set_error(EBADF);
		return -1;
	}
	number = _open_osfhandle((intptr_t)copy, _O_RDONLY | _O_BINARY);
	if (number < 0) {
		CloseHandle(copy);
		libevent4j_set_error(EMFILE);
		return -1;
	}
	return number | FILE_BIT;
}

int64_t
libevent4j_descriptor_dup(int64_t fd)
{
	bool is_socket = (fd & FILE_BIT) == 0 && libevent4j_descriptor_check(fd) == 0;
	int64_t copy = is_socket ? duplicate_socket((SOCKET)fd) : duplicate_file(fd);

	libevent4j_failed(libevent4j_error());
	return copy;
}

void
libevent4j_descriptor_close(int64_t fd)
{
	if ((fd & FILE_BIT) != 0)
		_close(libevent4j_file_number(fd));
	else
		closesocket((SOCKET)fd);
}

int
libevent4j_would_block(int error)
{
	return error == WSAEWOULDBLOCK || error == WSAEINTR;
}
