/*
 * checkpoint_file.h
 *	  Files of the log directory that a sync replaces as a whole.
 */
#ifndef CHECKPOINT_FILE_H
#define CHECKPOINT_FILE_H

#include "c.h"

/* The path of a file in the log directory; "path" has MAXPGPATH bytes. */
extern void pgt_checkpoint_file_path(char *path, const char *name);

/* Replace the file, durably, by one with a header and entries.  Any failure is an ERROR. */
extern void pgt_checkpoint_file_replace(const char *name, const void *header, size_t header_length,
										const void *entries, size_t entries_length);

/*
 * Read the whole file, palloc'd.  Returns its length, or -1 if it does not exist.  FATAL if it
 * cannot be read.
 */
extern ssize_t pgt_checkpoint_file_read(const char *name, char **bytes);

#endif							/* CHECKPOINT_FILE_H */
