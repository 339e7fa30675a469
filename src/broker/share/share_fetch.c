/*
 * share_fetch.c
 *	  The API ShareFetch: records for one of many members of a share group.
 *
 *	  acknowledge	what the request says of records that the member has (share_acks.c)
 *	  look			acquire records in the partitions of the session (share_session.c), in the order of their turn
 *	  answer		as soon as there are some, or an error, or it is time; else park, and look again when woken
 *
 * A look at a partition begins where the group has something to be acquired: at a record that was given back, or at
 * the first one that nobody has had.  The batches from there on are found as for Fetch, up to the stable end, and
 * then the records in them are acquired that can be.  What is sent is batches, as they are in the log, and which of their records the
 * member has got; clients pass the others, and acknowledge offsets without a record as gaps.  Where there are no
 * batches at all, for their transactions have rolled back, the group is done with the offsets at once.
 *
 * Records are the member's for the lease, from the moment in which they are acquired.  What was acquired for a client that has
 * gone is available again when its session ends, at once.
 *
 * A group that is new in a partition begins at the partition's end or start, as is configured (groups/group_configs.c); and nothing is acquired
 * before that is durable, so that no crash moves the beginning.
 *
 * Parked requests are woken by commits and by records that are given back (fetch_news.c), by WAL that becomes durable, by the next
 * lease that ends, and by their deadlines.  As with Fetch, rights are asked for again then.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/broker_settings.h"
#include "broker/core/cluster.h"
#include "broker/core/flusher.h"
#include "broker/core/quota.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/fetch.h"
#include "broker/data/fetch_news.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_coordinator.h"
#include "broker/login/authentication.h"
#include "broker/share/share_acks.h"
#include "broker/share/share_fetch.h"
#include "broker/share/share_rejected.h"
#include "broker/share/share_session.h"
#include "consume/share_death.h"
#include "group/group_row.h"
#include "kafka/kafka_default.h"
#include "share/share_member.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "wal/durable_wal.h"
#include "wal/log_ranges.h"
#include "wal/log_stable_end.h"

/* As in fetch.c. */
#define RESPONSE_MAX_BYTES		(55 * 1024 * 1024)
#define RESPONSE_ENOUGH_RANGES	64
#define WAIT_MAX_MS				60000
#define MISSED_NEWS_US			(50 * 1000)

/* A partition gives no more in one response, so that others have their turn. */
#define PARTITION_MAX_BYTES		(1024 * 1024)

/* What is rejected is looked after that often, where it was not sent on at once. */
#define REJECTED_MS				1000

/* Ranges of records with as many deliveries; further ones are for the next request. */
#define RANGES_MAX				512

typedef KafkaShareFetchRequest Body;
typedef KafkaShareFetchResponseShareFetchableTopicResponse TopicResponse;
typedef KafkaShareFetchResponsePartitionData PartitionResponse;

/* What a response says of a partition. */
typedef struct ShareFound
{
	KafkaUuid	topic;
	int32		partition;
	KafkaError	error;
	const char *message;
	KafkaError	ack_error;
	const char *ack_message;
	LogRanges	records;
	ShareRange *acquired;
	int			acquired_count;
} ShareFound;

/* A request that is being served. */
typedef struct ShareFetch
{
	ShareAcks	acks;			/* the first field */
	BrokerRequest *request;
	ShareSession *session;
	const char *group;
	bool		tells_all;		/* the response names all partitions of the session */
	int64		deadline;
	int64		max_bytes;
	int32		max_records;

	/* of the last look */
	MemoryContext found_context;
	ShareFound *found;
	int			found_count;
	int			found_room;
	uint64		began;
	int			looked;			/* partitions of the session */
	int64		bytes;
	int32		records;
	int			ranges;			/* of files */
	bool		failed;
	bool		busy;			/* somebody is in the way: look again soon */
	bool		begins;			/* the group begins in a partition with this turn */
	XLogRecPtr	begun;			/* when this is durable, it has; InvalidXLogRecPtr: nothing waits for that */
	XLogRecPtr	awaited;
	int64		expires_in_ms;	/* the next lease; -1: none */
	int64		rejected_in_ms; /* until something rejected is to be sent on; -1: there is nothing */
	bool		rejected;		/* it is time for that */

	/* the topic looked up last */
	KafkaUuid	topic_id;
	bool		topic_known;
	KafkaError	topic_error;
	const Topic *topic;
	Oid			offsets_table;	/* of the extension */
	Oid			schema;

	TopicPartition *keys;
	int			key_count;
	int			key_room;
	bool		parked;
	dlist_node	node;			/* in parked_list */
} ShareFetch;

