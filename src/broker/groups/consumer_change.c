/*
 * consumer_change.c
 *	  Requests that change groups of the new protocol: what the group asks on the way, and when they are answered.
 *
 *	  run			at the end of the turn the group takes the request (consumer_store.c)
 *	  durable		when that is durable, also on synchronous standbys, it is answered
 *
 * Requests are ConsumerGroupHeartbeat, and JoinGroup and LeaveGroup of members that speak the classic protocol.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/flusher.h"
#include "broker/core/topic_names.h"
#include "broker/groups/consumer_change.h"
#include "broker/groups/consumer_groups.h"
#include "broker/groups/consumer_topics.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/shared_group_log.h"
#include "common/ip.h"
#include "group/kafka_claim.h"
#include "util/clock.h"

#define DURABLE_US		(5 * INT64CONST(1000000))	/* Kafka's offsets.commit.timeout.ms */

/* ---- the world of a group ---------------------------------------------------------------- */

/* ModernWorld */
static ModernLook
describe(void *arg, const char *name, KafkaUuid *id, int32 *partitions)
{
	ConsumerTopic topic = pgt_consumer_topics_find(name);

	if (!OidIsValid(topic.relid))
		return MODERN_LOOK_NOTHING;
	*id = pgt_topic_names_id(topic.relid);
	*partitions = topic.partitions;
	return topic.busy ? MODERN_LOOK_BUSY : MODERN_LOOK_TOPIC;
}

/* Remember what the member is given.  Takes its memory before it is. */
static void
note_grant(ConsumerChange *change, const ModernTopic *topic, int32 partition)
{
	if (change->grant_count == change->grant_room)
	{
		int			room = Max(16, change->grant_room * 2);
		ConsumerGrant *grants = MemoryContextAllocHuge(change->request->memory, room * sizeof(ConsumerGrant));

		if (change->grant_count > 0)
			memcpy(grants, change->grants, change->grant_count * sizeof(ConsumerGrant));
		change->grants = grants;
		change->grant_room = room;
	}
	change->grants[change->grant_count].topic = topic->id;
	change->grants[change->grant_count++].partition = partition;
}

/* ModernWorld */
static bool
claim(void *arg, const ModernTopic *topic, int32 partition, const ModernMember *member)
{
	ConsumerChange *change = arg;
	ConsumerStoreGroup *entry = change->job.entry;
	Oid			relid = pgt_topic_names_by_id(&topic->id);
	KafkaClaim	result = KAFKA_CLAIM_GONE;
	bool		has = topic->partitions[partition].owner == member && !topic->partitions[partition].revoking;

	if (change->member_id == NULL)
		change->member_id = MemoryContextStrdup(change->request->memory, member->id);
	if (OidIsValid(relid))
		result = pgt_group_owner_claim(entry->registered, relid, partition, member->id);
	if (result == KAFKA_CLAIM_DONE)
	{
		pgt_consumer_store_note_claim(entry, relid, partition);
		if (has)
			change->reclaims = true;
		else
			note_grant(change, topic, partition);
	}
	else if (result == KAFKA_CLAIM_DENIED || result == KAFKA_CLAIM_SQL_MEMBER)
		pgt_shared_group_log_waiting(entry->registered->id, topic->name, partition, result);
	return result == KAFKA_CLAIM_DONE;
}

void
pgt_consumer_change_world(ConsumerChange *change, ModernWorld *world)
{
	memset(world, 0, sizeof(*world));
	world->now = pgt_consumer_groups_now();
	world->session_timeout = pgt_group_configs_of(change->job.entry->registered->id, GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT);
	world->max_size = pgt_kafka_group_max_size;
	world->topics_version = change->looks ? change->topics_version : change->job.entry->modern->topics_version;
	world->new_member_id = change->new_member_id;
	world->client_id = change->client_id;
	world->client_host = change->client_host;
	world->describe = describe;
	world->claim = claim;
	world->arg = change;
}

/* ---- after the turn ----------------------------------------------------------------------- */

/*
 * What was claimed for the member is not claimed after all, and it has not been told.  But what it had before, it has; that is to be
 * claimed again.
 */
static void
withdraw(ConsumerChange *change)
{
	ConsumerStoreGroup *entry = change->job.entry;
	ModernMember *member;

	if (entry == NULL || change->member_id == NULL)
		return;
	member = pgt_modern_group_find_member(entry->modern, pgt_broker_string(change->member_id));
	if (member != NULL && change->reclaims)
		member->reclaims = true;
	for (int i = 0; member != NULL && i < change->grant_count; i++)
	{
		ModernTopic *topic = pgt_modern_group_find_topic(entry->modern, &change->grants[i].topic);
		int32		partition = change->grants[i].partition;

		if (topic != NULL && partition < topic->room && topic->partitions[partition].owner == member)
			pgt_modern_group_withdraw(entry->modern, topic, partition);
	}
	pgt_consumer_groups_settle(entry);
}

/* It is durable, or is not in time; or it is not even stored. */
static void
durable(BrokerRequest *request)
{
	ConsumerChange *change = request->state;

	if (!change->stored)
		change->answer(change, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, "the group could not be stored");
	else if (pgt_flusher_reached(BROKER_SYNCED) >= change->lsn)
		change->answer(change, KAFKA_ERROR_NONE, NULL);
	else
		change->answer(change, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, "standbys have not confirmed it in time");
}

/* ConsumerStoreJob.  It is answered when it is woken, where an error is the request's own. */
static void
done(ConsumerStoreJob *job, bool stored, XLogRecPtr lsn)
{
	ConsumerChange *change = (ConsumerChange *) job;
	BrokerWait	wait = {.wake = durable};
	bool		waits = stored && !change->goes_again && pgt_flusher_reached(BROKER_SYNCED) < lsn;

	change->stored = stored;
	change->lsn = lsn;
	if (change->goes_again)
		wait.wake = change->again;
	if (waits)
	{
		wait.lsn = lsn;
		wait.durability = BROKER_SYNCED;
		wait.deadline = pgt_clock_monotonic_us() + DURABLE_US;
	}
	pgt_broker_park(change->request, &wait);
	if (waits)
		pgt_flusher_want(BROKER_SYNCED, lsn);
	else
		pgt_broker_wake(change->request);
	if (!stored)
		withdraw(change);
}

/* ---- setting up ------------------------------------------------------------------------------ */

const char *
pgt_consumer_change_host(const BrokerConnection *client)
{
	char		host[NI_MAXHOST];
	const SockAddr *peer = &client->connection->peer;

	if (pg_getnameinfo_all(&peer->addr, peer->salen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return "/unknown";
	return psprintf("/%s", host);
}

void
pgt_consumer_change_init(ConsumerChange *change, BrokerRequest *request, const ConsumerStoreGroup *entry)
{
	change->request = request;
	change->job.done = done;
	change->client_id = request->client->client_id;
	change->client_host = pgt_consumer_change_host(request->client);
	change->topics_version = pgt_consumer_topics_version();
	change->looks = entry == NULL ||
		(entry->modern->topics_version != change->topics_version && !entry->resolving);
}

void
pgt_consumer_change_begin(ConsumerChange *change, bool is_first)
{
	BrokerWait	wait = {0};

	pgt_broker_park(change->request, &wait);
	if (is_first)
		pgt_consumer_store_add_first(&change->job);
	else
		pgt_consumer_store_add(&change->job);
}
