/*
 * key_index_writer.c
 *	  Writing a file with keys of a segment, and removing such files.
 *
 * A file is written from its first leaf to its root under the name <base>.keys_new; the
 * header, which makes it valid, comes last.  Then it is synced and renamed, and counts.
 *
 * What a crash leaves:
 *
 *	  before the rename			an unfinished file, which nobody opens; the next one written
 *								for the segment takes its place, or a collection removes it
 *	  after it					the file, and perhaps those that were merged into it: readers
 *								leave out what lies in the range of another
 *
 * Nothing is logged: a standby has no such files but those that came with its base backup.
 * A segment's files go with it, in pgt_segment_unlink().
 *
 * Memory: a context below the current one, with a buffer of some pages and the first hash of
 * each leaf.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "common/pg_prng.h"
#include "log/key_index_writer.h"
#include "storage/fd.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define BUFFER_PAGES	32

struct KeyIndexWriter
{
	MemoryContext context;
	TopicPartition key;
	SegmentId	id;
	char		path[MAXPGPATH];
	File		file;			/* -1: closed */
	bool		finished;
	KeyIndexHeader header;
	KeyLeafWriter leaf;
	KeySlotEntry last;
	uint64		added;

	/* first hashes of the pages of the level under way */
	uint32	   *hashes;
	uint32		hash_count;
	uint32		hash_capacity;

	/* pages not yet written, up to next_page */
	char	   *buffer;
	int			buffered;
	uint32		next_page;
};

/* ---- pages ---------------------------------------------------------------- */

/* Write bytes at a position; ERROR if the disk is full. */
static void
write_bytes(KeyIndexWriter *writer, const char *bytes, int length, off_t position)
{
	int			written;

	errno = 0;
	written = FAULT_ERROR("key-index-write") ? -1 :
		FileWrite(writer->file, (char *) bytes, length, position, WAIT_EVENT_DATA_FILE_WRITE);
	if (written == length)
		return;
	if (errno == 0)
		errno = ENOSPC;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write to topic file \"%s\": %m", writer->path),
			 errhint("Check free disk space.")));
}

/* Write the buffered pages. */
static void
flush_buffer(KeyIndexWriter *writer)
{
	if (writer->buffered > 0)
		write_bytes(writer, writer->buffer, writer->buffered * KEY_INDEX_PAGE_SIZE,
					(off_t) (writer->next_page - writer->buffered) * KEY_INDEX_PAGE_SIZE);
	writer->buffered = 0;
}

/* The next page of the file, to be filled in the buffer. */
static uint8 *
next_page(KeyIndexWriter *writer)
{
	if (writer->buffered == BUFFER_PAGES)
		flush_buffer(writer);
	writer->next_page++;
	return (uint8 *) writer->buffer + writer->buffered++ * KEY_INDEX_PAGE_SIZE;
}

/* Finish the leaf being filled, if it has slots. */
static void
finish_leaf(KeyIndexWriter *writer)
{
	if (writer->leaf.count == 0)
		return;
	pgt_key_leaf_writer_seal(&writer->leaf, writer->next_page);
	memcpy(next_page(writer), writer->leaf.page, KEY_INDEX_PAGE_SIZE);
	writer->header.leaves++;
	pgt_key_leaf_writer_begin(&writer->leaf, &writer->header);
}

/* Note the first hash of a leaf. */
static void
note_leaf(KeyIndexWriter *writer, uint32 hash)
{
	if (writer->hash_count == writer->hash_capacity)
	{
		writer->hash_capacity *= 2;
		writer->hashes = repalloc_huge(writer->hashes, writer->hash_capacity * sizeof(uint32));
	}
	writer->hashes[writer->hash_count++] = hash;
}

/* Write the inner pages, level by level; the first hashes of each level replace those below. */
static void
write_levels(KeyIndexWriter *writer)
{
	while (writer->hash_count > 1)
	{
		uint32		pages = 0;

		for (uint32 done = 0; done < writer->hash_count; pages++)
		{
			uint32		first = writer->hashes[done];
			uint32		number = writer->next_page;

			done += pgt_key_index_page_make_inner(next_page(writer), &writer->header, number,
											 writer->hashes + done, writer->hash_count - done);
			writer->hashes[pages] = first;
		}
		writer->hash_count = pages;
	}
}

/* ---- the interface ----------------------------------------------------------- */

