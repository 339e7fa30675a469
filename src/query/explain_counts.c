/*
 * explain_counts.c
 *	  How much of the log a scan has read, for EXPLAIN ANALYZE.
 *
 * A batch is read, and decompressed, as a whole; it is counted where the index alone has
 * answered for it, and skipped where the snapshot does not see it or its times are out of
 * bounds.  Batches that the bounds on offsets leave out are not looked at, and not in these
 * numbers.  One that two processes of a parallel scan share is read by both.
 */
#include "postgres.h"

#include "query/explain_counts.h"
#include "util/compat.h"

void
pgt_explain_counts_add(LogReaderCounts *counts, const LogReaderCounts *more)
{
	counts->batches_read += more->batches_read;
	counts->bytes_read += more->bytes_read;
	counts->batches_counted += more->batches_counted;
	counts->bytes_counted += more->bytes_counted;
	counts->batches_skipped += more->batches_skipped;
	counts->bytes_skipped += more->bytes_skipped;
}

/* One line of text, as in "3 read, 7 counted, 0 skipped". */
static void
show_line(const char *label, uint64 read, uint64 counted, uint64 skipped, bool has_counted,
		  struct ExplainState *es)
{
	ExplainPropertyText(label, has_counted ?
						psprintf(UINT64_FORMAT " read, " UINT64_FORMAT " counted, " UINT64_FORMAT " skipped",
								 read, counted, skipped) :
						psprintf(UINT64_FORMAT " read, " UINT64_FORMAT " skipped", read, skipped), es);
}

void
pgt_explain_counts_show(const LogReaderCounts *counts, bool counted, struct ExplainState *es)
{
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		show_line("Batches", counts->batches_read, counts->batches_counted, counts->batches_skipped,
				  counted, es);
		show_line("Bytes", counts->bytes_read, counts->bytes_counted, counts->bytes_skipped, counted, es);
		return;
	}
	ExplainPropertyUInteger("Batches Read", NULL, counts->batches_read, es);
	if (counted)
		ExplainPropertyUInteger("Batches Counted", NULL, counts->batches_counted, es);
	ExplainPropertyUInteger("Batches Skipped", NULL, counts->batches_skipped, es);
	ExplainPropertyUInteger("Bytes Read", NULL, counts->bytes_read, es);
	if (counted)
		ExplainPropertyUInteger("Bytes Counted", NULL, counts->bytes_counted, es);
	ExplainPropertyUInteger("Bytes Skipped", NULL, counts->bytes_skipped, es);
}

void
pgt_explain_counts_show_keys(const LogReaderCounts *counts, struct ExplainState *es)
{
	if (!es->analyze)
	{
		ExplainPropertyText("Key Index", "used", es);
		return;
	}
	ExplainPropertyInteger("Key Index Batches Read", NULL, counts->batches_read, es);
	ExplainPropertyInteger("Key Index Batches Skipped", NULL, counts->batches_without_key, es);
}
