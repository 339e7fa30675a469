/*
 * fault_allocation.c
 *	  Letting an allocation fail; an empty file unless built for tests.
 *
 * With "pg_topics.fault_point = 'allocation:N'" the N-th allocation that the process which serves
 * Kafka's clients makes from then on fails, once.  The linker leads the calls of our own files
 * here (--wrap in the Makefile), by which the server's functions get memory or may else fail for
 * want of it.
 */
#include "postgres.h"

#ifdef PGT_FAULT_POINTS

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/shm_mq.h"
#include "util/fault_point.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Is it this one? */
static bool
fails(void)
{
	return CritSectionCount == 0 && pgt_fault_point_allocation();
}

/* ERROR if it is this one. */
static void
may_fail(void)
{
	if (fails())
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("This is a test.")));
}

#define WRAP(result, name, parameters, arguments) \
	extern result __real_##name parameters; \
	extern result __wrap_##name parameters; \
	result \
	__wrap_##name parameters \
	{ \
		may_fail(); \
		return __real_##name arguments; \
	}

WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, repalloc, (void *memory, Size size), (memory, size))
WRAP(char *, pstrdup, (const char *text), (text))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocHuge, (MemoryContext context, Size size), (context, size))
WRAP(char *, MemoryContextStrdup, (MemoryContext context, const char *text), (context, text))
WRAP(MemoryContext, AllocSetContextCreateInternal,
	 (MemoryContext parent, const char *name, Size least, Size first, Size most), (parent, name, least, first, most))
WRAP(HeapTuple, SearchSysCache1, (int cache, Datum key), (cache, key))
WRAP(dsm_segment *, dsm_create, (Size size, int flags), (size, flags))
WRAP(shm_mq_handle *, shm_mq_attach, (shm_mq *queue, dsm_segment *segment, BackgroundWorkerHandle *process),
	 (queue, segment, process))
WRAP(shm_mq_result, shm_mq_receive, (shm_mq_handle *queue, Size *length, void **data, bool no_wait),
	 (queue, length, data, no_wait))
WRAP(bool, RegisterDynamicBackgroundWorker, (BackgroundWorker *worker, BackgroundWorkerHandle **handle), (worker, handle))
WRAP(void, StartTransactionCommand, (void), ())
WRAP(void, BeginInternalSubTransaction, (const char *name), (name))

extern void *__real_MemoryContextAllocExtended(MemoryContext context, Size size, int flags);
extern void *__wrap_MemoryContextAllocExtended(MemoryContext context, Size size, int flags);
extern void *__real_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found);
extern void *__wrap_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found);

void *
__wrap_MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	if (!fails())
		return __real_MemoryContextAllocExtended(context, size, flags);
	if ((flags & MCXT_ALLOC_NO_OOM) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("This is a test.")));
	return NULL;
}

void *
__wrap_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found)
{
	if (action == HASH_ENTER)
		may_fail();
	return __real_hash_search(table, key, action, found);
}

#endif
