/*
 * recovery_point_format.h
 *	  The bytes of the recovery point, in the byte order of the machine, as
 *	  everything else in a data directory.
 *
 *	  header   magic, version, system identifier, count, CRC of the entries,
 *			   max_partitions of the server that wrote the WAL, the ID of its
 *			   resource manager, CRC of the header
 *	  entry*   one for each partition, 64 bytes each
 *
 * In all versions of the format the header is 40 bytes, with magic and version in front
 * and the checksum of the rest in the last four, so that each library can tell a newer
 * version from damage.  A newer version may change all else.
 *
 * These functions do no I/O; recovery_point.c reads and writes the file.
 */
#ifndef RECOVERY_POINT_FORMAT_H
#define RECOVERY_POINT_FORMAT_H

#include "format/topic_partition.h"
#include "util/format_version.h"

#define RECOVERY_POINT_MAGIC	0x50475452	/* "PGTR" */
#define RECOVERY_POINT_VERSION	1

/* What this library reads: for pgt_format_version_check_file(). */
#define RECOVERY_POINT_VERSIONS	((FormatVersions) {"recovery points", 1, RECOVERY_POINT_VERSION})

typedef struct RecoveryPointHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	uint32		count;
	uint32		entries_crc;
	uint32		max_partitions; /* as LogState.wal_max_partitions; 0: not known */
	uint32		rmgr_id;		/* of the WAL records; see log_redo.c */
	uint32		reserved;
	uint32		crc;			/* of the bytes before */
} RecoveryPointHeader;

/* One partition, as of the last time that everything was synced. */
typedef struct RecoveryPointEntry
{
	TopicPartition key;
	uint32		active_entries;
	int64		active_base;
	int64		next_offset;
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that was deleted */
	int64		resolved_offset;
	uint32		active_end;
	uint32		since_interleaved;	/* next_offset - interleaved_end, or the largest number where that is more */
} RecoveryPointEntry;

StaticAssertDecl(sizeof(RecoveryPointHeader) == 40, "recovery point header is 40 bytes");
StaticAssertDecl(sizeof(RecoveryPointEntry) == 64, "recovery point entry is 64 bytes");

/* Fill the header for these entries, CRCs included. */
extern void pgt_recovery_point_format_seal(RecoveryPointHeader *header, uint64 system_identifier,
										   uint32 max_partitions, uint32 rmgr_id,
										   const RecoveryPointEntry *entries, uint32 count);

/*
 * Copy the header from the "length" bytes of a file, and check that it is whole.  NULL or
 * the problem.  A whole header may still be of another version, whose entries must not
 * be checked.
 */
extern const char *pgt_recovery_point_format_check_header(const char *bytes, size_t length,
														  RecoveryPointHeader *header);

/* Check the entries, which are all that follows the header.  NULL or the problem. */
extern const char *pgt_recovery_point_format_check_entries(const char *bytes, size_t length,
														   const RecoveryPointHeader *header);

#endif							/* RECOVERY_POINT_FORMAT_H */
