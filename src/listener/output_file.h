/*
 * output_file.h
 *	  Files of which parts are being sent.
 */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

/* An open file.  Whoever has a reference keeps it open, whatever becomes of its name. */
typedef struct OutputFile
{
	int			fd;
	int			references;
} OutputFile;

/*
 * Open a file for reading, with one reference for the caller; its descriptor counts among
 * those of the server.  NULL, with errno, if it cannot be opened; EMFILE, if too many
 * are.
 */
extern OutputFile *pgt_output_file_open(const char *path);

/* One reference more, and one less: the last one closes the file. */
extern void pgt_output_file_retain(OutputFile *file);
extern void pgt_output_file_release(OutputFile *file);

#endif							/* OUTPUT_FILE_H */
