/*
 * topic.c
 *	  A topic's configuration, read from its foreign table and cached.
 *
 * A topic is a foreign table of our wrapper, and nothing but its catalog
 * entries knows its configuration: columns say how keys and values are
 * serialized, options say the rest.  produce() asks for it once a record, so
 * each backend keeps what it has read:
 *
 *	  relid -> TopicEntry -> Topic     (in a memory context of its own)
 *
 * An entry is current while no relcache invalidation of its relation has come
 * since it was built and no setting has changed that is an option's default.
 * One that is not current is built again at the next pgt_topic_get(); the
 * Topic it replaces is retired, not freed: callers may keep the pointer until
 * their transaction ends, and retired Topics are freed then.  What the session
 * itself has put into a Topic (the position of round robin) is copied to the new
 * one.
 *
 * An invalidation that arrives while a Topic is being built may concern catalog
 * rows that were read already; then the new entry is marked as not current.
 *
 * Locks: building takes AccessShareLock on the relation for its duration, as
 * any reader of its tuple descriptor must.  A caller that needs the configuration
 * to stay as it is holds a relation lock until commit.
 *
 * Memory: the table of entries lives in the memory context "pg_topics cache" for
 * the life of the process; entries of dropped relations are removed whenever the
 * table has doubled in size.
 *
 * Options are in topic_options.c, types in serializer.c; topic_ddl.c handles CREATE, ALTER
 * and DROP.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "log/key_index_file.h"
#include "topic/serializer.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "topic/topic_settings.h"
#include "util/relation_change.h"

/* Entries that are kept before the first sweep for dropped relations. */
#define MIN_SWEEP_ENTRIES	128

typedef struct TopicEntry
{
	Oid			relid;			/* hash key */
	bool		valid;			/* no invalidation since topic was built */
	uint64		settings_version;	/* pgt_topic_settings_version it was built with */
	MemoryContext context;		/* holds topic */
	Topic	   *topic;
} TopicEntry;

/* A column that a topic may have. */
typedef struct TopicColumn
{
	const char *name;
	Oid			type;			/* InvalidOid: any type that can be stored */
} TopicColumn;

static const TopicColumn topic_columns[TOPIC_COLUMN_COUNT] = {
	[TOPIC_PARTITION] = {"partition", INT4OID},
	[TOPIC_RECORD_OFFSET] = {"record_offset", INT8OID},
	[TOPIC_RECORD_TIMESTAMP] = {"record_timestamp", TIMESTAMPTZOID},
	[TOPIC_KEY] = {"key", InvalidOid},
	[TOPIC_VALUE] = {"value", InvalidOid},
	[TOPIC_HEADERS] = {"headers", JSONBOID},
};

#define COLUMNS_HINT "A topic may have the columns \"partition\" integer, " \
	"\"record_offset\" bigint, \"record_timestamp\" timestamp with time zone, " \
	"\"key\" and \"value\" of any type, and \"headers\" jsonb."

static MemoryContext cache_context = NULL;
static HTAB *entries = NULL;
static TopicEntry *last_entry = NULL;	/* the one used last, or NULL */
static List *retired = NIL;		/* MemoryContexts to delete at the transaction's end */
static long sweep_at = MIN_SWEEP_ENTRIES;
static uint64 invalidations = 0;	/* counts relcache invalidations received */

/* ---- telling topics from other relations --------------------------------- */

/* Is the function our wrapper's handler?  Names can be changed, the C symbol cannot. */
static bool
is_our_handler(Oid handler)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(handler));
	Datum		source;
	bool		isnull;
	bool		ours;

	if (!HeapTupleIsValid(tuple))
		return false;
	source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	ours = !isnull && strcmp(TextDatumGetCString(source), TOPIC_FDW_HANDLER) == 0;
	ReleaseSysCache(tuple);
	return ours;
}

