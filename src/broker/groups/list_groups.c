/*
 * list_groups.c
 *	  ListGroups: the groups that a client may see.
 *
 * These are the groups of Kafka's clients, and those that only SQL uses (sql_group.c), as far as they belong to roles that
 * the client may act for.  Filters are those of Kafka: states and types, whatever their case.
 *
 * There may be many of either, and of those of SQL it is looked whether they have members: so they are gone through in slices.
 * Each kind of group is known by something that others do not change meanwhile:
 *
 *	  groups of Kafka's clients		those that there were when the request came (CoordinatorWalk), then
 *	  groups with committed offsets	by name; and of these, what has become one of the former since
 *	  share groups					likewise
 *
 * So no group is missing that was there all the time.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/list_groups.h"
#include "broker/groups/sql_group.h"
#include "broker/groups/sql_share_group.h"
#include "coordinator/consumer_protocol.h"
#include "kafka/kafka_default.h"
#include "utils/memutils.h"

typedef KafkaListGroupsResponseListedGroup ListedGroup;

/* The types of groups as Kafka writes them. */
static const char *const types[] = {
	[KAFKA_GROUP_CLASSIC] = "Classic",
	[KAFKA_GROUP_CONSUMER] = "Consumer",
	[KAFKA_GROUP_SHARE] = "Share"
};

/* More than there are states or types of groups. */
#define NAMES_KNOWN		16

#define SHARE_PROTOCOL_TYPE	"share"

#define LEAST_ROOM		64

/* What is asked for: there may be any number of names. */
typedef struct GroupFilter
{
	const KafkaString *items;
	int32		count;
	const char *names[NAMES_KNOWN]; /* constants; those that were looked for already */
	bool		passes[NAMES_KNOWN];
	int			known;
} GroupFilter;

/* A request. */
typedef struct ListGroups
{
	BrokerRequest *request;
	KafkaListGroupsResponse response;
	GroupFilter states;
	GroupFilter types;
	int			room;			/* for groups in the response */
	CoordinatorWalk walk;
	char	   *last;			/* the group with offsets, or share group, that was looked at last; NULL: none yet */
	bool		share;			/* it is at share groups */
	MemoryContext scratch;		/* while one is looked at */
} ListGroups;

static void serve(BrokerRequest *request);

const BrokerApi pgt_list_groups_api = {.key = KAFKA_API_LIST_GROUPS, .serve = serve, .uses_tables = true};

/* ---- filters ------------------------------------------------------------------------- */

/* Is a name one of those that are asked for?  None: all are. */
static bool
matches(const KafkaString *filter, int32 count, const char *name)
{
	for (int32 i = 0; i < count; i++)
	{
		if (filter[i].length == strlen(name) && pg_strncasecmp(filter[i].data, name, filter[i].length) == 0)
			return true;
	}
	return count <= 0;
}

/* The same, but each name is looked for in the filter once, however many groups there are. */
static bool
passes(GroupFilter *filter, const char *name)
{
	bool		result;

	for (int i = 0; i < filter->known; i++)
	{
		if (strcmp(filter->names[i], name) == 0)
			return filter->passes[i];
	}
	result = matches(filter->items, filter->count, name);
	if (filter->known < NAMES_KNOWN)
	{
		filter->names[filter->known] = name;
		filter->passes[filter->known++] = result;
	}
	return result;
}

/* Let the response have room for another group. */
static void
make_room(ListGroups *state)
{
	KafkaListGroupsResponse *response = &state->response;
	int			room = Max(LEAST_ROOM, state->room * 2);

	if (response->groups.count < state->room)
		return;
	/* not in the request's arena, where those that were too small would stay and count */
	response->groups.items = state->room == 0 ? MemoryContextAllocHuge(state->request->memory, room * sizeof(ListedGroup)) :
		repalloc_huge(response->groups.items, room * sizeof(ListedGroup));
	state->room = room;
}

/* Add a group to the response, unless it is filtered out. */
static void
add(ListGroups *state, const char *id, const char *protocol_type, const char *group_state, const char *group_type)
{
	ListedGroup *group;

	if (!passes(&state->states, group_state) || !passes(&state->types, group_type))
		return;
	make_room(state);
	group = &state->response.groups.items[state->response.groups.count++];
	pgt_kafka_default_struct(KAFKA_LIST_GROUPS_RESPONSE_LISTED_GROUP, group);
	group->group_id = pgt_broker_string(pstrdup(id));
	group->protocol_type = pgt_broker_string(pstrdup(protocol_type));
	group->group_state = pgt_broker_string(group_state);
	group->group_type = pgt_broker_string(group_type);
}

