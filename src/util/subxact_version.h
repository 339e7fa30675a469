/*
 * subxact_version.h
 *	  Versions of a thing in this process's memory, one for each subtransaction
 *	  that has changed it.
 */
#ifndef SUBXACT_VERSION_H
#define SUBXACT_VERSION_H

#include "util/subxact_stack.h"

/* What every version has; the first field of a struct with what subtransactions change. */
typedef struct SubxactVersion
{
	SubTransactionId subid;
	struct SubxactVersion *below;	/* of an enclosing subtransaction */
} SubxactVersion;

/* A thing's versions; zeros: it has none.  This is what is noted in the stack. */
typedef struct SubxactVersions
{
	SubxactVersion *top;		/* the thing as it is now */
} SubxactVersions;

/*
 * The version that a subtransaction may overwrite, which is one that
 * pgt_subxact_stack_note() allows: its own or, where it has none, a new one of "size" bytes
 * with what the top one has, or zeros.  Its memory is in "context", as the stack's.
 */
extern void *pgt_subxact_version_for(SubxactVersions *versions, SubxactStack *stack,
									 MemoryContext context, SubTransactionId subid, Size size);

/* Drop the version of a subtransaction that rolled back; false if there is none.  Does not throw. */
extern bool pgt_subxact_version_drop(SubxactVersions *versions, SubTransactionId subid);

/* The same as a SubxactUndo, and a SubxactInherit that hands the version to the parent. */
extern void pgt_subxact_version_undo(void *versions, SubTransactionId subid);
extern bool pgt_subxact_version_inherit(void *versions, SubTransactionId subid, SubTransactionId parent);

#endif							/* SUBXACT_VERSION_H */
