/*
 * offset_fetch.c
 *	  The API OffsetFetch: what groups have committed.
 *
 * It is what consumers in SQL have committed as well, since there is one row for both (kafka_offset.h).  A partition
 * without a committed offset is -1, whether there is such a partition or not, as in Kafka.  Without a list of topics
 * all are told that the group has committed in, and that the client may see.
 *
 * An offset that this process has committed, and that is not durable yet, could be taken back by a crash: the answer
 * waits until it is on this server's disk.  Offsets of open transactions of Kafka's clients are not told, and who wants
 * stable ones only is told to ask again where there are some (pending_offset.h).
 *
 * Versions differ in how groups and topics are arranged.  What is asked for and what is answered is arranged here as
 * in the later versions, with several groups; an earlier one is a list of one.
 *
 * A request may name any number of partitions, and a group may have many: it is served in slices.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/database_text.h"
#include "broker/core/flusher.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_fetch.h"
#include "broker/offsets/offset_metadata.h"
#include "broker/offsets/offset_turn.h"
#include "broker/offsets/pending_offset.h"
#include "group/kafka_offset.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"
#include "utils/memutils.h"

/* From these versions on: one error for the request; several groups; topics by their id. */
#define VERSION_ERROR	2
#define VERSION_GROUPS	8
#define VERSION_IDS		10

typedef KafkaOffsetFetchRequestGroup AskedGroup;
typedef KafkaOffsetFetchRequestTopics AskedTopic;
typedef KafkaOffsetFetchResponseGroup AnsweredGroup;
typedef KafkaOffsetFetchResponseTopics AnsweredTopic;
typedef KafkaOffsetFetchResponsePartitions AnsweredPartition;

/* The partitions of earlier versions' responses are the same. */
StaticAssertDecl(sizeof(KafkaOffsetFetchResponsePartition) == sizeof(AnsweredPartition) &&
				 offsetof(KafkaOffsetFetchResponsePartition, metadata) == offsetof(AnsweredPartition, metadata) &&
				 offsetof(KafkaOffsetFetchResponsePartition, error_code) == offsetof(AnsweredPartition, error_code),
				 "partitions of OffsetFetch responses differ between versions");

/* A request that is being served. */
typedef struct OffsetFetch
{
	const AskedGroup *groups;
	int			group_count;
	AnsweredGroup *answers;		/* of each group */
	KafkaOffsetFetchResponse response;	/* made of them */

	/* how far it has come */
	int			group;
	bool		has_begun;		/* the group has, and what follows is about it */
	char	   *id;				/* in the encoding of the database */
	int			topic_room;		/* of the list of topics, where all are told */
	int			topic;			/* number of the one that is at hand; those before are done */
	bool		has_topic;		/* it is looked up: */
	Oid			oid;			/* its oid; where all are told that of the last one */
	KafkaError	topic_error;	/* of all its partitions */
	int32	   *partitions;		/* where all are told */
	int			partition_count;	/* of these */
	int			partition;		/* the next one */
	MemoryContext scratch;		/* for a step */
} OffsetFetch;

/* ---- partitions ---------------------------------------------------------------- */

/* Is the answer not certain yet?  The client may want to wait for the end of a transaction that commits there. */
static bool
is_unstable(const OffsetFetch *fetch, const BrokerRequest *request, int32 partition)
{
	const KafkaOffsetFetchRequest *body = request->kafka.body;

	return body->require_stable && pgt_pending_offset_is_open(fetch->id, fetch->oid, partition);
}

/* Set the answer of a partition to what is committed. */
static void
set_offset(OffsetFetch *fetch, const BrokerRequest *request, AnsweredPartition *answer)
{
	KafkaOffset offset = {NO_OFFSET, -1, NULL};
	MemoryContext caller = MemoryContextSwitchTo(fetch->scratch);
	KafkaString metadata;

	answer->error_code = fetch->topic_error;
	if (fetch->topic_error == KAFKA_ERROR_NONE && OidIsValid(fetch->oid) &&
		pgt_kafka_offset_read(fetch->id, fetch->oid, answer->partition_index, request->client->role, &offset) ==
		KAFKA_CLAIM_DENIED)
		answer->error_code = KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
	else if (fetch->topic_error == KAFKA_ERROR_NONE && OidIsValid(fetch->oid) &&
			 is_unstable(fetch, request, answer->partition_index))
	{
		answer->error_code = KAFKA_ERROR_UNSTABLE_OFFSET_COMMIT;
		offset = (KafkaOffset) {NO_OFFSET, -1, NULL};
	}
	answer->committed_offset = offset.next == NO_OFFSET ? -1 : offset.next;
	answer->committed_leader_epoch = offset.leader_epoch;
	metadata = pgt_offset_metadata_for_client(offset.metadata);
	MemoryContextSwitchTo(caller);
	answer->metadata = pgt_broker_string("");
	if (metadata.length > 0)
		answer->metadata = (KafkaString) {memcpy(palloc(metadata.length), metadata.data, metadata.length), metadata.length};
	MemoryContextReset(fetch->scratch);
}

