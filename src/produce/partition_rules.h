/*
 * partition_rules.h
 *	  The built-in rules by which a partitioner's name chooses a partition.
 */
#ifndef PARTITION_RULES_H
#define PARTITION_RULES_H

#include "topic/topic.h"

/* A built-in rule: returns a partition from 0 to topic->partitions - 1. */
typedef int32 (*PartitionRule) (Topic *topic, ByteView key, ByteView value);

/* The rule that counts where neither session nor topic names a partitioner. */
extern PartitionRule pgt_partition_rule_default(void);

/* The built-in rule of that name, or NULL. */
extern PartitionRule pgt_partition_rule_find(const char *name);

/* Append the names of all built-in rules, with commas between. */
extern void pgt_partition_rule_names(StringInfo names);

#endif							/* PARTITION_RULES_H */
