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
#include "storage/lwlock.h"
#include "util/catch_error.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * Does the error tell of a file that cannot be read, and not of the query or the server?
 *
 * A file that the server may not open, or that is a directory, has SQLSTATEs that other
 * errors have, too (errcode_for_file_access()), so errno must agree.  Too few open files
 * or too little memory are the server's troubles, and no file's.
 */
static bool
is_damage(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_DATA_CORRUPTED:
		case ERRCODE_UNDEFINED_FILE:
		case ERRCODE_IO_ERROR:
			/* a newer format, or a compression that the build lacks */
		case ERRCODE_FEATURE_NOT_SUPPORTED:
			return true;
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return error->saved_errno == EACCES || error->saved_errno == EPERM;
		case ERRCODE_WRONG_OBJECT_TYPE:
			return error->saved_errno == EISDIR || error->saved_errno == ENOTDIR;
		default:
			return false;
	}
}

void
pgt_catch_error_report(ErrorData *error)
{
	error->elevel = WARNING;
	error->context = NULL;		/* a warning gets its own */
	ThrowErrorData(error);
	FreeErrorData(error);
}

void
pgt_catch_error_roll_back(int level)
{
	while (GetCurrentTransactionNestLevel() > level)
		RollbackAndReleaseCurrentSubTransaction();
}

ErrorData *
pgt_catch_error(void (*work) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			level = GetCurrentTransactionNestLevel();
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
		pgt_catch_error_roll_back(level);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}

bool
pgt_catch_error_and_log(void (*work) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		work(arg);
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		LWLockReleaseAll();
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
	return done;
}

/* The error, if there is one and it tells of damage; others are thrown again. */
static ErrorData *
only_damage(ErrorData *error)
{
	if (error != NULL && !is_damage(error))
		ReThrowError(error);
	return error;
}

bool
pgt_catch_damage(void (*look) (void *arg), void *arg)
{
	ErrorData  *damage = only_damage(pgt_catch_error(look, arg));

	if (damage != NULL)
		pgt_catch_error_report(damage);
	return damage == NULL;
}

ErrorData *
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
	return only_damage(error);
}
