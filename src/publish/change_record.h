/*
 * change_record.h
 *	  Turning changes of a table's rows into records of a topic.
 */
#ifndef CHANGE_RECORD_H
#define CHANGE_RECORD_H

#include "publish/change_order.h"
#include "publish/change_publisher.h"

/* What happened to a row, or to the table: the "op" of an envelope. */
typedef enum ChangeOperation
{
	CHANGE_CREATE = 'c',
	CHANGE_UPDATE = 'u',
	CHANGE_DELETE = 'd',
	CHANGE_TRUNCATE = 't',
	CHANGE_READ = 'r'			/* a row that was there when publishing began */
} ChangeOperation;

/* The writer of one statement's changes, or of one row's change. */
typedef struct ChangeWriter
{
	ChangePublisher *publisher;
	Topic	   *topic;
	ChangeOperation operation;
	CommandId	command;		/* made the changes; InvalidCommandId: they come in order */
	bool		for_statement;	/* the trigger is fired for each statement */
	bool		tombstones;		/* pgt_change_publisher_writes_tombstones() */
	int64		now_ms;
	uint64		xid;
	StringInfoData key;
	StringInfoData value;
	StringInfoData headers;
	int32		header_count;
} ChangeWriter;

/*
 * Begin writing the changes of an operation, in the current memory context.  Checks that
 * the table's owner may produce to the topic, and locks the topic.
 */
extern void pgt_change_record_begin(ChangeWriter *writer, ChangePublisher *publisher, ChangeOperation operation);

/*
 * Add the end of the old key, if the update has changed the key: the envelope of a
 * deletion, or a tombstone, or both.
 */
extern void pgt_change_record_add_departure(ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new);

/*
 * Add a change of one row to the transaction.  "old" and "new" are NULL if there is no
 * such row, or if it is not published.  An update that has changed the key creates the row
 * under the new one; what ends the old key is not included.  Allocates in the current memory
 * context.
 */
extern void pgt_change_record_add(ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new);

/* Add the truncation of the table, to each partition of the topic. */
extern void pgt_change_record_add_truncate(ChangeWriter *writer);

#endif							/* CHANGE_RECORD_H */
