/*
 * modern_topics.c
 *	  Groups of the new protocol: subscriptions, and the topics that they lead to.
 *
 * A subscription has names of topics, a regular expression, or both.  Names are whatever members
 * say; topics are what the server has of them.  So a group looks at all names again when a
 * subscription changes and when topics may have changed: a topic may come later than those who are subscribed
 * to it, get more partitions, or go.
 *
 * The array of topics also keeps those that are gone, or nobody is subscribed to, as long as a member owns
 * one of their partitions.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "coordinator/modern_group.h"
#include "utils/memutils.h"

/* ---- sorted names -------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sort names, and let each one stand once.  Returns how many are left. */
static int32
sort_names(char **names, int32 count)
{
	int32		kept = 0;

	qsort(names, count, sizeof(char *), compare_names);
	for (int32 i = 0; i < count; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	return kept;
}

static bool
has_name(char **names, int32 count, const char *name)
{
	return count > 0 && bsearch(&name, names, count, sizeof(char *), compare_names) != NULL;
}

static bool
same_names(char **left, int32 left_count, char **right, int32 right_count)
{
	if (left_count != right_count)
		return false;
	for (int32 i = 0; i < left_count; i++)
		if (strcmp(left[i], right[i]) != 0)
			return false;
	return true;
}

/* A copy of names in one piece of the group's memory. */
static char **
copy_names(ModernGroup *group, char **names, int32 count)
{
	Size		size = Max(count, 1) * sizeof(char *);
	char	  **copy;
	char	   *next;

	for (int32 i = 0; i < count; i++)
		size += strlen(names[i]) + 1;
	copy = MemoryContextAllocHuge(group->memory, size);
	next = (char *) (copy + count);
	for (int32 i = 0; i < count; i++)
	{
		copy[i] = next;
		strcpy(next, names[i]);
		next += strlen(next) + 1;
	}
	return copy;
}

/* ---- arrays of pointers ------------------------------------------------------------ */

/* The array with room for one more; *room is how much it has. */
static void *
with_room(ModernGroup *group, void *array, int32 count, int32 *room)
{
	void	   *larger;

	if (count < *room)
		return array;
	larger = MemoryContextAlloc(group->memory, Max(8, *room * 2) * sizeof(void *));
	if (array != NULL)
	{
		memcpy(larger, array, count * sizeof(void *));
		pfree(array);
	}
	*room = Max(8, *room * 2);
	return larger;
}

/* ---- subscriptions ------------------------------------------------------------------ */

ModernRegex *
pgt_modern_group_find_regex(const ModernGroup *group, KafkaString pattern)
{
	for (int32 i = 0; i < group->regex_count; i++)
	{
		const char *known = group->regexes[i]->pattern;

		if ((int32) strlen(known) == pattern.length && memcmp(known, pattern.data, pattern.length) == 0)
			return group->regexes[i];
	}
	return NULL;
}

ModernRegex *
pgt_modern_group_add_regex(ModernGroup *group, KafkaString pattern, char **names, int32 count)
{
	ModernRegex *regex = MemoryContextAllocZero(group->memory, sizeof(ModernRegex));
	char	  **sorted = palloc(Max(count, 1) * sizeof(char *));

	if (count > 0)
		memcpy(sorted, names, count * sizeof(char *));
	regex->count = sort_names(sorted, count);
	regex->names = copy_names(group, sorted, regex->count);
	regex->pattern = MemoryContextAllocZero(group->memory, pattern.length + 1);
	if (pattern.length > 0)
		memcpy(regex->pattern, pattern.data, pattern.length);
	group->regexes = with_room(group, group->regexes, group->regex_count, &group->regex_room);
	group->regexes[group->regex_count++] = regex;
	return regex;
}

/* The subscriptions to an expression lead elsewhere. */
static void
forget_ids(ModernGroup *group, const ModernRegex *regex)
{
	for (int32 i = 0; i < group->subscription_count; i++)
	{
		ModernSubscription *subscription = group->subscriptions[i];

		if (subscription->regex != regex || subscription->ids == NULL)
			continue;
		pfree(subscription->ids);
		subscription->ids = NULL;
		subscription->id_count = 0;
	}
}

void
pgt_modern_group_set_matches(ModernGroup *group, ModernRegex *regex, char **names, int32 count)
{
	char	  **sorted = palloc(Max(count, 1) * sizeof(char *));
	int32		kept;
	char	  **copy;

	if (count > 0)
		memcpy(sorted, names, count * sizeof(char *));
	kept = sort_names(sorted, count);
	if (same_names(regex->names, regex->count, sorted, kept))
		return;
	copy = copy_names(group, sorted, kept);
	pfree(regex->names);
	regex->names = copy;
	regex->count = kept;
	forget_ids(group, regex);
	group->stale = true;
	group->bump = true;
	group->dirty = true;
}

/* Names of a request as C strings.  What has a zero byte is no name of a topic. */
static char **
take_names(const KafkaString *names, int32 count, int32 *taken)
{
	char	  **copy = palloc(Max(count, 1) * sizeof(char *));

	*taken = 0;
	for (int32 i = 0; i < count; i++)
		if (names[i].length > 0 && memchr(names[i].data, '\0', names[i].length) == NULL)
			copy[(*taken)++] = pnstrdup(names[i].data, names[i].length);
	*taken = sort_names(copy, *taken);
	return copy;
}

ModernSubscription *
pgt_modern_group_subscribe(ModernGroup *group, const KafkaString *names, int32 count, ModernRegex *regex)
{
	int32		taken;
	char	  **sorted = take_names(names, count, &taken);
	ModernSubscription *new;

	for (int32 i = 0; i < group->subscription_count; i++)
	{
		ModernSubscription *known = group->subscriptions[i];

		if (known->regex == regex && same_names(known->names, known->count, sorted, taken))
			return known;
	}
	new = MemoryContextAllocZero(group->memory, sizeof(ModernSubscription));
	new->names = copy_names(group, sorted, taken);
	new->count = taken;
	new->regex = regex;
	group->subscriptions = with_room(group, group->subscriptions, group->subscription_count, &group->subscription_room);
	group->subscriptions[group->subscription_count++] = new;
	return new;
}

/* Does a subscription have the name? */
static bool
subscription_has(const ModernSubscription *subscription, const char *topic)
{
	return has_name(subscription->names, subscription->count, topic) ||
		(subscription->regex != NULL && has_name(subscription->regex->names, subscription->regex->count, topic));
}

bool
pgt_modern_group_is_subscribed(const ModernGroup *group, const char *topic)
{
	for (int32 m = 0; m < group->member_count; m++)
	{
		const ModernSubscription *subscription = group->members[m]->subscription;

		/* members that stand beside each other mostly have the same one */
		if ((m == 0 || subscription != group->members[m - 1]->subscription) && subscription_has(subscription, topic))
			return true;
	}
	return false;
}

static int
compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(KafkaUuid));
}

