/*
 * output.c
 *	  Bytes that wait to be sent: pieces of memory, and ranges of files.
 *
 *	  Output -> piece of memory -> range of a file -> piece of memory
 *
 * An answer is built in an output of its own, and moved behind the earlier ones when its
 * turn has come.  Small answers are then copied into the piece before them, so that answers
 * that leave together leave in one system call.
 *
 * Ranges are read when there is room in the socket, not before, so that a client that does
 * not read costs no memory for them.  Where the sink can send from a file, the kernel
 * takes the bytes from its cache; else they go by one buffer that the whole process shares.
 * What is not in the cache would keep the process waiting for a disk: so it is not sent before the caller has had it
 * read, up to COLD_MAX at a time, and with it the beginnings of what follows.  If it is gone from the cache again by
 * then, it is sent all the same, or a client might never get it.
 * A file that ends too early, because its topic was truncated or dropped, makes the
 * connection of no use: the answer's size has been sent already.
 *
 * Memory: pieces are in "pg_topics output".  The first piece of an output is small, as
 * most answers are; further ones grow.
 */
#include "postgres.h"

#include <unistd.h>

#include "listener/output.h"
#include "util/fault_point.h"
#include "utils/memutils.h"

#define FIRST_PIECE		1024
#define LARGEST_PIECE	(64 * 1024)
#define FILE_BUFFER		(256 * 1024)

/*
 * Ranges below this size are read and sent even if the kernel could send them.  Of larger ones no less is sent at a
 * time: TLS wants to be given as much again as it was when it could not send, which was a record of this size.
 */
#define SEND_FILE_MIN	(16 * 1024)

/* So much of a file is looked for in the kernel's cache, and read if it is not there, at a time. */
#define COLD_MAX		(1024 * 1024)

typedef struct OutputPiece
{
	struct OutputPiece *next;
	OutputFile *file;			/* NULL: it is memory */
	off_t		offset;			/* of a file, of the next byte to be sent */
	off_t		read_end;		/* of a file, up to where it has been read for this */
	bool		is_asked_for;	/* of a file: it is being read while those before it are sent */
	size_t		length;			/* still to be sent */
	size_t		start;			/* of memory, the next byte to be sent */
	size_t		room;			/* of memory */
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} OutputPiece;

#define PIECE_HEADER	offsetof(OutputPiece, bytes)

size_t		pgt_output_memory = 0;

/* ---- building -------------------------------------------------------------- */

/* Append a piece with that much room for bytes. */
static OutputPiece *
add_piece(Output *output, size_t room)
{
	static MemoryContext context = NULL;
	OutputPiece *piece;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "pg_topics output", ALLOCSET_DEFAULT_SIZES);
	piece = MemoryContextAllocHuge(context, PIECE_HEADER + room);
	memset(piece, 0, PIECE_HEADER);
	piece->room = room;
	if (output->last == NULL)
		output->first = piece;
	else
		output->last->next = piece;
	output->last = piece;
	output->memory += PIECE_HEADER + room;
	pgt_output_memory += PIECE_HEADER + room;
	return piece;
}

/*
 * The memory that the file of a piece takes: of a copy, which is mostly for one piece.  It counts with the output, so
 * that a client that does not read cannot have more and more copied.  pgt_output_file_memory has it already.
 */
static size_t
copied_bytes(const OutputFile *file)
{
	return file == NULL ? 0 : file->copied;
}

/* Take the first piece out, and free it. */
static void
remove_first(Output *output)
{
	OutputPiece *piece = output->first;

	output->first = piece->next;
	if (output->first == NULL)
		output->last = NULL;
	output->memory -= PIECE_HEADER + piece->room + copied_bytes(piece->file);
	pgt_output_memory -= PIECE_HEADER + piece->room;
	output->length -= piece->length;
	if (piece->file != NULL)
	{
		output->files--;
		pgt_output_file_release(piece->file);
	}
	pfree(piece);
}

/* How many bytes fit behind those of the last piece. */
static size_t
room_left(const Output *output)
{
	const OutputPiece *last = output->last;

	return last == NULL || last->file != NULL ? 0 : last->room - last->start - last->length;
}

void
pgt_output_room(Output *output, size_t needed, char **room, char **end)
{
	OutputPiece *last;

	if (room_left(output) < Max(needed, 1))
	{
		size_t		size = output->last == NULL ? FIRST_PIECE :
			Min(4 * (PIECE_HEADER + output->last->room), LARGEST_PIECE);

		add_piece(output, Max(needed, Max(size, FIRST_PIECE) - PIECE_HEADER));
	}
	last = output->last;
	*room = last->bytes + last->start + last->length;
	*end = last->bytes + last->room;
}

void
pgt_output_filled(Output *output, const char *next)
{
	OutputPiece *last = output->last;
	size_t		filled = next - (last->bytes + last->start);

	Assert(last->file == NULL && filled >= last->length && last->start + filled <= last->room);
	output->length += filled - last->length;
	last->length = filled;
}

void
pgt_output_write(Output *output, const void *bytes, size_t length)
{
	char	   *room;
	char	   *end;

	if (length == 0)
		return;
	pgt_output_room(output, length, &room, &end);
	memcpy(room, bytes, length);
	pgt_output_filled(output, room + length);
}

