/*
 * migrate_group.c
 *	  Groups with members that go from the classic protocol to the new one, and back: in memory and in rows.
 *
 *	  up	a member of the new protocol joins a classic group.  A draft of the new kind is made, with the members of the
 *			group, and the member joins it.  If it may, the draft is the group, and its rows are written at the end of
 *			that turn
 *	  down	the last member of the new protocol is gone, and the group has members left that speak the classic one.  At the
 *			end of a turn, mostly the same one, a draft of the classic kind is made and its rows are written.  If that cannot be
 *			done, the group stays as it is, which is all right for its members, and it is tried again
 *
 * In both directions rows are written in one transaction, whatever the number of members: so after a crash the group is
 * one or the other, with all members.  Until that is committed the registry keeps what the group was, and that is
 * there again if it is not (group_coordinator.c).  Clients hear nothing of it before.
 *
 * It is not done in slices, as the storing of a large classic group is: a turn is a transaction, and between two of them members would
 * be half in a group of the one kind and half in one of the other.  Others wait once, for 10 to 20 ms with each 1,000 members, most of it
 * for rows.
 *
 * Requests that wait for a classic group are answered with REBALANCE_IN_PROGRESS, once it is one of the new protocol.
 *
 * Claims and committed offsets stay: both kinds have the partitions of the same members.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/consumer_groups.h"
#include "broker/groups/migrate_group.h"
#include "coordinator/group_migration.h"
#include "util/clock.h"
#include "util/fault_point.h"

#define RETRY_US		(1000 * INT64CONST(1000))

/* What a group of the new protocol has for it. */
typedef struct MigrateGroup
{
	ConsumerStoreJob job;		/* that lets it become a classic group; the first field */
	ConsumerStoreGroup *entry;
	EventLoopTimer retry;
} MigrateGroup;

/* Nothing is thrown, since others in the turn are to hear of its end yet; what cannot be logged is not. */
static void
log_migration(const CoordinatorGroup *registered, const char *protocol)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		ereport(LOG,
				(errmsg("consumer group \"%s\" of Kafka clients goes on by %s protocol", registered->id, protocol)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
}

/* ---- to the new protocol ------------------------------------------------------------------- */

const char *
pgt_migrate_group_refuse_upgrade(const CoordinatorGroup *registered)
{
	return (pgt_kafka_group_consumer_migration_policy & BROKER_SETTINGS_MIGRATION_UP) == 0 ?
		"the group has members of the classic protocol, and pg_topics.kafka_group_consumer_migration_policy keeps it there" : NULL;
}

const char *
pgt_migrate_group_fill(const CoordinatorGroup *registered, ConsumerStoreGroup *draft, const ModernWorld *world)
{
	return pgt_group_migration_upgrade(pgt_classic_groups_state(registered), draft->modern, world);
}

/* ConsumerStoreGroup */
static void
upgraded(ConsumerStoreGroup *entry, bool done)
{
	CoordinatorGroup *registered = entry->registered;

	pgt_group_coordinator_became(registered, done);
	if (!done)
		return;
	pgt_consumer_groups_settle(entry);
	log_migration(registered, "the new");
}

void
pgt_migrate_group_upgrade(CoordinatorGroup *registered, ConsumerStoreGroup *draft)
{
	FAULT_HALT("group-migrated");
	draft->stored = upgraded;
	pgt_group_coordinator_become(registered, KAFKA_GROUP_CONSUMER, draft);
}

/* ---- to the classic one ------------------------------------------------------------------------ */

/* Is the group to become a classic one? */
static bool
is_due(const ConsumerStoreGroup *entry)
{
	return (pgt_kafka_group_consumer_migration_policy & BROKER_SETTINGS_MIGRATION_DOWN) != 0 && entry->registered->former == NULL &&
		entry->registered->state == entry && pgt_group_migration_can_downgrade(entry->modern, pgt_kafka_group_max_size);
}

/* ConsumerStoreJob */
static void
run(ConsumerStoreJob *job)
{
	MigrateGroup *migration = (MigrateGroup *) job;
	ConsumerStoreGroup *entry = migration->entry;
	CoordinatorGroup *registered = entry->registered;

	void	   *draft;

	if (!is_due(entry))
		return;
	draft = pgt_classic_groups_draft(registered, entry->modern);
	FAULT_HALT("group-migrated");
	pgt_group_coordinator_become(registered, KAFKA_GROUP_CLASSIC, draft);
}

/* ConsumerStoreJob */
static void
done(ConsumerStoreJob *job, bool stored, XLogRecPtr lsn)
{
	MigrateGroup *migration = (MigrateGroup *) job;
	CoordinatorGroup *registered = migration->entry->registered;

	if (!stored)
		pgt_event_loop_set_timer(&migration->retry, pgt_clock_monotonic_us() + RETRY_US);
	if (registered->former != migration->entry)
		return;
	pgt_group_coordinator_became(registered, stored);
	if (!stored)
		return;
	pgt_classic_groups_begin(registered);
	log_migration(registered, "the classic");
}

/* If all members speak the classic protocol, let the group become a classic group soon. */
static void
consider(ConsumerStoreGroup *entry)
{
	MigrateGroup *migration = entry->migration;

	if (!migration->job.in_list && migration->retry.due == 0 && is_due(entry))
		pgt_consumer_store_add(&migration->job);
}

static void
retry_expired(EventLoopTimer *timer)
{
	consider(((MigrateGroup *) ((char *) timer - offsetof(MigrateGroup, retry)))->entry);
}

static void
init(ConsumerStoreGroup *entry)
{
	MigrateGroup *migration = MemoryContextAllocZero(entry->memory, sizeof(MigrateGroup));

	migration->entry = entry;
	migration->job.run = run;
	migration->job.done = done;
	migration->retry.expired = retry_expired;
	entry->migration = migration;
}

static void
forget(ConsumerStoreGroup *entry)
{
	pgt_event_loop_cancel_timer(&entry->migration->retry);
	pgt_consumer_store_cancel(&entry->migration->job);
}

static const ConsumerGroupsWatcher watcher = {.made = init,.changed = consider,.forgotten = forget};

static void
start(void)
{
	pgt_consumer_groups_watch(&watcher);
}

const BrokerHooks pgt_migrate_group_hooks = {.start = start};
