/*
 * share_members.c
 *	  The members of a share group, and which partitions each of them works on.
 *
 * In a share group (KIP-932) no member owns a partition: whoever fetches gets records that nobody else has.  So there is
 * nothing to be given up before somebody else gets it, and an assignment is only a hint where to fetch.
 * A member goes from one to the next in a single heartbeat:
 *
 *	  members, subscriptions or topics change	the group's epoch grows, and all targets are computed anew
 *	  a member's next heartbeat					it takes over the epoch and, if that is another one, its target
 *
 * The assignor is called "simple", as in Kafka.  For each topic by itself, with P partitions and M members that are
 * subscribed to it: where M <= P each partition is of one member, else each member has one partition, and several have the
 * same one.  Where a topic begins in the row of its members depends on its place among the topics, so that topics of few
 * partitions are not all with the same members.
 *
 * It is all in memory and nowhere else.  After a restart of the server members find themselves unknown,
 * and join again, as clients do by themselves; what they had acquired is theirs for as long as their leases last.
 *
 * Memory: a context for what a member says and one for its target, so that either is exchanged as a whole.
 */
#include "postgres.h"

#include "coordinator/share_members.h"
#include "utils/memutils.h"

/* Of ids; as those of other groups. */
#define ID_MAX		1024

/* So many names of topics a member may be subscribed to. */
#define NAMES_MAX	10000

/* ---- requests -------------------------------------------------------------------- */

static bool
is_text(KafkaString string)
{
	return string.length <= 0 || memchr(string.data, '\0', string.length) == NULL;
}

const char *
pgt_share_members_check(const KafkaShareGroupHeartbeatRequest *request)
{
	if (request->member_id.length <= 0)
		return "a member id is missing";
	if (request->group_id.length <= 0)
		return "a group id is missing";
	if (request->rack_id.length == 0)
		return "the rack id is empty";
	if (request->member_id.length > ID_MAX || request->rack_id.length > ID_MAX)
		return "an id is too long";
	if (!is_text(request->member_id) || !is_text(request->rack_id))
		return "a string has a zero byte";
	if (request->member_epoch < SHARE_EPOCH_LEAVE)
		return "there is no such member epoch";
	if (request->member_epoch == SHARE_EPOCH_JOIN && request->subscribed_topic_names.count <= 0)
		return "a member that joins has to tell its subscription";
	if (request->subscribed_topic_names.count > NAMES_MAX)
		return "there are too many topics";
	for (int32 i = 0; i < request->subscribed_topic_names.count; i++)
	{
		if (request->subscribed_topic_names.items[i].length <= 0 || !is_text(request->subscribed_topic_names.items[i]))
			return "the name of a topic is no text";
	}
	return NULL;
}

/* ---- members come and go ------------------------------------------------------------ */

ShareMembers *
pgt_share_members_create(MemoryContext memory)
{
	ShareMembers *group = MemoryContextAllocZero(memory, sizeof(ShareMembers));

	group->memory = memory;
	dlist_init(&group->members);
	return group;
}

ShareMember *
pgt_share_members_find(const ShareMembers *group, KafkaString id)
{
	IdTableEntry *entry = id.length <= 0 ? NULL : pgt_id_table_find(&group->by_id, id.data, id.length);

	return entry == NULL ? NULL : (ShareMember *) ((char *) entry - offsetof(ShareMember, by_id));
}

/* Every target is to be computed anew. */
static void
note_change(ShareMembers *group)
{
	group->topics_version = 0;
}

static void
remove_member(ShareMembers *group, ShareMember *member)
{
	pgt_deadline_cancel(&group->deadlines, &member->session);
	pgt_id_table_remove(&group->by_id, &member->by_id);
	dlist_delete(&member->node);
	group->count--;
	note_change(group);
	MemoryContextDelete(member->memory);
}

/* qsort */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The names of a subscription, sorted and each once, in the current context. */
static char **
copy_names(const KafkaShareGroupHeartbeatRequest *request, int32 *count)
{
	int32		all = request->subscribed_topic_names.count;
	char	  **names = palloc(Max(all, 1) * sizeof(char *));

	for (int32 i = 0; i < all; i++)
		names[i] = pnstrdup(request->subscribed_topic_names.items[i].data, request->subscribed_topic_names.items[i].length);
	qsort(names, all, sizeof(char *), compare_names);
	*count = 0;
	for (int32 i = 0; i < all; i++)
	{
		if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
			names[(*count)++] = names[i];
	}
	return names;
}

