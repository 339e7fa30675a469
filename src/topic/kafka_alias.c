/*
 * kafka_alias.c
 *	  Topics that Kafka's clients know by another name than that of the table.
 *
 * Kafka allows names of 249 characters, a table has 63 bytes.  The option "kafka.topic" takes the
 * place of the table's name for Kafka's clients, within its schema (topic_names.c).  Most topics
 * have none.  Those that have one are kept in two tables:
 *
 *	  by topic		oid -> name
 *	  by name		name -> oids, since several schemas may have it
 *
 * They are filled by reading the catalog of foreign tables, and are out of date as soon as
 * anything in it changes.  A schema is not in them: it is asked for at each search.
 *
 * Memory: in a context of its own, for the life of the process.  Names are a few hundred bytes each.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "kafka/kafka_name.h"
#include "nodes/parsenodes.h"
#include "topic/kafka_alias.h"
#include "topic/topic.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define OPTION_NAME		"kafka.topic"
#define NAME_BYTES		(KAFKA_NAME_MAX_TOPIC + 1)

typedef struct AliasOfTopic
{
	Oid			topic;			/* key */
	char		name[NAME_BYTES];
} AliasOfTopic;

typedef struct AliasName
{
	char		name[NAME_BYTES];	/* key */
	List	   *topics;			/* oids */
} AliasName;

static MemoryContext alias_context = NULL;
static HTAB *by_topic = NULL;
static HTAB *by_name = NULL;
static bool valid = false;
static uint64 invalidations = 0;

/* Callback of the cache of foreign tables. */
static void
tables_changed(Datum arg, int cache, uint32 hash)
{
	invalidations++;
	valid = false;
}

/* Begin with empty tables. */
static void
clear(void)
{
	HASHCTL		topics = {.keysize = sizeof(Oid), .entrysize = sizeof(AliasOfTopic)};
	HASHCTL		names = {.keysize = NAME_BYTES, .entrysize = sizeof(AliasName)};

	if (alias_context == NULL)
	{
		alias_context = AllocSetContextCreate(TopMemoryContext, "pg_topics names for Kafka", ALLOCSET_SMALL_SIZES);
		CacheRegisterSyscacheCallback(FOREIGNTABLEREL, tables_changed, (Datum) 0);
	}
	by_topic = by_name = NULL;
	MemoryContextReset(alias_context);
	topics.hcxt = names.hcxt = alias_context;
	by_topic = hash_create("pg_topics names for Kafka", 16, &topics, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	by_name = hash_create("pg_topics topics by name", 16, &names, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

static void
add(Oid topic, const char *text)
{
	char		name[NAME_BYTES];
	AliasOfTopic *of_topic;
	AliasName  *of_name;
	MemoryContext old = MemoryContextSwitchTo(alias_context);
	bool		found;

	strlcpy(name, text, NAME_BYTES);
	of_topic = hash_search(by_topic, &topic, HASH_ENTER, NULL);
	strlcpy(of_topic->name, name, NAME_BYTES);
	of_name = hash_search(by_name, name, HASH_ENTER, &found);
	if (!found)
		of_name->topics = NIL;
	of_name->topics = lappend_oid(of_name->topics, topic);
	MemoryContextSwitchTo(old);
}

/* Add a foreign table, if it is a topic that has the option. */
static void
add_table(HeapTuple tuple, TupleDesc desc)
{
	Oid			relid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftrelid;
	bool		is_null;
	Datum		options = heap_getattr(tuple, Anum_pg_foreign_table_ftoptions, desc, &is_null);
	ListCell   *cell;

	if (is_null)
		return;
	foreach(cell, untransformRelOptions(options))
	{
		DefElem    *def = lfirst_node(DefElem, cell);

		if (strcmp(def->defname, OPTION_NAME) == 0 && pgt_topic_exists(relid))
			add(relid, defGetString(def));
	}
}

/* Read the catalog. */
static void
fill(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "pg_topics foreign tables", ALLOCSET_SMALL_SIZES);
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	MemoryContextSwitchTo(scratch);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		add_table(tuple, RelationGetDescr(catalog));
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(caller);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	MemoryContextDelete(scratch);
}

/* Be up to date.  What changes while the catalog is read counts with the next call. */
static void
refresh(void)
{
	uint64		before;

	if (valid)
		return;
	clear();
	before = invalidations;
	fill();
	valid = before == invalidations;
}

const char *
pgt_kafka_alias_of(Oid topic)
{
	AliasOfTopic *entry;

	refresh();
	entry = hash_search(by_topic, &topic, HASH_FIND, NULL);
	return entry == NULL ? NULL : entry->name;
}

Oid
pgt_kafka_alias_find(Oid schema, const char *name, Oid except)
{
	Oid			found = InvalidOid;
	AliasName  *entry;
	ListCell   *cell;

	refresh();
	if (hash_get_num_entries(by_name) == 0 || strlen(name) > KAFKA_NAME_MAX_TOPIC)
		return InvalidOid;
	entry = hash_search(by_name, name, HASH_FIND, NULL);
	if (entry == NULL)
		return InvalidOid;
	foreach(cell, list_copy(entry->topics))
	{
		Oid			topic = lfirst_oid(cell);

		if (topic != except && (!OidIsValid(found) || topic < found) && get_rel_namespace(topic) == schema)
			found = topic;
	}
	return found;
}
