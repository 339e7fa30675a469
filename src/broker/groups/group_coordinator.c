/*
 * group_coordinator.c
 *	  The groups of the database that Kafka's clients use: the registry of them.
 *
 *	  CLOSED	groups are not read yet, or this is a standby
 *	  OPEN		all that are stored are in memory, and nobody else coordinates the groups of the database
 *
 * It is opened as soon as the server is no standby, the extension is there, and the lock of the coordination is to
 * be had (kafka_claim.c).  None of that is waited for: it is tried again by a timer.  It is never closed, since a
 * server does not become a standby while it runs.  If the extension is dropped, what is known of
 * groups is forgotten, and it opens anew.
 *
 * Members that were loaded go on as before, in the generation that was stored; each has the time of a session to be heard of.
 *
 * Whose a group is, is told in group_owner.c.  As a topic's offsets have an owner of their own (group_role.c), a group whose
 * name others use in other topics is still one group here; its members just cannot commit there.
 *
 * A group's id is text of the database, of as many bytes as in SQL, since both mean the same groups.  In a database
 * whose encoding is not UTF-8, which is that of clients, it has ASCII characters only; so have all texts of members.
 *
 * Memory: groups and all that belongs to them are in one context that lives as long as the process.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/turn.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_coordinator.h"
#include "group/group_row.h"
#include "group/kafka_claim.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "topic/topic_types.h"
#include "util/ascii.h"
#include "util/clock.h"
#include "util/relation_change.h"
#include "utils/memutils.h"

#define IDLE_US			(1000 * INT64CONST(1000))	/* while nobody asks */
#define RETRY_US		(20 * INT64CONST(1000)) /* while another process has the lock */
#define FAILED_US		(10 * INT64CONST(1000000))	/* after an ERROR, which is logged each time */

/* How many kinds there are. */
#define KINDS	3

static const CoordinatorKind *kinds[KINDS];
static const CoordinatorOwners *owners;
static IdTable groups;
static dlist_head by_number = DLIST_STATIC_INIT(by_number); /* of CoordinatorGroup */
static uint64 next_number = 0;
static dlist_head walks = DLIST_STATIC_INIT(walks); /* of CoordinatorWalk */
static MemoryContext groups_context = NULL;
static bool is_open = false;
static Oid	table = InvalidOid;	/* of the extension for which it is open */
static bool table_in_doubt = false;	/* a catalog has changed */
static EventLoopTimer timer;
static int64 next_attempt = 0;

/* ---- the registry ------------------------------------------------------------------ */

void
pgt_group_coordinator_set_kind(KafkaGroupKind kind, const CoordinatorKind *functions)
{
	kinds[kind] = functions;
}

const CoordinatorKind *
pgt_group_coordinator_kind(const CoordinatorGroup *group)
{
	return kinds[group->kind];
}

void
pgt_group_coordinator_set_owners(const CoordinatorOwners *functions)
{
	owners = functions;
}

MemoryContext
pgt_group_coordinator_memory(void)
{
	return groups_context;
}

CoordinatorGroup *
pgt_group_coordinator_find(KafkaString id)
{
	IdTableEntry *entry = pgt_id_table_find(&groups, id.data, id.length);

	return entry == NULL ? NULL : (CoordinatorGroup *) ((char *) entry - offsetof(CoordinatorGroup, by_id));
}

/* Add a group without a state. */
static CoordinatorGroup *
add_group(const char *id, int32 length, Oid owner, KafkaGroupKind kind)
{
	MemoryContext caller = MemoryContextSwitchTo(groups_context);
	CoordinatorGroup *group;

	pgt_id_table_reserve(&groups, 1);
	group = palloc0(sizeof(CoordinatorGroup) + length + 1);
	group->id = (char *) (group + 1);
	memcpy(group->id, id, length);
	group->owner = owner;
	group->kind = kind;
	group->number = next_number++;
	pgt_id_table_add(&groups, &group->by_id, group->id, length);
	dlist_push_tail(&by_number, &group->node);
	MemoryContextSwitchTo(caller);
	return group;
}

/* ---- walks ------------------------------------------------------------------------- */

/* The group behind one, if there is any. */
static dlist_node *
node_behind(dlist_node *node)
{
	return dlist_has_next(&by_number, node) ? dlist_next_node(&by_number, node) : NULL;
}

void
pgt_group_coordinator_walk_begin(CoordinatorWalk *walk)
{
	walk->next = dlist_is_empty(&by_number) ? NULL : dlist_head_node(&by_number);
	walk->end = next_number;
	walk->under_way = true;
	dlist_push_tail(&walks, &walk->node);
}

