#include "internal.h"

#include <string.h>

int
libevent4j_buffer_add(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int direct, int offset, int length)
{
	(void)native;
	return libevent4j_add_body(env, buffer, source, direct, offset, length);
}

int
libevent4j_buffer_prepend(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int direct, int offset, int length)
{
	struct evbuffer *front = evbuffer_new();
	int result = -1;

	(void)native;
	if (front == NULL)
		return -1;
	if (libevent4j_add_body(env, front, source, direct, offset, length) == 0)
		result = evbuffer_prepend_buffer(buffer, front);
	evbuffer_free(front);
	return result;
}

int
libevent4j_buffer_copy(JNIEnv *env, jclass native, struct evbuffer *buffer, int64_t position, jobject target, int direct,
    int offset, int length)
{
	struct evbuffer_ptr at;
	struct evbuffer_iovec extent;
	uint8_t *bytes = direct ? (uint8_t *)(*env)->GetDirectBufferAddress(env, target) + offset : NULL;
	int copied = 0;

	(void)native;
	/* Not evbuffer_copyout(), which does not look at a frozen buffer. */
	if (evbuffer_ptr_set(buffer, &at, (size_t)position, EVBUFFER_PTR_SET) != 0)
		return 0;
	while (copied < length && evbuffer_peek(buffer, 1, &at, &extent, 1) == 1 && extent.iov_len > 0) {
		int size = extent.iov_len < (size_t)(length - copied) ? (int)extent.iov_len : length - copied;

		if (direct)
			memcpy(bytes + copied, extent.iov_base, (size_t)size);
		else
			(*env)->SetByteArrayRegion(env, target, offset + copied, size, extent.iov_base);
		copied += size;
		if (evbuffer_ptr_set(buffer, &at, (size_t)size, EVBUFFER_PTR_ADD) != 0)
			break;
	}
	return copied;
}

int
libevent4j_buffer_pull_up(struct evbuffer *buffer, int64_t length)
{
	struct evbuffer *front;
	struct evbuffer_iovec space;
	int result = -1;

	if (evbuffer_get_contiguous_space(buffer) >= (size_t)length)
		return 0;
	/* evbuffer_pullup() writes into the first chain's spare room, even when other buffers share it and do the same. */
	if ((front = evbuffer_new()) == NULL)
		return -1;
	if (evbuffer_reserve_space(front, length, &space, 1) == 1) {
		space.iov_len = (size_t)evbuffer_copyout(buffer, space.iov_base, (size_t)length);
		evbuffer_commit_space(front, &space, 1);
		if (evbuffer_drain(buffer, (size_t)length) == 0)
			result = evbuffer_prepend_buffer(buffer, front);
	}
	evbuffer_free(front);
	return result;
}

int
libevent4j_buffer_move(struct evbuffer *target, struct evbuffer *source, int length)
{
	/* In between, because evbuffer_remove_buffer() calls the target's callbacks while the source is moved by half. */
	struct evbuffer *moved = evbuffer_new();
	int result;

	if (moved == NULL)
		return -1;
	result = evbuffer_remove_buffer(source, moved, (size_t)length);
	if (result > 0 && evbuffer_add_buffer(target, moved) != 0)
		result = -1;
	evbuffer_free(moved);
	return result;
}

int64_t
libevent4j_buffer_search(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject what, int64_t start, int64_t end)
{
	jsize length = (*env)->GetArrayLength(env, what);
	char *bytes = libevent4j_calloc((size_t)length + 1);
	struct evbuffer_ptr from, to, found = {.pos = -1};

	(void)native;
	if (bytes == NULL)
		return -1;
	(*env)->GetByteArrayRegion(env, what, 0, length, (jbyte *)bytes);
	if (evbuffer_ptr_set(buffer, &from, (size_t)start, EVBUFFER_PTR_SET) == 0 &&
	    (end < 0 || evbuffer_ptr_set(buffer, &to, (size_t)end, EVBUFFER_PTR_SET) == 0))
		found = evbuffer_search_range(buffer, bytes, (size_t)length, &from, end < 0 ? NULL : &to);
	libevent4j_free(bytes);
	return found.pos;
}

