/*
 * txn_coordinator.c
 *	  The coordinator of transactions: what becomes of each wish of a producer with a transactional id.
 *
 * A transactional id has a row (txn_row.h): its producer, and how its last transaction ended.  Its open transaction is in
 * the log's table (wal/kafka_txn.h), by the producer's id.  Nothing is kept in memory, so there is nothing that a crash, a
 * restart or a promotion would have to restore.
 *
 *	  the row says		the log has an open one		none
 *	  empty				open (unmarked)				empty
 *	  begun				open						lost: it was aborted
 *	  committed			open (unmarked)				committed
 *	  aborted			open (unmarked)				aborted
 *
 * A transaction ends in the log, and in the row, by one commit of the server (kafka_txn.h).  If that is lost, with a crash or
 * by an error, the log aborts it, and the row says what it said before.  Then nobody must take what follows for a transaction
 * that has just begun, or what is known of the one before for this one's end:
 *
 *	  its client, which has got no answer, asks again, and must not be told of the transaction before
 *	  where somebody else has ended it, as another client of the transactional id, a timeout or an administrator, its producer
 *	  knows of nothing, and goes on: what it sends would be the second half of a transaction whose first half was aborted
 *
 * So the row must say "begun" before the log has the end, by a commit of an earlier turn, which no crash loses without
 * the end: an unmarked one is marked first.  In the table above it is lost then.  Only a client that ends its own one with
 * another epoch (EndTxn from version 5 on) needs no mark: it has sent all before, and the pair of producer id and
 * epoch that it asks again with tells its transaction from all others.
 *
 * Epochs.  A new one fences producers of earlier ones: InitProducerId gives one to each client that begins with the
 * transactional id; EndTxn from version 5 on to the same client; and the coordinator itself takes one where it aborts.  What was given to
 * a client in place of another one, that client may still name, as it may not have got the answer.  When all epochs are used
 * up the producer gets another id.
 *
 * Offsets that are committed in a transaction are pending until it ends (pending_offset.h), and become the groups' by the same commit.
 * If a group is another role's by then, or has members in SQL, the transaction cannot be committed: it is aborted, as a lost one.
 *
 * Rights.  A transactional id belongs to the role that used it first, as long as that exists.
 */
#include "postgres.h"

#include "broker/offsets/pending_offset.h"
#include "broker/transactions/txn_coordinator.h"
#include "broker/transactions/txn_role_limits.h"
#include "format/record_batch.h"
#include "format/producer_sequence.h"
#include "miscadmin.h"
#include "access/xact.h"
#include "utils/acl.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "wal/kafka_txn.h"
#include "wal/producer_ids.h"

/* The last epoch that a producer gets, as in Kafka. */
#define LAST_EPOCH	(PG_INT16_MAX - 1)

static const TxnProducer no_producer = {NO_PRODUCER_ID, NO_PRODUCER_EPOCH};

/* ---- how it stands ----------------------------------------------------------- */

TxnCoordinatorState
pgt_txn_coordinator_state(const TxnRow *row, uint64 *number)
{
	int16		epoch;

	if (pgt_kafka_txn_map_find_producer(MyDatabaseId, row->producer_id, number, &epoch) && epoch == row->epoch)
		return TXN_COORDINATOR_OPEN;
	switch (row->state)
	{
		case TXN_ROW_BEGUN:
			return TXN_COORDINATOR_LOST;
		case TXN_ROW_COMMITTED:
			return TXN_COORDINATOR_COMMITTED;
		case TXN_ROW_ABORTED:
			return TXN_COORDINATOR_ABORTED;
		default:
			return TXN_COORDINATOR_EMPTY;
	}
}

void
pgt_txn_coordinator_stand(const TxnRow *row, TxnStanding *standing)
{
	standing->started = 0;
	standing->state = pgt_txn_coordinator_state(row, &standing->number);
	if (standing->state == TXN_COORDINATOR_OPEN && !pgt_kafka_txn_map_started(standing->number, &standing->started))
		/* it has ended meanwhile */
		standing->state = TXN_COORDINATOR_ABORTED;
}

const char *
pgt_txn_coordinator_state_name(TxnCoordinatorState state)
{
	static const char *const names[] = {
		[TXN_COORDINATOR_EMPTY] = "Empty",[TXN_COORDINATOR_OPEN] = "Ongoing",[TXN_COORDINATOR_LOST] = "CompleteAbort",
		[TXN_COORDINATOR_COMMITTED] = "CompleteCommit",[TXN_COORDINATOR_ABORTED] = "CompleteAbort"
	};

	return names[state];
}

