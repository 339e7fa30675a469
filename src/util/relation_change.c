/*
 * relation_change.c
 *	  Hearing of changes of relations.
 *
 * The server has room for ten such functions in a process, for itself and all extensions together, and ends a process that
 * wants one more.  So it gets a single one of ours, which calls all others.
 *
 * Memory: static.  No locks.
 */
#include "postgres.h"

#include "util/relation_change.h"

#define FUNCTIONS_MAX	32

static RelcacheCallbackFunction functions[FUNCTIONS_MAX];
static int	function_count = 0;

static void
call_all(Datum arg, Oid relid)
{
	for (int i = 0; i < function_count; i++)
		functions[i] (arg, relid);
}

void
pgt_relation_change_register(RelcacheCallbackFunction function)
{
	if (function_count == FUNCTIONS_MAX)
		elog(ERROR, "more than %d functions of pg_topics want to hear of changes of relations", FUNCTIONS_MAX);
	if (function_count == 0)
		CacheRegisterRelcacheCallback(call_all, (Datum) 0);
	functions[function_count++] = function;
}
