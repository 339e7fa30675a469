/*
 * fault_point.c
 *	  The setting behind fault_point.h; empty but in builds for tests.
 */
#include "postgres.h"

#include "fault_point.h"

#ifdef PGT_FAULT_POINTS

#include <unistd.h>

#include "utils/guc.h"

static char *fault_point = NULL;

void
pgt_fault_point(const char *name)
{
	if (fault_point == NULL || strcmp(fault_point, name) != 0)
		return;
	write_stderr("pg_topics: dying at fault point \"%s\"\n", name);
	_exit(2);
}

void
pgt_fault_point_init(void)
{
	DefineCustomStringVariable("pg_topics.fault_point",
							   "Place at which the process dies.",
							   NULL, &fault_point, "", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, NULL, NULL, NULL);
}

#endif
