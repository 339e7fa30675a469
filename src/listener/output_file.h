/*
 * output_file.h
 *	  Files of which parts are being sent.
 */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

/*
 * An open file.  Whoever has a reference keeps it open, whatever becomes of its name.  Where the
 * process may have no more files open, it may be a copy of a part of it.
 */
typedef struct OutputFile
{
	int			fd;				/* -1: it is a copy */
	int			references;
	off_t		copied_from;	/* where the copy's bytes are in the file */
	size_t		copied;			/* how many there are */
	char	   *bytes;

	/* what is known of the kernel's cache */
	int64		cold_at;		/* when something was not in there last, by the monotonic clock; 0: never */
	int			misses;			/* how often in a row it was not there although it had just been read */
} OutputFile;

/* How much memory all copies take. */
extern size_t pgt_output_file_memory;

/*
 * Open a file for reading, with one reference for the caller; its descriptor counts among
 * those of the server.  NULL, with errno, if it cannot be opened; EMFILE, if too many
 * are.
 */
extern OutputFile *pgt_output_file_open(const char *path);

/* A copy of that many bytes from there on, which the caller fills in; likewise. */
extern OutputFile *pgt_output_file_copy(off_t from, size_t length);

/*
 * How many bytes from there on are in the kernel's cache, so that no disk has to be waited for: up to "length", of
 * a file.  All where the kernel does not tell.
 */
extern size_t pgt_output_file_cached(OutputFile *file, off_t offset, size_t length);

/* One reference more, and one less: the last one closes the file. */
extern void pgt_output_file_retain(OutputFile *file);
extern void pgt_output_file_release(OutputFile *file);

#endif							/* OUTPUT_FILE_H */
