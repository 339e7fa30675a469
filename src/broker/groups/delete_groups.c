/*
 * delete_groups.c
 *	  DeleteGroups: groups without members are forgotten, with all that they have committed.
 *
 *	  PENDING			looked at again, at the end of the next turn
 *	  PART_IN_TURN		some of its rows are deleted by the turn's transaction; then it is pending again
 *	  IN_TURN			all of its rows are
 *	  DONE				its answer is ready; any error leads here
 *
 * A group with members is NON_EMPTY_GROUP, be they Kafka's clients or members in SQL, and a share group of which somebody has
 * records.  So is one of which a partition is in
 * use by a transaction in SQL for longer than WAIT_US: locks are not waited for, but tried again.  In topics where the
 * group of that name belongs to another role, it remains.
 *
 * A group is deleted as a whole or not at all, in a subtransaction, unless it has more rows than PART_ROWS: then others would wait
 * for too long, and it goes in parts, one a turn, each as a whole or not at all.  What is deleted stays so if there is
 * an error then, or a crash; who deletes the group again goes on.
 *
 * The answer is sent when that is durable, also on synchronous standbys.
 */
#include "postgres.h"

#include "broker/core/flusher.h"
#include "broker/core/turn.h"
#include "broker/groups/delete_groups.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/sql_share_group.h"
#include "group/group_member.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_group_config.h"
#include "group/kafka_offset.h"
#include "kafka/kafka_default.h"
#include "share/share_group.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/lsyscache.h"

#define WAIT_US			(1500 * INT64CONST(1000))
#define DURABLE_US		(5 * INT64CONST(1000000))	/* Kafka's offsets.commit.timeout.ms */
#define SLICE_US		(5 * INT64CONST(1000))
#define PART_ROWS		500		/* some ten milliseconds */

typedef KafkaDeleteGroupsResponseDeletableGroupResult GroupResult;

typedef enum DeletedState
{
	DELETED_PENDING,
	DELETED_PART_IN_TURN,
	DELETED_IN_TURN,
	DELETED_DONE
} DeletedState;

/* Up to where a group is deleted.  Zeros, but for the partition: from the beginning on. */
typedef struct DeletedUpTo
{
	Oid			topic;			/* at hand */
	int32		partition;		/* the last one in there; -1: none */
	bool		begun;
} DeletedUpTo;

/* A group that is named. */
typedef struct DeletedGroup
{
	DeletedState state;
	DeletedUpTo up_to;
	KafkaString name;
	char	   *id;				/* NULL: the name is none */
	GroupResult *result;
} DeletedGroup;

/* A request. */
typedef struct DeleteGroups
{
	TurnWork	work;			/* the first field: the request is found by it */
	BrokerRequest *request;
	KafkaDeleteGroupsResponse response;
	DeletedGroup *groups;
	int			pending;		/* groups in that state */
	int			next;			/* the first of them to be looked at */
	bool		queued;			/* in the turn's work */
	bool		dropped;
	int64		deadline;		/* partitions are tried until then */
	XLogRecPtr	lsn;
} DeleteGroups;

static void serve(BrokerRequest *request);
static void proceed(void *arg);

const BrokerApi pgt_delete_groups_api = {.key = KAFKA_API_DELETE_GROUPS, .serve = serve, .uses_tables = true};

static void
finish_group(DeleteGroups *state, DeletedGroup *group, KafkaError error)
{
	if (group->state == DELETED_PENDING)
		state->pending--;
	group->state = DELETED_DONE;
	group->result->error_code = error;
	if (error != KAFKA_ERROR_NONE)
		group->result->error_message = pgt_broker_string(pgt_kafka_error_message(error));
}

/* ---- deleting a group ------------------------------------------------------------------ */

/* Has the group, which the registry may not know, rows of either kind? */
static SqlGroupFound
find_rows(const BrokerConnection *client, const DeletedGroup *group)
{
	SqlGroupFound found;

	if (pgt_group_coordinator_find(group->name) != NULL || group->up_to.begun)
		return SQL_GROUP_FOUND;
	found = pgt_sql_group_find(client, group->id);
	return found == SQL_GROUP_MISSING ? pgt_sql_share_group_find(client, group->id) : found;
}

