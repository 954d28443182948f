/*
 * Libevent prints every line of every head with vsnprintf(), which costs it more than all else it does for a small reply. It is
 * compiled to call this instead: the same for the few plain conversions that it mostly uses, where there is room for all of it, and
 * vsnprintf() itself for the rest.
 */
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MOST_DIGITS 21 /* of 64 bits, and a sign */

/* Each of these returns where the next byte goes; NULL when there is no room for these. */

static char *
put(char *at, const char *end, const char *bytes, size_t size)
{
	if (size > (size_t)(end - at))
		return NULL;
	memcpy(at, bytes, size);
	return at + size;
}

static char *
put_decimal(char *at, const char *end, uint64_t number, bool negative)
{
	char digits[MOST_DIGITS], *start = digits + sizeof(digits);

	do {
		*--start = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	if (negative)
		*--start = '-';
	return put(at, end, start, (size_t)(digits + sizeof(digits) - start));
}

static char *
put_signed(char *at, const char *end, int64_t number)
{
	return put_decimal(at, end, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0);
}

static char *
put_hexadecimal(char *at, const char *end, uint64_t number)
{
	char digits[MOST_DIGITS], *start = digits + sizeof(digits);

	do {
		*--start = "0123456789abcdef"[number % 16];
	} while ((number /= 16) > 0);
	return put(at, end, start, (size_t)(digits + sizeof(digits) - start));
}

/* What stands behind %, to which *format points, and behind whose last character it then points; NULL also when it is not known here. */
static char *
convert(char *at, const char *end, const char **format, va_list *arguments)
{
	bool is_size = **format == 'z', is_long = **format == 'l' || is_size;
	const char *string;
	uint64_t number;
	char c;

	*format += is_long;
	switch (*(*format)++) {
	case '%':
		return is_long ? NULL : put(at, end, "%", 1);
	case 'c':
		c = (char)va_arg(*arguments, int);
		return is_long ? NULL : put(at, end, &c, 1);
	case 's':
		string = va_arg(*arguments, const char *);
		return is_long || string == NULL ? NULL : put(at, end, string, strlen(string));
	case 'd':
		return put_signed(at, end, is_size ? va_arg(*arguments, ptrdiff_t) : is_long ? va_arg(*arguments, long) : va_arg(*arguments, int));
	case 'u':
	case 'x':
		number = is_size ? va_arg(*arguments, size_t) : is_long ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
		return (*format)[-1] == 'u' ? put_decimal(at, end, number, false) : put_hexadecimal(at, end, number);
	default:
		return NULL;
	}
}

static char *
print(char *at, const char *end, const char *format, va_list *arguments)
{
	while (at != NULL && *format != '\0') {
		if (*format == '%') {
			format++;
			at = convert(at, end, &format, arguments);
		} else {
			at = put(at, end, format++, 1);
		}
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
