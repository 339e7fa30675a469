/*
 * consume_scan.h
 *	  A call of consume(), consume_as() or consume_many() that gives one record at a time.
 */
#ifndef CONSUME_SCAN_H
#define CONSUME_SCAN_H

#include "consume/consume_request.h"
#include "format/record_batch.h"
#include "topic/topic.h"
#include "utils/snapshot.h"

typedef struct ConsumeScan ConsumeScan;

/* What a scan gives; valid until its next one. */
typedef struct ConsumeScanRow
{
	Topic	   *topic;
	int32		partition;
	const Record *record;
} ConsumeScanRow;

/*
 * Begin a call: wait for records if the request says so and that was not done ("waited")
 * before the statement started.  Request and snapshot must live as long as the scan, which
 * works in a memory context of its own below the current one.
 */
extern ConsumeScan *pgt_consume_scan_begin(const ConsumeRequest *request, Snapshot snapshot, bool waited);

/*
 * The next record, which is consumed with that; false if the call has no more.  ERROR
 * (invalid_cursor_state) where the group has been moved since the record before.
 */
extern bool pgt_consume_scan_next(ConsumeScan *scan, ConsumeScanRow *row);

/*
 * Give the records that were given so far once more, before others.  Then ERROR
 * (serialization_failure) where some of them have been deleted.
 */
extern void pgt_consume_scan_rewind(ConsumeScan *scan);

/* How many records the scan has consumed, and from how many partitions. */
extern int64 pgt_consume_scan_records(const ConsumeScan *scan);
extern int	pgt_consume_scan_partitions(const ConsumeScan *scan);

/* End the call, and note what it has consumed. */
extern void pgt_consume_scan_end(ConsumeScan *scan);

#endif							/* CONSUME_SCAN_H */
