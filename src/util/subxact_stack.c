/*
 * subxact_stack.c
 *	  What each running subtransaction has changed in this process's memory.
 *
 * Who keeps something in memory for a transaction must take it back with a savepoint.  To
 * look through all of it at each savepoint's end would take n steps for each of n
 * savepoints: a loop with an EXCEPTION block that produces to many partitions would become
 * slower with each of them.  So what a subtransaction changes is noted, and its end looks
 * at that alone.
 *
 *	  things:	p0  p3 | p1 | p0  p7			(the transaction's own are not noted)
 *	  subid:	 2   2 |  4 |  5   5
 *
 * Only the innermost subtransaction notes things, and inner ones end before outer ones, so
 * those of one that ends are the last in the stack.  A release gives them to the parent,
 * whose own are just below.
 *
 * Memory: the caller's context, for a transaction.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "util/subxact_stack.h"

void
pgt_subxact_stack_note(SubxactStack *stack, MemoryContext context, SubTransactionId subid, void *thing)
{
	if (subid == TopSubTransactionId)
		return;
	if (stack->count == stack->capacity)
	{
		int			capacity = Max(16, stack->capacity * 2);

		stack->items = stack->items == NULL ?
			MemoryContextAlloc(context, capacity * sizeof(SubxactItem)) :
			repalloc_huge(stack->items, capacity * sizeof(SubxactItem));
		stack->capacity = capacity;
	}
	stack->items[stack->count++] = (SubxactItem) {subid, thing};
}

void
pgt_subxact_stack_undo(SubxactStack *stack, SubTransactionId subid, SubxactUndo undo)
{
	while (stack->count > 0 && stack->items[stack->count - 1].subid == subid)
	{
		undo(stack->items[--stack->count].thing, subid);
	}
}

void
pgt_subxact_stack_release(SubxactStack *stack, SubTransactionId subid, SubTransactionId parent,
						  SubxactInherit inherit)
{
	int			first = stack->count;
	int			end = stack->count;

	while (first > 0 && stack->items[first - 1].subid == subid)
		first--;
	stack->count = first;
	for (int i = first; i < end; i++)
	{
		void	   *thing = stack->items[i].thing;

		if (inherit(thing, subid, parent))
			stack->items[stack->count++] = (SubxactItem) {parent, thing};
	}
}

void
pgt_subxact_stack_forget(SubxactStack *stack)
{
	*stack = (SubxactStack) {0};
}