bool
pgt_modern_group_subscription_leads_to(const ModernSubscription *subscription, const KafkaUuid *topic)
{
	return subscription->id_count > 0 &&
		bsearch(topic, subscription->ids, subscription->id_count, sizeof(KafkaUuid), compare_uuids) != NULL;
}

/* ---- a look at topics ------------------------------------------------------------------- */

/* What a name leads to. */
typedef struct NameLook
{
	const char *name;
	KafkaUuid	id;
	int32		partitions;		/* -1: there is no such topic */
} NameLook;

/* What the names of all members lead to: by name; and the topics by id, each once, though it may have two names. */
typedef struct TopicLooks
{
	NameLook   *names;
	int32		name_count;
	const NameLook **topics;
	int32		topic_count;
	uint64		hash;
	bool		busy;			/* some of them were */
} TopicLooks;

/* What is to become of the array of topics. */
typedef struct TopicPlan
{
	ModernTopic **topics;
	int32		count;
	const NameLook **looks;		/* of each; NULL: nobody is subscribed to it */
	ModernPartition **larger;	/* of each; NULL: what it has is enough */
	char	  **names;			/* of each; NULL: it keeps its name */
	bool		changes;
} TopicPlan;

/* All names that members are subscribed to, each once. */
static char **
all_names(ModernGroup *group, int32 *count)
{
	int64		room = 1;
	char	  **names;
	int32		n = 0;

	pgt_modern_group_count_users(group);
	for (int32 i = 0; i < group->subscription_count; i++)
		room += group->subscriptions[i]->count;
	for (int32 i = 0; i < group->regex_count; i++)
		room += group->regexes[i]->count;
	names = palloc_extended(room * sizeof(char *), MCXT_ALLOC_HUGE);
	for (int32 i = 0; i < group->subscription_count; i++)
		for (int32 k = 0; group->subscriptions[i]->users > 0 && k < group->subscriptions[i]->count; k++)
			names[n++] = group->subscriptions[i]->names[k];
	for (int32 i = 0; i < group->regex_count; i++)
		for (int32 k = 0; group->regexes[i]->users > 0 && k < group->regexes[i]->count; k++)
			names[n++] = group->regexes[i]->names[k];
	*count = sort_names(names, n);
	return names;
}

