/*
 * fetch.c
 *	  The API Fetch: giving consumers what is in the log.
 *
 * A consumer names partitions and offsets, and gets the batches from there on as they are in
 * the log, up to the stable end (wal/log_stable_end.h), which it is told as the high watermark
 * and the last stable offset.  The two are the same here: nobody is shown an open transaction, whatever
 * isolation level he asks for, and no control batches and lists of aborted transactions are
 * needed, as batches of aborted transactions are not sent.
 *
 *	  serve		look the topics up, look at the partitions
 *				enough, an error, or no time to wait: answer
 *				else: park, and look again when woken
 *
 * While the end of a partition is not known yet it has an error, with which clients ask again, when the time to wait is over.
 *
 * A look goes over the partitions in the order of their turn and takes batches of each, up to
 * the limits of the request and of the partition.  Of the first one that has any, it takes one batch
 * in any case, so that a client with limits that are too small for it makes progress.
 *
 * Parked requests are woken by
 *
 *	  commits		those who produce announce their partitions (fetch_news.c): if the end of one has moved,
 *					requests for it are woken
 *	  flushes		where the end of a partition waits for the WAL to be durable, the request waits
 *					for that LSN
 *	  their deadline
 *	  a poll		on a standby, where nobody announces what is replayed
 *	  want			where frames of other clients wait for memory, those that wait here answer with
 *					what there is; else a few clients that want to wait for long could keep it all
 *
 * A look at many partitions is done in slices.  Where there may have been news meanwhile of a partition that was looked at
 * already, the request waits for a moment only, and looks again.
 *
 * No lock on topics is held.  Topics are looked up when a request comes.  The client says for how long
 * it waits, and must not get what is produced after a REVOKE: so when a parked request is woken, it
 * is asked again whether the client may read them, if rights may have changed.  Else a parked request does
 * not look whether topics are still there: a partition that was there and is not any more has been
 * dropped.
 *
 * What is found refers to files, which are held until the response is sent or the next look
 * forgets it.  Damage in a partition is an error of the partition.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/flusher.h"
#include "broker/core/quota.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/fetch.h"
#include "broker/data/fetch_news.h"
#include "broker/data/fetch_session.h"
#include "broker/login/authentication.h"
#include "kafka/kafka_default.h"
#include "log/log_file_cache.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "wal/durable_wal.h"
#include "wal/log_epochs.h"

/* A response has at most so many bytes of records, as in Kafka, and a batch in any case. */
#define RESPONSE_MAX_BYTES		(55 * 1024 * 1024)

/*
 * With so many ranges of files it takes no further partition: each may be of another file, which stays
 * open until it is sent, and the server lets a process have some hundred of them.
 */
#define RESPONSE_ENOUGH_RANGES	64

/* How often a standby looks for what it has replayed. */
#define STANDBY_POLL_US			(10 * 1000)

/* Nobody waits for longer, as what a client may read is asked when it begins to wait. */
#define WAIT_MAX_MS				60000

/* How long a request waits that may have missed news while it looked. */
#define MISSED_NEWS_US			(50 * 1000)

/* How often files are closed that nobody needs any more. */
#define CLOSE_FILES_US			(2 * 1000 * 1000)

/* The version from which on topics are named by their ids. */
#define TOPIC_ID_VERSION		13

/* From this version on clients know OFFSET_NOT_AVAILABLE here. */
#define NOT_AVAILABLE_VERSION	11

/* A request that is being served. */
typedef struct Fetch
{
	FetchList  *list;
	MemoryContext found_context;	/* what the last look has found; released with it */
	int64		deadline;
	int64		min_bytes;
	int64		max_bytes;
	int32		leader_epoch;	/* ours */
	uint64		access_version; /* of the rights that were looked at */
	dlist_node *next;			/* the partition that is next, while topics or partitions are looked at; NULL: begin */
	HTAB	   *seen;			/* partitions that the list has, while it is checked for repeated ones; NULL: none */

	/* of the last look */
	uint64		began;			/* of pgt_fetch_news_begin() */
	int64		length;			/* what was found */
	int			ranges;			/* of files, likewise */
	bool		failed;			/* a partition has an error: that is to be told at once */
	XLogRecPtr	awaited;		/* when this is durable there is more; InvalidXLogRecPtr: nothing waits */

	TopicPartition *keys;		/* of the partitions, while it is parked */
	bool		parked;
	dlist_node	node;			/* in parked_list */
	BrokerRequest *request;
} Fetch;

