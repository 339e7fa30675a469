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

/* Is the relation a topic, that is, a foreign table of our wrapper? */
extern bool pgt_is_topic(Oid relid);

/* Oids of the topics of this database; one may be dropped by the time it is looked at. */
extern List *pgt_topic_list(void);

/* ERROR unless it is one: undefined_table, or wrong_object_type with a hint. */
extern void pgt_topic_require(Oid relid);

/*
 * The topic's configuration; ERROR (wrong_object_type, with a hint) where the
 * relation is none.  Stays good until the transaction's end; reflects options
 * as of the last invalidation received.  No privilege is checked here.
 */
extern Topic *pgt_topic_get(Oid relid);

/* Key of one of its partitions; ERROR (invalid_parameter_value) where it is out of range. */
extern TopicPartition pgt_topic_partition(const Topic *topic, int32 partition);

/* ERROR unless the relation's columns are those a topic may have.  The caller holds a lock on it. */
extern void pgt_topic_check_columns(Oid relid);

/* ERROR unless the current user has all of these privileges (ACL_SELECT, ACL_INSERT) on the relation. */
extern void pgt_topic_check_acl(Oid relid, AclMode mode);

/* Who owns a relation; InvalidOid where it is gone. */
extern Oid pgt_topic_owner(Oid relid);

/* ERROR unless the current user owns it. */
extern void pgt_topic_check_owner(Oid relid);

/*
 * Does the current user own it, or may he do anything with it?  False, and no
 * ERROR, where it is gone; so who goes over many topics asks this before he locks
 * one, and again when he has the lock.
 */
extern bool pgt_topic_is_owner(Oid relid);
extern bool pgt_topic_is_visible(Oid relid);

/* ERROR where the running transaction has made the topic or changed its options. */
extern void pgt_topic_check_settled(Oid relid);

extern void pgt_topic_init(void);	/* settings of this file */

#endif							/* TOPIC_H */
