/*
 * Libevent takes each line of a head apart with strsep() and strspn(), which prepare for any set of characters where there is one. It is
 * compiled to call these instead: the same for a single character, and those functions themselves for more.
 */
#include "internal.h"

#if !defined(_WIN32)

#include <string.h>

static bool
is_single(const char *set)
{
	return set[0] != '\0' && set[1] == '\0';
}

char *
libevent4j_strsep(char **string, const char *delimiters)
{
	char *start = *string, *end;

	if (start == NULL || !is_single(delimiters))
		return strsep(string, delimiters);
	end = strchr(start, delimiters[0]);
	if (end != NULL)
		*end++ = '\0';
	*string = end;
	return start;
}

size_t
libevent4j_strspn(const char *string, const char *accepted)
{
	size_t length = 0;

	if (!is_single(accepted))
		return strspn(string, accepted);
	while (string[length] == accepted[0])
		length++;
	return length;
}

#endif
