/*
 * create_topic.h
 *	  Making, altering and dropping a topic from C as create_topic(), alter_topic() and drop_topic() do.
 */
#ifndef CREATE_TOPIC_H
#define CREATE_TOPIC_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* An option that is to be set, or with NULL not to be set. */
typedef struct CreateTopicOption
{
	char	   *name;
	char	   *value;
} CreateTopicOption;

/*
 * Create a topic of a possibly qualified name, by a CREATE FOREIGN TABLE that runs as the
 * current user; returns its oid.  With "if_not_exists" an existing topic is returned.
 * ERROR where the statement fails, or the existing relation is not a topic.
 */
extern Oid	pgt_create_topic_by_name(text *topic, int32 partitions, Oid key_type, Oid value_type,
									 Jsonb *config, bool if_not_exists);

/*
 * Change a topic's options, a List of CreateTopicOption whose names are valid and differ, by an ALTER
 * FOREIGN TABLE that runs as the current user.  The caller has the topic locked exclusively.
 */
extern void pgt_create_topic_alter(Oid topic, List *changes);

/* Drop a topic, by a DROP FOREIGN TABLE that runs as the current user. */
extern void pgt_create_topic_drop(Oid topic);

#endif							/* CREATE_TOPIC_H */
