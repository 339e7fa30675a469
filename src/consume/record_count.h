/*
 * record_count.h
 *	  Counting the records that a waiting call could get.
 */
#ifndef RECORD_COUNT_H
#define RECORD_COUNT_H

#include "consume/consume_pass.h"
#include "consume/partition_cursor.h"

/* A count of the records that a call could get. */
typedef struct RecordCount
{
	int64		wanted;
	int64		found;			/* at most as many as are wanted */
	int64		behind;			/* offsets with records that are only held up by a running transaction */
} RecordCount;

/* Begin to count for a request. */
extern void pgt_record_count_begin(RecordCount *count, const ConsumeRequest *request);

/* Count the records of a partition whose cursor was opened, and close the cursor.  Returns how many there are. */
extern int64 pgt_record_count_add(RecordCount *count, const ConsumePassTopic *pass, PartitionCursor *cursor);

/*
 * Are there enough?  If not, the look under way asks for the next one when the rest
 * has been announced.
 */
extern bool pgt_record_count_is_enough(const RecordCount *count);

/*
 * A look in transactional mode for a call that wants more than one record: own partitions in
 * which there are together as many as it wants, and return true.  If there are too few,
 * owns nothing; pass->retry is set where other consumers own partitions with records.
 *
 * Fewer records are in the partitions owned only if another consumer has taken some
 * of the partitions in the moment between counting and owning.
 */
extern bool pgt_record_count_own(ConsumePass *pass);

#endif							/* RECORD_COUNT_H */
