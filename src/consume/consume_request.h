/*
 * consume_request.h
 *	  The request of a call of consume(), consume_as() or consume_many().
 */
#ifndef CONSUME_REQUEST_H
#define CONSUME_REQUEST_H

#include "group/consumer_group.h"
#include "nodes/primnodes.h"
#include "topic/topic.h"

/* Longer timeouts count as this many microseconds (100 years). */
#define LONGEST_TIMEOUT		(100.0 * 366 * USECS_PER_DAY)

/* Arguments of consume() and consume_as() by number. */
enum
{
	ARG_TOPIC,
	ARG_GROUP_ID,
	ARG_MAX_RECORDS,
	ARG_TIMEOUT,
	ARG_PARTITIONS,
	ARG_AUTO_COMMIT,
	ARG_AUTO_OFFSET_RESET,
	ARG_MEMBER_ID,
	ARG_LEASE,
	ARG_TIMEOUT_MS,
	ARG_MIN_RECORDS,
	ARG_COUNT
};

/* Where a group starts that has no committed offset, or whose next record is deleted. */
typedef enum OffsetReset
{
	OFFSET_RESET_EARLIEST,
	OFFSET_RESET_LATEST,
	OFFSET_RESET_NONE
} OffsetReset;

/* The arguments of a call. */
typedef struct ConsumeRequest
{
	ConsumerGroup group;		/* its topic is not set */
	Oid		   *topics;			/* in ascending order, each once */
	int			topic_count;
	bool		missing_ok;		/* leave out topics that are gone */
	int32		max_records;
	int32		min_records;	/* wait for so many */
	int64		timeout;		/* microseconds */
	int32	   *partitions;		/* NULL: all */
	int			partition_count;
	bool		auto_commit;
	OffsetReset reset;
	const char *member;			/* NULL: transactional mode */
	int64		lease;			/* microseconds; of consume_shared() 0: until the transaction ends */
} ConsumeRequest;

/*
 * The request of a call of consume() or consume_as(), or, with _many, of
 * consume_many().  ERROR for values out of range, for a null argument whose default is
 * not null, or if the call names no topic.
 */
extern void pgt_consume_request_parse(ConsumeRequest *request, const FuncExpr *call,
									  const NullableDatum *args);
extern void pgt_consume_request_parse_many(ConsumeRequest *request, Oid function,
										   const NullableDatum *args);

/*
 * The same of consume_shared(): auto_commit is its auto_acknowledge, and there is no member.
 */
extern void pgt_consume_request_parse_shared(ConsumeRequest *request, Oid function, const NullableDatum *args);

/* A lease in microseconds; ERROR unless it is longer than zero. */
extern int64 pgt_consume_request_lease(const Interval *lease);

/* Is the call consume_shared()? */
extern bool pgt_consume_request_is_shared(const FuncExpr *call);

/* Is the call consume_as(), whose first argument names the topic by its type? */
extern bool pgt_consume_request_is_typed(const FuncExpr *call);

/*
 * The expression of an argument of a call of one of these functions, by the numbers above;
 * NULL if the function has no such argument.
 */
extern Node *pgt_consume_request_argument(const FuncExpr *call, int argument);

/*
 * One of the request's topics, locked with AccessShareLock.  ERROR if the relation
 * is no topic, the user may not read it, or a wanted partition does not exist.
 */
extern Topic *pgt_consume_request_open_topic(const ConsumeRequest *request, Oid relid);

/* Define the setting pg_topics.auto_offset_reset; called once per process. */
extern void pgt_consume_request_init(void);

#endif							/* CONSUME_REQUEST_H */
