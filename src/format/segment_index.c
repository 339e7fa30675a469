/*
 * segment_index.c
 *	  The bytes of an index file: header and entries, sealed and checked.
 *
 * See segment_index.h for the format.  Header and entries end in a CRC-32C of all their
 * bytes before it.  A header that is not ours, is damaged or of another segment
 * is reported as a constant string; an entry is valid or not.  The numbers in a
 * valid entry also fit each other, even if somebody forged the CRC.
 *
 * The system identifier in the header says which cluster wrote the file.  It is there for
 * whoever finds a lost file; loading compares the one in the recovery point, and
 * that of the segments only if there is no recovery point (log_load.c).
 *
 * span.previous_end lets a reader that enters the segment notice that the segment before
 * it is missing or cut: that one must have ended there.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "format/record_batch.h"
#include "format/segment_index.h"
#include "util/crc32c.h"

void
pgt_index_header_init(IndexHeader *header, SegmentId id, const SegmentSpan *span,
					  XLogRecPtr swap_lsn)
{
	memset(header, 0, sizeof(*header));
	header->magic = INDEX_MAGIC;
	header->version = INDEX_VERSION;
	header->system_identifier = GetSystemIdentifier();
	header->base_offset = id.base;
	header->swap_lsn = swap_lsn;
	header->span = *span;
	header->generation = id.generation;
	header->crc = pgt_crc32c(header, offsetof(IndexHeader, crc));
}

bool
pgt_index_header_is_whole(const IndexHeader *header)
{
	return header->magic == INDEX_MAGIC &&
		header->crc == pgt_crc32c(header, offsetof(IndexHeader, crc));
}

const char *
pgt_index_header_check(const IndexHeader *header, SegmentId id)
{
	if (header->magic != INDEX_MAGIC)
		return "the header is not that of a segment index";
	if (header->crc != pgt_crc32c(header, offsetof(IndexHeader, crc)))
		return "the header's checksum does not match";
	if (!pgt_format_version_is_known(&INDEX_VERSIONS, header->version))
		return "the index has a format version that this library does not know";
	if (header->base_offset != id.base)
		return "the header names another base offset";
	if (header->generation != id.generation)
		return "the header names another generation";
	return NULL;
}

void
pgt_index_entry_set_dense(IndexEntry *entry, const char *batch)
{
	RecordBatchHeader header;

	entry->flags &= ~ENTRY_DENSE;
	if (pgt_record_batch_read_header(batch, RECORD_BATCH_HEADER_SIZE, &header) == NULL &&
		header.record_count == pgt_index_entry_offsets(entry))
		entry->flags |= ENTRY_DENSE;
}

void
pgt_index_entry_seal(IndexEntry *entry)
{
	entry->crc = pgt_crc32c(entry, offsetof(IndexEntry, crc));
}

bool
pgt_index_entry_is_valid(const IndexEntry *entry)
{
	return entry->length >= RECORD_BATCH_HEADER_SIZE &&
		entry->length <= RECORD_BATCH_MAX_SIZE &&
		entry->position <= PG_UINT32_MAX - entry->length &&
		entry->first_delta <= entry->last_delta &&
		entry->last_delta <= PG_INT32_MAX &&
		entry->crc == pgt_crc32c(entry, offsetof(IndexEntry, crc));
}

bool
pgt_index_entry_is_zero(const IndexEntry *entry)
{
	static const IndexEntry zero;

	return memcmp(entry, &zero, sizeof(zero)) == 0;
}
