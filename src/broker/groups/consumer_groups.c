/*
 * consumer_groups.c
 *	  The groups of Kafka's new protocol: what connects the state machine with the server.
 *
 *	  coordinator/modern_group.h		decides
 *	  consumer_group_heartbeat.c		brings requests, and answers them, and so do, for members that speak the classic
 *	  classic_in_consumer.c				protocol, this
 *	  consumer_store.c					makes it durable
 *	  migrate_group.c					lets it become a classic group
 *	  here								loading, time, and what the registry asks
 *
 * After a restart members go on in their epochs, with what they own: their first heartbeats find a group that has changed
 * as little as topics have.  Each has the time of a session to be heard of.
 *
 * A group without members stays for a while (empty_groups.c), and its epoch goes on with the next member.
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/consumer_groups.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_memory.h"
#include "broker/groups/group_owner.h"
#include "group/kafka_group_row.h"
#include "group/kafka_offset.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* What the registry keeps of a group, with its name. */
#define REGISTERED_BYTES	1024

static const ConsumerGroupsWatcher *watcher;

void
pgt_consumer_groups_watch(const ConsumerGroupsWatcher *the_watcher)
{
	watcher = the_watcher;
}

int64
pgt_consumer_groups_now(void)
{
	return pgt_clock_monotonic_us() / 1000;
}

ConsumerStoreGroup *
pgt_consumer_groups_entry(const CoordinatorGroup *registered)
{
	return registered == NULL || registered->kind != KAFKA_GROUP_CONSUMER ? NULL : registered->state;
}

/* ---- memory --------------------------------------------------------------------------- */

/* What the group takes now. */
static Size
size_of(const ConsumerStoreGroup *entry)
{
	return MemoryContextMemAllocated(entry->memory, false) + REGISTERED_BYTES;
}

/* A draft takes memory that is not counted yet: what counts until then is the group that it is to replace. */
bool
pgt_consumer_groups_has_room(const ConsumerStoreGroup *entry, Size bytes)
{
	Size		taken = size_of(entry);

	if (taken > entry->registered->bytes)
		bytes += taken - entry->registered->bytes;
	return pgt_group_memory_has_room(entry->registered, bytes);
}

/* ---- time ----------------------------------------------------------------------------- */

static void
log_gone(ModernMember *member, const char *why, void *arg)
{
	const ConsumerStoreGroup *entry = arg;

	ereport(LOG,
			(errmsg("member \"%s\" of consumer group \"%s\" of Kafka clients is gone: %s",
					member->id, entry->registered->id, why)));
}

static void
expire(void *arg)
{
	ConsumerStoreGroup *entry = arg;

	if (pgt_turn_postpone(&entry->timer))
		return;
	(void) pgt_modern_group_expire(entry->modern, pgt_consumer_groups_now(), log_gone, entry);
	pgt_consumer_groups_settle(entry);
}

static void
timer_expired(EventLoopTimer *timer)
{
	(void) pgt_turn_try(expire, (char *) timer - offsetof(ConsumerStoreGroup, timer), NULL);
}

/* Deadlines mostly move away: then the timer comes too early once, and is set anew. */
static void
set_timer(ConsumerStoreGroup *entry)
{
	int64		next = entry->modern->next_deadline;

	if (entry->modern->member_count == 0 || next == MODERN_NEVER)
		pgt_event_loop_cancel_timer(&entry->timer);
	else if (entry->timer.due == 0 || entry->timer.due > next * 1000)
		pgt_event_loop_set_timer(&entry->timer, next * 1000);
}

void
pgt_consumer_groups_settle(ConsumerStoreGroup *entry)
{
	if (entry->modern->member_count > 0)
		entry->empty_since = 0;
	else if (entry->empty_since == 0)
		entry->empty_since = pgt_clock_shifted_now_ms();
	pgt_group_memory_set(entry->registered, size_of(entry));
	set_timer(entry);
	pgt_consumer_store_write(entry);
	watcher->changed(entry);
}

/* ---- groups ----------------------------------------------------------------------------- */