static dlist_head parked_list = DLIST_STATIC_INIT(parked_list);

static void serve(BrokerRequest *request);

const BrokerApi pgt_share_fetch_api = {.key = KAFKA_API_SHARE_FETCH,.serve = serve};

/* ---- answering ------------------------------------------------------------------------- */

static void
leave(ShareFetch *fetch)
{
	if (fetch->session != NULL)
		pgt_share_session_leave(fetch->session);
	fetch->session = NULL;
}

static void
answer_error(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaShareFetchResponse response;

	pgt_kafka_default_struct(KAFKA_SHARE_FETCH_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
	pgt_broker_answer(request, &response);
}

/* The entry of a partition, which is added if need be; in the order in which they came. */
static ShareFound *
add_found(ShareFetch *fetch, const KafkaUuid *topic, int32 partition)
{
	if (fetch->found_count == fetch->found_room)
	{
		int			room = Max(16, fetch->found_room * 2);

		fetch->found = fetch->found == NULL ?
			MemoryContextAllocHuge(fetch->request->memory, room * sizeof(ShareFound)) :
			repalloc_huge(fetch->found, room * sizeof(ShareFound));
		fetch->found_room = room;
	}
	fetch->found[fetch->found_count] = (ShareFound) {.topic = *topic,.partition = partition};
	return &fetch->found[fetch->found_count++];
}

/* qsort: by topic, partition */
static int
compare_found(const void *a, const void *b)
{
	const ShareFound *x = a;
	const ShareFound *y = b;
	int			cmp = memcmp(&x->topic, &y->topic, sizeof(KafkaUuid));

	return cmp != 0 ? cmp : (x->partition > y->partition) - (x->partition < y->partition);
}

/* Let what was acknowledged of a partition, and what was found there, be one entry. */
static void
merge_found(ShareFetch *fetch)
{
	int			count = 0;

	qsort(fetch->found, fetch->found_count, sizeof(ShareFound), compare_found);
	for (int i = 0; i < fetch->found_count; i++)
	{
		ShareFound *last = count > 0 ? &fetch->found[count - 1] : NULL;
		ShareFound *next = &fetch->found[i];

		if (last == NULL || compare_found(last, next) != 0)
		{
			fetch->found[count++] = *next;
			continue;
		}
		if (next->ack_error != KAFKA_ERROR_NONE)
		{
			last->ack_error = next->ack_error;
			last->ack_message = next->ack_message;
		}
		if (next->error != KAFKA_ERROR_NONE)
		{
			last->error = next->error;
			last->message = next->message;
		}
		if (next->acquired_count > 0)
		{
			last->records = next->records;
			last->acquired = next->acquired;
			last->acquired_count = next->acquired_count;
		}
	}
	fetch->found_count = count;
}

/* What was acknowledged is told, if it is what this request has brought. */
static void
add_acks(ShareFetch *fetch)
{
	for (int i = 0; i < fetch->acks.count; i++)
	{
		const ShareAcksPart *part = &fetch->acks.parts[i];
		ShareFound *found = add_found(fetch, &part->topic, part->partition);

		found->ack_error = part->error;
		found->ack_message = part->message;
	}
}

/* Null for no error, else a text. */
static KafkaString
message_of(KafkaError error, const char *message)
{
	if (error == KAFKA_ERROR_NONE)
		return (KafkaString) {.length = -1};
	return pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
}

static void
fill_partition(BrokerRequest *request, const ShareFound *found, PartitionResponse *response)
{
	response->partition_index = found->partition;
	response->error_code = found->error;
	response->error_message = message_of(found->error, found->message);
	response->acknowledge_error_code = found->ack_error;
	response->acknowledge_error_message = message_of(found->ack_error, found->ack_message);
	response->current_leader.leader_id = pgt_kafka_node_id;
	response->current_leader.leader_epoch = pgt_cluster_leader_epoch();
	response->records = pgt_fetch_records(&found->records);
	response->acquired_records.items =
		pgt_broker_array(request, KAFKA_SHARE_FETCH_RESPONSE_ACQUIRED_RECORDS, found->acquired_count);
	response->acquired_records.count = found->acquired_count;
	for (int i = 0; i < found->acquired_count; i++)
	{
		response->acquired_records.items[i].first_offset = found->acquired[i].first;
		response->acquired_records.items[i].last_offset = found->acquired[i].last;
		response->acquired_records.items[i].delivery_count = (int16) Min(found->acquired[i].deliveries, PG_INT16_MAX);
	}
}

/* How many partitions from here on are of the same topic. */
static int
count_of_topic(const ShareFound *found, int count)
{
	int			n = 1;

	while (n < count && memcmp(&found[n].topic, &found[0].topic, sizeof(KafkaUuid)) == 0)
		n++;
	return n;
}

static void
fill_topics(BrokerRequest *request, const ShareFetch *fetch, KafkaShareFetchResponse *response)
{
	int			topics = 0;

	for (int i = 0; i < fetch->found_count; i += count_of_topic(fetch->found + i, fetch->found_count - i))
		topics++;
	response->responses.items = pgt_broker_array(request, KAFKA_SHARE_FETCH_RESPONSE_SHARE_FETCHABLE_TOPIC_RESPONSE, topics);
	response->responses.count = 0;
	for (int i = 0; i < fetch->found_count;)
	{
		TopicResponse *topic = &response->responses.items[response->responses.count++];
		int			n = count_of_topic(fetch->found + i, fetch->found_count - i);

		topic->topic_id = fetch->found[i].topic;
		topic->partitions.items = pgt_broker_array(request, KAFKA_SHARE_FETCH_RESPONSE_PARTITION_DATA, n);
		topic->partitions.count = n;
		for (int k = 0; k < n; k++)
			fill_partition(request, &fetch->found[i + k], &topic->partitions.items[k]);
		i += n;
	}
}

/* How long the member has what it acquires. */
static int
lease_of(const ShareFetch *fetch)
{
	return pgt_group_configs_of(fetch->group, GROUP_CONFIG_SHARE_RECORD_LOCK_DURATION);
}

/* Answer with what was found. */
static void
answer(BrokerRequest *request, ShareFetch *fetch)
{
	KafkaShareFetchResponse response;

	pgt_kafka_default_struct(KAFKA_SHARE_FETCH_RESPONSE, &response);
	response.acquisition_lock_timeout_ms = lease_of(fetch);
	add_acks(fetch);
	merge_found(fetch);
	fill_topics(request, fetch, &response);
	pgt_quota_charge(request, QUOTA_CONSUMER_BYTE_RATE, fetch->bytes);
	if (fetch->bytes > 0)
		pgt_fetch_note_files();
	leave(fetch);
	pgt_broker_answer(request, &response);
}

/* ---- looking at a partition ----------------------------------------------------------------- */

/* Look a topic up, which was perhaps done for the partition before. */
static void
look_topic_up(ShareFetch *fetch, const KafkaUuid *id)
{
	if (fetch->topic_known && memcmp(&fetch->topic_id, id, sizeof(KafkaUuid)) == 0)
		return;
	fetch->topic_id = *id;
	fetch->topic_error = pgt_topic_lookup(fetch->request->client, pgt_topic_names_by_id(id), ACL_SELECT, &fetch->topic);
	if (fetch->topic_error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)
		fetch->topic_error = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
	fetch->topic_known = true;
}

/* ShareFirstOffset: as is configured.  arg: the name of the group. */
static int64
first_offset(const TopicPartition *key, void *arg)
{
	LogStableEnd end;

	(void) pgt_log_stable_end(key, pgt_durable_wal_end(), &end);
	return pgt_group_configs_of(arg, GROUP_CONFIG_SHARE_AUTO_OFFSET_RESET) == BROKER_SETTINGS_RESET_EARLIEST ?
		end.log_start : end.end;
}

/* Has the group begun in the slot's partition, durably?  If not, it is looked at again. */
static bool
has_begun(ShareFetch *fetch, const ShareSlot *slot)
{
	if (!slot->durable)
		fetch->begins = true;
	else if (slot->row_lsn > pgt_flusher_reached(BROKER_SYNCED))
		fetch->begun = Max(fetch->begun, slot->row_lsn);
	else
		return true;
	return false;
}

/* A partition that is looked at. */
typedef struct Look
{
	ShareFetch *fetch;
	const SharePartition *partition;
	TopicPartition key;
	ShareSlot  *slot;
	LogStableEnd end;
	KafkaError	error;
	const char *message;
} Look;

/* What was acquired is sorted out. */
typedef struct SortOut
{
	Look	   *look;
	ShareFound *found;
	int			room;			/* for acquired ranges */
	const LogRanges *batches;	/* in which they were acquired */
	int			span;			/* the span of those that is next */
} SortOut;

/* The group is done with offsets that the member has acquired. */
static void
skip(const SortOut *sort, int64 first, int64 last)
{
	pgt_share_member_skip(sort->look->slot, sort->look->fetch->session->member, first, last);
}

/* Add acquired records to those of the response. */
static void
add_acquired(SortOut *sort, int64 first, int64 last, uint16 deliveries)
{
	ShareFound *found = sort->found;
	ShareRange *before = found->acquired_count > 0 ? &found->acquired[found->acquired_count - 1] : NULL;

	if (before != NULL && before->last + 1 == first && before->deliveries == deliveries)
	{
		before->last = last;
		return;
	}
	if (found->acquired_count == sort->room)
	{
		sort->room *= 2;
		found->acquired = repalloc(found->acquired, sort->room * sizeof(ShareRange));
	}
	found->acquired[found->acquired_count++] = (ShareRange) {first, last, SHARE_ACQUIRED, deliveries};
}

/* Add those of a range's offsets that are in batches. */
static void
add_range(SortOut *sort, const ShareRange *range)
{
	int64		offset = range->first;

	while (offset <= range->last)
	{
		const LogSpan *span;
		int64		last = range->last;

		while (sort->span < sort->batches->span_count && sort->batches->spans[sort->span].last < offset)
			sort->span++;
		span = sort->span < sort->batches->span_count ? &sort->batches->spans[sort->span] : NULL;
		if (span != NULL && span->first <= offset)
		{
			last = Min(last, span->last);
			add_acquired(sort, offset, last, range->deliveries);
		}
		else
		{
			last = span == NULL ? last : Min(last, span->first - 1);
			skip(sort, offset, last);
		}
		offset = last + 1;
	}
}

/* A range has had its last try before: it is rejected, if there may be a topic for it. */
static void
give_up(const SortOut *sort, const ShareRange *range)
{
	const ShareFetch *fetch = sort->look->fetch;

	if (pgt_share_death_may_have_topic(fetch->topic))
		pgt_share_member_reject(sort->look->slot, fetch->session->member, range->first, range->last);
	else
		skip(sort, range->first, range->last);
}

/*
 * Keep what is to be delivered of what was acquired: it is in batches, and has not had its last try.  With the rest the group is done, or it is
 * rejected.  Returns how many records are left.
 */
static int32
sort_out(Look *look, ShareFound *found, const LogRanges *batches, const ShareRange *ranges, int count)
{
	SortOut		sort = {.look = look,.found = found,.room = count,.batches = batches};
	int32		records = 0;

	found->acquired = palloc(count * sizeof(ShareRange));
	for (int i = 0; i < count; i++)
	{
		if (pgt_share_death_is_due(look->fetch->topic, ranges[i].deliveries - 1))
			give_up(&sort, &ranges[i]);
		else
			add_range(&sort, &ranges[i]);
	}
	for (int i = 0; i < found->acquired_count; i++)
		records += (int32) (found->acquired[i].last - found->acquired[i].first + 1);
	return records;
}

/* Find the batches from an offset on; at most so many bytes, but one batch in any case where nothing was found before. */
static void
find_batches(const Look *look, int64 offset, int64 last, LogRanges *batches)
{
	const ShareFetch *fetch = look->fetch;
	LogRangesWish wish = {
		.offset = offset,.end = look->end.end,.last = last,.spans = true,.at_least_one = fetch->bytes == 0,
		.max_bytes = fetch->ranges >= RESPONSE_ENOUGH_RANGES ? 0 :
		Min(PARTITION_MAX_BYTES, fetch->max_bytes - fetch->bytes)
	};

	*batches = (LogRanges) {.next_offset = offset};
	if (wish.max_bytes > 0 || wish.at_least_one)
		(void) pgt_log_ranges(&look->key, &wish, batches);
}

/* The group is done with offsets that have no batch. */
static void
pass_gap(const Look *look, int64 from, int64 end)
{
	ShareMemberTake take = {
		.member = look->fetch->session->member,.from = from,.end = end,.most = PG_INT32_MAX,
		.lease_ms = lease_of(look->fetch)
	};
	ShareRange	ranges[64];
	int			count;

	while ((count = pgt_share_member_acquire(look->slot, &take, ranges, lengthof(ranges))) > 0)
	{
		for (int i = 0; i < count; i++)
			pgt_share_member_skip(look->slot, take.member, ranges[i].first, ranges[i].last);
		take.from = ranges[count - 1].last + 1;
	}
}

/* Acquire records in batches that were found, and put both into the response.  False: there is nothing more to be acquired. */
static bool
acquire(Look *look, int64 from, const LogRanges *batches)
{
	ShareFetch *fetch = look->fetch;
	ShareMemberTake take = {
		.member = fetch->session->member,.from = from,.end = batches->next_offset,
		.most = fetch->max_records - fetch->records,.lease_ms = lease_of(fetch)
	};
	ShareRange *ranges = palloc(RANGES_MAX * sizeof(ShareRange));
	int			count = pgt_share_member_acquire(look->slot, &take, ranges, RANGES_MAX);
	ShareFound *found;
	int32		records;

	if (count == 0)
		return false;
	found = add_found(fetch, &look->partition->topic, look->partition->partition);
	records = sort_out(look, found, batches, ranges, count);
	if (records == 0)
	{
		fetch->found_count--;
		return true;
	}
	fetch->records += records;
	/* only those of the batches that are needed */
	find_batches(look, found->acquired[0].first, found->acquired[found->acquired_count - 1].last, &found->records);
	fetch->bytes += found->records.length;
	fetch->ranges += found->records.count;
	pgt_log_ranges_count(&look->key, &found->records);
	return false;
}

/* Something is rejected: have it sent on when it is time.  Then nobody else need do so for a moment. */
static void
look_for_rejected(Look *look)
{
	ShareFetch *fetch = look->fetch;
	int64		in_ms;

	if (pgt_share_member_has_rejected(look->slot, &in_ms))
	{
		pgt_share_table_postpone(&look->slot->key, REJECTED_MS);
		in_ms = REJECTED_MS;
		fetch->rejected = true;
	}
	if (in_ms >= 0 && (fetch->rejected_in_ms < 0 || in_ms < fetch->rejected_in_ms))
		fetch->rejected_in_ms = in_ms;
}

/* Acquire what there is of a partition whose slot is entered. */
static void
take_records(Look *look)
{
	ShareFetch *fetch = look->fetch;
	int64		expires_in_ms;
	int64		from = pgt_share_member_next_offset(look->slot, look->end.log_start, &expires_in_ms);
	LogRanges	batches;

	if (expires_in_ms >= 0 && (fetch->expires_in_ms < 0 || expires_in_ms < fetch->expires_in_ms))
		fetch->expires_in_ms = expires_in_ms;
	while (from < look->end.end && fetch->records < fetch->max_records)
	{
		find_batches(look, from, 0, &batches);
		if (batches.count > 0)
		{
			if (!acquire(look, from, &batches))
				return;
			from = pgt_share_member_next_offset(look->slot, look->end.log_start, &expires_in_ms);
			continue;
		}
		if (batches.next_offset <= from)
			return;
		pass_gap(look, from, batches.next_offset);
		from = batches.next_offset;
	}
}

/* Look at a partition, for pgt_turn_try(). */
static void
look_at(void *arg)
{
	Look	   *look = arg;
	ShareFetch *fetch = look->fetch;
	TopicLookup lookup = {0};
	ShareGroup	group = {.schema = fetch->schema};

	look_topic_up(fetch, &look->partition->topic);
	lookup.error = look->error = fetch->topic_error;
	if (look->error != KAFKA_ERROR_NONE)
		return;
	lookup.relid = fetch->topic->relid;
	lookup.partitions = fetch->topic->partitions;
	look->error = pgt_topic_lookup_partition(&lookup, look->partition->partition, &look->key);
	if (look->error != KAFKA_ERROR_NONE)
		return;
	/* another request may have added some to the session */
	if (fetch->key_count < fetch->key_room)
		fetch->keys[fetch->key_count++] = look->key;
	group.group = (ConsumerGroup) {
		.offsets_table = fetch->offsets_table,.topic = fetch->topic->relid,.id = fetch->group,
		.role = fetch->request->client->role
	};
	if (!pgt_share_group_try_enter(&group, look->partition->partition, first_offset, (void *) fetch->group, &look->slot))
		fetch->busy = true;
	else if (has_begun(fetch, look->slot))
	{
		(void) pgt_log_stable_end(&look->key, pgt_durable_wal_end(), &look->end);
		if (look->end.awaited != InvalidXLogRecPtr &&
			(fetch->awaited == InvalidXLogRecPtr || look->end.awaited < fetch->awaited))
			fetch->awaited = look->end.awaited;
		take_records(look);
		look_for_rejected(look);
	}
}

/* What an error tells a client. */
static KafkaError
error_of(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case ERRCODE_OBJECT_IN_USE:
		case ERRCODE_WRONG_OBJECT_TYPE:
			return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
		case ERRCODE_DATA_EXCEPTION:
			return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
		default:
			ereport(LOG,
					(errcode(error->sqlerrcode),
					 errmsg("could not fetch records of a share group: %s", error->message)));
			return error->sqlerrcode == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED ? KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE :
				KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	}
}

