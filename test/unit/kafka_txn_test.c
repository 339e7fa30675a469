/*
 * kafka_txn_test.c
 *	  Tests of kafka_txn_table.c and kafka_txn_file_format.c without a server: single steps, and
 *	  random histories of Kafka transactions against a model.
 *
 * The model is a list of all transactions that ever were, each with the range that it has in each
 * slot.  It looks all of it through for each question.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "format/kafka_txn_file_format.h"
#include "format/segment_index.h"
#include "log/kafka_txn_table.h"
#include "random_numbers.h"
#include "tap.h"

#define SLOTS		6
#define LIMIT		4
#define MOST_MODEL	200
#define HISTORIES	300
#define STEPS		400
#define PRODUCERS	4

static KafkaTxnTable *
new_table(int limit)
{
	KafkaTxnTable *table = malloc(pgt_kafka_txn_table_size(limit, SLOTS));

	pgt_kafka_txn_table_init(table, limit, SLOTS);
	return table;
}

static TopicPartition
key_of(int slot)
{
	return (TopicPartition) {5, 16400, slot};
}

/* ---- single steps ---------------------------------------------------------------- */

static void
test_steps(void)
{
	KafkaTxnTable *table = new_table(LIMIT);
	TopicPartition key = key_of(1);
	KafkaTxn   *txn;
	KafkaTxnPart *part;

	ok(pgt_kafka_txn_table_find(table, 17) == NULL && pgt_kafka_txn_table_next(table, NULL) == NULL,
	   "a new table is empty");
	ok(pgt_kafka_txn_table_oldest_xid(table) == PG_UINT64_MAX, "and mapped to nothing");
	txn = pgt_kafka_txn_table_add(table, 17);
	pgt_kafka_txn_table_set_producer(table, txn, 5, 7, 0);
	ok(pgt_kafka_txn_table_find(table, 17) == txn && pgt_kafka_txn_table_find_producer(table, 5, 7) == txn,
	   "one that is added is found by its number and by its producer");
	ok(pgt_kafka_txn_table_find_producer(table, 6, 7) == NULL, "not in another database");
	part = pgt_kafka_txn_table_add_part(table, txn, 1, &key);
	ok(pgt_kafka_txn_table_find_part(table, txn, 1) == part && pgt_kafka_txn_table_find_part(table, txn, 2) == NULL,
	   "its part is found by the slot");
	part->first_offset = 10;
	part->end_offset = 20;
	(void) pgt_kafka_txn_table_add_part(table, txn, 2, &key);
	pgt_kafka_txn_table_end(table, txn, 801, false);
	ok(pgt_kafka_txn_table_find_producer(table, 5, 7) == NULL, "one that has ended is no producer's any more");
	ok(pgt_kafka_txn_table_find(table, 17) == txn && txn->part_count == 1, "a part without batches goes with the end");
	ok(pgt_kafka_txn_table_oldest_xid(table) == 801, "it keeps the id that it is mapped to");
	ok(pgt_kafka_txn_table_pass(table, 1, 19) == 0 && pgt_kafka_txn_table_find(table, 17) != NULL,
	   "it stays while a partition is not past it");
	ok(pgt_kafka_txn_table_pass(table, 1, 20) == 1 && pgt_kafka_txn_table_find(table, 17) == NULL,
	   "and goes when it is");
	ok(!pgt_kafka_txn_table_has_slot(table, 1) && !pgt_kafka_txn_table_has_slot(table, 2), "no slot has a part left");
	txn = pgt_kafka_txn_table_add(table, 19);
	for (int slot = 1; slot <= 2; slot++)
		pgt_kafka_txn_table_add_part(table, txn, slot, &key)->end_offset = 30;
	ok(!pgt_kafka_txn_table_settle(table, 19, 1) && txn->part_count == 2, "an open one cannot be settled");
	pgt_kafka_txn_table_end(table, txn, 803, false);
	ok(pgt_kafka_txn_table_settle(table, 19, 1) && !pgt_kafka_txn_table_settle(table, 19, 1) && txn->part_count == 1,
	   "one that has ended is settled in a partition");
	ok(pgt_kafka_txn_table_settle(table, 19, 2) && pgt_kafka_txn_table_find(table, 19) == NULL, "and goes when it is in all");
	txn = pgt_kafka_txn_table_add(table, 18);
	part = pgt_kafka_txn_table_add_part(table, txn, 1, &key);
	part->end_offset = 1;
	ok(pgt_kafka_txn_table_clear_slot(table, 1) == 1 && pgt_kafka_txn_table_find(table, 18) != NULL,
	   "an open one stays when its partitions go");
	pgt_kafka_txn_table_end(table, txn, 802, true);
	ok(pgt_kafka_txn_table_find(table, 18) == NULL, "and goes at its end");
	free(table);
}

