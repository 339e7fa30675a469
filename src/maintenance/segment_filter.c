/*
 * segment_filter.c
 *	  Rewriting segments without some of their records, and with fuller batches: the
 *	  common part of compaction, erasing and merging.
 *
 * Each batch is decoded and each record judged.  Offsets and order never change.
 *
 *	  all records kept	the batch is copied byte for byte
 *	  some				it is made anew, with its base offset, last offset and
 *						codec as before; a hole in it is legal
 *	  none, or aborted	the batch is left out; a hole between batches is legal
 *
 * Below the end that pgt_segment_filter_merge() gives, small batches that follow each
 * other become one, up to the size of a full batch (batch_builder.c).
 *
 * A batch in which a tombstone is kept gets a delete horizon, once: bit 6 of its
 * attributes is set, its base timestamp becomes the horizon, and the records'
 * timestamp deltas are taken from there (KIP-534).
 *
 * For compaction and erasing a single segment is read first, up to the batch where
 * something would change; so a segment that stays as it is costs reading and no writing.
 *
 * Memory: the scan's and the rewrite's buffers, one batch decompressed and one being
 * made.
 */
#include "postgres.h"

#include "maintenance/batch_builder.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/segment_filter.h"
#include "miscadmin.h"
#include "produce/pending_batch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct SegmentFilter
{
	MemoryContext context;
	PartitionState *state;
	SegmentFilterJudge judge;
	void	   *judge_arg;
	int64		delete_horizon;
	int64		merge_end;		/* batches that end below it may be merged, */
	int64		merge_youngest; /* if none of their records is younger */
	bool		dry_run;
	SegmentFilterCounts counts;

	SegmentScan scan;
	BatchDecoder decoder;
	BatchBuilder *builder;
	int64		last_offset;	/* of the last batch of the segments that counts */
	SegmentRewrite *rewrite;	/* NULL: nothing is written yet */

	/* the batch under way */
	RecordBatchHeader header;
	RecordIterator first;		/* before its first record */
	bool	   *kept;			/* of its records, in order */
	int32		kept_capacity;
};

/* ---- one batch ------------------------------------------------------------ */

/* The delete horizon of the batch under way, or PG_INT64_MIN. */
static int64
batch_horizon(const SegmentFilter *filter)
{
	return (filter->header.attributes & BATCH_ATTR_DELETE_HORIZON) != 0 ?
		filter->header.base_timestamp : PG_INT64_MIN;
}

/* Have room to tell of so many records whether they are kept. */
static void
grow_kept(SegmentFilter *filter, int32 count)
{
	if (count <= filter->kept_capacity)
		return;
	if (filter->kept != NULL)
		pfree(filter->kept);
	filter->kept = NULL;
	filter->kept_capacity = 0;
	filter->kept = MemoryContextAllocHuge(filter->context, count * sizeof(bool));
	filter->kept_capacity = count;
}

/* Judge all records of a batch whose header is read. */
static BatchSource
judge_batch(SegmentFilter *filter, const IndexEntry *entry, const char *batch)
{
	BatchSource source = {.batch = batch, .entry = entry, .segment_base = filter->scan.id.base,
	.horizon = filter->delete_horizon};
	int64		horizon = batch_horizon(filter);
	RecordIterator iterator;
	Record		record;

	pgt_batch_decoder_decode(&filter->decoder, &filter->state->key, filter->scan.id, entry, batch,
							 &filter->header, &filter->first);
	grow_kept(filter, filter->header.record_count);
	iterator = filter->first;
	for (int32 i = 0; pgt_record_iterator_next(&iterator, &record); i++)
	{
		SegmentFilterFate fate = filter->judge(filter->judge_arg, &record, horizon);

		filter->kept[i] = fate != RECORD_REMOVED;
		source.gets_horizon |= fate == RECORD_KEPT_UNTIL_HORIZON && horizon == PG_INT64_MIN;
		if (!filter->kept[i])
			continue;
		source.kept_count++;
		source.kept_bytes += record.encoded_length;
	}
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&filter->state->key, filter->scan.id, entry->position,
							   filter->scan.id.base + entry->first_delta, iterator.problem);
	source.header = filter->header;
	source.first = filter->first;
	source.kept = filter->kept;
	return source;
}

