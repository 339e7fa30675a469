/*
 * subxact_stack.h
 *	  What each running subtransaction has changed in this process's memory.
 */
#ifndef SUBXACT_STACK_H
#define SUBXACT_STACK_H

#include "access/xact.h"
#include "utils/palloc.h"

/* A thing that a subtransaction has changed. */
typedef struct SubxactItem
{
	SubTransactionId subid;
	void	   *thing;
} SubxactItem;

/* Zeros are an empty stack. */
typedef struct SubxactStack
{
	SubxactItem *items;
	int			count;
	int			capacity;
} SubxactStack;

/* Take the thing back to what it was before the subtransaction.  Must not throw. */
typedef void (*SubxactUndo) (void *thing, SubTransactionId subid);

/*
 * Let what the subtransaction has done to the thing be its parent's.  False where there is
 * nothing to take back any more should the parent roll back: it has noted the thing itself,
 * or is the transaction.  Must not throw.
 */
typedef bool (*SubxactInherit) (void *thing, SubTransactionId subid, SubTransactionId parent);

/*
 * Note that a subtransaction changes a thing, once for each thing.  It is the current one,
 * or the current one has not noted anything yet and it is the one around that.  The outermost
 * level of the transaction notes nothing, since it ends as a whole.  The stack's memory is
 * in "context", which lives as long as the transaction.
 */
extern void pgt_subxact_stack_note(SubxactStack *stack, MemoryContext context, SubTransactionId subid,
								   void *thing);

/* A subtransaction has rolled back: undo what it has noted, the last thing first. */
extern void pgt_subxact_stack_undo(SubxactStack *stack, SubTransactionId subid, SubxactUndo undo);

/* A subtransaction has ended well: its parent inherits what it has noted. */
extern void pgt_subxact_stack_release(SubxactStack *stack, SubTransactionId subid,
									  SubTransactionId parent, SubxactInherit inherit);

/* Empty the stack at the transaction's end, whose memory is or will be gone. */
extern void pgt_subxact_stack_forget(SubxactStack *stack);

#endif							/* SUBXACT_STACK_H */