/* Are these the names that the member has already? */
static bool
has_names(const ShareMember *member, char **names, int32 count)
{
	for (int32 i = 0; i < count && count == member->name_count; i++)
	{
		if (strcmp(member->names[i], names[i]) != 0)
			return false;
	}
	return count == member->name_count;
}

/* A context for what is being made; one that an error has left is given back. */
static MemoryContext
begin_draft(ShareMembers *group)
{
	if (group->draft != NULL)
		MemoryContextDelete(group->draft);
	group->draft = NULL;
	group->draft = AllocSetContextCreate(group->memory, "pg_topics share group draft", ALLOCSET_SMALL_SIZES);
	return group->draft;
}

/* A member that joins; its memory is all there before the group knows it. */
static ShareMember *
add_member(ShareMembers *group, const KafkaShareGroupHeartbeatRequest *request, const ShareMembersWorld *world)
{
	MemoryContext memory = begin_draft(group);
	MemoryContext caller = MemoryContextSwitchTo(memory);
	ShareMember *member = palloc0(sizeof(ShareMember));

	member->memory = memory;
	member->target_memory = AllocSetContextCreate(memory, "pg_topics share group target", ALLOCSET_SMALL_SIZES);
	member->id = pnstrdup(request->member_id.data, request->member_id.length);
	if (request->rack_id.length > 0)
		member->rack_id = pnstrdup(request->rack_id.data, request->rack_id.length);
	member->client_id = pstrdup(world->client_id);
	member->client_host = pstrdup(world->client_host);
	member->names = copy_names(request, &member->name_count);
	pgt_deadline_init(&member->session);
	MemoryContextSwitchTo(group->memory);
	pgt_id_table_reserve(&group->by_id, 1);
	pgt_deadline_reserve(&group->deadlines, group->count + 1);
	MemoryContextSwitchTo(caller);
	group->draft = NULL;
	pgt_id_table_add(&group->by_id, &member->by_id, member->id, request->member_id.length);
	dlist_push_tail(&group->members, &member->node);
	group->count++;
	note_change(group);
	return member;
}

/* Take over a subscription that is told anew. */
static void
subscribe(ShareMembers *group, ShareMember *member, const KafkaShareGroupHeartbeatRequest *request)
{
	MemoryContext caller = MemoryContextSwitchTo(member->memory);
	int32		count;
	char	  **names = copy_names(request, &count);

	MemoryContextSwitchTo(caller);
	if (has_names(member, names, count))
	{
		for (int32 i = 0; i < count; i++)
			pfree(names[i]);
		pfree(names);
		return;
	}
	for (int32 i = 0; i < member->name_count; i++)
		pfree(member->names[i]);
	pfree(member->names);
	member->names = names;
	member->name_count = count;
	note_change(group);
}

/* ---- topics ---------------------------------------------------------------------------- */

/* The names that members are subscribed to, each once: an array in the current context. */
static char **
all_names(ShareMembers *group, int32 *count)
{
	int64		sum = 0;
	int64		all = 0;
	char	  **names;
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
		sum += dlist_container(ShareMember, node, iter.cur)->name_count;
	names = MemoryContextAllocHuge(CurrentMemoryContext, Max(sum, 1) * sizeof(char *));
	dlist_foreach(iter, &group->members)
	{
		const ShareMember *member = dlist_container(ShareMember, node, iter.cur);

		for (int32 i = 0; i < member->name_count; i++)
			names[all++] = member->names[i];
	}
	qsort(names, all, sizeof(char *), compare_names);
	*count = 0;
	for (int64 i = 0; i < all; i++)
	{
		if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
			names[(*count)++] = names[i];
	}
	return names;
}

/* Look up all topics, into the current context. */
static ShareMembersTopic *
find_topics(ShareMembers *group, const ShareMembersWorld *world, int32 *count)
{
	int32		name_count;
	char	  **names = all_names(group, &name_count);
	ShareMembersTopic *topics = palloc(Max(name_count, 1) * sizeof(ShareMembersTopic));

	*count = 0;
	for (int32 i = 0; i < name_count; i++)
	{
		ShareMembersTopic *topic = &topics[*count];

		if (!world->find_topic(names[i], &topic->id, &topic->partitions, world->arg) || topic->partitions <= 0)
			continue;
		topic->name = pstrdup(names[i]);
		(*count)++;
	}
	pfree(names);
	return topics;
}

/* ---- the assignor ------------------------------------------------------------------------ */