/* The same, where an error is one of the partition. */
static void
look_at_partition(ShareFetch *fetch, SharePartition *partition)
{
	Look		look = {.fetch = fetch,.partition = partition};
	int			before = fetch->found_count;
	ErrorData  *error;
	ShareFound *found;

	if (!pgt_turn_try_quietly(look_at, &look, &error))
	{
		/* what was locked and looked up may have gone with the error */
		pgt_turn_open();
		fetch->topic_known = false;
		fetch->found_count = before;
		look.error = error_of(error);
		look.message = pstrdup(error->message);
	}
	if (look.error == KAFKA_ERROR_NONE)
	{
		if (fetch->found_count == before && fetch->tells_all)
			(void) add_found(fetch, &partition->topic, partition->partition);
		return;
	}
	found = add_found(fetch, &partition->topic, partition->partition);
	found->error = look.error;
	found->message = look.message;
	fetch->failed = true;
}

/* ---- a look at all ------------------------------------------------------------------------------ */

static void
begin_look(ShareFetch *fetch)
{
	MemoryContextReset(fetch->found_context);
	fetch->began = pgt_fetch_news_begin();
	fetch->found_count = fetch->looked = fetch->key_count = 0;
	fetch->bytes = 0;
	fetch->records = fetch->ranges = 0;
	fetch->failed = fetch->busy = fetch->begins = fetch->topic_known = false;
	fetch->awaited = fetch->begun = InvalidXLogRecPtr;
	fetch->expires_in_ms = fetch->rejected_in_ms = -1;
	fetch->rejected = false;
}

