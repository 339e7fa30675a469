/*
 * producer_file_format.h
 *	  The bytes of the file of idempotent producers, in the byte order of the machine.
 *
 *	  header   magic, version, system identifier, count, CRC of the entries,
 *			   the next producer id, CRC of the header
 *	  entry*   a producer in a partition, 168 bytes each
 *
 * In all versions of the format the header is 40 bytes, with magic and version in front
 * and the checksum of the rest in the last four, as in the recovery point.
 *
 * These functions do no I/O; producer_file.c reads and writes the file.
 */
#ifndef PRODUCER_FILE_FORMAT_H
#define PRODUCER_FILE_FORMAT_H

#include "format/producer_sequence.h"
#include "format/topic_partition.h"
#include "util/format_version.h"

#define PRODUCER_FILE_MAGIC		0x50475450	/* "PGTP" */
#define PRODUCER_FILE_VERSION	1

/* What this library reads: for pgt_format_version_check_file(). */
#define PRODUCER_FILE_VERSIONS	((FormatVersions) {"files of producers", 1, PRODUCER_FILE_VERSION})

typedef struct ProducerFileHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	uint32		count;
	uint32		entries_crc;
	uint64		next_producer_id;	/* see producer_ids.c; 0: none was given out */
	uint32		reserved;
	uint32		crc;			/* of the bytes before */
} ProducerFileHeader;

typedef struct ProducerFileEntry
{
	TopicPartition key;
	uint32		unused;			/* 0 */
	ProducerSequence sequence;
} ProducerFileEntry;

StaticAssertDecl(sizeof(ProducerFileHeader) == 40, "header of the file of producers is 40 bytes");
StaticAssertDecl(sizeof(ProducerFileEntry) == 168, "entry of the file of producers is 168 bytes");

/* Fill the header for these entries, CRCs included. */
extern void pgt_producer_file_format_seal(ProducerFileHeader *header, uint64 system_identifier,
										  uint64 next_producer_id, const ProducerFileEntry *entries,
										  uint32 count);

/*
 * Copy the header from the "length" bytes of a file, and check that it is whole.  NULL or
 * the problem.  A whole header may still be of another version, whose entries must not
 * be checked.
 */
extern const char *pgt_producer_file_format_check_header(const char *bytes, size_t length,
														 ProducerFileHeader *header);

/* Check the entries, which are all that follows the header.  NULL or the problem. */
extern const char *pgt_producer_file_format_check_entries(const char *bytes, size_t length,
														  const ProducerFileHeader *header);

#endif							/* PRODUCER_FILE_FORMAT_H */
