/*
 * latest.c
 *	  latest(NULL::topic): a topic read as a table, the last record of each key.
 *
 * Each partition is read in two passes, as far as the statement's snapshot sees:
 *
 *	  map		the offset of each key's last record (key_map.c)
 *	  emit		the records at these offsets, except tombstones
 *
 * Records without a key do not take part.  Records are ordered only within a partition,
 * so a key has a last record in each partition where it occurs.  It occurs in two only
 * if a producer chose the partition, or the number of partitions was changed.
 *
 * Unlike other readers, latest() reads on behind the records of a running transaction,
 * because it shows the state as of the snapshot, like a table.  Records of a key are in
 * the order in which their transactions committed if these waited for each other, for
 * example for the lock of a row.
 *
 * Memory.  The map takes at most hash_mem (work_mem times hash_mem_multiplier).  If the
 * keys do not fit, they are divided in two by a hash and each half is handled in the
 * same way, and divided again if necessary.  Both passes for one part come before the
 * next part, so no key is returned twice.
 *
 * Compaction only leaves less to read: it removes a record in favor of one that every
 * snapshot sees, so the last record that our snapshot sees is still there.  A primary
 * knows the snapshots of a standby only with hot_standby_feedback.  Without it the key's
 * record may be gone, and then the key is missing in the result; but an older record
 * never appears instead.  Compaction and retention remove files in the order of their
 * offsets.  If the first pass reads a record before it is removed and misses its
 * successor, which is removed too, then the second pass, which takes new bounds, does
 * not find the first record either.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.  Writes nothing, so it
 * runs on a standby.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "topic/record_rows.h"
#include "util/key_map.h"
#include "util/sql_version.h"
#include "wal/log_reader.h"

/* The partition that is being read. */
typedef struct LatestScan
{
	TopicPartition key;
	Snapshot	snapshot;
	RecordRows *rows;
	KeyMap	   *map;
	uint64		seed;			/* of the hash that divides keys */
	int64		end;			/* behind the last offset in the map */
} LatestScan;

/*
 * Some of the keys: those whose hash has these low bits.  mask 0: all.
 */
typedef struct KeyPart
{
	uint64		mask;
	uint64		bits;
} KeyPart;

PGT_FUNCTION_INFO(pgt_latest);
PGT_FUNCTION_INFO(pgt_latest_by_name);

/* Is the record one of a key in this part? */
static inline bool
in_part(const LatestScan *scan, const KeyPart *part, const Record *record)
{
	if (record->key_length < 0)
		return false;
	return part->mask == 0 ||
		(hash_bytes_extended((const unsigned char *) record->key, record->key_length,
							 scan->seed) & part->mask) == part->bits;
}

/* First pass: map the part's keys.  False if they do not fit the map. */
static bool
map_keys(LatestScan *scan, const KeyPart *part)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, PG_INT64_MAX, true};
	LogReader  *reader = pgt_log_reader_begin(&scan->key, 0, scan->snapshot, &filter);
	bool		fits = true;
	Record		record;

	pgt_key_map_reset(scan->map);
	scan->end = 0;
	while (fits && pgt_log_reader_next(reader, &record))
	{
		if (!in_part(scan, part, &record))
			continue;
		fits = pgt_key_map_put(scan->map, record.key, record.key_length, record.offset);
		scan->end = record.offset + 1;
	}
	pgt_log_reader_end(reader);
	return fits;
}

/* Second pass: return the records that the map knows as the last of their keys. */
static void
emit_records(LatestScan *scan, const KeyPart *part)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, scan->end, true};
	LogReader  *reader = pgt_log_reader_begin(&scan->key, 0, scan->snapshot, &filter);
	Record		record;

	while (pgt_log_reader_next(reader, &record))
	{
		if (record.value_length >= 0 && in_part(scan, part, &record) &&
			pgt_key_map_get(scan->map, record.key, record.key_length) == record.offset)
			pgt_record_rows_put(scan->rows, scan->key.partition, &record);
	}
	pgt_log_reader_end(reader);
}

/* Both passes for a part of the keys, or for its halves if it is too large. */
static void
emit_part(LatestScan *scan, const KeyPart *part)
{
	uint64		next_bit = part->mask + 1;
	KeyPart		halves[] = {
		{part->mask | next_bit, part->bits},
		{part->mask | next_bit, part->bits | next_bit}
	};

	if (map_keys(scan, part))
	{
		if (pgt_key_map_count(scan->map) > 0)
			emit_records(scan, part);
		return;
	}
	if (next_bit == 0)
		elog(ERROR, "keys cannot be divided any further");
	emit_part(scan, &halves[0]);
	emit_part(scan, &halves[1]);
}

/* The last record of each key in a partition. */
static void
emit_partition(const Topic *topic, int32 partition, RecordRows *rows)
{
	KeyPart		all = {0, 0};
	LatestScan	scan = {0};
	LogBounds	bounds;

	scan.key = pgt_topic_partition(topic, partition);
	if (!pgt_partition_log_bounds(&scan.key, &bounds))
		return;
	scan.snapshot = GetActiveSnapshot();
	scan.rows = rows;
	scan.seed = pg_prng_uint64(&pg_global_prng_state);
	scan.map = pgt_key_map_create(CurrentMemoryContext, get_hash_memory_limit(),
								  bounds.next_offset - bounds.log_start_offset);
	emit_part(&scan, &all);
	pgt_key_map_free(scan.map);
}

/* latest(NULL::topic): the last record of each key, unless it is a tombstone. */
Datum
pgt_latest(PG_FUNCTION_ARGS)
{
	Oid			relid = pgt_record_rows_topic_of_call((FuncExpr *) fcinfo->flinfo->fn_expr,
													  "latest(NULL::topic_name)");
	Topic	   *topic;
	RecordRows *rows;

	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	pgt_topic_check_acl(relid, ACL_SELECT);
	rows = pgt_record_rows_begin(fcinfo, topic, true);
	for (int32 partition = 0; partition < topic->partitions; partition++)
		emit_partition(topic, partition, rows);
	return (Datum) 0;
}

/* latest('topic'): an error */
Datum
pgt_latest_by_name(PG_FUNCTION_ARGS)
{
	pgt_record_rows_refuse_name(fcinfo, "latest", "");
}
