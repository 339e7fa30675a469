/*
 * key_check.h
 *	  Checking a segment's index of keys against its batches.
 */
#ifndef KEY_CHECK_H
#define KEY_CHECK_H

#include "log/key_index_file.h"
#include "format/record_batch.h"

typedef struct KeyCheck KeyCheck;

/* Begin to check a segment with so many entries; NULL if it has no index of keys. */
extern KeyCheck *pgt_key_check_begin(PartitionState *state, Segment *segment, uint32 entries);

/* Take in a record of the batch of an entry; entries come in ascending order. */
extern void pgt_key_check_add(KeyCheck *check, uint32 entry, const Record *record);

/* A batch could not be read, so what the index should have is not known. */
extern void pgt_key_check_give_up(KeyCheck *check);

/* A problem at a position of the file of that name. */
typedef void (*KeyCheckReport) (void *arg, int64 position, const char *problem);

/* Check the files, once all batches were taken in, and free the check. */
extern void pgt_key_check_end(KeyCheck *check, KeyCheckReport report, void *arg);

#endif							/* KEY_CHECK_H */