bool
pgt_topic_exists(Oid relid)
{
	ForeignServer *server;
	ForeignDataWrapper *wrapper;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE ||
		!SearchSysCacheExists1(FOREIGNTABLEREL, ObjectIdGetDatum(relid)))
		return false;

	server = GetForeignServerExtended(GetForeignServerIdByRelId(relid), FSV_MISSING_OK);
	if (server == NULL)
		return false;
	wrapper = GetForeignDataWrapperExtended(server->fdwid, FDW_MISSING_OK);
	return wrapper != NULL && is_our_handler(wrapper->fdwhandler);
}

List *
pgt_topic_list(void)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List	   *topics = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			relid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftrelid;

		if (pgt_topic_exists(relid))
			topics = lappend_oid(topics, relid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return topics;
}

/*
 * Report a relation that does not exist.  A consumer that waited meanwhile, or a prepared
 * statement, may have a topic that was dropped: this process still knows its name.
 */
static void
report_missing(Oid relid)
{
	TopicEntry *entry = hash_search(entries, &relid, HASH_FIND, NULL);

	if (entry != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("topic \"%s\" does not exist any more", NameStr(entry->topic->value.topic)),
				 errdetail("It has been dropped.")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("topic with OID %u does not exist", relid),
			 errhint("The view pg_topics lists the topics of this database.")));
}

void
pgt_topic_require(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		report_missing(relid);
	if (!pgt_topic_exists(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a topic", name),
				 errhint("Create topics with create_topic() or CREATE FOREIGN TABLE ... SERVER " TOPIC_SERVER_NAME "; the view pg_topics lists them.")));
}

char *
pgt_topic_failed_name(const Topic *origin, bool dead)
{
	const char *option = dead ? origin->dlq_topic : origin->retry_topic;
	char	   *relation;
	char	   *name;

	if (*option != '\0')
		return pstrdup(option);
	relation = get_rel_name(origin->relid);
	if (relation == NULL)
		return NULL;
	name = psprintf("%s.%s", relation, dead ? "dlq" : "retry");
	return strlen(name) < NAMEDATALEN ? pstrdup(quote_identifier(name)) : NULL;
}

/* The column of that name, or TOPIC_COLUMN_COUNT. */
static TopicColumnId
column_by_name(const char *name)
{
	TopicColumnId id = 0;

	while (id < TOPIC_COLUMN_COUNT && strcmp(topic_columns[id].name, name) != 0)
		id++;
	return id;
}

/* ---- building ----------------------------------------------------------- */

/* Find the topic's columns and prepare its serializers; a missing column counts as text. */
static void
build_columns(Topic *topic, const char *name, TupleDesc desc, MemoryContext context)
{
	Serializer *serializers[TOPIC_COLUMN_COUNT] = {
		[TOPIC_KEY] = &topic->key,
		[TOPIC_VALUE] = &topic->value,
	};

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		TopicColumnId id;

		if (att->attisdropped)
			continue;
		id = column_by_name(NameStr(att->attname));
		if (id == TOPIC_COLUMN_COUNT)
			continue;
		topic->attnum[id] = att->attnum;
		if (serializers[id] != NULL)
			pgt_serializer_init(serializers[id], att->atttypid, att->atttypmod,
								name, topic_columns[id].name, context);
	}

	for (TopicColumnId id = TOPIC_KEY; id <= TOPIC_VALUE; id++)
	{
		if (topic->attnum[id] == InvalidAttrNumber)
			pgt_serializer_init(serializers[id], TEXTOID, -1,
								name, topic_columns[id].name, context);
	}
}

