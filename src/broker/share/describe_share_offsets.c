/*
 * describe_share_offsets.c
 *	  DescribeShareGroupOffsets: where a share group stands in partitions.
 *
 * The start offset is the first one that the group is not done with; -1 where it has not begun.  The lag counts what it is not done
 * with up to the end of what may be read.
 *
 * A partition a slice, since each may have to be read from rows.  That waits for nobody: where the rows are locked, the partition's error
 * is COORDINATOR_LOAD_IN_PROGRESS, and clients ask again.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/share/describe_share_offsets.h"
#include "broker/share/share_admin.h"
#include "group/group_row.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "wal/durable_wal.h"
#include "wal/log_stable_end.h"

/* Who may do one of these may know of a topic. */
#define KNOWING		(ACL_SELECT | ACL_INSERT)

typedef KafkaDescribeShareGroupOffsetsRequestGroup AskedGroup;
typedef KafkaDescribeShareGroupOffsetsResponseGroup AnsweredGroup;
typedef KafkaDescribeShareGroupOffsetsResponseTopic AnsweredTopic;
typedef KafkaDescribeShareGroupOffsetsResponsePartition AnsweredPartition;

#define GROUP_STRUCT		KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_GROUP
#define TOPIC_STRUCT		KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC
#define PARTITION_STRUCT	KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE_PARTITION

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_share_offsets_api = {.key = KAFKA_API_DESCRIBE_SHARE_GROUP_OFFSETS,.serve = serve};

/* A request. */
typedef struct DescribeOffsets
{
	KafkaDescribeShareGroupOffsetsResponse response;
	int			group;			/* at hand */
	bool		begun;			/* with that one, of which ... */
	int			topic;			/* ... these are done */
	int			partition;
	const char *id;
	Oid			schema;
	MemoryContext scratch;		/* for rows, of which a request may ask again and again */
} DescribeOffsets;

/* ---- a partition --------------------------------------------------------------------- */

static void
set_error(AnsweredPartition *answer, KafkaError error)
{
	answer->error_code = error;
	answer->error_message = pgt_broker_string(pgt_kafka_error_message(error));
}

/* Where the group stands in a partition that it has begun with. */
static void
fill_status(AnsweredPartition *answer, Oid schema, const ShareRow *row)
{
	TopicPartition key = pgt_topic_partition_key(row->topic, row->partition);
	LogStableEnd end;
	ShareStatus status;

	pgt_share_group_status(schema, row, &status);
	(void) pgt_log_stable_end(&key, pgt_durable_wal_end(), &end);
	answer->start_offset = status.start_offset;
	answer->leader_epoch = pgt_cluster_leader_epoch();
	answer->lag = Max(end.end - status.start_offset - status.finished, 0);
}

static void
describe_partition(const DescribeOffsets *state, Oid topic, AnsweredPartition *answer)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	ShareRow	row;

	answer->start_offset = -1;
	answer->leader_epoch = 0;
	answer->lag = -1;
	if (!pgt_share_row_try_lock_to_load(state->schema))
		set_error(answer, KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
	else if (pgt_share_row_read(state->schema, topic, state->id, answer->partition_index, &row))
		fill_status(answer, state->schema, &row);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(state->scratch);
}

/* ---- topics --------------------------------------------------------------------------- */

/* The topic of an answer; InvalidOid where it has an error, which its partitions get. */
static Oid
find_topic(const BrokerRequest *request, const AnsweredTopic *topic, KafkaError *error)
{
	Oid			oid = pgt_topic_names_find(topic->topic_name);

	*error = KAFKA_ERROR_NONE;
	if (!OidIsValid(oid))
		*error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	else if (!pgt_access_topic(request->client, oid, KNOWING))
		*error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	return *error == KAFKA_ERROR_NONE ? oid : InvalidOid;
}

/* Take over the topics that are asked for. */
static void
take_topics(BrokerRequest *request, const AskedGroup *asked, AnsweredGroup *answer)
{
	answer->topics.items = pgt_broker_array(request, TOPIC_STRUCT, asked->topics.count);
	answer->topics.count = asked->topics.count;
	for (int32 t = 0; t < asked->topics.count; t++)
	{
		AnsweredTopic *topic = &answer->topics.items[t];
		int32		count = Max(asked->topics.items[t].partitions.count, 0);

		topic->topic_name = asked->topics.items[t].topic_name;
		topic->partitions.items = pgt_broker_array(request, PARTITION_STRUCT, count);
		topic->partitions.count = count;
		for (int32 p = 0; p < count; p++)
			topic->partitions.items[p].partition_index = asked->topics.items[t].partitions.items[p];
	}
}

/* How many rows from the n-th on are of the same topic? */
static int
count_rows(const List *rows, int n)
{
	Oid			topic = ((const ShareRow *) list_nth(rows, n))->topic;
	int			count = 1;

	while (n + count < list_length(rows) && ((const ShareRow *) list_nth(rows, n + count))->topic == topic)
		count++;
	return count;
}

