#include "rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK 64

static long operations;
static double end;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int
more(void)
{
	if (++operations % LOOK == 0 && now() >= end)
		end = 0;
	return end != 0;
}

void
answer(work *work, void prepare(void))
{
	char line[32];

	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		double started = now();

		if (strcmp(line, "prepare\n") == 0) {
			prepare();
			puts("prepared");
			fflush(stdout);
			continue;
		}
		operations = 0;
		end = started + atof(line);
		work();
		printf("%ld %.6f\n", operations, now() - started);
		fflush(stdout);
	}
}
