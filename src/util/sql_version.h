/*
 * sql_version.h
 *	  Does the library fit the extension's SQL objects in this database?
 */
#ifndef SQL_VERSION_H
#define SQL_VERSION_H

#include "fmgr.h"

/*
 * Report at that level, and return false, where the extension's version in this
 * database is not one whose SQL objects the library serves.  Needs a transaction.
 */
extern bool pgt_sql_version_check(int level);

/* The schema of the extension in this database; InvalidOid: it is not there. */
extern Oid	pgt_sql_version_schema(void);

/* A table, or an index, of the extension by its name, also where the extension's schema is known; ERROR where it does not exist. */
extern Oid	pgt_sql_version_relation(const char *name);
extern Oid	pgt_sql_version_relation_in(Oid schema, const char *name);

/* Like pgt_sql_version_relation(); InvalidOid where it does not exist. */
extern Oid	pgt_sql_version_find_relation(const char *name);

/* ERROR where CREATE or ALTER EXTENSION has just brought a version that the library does not know. */
extern void pgt_sql_version_check_new(Oid extension);

/*
 * What PG_FUNCTION_INFO_V1 is, for a C function of the extension: with the check,
 * which the server then makes when a session first calls the function, and never again.
 */
#define PGT_FUNCTION_INFO(function) \
extern PGDLLEXPORT Datum function(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_,function)(void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_,function) (void) \
{ \
	static const Pg_finfo_record info = {1}; \
	(void) pgt_sql_version_check(ERROR); \
	return &info; \
} \
extern int	no_such_variable

#endif							/* SQL_VERSION_H */
