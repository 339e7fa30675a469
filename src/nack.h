/*
 * nack.h
 *	  nack(): records that could not be processed.
 *
 * Layer 6.
 */
#ifndef NACK_H
#define NACK_H

#include "record_batch.h"

/*
 * The time before which consume() does not deliver the record, milliseconds
 * since 1970; 0 where it may at any time.
 */
extern int64 pgt_record_not_before(const Record *record);

#endif							/* NACK_H */
