/*
 * classic_groups.c
 *	  The groups of the classic protocol: what connects the state machine with the server.
 *
 *	  coordinator/classic_group.h	decides
 *	  classic_answer.c				tells clients
 *	  classic_store.c				makes it durable
 *	  here							timers, settings, and what the registry asks
 *
 * A group that has no members, and is not stored, is forgotten at once.  One that is stored, because it had members, is kept
 * for a while, as its generation is (empty_groups.c).
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_rows.h"
#include "broker/groups/classic_store.h"
#include "broker/groups/group_memory.h"
#include "broker/groups/group_owner.h"
#include "coordinator/classic_heartbeat.h"
#include "coordinator/classic_rebalance.h"
#include "coordinator/group_migration.h"
#include "group/kafka_offset.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* So many names are read between two looks at the clock. */
#define SLICE_NAMES	500

/* A group, with what it needs here. */
typedef struct ClassicEntry
{
	ClassicGroup *group;
	CoordinatorGroup *registered;
	EventLoopTimer timer;
	ClassicStore store;
	int64		empty_since;	/* ms of the shifted clock; 0: it has members */
	bool		is_whole;		/* as it was loaded */
	bool		is_replaced;	/* by a group of the new protocol, which has its members */
} ClassicEntry;

static ClassicEntry *
entry_of(const ClassicGroup *group)
{
	return group->owner;
}

/* ---- actions of groups ------------------------------------------------------------------- */

static void
store(ClassicGroup *group)
{
	pgt_classic_store_begin(&entry_of(group)->store);
}