/* All topics in which the group has begun, as far as the client may know of them. */
static void
take_all_topics(BrokerRequest *request, const DescribeOffsets *state, AnsweredGroup *answer)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	/* they come by topic */
	List	   *rows = pgt_share_row_list(state->schema, state->id, InvalidOid);
	AnsweredTopic *topic = NULL;
	Oid			last = InvalidOid;
	ListCell   *cell;

	MemoryContextSwitchTo(caller);
	answer->topics.items = pgt_broker_array(request, TOPIC_STRUCT, list_length(rows));
	answer->topics.count = 0;
	foreach(cell, rows)
	{
		const ShareRow *row = lfirst(cell);
		char	   *name;

		if (row->topic != last)
		{
			last = row->topic;
			topic = NULL;
			name = pgt_topic_names_of(row->topic);
			if (name == NULL || !pgt_access_topic(request->client, row->topic, KNOWING))
				continue;
			topic = &answer->topics.items[answer->topics.count++];
			topic->topic_name = pgt_broker_string(name);
			topic->partitions.items = pgt_broker_array(request, PARTITION_STRUCT, count_rows(rows, foreach_current_index(cell)));
			topic->partitions.count = 0;
		}
		if (topic != NULL)
			topic->partitions.items[topic->partitions.count++].partition_index = row->partition;
	}
	MemoryContextReset(state->scratch);
}

/* ---- groups ----------------------------------------------------------------------------- */

/* May the client ask about the group?  The error, or none. */
static KafkaError
check_group(const BrokerRequest *request, const DescribeOffsets *state, KafkaString id)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	KafkaError	error = pgt_share_admin_check_exists(request, id);

	MemoryContextSwitchTo(caller);
	MemoryContextReset(state->scratch);
	return error;
}

/* Begin with a group. */
static void
begin_group(BrokerRequest *request, DescribeOffsets *state, const AskedGroup *asked, AnsweredGroup *answer)
{
	answer->group_id = asked->group_id;
	answer->error_code = check_group(request, state, asked->group_id);
	answer->error_message = (KafkaString) {.length = -1};
	state->begun = true;
	state->topic = state->partition = 0;
	if (answer->error_code != KAFKA_ERROR_NONE)
	{
		answer->error_message = pgt_broker_string(pgt_kafka_error_message(answer->error_code));
		return;
	}
	state->id = pnstrdup(asked->group_id.data, asked->group_id.length);
	if (asked->topics.count >= 0)
		take_topics(request, asked, answer);
	else
		take_all_topics(request, state, answer);
}

/* Describe the next partition; false: the group has no more. */
static bool
step(const BrokerRequest *request, DescribeOffsets *state, AnsweredGroup *answer)
{
	AnsweredTopic *topic;
	AnsweredPartition *partition;
	KafkaError	error;
	Oid			oid;

	if (state->topic >= answer->topics.count)
		return false;
	topic = &answer->topics.items[state->topic];
	oid = find_topic(request, topic, &error);
	if (OidIsValid(oid))
		topic->topic_id = pgt_topic_names_id(oid);
	if (state->partition >= topic->partitions.count)
	{
		state->topic++;
		state->partition = 0;
		return true;
	}
	partition = &topic->partitions.items[state->partition++];
	if (OidIsValid(oid))
		describe_partition(state, oid, partition);
	else
	{
		partition->start_offset = -1;
		partition->lag = -1;
		set_error(partition, error);
	}
	return true;
}

static void
go_on(BrokerRequest *request)
{
	const KafkaDescribeShareGroupOffsetsRequest *body = request->kafka.body;
	DescribeOffsets *state = request->state;
	Oid			table;

	pgt_turn_open();
	table = pgt_group_row_extension_table();
	state->schema = OidIsValid(table) ? get_rel_namespace(table) : InvalidOid;
	while (state->group < state->response.groups.count)
	{
		AnsweredGroup *answer = &state->response.groups.items[state->group];

		if (!state->begun)
			begin_group(request, state, &body->groups.items[state->group], answer);
		else if (!OidIsValid(state->schema) || !step(request, state, answer))
		{
			state->group++;
			state->begun = false;
		}
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	pgt_broker_answer_in_slices(request, &state->response, NULL);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeShareGroupOffsetsRequest *body = request->kafka.body;
	DescribeOffsets *state = palloc0(sizeof(DescribeOffsets));

	state->scratch = AllocSetContextCreate(request->memory, "pg_topics share group offsets", ALLOCSET_DEFAULT_SIZES);
	pgt_kafka_default_struct(KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE, &state->response);
	state->response.groups.count = Max(body->groups.count, 0);
	state->response.groups.items = pgt_broker_array(request, GROUP_STRUCT, state->response.groups.count);
	request->state = state;
	go_on(request);
}
