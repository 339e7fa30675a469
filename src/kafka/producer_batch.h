/*
 * producer_batch.h
 *	  Is what a producer sent for a partition a batch that the log may take?
 */
#ifndef PRODUCER_BATCH_H
#define PRODUCER_BATCH_H

#include "format/record_batch.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_types.h"

/*
 * Room for decompressed records, which belongs to the caller and may be used again.  grow()
 * replaces data by at least "needed" bytes, whose contents do not matter, and sets size; or
 * returns false, which refuses the batch: so it is where the caller's limit is.
 */
typedef struct ProducerScratch
{
	char	   *data;
	size_t		size;
	bool		(*grow) (struct ProducerScratch *scratch, size_t needed);
} ProducerScratch;

/* What the topic and the request allow. */
typedef struct ProducerRules
{
	int32		max_length;		/* max.message.bytes */
	int32		max_records;	/* that may be walked; 0: any number */
	int64		min_timestamp;	/* of a record; PG_INT64_MIN: any */
	int64		max_timestamp;	/* PG_INT64_MAX: any */
	bool		allow_zstd;		/* not in old versions of Produce */
	bool		require_keys;	/* the topic is compacted */
	bool		walk_records;	/* if not, the records' own bytes are taken on trust */
} ProducerRules;

/* A batch that has been found good. */
typedef struct ProducerBatch
{
	RecordBatchHeader header;	/* header.length bytes are the batch; what follows them is nothing */
	int64		min_timestamp;	/* of the records, if they were walked; else PG_INT64_MIN */
	int64		max_timestamp;	/* the header's may be another, and is then to be corrected */
	const char *records;		/* if they are walked: the bytes before compression, in the batch or the scratch */
	size_t		records_length;
	RecordIterator iterator;	/* of the walk */
} ProducerBatch;

/*
 * Check a partition's records of a Produce request.  KAFKA_ERROR_NONE and *batch, or the
 * error to answer with and *problem, a constant string.
 */
extern KafkaError pgt_producer_batch_check(const KafkaRecords *records, const ProducerRules *rules,
										   ProducerScratch *scratch, ProducerBatch *batch, const char **problem);

/*
 * The same in parts: all but the look at the records; then decompressing them, or telling what has come of that where it was done
 * elsewhere.  The bytes behind the batch's header are what is to be decompressed.
 */
extern KafkaError pgt_producer_batch_head(const KafkaRecords *records, const ProducerRules *rules, ProducerBatch *batch,
										  const char **problem);
extern KafkaError pgt_producer_batch_unpack(const KafkaRecords *records, ProducerScratch *scratch, ProducerBatch *batch,
											const char **problem);
extern KafkaError pgt_producer_batch_unpacked(ProducerBatch *batch, const char *unpacked, size_t length, const char *problem);

/*
 * For a batch of many records: all but the walk over them, if there is to be one, and then so many
 * of them at a time until *at_end is set.  *batch, the bytes and the rules stay as they are meanwhile.
 */
extern KafkaError pgt_producer_batch_open(const KafkaRecords *records, const ProducerRules *rules,
										  ProducerScratch *scratch, ProducerBatch *batch, const char **problem);
extern KafkaError pgt_producer_batch_walk(ProducerBatch *batch, const ProducerRules *rules, int32 most, bool *at_end,
										  const char **problem);

#endif							/* PRODUCER_BATCH_H */