static void
test_room(void)
{
	KafkaTxnTable *table = new_table(LIMIT);
	TopicPartition key = key_of(0);
	KafkaTxn   *txn = NULL;
	int			parts = 0;
	bool		full = false;

	for (int i = 0; i < LIMIT; i++)
		txn = pgt_kafka_txn_table_add(table, 100 + i);
	ok(!pgt_kafka_txn_table_has_room(table), "no more than the limit may be begun");
	for (int i = 0; i < LIMIT; i++)
		txn = pgt_kafka_txn_table_add(table, 200 + i);
	ok(txn != NULL && pgt_kafka_txn_table_add(table, 300) == NULL, "redo has room for twice as many");
	while (pgt_kafka_txn_table_add_part(table, txn, parts % SLOTS, &key) != NULL)
		full |= ++parts == LIMIT * KAFKA_TXN_TABLE_PARTS && !pgt_kafka_txn_table_has_part_room(table);
	ok(full && parts == 2 * LIMIT * KAFKA_TXN_TABLE_PARTS, "so it is with parts");
	ok(pgt_kafka_txn_table_forget_database(table, 0) == 2 * LIMIT && pgt_kafka_txn_table_next(table, NULL) == NULL,
	   "a database takes all of its own with it");
	ok(table->part_count == 0 && pgt_kafka_txn_table_has_part_room(table), "and their parts");
	free(table);
}

/* ---- random histories ---------------------------------------------------------------- */

typedef struct ModelTxn
{
	uint64		number;			/* 0: it is not there */
	uint64		xid;
	bool		aborted;
	int			producer;
	bool		has[SLOTS];		/* a part */
	int64		first[SLOTS];
	int64		end[SLOTS];
} ModelTxn;

static ModelTxn model[MOST_MODEL];
static int	model_count;

/* It goes if it has ended and has no part. */
static void
model_settle(ModelTxn *txn)
{
	for (int slot = 0; slot < SLOTS; slot++)
		if (txn->has[slot])
			return;
	if (txn->xid != 0)
		txn->number = 0;
}

/* Ids of producers, some of which share a bucket, and two of which differ by their database alone. */
static int64
producer_id_of(int producer)
{
	return producer < 2 ? 3 : 3 + 2 * LIMIT * producer;
}

static Oid
database_of(int producer)
{
	return producer == 0 ? 5 : 6;
}

/* Is one of its open transactions found by each producer that has some, and none by the others? */
static bool
agrees_in_producers(KafkaTxnTable *table)
{
	for (int producer = 0; producer < PRODUCERS; producer++)
	{
		const KafkaTxn *found = pgt_kafka_txn_table_find_producer(table, database_of(producer), producer_id_of(producer));
		bool		has_any = false;
		bool		is_one = false;

		for (int i = 0; i < model_count; i++)
		{
			if (model[i].number == 0 || model[i].xid != 0 || model[i].producer != producer)
				continue;
			has_any = true;
			is_one |= found != NULL && found->number == model[i].number;
		}
		if (has_any != (found != NULL) || has_any != is_one)
			return false;
	}
	return true;
}