/* The requests that are parked. */
static dlist_head parked_list = DLIST_STATIC_INIT(parked_list);

static EventLoopTimer close_files_timer;

static void go_on(BrokerRequest *request);
static void go_on_looking(BrokerRequest *request);

/* ---- going over the list --------------------------------------------------------- */

/* The partition that is next; NULL: the walk is at its end, and the next one begins anew. */
static FetchTarget *
next_target(Fetch *fetch)
{
	dlist_head *list = &fetch->list->targets;
	dlist_node *node;

	if (fetch->next == NULL)
		fetch->next = dlist_is_empty(list) ? &list->head : dlist_head_node(list);
	node = fetch->next;
	if (node == &list->head)
	{
		fetch->next = NULL;
		return NULL;
	}
	fetch->next = node->next;
	return dlist_container(FetchTarget, node, node);
}

/* The partition has an error, which is to be told at once. */
static void
set_error(Fetch *fetch, FetchTarget *target, KafkaError error)
{
	target->error = error;
	target->found = (LogRanges) {0};
	fetch->failed = true;
}

/* ---- looking topics up ------------------------------------------------------- */

/* The error for a topic that is not there, by what the request names topics. */
static KafkaError
unknown_topic(const BrokerRequest *request)
{
	return request->kafka.version >= TOPIC_ID_VERSION ? KAFKA_ERROR_UNKNOWN_TOPIC_ID :
		KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* Find out about a topic, once for a request. */
static void
look_topic_up(const BrokerRequest *request, FetchTopic *topic)
{
	bool		by_id = request->kafka.version >= TOPIC_ID_VERSION;
	Oid			relid;

	if (topic->looked_up == request)
		return;
	topic->looked_up = request;
	relid = by_id ? pgt_topic_names_by_id(&topic->id) : pgt_topic_names_find(topic->name);
	topic->found = pgt_topic_lookup_keep(request->client, relid, ACL_SELECT);
	if (topic->found.error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)
		topic->found.error = unknown_topic(request);
}

/* A partition in the table of those that a list has. */
typedef struct SeenTarget
{
	TopicPartition key;
	FetchTarget *target;
} SeenTarget;

/*
 * As in Kafka, of a partition that a request names again the last one counts, in the place of the
 * first one.  A session has each partition once.
 */
static void
drop_repeated(const BrokerRequest *request, Fetch *fetch, FetchTarget *target)
{
	HASHCTL		info = {.keysize = sizeof(TopicPartition),.entrysize = sizeof(SeenTarget),.hcxt = request->memory};
	TopicPartition key = pgt_topic_partition_key(target->topic->found.relid, target->partition);
	SeenTarget *entry;
	bool		found;

	if (fetch->list->session_id != 0 || fetch->list->count < 2 || target->topic->found.error != KAFKA_ERROR_NONE)
		return;
	if (fetch->seen == NULL)
		fetch->seen = hash_create("pg_topics fetched partitions", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	entry = hash_search(fetch->seen, &key, HASH_ENTER, &found);
	if (found)
		pgt_fetch_session_replace(fetch->list, entry->target, target);
	else
		entry->target = target;
}

/* Find out about topics.  False if the slice is over before all are looked up. */
static bool
look_topics_up(const BrokerRequest *request, Fetch *fetch)
{
	FetchTarget *target;
	dlist_iter	iter;

	/* before: what changes meanwhile is to be looked at again */
	if (fetch->next == NULL)
		fetch->access_version = pgt_access_version();
	while ((target = next_target(fetch)) != NULL)
	{
		look_topic_up(request, target->topic);
		target->existed = false;
		drop_repeated(request, fetch, target);
		if (pgt_broker_slice_is_over())
			return false;
	}
	/* another request at this address would take it for its own */
	dlist_foreach(iter, &fetch->list->targets)
		dlist_container(FetchTarget, node, iter.cur)->topic->looked_up = NULL;
	return true;
}

/*
 * Rights may have changed while the request was parked, or between two slices: may the client still
 * read the topics?  No lock is taken, as somebody who drops a topic may hold it.
 */
static void
check_rights_again(const BrokerRequest *request, Fetch *fetch)
{
	dlist_iter	iter;

	if (fetch->access_version == pgt_access_version())
		return;
	fetch->access_version = pgt_access_version();
	dlist_foreach(iter, &fetch->list->targets)
	{
		FetchTarget *target = dlist_container(FetchTarget, node, iter.cur);
		TopicLookup *topic = &target->topic->found;

		if (topic->error == KAFKA_ERROR_NONE && !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic->relid)))
			topic->error = unknown_topic(request);
		else if (topic->error == KAFKA_ERROR_NONE && !pgt_access_topic(request->client, topic->relid, ACL_SELECT))
			topic->error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
		/* what was found of it in an earlier slice */
		if (topic->error != KAFKA_ERROR_NONE)
			set_error(fetch, target, topic->error);
	}
}

