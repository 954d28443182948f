#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

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

void
libevent4j_descriptor_send_at_once(evutil_socket_t fd)
{
	int on = 1;

	/* What has no such option, as a local socket, does not wait anyway. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (const void *)&on, sizeof(on));
}

int
libevent4j_descriptor_shut_down(int64_t fd)
{
	int result = shutdown((evutil_socket_t)fd, SHUT_WR);

	libevent4j_failed(libevent4j_error());
	return result;
}

int
libevent4j_local_port(int64_t fd)
{
	struct sockaddr_storage address;
	ev_socklen_t length = sizeof(address);

	if (getsockname((evutil_socket_t)fd, (struct sockaddr *)&address, &length) != 0) {
		libevent4j_failed(libevent4j_error());
		return -1;
	}
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

/* evutil_inet_pton_scope(), but for its memory, which it frees as if it were not libevent's. */
static bool
parse_ipv6(const char *address, struct sockaddr_in6 *parsed)
{
	char digits[INET6_ADDRSTRLEN];
	size_t length = strcspn(address, "%");
	const char *zone = address[length] == '%' ? address + length + 1 : NULL;

	if (length >= sizeof(digits))
		return false;
	memcpy(digits, address, length);
	digits[length] = '\0';
	if (evutil_inet_pton(AF_INET6, digits, &parsed->sin6_addr) != 1)
		return false;
	if (zone != NULL && (parsed->sin6_scope_id = if_nametoindex(zone)) == 0)
		parsed->sin6_scope_id = (uint32_t)strtoul(zone, NULL, 10);
	return true;
}

int
libevent4j_parse_address(const char *address, int port, struct sockaddr_storage *parsed)
{
	struct sockaddr_in *in = (struct sockaddr_in *)parsed;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)parsed;

	memset(parsed, 0, sizeof(*parsed));
	if (port < 0) {
		struct sockaddr_un *un = (struct sockaddr_un *)parsed;

		if (strlen(address) >= sizeof(un->sun_path)) {
			libevent4j_failed(ENAMETOOLONG);
			return -1;
		}
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, address, strlen(address));
		return sizeof(*un);
	}
	if (evutil_inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return sizeof(*in);
	}
	if (parse_ipv6(address, in6)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return sizeof(*in6);
	}
	libevent4j_failed(EAFNOSUPPORT);
	return -1;
}