/* A member's target while it is computed. */
typedef struct Draft
{
	ShareMember *member;
	MemoryContext memory;
	ShareAssignment target;
} Draft;

static bool
is_subscribed(const ShareMember *member, const char *name)
{
	return bsearch(&name, member->names, member->name_count, sizeof(char *), compare_names) != NULL;
}

/* Give a member partitions first, first + step, ... of a topic. */
static void
give(Draft *draft, const ShareMembersTopic *topic, int32 topic_count, int32 first, int32 step)
{
	MemoryContext caller = MemoryContextSwitchTo(draft->memory);
	ShareAssigned *assigned;

	if (draft->target.topics == NULL)
		draft->target.topics = palloc(topic_count * sizeof(ShareAssigned));
	assigned = &draft->target.topics[draft->target.count];
	assigned->topic = topic->id;
	assigned->count = 0;
	assigned->partitions = palloc(((topic->partitions - 1 - first) / step + 1) * sizeof(int32));
	for (int64 p = first; p < topic->partitions; p += step)
		assigned->partitions[assigned->count++] = (int32) p;
	draft->target.count++;
	MemoryContextSwitchTo(caller);
}

/* Assign a topic, the n-th of so many, to those that are subscribed to it: "subscribers" has room for all. */
static void
assign_topic(Draft *drafts, int32 draft_count, const ShareMembersTopic *topic, int32 n, int32 topic_count, Draft **subscribers)
{
	int32		count = 0;

	for (int32 i = 0; i < draft_count; i++)
	{
		if (is_subscribed(drafts[i].member, topic->name))
			subscribers[count++] = &drafts[i];
	}
	for (int32 i = 0; i < count; i++)
	{
		Draft	   *draft = subscribers[(i + n) % count];

		if (count > topic->partitions)
			give(draft, topic, topic_count, i % topic->partitions, topic->partitions);
		else
			give(draft, topic, topic_count, i, count);
	}
}

static bool
is_same(const ShareAssignment *a, const ShareAssignment *b)
{
	if (a->count != b->count)
		return false;
	for (int32 t = 0; t < a->count; t++)
	{
		if (memcmp(&a->topics[t].topic, &b->topics[t].topic, sizeof(KafkaUuid)) != 0 ||
			a->topics[t].count != b->topics[t].count ||
			memcmp(a->topics[t].partitions, b->topics[t].partitions, a->topics[t].count * sizeof(int32)) != 0)
			return false;
	}
	return true;
}

/* Let targets count.  Takes no memory. */
static void
adopt(Draft *drafts, int32 count)
{
	for (int32 i = 0; i < count; i++)
	{
		ShareMember *member = drafts[i].member;

		if (is_same(&member->target, &drafts[i].target))
		{
			MemoryContextDelete(drafts[i].memory);
			continue;
		}
		MemoryContextDelete(member->target_memory);
		member->target_memory = drafts[i].memory;
		member->target = drafts[i].target;
		member->told = false;
	}
}

/* Compute the targets of all members, each in a context below the current one. */
static Draft *
compute(ShareMembers *group, const ShareMembersTopic *topics, int32 topic_count)
{
	Draft	   *drafts = palloc0(Max(group->count, 1) * sizeof(Draft));
	Draft	  **subscribers = palloc(Max(group->count, 1) * sizeof(Draft *));
	int32		count = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
		drafts[count++].member = dlist_container(ShareMember, node, iter.cur);
	for (int32 i = 0; i < count; i++)
		drafts[i].memory = AllocSetContextCreate(CurrentMemoryContext, "pg_topics share group target", ALLOCSET_SMALL_SIZES);
	for (int32 n = 0; n < topic_count; n++)
		assign_topic(drafts, count, &topics[n], n, topic_count, subscribers);
	return drafts;
}

/*
 * Look the topics up and compute all targets, if anything may have changed.  All is made below a context of its own, and
 * handed over when it is complete.
 */
static void
refresh(ShareMembers *group, const ShareMembersWorld *world)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	MemoryContext memory;
	ShareMembersTopic *topics;
	int32		topic_count;
	Draft	   *drafts;

	if (group->topics_version == world->topics_version)
		return;
	scratch = begin_draft(group);
	memory = AllocSetContextCreate(scratch, "pg_topics share group topics", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(memory);
	topics = find_topics(group, world, &topic_count);
	MemoryContextSwitchTo(scratch);
	drafts = compute(group, topics, topic_count);
	MemoryContextSwitchTo(caller);
	for (int32 i = 0; i < group->count; i++)
		MemoryContextSetParent(drafts[i].memory, drafts[i].member->memory);
	MemoryContextSetParent(memory, group->memory);
	adopt(drafts, group->count);
	if (group->topics_memory != NULL)
		MemoryContextDelete(group->topics_memory);
	group->topics_memory = memory;
	group->topics = topics;
	group->topic_count = topic_count;
	group->topics_version = world->topics_version;
	group->epoch++;
	group->draft = NULL;
	MemoryContextDelete(scratch);
}

