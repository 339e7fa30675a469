/*
 * latest_reader.c
 *	  The last record of each key in one partition, or of some keys.
 *
 * For all keys the partition is read in two passes, as far as the snapshot sees:
 *
 *	  map		the offset of each key's last record (key_map.c)
 *	  give		the records at these offsets, except tombstones
 *
 * Records without a key do not take part.
 *
 * Unlike other readers, this one reads on behind the records of a running transaction,
 * because it shows the state as of the snapshot, like a table.  Records of a key are in
 * the order in which their transactions committed if these waited for each other, for
 * example for the lock of a row.
 *
 * Memory.  The map takes at most hash_mem (work_mem times hash_mem_multiplier).  If the
 * keys do not fit, they are divided in two by a hash and each half is handled in the
 * same way, and divided again if necessary.  Both passes for one part come before the
 * next part, so no key is returned twice.
 *
 * Some keys.  If bytes alone tell that a record's key is one of them, the first pass goes
 * backward, and ends when each of the keys was met: the first record that is met of a key is
 * its last one.  For a single key that is all; for more the second pass goes from the first
 * one of these records to the last one.
 *
 *	  k1  k7  k2  k1  k9  k7	wanted: k1, k7
 *				  <-------		ends here
 *
 * With an index of keys only the batches that it names are read, forward and backward.  For
 * types whose equal keys may have different bytes there is no telling when all keys were
 * met, so both passes go forward, with nothing but these keys in the map; so they do for very
 * many keys.
 *
 * Compaction only leaves less to read: it removes a record in favor of one that every
 * snapshot sees, so the last record that our snapshot sees is still there.  A primary
 * knows the snapshots of a standby only with hot_standby_feedback.  Without it the key's
 * record may be gone, and then the key is missing in the result; but an older record
 * never appears instead.  Compaction and retention remove files in the order of their
 * offsets.  If the first pass reads a record before it is removed and misses its
 * successor, which is removed too, then the second pass, which takes new bounds, does
 * not find the first record either.  Backward, where a record is gone, those before it in
 * the log went before, so none of them is found later.
 *
 * Locks: the caller's on the topic.  Writes nothing.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "query/latest_reader.h"
#include "util/key_map.h"
#include "wal/backward_reader.h"

/* Parts that wait for their turn: two for each bit of a hash. */
#define MAX_PARTS		(2 * 64)

/* So many keys are looked for backward: their map is smaller than the least work_mem. */
#define MAX_BACKWARD	1000

/* Room in a map of some keys for others that only the type can compare with them. */
#define SPARE_KEYS		64

/*
 * Some of the keys: those whose hash has these low bits.  mask 0: all.
 */
typedef struct KeyPart
{
	uint64		mask;
	uint64		bits;
} KeyPart;

struct LatestReader
{
	MemoryContext context;
	TopicPartition partition;
	Snapshot	snapshot;
	LogReaderFilter filter;
	const KeySet *keys;			/* NULL: all */

	bool		is_backward;	/* the first pass */
	BackwardReader *single;		/* of a single key */
	bool		is_done;		/* it was looked for */

	KeyMap	   *map;			/* NULL: nothing to read, or a single key */
	uint64		seed;			/* of the hash that divides keys */
	int64		log_end;
	int64		first;			/* the second pass begins here */
	int64		end;			/* and ends before here */
	KeyPart		parts[MAX_PARTS];	/* that wait, the next one last */
	int			part_count;
	KeyPart		part;			/* whose records are given */
	LogReader  *records;		/* of the second pass; NULL between two parts */
};

/* ---- the first pass ------------------------------------------------------ */

/* Is the record one of a key in this part? */
static inline bool
in_part(const LatestReader *reader, const KeyPart *part, const Record *record)
{
	if (record->key_length < 0 ||
		(reader->keys != NULL && !pgt_key_set_may_match(reader->keys, record->key, record->key_length)))
		return false;
	return part->mask == 0 ||
		(hash_bytes_extended((const unsigned char *) record->key, record->key_length,
							 reader->seed) & part->mask) == part->bits;
}

/* Map the part's keys forward.  False if they do not fit the map. */
static bool
map_forward(LatestReader *reader, const KeyPart *part)
{
	LogReader  *records = pgt_log_reader_begin(&reader->partition, 0, reader->snapshot, &reader->filter);
	bool		fits = true;
	Record		record;

	while (fits && pgt_log_reader_next(records, &record))
	{
		if (!in_part(reader, part, &record))
			continue;
		fits = pgt_key_map_put(reader->map, record.key, record.key_length, record.offset);
		reader->end = record.offset + 1;
	}
	pgt_log_reader_end(records);
	/* of one key, the place is known */
	reader->first = pgt_key_map_count(reader->map) == 1 ? reader->end - 1 : 0;
	return fits;
}

/* As LogReaderFilter.wants: has the record one of the keys? */
static bool
has_key(const void *keys, const Record *record)
{
	return pgt_key_set_may_match(keys, record->key, record->key_length);
}

/* Begin to read the records of some keys backward. */
static BackwardReader *
begin_backward(LatestReader *reader)
{
	LogReaderFilter filter = reader->filter;

	filter.end_offset = reader->log_end;
	filter.without_headers = reader->keys->count > 1;
	filter.wants = has_key;
	filter.wanted = reader->keys;
	return pgt_backward_reader_begin(&reader->partition, 0, reader->snapshot, &filter);
}

