/*
 * helper_process.c
 *	  The process that serves requests which may wait.
 *
 * helper_pool.c starts it, in the loop's database, and sends it one request after the other.  It
 * decodes a request as the loop has done, runs the API's function, and sends back what that has
 * answered.  It ends when the loop gives up the queues; with SIGTERM, also in the midst of a
 * statement, which is rolled back then; and with an ERROR outside of a request.
 *
 * It is connected as the superuser, and holds no lock between two requests.  A statement that needs
 * the database for itself terminates it (database_claim.c).  Nothing of a request stays: settings are
 * those of the configuration files, memory is that of the request.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/api_table.h"
#include "broker/helpers/helper.h"
#include "maintenance/database_claim.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "util/background_worker.h"
#include "util/fault_point.h"
#include "util/sql_version.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#define IDLE_MS		(60 * 1000) /* it looks that often; it would not have to */

extern PGDLLEXPORT void pgt_helper_process_main(Datum segment);

static shm_mq_handle *calls;
static shm_mq_handle *replies;

/* ---- requests -------------------------------------------------------------------- */

/* The entry of an API, or NULL. */
static const HelperApi *
find_api(int key)
{
	for (int i = 0; pgt_api_table_helper[i] != NULL; i++)
	{
		if (pgt_api_table_helper[i]->key == key)
			return pgt_api_table_helper[i];
	}
	return NULL;
}

/* Serve a request; what is to be sent is in call->reply. */
static void
serve(HelperCall *call, const char *frame, Size length)
{
	BrokerRequest *request = &call->request;
	const HelperApi *api;

	pgt_broker_init_arena(request);
	if (pgt_kafka_request_decode(&request->kafka, &request->arena, frame, length) != KAFKA_VERDICT_SERVE)
		elog(ERROR, "could not decode a request: %s", request->kafka.problem);
	api = find_api(request->kafka.api->key);
	if (api == NULL)
		elog(ERROR, "no helper serves Kafka API %s", pgt_kafka_api_name(request->kafka.api));
	pgstat_report_activity(STATE_RUNNING, pgt_kafka_api_name(request->kafka.api));
	FAULT_HALT("helper-serve");
	api->run(call);
}

/* The same; an ERROR is logged and becomes a reply. */
static void
serve_guarded(HelperCall *call, const char *frame, Size length)
{
	PG_TRY();
	{
		serve(call, frame, length);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(call->request.memory);
		HOLD_INTERRUPTS();
		EmitErrorReport();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		LWLockReleaseAll();
		RESUME_INTERRUPTS();
		MemoryContextSwitchTo(call->request.memory);
		resetStringInfo(&call->reply);
		appendStringInfoChar(&call->reply, HELPER_FAILED);
	}
	PG_END_TRY();
}

/* Send something; the process ends if nobody is there any more. */
static void
reply(const char *bytes, Size length)
{
	if (shm_mq_send(replies, length, bytes, false, true) != SHM_MQ_SUCCESS)
		proc_exit(0);
}

/* Serve one message of the loop. */
static void
serve_message(const char *bytes, Size length)
{
	static const char begun = HELPER_BEGUN;
	HelperMessage message;
	HelperCall	call = {0};

	reply(&begun, 1);
	memcpy(&message, bytes, sizeof(message));
	call.role = message.role;
	call.deadline = message.deadline;
	call.request.memory = CurrentMemoryContext;
	initStringInfo(&call.reply);
	serve_guarded(&call, bytes + sizeof(message), length - sizeof(message));
	MemoryContextSwitchTo(call.request.memory);
	reply(call.reply.data, call.reply.len);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* ---- the process ------------------------------------------------------------------ */

/* Connect to the loop's database; exits if a statement has it for itself. */
static void
enter_database(void)
{
	Oid			database;

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	pgt_background_worker_connect(database);
	/* topics are as durable as those that SQL creates */
	SetConfigOption("synchronous_commit", "on", PGC_SUSET, PGC_S_OVERRIDE);
	StartTransactionCommand();
	if (!pgt_database_claim_may_serve(MyDatabaseId) || !pgt_sql_version_check(WARNING))
		proc_exit(0);
	CommitTransactionCommand();
	pgstat_report_appname(MyBgworkerEntry->bgw_type);
}

/* Be at the other end of the queues; exits if they are given up. */
static void
attach_queues(dsm_handle handle)
{
	dsm_segment *segment = dsm_attach(handle);
	shm_mq	   *calls_queue;
	shm_mq	   *replies_queue;

	if (segment == NULL)
		proc_exit(0);
	calls_queue = (shm_mq *) HELPER_CALLS(segment);
	replies_queue = (shm_mq *) HELPER_REPLIES(segment);
	shm_mq_set_receiver(calls_queue, MyProc);
	shm_mq_set_sender(replies_queue, MyProc);
	calls = shm_mq_attach(calls_queue, segment, NULL);
	replies = shm_mq_attach(replies_queue, segment, NULL);
}

void
pgt_helper_process_main(Datum arg)
{
	static const char ready = HELPER_READY;
	MemoryContext context;

	pqsignal(SIGTERM, pgt_background_worker_interrupt);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	MemoryContextSwitchTo(TopMemoryContext);
	enter_database();
	MemoryContextSwitchTo(TopMemoryContext);
	attach_queues(DatumGetUInt32(arg));
	context = AllocSetContextCreate(TopMemoryContext, "pg_topics kafka helper", ALLOCSET_DEFAULT_SIZES);
	reply(&ready, 1);
	pgstat_report_activity(STATE_IDLE, NULL);
	for (;;)
	{
		Size		length;
		void	   *bytes;
		shm_mq_result result = shm_mq_receive(calls, &length, &bytes, true);

		if (result == SHM_MQ_DETACHED)
			proc_exit(0);
		if (result == SHM_MQ_WOULD_BLOCK)
		{
			(void) pgt_background_worker_wait(IDLE_MS);
			continue;
		}
		(void) pgt_background_worker_serve_signals();
		MemoryContextSwitchTo(context);
		serve_message(bytes, length);
		MemoryContextSwitchTo(TopMemoryContext);
		MemoryContextReset(context);
	}
}
