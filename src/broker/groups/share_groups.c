/*
 * share_groups.c
 *	  The share groups of Kafka's clients: what connects their state machine with the server.
 *
 *	  coordinator/share_members.h	decides who is a member, and who is to fetch where
 *	  share_group_heartbeat.c		brings requests, and answers them
 *	  src/share						knows the records: what is durable of a share group is there, for clients and SQL alike
 *	  here							time, memory, and what the registry asks
 *
 * Members are in memory only: they own nothing that could be lost.  After a restart they find
 * themselves unknown and join again.  A group that has records in src/share is there also without members (sql_share_group.c).
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/group_memory.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/share_groups.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* What the registry keeps of a group, with its name. */
#define REGISTERED_BYTES	1024

ShareGroupEntry *
pgt_share_groups_entry(const CoordinatorGroup *registered)
{
	return registered == NULL || registered->kind != KAFKA_GROUP_SHARE ? NULL : registered->state;
}

ShareMember *
pgt_share_groups_member(KafkaString group, KafkaString member)
{
	ShareGroupEntry *entry = pgt_share_groups_entry(pgt_group_coordinator_find(group));

	return entry == NULL ? NULL : pgt_share_members_find(entry->members, member);
}

/* ---- memory --------------------------------------------------------------------------- */

static Size
size_of(const ShareGroupEntry *entry)
{
	return MemoryContextMemAllocated(entry->memory, true) + REGISTERED_BYTES;
}

bool
pgt_share_groups_has_room(const ShareGroupEntry *entry, Size bytes)
{
	return pgt_group_memory_has_room(entry->registered, bytes);
}

/* ---- time ----------------------------------------------------------------------------- */

static void
log_gone(const ShareMember *member, void *arg)
{
	const ShareGroupEntry *entry = arg;

	ereport(LOG,
			(errmsg("member \"%s\" of share group \"%s\" of Kafka clients is gone: its session has timed out",
					member->id, entry->registered->id)));
}

static void
expire(void *arg)
{
	ShareGroupEntry *entry = arg;

	if (pgt_turn_postpone(&entry->timer))
		return;
	(void) pgt_share_members_expire(entry->members, pgt_clock_monotonic_us() / 1000, log_gone, entry);
	pgt_share_groups_settle(entry);
}

static void
timer_expired(EventLoopTimer *timer)
{
	(void) pgt_turn_try(expire, (char *) timer - offsetof(ShareGroupEntry, timer), NULL);
}

/* Deadlines mostly move away: then the timer comes too early once, and is set anew. */
static void
set_timer(ShareGroupEntry *entry)
{
	int64		next = entry->members->count == 0 ? DEADLINE_NEVER : pgt_deadline_next(&entry->members->deadlines);

	if (next == DEADLINE_NEVER)
		pgt_event_loop_cancel_timer(&entry->timer);
	else if (entry->timer.due == 0 || entry->timer.due > next * 1000)
		pgt_event_loop_set_timer(&entry->timer, next * 1000);
}

void
pgt_share_groups_settle(ShareGroupEntry *entry)
{
	if (entry->members->count > 0)
		entry->empty_since = 0;
	else if (entry->empty_since == 0)
		entry->empty_since = pgt_clock_shifted_now_ms();
	pgt_group_memory_set(entry->registered, size_of(entry));
	set_timer(entry);
}

/* ---- groups ----------------------------------------------------------------------------- */

/* Give a group its state. */
static ShareGroupEntry *
make_state(CoordinatorGroup *registered)
{
	MemoryContext memory = AllocSetContextCreate(pgt_group_coordinator_memory(), "pg_topics share group",
												 ALLOCSET_SMALL_SIZES);
	ShareGroupEntry *entry = MemoryContextAllocZero(memory, sizeof(ShareGroupEntry));

	entry->registered = registered;
	entry->memory = memory;
	entry->members = pgt_share_members_create(memory);
	entry->timer.expired = timer_expired;
	registered->state = entry;
	return entry;
}

ShareGroupEntry *
pgt_share_groups_make(const BrokerConnection *client, KafkaString id)
{
	CoordinatorGroup *registered = pgt_group_coordinator_make(client, id, KAFKA_GROUP_SHARE);
	ShareGroupEntry *volatile entry = NULL;

	PG_TRY();
	{
		entry = make_state(registered);
		if (!pgt_group_owner_may_use(client, registered))
			entry = NULL;
	}
	PG_CATCH();
	{
		pgt_group_coordinator_remove(registered);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (entry == NULL)
		pgt_group_coordinator_remove(registered);
	return entry;
}

/* ---- what the registry asks --------------------------------------------------------------------- */

/* A share group does not become one of another kind. */
static void
suspend(CoordinatorGroup *registered)
{
}

static void
resume(CoordinatorGroup *registered)
{
}

static void
forget(CoordinatorGroup *registered)
{
	ShareGroupEntry *entry = registered->state;

	pgt_event_loop_cancel_timer(&entry->timer);
	pgt_group_memory_set(registered, 0);
	registered->state = NULL;
	MemoryContextDelete(entry->memory);
}

static bool
has_members(CoordinatorGroup *registered)
{
	return ((const ShareGroupEntry *) registered->state)->members->count > 0;
}

static const char *
state_name(CoordinatorGroup *registered)
{
	return has_members(registered) ? "Stable" : "Empty";
}

static const char *
protocol_type(CoordinatorGroup *registered)
{
	return "share";
}

static bool
is_busy(CoordinatorGroup *registered)
{
	return false;
}

static int64
empty_since(CoordinatorGroup *registered)
{
	return has_members(registered) ? 0 : ((const ShareGroupEntry *) registered->state)->empty_since;
}

static bool
is_subscribed(CoordinatorGroup *registered, KafkaString topic, CoordinatorSearch *search)
{
	return pgt_share_members_is_subscribed(((const ShareGroupEntry *) registered->state)->members, topic);
}

/* Share groups have no committed offsets. */
static KafkaError
check_commit(CoordinatorGroup *registered, KafkaString member, KafkaString instance, int32 generation)
{
	return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
}

static KafkaError
check_fetch(CoordinatorGroup *registered, KafkaString member, int32 epoch)
{
	return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
}

static const CoordinatorKind kind = {COORDINATOR_KIND_FUNCTIONS};

static void
start(void)
{
	pgt_group_coordinator_set_kind(KAFKA_GROUP_SHARE, &kind);
}

const BrokerHooks pgt_share_groups_hooks = {.start = start};
