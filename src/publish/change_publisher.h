/*
 * change_publisher.h
 *	  How one trigger publishes one table's changes.
 */
#ifndef CHANGE_PUBLISHER_H
#define CHANGE_PUBLISHER_H

#include "commands/trigger.h"
#include "publish/change_json.h"
#include "topic/topic.h"

typedef enum ChangeFormat
{
	CHANGE_FORMAT_ENVELOPE,
	CHANGE_FORMAT_ROW
} ChangeFormat;

/* The part of the old row that an envelope shows. */
typedef enum ChangeBefore
{
	CHANGE_BEFORE_NONE,
	CHANGE_BEFORE_KEY,			/* the key's columns, of a deletion */
	CHANGE_BEFORE_FULL
} ChangeBefore;

/* What becomes of a change whose record the topic would refuse as too large. */
typedef enum ChangeOnLarge
{
	CHANGE_ON_LARGE_ERROR,
	CHANGE_ON_LARGE_KEY_ONLY,	/* its record has the key's columns alone */
	CHANGE_ON_LARGE_SKIP		/* it has no record */
} ChangeOnLarge;

/* Headers a record may carry; a bit each. */
#define CHANGE_HEADER_XID			0x01
#define CHANGE_HEADER_TABLE			0x02
#define CHANGE_HEADER_OPERATION		0x04
#define CHANGE_HEADER_USER			0x08
#define CHANGE_HEADER_SCHEMA_VERSION 0x10
#define CHANGE_HEADER_ALL			0x1F

typedef struct ChangePublisher
{
	Oid			relid;			/* the table the trigger fires for */
	Oid			source;			/* the table it was made for: relid, or a partitioned table above */
	Oid			source_owner;
	Oid			topic;
	ChangeFormat format;
	ChangeBefore before;
	ChangeOnLarge on_large;
	int			headers;		/* CHANGE_HEADER_* */
	bool		validate;		/* the topic's type could refuse a value */
	ChangeColumns columns;
	ChangeKey	key;
	const char *trigger;		/* for messages */
	const char *table;			/* for messages: schema.table */
	const char *envelope_source;	/* ,"source":{...,"xid": */
	int			envelope_source_length;
	const char *schema_version; /* the header's value */
	LocalTransactionId checked_in;	/* the transaction in which privileges were checked last */
	bool		valid;			/* it still agrees with the catalogs */
} ChangePublisher;

/*
 * The publisher of a trigger.  ERROR, naming table, trigger and argument, if the trigger
 * cannot publish.  It can be used until the transaction's end; it is current while
 * "valid".
 */
extern ChangePublisher *pgt_change_publisher_get(Relation relation, Trigger *trigger);

/*
 * Make the publisher of a trigger that "source", which is the relation or a partitioned
 * table above it, has under that name, with this function and these arguments.  It is in
 * the current memory context and is never invalidated: the caller's locks make sure that
 * nothing changes.
 */
extern ChangePublisher *pgt_change_publisher_make(Relation relation, Oid source, const char *trigger,
												  Oid function, int argument_count, char **arguments);

/* Does the deletion or the change of a key require a tombstone for the old key? */
extern bool pgt_change_publisher_writes_tombstones(const ChangePublisher *publisher, const Topic *topic);

/* The columns of the relation's primary key, which is not deferrable, by number; NIL if it has none. */
extern List *pgt_change_publisher_primary_key(Relation relation);

/* Create the cache; called once per process. */
extern void pgt_change_publisher_init(void);

#endif							/* CHANGE_PUBLISHER_H */
