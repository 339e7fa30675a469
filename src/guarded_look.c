/*
 * guarded_look.c
 *	  Reading a record for a view, which must not fail for one.
 *
 * A view that is about all topics must show those that are well when one is damaged:
 * that is when it is looked at.  So what reads records for a view does it here, in a
 * subtransaction of its own, which takes care of what an error leaves behind.  It
 * gets no transaction id, so this works on a standby too.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "guarded_look.h"

/* Is it about a file that cannot be read, as opposed to the query or the server? */
static bool
is_damage(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_DATA_CORRUPTED ||
		error->sqlerrcode == ERRCODE_UNDEFINED_FILE ||
		error->sqlerrcode == ERRCODE_IO_ERROR;
}

/* After the subtransaction: tell, or go on with the error. */
static void
tell(ErrorData *error)
{
	if (!is_damage(error))
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg_internal("%s", error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
	FreeErrorData(error);
}

bool
pgt_guarded_look(void (*look) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		look(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error != NULL)
		tell(error);
	return error == NULL;
}
