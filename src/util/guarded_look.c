/*
 * guarded_look.c
 *	  Reading a record for a view, which must not fail for one; and other work whose
 *	  errors are not its caller's.
 *
 * A view that is about all topics must show those that are well when one is damaged:
 * that is when it is looked at.  So what reads records for a view does it here, in a
 * subtransaction of its own, which takes care of what an error leaves behind.  It
 * gets no transaction id, so this works on a standby too.  Queries, which may run in
 * parallel mode, do without one; they only read.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "util/guarded_look.h"

/* Is it about a file that cannot be read, as opposed to the query or the server? */
static bool
is_damage(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_DATA_CORRUPTED ||
		error->sqlerrcode == ERRCODE_UNDEFINED_FILE ||
		error->sqlerrcode == ERRCODE_IO_ERROR;
}

void
pgt_report_as_warning(ErrorData *error)
{
	error->elevel = WARNING;
	error->context = NULL;		/* a warning gets its own */
	ThrowErrorData(error);
	FreeErrorData(error);
}

ErrorData *
pgt_catch_error(void (*work) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		work(arg);
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
	return error;
}

/* Was there no error?  False, and a WARNING, for damage; others are thrown again. */
static bool
passed(ErrorData *error)
{
	if (error == NULL)
		return true;
	if (!is_damage(error))
		ReThrowError(error);
	pgt_report_as_warning(error);
	return false;
}

bool
pgt_guarded_look(void (*look) (void *arg), void *arg)
{
	return passed(pgt_catch_error(look, arg));
}

bool
pgt_guarded_read(void (*look) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		look(arg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return passed(error);
}
