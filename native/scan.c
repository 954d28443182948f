/*
 * Libevent reads every request's version with sscanf(), which sets up a stream to do it. It is compiled to call this instead: the same
 * for plain characters and plain decimal numbers, and sscanf() itself for all others.
 */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>

#define NOT_HERE (-1)
#define MOST_DIGITS 9 /* which any int holds */

/* A decimal number of digits alone; NOT_HERE when there is more to it. */
static int
scan_number(const char **at)
{
	int number = 0;

	for (int digits = 0; isdigit((unsigned char)**at); digits++) {
		if (digits == MOST_DIGITS)
			return NOT_HERE;
		number = 10 * number + *(*at)++ - '0';
	}
	return number;
}

/* The number of conversions, at least one, or NOT_HERE. */
static int
scan(const char *at, const char *format, va_list *arguments)
{
	int converted = 0, number;

	for (; *format != '\0'; format++) {
		if (*format != '%') {
			if (isspace((unsigned char)*format))
				return NOT_HERE;
			if (*at++ != *format)
				break;
			continue;
		}
		switch (*++format) {
		case 'd':
		case 'u': /* the same for what is scanned here */
			if (*at == '+' || *at == '-' || isspace((unsigned char)*at))
				return NOT_HERE;
			if (!isdigit((unsigned char)*at))
				return converted > 0 ? converted : NOT_HERE;
			if ((number = scan_number(&at)) == NOT_HERE)
				return NOT_HERE;
			*va_arg(*arguments, int *) = number;
			break;
		case 'c':
			if (*at == '\0')
				return converted > 0 ? converted : NOT_HERE;
			*va_arg(*arguments, char *) = *at++;
			break;
		default:
			return NOT_HERE;
		}
		converted++;
	}
	return converted > 0 ? converted : NOT_HERE;
}

int
libevent4j_sscanf(const char *string, const char *format, ...)
{
	va_list arguments, copy;
	int converted;

	va_start(arguments, format);
	va_copy(copy, arguments);
	converted = scan(string, format, &copy);
	va_end(copy);
	if (converted == NOT_HERE)
		converted = vsscanf(string, format, arguments);
	va_end(arguments);
	return converted;
}