/* The state of a group, which is not the registry's yet. */
static ConsumerStoreGroup *
make_entry(CoordinatorGroup *registered)
{
	MemoryContext memory = AllocSetContextCreate(pgt_group_coordinator_memory(), "pg_topics consumer group",
												 ALLOCSET_SMALL_SIZES);
	ConsumerStoreGroup *entry;

	entry = MemoryContextAllocZero(memory, sizeof(ConsumerStoreGroup));
	entry->registered = registered;
	entry->memory = memory;
	entry->modern = pgt_modern_group_create(memory);
	entry->timer.expired = timer_expired;
	entry->settle = pgt_consumer_groups_settle;
	pgt_consumer_store_init(entry);
	watcher->made(entry);
	return entry;
}

/* Give a group its state. */
static ConsumerStoreGroup *
make_state(CoordinatorGroup *registered)
{
	registered->state = make_entry(registered);
	return registered->state;
}

ConsumerStoreGroup *
pgt_consumer_groups_draft(CoordinatorGroup *registered)
{
	ConsumerStoreGroup *entry = make_entry(registered);

	/* rows and claims of the group of the other kind are to go, as far as they are not the same */
	entry->has_row = entry->has_claims = entry->inherits = entry->claims_in_doubt = true;
	return entry;
}

void
pgt_consumer_groups_discard(ConsumerStoreGroup *entry)
{
	MemoryContextDelete(entry->memory);
}

ConsumerStoreGroup *
pgt_consumer_groups_make(const BrokerConnection *client, KafkaString id)
{
	bool		inherits = pgt_group_coordinator_give_way(id);
	CoordinatorGroup *registered = pgt_group_coordinator_make(client, id, KAFKA_GROUP_CONSUMER);

	PG_TRY();
	{
		ConsumerStoreGroup *entry = make_state(registered);

		/* rows and claims of an empty group of the other kind are to go */
		entry->has_row = entry->has_claims = entry->inherits = entry->claims_in_doubt = inherits;
	}
	PG_CATCH();
	{
		pgt_group_coordinator_remove(registered);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (pgt_group_owner_may_use(client, registered))
		return registered->state;
	pgt_group_coordinator_remove(registered);
	return NULL;
}

/* ---- loading -------------------------------------------------------------------------------- */

static KafkaBytes
bytes_of(KafkaGroupBytes stored)
{
	KafkaBytes	bytes = {.data = stored.data, .length = stored.data == NULL ? -1 : (int32) stored.length};

	return bytes;
}

static void
load(CoordinatorGroup *registered, const KafkaGroupRow *row)
{
	ConsumerStoreGroup *entry = make_state(registered);

	entry->has_row = true;
	entry->load = pgt_modern_format_load(entry->modern, row->epoch, bytes_of(row->state));
	if (entry->load != NULL)
		return;
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the state of consumer group \"%s\" of Kafka clients cannot be read, and is begun anew", row->id)));
	MemoryContextDelete(entry->memory);
	entry = make_state(registered);
	entry->has_row = true;
	entry->modern->epoch = entry->modern->assignment_epoch = row->epoch + 1;
}

static void
load_member(CoordinatorGroup *registered, const KafkaGroupRow *group, const KafkaMemberRow *stored)
{
	ConsumerStoreGroup *entry = registered->state;
	ModernMemberRow row = {
		.id = stored->id, .instance_id = stored->instance_id, .client_id = stored->client_id,
		.client_host = stored->client_host, .rebalance_timeout = stored->rebalance_timeout, .epoch = stored->epoch,
		.subscription = bytes_of(stored->subscription), .assignment = bytes_of(stored->assignment),
		.state = bytes_of(stored->state)
	};

	if (entry->load == NULL || !pgt_modern_format_load_member(entry->load, &row))
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("member \"%s\" of consumer group \"%s\" of Kafka clients cannot be read, and has to join again",
						stored->id, registered->id)));
}

