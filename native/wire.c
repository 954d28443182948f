/*
 * The layout of heads, in native byte order, without padding. A string is its length in an int32 (-1 for none) and its bytes.
 *
 * C to Java:  int32 method or status, int32 major version, int32 minor version, int32 client's port, int64 body length,
 *             string URI or reason, string client's host; and behind it
 *             int32 number of headers, and for each string name, string value
 * Java to C:  string reason or URI, int32 number of headers, and for each string name, string value;
 *             each string ends with a NUL that its length does not count
 */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>

struct writer {
	uint8_t *at, *end; /* at may pass end: what does not fit is only counted */
	size_t length;
};

static void
put(struct writer *writer, const void *bytes, size_t size)
{
	writer->length += size;
	if (writer->at != NULL && size <= (size_t)(writer->end - writer->at)) {
		memcpy(writer->at, bytes, size);
		writer->at += size;
	} else {
		writer->at = NULL;
	}
}

static void
put_int(struct writer *writer, size_t value)
{
	int32_t narrow = (int32_t)value;

	put(writer, &narrow, sizeof(narrow));
}

static void
put_string(struct writer *writer, const char *string)
{
	if (string == NULL) {
		put_int(writer, (size_t)-1);
	} else {
		size_t length = strlen(string);
		int32_t narrow = (int32_t)length;

		if (writer->at != NULL && sizeof(narrow) + length <= (size_t)(writer->end - writer->at)) {
			memcpy(writer->at, &narrow, sizeof(narrow));
			memcpy(writer->at + sizeof(narrow), string, length);
			writer->at += sizeof(narrow) + length;
		} else {
			writer->at = NULL;
		}
		writer->length += sizeof(narrow) + length;
	}
}

static size_t
write_head(uint8_t *buffer, size_t size, struct evhttp_request *request)
{
	struct writer writer = {buffer, buffer + size, 0};
	bool incoming = (request->flags & EVHTTP_REQ_OWN_CONNECTION) != 0;
	int64_t body = (int64_t)evbuffer_get_length(request->input_buffer);

	put_int(&writer, incoming ? (size_t)request->type : (size_t)request->response_code);
	put_int(&writer, (size_t)request->major);
	put_int(&writer, (size_t)request->minor);
	put_int(&writer, incoming ? request->remote_port : 0);
	put(&writer, &body, sizeof(body));
	put_string(&writer, incoming ? request->uri : request->response_code_line);
	put_string(&writer, incoming ? request->remote_host : NULL);
	return writer.length;
}

static size_t
write_headers(uint8_t *buffer, size_t size, struct evhttp_request *request)
{
	struct writer writer = {buffer, buffer + size, 0};
	size_t headers = 0;
	struct evkeyval *header;

	for (header = request->input_headers->tqh_first; header != NULL; header = header->next.tqe_next)
		headers++;
	put_int(&writer, headers);
	for (header = request->input_headers->tqh_first; header != NULL; header = header->next.tqe_next) {
		put_string(&writer, header->key);
		put_string(&writer, header->value);
	}
	return writer.length;
}

/* Writes a part of a head at this place of the loop's buffer. */
static int
write_part(JNIEnv *env, struct libevent4j_loop *loop, struct evhttp_request *request, size_t at,
    size_t (*write)(uint8_t *buffer, size_t size, struct evhttp_request *request))
{
	size_t length = at + write(loop->head + at, loop->head_size - at, request);
	jlong grown;

	if (length <= loop->head_size)
		return (int)length;
	if (length > INT_MAX)
		return -1;
	grown = (*env)->CallStaticLongMethod(env, libevent4j_java.callbacks, libevent4j_java.grow_head, ID(loop->id), (jint)length);
	if (!libevent4j_upcall_done(env) || grown == 0)
		return -1;
	loop->head = (uint8_t *)(intptr_t)grown;
	loop->head_size = length;
	return (int)(at + write(loop->head + at, length - at, request));
}

int
libevent4j_write_head(JNIEnv *env, struct libevent4j_loop *loop, struct evhttp_request *request)
{
	return write_part(env, loop, request, 0, write_head);
}

int
libevent4j_write_headers(JNIEnv *env, struct libevent4j_loop *loop, struct evhttp_request *request, int at)
{
	return at < 0 ? -1 : write_part(env, loop, request, (size_t)at, write_headers);
}

static const char *
take_string(const uint8_t **at)
{
	int32_t length;
	const char *string;

	memcpy(&length, *at, sizeof(length));
	*at += sizeof(length);
	if (length < 0)
		return NULL;
	string = (const char *)*at;
	*at += length + 1;
	return string;
}

