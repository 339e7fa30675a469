/*
 * log_desc.c
 *	  Describing the logs' WAL records, for error contexts and pg_walinspect.
 */
#include "postgres.h"

#include "wal/log_desc.h"
#include "wal/wal_record.h"

/* Append the description of an APPEND. */
static void
describe_append(StringInfo buf, XLogReaderState *record)
{
	xl_pgt_append xlrec;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	appendStringInfo(buf, "partition %u/%u-%d segment %lld position %u entry %u bytes %zu%s%s%s",
					 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
					 (long long) xlrec.segment_base, xlrec.position, xlrec.entry,
					 pgt_wal_record_length(record) - sizeof(xlrec) - pgt_wal_record_optional_length(&xlrec),
					 (xlrec.flags & APPEND_SELF_SYNCED) != 0 ? " synced" : "",
					 (xlrec.flags & APPEND_INTERLEAVED) != 0 ? " interleaved" : "",
					 (xlrec.flags & APPEND_STARTS_LOG) != 0 ? " starts the log" : "");
}

/* Append what REWRITE, SWAP and DISCARD have in common. */
static void
describe_rewrite(StringInfo buf, const TopicPartition *key, SegmentId id)
{
	appendStringInfo(buf, "partition %u/%u-%d segment %lld generation %u",
					 key->database, key->topic, key->partition, (long long) id.base, id.generation);
}

/* Append the description of a DROP or RESERVE. */
static void
describe_partitions(StringInfo buf, uint8 info, const char *data)
{
	xl_pgt_drop drop;
	xl_pgt_reserve reserve;

	if (info == XLOG_PGT_DROP)
	{
		memcpy(&drop, data, sizeof(drop));
		appendStringInfo(buf, "database %u topic %u", drop.database, drop.topic);
		if (drop.first_partition > 0)
			appendStringInfo(buf, " from partition %d", drop.first_partition);
	}
	else
	{
		memcpy(&reserve, data, sizeof(reserve));
		appendStringInfo(buf, "database %u topic %u partitions from %d to %d",
						 reserve.database, reserve.topic, reserve.first, reserve.end - 1);
	}
}

/* Append the description of a record about Kafka transactions. */
static void
describe_kafka(StringInfo buf, uint8 info, const char *data)
{
	if (info == XLOG_PGT_KAFKA_BEGIN)
	{
		xl_pgt_kafka_begin xlrec;

		memcpy(&xlrec, data, sizeof(xlrec));
		appendStringInfo(buf, "transaction %llu database %u producer %lld epoch %d", (unsigned long long) xlrec.number,
						 xlrec.database, (long long) xlrec.producer_id, xlrec.producer_epoch);
	}
	else if (info == XLOG_PGT_KAFKA_END)
	{
		xl_pgt_kafka_end xlrec;

		memcpy(&xlrec, data, sizeof(xlrec));
		appendStringInfo(buf, "transaction %llu xid %llu%s", (unsigned long long) xlrec.number,
						 (unsigned long long) xlrec.xid, (xlrec.flags & KAFKA_END_ABORTED) != 0 ? " aborted" : "");
	}
	else if (info == XLOG_PGT_SETTLE)
	{
		xl_pgt_settle xlrec;

		memcpy(&xlrec, data, sizeof(xlrec));
		appendStringInfo(buf, "partition %u/%u-%d entries %u", xlrec.key.database, xlrec.key.topic,
						 xlrec.key.partition, xlrec.count);
	}
	else if (info == XLOG_PGT_KAFKA_SETTLED)
	{
		xl_pgt_kafka_settled xlrec;

		memcpy(&xlrec, data, sizeof(xlrec));
		appendStringInfo(buf, "partition %u/%u-%d transactions %u", xlrec.key.database, xlrec.key.topic,
						 xlrec.key.partition, xlrec.count);
	}
}

void
pgt_log_desc(StringInfo buf, XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;

	if (!pgt_format_version_is_known(&PGT_WAL_VERSIONS, pgt_wal_record_version(record)))
		appendStringInfo(buf, "format version %u", pgt_wal_record_version(record));
	else if (info == XLOG_PGT_APPEND)
		describe_append(buf, record);
	else if (info == XLOG_PGT_RESOLVE)
		appendStringInfo(buf, "bytes %u", pgt_wal_record_length(record));
	else if (info == XLOG_PGT_DELETE)
	{
		xl_pgt_delete xlrec;

		memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
		appendStringInfo(buf, "partition %u/%u-%d log start %lld deleted end %lld",
						 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
						 (long long) xlrec.log_start_offset, (long long) xlrec.deleted_end);
	}
	else if (info == XLOG_PGT_REWRITE)
	{
		xl_pgt_rewrite xlrec;

		memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
		appendStringInfo(buf, " position %u entry %u entries %u bytes %u", xlrec.position,
						 xlrec.first_entry, xlrec.entries, xlrec.length);
	}
	else if (info == XLOG_PGT_SWAP)
	{
		xl_pgt_swap xlrec;

		memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
		appendStringInfo(buf, " replaces %u", xlrec.replaced);
	}
	else if (info == XLOG_PGT_DISCARD)
	{
		xl_pgt_discard xlrec;

		memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
	}
	else if (info == XLOG_PGT_DROP || info == XLOG_PGT_RESERVE)
		describe_partitions(buf, info, pgt_wal_record_data(record));
	else if (info == XLOG_PGT_SETTINGS)
	{
		xl_pgt_settings xlrec;

		memcpy(&xlrec.max_partitions, pgt_wal_record_data(record), sizeof(xlrec.max_partitions));
		appendStringInfo(buf, "max_partitions %d", xlrec.max_partitions);
		if (pgt_wal_record_length(record) >= sizeof(xlrec))
		{
			memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
			appendStringInfo(buf, " kafka_max_transactions %d", xlrec.kafka_max_transactions);
		}
	}
	else if (info == XLOG_PGT_PRODUCER_IDS)
	{
		xl_pgt_producer_ids xlrec;

		memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
		appendStringInfo(buf, "end %llu", (unsigned long long) xlrec.end);
	}
	else
		describe_kafka(buf, info, pgt_wal_record_data(record));
}

const char *
pgt_log_desc_identify(uint8 info)
{
	switch (info & XLR_RMGR_INFO_MASK)
	{
		case XLOG_PGT_APPEND:
			return "APPEND";
		case XLOG_PGT_SYNC:
			return "SYNC";
		case XLOG_PGT_RESOLVE:
			return "RESOLVE";
		case XLOG_PGT_DELETE:
			return "DELETE";
		case XLOG_PGT_DROP:
			return "DROP";
		case XLOG_PGT_REWRITE:
			return "REWRITE";
		case XLOG_PGT_SWAP:
			return "SWAP";
		case XLOG_PGT_DISCARD:
			return "DISCARD";
		case XLOG_PGT_SETTINGS:
			return "SETTINGS";
		case XLOG_PGT_RESERVE:
			return "RESERVE";
		case XLOG_PGT_PRODUCER_IDS:
			return "PRODUCER_IDS";
		case XLOG_PGT_KAFKA_BEGIN:
			return "KAFKA_BEGIN";
		case XLOG_PGT_KAFKA_END:
			return "KAFKA_END";
		case XLOG_PGT_SETTLE:
			return "SETTLE";
		case XLOG_PGT_KAFKA_SETTLED:
			return "KAFKA_SETTLED";
	}
	return NULL;
}