KeyIndexWriter *
pgt_key_index_writer_begin(Segment *segment, uint32 first_entry, uint32 end_entry, uint64 slots)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics key index writer",
												  ALLOCSET_DEFAULT_SIZES);
	KeyIndexWriter *writer = MemoryContextAllocZero(context, sizeof(KeyIndexWriter));
	IndexEntry	last;

	if (pgt_segment_read_entries(segment, end_entry - 1, 1, &last) != 1)
		elog(ERROR, "entry %u of a segment is missing", end_entry - 1);
	writer->context = context;
	writer->key = segment->key;
	writer->id = segment->id;
	pgt_key_index_header_init(&writer->header, GetSystemIdentifier(), segment->id, first_entry, end_entry,
							  &last, slots, pg_prng_uint64(&pg_global_prng_state));
	pgt_key_leaf_writer_begin(&writer->leaf, &writer->header);
	writer->hash_capacity = 1024;
	writer->hashes = MemoryContextAlloc(context, writer->hash_capacity * sizeof(uint32));
	writer->buffer = MemoryContextAlloc(context, BUFFER_PAGES * KEY_INDEX_PAGE_SIZE);
	writer->next_page = 1;
	pgt_segment_keys_path(writer->path, &segment->key, segment->id, SEGMENT_NEW_KEYS);
	writer->file = FAULT_ERROR("key-index-create") ? -1 :
		PathNameOpenFile(writer->path, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	if (writer->file < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open topic file \"%s\": %m", writer->path)));
	return writer;
}

void
pgt_key_index_writer_add(KeyIndexWriter *writer, KeySlotEntry slot)
{
	if (writer->added > 0 && slot.hash == writer->last.hash && slot.entry == writer->last.entry)
		return;
	if (!pgt_key_leaf_writer_add(&writer->leaf, slot))
	{
		finish_leaf(writer);
		(void) pgt_key_leaf_writer_add(&writer->leaf, slot);
	}
	if (writer->leaf.count == 1)
		note_leaf(writer, slot.hash);
	writer->last = slot;
	writer->added++;
}

int64
pgt_key_index_writer_finish(KeyIndexWriter *writer, PartitionState *state, KeyIndexKeys keys, int number)
{
	char		path[MAXPGPATH];

	finish_leaf(writer);
	write_levels(writer);
	flush_buffer(writer);
	/* the number of slots was an estimate from above, and set how they are written */
	writer->header.slots = writer->added;
	writer->header.keys = keys;
	pgt_key_index_header_seal(&writer->header);
	memset(writer->buffer, 0, KEY_INDEX_PAGE_SIZE);
	memcpy(writer->buffer, &writer->header, sizeof(writer->header));
	write_bytes(writer, writer->buffer, KEY_INDEX_PAGE_SIZE, 0);
	FileClose(writer->file);
	writer->file = -1;
	FAULT_POINT("key-index-written");
	pgt_segment_keys_path(path, &writer->key, writer->id, number);
	(void) durable_rename(writer->path, path, ERROR);
	writer->finished = true;
	FAULT_POINT("key-index-renamed");
	pgt_key_index_files_changed(state);
	return (int64) writer->next_page * KEY_INDEX_PAGE_SIZE;
}

void
pgt_key_index_writer_end(KeyIndexWriter *writer)
{
	if (writer->file >= 0)
		FileClose(writer->file);
	if (!writer->finished)
		(void) unlink(writer->path);
	MemoryContextDelete(writer->context);
}

/* ---- removing ------------------------------------------------------------------ */

/* Remove a file; it need not exist. */
static void
remove_file(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not remove topic file \"%s\": %m", path)));
}

void
pgt_key_index_writer_remove(PartitionState *state, SegmentId id, int number)
{
	char		path[MAXPGPATH];

	pgt_segment_keys_path(path, &state->key, id, number);
	remove_file(path);
	FAULT_POINT("key-index-removed");
	pgt_key_index_files_changed(state);
}

/* Is the file of any use? */
static bool
is_of_use(const TopicPartition *key, const char *name, SegmentId id, bool keep)
{
	char		path[MAXPGPATH];

	if (!keep || strstr(name, ".keys_new") != NULL)
		return false;
	pgt_segment_log_path(path, key, id);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int
pgt_key_index_writer_collect(PartitionState *state, bool keep)
{
	char		directory[MAXPGPATH];
	char		path[MAXPGPATH * 2];
	DIR		   *dir;
	struct dirent *de;
	int			removed = 0;

	pgt_log_directory_partition_path(directory, &state->key);
	dir = AllocateDir(directory);
	if (dir == NULL && errno == ENOENT)
		return 0;
	while ((de = ReadDir(dir, directory)) != NULL)
	{
		SegmentId	id;

		if (!pgt_segment_parse_keys_name(de->d_name, &id) ||
			is_of_use(&state->key, de->d_name, id, keep))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, de->d_name);
		remove_file(path);
		removed++;
	}
	FreeDir(dir);
	if (removed > 0)
		pgt_key_index_files_changed(state);
	return removed;
}
