/*
 * list_transactions.c
 *	  The API ListTransactions: the transactional ids that the client may use, and how they stand.
 *
 * There may be any number of them: they are read one by one in the order of their names, in slices.
 */
#include "postgres.h"

#include "broker/core/database_text.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/topic_regex.h"
#include "broker/transactions/list_transactions.h"
#include "broker/transactions/txn_coordinator.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define LEAST_ROOM	16

typedef KafkaListTransactionsResponseTransactionState ListedTransaction;

typedef struct ListTransactions
{
	BrokerRequest *request;
	KafkaListTransactionsResponse response;
	int			room;
	TopicRegex *pattern;		/* NULL: all names */
	char	   *last;			/* the transactional id that was read last; NULL: it begins */
	MemoryContext scratch;		/* for a row */
} ListTransactions;

/* ---- filters ------------------------------------------------------------------- */

/* Is it one of the states that are asked for? */
static bool
has_state(const KafkaListTransactionsRequest *body, const char *state)
{
	for (int i = 0; i < body->state_filters.count; i++)
		if (body->state_filters.items[i].length == strlen(state) &&
			memcmp(body->state_filters.items[i].data, state, strlen(state)) == 0)
			return true;
	return body->state_filters.count <= 0;
}

static bool
has_producer(const KafkaListTransactionsRequest *body, int64 producer_id)
{
	for (int i = 0; i < body->producer_id_filters.count; i++)
		if (body->producer_id_filters.items[i] == producer_id)
			return true;
	return body->producer_id_filters.count <= 0;
}

/*
 * Has it begun as long ago as is asked for?  When one that has ended began is not known, so its end counts, and a
 * transactional id that has had none passes, as in Kafka.
 */
static bool
is_old(const KafkaListTransactionsRequest *body, const TxnRow *row, const TxnStanding *standing)
{
	TimestampTz since = standing->state == TXN_COORDINATOR_OPEN ? standing->started : row->changed;

	return body->duration_filter < 0 || standing->state == TXN_COORDINATOR_EMPTY ||
		pgt_clock_now_ms() - pgt_clock_from_timestamptz(since) > body->duration_filter;
}

/* Does its name match, as the client knows it? */
static bool
has_name(const ListTransactions *state, const char *id)
{
	MemoryContext caller;
	volatile bool result;

	if (state->pattern == NULL)
		return true;
	caller = MemoryContextSwitchTo(state->scratch);
	pgt_topic_regex_begin();
	PG_TRY();
	{
		result = pgt_topic_regex_matches(state->pattern, pgt_database_text_for_client(id).data);
	}
	PG_FINALLY();
	{
		pgt_topic_regex_end();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return result;
}

/* ---- one transactional id ------------------------------------------------------------ */

/* A place for one more. */
static ListedTransaction *
add(ListTransactions *state)
{
	KafkaListTransactionsResponse *response = &state->response;
	int			room = Max(LEAST_ROOM, state->room * 2);

	if (response->transaction_states.count == state->room)
	{
		/* not in the request's arena, where those that were too small would stay and count */
		response->transaction_states.items = state->room == 0 ?
			MemoryContextAllocHuge(state->request->memory, room * sizeof(ListedTransaction)) :
			repalloc_huge(response->transaction_states.items, room * sizeof(ListedTransaction));
		state->room = room;
	}
	return &response->transaction_states.items[response->transaction_states.count++];
}

/* Tell of a row, if it passes. */
static void
tell(ListTransactions *state, const TxnRow *row)
{
	const KafkaListTransactionsRequest *body = state->request->kafka.body;
	TxnStanding standing;
	const char *name;
	ListedTransaction *listed;

	if (!has_producer(body, row->producer_id) || !pgt_txn_coordinator_may_use(state->request->client, row))
		return;
	pgt_txn_coordinator_stand(row, &standing);
	name = pgt_txn_coordinator_state_name(standing.state);
	if (!has_state(body, name) || !is_old(body, row, &standing) || !has_name(state, row->id))
		return;
	listed = add(state);
	pgt_kafka_default_struct(KAFKA_LIST_TRANSACTIONS_RESPONSE_TRANSACTION_STATE, listed);
	listed->transactional_id = pgt_database_text_for_client(MemoryContextStrdup(state->request->memory, row->id));
	listed->producer_id = row->producer_id;
	listed->transaction_state = pgt_broker_string(name);
}

/* ---- the request ------------------------------------------------------------------------ */

/* Tell of the next one.  False at the end. */
static bool
step(ListTransactions *state)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	TxnRow		row;
	bool		found = pgt_txn_row_next(state->last, &row);

	MemoryContextSwitchTo(caller);
	if (!found)
		return false;
	tell(state, &row);
	if (state->last != NULL)
		pfree(state->last);
	state->last = pstrdup(row.id);
	MemoryContextReset(state->scratch);
	return true;
}

/* BrokerRequest, and when it is answered: a pattern may have memory that is not the request's. */
static void
forget_pattern(BrokerRequest *request)
{
	ListTransactions *state = request->state;

	if (state->pattern != NULL)
		pgt_topic_regex_free(state->pattern);
	state->pattern = NULL;
}

static void
go_on(BrokerRequest *request)
{
	ListTransactions *state = request->state;

	pgt_turn_open();
	while (step(state))
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	forget_pattern(request);
	pgt_broker_answer(request, &state->response);
}

/* Names of states that there are not. */
static void
note_unknown_states(BrokerRequest *request, KafkaListTransactionsResponse *response)
{
	const KafkaListTransactionsRequest *body = request->kafka.body;

	response->unknown_state_filters.items = palloc(Max(body->state_filters.count, 1) * sizeof(KafkaString));
	for (int i = 0; i < body->state_filters.count; i++)
		if (!pgt_txn_coordinator_is_state(body->state_filters.items[i]))
			response->unknown_state_filters.items[response->unknown_state_filters.count++] = body->state_filters.items[i];
}

/* Compile the pattern.  False: it is none. */
static bool
compile(ListTransactions *state)
{
	const KafkaListTransactionsRequest *body = state->request->kafka.body;
	const char *problem;

	if (body->transactional_id_pattern.length <= 0)
		return true;
	state->pattern = pgt_topic_regex_compile(body->transactional_id_pattern, &problem);
	return state->pattern != NULL;
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	ListTransactions *state = palloc0(sizeof(ListTransactions));

	state->request = request;
	request->state = state;
	request->dropped = forget_pattern;
	pgt_kafka_default_struct(KAFKA_LIST_TRANSACTIONS_RESPONSE, &state->response);
	state->scratch = AllocSetContextCreate(request->memory, "pg_topics ListTransactions", ALLOCSET_SMALL_SIZES);
	pgt_turn_open();
	state->response.error_code = pgt_group_coordinator_check_active();
	if (state->response.error_code == KAFKA_ERROR_NONE && !compile(state))
		state->response.error_code = KAFKA_ERROR_INVALID_REGULAR_EXPRESSION;
	note_unknown_states(request, &state->response);
	if (state->response.error_code != KAFKA_ERROR_NONE)
		pgt_broker_answer(request, &state->response);
	else
		go_on(request);
}

const BrokerApi pgt_list_transactions_api = {.key = KAFKA_API_LIST_TRANSACTIONS, .serve = serve, .uses_tables = true};
