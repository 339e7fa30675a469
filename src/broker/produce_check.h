/*
 * produce_check.h
 *	  May a batch of a Kafka producer go into a topic?  And as which bytes?
 */
#ifndef PRODUCE_CHECK_H
#define PRODUCE_CHECK_H

#include "broker/broker.h"
#include "kafka/kafka_error.h"
#include "topic/topic.h"

/* So many records of a batch are named at most, if they are refused. */
#define PRODUCE_CHECK_RECORDS	10

/* A record that is refused. */
typedef struct ProduceRefusedRecord
{
	int32		index;			/* in its batch */
	char	   *problem;
} ProduceRefusedRecord;

/* What is answered about a batch that is refused; text is constant, or palloc'd in the caller's context. */
typedef struct ProduceProblem
{
	KafkaError	error;
	const char *message;
	ProduceRefusedRecord records[PRODUCE_CHECK_RECORDS];
	int			record_count;
} ProduceProblem;

/*
 * Check what a role has sent for a partition of a topic, which the turn's transaction has locked, by the topic's
 * options and column types.  True: *request is what the log is to append, in the bytes that
 * were sent, some of which may have been changed, or in the caller's memory context.  False: *problem is why
 * not.
 */
extern bool pgt_produce_check(Topic *topic, int32 partition, Oid role, const KafkaRecords *sent, bool allow_zstd,
							  LogAppendRequest *request, ProduceProblem *problem);

#endif							/* PRODUCE_CHECK_H */
