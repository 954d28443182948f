#include "internal.h"

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

/* An address for Java: a byte with its length, its bytes, of IPv6 the zone, and the port; each in network order. */
#define PACKED_SIZE (1 + sizeof(struct in6_addr) + sizeof(uint32_t) + sizeof(in_port_t))

static size_t
put(uint8_t *out, size_t at, const void *bytes, size_t size)
{
	memcpy(out + at, bytes, size);
	return at + size;
}

static size_t
pack(uint8_t *out, const struct sockaddr *address)
{
	size_t size;

	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		out[0] = sizeof(in->sin_addr);
		size = put(out, 1, &in->sin_addr, sizeof(in->sin_addr));
		return put(out, size, &in->sin_port, sizeof(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		uint32_t zone = htonl(in6->sin6_scope_id);

		out[0] = sizeof(in6->sin6_addr);
		size = put(out, 1, &in6->sin6_addr, sizeof(in6->sin6_addr));
		size = put(out, size, &zone, sizeof(zone));
		return put(out, size, &in6->sin6_port, sizeof(in6->sin6_port));
	}
}

static jbyteArray
pack_all(JNIEnv *env, const struct evutil_addrinfo *list)
{
	size_t size = 0;
	uint8_t packed[PACKED_SIZE];
	jbyteArray array;

	for (const struct evutil_addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		size += pack(packed, ai->ai_addr);
	array = (*env)->NewByteArray(env, (jsize)size);
	size = 0;
	for (const struct evutil_addrinfo *ai = list; array != NULL && ai != NULL; ai = ai->ai_next) {
		size_t length = pack(packed, ai->ai_addr);

		(*env)->SetByteArrayRegion(env, array, (jsize)size, (jsize)length, (const jbyte *)packed);
		size += length;
	}
	return array;
}

static void
on_addresses(int result, struct evutil_addrinfo *list, void *id)
{
	JNIEnv *env = libevent4j_env();
	jbyteArray array = result == 0 ? pack_all(env, list) : NULL;

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
libevent4j_dns_getaddrinfo(struct evdns_base *dns, const char *host, const char *service, int family, void *id)
{
	struct evutil_addrinfo hints;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM; /* one answer for each address, not for each protocol */
	return evdns_getaddrinfo(dns, host, service, &hints, on_addresses, id);
}

/* ---- servers ---- */

int
libevent4j_dns_add_nameserver(struct evdns_base *dns, const char *address, int port)
{
	struct sockaddr_storage parsed;
	int length = libevent4j_parse_address(address, port, &parsed);
	int result;

	if (length < 0)
		return -1;
	libevent4j_set_error(0);
	result = evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&parsed, (ev_socklen_t)length, 0);
	libevent4j_failed(libevent4j_error());
	return result;
}

int
libevent4j_dns_nameserver(struct evdns_base *dns, int index, char *out, int size)
{
	struct sockaddr_storage address;
	int length = evdns_base_get_nameserver_addr(dns, index, (struct sockaddr *)&address, sizeof(address));

	return length < 0 || size < (int)PACKED_SIZE ? -1 : (int)pack((uint8_t *)out, (struct sockaddr *)&address);
}

/* ---- the end ---- */

struct ending {
	struct evdns_base *dns; /* owned */
	struct event *event;    /* owned */
};

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct ending *ending = arg;

	(void)fd;
	(void)what;
	evdns_base_free(ending->dns, 1);
	event_free(ending->event);
	libevent4j_free(ending);
}

/*
 * Libevent's own callbacks of requests that were answered or cancelled, which it runs later, look at the evdns_base, whether it
 * still exists or not. A timeout of zero comes behind all that are to be run by now. And the probe of a server that failed is to be
 * cancelled before: evdns_base_free() has it call back with the server, which it frees.
 */
void
libevent4j_dns_free(struct libevent4j_loop *loop, struct evdns_base *dns)
{
	const struct timeval now = {0, 0};
	struct ending *ending = libevent4j_calloc(sizeof(*ending));

	evdns_base_clear_nameservers_and_suspend(dns);
	if (ending == NULL)
		return; /* better a resolver too many than one too few */
	ending->dns = dns;
	ending->event = event_new(loop->base, -1, 0, on_end, ending);
	if (ending->event == NULL || event_add(ending->event, &now) != 0) {
		if (ending->event != NULL)
			event_free(ending->event);
		libevent4j_free(ending);
	}
}
