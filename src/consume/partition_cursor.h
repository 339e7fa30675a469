/*
 * partition_cursor.h
 *	  A partition opened where a group continues.
 */
#ifndef PARTITION_CURSOR_H
#define PARTITION_CURSOR_H

#include "consume/consume_pass.h"
#include "wal/log_reader.h"

/* A partition opened at the group's next offset. */
typedef struct PartitionCursor
{
	TopicPartition key;
	LogReader  *reader;			/* NULL if there is nothing to read */
	Record		record;			/* the first record, if there is a reader */
	int64		next;			/* the group's next offset; NO_OFFSET if nothing is committed yet */
	int64		start;			/* where the reader starts */
	int64		passed;			/* without a reader: where a gap ends that begins at "start" */
	int64		lost;			/* how many offsets lie from the group's next one to the last deleted record */
	int64		log_start;
	int64		past_end;		/* committed offset past the log end, or NO_OFFSET */
	bool		held;			/* the first record must not be delivered yet; there is no reader */
	bool		must_commit;	/* "start" must be committed though nothing is read */
} PartitionCursor;

/*
 * Open a partition where the group continues according to *offset.  Returns whether there
 * is something to do for it: a record to deliver, a start to commit, or a gap to pass;
 * if not, there is no reader either.  ERROR if auto_offset_reset is "none" and the group
 * cannot continue.
 */
extern bool pgt_partition_cursor_open(const ConsumePassTopic *pass, const GroupPartition *offset,
									  PartitionCursor *cursor);

/* Has the cursor a record to deliver or a start to commit, and not just a gap to pass? */
extern bool pgt_partition_cursor_has_work(const PartitionCursor *cursor);

/* Close the cursor's reader, if it has one. */
extern void pgt_partition_cursor_close(PartitionCursor *cursor);

/*
 * May the cursor's record be delivered yet?  If not, the look under way asks for another
 * look at the record's time.
 */
extern bool pgt_partition_cursor_is_due(const ConsumePassTopic *pass, const PartitionCursor *cursor);

/* Send a NOTICE if the consumer has lost records, or starts over. */
extern void pgt_partition_cursor_report(const ConsumePassTopic *pass, const PartitionCursor *cursor);

#endif							/* PARTITION_CURSOR_H */