int
libevent4j_read_head(const void *head, struct evkeyvalq *headers, const char **text)
{
	const uint8_t *at = head;
	int32_t count;

	*text = take_string(&at);
	memcpy(&count, at, sizeof(count));
	at += sizeof(count);
	while (count-- > 0) {
		const char *name = take_string(&at), *value = take_string(&at);

		if (evhttp_add_header(headers, name, value) != 0)
			return -1;
	}
	return 0;
}

bool
libevent4j_is_head(const void *head, const struct evkeyvalq *headers, const char **text)
{
	const struct evkeyval *header = headers->tqh_first;
	const uint8_t *at = head;
	int32_t count;

	*text = take_string(&at);
	memcpy(&count, at, sizeof(count));
	at += sizeof(count);
	for (; count > 0 && header != NULL; count--, header = header->next.tqe_next) {
		const char *name = take_string(&at), *value = take_string(&at);

		if (strcmp(header->key, name) != 0 || strcmp(header->value, value) != 0)
			return false;
	}
	return count == 0 && header == NULL;
}

static void
put_text(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

static void
put_number(struct writer *writer, size_t number)
{
	char digits[24], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	put(writer, first, (size_t)(digits + sizeof(digits) - first));
}

/* Headers of which evhttp makes more than a line. */
static bool
is_special(const char *name, size_t length)
{
	static const char *const special[] = {"Date", "Expect", "Connection", "Content-Length", "Proxy-Connection", "Transfer-Encoding"};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (strlen(special[i]) == length && evutil_ascii_strncasecmp(name, special[i], length) == 0)
			return true;
	return false;
}

static bool
is_type(const char *name, size_t length)
{
	return length == strlen("Content-Type") && evutil_ascii_strncasecmp(name, "Content-Type", length) == 0;
}

size_t
libevent4j_print_head(const void *head, const struct libevent4j_reply *reply, char *target, size_t size)
{
	struct writer writer = {(uint8_t *)target, (uint8_t *)target + size, 0};
	const uint8_t *at = head;
	const char *reason = take_string(&at), *type = reply->type;
	int32_t count;

	if (reason == NULL && (reason = reply->phrase) == NULL)
		return 0;
	put(&writer, "HTTP/1.1 ", 9);
	put_number(&writer, (size_t)reply->status);
	put(&writer, " ", 1);
	put_text(&writer, reason);
	put(&writer, "\r\n", 2);
	memcpy(&count, at, sizeof(count));
	at += sizeof(count);
	while (count-- > 0) {
		const char *name = take_string(&at);
		size_t length = (size_t)((const char *)at - name - 1);
		const char *value = take_string(&at);

		if (is_special(name, length))
			return 0;
		if (is_type(name, length))
			type = NULL;
		put(&writer, name, length);
		put(&writer, ": ", 2);
		put(&writer, value, (size_t)((const char *)at - value - 1));
		put(&writer, "\r\n", 2);
	}
	put(&writer, "Date: ", 6);
	put_text(&writer, reply->date);
	put(&writer, "\r\nContent-Length: ", 18);
	put_number(&writer, reply->length);
	if (type != NULL) {
		put(&writer, "\r\nContent-Type: ", 16);
		put_text(&writer, type);
	}
	put(&writer, "\r\n\r\n", 4);
	return writer.length <= size ? writer.length : 0;
}

int
libevent4j_add_body(JNIEnv *env, struct evbuffer *buffer, jobject body, int direct, int offset, int length)
{
	struct evbuffer_iovec space;

	if (length == 0)
		return 0;
	if (direct)
		return evbuffer_add(buffer, (uint8_t *)(*env)->GetDirectBufferAddress(env, body) + offset, (size_t)length);
	/* One contiguous extent: the bytes are copied once, from the array into the buffer. */
	if (evbuffer_reserve_space(buffer, length, &space, 1) != 1)
		return -1;
	(*env)->GetByteArrayRegion(env, body, offset, length, space.iov_base);
	space.iov_len = (size_t)length;
	return evbuffer_commit_space(buffer, &space, 1);
}

jbyteArray
libevent4j_take_body(JNIEnv *env, struct evbuffer *buffer)
{
	size_t length = evbuffer_get_length(buffer);
	jbyteArray array = (*env)->NewByteArray(env, length > INT_MAX ? INT_MAX : (jsize)length);
	jsize at = 0;

	if (array == NULL)
		return NULL;
	while (length > 0) {
		struct evbuffer_iovec extent;

		if (evbuffer_peek(buffer, -1, NULL, &extent, 1) < 1)
			break;
		(*env)->SetByteArrayRegion(env, array, at, (jsize)extent.iov_len, extent.iov_base);
		at += (jsize)extent.iov_len;
		length -= extent.iov_len;
		evbuffer_drain(buffer, extent.iov_len);
	}
	return array;
}
