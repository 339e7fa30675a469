/*
 * published_keys.h
 *	  DDL that would give the rows of a published table other keys.
 */
#ifndef PUBLISHED_KEYS_H
#define PUBLISHED_KEYS_H

#include "catalog/pg_attribute.h"
#include "publish/publishing_trigger.h"
#include "utils/relcache.h"

/* ERROR if the column, which has another name, is in keys that show it. */
extern void pgt_published_keys_check_rename(Oid relid, const FormData_pg_attribute *before);

/*
 * The column has another type: ERROR if it is in a key, of which the text would be another.
 * Returns true if it is in a key, and can do.  "computed" says that the statement computes
 * the new values.
 */
extern bool pgt_published_keys_check_type(Oid relid, const FormData_pg_attribute *before,
										  const FormData_pg_attribute *after, bool computed);

/* The key of the trigger's topic has another type: ERROR if keys would be written otherwise. */
extern void pgt_published_keys_check_topic(const PublishingTrigger *trigger, Oid topic,
										   const FormData_pg_attribute *before, const FormData_pg_attribute *after);

/* The values of the type have another text: ERROR if a published key is made of it. */
extern void pgt_published_keys_check_values(Oid type);

#endif							/* PUBLISHED_KEYS_H */
