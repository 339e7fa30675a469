/*
 * publishing_trigger.h
 *	  The triggers that publish a table's changes, as the catalogs have them.
 */
#ifndef PUBLISHING_TRIGGER_H
#define PUBLISHING_TRIGGER_H

#include "nodes/pg_list.h"
#include "utils/snapshot.h"

/* A trigger whose function is publish_changes(). */
typedef struct PublishingTrigger
{
	Oid			oid;
	Oid			parent;			/* the trigger whose clone it is, in a partition; else InvalidOid */
	Oid			relid;
	Oid			function;		/* publish_changes() */
	const char *name;
	int16		type;			/* TRIGGER_FOR_INSERT() and the like ask it */
	char		enabled;		/* TRIGGER_FIRES_* */
	bool		in_condition;	/* publishes by publish_row() */
	int			argument_count;
	char	  **arguments;
} PublishingTrigger;

/* The options that name columns. */
typedef enum PublishingTriggerOption
{
	COLUMN_OPTION_KEY,
	COLUMN_OPTION_COLUMNS,
	COLUMN_OPTION_EXCLUDE,
	COLUMN_OPTION_COUNT
} PublishingTriggerOption;

/*
 * The publishing triggers of a relation, in the current memory context; NIL at little cost
 * if there are none.
 */
extern List *pgt_publishing_trigger_list(Oid relid);

/* Does the relation have such triggers, other than clones? */
extern bool pgt_publishing_trigger_publishes(Oid relid);

/* The trigger of that oid, if there is one, and it publishes; "snapshot" NULL: as the catalogs are. */
extern PublishingTrigger *pgt_publishing_trigger_find(Oid trigger, Snapshot snapshot);

/* The trigger that it is a clone of in the end, or itself; NULL if that is gone. */
extern PublishingTrigger *pgt_publishing_trigger_source(PublishingTrigger *trigger);

/* Would a change made by this session fire it? */
extern bool pgt_publishing_trigger_fires(const PublishingTrigger *trigger);

/* The topic that a trigger's first argument names; InvalidOid if there is no such relation. */
extern Oid	pgt_publishing_trigger_find_topic(const char *name, Oid table);

/*
 * The topic that the trigger, which is no clone, depends on.  InvalidOid if it was not
 * there when the trigger was made, or if there are several.
 */
extern Oid	pgt_publishing_trigger_topic(Oid trigger);

/* The trigger, which is no clone, has been made: let it depend on its topic, if that is there. */
extern void pgt_publishing_trigger_depend(PublishingTrigger *trigger);

/* The triggers, without clones, that depend on the topic, the oldest first. */
extern List *pgt_publishing_trigger_list_of_topic(Oid topic);

/*
 * Relations or schemas have other names: let the triggers, of all tables, name the topics
 * that they depend on.
 */
extern void pgt_publishing_trigger_rename_topics(void);

/*
 * The published relations that have columns of these types, or of types that are made of
 * them: arrays, domains, ranges, composite types.  Adds such types to the list.
 */
extern List *pgt_publishing_trigger_list_of_types(List **types);

/* The value of the option among its arguments; NULL if it is not given. */
extern const char *pgt_publishing_trigger_option(const PublishingTrigger *trigger, PublishingTriggerOption option);

/* The names in its value; NIL if it is not given. */
extern List *pgt_publishing_trigger_list_names(const PublishingTrigger *trigger, PublishingTriggerOption option);

/* Does the option name the column? */
extern bool pgt_publishing_trigger_names(const PublishingTrigger *trigger, PublishingTriggerOption option, const char *column);

/*
 * Let the options of the relation's triggers name a column by its new name.  Writes to
 * pg_trigger; the caller has the relation locked.
 */
extern void pgt_publishing_trigger_rename_column(Oid relid, const char *from, const char *to);

/* A relation's name for messages: schema.table, with quotes where SQL needs them. */
extern char *pgt_publishing_trigger_table(Oid relid);

#endif							/* PUBLISHING_TRIGGER_H */
