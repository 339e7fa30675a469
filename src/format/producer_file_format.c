/*
 * producer_file_format.c
 *	  The bytes of the file of idempotent producers: sealing and checking them.
 *
 * See producer_file_format.h for the format.  Checking trusts no byte, as in
 * recovery_point_format.c.
 *
 * No I/O here: the fuzz target runs these functions without a server.
 */
#include "postgres.h"

#include "format/producer_file_format.h"
#include "util/crc32c.h"

void
pgt_producer_file_format_seal(ProducerFileHeader *header, uint64 system_identifier,
							  uint64 next_producer_id, const ProducerFileEntry *entries, uint32 count)
{
	memset(header, 0, sizeof(*header));
	header->magic = PRODUCER_FILE_MAGIC;
	header->version = PRODUCER_FILE_VERSION;
	header->system_identifier = system_identifier;
	header->count = count;
	header->next_producer_id = next_producer_id;
	header->entries_crc = pgt_crc32c(entries, count * sizeof(*entries));
	header->crc = pgt_crc32c(header, offsetof(ProducerFileHeader, crc));
}

const char *
pgt_producer_file_format_check_header(const char *bytes, size_t length, ProducerFileHeader *header)
{
	if (length < sizeof(*header))
		return "the header is cut off";
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != PRODUCER_FILE_MAGIC)
		return "the header is not that of a file of producers";
	if (header->crc != pgt_crc32c(header, offsetof(ProducerFileHeader, crc)))
		return "the header's checksum does not match";
	return NULL;
}

const char *
pgt_producer_file_format_check_entries(const char *bytes, size_t length, const ProducerFileHeader *header)
{
	size_t		size = length - sizeof(*header);

	bytes += sizeof(*header);
	if (header->count != size / sizeof(ProducerFileEntry) ||
		size % sizeof(ProducerFileEntry) != 0)
		return "the number of entries is not what the header says";
	if (header->entries_crc != pgt_crc32c(bytes, size))
		return "the entries' checksum does not match";
	for (uint32 i = 0; i < header->count; i++)
	{
		ProducerFileEntry entry;
		const char *problem;

		memcpy(&entry, bytes + i * sizeof(entry), sizeof(entry));
		if (entry.key.partition < 0)
			return "an entry has a negative partition";
		problem = pgt_producer_sequence_problem(&entry.sequence);
		if (problem != NULL)
			return problem;
	}
	return NULL;
}