int64_t
libevent4j_buffer_search_eol(struct evbuffer *buffer, int64_t start, int style, int *length)
{
	struct evbuffer_ptr from, found;
	size_t size = 0;

	if (evbuffer_ptr_set(buffer, &from, (size_t)start, EVBUFFER_PTR_SET) != 0)
		return -1;
	found = evbuffer_search_eol(buffer, &from, &size, (enum evbuffer_eol_style)style);
	*length = (int)size;
	return found.pos;
}

static void
on_released(const void *data, size_t length, void *id)
{
	JNIEnv *env = libevent4j_env();

	(void)data;
	(void)length;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.buffer_released, ID(id));
	libevent4j_upcall_done(env);
}

int
libevent4j_buffer_add_reference(JNIEnv *env, jclass native, struct evbuffer *buffer, jobject source, int offset, int length,
    void *id)
{
	(void)native;
	return evbuffer_add_reference(buffer, (uint8_t *)(*env)->GetDirectBufferAddress(env, source) + offset, (size_t)length,
	    on_released, id);
}

static void
on_segment_freed(const struct evbuffer_file_segment *segment, int flags, void *freed)
{
	(void)segment;
	(void)flags;
	*(bool *)freed = true;
}

static struct evbuffer_file_segment *
new_segment(int64_t fd, int64_t offset, int64_t length, int to_socket)
{
	/* Not mapped into memory either: when the file becomes shorter, reading what was mapped ends the process. */
	unsigned flags = EVBUF_FS_CLOSE_ON_FREE | (to_socket ? 0 : EVBUF_FS_DISABLE_SENDFILE | EVBUF_FS_DISABLE_MMAP);
	struct evbuffer_file_segment *segment;

	libevent4j_set_error(0); /* for a file that is shorter already */
	segment = evbuffer_file_segment_new(libevent4j_file_number(fd), offset, length, flags);
	if (segment == NULL) {
		libevent4j_failed(libevent4j_error());
		libevent4j_descriptor_close(fd);
	}
	return segment;
}

int
libevent4j_buffer_add_file(struct evbuffer *buffer, int64_t fd, int64_t offset, int64_t length, int to_socket)
{
	struct evbuffer_file_segment *segment = new_segment(fd, offset, length, to_socket);
	bool freed = false;
	int result;

	if (segment == NULL)
		return -1;
	if (to_socket)
		evbuffer_set_flags(buffer, EVBUFFER_FLAG_DRAINS_TO_FD);
	/* When it fails, it has dropped our reference, or not. */
	evbuffer_file_segment_add_cleanup_cb(segment, on_segment_freed, &freed);
	result = evbuffer_add_file_segment(buffer, segment, 0, length);
	libevent4j_failed(libevent4j_error());
	if (!freed) {
		evbuffer_file_segment_add_cleanup_cb(segment, NULL, NULL);
		evbuffer_file_segment_free(segment);
	}
	return result;
}

static void
on_segment_released(const struct evbuffer_file_segment *segment, int flags, void *id)
{
	(void)segment;
	(void)flags;
	on_released(NULL, 0, id);
}

struct evbuffer_file_segment *
libevent4j_file_segment_new(int64_t fd, int64_t offset, int64_t length, int to_socket, void *id)
{
	struct evbuffer_file_segment *segment = new_segment(fd, offset, length, to_socket);

	if (segment != NULL)
		evbuffer_file_segment_add_cleanup_cb(segment, on_segment_released, id);
	return segment;
}