void
pgt_output_add_file(Output *output, OutputFile *file, off_t offset, size_t length)
{
	OutputPiece *piece;

	if (length == 0)
		return;
	piece = add_piece(output, 0);
	pgt_output_file_retain(file);
	piece->file = file;
	piece->offset = offset;
	piece->length = length;
	output->length += length;
	output->memory += copied_bytes(file);
	output->files++;
}

void
pgt_output_move(Output *to, Output *from)
{
	OutputPiece *first = from->first;

	if (first == NULL)
		return;
	if (first->file == NULL && first->length <= room_left(to))
	{
		pgt_output_write(to, first->bytes + first->start, first->length);
		remove_first(from);
	}
	if (to->last == NULL)
		to->first = from->first;
	else
		to->last->next = from->first;
	if (from->last != NULL)
		to->last = from->last;
	to->memory += from->memory;
	to->length += from->length;
	to->files += from->files;
	memset(from, 0, sizeof(*from));
}

void
pgt_output_clear(Output *output)
{
	while (output->first != NULL)
		remove_first(output);
}

/* ---- sending --------------------------------------------------------------- */

/* Is it in a file? */
static bool
is_in_file(const OutputPiece *piece)
{
	return piece->file != NULL && piece->file->fd >= 0;
}

/* How much of a piece in a file can be sent now; 0: nothing, it has to be read before. */
static size_t
sendable(const OutputPiece *piece)
{
	OutputFile *file = piece->file;
	bool		was_read = piece->offset < piece->read_end;
	size_t		least = Min(piece->length, SEND_FILE_MIN);
	size_t		cached = pgt_output_file_cached(file, piece->offset, Min(piece->length, COLD_MAX));

	if (!was_read && (FAULT_IS("disk", "cold") || FAULT_IS("disk", "away")))
		cached = 0;
	if (was_read)
		file->misses = cached >= least ? 0 : file->misses + 1;
	if (cached >= least)
		return cached;
	return was_read ? Min(Max(piece->read_end - piece->offset, least), piece->length) : 0;
}

/* Send that many bytes of a file by memory.  0 where the file ends too early; else like send(2). */
static ssize_t
send_by_buffer(const OutputPiece *piece, size_t length, const OutputSink *sink, bool more)
{
	static char *buffer = NULL;
	ssize_t		count;

	if (buffer == NULL)
		buffer = MemoryContextAlloc(TopMemoryContext, FILE_BUFFER);
	count = pread(piece->file->fd, buffer, Min(length, FILE_BUFFER), piece->offset);
	if (count <= 0)
		return count;
	return sink->send(sink->arg, buffer, count, more || count < piece->length);
}

/* Send of the first piece what the sink takes at once, in a file up to that many bytes; as above. */
static ssize_t
send_piece(const Output *output, size_t length, const OutputSink *sink)
{
	OutputPiece *piece = output->first;
	/* pieces that follow may be empty; then the kernel must not wait for more */
	bool		more = output->length > piece->length;

	if (piece->file == NULL)
		return sink->send(sink->arg, piece->bytes + piece->start, piece->length, more);
	if (!is_in_file(piece))
		return sink->send(sink->arg, piece->file->bytes + (piece->offset - piece->file->copied_from), piece->length, more);
	if (sink->send_file != NULL && piece->length >= SEND_FILE_MIN)
	{
		off_t		offset = piece->offset;

		return sink->send_file(sink->arg, piece->file->fd, &offset, length);
	}
	return send_by_buffer(piece, length, sink, more);
}

OutputResult
pgt_output_send(Output *output, size_t most, const OutputSink *sink)
{
	size_t		sent = 0;

	while (output->first != NULL)
	{
		OutputPiece *piece = output->first;
		size_t		length = 0;
		ssize_t		count;

		if (piece->length == 0)
		{
			remove_first(output);
			continue;
		}
		if (sent >= most)
			return OUTPUT_SENT;
		if (is_in_file(piece) && (length = sendable(piece)) == 0)
			return OUTPUT_COLD;
		errno = 0;
		count = send_piece(output, length, sink);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return OUTPUT_WOULD_BLOCK;
		if (count <= 0)
			return OUTPUT_FAILED;
		sent += count;
		output->length -= count;
		piece->length -= count;
		if (piece->file == NULL)
			piece->start += count;
		else
			piece->offset += count;
	}
	return OUTPUT_SENT;
}

/* The beginning of a piece in a file, as much as is looked at at a time. */
static OutputRange
begin_of(const OutputPiece *piece)
{
	return (OutputRange) {piece->file, piece->offset, Min(piece->length, COLD_MAX)};
}

int
pgt_output_cold(Output *output, OutputRange *ranges, int most)
{
	OutputPiece *piece = output->first;
	int			count = 0;

	Assert(is_in_file(piece));
	ranges[count++] = begin_of(piece);
	piece->read_end = piece->offset + ranges[0].length;
	for (piece = piece->next; piece != NULL && count < most; piece = piece->next)
	{
		if (!is_in_file(piece) || piece->is_asked_for)
			continue;
		piece->is_asked_for = true;
		ranges[count++] = begin_of(piece);
	}
	return count;
}
