/*
 * describe_topics.c
 *	  DescribeTopicPartitions: topics and their partitions, a part at a time.
 *
 * As Metadata, for administrators' tools: topics are in the order of their names, and an answer has
 * no more partitions than the client wants.  It then names the place where the next
 * answer has to begin.
 *
 * A request may name any number of topics that do not exist, and is served in slices.  So names are put in order by
 * a heap, one after the other.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/topics/describe_topics.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "lib/pairingheap.h"
#include "topic/topic.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_topics_api = {.key = KAFKA_API_DESCRIBE_TOPIC_PARTITIONS, .serve = serve};

#define KNOWING			(ACL_SELECT | ACL_INSERT)
#define PARTITIONS_MAX	2000	/* of an answer, whatever the client wants: max.request.partition.size.limit */

typedef KafkaDescribeTopicPartitionsResponseTopic TopicEntry;
typedef KafkaDescribeTopicPartitionsResponsePartition PartitionEntry;

/* A topic that is asked for. */
typedef struct WantedTopic
{
	pairingheap_node node;
	const char *name;
} WantedTopic;

/* Where an answer has come to. */
typedef struct Progress
{
	bool		all;			/* the topics of the database: those that the client may not know of are left out */
	List	   *oids;			/* then, of all */
	int			wanted;			/* how many are asked for */
	int			found;			/* of how many the name is in the heap, or there is none */
	pairingheap *names;			/* of those that are not answered yet; the first one is the least */
	const char *last;			/* that was taken out */
	char	   *cursor;			/* the topic at which the answer begins; NULL: the first one */
	TopicEntry *entries;
	int			count;
	int			partitions_left;
	KafkaDescribeTopicPartitionsResponseCursor *next;	/* NULL: nothing is left out so far */
} Progress;

/* ---- which topics ---------------------------------------------------------- */

static int
compare_names(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	/* the heap has the largest first */
	return strcmp(pairingheap_const_container(WantedTopic, node, b)->name,
				  pairingheap_const_container(WantedTopic, node, a)->name);
}

/* The name of a topic that is asked for; NULL: it has none. */
static const char *
wanted_name(BrokerRequest *request, const Progress *progress, int i)
{
	const KafkaDescribeTopicPartitionsRequest *body = request->kafka.body;

	return progress->all ? pgt_topic_names_of(list_nth_oid(progress->oids, i)) :
		pgt_broker_cstring(request, body->topics.items[i].name);
}

/* Find the next name that is asked for. */
static void
find_name(BrokerRequest *request, Progress *progress)
{
	const char *name = wanted_name(request, progress, progress->found++);
	WantedTopic *topic;

	if (name == NULL)
		return;
	topic = palloc(sizeof(WantedTopic));
	topic->name = name;
	pairingheap_add(progress->names, &topic->node);
}

/* Take the next name, which is NULL if it was the last one's, too. */
static const char *
next_name(Progress *progress)
{
	const char *name = pairingheap_container(WantedTopic, node, pairingheap_remove_first(progress->names))->name;

	if (progress->last != NULL && strcmp(name, progress->last) == 0)
		return NULL;
	return progress->last = name;
}

/* ---- one topic ------------------------------------------------------------- */

/* Add partitions from one on, as many as there is room for. */
static void
add_partitions(BrokerRequest *request, Progress *progress, TopicEntry *entry, int32 first, int32 end)
{
	int32		count = Min(Max(end - first, 0), progress->partitions_left);
	int32		epoch = pgt_cluster_leader_epoch();
	int32	   *nodes = pgt_cluster_nodes();
	PartitionEntry *partitions =
		pgt_broker_array(request, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_PARTITION, count);

	for (int32 i = 0; i < count; i++)
	{
		partitions[i].partition_index = first + i;
		partitions[i].leader_id = nodes[0];
		partitions[i].leader_epoch = epoch;
		partitions[i].replica_nodes.items = partitions[i].isr_nodes.items = nodes;
		partitions[i].replica_nodes.count = partitions[i].isr_nodes.count = 1;
		/* none, and not null as by default: Java's client takes no null here */
		partitions[i].eligible_leader_replicas.count = partitions[i].last_known_elr.count = 0;
	}
	entry->partitions.items = partitions;
	entry->partitions.count = count;
	progress->partitions_left -= count;
	if (first + count < end)
	{
		progress->next = pgt_broker_array(request, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_CURSOR, 1);
		progress->next->topic_name = entry->name;
		progress->next->partition_index = first + count;
	}
}

