/*
 * inspect.h
 *	  Shared by the functions behind the views: a walk over the topics that the
 *	  current user may see, and result rows built column by column.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "nodes/execnodes.h"
#include "topic/topic.h"

/* The number of columns of the widest row. */
#define MAX_COLUMNS 21

/* Adds the rows about one topic to the result; the topic is locked. */
typedef void (*InspectAddRows) (ReturnSetInfo *result, const Topic *topic);

/* A result row that is being built; zero at first. */
typedef struct InspectRow
{
	int			columns;
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
} InspectRow;

/* Add a column to the row; with _if, the column is null unless the condition holds. */
extern void pgt_inspect_add(InspectRow *row, Datum value);
extern void pgt_inspect_add_if(InspectRow *row, bool condition, Datum value);

/* Add the row to the result. */
extern void pgt_inspect_put(InspectRow *row, ReturnSetInfo *result);

/* A function's result: the rows that "add_rows" adds for each topic that the user may see. */
extern Datum pgt_inspect_topics(FunctionCallInfo fcinfo, InspectAddRows add_rows);

/* Do the views show the topic to the user? */
extern bool pgt_inspect_shows_topic(Oid relid);

/* Is the relation a topic whose groups the user may see: with SELECT on it, or as one who may read all statistics? */
extern bool pgt_inspect_shows_groups(Oid relid);

/* May the user see a group of the topic that belongs to "owner": as one who may use it, or read all statistics? */
extern bool pgt_inspect_shows_group(Oid relid, Oid owner);

/* And what belongs to that role, in no topic? */
extern bool pgt_inspect_shows_role(Oid role);

/* The name of a prepared transaction, in the current context; NULL if the transaction is not prepared. */
extern char *pgt_inspect_prepared_name(TransactionId xid);

#endif							/* INSPECT_H */
