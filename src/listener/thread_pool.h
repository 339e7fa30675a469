/*
 * thread_pool.h
 *	  Work that would hold up the loop, done by threads beside it.
 */
#ifndef THREAD_POOL_H
#define THREAD_POOL_H

#include "lib/ilist.h"

/* A piece of work.  It belongs to the caller, who does not touch what run() needs until it is done, or was removed. */
typedef struct ThreadWork
{
	/* In a thread: nothing of the server's may be called, also not palloc(), and nothing is thrown. */
	void		(*run) (struct ThreadWork *work);

	/* In the loop, when it was run.  The work is the caller's again. */
	void		(*done) (struct ThreadWork *work);

	/* of this file */
	bool		waits;			/* no thread has it yet */
	dlist_node	node;
} ThreadWork;

/* Threads that do one kind of work; the first two fields are the user's, the rest of zeros. */
typedef struct ThreadPool
{
	int			threads;
	bool		(*is_held) (void);	/* for tests: is what was done not to be told of yet?  NULL: it is never held */

	/* of this file */
	struct ThreadPoolState *state;
} ThreadPool;

/* Have it done.  False if there are no threads, and none can be begun: the caller does it by itself then. */
extern bool pgt_thread_pool_add(ThreadPool *pool, ThreadWork *work);

/* It need not be done.  True: nobody has begun with it, and it is the caller's again; else done() is called as ever. */
extern bool pgt_thread_pool_remove(ThreadPool *pool, ThreadWork *work);

#endif							/* THREAD_POOL_H */