static int
compare_looks(const void *a, const void *b)
{
	return compare_uuids(&(*(const NameLook *const *) a)->id, &(*(const NameLook *const *) b)->id);
}

/* As many partitions as a topic had when it was looked at last; -1: it was not the group's. */
static int32
partitions_before(const ModernGroup *group, const KafkaUuid *id)
{
	const ModernTopic *topic = pgt_modern_group_find_topic(group, id);

	return topic == NULL || !topic->subscribed ? -1 : topic->count;
}

/* Note what a name leads to. */
static void
look_at(const ModernGroup *group, TopicLooks *looks, const ModernWorld *world, const char *name)
{
	NameLook   *look = &looks->names[looks->name_count++];

	memset(look, 0, sizeof(*look));
	look->name = name;
	switch (world->describe(world->arg, name, &look->id, &look->partitions))
	{
		case MODERN_LOOK_NOTHING:
			look->partitions = -1;
			break;
		case MODERN_LOOK_BUSY:
			look->partitions = partitions_before(group, &look->id);
			looks->busy = true;
			break;
		case MODERN_LOOK_TOPIC:
			break;
	}
	if (look->partitions < 0)
		return;
	looks->topics[looks->topic_count++] = look;
	looks->hash = hash_bytes_extended((const unsigned char *) name, (int) strlen(name), looks->hash);
	looks->hash = hash_bytes_extended(look->id.bytes, sizeof(look->id), looks->hash);
}

/* Look at all names. */
static void
look_at_names(ModernGroup *group, const ModernWorld *world, TopicLooks *looks)
{
	int32		count;
	char	  **names = all_names(group, &count);
	int32		kept = 0;

	memset(looks, 0, sizeof(*looks));
	looks->names = palloc(Max(count, 1) * sizeof(NameLook));
	looks->topics = palloc(Max(count, 1) * sizeof(NameLook *));
	for (int32 i = 0; i < count; i++)
		look_at(group, looks, world, names[i]);
	qsort(looks->topics, looks->topic_count, sizeof(NameLook *), compare_looks);
	for (int32 i = 0; i < looks->topic_count; i++)
		if (kept == 0 || compare_looks(&looks->topics[kept - 1], &looks->topics[i]) != 0)
			looks->topics[kept++] = looks->topics[i];
	looks->topic_count = kept;
}

/* ---- what subscriptions lead to ------------------------------------------------------------ */

