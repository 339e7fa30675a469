/*
 * kafka_txn_file_format.h
 *	  The bytes of the file of Kafka transactions, in the byte order of the machine.
 *
 *	  header		magic, version, system identifier, how many there are of both kinds, CRC of
 *					all that follows, room of the server that wrote the WAL, CRC of the header
 *	  transaction*	40 bytes each
 *	  part*			what a transaction has in a partition, 40 bytes each
 *
 * In all versions of the format the header is 40 bytes, with magic and version in front
 * and the checksum of the rest in the last four, as in the recovery point.
 *
 * These functions do no I/O; kafka_txn_file.c reads and writes the file.
 */
#ifndef KAFKA_TXN_FILE_FORMAT_H
#define KAFKA_TXN_FILE_FORMAT_H

#include "format/topic_partition.h"
#include "util/format_version.h"

#define KAFKA_TXN_FILE_MAGIC	0x5047544B	/* "PGTK" */
#define KAFKA_TXN_FILE_VERSION	1

/* What this library reads: for pgt_format_version_check_file(). */
#define KAFKA_TXN_FILE_VERSIONS	((FormatVersions) {"files of Kafka transactions", 1, KAFKA_TXN_FILE_VERSION})

typedef struct KafkaTxnFileHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	uint32		transactions;
	uint32		parts;
	uint32		entries_crc;
	uint32		max_transactions;	/* the setting of the server that wrote the WAL; 0: not known */
	uint32		reserved;
	uint32		crc;			/* of the bytes before */
} KafkaTxnFileHeader;

/* A transaction that is open, or has batches whose entries do not tell its outcome yet. */
typedef struct KafkaTxnFileEntry
{
	uint64		number;
	uint64		xid;			/* of the transaction that has ended it; 0: it is open */
	int64		producer_id;
	int64		started;		/* TimestampTz */
	Oid			database;
	int16		producer_epoch;
	uint8		aborted;		/* 0 or 1: it was not committed by that transaction, but aborted */
	uint8		unused;			/* 0 */
} KafkaTxnFileEntry;

/* Its batches in one partition. */
typedef struct KafkaTxnFilePart
{
	uint64		number;
	int64		first_offset;	/* of its first batch there */
	int64		end_offset;		/* behind its last one */
	TopicPartition key;
	uint32		unused;			/* 0 */
} KafkaTxnFilePart;

StaticAssertDecl(sizeof(KafkaTxnFileHeader) == 40, "header of the file of Kafka transactions is 40 bytes");
StaticAssertDecl(sizeof(KafkaTxnFileEntry) == 40, "a Kafka transaction is 40 bytes");
StaticAssertDecl(sizeof(KafkaTxnFilePart) == 40, "a part of a Kafka transaction is 40 bytes");

/* The bytes behind the header, for so many of both kinds. */
static inline size_t
pgt_kafka_txn_file_format_length(uint32 transactions, uint32 parts)
{
	return (size_t) transactions * sizeof(KafkaTxnFileEntry) + (size_t) parts * sizeof(KafkaTxnFilePart);
}

/* Fill the header for these bytes, which are all that follows it, CRCs included. */
extern void pgt_kafka_txn_file_format_seal(KafkaTxnFileHeader *header, uint64 system_identifier,
										   uint32 max_transactions, const char *bytes,
										   uint32 transactions, uint32 parts);

/*
 * Copy the header from the "length" bytes of a file, and check that it is whole.  NULL or the
 * problem.  A whole header may still be of another version, whose entries must not be checked.
 */
extern const char *pgt_kafka_txn_file_format_check_header(const char *bytes, size_t length,
														  KafkaTxnFileHeader *header);

/* Check what follows the header.  NULL or the problem. */
extern const char *pgt_kafka_txn_file_format_check_entries(const char *bytes, size_t length,
														   const KafkaTxnFileHeader *header);

#endif							/* KAFKA_TXN_FILE_FORMAT_H */
