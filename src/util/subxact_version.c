/*
 * subxact_version.c
 *	  Versions of a thing in this process's memory, one for each subtransaction
 *	  that has changed it.
 *
 *	  thing -> 250 (savepoint b) -> 100 (savepoint a) -> 7 (the transaction)
 *
 * ROLLBACK TO b drops the top version, so that 100 counts again.  RELEASE b makes it a's, and
 * drops the one that a had.  The stack (subxact_stack.c) tells which things a subtransaction
 * has changed; each thing is noted there once for each of its versions, but for the
 * transaction's own.
 *
 * Memory: the caller's context, for a transaction.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "util/subxact_version.h"

void *
pgt_subxact_version_for(SubxactVersions *versions, SubxactStack *stack, MemoryContext context,
						SubTransactionId subid, Size size)
{
	SubxactVersion *version;

	if (versions->top != NULL && versions->top->subid == subid)
		return versions->top;
	version = MemoryContextAlloc(context, size);
	if (versions->top != NULL)
		memcpy(version, versions->top, size);
	else
		memset(version, 0, size);
	pgt_subxact_stack_note(stack, context, subid, versions);
	version->subid = subid;
	version->below = versions->top;
	versions->top = version;
	return version;
}

bool
pgt_subxact_version_drop(SubxactVersions *versions, SubTransactionId subid)
{
	SubxactVersion *top = versions->top;

	if (top == NULL || top->subid != subid)
		return false;
	versions->top = top->below;
	pfree(top);
	return true;
}

void
pgt_subxact_version_undo(void *versions, SubTransactionId subid)
{
	(void) pgt_subxact_version_drop(versions, subid);
}

bool
pgt_subxact_version_inherit(void *versions, SubTransactionId subid, SubTransactionId parent)
{
	SubxactVersion *top = ((SubxactVersions *) versions)->top;
	SubxactVersion *replaced;

	if (top == NULL || top->subid != subid)
		return false;
	top->subid = parent;
	replaced = top->below;
	if (replaced == NULL || replaced->subid != parent)
		return parent != TopSubTransactionId;
	top->below = replaced->below;
	pfree(replaced);
	return false;
}