/* ---- heartbeats ----------------------------------------------------------------------------- */

static void
refuse(ShareMembersAnswer *answer, KafkaError error, const char *message)
{
	answer->error = error;
	answer->message = message;
}

/* The member that speaks, which has joined before; NULL with an error. */
static ShareMember *
find_speaker(const ShareMembers *group, const KafkaShareGroupHeartbeatRequest *request, ShareMembersAnswer *answer)
{
	ShareMember *member = pgt_share_members_find(group, request->member_id);
	int32		epoch = request->member_epoch;

	if (member == NULL)
		refuse(answer, KAFKA_ERROR_UNKNOWN_MEMBER_ID, NULL);
	else if (epoch > member->epoch)
		refuse(answer, KAFKA_ERROR_FENCED_MEMBER_EPOCH, "the member epoch is ahead of the coordinator's");
	/* its last answer may not have come to it */
	else if (epoch > SHARE_EPOCH_JOIN && epoch != member->epoch && epoch != member->previous_epoch)
		refuse(answer, KAFKA_ERROR_FENCED_MEMBER_EPOCH, "the member epoch is behind the coordinator's");
	else
		return member;
	return NULL;
}

/* The member of a request, which it may be that lets it join; NULL with an error. */
static ShareMember *
find_or_add(ShareMembers *group, const KafkaShareGroupHeartbeatRequest *request, const ShareMembersWorld *world,
			ShareMembersAnswer *answer)
{
	ShareMember *member;

	if (request->member_epoch != SHARE_EPOCH_JOIN || pgt_share_members_find(group, request->member_id) != NULL)
	{
		member = find_speaker(group, request, answer);
		if (member != NULL && request->subscribed_topic_names.count >= 0)
			subscribe(group, member, request);
		return member;
	}
	if (group->count >= world->most_members)
	{
		refuse(answer, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, "the group has as many members as it may have");
		return NULL;
	}
	return add_member(group, request, world);
}

void
pgt_share_members_heartbeat(ShareMembers *group, const KafkaShareGroupHeartbeatRequest *request,
							const ShareMembersWorld *world, ShareMembersAnswer *answer)
{
	ShareMember *member;

	*answer = (ShareMembersAnswer) {.error = KAFKA_ERROR_NONE};
	if (request->member_epoch == SHARE_EPOCH_LEAVE)
	{
		member = find_speaker(group, request, answer);
		answer->epoch = SHARE_EPOCH_LEAVE;
		if (member != NULL)
			remove_member(group, member);
		return;
	}
	member = find_or_add(group, request, world, answer);
	if (member == NULL)
		return;
	pgt_deadline_set(&group->deadlines, &member->session, world->now + world->session_timeout);
	refresh(group, world);
	if (member->epoch != group->epoch)
	{
		member->previous_epoch = member->epoch;
		member->epoch = group->epoch;
	}
	answer->member = member;
	answer->epoch = member->epoch;
	/* also a member whose last answer may not have come to it */
	answer->has_assignment = !member->told || request->member_epoch != member->epoch ||
		request->subscribed_topic_names.count >= 0;
	member->told = true;
}

int64
pgt_share_members_expire(ShareMembers *group, int64 now, void (*gone) (const ShareMember *member, void *arg), void *arg)
{
	Deadline   *deadline;

	while ((deadline = pgt_deadline_take(&group->deadlines, now)) != NULL)
	{
		ShareMember *member = (ShareMember *) ((char *) deadline - offsetof(ShareMember, session));

		gone(member, arg);
		remove_member(group, member);
	}
	return group->count == 0 ? DEADLINE_NEVER : pgt_deadline_next(&group->deadlines);
}

bool
pgt_share_members_is_subscribed(ShareMembers *group, KafkaString topic)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		const ShareMember *member = dlist_container(ShareMember, node, iter.cur);

		for (int32 i = 0; i < member->name_count; i++)
		{
			if (strlen(member->names[i]) == topic.length && memcmp(member->names[i], topic.data, topic.length) == 0)
				return true;
		}
	}
	return false;
}