static void
loaded(CoordinatorGroup *registered)
{
	ConsumerStoreGroup *entry = registered->state;

	if (entry->load != NULL)
		pgt_modern_format_loaded(entry->load);
	entry->load = NULL;
	pgt_consumer_store_read_claims(entry);
	pgt_modern_group_renew_deadlines(entry->modern, pgt_consumer_groups_now(),
									   pgt_group_configs_of(registered->id, GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT));
	pgt_consumer_groups_settle(entry);
}

/* ---- what the registry asks --------------------------------------------------------------------- */

/* Nothing happens to it any more. */
static void
suspend(CoordinatorGroup *registered)
{
	ConsumerStoreGroup *entry = registered->state;

	pgt_event_loop_cancel_timer(&entry->timer);
	pgt_consumer_store_forget(entry);
}

/* It goes on, with rows and claims that may be those of before a turn that was lost. */
static void
resume(CoordinatorGroup *registered)
{
	ConsumerStoreGroup *entry = registered->state;

	entry->has_claims = entry->claims_in_doubt = entry->modern->stale = true;
	for (int32 m = 0; m < entry->modern->member_count; m++)
		entry->modern->members[m]->reclaims = true;
	pgt_consumer_groups_settle(entry);
}

static void
forget(CoordinatorGroup *registered)
{
	ConsumerStoreGroup *entry = registered->state;

	suspend(registered);
	watcher->forgotten(entry);
	pgt_group_memory_set(registered, 0);
	registered->state = NULL;
	pgt_consumer_groups_discard(entry);
}

static ModernGroup *
modern_of(CoordinatorGroup *registered)
{
	return ((ConsumerStoreGroup *) registered->state)->modern;
}

static const char *
state_name(CoordinatorGroup *registered)
{
	return pgt_modern_group_state_name(modern_of(registered));
}

static const char *
protocol_type(CoordinatorGroup *registered)
{
	return "consumer";
}

static bool
has_members(CoordinatorGroup *registered)
{
	return modern_of(registered)->member_count > 0;
}

static bool
is_busy(CoordinatorGroup *registered)
{
	const ConsumerStoreGroup *entry = registered->state;

	return entry->in_list || entry->retry.due != 0;
}

/* The names of subscriptions are sorted: this takes no time. */
static bool
is_subscribed(CoordinatorGroup *registered, KafkaString topic, CoordinatorSearch *search)
{
	return topic.length > 0 &&
		pgt_modern_group_is_subscribed(modern_of(registered), pnstrdup(topic.data, topic.length));
}

static int64
empty_since(CoordinatorGroup *registered)
{
	return has_members(registered) ? 0 : ((const ConsumerStoreGroup *) registered->state)->empty_since;
}

/* The error for a member that speaks as of an epoch. */
static KafkaError
check_epoch(CoordinatorGroup *registered, KafkaString id, int32 epoch)
{
	const ModernMember *member = pgt_modern_group_find_member(modern_of(registered), id);

	if (member == NULL)
		return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	if (epoch == member->epoch)
		return KAFKA_ERROR_NONE;
	return member->protocols != NULL ? KAFKA_ERROR_ILLEGAL_GENERATION : KAFKA_ERROR_STALE_MEMBER_EPOCH;
}

static KafkaError
check_commit(CoordinatorGroup *registered, KafkaString member, KafkaString instance, int32 epoch)
{
	/* a tool, or a consumer that is no member of anything */
	if (epoch < 0 && !has_members(registered))
		return KAFKA_ERROR_NONE;
	return check_epoch(registered, member, epoch);
}

static KafkaError
check_fetch(CoordinatorGroup *registered, KafkaString member, int32 epoch)
{
	if (member.length <= 0 && epoch < 0)
		return KAFKA_ERROR_NONE;
	return check_epoch(registered, member, epoch);
}

static const CoordinatorKind kind = {COORDINATOR_KIND_ROWS, COORDINATOR_KIND_FUNCTIONS};

static void
start(void)
{
	pgt_group_coordinator_set_kind(KAFKA_GROUP_CONSUMER, &kind);
}

const BrokerHooks pgt_consumer_groups_hooks = {.start = start};
