/*
 * producer_ids.h
 *	  Giving ids to idempotent producers.
 */
#ifndef PRODUCER_IDS_H
#define PRODUCER_IDS_H

#include "wal/wal_record.h"

/*
 * An id that no producer of this cluster has or will have, not after a crash either.  NO_PRODUCER_ID
 * if none can be given out now: in recovery, or while no sync process runs.  Once in a thousand
 * times this flushes the WAL.
 */
extern int64 pgt_producer_ids_next(void);

/* Redo of PRODUCER_IDS. */
extern void pgt_producer_ids_redo(const xl_pgt_producer_ids *xlrec);

#endif							/* PRODUCER_IDS_H */