bool
pgt_txn_coordinator_is_state(KafkaString name)
{
	static const char *const names[] = {
		"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"
	};

	for (int i = 0; i < lengthof(names); i++)
		if (name.length == strlen(names[i]) && memcmp(name.data, names[i], name.length) == 0)
			return true;
	return false;
}

/* Has the role that the row belongs to been dropped? */
static bool
is_deserted(const TxnRow *row)
{
	return !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(row->owner));
}

bool
pgt_txn_coordinator_may_use(const BrokerConnection *client, const TxnRow *row)
{
	return row->owner == client->role || is_deserted(row) || has_privs_of_role(client->role, row->owner);
}

static bool
is_current(const TxnRow *row, TxnProducer producer)
{
	return producer.id == row->producer_id && producer.epoch == row->epoch;
}

/* Is it the one that has been given the current pair in place of this one? */
static bool
is_previous(const TxnRow *row, TxnProducer producer)
{
	return producer.id != NO_PRODUCER_ID && producer.id == row->previous_producer_id &&
		producer.epoch == row->previous_epoch;
}

/* Read the row, for a client that must have one. */
static KafkaError
find_own(const BrokerConnection *client, const char *id, TxnRow *row)
{
	if (!pgt_txn_row_find(id, row))
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	if (!pgt_txn_coordinator_may_use(client, row))
		return KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	return KAFKA_ERROR_NONE;
}

/* Is the producer that of the row?  The error where it is not. */
static KafkaError
check_producer(const TxnRow *row, TxnProducer producer)
{
	if (producer.id != row->producer_id)
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	return producer.epoch == row->epoch ? KAFKA_ERROR_NONE : KAFKA_ERROR_PRODUCER_FENCED;
}

/* ---- changing it ------------------------------------------------------------- */

/* Write the row. */
static KafkaError
write_changed(TxnRow *row)
{
	row->changed = GetCurrentTimestamp();
	return pgt_txn_row_write(row) ? KAFKA_ERROR_NONE : KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
}

/* May the log's end of the row's open transaction be logged?  Else it is to be marked. */
static bool
is_marked(const TxnRow *row)
{
	return row->state == TXN_ROW_BEGUN && !row->is_new;
}

/* Mark it: it may be ended in a later turn. */
static KafkaError
mark(TxnRow *row, bool *marked)
{
	/* the current turn has done so, for somebody else */
	if (row->state == TXN_ROW_BEGUN)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	row->state = TXN_ROW_BEGUN;
	*marked = write_changed(row) == KAFKA_ERROR_NONE;
	return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
}

/* Give the row's producer the next epoch.  False if there is no new id for it at the moment. */
static bool
bump(TxnRow *row, TxnProducer previous)
{
	if (row->epoch < LAST_EPOCH)
		row->epoch++;
	else
	{
		row->producer_id = pgt_producer_ids_next();
		row->epoch = 0;
	}
	row->previous_producer_id = previous.id;
	row->previous_epoch = previous.epoch;
	return row->producer_id != NO_PRODUCER_ID;
}

/* Begin one in the log.  The row is that of the producer. */
static KafkaError
begin_in_log(const TxnRow *row, uint64 *number)
{
	/* what stands in the way, or is lacking, will not for long */
	if (!pgt_txn_role_limits_may_begin(row->owner))
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	if (pgt_kafka_txn_begin(row->producer_id, row->epoch, MyDatabaseId, number) != KAFKA_TXN_DONE)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	pgt_txn_role_limits_begun(row->owner);
	return KAFKA_ERROR_NONE;
}

