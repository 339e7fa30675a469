/*
 * kafka_txn_table.c
 *	  The table of Kafka transactions that are open or have unresolved batches.
 *
 * See kafka_txn_table.h.  The table is one piece of memory, which each process may have at
 * another address, so places are numbers:
 *
 *	  header | buckets | first part of each slot | transactions | parts
 *
 * Transactions are found by their number over the buckets.  To find one by its producer the whole table
 * is looked through, which is some microseconds.
 */
#include "postgres.h"

#include "log/kafka_txn_table.h"

/* ---- the arrays ------------------------------------------------------------ */

/* A bucket for each place: a table is never full for long. */
static inline int32 *
buckets_of(const KafkaTxnTable *table)
{
	return (int32 *) ((char *) table + MAXALIGN(sizeof(KafkaTxnTable)));
}

/* Likewise for the producers of open transactions. */
static inline int32 *
producers_of(const KafkaTxnTable *table)
{
	return buckets_of(table) + table->room;
}

static inline int32 *
slots_of(const KafkaTxnTable *table)
{
	return producers_of(table) + table->room;
}

/* The bytes of these three arrays. */
static inline Size
links_size(Size room, Size slots)
{
	return MAXALIGN(sizeof(int32) * (2 * room + slots));
}

static inline KafkaTxn *
transactions_of(const KafkaTxnTable *table)
{
	return (KafkaTxn *) ((char *) buckets_of(table) + links_size(table->room, table->slots));
}

static inline KafkaTxnPart *
parts_of(const KafkaTxnTable *table)
{
	return (KafkaTxnPart *) (transactions_of(table) + table->room);
}

/* The transaction at a place; NULL for 0. */
static inline KafkaTxn *
at(const KafkaTxnTable *table, int32 place)
{
	return place > 0 ? transactions_of(table) + place - 1 : NULL;
}

static inline KafkaTxnPart *
part_at(const KafkaTxnTable *table, int32 place)
{
	return place > 0 ? parts_of(table) + place - 1 : NULL;
}

static inline int32
place_of(const KafkaTxnTable *table, const KafkaTxn *txn)
{
	return txn - transactions_of(table) + 1;
}

static inline int32
place_of_part(const KafkaTxnTable *table, const KafkaTxnPart *part)
{
	return part - parts_of(table) + 1;
}

/* The bucket of a number. */
static inline int32 *
bucket_of(const KafkaTxnTable *table, uint64 number)
{
	return &buckets_of(table)[number % (uint64) table->room];
}

/* The bucket of a producer; of several databases that have one of that id it is the same. */
static inline int32 *
bucket_of_producer(const KafkaTxnTable *table, int64 producer_id)
{
	return &producers_of(table)[(uint64) producer_id % (uint64) table->room];
}

Size
pgt_kafka_txn_table_size(int limit, int slots)
{
	Size		room = 2 * (Size) limit;

	return MAXALIGN(sizeof(KafkaTxnTable)) + links_size(room, slots) +
		room * sizeof(KafkaTxn) + room * KAFKA_TXN_TABLE_PARTS * sizeof(KafkaTxnPart);
}

void
pgt_kafka_txn_table_init(KafkaTxnTable *table, int limit, int slots)
{
	memset(table, 0, pgt_kafka_txn_table_size(limit, slots));
	table->limit = limit;
	table->room = 2 * limit;
	table->part_room = table->room * KAFKA_TXN_TABLE_PARTS;
	table->slots = slots;
	table->free = table->free_part = 1;
	for (int32 place = 1; place < table->room; place++)
		at(table, place)->next = place + 1;
	for (int32 place = 1; place < table->part_room; place++)
		part_at(table, place)->next_of_slot = place + 1;
}

bool
pgt_kafka_txn_table_has_room(const KafkaTxnTable *table)
{
	return table->count < table->limit;
}

bool
pgt_kafka_txn_table_has_part_room(const KafkaTxnTable *table)
{
	return table->part_count < table->limit * KAFKA_TXN_TABLE_PARTS;
}

/* ---- finding and adding ------------------------------------------------------ */

KafkaTxn *
pgt_kafka_txn_table_find(KafkaTxnTable *table, uint64 number)
{
	KafkaTxn   *txn = at(table, *bucket_of(table, number));

	while (txn != NULL && txn->number != number)
		txn = at(table, txn->next);
	return txn;
}