/* ---- topics that are asked for ---------------------------------------------------- */

/* Look up a topic that is asked for, and make room for its partitions. */
static void
begin_asked_topic(OffsetFetch *fetch, BrokerRequest *request)
{
	const AskedTopic *asked = &fetch->groups[fetch->group].topics.items[fetch->topic];
	AnsweredTopic *answer = &fetch->answers[fetch->group].topics.items[fetch->topic];
	bool		by_id = request->kafka.version >= VERSION_IDS;

	if (by_id)
		fetch->oid = pgt_topic_names_id_is_null(&asked->topic_id) ? InvalidOid : pgt_topic_names_by_id(&asked->topic_id);
	else
		fetch->oid = pgt_topic_names_find(asked->name);
	fetch->topic_error = KAFKA_ERROR_NONE;
	if (!OidIsValid(fetch->oid) || !pgt_topic_exists(fetch->oid))
		fetch->topic_error = by_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID : KAFKA_ERROR_NONE;
	else if (!pgt_access_topic(request->client, fetch->oid, ACL_SELECT | ACL_INSERT))
		fetch->topic_error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	answer->name = asked->name;
	answer->topic_id = asked->topic_id;
	answer->partitions.count = Max(asked->partition_indexes.count, 0);
	answer->partitions.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_PARTITIONS, answer->partitions.count);
	fetch->has_topic = true;
	fetch->partition = 0;
}

/* Answer a partition that is asked for, or begin with a topic.  False if the group has no more. */
static bool
step_asked(OffsetFetch *fetch, BrokerRequest *request)
{
	AnsweredGroup *answer = &fetch->answers[fetch->group];
	AnsweredTopic *topic = &answer->topics.items[fetch->topic];

	if (fetch->topic >= answer->topics.count)
		return false;
	if (!fetch->has_topic)
		begin_asked_topic(fetch, request);
	else if (fetch->partition < topic->partitions.count)
	{
		AnsweredPartition *partition = &topic->partitions.items[fetch->partition];
		const AskedTopic *asked = &fetch->groups[fetch->group].topics.items[fetch->topic];

		partition->partition_index = asked->partition_indexes.items[fetch->partition++];
		set_offset(fetch, request, partition);
	}
	else
	{
		fetch->topic++;
		fetch->has_topic = false;
	}
	return true;
}

/* ---- all topics of a group ---------------------------------------------------------- */

/* A place for one more topic. */
static AnsweredTopic *
add_topic(OffsetFetch *fetch, BrokerRequest *request)
{
	AnsweredGroup *answer = &fetch->answers[fetch->group];
	Size		size = sizeof(AnsweredTopic);

	if (answer->topics.count == fetch->topic_room)
	{
		fetch->topic_room = Max(fetch->topic_room * 2, 8);
		answer->topics.items = answer->topics.items == NULL ?
			MemoryContextAllocHuge(request->memory, fetch->topic_room * size) :
			repalloc_huge(answer->topics.items, fetch->topic_room * size);
	}
	pgt_kafka_default_struct(KAFKA_OFFSET_FETCH_RESPONSE_TOPICS, &answer->topics.items[answer->topics.count]);
	return &answer->topics.items[answer->topics.count++];
}

/* May the client see what the group has committed in the topic that is at hand?  It has a name then. */
static char *
name_to_show(const OffsetFetch *fetch, const BrokerRequest *request)
{
	if (!pgt_topic_exists(fetch->oid) || !pgt_access_topic(request->client, fetch->oid, ACL_SELECT | ACL_INSERT))
		return NULL;
	return pgt_topic_names_of(fetch->oid);
}

/* List the partitions of the topic in which the group has committed. */
static void
list_partitions(OffsetFetch *fetch)
{
	MemoryContext caller = MemoryContextSwitchTo(fetch->scratch);
	List	   *found = pgt_kafka_offset_partitions(fetch->id, fetch->oid);

	MemoryContextSwitchTo(caller);
	if (fetch->partitions != NULL)
		pfree(fetch->partitions);
	fetch->partition_count = list_length(found);
	fetch->partitions = palloc(sizeof(int32) * Max(fetch->partition_count, 1));
	for (int i = 0; i < fetch->partition_count; i++)
		fetch->partitions[i] = list_nth_int(found, i);
	MemoryContextReset(fetch->scratch);
}

