/*
 * Loads the library for Windows, and plays the JVM to it: no JVM for Windows is to be had where it is built. What JNI is asked for is
 * answered with as little as will do; what counts is that the loop, a timer, an HTTP server and a client run through the library's
 * own entries, and that its callbacks arrive. platform/smoke.sh builds it and runs it under wine.
 */
#include <jni.h>
#include <winsock2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <ws2tcpip.h>

#define CHECK(condition, what) check((condition) ? 1 : 0, what)

static void
check(int right, const char *what)
{
	printf("%s%s\n", right ? "" : "WRONG: ", what);
	fflush(stdout);
	if (!right)
		exit(1);
}

/* ---- the JVM: objects are numbers, a string or an array its bytes, a method its name ---- */

static struct JNINativeInterface_ functions;
static struct JNIInvokeInterface_ invocations;
static JNIEnv env = &functions;
static JavaVM vm = &invocations;
static jlong pointer; /* the address in the last Pointer that was made */
static int fired, requests, responses, status;

static void *nothing(void) { return NULL; }
static void *something(void) { return (void *)1; }
static jlong none(void) { return 0; }

static jint JNICALL get_env(JavaVM *own, void **out, jint version) { (void)own; (void)version; *out = &env; return JNI_OK; }
static jint JNICALL get_vm(JNIEnv *own, JavaVM **out) { (void)own; *out = &vm; return 0; }
static jobject JNICALL same(JNIEnv *own, jobject object) { (void)own; return object; }
static jmethodID JNICALL get_method(JNIEnv *own, jclass type, const char *name, const char *signature)
{
	(void)own; (void)type; (void)signature;
	return (jmethodID)_strdup(name);
}
static jfieldID JNICALL get_field(JNIEnv *own, jclass type, const char *name, const char *signature)
{
	(void)own; (void)type; (void)signature;
	return (jfieldID)_strdup(name);
}
static void JNICALL set_long(JNIEnv *own, jobject object, jfieldID field, jlong value)
{
	(void)own; (void)object;
	if (strcmp((const char *)field, "address") == 0)
		pointer = value;
}
static jobject JNICALL get_bytes(JNIEnv *own, jobject string, jmethodID method, va_list none_too)
{
	(void)own; (void)method; (void)none_too;
	return string;
}
static jsize JNICALL get_length(JNIEnv *own, jarray array) { (void)own; return (jsize)strlen((const char *)array); }
static void JNICALL get_region(JNIEnv *own, jbyteArray array, jsize start, jsize length, jbyte *out)
{
	(void)own;
	memcpy(out, (const char *)array + start, (size_t)length);
}
static jint JNICALL get_version(JNIEnv *own) { (void)own; return JNI_VERSION_10; }

static jlong (*entry(const char *name))()
{
	static HMODULE library;
	char mangled[256] = "Java_io_github_libevent4j_internal_Native_libevent4j_1";
	FARPROC found;

	if (library == NULL) {
		library = LoadLibraryA("jnilibevent.dll");
		CHECK(library != NULL, "the library loads");
	}
	if (strchr(name, ':') != NULL)
		found = GetProcAddress(library, strchr(name, ':') + 1);
	else
		found = GetProcAddress(library, strcat(mangled, name));
	if (found == NULL)
		check(0, name);
	return (jlong(*)())found;
}

/* ---- files: a handle to Java, and a number of the library's own behind it ---- */

static HANDLE file = INVALID_HANDLE_VALUE;
static char content[100000];

static jlong
duplicate(jlong descriptor)
{
	jlong copy = entry("descriptor_1dup")(&env, NULL, descriptor);

	CHECK(copy != -1 && copy != descriptor, "a descriptor is duplicated");
	return copy;
}

static void
make_file(void)
{
	DWORD written = 0;

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 7 + i / 251); /* line ends and ^Z too */
	file = CreateFileA("smoke.bytes", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
	    FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
	CHECK(file != INVALID_HANDLE_VALUE && WriteFile(file, content, sizeof(content), &written, NULL) && written == sizeof(content),
	    "a file is written");
}

/* A socket of nobody's making, connected to a port of this machine. */
static SOCKET
connect_to(jint port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	SOCKET made = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(made != INVALID_SOCKET && connect(made, (struct sockaddr *)&address, sizeof(address)) == 0, "a socket connects");
	return made;
}

