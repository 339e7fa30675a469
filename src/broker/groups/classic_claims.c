/*
 * classic_claims.c
 *	  The partitions that a classic group has claimed, and those that its members are to have.
 *
 * Before members are told of their assignments, the partitions in these are claimed for them (group/kafka_claim.h), so that
 * no consumer in SQL has one of them.  What is in an assignment is the leader's affair, and may be anything: topics
 * that do not exist are passed over.  What exists and cannot be claimed is not told: whose the group is can change under its
 * members, and a role that may not read a topic, or has no part in a group of that name there, keeps nobody in SQL away from it.
 *
 *	  wanted	what the members are to have, as the walk finds it
 *	  held		what is claimed, as far as this process knows.  What is held and not wanted is released
 *	  withheld	what the members are to have and cannot be claimed: SQL has it, beyond the time that is waited for that, or the group's
 *			role may not (classic_withheld.c)
 *
 * Nothing is claimed that is in neither.  Where that is in doubt, as when a transaction in which claims were released was
 * lost, or a crash came before all were released, "held" is read from the rows.
 *
 * An assignment can have more partitions than can be claimed in a turn, so the walk goes on later where it was.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/topic_names.h"
#include "broker/groups/classic_claims.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/shared_group_log.h"
#include "group/kafka_claim.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define LEAST_ROOM		16
#define MOST_CLAIMS		1000000 /* of a group: what a client names may be what it has made up */

typedef struct ClassicClaim
{
	Oid			topic;
	int32		partition;
} ClassicClaim;

/* ---- sets ------------------------------------------------------------------------- */

static void
add(ClassicClaimsSet *set, Oid topic, int32 partition)
{
	if (set->count > 0 && set->items[set->count - 1].topic == topic && set->items[set->count - 1].partition == partition)
		return;
	if (set->count == set->room)
	{
		int32		room = Max(set->room * 2, LEAST_ROOM);

		set->items = set->items == NULL ? MemoryContextAlloc(pgt_group_coordinator_memory(), room * sizeof(ClassicClaim)) :
			repalloc(set->items, room * sizeof(ClassicClaim));
		set->room = room;
	}
	set->items[set->count++] = (ClassicClaim) {topic, partition};
}

static void
clear(ClassicClaimsSet *set)
{
	if (set->items != NULL)
		pfree(set->items);
	*set = (ClassicClaimsSet) {0};
}

