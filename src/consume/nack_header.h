/*
 * nack_header.h
 *	  The headers that nack() gives a record, and how far they are believed.
 */
#ifndef NACK_HEADER_H
#define NACK_HEADER_H

#include "format/record_batch.h"
#include "topic/topic.h"

#define NACK_PREFIX		"nack."
#define NACK_TOPIC		NACK_PREFIX "topic"
#define NACK_PARTITION	NACK_PREFIX "partition"
#define NACK_OFFSET		NACK_PREFIX "offset"
#define NACK_TIMESTAMP	NACK_PREFIX "timestamp"
#define NACK_GROUP		NACK_PREFIX "group"
#define NACK_ATTEMPTS	NACK_PREFIX "attempts"
#define NACK_ERROR		NACK_PREFIX "error"
#define NACK_NOT_BEFORE	NACK_PREFIX "not_before"

/* Is "name" the header's name? */
extern bool pgt_nack_header_is_named(const RecordHeader *header, const char *name);

/* Find the first header of a name; false if there is none, or if its value is null. */
extern bool pgt_nack_header_find(const Record *record, const char *name, RecordHeader *found);

/* The value of the first header of a name as a number of at most 18 digits; -1 if it is not one. */
extern int64 pgt_nack_header_number(const Record *record, const char *name);

/* The relation of that name, by default in the origin's schema; InvalidOid if there is none. */
extern Oid	pgt_nack_header_find_target(const Topic *origin, const char *name);

/* Does the origin's owner own the topic, so that its headers count there? */
extern bool pgt_nack_header_is_own_target(const Topic *origin, Oid topic);

/*
 * The topic in which a record of "topic" failed first, according to its headers; NULL if
 * they are not believed.  Only relid, owner and options of the result are set.  Takes no
 * lock on that topic, and throws no ERROR whatever the headers contain.
 */
extern Topic *pgt_nack_header_origin(const Topic *topic, const Record *record);

/*
 * The time before which consume() does not deliver the record, in milliseconds since 1970;
 * 0 if it may be delivered now.
 */
extern int64 pgt_nack_header_held_until(const Topic *topic, const Record *record);

#endif							/* NACK_HEADER_H */
