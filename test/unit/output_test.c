/*
 * output_test.c
 *	  Tests of src/listener/output.c without a server.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.  Outputs are
 * built at random from pieces of memory, ranges of files and other outputs, while a sink takes
 * what is sent in portions of any size: whatever the order of it all, the bytes that
 * arrive must be those that were put in.  Files are in the kernel's cache in part only, as it happens: nothing is sent
 * that is neither there nor has been read before.  The few functions of the server that the output calls are
 * replaced by plain ones below.
 */
#include "postgres.h"

#include <unistd.h>

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "listener/output.h"
#include "utils/memutils.h"

#define ROUNDS		100
#define STEPS		120
#define FILE_SIZE	(600 * 1024)
#define MOST		(64 * 1024 * 1024)

/* ---- what the output takes from the server ------------------------------------ */

MemoryContext TopMemoryContext = NULL;
static long chunks = 0;

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	static MemoryContextData context;

	return &context;
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	chunks++;
	return malloc(size);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return malloc(size);
}

void
pfree(void *pointer)
{
	chunks--;
	free(pointer);
}

void
pgt_output_file_retain(OutputFile *file)
{
	file->references++;
}

void
pgt_output_file_release(OutputFile *file)
{
	file->references--;
}

/* The kernel's cache: each question has an answer of its own. */
static bool cache_is_blind = false; /* nothing is ever there */
static size_t cached = 0;		/* the last answer ... */
static off_t asked = -1;		/* ... for the bytes from there on */
static off_t read_from = 0;		/* what was read last */
static off_t read_end = 0;
static int	reads = 0;
static bool unread_sent = false;	/* something was sent that was neither there nor read */

size_t
pgt_output_file_cached(OutputFile *file, off_t offset, size_t length)
{
	asked = offset;
	cached = cache_is_blind || pick(4) == 0 ? 0 : pick(3) == 0 ? pick(length + 1) : length;
	return cached;
}

/* Send, and have read what is to be read. */
static OutputResult
send_and_read(Output *output, size_t most, const OutputSink *sink)
{
	OutputResult result = pgt_output_send(output, most, sink);

	if (result == OUTPUT_COLD)
	{
		OutputRange ranges[3];
		int			count = pgt_output_cold(output, ranges, lengthof(ranges));

		read_from = ranges[0].offset;
		read_end = read_from + ranges[0].length;
		unread_sent = unread_sent || count < 1 || read_from != asked || read_end == read_from;
		reads++;
	}
	return result;
}

/* Bytes of a file are sent: may they be? */
static void
note_sent(off_t offset, size_t length)
{
	bool		was_read = offset >= read_from && offset < read_end;

	if (offset != asked || (length > cached && !was_read))
		unread_sent = true;
}

/* ---- both ends ---------------------------------------------------------------- */

static OutputFile file = {.references = 1};
static char *file_bytes;

static char *expected;			/* what has been put in */
static size_t expected_length;
static char *arrived;
static size_t arrived_length;
static bool last_more;			/* was the last send said to have more behind it? */

/* How much of a send the sink takes; -1 with errno. */
static ssize_t
portion(size_t length)
{
	switch (pick(8))
	{
		case 0:
			errno = EAGAIN;
			return -1;
		case 1:
			errno = EINTR;
			return -1;
		case 2:
			return 1 + pick(length);
		default:
			return length;
	}
}

static ssize_t
take(void *arg, const void *bytes, size_t length, bool more)
{
	ssize_t		count = portion(length);

	if (count <= 0)
		return count;
	memcpy(arrived + arrived_length, bytes, count);
	arrived_length += count;
	last_more = more;
	return count;
}

static ssize_t
take_file(void *arg, int fd, off_t *offset, size_t length)
{
	ssize_t		count = portion(Min(length, 100000));

	note_sent(*offset, length);
	if (count > 0)
		count = pread(fd, arrived + arrived_length, count, *offset);
	if (count > 0)
		arrived_length += count;
	last_more = false;
	return count;
}

/* Put bytes into what is expected, and return them. */
static const char *
more_bytes(size_t length)
{
	char	   *bytes = expected + expected_length;

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char) pick(256);
	expected_length += length;
	return bytes;
}

