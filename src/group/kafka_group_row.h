/*
 * kafka_group_row.h
 *	  The rows of topic_kafka_groups and topic_kafka_members: what of Kafka's groups survives
 *	  the process that coordinates them.
 *
 * A group that Kafka's members use, or have used, has one row, and one for each member.  They are
 * written when a rebalance has ended and when members come and go, never by heartbeats.  The committed
 * offsets are those of topic_group_offsets, for Kafka's members as for consumers in SQL.
 *
 * Only the coordinator's process writes them while it runs (kafka_claim.h).  All functions are called in a
 * transaction, write in it, and throw errors; none waits for a lock on a row that the
 * coordinator alone writes.
 *
 * Strings are in the encoding of the database; an id that is not to be had in it has no group.
 */
#ifndef KAFKA_GROUP_ROW_H
#define KAFKA_GROUP_ROW_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Bytes that the coordinator keeps as they are; NULL data is null. */
typedef struct KafkaGroupBytes
{
	const char *data;
	Size		length;
} KafkaGroupBytes;

/*
 * The protocol of a group: JoinGroup and SyncGroup, ConsumerGroupHeartbeat (KIP-848), or ShareGroupHeartbeat (KIP-932), whose groups
 * have no rows here.
 */
typedef enum KafkaGroupKind
{
	KAFKA_GROUP_CLASSIC,
	KAFKA_GROUP_CONSUMER,
	KAFKA_GROUP_SHARE
} KafkaGroupKind;

typedef struct KafkaGroupRow
{
	const char *id;
	Oid			owner;			/* the role that it belongs to, as in topic_group_offsets */
	KafkaGroupKind kind;
	const char *protocol_type;	/* "consumer", "connect", ...; NULL: none yet */
	const char *protocol;		/* the assignor that the group uses; NULL: none */
	const char *leader;			/* member id; NULL: none */
	int32		epoch;			/* generation of a classic group, group epoch of the other kind */
	TimestampTz changed;		/* when its state last changed */
	KafkaGroupBytes state;		/* what else the coordinator knows of it */
} KafkaGroupRow;

/* A member's id is a part of a key: whoever lets clients choose it refuses longer ones. */
#define KAFKA_GROUP_MEMBER_ID_MAX	1024	/* bytes */

typedef struct KafkaMemberRow
{
	const char *id;
	const char *instance_id;	/* of a static member; NULL: it is none */
	const char *client_id;
	const char *client_host;	/* as Kafka writes it: "/127.0.0.1" */
	int32		session_timeout;	/* ms */
	int32		rebalance_timeout;	/* ms */
	int32		epoch;			/* member epoch of the kind "consumer"; else the generation */
	KafkaGroupBytes subscription;	/* of the protocol chosen, for a classic member */
	KafkaGroupBytes assignment;
	KafkaGroupBytes state;		/* what else the coordinator knows of it */
} KafkaMemberRow;

/*
 * Tell of all rows, in the order of groups' names, each group before its members.  Strings and bytes
 * live until the function returns.
 */
extern void pgt_kafka_group_rows_load(void (*group) (const KafkaGroupRow *row, void *arg),
									  void (*member) (const KafkaGroupRow *group, const KafkaMemberRow *row, void *arg),
									  void *arg);

/* ---- single rows, for everybody ------------------------------------------------- */

/* Set *owner to that of the group's row, or GROUP_UNCLAIMED.  False where it has none. */
extern bool pgt_kafka_group_row_owner(const char *group, Oid *owner);

/* Tell of the owner, or GROUP_UNCLAIMED, of each group that has a row.  The id lives until the function returns. */
extern void pgt_kafka_group_rows_owners(void (*tell) (const char *group, Oid owner, void *arg), void *arg);

/* Set both to what a member's row says, palloc'd.  False where it has none. */
extern bool pgt_kafka_member_row_client(const char *group, const char *member, char **client_id, char **client_host);

/* The ids of the group's members, palloc'd: a List of C strings.  And whether there is any. */
extern List *pgt_kafka_member_row_ids(const char *group);
extern bool pgt_kafka_member_row_any(const char *group);

/* ---- writing, for the coordinator --------------------------------------------------- */

/* Write a row, new or not; delete one, if there is one.  Deleting a group deletes its members. */
extern void pgt_kafka_group_row_write(const KafkaGroupRow *row);
extern void pgt_kafka_group_row_delete(const char *group);

/* Let a group's row, if it has one, name another owner. */
extern void pgt_kafka_group_row_set_owner(const char *group, Oid owner);

/* Delete a member's row, if there is one. */
extern void pgt_kafka_member_row_delete(const char *group, const char *member);

/*
 * Write rows of a group's members, new or not, each at most once.  Until the end what was written is not seen by what follows in
 * the transaction.  An error ends it, too.
 */
typedef struct KafkaMemberRows KafkaMemberRows;

extern KafkaMemberRows *pgt_kafka_member_rows_begin(const char *group);
extern void pgt_kafka_member_rows_write(KafkaMemberRows *rows, const KafkaMemberRow *row);
extern void pgt_kafka_member_rows_end(KafkaMemberRows *rows);

#endif							/* KAFKA_GROUP_ROW_H */
