/*
 * consume_request.h
 *	  What a call of consume(), consume_as() or consume_many() asks for.
 *
 * Layer 6, below consume.c.
 */
#ifndef CONSUME_REQUEST_H
#define CONSUME_REQUEST_H

#include "group/consumer_group.h"
#include "nodes/primnodes.h"
#include "topic/topic.h"

/* A timeout past this many microseconds (100 years) is as good as infinite. */
#define LONGEST_TIMEOUT		(100.0 * 366 * USECS_PER_DAY)

/* Arguments by number; the first is the topic in one way or another. */
enum
{
	ARG_GROUP_ID = 1,
	ARG_MAX_RECORDS,
	ARG_TIMEOUT,
	ARG_PARTITIONS,
	ARG_AUTO_COMMIT,
	ARG_AUTO_OFFSET_RESET,
	ARG_MEMBER_ID,
	ARG_LEASE,
	ARG_COUNT
};

/* What a group does where it has no committed offset, or one that is deleted. */
typedef enum OffsetReset
{
	OFFSET_RESET_EARLIEST,
	OFFSET_RESET_LATEST,
	OFFSET_RESET_NONE
} OffsetReset;

/* What the caller asks for. */
typedef struct ConsumeRequest
{
	ConsumerGroup group;
	int32		max_records;
	int64		timeout;		/* microseconds */
	int32	   *partitions;		/* NULL: all */
	int			partition_count;
	bool		auto_commit;
	OffsetReset reset;
	const char *member;			/* NULL: transactional mode */
	int64		lease;			/* microseconds */
} ConsumeRequest;

/*
 * The request of a call's arguments.  An optional argument that is null has
 * its default.  ERROR for values out of range.
 */
extern void pgt_consume_parse(ConsumeRequest *request, Oid function, Oid topic,
							  const NullableDatum *args);

/* Is the call consume_as(), whose first argument names the topic by its type? */
extern bool pgt_consume_is_typed(const FuncExpr *call);

/*
 * The topic that a call of consume() or consume_as() is about, "first" being its
 * first argument; ERROR where none is given.
 */
extern Oid	pgt_consume_topic_of_call(const FuncExpr *call, const NullableDatum *first);

/*
 * The requested topic, locked with AccessShareLock; ERROR where it is none,
 * the user may not read it, or a wanted partition is not there.
 */
extern Topic *pgt_consume_open_topic(const ConsumeRequest *request);

/* Define the setting pg_topics.auto_offset_reset; called once per process. */
extern void pgt_consume_request_init(void);

#endif							/* CONSUME_REQUEST_H */
