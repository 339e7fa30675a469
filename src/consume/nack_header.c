/*
 * nack_header.c
 *	  The headers that nack() gives a record, and how far they are believed.
 *
 * Headers are data: a role that may produce to a topic may write anything into them,
 * under nack()'s own names too.  Two of them would affect other users if they were simply
 * believed: nack.topic names the topic by whose options, and so into which topic, a
 * consumer's next nack() produces, and nack.not_before keeps all consumers of a partition
 * waiting.  So they count only in a topic that stands for the origin that they name, and
 * there they allow no more than its owner could do anyhow:
 *
 *	  nack.topic names a topic	of this database: the origin
 *	  the record lies in		that origin's retry or dead-letter topic, by the
 *								origin's options as they are now
 *	  the origin's owner owns	that topic too.  Otherwise a user could make a topic
 *								and let it name the topic of another user
 *
 * Otherwise all of nack()'s headers are plain data: the record counts as one that has not
 * failed yet.
 *
 * A role that may produce to the retry topic itself can still forge the number of
 * attempts, which brings a record to the dead-letter topic sooner or later; the origin's
 * partition, offset, timestamp, group and error, which nothing depends on; and a time to
 * wait, which is bounded:
 *
 *	  held until = least(nack.not_before, timestamp + retry.delay.ms)
 *
 * retry.delay.ms is the origin's present option, so that a lower value takes effect on
 * records that wait already.  nack() gives a record the time of its call and a not_before
 * that is the delay later, so the bound does not shorten the waits that it has set itself.
 * A record whose wait would end later than the delay from now (and a minute, for clocks
 * that differ) has a timestamp in the future; then it does not wait at all, because
 * cutting the wait to the delay from now would begin it anew with each look, for ever.
 * No record waits in a dead-letter topic, to which nack() sends records without a time.
 *
 * A header's bytes may be anything: a header that is not UTF-8, not a number, not a name,
 * too long or null counts as not given, and the first header of a name counts.
 *
 * Locks: none on the origin.  Its present options are read from the catalogs, because a
 * consumer must not wait for a session that alters or drops another topic.
 *
 * Memory: the caller's context; what pgt_nack_header_held_until() needs is freed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_table.h"
#include "mb/pg_wchar.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "consume/nack_header.h"
#include "topic/topic_options.h"
#include "util/clock.h"
#include "util/compat.h"

/* How far the clocks of two servers, or of one before and after it is set, may differ. */
#define CLOCK_TOLERANCE_MS	INT64CONST(60000)

/* ---- headers ------------------------------------------------------------ */

bool
pgt_nack_header_is_named(const RecordHeader *header, const char *name)
{
	return header->key_length == strlen(name) && memcmp(header->key, name, header->key_length) == 0;
}

bool
pgt_nack_header_find(const Record *record, const char *name, RecordHeader *found)
{
	const char *next = record->headers;

	for (int i = 0; i < record->header_count; i++)
	{
		if (!pgt_record_header_decode(&next, record->headers + record->headers_length, found))
			return false;
		if (pgt_nack_header_is_named(found, name))
			return found->value_length >= 0;
	}
	return false;
}

int64
pgt_nack_header_number(const Record *record, const char *name)
{
	RecordHeader header;
	int64		number = 0;

	if (!pgt_nack_header_find(record, name, &header) || header.value_length < 1 || header.value_length > 18)
		return -1;
	for (int i = 0; i < header.value_length; i++)
	{
		if (header.value[i] < '0' || header.value[i] > '9')
			return -1;
		number = number * 10 + (header.value[i] - '0');
	}
	return number;
}

/* A header's value as text in the database's encoding; NULL if it cannot be one. */
static char *
header_text(const RecordHeader *header)
{
	int			encoding = GetDatabaseEncoding();
	Oid			conversion;
	char	   *text;
	int			size;

	if (header->value_length > TOPIC_NAME_MAX ||
		!pg_verify_mbstr(PG_UTF8, header->value, header->value_length, true))
		return NULL;
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pnstrdup(header->value, header->value_length);

	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion))
		return NULL;
	size = header->value_length * MAX_CONVERSION_GROWTH + 1;
	text = palloc(size);
	if (pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
									  unconstify(unsigned char *, (const unsigned char *) header->value),
									  header->value_length, (unsigned char *) text, size,
									  true) != header->value_length)
		return NULL;
	return text;
}

