/*
 * log_directory.h
 *	  Where the topics' files are: <log_dir>/<database oid>/<topic oid>-<partition>/,
 *	  relative to the data directory.
 *
 * Layer 1.
 */
#ifndef LOG_DIRECTORY_H
#define LOG_DIRECTORY_H

#include "format/topic_partition.h"
#include "nodes/pg_list.h"

extern char *pgt_log_dir;		/* setting pg_topics.log_dir */

/* Path buffers are MAXPGPATH bytes. */
extern void pgt_log_directory_database_path(char *path, Oid database);
extern void pgt_log_directory_partition_path(char *path, const TopicPartition *key);

/* Oids of the databases that have a directory, empty ones too. */
extern List *pgt_log_directory_databases(void);

/*
 * The partitions of a database that have a directory: palloc'd TopicPartition.
 * None where the database has no directory; trouble is a report of that level,
 * and the list then what was found before.
 */
extern List *pgt_log_directory_partitions(Oid database, int level);

/*
 * Is there a directory of the topic's partitions from 0 to partitions - 1, or of the
 * database if the topic is InvalidOid?  Takes a moment however many other topics there are,
 * since no directory is read.
 */
extern bool pgt_log_directory_exists(Oid database, Oid topic, int partitions);

#endif							/* LOG_DIRECTORY_H */
