#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <event2/util.h>

#define ADDRESS_SIZE (INET6_ADDRSTRLEN + sizeof("%4294967295"))

/* The peer's address in digits and its port; of a local socket "" and -1. */
static int
describe(const struct sockaddr *address, char *text, size_t size)
{
	text[0] = '\0';
	switch (address->sa_family) {
	case AF_INET: {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		evutil_inet_ntop(AF_INET, &in->sin_addr, text, size);
		return ntohs(in->sin_port);
	}
	case AF_INET6: {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

		evutil_inet_ntop(AF_INET6, &in6->sin6_addr, text, size);
		if (in6->sin6_scope_id != 0)
			snprintf(text + strlen(text), size - strlen(text), "%%%u", (unsigned)in6->sin6_scope_id);
		return ntohs(in6->sin6_port);
	}
	default:
		return -1;
	}
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length, void *id)
{
	JNIEnv *env = libevent4j_env();
	char text[ADDRESS_SIZE];
	int port = describe(address, text, sizeof(text));
	jstring host = (*env)->NewStringUTF(env, text);
	jboolean taken = JNI_FALSE;

	(void)listener;
	(void)length;
	if (libevent4j_upcall_done(env)) {
		taken = (*env)->CallStaticBooleanMethod(env, libevent4j_java.callbacks, libevent4j_java.accepted, ID(id), (jlong)fd,
		    host, (jint)port);
		if (!libevent4j_upcall_done(env))
			taken = JNI_TRUE; /* nobody knows who has the socket */
		(*env)->DeleteLocalRef(env, host);
	}
	if (!taken)
		evutil_closesocket(fd);
}

static void
on_accept_error(struct evconnlistener *listener, void *id)
{
	int error = libevent4j_error();
	JNIEnv *env = libevent4j_env();

	(void)listener;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.accept_failed, ID(id), (jint)error);
	libevent4j_upcall_done(env);
}

static struct evconnlistener *
with_error_callback(struct evconnlistener *listener)
{
	libevent4j_failed(libevent4j_error());
	if (listener != NULL)
		evconnlistener_set_error_cb(listener, on_accept_error);
	return listener;
}

struct evconnlistener *
libevent4j_listener_new(struct libevent4j_loop *loop, int64_t fd, int flags, int backlog, void *id)
{
	if (evutil_make_socket_nonblocking((evutil_socket_t)fd) != 0) {
		libevent4j_failed(libevent4j_error());
		return NULL;
	}
	return with_error_callback(evconnlistener_new(loop->base, on_accept, id, (unsigned)flags, backlog, (evutil_socket_t)fd));
}

jobject
libevent4j_listener_host(JNIEnv *env, jclass native, int64_t fd)
{
	struct sockaddr_storage address;
	ev_socklen_t length = sizeof(address);
	char text[ADDRESS_SIZE];

	(void)native;
	if (getsockname((evutil_socket_t)fd, (struct sockaddr *)&address, &length) != 0) {
		libevent4j_failed(libevent4j_error());
		return NULL;
	}
	describe((struct sockaddr *)&address, text, sizeof(text));
	return (*env)->NewStringUTF(env, text);
}

struct evconnlistener *
libevent4j_listener_bind(struct libevent4j_loop *loop, const char *address, int port, int flags, int backlog, void *id)
{
	struct sockaddr_storage parsed;
	int length = libevent4j_parse_address(address, port, &parsed);

	if (length < 0)
		return NULL;
	return with_error_callback(
	    evconnlistener_new_bind(loop->base, on_accept, id, (unsigned)flags, backlog, (struct sockaddr *)&parsed, length));
}
