/*
 * group_types.h
 *	  A consumer group and where it stands in a partition.
 */
#ifndef GROUP_TYPES_H
#define GROUP_TYPES_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "wal/log_writer.h"

#define MAX_GROUP_ID_LENGTH		255 /* bytes */
#define MAX_OFFSET_METADATA		4096	/* bytes, Kafka's offset.metadata.max.bytes */

/* A group as it consumes one topic. */
typedef struct ConsumerGroup
{
	Oid			offsets_table;	/* topic_group_offsets */
	Oid			topic;
	const char *id;
} ConsumerGroup;

/* The lease of a partition, as its row tells; lease.c says what it means. */
typedef struct GroupLease
{
	char	   *member;			/* who has it, or had it last; NULL: nobody */
	TimestampTz until;			/* DT_NOBEGIN where there is no member */
	int64		position;		/* the member's next record; NO_OFFSET: the committed one */
	TimestampTz served;			/* when that moved last; DT_NOBEGIN: never */
	int64		generation;		/* how often a member has taken the partition */
} GroupLease;

/* Where a group stands in one partition, as last read or locked. */
typedef struct GroupPartition
{
	int32		partition;
	bool		exists;			/* there is a row */
	HeapTuple	row;			/* its latest known version; NULL: there is none */
	int64		committed;		/* NO_OFFSET: nothing committed yet */
	int64		position;		/* where this transaction goes on; NO_OFFSET: at "committed" */
	int64		start;			/* where it starts if it cannot go on there, or NO_OFFSET */
	TimestampTz served;			/* when the group last got something; DT_NOBEGIN: never */
	GroupLease	lease;
} GroupPartition;

/* What an attempt to own a partition came to. */
typedef enum GroupLock
{
	GROUP_OWNED,				/* it is owned, and *part is the latest */
	GROUP_BUSY,					/* somebody else owns it */
	GROUP_MOVED					/* *part was not the latest and is now; not owned */
} GroupLock;

#endif							/* GROUP_TYPES_H */
