/*
 * deadline.h
 *	  Many deadlines, most of which are moved before they come.
 *
 * A heartbeat moves its member's deadline, which costs an assignment.  Only pgt_deadline_reserve()
 * allocates.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include "c.h"

/* A moment that never comes. */
#define DEADLINE_NEVER		PG_INT64_MAX

/* It is part of whatever has the deadline, and set by pgt_deadline_init(). */
typedef struct Deadline
{
	int64		at;				/* DEADLINE_NEVER: there is none */
	int64		queued;			/* where it stands in the heap: at or before "at" */
	int32		place;			/* in the heap; -1: it is not there */
} Deadline;

/* A heap of zeros is an empty one. */
typedef struct DeadlineHeap
{
	Deadline  **heap;			/* the one that is queued first is at its top */
	int32		count;
	int32		room;
} DeadlineHeap;

extern void pgt_deadline_init(Deadline *deadline);

/* Let so many deadlines be there.  Throws if there is no memory. */
extern void pgt_deadline_reserve(DeadlineHeap *heap, int32 count);

/* Set or move a deadline. */
extern void pgt_deadline_set(DeadlineHeap *heap, Deadline *deadline, int64 at);
extern void pgt_deadline_cancel(DeadlineHeap *heap, Deadline *deadline);

/* A moment before which none comes. */
extern int64 pgt_deadline_next(const DeadlineHeap *heap);

/* One that has come by now, which is canceled with that; NULL: none has. */
extern Deadline *pgt_deadline_take(DeadlineHeap *heap, int64 now);

extern void pgt_deadline_free(DeadlineHeap *heap);

#endif							/* DEADLINE_H */
