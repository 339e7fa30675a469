/*
 * offset_turn.c
 *	  The committed offsets that a turn of the loop writes.
 *
 * They are collected, and written just before the turn's transaction commits: so all that clients commit in a turn
 * costs one commit and one flush, and a partition whose offset is committed several times one row.  The order is that
 * of the requests: of those of a role the last one counts, and what becomes of it becomes of all.
 *
 * Errors.  An ERROR while rows are written would be that of the whole turn, with what others have produced.
 * Subtransactions would prevent that, at the price of a transaction id each.  An ERROR is not to be expected
 * here: conflicts and rights are results (kafka_offset.h), and what is left is a full disk, or damage.  So the rows of
 * a turn have no subtransaction until one has failed.  Then the clients of that turn are told to try again, and for
 * a while each row has one of its own, so that the next time only whoever is concerned gets the error.
 *
 * A turn writes a limited number, since other clients wait meanwhile; requests with more take several turns.
 *
 * Memory: a context for what is made while rows are written, reset with each turn.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/core/turn.h"
#include "broker/offsets/offset_turn.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* About 20 microseconds each. */
#define WRITES_MAX	500

/* For so long rows have subtransactions, after an ERROR. */
#define CAREFUL_US	(10 * INT64CONST(1000000))

static TurnWork work;
static slist_head writes = SLIST_STATIC_INIT(writes);
static slist_node *last_write = NULL;
static int	write_count = 0;

static XLogRecPtr committed_lsn = InvalidXLogRecPtr;
static int64 careful_until = 0;
static MemoryContext scratch = NULL;

/* ---- which ones count -------------------------------------------------------- */

/*
 * The key of a partition of a group; of groups with the same hash the second one has another number.  Roles have places of
 * their own: what one of them may not do takes the place of nothing that another one may.
 */
typedef struct PlaceKey
{
	uint64		group;
	Oid			topic;
	int32		partition;
	Oid			role;
	uint32		unused;			/* 0: no padding */
} PlaceKey;

typedef struct OffsetTurnPlace
{
	PlaceKey	key;
	OffsetTurnWrite *last;
} OffsetTurnPlace;

/* The table of the turn's partitions. */
static HTAB *
make_table(void)
{
	HASHCTL		info = {.keysize = sizeof(PlaceKey),.entrysize = sizeof(OffsetTurnPlace),.hcxt = scratch};

	return hash_create("pg_topics offsets of a turn", write_count, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Enter a write as the last one of its partition. */
static void
enter(HTAB *table, OffsetTurnWrite *write)
{
	PlaceKey	key = {.topic = write->topic,.partition = write->partition,.role = write->role};
	bool		found;

	key.group = hash_bytes_extended((const unsigned char *) write->group, strlen(write->group), 0);
	do
	{
		write->place = hash_search(table, &key, HASH_ENTER, &found);
		key.group++;
	} while (found && strcmp(write->place->last->group, write->group) != 0);
	write->place->last = write;
}

/* Find the last write of each partition.  "single" is the place of one that is alone. */
static void
find_last(OffsetTurnPlace *single)
{
	HTAB	   *table = write_count > 1 ? make_table() : NULL;
	slist_iter	iter;

	slist_foreach(iter, &writes)
	{
		OffsetTurnWrite *write = slist_container(OffsetTurnWrite, node, iter.cur);

		if (table != NULL)
			enter(table, write);
		else
		{
			single->last = write;
			write->place = single;
		}
	}
}

/* ---- writing ------------------------------------------------------------------- */

/* Write one. */
static void
write_one(OffsetTurnWrite *write)
{
	static const OffsetTurnResult results[] = {
		[KAFKA_CLAIM_DONE] = OFFSET_TURN_DONE,[KAFKA_CLAIM_BUSY] = OFFSET_TURN_BUSY,
		[KAFKA_CLAIM_SQL_MEMBER] = OFFSET_TURN_SQL_MEMBER,[KAFKA_CLAIM_DENIED] = OFFSET_TURN_DENIED,
		[KAFKA_CLAIM_GONE] = OFFSET_TURN_GONE
	};

	write->result = results[write->deletes ?
							pgt_kafka_offset_delete(write->group, write->topic, write->partition, write->role) :
							pgt_kafka_offset_commit(write->group, write->topic, write->partition, write->role,
													&write->offset)];
}

/* The same in a subtransaction, whose ERROR is the write's alone. */
static void
write_carefully(OffsetTurnWrite *write)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			level = GetCurrentTransactionNestLevel();

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		write_one(write);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		HOLD_INTERRUPTS();
		EmitErrorReport();
		FlushErrorState();
		pgt_catch_error_roll_back(level);
		write->result = OFFSET_TURN_FAILED;
		careful_until = pgt_clock_monotonic_us() + CAREFUL_US;
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
}

/* Write all that count. */
static void
write_all(void)
{
	bool		is_careful = pgt_clock_monotonic_us() < careful_until;
	slist_iter	iter;

	slist_foreach(iter, &writes)
	{
		OffsetTurnWrite *write = slist_container(OffsetTurnWrite, node, iter.cur);

		if (write->place->last != write)
			continue;
		if (is_careful)
			write_carefully(write);
		else
			write_one(write);
	}
	slist_foreach(iter, &writes)
	{
		OffsetTurnWrite *write = slist_container(OffsetTurnWrite, node, iter.cur);

		write->result = write->place->last->result;
	}
}

/* TurnWork: write what the turn has collected. */
static void
write_before(TurnWork *unused)
{
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	OffsetTurnPlace single;

	/* an ERROR that ends all this is cause for care */
	PG_TRY();
	{
		find_last(&single);
		write_all();
	}
	PG_CATCH();
	{
		careful_until = pgt_clock_monotonic_us() + CAREFUL_US;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scratch);
}

/* TurnWork: tell who has asked for it. */
static void
tell_after(TurnWork *unused, bool committed, XLogRecPtr lsn)
{
	slist_head	done = writes;

	slist_init(&writes);
	last_write = NULL;
	write_count = 0;
	MemoryContextReset(scratch);
	if (committed)
		committed_lsn = Max(committed_lsn, lsn);
	while (!slist_is_empty(&done))
	{
		OffsetTurnWrite *write = slist_container(OffsetTurnWrite, node, slist_pop_head_node(&done));

		write->done(write, committed, lsn);
	}
}

/* ---- the turn -------------------------------------------------------------------- */

bool
pgt_offset_turn_is_full(void)
{
	return write_count >= WRITES_MAX;
}

void
pgt_offset_turn_add(OffsetTurnWrite *write)
{
	if (scratch == NULL)
		scratch = AllocSetContextCreate(TopMemoryContext, "pg_topics offsets of a turn", ALLOCSET_DEFAULT_SIZES);
	if (write_count == 0)
	{
		work.before = write_before;
		work.after = tell_after;
		pgt_turn_add(&work);
		slist_push_head(&writes, &write->node);
	}
	else
		slist_insert_after(last_write, &write->node);
	last_write = &write->node;
	write_count++;
}

XLogRecPtr
pgt_offset_turn_lsn(void)
{
	return committed_lsn;
}

void
pgt_offset_turn_committed(XLogRecPtr lsn)
{
	committed_lsn = Max(committed_lsn, lsn);
}
