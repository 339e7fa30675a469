/*
 * topic_change.c
 *	  Changing a topic in a helper process, for a client.
 *
 * What a client asks for is done by the statement that SQL has for it, with the rights of the
 * client's role, each topic in a transaction of its own: so event triggers, privileges, locks and
 * checks are those of SQL, and one topic that fails undoes nothing of another one.
 *
 * The current user is the role, in a restricted operation: code of others, such as an event trigger's,
 * cannot become the superuser that the process has connected as.
 *
 * Time.  A timer ends the statement at the deadline of the request, also while it waits for a
 * lock or, having committed, for standbys.  A statement that did not get its lock is rolled back.
 *
 * Errors become Kafka's by their SQLSTATE.  Those that tell of trouble in the server are in its log
 * too; the rest is the client's business.
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "broker/core/topic_names.h"
#include "broker/helpers/topic_change.h"
#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "util/clock.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

/* SQLSTATEs of pgt_topic_change_refuse(): PGT and three digits, Kafka's code. */
#define REFUSED_CLASS	MAKE_SQLSTATE('P', 'G', '0', '0', '0')

/* ---- errors ---------------------------------------------------------------------- */

/* The error of Kafka's that is thrown. */
static KafkaError refused_error;

void
pgt_topic_change_refuse(KafkaError error, const char *format,...)
{
	char		text[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	refused_error = error;
	ereport(ERROR,
			(errcode(REFUSED_CLASS),
			 errmsg_internal("%s", text)));
}

/* Kafka's error for an SQLSTATE. */
static KafkaError
error_of(int sqlstate)
{
	switch (sqlstate)
	{
		case REFUSED_CLASS:
			return refused_error;
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
		case ERRCODE_DUPLICATE_TABLE:
		case ERRCODE_DUPLICATE_OBJECT:
		case ERRCODE_UNIQUE_VIOLATION:
			return KAFKA_ERROR_TOPIC_ALREADY_EXISTS;
		case ERRCODE_UNDEFINED_TABLE:
			return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
		case ERRCODE_FDW_INVALID_OPTION_NAME:
		case ERRCODE_INVALID_PARAMETER_VALUE:
		case ERRCODE_CHARACTER_NOT_IN_REPERTOIRE:
		case ERRCODE_UNTRANSLATABLE_CHARACTER:
		case ERRCODE_UNDEFINED_FUNCTION:
			return KAFKA_ERROR_INVALID_CONFIG;
		case ERRCODE_CONFIGURATION_LIMIT_EXCEEDED:
		case ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST:
		case ERRCODE_OBJECT_IN_USE:
			return KAFKA_ERROR_POLICY_VIOLATION;
		case ERRCODE_QUERY_CANCELED:
		case ERRCODE_LOCK_NOT_AVAILABLE:
		case ERRCODE_T_R_DEADLOCK_DETECTED:
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
			return KAFKA_ERROR_REQUEST_TIMED_OUT;
		case ERRCODE_READ_ONLY_SQL_TRANSACTION:
			return KAFKA_ERROR_NOT_CONTROLLER;
		case ERRCODE_DISK_FULL:
		case ERRCODE_IO_ERROR:
		case ERRCODE_UNDEFINED_FILE:
			return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
		default:
			/* an event trigger's RAISE, for instance */
			if (ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TO_CATEGORY(ERRCODE_RAISE_EXCEPTION))
				return KAFKA_ERROR_POLICY_VIOLATION;
			return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	}
}

/* Is it trouble of the server's, and not the client's own? */
static bool
is_trouble(KafkaError error)
{
	return error == KAFKA_ERROR_UNKNOWN_SERVER_ERROR || error == KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

/*
 * The text of an error with its detail and hint.  Kafka's is UTF-8; there is no transaction any more in
 * which to convert another encoding.
 */
static char *
text_of(const ErrorData *error)
{
	char	   *text = psprintf("%s%s%s%s%s", error->message,
								error->detail == NULL ? "" : ". ", error->detail == NULL ? "" : error->detail,
								error->hint == NULL ? "" : error->detail == NULL ? ". " : " ",
								error->hint == NULL ? "" : error->hint);

	for (char *c = text; GetDatabaseEncoding() != PG_UTF8 && *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return text;
}

/* ---- time ------------------------------------------------------------------------ */

/* The time that a call has left, in milliseconds. */
static int
time_left(const HelperCall *call)
{
	int64		left = (call->deadline - pgt_clock_monotonic_us()) / 1000;

	return (int) Max(Min(left, INT_MAX), 0);
}

/* No timer is to cancel what comes now. */
static void
end_timer(void)
{
	disable_timeout(STATEMENT_TIMEOUT, false);
	/* it may have come at the last moment */
	QueryCancelPending = false;
}

/* ---- topics and texts ---------------------------------------------------------------- */

Oid
pgt_topic_change_find(KafkaString name)
{
	Oid			topic = pgt_topic_names_find(name);

	if (!OidIsValid(topic))
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "topic does not exist");
	return topic;
}

/* Refuse unless the role may change a topic.  One that is gone meanwhile is looked for again. */
static void
check_owner(Oid topic, const char *what)
{
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic)) && !PGT_OWNS_RELATION(topic, GetUserId()))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, "only the topic's owner may %s it", what);
}