/* Has the response enough, or was all looked at? */
static bool
is_enough(const ShareFetch *fetch)
{
	return fetch->looked >= fetch->session->count || fetch->records >= fetch->max_records ||
		fetch->ranges >= RESPONSE_ENOUGH_RANGES;
}

/* Look at the partitions that are left: those that come too late are the first ones next time.  False if the slice is over before. */
static bool
look(ShareFetch *fetch)
{
	MemoryContext caller = MemoryContextSwitchTo(fetch->found_context);
	bool		slice_is_over = false;

	fetch->topic_known = false;
	fetch->offsets_table = pgt_group_row_extension_table();
	fetch->schema = get_rel_namespace(fetch->offsets_table);
	while (!is_enough(fetch) && !slice_is_over)
	{
		SharePartition *partition = dlist_head_element(SharePartition, node, &fetch->session->partitions);

		look_at_partition(fetch, partition);
		pgt_share_session_served(fetch->session, partition);
		fetch->looked++;
		slice_is_over = pgt_broker_slice_is_over();
	}
	MemoryContextSwitchTo(caller);
	return is_enough(fetch);
}

static void go_on_looking(BrokerRequest *request);

/* ---- parking --------------------------------------------------------------------------------------- */

static void
leave_park(ShareFetch *fetch)
{
	if (fetch->parked)
	{
		dlist_delete(&fetch->node);
		pgt_fetch_news_leave(true);
	}
	fetch->parked = false;
}

