/*
 * group_memory.c
 *	  How much memory the groups of Kafka's clients take, and how much a role may have of it.
 *
 * Whoever may connect may make groups, of any names, with as many members as he likes, who say of themselves what they like;
 * and all of it is kept for as long as they send heartbeats.  So there is a limit for all groups of the database, and it
 * must not be one role that has it all.  As nothing can be taken back from members, a role gets no more than as much as
 * remains free:
 *
 *	  |<------------------- pg_topics.kafka_groups_max_bytes ------------------->|
 *	  | first role                           | free                              |	alone: half
 *	  | first role            | second role           | free                     |	two that want all: a third each
 *
 * However many roles take what they can, another one finds as much as each of them has.  What a role has keeps when others
 * come; it just gets no more.  A group counts for the role that it belongs to, by whomever its members were made.
 *
 * Memory: an entry for each role that has groups, in the context of the groups.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/groups/group_memory.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* What the members of a group tell of themselves. */
#define GROUP_BYTES_MAX		((Size) 64 * 1024 * 1024)

#define LOG_US				(10 * INT64CONST(1000000))

/* What the groups of a role take. */
typedef struct RoleMemory
{
	dlist_node	node;
	Oid			role;
	Size		bytes;
	int			groups;
	int64		next_log;		/* until then nothing is logged about it */
} RoleMemory;

static dlist_head roles = DLIST_STATIC_INIT(roles);
static Size total = 0;

/* ---- roles ------------------------------------------------------------------------------ */

/* The role's entry, which is made if need be and may be; NULL: there is none.  They are few, and those used last come first. */
static RoleMemory *
get_role(Oid role, bool make)
{
	RoleMemory *entry;
	dlist_iter	iter;

	dlist_foreach(iter, &roles)
	{
		entry = dlist_container(RoleMemory, node, iter.cur);
		if (entry->role != role)
			continue;
		dlist_move_head(&roles, &entry->node);
		return entry;
	}
	if (!make)
		return NULL;
	entry = MemoryContextAllocExtended(pgt_group_coordinator_memory(), sizeof(RoleMemory), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (entry == NULL)
		return NULL;
	entry->role = role;
	dlist_push_head(&roles, &entry->node);
	return entry;
}

/* Take a group from the role that it counts for. */
static void
uncount(CoordinatorGroup *group)
{
	RoleMemory *entry = group->memory_role;

	if (entry == NULL)
		return;
	total -= group->bytes;
	entry->bytes -= group->bytes;
	group->bytes = 0;
	group->memory_role = NULL;
	if (--entry->groups > 0)
		return;
	dlist_delete(&entry->node);
	pfree(entry);
}

void
pgt_group_memory_set(CoordinatorGroup *group, Size bytes)
{
	RoleMemory *entry = group->memory_role;

	if (bytes == 0 || (entry != NULL && entry->role != group->owner))
		uncount(group);
	if (bytes == 0)
		return;
	if (group->memory_role == NULL)
	{
		group->memory_role = get_role(group->owner, true);
		/* it is counted the next time */
		if (group->memory_role == NULL)
			return;
		group->memory_role->groups++;
	}
	group->memory_role->bytes += bytes - group->bytes;
	total += bytes - group->bytes;
	group->bytes = bytes;
}

/* ---- room --------------------------------------------------------------------------------- */

static void
log_full(const CoordinatorGroup *group, RoleMemory *role)
{
	int64		now = pgt_clock_monotonic_us();
	char	   *name;

	if (role == NULL || now < role->next_log)
		return;
	role->next_log = now + LOG_US;
	name = GetUserNameFromId(role->role, true);
	ereport(LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("consumer group \"%s\" of Kafka clients gets no more memory", group->id),
			 errdetail("It takes %zu kB, the %d groups of role \"%s\" take %zu kB, and those of all roles %zu kB.",
					   group->bytes / 1024, role->groups, name == NULL ? "-" : name, role->bytes / 1024, total / 1024),
			 errhint("A group may take %zu kB, and a role as much as it leaves free of pg_topics.kafka_groups_max_bytes.",
					 GROUP_BYTES_MAX / 1024)));
}

bool
pgt_group_memory_has_room(CoordinatorGroup *group, Size bytes)
{
	Size		limit = (Size) pgt_kafka_groups_max_bytes * 1024;
	RoleMemory *role = group->memory_role != NULL ? group->memory_role : get_role(group->owner, false);
	Size		of_role = role == NULL ? 0 : role->bytes;

	if (group->bytes + bytes <= GROUP_BYTES_MAX && total + of_role + 2 * bytes <= limit)
		return true;
	log_full(group, role);
	return false;
}