KafkaTxn *
pgt_kafka_txn_table_find_producer(KafkaTxnTable *table, Oid database, int64 producer_id)
{
	KafkaTxn   *txn = at(table, *bucket_of_producer(table, producer_id));

	while (txn != NULL && (txn->producer_id != producer_id || txn->database != database))
		txn = at(table, txn->next_of_producer);
	return txn;
}

KafkaTxn *
pgt_kafka_txn_table_add(KafkaTxnTable *table, uint64 number)
{
	KafkaTxn   *txn = at(table, table->free);
	int32	   *bucket = bucket_of(table, number);

	if (txn == NULL)
		return NULL;
	table->free = txn->next;
	table->count++;
	memset(txn, 0, sizeof(*txn));
	txn->number = number;
	txn->next = *bucket;
	*bucket = place_of(table, txn);
	return txn;
}

/* Take an open one out of its producer's bucket. */
static void
leave_producer(KafkaTxnTable *table, KafkaTxn *txn)
{
	int32		place = place_of(table, txn);
	int32	   *link = bucket_of_producer(table, txn->producer_id);

	if (!txn->has_producer)
		return;
	while (*link != place)
		link = &at(table, *link)->next_of_producer;
	*link = txn->next_of_producer;
	txn->has_producer = false;
}

void
pgt_kafka_txn_table_set_producer(KafkaTxnTable *table, KafkaTxn *txn, Oid database, int64 producer_id, int16 epoch)
{
	int32	   *bucket = bucket_of_producer(table, producer_id);

	leave_producer(table, txn);
	txn->database = database;
	txn->producer_id = producer_id;
	txn->producer_epoch = epoch;
	if (txn->xid != 0)
		return;
	txn->next_of_producer = *bucket;
	*bucket = place_of(table, txn);
	txn->has_producer = true;
}

KafkaTxnPart *
pgt_kafka_txn_table_find_part(KafkaTxnTable *table, const KafkaTxn *txn, int slot)
{
	KafkaTxnPart *part = part_at(table, txn->first_part);

	while (part != NULL && part->slot != slot)
		part = part_at(table, part->next_of_transaction);
	return part;
}

KafkaTxnPart *
pgt_kafka_txn_table_add_part(KafkaTxnTable *table, KafkaTxn *txn, int slot, const TopicPartition *key)
{
	KafkaTxnPart *part = part_at(table, table->free_part);
	int32		place = table->free_part;

	if (part == NULL)
		return NULL;
	table->free_part = part->next_of_slot;
	table->part_count++;
	memset(part, 0, sizeof(*part));
	part->transaction = place_of(table, txn);
	part->slot = slot;
	part->key = *key;
	part->next_of_transaction = txn->first_part;
	txn->first_part = place;
	txn->part_count++;
	part->next_of_slot = slots_of(table)[slot];
	slots_of(table)[slot] = place;
	return part;
}

/* ---- removing ------------------------------------------------------------------ */

/* Free a transaction's place; it has no parts. */
static void
remove_transaction(KafkaTxnTable *table, KafkaTxn *txn)
{
	int32		place = place_of(table, txn);
	int32	   *link = bucket_of(table, txn->number);

	leave_producer(table, txn);
	while (*link != place)
		link = &at(table, *link)->next;
	*link = txn->next;
	txn->number = 0;
	txn->next = table->free;
	table->free = place;
	table->count--;
}

/* Take a part out of its transaction, and free its place; it is in the chain of no slot any more. */
static void
drop_part(KafkaTxnTable *table, KafkaTxn *txn, KafkaTxnPart *part)
{
	int32		place = place_of_part(table, part);
	int32	   *link = &txn->first_part;

	while (*link != place)
		link = &part_at(table, *link)->next_of_transaction;
	*link = part->next_of_transaction;
	txn->part_count--;
	part->transaction = 0;
	part->next_of_slot = table->free_part;
	table->free_part = place;
	table->part_count--;
}

/* Remove a part.  The transaction stays. */
static void
remove_part(KafkaTxnTable *table, KafkaTxnPart *part)
{
	int32		place = place_of_part(table, part);
	int32	   *link = &slots_of(table)[part->slot];

	while (*link != place)
		link = &part_at(table, *link)->next_of_slot;
	*link = part->next_of_slot;
	drop_part(table, at(table, part->transaction), part);
}

