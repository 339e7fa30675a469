/*
 * txn_role_limits.c
 *	  How many transactions a role may have open, and how many transactional ids it may have.
 *
 * The log has room for pg_topics.kafka_max_transactions, of all databases.  A role gets as much of it as it leaves free, so
 * that others can always begin some.  Who has how many is counted here, in the process that begins and ends them, and counted
 * anew with each look at all open ones (txn_timeout.c): what was not noticed, as the end of one whose turn was lost, is
 * right again in a second.
 *
 * Transactional ids are rows that stay until they expire.  They are counted when a role wants a new one, and not again for a
 * minute, in which those that it makes are added.
 *
 * Memory: an entry for each role that has used transactions, for the life of the process.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/transactions/txn_role_limits.h"
#include "broker/transactions/txn_row.h"
#include "log/kafka_txn_map.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define COUNTED_US	(60 * INT64CONST(1000000))

typedef struct RoleUse
{
	Oid			role;			/* the key */
	int			open;
	int			ids;
	int64		ids_counted;	/* by the monotonic clock; 0: never */
} RoleUse;

static HTAB *roles = NULL;

/* What is known of a role. */
static RoleUse *
find(Oid role)
{
	HASHCTL		info = {.keysize = sizeof(Oid),.entrysize = sizeof(RoleUse),.hcxt = TopMemoryContext};
	RoleUse    *use;
	bool		found;

	if (roles == NULL)
		roles = hash_create("pg_topics roles with transactions", 32, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	use = hash_search(roles, &role, HASH_ENTER, &found);
	if (!found)
		*use = (RoleUse) {role};
	return use;
}

/* ---- open transactions -------------------------------------------------------- */

bool
pgt_txn_role_limits_may_begin(Oid role)
{
	return find(role)->open < pgt_kafka_max_transactions - pgt_kafka_txn_map_count();
}

void
pgt_txn_role_limits_begun(Oid role)
{
	find(role)->open++;
}

void
pgt_txn_role_limits_ended(Oid role)
{
	RoleUse    *use = find(role);

	use->open = Max(use->open - 1, 0);
}

void
pgt_txn_role_limits_recount(void)
{
	HASH_SEQ_STATUS status;
	RoleUse    *use;

	if (roles == NULL)
		return;
	hash_seq_init(&status, roles);
	while ((use = hash_seq_search(&status)) != NULL)
		use->open = 0;
}

/* ---- transactional ids ---------------------------------------------------------- */

bool
pgt_txn_role_limits_may_make(Oid role)
{
	RoleUse    *use = find(role);
	int64		now = pgt_clock_monotonic_us();

	if (use->ids_counted == 0 || now - use->ids_counted >= COUNTED_US)
	{
		use->ids = pgt_txn_row_count(role);
		use->ids_counted = now;
	}
	if (use->ids >= pgt_kafka_max_transactional_ids)
		return false;
	use->ids++;
	return true;
}
