/*
 * batch_builder.c
 *	  A batch made of the records that are kept of one or several batches: what
 *	  compaction, erasing and merging write.
 *
 * The records keep their offsets, timestamps, keys, values and headers, and their order.
 * The batch reaches from the first offset of its first source to the last offset of its
 * last one; where records are gone, or were never there, it has a hole, which is legal.
 *
 *	  source		[ 7: a ] [ 8: b ] [ 11: - c ] [ 13: d ]
 *	  built			[ 7: a b . . . c d ]
 *
 * Of one source, what its header says stays: the codec, the type of its timestamps, the
 * idempotent producer.  Of several:
 *
 *	  codec			the topic's or, if it has none, that of the first source; a batch
 *					that does not become smaller is stored uncompressed.  But where
 *					the batch would be larger than its sources were, since they
 *					have a codec that makes them smaller: theirs.  So merging after
 *					a change of the topic's codec does not make segments larger
 *	  timestamps	LogAppendTime stays if all sources have the same time: readers give
 *					each record of such a batch the batch's largest timestamp.  Else the
 *					batch is one of CreateTime with the append times as the records' own,
 *					so that each record is read with the timestamp that it had
 *	  delete horizon	only sources that have the same one, or none, go together
 *	  leader epoch	only sources of the same one: it tells where a timeline begins
 *	  producer		batches of idempotent producers, of Kafka's transactions and control
 *					batches stay as they are.  A broker finds a producer's last sequence
 *					numbers in its last batches, and takes the numbers of a batch to
 *					be consecutive; so a batch that has a producer id is never merged
 *	  entry			the largest transaction id and LSN; see ENTRY_MERGED in
 *					segment_index.h
 *
 * No locks and no I/O.  Memory: three buffers, for the records, for the codec's output and
 * for a copy of a source that is alone so far.
 */
#include "postgres.h"

#include "maintenance/batch_builder.h"
#include "utils/memutils.h"

/* A batch that fills this share of a full one is full enough. */
#define LARGE_SHARE		2

/* A record's deltas, and with them its length, take up to so many bytes more in another batch. */
#define DELTA_GROWTH	16

typedef struct Buffer
{
	char	   *bytes;
	Size		capacity;
} Buffer;

struct BatchBuilder
{
	MemoryContext context;
	BatchBuilderConfig config;
	int			sources;		/* 0: empty */
	bool		is_copy;		/* of one source, all of which is kept: it is in "original", too */
	RecordBatchHeader header;	/* base_timestamp: what the records' deltas refer to */
	IndexEntry	entry;
	int64		last_offset;
	uint64		oldest_xid;		/* of the sources' transactions */
	Size		source_bytes;	/* what the sources take as they are */
	int			source_codec;	/* of the first one that has any */
	Size		length;			/* of "records": a header's space, then encoded records */
	Buffer		records;
	Buffer		packed;
	Buffer		original;
};

BatchBuilder *
pgt_batch_builder_create(MemoryContext context, const BatchBuilderConfig *config)
{
	BatchBuilder *builder = MemoryContextAllocZero(context, sizeof(BatchBuilder));

	builder->context = context;
	builder->config = *config;
	return builder;
}

/* Make a buffer at least "wanted" bytes large, keeping its first "used" bytes. */
static void
grow(BatchBuilder *builder, Buffer *buffer, Size wanted, Size used)
{
	char	   *larger;

	if (wanted <= buffer->capacity)
		return;
	wanted = Max(wanted, buffer->capacity * 2);
	larger = MemoryContextAllocHuge(builder->context, wanted);
	if (buffer->bytes != NULL)
	{
		memcpy(larger, buffer->bytes, used);
		pfree(buffer->bytes);
	}
	buffer->bytes = larger;
	buffer->capacity = wanted;
}

/* ---- what goes together --------------------------------------------------- */

bool
pgt_batch_builder_can_merge(const RecordBatchHeader *header)
{
	int			known = BATCH_ATTR_CODEC_MASK | BATCH_ATTR_LOG_APPEND_TIME | BATCH_ATTR_DELETE_HORIZON;

	return header->producer_id == NO_PRODUCER_ID && (header->attributes & ~known) == 0;
}

