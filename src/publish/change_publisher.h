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

/* How much of the old row an envelope shows. */
typedef enum ChangeBefore
{
	CHANGE_BEFORE_NONE,
	CHANGE_BEFORE_KEY,			/* the key's columns, where they are not the new row's */
	CHANGE_BEFORE_FULL
} ChangeBefore;

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
	Oid			source;			/* the one it was made for: relid, or the partitioned table above */
	Oid			source_owner;
	Oid			topic;
	ChangeFormat format;
	ChangeBefore before;
	int			headers;		/* CHANGE_HEADER_* */
	bool		validate;		/* the topic's type may refuse what we write */
	ChangeColumns columns;
	ChangeKey	key;
	const char *trigger;		/* for messages */
	const char *table;			/* for messages: schema.table */
	const char *envelope_source;	/* ,"source":{...,"xid": */
	int			envelope_source_length;
	const char *schema_version; /* the header's value */
	LocalTransactionId checked_in;	/* the transaction in which privileges were checked last */
	bool		valid;			/* nothing it was made of has changed since */
} ChangePublisher;

/*
 * The publisher of a trigger; ERROR, naming table, trigger and argument, where
 * it cannot be.  Stays good until the transaction's end; current while "valid".
 */
extern ChangePublisher *pgt_change_publisher_get(Relation relation, Trigger *trigger);

/*
 * The same for a trigger with this function and these arguments that "source",
 * which is the relation or a partitioned table above it, has under that name.
 * In the current memory context, and never invalidated: the caller's locks see
 * to it that nothing changes.
 */
extern ChangePublisher *pgt_change_publisher_make(Relation relation, Oid source, const char *trigger,
												  Oid function, int argument_count, char **arguments);

/* Must a changed key have the old one deleted? */
extern bool pgt_change_publisher_writes_tombstones(const ChangePublisher *publisher, const Topic *topic);

/* The topic a trigger's first argument names, InvalidOid where there is none of that name. */
extern Oid	pgt_change_publisher_find_topic(const char *name, Oid table);

/* Make the cache; called once per process. */
extern void pgt_change_publisher_init(void);

#endif							/* CHANGE_PUBLISHER_H */