/* Begin with the next topic in which the group has rows.  False if there is none. */
static bool
begin_next_topic(OffsetFetch *fetch, BrokerRequest *request)
{
	AnsweredTopic *answer;
	char	   *name;

	fetch->oid = pgt_kafka_offset_next_topic(fetch->id, fetch->oid);
	if (!OidIsValid(fetch->oid))
		return false;
	name = name_to_show(fetch, request);
	if (name == NULL)
		return true;
	list_partitions(fetch);
	if (fetch->partition_count == 0)
		return true;
	answer = add_topic(fetch, request);
	answer->name = pgt_broker_string(name);
	answer->topic_id = pgt_topic_names_id(fetch->oid);
	answer->partitions.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_PARTITIONS,
												fetch->partition_count);
	fetch->topic_error = KAFKA_ERROR_NONE;
	fetch->has_topic = true;
	fetch->partition = 0;
	return true;
}

/* Answer the next partition of the topic that is at hand; what is another role's is not told. */
static void
answer_next_partition(OffsetFetch *fetch, BrokerRequest *request)
{
	AnsweredGroup *group = &fetch->answers[fetch->group];
	AnsweredTopic *topic = &group->topics.items[group->topics.count - 1];
	AnsweredPartition *answer = &topic->partitions.items[topic->partitions.count];

	answer->partition_index = fetch->partitions[fetch->partition++];
	set_offset(fetch, request, answer);
	if ((answer->error_code == KAFKA_ERROR_NONE && answer->committed_offset >= 0) ||
		answer->error_code == KAFKA_ERROR_UNSTABLE_OFFSET_COMMIT)
		topic->partitions.count++;
}

/* The topic that is at hand is done; it is left out if none of its partitions is told. */
static void
end_topic(OffsetFetch *fetch)
{
	AnsweredGroup *group = &fetch->answers[fetch->group];

	if (group->topics.items[group->topics.count - 1].partitions.count == 0)
		group->topics.count--;
	fetch->has_topic = false;
}

/* Answer a partition of all that the group has, or begin with a topic.  False if the group has no more. */
static bool
step_all(OffsetFetch *fetch, BrokerRequest *request)
{
	if (!fetch->has_topic)
		return begin_next_topic(fetch, request);
	if (fetch->partition < fetch->partition_count)
		answer_next_partition(fetch, request);
	else
		end_topic(fetch);
	return true;
}

/* ---- groups --------------------------------------------------------------------------- */

/* May the client be told of the group? */
static KafkaError
check_group(const OffsetFetch *fetch, const BrokerRequest *request)
{
	const AskedGroup *asked = &fetch->groups[fetch->group];
	KafkaError	error = pgt_group_coordinator_check(request->client, asked->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (fetch->id == NULL)
		return KAFKA_ERROR_INVALID_GROUP_ID;
	return pgt_group_coordinator_check_fetch(asked->group_id, asked->member_id, asked->member_epoch);
}

/* The first version has no place for an error of the group but the partitions. */
static void
spread_error(AnsweredGroup *answer, const AskedGroup *asked, BrokerRequest *request)
{
	answer->topics.count = Max(asked->topics.count, 0);
	answer->topics.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_TOPICS, answer->topics.count);
	for (int i = 0; i < answer->topics.count; i++)
	{
		AnsweredTopic *topic = &answer->topics.items[i];

		topic->name = asked->topics.items[i].name;
		topic->partitions.count = Max(asked->topics.items[i].partition_indexes.count, 0);
		topic->partitions.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_PARTITIONS, topic->partitions.count);
		for (int k = 0; k < topic->partitions.count; k++)
		{
			topic->partitions.items[k].partition_index = asked->topics.items[i].partition_indexes.items[k];
			topic->partitions.items[k].committed_offset = -1;
			topic->partitions.items[k].metadata = pgt_broker_string("");
			topic->partitions.items[k].error_code = answer->error_code;
		}
	}
}

/* Begin with a group. */
static void
begin_group(OffsetFetch *fetch, BrokerRequest *request)
{
	const AskedGroup *asked = &fetch->groups[fetch->group];
	AnsweredGroup *answer = &fetch->answers[fetch->group];

	fetch->has_begun = true;
	fetch->topic = fetch->topic_room = 0;
	fetch->has_topic = false;
	fetch->oid = InvalidOid;
	fetch->id = pgt_database_text_of_client(asked->group_id);
	answer->group_id = asked->group_id;
	answer->error_code = check_group(fetch, request);
	if (answer->error_code != KAFKA_ERROR_NONE)
	{
		if (request->kafka.version < VERSION_ERROR)
			spread_error(answer, asked, request);
		return;
	}
	answer->topics.count = Max(asked->topics.count, 0);
	if (answer->topics.count > 0)
		answer->topics.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_TOPICS, answer->topics.count);
}