/* Read a topic from the catalogs into the given context. */
static Topic *
build_topic(Oid relid, MemoryContext context)
{
	static uint64 versions = 0;
	Topic	   *topic = MemoryContextAllocZero(context, sizeof(Topic));
	MemoryContext old;
	Relation	rel;

	rel = try_relation_open(relid, AccessShareLock);
	pgt_topic_require(relid);

	topic->relid = relid;
	topic->version = ++versions;
	topic->owner = rel->rd_rel->relowner;
	topic->schema = rel->rd_rel->relnamespace;
	topic->partitioning.round_robin = topic->partitioning.sticky = -1;
	pgt_topic_options_defaults(topic);
	old = MemoryContextSwitchTo(context);
	pgt_topic_options_apply(topic, GetForeignTable(relid)->options);
	MemoryContextSwitchTo(old);
	build_columns(topic, RelationGetRelationName(rel), RelationGetDescr(rel), context);
	topic->log.placement.shape = pgt_serializer_shape(&topic->key);

	relation_close(rel, AccessShareLock);
	return topic;
}

/* ---- cache -------------------------------------------------------------- */

/* Relcache callback: the relation (InvalidOid: any) has changed. */
static void
relation_changed(Datum arg, Oid relid)
{
	TopicEntry *entry;

	invalidations++;
	if (OidIsValid(relid))
	{
		entry = hash_search(entries, &relid, HASH_FIND, NULL);
		if (entry != NULL)
		{
			entry->valid = false;
			/* dropped or truncated files must not be kept from going */
			pgt_log_segments_close(MyDatabaseId, relid);
			pgt_key_index_files_close(MyDatabaseId, relid);
		}
	}
	else
	{
		HASH_SEQ_STATUS scan;

		hash_seq_init(&scan, entries);
		while ((entry = hash_seq_search(&scan)) != NULL)
			entry->valid = false;
	}
}

/* Free a Topic's memory at the transaction's end. */
static void
retire(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(cache_context);

	retired = lappend(retired, context);
	MemoryContextSwitchTo(old);
}

/* Transaction callback: free the retired Topics, which no caller uses any more. */
static void
free_retired(XactEvent event, void *arg)
{
	ListCell   *cell;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	foreach(cell, retired)
		MemoryContextDelete(lfirst(cell));
	list_free(retired);
	retired = NIL;
}

/* Remove entries of dropped relations, if the table has doubled since the last sweep. */
static void
sweep_entries(void)
{
	HASH_SEQ_STATUS scan;
	TopicEntry *entry;

	if (hash_get_num_entries(entries) < sweep_at)
		return;

	last_entry = NULL;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->valid || SearchSysCacheExists1(RELOID, ObjectIdGetDatum(entry->relid)))
			continue;
		retire(entry->context);
		hash_search(entries, &entry->relid, HASH_REMOVE, NULL);
	}
	sweep_at = Max(MIN_SWEEP_ENTRIES, 2 * hash_get_num_entries(entries));
}

/* Build the relation's entry anew; an ERROR leaves the cache unchanged. */
static TopicEntry *
refresh_entry(Oid relid)
{
	uint64		invalidations_before = invalidations;
	uint64		settings_version = pgt_topic_settings_version;
	MemoryContext context;
	Topic	   *topic;
	TopicEntry *entry;
	bool		found;

	context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics topic",
									ALLOCSET_SMALL_SIZES);
	topic = build_topic(relid, context);
	sweep_entries();

	entry = hash_search(entries, &relid, HASH_ENTER, &found);
	if (found)
	{
		topic->partitioning.round_robin = entry->topic->partitioning.round_robin;
		topic->partitioning.sticky = entry->topic->partitioning.sticky;
		retire(entry->context);
	}
	MemoryContextSetParent(context, cache_context);
	entry->context = context;
	entry->topic = topic;
	entry->settings_version = settings_version;
	entry->valid = invalidations == invalidations_before;
	return entry;
}

Topic *
pgt_topic_get(Oid relid)
{
	TopicEntry *entry = last_entry;

	if (entry == NULL || entry->relid != relid)
		entry = hash_search(entries, &relid, HASH_FIND, NULL);
	if (entry == NULL || !entry->valid ||
		entry->settings_version != pgt_topic_settings_version)
		entry = refresh_entry(relid);
	last_entry = entry;
	return entry->topic;
}