/* ---- looking at partitions ------------------------------------------------------ */

/* Is the client's last batch one of a leader whose batches end before it here?  Then it must go back. */
static void
look_for_divergence(const Fetch *fetch, FetchTarget *target, const TopicPartition *key)
{
	LogEpochEnd end;

	if (target->last_epoch < 0)
		return;
	end = pgt_log_epochs_end(key, target->last_epoch, fetch->leader_epoch);
	target->diverges = end.end >= 0 && (end.epoch < target->last_epoch || end.end < target->offset);
	target->diverging_epoch = end.epoch;
	target->diverging_end = end.end;
}

/* Find the end of a partition, and whether the offset is one of it. */
static KafkaError
find_end(const BrokerRequest *request, FetchTarget *target, const TopicPartition *key, XLogRecPtr durable)
{
	(void) pgt_log_stable_end(key, durable, &target->end);
	if (target->existed && !target->end.exists)
		return unknown_topic(request);
	target->existed = target->end.exists;
	if (target->offset < target->end.log_start || target->offset > target->end.log_end)
		return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
	return KAFKA_ERROR_NONE;
}

/* A partition that is looked at. */
typedef struct Look
{
	const BrokerRequest *request;
	Fetch	   *fetch;
	FetchTarget *target;
	XLogRecPtr	durable;
} Look;

/* Look at a partition, and take what there is. */
static KafkaError
take(const BrokerRequest *request, Fetch *fetch, FetchTarget *target, XLogRecPtr durable)
{
	TopicPartition key;
	LogRangesWish wish = {.offset = target->offset,.at_least_one = fetch->length == 0};
	KafkaError	error = pgt_topic_lookup_partition(&target->topic->found, target->partition, &key);

	if (error == KAFKA_ERROR_NONE)
		error = pgt_cluster_check_epoch(target->leader_epoch, fetch->leader_epoch);
	if (error == KAFKA_ERROR_NONE)
		error = find_end(request, target, &key, durable);
	if (error != KAFKA_ERROR_NONE)
		return error;
	look_for_divergence(fetch, target, &key);
	wish.end = target->end.end;
	wish.max_bytes = fetch->ranges >= RESPONSE_ENOUGH_RANGES ? 0 :
		Min(target->max_bytes, fetch->max_bytes - fetch->length);
	if (target->diverges || wish.offset >= wish.end || (wish.max_bytes <= 0 && !wish.at_least_one))
		return KAFKA_ERROR_NONE;
	(void) pgt_log_ranges(&key, &wish, &target->found);
	return KAFKA_ERROR_NONE;
}

static void
look_at(void *arg)
{
	const Look *look = arg;

	look->target->error = take(look->request, look->fetch, look->target, look->durable);
}