int
libevent4j_buffer_add_copy(struct evbuffer *buffer, struct evbuffer *source)
{
	size_t length = evbuffer_get_length(source);
	struct evbuffer *copy;
	struct evbuffer_ptr at;
	struct evbuffer_iovec space, extent;
	int result = -1;

	if (length == 0)
		return 0;
	if ((copy = evbuffer_new()) == NULL)
		return -1;
	if (evbuffer_reserve_space(copy, (ev_ssize_t)length, &space, 1) == 1) {
		/* Not evbuffer_copyout(), which does not look at a frozen buffer. */
		evbuffer_ptr_set(source, &at, 0, EVBUFFER_PTR_SET);
		for (space.iov_len = 0; evbuffer_peek(source, 1, &at, &extent, 1) == 1 && extent.iov_len > 0;) {
			memcpy((uint8_t *)space.iov_base + space.iov_len, extent.iov_base, extent.iov_len);
			space.iov_len += extent.iov_len;
			if (evbuffer_ptr_set(source, &at, extent.iov_len, EVBUFFER_PTR_ADD) != 0)
				break;
		}
		if (evbuffer_commit_space(copy, &space, 1) == 0)
			result = evbuffer_add_buffer(buffer, copy);
	}
	evbuffer_free(copy);
	return result;
}

struct evbuffer *
libevent4j_buffer_pin(struct evbuffer *buffer)
{
	struct evbuffer *pinned = evbuffer_new();

	if (pinned != NULL && evbuffer_add_buffer_reference(pinned, buffer) != 0) {
		evbuffer_free(pinned);
		pinned = NULL;
	}
	return pinned;
}

jobject
libevent4j_buffer_peek(JNIEnv *env, jclass native, struct evbuffer *pinned, int64_t length)
{
	int count = evbuffer_peek(pinned, length, NULL, NULL, 0);
	struct evbuffer_iovec *extents = libevent4j_calloc(sizeof(*extents) * (size_t)(count + 1));
	jclass object = (*env)->FindClass(env, "java/lang/Object");
	jobjectArray views = extents == NULL || object == NULL ? NULL : (*env)->NewObjectArray(env, count, object, NULL);

	(void)native;
	if (views != NULL) {
		evbuffer_peek(pinned, length, NULL, extents, count);
		for (int i = 0; i < count; i++) {
			int64_t size = (int64_t)extents[i].iov_len < length ? (int64_t)extents[i].iov_len : length;
			jobject view = (*env)->NewDirectByteBuffer(env, extents[i].iov_base, size);

			if (view == NULL) {
				views = NULL;
				break;
			}
			(*env)->SetObjectArrayElement(env, views, i, view);
			(*env)->DeleteLocalRef(env, view);
			length -= size;
		}
	}
	libevent4j_free(extents);
	return views;
}

static void
on_changed(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *id)
{
	JNIEnv *env = libevent4j_env();

	(void)buffer;
	(*env)->CallStaticVoidMethod(env, libevent4j_java.callbacks, libevent4j_java.buffer_changed, ID(id),
	    (jlong)info->orig_size, (jlong)info->n_added, (jlong)info->n_deleted);
	libevent4j_upcall_done(env);
}

struct evbuffer_cb_entry *
libevent4j_buffer_add_cb(struct evbuffer *buffer, void *id)
{
	return evbuffer_add_cb(buffer, on_changed, id);
}

int
libevent4j_buffer_read(struct evbuffer *buffer, int64_t fd, int length)
{
	int result;

	libevent4j_set_error(0); /* for the failures that are not the system's */
	result = evbuffer_read(buffer, (evutil_socket_t)fd, length);
	libevent4j_failed(libevent4j_error());
	return result;
}

int
libevent4j_buffer_write(struct evbuffer *buffer, int64_t fd, int64_t length)
{
	int result;

	libevent4j_set_error(0);
	result = evbuffer_write_atmost(buffer, (evutil_socket_t)fd, length);
	libevent4j_failed(libevent4j_error());
	return result;
}
