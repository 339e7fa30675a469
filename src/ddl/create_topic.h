/*
 * create_topic.h
 *	  Making a topic from C as create_topic() does.
 */
#ifndef CREATE_TOPIC_H
#define CREATE_TOPIC_H

#include "utils/jsonb.h"

/*
 * CREATE FOREIGN TABLE as the current user, for a possibly qualified name; its oid.
 * ERROR where the statement fails, or the relation that is there is no topic.
 */
extern Oid	pgt_topic_create(text *topic, int32 partitions, Oid key_type, Oid value_type,
							 Jsonb *config, bool if_not_exists);

#endif							/* CREATE_TOPIC_H */
