#include "internal.h"

#include <event2/util.h>

#include "libevent4j-build.h"

struct libevent4j_java libevent4j_java;

static LIBEVENT4J_THREAD_LOCAL int last_errno;
static LIBEVENT4J_THREAD_LOCAL jthrowable thrown; /* a global reference until Java takes it */
static LIBEVENT4J_THREAD_LOCAL struct libevent4j_loop *running;

static int
find_callbacks(JNIEnv *env, jclass callbacks)
{
	const struct {
		jmethodID *method;
		const char *name, *signature;
	} table[] = {
	    {&libevent4j_java.event, "event", "(JI)V"},
	    {&libevent4j_java.grow_head, "growHead", "(JI)J"},
	    {&libevent4j_java.request, "request", "(JJI)Z"},
	    {&libevent4j_java.exchange_ended, "exchangeEnded", "(JZIJJ)V"},
	    {&libevent4j_java.exchange_drained, "exchangeDrained", "(J)V"},
	    {&libevent4j_java.exchange_client_closed, "exchangeClientClosed", "(J)V"},
	    {&libevent4j_java.server_bufferevent, "serverBufferEvent", "(J)J"},
	    {&libevent4j_java.server_accept_failed, "serverAcceptFailed", "(JI)V"},
	    {&libevent4j_java.server_answered, "serverAnswered", "(JIZJLjava/lang/String;I)V"},
	    {&libevent4j_java.server_drained, "serverDrained", "(J)V"},
	    {&libevent4j_java.request_drained, "requestDrained", "(J)V"},
	    {&libevent4j_java.response_head, "responseHead", "(JI)Z"},
	    {&libevent4j_java.response_data, "responseData", "(J[B)V"},
	    {&libevent4j_java.response, "response", "(JI[B)V"},
	    {&libevent4j_java.response_failed, "responseFailed", "(JII)V"},
	    {&libevent4j_java.connection_closed, "connectionClosed", "(J)V"},
	    {&libevent4j_java.buffer_changed, "bufferChanged", "(JJJJ)V"},
	    {&libevent4j_java.buffer_released, "bufferReleased", "(J)V"},
	    {&libevent4j_java.bufferevent_read, "bufferEventRead", "(J)V"},
	    {&libevent4j_java.bufferevent_written, "bufferEventWritten", "(J)V"},
	    {&libevent4j_java.bufferevent_event, "bufferEventEvent", "(JIII)V"},
	    {&libevent4j_java.filter, "filter", "(JJIZ)I"},
	    {&libevent4j_java.filter_freed, "filterFreed", "(J)V"},
	    {&libevent4j_java.accepted, "accepted", "(JJLjava/lang/String;I)Z"},
	    {&libevent4j_java.accept_failed, "acceptFailed", "(JI)V"},
	    {&libevent4j_java.dns_answer, "dnsAnswer", "(JIII[B)V"},
	    {&libevent4j_java.dns_addresses, "dnsAddresses", "(JI[B)V"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		*table[i].method = (*env)->GetStaticMethodID(env, callbacks, table[i].name, table[i].signature);
		if (*table[i].method == NULL)
			return -1;
	}
	libevent4j_java.callbacks = (*env)->NewGlobalRef(env, callbacks);
	return libevent4j_java.callbacks == NULL ? -1 : 0;
}

int
libevent4j_init(JNIEnv *env, jclass native, jobject callbacks, int debug)
{
	(void)native;
	if ((*env)->GetJavaVM(env, &libevent4j_java.vm) != 0 || find_callbacks(env, callbacks) != 0)
		return -1;
	libevent4j_memory_init(debug);
	libevent4j_log_init();
	return libevent4j_system_init();
}

const char *
libevent4j_revision(void)
{
	return LIBEVENT4J_LIBEVENT_REVISION;
}

const char *
libevent4j_fixes(void)
{
	return LIBEVENT4J_LIBEVENT_FIXES;
}

int
libevent4j_errno(void)
{
	return last_errno;
}

void
libevent4j_failed(int error)
{
	last_errno = error;
}

JNIEnv *
libevent4j_env(void)
{
	void *env = NULL;

	if (running != NULL)
		return running->env;
	(*libevent4j_java.vm)->GetEnv(libevent4j_java.vm, &env, JNI_VERSION_10);
	return env;
}

struct libevent4j_loop *
libevent4j_running_loop(void)
{
	return running;
}

struct libevent4j_loop *
libevent4j_run_loop(struct libevent4j_loop *loop)
{
	struct libevent4j_loop *before = running;

	running = loop;
	return before;
}

bool
libevent4j_upcall_done(JNIEnv *env)
{
	jthrowable escaped;

	libevent4j_set_error(0); /* whatever Java left there must not be taken for libevent's own */
	if (!(*env)->ExceptionCheck(env))
		return true;
	escaped = (*env)->ExceptionOccurred(env);
	(*env)->ExceptionClear(env);
	if (thrown == NULL)
		thrown = (*env)->NewGlobalRef(env, escaped);
	(*env)->DeleteLocalRef(env, escaped);
	if (running != NULL)
		event_base_loopbreak(running->base);
	return false;
}

jobject
libevent4j_take_thrown(JNIEnv *env, jclass native)
{
	jobject taken = NULL;

	(void)native;
	if (thrown != NULL) {
		taken = (*env)->NewLocalRef(env, thrown);
		(*env)->DeleteGlobalRef(env, thrown);
		thrown = NULL;
	}
	return taken;
}
