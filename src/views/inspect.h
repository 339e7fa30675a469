/*
 * inspect.h
 *	  What the functions behind the views share: a walk over the topics that
 *	  the current user may see, and rows put together from left to right.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "nodes/execnodes.h"
#include "topic/topic.h"

/* The widest of the rows. */
#define MAX_COLUMNS 17

/* Adds the rows of one topic, which is locked, to the result. */
typedef void (*TopicRows) (ReturnSetInfo *result, const Topic *topic);

/* A row in the making, zero at first. */
typedef struct Row
{
	int			columns;
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
} Row;

/* Add a column; one that is null unless the condition holds. */
extern void pgt_inspect_add(Row *row, Datum value);
extern void pgt_inspect_add_if(Row *row, bool condition, Datum value);

/* Add the row to the result. */
extern void pgt_inspect_put(Row *row, ReturnSetInfo *result);

/* Return the rows that "add_rows" makes of each topic the user may see. */
extern Datum pgt_inspect_topics(FunctionCallInfo fcinfo, TopicRows add_rows);

#endif							/* INSPECT_H */