/* Nothing is thrown, since the group is amid a change; what cannot be logged is not. */
static void
log_gone(ClassicGroup *group, const ClassicMember *member, const char *why)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		ereport(LOG,
				(errmsg("member \"%s\" of consumer group \"%s\" of Kafka clients is gone: %s",
						member->id, entry_of(group)->registered->id, why)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
}

/* ClassicGroupActions.  The group has grown since it was counted, if at all, by what it is about to take. */
static bool
has_room(const ClassicGroup *group, Size bytes)
{
	return pgt_group_memory_has_room(entry_of(group)->registered, bytes);
}

/* ClassicGroupActions */
static KafkaBytes
told(const ClassicGroup *group, KafkaBytes assignment)
{
	return pgt_classic_claims_told(&entry_of(group)->store.claims, assignment);
}

static const ClassicGroupActions actions = {
	.answer_join = pgt_classic_answer_join,
	.answer_sync = pgt_classic_answer_sync,
	.store = store,
	.gone = log_gone,
	.has_room = has_room,
	.told = told
};

/* It was stored, or was not. */
static void
stored(ClassicGroup *group, KafkaError error)
{
	pgt_classic_rebalance_stored(group, error, pgt_clock_monotonic_us());
	pgt_classic_groups_settle(group);
}

/* SQL has let go of partitions that members are to have. */
static void
regained(ClassicGroup *group)
{
	if (group->state == CLASSIC_GROUP_STABLE)
		pgt_classic_rebalance_prepare(group, pgt_clock_monotonic_us());
	pgt_classic_groups_settle(group);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void
call_tick(void *arg)
{
	ClassicGroup *group = arg;

	if (pgt_turn_postpone(&entry_of(group)->timer))
		return;
	pgt_classic_rebalance_tick(group, pgt_clock_monotonic_us());
	pgt_classic_groups_settle(group);
}

static void
timer_expired(EventLoopTimer *timer)
{
	ClassicEntry *entry = (ClassicEntry *) ((char *) timer - offsetof(ClassicEntry, timer));

	(void) pgt_turn_try(call_tick, entry->group, NULL);
}

/* Is there nobody in the group, and nothing of it in a table? */
static bool
is_nothing(const ClassicEntry *entry)
{
	return entry->group->state == CLASSIC_GROUP_EMPTY && entry->group->pending_count == 0 && !entry->store.has_row &&
		entry->store.phase == CLASSIC_STORE_IDLE;
}

void
pgt_classic_groups_settle(ClassicGroup *group)
{
	ClassicEntry *entry = entry_of(group);
	int64		deadline = pgt_classic_group_deadline(group);

	if (is_nothing(entry))
	{
		pgt_group_coordinator_remove(entry->registered);
		return;
	}
	pgt_group_memory_set(entry->registered, group->bytes + strlen(entry->registered->id));
	if (group->state != CLASSIC_GROUP_EMPTY)
		entry->empty_since = 0;
	else if (entry->empty_since == 0)
		entry->empty_since = pgt_clock_shifted_now_ms();
	if (deadline == DEADLINE_NEVER)
		pgt_event_loop_cancel_timer(&entry->timer);
	else if (entry->timer.due != deadline)
		pgt_event_loop_set_timer(&entry->timer, deadline);
}

/* ---- groups ------------------------------------------------------------------------------------ */

ClassicGroup *
pgt_classic_groups_state(const CoordinatorGroup *registered)
{
	return registered->kind == KAFKA_GROUP_CLASSIC ? ((ClassicEntry *) registered->state)->group : NULL;
}

ClassicGroup *
pgt_classic_groups_find(KafkaString id)
{
	CoordinatorGroup *registered = pgt_group_coordinator_find(id);

	return registered == NULL ? NULL : pgt_classic_groups_state(registered);
}

/* The state of a group, which is not the registry's yet. */
static ClassicEntry *
make_entry(CoordinatorGroup *registered)
{
	MemoryContext caller = MemoryContextSwitchTo(pgt_group_coordinator_memory());
	ClassicEntry *entry = palloc0(sizeof(ClassicEntry));

	entry->registered = registered;
	entry->timer.expired = timer_expired;
	entry->group = pgt_classic_group_make(&actions, entry);
	entry->store.registered = registered;
	entry->store.group = entry->group;
	entry->store.done = stored;
	entry->store.regained = regained;
	pgt_classic_store_init(&entry->store);
	MemoryContextSwitchTo(caller);
	return entry;
}

/* Give a group its state. */
static void
make_state(CoordinatorGroup *registered)
{
	registered->state = make_entry(registered);
}

/* Give it back. */
static void
free_entry(ClassicEntry *entry)
{
	pgt_classic_group_free(entry->group, KAFKA_ERROR_NOT_COORDINATOR);
	pgt_event_loop_cancel_timer(&entry->timer);
	pgt_classic_store_forget(&entry->store);
	pfree(entry);
}

/* An empty group of the other kind was there: its rows and claims are to go. */
static void
inherit(ClassicEntry *entry)
{
	entry->store.has_row = entry->store.inherits = entry->store.claims_in_doubt = true;
	pgt_classic_store_begin(&entry->store);
}

ClassicGroup *
pgt_classic_groups_make(const BrokerConnection *client, KafkaString id)
{
	bool		inherits = pgt_group_coordinator_give_way(id);
	CoordinatorGroup *registered = pgt_group_coordinator_make(client, id, KAFKA_GROUP_CLASSIC);

	PG_TRY();
	{
		make_state(registered);
	}
	PG_CATCH();
	{
		pgt_group_coordinator_remove(registered);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (pgt_group_owner_may_use(client, registered))
	{
		if (inherits)
			inherit(registered->state);
		return pgt_classic_groups_state(registered);
	}
	pgt_group_coordinator_remove(registered);
	return NULL;
}

/* ---- what the registry asks ---------------------------------------------------------------------- */

static void
load(CoordinatorGroup *registered, const KafkaGroupRow *row)
{
	ClassicEntry *entry;

	make_state(registered);
	entry = registered->state;
	entry->store.has_row = true;
	entry->is_whole = pgt_classic_rows_load_group(entry->group, row);
}

/* The group has its leader and its protocol with the members whose they are. */
static void
load_member(CoordinatorGroup *registered, const KafkaGroupRow *group_row, const KafkaMemberRow *row)
{
	ClassicGroup *group = pgt_classic_groups_state(registered);

	pgt_classic_rows_load_member(group, group_row, row);
	pgt_classic_group_loaded(group, pgt_broker_string(group_row->protocol == NULL ? "" : group_row->protocol),
							 pgt_broker_string(group_row->leader == NULL ? "" : group_row->leader));
}

/* Members of a group that is not whole have to join again. */
static void
loaded(CoordinatorGroup *registered)
{
	ClassicEntry *entry = registered->state;

	if (!entry->is_whole)
		pgt_classic_group_reset(entry->group);
	else
		entry->store.has_surplus = pgt_classic_claims_load(&entry->store.claims, registered, entry->group);
	pgt_classic_groups_begin(registered);
}

static void
forget(CoordinatorGroup *registered)
{
	ClassicEntry *entry = registered->state;

	/* members go on in another group, and learn by that that they are to join again */
	if (entry->is_replaced)
		pgt_classic_group_refuse_waiting(entry->group, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
	free_entry(entry);
	pgt_group_memory_set(registered, 0);
}

/* Nothing happens to it any more.  Requests that wait go on waiting. */
static void
suspend(CoordinatorGroup *registered)
{
	ClassicEntry *entry = registered->state;

	entry->is_replaced = true;
	pgt_event_loop_cancel_timer(&entry->timer);
	pgt_classic_store_suspend(&entry->store);
}

static void
resume(CoordinatorGroup *registered)
{
	ClassicEntry *entry = registered->state;

	entry->is_replaced = false;
	pgt_classic_store_resume(&entry->store);
	pgt_classic_groups_settle(entry->group);
}

static const char *
state_name(CoordinatorGroup *registered)
{
	return pgt_classic_group_state_name(pgt_classic_groups_state(registered));
}

static const char *
protocol_type(CoordinatorGroup *registered)
{
	const char *type = pgt_classic_groups_state(registered)->protocol_type;

	return type == NULL ? "" : type;
}

static bool
has_members(CoordinatorGroup *registered)
{
	return pgt_classic_groups_state(registered)->state != CLASSIC_GROUP_EMPTY;
}

static bool
is_busy(CoordinatorGroup *registered)
{
	return ((ClassicEntry *) registered->state)->store.phase != CLASSIC_STORE_IDLE;
}

static int64
empty_since(CoordinatorGroup *registered)
{
	const ClassicEntry *entry = registered->state;

	return has_members(registered) || entry->group->pending_count > 0 ? 0 : entry->empty_since;
}

/* ---- subscriptions: of a member's the one for the group's protocol counts ---------------------------- */

/* Begin to read a member's, or go on where the search is. */
static void
begin_reading(const ClassicGroup *group, const ClassicMember *member, CoordinatorSearch *search, ConsumerProtocolReader *reader)
{
	KafkaBytes	bytes = pgt_classic_member_metadata(member, pgt_broker_string(group->protocol->by_name.id));
	bool		goes_on = search->member != NULL && strcmp(search->member, member->id) == 0 && search->size == bytes.length;

	pgt_consumer_protocol_begin(reader, bytes);
	if (!goes_on)
		return;
	reader->next += search->read;
	reader->topics = search->topics;
}

/* The slice is over: note how far the reader is. */
static void
suspend_search(const ClassicGroup *group, const ClassicMember *member, CoordinatorSearch *search, const ConsumerProtocolReader *reader)
{
	KafkaBytes	bytes = pgt_classic_member_metadata(member, pgt_broker_string(group->protocol->by_name.id));

	if (search->member != NULL)
		pfree(search->member);
	search->member = pstrdup(member->id);
	search->size = bytes.length;
	search->read = (int32) (reader->next - bytes.data);
	search->topics = reader->topics;
	search->more = true;
}

/* Is the member subscribed?  False with search->more: the slice is over. */
static bool
reads_topic(const ClassicGroup *group, const ClassicMember *member, KafkaString topic, CoordinatorSearch *search)
{
	ConsumerProtocolReader reader;

	begin_reading(group, member, search, &reader);
	for (int n = 1; pgt_consumer_protocol_next_topic(&reader); n++)
	{
		if (reader.topic.length == topic.length && memcmp(reader.topic.data, topic.data, topic.length) == 0)
			return true;
		if (n % SLICE_NAMES == 0 && pgt_broker_slice_is_over())
		{
			suspend_search(group, member, search, &reader);
			return false;
		}
	}
	return false;
}

/* The member at which the search is, or the first one where it begins, or that member is gone; NULL: there is none. */
static ClassicMember *
first_of_search(ClassicGroup *group, const CoordinatorSearch *search)
{
	ClassicMember *member = search->member == NULL ? NULL : pgt_classic_group_find(group, pgt_broker_string(search->member));

	if (member != NULL && !member->pending)
		return member;
	return dlist_is_empty(&group->members) ? NULL :
		dlist_container(ClassicMember, node, dlist_head_node(&group->members));
}

/* CoordinatorKind */
static bool
is_subscribed(CoordinatorGroup *registered, KafkaString topic, CoordinatorSearch *search)
{
	ClassicGroup *group = pgt_classic_groups_state(registered);
	ClassicMember *member = first_of_search(group, search);

	if (group->protocol == NULL || strcmp(protocol_type(registered), CONSUMER_PROTOCOL_TYPE) != 0)
		return false;
	while (member != NULL)
	{
		if (reads_topic(group, member, topic, search))
			return true;
		if (search->more)
			return false;
		member = dlist_has_next(&group->members, &member->node) ?
			dlist_container(ClassicMember, node, dlist_next_node(&group->members, &member->node)) : NULL;
	}
	return false;
}

static KafkaError
check_commit(CoordinatorGroup *registered, KafkaString member, KafkaString instance, int32 generation)
{
	return pgt_classic_heartbeat_commit(pgt_classic_groups_state(registered), member, instance, generation,
										pgt_clock_monotonic_us());
}

/* Any member may read offsets, as Kafka has it. */
static KafkaError
check_fetch(CoordinatorGroup *registered, KafkaString member, int32 epoch)
{
	return KAFKA_ERROR_NONE;
}

static const CoordinatorKind kind = {COORDINATOR_KIND_ROWS, COORDINATOR_KIND_FUNCTIONS};

/* ---- groups that were of the new protocol ------------------------------------------------------- */

/* Let the rows be those of the group. */
static void
write_rows(const CoordinatorGroup *registered, ClassicGroup *group)
{
	KafkaMemberRows *rows;
	ListCell   *cell;
	dlist_iter	iter;

	foreach(cell, pgt_kafka_member_row_ids(registered->id))
		if (pgt_classic_group_find(group, pgt_broker_string(lfirst(cell))) == NULL)
			pgt_kafka_member_row_delete(registered->id, lfirst(cell));
	rows = pgt_kafka_member_rows_begin(registered->id);
	dlist_foreach(iter, &group->members)
		pgt_classic_rows_write_member(rows, group, dlist_container(ClassicMember, node, iter.cur));
	pgt_kafka_member_rows_end(rows);
	pgt_classic_rows_write_group(registered, group, true);
}

/* Fill in what the group of the new protocol has, and store it. */
static void
take_members(ClassicEntry *entry, const ModernGroup *modern)
{
	MemoryContext caller = MemoryContextSwitchTo(pgt_group_coordinator_memory());

	pgt_group_migration_downgrade(modern, entry->group, pgt_clock_monotonic_us());
	MemoryContextSwitchTo(caller);
	write_rows(entry->registered, entry->group);
	entry->store.has_row = true;
	entry->store.has_surplus = pgt_classic_claims_load(&entry->store.claims, entry->registered, entry->group);
}

void *
pgt_classic_groups_draft(CoordinatorGroup *registered, const ModernGroup *modern)
{
	ClassicEntry *entry = make_entry(registered);

	PG_TRY();
	{
		take_members(entry, modern);
	}
	PG_CATCH();
	{
		free_entry(entry);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return entry;
}

void
pgt_classic_groups_begin(CoordinatorGroup *registered)
{
	ClassicEntry *entry = registered->state;

	/* what the next generation does not claim is released with that */
	if (entry->group->rebalance_due && entry->group->state == CLASSIC_GROUP_STABLE)
		pgt_classic_rebalance_prepare(entry->group, pgt_clock_monotonic_us());
	else if (entry->store.has_surplus)
		pgt_classic_store_release(&entry->store);
	else
		pgt_classic_store_regain(&entry->store);
	pgt_classic_groups_settle(entry->group);
}

/* ---- hooks ------------------------------------------------------------------------------------------- */

/* Take over the settings. */
static void
apply_settings(void)
{
	pgt_classic_group_settings.initial_rebalance_delay = pgt_kafka_group_initial_rebalance_delay;
	pgt_classic_group_settings.max_size = pgt_kafka_group_max_size;
}

static void
start(void)
{
	pgt_group_coordinator_set_kind(KAFKA_GROUP_CLASSIC, &kind);
	apply_settings();
}

const BrokerHooks pgt_classic_groups_hooks = {.start = start,.reloaded = apply_settings};
