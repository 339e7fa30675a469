/*
 * oid_list.c
 *	  Oids that are noted until the transaction ends.
 *
 * Hooks that are called for one object after the other note which ones a statement touches,
 * for work at its end.  They are called in contexts that do not last so long.  Who keeps
 * such a list forgets it when the transaction ends.
 *
 * Memory: TopTransactionContext.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "util/oid_list.h"

List *
pgt_oid_list_note(List *noted, Oid oid)
{
	MemoryContext caller;

	if (list_member_oid(noted, oid))
		return noted;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	noted = lappend_oid(noted, oid);
	MemoryContextSwitchTo(caller);
	return noted;
}
