/*
 * doctor.c
 *	  pg_topics_doctor(): what is wrong with this server's topics, and what to do.
 *
 * Each check of doctor_checks.c is a query over views and settings.  It runs in a
 * subtransaction of its own, so that one that fails, mostly as the user may not see
 * something, is a row and keeps no other from its answer.  The queries name their own
 * functions and operators without a schema, so the search path has only pg_catalog while
 * they run: nothing that somebody has put into another schema is called.
 *
 * What no view tells (slots of all databases, limits of the process) is collected here and
 * given to the queries as parameters.
 *
 * Locks: those of the views, and each slot's lock, shared, for a moment.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "log/log_state.h"
#include "util/catch_error.h"
#include "util/sql_version.h"
#include "views/doctor_checks.h"
#include "views/inspect.h"

PGT_FUNCTION_INFO(pgt_topics_doctor);

#define SCHEMA_MARK	"@."

/* A check that is being made. */
typedef struct Checkup
{
	const DoctorCheck *check;
	const char *schema;			/* of the extension, quoted where need be */
	Datum		values[DOCTOR_PARAMETERS];
	char		nulls[DOCTOR_PARAMETERS];
	ReturnSetInfo *result;
} Checkup;

static const Oid parameter_types[DOCTOR_PARAMETERS] = {
	INTERVALOID, INTERVALOID, INT4OID, INT4OID, INT4OID, INT8OID, INT4OID
};

/* ---- what no view tells ----------------------------------------------------- */

/* Set a parameter of the queries. */
static void
set_parameter(Checkup *checkup, DoctorParameter parameter, Datum value)
{
	checkup->values[parameter - 1] = value;
	checkup->nulls[parameter - 1] = ' ';
}

/* Count the partitions in use, and the databases that they belong to. */
static void
count_slots(Checkup *checkup)
{
	int			partitions = 0;
	List	   *databases = NIL;

	for (int i = 0; i < pgt_log_state_slot_count(); i++)
	{
		PartitionState *state = pgt_log_state_slot(i);

		LWLockAcquire(&state->lock, LW_SHARED);
		if (state->in_use)
		{
			partitions++;
			databases = list_append_unique_oid(databases, state->key.database);
		}
		LWLockRelease(&state->lock);
	}
	set_parameter(checkup, DOCTOR_PARTITIONS, Int32GetDatum(partitions));
	set_parameter(checkup, DOCTOR_MAX_PARTITIONS, Int32GetDatum(pgt_max_partitions));
	set_parameter(checkup, DOCTOR_DATABASES, Int32GetDatum(list_length(databases)));
}

/* Look how many files a process can open. */
static void
look_at_limits(Checkup *checkup)
{
	struct rlimit limit;

	set_parameter(checkup, DOCTOR_OPEN_FILES, Int32GetDatum(max_safe_fds));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
		limit.rlim_cur <= PG_INT64_MAX)
		set_parameter(checkup, DOCTOR_FILE_LIMIT, Int64GetDatum((int64) limit.rlim_cur));
}

/* ---- one check ---------------------------------------------------------------- */

/* The query with the extension's schema in it. */
static char *
with_schema(const char *query, const char *schema)
{
	StringInfoData text;
	const char *mark;

	initStringInfo(&text);
	while ((mark = strstr(query, SCHEMA_MARK)) != NULL)
	{
		appendBinaryStringInfo(&text, query, mark - query);
		appendStringInfo(&text, "%s.", schema);
		query = mark + strlen(SCHEMA_MARK);
	}
	appendStringInfoString(&text, query);
	return text.data;
}

/* Add a row of the result; all but the finding and the severity may be NULL. */
static void
add_finding(const Checkup *checkup, const char *severity, const char *subject, const char *finding,
			const char *advice)
{
	InspectRow			row = {0};

	pgt_inspect_add(&row, CStringGetTextDatum(checkup->check->name));
	pgt_inspect_add(&row, CStringGetTextDatum(severity));
	pgt_inspect_add_if(&row, subject != NULL, subject != NULL ? CStringGetTextDatum(subject) : (Datum) 0);
	pgt_inspect_add(&row, CStringGetTextDatum(finding));
	pgt_inspect_add_if(&row, advice != NULL, advice != NULL ? CStringGetTextDatum(advice) : (Datum) 0);
	pgt_inspect_put(&row, checkup->result);
}

/* Run one of the check's queries; SPI has the result. */
static void
run(Checkup *checkup, const char *query)
{
	if (SPI_execute_with_args(with_schema(query, checkup->schema), DOCTOR_PARAMETERS,
							  (Oid *) parameter_types, checkup->values, checkup->nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run check \"%s\"", checkup->check->name);
}

/* A column of the result's row, or NULL. */
static char *
result_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/* Make the check.  Rows are added when both queries have succeeded.  arg: Checkup. */
static void
make_check(void *arg)
{
	Checkup    *checkup = arg;

	SPI_connect();
	run(checkup, checkup->check->query);
	for (uint64 i = 0; i < SPI_processed; i++)
		add_finding(checkup, result_text(i, 1), result_text(i, 2), result_text(i, 3), result_text(i, 4));
	if (SPI_processed == 0)
	{
		run(checkup, psprintf("SELECT %s", checkup->check->fine));
		add_finding(checkup, "ok", NULL, result_text(0, 1), NULL);
	}
	SPI_finish();
}

/* Add the row for a check that could not be made. */
static void
add_failure(const Checkup *checkup, const ErrorData *error)
{
	add_finding(checkup, "unknown", NULL, error->message,
				error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE ?
				"Ask as a superuser." : error->hint);
}

/* ---- all of them -------------------------------------------------------------- */

/* pg_topics_doctor(held_for, idle_for): a row for each finding, and for each check without one. */
Datum
pgt_topics_doctor(PG_FUNCTION_ARGS)
{
	Checkup		checkup = {0};
	int			level;

	InitMaterializedSRF(fcinfo, 0);
	checkup.result = (ReturnSetInfo *) fcinfo->resultinfo;
	checkup.schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	memset(checkup.nulls, 'n', sizeof(checkup.nulls));
	set_parameter(&checkup, DOCTOR_HELD_FOR, PG_GETARG_DATUM(0));
	set_parameter(&checkup, DOCTOR_IDLE_FOR, PG_GETARG_DATUM(1));
	count_slots(&checkup);
	look_at_limits(&checkup);

	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < pgt_doctor_check_count; i++)
	{
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		checkup.check = &pgt_doctor_checks[i];
		error = pgt_catch_error(make_check, &checkup);
		if (error != NULL)
			add_failure(&checkup, error);
	}
	AtEOXact_GUC(true, level);
	return (Datum) 0;
}
