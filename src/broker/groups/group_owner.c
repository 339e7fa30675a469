/*
 * group_owner.c
 *	  Whose a group is that Kafka's clients use.
 *
 * In SQL a group belongs to a role in each of its topics, as its rows of topic_group_offsets say (group_role.c), or those of
 * topic_share_groups.  To
 * Kafka's clients it is one group, and belongs to one role:
 *
 *	  no rows							to who made it
 *	  a row names its owner				to that one, as before
 *	  all rows name others				it was given away: to one of those, of whose topics its members have claimed
 *										partitions, where it has members.  Others may have used its name elsewhere
 *	  a row names no role that there is	in that topic it is the topic owner's, as in SQL
 *
 * Its owner, roles with the owner's privileges, and who owns a topic in which it is that owner's may use it.
 *
 * Rows can be given to another role by alter_group_owner(), REASSIGN OWNED and the like, and roles can be dropped, while the
 * group is in memory.  The owner in memory is what the rows say, as of the last news of such a change: whoever changes
 * owners invalidates the table in the relation cache, which this process hears of when a transaction begins or a lock is taken.
 * News comes after the change is visible, and the rows are read in their latest version, so none is missed.  What is
 * written to rows is decided by them, whatever is in memory; and nobody is refused without a look at them.
 *
 * A new owner is written to the group's row of topic_kafka_groups, for those who look, at the end of the turn.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/turn.h"
#include "broker/groups/group_owner.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_group_row.h"
#include "miscadmin.h"
#include "share/share_row.h"
#include "topic/topic.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "util/relation_change.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* For so long a refusal needs no new look at the rows, as long as there is no news. */
#define ASK_US		(1000 * INT64CONST(1000))

/* A topic in which a group has rows. */
typedef struct OwnerPlace
{
	Oid			topic;
	Oid			owner;
} OwnerPlace;

static uint64 version = 1;		/* grows with the news of owners */
static Oid	table = InvalidOid; /* of the rows, when they were last read */

static void work_before(TurnWork *work);
static void work_after(TurnWork *work, bool committed, XLogRecPtr lsn);

static TurnWork turn_work = {.before = work_before,.after = work_after};
static bool work_added = false;
static bool any_moved = false;	/* a group's owner is not in its row */

/* ---- what the rows say ---------------------------------------------------------------- */

