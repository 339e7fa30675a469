/*
 * codec_work.c
 *	  Compressing and decompressing large batches, beside the loop.
 *
 * Some megabytes of gzip take longer than others should wait, and cannot be done in slices, as the libraries do a batch at a
 * stretch.  So a thread does it (listener/thread_pool.c), which has a copy of the bytes: the client may go meanwhile, and
 * its request with it.
 *
 *	  begun ---> done ---> freed
 *		\					^
 *		 +-- abandoned -----+	freed while a thread has it: it frees itself when it is done
 *
 * Of what is begun and not freed yet there are WORKS_MAX at most, whatever its size; who comes then tries again.
 *
 * Memory: malloc(), since palloc() is not for threads.
 */
#include "postgres.h"

#include "broker/data/codec_work.h"
#include "listener/thread_pool.h"
#include "util/fault_point.h"

#define THREADS		2
#define WORKS_MAX	4

/* First guess of the size that bytes are unpacked to: this times theirs; and what it grows by. */
#define UNPACKED_RATIO	4
#define UNPACKED_STEP	4

struct CodecWork
{
	ThreadWork	work;			/* the first field: it is found by it */
	int			codec;
	int			level;
	char	   *source;
	size_t		length;
	size_t		most;			/* of the result */
	char	   *result;
	size_t		result_length;
	const char *problem;
	bool		done;
	bool		abandoned;		/* by whoever has begun it */
	void		(*ready) (void *arg);
	void	   *arg;
};

static bool is_held(void);

static ThreadPool packers = {.threads = THREADS,.is_held = is_held};
static int	works = 0;

/* For tests it can take as long as they like. */
static bool
is_held(void)
{
	return FAULT_IS("produce-check", "packs");
}

/* ---- in a thread ---------------------------------------------------------------- */

/* Let the result have room; false: there is no memory. */
static bool
make_room(CodecWork *work, size_t room)
{
	free(work->result);
	work->result = malloc(Max(room, 1));
	return work->result != NULL;
}

static void
pack(ThreadWork *thread_work)
{
	CodecWork  *work = (CodecWork *) thread_work;
	size_t		room = Max(work->length, pgt_compress_bound(work->codec, work->length));

	work->problem = !make_room(work, room) ? pgt_compression_no_memory :
		pgt_compress(work->codec, work->level, work->source, work->length, work->result, room, &work->result_length);
}

static void
unpack(ThreadWork *thread_work)
{
	CodecWork  *work = (CodecWork *) thread_work;
	size_t		room = work->length * UNPACKED_RATIO;

	do
	{
		room = Min(room, work->most);
		work->problem = !make_room(work, room) ? pgt_compression_no_memory :
			pgt_decompress(work->codec, work->source, work->length, work->result, room, &work->result_length);
		room *= UNPACKED_STEP;
	} while (work->problem == pgt_decompress_overflow && room / UNPACKED_STEP < work->most);
}

/* ---- in the loop ----------------------------------------------------------------- */

static void
free_work(CodecWork *work)
{
	free(work->source);
	free(work->result);
	free(work);
	works--;
}

static void
finish(ThreadWork *thread_work)
{
	CodecWork  *work = (CodecWork *) thread_work;

	work->done = true;
	if (work->abandoned)
		free_work(work);
	else
		work->ready(work->arg);
}

/* Begin with work that is made of these. */
static CodecWork *
begin(CodecWork made, const char *bytes, bool *busy)
{
	CodecWork  *work;

	*busy = works >= WORKS_MAX;
	work = *busy ? NULL : malloc(sizeof(CodecWork));
	if (work == NULL)
		return NULL;
	works++;
	*work = made;
	work->source = malloc(Max(work->length, 1));
	if (work->source != NULL)
	{
		memcpy(work->source, bytes, work->length);
		if (pgt_thread_pool_add(&packers, &work->work))
			return work;
	}
	free_work(work);
	return NULL;
}

CodecWork *
pgt_codec_work_unpack(int codec, const char *bytes, size_t length, size_t most, void (*ready) (void *arg), void *arg, bool *busy)
{
	return begin((CodecWork) {.work = {.run = unpack,.done = finish},.codec = codec,.length = length,.most = most,
							  .ready = ready,.arg = arg}, bytes, busy);
}

CodecWork *
pgt_codec_work_pack(int codec, int level, const char *bytes, size_t length, void (*ready) (void *arg), void *arg, bool *busy)
{
	return begin((CodecWork) {.work = {.run = pack,.done = finish},.codec = codec,.level = level,.length = length,
							  .ready = ready,.arg = arg}, bytes, busy);
}

bool
pgt_codec_work_is_done(const CodecWork *work)
{
	return work->done;
}

const char *
pgt_codec_work_result(const CodecWork *work, const char **bytes, size_t *length)
{
	*bytes = work->result;
	*length = work->result_length;
	return work->problem;
}

void
pgt_codec_work_free(CodecWork *work)
{
	if (work->done || pgt_thread_pool_remove(&packers, &work->work))
		free_work(work);
	else
		work->abandoned = true;
}