/* Does the source's batch have a delete horizon, now or from now on, and which? */
static bool
source_horizon(const BatchSource *source, int64 *horizon)
{
	*horizon = source->gets_horizon ? source->horizon : source->header.base_timestamp;
	return source->gets_horizon || (source->header.attributes & BATCH_ATTR_DELETE_HORIZON) != 0;
}

/* Does the source have the delete horizon of what is in the builder? */
static bool
has_same_horizon(const BatchBuilder *builder, const BatchSource *source)
{
	int64		horizon;
	bool		has_one = source_horizon(source, &horizon);
	bool		had_one = (builder->header.attributes & BATCH_ATTR_DELETE_HORIZON) != 0;

	return has_one == had_one && (!has_one || horizon == builder->header.base_timestamp);
}

bool
pgt_batch_source_is_whole(const BatchSource *source)
{
	return source->kept_count == source->header.record_count && !source->gets_horizon;
}

bool
pgt_batch_builder_is_large(const BatchBuilder *builder, Size bytes)
{
	return bytes >= builder->config.full / LARGE_SHARE;
}

/* The last offset of a source's batch. */
static int64
last_offset(const BatchSource *source)
{
	return source->segment_base + source->entry->last_delta;
}

bool
pgt_batch_builder_takes(const BatchBuilder *builder, const BatchSource *source)
{
	if (builder->sources == 0)
		return true;
	return builder->length + source->kept_bytes + (Size) source->kept_count * DELTA_GROWTH <= builder->config.full &&
		last_offset(source) - builder->header.base_offset <= PG_INT32_MAX &&
		source->header.leader_epoch == builder->header.leader_epoch &&
		has_same_horizon(builder, source);
}

bool
pgt_batch_builder_is_empty(const BatchBuilder *builder)
{
	return builder->sources == 0;
}

/* ---- adding --------------------------------------------------------------- */

