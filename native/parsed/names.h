/*
 * Names that libevent's headers use but do not declare, for JavaCPP's parser. No compiler reads this: it has them from the system's
 * headers, or does without.
 */

/* ---- the system's structures ---- */

struct sockaddr;

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

/* ---- libevent's structures, declared nowhere in its public headers ---- */

struct bufferevent_ops;
struct evdns_server_port;

/* ---- a type of event2/event.h that its macros use before it is declared ---- */

typedef void (*event_callback_fn)(evutil_socket_t, short, void *arg);

/* ---- constants that event2/http_struct.h and event2/rpc_struct.h hide in their structures ---- */

#define EVHTTP_REQ_OWN_CONNECTION	0x0001
#define EVHTTP_PROXY_REQUEST		0x0002
#define EVHTTP_USER_OWNED		0x0004
#define EVHTTP_REQ_DEFER_FREE		0x0008
#define EVHTTP_REQ_NEEDS_FREE		0x0010

#define EVRPC_STATUS_ERR_NONE		0
#define EVRPC_STATUS_ERR_TIMEOUT	1
#define EVRPC_STATUS_ERR_BADPAYLOAD	2
#define EVRPC_STATUS_ERR_UNSTARTED	3
#define EVRPC_STATUS_ERR_HOOKABORTED	4