/* Add a topic, from a partition on.  One that the client may not know of is left out of a list of all. */
static void
add_topic(BrokerRequest *request, Progress *progress, const char *name, int32 first)
{
	TopicEntry *entry = &progress->entries[progress->count];
	KafkaString string = pgt_broker_string(name);
	const Topic *topic;
	Oid			oid = pgt_topic_names_find(string);

	entry->name = string;
	if (pgt_kafka_name_topic_problem(string) != NULL)
		entry->error_code = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
	else
		entry->error_code = pgt_topic_lookup(request->client, oid, KNOWING, &topic);
	if (entry->error_code != KAFKA_ERROR_NONE)
	{
		progress->count += !progress->all;
		return;
	}
	entry->topic_id = pgt_topic_names_id(oid);
	entry->topic_authorized_operations = pgt_access_topic_operations(request->client, oid);
	add_partitions(request, progress, entry, first, topic->partitions);
	progress->count++;
}

/* Where to begin in a topic: its first partition, or that of the cursor; -1: the topic was answered before. */
static int32
first_partition(const char *name, const char *cursor_name, int32 cursor_partition)
{
	int			order = cursor_name == NULL ? 1 : strcmp(name, cursor_name);

	return order < 0 ? -1 : order == 0 ? cursor_partition : 0;
}

/* ---- the answer ------------------------------------------------------------ */

/* Add the topic that is next, or leave it to the next answer. */
static void
add_next(BrokerRequest *request, Progress *progress)
{
	const KafkaDescribeTopicPartitionsRequest *body = request->kafka.body;
	const char *name = next_name(progress);
	int32		first = name == NULL ? -1 :
		first_partition(name, progress->cursor, progress->cursor == NULL ? 0 : Max(body->cursor->partition_index, 0));

	if (first < 0)
		return;
	if (progress->partitions_left > 0)
	{
		add_topic(request, progress, name, first);
		return;
	}
	progress->next = pgt_broker_array(request, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_CURSOR, 1);
	progress->next->topic_name = pgt_broker_string(name);
}

/* Find the next name or, when all are there, add the topic that is next; false: the answer has all that it may have. */
static bool
step(BrokerRequest *request)
{
	Progress   *progress = request->state;

	if (progress->found < progress->wanted)
		find_name(request, progress);
	else if (!pairingheap_is_empty(progress->names) && progress->next == NULL)
		add_next(request, progress);
	else
		return false;
	return true;
}

static void
finish(BrokerRequest *request)
{
	Progress   *progress = request->state;
	KafkaDescribeTopicPartitionsResponse response;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE, &response);
	response.topics.items = progress->entries;
	response.topics.count = progress->count;
	response.next_cursor = progress->next;
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeTopicPartitionsRequest *body = request->kafka.body;
	Progress   *progress = palloc0(sizeof(Progress));

	pgt_turn_open();
	request->state = progress;
	progress->cursor = body->cursor == NULL ? NULL : pgt_broker_cstring(request, body->cursor->topic_name);
	progress->partitions_left = Min(Max(body->response_partition_limit, 1), PARTITIONS_MAX);
	/* an empty list of the request stands for all topics */
	progress->all = body->topics.count <= 0;
	progress->oids = progress->all ? pgt_topic_list() : NIL;
	progress->wanted = progress->all ? list_length(progress->oids) : body->topics.count;
	progress->names = pairingheap_allocate(compare_names, NULL);
	progress->entries = pgt_broker_array(request, KAFKA_DESCRIBE_TOPIC_PARTITIONS_RESPONSE_TOPIC, progress->wanted);
	pgt_broker_take_steps(request, step, finish);
}
