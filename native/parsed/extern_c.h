/* For the C++ compiler, ahead of all else: headers of libevent's that do not say extern "C" themselves. Nothing to parse. */
extern "C" {
#include <event2/buffer.h>
#include <event2/buffer_compat.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_compat.h>
#ifdef _WIN32 /* what there is elsewhere */
typedef long suseconds_t;        /* as a struct timeval has it here */
int evthread_use_pthreads(void); /* in windows.c */
#endif
}
