/*
 * sql_argument.h
 *	  Checking the arguments of our SQL functions.
 */
#ifndef SQL_ARGUMENT_H
#define SQL_ARGUMENT_H

#include "fmgr.h"

/* ERROR (null_value_not_allowed) where argument n is null; "name" is its name in the message. */
extern void pgt_sql_argument_require(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* SQL_ARGUMENT_H */
