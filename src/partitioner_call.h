/*
 * partitioner_call.h
 *	  Calling partitioners that are not built in.  Layer 5.
 */
#ifndef PARTITIONER_CALL_H
#define PARTITIONER_CALL_H

#include "partitioner.h"

/* One that is ready to be called for a topic; see partitioner_call.c. */
typedef struct CustomPartitioner CustomPartitioner;

/*
 * Let the partitioner that counts for the topic, and is not built in, choose.
 * ERROR as for pgt_choose_partition(), which is the only caller.
 */
extern int32 pgt_custom_partition(Topic *topic, ByteView key, ByteView value);

/* Give one up; NULL is nothing. */
extern void pgt_custom_partitioner_close(CustomPartitioner *custom);

#endif							/* PARTITIONER_CALL_H */
