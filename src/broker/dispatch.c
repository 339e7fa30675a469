/*
 * dispatch.c
 *	  From frames to the functions that serve APIs.
 *
 * For each frame: decode it, find its API, ask whether this client's request may be served
 * now, and call the API's function.  Whatever that function or a hook throws ends here: it is
 * logged, the turn's transaction is cleaned up, and the connection is closed.  So a
 * request can end its connection, but not the worker.
 *
 * What Kafka's broker does with requests that it cannot serve is what is done here: it
 * closes the connection.  ApiVersions of a version that is not known is answered.
 */
#include "postgres.h"

#include "broker/api_table.h"
#include "broker/connection_status.h"
#include "broker/core/broker_wait.h"
#include "broker/core/quota.h"
#include "broker/core/turn.h"
#include "broker/dispatch.h"
#include "broker/login/authentication.h"
#include "broker/login/sasl.h"
#include "common/ip.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define GO_ON_US		10000				/* of a turn, for requests that take more than their slices */
#define TABLES_US		1000000				/* that a new request waits for tables which somebody has locked */

/* ---- requests -------------------------------------------------------------- */

/* Copy what a client calls itself, for views and the log: characters that are not plain ones are left out. */
static void
note_client(BrokerRequest *request)
{
	BrokerConnection *client = request->client;
	KafkaString name = request->kafka.header->client_id;
	int			length = 0;

	client->api_key = request->kafka.api->key;
	for (int i = 0; i < name.length && length < NAMEDATALEN - 1; i++)
	{
		if (name.data[i] >= ' ' && name.data[i] <= '~')
			client->client_id[length++] = name.data[i];
	}
	client->client_id[length] = '\0';
}

/* A call of a request's function. */
typedef struct RequestCall
{
	BrokerRequest *request;
	void		(*function) (BrokerRequest *request);
} RequestCall;

