/*
 * tap.h
 *	  What a unit test tells of its results, as TAP.
 *
 * Included once in a test program, whose main() ends with "return tap_end();".
 */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>

static int	tests = 0;
static int	failures = 0;

/* Report one test. */
static void
ok(bool good, const char *name)
{
	tests++;
	if (!good)
		failures++;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
}

/* All tests are done; returns the exit code of the program. */
static int
tap_end(void)
{
	printf("1..%d\n", tests);
	if (failures > 0)
		printf("# %d of %d failed\n", failures, tests);
	return failures > 0 ? 1 : 0;
}

#endif							/* TAP_H */