Oid
pgt_topic_change_lock(Oid (*find) (void *arg), void *arg, LOCKMODE mode, const char *what)
{
	Oid			topic = find(arg);

	for (Oid locked = InvalidOid; locked != topic; topic = find(arg))
	{
		check_owner(topic, what);
		LockRelationOid(topic, mode);
		locked = topic;
	}
	check_owner(topic, what);
	return topic;
}

char *
pgt_topic_change_text(HelperCall *call, KafkaString string)
{
	char	   *text = pgt_broker_cstring(&call->request, string);

	if (text == NULL)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "names and values of options must be text");
	return pg_any_to_server(text, strlen(text), PG_UTF8);
}

/* ---- the transaction ---------------------------------------------------------------- */

/* Be the role. */
static void
become(Oid role)
{
	Oid			user;
	int			context;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, "the role does not exist any more");
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

/* Do the work and end its transaction. */
static void
run(Oid role, void (*work) (void *arg), void *arg, bool dry)
{
	Oid			user;
	int			context;
	int			settings;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&user, &context);
	settings = NewGUCNestLevel();
	become(role);
	work(arg);
	/* what a trigger has set, even for the session */
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, context);
	PopActiveSnapshot();
	if (dry)
		AbortCurrentTransaction();
	else
		CommitTransactionCommand();
}

KafkaError
pgt_topic_change_run(HelperCall *call, void (*work) (void *arg), void *arg, bool dry, char **message)
{
	MemoryContext caller = CurrentMemoryContext;
	KafkaError volatile result = KAFKA_ERROR_NONE;

	if (time_left(call) == 0)
	{
		*message = pstrdup("there was no time left");
		return KAFKA_ERROR_REQUEST_TIMED_OUT;
	}
	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		enable_timeout_after(STATEMENT_TIMEOUT, time_left(call));
		run(call->role, work, arg, dry);
		end_timer();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		end_timer();
		MemoryContextSwitchTo(call->request.memory);
		error = CopyErrorData();
		result = error_of(error->sqlerrcode);
		if (is_trouble(result))
			EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(call->request.memory);
		*message = text_of(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	if (result == KAFKA_ERROR_NONE && time_left(call) == 0 && !dry)
	{
		*message = pstrdup("it is done, but may not be on standbys yet");
		result = KAFKA_ERROR_REQUEST_TIMED_OUT;
	}
	return result;
}

KafkaError
pgt_topic_change_run_for_cluster(HelperCall *call, void (*work) (void *arg), void *arg, bool dry, char **message)
{
	KafkaError	error = pgt_topic_change_run(call, work, arg, dry, message);

	return error == KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED ? KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED : error;
}