/* Say in errors whose request it was. */
static void
add_context(void *arg)
{
	BrokerRequest *request = arg;
	Connection *connection = request->client->connection;
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (pg_getnameinfo_all(&connection->peer.addr, connection->peer.salen, host, sizeof(host), port, sizeof(port),
						   NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	errcontext("Kafka request %s, version %d, of client \"%s\" at %s:%s",
			   pgt_kafka_api_name(request->kafka.api), request->kafka.version, request->client->client_id, host, port);
}

static void
call_request(void *arg)
{
	RequestCall *call = arg;
	ErrorContextCallback context = {.previous = error_context_stack, .callback = add_context, .arg = call->request};

	error_context_stack = &context;
	MemoryContextSwitchTo(call->request->memory);
	call->function(call->request);
	error_context_stack = context.previous;
}

/* Let a function serve a request, and see to it that it has answered, parked or closed. */
static void
run_request(BrokerRequest *request, void (*function) (BrokerRequest *request))
{
	RequestCall call = {request, function};
	Exchange   *exchange = request->exchange;

	pgt_broker_wait_begin_slice();
	request->began = pgt_quota_exists ? pgt_clock_monotonic_us() : 0;
	if (!pgt_turn_try(call_request, &call, NULL))
	{
		/* an answer may have been given before the error; then the client keeps it */
		if (!exchange->answered)
			pgt_broker_close(request, "a request has failed");
	}
	else if (!exchange->answered && !request->parked && !pgt_connection_is_failing(exchange->connection))
	{
		elog(LOG, "request of Kafka API %s was left unanswered", pgt_kafka_api_name(request->kafka.api));
		pgt_broker_close(request, "a request was left unanswered");
	}
	/* the request is gone when it is answered */
	if (!exchange->answered && request->began != 0)
		request->busy_us += pgt_clock_monotonic_us() - request->began;
}

/* Must the request wait, as somebody has locked tables that its API uses?  Then the function is called when they are free. */
static bool
waits_for_tables(BrokerRequest *request, void (*function) (BrokerRequest *request))
{
	const BrokerApi *api = pgt_broker_find_api(request->kafka.api->key);
	BrokerWait	wait = {.wake = function};

	if (api == NULL || !api->uses_tables || pgt_turn_lock_tables())
		return false;
	wait.deadline = pgt_clock_monotonic_us() + TURN_RETRY_MS * INT64CONST(1000);
	pgt_broker_park(request, &wait);
	return true;
}

/* Serve a request if the client may have that.  One that has waited for tables is told to come back, by its API. */
static void
serve_admitted(BrokerRequest *request)
{
	const BrokerApi *api = pgt_broker_find_api(request->kafka.api->key);

	if (!pgt_authentication_admits(request->client, api))
		pgt_broker_close(request, "");	/* why is logged */
	else if (pgt_clock_monotonic_us() >= request->arrived + TABLES_US || !waits_for_tables(request, serve_admitted))
	{
		pgt_quota_begin(request);
		api->serve(request);
	}
}

/* Go on with one that was parked. */
static void
wake_request(BrokerRequest *request)
{
	void		(*wake) (BrokerRequest *request) = request->wait.wake;

	if (wake == serve_admitted || !waits_for_tables(request, wake))
		wake(request);
}

/* Serve a request whose body is decoded. */
static void
serve_request(BrokerRequest *request)
{
	note_client(request);
	if (pgt_broker_find_api(request->kafka.api->key) == NULL)
		pgt_broker_close(request, "the API of a request is not served");
	else
		run_request(request, serve_admitted);
}

/* Serve a frame that is no request. */
static void
serve_sasl(BrokerRequest *request)
{
	request->kafka.api = pgt_kafka_api(KAFKA_API_SASL_AUTHENTICATE);
	run_request(request, pgt_sasl_serve_frame);
}

/* A frame has come. */
static void
serve(Exchange *exchange)
{
	BrokerRequest *request = MemoryContextAllocZero(exchange->memory, sizeof(BrokerRequest));

	exchange->request = request;
	request->exchange = exchange;
	request->memory = exchange->memory;
	request->client = exchange->connection->client;
	request->arrived = pgt_clock_monotonic_us();
	pgt_broker_init_arena(request);
	if (pgt_sasl_takes_frames(request->client))
	{
		serve_sasl(request);
		return;
	}
	switch (pgt_kafka_request_decode(&request->kafka, &request->arena, exchange->frame, exchange->length))
	{
		case KAFKA_VERDICT_SERVE:
			serve_request(request);
			break;
		case KAFKA_VERDICT_TELL_VERSIONS:
			note_client(request);
			pgt_broker_answer_versions(request);
			break;
		case KAFKA_VERDICT_CLOSE:
			pgt_broker_close(request, request->kafka.problem);
			break;
		case KAFKA_VERDICT_NO_MEMORY:
			pgt_broker_close(request, "a request has more items than there is memory for");
			break;
	}
}

/* The connection of a request is closed before it is answered. */
static void
dropped(Exchange *exchange)
{
	BrokerRequest *request = exchange->request;

	if (request == NULL)
		return;
	pgt_broker_wait_forget(request);
	if (request->dropped != NULL)
	{
		RequestCall call = {request, request->dropped};

		(void) pgt_turn_try(call_request, &call, NULL);
	}
}

void
pgt_dispatch_wake(void)
{
	/* those that are woken meanwhile have to wait until all others had their turn */
	for (int count = pgt_broker_wait_woken_count(); count > 0; count--)
	{
		BrokerRequest *request = pgt_broker_wait_next();

		if (request == NULL)
			break;
		run_request(request, wake_request);
	}
	if (pgt_broker_wait_woken_count() > 0)
		pgt_event_loop_hurry();
}

void
pgt_dispatch_go_on(void)
{
	int64		end = pgt_clock_monotonic_us() + GO_ON_US;

	for (int count = pgt_broker_wait_slice_count(); count > 0 && pgt_clock_monotonic_us() < end; count--)
	{
		BrokerRequest *request = pgt_broker_wait_next_slice();

		if (request == NULL)
			break;
		run_request(request, wake_request);
	}
	if (pgt_broker_wait_slice_count() > 0)
		pgt_event_loop_hurry();
}

/* ---- connections ----------------------------------------------------------- */

static void
call_begin(void *arg)
{
	pgt_authentication_begin(arg);
}

static void
call_opened(void *arg)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		if (pgt_api_table_hooks[i]->opened != NULL)
			pgt_api_table_hooks[i]->opened(arg);
	}
}

