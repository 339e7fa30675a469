/*
 * kafka_txn_file.c
 *	  The file <log_dir>/kafka_transactions: which Kafka transactions are open, or have batches
 *	  whose entries do not tell their outcome, and to what they are mapped.
 *
 * kafka_txn_file_format.h describes its bytes; this file writes and reads them.
 *
 * A sync copies the table behind all partitions, and writes this file before the recovery point, if
 * the table has changed.  A checkpoint completes only after that.  So the file has all that the
 * WAL before the redo pointer says and that is needed still, and redo brings what comes after.
 * The file may be from a later moment than the WAL from which redo starts, after a crash
 * between writing the two files, or in a base backup:
 *
 *	  it lacks one that was resolved meanwhile		an append in redo brings it back, with its end to
 *									come; SETTLE says itself what entries get
 *	  it has one that was begun or ended meanwhile	its records come, and say the same
 *	  it has a part of which batches are to come	redo sets the part with each of them
 *
 * Nobody asks before redo is past the moment of the file, since writing it flushes the WAL up to
 * there, which in recovery raises the minimum recovery point.
 *
 * If the file is missing, as after an update from a version that had none, there is no Kafka
 * transaction but from redo.  If it is damaged, or was lost, batches of its transactions stay
 * unresolved, as those of transactions that the commit log has forgotten (log_resolve.c).
 */
#include "postgres.h"

#include "access/xlog.h"
#include "log/log_state.h"
#include "util/format_version.h"
#include "wal/checkpoint_file.h"
#include "wal/kafka_txn_file.h"
#include "wal/recovery_point.h"

#define FILE_NAME	"kafka_transactions"

void
pgt_kafka_txn_file_write(const char *bytes, const KafkaTxnSaved *saved)
{
	KafkaTxnFileHeader header;

	pgt_kafka_txn_file_format_seal(&header, GetSystemIdentifier(), saved->max_transactions, bytes,
								   saved->transactions, saved->parts);
	pgt_checkpoint_file_replace(FILE_NAME, &header, sizeof(header), bytes,
								pgt_kafka_txn_file_format_length(saved->transactions, saved->parts));
}

/* Check the bytes of the file.  NULL or the problem.  ERROR if it has a version that this library does not read. */
static const char *
check_bytes(const char *bytes, size_t length, KafkaTxnFileHeader *header)
{
	const char *problem = pgt_kafka_txn_file_format_check_header(bytes, length, header);
	char		path[MAXPGPATH];

	if (problem != NULL)
		return problem;
	pgt_checkpoint_file_path(path, FILE_NAME);
	pgt_format_version_check_file(&KAFKA_TXN_FILE_VERSIONS, header->version, path);
	pgt_recovery_point_check_system(header->system_identifier);
	return pgt_kafka_txn_file_format_check_entries(bytes, length, header);
}

/* Take over a part.  False if there is no room. */
static bool
restore_part(const KafkaTxnFilePart *part)
{
	PartitionState *state = pgt_log_state_find(&part->key);

	/* its partition was dropped since, or redo makes it and all that is in it */
	if (state == NULL)
		return true;
	return pgt_kafka_txn_map_restore_part(part, pgt_log_state_slot_number(state), state->next_offset);
}

/* Take over all of the file.  False if there is no room. */
static bool
restore(const char *bytes, const KafkaTxnFileHeader *header)
{
	const KafkaTxnFileEntry *entries = (const KafkaTxnFileEntry *) (bytes + sizeof(*header));
	const KafkaTxnFilePart *parts = (const KafkaTxnFilePart *) (entries + header->transactions);

	for (uint32 i = 0; i < header->transactions; i++)
		if (!pgt_kafka_txn_map_restore(&entries[i]))
			return false;
	for (uint32 i = 0; i < header->parts; i++)
		if (!restore_part(&parts[i]))
			return false;
	pgt_kafka_txn_map_restored();
	return true;
}

void
pgt_kafka_txn_file_load(void)
{
	KafkaTxnFileHeader header;
	char		path[MAXPGPATH];
	char	   *bytes = NULL;
	const char *problem;
	ssize_t		length = pgt_checkpoint_file_read(FILE_NAME, &bytes);

	if (length < 0)
		return;
	problem = check_bytes(bytes, length, &header);
	pgt_checkpoint_file_path(path, FILE_NAME);
	if (problem != NULL)
	{
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("file of Kafka transactions \"%s\" is damaged; they are forgotten", path),
				 errdetail("The problem: %s.", problem),
				 errhint("Where one of them has records, readers stop until pg_topics.forgotten_transactions says whether these count.")));
		return;
	}
	pgt_kafka_txn_map_set_wal_max(header.max_transactions);
	if (!restore(bytes, &header))
		ereport(FATAL,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("file of Kafka transactions \"%s\" has more than this server has room for: %u, with %u partitions",
						path, header.transactions, header.parts),
				 errhint("Raise pg_topics.kafka_max_transactions, which is %d, and start the server again.",
						 pgt_kafka_max_transactions)));
}
