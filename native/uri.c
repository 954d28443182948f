#include "internal.h"

#include <string.h>

static int
put(char *out, int size, int at, const char *string)
{
	int32_t length = string == NULL ? -1 : (int32_t)strlen(string);

	if (at < 0 || size - at < (int)sizeof(length) + (length > 0 ? length : 0))
		return -1;
	memcpy(out + at, &length, sizeof(length));
	if (length > 0)
		memcpy(out + at + sizeof(length), string, (size_t)length);
	return at + (int)sizeof(length) + (length > 0 ? length : 0);
}

int
libevent4j_uri_parse(const char *text, int flags, char *out, int size)
{
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(text, (unsigned)flags);
	int32_t port;
	int at = 0;

	if (uri == NULL)
		return -1;
	port = evhttp_uri_get_port(uri);
	memcpy(out, &port, sizeof(port));
	at = put(out, size, (int)sizeof(port), evhttp_uri_get_scheme(uri));
	at = put(out, size, at, evhttp_uri_get_userinfo(uri));
	at = put(out, size, at, evhttp_uri_get_host(uri));
	at = put(out, size, at, evhttp_uri_get_path(uri));
	at = put(out, size, at, evhttp_uri_get_query(uri));
	at = put(out, size, at, evhttp_uri_get_fragment(uri));
	evhttp_uri_free(uri);
	return at;
}

int
libevent4j_uri_join(const char *scheme, const char *userinfo, const char *host, int port, const char *path, const char *query,
    const char *fragment, int flags, char *out, int size)
{
	struct evhttp_uri *uri = evhttp_uri_new();
	int result;

	if (uri == NULL)
		return -1;
	evhttp_uri_set_flags(uri, (unsigned)flags);
	if (evhttp_uri_set_scheme(uri, scheme) != 0)
		result = 1;
	else if (evhttp_uri_set_userinfo(uri, userinfo) != 0)
		result = 2;
	else if (evhttp_uri_set_host(uri, host) != 0)
		result = 3;
	else if (evhttp_uri_set_path(uri, path) != 0)
		result = 4;
	else if (evhttp_uri_set_query(uri, query) != 0)
		result = 5;
	else if (evhttp_uri_set_fragment(uri, fragment) != 0)
		result = 6;
	else
		result = evhttp_uri_set_port(uri, port) == 0 && evhttp_uri_join(uri, out, (size_t)size) != NULL ? 0 : -1;
	evhttp_uri_free(uri);
	return result;
}
