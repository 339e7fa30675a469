/*
 * verify.c
 *	  verify_topic(): a report of all damage in a topic's files.
 *
 * Readers stop at the first damage they meet.  verify_topic() goes over all segments of
 * all partitions and reports each problem as a row: a header that does not belong to the
 * segment, an index entry or a batch with a wrong checksum, a batch that contradicts its
 * entry or cannot be decoded, entries out of order, files that are missing or too short,
 * segments that do not follow each other.
 *
 *	  segment	its header, and that it begins where the segment before it ends
 *	  entry		its checksum, and that it follows the entry before it
 *	  batch		its bytes, as a reader would check and decode them
 *	  keys		the files of an index of keys, and that they have the batches' keys (key_check.c)
 *
 * The checks are those of the readers, which throw errors; an error that tells of damage
 * (catch_error.h) is caught here and becomes a row.  An error can leave nothing behind, because the
 * only lock held is the relation's, and files are only open in the process's cache.
 *
 * A segment that is deleted or replaced meanwhile is no problem: the walk goes on behind
 * the last segment that was finished, with the list of segments as it is then.
 *
 * Locks: AccessShareLock on the topic; runs on a standby.
 */
#include "postgres.h"

#include "funcapi.h"
#include "log/batch_decoder.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "topic/sql_argument.h"
#include "topic/topic.h"
#include "util/catch_error.h"
#include "util/sql_version.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
#include "views/key_check.h"

#define ENTRIES_PER_READ	128

PGT_FUNCTION_INFO(pgt_verify_topic);

/* A partition being verified. */
typedef struct Verification
{
	ReturnSetInfo *result;
	TopicPartition key;
	PartitionState *state;
	LogBounds	bounds;
	BatchDecoder decoder;
	char	   *batch;
	Size		capacity;

	/* the segment under way, and what must come next in it */
	SegmentId	id;
	uint32		entry;
	uint32		next_position;
	int64		next_offset;
	KeyCheck   *keys;			/* NULL: the segment has no index of keys */
} Verification;

/* A check that throws an error about damage. */
typedef void (*Check) (Verification *v, void *arg);

/* Add a problem as a row; position and offset are left out where they are -1. */
static void
report(Verification *v, int64 position, int64 offset, const char *problem)
{
	Datum		values[5];
	bool		nulls[5] = {0};

	values[0] = Int32GetDatum(v->key.partition);
	values[1] = Int64GetDatum(v->id.base);
	values[2] = Int64GetDatum(position);
	nulls[2] = position < 0;
	values[3] = Int64GetDatum(offset);
	nulls[3] = offset < 0;
	values[4] = CStringGetTextDatum(problem);
	tuplestore_putvalues(v->result->setResult, v->result->setDesc, values, nulls);
}

/* A check, and what it is called with. */
typedef struct CheckCall
{
	Check		check;
	Verification *v;
	void	   *arg;
} CheckCall;

/* Call a check, for pgt_catch_damage_reading(). */
static void
call_check(void *arg)
{
	CheckCall  *call = arg;

	call->check(call->v, call->arg);
}

/* Run a check; false if it throws, and then the problem becomes a row, unless "quiet". */
static bool
passes(Verification *v, Check check, void *arg, int64 position, int64 offset, bool quiet)
{
	CheckCall	call = {check, v, arg};
	ErrorData  *damage = pgt_catch_damage_reading(call_check, &call);

	if (damage == NULL)
		return true;
	if (!quiet)
		report(v, position, offset, damage->detail != NULL ? damage->detail : damage->message);
	FreeErrorData(damage);
	return false;
}

/* ---- batches -------------------------------------------------------------- */

