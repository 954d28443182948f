/* Structures of the system's that libevent's functions take, as JavaCPP's parser is to see them. No compiler reads this. */

struct timeval {
	time_t tv_sec;
	suseconds_t tv_usec;
};

struct tm {
	int tm_sec;
	int tm_min;
	int tm_hour;
	int tm_mday;
	int tm_mon;
	int tm_year;
	int tm_wday;
	int tm_yday;
	int tm_isdst;
};

struct sockaddr;

/* libevent's own, in none of its public headers. */
struct bufferevent_ops;

/* From event2/event.h, which uses it in macros before it declares it. */
typedef void (*event_callback_fn)(evutil_socket_t, short, void *);
