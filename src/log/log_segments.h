/*
 * log_segments.h
 *	  The segments of a partition as this process knows them: their list, and those
 *	  it has open.
 */
#ifndef LOG_SEGMENTS_H
#define LOG_SEGMENTS_H

#include "log/log_state.h"

/* ---- open segments ------------------------------------------------------- */

/*
 * Allocate this process's cache of open segments.  To be called before a critical
 * section that opens segments, since that must not allocate.
 */
extern void pgt_log_segments_make_cache(void);

/*
 * A segment, opened if this process does not have it open yet.  It stays open until
 * the next call of a function of this file.  NULL if its files are gone; any other
 * trouble is an ERROR.
 */
extern Segment *pgt_log_segments_open(PartitionState *state, SegmentId id);

/* Does this process have the segment open? */
extern bool pgt_log_segments_is_open(PartitionState *state, SegmentId id);

/*
 * Is the segment open, or could it be opened: are its files there, and is its header
 * right?  Never throws for a damaged file, as opening does.
 */
extern bool pgt_log_segments_can_open(PartitionState *state, SegmentId id);

/* Make a segment, new and empty, and open it.  For rolls, rewriting and redo. */
extern Segment *pgt_log_segments_create(PartitionState *state, SegmentId id,
										const SegmentSpan *span);

/* Close the segment in this process and remove its files.  Trouble is a WARNING. */
extern void pgt_log_segments_remove(PartitionState *state, SegmentId id);

/*
 * Remove the files of all segments whose base is above "base", which do not count.  In
 * recovery trouble is a LOG line, and the next roll tries again.  The caller holds the
 * slot's lock exclusively.
 */
extern void pgt_log_segments_remove_past(PartitionState *state, int64 base);

/*
 * Close this process's open segments whose files were removed, so that their disk
 * space is freed.  For a process that does not walk over the partition's segments.
 */
extern void pgt_log_segments_close_deleted(PartitionState *state);

/* Close this process's open segments of a topic (InvalidOid: of the database). */
extern void pgt_log_segments_close(Oid database, Oid topic);

/* ---- the list ------------------------------------------------------------ */

/*
 * Set *id to the listed segment with the largest base at or below "offset", or to the
 * first one if all begin above it.  False if no segment is listed.
 */
extern bool pgt_log_segments_at(PartitionState *state, int64 offset, SegmentId *id);

/* Set *id to the listed segment with the smallest base above "base".  False if there is none. */
extern bool pgt_log_segments_above(PartitionState *state, int64 base, SegmentId *id);

/*
 * The first of the segment's "count" entries whose last offset is at or past
 * "offset", or an entry a little before it; "count" if there is none.  Takes no search
 * if this process kept a hint for the offset.
 */
extern uint32 pgt_log_segments_find_entry(PartitionState *state, Segment *segment, uint32 count,
										  int64 offset);

/*
 * Keep a hint: a reader that continues at an offset from "first" to "last" finds it at or
 * behind entry n of the segment, since all entries before n end before "first".
 */
extern void pgt_log_segments_keep_hint(PartitionState *state, SegmentId id, uint32 n,
									   int64 first, int64 last);

#endif							/* LOG_SEGMENTS_H */
