/*
 * format_version.h
 *	  Refusing what a newer version of pg_topics has written.
 *
 * Each file that outlives the server begins with a magic number and a format
 * version, and each WAL record with a format version.  A library reads the
 * versions from "oldest" to "newest" of a format and writes "newest".  Anything
 * else is refused here before another byte of it is believed.
 *
 * Files have a checksum at a place that is the same in all versions, see each
 * format's header.  It is looked at before the version, so that a damaged
 * version number is reported as damage and not as a newer format.
 */
#ifndef FORMAT_VERSION_H
#define FORMAT_VERSION_H

#include "access/xlogdefs.h"

/* What this library reads of a format. */
typedef struct FormatVersions
{
	const char *what;			/* plural, as in "segment indexes" */
	uint32		oldest;
	uint32		newest;
} FormatVersions;

static inline bool
pgt_format_version_is_known(const FormatVersions *known, uint32 version)
{
	return version >= known->oldest && version <= known->newest;
}

/* ERROR (FATAL where nothing catches it) unless the file's version is one that this library reads. */
extern void pgt_format_version_check_file(const FormatVersions *known, uint32 version,
										  const char *path);

/* FATAL unless the version of the WAL record that ends at "end" is one that this library reads. */
extern void pgt_format_version_check_wal(const FormatVersions *known, uint32 version,
										 XLogRecPtr end);

#endif							/* FORMAT_VERSION_H */