/* Does the table have what the model has, and nothing else? */
static bool
agrees(KafkaTxnTable *table)
{
	int			count = 0;
	int			parts = 0;
	uint64		oldest = PG_UINT64_MAX;
	const KafkaTxn *txn = NULL;

	for (int i = 0; i < model_count; i++)
	{
		const ModelTxn *expected = &model[i];
		const KafkaTxn *found;

		if (expected->number == 0)
			continue;
		count++;
		if (expected->xid != 0)
			oldest = Min(oldest, expected->xid);
		found = pgt_kafka_txn_table_find(table, expected->number);
		if (found == NULL || found->xid != expected->xid || found->aborted != expected->aborted)
			return false;
		for (int slot = 0; slot < SLOTS; slot++)
		{
			const KafkaTxnPart *part = pgt_kafka_txn_table_find_part(table, found, slot);

			if ((part != NULL) != expected->has[slot])
				return false;
			if (part == NULL)
				continue;
			parts++;
			if (part->first_offset != expected->first[slot] || part->end_offset != expected->end[slot] ||
				part->key.partition != slot || pgt_kafka_txn_table_of_part(table, part) != found)
				return false;
		}
	}
	for (int slot = 0; slot < SLOTS; slot++)
	{
		const KafkaTxnPart *part = NULL;

		while ((part = pgt_kafka_txn_table_next_of_slot(table, slot, part)) != NULL)
			parts--;
	}
	while ((txn = pgt_kafka_txn_table_next(table, txn)) != NULL)
		count--;
	return count == 0 && parts == 0 && oldest == pgt_kafka_txn_table_oldest_xid(table) && agrees_in_producers(table);
}

/* Parts of a slot that end up to there go. */
static void
model_pass(int slot, int64 offset)
{
	for (int i = 0; i < model_count; i++)
		if (model[i].number != 0 && model[i].has[slot] && model[i].end[slot] <= offset)
		{
			model[i].has[slot] = false;
			model_settle(&model[i]);
		}
}

/* Add one of the model to the table. */
static void
add_to_table(KafkaTxnTable *table, const ModelTxn *txn)
{
	KafkaTxn   *added = pgt_kafka_txn_table_add(table, txn->number);

	/* redo may say it again */
	for (int i = pick(2); i >= 0; i--)
		pgt_kafka_txn_table_set_producer(table, added, database_of(txn->producer), producer_id_of(txn->producer), 0);
}

/* One step of both. */
static void
step(KafkaTxnTable *table, int64 *log_end, uint64 *next_number, uint64 *next_xid)
{
	ModelTxn   *txn = model_count > 0 ? &model[pick(model_count)] : NULL;
	int			slot = pick(SLOTS);
	int			what = pick(10);

	if (what < 2 && model_count < MOST_MODEL && pgt_kafka_txn_table_has_room(table))
	{
		/* numbers that share buckets */
		*next_number += 1 + 2 * LIMIT * pick(3);
		model[model_count] = (ModelTxn) {.number = *next_number, .producer = pick(PRODUCERS)};
		add_to_table(table, &model[model_count++]);
	}
	else if (what < 6 && txn != NULL && txn->number != 0 && txn->xid == 0)
	{
		KafkaTxn   *found = pgt_kafka_txn_table_find(table, txn->number);
		KafkaTxnPart *part = pgt_kafka_txn_table_find_part(table, found, slot);
		TopicPartition key = key_of(slot);

		if (part == NULL)
			part = pgt_kafka_txn_table_add_part(table, found, slot, &key);
		if (!txn->has[slot])
		{
			txn->has[slot] = true;
			txn->first[slot] = txn->end[slot] = 0;
		}
		/* sometimes the append fails */
		if (pick(5) > 0)
		{
			if (txn->end[slot] == 0)
				txn->first[slot] = log_end[slot];
			log_end[slot] += 1 + pick(3);
			txn->end[slot] = log_end[slot];
		}
		part->first_offset = txn->first[slot];
		part->end_offset = txn->end[slot];
	}
	else if (what < 8 && txn != NULL && txn->number != 0)
	{
		bool		aborted = pick(2) == 0;
		uint64		xid = txn->xid != 0 ? txn->xid : (*next_xid)++;

		pgt_kafka_txn_table_end(table, pgt_kafka_txn_table_find(table, txn->number), xid, aborted);
		txn->xid = xid;
		txn->aborted = aborted;
		for (int i = 0; i < SLOTS; i++)
			if (txn->end[i] == 0)
				txn->has[i] = false;
		model_settle(txn);
	}
	else if (what == 8)
	{
		int64		offset = pick(log_end[slot] + 1);

		(void) pgt_kafka_txn_table_pass(table, slot, offset);
		model_pass(slot, offset);
	}
	else if (pick(4) > 0)
	{
		if (txn == NULL || txn->number == 0)
			return;
		(void) pgt_kafka_txn_table_settle(table, txn->number, slot);
		if (txn->xid != 0)
		{
			txn->has[slot] = false;
			model_settle(txn);
		}
	}
	else
	{
		(void) pgt_kafka_txn_table_clear_slot(table, slot);
		model_pass(slot, PG_INT64_MAX);
	}
}

