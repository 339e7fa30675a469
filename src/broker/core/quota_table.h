/*
 * quota_table.h
 *	  The table of quotas, topic_kafka_quotas: its rows, and who is told that they have changed.
 */
#ifndef QUOTA_TABLE_H
#define QUOTA_TABLE_H

#include "kafka/kafka_types.h"
#include "nodes/pg_list.h"

/* What a quota limits: the columns from the third on, under Kafka's names. */
typedef enum QuotaKind
{
	QUOTA_PRODUCER_BYTE_RATE,
	QUOTA_CONSUMER_BYTE_RATE,
	QUOTA_REQUEST_PERCENTAGE,
	QUOTA_CONTROLLER_MUTATION_RATE
} QuotaKind;

#define QUOTA_KIND_COUNT	4

/* Kafka's name of a kind, which is the column's too. */
extern const char *const pgt_quota_table_kinds[QUOTA_KIND_COUNT];

/* A row.  Strings are null where the entity has no such part, and empty for the default. */
typedef struct QuotaRow
{
	KafkaString role;			/* in UTF-8, as all strings of Kafka's */
	KafkaString client_id;
	double		limits[QUOTA_KIND_COUNT];	/* 0: none */
} QuotaRow;

/* The table of this database; InvalidOid: there is none.  In a transaction. */
extern Oid	pgt_quota_table_oid(void);

/*
 * Set *rows to a List of QuotaRow, palloc'd, in which there are "most" at most.  False if somebody has the table
 * for itself: nothing is waited for.
 */
extern bool pgt_quota_table_read(Oid table, int most, List **rows);

#endif							/* QUOTA_TABLE_H */
