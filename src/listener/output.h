/*
 * output.h
 *	  Bytes that wait to be sent: pieces of memory, and ranges of files.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "listener/output_file.h"

struct OutputPiece;

/* A list of zeros is an empty one. */
typedef struct Output
{
	struct OutputPiece *first;
	struct OutputPiece *last;
	size_t		memory;			/* that its pieces take, and copies of parts of files */
	size_t		length;			/* how much is still to be sent, of files too */
	int			files;			/* pieces of files */
} Output;

/* How much memory all outputs of the process take. */
extern size_t pgt_output_memory;

/* Append a copy of bytes. */
extern void pgt_output_write(Output *output, const void *bytes, size_t length);

/*
 * Room for at least so many bytes behind those that are there, where the caller
 * writes without copying: *room and *end are its bounds.  pgt_output_filled() tells how
 * far it has been written; until the next call of any of these functions the room stays where it is,
 * and what has been filled stays in place until it is sent.
 */
extern void pgt_output_room(Output *output, size_t needed, char **room, char **end);
extern void pgt_output_filled(Output *output, const char *next);

/* Append a range of a file.  The output takes a reference of its own. */
extern void pgt_output_add_file(Output *output, OutputFile *file, off_t offset, size_t length);

/* Move all that "from" has to the end of "to". */
extern void pgt_output_move(Output *to, Output *from);

/* Forget all, and free it. */
extern void pgt_output_clear(Output *output);

/* How a send went. */
typedef enum OutputResult
{
	OUTPUT_SENT,				/* all of it */
	OUTPUT_WOULD_BLOCK,			/* the rest waits until the socket takes more */
	OUTPUT_COLD,				/* what is next is not in the kernel's cache: pgt_output_cold() */
	OUTPUT_FAILED				/* the connection is of no use: errno, or 0 where a file was too short */
} OutputResult;

/* How bytes leave: functions like send(2) and sendfile(2). */
typedef struct OutputSink
{
	ssize_t		(*send) (void *arg, const void *bytes, size_t length, bool more);
	ssize_t		(*send_file) (void *arg, int fd, off_t *offset, size_t length); /* NULL: files are read and sent */
	void	   *arg;
} OutputSink;

/*
 * Send as much as the sink takes, but not much more than "most" bytes: then the result is
 * OUTPUT_SENT with output->length > 0.
 */
extern OutputResult pgt_output_send(Output *output, size_t most, const OutputSink *sink);

/* A part of a file. */
typedef struct OutputRange
{
	OutputFile *file;
	off_t		offset;
	size_t		length;
} OutputRange;

/*
 * After OUTPUT_COLD: which parts of files the caller is to have read; returns how many, "most" at most and one at
 * least.  He sends again when the first one was read.  That one is taken as read from now on, so that the next call
 * sends it wherever it is.  The others are what comes after it.
 */
extern int	pgt_output_cold(Output *output, OutputRange *ranges, int most);

#endif							/* OUTPUT_H */