/* The same, where damage is an error of the partition. */
static void
look_at_target(const BrokerRequest *request, Fetch *fetch, FetchTarget *target, XLogRecPtr durable)
{
	Look		look = {request, fetch, target, durable};

	target->found = (LogRanges) {0};
	target->diverges = false;
	if (!pgt_turn_try(look_at, &look, NULL))
		target->error = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	if (target->error != KAFKA_ERROR_NONE)
		set_error(fetch, target, target->error);
	fetch->length += target->found.length;
	fetch->ranges += target->found.count;
	fetch->failed = fetch->failed || target->diverges;
	if (target->error == KAFKA_ERROR_NONE && target->end.awaited != InvalidXLogRecPtr &&
		(fetch->awaited == InvalidXLogRecPtr || target->end.awaited < fetch->awaited))
		fetch->awaited = target->end.awaited;
}

/* A look begins. */
static void
begin_look(Fetch *fetch)
{
	MemoryContextReset(fetch->found_context);
	fetch->began = pgt_fetch_news_begin();
	fetch->length = 0;
	fetch->ranges = 0;
	fetch->failed = false;
	fetch->awaited = InvalidXLogRecPtr;
}

/* Look at partitions.  False if the slice is over before all were looked at. */
static bool
look(const BrokerRequest *request, Fetch *fetch)
{
	MemoryContext caller = MemoryContextSwitchTo(fetch->found_context);
	XLogRecPtr	durable = pgt_durable_wal_end();
	FetchTarget *target;

	while ((target = next_target(fetch)) != NULL)
	{
		look_at_target(request, fetch, target, durable);
		if (pgt_broker_slice_is_over())
			break;
	}
	MemoryContextSwitchTo(caller);
	return target == NULL;
}

/* ---- answering ------------------------------------------------------------------- */

/* Close files from time to time, as long as there are any. */
static void
close_files(EventLoopTimer *timer)
{
	if (pgt_log_file_cache_close_stale())
		pgt_event_loop_set_timer(timer, pgt_clock_monotonic_us() + CLOSE_FILES_US);
}

void
pgt_fetch_note_files(void)
{
	if (close_files_timer.due == 0)
		pgt_event_loop_set_timer(&close_files_timer, pgt_clock_monotonic_us() + CLOSE_FILES_US);
}

KafkaRecords
pgt_fetch_records(const LogRanges *found)
{
	BrokerRange *ranges;
	BrokerRecords *records;

	if (found->count == 0)
		return (KafkaRecords) {.data = ""};
	ranges = palloc(found->count * sizeof(BrokerRange));
	for (int i = 0; i < found->count; i++)
		ranges[i] = (BrokerRange) {found->ranges[i].file, found->ranges[i].position, found->ranges[i].length};
	records = palloc(sizeof(BrokerRecords));
	*records = (BrokerRecords) {ranges, found->count};
	return (KafkaRecords) {.length = (int32) found->length,.source = records};
}

/* What the response says of a partition. */
static void
fill_partition(const BrokerRequest *request, const FetchTarget *target, KafkaFetchResponsePartitionData *data)
{
	const KafkaFetchRequest *body = request->kafka.body;
	bool		failed = target->error != KAFKA_ERROR_NONE;

	data->partition_index = target->partition;
	data->error_code = target->error;
	data->high_watermark = data->last_stable_offset = failed ? -1 : target->end.end;
	data->log_start_offset = failed ? -1 : target->end.log_start;
	/* there are none, and who reads all of them is not told of any */
	data->aborted_transactions.count = body->isolation_level == 0 ? -1 : 0;
	if (target->diverges)
	{
		data->diverging_epoch.epoch = target->diverging_epoch;
		data->diverging_epoch.end_offset = target->diverging_end;
	}
	data->records = pgt_fetch_records(&target->found);
}

/* The partitions of which the response says something, in an array; *count is how many. */
static FetchTarget **
targets_to_tell(FetchList *list, int *count)
{
	FetchTarget **targets = MemoryContextAllocHuge(CurrentMemoryContext, Max(list->count, 1) * sizeof(FetchTarget *));
	dlist_iter	iter;

	*count = 0;
	dlist_foreach(iter, &list->targets)
	{
		FetchTarget *target = dlist_container(FetchTarget, node, iter.cur);

		if (pgt_fetch_session_must_tell(list, target))
			targets[(*count)++] = target;
	}
	return targets;
}

/* How many partitions from the first one on are of the same topic. */
static int
count_of_topic(FetchTarget **targets, int count)
{
	int			n = 1;

	while (n < count && targets[n]->topic == targets[0]->topic)
		n++;
	return n;
}

