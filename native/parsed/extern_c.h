/* For the C++ compiler, ahead of all else: headers of libevent's that do not say extern "C" themselves. Nothing to parse. */
extern "C" {
#include <event2/buffer.h>
#include <event2/buffer_compat.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_compat.h>
}
