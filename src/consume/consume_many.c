/*
 * consume_many.c
 *	  consume_many(): reading several topics for a group.
 *
 * One call is what consume() does, with the partitions of all topics in one
 * order: the one that the group was served least recently comes first,
 * whichever topic it is of.  So no topic waits while another is served twice.
 * The group has its offsets in each topic as if it consumed it alone; sessions
 * that consume one of the topics share its partitions with those that consume
 * many.
 *
 * A member (member_id) has a lease in each topic by itself: its share of that
 * topic's partitions, counted among the members there.  A call is one of lease.c's
 * for each topic, begun in the topics' order and ended when all is delivered.
 *
 * Topics that are gone by the time they are looked at are left out: the list
 * mostly comes from a query.  An empty list is no error; a call with a timeout
 * then waits for it.
 *
 * Waiting is for all topics at once (consume_wait.c).
 *
 * Locks: AccessShareLock on the topics in the order of their oids, till the
 * transaction's end (while waiting before the statement: for the time of a
 * look); then partitions' rows, never waited for; a member's lock before those of
 * each topic.
 *
 * Layer 6.  Read consume.c first.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "consume/consume_many.h"
#include "consume/consume_partition.h"
#include "consume/consume_pass.h"
#include "group/group_row.h"
#include "util/sql_version.h"

/* Arguments by number. */
enum
{
	MANY_TOPICS,
	MANY_GROUP_ID,
	MANY_MAX_RECORDS,
	MANY_TIMEOUT,
	MANY_AUTO_COMMIT,
	MANY_AUTO_OFFSET_RESET,
	MANY_MEMBER_ID,
	MANY_LEASE
};

/* What the caller asks for: the same of each topic. */
typedef struct ManyRequest
{
	ConsumeRequest common;		/* group.topic is not set */
	List	   *topics;			/* oids, ascending */
	Oid		   *topic_oids;		/* the same */
} ManyRequest;

/* A pass over one of the topics. */
typedef struct TopicPass
{
	ConsumeRequest request;
	ConsumePass pass;
	GroupOffset *offsets;		/* of all partitions */
} TopicPass;

/* A pass over all of them. */
typedef struct ManyPass
{
	const ManyRequest *request;
	Snapshot	snapshot;
	ConsumeRows *sink;			/* NULL: claim one partition that has something */
	int64		delivered;
	bool		waiting;
	bool		remembered;
	bool		retry;
	bool		called;			/* a member's call has been made */
	List	   *topics;			/* of TopicPass: of the topics that are there, by oid */
} ManyPass;

/* A partition to serve. */
typedef struct Candidate
{
	TopicPass  *topic;
	GroupOffset *offset;
} Candidate;

PGT_FUNCTION_INFO(pgt_consume_many);

/* ---- the request -------------------------------------------------------- */

/* The topics of the array, each once, by oid; none where it is null. */
static List *
parse_topics(const NullableDatum *arg)
{
	List	   *topics = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (arg->isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(arg->value), REGCLASSOID, sizeof(Oid), true,
					  TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("topic must not be null"),
					 errdetail("Element %d of the list is null.", i + 1)));
		topics = lappend_oid(topics, DatumGetObjectId(elements[i]));
	}
	list_sort(topics, list_oid_cmp);
	list_deduplicate_oid(topics);
	return topics;
}

/* Take the arguments over; ERROR for values out of range. */
static void
parse_request(ManyRequest *request, Oid function, const NullableDatum *args)
{
	NullableDatum common[ARG_COUNT];
	ListCell   *cell;

	common[0] = args[MANY_TOPICS];
	common[ARG_GROUP_ID] = args[MANY_GROUP_ID];
	common[ARG_MAX_RECORDS] = args[MANY_MAX_RECORDS];
	common[ARG_TIMEOUT] = args[MANY_TIMEOUT];
	common[ARG_PARTITIONS] = (NullableDatum) {(Datum) 0, true};
	common[ARG_AUTO_COMMIT] = args[MANY_AUTO_COMMIT];
	common[ARG_AUTO_OFFSET_RESET] = args[MANY_AUTO_OFFSET_RESET];
	common[ARG_MEMBER_ID] = args[MANY_MEMBER_ID];
	common[ARG_LEASE] = args[MANY_LEASE];
	pgt_consume_parse(&request->common, function, InvalidOid, common);

	request->topics = parse_topics(&args[MANY_TOPICS]);
	request->topic_oids = palloc(sizeof(Oid) * (list_length(request->topics) + 1));
	foreach(cell, request->topics)
		request->topic_oids[foreach_current_index(cell)] = lfirst_oid(cell);
}

/* ---- a pass ------------------------------------------------------------- */