static int
compare_name_looks(const void *a, const void *b)
{
	return strcmp(((const NameLook *) a)->name, ((const NameLook *) b)->name);
}

/* Add the topics that names lead to. */
static void
add_ids(const TopicLooks *looks, char **names, int32 count, KafkaUuid *ids, int32 *id_count)
{
	for (int32 i = 0; i < count; i++)
	{
		NameLook	key = {.name = names[i]};
		const NameLook *look = bsearch(&key, looks->names, looks->name_count, sizeof(NameLook), compare_name_looks);

		if (look != NULL && look->partitions >= 0)
			ids[(*id_count)++] = look->id;
	}
}

/* The topics of a subscription, sorted, each once, in the group's memory. */
static KafkaUuid *
find_ids(ModernGroup *group, const TopicLooks *looks, const ModernSubscription *subscription, int32 *count)
{
	const ModernRegex *regex = subscription->regex;
	Size		room = (Size) subscription->count + (regex != NULL ? regex->count : 0) + 1;
	KafkaUuid  *ids = MemoryContextAllocHuge(group->memory, room * sizeof(KafkaUuid));
	int32		n = 0;
	int32		kept = 0;

	add_ids(looks, subscription->names, subscription->count, ids, &n);
	if (regex != NULL)
		add_ids(looks, regex->names, regex->count, ids, &n);
	qsort(ids, n, sizeof(KafkaUuid), compare_uuids);
	for (int32 i = 0; i < n; i++)
		if (kept == 0 || compare_uuids(&ids[kept - 1], &ids[i]) != 0)
			ids[kept++] = ids[i];
	*count = kept;
	return ids;
}

/* Find the topics of those subscriptions for which they are not known: of all, where names lead elsewhere. */
static void
find_all_ids(ModernGroup *group, const TopicLooks *looks)
{
	for (int32 i = 0; i < group->subscription_count; i++)
	{
		ModernSubscription *subscription = group->subscriptions[i];
		KafkaUuid  *ids;
		int32		count;

		if (subscription->users == 0 || (subscription->ids != NULL && looks->hash == group->names_hash))
			continue;
		ids = find_ids(group, looks, subscription, &count);
		if (subscription->ids != NULL)
		{
			if (count != subscription->id_count || memcmp(ids, subscription->ids, count * sizeof(KafkaUuid)) != 0)
				group->bump = true;
			pfree(subscription->ids);
		}
		subscription->ids = ids;
		subscription->id_count = count;
	}
}

/* ---- the array of topics ------------------------------------------------------------------- */

static bool
is_owned(const ModernTopic *topic)
{
	for (int32 p = 0; p < topic->room; p++)
		if (topic->partitions[p].owner != NULL)
			return true;
	return false;
}

static ModernTopic *
make_topic(ModernGroup *group, const NameLook *look)
{
	ModernTopic *topic = MemoryContextAllocZero(group->memory, sizeof(ModernTopic));

	topic->id = look->id;
	topic->name = MemoryContextStrdup(group->memory, look->name);
	return topic;
}

/* Would a topic become another one than it is?  It is NULL where it is new, and so is the look where nobody wants it. */
static bool
changes(const ModernTopic *topic, const NameLook *look)
{
	return topic == NULL || topic->subscribed != (look != NULL) || (look != NULL && topic->count != look->partitions);
}

/* Add a topic to the plan. */
static void
plan_topic(ModernGroup *group, TopicPlan *plan, ModernTopic *topic, const NameLook *look)
{
	int32		i = plan->count;

	plan->changes |= changes(topic, look);
	if (look == NULL && !is_owned(topic))
		return;
	if (topic == NULL)
		topic = make_topic(group, look);
	plan->topics[i] = topic;
	plan->looks[i] = look;
	plan->larger[i] = look == NULL || look->partitions <= topic->room ? NULL :
		MemoryContextAllocZero(group->memory, (Size) look->partitions * sizeof(ModernPartition));
	plan->names[i] = look == NULL || strcmp(topic->name, look->name) == 0 ? NULL :
		MemoryContextStrdup(group->memory, look->name);
	plan->count++;
}

