/*
 * segment_filter.c
 *	  Rewriting segments without some of their records: the common part of compaction
 *	  and erasing.
 *
 * Each batch is decoded and each record judged.  Offsets and order never change.
 *
 *	  all records kept	the batch is copied byte for byte
 *	  some				it is encoded anew, with its base offset, last offset and
 *						codec as before; a hole in it is legal
 *	  none, or aborted	the batch is left out; a hole between batches is legal
 *
 * A batch in which a tombstone is kept gets a delete horizon, once: bit 6 of its
 * attributes is set, its base timestamp becomes the horizon, and the records'
 * timestamp deltas are taken from there (KIP-534).
 *
 * A single segment is read first, up to the batch where something would change; so a
 * segment that stays as it is costs reading and no writing.
 *
 * Memory: the scan's and the rewrite's buffers, one batch decompressed and one
 * encoded.
 */
#include "postgres.h"

#include "maintenance/cleaner_throttle.h"
#include "maintenance/segment_filter.h"
#include "util/clock.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct SegmentFilter
{
	MemoryContext context;
	PartitionState *state;
	SegmentFilterJudge judge;
	void	   *judge_arg;
	int64		delete_horizon;
	int			compression;
	int			level;
	bool		dry_run;
	SegmentFilterCounts counts;

	SegmentScan scan;
	BatchDecoder decoder;
	SegmentRewrite *rewrite;	/* NULL: nothing is written yet */

	/* the batch under way */
	RecordBatchHeader header;
	RecordIterator first;		/* before its first record */
	bool	   *kept;			/* of its records, in order */
	Size		kept_capacity;
	char	   *records;		/* header space, then kept records encoded anew */
	Size		capacity;
	char	   *packed;			/* the same, compressed */
	Size		packed_capacity;
};

/* ---- one batch ------------------------------------------------------------ */

/* Make a buffer at least "wanted" bytes large, keeping its first "used" bytes. */
static void
grow(SegmentFilter *filter, char **buffer, Size *capacity, Size wanted, Size used)
{
	char	   *larger;

	if (wanted <= *capacity)
		return;
	wanted = Max(wanted, *capacity * 2);
	larger = MemoryContextAllocHuge(filter->context, wanted);
	if (*buffer != NULL)
	{
		memcpy(larger, *buffer, used);
		pfree(*buffer);
	}
	*buffer = larger;
	*capacity = wanted;
}

/* The delete horizon of the batch under way, or PG_INT64_MIN. */
static int64
batch_horizon(const SegmentFilter *filter)
{
	return (filter->header.attributes & BATCH_ATTR_DELETE_HORIZON) != 0 ?
		filter->header.base_timestamp : PG_INT64_MIN;
}

/* What the filter does with a batch. */
typedef struct BatchVerdict
{
	int32		kept;
	bool		gets_horizon;	/* the batch gets a delete horizon */
} BatchVerdict;

/* Judge all records of a batch whose header is read. */
static BatchVerdict
judge_batch(SegmentFilter *filter, const IndexEntry *entry, const char *batch)
{
	BatchVerdict verdict = {0};
	int64		horizon = batch_horizon(filter);
	RecordIterator iterator;
	Record		record;

	pgt_batch_decoder_decode(&filter->decoder, &filter->state->key, filter->scan.id, entry, batch,
							 &filter->header, &filter->first);
	grow(filter, (char **) &filter->kept, &filter->kept_capacity,
		 filter->header.record_count * sizeof(bool), 0);
	iterator = filter->first;
	for (int32 i = 0; pgt_record_iterator_next(&iterator, &record); i++)
	{
		SegmentFilterFate fate = filter->judge(filter->judge_arg, &record, horizon);

		filter->kept[i] = fate != RECORD_REMOVED;
		verdict.kept += filter->kept[i];
		verdict.gets_horizon |= fate == RECORD_KEPT_UNTIL_HORIZON && horizon == PG_INT64_MIN;
	}
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&filter->state->key, filter->scan.id, entry->position,
							   filter->scan.id.base + entry->first_delta, iterator.problem);
	return verdict;
}

/*
 * Encode the records that are kept behind a header's space; *entry gets their
 * timestamps.  Returns the length of both.
 */
static Size
encode_kept(SegmentFilter *filter, IndexEntry *entry, int64 base_timestamp)
{
	Size		length = RECORD_BATCH_HEADER_SIZE;
	RecordIterator iterator = filter->first;
	Record		record;

	entry->min_timestamp = PG_INT64_MAX;
	entry->max_timestamp = PG_INT64_MIN;
	for (int32 i = 0; pgt_record_iterator_next(&iterator, &record); i++)
	{
		if (!filter->kept[i])
			continue;
		grow(filter, &filter->records, &filter->capacity, length + pgt_record_size(&record), length);
		length = pgt_record_encode(filter->records + length, &record,
								   pgt_record_timestamp_delta(base_timestamp, record.timestamp),
								   record.offset - filter->header.base_offset) - filter->records;
		entry->min_timestamp = Min(entry->min_timestamp, record.timestamp);
		entry->max_timestamp = Max(entry->max_timestamp, record.timestamp);
	}
	return length;
}