/* Begin a pass over one topic; NULL where the topic is gone. */
static TopicPass *
begin_topic(ManyPass *many, Oid topic)
{
	TopicPass  *one = palloc0(sizeof(TopicPass));

	LockRelationOid(topic, AccessShareLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic)))
	{
		UnlockRelationOid(topic, AccessShareLock);
		return NULL;
	}
	one->request = many->request->common;
	one->request.group.topic = topic;
	one->pass.request = &one->request;
	one->pass.topic = pgt_consume_open_topic(&one->request);
	UnlockRelationOid(topic, AccessShareLock);	/* it was locked twice */
	one->pass.snapshot = many->snapshot;
	one->pass.sink = many->sink;
	one->pass.waiting = many->waiting;
	return one;
}

/* Order by when the group was served there last, then by topic and partition. */
static int
compare_candidates(const ListCell *a, const ListCell *b)
{
	const Candidate *left = lfirst(a);
	const Candidate *right = lfirst(b);
	Oid			left_topic = left->topic->request.group.topic;
	Oid			right_topic = right->topic->request.group.topic;

	if (left->offset->served != right->offset->served)
		return left->offset->served < right->offset->served ? -1 : 1;
	if (left_topic != right_topic)
		return left_topic < right_topic ? -1 : 1;
	return left->offset->partition < right->offset->partition ? -1 : 1;
}

/* Add a partition of a topic. */
static List *
add_candidate(List *candidates, TopicPass *topic, GroupOffset *offset)
{
	Candidate  *candidate = palloc(sizeof(Candidate));

	candidate->topic = topic;
	candidate->offset = offset;
	return lappend(candidates, candidate);
}

/* All partitions of the topics in the order to serve them. */
static List *
list_candidates(ManyPass *many)
{
	List	   *candidates = NIL;
	ListCell   *cell;

	foreach(cell, many->topics)
	{
		TopicPass  *one = lfirst(cell);
		int32		partitions = one->pass.topic->partitions;

		one->offsets = pgt_group_read(&one->request.group, partitions);
		pgt_group_mend_served(one->offsets, partitions);
		for (int32 i = 0; i < partitions; i++)
			candidates = add_candidate(candidates, one, &one->offsets[i]);
	}
	list_sort(candidates, compare_candidates);
	return candidates;
}

/* Begin a pass over all topics that are there. */
static void
begin_topics(ManyPass *many)
{
	ListCell   *cell;

	many->topics = NIL;
	foreach(cell, many->request->topics)
	{
		TopicPass  *one = begin_topic(many, lfirst_oid(cell));

		if (one != NULL)
			many->topics = lappend(many->topics, one);
	}
}

/* Keep the group's offsets in each topic from expiring, also where others have all the records. */
static void
keep_groups(const ManyPass *many)
{
	ListCell   *cell;

	foreach(cell, many->topics)
	{
		TopicPass  *one = lfirst(cell);

		pgt_group_keep(&one->request.group, one->offsets, one->pass.topic->partitions);
	}
}

/* Serve partitions in that order until there is enough. */
static void
serve(ManyPass *many, List *candidates)
{
	int64		enough = many->sink == NULL ? 1 : many->request->common.max_records;
	ListCell   *cell;

	foreach(cell, candidates)
	{
		Candidate  *candidate = lfirst(cell);
		ConsumePass *pass = &candidate->topic->pass;

		if (many->delivered >= enough)
			break;
		if (many->sink != NULL)
			pgt_rows_set_topic(many->sink, pass->topic);
		pass->delivered = many->delivered;
		pgt_consume_partition(pass, candidate->offset);
		many->delivered = pass->delivered;
		many->retry |= pass->retry;
		many->remembered |= pass->remembered;
	}
}

/* Serve the request once, without waiting for anything. */
static void
consume_once(ManyPass *many)
{
	begin_topics(many);
	serve(many, list_candidates(many));
	if (many->sink != NULL)
		keep_groups(many);
}

/* ---- leased mode -------------------------------------------------------- */

/* Serve a member's request once, without waiting for records. */
static void
consume_leased(ManyPass *many)
{
	List	   *candidates = NIL;
	ListCell   *cell;

	begin_topics(many);
	foreach(cell, many->topics)
	{
		TopicPass  *one = lfirst(cell);
		GroupOffset **ordered;
		int			count = pgt_consume_begin_member(&one->pass, &ordered);

		for (int i = 0; i < count; i++)
			candidates = add_candidate(candidates, one, ordered[i]);
	}
	list_sort(candidates, compare_candidates);
	serve(many, candidates);
	foreach(cell, many->topics)
		pgt_lease_end(((TopicPass *) lfirst(cell))->pass.lease);
	many->called = true;
}

