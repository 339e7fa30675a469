/*
 * partitioner_call.h
 *	  Calling partitioners that are not built in.
 */
#ifndef PARTITIONER_CALL_H
#define PARTITIONER_CALL_H

#include "topic/topic.h"

/* A partitioner that is ready to be called for a topic; see partitioner_call.c. */
typedef struct PartitionerCall PartitionerCall;

/*
 * Call a partitioner that is not built in: "choice" is one of the two in
 * topic->partitioning.  Returns the partition; ERROR as for pgt_partitioner_choose().
 * Only partitioner.c calls this.
 */
extern int32 pgt_partitioner_call(TopicPartitioner *choice, Topic *topic, ByteView key, ByteView value);

/* Free a partitioner that was ready to be called; custom may be NULL. */
extern void pgt_partitioner_call_close(PartitionerCall *custom);

#endif							/* PARTITIONER_CALL_H */
