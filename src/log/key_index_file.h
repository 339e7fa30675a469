/*
 * key_index_file.h
 *	  The files with the keys of a segment: opening them, and looking keys up.
 */
#ifndef KEY_INDEX_FILE_H
#define KEY_INDEX_FILE_H

#include "format/key_index_page.h"
#include "log/log_segments.h"

/* An open file. */
typedef struct KeyIndexFile
{
	File		file;
	int			number;			/* in its name */
	KeyIndexHeader header;
} KeyIndexFile;

/* The files of a segment that can be used, by the entries they cover, which do not overlap. */
typedef struct KeyIndexFiles
{
	int			count;
	KeyIndexFile files[SEGMENT_KEY_FILES];
} KeyIndexFiles;

/*
 * The segment's files as this process knows them: opened if they are not open yet.  They
 * stay open until the next call of a function of this file; NULL where there are none.
 * Damaged files are reported with a WARNING and left out; those of another version, of other
 * contents or of another cluster are left out without one.  Never an ERROR for what a file
 * says.
 */
extern KeyIndexFiles *pgt_key_index_files(PartitionState *state, Segment *segment);

/* Files have come or gone: all that was opened before is outdated. */
extern void pgt_key_index_files_changed(PartitionState *state);

/* Close this process's open files of a topic (InvalidOid: of the database). */
extern void pgt_key_index_files_close(Oid database, Oid topic);

/*
 * Read a page into "page" and check it.  False where it cannot be read or is damaged; why is
 * reported with a WARNING, unless the files have changed meanwhile.
 */
extern bool pgt_key_index_file_read(PartitionState *state, const KeyIndexFile *file,
									uint32 page_number, uint8 *page);

/* The keys to look up: all that their bytes are needed for. */
typedef struct KeyProbe
{
	KeyShape	shape;
	int			count;
	uint32	   *hashes;
} KeyProbe;

/* A range of entries, "end" exclusive. */
typedef struct KeyProbeRange
{
	uint32		first;
	uint32		end;
} KeyProbeRange;

/* What a segment's files say: in these ranges no other batches than those of these entries may have a key. */
typedef struct KeyProbeResult
{
	int			range_count;
	KeyProbeRange ranges[SEGMENT_KEY_FILES];	/* ascending */
	uint32		count;
	uint32		capacity;
	uint32	   *entries;		/* ascending; kept from one segment to the next */
} KeyProbeResult;

/* Look the keys up; what the files do not tell is in no range.  Memory: the current context. */
extern void pgt_key_probe_run(PartitionState *state, Segment *segment, const KeyProbe *probe,
							  KeyProbeResult *result);

/*
 * The first entry at or past "entry" that may have a key: one of the result's entries, or one
 * that is in no range.
 */
extern uint32 pgt_key_probe_next(const KeyProbeResult *result, uint32 entry);

/* The same backward: behind the last entry before "entry" that may have a key; 0: none has one. */
extern uint32 pgt_key_probe_behind(const KeyProbeResult *result, uint32 entry);

#endif							/* KEY_INDEX_FILE_H */
