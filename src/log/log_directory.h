/*
 * log_directory.h
 *	  Where the topics' files are: <log_dir>/<database oid>/<topic oid>-<partition>/,
 *	  relative to the data directory.
 */
#ifndef LOG_DIRECTORY_H
#define LOG_DIRECTORY_H

#include "format/topic_partition.h"
#include "nodes/pg_list.h"
#include "storage/fd.h"

extern char *pgt_log_dir;		/* setting pg_topics.log_dir */

/* The path of a directory; path buffers have MAXPGPATH bytes. */
extern void pgt_log_directory_database_path(char *path, Oid database);
extern void pgt_log_directory_partition_path(char *path, const TopicPartition *key);

/* The oids of the databases that have a directory, even an empty one. */
extern List *pgt_log_directory_databases(void);

/*
 * The partitions of a database that have a directory, as a list of palloc'd
 * TopicPartition.  NIL if the database has no directory.  Trouble with the directory is
 * reported at "level"; if that is not an error, the list has what was found before.
 */
extern List *pgt_log_directory_partitions(Oid database, int level);

/*
 * Does one of the topic's partitions from 0 to partitions - 1 have a directory?  If the
 * topic is InvalidOid: does the database have one?  Quick however many other topics there
 * are, since it reads no directory.
 */
extern bool pgt_log_directory_exists(Oid database, Oid topic, int partitions);

/* The size of a file; 0 if it has just been removed.  ERROR if it cannot be looked at. */
extern int64 pgt_log_directory_file_size(const char *path);

/*
 * Add the size of the next file of an open directory, whose path this is; false at its end.  A file that has just been
 * removed counts nothing.  ERROR if the directory or the file cannot be read.
 */
extern bool pgt_log_directory_add_size(DIR *dir, const char *path, int64 *size);

#endif							/* LOG_DIRECTORY_H */
