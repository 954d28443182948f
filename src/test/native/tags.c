/*
 * Tagged values as a C program writes and reads them, for TagsTest.
 *
 *   tags write    writes one value of each kind to standard output
 *   tags read     reads the same from standard input, and exits with the number of the first that is not as it should be
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/tag.h>

static const char fixed[] = {'f', 0, (char)0xff};

static void
write_all(struct evbuffer *out)
{
	struct evbuffer *part = evbuffer_new();
	struct timeval tv = {0xFFFFFFFF, 999999};

	evtag_marshal(out, 0, "", 0);
	evtag_marshal_int(out, 1, 0);
	evtag_marshal_int(out, 127, 0xDEADBEEF);
	evtag_marshal_int64(out, 128, 0xFEDCBA9876543210);
	evtag_marshal_string(out, 0x166, "gr\xc3\xbc\xc3\x9f" "e");
	evtag_marshal_timeval(out, 0xFFFFFFFF, &tv);
	evbuffer_add(part, "part", 4);
	evtag_marshal_buffer(out, 7, part);
	evtag_marshal(out, 8, fixed, sizeof(fixed));
	evbuffer_free(part);
	while (evbuffer_get_length(out) > 0 && evbuffer_write(out, STDOUT_FILENO) > 0)
		;
}

static int
read_all(struct evbuffer *in)
{
	struct evbuffer *part = evbuffer_new();
	ev_uint32_t tag, number;
	ev_uint64_t large;
	char bytes[sizeof(fixed)], *text;
	struct timeval tv;

	while (evbuffer_read(in, STDIN_FILENO, -1) > 0)
		;
	if (evtag_unmarshal(in, &tag, part) != 0 || tag != 0)
		return 1;
	if (evtag_unmarshal_int(in, 1, &number) < 0 || number != 0)
		return 2;
	if (evtag_unmarshal_int(in, 127, &number) < 0 || number != 0xDEADBEEF)
		return 3;
	if (evtag_unmarshal_int64(in, 128, &large) < 0 || large != 0xFEDCBA9876543210)
		return 4;
	if (evtag_unmarshal_string(in, 0x166, &text) != 0 || strcmp(text, "gr\xc3\xbc\xc3\x9f" "e") != 0)
		return 5;
	free(text);
	if (evtag_unmarshal_timeval(in, 0xFFFFFFFF, &tv) != 0 || tv.tv_sec != 0xFFFFFFFF || tv.tv_usec != 999999)
		return 6;
	if (evtag_unmarshal(in, &tag, part) != 4 || tag != 7 || memcmp(evbuffer_pullup(part, 4), "part", 4) != 0)
		return 7;
	if (evtag_unmarshal_fixed(in, 8, bytes, sizeof(bytes)) != 0 || memcmp(bytes, fixed, sizeof(fixed)) != 0)
		return 8;
	evbuffer_free(part);
	return evbuffer_get_length(in) == 0 ? 0 : 9;
}

int
main(int argc, char **argv)
{
	struct evbuffer *buffer = evbuffer_new();
	int result = 0;

	if (argc != 2 || buffer == NULL)
		return 64;
	if (strcmp(argv[1], "write") == 0)
		write_all(buffer);
	else
		result = read_all(buffer);
	evbuffer_free(buffer);
	return result;
}