static void
woken(BrokerRequest *request)
{
	ShareFetch *fetch = request->state;

	leave_park(fetch);
	if (!pgt_authentication_admits(request->client, &pgt_share_fetch_api))
	{
		leave(fetch);
		pgt_broker_close(request, "");	/* why is logged */
		return;
	}
	begin_look(fetch);
	go_on_looking(request);
}

static void
dropped(BrokerRequest *request)
{
	ShareFetch *fetch = request->state;

	leave_park(fetch);
	pgt_share_acks_drop(&fetch->acks);
	leave(fetch);
}

static void
park(BrokerRequest *request, ShareFetch *fetch)
{
	int64		now = pgt_clock_monotonic_us();
	BrokerWait	wait = {.wake = woken,.deadline = fetch->deadline,.lsn = fetch->awaited,.durability = BROKER_SYNCED};

	if (fetch->begun != InvalidXLogRecPtr)
		wait.lsn = fetch->begun;
	if (fetch->busy || fetch->begins)
		wait.deadline = Min(wait.deadline, now + TURN_RETRY_MS * INT64CONST(1000));
	if (fetch->expires_in_ms >= 0)
		wait.deadline = Min(wait.deadline, now + fetch->expires_in_ms * 1000);
	if (fetch->rejected_in_ms >= 0)
		wait.deadline = Min(wait.deadline, now + Max(fetch->rejected_in_ms, 1) * 1000);
	if (pgt_fetch_news_missed(fetch->began))
		wait.deadline = Min(wait.deadline, now + MISSED_NEWS_US);
	wait.partitions = fetch->keys;
	wait.partition_count = fetch->key_count;
	fetch->parked = true;
	dlist_push_tail(&parked_list, &fetch->node);
	pgt_fetch_news_wait(true);
	pgt_broker_park(request, &wait);
}