/* The bytes of an entry's batch, and all that is in them: a Check. */
static void
check_batch(Verification *v, void *arg)
{
	const IndexEntry *entry = arg;
	Segment    *segment = pgt_log_segments_open(v->state, v->id);
	RecordBatchHeader header;
	RecordIterator iterator;
	Record		record;

	if (segment == NULL)
		return;					/* deleted meanwhile: nothing to say about it */
	if (entry->length > v->capacity)
	{
		if (v->batch != NULL)
			pfree(v->batch);
		v->batch = MemoryContextAllocHuge(v->decoder.context, entry->length);
		v->capacity = entry->length;
	}
	if (!pgt_segment_read(segment, entry->position, v->batch, entry->length))
		pgt_batch_decoder_fail(&v->key, v->id, entry->position, v->id.base + entry->first_delta,
							   "the file ends before the batch");
	pgt_batch_decoder_check(&v->key, v->id, entry, v->batch, &header);
	pgt_batch_decoder_decode(&v->decoder, &v->key, v->id, entry, v->batch, &header, &iterator);
	if ((entry->flags & ENTRY_DENSE) != 0 && header.record_count != pgt_index_entry_offsets(entry))
		pgt_batch_decoder_fail(&v->key, v->id, entry->position, v->id.base + entry->first_delta,
							   "the index has a record at each offset, but the batch does not");
	while (pgt_record_iterator_next(&iterator, &record))
		if (v->keys != NULL && (entry->flags & ENTRY_ABORTED) == 0)
			pgt_key_check_add(v->keys, v->entry, &record);
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&v->key, v->id, entry->position, v->id.base + entry->first_delta,
							   iterator.problem);
}

/* Check that an entry follows the entry before it, and check its batch. */
static void
verify_entry(Verification *v, IndexEntry *entry)
{
	int64		offset = v->id.base + entry->first_delta;

	CHECK_FOR_INTERRUPTS();
	if (offset < v->next_offset || entry->last_delta < entry->first_delta)
		report(v, INDEX_ENTRY_POSITION(v->entry), offset, "the index entry's offsets are not behind those of the entry before it");
	if (pgt_index_entry_transaction_first(entry, v->id.base) < 0)
		report(v, INDEX_ENTRY_POSITION(v->entry), offset, "the index entry's transaction begins before the first possible offset");
	if (entry->position != v->next_position)
		report(v, entry->position, offset, "the batch does not begin where the batch before it ends");
	if (!passes(v, check_batch, entry, entry->position, offset, false) && v->keys != NULL)
		pgt_key_check_give_up(v->keys);
	v->next_offset = v->id.base + entry->last_delta + 1;
	v->next_position = entry->position + entry->length;
}

/* ---- entries --------------------------------------------------------------- */

/* Entries to read from the segment under way. */
typedef struct EntryRead
{
	uint32		count;
	uint32		got;
	IndexEntry	entries[ENTRIES_PER_READ];
} EntryRead;

/* Read the entries: a Check. */
static void
read_entries(Verification *v, void *arg)
{
	EntryRead  *read = arg;
	Segment    *segment = pgt_log_segments_open(v->state, v->id);

	read->got = segment == NULL ? 0 :
		pgt_segment_read_entries(segment, v->entry, read->count, read->entries);
}

/* Verify the entries read; after an entry that could not be read, the position of the first is taken as it is. */
static void
verify_read(Verification *v, EntryRead *read, bool skipped)
{
	if (skipped)
	{
		v->next_offset = v->id.base + read->entries[0].first_delta;
		v->next_position = read->entries[0].position;
	}
	for (uint32 i = 0; i < read->got; i++)
	{
		verify_entry(v, &read->entries[i]);
		v->entry++;
	}
}

/*
 * Verify a segment's entries.  If a block has a damaged entry, its entries are read one
 * by one, so that the damaged entry does not hide its neighbours.
 */
static void
verify_entries(Verification *v, uint32 count)
{
	EntryRead  *read = palloc(sizeof(EntryRead));
	uint32		one_by_one = 0; /* up to this entry */
	bool		skipped = false;

	v->entry = v->next_position = 0;
	while (v->entry < count)
	{
		bool		single = v->entry < one_by_one;

		read->count = single ? 1 : Min(ENTRIES_PER_READ, count - v->entry);
		if (passes(v, read_entries, read, INDEX_ENTRY_POSITION(v->entry), -1, !single))
		{
			if (read->got == 0)
				break;
			verify_read(v, read, skipped);
			skipped = false;
		}
		else if (single)
		{
			skipped = true;
			if (v->keys != NULL)
				pgt_key_check_give_up(v->keys);
			v->entry++;
		}
		else
			one_by_one = v->entry + read->count;
	}
	if (v->entry < count && !pgt_partition_log_has_changed(v->state, &v->bounds))
		report(v, INDEX_ENTRY_POSITION(v->entry), -1, "the index ends before the log does");
	pfree(read);
}