/* May the group be deleted?  The error, or none. */
static KafkaError
check(const DeleteGroups *state, const DeletedGroup *group)
{
	const BrokerConnection *client = state->request->client;
	KafkaError	error = pgt_group_coordinator_check(client, group->name);

	if (error == KAFKA_ERROR_INVALID_GROUP_ID || group->id == NULL)
		return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	if (error != KAFKA_ERROR_NONE)
		return error;
	if (pgt_group_coordinator_has_members(group->name))
		return KAFKA_ERROR_NON_EMPTY_GROUP;
	switch (find_rows(client, group))
	{
		case SQL_GROUP_FOUND:
			break;
		case SQL_GROUP_DENIED:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case SQL_GROUP_MISSING:
			return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	}
	return pgt_sql_group_has_members(group->id) ? KAFKA_ERROR_NON_EMPTY_GROUP : KAFKA_ERROR_NONE;
}

/* An attempt to delete a group, or a part of it. */
typedef struct Attempt
{
	const DeletedGroup *group;
	Oid			role;
	KafkaClaim	obstacle;		/* KAFKA_CLAIM_DONE: there is none */
	DeletedUpTo up_to;
	int			rows;			/* and topics, that were deleted */
	int64		end;			/* of the slice */
} Attempt;

/* Is it enough for this turn? */
static bool
is_enough(const Attempt *attempt)
{
	return attempt->rows >= PART_ROWS && pgt_clock_monotonic_us() >= attempt->end;
}

/* Delete members in SQL, none of which is alive; what is in the way, or KAFKA_CLAIM_DONE. */
static KafkaClaim
delete_members(const ConsumerGroup *group)
{
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *member = lfirst(cell);

		if (!pgt_group_member_lock(group, member->id, false))
			return KAFKA_CLAIM_BUSY;
		pgt_group_member_delete(group, member);
	}
	return KAFKA_CLAIM_DONE;
}

/* Delete some rows of the group in its topic.  What is in the way, or KAFKA_CLAIM_DONE; *more: there may be others. */
static KafkaClaim
delete_some(Attempt *attempt, const ConsumerGroup *group, bool *more)
{
	List	   *partitions = pgt_group_rows_partitions(group, attempt->up_to.partition, PART_ROWS);
	ListCell   *cell;

	*more = false;
	foreach(cell, partitions)
	{
		KafkaClaim	result = pgt_kafka_offset_delete(group->id, group->topic, lfirst_int(cell), attempt->role);

		/* another role's group of that name remains */
		if (result == KAFKA_CLAIM_DENIED)
			return KAFKA_CLAIM_DONE;
		if (result == KAFKA_CLAIM_BUSY || result == KAFKA_CLAIM_SQL_MEMBER)
			return result;
		attempt->up_to.partition = lfirst_int(cell);
		attempt->rows++;
	}
	*more = list_length(partitions) == PART_ROWS;
	return *more ? KAFKA_CLAIM_DONE : delete_members(group);
}

/* ERROR where something is in the way. */
static void
check_obstacle(const Attempt *attempt)
{
	if (attempt->obstacle != KAFKA_CLAIM_DONE)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg_internal("a partition of consumer group \"%s\" is in use", attempt->group->id)));
}

/* Delete a share group of the name, as far as it is the role's. */
static void
delete_share(Attempt *attempt)
{
	Oid			table = pgt_group_row_extension_table();
	Oid			schema = OidIsValid(table) ? get_rel_namespace(table) : InvalidOid;
	Oid			last = InvalidOid;
	ListCell   *cell;

	if (!OidIsValid(schema))
		return;
	foreach(cell, pgt_share_row_list(schema, attempt->group->id, InvalidOid))
	{
		const ShareRow *row = lfirst(cell);
		ShareGroup	share = {
			.group = {.offsets_table = table,.topic = row->topic,.id = attempt->group->id,.role = attempt->role},
			.schema = schema
		};

		if (row->topic == last || !pgt_group_role_may_use(attempt->role, row->topic, row->owner))
			continue;
		last = row->topic;
		if (!pgt_share_group_try_delete(&share))
			attempt->obstacle = KAFKA_CLAIM_BUSY;
		check_obstacle(attempt);
	}
}

/*
 * Delete all of the group or, where that is too much, a part, for pgt_catch_error(): an error takes it back.  When it is all,
 * "begun" is false.
 */
