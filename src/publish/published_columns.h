/*
 * published_columns.h
 *	  DDL on columns that publishing triggers need.
 */
#ifndef PUBLISHED_COLUMNS_H
#define PUBLISHED_COLUMNS_H

#include "nodes/pg_list.h"

/*
 * A statement has altered a column, and the catalogs' caches still show it as it was: let
 * triggers follow a new name, and refuse another type for a key.  "computed" says that the
 * statement computes the column's new values.  Returns true if a key has got a type that
 * can do, so that pgt_published_columns_check_keys() must be called at its end.
 */
extern bool pgt_published_columns_altered(Oid relid, AttrNumber attnum, bool computed);

/* A statement has added a column: ERROR if the triggers cannot publish with it. */
extern void pgt_published_columns_added(Oid relid, AttrNumber attnum);

/* ERROR if the relation's keys cannot be published any more. */
extern void pgt_published_columns_check_keys(Oid relid);

/*
 * The triggers, by oid, that can publish to the topic now.  Those that cannot, or whose table's
 * owner may not produce to the topic, are no reason to refuse what the topic's owner does.
 */
extern List *pgt_published_columns_publishing(Oid topic);

/*
 * A statement has altered a topic's column, and the catalogs' caches still show it as it was:
 * ERROR if it is the key, and one of the triggers would write it otherwise.
 */
extern void pgt_published_columns_topic_altered(Oid topic, AttrNumber attnum, List *publishing);

/* ERROR if the topic has been altered so that one of the triggers cannot publish to it any more. */
extern void pgt_published_columns_check_topic(Oid topic, List *publishing);

/*
 * A statement is about to drop a column, or a constraint: what triggers lose by it, in the
 * current memory context, for pgt_published_columns_check_losses() at the statement's end.
 */
extern List *pgt_published_columns_lost(Oid relid, AttrNumber attnum);
extern List *pgt_published_columns_lost_constraint(Oid constraint);

/*
 * The statement has dropped what triggers need: ERROR, or with "cascade" drop the
 * triggers, unless they are gone with it, or there is a primary key of the same columns
 * again.
 */
extern void pgt_published_columns_check_losses(List *losses, bool cascade);

#endif							/* PUBLISHED_COLUMNS_H */