void
pgt_group_coordinator_walk_end(CoordinatorWalk *walk)
{
	if (walk->under_way)
		dlist_delete(&walk->node);
	walk->under_way = false;
}

CoordinatorGroup *
pgt_group_coordinator_walk_next(CoordinatorWalk *walk)
{
	CoordinatorGroup *group = walk->next == NULL ? NULL : dlist_container(CoordinatorGroup, node, walk->next);

	if (group == NULL || group->number >= walk->end)
	{
		pgt_group_coordinator_walk_end(walk);
		return NULL;
	}
	walk->next = node_behind(walk->next);
	return group;
}

/* A group is about to be removed: no walk is to come to it. */
static void
pass_over(CoordinatorGroup *group)
{
	dlist_iter	iter;

	dlist_foreach(iter, &walks)
	{
		CoordinatorWalk *walk = dlist_container(CoordinatorWalk, node, iter.cur);

		if (walk->next == &group->node)
			walk->next = node_behind(walk->next);
	}
}

/* ---- groups come and go --------------------------------------------------------------- */

void
pgt_group_coordinator_remove(CoordinatorGroup *group)
{
	pass_over(group);
	dlist_delete(&group->node);
	pgt_id_table_remove(&groups, &group->by_id);
	if (group->state != NULL)
		kinds[group->kind]->forget(group);
	/* what it was is not to be had back either, and requests may wait for it */
	if (group->former != NULL)
	{
		group->state = group->former;
		group->kind = group->former_kind;
		kinds[group->kind]->forget(group);
	}
	pfree(group);
}

bool
pgt_group_coordinator_give_way(KafkaString id)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(id);

	if (group != NULL)
		pgt_group_coordinator_remove(group);
	return group != NULL;
}

void
pgt_group_coordinator_become(CoordinatorGroup *group, KafkaGroupKind kind, void *state)
{
	Assert(group->former == NULL && group->kind != kind);
	kinds[group->kind]->suspend(group);
	group->former = group->state;
	group->former_kind = group->kind;
	group->state = state;
	group->kind = kind;
}

/* What it is and what it was change places. */
static void
exchange(CoordinatorGroup *group)
{
	void	   *state = group->state;
	KafkaGroupKind kind = group->kind;

	group->state = group->former;
	group->kind = group->former_kind;
	group->former = state;
	group->former_kind = kind;
}

void
pgt_group_coordinator_became(CoordinatorGroup *group, bool stored)
{
	if (stored)
		exchange(group);
	/* what is forgotten is the state at that moment */
	kinds[group->kind]->forget(group);
	group->state = group->former;
	group->kind = group->former_kind;
	group->former = NULL;
	if (!stored)
		kinds[group->kind]->resume(group);
}

void
pgt_group_coordinator_each(void (*look) (CoordinatorGroup *group, void *arg), void *arg)
{
	for (uint32 i = 0; i < groups.bucket_count; i++)
	{
		IdTableEntry *entry = groups.buckets[i];

		while (entry != NULL)
		{
			IdTableEntry *next = entry->next;

			look((CoordinatorGroup *) ((char *) entry - offsetof(CoordinatorGroup, by_id)), arg);
			entry = next;
		}
	}
}

static void
remove_one(CoordinatorGroup *group, void *arg)
{
	pgt_group_coordinator_remove(group);
}

CoordinatorGroup *
pgt_group_coordinator_make(const BrokerConnection *client, KafkaString id, KafkaGroupKind kind)
{
	char	   *text = pnstrdup(id.data, id.length);

	return add_group(text, id.length, owners->choose(client, text), kind);
}

/* ---- opening --------------------------------------------------------------------------- */

static void
load_group(const KafkaGroupRow *row, void *arg)
{
	CoordinatorGroup **last = arg;

	if (*last != NULL)
		kinds[(*last)->kind]->loaded(*last);
	*last = NULL;
	/* of a kind that this library does not serve */
	if (kinds[row->kind] == NULL)
		return;
	*last = add_group(row->id, strlen(row->id), row->owner, row->kind);
	kinds[row->kind]->load(*last, row);
}

static void
load_member(const KafkaGroupRow *group, const KafkaMemberRow *row, void *arg)
{
	CoordinatorGroup **last = arg;

	if (*last != NULL)
		kinds[(*last)->kind]->load_member(*last, group, row);
}

static void
load_rows(void)
{
	CoordinatorGroup *last = NULL;

	pgt_kafka_group_rows_load(load_group, load_member, &last);
	if (last != NULL)
		kinds[last->kind]->loaded(last);
}