/* Compress what encode_kept() made, with the batch's own codec; returns where and *length. */
static char *
pack(SegmentFilter *filter, Size *length)
{
	int			codec = filter->header.attributes & BATCH_ATTR_CODEC_MASK;
	int			level = codec == filter->compression ? filter->level : 0;
	Size		plain = *length - RECORD_BATCH_HEADER_SIZE;
	const char *problem;
	Size		packed;

	if (codec == COMPRESSION_NONE)
		return filter->records;
	grow(filter, &filter->packed, &filter->packed_capacity,
		 RECORD_BATCH_HEADER_SIZE + pgt_compress_bound(codec, plain), 0);
	problem = pgt_compress(codec, level, filter->records + RECORD_BATCH_HEADER_SIZE, plain,
						   filter->packed + RECORD_BATCH_HEADER_SIZE,
						   filter->packed_capacity - RECORD_BATCH_HEADER_SIZE, &packed);
	if (problem != NULL)
		ereport(ERROR,
				(errcode(problem == pgt_compression_no_memory ? ERRCODE_OUT_OF_MEMORY :
						 ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compress a batch with %s: %s", pgt_compression_name(codec), problem)));
	*length = RECORD_BATCH_HEADER_SIZE + packed;
	return filter->packed;
}

/* Make the batch anew of the records that are kept; *entry becomes its entry. */
static const char *
rebuild_batch(SegmentFilter *filter, IndexEntry *entry, BatchVerdict verdict)
{
	RecordBatchHeader header = filter->header;
	Size		length;
	char	   *rebuilt;

	if (verdict.gets_horizon)
	{
		header.base_timestamp = filter->delete_horizon;
		header.attributes |= BATCH_ATTR_DELETE_HORIZON;
	}
	length = encode_kept(filter, entry, header.base_timestamp);
	rebuilt = pack(filter, &length);
	header.length = length;
	header.max_timestamp = entry->max_timestamp;
	header.record_count = verdict.kept;
	pgt_record_batch_seal(rebuilt, &header);
	entry->length = length;
	return rebuilt;
}

/* ---- one segment ---------------------------------------------------------- */

/* Count a batch that is kept, and write it unless this is a dry run. */
static void
keep_batch(SegmentFilter *filter, const IndexEntry *entry, const char *batch, int32 records)
{
	filter->counts.records_after += records;
	filter->counts.bytes_after += entry->length;
	if (filter->rewrite == NULL)
		return;
	pgt_segment_rewrite_add(filter->rewrite, filter->scan.id.base + entry->first_delta,
							filter->scan.id.base + entry->last_delta, entry, batch, entry->length);
	pg_atomic_fetch_add_u64(&filter->state->compaction.bytes_written, entry->length);
	pgt_cleaner_throttle_pause(&filter->state->key, entry->length);
}

/* Filter one batch. */
static void
filter_batch(SegmentFilter *filter, const IndexEntry *original)
{
	IndexEntry	entry = *original;
	const char *batch = pgt_segment_scan_batch(&filter->scan, original);
	BatchVerdict verdict = {0};

	pgt_batch_decoder_check(&filter->state->key, filter->scan.id, original, batch, &filter->header);
	filter->counts.records_before += filter->header.record_count;
	filter->counts.bytes_before += entry.length;
	pg_atomic_fetch_add_u64(&filter->state->compaction.bytes_read, entry.length);
	if ((entry.flags & ENTRY_ABORTED) == 0)
		verdict = judge_batch(filter, original, batch);
	pg_atomic_fetch_add_u64(&filter->state->compaction.records_removed,
							filter->header.record_count - verdict.kept);
	pgt_cleaner_throttle_pause(&filter->state->key, entry.length);
	if (verdict.kept == 0)
		return;
	if (verdict.kept < filter->header.record_count || verdict.gets_horizon)
		batch = rebuild_batch(filter, &entry, verdict);
	keep_batch(filter, &entry, batch, verdict.kept);
}

/* Does the batch stay as it is?  Does not count it. */
static bool
is_unchanged(SegmentFilter *filter, const IndexEntry *entry)
{
	const char *batch;
	BatchVerdict verdict;

	if ((entry->flags & ENTRY_ABORTED) != 0)
		return false;
	batch = pgt_segment_scan_batch(&filter->scan, entry);
	pgt_batch_decoder_check(&filter->state->key, filter->scan.id, entry, batch, &filter->header);
	verdict = judge_batch(filter, entry, batch);
	pgt_cleaner_throttle_pause(&filter->state->key, entry->length);
	return verdict.kept == filter->header.record_count && !verdict.gets_horizon;
}

/* Does the segment stay as it is?  If so, it is counted. */
static bool
segment_is_clean(SegmentFilter *filter, SegmentId id)
{
	SegmentFilterCounts found = {0};
	const IndexEntry *entry;

	pgt_segment_scan_begin(&filter->scan, filter->state, id);
	while ((entry = pgt_segment_scan_next(&filter->scan)) != NULL)
	{
		if (!is_unchanged(filter, entry))
			return false;
		found.records_before += filter->header.record_count;
		found.bytes_before += entry->length;
	}
	filter->counts.records_before += found.records_before;
	filter->counts.records_after += found.records_before;
	filter->counts.bytes_before += found.bytes_before;
	filter->counts.bytes_after += found.bytes_before;
	pg_atomic_fetch_add_u64(&filter->state->compaction.bytes_read, found.bytes_before);
	return true;
}

/* Filter all batches of a segment. */
static void
filter_segment(SegmentFilter *filter, SegmentId id)
{
	const IndexEntry *entry;

	pgt_segment_scan_begin(&filter->scan, filter->state, id);
	while ((entry = pgt_segment_scan_next(&filter->scan)) != NULL)
		filter_batch(filter, entry);
}

/* ---- gaps ----------------------------------------------------------------- */

/* Report that the segments from "end" on to this one are missing. */
static void
report_gap(const TopicPartition *key, int64 end, const Segment *segment)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, key, segment->id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("records of partition %d of topic \"%s\" from offset %lld to %lld are missing",
					key->partition, get_rel_name(key->topic), (long long) end,
					(long long) segment->span.previous_end - 1),
			 errdetail("The segment before \"%s\" is missing or damaged.", path),
			 errhint("Restore it from a backup, or give the records up with delete_records().")));
}

