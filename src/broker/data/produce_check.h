/*
 * produce_check.h
 *	  May a batch of a Kafka producer go into a topic?  And as which bytes?
 */
#ifndef PRODUCE_CHECK_H
#define PRODUCE_CHECK_H

#include "broker/core/broker.h"
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

/* Who is told that a check can go on. */
typedef struct ProduceCheckCaller
{
	void		(*ready) (void *arg);
	void	   *arg;
} ProduceCheckCaller;

/* Between two attempts, of which each may hold up all clients for a moment. */
#define PRODUCE_CHECK_PAUSE_US	(1000 * INT64CONST(1000))

/* A check that is under way. */
typedef struct ProduceCheck ProduceCheck;

typedef enum ProduceChecked
{
	PRODUCE_GOOD,
	PRODUCE_REFUSED,
	PRODUCE_UNFINISHED,			/* the slice is over: to be called again with the same in one of the next */
	PRODUCE_WAITS,				/* something is done beside the loop: likewise, when ready() is called or a little later */
	PRODUCE_BUSY				/* functions of types wait for something: likewise, after PRODUCE_CHECK_PAUSE_US, and it begins anew */
} ProduceChecked;

/*
 * Check what a role has sent for a partition of a topic, which the turn's transaction has locked, by the topic's
 * options and column types.  Good: *request is what the log is to append, in the bytes that
 * were sent, some of which may have been changed, or in the caller's memory context.  Refused: *problem is why
 * not.  *check is NULL at first, and lives in the caller's memory context, which is the same each time.
 */
extern ProduceChecked pgt_produce_check(ProduceCheck **check, const ProduceCheckCaller *caller, Topic *topic, int32 partition,
										Oid role, const KafkaRecords *sent, bool allow_zstd, LogAppendRequest *request,
										ProduceProblem *problem);

#endif							/* PRODUCE_CHECK_H */
