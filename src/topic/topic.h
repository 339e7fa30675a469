/*
 * topic.h
 *	  A topic's configuration, read from its foreign table and cached.
 */
#ifndef TOPIC_H
#define TOPIC_H

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "topic/topic_types.h"

#define TOPIC_FDW_HANDLER	"pgt_fdw_handler"	/* C symbol of its handler */
#define TOPIC_SERVER_NAME	"topics"

/* Is there a topic with that oid, that is, a foreign table of our wrapper? */
extern bool pgt_topic_exists(Oid relid);

/*
 * Oids of the topics of this database.  No lock is taken: a topic may be dropped before
 * the caller looks at it.
 */
extern List *pgt_topic_list(void);

/* ERROR unless the relation is a topic: undefined_table, or wrong_object_type with a hint. */
extern void pgt_topic_require(Oid relid);

/*
 * The topic's configuration, with the options as of the last invalidation
 * message received.  The pointer stays valid until the transaction's end.  ERROR
 * (wrong_object_type, with a hint) where the relation is not a topic.  No
 * privilege is checked here.
 */
extern Topic *pgt_topic_get(Oid relid);

/*
 * The key of a topic's partition; ERROR (invalid_parameter_value) where the topic has no
 * such partition.
 */
extern TopicPartition pgt_topic_partition(const Topic *topic, int32 partition);

/* The key of a partition of this database, where it is known, or does not matter, whether there is one. */
extern TopicPartition pgt_topic_partition_key(Oid relid, int32 partition);

/*
 * ERROR unless the relation's columns are those a topic may have.  The caller holds a lock
 * on it.
 */
extern void pgt_topic_check_columns(Oid relid);

/*
 * ERROR unless the current user has all of these privileges (ACL_SELECT, ACL_INSERT) on
 * the relation.
 */
extern void pgt_topic_check_acl(Oid relid, AclMode mode);

/* The owner of a relation; InvalidOid where the relation is gone. */
extern Oid pgt_topic_owner(Oid relid);

/* ERROR unless the current user owns the relation. */
extern void pgt_topic_check_owner(Oid relid);

/*
 * Does the current user own the relation, or have any privilege on it?  Where the
 * relation is gone the answer is false, without an ERROR: a caller that goes over
 * many topics asks before it locks a topic, and again once it has the lock.
 */
extern bool pgt_topic_is_owner(Oid relid);
extern bool pgt_topic_is_visible(Oid relid);

/*
 * ERROR (object_in_use) where the running transaction has created the topic or
 * changed its options: records removed by these options would not come back if the
 * transaction were rolled back.
 */
extern void pgt_topic_check_settled(Oid relid);

/*
 * The name, as in SQL, of the topic that nack() sends a topic's records to: the option
 * "retry.topic" or, if "dead", "dlq.topic"; by default <topic>.retry or <topic>.dlq.
 * NULL if that default would be too long for a name.
 */
extern char *pgt_topic_failed_name(const Topic *topic, bool dead);

extern void pgt_topic_init(void);	/* settings of this file */

#endif							/* TOPIC_H */