/* Look on, and answer if there is something, or it is time; else wait. */
static void
go_on_looking(BrokerRequest *request)
{
	ShareFetch *fetch = request->state;

	pgt_turn_open();
	if (!look(fetch))
	{
		pgt_broker_go_on(request, go_on_looking);
		return;
	}
	if (Max(fetch->awaited, fetch->begun) != InvalidXLogRecPtr)
		pgt_flusher_want(BROKER_SYNCED, Max(fetch->awaited, fetch->begun));
	if (fetch->rejected)
		(void) pgt_share_rejected_send(request);
	if (fetch->failed || fetch->records > 0 || fetch->session->count == 0 || fetch->session->over ||
		pgt_clock_monotonic_us() >= fetch->deadline)
		answer(request, fetch);
	else
		park(request, fetch);
}

/* ---- the request -------------------------------------------------------------------------------------- */

/* ShareAcks: all is acknowledged; now for records. */
static void
acknowledged(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	ShareFetch *fetch = request->state;

	if (body->share_session_epoch == SHARE_SESSION_FINAL)
	{
		pgt_share_session_end(fetch->session);
		answer(request, fetch);
		return;
	}
	/* what was acknowledged is told at once, and so is a renewal, for which nothing is fetched */
	if (fetch->acks.count > 0)
		fetch->deadline = 0;
	fetch->key_room = fetch->session->count;
	fetch->keys = MemoryContextAllocHuge(request->memory, Max(fetch->key_room, 1) * sizeof(TopicPartition));
	begin_look(fetch);
	if (fetch->max_records > 0)
		go_on_looking(request);
	else
		answer(request, fetch);
}

