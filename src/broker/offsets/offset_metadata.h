/*
 * offset_metadata.h
 *	  What clients give along with an offset that they commit, as SQL has it.
 */
#ifndef OFFSET_METADATA_H
#define OFFSET_METADATA_H

#include "kafka/kafka_types.h"

/* Both are called in a transaction, and throw no error for what a client has sent. */

/* A client's metadata as the text that stands in the table, palloc'd; NULL where there are none. */
extern char *pgt_offset_metadata_of_client(KafkaString metadata);

/* The metadata for which the text stands, for clients; NULL stands for none.  It may be the text itself. */
extern KafkaString pgt_offset_metadata_for_client(const char *text);

#endif							/* OFFSET_METADATA_H */