void
pgt_segment_filter_check_log(PartitionState *state, const LogBounds *bounds)
{
	SegmentListItem *listed;
	int			count = pgt_segment_list(&state->key, &listed);
	int64		end = bounds->log_start_offset;

	for (int i = 0; i < count && listed[i].id.base <= bounds->active_base; i++)
	{
		Segment    *segment = pgt_log_segments_open(state, listed[i].id);

		if (segment == NULL)
			continue;
		if (segment->span.previous_end > end)
			report_gap(&state->key, end, segment);
		end = Max(end, pgt_partition_log_segment_end(segment, bounds));
	}
	pfree(listed);
}

/* ---- the interface -------------------------------------------------------- */

SegmentFilter *
pgt_segment_filter_create(PartitionState *state, SegmentFilterJudge judge, void *arg,
						  int64 delete_horizon, int compression, int level, bool dry_run)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics filter",
												  ALLOCSET_DEFAULT_SIZES);
	SegmentFilter *filter = MemoryContextAllocZero(context, sizeof(SegmentFilter));

	filter->context = filter->decoder.context = context;
	filter->state = state;
	filter->judge = judge;
	filter->judge_arg = arg;
	filter->delete_horizon = delete_horizon;
	filter->compression = compression;
	filter->level = level;
	filter->dry_run = dry_run;
	pgt_segment_scan_init(&filter->scan, context);
	return filter;
}

void
pgt_segment_filter_run(SegmentFilter *filter, const SegmentId *ids, int count, int64 compacted_end,
					   bool always)
{
	MemoryContext old;

	if (count == 1 && !always && segment_is_clean(filter, ids[0]))
		return;
	old = MemoryContextSwitchTo(filter->context);
	if (!filter->dry_run)
		filter->rewrite = pgt_segment_rewrite_begin(filter->state, ids, count, compacted_end);
	for (int i = 0; i < count; i++)
		filter_segment(filter, ids[i]);
	if (filter->rewrite != NULL)
	{
		pgt_segment_rewrite_swap(filter->rewrite);
		pgt_segment_filter_abandon(filter);
	}
	MemoryContextSwitchTo(old);
}

const SegmentFilterCounts *
pgt_segment_filter_counts(const SegmentFilter *filter)
{
	return &filter->counts;
}

void
pgt_segment_filter_abandon(SegmentFilter *filter)
{
	SegmentRewrite *rewrite = filter->rewrite;

	filter->rewrite = NULL;
	if (rewrite != NULL)
		pgt_segment_rewrite_abandon(rewrite);
}

void
pgt_segment_filter_free(SegmentFilter *filter)
{
	MemoryContextDelete(filter->context);
}