/* ---- what is kept --------------------------------------------------------- */

/* Count a batch that is kept, and write it unless this is a dry run. */
static void
keep_batch(SegmentFilter *filter, const BatchBuilderResult *built)
{
	uint32		length = built->entry.length;

	filter->counts.records_after += built->records;
	filter->counts.bytes_after += length;
	filter->counts.batches_after++;
	if (filter->rewrite == NULL)
		return;
	pgt_segment_rewrite_add(filter->rewrite, built->first_offset, built->last_offset, &built->entry,
							built->bytes, length);
	pg_atomic_fetch_add_u64(&filter->state->compaction.bytes_written, length);
	pgt_cleaner_throttle_pause(&filter->state->key, length);
}

/* Keep what the builder has. */
static void
flush_builder(SegmentFilter *filter)
{
	BatchBuilderResult	built;

	if (pgt_batch_builder_is_empty(filter->builder))
		return;
	pgt_batch_builder_finish(filter->builder, &built);
	keep_batch(filter, &built);
}

/* Keep a batch byte for byte. */
static void
keep_whole(SegmentFilter *filter, const BatchSource *source)
{
	BatchBuilderResult	built = {.bytes = source->batch, .entry = *source->entry,
		.first_offset = source->segment_base + source->entry->first_delta,
	.last_offset = source->segment_base + source->entry->last_delta, .records = source->kept_count};

	flush_builder(filter);
	keep_batch(filter, &built);
}

/*
 * Must the batch stay by itself?  The log's last batch tells, after a restart, the time
 * before which LogAppendTime must not go back (log_load.c), and may be the last one here.
 */
