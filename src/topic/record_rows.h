/*
 * record_rows.h
 *	  Records as rows of the result of consume(), consume_as() and latest().
 */
#ifndef RECORD_ROWS_H
#define RECORD_ROWS_H

#include "format/record_batch.h"
#include "nodes/primnodes.h"
#include "topic/topic.h"

typedef struct RecordRows RecordRows;

/*
 * The topic whose row type a call's first argument has; ERROR where it has
 * none, with a hint of how to use the function.
 */
extern Oid	pgt_record_rows_topic_of_call(const FuncExpr *call, const char *usage);

/*
 * Begin the function's result, a tuplestore.  typed: rows of the topic's own
 * type; else consume()'s columns, key and value as text.
 */
extern RecordRows *pgt_record_rows_begin(FunctionCallInfo fcinfo, Topic *topic, bool typed);

/*
 * The same for records of several topics, as consume_many() returns them: with
 * the topic's column before the others.
 */
extern RecordRows *pgt_record_rows_begin_many(FunctionCallInfo fcinfo);

/* The topic of the records that come from now on. */
extern void pgt_record_rows_set_topic(RecordRows *rows, Topic *topic);

/* Add a record.  ERROR where its bytes are not valid for the topic's types. */
extern void pgt_record_rows_put(RecordRows *rows, int32 partition, const Record *record);

#endif							/* RECORD_ROWS_H */
