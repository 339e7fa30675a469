/*
 * record_rows.h
 *	  Records as rows, for consume(), consume_as() and latest().
 */
#ifndef RECORD_ROWS_H
#define RECORD_ROWS_H

#include "format/record_batch.h"
#include "nodes/primnodes.h"
#include "topic/topic.h"
#include "util/compat.h"

typedef struct RecordRows RecordRows;

/*
 * The topic whose row type the first argument of a call has; ERROR where the argument
 * is not of a topic's row type, with "usage" in the hint.
 */
extern Oid	pgt_record_rows_topic_of_call(const FuncExpr *call, const char *usage);

/*
 * ERROR for a call of "function" whose first argument is a topic's name instead of a null
 * of its row type; "rest" is what follows that argument in the hint.
 */
pg_noreturn extern void pgt_record_rows_refuse_name(FunctionCallInfo fcinfo, const char *function,
													const char *rest);

/*
 * Begin the function's result, a tuplestore: with "typed" of rows of the topic's own
 * row type, else of consume()'s columns, with key and value as text.
 */
extern RecordRows *pgt_record_rows_begin(FunctionCallInfo fcinfo, Topic *topic, bool typed);

/*
 * Begin a result with records of several topics, as consume_many() returns it: the
 * topic's oid is the first column, then follow consume()'s columns.
 */
extern RecordRows *pgt_record_rows_begin_many(FunctionCallInfo fcinfo);

/* Set the topic of the records that are added from now on. */
extern void pgt_record_rows_set_topic(RecordRows *rows, Topic *topic);

/* Add a record.  ERROR where its bytes are not valid for the topic's types. */
extern void pgt_record_rows_put(RecordRows *rows, int32 partition, const Record *record);

/*
 * One column of a record's row, in the current memory context: with "typed" in the topic's
 * own type, else as consume() has it.  ERROR as for pgt_record_rows_put().
 */
extern Datum pgt_record_rows_column(Topic *topic, TopicColumnId column, bool typed,
									int32 partition, const Record *record, bool *isnull);

#endif							/* RECORD_ROWS_H */