static bool
stays_alone(const SegmentFilter *filter, const BatchSource *source)
{
	return !pgt_batch_builder_can_merge(&source->header) ||
		((source->header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0 &&
		 source->segment_base + source->entry->last_delta >= filter->last_offset);
}

/* Keep the part of a batch that its source tells of, merged with its neighbours if it may be. */
static void
keep_source(SegmentFilter *filter, BatchSource *source)
{
	IndexEntry	entry = *source->entry;
	bool		may_merge = source->segment_base + entry.last_delta < filter->merge_end &&
		entry.max_timestamp <= filter->merge_youngest;
	bool		alone = !may_merge || stays_alone(filter, source);

	if (may_merge && (entry.flags & ENTRY_MERGED) == 0)
	{
		entry.flags = (entry.flags & ~ENTRY_INTERLEAVED) | ENTRY_MERGED;
		entry.since_first = 0;
	}
	source->entry = &entry;
	if (pgt_batch_source_is_whole(source) &&
		(alone || pgt_batch_builder_is_large(filter->builder, source->kept_bytes)))
	{
		keep_whole(filter, source);
		return;
	}
	if (alone || !pgt_batch_builder_takes(filter->builder, source))
		flush_builder(filter);
	pgt_batch_builder_add(filter->builder, source);
	if (alone)
		flush_builder(filter);
}

/* ---- one segment ---------------------------------------------------------- */

/* Filter one batch. */
static void
filter_batch(SegmentFilter *filter, const IndexEntry *entry)
{
	const char *batch = pgt_segment_scan_batch(&filter->scan, entry);
	BatchSource source = {0};

	pgt_batch_decoder_check(&filter->state->key, filter->scan.id, entry, batch, &filter->header);
	filter->counts.records_before += filter->header.record_count;
	filter->counts.bytes_before += entry->length;
	filter->counts.batches_before++;
	pg_atomic_fetch_add_u64(&filter->state->compaction.bytes_read, entry->length);
	if ((entry->flags & ENTRY_ABORTED) == 0)
		source = judge_batch(filter, entry, batch);
	pg_atomic_fetch_add_u64(&filter->state->compaction.records_removed,
							filter->header.record_count - source.kept_count);
	pgt_cleaner_throttle_pause(&filter->state->key, entry->length);
	if (source.kept_count > 0)
		keep_source(filter, &source);
}

/* Does the batch stay as it is?  Does not count it. */
static bool
is_unchanged(SegmentFilter *filter, const IndexEntry *entry)
{
	const char *batch;
	BatchSource source;

	if ((entry->flags & ENTRY_ABORTED) != 0)
		return false;
	batch = pgt_segment_scan_batch(&filter->scan, entry);
	pgt_batch_decoder_check(&filter->state->key, filter->scan.id, entry, batch, &filter->header);
	source = judge_batch(filter, entry, batch);
	pgt_cleaner_throttle_pause(&filter->state->key, entry->length);
	return pgt_batch_source_is_whole(&source);
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
		found.batches_before++;
	}
	filter->counts.records_before += found.records_before;
	filter->counts.records_after += found.records_before;
	filter->counts.bytes_before += found.bytes_before;
	filter->counts.bytes_after += found.bytes_before;
	filter->counts.batches_before += found.batches_before;
	filter->counts.batches_after += found.batches_before;
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

/* The last offset of a segment's last batch that is not of an aborted transaction, or NO_OFFSET. */
static int64
last_offset_of(PartitionState *state, SegmentId id)
{
	Segment    *segment = pgt_log_segments_open(state, id);
	uint32		n = segment != NULL ? pgt_segment_count_entries(segment) : 0;
	IndexEntry	entry;

	while (n-- > 0 && pgt_segment_read_entries(segment, n, 1, &entry) == 1)
	{
		CHECK_FOR_INTERRUPTS();
		if ((entry.flags & ENTRY_ABORTED) == 0)
			return id.base + entry.last_delta;
	}
	return NO_OFFSET;
}

/* The same of several segments. */
static int64
find_last_offset(PartitionState *state, const SegmentId *ids, int count)
{
	int64		last = NO_OFFSET;

	while (count-- > 0 && last == NO_OFFSET)
		last = last_offset_of(state, ids[count]);
	return last;
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
						  int64 delete_horizon, const LogConfig *config, bool dry_run)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics filter",
												  ALLOCSET_DEFAULT_SIZES);
	SegmentFilter *filter = MemoryContextAllocZero(context, sizeof(SegmentFilter));
	BatchBuilderConfig builder = {config->compression, config->compression_level,
	config->compress_by_size, Min(pgt_batch_size, config->max_message_bytes)};

	filter->context = filter->decoder.context = context;
	filter->state = state;
	filter->judge = judge;
	filter->judge_arg = arg;
	filter->delete_horizon = delete_horizon;
	filter->merge_end = NO_OFFSET;
	filter->dry_run = dry_run;
	filter->builder = pgt_batch_builder_create(context, &builder);
	pgt_segment_scan_init(&filter->scan, context);
	return filter;
}

void
pgt_segment_filter_merge(SegmentFilter *filter, int64 end, int64 youngest)
{
	filter->merge_end = end;
	filter->merge_youngest = youngest;
}

void
pgt_segment_filter_run(SegmentFilter *filter, const SegmentId *ids, int count, int64 compacted_end,
					   bool always)
{
	MemoryContext old;

	if (count == 1 && !always && segment_is_clean(filter, ids[0]))
		return;
	old = MemoryContextSwitchTo(filter->context);
	filter->last_offset = find_last_offset(filter->state, ids, count);
	if (!filter->dry_run)
		filter->rewrite = pgt_segment_rewrite_begin(filter->state, ids, count, compacted_end);
	for (int i = 0; i < count; i++)
		filter_segment(filter, ids[i]);
	flush_builder(filter);
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
