/*
 * abort_kafka_transaction.c
 *	  The function abort_kafka_transaction(): ending an open transaction of a Kafka client from SQL.
 *
 * The function changes the row of the transactional id, so that the time of its transaction is over; when that is committed
 * the process that serves the clients aborts it within a second or so, as after a timeout (txn_timeout.c), and fences the
 * producer.  So a function that is rolled back has done nothing, and no half of a transaction is ever committed
 * by a client that does not know.
 *
 * Locks: the row's, until the transaction ends.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/transactions/txn_coordinator.h"
#include "miscadmin.h"
#include "util/sql_version.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PGT_FUNCTION_INFO(pgt_abort_kafka_transaction);

/* Who serves the clients has the row for a moment only. */
#define RETRY_US	10000

/* Read the row, for a role that may use it. */
static void
find_own(const char *id, TxnRow *row)
{
	if (!pgt_txn_row_find(id, row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("transactional id \"%s\" does not exist", id),
				 errhint("The view pg_kafka_transactions has those that you may use.")));
	if (!has_privs_of_role(GetUserId(), row->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for transactional id \"%s\"", id),
				 errdetail("It belongs to another role.")));
}

/* abort_kafka_transaction(transactional_id text) returns boolean */
Datum
pgt_abort_kafka_transaction(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TxnRow		row;

	PreventCommandIfReadOnly("abort_kafka_transaction()");
	for (;;)
	{
		uint64		number;

		find_own(id, &row);
		if (pgt_txn_coordinator_state(&row, &number) != TXN_COORDINATOR_OPEN)
			PG_RETURN_BOOL(false);
		row.timeout_ms = 0;
		if (pgt_txn_row_write(&row))
			PG_RETURN_BOOL(true);
		CHECK_FOR_INTERRUPTS();
		pg_usleep(RETRY_US);
	}
}
