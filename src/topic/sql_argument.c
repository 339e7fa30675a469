/*
 * sql_argument.c
 *	  Checking the arguments of our SQL functions.
 *
 * A function with some arguments that may be null cannot be STRICT, and has to
 * refuse null for the other arguments itself.
 */
#include "postgres.h"

#include "topic/sql_argument.h"

void
pgt_sql_argument_require(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}