static void
delete_rows(void *arg)
{
	Attempt    *attempt = arg;
	ConsumerGroup rows = {.offsets_table = pgt_group_row_extension_table(),.id = attempt->group->id};
	bool		more;

	if (OidIsValid(rows.offsets_table) && !attempt->up_to.begun)
		attempt->up_to.topic = pgt_group_rows_next_topic(&rows, InvalidOid);
	while (OidIsValid(rows.offsets_table) && OidIsValid(attempt->up_to.topic))
	{
		rows.topic = attempt->up_to.topic;
		attempt->obstacle = delete_some(attempt, &rows, &more);
		check_obstacle(attempt);
		if (!more)
		{
			attempt->up_to = (DeletedUpTo) {.topic = pgt_group_rows_next_topic(&rows, rows.topic),.partition = -1};
			attempt->rows++;
		}
		attempt->up_to.begun = OidIsValid(attempt->up_to.topic) && is_enough(attempt);
		if (attempt->up_to.begun)
			return;
	}
	delete_share(attempt);
	if (!pgt_kafka_group_config_try_delete(rows.id, attempt->role))
		attempt->obstacle = KAFKA_CLAIM_BUSY;
	check_obstacle(attempt);
	pgt_kafka_group_row_delete(rows.id);
}

/* Is the group being stored, as it is when its last member has left? */
static bool
is_busy(const DeletedGroup *group)
{
	CoordinatorGroup *registered = pgt_group_coordinator_find(group->name);
	const CoordinatorKind *kind = registered == NULL ? NULL : pgt_group_coordinator_kind(registered);

	return kind != NULL && kind->is_busy(registered);
}

/* Look at a group that is pending, until about the end of the slice. */
static void
try_group(DeleteGroups *state, DeletedGroup *group, int64 end)
{
	Attempt		attempt = {
		.group = group, .role = state->request->client->role, .obstacle = KAFKA_CLAIM_DONE, .up_to = group->up_to, .end = end
	};
	KafkaError	error = check(state, group);
	ErrorData  *thrown;

	if (error != KAFKA_ERROR_NONE)
	{
		finish_group(state, group, error);
		return;
	}
	if (is_busy(group) && pgt_clock_monotonic_us() < state->deadline)
		return;
	thrown = pgt_catch_error(delete_rows, &attempt);
	if (thrown == NULL && attempt.up_to.begun)
	{
		group->up_to = attempt.up_to;
		group->state = DELETED_PART_IN_TURN;
	}
	else if (thrown == NULL)
	{
		state->pending--;
		group->state = DELETED_IN_TURN;
	}
	else if (attempt.obstacle == KAFKA_CLAIM_SQL_MEMBER || thrown->sqlerrcode == ERRCODE_OBJECT_IN_USE ||
			 (attempt.obstacle == KAFKA_CLAIM_BUSY && pgt_clock_monotonic_us() >= state->deadline))
		finish_group(state, group, KAFKA_ERROR_NON_EMPTY_GROUP);
	else if (attempt.obstacle == KAFKA_CLAIM_DONE)
	{
		ereport(LOG,
				(errcode(thrown->sqlerrcode),
				 errmsg("could not delete consumer group \"%s\": %s", group->id, thrown->message)));
		finish_group(state, group, KAFKA_ERROR_UNKNOWN_SERVER_ERROR);
	}
}

/* ---- at the end of a turn ----------------------------------------------------------------- */

/* Look at as many groups as there is time for. */
static void
work_before(TurnWork *work)
{
	DeleteGroups *state = (DeleteGroups *) work;
	int64		end = pgt_clock_monotonic_us() + SLICE_US;

	for (; state->next < state->response.results.count && pgt_clock_monotonic_us() < end; state->next++)
	{
		DeletedGroup *group = &state->groups[state->next];

		if (group->state == DELETED_PENDING)
			try_group(state, group, end);
		/* the next turn goes on with it */
		if (group->state == DELETED_PART_IN_TURN)
			return;
	}
}

/* What was deleted is not known any more. */
static void
forget(DeleteGroups *state, DeletedGroup *group)
{
	CoordinatorGroup *registered = pgt_group_coordinator_find(group->name);

	if (registered != NULL && !pgt_group_coordinator_kind(registered)->has_members(registered))
		pgt_group_coordinator_remove(registered);
	finish_group(state, group, KAFKA_ERROR_NONE);
}