/* Put something into an output. */
static void
put(Output *output)
{
	size_t		length = pick(3) == 0 ? pick(100000) : pick(300);
	char	   *room;
	char	   *end;

	switch (pick(4))
	{
		case 0:
			pgt_output_write(output, more_bytes(length), length);
			break;
		case 1:
			pgt_output_room(output, length, &room, &end);
			if (end - room < length)
				abort();
			memcpy(room, more_bytes(length), length);
			pgt_output_filled(output, room + length);
			break;
		case 2:
			{
				off_t		offset = pick(FILE_SIZE - length);

				memcpy(expected + expected_length, file_bytes + offset, length);
				expected_length += length;
				pgt_output_add_file(output, &file, offset, length);
			}
			break;
		case 3:
			/* an answer ends with room that is not used where it has files */
			pgt_output_room(output, 1, &room, &end);
			break;
	}
}

/* One history; false if something arrives that was not put in, or is left over. */
static bool
play(const OutputSink *sink)
{
	Output		output = {0};
	bool		good = true;

	expected_length = arrived_length = 0;
	for (int i = 0; i < STEPS; i++)
	{
		Output		answer = {0};

		switch (pick(3))
		{
			case 0:
				put(&output);
				break;
			case 1:
				for (int parts = pick(4); parts > 0; parts--)
					put(&answer);
				pgt_output_move(&output, &answer);
				good = good && answer.first == NULL && answer.length == 0;
				break;
			case 2:
				(void) send_and_read(&output, 1 + pick(200000), sink);
				break;
		}
		good = good && output.length == expected_length - arrived_length && output.memory == pgt_output_memory;
	}
	while (output.length > 0)
	{
		OutputResult result = send_and_read(&output, MOST, sink);

		if (result == OUTPUT_FAILED)
			return false;
		good = good && (result == OUTPUT_SENT) == (output.length == 0);
	}
	good = good && !last_more;
	pgt_output_clear(&output);
	return good && arrived_length == expected_length && memcmp(arrived, expected, expected_length) == 0;
}

static bool
play_all(const OutputSink *sink)
{
	bool		good = true;

	for (int i = 0; i < ROUNDS; i++)
		good = play(sink) && good;
	return good;
}

/* What comes of a file that ends before the range does. */
static OutputResult
send_short(const OutputSink *sink)
{
	Output		output = {0};
	OutputResult result;

	arrived_length = 0;
	pgt_output_add_file(&output, &file, FILE_SIZE - 20000, 40000);
	do
		result = send_and_read(&output, MOST, sink);
	while (result == OUTPUT_WOULD_BLOCK || result == OUTPUT_COLD);
	pgt_output_clear(&output);
	return result;
}

int
main(void)
{
	OutputSink	by_memory = {.send = take};
	OutputSink	by_kernel = {.send = take, .send_file = take_file};
	FILE	   *stream = tmpfile();

	expected = malloc(64 * 1024 * 1024);
	arrived = malloc(64 * 1024 * 1024);
	file_bytes = malloc(FILE_SIZE);
	for (int i = 0; i < FILE_SIZE; i++)
		file_bytes[i] = (char) pick(256);
	if (stream == NULL || fwrite(file_bytes, 1, FILE_SIZE, stream) != FILE_SIZE || fflush(stream) != 0)
		return 2;
	file.fd = fileno(stream);

	ok(play_all(&by_memory), "what is put in arrives, with files read into memory");
	ok(play_all(&by_kernel), "and with files sent by the kernel");
	ok(send_short(&by_memory) == OUTPUT_FAILED, "a file that is too short fails");
	ok(send_short(&by_kernel) == OUTPUT_FAILED, "by the kernel, too");
	ok(reads > 0 && !unread_sent, "nothing is sent that is neither in the cache nor was read");
	reads = 0;
	cache_is_blind = true;
	ok(play_all(&by_kernel) && reads > 0 && file.misses > 0, "what was read is sent, even if it is gone from the cache again");
	ok(chunks == 0 && pgt_output_memory == 0, "all memory is given back");
	ok(file.references == 1, "and all references to files");
	return tap_end();
}
