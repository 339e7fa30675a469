/*
 * sql_argument.h
 *	  Arguments of our SQL functions.
 */
#ifndef SQL_ARGUMENT_H
#define SQL_ARGUMENT_H

#include "fmgr.h"

/* ERROR where argument n is null; "name" is what the message calls it. */
extern void pgt_sql_argument_require(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* SQL_ARGUMENT_H */
