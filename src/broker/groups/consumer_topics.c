/*
 * consumer_topics.c
 *	  What the names of topics lead to, for consumer groups, which ask it again and again.
 *
 * A group is to learn soon that a topic has come, has got more partitions, or is gone; and most heartbeats
 * are to cost nothing.  So there is a version, which moves when any of these may have changed:
 *
 *	  a foreign table was made, altered or dropped		the cache of foreign tables
 *	  a schema was renamed, made or dropped				the cache of schemas
 *	  a topic was renamed, or moved						its entry in the relation cache
 *	  the search path of Kafka's clients has changed	reload of the configuration
 *
 * Entries of the relation cache go for many reasons, mostly of tables that are no topics.  In the callback nothing can be
 * looked up, so the oids are kept, and looked at with the next question.  A topic that was only analyzed moves the version for
 * nothing, which costs each group one look.
 *
 * What names lead to is remembered in a table, which is emptied when the version moves.  A group that names
 * many topics fills it in slices (consumer_group_heartbeat.c), and then finds all at once.
 *
 * The server tells a process of changes when it begins a transaction.  One in LISTEN_US is enough.
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/consumer_topics.h"
#include "kafka/kafka_name.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "util/relation_change.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define LISTEN_US		(1000 * INT64CONST(1000))
#define NAME_BYTES		(KAFKA_NAME_MAX_TOPIC + 1)
#define REMEMBERED_MAX	100000
#define DOUBTS_MAX		64

typedef struct KnownName
{
	char		name[NAME_BYTES];	/* key */
	ConsumerTopic topic;
} KnownName;

static uint64 version = 1;
static HTAB *known = NULL;		/* of KnownName */
static MemoryContext known_context = NULL;
static uint64 known_version = 0;

/* relations that may be topics, and have changed */
static Oid	doubts[DOUBTS_MAX];
static int	doubt_count = 0;
static int64 listened = 0;

/* ---- the version ---------------------------------------------------------------- */

/* A callback of caches. */
static void
catalog_changed(Datum arg, int cache, uint32 hash)
{
	version++;
}

/* A callback of the relation cache. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < doubt_count; i++)
		if (doubts[i] == relid)
			return;
	if (!OidIsValid(relid) || doubt_count == DOUBTS_MAX)
		version++;
	else
		doubts[doubt_count++] = relid;
}

/* Look at the relations that have changed. */
static void
resolve_doubts(void)
{
	while (doubt_count > 0)
	{
		Oid			relid = doubts[--doubt_count];

		if (pgt_topic_exists(relid))
			version++;
	}
}

uint64
pgt_consumer_topics_version(void)
{
	Assert(pgt_turn_is_open());
	listened = pgt_clock_monotonic_us();
	resolve_doubts();
	return version;
}

bool
pgt_consumer_topics_is_current(uint64 before)
{
	return before == version && doubt_count == 0;
}

bool
pgt_consumer_topics_must_listen(void)
{
	return pgt_clock_monotonic_us() >= listened + LISTEN_US;
}

/* ---- names ------------------------------------------------------------------------ */

/* Ask the catalogs. */
static ConsumerTopic
look_up(const char *name)
{
	KafkaString string = {.data = name, .length = (int32) strlen(name)};
	ConsumerTopic topic = {.relid = pgt_topic_names_find(string)};

	if (!OidIsValid(topic.relid))
		return topic;
	if (!ConditionalLockRelationOid(topic.relid, AccessShareLock))
	{
		topic.busy = true;
		return topic;
	}
	if (pgt_topic_exists(topic.relid))
		topic.partitions = pgt_topic_get(topic.relid)->partitions;
	UnlockRelationOid(topic.relid, AccessShareLock);
	if (topic.partitions == 0)
		topic.relid = InvalidOid;
	return topic;
}

/* An empty table. */
static void
forget_names(void)
{
	HASHCTL		control = {.keysize = NAME_BYTES, .entrysize = sizeof(KnownName)};

	known = NULL;
	if (known_context == NULL)
		known_context = AllocSetContextCreate(TopMemoryContext, "pg_topics topics of consumer groups", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(known_context);
	control.hcxt = known_context;
	known = hash_create("pg_topics topics of consumer groups", 256, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	known_version = version;
}

static void
remember(const char *name, ConsumerTopic topic)
{
	KnownName  *entry = hash_search(known, name, HASH_ENTER, NULL);

	entry->topic = topic;
}

ConsumerTopic
pgt_consumer_topics_find(const char *name)
{
	ConsumerTopic topic;
	KnownName  *entry;

	resolve_doubts();
	if (strlen(name) >= NAME_BYTES)
		return (ConsumerTopic) {.relid = InvalidOid};
	if (known == NULL || known_version != version || hash_get_num_entries(known) >= REMEMBERED_MAX)
		forget_names();
	entry = hash_search(known, name, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->topic;
	topic = look_up(name);
	/* looking may have brought news of changes; and whoever is busy will not be for long */
	if (known_version == version && !topic.busy)
		remember(name, topic);
	return topic;
}

/* ---- hooks -------------------------------------------------------------------------- */

static void
start(void)
{
	pgt_relation_change_register(relation_changed);
	CacheRegisterSyscacheCallback(FOREIGNTABLEREL, catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed, (Datum) 0);
}

static void
reloaded(void)
{
	version++;
}

const BrokerHooks pgt_consumer_topics_hooks = {.start = start,.reloaded = reloaded};