TopicPartition
pgt_topic_partition(const Topic *topic, int32 partition)
{
	if (partition < 0 || partition >= topic->partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partition %d of topic \"%s\" does not exist",
						partition, get_rel_name(topic->relid)),
				 errdetail("Its partitions are numbered from 0 to %d.", topic->partitions - 1)));
	return pgt_topic_partition_key(topic->relid, partition);
}

TopicPartition
pgt_topic_partition_key(Oid relid, int32 partition)
{
	TopicPartition key = {.database = MyDatabaseId,.topic = relid,.partition = partition};

	return key;
}

/* ---- columns ------------------------------------------------------------ */

/* ERROR unless a topic may have a column of that name and type. */
static void
check_column(const char *topic, Form_pg_attribute att)
{
	const char *name = NameStr(att->attname);
	TopicColumnId id = column_by_name(name);
	Serializer	scratch;

	if (id == TOPIC_COLUMN_COUNT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_DEFINITION),
				 errmsg("topic \"%s\" cannot have a column \"%s\"", topic, name),
				 errhint(COLUMNS_HINT)));

	if (att->attgenerated != '\0' || att->attidentity != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_DEFINITION),
				 errmsg("column \"%s\" of topic \"%s\" cannot be generated", name, topic),
				 errhint("Give the column a DEFAULT instead.")));

	if (!OidIsValid(topic_columns[id].type))
		pgt_serializer_init(&scratch, att->atttypid, att->atttypmod,
							topic, name, CurrentMemoryContext);
	else if (att->atttypid != topic_columns[id].type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of topic \"%s\" must be of type %s, not %s",
						name, topic, format_type_be(topic_columns[id].type),
						format_type_be(att->atttypid)),
				 errhint(COLUMNS_HINT)));
}

void
pgt_topic_check_columns(Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			columns = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		check_column(RelationGetRelationName(rel), att);
		columns++;
	}
	if (columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("topic \"%s\" must have at least one column",
						RelationGetRelationName(rel)),
				 errhint(COLUMNS_HINT)));
	relation_close(rel, NoLock);
}

/* ---- privileges --------------------------------------------------------- */

void
pgt_topic_check_acl(Oid relid, AclMode mode)
{
	if (pg_class_aclmask(relid, GetUserId(), mode, ACLMASK_ALL) != mode)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
}

Oid
pgt_topic_owner(Oid relid)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(row))->relowner;
	ReleaseSysCache(row);
	return owner;
}

bool
pgt_topic_is_owner(Oid relid)
{
	Oid			owner = pgt_topic_owner(relid);

	return OidIsValid(owner) && has_privs_of_role(GetUserId(), owner);
}

void
pgt_topic_check_owner(Oid relid)
{
	if (!pgt_topic_is_owner(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
}

bool
pgt_topic_is_visible(Oid relid)
{
	bool		is_missing = false;

	return pgt_topic_is_owner(relid) ||
		pg_class_aclcheck_ext(relid, GetUserId(), ACL_ALL_RIGHTS_RELATION, &is_missing) == ACLCHECK_OK;
}

void
pgt_topic_check_settled(Oid relid)
{
	HeapTuple	row = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(relid));
	bool		own;

	if (!HeapTupleIsValid(row))
		return;
	own = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
	ReleaseSysCache(row);
	if (own)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot remove records of topic \"%s\" because this transaction has set its options", get_rel_name(relid)),
				 errdetail("The removed records would not come back if the transaction were rolled back."),
				 errhint("Commit the transaction first.")));
}

/* ---- start -------------------------------------------------------------- */

/* Define settings, make the cache, register callbacks; called once per process. */
void
pgt_topic_init(void)
{
	HASHCTL		ctl;

	pgt_topic_settings_init();

	cache_context = AllocSetContextCreate(TopMemoryContext, "pg_topics cache",
										  ALLOCSET_SMALL_SIZES);
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(TopicEntry);
	ctl.hcxt = cache_context;
	entries = hash_create("pg_topics topics", 16, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	pgt_relation_change_register(relation_changed);
	RegisterXactCallback(free_retired, NULL);
}
