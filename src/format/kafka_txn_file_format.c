/*
 * kafka_txn_file_format.c
 *	  The bytes of the file of Kafka transactions: sealing and checking them.
 *
 * See kafka_txn_file_format.h for the format.  Checking trusts no byte, as in
 * recovery_point_format.c.  A part must be of a transaction of the file, or of one that was
 * forgotten while the file was collected: that is for the reader to find out.
 *
 * No I/O here: the fuzz target runs these functions without a server.
 */
#include "postgres.h"

#include "format/kafka_txn_file_format.h"
#include "format/segment_index.h"
#include "util/crc32c.h"

void
pgt_kafka_txn_file_format_seal(KafkaTxnFileHeader *header, uint64 system_identifier, uint32 max_transactions,
							   const char *bytes, uint32 transactions, uint32 parts)
{
	memset(header, 0, sizeof(*header));
	header->magic = KAFKA_TXN_FILE_MAGIC;
	header->version = KAFKA_TXN_FILE_VERSION;
	header->system_identifier = system_identifier;
	header->transactions = transactions;
	header->parts = parts;
	header->max_transactions = max_transactions;
	header->entries_crc = pgt_crc32c(bytes, pgt_kafka_txn_file_format_length(transactions, parts));
	header->crc = pgt_crc32c(header, offsetof(KafkaTxnFileHeader, crc));
}

const char *
pgt_kafka_txn_file_format_check_header(const char *bytes, size_t length, KafkaTxnFileHeader *header)
{
	if (length < sizeof(*header))
		return "the header is cut off";
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != KAFKA_TXN_FILE_MAGIC)
		return "the header is not that of a file of Kafka transactions";
	if (header->crc != pgt_crc32c(header, offsetof(KafkaTxnFileHeader, crc)))
		return "the header's checksum does not match";
	return NULL;
}

/* Can a transaction have these numbers? */
static bool
is_possible(const KafkaTxnFileEntry *entry)
{
	return (entry->number & ENTRY_NUMBERED) != 0 && (entry->xid & ENTRY_NUMBERED) == 0 &&
		entry->producer_id >= 0 && entry->producer_epoch >= 0 && entry->aborted <= 1 &&
		(entry->aborted == 0 || entry->xid != 0);
}

/* Can a part have these? */
static bool
is_possible_part(const KafkaTxnFilePart *part)
{
	return (part->number & ENTRY_NUMBERED) != 0 && part->key.partition >= 0 &&
		part->first_offset >= 0 && part->end_offset > part->first_offset;
}

const char *
pgt_kafka_txn_file_format_check_entries(const char *bytes, size_t length, const KafkaTxnFileHeader *header)
{
	size_t		size = length - sizeof(*header);

	bytes += sizeof(*header);
	if (size != pgt_kafka_txn_file_format_length(header->transactions, header->parts))
		return "the number of entries is not what the header says";
	if (header->entries_crc != pgt_crc32c(bytes, size))
		return "the entries' checksum does not match";
	for (uint32 i = 0; i < header->transactions; i++, bytes += sizeof(KafkaTxnFileEntry))
	{
		KafkaTxnFileEntry entry;

		memcpy(&entry, bytes, sizeof(entry));
		if (!is_possible(&entry))
			return "a transaction has a number that is out of range";
	}
	for (uint32 i = 0; i < header->parts; i++, bytes += sizeof(KafkaTxnFilePart))
	{
		KafkaTxnFilePart part;

		memcpy(&part, bytes, sizeof(part));
		if (!is_possible_part(&part))
			return "a part of a transaction has a number that is out of range";
	}
	return NULL;
}
