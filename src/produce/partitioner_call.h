/*
 * partitioner_call.h
 *	  Calling partitioners that are not built in.
 */
#ifndef PARTITIONER_CALL_H
#define PARTITIONER_CALL_H

#include "topic/topic.h"

/* One that is ready to be called for a topic; see partitioner_call.c. */
typedef struct CustomPartitioner CustomPartitioner;

/*
 * Let one of the topic's two partitioners choose, which is not built in.  ERROR as
 * for pgt_partitioner_choose(); only partitioner.c calls it.
 */
extern int32 pgt_partitioner_call(PartitionerChoice *choice, Topic *topic, ByteView key, ByteView value);

/* Give one up; NULL is nothing. */
extern void pgt_partitioner_call_close(CustomPartitioner *custom);

#endif							/* PARTITIONER_CALL_H */