/* Do a little.  False if all is done. */
static bool
step(BrokerRequest *request)
{
	OffsetFetch *fetch = request->state;
	const AskedGroup *asked;

	if (fetch->group >= fetch->group_count)
		return false;
	asked = &fetch->groups[fetch->group];
	if (!fetch->has_begun)
		begin_group(fetch, request);
	else if (fetch->answers[fetch->group].error_code != KAFKA_ERROR_NONE ||
			 !(asked->topics.count < 0 ? step_all(fetch, request) : step_asked(fetch, request)))
	{
		fetch->group++;
		fetch->has_begun = false;
	}
	return true;
}

/* ---- the request ------------------------------------------------------------------------ */

/* Answer with the one group of an earlier version. */
static void
answer_one_group(const OffsetFetch *fetch, BrokerRequest *request, KafkaOffsetFetchResponse *response)
{
	const AnsweredGroup *group = &fetch->answers[0];

	response->error_code = group->error_code;
	response->topics.count = group->topics.count;
	response->topics.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_TOPIC, group->topics.count);
	for (int i = 0; i < group->topics.count; i++)
	{
		response->topics.items[i].name = group->topics.items[i].name;
		response->topics.items[i].partitions.count = group->topics.items[i].partitions.count;
		response->topics.items[i].partitions.items =
			(KafkaOffsetFetchResponsePartition *) group->topics.items[i].partitions.items;
	}
}

/* BrokerWait: what is told is durable. */
static void
answer(BrokerRequest *request)
{
	OffsetFetch *fetch = request->state;
	KafkaOffsetFetchResponse *response = &fetch->response;

	pgt_kafka_default_struct(KAFKA_OFFSET_FETCH_RESPONSE, response);
	if (request->kafka.version < VERSION_GROUPS)
		answer_one_group(fetch, request, response);
	else
	{
		response->groups.count = fetch->group_count;
		response->groups.items = fetch->answers;
	}
	pgt_broker_answer_in_slices(request, response, NULL);
}

/* Answer when what this process has committed is durable. */
static void
answer_when_durable(BrokerRequest *request)
{
	BrokerWait	wait = {.wake = answer,.lsn = pgt_offset_turn_lsn(),.durability = BROKER_FLUSHED};

	if (wait.lsn <= pgt_flusher_reached(BROKER_FLUSHED))
	{
		answer(request);
		return;
	}
	pgt_flusher_want(wait.durability, wait.lsn);
	pgt_broker_park(request, &wait);
}

/* What an earlier version asks for, as a group of the later ones. */
static AskedGroup *
one_group(BrokerRequest *request)
{
	const KafkaOffsetFetchRequest *body = request->kafka.body;
	AskedGroup *group = pgt_broker_array(request, KAFKA_OFFSET_FETCH_REQUEST_GROUP, 1);

	group->group_id = body->group_id;
	group->topics.count = body->topics.count;
	if (body->topics.count <= 0)
		return group;
	group->topics.items = pgt_broker_array(request, KAFKA_OFFSET_FETCH_REQUEST_TOPICS, body->topics.count);
	for (int i = 0; i < body->topics.count; i++)
	{
		group->topics.items[i].name = body->topics.items[i].name;
		group->topics.items[i].partition_indexes.items = body->topics.items[i].partition_indexes.items;
		group->topics.items[i].partition_indexes.count = body->topics.items[i].partition_indexes.count;
	}
	return group;
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaOffsetFetchRequest *body = request->kafka.body;
	OffsetFetch *fetch = palloc0(sizeof(OffsetFetch));

	request->state = fetch;
	fetch->scratch = AllocSetContextCreate(request->memory, "pg_topics OffsetFetch", ALLOCSET_SMALL_SIZES);
	if (request->kafka.version < VERSION_GROUPS)
	{
		fetch->groups = one_group(request);
		fetch->group_count = 1;
	}
	else
	{
		fetch->groups = body->groups.items;
		fetch->group_count = Max(body->groups.count, 0);
	}
	fetch->answers = pgt_broker_array(request, KAFKA_OFFSET_FETCH_RESPONSE_GROUP, fetch->group_count);
	pgt_broker_take_steps(request, step, answer_when_durable);
}

const BrokerApi pgt_offset_fetch_api = {.key = KAFKA_API_OFFSET_FETCH, .serve = serve, .uses_tables = true};
