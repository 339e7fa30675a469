/*
 * kafka_alias.h
 *	  Topics that Kafka's clients know by another name than that of the table.
 */
#ifndef KAFKA_ALIAS_H
#define KAFKA_ALIAS_H

#include "postgres.h"

/* All are called in a transaction. */

/* The topic's option "kafka.topic", valid until the next call; NULL: it has none. */
extern const char *pgt_kafka_alias_of(Oid topic);

/*
 * The topic in a schema that has this option, or InvalidOid.  Of several the one with the lowest
 * oid; "except" is passed over.
 */
extern Oid	pgt_kafka_alias_find(Oid schema, const char *name, Oid except);

#endif							/* KAFKA_ALIAS_H */