/* End one in the log, when all else is done.  Who asks for it is answered when that is durable (txn_request.c). */
static KafkaError
end_in_log(const TxnRow *row, uint64 number, bool commit)
{
	if (pgt_kafka_txn_end_unflushed(number, commit) != KAFKA_TXN_DONE)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	pgt_txn_role_limits_ended(row->owner);
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_txn_coordinator_number(const BrokerConnection *client, const char *id, TxnProducer producer, bool begins, uint64 *number)
{
	TxnRow		row;
	KafkaError	error = find_own(client, id, &row);

	if (error == KAFKA_ERROR_NONE)
		error = check_producer(&row, producer);
	if (error != KAFKA_ERROR_NONE)
		return error;
	switch (pgt_txn_coordinator_state(&row, number))
	{
		case TXN_COORDINATOR_OPEN:
			return KAFKA_ERROR_NONE;
		case TXN_COORDINATOR_LOST:
			return begins ? KAFKA_ERROR_TRANSACTION_ABORTABLE : KAFKA_ERROR_INVALID_TXN_STATE;
		default:
			return begins ? begin_in_log(&row, number) : KAFKA_ERROR_INVALID_TXN_STATE;
	}
}

/* ---- InitProducerId ---------------------------------------------------------------- */

/* A transactional id that nobody has used yet. */
static KafkaError
make(const BrokerConnection *client, int32 timeout_ms, TxnRow *row)
{
	if (!pgt_txn_role_limits_may_make(client->role))
		return KAFKA_ERROR_POLICY_VIOLATION;
	row->owner = client->role;
	row->producer_id = pgt_producer_ids_next();
	row->previous_producer_id = NO_PRODUCER_ID;
	row->previous_epoch = NO_PRODUCER_EPOCH;
	row->timeout_ms = timeout_ms;
	return row->producer_id == NO_PRODUCER_ID ? KAFKA_ERROR_CONCURRENT_TRANSACTIONS : write_changed(row);
}

/* Abort what is open, and give it another epoch. */
static KafkaError
take_over(const BrokerConnection *client, int32 timeout_ms, TxnProducer known, TxnRow *row, bool *marked)
{
	uint64		number;
	bool		is_open = pgt_txn_coordinator_state(row, &number) == TXN_COORDINATOR_OPEN;
	KafkaError	error;

	if (is_open && !is_marked(row))
		return mark(row, marked);
	if (is_deserted(row))
		row->owner = client->role;
	pgt_pending_offset_delete(row->producer_id);
	row->timeout_ms = timeout_ms;
	row->state = TXN_ROW_EMPTY;
	if (!bump(row, known))
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	error = write_changed(row);
	return error == KAFKA_ERROR_NONE && is_open ? end_in_log(row, number, false) : error;
}

KafkaError
pgt_txn_coordinator_init(const BrokerConnection *client, const char *id, int32 timeout_ms, TxnProducer known,
						 TxnProducer *given, bool *marked)
{
	TxnRow		row;
	uint64		number;
	KafkaError	error;

	if (!pgt_txn_row_find(id, &row))
		error = make(client, timeout_ms, &row);
	else if (!pgt_txn_coordinator_may_use(client, &row))
		error = KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	else if (known.id == NO_PRODUCER_ID || is_current(&row, known))
		error = take_over(client, timeout_ms, known, &row, marked);
	/* it asks again for what it was given */
	else if (is_previous(&row, known) && pgt_txn_coordinator_state(&row, &number) == TXN_COORDINATOR_EMPTY)
		error = KAFKA_ERROR_NONE;
	else
		error = KAFKA_ERROR_PRODUCER_FENCED;
	*given = (TxnProducer) {row.producer_id, row.epoch};
	return error;
}

/* ---- AddPartitionsToTxn ------------------------------------------------------------- */

KafkaError
pgt_txn_coordinator_begin(const BrokerConnection *client, const char *id, TxnProducer producer)
{
	TxnRow		row;
	uint64		number;
	KafkaError	error = find_own(client, id, &row);

	if (error == KAFKA_ERROR_NONE)
		error = check_producer(&row, producer);
	if (error != KAFKA_ERROR_NONE)
		return error;
	switch (pgt_txn_coordinator_state(&row, &number))
	{
		case TXN_COORDINATOR_OPEN:
			break;
		case TXN_COORDINATOR_LOST:
			/* as after a timeout: none of what it adds could be committed with what was aborted */
			return KAFKA_ERROR_PRODUCER_FENCED;
		default:
			error = begin_in_log(&row, &number);
			break;
	}
	if (error != KAFKA_ERROR_NONE || row.state == TXN_ROW_BEGUN)
		return error;
	row.state = TXN_ROW_BEGUN;
	return write_changed(&row);
}

/* ---- EndTxn ---------------------------------------------------------------------------- */

/* Note how the transaction of the row has ended, and write it; its offsets are done with. */
static KafkaError
note_end(TxnRow *row, const TxnEnd *end)
{
	TxnProducer ended = {row->producer_id, row->epoch};

	row->state = end->commit ? TXN_ROW_COMMITTED : TXN_ROW_ABORTED;
	if (end->bumps && !bump(row, ended))
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	if (!end->bumps)
	{
		row->previous_producer_id = no_producer.id;
		row->previous_epoch = no_producer.epoch;
	}
	return write_changed(row);
}

/* Offsets are written in a subtransaction, so that none of them is left where one of them is refused. */
static PendingOffsetResult
commit_offsets(const TxnRow *row, uint64 number, Oid role)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	PendingOffsetResult result;

	if (pgt_pending_offset_count(row->producer_id, number) == 0)
		return PENDING_OFFSET_DONE;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	result = pgt_pending_offset_commit(row->producer_id, number, role);
	if (result == PENDING_OFFSET_DONE)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return result;
}

