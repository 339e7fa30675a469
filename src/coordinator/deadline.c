/*
 * deadline.c
 *	  Many deadlines, most of which are moved before they come: a heap that is lazy.
 *
 * A deadline that is moved to later stays in its place, and goes to its new one when it comes to the
 * top.  So moving one costs nothing, and each costs a logarithm for as long as it was set, at most.
 */
#include "postgres.h"

#include "coordinator/deadline.h"

#define LEAST_ROOM	4

void
pgt_deadline_init(Deadline *deadline)
{
	deadline->at = deadline->queued = DEADLINE_NEVER;
	deadline->place = -1;
}

void
pgt_deadline_reserve(DeadlineHeap *heap, int32 count)
{
	int32		room = Max(heap->room, LEAST_ROOM);

	while (room < count)
		room *= 2;
	if (room == heap->room)
		return;
	heap->heap = heap->heap == NULL ? palloc(room * sizeof(Deadline *)) :
		repalloc(heap->heap, room * sizeof(Deadline *));
	heap->room = room;
}

static void
put(DeadlineHeap *heap, int32 place, Deadline *deadline)
{
	heap->heap[place] = deadline;
	deadline->place = place;
}

/* Let a deadline go up from its place as far as it is earlier. */
static void
sift_up(DeadlineHeap *heap, Deadline *deadline)
{
	int32		place = deadline->place;

	while (place > 0)
	{
		int32		parent = (place - 1) / 2;

		if (heap->heap[parent]->queued <= deadline->queued)
			break;
		put(heap, place, heap->heap[parent]);
		place = parent;
	}
	put(heap, place, deadline);
}

/* Let it go down as far as it is later. */
static void
sift_down(DeadlineHeap *heap, Deadline *deadline)
{
	int32		place = deadline->place;

	for (;;)
	{
		int32		child = 2 * place + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && heap->heap[child + 1]->queued < heap->heap[child]->queued)
			child++;
		if (heap->heap[child]->queued >= deadline->queued)
			break;
		put(heap, place, heap->heap[child]);
		place = child;
	}
	put(heap, place, deadline);
}

void
pgt_deadline_set(DeadlineHeap *heap, Deadline *deadline, int64 at)
{
	deadline->at = at;
	if (deadline->place < 0)
	{
		Assert(heap->count < heap->room);
		deadline->queued = at;
		put(heap, heap->count++, deadline);
		sift_up(heap, deadline);
	}
	else if (at < deadline->queued)
	{
		deadline->queued = at;
		sift_up(heap, deadline);
	}
}

void
pgt_deadline_cancel(DeadlineHeap *heap, Deadline *deadline)
{
	int32		place = deadline->place;

	if (place < 0)
		return;
	heap->count--;
	if (place < heap->count)
	{
		put(heap, place, heap->heap[heap->count]);
		sift_up(heap, heap->heap[place]);
		sift_down(heap, heap->heap[place]);
	}
	pgt_deadline_init(deadline);
}

int64
pgt_deadline_next(const DeadlineHeap *heap)
{
	return heap->count == 0 ? DEADLINE_NEVER : heap->heap[0]->queued;
}

Deadline *
pgt_deadline_take(DeadlineHeap *heap, int64 now)
{
	while (heap->count > 0 && heap->heap[0]->queued <= now)
	{
		Deadline   *first = heap->heap[0];

		if (first->at <= now)
		{
			pgt_deadline_cancel(heap, first);
			return first;
		}
		first->queued = first->at;
		sift_down(heap, first);
	}
	return NULL;
}

void
pgt_deadline_free(DeadlineHeap *heap)
{
	if (heap->heap != NULL)
		pfree(heap->heap);
	memset(heap, 0, sizeof(*heap));
}