/* ---- groups ----------------------------------------------------------------------------- */

/* One that the registry knows. */
static void
add_known(ListGroups *state, CoordinatorGroup *group)
{
	const CoordinatorKind *kind = pgt_group_coordinator_kind(group);

	if (pgt_group_owner_may_list(state->request->client, group))
		add(state, group->id, kind->protocol_type(group), kind->state_name(group), types[group->kind]);
}

/* One that only SQL uses. */
static void
add_sql(ListGroups *state, const char *id)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	/* what clients cannot say, they are not told */
	bool		visible = pgt_group_coordinator_is_text(pgt_broker_string(id), MAX_GROUP_ID_LENGTH) &&
		pgt_sql_group_find(state->request->client, id) == SQL_GROUP_FOUND;
	bool		has_members = visible && pgt_sql_group_has_members(id);

	MemoryContextSwitchTo(caller);
	MemoryContextReset(state->scratch);
	if (visible)
		add(state, id, CONSUMER_PROTOCOL_TYPE, has_members ? "Stable" : "Empty", "Classic");
}

/* A share group without members among Kafka's clients. */
static void
add_sql_share(ListGroups *state, const char *id)
{
	if (pgt_group_coordinator_is_text(pgt_broker_string(id), MAX_GROUP_ID_LENGTH) &&
		pgt_sql_share_group_find(state->request->client, id) == SQL_GROUP_FOUND)
		add(state, id, SHARE_PROTOCOL_TYPE, "Empty", types[KAFKA_GROUP_SHARE]);
}

/* The next one of those that have offsets, and then of share groups; false: there is none. */
static bool
look_at_next(ListGroups *state)
{
	char	   *id = state->share ? pgt_sql_share_group_next(state->last) : pgt_sql_group_next(state->last);
	CoordinatorGroup *known;

	if (id == NULL && state->share)
		return false;
	if (state->last != NULL)
		pfree(state->last);
	state->last = id;
	if (id == NULL)
	{
		state->share = true;
		return true;
	}
	known = pgt_group_coordinator_find(pgt_broker_string(id));
	if (known == NULL && state->share)
		add_sql_share(state, id);
	else if (known == NULL)
		add_sql(state, id);
	else if (known->number >= state->walk.end)
		add_known(state, known);
	return true;
}

/* Look at one group; false: none is left. */
static bool
step(BrokerRequest *request)
{
	ListGroups *state = request->state;
	CoordinatorGroup *group = state->walk.under_way ? pgt_group_coordinator_walk_next(&state->walk) : NULL;

	if (group == NULL)
		return look_at_next(state);
	add_known(state, group);
	return true;
}

static void
finish(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((ListGroups *) request->state)->response, NULL);
}

/* The connection is closed. */
static void
dropped(BrokerRequest *request)
{
	pgt_group_coordinator_walk_end(&((ListGroups *) request->state)->walk);
}

static void
serve(BrokerRequest *request)
{
	const KafkaListGroupsRequest *body = request->kafka.body;
	ListGroups *state = palloc0(sizeof(ListGroups));

	request->state = state;
	state->request = request;
	state->states = (GroupFilter) {.items = body->states_filter.items,.count = body->states_filter.count};
	state->types = (GroupFilter) {.items = body->types_filter.items,.count = body->types_filter.count};
	pgt_kafka_default_struct(KAFKA_LIST_GROUPS_RESPONSE, &state->response);
	pgt_turn_open();
	state->response.error_code = pgt_group_coordinator_check_active();
	if (state->response.error_code != KAFKA_ERROR_NONE)
	{
		pgt_broker_answer(request, &state->response);
		return;
	}
	state->scratch = AllocSetContextCreate(request->memory, "pg_topics group", ALLOCSET_SMALL_SIZES);
	request->dropped = dropped;
	pgt_group_coordinator_walk_begin(&state->walk);
	pgt_broker_take_steps(request, step, finish);
}
