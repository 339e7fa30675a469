/*
 * group_types.h
 *	  A consumer group and where it stands in a partition.
 */
#ifndef GROUP_TYPES_H
#define GROUP_TYPES_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "topic/topic_types.h"
#include "wal/log_writer.h"

#define MAX_OFFSET_METADATA		4096	/* bytes, Kafka's offset.metadata.max.bytes */

/* member ids that begin so are those of Kafka's members: see kafka_claim.c */
#define KAFKA_MEMBER_PREFIX	"kafka:"

/* the owner of a group that is nobody's yet; see group_role.c */
#define GROUP_UNCLAIMED			OID_MAX

/* A group as it consumes one topic. */
typedef struct ConsumerGroup
{
	Oid			offsets_table;	/* topic_group_offsets */
	Oid			topic;
	const char *id;
	Oid			role;			/* who uses it; InvalidOid: the current user */
} ConsumerGroup;

/* The lease of a partition, as its row has it; see lease.c. */
typedef struct GroupLease
{
	char	   *member;			/* the member that has it or had it last; NULL: none */
	TimestampTz until;			/* end of the lease; DT_NOBEGIN where there is no member */
	int64		position;		/* the member's next record; NO_OFFSET: at the committed offset */
	TimestampTz served;			/* when the position last moved; DT_NOBEGIN: never */
	int64		generation;		/* how often a member has taken the partition */
} GroupLease;

/* Where a group stands in one partition, as last read or locked. */
typedef struct GroupPartition
{
	int32		partition;
	bool		exists;			/* does the partition have a row? */
	HeapTuple	row;			/* the row's latest known version; NULL: it has none */
	Oid			owner;			/* role that the group belongs to, as the row says; InvalidOid: it is gone */
	int64		committed;		/* committed offset; NO_OFFSET: nothing committed yet */
	int64		position;		/* this transaction's next record; NO_OFFSET: at "committed" */
	int64		start;			/* its next record if neither of these can be read, or NO_OFFSET */
	TimestampTz served;			/* when the group last received records; DT_NOBEGIN: never */
	GroupLease	lease;
} GroupPartition;

/* The result of an attempt to own a partition. */
typedef enum GroupLock
{
	GROUP_OWNED,				/* owned, and *part is the latest version */
	GROUP_BUSY,					/* another transaction owns it */
	GROUP_MOVED					/* not owned; *part was outdated, and is the latest version now */
} GroupLock;

#endif							/* GROUP_TYPES_H */