/* Fill the response's topics, of partitions that are in order. */
static void
fill_topics(BrokerRequest *request, FetchTarget **targets, int count, KafkaFetchResponse *response)
{
	int			topics = 0;

	for (int i = 0; i < count; i += count_of_topic(targets + i, count - i))
		topics++;
	response->responses.items = pgt_broker_array(request, KAFKA_FETCH_RESPONSE_FETCHABLE_TOPIC_RESPONSE, topics);
	for (int i = 0; i < count;)
	{
		KafkaFetchResponseFetchableTopicResponse *topic = &response->responses.items[response->responses.count++];
		int			n = count_of_topic(targets + i, count - i);

		topic->topic = targets[i]->topic->name;
		topic->topic_id = targets[i]->topic->id;
		topic->partitions.items = pgt_broker_array(request, KAFKA_FETCH_RESPONSE_PARTITION_DATA, n);
		topic->partitions.count = n;
		for (int k = 0; k < n; k++)
			fill_partition(request, targets[i + k], &topic->partitions.items[k]);
		i += n;
	}
}

/* Count what the client is sent of a partition. */
static void
count_read(const FetchTarget *target)
{
	TopicPartition key = pgt_topic_partition_key(target->topic->found.relid, target->partition);

	if (target->found.length > 0)
		pgt_log_ranges_count(&key, &target->found);
}

/*
 * Partitions of which the end is not known yet (log_stable_end.h).  To tell the one that is certain would be to tell clients of an end
 * that moves back, and those that read up to an end that they have read everything.
 */
static void
withhold_ends(const BrokerRequest *request, Fetch *fetch)
{
	dlist_iter	iter;

	dlist_foreach(iter, &fetch->list->targets)
	{
		FetchTarget *target = dlist_container(FetchTarget, node, iter.cur);

		if (target->error == KAFKA_ERROR_NONE && !target->end.is_known && !target->diverges)
			target->error = request->kafka.version >= NOT_AVAILABLE_VERSION ? KAFKA_ERROR_OFFSET_NOT_AVAILABLE :
				KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER;
	}
}

/* Answer with what was found. */
static void
answer(BrokerRequest *request, Fetch *fetch)
{
	KafkaFetchResponse response;
	int			count;
	FetchTarget **targets;

	withhold_ends(request, fetch);
	targets = targets_to_tell(fetch->list, &count);
	pgt_kafka_default_struct(KAFKA_FETCH_RESPONSE, &response);
	response.session_id = fetch->list->session_id;
	fill_topics(request, targets, count, &response);
	for (int i = 0; i < count; i++)
	{
		count_read(targets[i]);
		pgt_fetch_session_told(fetch->list, targets[i]);
	}
	pgt_quota_charge(request, QUOTA_CONSUMER_BYTE_RATE, fetch->length);
	if (fetch->length > 0)
		pgt_fetch_note_files();
	pgt_broker_answer(request, &response);
}

/* Answer the request as a whole with an error. */
static void
answer_error(BrokerRequest *request, KafkaError error)
{
	KafkaFetchResponse response;

	pgt_kafka_default_struct(KAFKA_FETCH_RESPONSE, &response);
	response.error_code = error;
	pgt_broker_answer(request, &response);
}

/* ---- parking --------------------------------------------------------------------- */

/* The request is not parked any more. */
static void
leave_park(Fetch *fetch)
{
	if (fetch->parked)
	{
		dlist_delete(&fetch->node);
		pgt_fetch_news_leave(false);
	}
	fetch->parked = false;
}

static void
woken(BrokerRequest *request)
{
	Fetch	   *fetch = request->state;

	leave_park(fetch);
	if (!pgt_authentication_admits(request->client, &pgt_fetch_api))
	{
		pgt_broker_close(request, "");	/* why is logged */
		return;
	}
	begin_look(fetch);
	go_on_looking(request);
}

static void
dropped(BrokerRequest *request)
{
	leave_park(request->state);
}