/* Look whether consume_leased() has anything to deliver or to write. */
static WaitVerdict
look_leased(ManyPass *many)
{
	PartitionSet partitions = 0;
	bool		retry = false;
	ListCell   *cell;

	begin_topics(many);
	foreach(cell, many->topics)
	{
		WaitVerdict verdict = pgt_consume_look_member(&((TopicPass *) lfirst(cell))->pass, &partitions);

		if (verdict == WAIT_DONE)
			return WAIT_DONE;
		retry |= verdict == WAIT_RETRY;
	}
	pgt_topic_wait_for(partitions);
	return retry ? WAIT_RETRY : WAIT_IDLE;
}

/* ---- waiting ------------------------------------------------------------ */

/* The verdict on a pass that is over. */
static WaitVerdict
verdict_of(const ManyPass *many)
{
	ConsumePass pass = {.delivered = many->delivered,.retry = many->retry};

	return pgt_consume_verdict(&pass);
}

/* Look inside the function: consume what is there.  arg: the pass. */
static WaitVerdict
look_and_consume(void *arg)
{
	ManyPass   *many = arg;

	many->snapshot = GetActiveSnapshot();
	many->retry = false;
	if (many->request->common.member != NULL)
	{
		WaitVerdict verdict = look_leased(many);

		if (verdict == WAIT_DONE)
			consume_leased(many);
		return verdict;
	}
	consume_once(many);
	return verdict_of(many);
}

/* Look before the statement: claim a partition with something to read.  arg: the request. */
static WaitVerdict
look_and_claim(void *arg)
{
	ManyPass	many = {.request = arg,.waiting = true};
	WaitVerdict verdict;
	ListCell   *cell;

	many.snapshot = GetActiveSnapshot();
	if (many.request->common.member != NULL)
		verdict = look_leased(&many);
	else
	{
		consume_once(&many);
		verdict = verdict_of(&many);
	}
	if (verdict != WAIT_DONE)
		foreach(cell, many.topics)
			UnlockRelationOid(((TopicPass *) lfirst(cell))->request.group.topic, AccessShareLock);
	return verdict;
}

/* Fill in for what and how long to wait. */
static void
fill_waiter(Waiter *waiter, const ManyRequest *request)
{
	waiter->topics = request->topic_oids;
	waiter->topic_count = list_length(request->topics);
	pgt_consume_fill_waiter(waiter, &request->common);
}

/* WaitPrepare of consume_many(). */
static bool
prepare_waiting(const FuncExpr *call, const NullableDatum *args, Waiter *waiter)
{
	ManyRequest *request = palloc(sizeof(ManyRequest));

	if (XactReadOnly)
		return false;
	parse_request(request, call->funcid, args);
	fill_waiter(waiter, request);
	waiter->look = look_and_claim;
	waiter->arg = request;
	return request->common.timeout > 0;
}

/* ---- the SQL function --------------------------------------------------- */

/* Wait within the statement until a pass delivers something or the time is up. */
static void
wait_and_consume(ManyPass *many)
{
	Waiter		waiter = {.look = look_and_consume,.arg = many};

	fill_waiter(&waiter, many->request);
	pgt_wait_inside(&waiter);
	many->snapshot = GetActiveSnapshot();
}

/* Serve a member's request. */
static void
consume_for_member(ManyPass *many)
{
	if (many->waiting && look_leased(many) != WAIT_DONE)
		wait_and_consume(many);
	if (!many->called)
		consume_leased(many);
}

/* Serve a request in transactional mode. */
static void
consume_for_transaction(ManyPass *many)
{
	consume_once(many);
	if (many->waiting && many->delivered == 0)
		wait_and_consume(many);
	if (many->remembered)
	{
		many->waiting = false;
		consume_once(many);
	}
}

/* consume_many(topics, group_id, ...): the next records, each with its topic. */
Datum
pgt_consume_many(PG_FUNCTION_ARGS)
{
	bool		waited = pgt_wait_was_done((const Node *) fcinfo->flinfo->fn_expr);
	ManyRequest request;
	ManyPass	many = {.request = &request};

	PreventCommandIfReadOnly("consume_many()");
	parse_request(&request, fcinfo->flinfo->fn_oid, fcinfo->args);
	many.waiting = request.common.timeout > 0 && !waited && !IsolationUsesXactSnapshot();
	many.snapshot = GetActiveSnapshot();
	many.sink = pgt_rows_begin_many(fcinfo);

	if (request.common.member != NULL)
		consume_for_member(&many);
	else
		consume_for_transaction(&many);
	return (Datum) 0;
}

/* See the header. */
void
pgt_consume_many_init(void)
{
	pgt_wait_register(pgt_consume_many, prepare_waiting);
}
