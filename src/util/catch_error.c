/*
 * catch_error.c
 *	  Doing work whose errors must not end its caller's statement.
 *
 * A view over all topics must show the sound ones when one topic is damaged: that is
 * when somebody looks at the view.  So a view reads records in here, in a
 * subtransaction, which cleans up what an error leaves behind.  The subtransaction
 * gets no transaction id, so this works on a standby, too.  Queries, which may run in
 * parallel mode, do without a subtransaction; they only read.
 */
#include "postgres.h"

#include "access/xact.h"
#include "util/catch_error.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Does the error tell of a file that cannot be read, and not of the query or the server? */
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
pgt_catch_damage(void (*look) (void *arg), void *arg)
{
	return passed(pgt_catch_error(look, arg));
}

bool
pgt_catch_damage_reading(void (*look) (void *arg), void *arg)
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
