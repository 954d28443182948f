/*
 * Libevent takes a head's lines apart with strsep(), which prepares for any set of delimiters where there is one. It is compiled to call
 * this instead: the same for a single delimiter, and strsep() itself for more.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <string.h>

char *
libevent4j_strsep(char **string, const char *delimiters)
{
	char *start = *string, *end;

	if (start == NULL || delimiters[0] == '\0' || delimiters[1] != '\0')
		return strsep(string, delimiters);
	end = strchr(start, delimiters[0]);
	if (end != NULL)
		*end++ = '\0';
	*string = end;
	return start;
}

#endif