static void
test_histories(uint64 seed)
{
	bool		good = true;

	for (int history = 0; good && history < HISTORIES; history++)
	{
		KafkaTxnTable *table = new_table(LIMIT);
		int64		log_end[SLOTS] = {0};
		uint64		number = ENTRY_NUMBERED;
		uint64		xid = 700;

		random_state = seed + history;
		model_count = 0;
		for (int i = 0; good && i < STEPS; i++)
		{
			step(table, log_end, &number, &xid);
			good = agrees(table);
			if (!good)
				printf("# seed %llu, step %d\n", (unsigned long long) (seed + history), i);
		}
		free(table);
	}
	ok(good, "a table agrees with a model in random histories");
}

/* ---- the file -------------------------------------------------------------------------- */

typedef struct TestFile
{
	KafkaTxnFileHeader header;
	KafkaTxnFileEntry entries[2];
	KafkaTxnFilePart parts[1];
} TestFile;

static const char *
check_file(const TestFile *file, size_t length)
{
	KafkaTxnFileHeader header;
	const char *problem = pgt_kafka_txn_file_format_check_header((const char *) file, length, &header);

	return problem != NULL ? problem :
		pgt_kafka_txn_file_format_check_entries((const char *) file, length, &header);
}

static void
seal(TestFile *file)
{
	pgt_kafka_txn_file_format_seal(&file->header, 1, 1024, (const char *) file->entries, 2, 1);
}

static void
test_file(void)
{
	TestFile	file = {.entries = {{ENTRY_NUMBERED | 1, 0, 7, 1000, 5, 0, 0, 0}, {ENTRY_NUMBERED | 2, 801, 8, 1000, 5, 3, 1, 0}},
		.parts = {{ENTRY_NUMBERED | 2, 10, 20, {5, 16400, 0}, 0}}};
	bool		noticed = true;

	seal(&file);
	ok(check_file(&file, sizeof(file)) == NULL, "a file that was sealed is good");
	ok(check_file(&file, sizeof(file) - 1) != NULL && check_file(&file, 20) != NULL, "one that is cut is not");
	for (size_t i = 0; i < sizeof(file); i++)
	{
		((char *) &file)[i] ^= 4;
		noticed &= check_file(&file, sizeof(file)) != NULL;
		((char *) &file)[i] ^= 4;
	}
	ok(noticed, "nor one with a byte changed");
	file.entries[0].number = 1;
	seal(&file);
	ok(check_file(&file, sizeof(file)) != NULL, "a number must have the highest bit");
	file.entries[0].number = ENTRY_NUMBERED | 1;
	file.entries[0].aborted = 1;
	seal(&file);
	ok(check_file(&file, sizeof(file)) != NULL, "an open transaction is not aborted");
	file.entries[0].aborted = 0;
	file.parts[0].end_offset = 10;
	seal(&file);
	ok(check_file(&file, sizeof(file)) != NULL, "a part has batches");
}

int
main(int argc, char **argv)
{
	uint64		seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

	printf("# Kafka transactions, seed %llu\n", (unsigned long long) seed);
	test_steps();
	test_room();
	test_histories(seed);
	test_file();
	return tap_end();
}
