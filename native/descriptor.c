#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int64_t
libevent4j_descriptor_of(JNIEnv *env, jclass native, jobject channel)
{
	jclass channel_class = (*env)->GetObjectClass(env, channel);
	jfieldID holder = (*env)->GetFieldID(env, channel_class, "fd", "Ljava/io/FileDescriptor;");
	int64_t fd = -1;

	(void)native;
	if (holder == NULL) {
		(*env)->ExceptionClear(env); /* not one of the JDK's own channels */
	} else {
		jobject descriptor = (*env)->GetObjectField(env, channel, holder);
		if (descriptor != NULL) {
			jclass descriptor_class = (*env)->GetObjectClass(env, descriptor);
			jfieldID number = (*env)->GetFieldID(env, descriptor_class, "fd", "I");

			if (number == NULL)
				(*env)->ExceptionClear(env);
			else
				fd = (*env)->GetIntField(env, descriptor, number);
		}
	}
	return fd;
}

int
libevent4j_descriptor_check(int64_t fd)
{
	int flags = fcntl((int)fd, F_GETFD);

	libevent4j_failed(errno);
	return flags == -1 ? -1 : 0;
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
libevent4j_local_port(int64_t fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname((int)fd, (struct sockaddr *)&address, &length) != 0) {
		libevent4j_failed(errno);
		return -1;
	}
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}
