/*
 * share_members_test.c
 *	  Tests of the members of share groups without a server: joining, epochs, sessions, assignments.
 *
 * In random lives members join, leave, fall silent and lose answers, while topics come and grow.  After each step all partitions of
 * all topics that anybody is subscribed to are somebody's, and nobody has one of a topic that he is not subscribed to.
 *
 *		share_members_test [SEED]
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "coordinator/share_members.h"
#include "utils/memutils.h"

/* ---- the server's memory contexts: nothing is given back ------------------------------- */

MemoryContext CurrentMemoryContext = NULL;

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size min, Size init, Size max)
{
	return palloc0(64);
}

void
MemoryContextDelete(MemoryContext context)
{
	pfree(context);
}

void
MemoryContextSetParent(MemoryContext context, MemoryContext parent)
{
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return palloc0(size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return palloc(size);
}

/* ---- a world ------------------------------------------------------------------------------ */

#define TOPICS		4

static const char *const names[TOPICS] = {"a", "b", "c", "d"};
static int	partitions_of[TOPICS];
static ShareMembersWorld world;

static bool
find_topic(const char *name, KafkaUuid *id, int32 *partitions, void *arg)
{
	int			n = name[0] - 'a';

	if (n < 0 || n >= TOPICS || partitions_of[n] == 0)
		return false;
	memset(id, 0, sizeof(*id));
	id->bytes[0] = n + 1;
	*partitions = partitions_of[n];
	return true;
}

static void
set_topic(int n, int partitions)
{
	partitions_of[n] = partitions;
	world.topics_version++;
}

static KafkaString
string_of(const char *text)
{
	return (KafkaString) {text, strlen(text)};
}

/* A heartbeat; "mask" are the topics that it tells of, -1: none. */
static ShareMembersAnswer
beat(ShareMembers *group, const char *member, int32 epoch, int mask)
{
	KafkaShareGroupHeartbeatRequest request = {
		.group_id = string_of("g"),.member_id = string_of(member),.member_epoch = epoch,.rack_id = {NULL, -1}
	};
	KafkaString subscribed[TOPICS];
	ShareMembersAnswer answer;

	request.subscribed_topic_names.items = subscribed;
	request.subscribed_topic_names.count = mask < 0 ? -1 : 0;
	for (int n = 0; mask >= 0 && n < TOPICS; n++)
	{
		if (mask & (1 << n))
			subscribed[request.subscribed_topic_names.count++] = string_of(names[n]);
	}
	pgt_share_members_heartbeat(group, &request, &world, &answer);
	return answer;
}

/* How many partitions of a topic a member has. */
static int
count_of(const ShareMember *member, int topic)
{
	for (int t = 0; t < member->target.count; t++)
	{
		if (member->target.topics[t].topic.bytes[0] == topic + 1)
			return member->target.topics[t].count;
	}
	return 0;
}

static bool
is_in(const ShareMember *member, const char *name)
{
	for (int i = 0; i < member->name_count; i++)
	{
		if (strcmp(member->names[i], name) == 0)
			return true;
	}
	return false;
}

/* Are all partitions shared out, as of the last request? */
static bool
is_shared_out(ShareMembers *group)
{
	for (int n = 0; n < TOPICS; n++)
	{
		bool		taken[64] = {false};
		int			subscribers = 0;
		int			most = 0;
		int			least = PG_INT32_MAX;
		int			missing = 0;
		dlist_iter	iter;

		dlist_foreach(iter, &group->members)
		{
			const ShareMember *member = dlist_container(ShareMember, node, iter.cur);
			int			count = count_of(member, n);

			if (!is_in(member, names[n]))
			{
				if (count > 0)
					return false;
				continue;
			}
			subscribers++;
			most = Max(most, count);
			least = Min(least, count);
			for (int t = 0; t < member->target.count; t++)
			{
				for (int p = 0; member->target.topics[t].topic.bytes[0] == n + 1 && p < member->target.topics[t].count; p++)
					taken[member->target.topics[t].partitions[p]] = true;
			}
		}
		for (int p = 0; p < partitions_of[n]; p++)
			missing += !taken[p];
		if (subscribers > 0 && (missing > 0 || most - least > 1))
			return false;
		if (subscribers > partitions_of[n] && partitions_of[n] > 0 && (most != 1 || least != 1))
			return false;
	}
	return true;
}

static void
count_gone(const ShareMember *member, void *arg)
{
	(*(int *) arg)++;
}

/* ---- scenarios ------------------------------------------------------------------------------ */

static ShareMembers *
begin(void)
{
	world = (ShareMembersWorld) {
		.now = 1000,.session_timeout = 100,.most_members = 8,.client_id = "client",.client_host = "/host",
		.topics_version = 1,.find_topic = find_topic
	};
	memset(partitions_of, 0, sizeof(partitions_of));
	set_topic(0, 3);
	return pgt_share_members_create(NULL);
}

static void
test_members(void)
{
	ShareMembers *group = begin();
	ShareMembersAnswer first = beat(group, "first", 0, 1);
	ShareMembersAnswer second;
	int			gone = 0;

	ok(first.error == KAFKA_ERROR_NONE && first.epoch > 0 && first.has_assignment && count_of(first.member, 0) == 3,
	   "the first member has all");
	ok(!beat(group, "first", first.epoch, -1).has_assignment, "and is told once");
	second = beat(group, "second", 0, 1);
	ok(second.epoch > first.epoch && count_of(second.member, 0) + count_of(first.member, 0) == 3, "a second one shares them");
	ok(beat(group, "first", first.epoch, -1).epoch == second.epoch, "the first one takes over the epoch");
	ok(beat(group, "first", first.epoch, -1).has_assignment, "and is told again where the answer was lost");
	ok(beat(group, "first", second.epoch + 1, -1).error == KAFKA_ERROR_FENCED_MEMBER_EPOCH, "an epoch that is ahead");
	ok(beat(group, "third", 1, -1).error == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "a member that is not known");
	ok(beat(group, "second", -1, -1).epoch == -1 && group->count == 1, "one leaves");
	ok(count_of(beat(group, "first", second.epoch, -1).member, 0) == 3, "and the other one has all again");
	world.now += 99;
	ok(pgt_share_members_expire(group, world.now, count_gone, &gone) == 1100 && gone == 0, "a session lasts");
	world.now += 1;
	ok(pgt_share_members_expire(group, world.now, count_gone, &gone) == DEADLINE_NEVER && gone == 1 && group->count == 0,
	   "and ends");
}

static void
test_lives(uint64 lives)
{
	bool		good = true;

	for (uint64 life = 0; life < lives && good; life++)
	{
		ShareMembers *group = begin();
		int32		epochs[10] = {0};
		int32		last = 0;

		for (int step = 0; step < 60 && good; step++)
		{
			int			m = pick(10);
			char		id[8];
			int			gone = 0;
			ShareMembersAnswer answer = {.error = KAFKA_ERROR_NONE};

			snprintf(id, sizeof(id), "m%d", m);
			world.now += pick(20);
			(void) pgt_share_members_expire(group, world.now, count_gone, &gone);
			switch (pick(8))
			{
				case 0:
					set_topic(pick(TOPICS), 1 + pick(12));
					continue;
				case 1:
					(void) beat(group, id, -1, -1);
					epochs[m] = 0;
					answer = beat(group, "m0", 0, 1 + pick(15));
					break;
				default:
					answer = beat(group, id, epochs[m], epochs[m] == 0 || pick(4) == 0 ? 1 + (int) pick(15) : -1);
					if (answer.error == KAFKA_ERROR_UNKNOWN_MEMBER_ID)
						epochs[m] = 0;
					else if (answer.error == KAFKA_ERROR_NONE && pick(5) > 0)
						epochs[m] = answer.epoch;
					break;
			}
			if (answer.error == KAFKA_ERROR_FENCED_MEMBER_EPOCH)
				epochs[m] = 0;
			if (answer.error != KAFKA_ERROR_NONE || answer.member == NULL)
				continue;
			good = answer.epoch >= last && is_shared_out(group);
			last = answer.epoch;
		}
	}
	ok(good, "random lives: all partitions are shared out evenly");
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		random_state = strtoull(argv[1], NULL, 10);
	test_members();
	test_lives(300);
	return tap_end();
}
