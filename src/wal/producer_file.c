/*
 * producer_file.c
 *	  The file <log_dir>/producers: what partitions remember of idempotent producers, and
 *	  which producer ids were given out.
 *
 * producer_file_format.h describes its bytes; this file writes and reads them.
 *
 * A sync collects partitions and their producers under the same hold of each slot's lock,
 * and writes this file before the recovery point, if any of it has changed.  A checkpoint
 * completes only after that.  So the file has at least all that the WAL before the redo pointer
 * says, and redo brings what comes after; what the file has of that already is taken back and
 * brought again (producer_sequence.c).  A base backup has the file of some moment while it was
 * made, and recovery goes past that moment.
 *
 * Like the recovery point it never has what the WAL may still lose: the WAL is flushed first, and
 * of transactions that were seen to have committed it only has those that are resolved.
 *
 * If the file is missing, as after an update from a version that had none, or if it is damaged,
 * no producer is known but from redo.  Then the next batch of each producer is taken,
 * whatever its number is.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "log/producer_state.h"
#include "util/format_version.h"
#include "wal/checkpoint_file.h"
#include "wal/producer_file.h"
#include "wal/recovery_point.h"

#define FILE_NAME	"producers"

void
pgt_producer_file_write(const ProducerFileEntry *entries, int count, uint64 next_producer_id)
{
	ProducerFileHeader header;

	pgt_producer_file_format_seal(&header, GetSystemIdentifier(), next_producer_id, entries, count);
	pgt_checkpoint_file_replace(FILE_NAME, &header, sizeof(header), entries, count * sizeof(*entries));
}

/* Check the bytes of the file.  NULL or the problem.  ERROR if it has a version that this library does not read. */
static const char *
check_bytes(const char *bytes, size_t length, ProducerFileHeader *header)
{
	const char *problem = pgt_producer_file_format_check_header(bytes, length, header);
	char		path[MAXPGPATH];

	if (problem != NULL)
		return problem;
	pgt_checkpoint_file_path(path, FILE_NAME);
	pgt_format_version_check_file(&PRODUCER_FILE_VERSIONS, header->version, path);
	pgt_recovery_point_check_system(header->system_identifier);
	return pgt_producer_file_format_check_entries(bytes, length, header);
}

void
pgt_producer_file_load(void)
{
	ProducerFileHeader header;
	char		path[MAXPGPATH];
	char	   *bytes = NULL;
	const char *problem;
	ssize_t		length = pgt_checkpoint_file_read(FILE_NAME, &bytes);

	if (length < 0)
		return;
	problem = check_bytes(bytes, length, &header);
	if (problem == NULL)
	{
		pgt_log_state->producer_ids_end = pgt_log_state->next_producer_id = header.next_producer_id;
		pgt_producer_state_restore((ProducerFileEntry *) (bytes + sizeof(header)), header.count);
		/* what was adopted is to be this cluster's from the next checkpoint on */
		if (header.system_identifier != GetSystemIdentifier())
			pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
		return;
	}
	pgt_checkpoint_file_path(path, FILE_NAME);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("file of producers \"%s\" is damaged; idempotent producers are forgotten", path),
			 errdetail("The problem: %s.", problem),
			 errhint("A batch that is sent again now may be in a topic twice.")));
}
