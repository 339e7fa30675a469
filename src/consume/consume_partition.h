/*
 * consume_partition.h
 *	  Consuming from one partition.
 */
#ifndef CONSUME_PARTITION_H
#define CONSUME_PARTITION_H

#include "consume/consume_pass.h"

/*
 * Consume from one partition, if it has something to read and no other consumer owns it;
 * a pass without a sink only owns it.  The outcome is in pass->whole: delivered,
 * remembered and retry.
 */
extern void pgt_consume_partition(ConsumePassTopic *pass, GroupPartition *offset);

#endif							/* CONSUME_PARTITION_H */