/* Let the request wait for news of its partitions. */
static void
park(BrokerRequest *request, Fetch *fetch)
{
	BrokerWait	wait = {.wake = woken,.deadline = fetch->deadline,.lsn = fetch->awaited,.durability = BROKER_SYNCED};
	dlist_iter	iter;
	int			count = 0;

	if (fetch->keys == NULL)
	{
		fetch->keys = MemoryContextAllocHuge(request->memory, fetch->list->count * sizeof(TopicPartition));
		dlist_foreach(iter, &fetch->list->targets)
		{
			const FetchTarget *target = dlist_container(FetchTarget, node, iter.cur);

			fetch->keys[count++] = pgt_topic_partition_key(target->topic->found.relid, target->partition);
		}
	}
	wait.partitions = fetch->keys;
	wait.partition_count = fetch->list->count;
	if (RecoveryInProgress())
		wait.deadline = Min(wait.deadline, pgt_clock_monotonic_us() + STANDBY_POLL_US);
	if (pgt_fetch_news_missed(fetch->began))
		wait.deadline = Min(wait.deadline, pgt_clock_monotonic_us() + MISSED_NEWS_US);
	fetch->parked = true;
	dlist_push_tail(&parked_list, &fetch->node);
	pgt_fetch_news_wait(false);
	request->dropped = dropped;
	pgt_broker_park(request, &wait);
}

/* ---- serving ---------------------------------------------------------------------- */

/* Look on, and answer if there is enough, or it is time; else wait. */
static void
go_on_looking(BrokerRequest *request)
{
	Fetch	   *fetch = request->state;

	pgt_turn_open();
	check_rights_again(request, fetch);
	if (!look(request, fetch))
	{
		pgt_broker_go_on(request, go_on_looking);
		return;
	}
	/* also for a client that does not wait, but asks again and again */
	if (fetch->awaited != InvalidXLogRecPtr)
		pgt_flusher_want(BROKER_SYNCED, fetch->awaited);
	if (fetch->failed || fetch->length >= fetch->min_bytes || fetch->ranges >= RESPONSE_ENOUGH_RANGES ||
		fetch->list->count == 0 ||
		pgt_clock_monotonic_us() >= fetch->deadline)
		answer(request, fetch);
	else
		park(request, fetch);
}

/* Look topics up, then at their partitions. */
static void
go_on(BrokerRequest *request)
{
	Fetch	   *fetch = request->state;

	pgt_turn_open();
	if (!look_topics_up(request, fetch))
	{
		pgt_broker_go_on(request, go_on);
		return;
	}
	begin_look(fetch);
	go_on_looking(request);
}

static void
serve(BrokerRequest *request)
{
	const KafkaFetchRequest *body = request->kafka.body;
	Fetch	   *fetch = palloc0(sizeof(Fetch));
	KafkaError	error = pgt_fetch_session_open(request, &fetch->list);

	if (error != KAFKA_ERROR_NONE)
	{
		answer_error(request, error);
		return;
	}
	request->state = fetch;
	fetch->request = request;
	fetch->found_context = AllocSetContextCreate(request->memory, "pg_topics fetch", ALLOCSET_SMALL_SIZES);
	fetch->deadline = request->arrived + Min(Max(body->max_wait_ms, 0), WAIT_MAX_MS) * INT64CONST(1000);
	fetch->max_bytes = pgt_quota_fetch_limit(request, Min(body->max_bytes, RESPONSE_MAX_BYTES));
	fetch->min_bytes = Min(body->min_bytes, fetch->max_bytes);
	fetch->leader_epoch = pgt_cluster_leader_epoch();
	go_on(request);
}

const BrokerApi pgt_fetch_api = {.key = KAFKA_API_FETCH,.serve = serve};

/* ---- hooks ------------------------------------------------------------------------- */

/* Give memory back that others wait for. */
static void
turn_end(void)
{
	dlist_iter	iter;

	if (!pgt_connection_starves())
		return;
	dlist_foreach(iter, &parked_list)
	{
		Fetch	   *fetch = dlist_container(Fetch, node, iter.cur);

		fetch->deadline = 0;
		pgt_broker_wake(fetch->request);
	}
}

static void
start(void)
{
	close_files_timer.expired = close_files;
}

const BrokerHooks pgt_fetch_hooks = {.start = start,.turn_end = turn_end};
