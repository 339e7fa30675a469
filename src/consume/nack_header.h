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

/* Is that the header's name? */
extern bool pgt_nack_header_is_named(const RecordHeader *header, const char *name);

/* Find the first header of a name; false where there is none, or its value is null. */
extern bool pgt_nack_header_find(const Record *record, const char *name, RecordHeader *found);

/* That header's value as a number of at most 18 digits; -1 where it is none. */
extern int64 pgt_nack_header_number(const Record *record, const char *name);

/*
 * Where an origin sends its records: the option "retry.topic" or, if "dead",
 * "dlq.topic", a name as in SQL; by default <origin>.retry or <origin>.dlq.
 * NULL where that default would be too long for a name.
 */
extern char *pgt_nack_target_name(const Topic *origin, bool dead);

/* The relation of such a name, by default in the origin's schema; InvalidOid where there is none. */
extern Oid	pgt_nack_find_target(const Topic *origin, const char *name);

/* Does the origin's owner own the topic, so that its headers count there? */
extern bool pgt_nack_is_own_target(const Topic *origin, Oid topic);

/*
 * The topic that a record of "topic" failed in first, as far as its headers are
 * believed; NULL where they are not.  Of the result only relid, owner and options
 * are set.  Takes no lock on it, and never an ERROR for what a header says.
 */
extern Topic *pgt_nack_origin(const Topic *topic, const Record *record);

/*
 * The time before which consume() does not deliver the record, milliseconds
 * since 1970; 0 where it may now.
 */
extern int64 pgt_nack_held_until(const Topic *topic, const Record *record);

#endif							/* NACK_HEADER_H */