static void
call_closed(void *arg)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		if (pgt_api_table_hooks[i]->closed != NULL)
			pgt_api_table_hooks[i]->closed(arg);
	}
}

static bool
opened(Connection *connection)
{
	static uint64 last_id = 0;
	BrokerConnection *client = MemoryContextAllocZero(connection->memory, sizeof(BrokerConnection));

	connection->client = client;
	client->connection = connection;
	client->id = ++last_id;
	client->api_key = -1;
	client->session_end = NEVER_US;
	pgt_broker_set_expiry(client, connection->connected_at + AuthenticationTimeout * USECS_PER_SEC);
	pgt_connection_status_add(client);
	return pgt_turn_try(call_begin, client, NULL) && pgt_turn_try(call_opened, client, NULL);
}

static void
settled(Connection *connection)
{
	pgt_connection_status_update(connection->client);
}

static void
closed(Connection *connection)
{
	/* there was no memory when it was opened */
	if (connection->client == NULL)
		return;
	pgt_connection_status_remove(connection->client);
	(void) pgt_turn_try(call_closed, connection->client, NULL);
}

static bool
guard(void (*function) (void *arg), void *arg)
{
	return pgt_turn_try(function, arg, NULL);
}

static const ConnectionHandlers connection_handlers = {
	.guard = guard,
	.opened = opened,
	.serve = serve,
	.dropped = dropped,
	.settled = settled,
	.closed = closed
};

void
pgt_dispatch_init(void)
{
	pgt_broker_set_apis(pgt_api_table);
	pgt_broker_wait_init();
	pgt_connection_init(&connection_handlers);
}

/* ---- hooks ----------------------------------------------------------------- */

static void
call_start(void *arg)
{
	((const BrokerHooks *) arg)->start();
}

static void
call_reloaded(void *arg)
{
	((const BrokerHooks *) arg)->reloaded();
}

static void
call_turn_end(void *arg)
{
	((const BrokerHooks *) arg)->turn_end();
}

/* The arguments of hooks that have some. */
typedef struct HookCall
{
	const BrokerHooks *hooks;
	bool		latch_set;
	BrokerDurability durability;
	XLogRecPtr	lsn;
} HookCall;

static void
call_turn_begin(void *arg)
{
	HookCall   *call = arg;

	call->hooks->turn_begin(call->latch_set);
}

static void
call_reached(void *arg)
{
	HookCall   *call = arg;

	call->hooks->reached(call->durability, call->lsn);
}

void
pgt_dispatch_start(void)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		if (pgt_api_table_hooks[i]->start != NULL)
			(void) pgt_turn_try(call_start, (void *) pgt_api_table_hooks[i], NULL);
	}
}

void
pgt_dispatch_reloaded(void)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		if (pgt_api_table_hooks[i]->reloaded != NULL)
			(void) pgt_turn_try(call_reloaded, (void *) pgt_api_table_hooks[i], NULL);
	}
}

void
pgt_dispatch_turn_begin(bool latch_set)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		HookCall	call = {.hooks = pgt_api_table_hooks[i], .latch_set = latch_set};

		if (call.hooks->turn_begin != NULL)
			(void) pgt_turn_try(call_turn_begin, &call, NULL);
	}
}

void
pgt_dispatch_turn_end(void)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		if (pgt_api_table_hooks[i]->turn_end != NULL)
			(void) pgt_turn_try(call_turn_end, (void *) pgt_api_table_hooks[i], NULL);
	}
}

void
pgt_dispatch_reached(BrokerDurability durability, XLogRecPtr lsn)
{
	for (int i = 0; pgt_api_table_hooks[i] != NULL; i++)
	{
		HookCall	call = {.hooks = pgt_api_table_hooks[i], .durability = durability, .lsn = lsn};

		if (call.hooks->reached != NULL)
			(void) pgt_turn_try(call_reached, &call, NULL);
	}
	pgt_broker_wait_reached(durability, lsn);
}