/* The server answers with a file. */
static void
fetch_file(jlong loop, jint port)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	static char received[sizeof(content) + 4096];
	u_long unblocked = 1;
	size_t length = 0;
	SOCKET client = connect_to(port);
	int result = -1;

	CHECK(send(client, request, sizeof(request) - 1, 0) == sizeof(request) - 1, "it asks for a file");
	ioctlsocket(client, FIONBIO, &unblocked);
	for (int i = 0; i < 20000 && result != 0 && length < sizeof(received); i++) {
		entry("loop_1run")(&env, NULL, loop, 2); /* EVLOOP_NONBLOCK */
		while ((result = recv(client, received + length, (int)(sizeof(received) - length), 0)) > 0)
			length += (size_t)result;
		if (result < 0)
			Sleep(1);
	}
	closesocket(client);
	CHECK(status == 0 && result == 0 && length > sizeof(content) - 2 &&
	    memcmp(received + length - (sizeof(content) - 2), content + 2, sizeof(content) - 2) == 0, "the server sends a part of it, byte for byte");
}

/* A buffer has a file in it, and writes it to a socket. */
static void
write_file(void)
{
	static char received[sizeof(content)];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int length = sizeof(address), got = 0;
	SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), reader, writer;
	jlong buffer, copy;

	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&address, &length) == 0, "a socket listens");
	reader = connect_to(ntohs(address.sin_port));
	writer = accept(listener, NULL, NULL);
	entry(":Java_io_github_libevent4j_global_libevent_evbuffer_1new")(&env, NULL);
	buffer = pointer;
	CHECK((jint)entry("buffer_1add_1file")(&env, NULL, buffer, duplicate((intptr_t)file), (jlong)0, (jlong)sizeof(content), 0) == 0,
	    "a buffer takes a file");
	CHECK((jint)entry("buffer_1add_1file")(&env, NULL, buffer, duplicate((intptr_t)file), (jlong)1, (jlong)sizeof(content), 0) == -1,
	    "but no more of it than there is");
	copy = duplicate((jlong)writer);
	CHECK((jint)entry("descriptor_1check")(&env, NULL, copy) == 0, "a socket's duplicate is a socket");
	for (int sent = 0; sent < (int)sizeof(content);) {
		int result = (jint)entry("buffer_1write")(&env, NULL, buffer, copy, (jlong)4096);
		if (result <= 0 || (got += recv(reader, received + got, result, MSG_WAITALL)) != (sent += result))
			break;
	}
	CHECK(got == (int)sizeof(content) && memcmp(received, content, sizeof(content)) == 0, "the buffer writes the file to a socket, byte for byte");
	entry("descriptor_1close")(&env, NULL, copy);
	closesocket(writer);
	closesocket(reader);
	closesocket(listener);
}

/* ---- what libevent calls back ---- */

/* In the layout of wire.c: a reply's without a reason and a request's of /, with one header. */
static const char head[] = "\377\377\377\377\1\0\0\0\4\0\0\0Host\0\1\0\0\0x";
static const char request[] = "\1\0\0\0/\0\1\0\0\0\4\0\0\0Host\0\1\0\0\0x";

static void JNICALL call_void(JNIEnv *own, jclass type, jmethodID method, ...)
{
	const char *name = (const char *)method;

	(void)own; (void)type;
	if (strcmp(name, "event") == 0)
		fired++;
	else if (strcmp(name, "response") == 0)
		responses++;
	else
		printf("called: %s\n", name);
}

static jboolean JNICALL call_boolean(JNIEnv *own, jclass type, jmethodID method, const jvalue *arguments)
{
	jlong exchange = arguments[1].j;

	(void)own; (void)type;
	if (strcmp((const char *)method, "request") == 0) {
		requests++;
		if (file != INVALID_HANDLE_VALUE)
			status = (int)entry("exchange_1reply_1file")(&env, NULL, exchange, 200, (jlong)(intptr_t)head, duplicate((intptr_t)file), (jlong)2,
			    (jlong)sizeof(content) - 2);
		else
			status = (int)entry("exchange_1reply")(&env, NULL, exchange, 200, (jlong)(intptr_t)head, NULL, 0, 0, 0);
	}
	return JNI_TRUE;
}