/* ---- segments -------------------------------------------------------------- */

/* A problem of an index of keys: a KeyCheckReport. */
static void
report_keys(void *arg, int64 position, const char *problem)
{
	report(arg, position, -1, problem);
}

/* Open a segment, which checks its header: a Check. */
static void
open_segment(Verification *v, void *arg)
{
	*(Segment **) arg = pgt_log_segments_open(v->state, v->id);
}

/*
 * Verify a segment that should begin at the offset "expected".  Returns where it ends, or
 * -1 if it cannot be opened.
 */
static int64
verify_segment(Verification *v, int64 expected)
{
	Segment    *segment = NULL;
	uint32		count;
	int64		end;

	if (!passes(v, open_segment, &segment, 0, v->id.base, false))
		return -1;
	if (segment == NULL)
	{
		if (!pgt_partition_log_has_changed(v->state, &v->bounds))
			report(v, -1, v->id.base, "the segment's files are missing");
		return -1;
	}
	if (expected >= 0 && segment->span.previous_end > expected)
		report(v, -1, expected, psprintf("records from offset %lld to %lld are missing before the segment",
										 (long long) expected, (long long) segment->span.previous_end - 1));
	v->next_offset = v->id.base;
	end = segment->id.generation > 0 ? segment->span.end_offset : -1;
	count = pgt_partition_log_entries(segment, &v->bounds);
	v->keys = pgt_key_check_begin(v->state, segment, count);
	verify_entries(v, count);
	if (v->keys != NULL)
		pgt_key_check_end(v->keys, report_keys, v);
	v->keys = NULL;
	return Max(end, v->next_offset);
}

/* Verify all segments from "expected" on as they are now; returns how far that came. */
static int64
verify_segments(Verification *v, int64 expected)
{
	int64		known = expected;
	SegmentId	id = pgt_partition_log_segment_for(v->state, &v->bounds, expected);

	while (id.base != NO_SEGMENT && !pgt_partition_log_has_changed(v->state, &v->bounds))
	{
		int64		end;

		v->id = id;
		end = verify_segment(v, known);
		if (pgt_partition_log_has_changed(v->state, &v->bounds))
			break;
		known = end;
		expected = Max(expected, end);
		id = pgt_partition_log_next_segment(v->state, &v->bounds, id.base);
	}
	return expected;
}

/* Verify a partition, from its log start to the end it has now. */
static void
verify_partition(Verification *v)
{
	LogBounds	now;
	int64		end;
	int64		at;

	v->state = pgt_log_state_find(&v->key);
	if (v->state == NULL || !pgt_partition_log_bounds(&v->key, &v->bounds))
		return;
	end = v->bounds.next_offset;
	at = v->bounds.log_start_offset;
	do
	{
		at = verify_segments(v, at);
		now = v->bounds;
		if (!pgt_partition_log_bounds(&v->key, &v->bounds))
			return;
		at = Max(at, v->bounds.log_start_offset);
	} while (at < end && now.segments_version != v->bounds.segments_version);
}

/* verify_topic(topic): a row for each problem. */
Datum
pgt_verify_topic(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Topic	   *topic;
	Verification v = {0};

	pgt_sql_argument_require(fcinfo, 0, "topic");
	InitMaterializedSRF(fcinfo, 0);
	pgt_topic_require(relid);
	pgt_topic_check_acl(relid, ACL_SELECT);
	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	v.result = (ReturnSetInfo *) fcinfo->resultinfo;
	v.decoder.context = CurrentMemoryContext;
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		v.key = pgt_topic_partition(topic, partition);
		verify_partition(&v);
	}
	return (Datum) 0;
}