/* Map some keys backward, until each was met.  They fit the map. */
static void
map_backward(LatestReader *reader)
{
	BackwardReader *records = begin_backward(reader);
	Record		record;

	reader->first = PG_INT64_MAX;
	while (pgt_key_map_count(reader->map) < reader->keys->count &&
		   pgt_backward_reader_next(records, &record))
	{
		if (pgt_key_map_get(reader->map, record.key, record.key_length) >= 0)
			continue;
		if (!pgt_key_map_put(reader->map, record.key, record.key_length, record.offset))
			elog(ERROR, "keys do not fit into memory");
		if (record.value_length < 0)
			continue;
		reader->first = record.offset;
		reader->end = Max(reader->end, record.offset + 1);
	}
	pgt_backward_reader_end(records);
}

/* Map the part's keys.  False if they do not fit the map. */
static bool
map_keys(LatestReader *reader, const KeyPart *part)
{
	pgt_key_map_reset(reader->map);
	reader->first = reader->end = 0;
	if (!reader->is_backward)
		return map_forward(reader, part);
	map_backward(reader);
	return true;
}

/* Let the halves of a part wait. */
static void
divide(LatestReader *reader, const KeyPart *part)
{
	uint64		next_bit = part->mask + 1;

	if (next_bit == 0)
		elog(ERROR, "keys cannot be divided any further");
	reader->parts[reader->part_count++] = (KeyPart) {part->mask | next_bit, part->bits | next_bit};
	reader->parts[reader->part_count++] = (KeyPart) {part->mask | next_bit, part->bits};
}

/* ---- the second pass ----------------------------------------------------- */

/* Map the next part that fits, and begin its second pass.  False if none is left. */
static bool
begin_part(LatestReader *reader)
{
	while (reader->part_count > 0)
	{
		reader->part = reader->parts[--reader->part_count];
		if (!map_keys(reader, &reader->part))
			divide(reader, &reader->part);
		else if (reader->end > reader->first)
		{
			LogReaderFilter filter = reader->filter;

			filter.end_offset = reader->end;
			reader->records = pgt_log_reader_begin(&reader->partition, reader->first, reader->snapshot, &filter);
			return true;
		}
	}
	return false;
}

/* The next record in two passes. */
static bool
next_mapped(LatestReader *reader, Record *record)
{
	for (;;)
	{
		if (reader->records == NULL && !begin_part(reader))
			return false;
		while (pgt_log_reader_next(reader->records, record))
		{
			if (record->value_length >= 0 && in_part(reader, &reader->part, record) &&
				pgt_key_map_get(reader->map, record->key, record->key_length) == record->offset)
				return true;
		}
		pgt_log_reader_end(reader->records);
		reader->records = NULL;
	}
}

/* ---- the interface ------------------------------------------------------- */

/* The last record of the single key, if that is to be given. */
static bool
next_single(LatestReader *reader, Record *record)
{
	if (reader->is_done)
		return false;
	reader->is_done = true;
	return pgt_backward_reader_next(reader->single, record) && record->value_length >= 0;
}

/* Prepare to read the log within its bounds. */
static void
begin(LatestReader *reader, const LogBounds *bounds)
{
	const KeySet *keys = reader->keys;
	uint64		expected = bounds->next_offset - bounds->log_start_offset;

	reader->log_end = bounds->next_offset;
	reader->is_backward = keys != NULL && keys->shape.form == KEY_SHAPE_EXACT && keys->count <= MAX_BACKWARD;
	if (reader->is_backward && keys->count == 1)
	{
		reader->single = begin_backward(reader);
		return;
	}
	if (keys != NULL)
		expected = Min(expected, (uint64) keys->count + SPARE_KEYS);
	reader->seed = pg_prng_uint64(&pg_global_prng_state);
	reader->map = pgt_key_map_create(reader->context, get_hash_memory_limit(), expected);
	reader->parts[reader->part_count++] = (KeyPart) {0, 0};
}

LatestReader *
pgt_latest_reader_begin(const TopicPartition *partition, Snapshot snapshot, const KeySet *keys,
						const KeyProbe *probe, LogReaderCounts *counts)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics latest",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	LatestReader *reader = palloc0(sizeof(LatestReader));
	LogBounds	bounds;

	reader->context = context;
	reader->partition = *partition;
	reader->snapshot = snapshot;
	reader->keys = keys;
	reader->filter = (LogReaderFilter) {
		.min_timestamp = PG_INT64_MIN,
		.max_timestamp = PG_INT64_MAX,
		.end_offset = PG_INT64_MAX,
		.past_running = true,
		.counts = counts,
		.keys = probe
	};
	if (pgt_partition_log_bounds(partition, &bounds))
		begin(reader, &bounds);
	MemoryContextSwitchTo(caller);
	return reader;
}

bool
pgt_latest_reader_next(LatestReader *reader, Record *record)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);
	bool		found;

	found = reader->single != NULL ? next_single(reader, record) : next_mapped(reader, record);
	MemoryContextSwitchTo(caller);
	return found;
}

void
pgt_latest_reader_end(LatestReader *reader)
{
	if (reader->single != NULL)
		pgt_backward_reader_end(reader->single);
	if (reader->records != NULL)
		pgt_log_reader_end(reader->records);
	if (reader->map != NULL)
		pgt_key_map_free(reader->map);
	MemoryContextDelete(reader->context);
}