/* Open, if all is there. */
static void
try_open(void *arg)
{
	Oid			found;

	pgt_turn_open();
	found = pgt_group_row_extension_table();
	if (!OidIsValid(found))
		return;
	next_attempt = pgt_clock_monotonic_us() + RETRY_US;
	if (!pgt_turn_lock_tables() || !pgt_kafka_claim_coordinate())
		return;
	next_attempt = pgt_clock_monotonic_us() + FAILED_US;
	load_rows();
	if (groups.count > 0)
		ereport(LOG,
				(errmsg_plural("coordinating %u group of Kafka clients",
							   "coordinating %u groups of Kafka clients", groups.count, groups.count)));
	table = found;
	is_open = true;
}

/* Try it, unless it has failed a moment ago, and see to it that it is tried again if need be. */
static void
attempt(void)
{
	int64		now = pgt_clock_monotonic_us();

	if (now < next_attempt)
		return;
	if (!RecoveryInProgress() && !pgt_turn_try(try_open, NULL, NULL))
		pgt_group_coordinator_each(remove_one, NULL);
	if (!is_open)
		pgt_event_loop_set_timer(&timer, Max(next_attempt, now + IDLE_US));
}

static void
attempt_again(EventLoopTimer *unused)
{
	attempt();
	if (!is_open && timer.due == 0)
		pgt_event_loop_set_timer(&timer, next_attempt);
}

/* A relation has changed: was it the table of the extension? */
static void
note_change(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == table)
		table_in_doubt = true;
}

/* The extension may be another one than before. */
static void
look_at_table(void)
{
	table_in_doubt = false;
	if (pgt_group_row_extension_table() == table)
		return;
	is_open = false;
	next_attempt = 0;
	pgt_group_coordinator_each(remove_one, NULL);
}

static void
start(void)
{
	groups_context = AllocSetContextCreate(TopMemoryContext, "pg_topics groups of Kafka clients", ALLOCSET_DEFAULT_SIZES);
	if (!pg_strong_random(&pgt_id_table_seed, sizeof(pgt_id_table_seed)))
		pgt_id_table_seed = (uint64) pgt_clock_monotonic_us();
	pgt_relation_change_register(note_change);
	timer.expired = attempt_again;
	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us());
}

const BrokerHooks pgt_group_coordinator_hooks = {.start = start};

/* ---- what other APIs ask -------------------------------------------------------------------- */

bool
pgt_group_coordinator_is_text(KafkaString string, int32 most)
{
	if (string.length <= 0)
		return true;
	if (string.length > most || memchr(string.data, '\0', string.length) != NULL)
		return false;
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return pg_verify_mbstr(PG_UTF8, string.data, string.length, true);
	return pgt_ascii_is_all(string.data, string.length);
}

KafkaError
pgt_group_coordinator_check_active(void)
{
	if (is_open && table_in_doubt)
		look_at_table();
	if (is_open)
		return pgt_turn_lock_tables() ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
	if (RecoveryInProgress())
		return KAFKA_ERROR_NOT_COORDINATOR;
	attempt();
	return is_open ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
}

KafkaError
pgt_group_coordinator_check(const BrokerConnection *client, KafkaString id)
{
	KafkaError	error = pgt_group_coordinator_check_active();
	CoordinatorGroup *group;

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (id.length <= 0 || !pgt_group_coordinator_is_text(id, MAX_GROUP_ID_LENGTH))
		return KAFKA_ERROR_INVALID_GROUP_ID;
	pgt_group_configs_refresh();
	group = pgt_group_coordinator_find(id);
	if (group != NULL && !owners->may_use(client, group))
		return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_group_coordinator_check_commit(KafkaString id, KafkaString member, KafkaString instance, int32 generation)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(id);

	if (group != NULL)
		return kinds[group->kind]->check_commit(group, member, instance, generation);
	/* a consumer that is no member of anything, or one of a group that is gone */
	return generation < 0 ? KAFKA_ERROR_NONE : KAFKA_ERROR_ILLEGAL_GENERATION;
}

KafkaError
pgt_group_coordinator_check_fetch(KafkaString id, KafkaString member, int32 epoch)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(id);

	return group == NULL ? KAFKA_ERROR_NONE : kinds[group->kind]->check_fetch(group, member, epoch);
}

bool
pgt_group_coordinator_is_subscribed(KafkaString id, KafkaString topic, CoordinatorSearch *search)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(id);

	search->more = false;
	return group != NULL && kinds[group->kind]->is_subscribed(group, topic, search);
}

bool
pgt_group_coordinator_has_members(KafkaString id)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(id);

	return group != NULL && kinds[group->kind]->has_members(group);
}
