/*
 * Libevent prints every line of every head with vsnprintf(), which costs it more than all else it does for a small reply. It is
 * compiled to call this instead: the same for the few plain conversions that it mostly uses, where there is room for all of it, and
 * vsnprintf() itself for the rest.
 */
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Each of these returns where the next byte goes; NULL when there is no room for these. */

static inline char *
put(char *at, const char *end, const char *bytes, size_t size)
{
	if (size > (size_t)(end - at))
		return NULL;
	memcpy(at, bytes, size);
	return at + size;
}

/* A constant base costs no division. */
static inline char *
put_number(char *at, const char *end, uint64_t number, unsigned base)
{
	size_t count = 1;

	for (uint64_t rest = number; rest >= base; rest /= base)
		count++;
	if (count > (size_t)(end - at))
		return NULL;
	at += count;
	for (char *digit = at; count > 0; count--, number /= base)
		*--digit = "0123456789abcdef"[number % base];
	return at;
}

static char *
put_signed(char *at, const char *end, int64_t number)
{
	if (number >= 0)
		return put_number(at, end, (uint64_t)number, 10);
	at = put(at, end, "-", 1);
	return at == NULL ? NULL : put_number(at, end, 0 - (uint64_t)number, 10);
}

/* What stands behind %, to which *format points, and behind whose last character it then points; NULL also when it is not known here. */
static char *
convert(char *at, const char *end, const char **format, va_list *arguments)
{
	bool is_size = **format == 'z', is_long = **format == 'l' || is_size;
	uint64_t number;
	char c;

	*format += is_long;
	switch (*(*format)++) {
	case '%':
		return is_long ? NULL : put(at, end, "%", 1);
	case 'c':
		c = (char)va_arg(*arguments, int);
		return is_long ? NULL : put(at, end, &c, 1);
	case 'd':
		return put_signed(at, end, is_size ? va_arg(*arguments, ptrdiff_t) : is_long ? va_arg(*arguments, long) : va_arg(*arguments, int));
	case 'u':
	case 'x':
		number = is_size ? va_arg(*arguments, size_t) : is_long ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
		return (*format)[-1] == 'u' ? put_number(at, end, number, 10) : put_number(at, end, number, 16);
	default:
		return NULL;
	}
}

/* Where the end goes, or NULL when it is not all known here, or does not fit. */
static char *
print(char *at, const char *end, const char *format, va_list *arguments)
{
	const char *string;
	char c;

	while ((c = *format++) != '\0') {
		if (c != '%') { /* never many between two conversions */
			if (at == end)
				return NULL;
			*at++ = c;
			continue;
		}
		if (*format == 's') { /* mostly */
			format++;
			string = va_arg(*arguments, const char *);
			at = string == NULL ? NULL : put(at, end, string, strlen(string));
		} else {
			at = convert(at, end, &format, arguments);
		}
		if (at == NULL)
			return NULL;
	}
	return at;
}

int
libevent4j_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	va_list copy;
	char *end = NULL;

	if (size > 0 && size <= INT_MAX) {
		va_copy(copy, arguments);
		end = print(buffer, buffer + size - 1, format, &copy);
		va_end(copy);
	}
	if (end == NULL)
		return vsnprintf(buffer, size, format, arguments);
	*end = '\0';
	return (int)(end - buffer);
}
