#include "internal.h"

#include <netinet/in.h>
#include <string.h>

#include <event2/util.h>

/* The answer's records: the addresses one after the other, or the names, each with its NUL. */
static jbyteArray
records(JNIEnv *env, char type, int count, const void *addresses)
{
	size_t size = 0;
	jbyteArray array;

	if (type == DNS_PTR) {
		const char *const *names = addresses;
		jsize at = 0;

		for (int i = 0; i < count; i++)
			size += strlen(names[i]) + 1;
		array = (*env)->NewByteArray(env, (jsize)size);
		for (int i = 0; array != NULL && i < count; i++) {
			jsize length = (jsize)strlen(names[i]) + 1;

			(*env)->SetByteArrayRegion(env, array, at, length, (const jbyte *)names[i]);
			at += length;
		}
		return array;
	}
	size = (size_t)count * (type == DNS_IPv6_AAAA ? sizeof(struct in6_addr) : sizeof(struct in_addr));
	array = (*env)->NewByteArray(env, (jsize)size);
	if (array != NULL)
		(*env)->SetByteArrayRegion(env, array, 0, (jsize)size, addresses);
	return array;
}

static void
on_answer(int result, char type, int count, int ttl, void *addresses, void *id)
{
	JNIEnv *env = libevent4j_env();
	jbyteArray array = result == DNS_ERR_NONE ? records(env, type, count, addresses) : NULL;

	if (!libevent4j_upcall_done(env))
		result = DNS_ERR_UNKNOWN;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.dns_answer, ID(id), (jint)result, (jint)type,
	    (jint)ttl, array);
	libevent4j_upcall_done(env);
	if (array != NULL)
		(*env)->DeleteLocalRef(env, array);
}

struct evdns_request *
libevent4j_dns_resolve(struct evdns_base *dns, const char *name, int type, int flags, void *id)
{
	return type == DNS_IPv6_AAAA ? evdns_base_resolve_ipv6(dns, name, flags, on_answer, id)
	                             : evdns_base_resolve_ipv4(dns, name, flags, on_answer, id);
}

struct evdns_request *
libevent4j_dns_reverse(struct evdns_base *dns, const char *address, int flags, void *id)
{
	struct in_addr in;
	struct in6_addr in6;

	if (evutil_inet_pton(AF_INET, address, &in) == 1)
		return evdns_base_resolve_reverse(dns, &in, flags, on_answer, id);
	if (evutil_inet_pton(AF_INET6, address, &in6) == 1)
		return evdns_base_resolve_reverse_ipv6(dns, &in6, flags, on_answer, id);
	return NULL;
}

/* Each address is a byte with its length, 4 or 16, and its bytes. */
static jbyteArray
pack(JNIEnv *env, const struct evutil_addrinfo *list)
{
	jsize size = 0;
	jbyteArray array;

	for (const struct evutil_addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		size += ai->ai_family == AF_INET ? 5 : 17;
	array = (*env)->NewByteArray(env, size);
	size = 0;
	for (const struct evutil_addrinfo *ai = list; array != NULL && ai != NULL; ai = ai->ai_next) {
		bool four = ai->ai_family == AF_INET;
		jbyte length = four ? 4 : 16;
		const void *bytes = four ? (const void *)&((struct sockaddr_in *)ai->ai_addr)->sin_addr
		                         : (const void *)&((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr;

		(*env)->SetByteArrayRegion(env, array, size, 1, &length);
		(*env)->SetByteArrayRegion(env, array, size + 1, length, bytes);
		size += 1 + length;
	}
	return array;
}

static void
on_addresses(int result, struct evutil_addrinfo *list, void *id)
{
	JNIEnv *env = libevent4j_env();
	jbyteArray array = result == 0 ? pack(env, list) : NULL;

	if (list != NULL)
		evutil_freeaddrinfo(list);
	if (!libevent4j_upcall_done(env))
		result = EVUTIL_EAI_MEMORY;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.dns_addresses, ID(id), (jint)result, array);
	libevent4j_upcall_done(env);
	if (array != NULL)
		(*env)->DeleteLocalRef(env, array);
}

struct evdns_getaddrinfo_request *
libevent4j_dns_getaddrinfo(struct evdns_base *dns, const char *host, const char *service, int family, int flags, void *id)
{
	struct evutil_addrinfo hints;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM; /* one answer for each address, not for each protocol */
	hints.ai_flags = flags;
	return evdns_getaddrinfo(dns, host, service, &hints, on_addresses, id);
}