/* Count the partitions of a request, and those with acknowledgements. */
static void
count_partitions(const Body *body, int64 *partitions, int *acks)
{
	*partitions = 0;
	*acks = 0;
	for (int32 t = 0; t < body->topics.count; t++)
	{
		*partitions += Max(body->topics.items[t].partitions.count, 0);
		for (int32 p = 0; p < body->topics.items[t].partitions.count; p++)
			*acks += body->topics.items[t].partitions.items[p].acknowledgement_batches.count > 0;
	}
}

/* Take over what the request says of partitions.  False: there are too many. */
static bool
take_partitions(ShareFetch *fetch, const Body *body, int acks)
{
	fetch->acks.parts = MemoryContextAllocHuge(fetch->request->memory, Max(acks, 1) * sizeof(ShareAcksPart));
	for (int32 t = 0; t < body->topics.count; t++)
	{
		const KafkaShareFetchRequestFetchTopic *topic = &body->topics.items[t];

		for (int32 p = 0; p < topic->partitions.count; p++)
		{
			const KafkaShareFetchRequestFetchPartition *partition = &topic->partitions.items[p];

			if (partition->acknowledgement_batches.count > 0)
				pgt_share_acks_take(&fetch->acks.parts[fetch->acks.count++], &topic->topic_id, partition->partition_index,
									partition->acknowledgement_batches.items, partition->acknowledgement_batches.count,
									body->is_renew_ack);
			if (body->share_session_epoch != SHARE_SESSION_FINAL &&
				!pgt_share_session_add(fetch->session, &topic->topic_id, partition->partition_index))
				return false;
		}
	}
	for (int32 t = 0; t < body->forgotten_topics_data.count; t++)
	{
		const KafkaShareFetchRequestForgottenTopic *topic = &body->forgotten_topics_data.items[t];

		for (int32 p = 0; p < topic->partitions.count; p++)
			pgt_share_session_remove(fetch->session, &topic->topic_id, topic->partitions.items[p]);
	}
	return true;
}