/* An ended transaction without parts is not needed any more. */
static void
remove_if_done(KafkaTxnTable *table, KafkaTxn *txn)
{
	if (txn->xid != 0 && txn->part_count == 0)
		remove_transaction(table, txn);
}

void
pgt_kafka_txn_table_end(KafkaTxnTable *table, KafkaTxn *txn, uint64 xid, bool aborted)
{
	KafkaTxnPart *part = NULL;
	KafkaTxnPart *next;

	leave_producer(table, txn);
	txn->xid = xid;
	txn->aborted = aborted;
	for (part = part_at(table, txn->first_part); part != NULL; part = next)
	{
		next = part_at(table, part->next_of_transaction);
		if (part->end_offset == 0)
			remove_part(table, part);
	}
	remove_if_done(table, txn);
}

int
pgt_kafka_txn_table_pass(KafkaTxnTable *table, int slot, int64 offset)
{
	int32	   *link = &slots_of(table)[slot];
	KafkaTxnPart *part;
	int			count = 0;

	while ((part = part_at(table, *link)) != NULL)
	{
		KafkaTxn   *txn = at(table, part->transaction);

		if (part->end_offset > offset)
		{
			link = &part->next_of_slot;
			continue;
		}
		/* the oldest ones are at the chain's end, so each is taken out where it was met */
		*link = part->next_of_slot;
		drop_part(table, txn, part);
		remove_if_done(table, txn);
		count++;
	}
	return count;
}

bool
pgt_kafka_txn_table_settle(KafkaTxnTable *table, uint64 number, int slot)
{
	KafkaTxn   *txn = pgt_kafka_txn_table_find(table, number);
	KafkaTxnPart *part = txn == NULL || txn->xid == 0 ? NULL : pgt_kafka_txn_table_find_part(table, txn, slot);

	if (part == NULL)
		return false;
	remove_part(table, part);
	remove_if_done(table, txn);
	return true;
}

int
pgt_kafka_txn_table_clear_slot(KafkaTxnTable *table, int slot)
{
	return pgt_kafka_txn_table_pass(table, slot, PG_INT64_MAX);
}

bool
pgt_kafka_txn_table_has_slot(const KafkaTxnTable *table, int slot)
{
	return slots_of(table)[slot] != 0;
}

int
pgt_kafka_txn_table_forget_database(KafkaTxnTable *table, Oid database)
{
	int			count = 0;

	for (int32 place = 1; place <= table->room; place++)
	{
		KafkaTxn   *txn = at(table, place);

		if (txn->number == 0 || txn->database != database)
			continue;
		while (txn->first_part != 0)
			remove_part(table, part_at(table, txn->first_part));
		remove_transaction(table, txn);
		count++;
	}
	return count;
}

/* ---- going over it --------------------------------------------------------------- */

uint64
pgt_kafka_txn_table_oldest_xid(KafkaTxnTable *table)
{
	uint64		oldest = PG_UINT64_MAX;
	KafkaTxn   *txn = NULL;

	while ((txn = pgt_kafka_txn_table_next(table, txn)) != NULL)
		if (txn->xid != 0)
			oldest = Min(oldest, txn->xid);
	return oldest;
}

KafkaTxn *
pgt_kafka_txn_table_next(KafkaTxnTable *table, const KafkaTxn *txn)
{
	int32		place = txn == NULL ? 1 : place_of(table, txn) + 1;

	if (table->count == 0)
		return NULL;
	for (; place <= table->room; place++)
		if (at(table, place)->number != 0)
			return at(table, place);
	return NULL;
}

KafkaTxnPart *
pgt_kafka_txn_table_next_part(KafkaTxnTable *table, const KafkaTxn *txn, const KafkaTxnPart *part)
{
	return part_at(table, part == NULL ? txn->first_part : part->next_of_transaction);
}

KafkaTxnPart *
pgt_kafka_txn_table_next_of_slot(KafkaTxnTable *table, int slot, const KafkaTxnPart *part)
{
	return part_at(table, part == NULL ? slots_of(table)[slot] : part->next_of_slot);
}

KafkaTxn *
pgt_kafka_txn_table_of_part(KafkaTxnTable *table, const KafkaTxnPart *part)
{
	return at(table, part->transaction);
}
