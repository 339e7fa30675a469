/*
 * format_version.c
 *	  Refusing what a newer version of pg_topics has written.
 *
 * The errors name what was met, its version, the versions that this library
 * reads, and what to do.  None of them changes anything: a server that was
 * started with an older library by mistake goes on where it was once the right
 * one is installed.
 */
#include "postgres.h"

#include "util/format_version.h"

/* DETAIL: what this library reads. */
static int
detail_of_known(const FormatVersions *known)
{
	if (known->oldest == known->newest)
		return errdetail("This library is pg_topics %s, which reads version %u of %s.",
						 PGT_VERSION, known->newest, known->what);
	return errdetail("This library is pg_topics %s, which reads versions %u to %u of %s.",
					 PGT_VERSION, known->oldest, known->newest, known->what);
}

/* HINT: what to do about something of another version. */
static int
hint_for_version(const FormatVersions *known, uint32 version)
{
	if (version > known->newest)
		return errhint("A newer version of pg_topics has written it. Install that version or a later one on this server, and restart it.");
	return errhint("A version of pg_topics that is too old has written it. Install a version that reads both on this server, and upgrade from there.");
}

void
pgt_format_version_check_file(const FormatVersions *known, uint32 version, const char *path)
{
	if (pgt_format_version_is_known(known, version))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("topic file \"%s\" has format version %u, which this library cannot read",
					path, version),
			 detail_of_known(known),
			 hint_for_version(known, version)));
}

void
pgt_format_version_check_wal(const FormatVersions *known, uint32 version, XLogRecPtr end)
{
	if (pgt_format_version_is_known(known, version))
		return;
	ereport(FATAL,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("WAL record of pg_topics that ends at %X/%X has format version %u, which this library cannot read",
					LSN_FORMAT_ARGS(end), version),
			 detail_of_known(known),
			 hint_for_version(known, version)));
}