/* Merge the topics that the group has with what there is now.  Both are sorted. */
static void
make_plan(ModernGroup *group, TopicPlan *plan, const TopicLooks *looks)
{
	int32		room = group->topic_count + looks->topic_count + 1;
	int32		t = 0;
	int32		i = 0;

	plan->count = 0;
	plan->changes = false;
	plan->topics = MemoryContextAlloc(group->memory, room * sizeof(ModernTopic *));
	plan->looks = palloc(room * sizeof(NameLook *));
	plan->larger = palloc(room * sizeof(ModernPartition *));
	plan->names = palloc(room * sizeof(char *));
	while (t < group->topic_count || i < looks->topic_count)
	{
		int			order = t == group->topic_count ? 1 : i == looks->topic_count ? -1 :
			compare_uuids(&group->topics[t]->id, &looks->topics[i]->id);

		plan_topic(group, plan, order <= 0 ? group->topics[t] : NULL, order >= 0 ? looks->topics[i] : NULL);
		t += order <= 0;
		i += order >= 0;
	}
}

/* Make a topic what the plan says.  A partition that is not there any more is nobody's aim. */
static void
apply_to_topic(ModernTopic *topic, const NameLook *look, ModernPartition *larger, char *name)
{
	if (name != NULL)
	{
		pfree(topic->name);
		topic->name = name;
	}
	if (larger != NULL)
	{
		if (topic->room > 0)
			memcpy(larger, topic->partitions, topic->room * sizeof(ModernPartition));
		if (topic->partitions != NULL)
			pfree(topic->partitions);
		topic->partitions = larger;
		topic->room = look->partitions;
	}
	topic->subscribed = look != NULL;
	topic->count = look != NULL ? look->partitions : 0;
	for (int32 p = topic->count; p < topic->room; p++)
		topic->partitions[p].target = NULL;
}

/* Free the topics that are not in the plan: both are sorted. */
static void
free_others(ModernGroup *group, const TopicPlan *plan)
{
	int32		i = 0;

	for (int32 t = 0; t < group->topic_count; t++)
	{
		ModernTopic *topic = group->topics[t];

		while (i < plan->count && compare_uuids(&plan->topics[i]->id, &topic->id) < 0)
			i++;
		if (i < plan->count && plan->topics[i] == topic)
			continue;
		group->dirty = true;
		if (topic->partitions != NULL)
			pfree(topic->partitions);
		pfree(topic->name);
		pfree(topic);
	}
	if (group->topics != NULL)
		pfree(group->topics);
}

void
pgt_modern_group_look_at_topics(ModernGroup *group, const ModernWorld *world)
{
	TopicLooks	looks;
	TopicPlan	plan;

	look_at_names(group, world, &looks);
	make_plan(group, &plan, &looks);
	find_all_ids(group, &looks);

	/* from here on nothing is thrown */
	for (int32 i = 0; i < plan.count; i++)
		apply_to_topic(plan.topics[i], plan.looks[i], plan.larger[i], plan.names[i]);
	free_others(group, &plan);
	group->topics = plan.topics;
	group->topic_count = plan.count;
	group->names_hash = looks.hash;
	group->topics_version = world->topics_version;
	group->stale = looks.busy;
	if (plan.changes)
		group->bump = true;
}

ModernTopic *
pgt_modern_group_find_topic(const ModernGroup *group, const KafkaUuid *id)
{
	int32		low = 0;
	int32		high = group->topic_count;

	while (low < high)
	{
		int32		middle = low + (high - low) / 2;
		int			order = memcmp(id, &group->topics[middle]->id, sizeof(KafkaUuid));

		if (order == 0)
			return group->topics[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
