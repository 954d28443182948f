/*
 * Libevent prints every line of every head with vsnprintf(), which costs it more than all else it does for a small reply. It is
 * compiled to call this instead: the same for the few plain conversions that it mostly uses, and vsnprintf() itself for all others.
 */
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct output {
	char *at, *end; /* end is where the last NUL goes at the latest; NULL for an output of no size */
	size_t length;  /* of all there is to print, whether or not it fits */
};

static void
put(struct output *output, const char *bytes, size_t size)
{
	size_t room = (size_t)(output->end - output->at);

	output->length += size;
	if (size > room)
		size = room;
	if (size > 0)
		memcpy(output->at, bytes, size);
	output->at += size;
}

static void
put_number(struct output *output, uint64_t number, bool negative, unsigned base)
{
	char digits[sizeof(number) * CHAR_BIT + 1], *start = digits + sizeof(digits);

	do {
		*--start = "0123456789abcdef"[number % base];
	} while ((number /= base) > 0);
	if (negative)
		*--start = '-';
	put(output, start, (size_t)(digits + sizeof(digits) - start));
}

static void
put_signed(struct output *output, int64_t number)
{
	put_number(output, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0, 10);
}

/* One conversion, from behind its % to its end; NULL for one that is not known here. */
static const char *
convert(struct output *output, const char *at, va_list *arguments)
{
	bool is_size = *at == 'z', is_long = *at == 'l' || is_size;
	const char *string;
	char c;

	at += is_long;
	switch (*at) {
	case '%':
		put(output, "%", 1);
		return is_long ? NULL : at + 1;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put(output, &c, 1);
		return is_long ? NULL : at + 1;
	case 's':
		string = va_arg(*arguments, const char *);
		if (is_long || string == NULL)
			return NULL;
		put(output, string, strlen(string));
		return at + 1;
	case 'd':
		put_signed(output, is_size ? va_arg(*arguments, ptrdiff_t) : is_long ? va_arg(*arguments, long) : va_arg(*arguments, int));
		return at + 1;
	case 'u':
	case 'x':
		put_number(output, is_size   ? va_arg(*arguments, size_t)
		                   : is_long ? va_arg(*arguments, unsigned long)
		                             : va_arg(*arguments, unsigned),
		    false, *at == 'u' ? 10 : 16);
		return at + 1;
	default:
		return NULL;
	}
}

static bool
print(struct output *output, const char *format, va_list *arguments)
{
	for (;;) {
		size_t plain = strcspn(format, "%");

		put(output, format, plain);
		format += plain;
		if (*format == '\0')
			return output->length <= INT_MAX;
		format = convert(output, format + 1, arguments);
		if (format == NULL)
			return false;
	}
}

int
libevent4j_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output output = {buffer, size == 0 ? buffer : buffer + size - 1, 0};
	va_list copy;
	bool printed;

	va_copy(copy, arguments);
	printed = print(&output, format, &copy);
	va_end(copy);
	if (!printed)
		return vsnprintf(buffer, size, format, arguments);
	if (size > 0)
		*output.at = '\0';
	return (int)output.length;
}