static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	DeleteGroups *state = (DeleteGroups *) work;

	state->queued = false;
	state->lsn = Max(state->lsn, lsn);
	if (committed)
		FAULT_HALT("group-rows-deleted");
	for (int i = 0; i < state->response.results.count; i++)
	{
		if (state->groups[i].state == DELETED_PART_IN_TURN)
		{
			state->groups[i].state = DELETED_PENDING;
			state->deadline = pgt_clock_monotonic_us() + WAIT_US;
			if (!committed)
				finish_group(state, &state->groups[i], KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		}
		if (state->groups[i].state != DELETED_IN_TURN)
			continue;
		if (committed)
			forget(state, &state->groups[i]);
		else
			finish_group(state, &state->groups[i], KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	}
	if (!state->dropped && !pgt_turn_try(proceed, state, NULL))
		pgt_broker_close(state->request, "an error while it was answered");
}

/* ---- the request ---------------------------------------------------------------------------- */

/* Have the turn look at groups. */
static void
queue(BrokerRequest *request)
{
	DeleteGroups *state = request->state;
	BrokerWait	wait = {0};

	pgt_turn_open();
	if (state->next >= state->response.results.count)
		state->next = 0;
	state->work = (TurnWork) {.before = work_before,.after = work_after};
	pgt_broker_park(request, &wait);
	pgt_turn_add(&state->work);
	state->queued = true;
}

/* It is durable, or is not in time. */
static void
wake(BrokerRequest *request)
{
	DeleteGroups *state = request->state;

	if (pgt_flusher_reached(BROKER_SYNCED) < state->lsn)
		for (int i = 0; i < state->response.results.count; i++)
			if (state->groups[i].result->error_code == KAFKA_ERROR_NONE)
				finish_group(state, &state->groups[i], KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	pgt_broker_answer(request, &state->response);
}

/* Go on: with groups that are left, or to wait until all is durable. */
static void
proceed(void *arg)
{
	DeleteGroups *state = arg;
	BrokerWait	wait = {.wake = wake};

	if (state->pending > 0 && state->next < state->response.results.count)
	{
		pgt_broker_go_on(state->request, queue);
		return;
	}
	if (state->pending > 0)
	{
		wait.wake = queue;
		wait.deadline = pgt_clock_monotonic_us() + TURN_RETRY_MS * INT64CONST(1000);
	}
	else if (pgt_flusher_reached(BROKER_SYNCED) >= state->lsn)
	{
		pgt_broker_answer(state->request, &state->response);
		return;
	}
	else
	{
		wait.lsn = state->lsn;
		wait.durability = BROKER_SYNCED;
		wait.deadline = pgt_clock_monotonic_us() + DURABLE_US;
		pgt_flusher_want(BROKER_SYNCED, state->lsn);
	}
	pgt_broker_park(state->request, &wait);
}

/* The connection is closed: what is queued is done all the same, while its memory is there. */
static void
dropped(BrokerRequest *request)
{
	DeleteGroups *state = request->state;

	state->dropped = true;
	if (state->queued)
		pgt_turn_end();
}

/* Each group is named once in the answer. */
static void
take_names(DeleteGroups *state, const KafkaString *names, int32 count)
{
	BrokerRepeated *repeated = pgt_broker_find_repeated(names, count);

	for (int32 i = 0; i < count; i++)
	{
		DeletedGroup *group = &state->groups[state->pending];

		if (repeated[i] == BROKER_REPETITION)
			continue;
		group->name = names[i];
		group->up_to.partition = -1;
		group->id = pgt_broker_cstring(state->request, names[i]);
		group->result = &state->response.results.items[state->pending++];
		group->result->group_id = names[i];
	}
	state->response.results.count = state->pending;
}

static void
serve(BrokerRequest *request)
{
	const KafkaDeleteGroupsRequest *body = request->kafka.body;
	DeleteGroups *state = palloc0(sizeof(DeleteGroups));
	int32		count = Max(body->groups_names.count, 0);

	request->state = state;
	request->dropped = dropped;
	state->request = request;
	state->deadline = request->arrived + WAIT_US;
	pgt_kafka_default_struct(KAFKA_DELETE_GROUPS_RESPONSE, &state->response);
	state->response.results.items = pgt_broker_array(request, KAFKA_DELETE_GROUPS_RESPONSE_DELETABLE_GROUP_RESULT, count);
	state->groups = MemoryContextAllocExtended(request->memory, Max(count, 1) * sizeof(DeletedGroup),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	take_names(state, body->groups_names.items, count);
	if (state->pending == 0)
		pgt_broker_answer(request, &state->response);
	else
		queue(request);
}