static bool
role_exists(Oid role)
{
	return OidIsValid(role) && SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/* Whose the group is in its topic; InvalidOid: nobody's yet. */
static Oid
owner_in_topic(const ConsumerGroup *group)
{
	Oid			owner = pgt_group_rows_owner(group);

	if (owner == GROUP_UNCLAIMED)
		return InvalidOid;
	return role_exists(owner) ? owner : pgt_topic_owner(group->topic);
}

/* Add the topics in which a share group of that name has rows. */
static List *
add_share_places(List *places, const char *id)
{
	ListCell   *cell;

	foreach(cell, pgt_share_row_list(get_rel_namespace(table), id, InvalidOid))
	{
		const ShareRow *row = lfirst(cell);
		OwnerPlace *place;

		if (row->owner == GROUP_UNCLAIMED)
			continue;
		place = palloc(sizeof(OwnerPlace));
		place->topic = row->topic;
		place->owner = role_exists(row->owner) ? row->owner : pgt_topic_owner(row->topic);
		if (OidIsValid(place->owner))
			places = lappend(places, place);
	}
	return places;
}

/* Where a group has rows, and whose it is there: a List of OwnerPlace. */
static List *
read_places(const char *id)
{
	ConsumerGroup rows = {.offsets_table = pgt_group_row_extension_table(),.id = id};
	List	   *places = NIL;
	ListCell   *cell;

	table = rows.offsets_table;
	if (!OidIsValid(table))
		return NIL;
	foreach(cell, pgt_group_rows_topics(&rows))
	{
		OwnerPlace *place = palloc(sizeof(OwnerPlace));

		rows.topic = place->topic = lfirst_oid(cell);
		place->owner = owner_in_topic(&rows);
		if (OidIsValid(place->owner))
			places = lappend(places, place);
	}
	return add_share_places(places, id);
}

static bool
is_named(const List *places, Oid owner)
{
	ListCell   *cell;

	foreach(cell, places)
	{
		if (((const OwnerPlace *) lfirst(cell))->owner == owner)
			return true;
	}
	return false;
}

/* One of the owners, at best one whose group the client may use; InvalidOid: there is none. */
static Oid
pick(const List *places, const BrokerConnection *client)
{
	ListCell   *cell;

	foreach(cell, places)
	{
		const OwnerPlace *place = lfirst(cell);

		if (client != NULL && client->authenticated && role_exists(client->role) &&
			pgt_group_role_may_use(client->role, place->topic, place->owner))
			return place->owner;
	}
	return places == NIL ? InvalidOid : ((const OwnerPlace *) linitial(places))->owner;
}

/* Those places in which members have claimed partitions. */
static List *
claimed_places(const char *id, const List *places)
{
	List	   *claimed = NIL;
	ListCell   *cell;

	foreach(cell, places)
	{
		OwnerPlace *place = lfirst(cell);

		if (pgt_kafka_claim_is_in(id, place->topic))
			claimed = lappend(claimed, place);
	}
	return claimed;
}

/* Whose the group is now.  "client", unless NULL, is who asks. */
static Oid
find_owner(CoordinatorGroup *group, const List *places, const BrokerConnection *client)
{
	bool		exists = role_exists(group->owner);
	Oid			owner;

	if (exists && is_named(places, group->owner))
		return group->owner;
	/* members of share groups claim nothing */
	if (exists && group->kind != KAFKA_GROUP_SHARE && group->state != NULL &&
		pgt_group_coordinator_kind(group)->has_members(group))
		places = claimed_places(group->id, places);
	owner = pick(places, client);
	if (OidIsValid(owner))
		return owner;
	return exists || client == NULL || !client->authenticated ? group->owner : client->role;
}

/* ---- the owner in memory ----------------------------------------------------------------- */

static void
move(CoordinatorGroup *group, Oid owner)
{
	char	   *name = GetUserNameFromId(owner, true);

	group->owner = owner;
	group->allowed_role = InvalidOid;
	group->owner_moved = any_moved = true;
	ereport(LOG,
			(errmsg("consumer group \"%s\" of Kafka clients belongs to another role now: \"%s\"",
					group->id, name == NULL ? "-" : name)));
}

/* Look at the rows again.  Returns the places. */
static List *
refresh(CoordinatorGroup *group, const BrokerConnection *client)
{
	/* what comes while the rows are read is news still */
	uint64		before = version;
	List	   *places = read_places(group->id);
	Oid			owner = find_owner(group, places, client);

	if (owner != group->owner)
		move(group, owner);
	group->owner_version = before;
	group->owner_asked = pgt_clock_monotonic_us();
	return places;
}

static void
refresh_stale(CoordinatorGroup *group, const BrokerConnection *client)
{
	if (group->owner_version != version)
		list_free_deep(refresh(group, client));
}

Oid
pgt_group_owner_of(CoordinatorGroup *group)
{
	refresh_stale(group, NULL);
	return group->owner;
}

/* CoordinatorOwners */
static Oid
choose(const BrokerConnection *client, const char *id)
{
	Oid			owner = pick(read_places(id), client);

	return OidIsValid(owner) ? owner : client->role;
}

/* ---- who may use a group ------------------------------------------------------------------- */

bool
pgt_group_owner_may_act_for(const BrokerConnection *client, Oid owner)
{
	if (!client->authenticated || !role_exists(client->role))
		return false;
	return client->role == owner || (role_exists(owner) && has_privs_of_role(client->role, owner));
}

/* Does the client own a topic in which the group is its owner's? */
static bool
owns_place(const BrokerConnection *client, const CoordinatorGroup *group, const List *places)
{
	ListCell   *cell;

	if (!client->authenticated || !role_exists(client->role))
		return false;
	foreach(cell, places)
	{
		const OwnerPlace *place = lfirst(cell);

		if (place->owner == group->owner && pgt_group_role_may_use(client->role, place->topic, place->owner))
			return true;
	}
	return false;
}

/* The client may not act for the owner as it is in memory: ask the rows. */
static bool
may_use_after_all(const BrokerConnection *client, CoordinatorGroup *group)
{
	List	   *places;

	if (group->denied_role == client->role && group->denied_version == pgt_access_version() &&
		pgt_clock_monotonic_us() - group->owner_asked < ASK_US)
		return false;
	places = refresh(group, client);
	if (pgt_group_owner_may_act_for(client, group->owner) || owns_place(client, group, places))
		return true;
	group->denied_role = client->role;
	group->denied_version = pgt_access_version();
	return false;
}

bool
pgt_group_owner_may_use(const BrokerConnection *client, CoordinatorGroup *group)
{
	uint64		access = pgt_access_version();

	if (group->allowed_role == client->role && group->allowed_version == access && group->owner_version == version &&
		client->authenticated)
		return true;
	refresh_stale(group, client);
	if (!pgt_group_owner_may_act_for(client, group->owner) && !may_use_after_all(client, group))
		return false;
	group->allowed_role = client->role;
	group->allowed_version = access;
	return true;
}

bool
pgt_group_owner_may_list(const BrokerConnection *client, CoordinatorGroup *group)
{
	refresh_stale(group, client);
	return pgt_group_owner_may_act_for(client, group->owner);
}

/* ---- claims ---------------------------------------------------------------------------------- */

KafkaClaim
pgt_group_owner_claim(CoordinatorGroup *group, Oid topic, int32 partition, const char *member)
{
	Oid			role = pgt_group_owner_of(group);
	KafkaClaim	result = pgt_kafka_claim_take(group->id, topic, partition, member, role);

	/* the row may be newer than the news */
	if (result != KAFKA_CLAIM_DENIED || pgt_clock_monotonic_us() - group->owner_asked < ASK_US)
		return result;
	list_free_deep(refresh(group, NULL));
	return group->owner == role ? result : pgt_kafka_claim_take(group->id, topic, partition, member, group->owner);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void
call_write(void *arg)
{
	const CoordinatorGroup *group = arg;

	pgt_kafka_group_row_set_owner(group->id, group->owner);
}

/* Each group's error is its own. */
static void
write_owner(CoordinatorGroup *group, void *arg)
{
	ErrorData  *error = group->owner_moved ? pgt_catch_error(call_write, group) : NULL;

	if (error != NULL)
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("could not store the owner of consumer group \"%s\" of Kafka clients: %s", group->id, error->message)));
}

static void
work_before(TurnWork *work)
{
	pgt_group_coordinator_each(write_owner, NULL);
}

static void
note_written(CoordinatorGroup *group, void *arg)
{
	group->owner_moved = false;
}

/* If it was not stored, it is with what else is stored of the group; until then only those are told wrongly who look. */
static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	work_added = any_moved = false;
	pgt_group_coordinator_each(note_written, NULL);
}

/* Before the turn is committed: there is something to do in it. */
static void
turn_end(void)
{
	if (!any_moved || work_added || !pgt_turn_lock_tables())
		return;
	pgt_turn_add(&turn_work);
	work_added = true;
}

/* ---- news --------------------------------------------------------------------------------------- */

static void
note_relation(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == table)
		version++;
}

static void
note_role(Datum arg, int cache, uint32 hash)
{
	version++;
}

static const CoordinatorOwners owners = {.choose = choose,.may_use = pgt_group_owner_may_use};

static void
start(void)
{
	pgt_group_coordinator_set_owners(&owners);
	pgt_relation_change_register(note_relation);
	CacheRegisterSyscacheCallback(AUTHOID, note_role, (Datum) 0);
}

const BrokerHooks pgt_group_owner_hooks = {.start = start,.turn_end = turn_end};