static int
compare(const void *a, const void *b)
{
	const ClassicClaim *left = a;
	const ClassicClaim *right = b;

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

/* Put a set in order. */
static void
sort(ClassicClaimsSet *set)
{
	if (set->count > 1)
		qsort(set->items, set->count, sizeof(ClassicClaim), compare);
}

static bool
contains(const ClassicClaimsSet *sorted, const ClassicClaim *claim)
{
	return sorted->count > 0 && bsearch(claim, sorted->items, sorted->count, sizeof(ClassicClaim), compare) != NULL;
}

void
pgt_classic_claims_free(ClassicClaims *claims)
{
	clear(&claims->held);
	clear(&claims->wanted);
	pgt_classic_withheld_clear(&claims->withheld);
	pgt_classic_withheld_clear(&claims->before);
}

/* Let the group hold what a walk has claimed that was not brought to its end, too. */
static void
merge(ClassicClaims *claims)
{
	ClassicClaimsSet *held = &claims->held;
	int32		count = 0;

	if (claims->wanted.count == 0)
		return;
	for (int32 i = 0; i < claims->wanted.count; i++)
		add(held, claims->wanted.items[i].topic, claims->wanted.items[i].partition);
	sort(held);
	for (int32 i = 0; i < held->count; i++)
		if (count == 0 || compare(&held->items[count - 1], &held->items[i]) != 0)
			held->items[count++] = held->items[i];
	held->count = count;
	clear(&claims->wanted);
}

/* ---- claiming ---------------------------------------------------------------------- */

void
pgt_classic_claims_begin(ClassicClaims *claims, ClassicGroup *group, bool only_new)
{
	merge(claims);
	pgt_classic_withheld_merge(&claims->before, &claims->withheld);
	claims->only_new = only_new;
	claims->member = NULL;
	claims->has_partition = false;
	claims->next = dlist_is_empty(&group->members) ? NULL : dlist_head_node(&group->members);
}

/* The next member of the walk. */
static void
next_member(ClassicClaims *claims, ClassicGroup *group)
{
	ClassicMember *member = dlist_container(ClassicMember, node, claims->next);

	claims->next = dlist_has_next(&group->members, claims->next) ? dlist_next_node(&group->members, claims->next) : NULL;
	if (claims->only_new && member->stored)
		return;
	claims->member = member;
	pgt_consumer_protocol_begin(&claims->reader, group->storing ? member->next_assignment : member->assignment);
}

/* Claim a partition for a member, where the group's role may consume the topic. */
static KafkaClaim
take(CoordinatorGroup *registered, Oid topic, int32 partition, const char *member)
{
	BrokerConnection owner = {.authenticated = true,.role = pgt_group_owner_of(registered)};

	if (!pgt_topic_exists(topic))
		return KAFKA_CLAIM_GONE;
	if (!pgt_access_topic(&owner, topic, ACL_SELECT))
		return KAFKA_CLAIM_DENIED;
	return pgt_group_owner_claim(registered, topic, partition, member);
}

/* Is it of no use to wait for the partition as long as a rebalance may last? */
static bool
is_long(const ClassicClaims *claims, KafkaClaim result)
{
	return result == KAFKA_CLAIM_DENIED || pgt_classic_withheld_has(&claims->before, claims->reader.topic, claims->partition);
}

/* Claim the partition at hand. */
static ClassicClaimsStep
claim(ClassicClaims *claims, CoordinatorGroup *registered, bool force)
{
	bool		is_enough = claims->wanted.count + claims->withheld.count >= MOST_CLAIMS;
	Oid			topic = is_enough ? InvalidOid : pgt_topic_names_find(claims->reader.topic);
	KafkaClaim	result;

	if (!OidIsValid(topic))
		return CLASSIC_CLAIMS_DONE;
	result = take(registered, topic, claims->partition, claims->member->id);
	if (result == KAFKA_CLAIM_DONE)
		add(&claims->wanted, topic, claims->partition);
	else if (result != KAFKA_CLAIM_GONE)
	{
		if (!force && !is_long(claims, result))
			return CLASSIC_CLAIMS_BUSY;
		pgt_classic_withheld_add(&claims->withheld, claims->reader.topic, topic, claims->partition);
		pgt_shared_group_log_waiting(registered->id, pgt_topic_names_of(topic), claims->partition, result);
	}
	return CLASSIC_CLAIMS_DONE;
}

ClassicClaimsStep
pgt_classic_claims_go_on(ClassicClaims *claims, CoordinatorGroup *registered, ClassicGroup *group, int64 until,
						 bool force)
{
	for (;;)
	{
		if (!claims->has_partition && claims->member != NULL)
		{
			claims->has_partition = pgt_consumer_protocol_next_partition(&claims->reader, &claims->partition);
			if (!claims->has_partition)
				claims->member = NULL;
		}
		if (claims->has_partition && claim(claims, registered, force) == CLASSIC_CLAIMS_BUSY)
			return CLASSIC_CLAIMS_BUSY;
		claims->has_partition = false;
		if (claims->member == NULL)
		{
			if (claims->next == NULL)
				return CLASSIC_CLAIMS_DONE;
			next_member(claims, group);
		}
		if (pgt_clock_monotonic_us() >= until)
			return CLASSIC_CLAIMS_MORE;
	}
}

void
pgt_classic_claims_end(ClassicClaims *claims)
{
	/* of the members that were not looked at it is still so */
	if (claims->only_new)
		pgt_classic_withheld_merge(&claims->withheld, &claims->before);
	pgt_classic_withheld_clear(&claims->before);
	pgt_classic_withheld_sort(&claims->withheld);
}

/* ---- what is withheld ---------------------------------------------------------------- */

static bool
is_withheld(KafkaString topic, int32 partition, void *arg)
{
	const ClassicClaims *claims = arg;

	return pgt_classic_withheld_has(&claims->withheld, topic, partition) || pgt_classic_withheld_has(&claims->before, topic, partition);
}

KafkaBytes
pgt_classic_claims_told(const ClassicClaims *claims, KafkaBytes assignment)
{
	if (claims->withheld.count == 0 && claims->before.count == 0)
		return assignment;
	return pgt_consumer_protocol_leave_out(assignment, is_withheld, unconstify(ClassicClaims *, claims));
}

void
pgt_classic_claims_begin_regain(ClassicClaims *claims)
{
	claims->tried = 0;
	claims->regained = false;
}

/* Try one.  False: there is none any more. */
static bool
try_regain(ClassicClaims *claims, CoordinatorGroup *registered, const ClassicGroup *group, const ClassicWithheldPartition *item)
{
	/* whoever is to have it is known after the rebalance */
	switch (take(registered, item->topic, item->partition, group->leader->id))
	{
		case KAFKA_CLAIM_DONE:
			add(&claims->held, item->topic, item->partition);
			claims->regained = true;
			return true;
		case KAFKA_CLAIM_GONE:
			return false;
		default:
			return true;
	}
}

ClassicClaimsStep
pgt_classic_claims_regain(ClassicClaims *claims, CoordinatorGroup *registered, const ClassicGroup *group, int64 until)
{
	ClassicWithheld *withheld = &claims->withheld;

	while (claims->tried < withheld->count)
	{
		ClassicWithheldPartition *item = &withheld->items[claims->tried];

		if (group->leader != NULL && try_regain(claims, registered, group, item))
			claims->tried++;
		else
			memmove(item, item + 1, (--withheld->count - claims->tried) * sizeof(*item));
		if (pgt_clock_monotonic_us() >= until)
			return CLASSIC_CLAIMS_MORE;
	}
	return CLASSIC_CLAIMS_DONE;
}

/* ---- releasing ---------------------------------------------------------------------- */

/* What is released is taken off the end of "held". */
void
pgt_classic_claims_begin_release(ClassicClaims *claims)
{
	int32		released = 0;

	sort(&claims->wanted);
	for (int32 i = 0; i < claims->held.count; i++)
		if (!contains(&claims->wanted, &claims->held.items[i]))
			claims->held.items[released++] = claims->held.items[i];
	claims->held.count = released;
}

ClassicClaimsStep
pgt_classic_claims_release(ClassicClaims *claims, const CoordinatorGroup *registered, int64 until)
{
	while (claims->held.count > 0)
	{
		const ClassicClaim *last = &claims->held.items[claims->held.count - 1];

		if (!pgt_kafka_claim_release(registered->id, last->topic, last->partition))
			return CLASSIC_CLAIMS_BUSY;
		claims->held.count--;
		if (pgt_clock_monotonic_us() >= until)
			return CLASSIC_CLAIMS_MORE;
	}
	return CLASSIC_CLAIMS_DONE;
}

void
pgt_classic_claims_released(ClassicClaims *claims)
{
	clear(&claims->held);
	claims->held = claims->wanted;
	claims->wanted = (ClassicClaimsSet) {0};
}

/* ---- what rows say ---------------------------------------------------------------------- */

/* Add a partition that is claimed. */
static void
note_claim(Oid topic, int32 partition, void *arg)
{
	add(arg, topic, partition);
}

void
pgt_classic_claims_read(ClassicClaims *claims, const CoordinatorGroup *registered)
{
	claims->held.count = 0;
	pgt_kafka_claim_each(registered->id, note_claim, &claims->held);
}

/* Are the group's assignments those of consumers? */
static bool
is_of_consumers(const ClassicGroup *group)
{
	return group->protocol_type != NULL && strcmp(group->protocol_type, CONSUMER_PROTOCOL_TYPE) == 0;
}

bool
pgt_classic_claims_load(ClassicClaims *claims, const CoordinatorGroup *registered, ClassicGroup *group)
{
	dlist_iter	iter;

	pgt_classic_claims_read(claims, registered);
	sort(&claims->held);
	dlist_foreach(iter, &group->members)
	{
		ConsumerProtocolReader reader;
		int32		partition;

		pgt_consumer_protocol_begin(&reader, dlist_container(ClassicMember, node, iter.cur)->assignment);
		while (claims->wanted.count + claims->withheld.count < MOST_CLAIMS && pgt_consumer_protocol_next_partition(&reader, &partition))
		{
			ClassicClaim assigned = {pgt_topic_names_find(reader.topic), partition};

			if (OidIsValid(assigned.topic) && contains(&claims->held, &assigned))
				add(&claims->wanted, assigned.topic, partition);
			else if (OidIsValid(assigned.topic) && is_of_consumers(group))
				pgt_classic_withheld_add(&claims->withheld, reader.topic, assigned.topic, partition);
		}
	}
	sort(&claims->wanted);
	pgt_classic_withheld_sort(&claims->withheld);
	for (int32 i = 0; i < claims->held.count; i++)
		if (!contains(&claims->wanted, &claims->held.items[i]))
			return true;
	clear(&claims->wanted);
	return false;
}
