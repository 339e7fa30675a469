/*
 * recovery_point_format.c
 *	  The bytes of the recovery point: sealing and checking them.
 *
 * See recovery_point_format.h for the format.  Checking trusts no byte: the count of
 * entries is compared with the bytes that are there before it is used, and an entry with
 * an impossible number is damage, like a wrong CRC.
 *
 * No I/O here: the fuzz target runs these functions without a server.
 */
#include "postgres.h"

#include "format/recovery_point_format.h"
#include "util/crc32c.h"

void
pgt_recovery_point_format_seal(RecoveryPointHeader *header, uint64 system_identifier,
							   uint32 max_partitions, uint32 rmgr_id,
							   const RecoveryPointEntry *entries, uint32 count)
{
	memset(header, 0, sizeof(*header));
	header->magic = RECOVERY_POINT_MAGIC;
	header->version = RECOVERY_POINT_VERSION;
	header->system_identifier = system_identifier;
	header->count = count;
	header->max_partitions = max_partitions;
	header->rmgr_id = rmgr_id;
	header->entries_crc = pgt_crc32c(entries, count * sizeof(*entries));
	header->crc = pgt_crc32c(header, offsetof(RecoveryPointHeader, crc));
}

const char *
pgt_recovery_point_format_check_header(const char *bytes, size_t length, RecoveryPointHeader *header)
{
	if (length < sizeof(*header))
		return "the header is cut off";
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != RECOVERY_POINT_MAGIC)
		return "the header is not that of a recovery point";
	if (header->crc != pgt_crc32c(header, offsetof(RecoveryPointHeader, crc)))
		return "the header's checksum does not match";
	return NULL;
}

/* Can a partition have these numbers? */
static bool
is_possible(const RecoveryPointEntry *entry)
{
	return entry->key.partition >= 0 &&
		entry->active_base >= -1 &&
		entry->next_offset >= 0 &&
		entry->deleted_end >= 0 &&
		entry->log_start_offset >= entry->deleted_end &&
		entry->resolved_offset >= 0;
}

const char *
pgt_recovery_point_format_check_entries(const char *bytes, size_t length,
										const RecoveryPointHeader *header)
{
	size_t		size = length - sizeof(*header);

	bytes += sizeof(*header);
	if (header->count != size / sizeof(RecoveryPointEntry) ||
		size % sizeof(RecoveryPointEntry) != 0)
		return "the number of entries is not what the header says";
	if (header->entries_crc != pgt_crc32c(bytes, size))
		return "the entries' checksum does not match";
	for (uint32 i = 0; i < header->count; i++)
	{
		RecoveryPointEntry entry;

		memcpy(&entry, bytes + i * sizeof(entry), sizeof(entry));
		if (!is_possible(&entry))
			return "an entry has a number that is out of range";
	}
	return NULL;
}