int
main(void)
{
	char *buffer = malloc(65536);
	int64_t *counters = calloc(64, sizeof(*counters));
	jlong base, loop, timer, server, route, socket, connection;
	jint port;

	for (size_t i = 0; i < sizeof(functions) / sizeof(void *); i++)
		((void **)&functions)[i] = (void *)something;
	for (size_t i = 0; i < sizeof(invocations) / sizeof(void *); i++)
		((void **)&invocations)[i] = (void *)none;
	invocations.GetEnv = get_env;
	functions.GetVersion = get_version;
	functions.GetJavaVM = get_vm;
	functions.ExceptionCheck = (void *)none;
	functions.ExceptionOccurred = (void *)nothing;
	functions.PushLocalFrame = (void *)none;
	functions.NewGlobalRef = functions.NewWeakGlobalRef = functions.NewLocalRef = same;
	functions.GetMethodID = functions.GetStaticMethodID = get_method;
	functions.GetFieldID = get_field;
	functions.SetLongField = set_long;
	functions.CallObjectMethodV = get_bytes;
	functions.GetArrayLength = get_length;
	functions.GetByteArrayRegion = get_region;
	functions.CallStaticVoidMethod = call_void;
	functions.CallStaticBooleanMethodA = call_boolean;

	CHECK(entry(":JNI_OnLoad")(&vm, NULL) >= JNI_VERSION_1_6, "it meets the JVM");
	CHECK(entry("init")(&env, NULL, (jobject)2, 1) == 0, "libevent has its threads");
	entry(":Java_io_github_libevent4j_global_libevent_event_1base_1new")(&env, NULL);
	base = pointer;
	loop = entry("loop_1new")(&env, NULL, base, (jlong)1, (jlong)(intptr_t)buffer, (jlong)65536);
	CHECK(base != 0 && loop != 0, "a loop is made");

	timer = entry("event_1new")(&env, NULL, loop, (jlong)-1, 0, (jlong)2);
	CHECK(timer != 0 && (jint)entry("event_1add")(&env, NULL, timer, (jlong)50000) == 0, "a timer starts");
	CHECK((jint)entry("loop_1run")(&env, NULL, loop, 0) == 1 && fired == 1, "it fires, and the loop ends");

	server = entry("server_1new")(&env, NULL, loop, (jlong)3, 0, (jlong)(intptr_t)counters);
	route = entry("server_1route")(&env, NULL, server, NULL, (jlong)4);
	CHECK((jint)entry("server_1guard")(&env, NULL, server, 1, (jlong)100, 100, (jlong)10000000, (jlong)10000000) == 0, "a server is guarded");
	socket = entry("server_1bind")(&env, NULL, server, (jstring)"127.0.0.1", 0);
	CHECK(server != 0 && route != 0 && socket != 0, "it listens");
	port = (jint)entry("local_1port")(&env, NULL, entry("socket_1descriptor")(&env, NULL, socket));
	CHECK(port > 0, "on a port of its own");

	connection = entry("connection_1new")(&env, NULL, loop, (jlong)5, (jstring)"127.0.0.1", port, 0);
	CHECK((jint)entry("connection_1send")(&env, NULL, connection, 1, 1, 0, (jlong)(intptr_t)request, NULL, 0, 0, 0) == 0, "a client sends");
	for (int i = 0; i < 100 && responses == 0; i++)
		entry("loop_1run")(&env, NULL, loop, 1); /* EVLOOP_ONCE */
	CHECK(requests == 1 && status == 0, "the server is asked, and answers");
	CHECK(responses == 1, "the client has the response");

	make_file();
	fetch_file(loop, port);
	write_file();
	CHECK(CloseHandle(file) && GetFileAttributesA("smoke.bytes") == INVALID_FILE_ATTRIBUTES, "nothing has the file open any more");

	entry("connection_1free")(&env, NULL, connection);
	entry("server_1free")(&env, NULL, server);
	CHECK((jint)entry("descriptor_1check")(&env, NULL, (jlong)12345) == -1 && (jint)entry("errno")(&env, NULL) == WSAENOTSOCK,
	    "errors are Windows' own");
	CHECK(1, "all is closed");
	return 0;
}