/* What is wrong with a request; NULL: nothing. */
static const char *
check(const Body *body, int acks)
{
	if (body->member_id.length <= 0)
		return "a member id is missing";
	if (body->share_session_epoch < SHARE_SESSION_FINAL)
		return "there is no such epoch of a session";
	if (acks > 0 && body->share_session_epoch == SHARE_SESSION_INITIAL)
		return "nothing can be acknowledged with the first request of a session";
	if (body->is_renew_ack && body->max_records > 0)
		return "a request that renews acknowledgements fetches nothing";
	return NULL;
}

/* Set up a request whose session is open. */
static void
begin(BrokerRequest *request, ShareSession *session, int acks)
{
	const Body *body = request->kafka.body;
	ShareFetch *fetch = palloc0(sizeof(ShareFetch));

	request->state = fetch;
	request->dropped = dropped;
	fetch->request = request;
	fetch->session = session;
	fetch->group = session->group;
	fetch->tells_all = body->share_session_epoch == SHARE_SESSION_INITIAL;
	fetch->deadline = request->arrived + Min(Max(body->max_wait_ms, 0), WAIT_MAX_MS) * INT64CONST(1000);
	fetch->max_bytes = pgt_quota_fetch_limit(request, Min(body->max_bytes, RESPONSE_MAX_BYTES));
	fetch->max_records = Max(body->max_records, 0);
	fetch->found_context = AllocSetContextCreate(request->memory, "pg_topics share fetch", ALLOCSET_SMALL_SIZES);
	fetch->acks = (ShareAcks) {
		.request = request,.group = session->group,.member = session->member,.done = acknowledged
	};
	if (!take_partitions(fetch, body, acks))
	{
		pgt_share_session_end(session);
		leave(fetch);
		answer_error(request, KAFKA_ERROR_SHARE_SESSION_LIMIT_REACHED, "the session has too many partitions");
		return;
	}
	pgt_share_acks_begin(&fetch->acks);
}

static void
serve(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	int64		partitions;
	int			acks;
	const char *problem;
	KafkaError	error;
	ShareSession *session;

	pgt_turn_open();
	count_partitions(body, &partitions, &acks);
	problem = check(body, acks);
	error = problem != NULL ? KAFKA_ERROR_INVALID_REQUEST : pgt_group_coordinator_check(request->client, body->group_id);
	if (error == KAFKA_ERROR_NONE)
		error = pgt_share_session_open(request, body->group_id, body->member_id, body->share_session_epoch, true, &session);
	if (error != KAFKA_ERROR_NONE)
		answer_error(request, error, problem);
	else
		begin(request, session, acks);
}

/* ---- hooks ------------------------------------------------------------------------------------------------ */

/* Give memory back that others wait for. */
static void
turn_end(void)
{
	dlist_iter	iter;

	if (!pgt_connection_starves())
		return;
	dlist_foreach(iter, &parked_list)
	{
		ShareFetch *fetch = dlist_container(ShareFetch, node, iter.cur);

		fetch->deadline = 0;
		pgt_broker_wake(fetch->request);
	}
}

const BrokerHooks pgt_share_fetch_hooks = {.turn_end = turn_end};