/* Begin a batch with the source's header and entry. */
static void
begin(BatchBuilder *builder, const BatchSource *source)
{
	int64		horizon;

	builder->header = source->header;
	builder->entry = *source->entry;
	builder->header.record_count = 0;
	builder->length = RECORD_BATCH_HEADER_SIZE;
	builder->oldest_xid = pgt_index_entry_oldest_xid(source->entry);
	builder->source_bytes = 0;
	builder->source_codec = COMPRESSION_NONE;
	if (source_horizon(source, &horizon))
	{
		builder->header.attributes |= BATCH_ATTR_DELETE_HORIZON;
		builder->header.base_timestamp = horizon;
	}
	else if ((source->header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0)
		builder->header.base_timestamp = source->header.max_timestamp;
	builder->entry.min_timestamp = PG_INT64_MAX;
	builder->entry.max_timestamp = PG_INT64_MIN;
}

/* Join the source's header and entry to those of the batch. */
static void
join(BatchBuilder *builder, const BatchSource *source)
{
	const RecordBatchHeader *header = &source->header;
	IndexEntry *entry = &builder->entry;

	if ((header->attributes & BATCH_ATTR_LOG_APPEND_TIME) == 0 ||
		((builder->header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0 &&
		 header->max_timestamp != builder->header.max_timestamp))
		builder->header.attributes &= ~BATCH_ATTR_LOG_APPEND_TIME;
	Assert((entry->flags & source->entry->flags & ENTRY_MERGED) != 0);
	entry->xid = Max(entry->xid, source->entry->xid);
	builder->oldest_xid = Min(builder->oldest_xid, pgt_index_entry_oldest_xid(source->entry));
	entry->lsn = Max(entry->lsn, source->entry->lsn);
}

/* Encode the records of the source that are kept behind those that are there. */
static void
encode_kept(BatchBuilder *builder, const BatchSource *source)
{
	RecordIterator iterator = source->first;
	IndexEntry *entry = &builder->entry;
	Record		record;

	for (int32 i = 0; pgt_record_iterator_next(&iterator, &record); i++)
	{
		char	   *end;

		if (!source->kept[i])
			continue;
		grow(builder, &builder->records, builder->length + pgt_record_size(&record), builder->length);
		end = pgt_record_encode(builder->records.bytes + builder->length, &record,
								pgt_record_timestamp_delta(builder->header.base_timestamp, record.timestamp),
								record.offset - builder->header.base_offset);
		builder->length = end - builder->records.bytes;
		entry->min_timestamp = Min(entry->min_timestamp, record.timestamp);
		entry->max_timestamp = Max(entry->max_timestamp, record.timestamp);
	}
	builder->header.record_count += source->kept_count;
}

void
pgt_batch_builder_add(BatchBuilder *builder, const BatchSource *source)
{
	uint32		length = source->entry->length;

	builder->is_copy = builder->sources == 0 && pgt_batch_source_is_whole(source);
	if (builder->sources++ == 0)
		begin(builder, source);
	else
		join(builder, source);
	builder->last_offset = last_offset(source);
	builder->source_bytes += length;
	if (builder->source_codec == COMPRESSION_NONE)
		builder->source_codec = source->header.attributes & BATCH_ATTR_CODEC_MASK;
	encode_kept(builder, source);
	if (builder->is_copy)
	{
		grow(builder, &builder->original, length, 0);
		memcpy(builder->original.bytes, source->batch, length);
	}
}

/* ---- finishing ------------------------------------------------------------ */

/* The codec of the batch. */
static int
choose_codec(const BatchBuilder *builder)
{
	if (builder->sources > 1 && builder->config.compression != COMPRESSION_NONE)
		return builder->config.compression;
	return builder->header.attributes & BATCH_ATTR_CODEC_MASK;
}

/* Compress the records with that codec, if it makes them smaller; returns where they are, and *length. */
static char *
pack(BatchBuilder *builder, int codec, Size *length)
{
	int			level = codec == builder->config.compression ? builder->config.level : 0;
	Size		plain = builder->length - RECORD_BATCH_HEADER_SIZE;
	Size		packed;
	const char *problem;

	*length = builder->length;
	if (codec == COMPRESSION_NONE)
		return builder->records.bytes;
	grow(builder, &builder->packed, RECORD_BATCH_HEADER_SIZE + pgt_compress_bound(codec, plain), 0);
	problem = pgt_compress(codec, level, builder->records.bytes + RECORD_BATCH_HEADER_SIZE, plain,
						   builder->packed.bytes + RECORD_BATCH_HEADER_SIZE,
						   builder->packed.capacity - RECORD_BATCH_HEADER_SIZE, &packed);
	if (problem != NULL)
		ereport(ERROR,
				(errcode(problem == pgt_compression_no_memory ? ERRCODE_OUT_OF_MEMORY :
						 ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compress a batch with %s: %s", pgt_compression_name(codec), problem)));
	if (packed >= plain)
		return builder->records.bytes;
	*length = RECORD_BATCH_HEADER_SIZE + packed;
	return builder->packed.bytes;
}

/* The same with the codec that is to be used, which is set. */
static char *
pack_small(BatchBuilder *builder, int *codec, Size *length)
{
	int			wanted = choose_codec(builder);
	char	   *bytes = pack(builder, wanted, length);
	Size		first = *length;

	*codec = wanted;
	if (builder->sources == 1 || first <= builder->source_bytes ||
		builder->source_codec == COMPRESSION_NONE || builder->source_codec == wanted)
		return bytes;
	*codec = builder->source_codec;
	bytes = pack(builder, *codec, length);
	if (*length <= first)
		return bytes;
	*codec = wanted;
	return pack(builder, wanted, length);
}

/* Make the batch of the records that were encoded. */
static const char *
seal(BatchBuilder *builder)
{
	RecordBatchHeader *header = &builder->header;
	int			codec;
	Size		length;
	char	   *bytes = pack_small(builder, &codec, &length);

	if (bytes == builder->records.bytes)
		codec = COMPRESSION_NONE;
	header->attributes = (header->attributes & ~BATCH_ATTR_CODEC_MASK) | codec;
	header->length = length;
	header->last_offset_delta = builder->last_offset - header->base_offset;
	header->max_timestamp = builder->entry.max_timestamp;
	pgt_record_batch_seal(bytes, header);
	builder->entry.length = length;
	return bytes;
}

void
pgt_batch_builder_finish(BatchBuilder *builder, BatchBuilderResult *built)
{
	Assert(builder->sources > 0);
	built->bytes = builder->is_copy ? builder->original.bytes : seal(builder);
	built->first_offset = builder->header.base_offset;
	built->last_offset = builder->last_offset;
	built->records = builder->header.record_count;
	built->entry = builder->entry;
	if ((built->entry.flags & ENTRY_MERGED) != 0)
		built->entry.since_first = Min(built->entry.xid - builder->oldest_xid, SINCE_FIRST_MAX);
	builder->sources = 0;
}