/* ---- origins and where they send records -------------------------------- */

/* The relation of a possibly qualified name, by default in "schema"; InvalidOid if there is none. */
static Oid
find_relation(const char *name, Oid schema)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	if (list_length(names) == 2)
		schema = get_namespace_oid(linitial(names), true);
	return OidIsValid(schema) ? get_relname_relid(llast(names), schema) : InvalidOid;
}

Oid
pgt_nack_header_find_target(const Topic *origin, const char *name)
{
	return find_relation(name, get_rel_namespace(origin->relid));
}

bool
pgt_nack_header_is_own_target(const Topic *origin, Oid topic)
{
	return PGT_OWNS_RELATION(topic, origin->owner);
}

/* Does the origin send records to the topic, and does its owner own the topic? */
static bool
is_target(const Topic *origin, const Topic *topic, bool dead)
{
	char	   *name = pgt_topic_failed_name(origin, dead);

	return name != NULL && pgt_nack_header_find_target(origin, name) == topic->relid &&
		pgt_nack_header_is_own_target(origin, topic->relid);
}

/* Owner and options of a topic as the catalogs have them; NULL if it is gone. */
static Topic *
read_origin(Oid relid)
{
	HeapTuple	relation = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	HeapTuple	table;
	Topic	   *origin;
	Datum		options;
	bool		isnull;

	if (!HeapTupleIsValid(relation))
		return NULL;
	origin = palloc0(sizeof(Topic));
	origin->relid = relid;
	origin->owner = ((Form_pg_class) GETSTRUCT(relation))->relowner;
	ReleaseSysCache(relation);

	table = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(table))
		return NULL;
	options = SysCacheGetAttr(FOREIGNTABLEREL, table, Anum_pg_foreign_table_ftoptions, &isnull);
	pgt_topic_options_defaults(origin);
	if (!isnull)
		pgt_topic_options_apply(origin, untransformRelOptions(options));
	ReleaseSysCache(table);
	return origin;
}

/* The topic that the record's headers name; NULL if there is no such topic. */
static Topic *
find_named(const Record *record)
{
	RecordHeader header;
	char	   *name;
	Oid			relid;

	if (record->header_count == 0 || !pgt_nack_header_find(record, NACK_TOPIC, &header))
		return NULL;
	name = header_text(&header);
	if (name == NULL)
		return NULL;
	relid = find_relation(name, InvalidOid);
	return OidIsValid(relid) && pgt_topic_exists(relid) ? read_origin(relid) : NULL;
}

Topic *
pgt_nack_header_origin(const Topic *topic, const Record *record)
{
	Topic	   *origin = find_named(record);

	if (origin == NULL || (!is_target(origin, topic, false) && !is_target(origin, topic, true)))
		return NULL;
	return origin;
}

/* ---- waiting ------------------------------------------------------------ */

/*
 * The time until which a record waits whose header asks for "until", later than now,
 * bounded by its origin's delay; 0 if it does not wait.
 */
static int64
bounded_wait(const Topic *topic, const Record *record, int64 until, int64 now)
{
	Topic	   *origin = find_named(record);

	if (origin == NULL || !is_target(origin, topic, false))
		return 0;
	if (record->timestamp < until - origin->retry_delay_ms)
		until = record->timestamp + origin->retry_delay_ms;
	if (until <= now || until - now > origin->retry_delay_ms + CLOCK_TOLERANCE_MS)
		return 0;
	return until;
}

int64
pgt_nack_header_held_until(const Topic *topic, const Record *record)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	int64		until;
	int64		now;

	if (record->header_count == 0)
		return 0;
	until = pgt_nack_header_number(record, NACK_NOT_BEFORE);
	now = pgt_clock_shifted_now_ms();
	if (until <= now)
		return 0;

	/* a call may meet a million such records */
	scratch = AllocSetContextCreate(caller, "pg_topics nack origin", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	until = bounded_wait(topic, record, until, now);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return until;
}
