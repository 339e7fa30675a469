/*
 * producer_file.h
 *	  The file of what partitions remember of idempotent producers.
 */
#ifndef PRODUCER_FILE_H
#define PRODUCER_FILE_H

#include "format/producer_file_format.h"

/* Replace the file, durably.  Any failure is an ERROR. */
extern void pgt_producer_file_write(const ProducerFileEntry *entries, int count, uint64 next_producer_id);

/*
 * Read the file into the shared tables, when the logs were loaded.  If it is missing or damaged, no
 * producer is known.  FATAL if it is of another cluster, as for the recovery point.  For the
 * postmaster.
 */
extern void pgt_producer_file_load(void);

#endif							/* PRODUCER_FILE_H */