/* Abort what cannot be committed.  The client is told that it was lost, and that is kept. */
static KafkaError
lose(TxnRow *row, uint64 number, TxnEnd *end)
{
	KafkaError	error;

	if (!is_marked(row))
		return mark(row, &end->marked);
	error = end_in_log(row, number, false);
	end->marked = error == KAFKA_ERROR_NONE;
	return error == KAFKA_ERROR_NONE ? end->lost : error;
}

/* End an open one. */
static KafkaError
end_open(const BrokerConnection *client, TxnRow *row, uint64 number, TxnEnd *end)
{
	KafkaError	error;

	if (!end->bumps && !is_marked(row))
		return mark(row, &end->marked);
	if (end->commit)
	{
		switch (commit_offsets(row, number, client->role))
		{
			case PENDING_OFFSET_DONE:
				break;
			case PENDING_OFFSET_BUSY:
				return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
			case PENDING_OFFSET_REFUSED:
				return lose(row, number, end);
		}
	}
	pgt_pending_offset_delete_of(row->producer_id, number);
	error = note_end(row, end);
	return error == KAFKA_ERROR_NONE ? end_in_log(row, number, end->commit) : error;
}

/* The current producer ends what is not open. */
static KafkaError
end_nothing(TxnRow *row, TxnCoordinatorState state, const TxnEnd *end)
{
	/* it has ended, and the client asks again, or it aborts what was lost or never begun */
	if (!end->bumps && state == (end->commit ? TXN_COORDINATOR_COMMITTED : TXN_COORDINATOR_ABORTED))
		return KAFKA_ERROR_NONE;
	if (!end->commit && (end->bumps || state == TXN_COORDINATOR_LOST))
	{
		pgt_pending_offset_delete(row->producer_id);
		return note_end(row, end);
	}
	/* with an epoch for each transaction one that is lost need not be marked */
	if (end->commit && (end->bumps || state == TXN_COORDINATOR_LOST))
		return end->lost;
	return KAFKA_ERROR_INVALID_TXN_STATE;
}

/* The producer asks again that has been given another epoch with the end. */
static KafkaError
end_again(TxnCoordinatorState state, const TxnEnd *end)
{
	if (state == TXN_COORDINATOR_OPEN || state == TXN_COORDINATOR_EMPTY || state == TXN_COORDINATOR_LOST)
		return KAFKA_ERROR_PRODUCER_FENCED;
	return state == (end->commit ? TXN_COORDINATOR_COMMITTED : TXN_COORDINATOR_ABORTED) ?
		KAFKA_ERROR_NONE : KAFKA_ERROR_INVALID_TXN_STATE;
}

KafkaError
pgt_txn_coordinator_end(const BrokerConnection *client, const char *id, TxnProducer producer, TxnEnd *end, TxnProducer *next)
{
	TxnRow		row;
	uint64		number;
	KafkaError	error = find_own(client, id, &row);
	TxnCoordinatorState state;

	if (error != KAFKA_ERROR_NONE)
		return error;
	state = pgt_txn_coordinator_state(&row, &number);
	if (end->bumps && is_previous(&row, producer))
		error = end_again(state, end);
	else if (!is_current(&row, producer))
		error = check_producer(&row, producer);
	else if (state == TXN_COORDINATOR_OPEN)
		error = end_open(client, &row, number, end);
	else
		error = end_nothing(&row, state, end);
	*next = (TxnProducer) {row.producer_id, row.epoch};
	return error;
}

/* ---- the coordinator's own wish -------------------------------------------------------------- */

KafkaError
pgt_txn_coordinator_fence(TxnRow *row, uint64 number, bool *marked)
{
	KafkaError	error;

	if (!is_marked(row))
		return mark(row, marked);
	pgt_pending_offset_delete(row->producer_id);
	row->state = TXN_ROW_ABORTED;
	if (!bump(row, no_producer))
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	error = write_changed(row);
	return error == KAFKA_ERROR_NONE ? end_in_log(row, number, false) : error;
}
