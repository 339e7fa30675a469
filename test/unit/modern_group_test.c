/*
 * modern_group_test.c
 *	  Tests of the groups of Kafka's new protocol without a server: scenarios of the protocol one by one, and random
 *	  lives of groups against what must always hold.
 *
 * In the random lives members join, leave, fall silent and come back, lose answers, change what they are
 * subscribed to, go as static members and come back; topics come, grow and go; claims are refused; memory ends and callbacks throw
 * errors in the midst of a heartbeat; and the group is written to bytes and read again.  Some speak the classic protocol, and are
 * rolled over to the new one and back; when all do, the group becomes a classic one, and one of the new protocol again.  After each
 * step:
 *
 *	  - what a member believes to own, the group believes so too, so that no partition has two owners;
 *	  - epochs grow;
 *
 * and once all is quiet, within a few heartbeats each partition is owned by its target, members are stable, and the
 * assignment is balanced.
 *
 *		modern_group_test [SEED [LIVES]]
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include <setjmp.h>

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "coordinator/consumer_protocol.h"
#include "coordinator/group_migration.h"
#include "coordinator/modern_format.h"
#include "kafka/kafka_messages.h"
#include "utils/memutils.h"

static bool
one_in(uint32 n)
{
	return pick(n) == 0;
}

/* ---- the server's memory contexts, whose memory may end --------------------------- */

static sigjmp_buf on_error;
static int	error_chance = 0;	/* one in so many; 0: none */

static void
maybe_throw(void)
{
	if (error_chance > 0 && one_in(error_chance))
		siglongjmp(on_error, 1);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	maybe_throw();
	return palloc(size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	maybe_throw();
	return palloc0(size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	maybe_throw();
	return palloc(size);
}

char *
MemoryContextStrdup(MemoryContext context, const char *string)
{
	maybe_throw();
	return pstrdup(string);
}

/* ---- topics ------------------------------------------------------------------------- */

#define TOPICS		6
#define MOST_PARTITIONS	24

typedef struct TestTopic
{
	char		name[8];
	int			id;				/* 0: there is none */
	int			partitions;
} TestTopic;

static TestTopic topics[TOPICS];
static int	next_topic_id;
static uint64 topics_version;

static KafkaUuid
uuid_of(int id)
{
	KafkaUuid	uuid = {{0}};

	uuid.bytes[14] = (uint8) (id >> 8);
	uuid.bytes[15] = (uint8) id;
	return uuid;
}

static void
make_topic(int place, int partitions)
{
	snprintf(topics[place].name, sizeof(topics[place].name), "t%d", place);
	topics[place].id = ++next_topic_id;
	topics[place].partitions = partitions;
	topics_version++;
}

static void
clear_topics(void)
{
	memset(topics, 0, sizeof(topics));
	next_topic_id = 0;
	topics_version = 1;
}

static int	looks;				/* at names */

static int	busy_chance = 0;	/* of topics that are looked at: one in so many is busy; 0: none */

static ModernLook
describe(void *arg, const char *name, KafkaUuid *id, int32 *partitions)
{
	maybe_throw();
	looks++;
	for (int i = 0; i < TOPICS; i++)
		if (topics[i].id != 0 && strcmp(topics[i].name, name) == 0)
		{
			*id = uuid_of(topics[i].id);
			if (busy_chance > 0 && one_in(busy_chance))
				return MODERN_LOOK_BUSY;
			*partitions = topics[i].partitions;
			return MODERN_LOOK_TOPIC;
		}
	return MODERN_LOOK_NOTHING;
}

static int	refuse_chance = 0;
static int	announce_chance = 0;	/* of requests: one in so many is announced; 0: none */
static int	claims;

static bool
claim(void *arg, const ModernTopic *topic, int32 partition, const ModernMember *member)
{
	maybe_throw();
	claims++;
	return refuse_chance == 0 || !one_in(refuse_chance);
}

/* ---- clients -------------------------------------------------------------------------- */

#define CLIENTS		8
#define SESSION		45000
#define REBALANCE	60000
#define INTERVAL	5000

typedef struct TestPartition
{
	int			topic;			/* id */
	int			partition;
} TestPartition;

/* A member as it is on its own side. */
typedef struct TestClient
{
	char		id[32];
	char		instance[16];	/* "": it is no static member */
	int			epoch;
	bool		joined;			/* it believes so */
	bool		silent;
	bool		says_all;		/* its next heartbeat is a whole one: the last answer was lost, or it joins */
	int			subscribed;		/* a set of topics */
	bool		by_regex;
	char		assignor[8];
	TestPartition owned[TOPICS * MOST_PARTITIONS * 4];
	int			owned_count;
	TestPartition target[TOPICS * MOST_PARTITIONS * 4];
	int			target_count;
	bool		revokes;		/* it is about to give up what is not in target */
	bool		says_owned;		/* what it owns has changed, and it has not told yet */
	bool		classic;		/* it speaks the classic protocol, with its epoch as the generation */
	bool		eager;			/* then it gives all up before it joins again */
} TestClient;

static ModernGroup *group;
static TestClient clients[CLIENTS];
static int64 now;
static int	next_member;
static ModernAnswer answer;
static const char *trouble;		/* what did not hold, first of all */

static void
must(bool good, const char *what)
{
	if (!good && trouble == NULL)
		trouble = what;
}

static KafkaString
string_of(const char *text)
{
	KafkaString string = {.data = text, .length = text == NULL ? -1 : (int32) strlen(text)};

	return string;
}

/* An empty request of a client. */
static void
init_request(KafkaConsumerGroupHeartbeatRequest *request, const char *member, int epoch)
{
	memset(request, 0, sizeof(*request));
	request->group_id = string_of("g");
	request->member_id = string_of(member);
	request->member_epoch = epoch;
	request->instance_id = request->rack_id = request->subscribed_topic_regex = request->server_assignor = string_of(NULL);
	request->rebalance_timeout_ms = -1;
	request->subscribed_topic_names.count = -1;
	request->topic_partitions.count = -1;
}

/* Serve a request; false: an error was thrown. */
static bool
serve(const KafkaConsumerGroupHeartbeatRequest *request, char **matches, int match_count)
{
	ModernWorld world = {
		.now = now, .session_timeout = SESSION, .max_size = CLIENTS, .topics_version = topics_version,
		.new_member_id = "made-here", .client_id = "client", .client_host = "/127.0.0.1",
		.matches = matches, .match_count = match_count, .describe = describe, .claim = claim
	};
	KafkaError	error;

	if (sigsetjmp(on_error, 0) != 0)
		return false;
	if (pgt_modern_group_check_request(request, 1, &error) != NULL)
	{
		memset(&answer, 0, sizeof(answer));
		answer.error = error;
		return true;
	}
	if (announce_chance > 0 && one_in(announce_chance))
		pgt_modern_group_announce(group, request, &world);
	pgt_modern_group_heartbeat(group, request, &world, &answer);
	return true;
}

/* Say what a client owns. */
static void
say_owned(KafkaConsumerGroupHeartbeatRequest *request, const TestPartition *owned, int count)
{
	request->topic_partitions.items = palloc0(Max(count, 1) * sizeof(request->topic_partitions.items[0]));
	request->topic_partitions.count = count;
	for (int i = 0; i < count; i++)
	{
		request->topic_partitions.items[i].topic_id = uuid_of(owned[i].topic);
		request->topic_partitions.items[i].partitions.items = palloc(sizeof(int32));
		request->topic_partitions.items[i].partitions.items[0] = owned[i].partition;
		request->topic_partitions.items[i].partitions.count = 1;
	}
}

static void
say_names(KafkaConsumerGroupHeartbeatRequest *request, int subscribed)
{
	request->subscribed_topic_names.items = palloc(TOPICS * sizeof(KafkaString));
	request->subscribed_topic_names.count = 0;
	for (int i = 0; i < TOPICS; i++)
		if ((subscribed & (1 << i)) != 0)
			request->subscribed_topic_names.items[request->subscribed_topic_names.count++] = string_of(psprintf("t%d", i));
}

/* ---- scenarios --------------------------------------------------------------------------- */

/* What the answer assigns, as text: "1:0,1 2:0"; "-" where it assigns nothing. */
static char told[8192];
static int	text_topic;

static void
add_text(const ModernTopic *topic, int32 partition, void *arg)
{
	int			id = topic->id.bytes[14] * 256 + topic->id.bytes[15];
	size_t		length = strlen(told);

	if (id != text_topic)
		snprintf(told + length, sizeof(told) - length, "%s%d:%d", length > 0 ? " " : "", id, partition);
	else
		snprintf(told + length, sizeof(told) - length, ",%d", partition);
	text_topic = id;
}

static const char *
assigned(void)
{
	told[0] = '\0';
	text_topic = -1;
	if (!answer.has_assignment || answer.member == NULL)
		return "-";
	pgt_modern_group_assigned(group, answer.member, false, add_text, NULL);
	return told;
}

/* "1:0,1 2:0" as a list of partitions; NULL says nothing. */
static void
say_owned_text(KafkaConsumerGroupHeartbeatRequest *request, const char *owned)
{
	TestPartition list[64];
	int			count = 0;
	int			topic = 0;

	if (owned == NULL)
		return;
	for (const char *c = owned; *c != '\0';)
	{
		char	   *end;
		int			number = strtol(c, &end, 10);

		if (*end == ':')
			topic = number;
		else
		{
			list[count].topic = topic;
			list[count++].partition = number;
		}
		c = *end == '\0' ? end : end + 1;
	}
	say_owned(request, list, count);
}

/* The request of a member that joins with topics of a set; instance may be NULL. */
static void
init_join(KafkaConsumerGroupHeartbeatRequest *request, const char *member, const char *instance, int subscribed)
{
	init_request(request, member, 0);
	request->rebalance_timeout_ms = REBALANCE;
	request->instance_id = string_of(instance);
	say_names(request, subscribed);
	say_owned(request, NULL, 0);
}

/* Join. */
static const char *
join(const char *member, const char *instance, int subscribed)
{
	KafkaConsumerGroupHeartbeatRequest request;

	init_join(&request, member, instance, subscribed);
	serve(&request, NULL, 0);
	return assigned();
}

/* Only announce that. */
static void
announce(const char *member, const char *instance, int subscribed)
{
	ModernWorld world = {
		.now = now, .session_timeout = SESSION, .max_size = CLIENTS, .topics_version = topics_version,
		.client_id = "client", .client_host = "/127.0.0.1", .describe = describe, .claim = claim
	};
	KafkaConsumerGroupHeartbeatRequest request;

	init_join(&request, member, instance, subscribed);
	pgt_modern_group_announce(group, &request, &world);
}

static const char *
beat(const char *member, int epoch, const char *owned)
{
	KafkaConsumerGroupHeartbeatRequest request;

	init_request(&request, member, epoch);
	say_owned_text(&request, owned);
	serve(&request, NULL, 0);
	return assigned();
}

static const char *
beat_static(const char *member, const char *instance, int epoch)
{
	KafkaConsumerGroupHeartbeatRequest request;

	init_request(&request, member, epoch);
	request.instance_id = string_of(instance);
	serve(&request, NULL, 0);
	return assigned();
}

static bool
is(const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return true;
	printf("# got \"%s\", not \"%s\"\n", got, wanted);
	return false;
}

/* The answer has no error, and this epoch. */
static bool
epoch_is(int epoch)
{
	if (answer.error == KAFKA_ERROR_NONE && answer.epoch == epoch)
		return true;
	printf("# error %d, epoch %d, not epoch %d\n", answer.error, answer.epoch, epoch);
	return false;
}

static bool
error_is(KafkaError error)
{
	if (answer.error == error)
		return true;
	printf("# error %d, not %d\n", answer.error, error);
	return false;
}

static bool
state_is(const char *state)
{
	return is(pgt_modern_group_state_name(group), state);
}

static void
begin(void)
{
	clear_topics();
	refuse_chance = error_chance = announce_chance = busy_chance = 0;
	now = 1000000;
	group = pgt_modern_group_create(NULL);
}

static void
test_one_and_two(void)
{
	begin();
	make_topic(0, 3);
	make_topic(1, 3);
	ok(state_is("Empty"), "a group is empty at first");
	ok(is(join("a", NULL, 3), "1:0,1,2 2:0,1,2") && epoch_is(2), "the first member gets all");
	ok(state_is("Stable"), "then the group is stable");
	ok(is(beat("a", 2, NULL), "-") && epoch_is(2), "a heartbeat with nothing new is told nothing");

	ok(is(join("b", NULL, 3), "") && epoch_is(3), "the second one gets the epoch, and no partition that is not free");
	ok(state_is("Reconciling"), "now the group reconciles");
	ok(is(beat("b", 3, ""), "-"), "it goes on waiting");
	ok(is(beat("a", 2, "1:0,1,2 2:0,1,2"), "1:0,1,2") && epoch_is(2), "the first is told to give up its half, in its old epoch");
	ok(is(beat("b", 3, ""), "-") && epoch_is(3), "until it has, the other half is not free");
	ok(is(beat("a", 2, NULL), "-") && epoch_is(2), "a heartbeat that says nothing confirms nothing");
	ok(is(beat("a", 2, "1:0,1,2 2:0"), "-") && epoch_is(2), "nor does one that has given up a part");
	ok(is(beat("b", 3, ""), "-"), "so nothing is free yet");
	ok(is(beat("a", 2, "1:0,1,2"), "-") && epoch_is(3), "when it has given all up, it gets to the new epoch");
	ok(is(beat("b", 3, ""), "2:0,1,2") && epoch_is(3), "and the other one gets them");
	ok(state_is("Stable"), "the group is stable again");

	ok(beat("a", -1, NULL) && epoch_is(-1) && answer.member == NULL, "a member leaves");
	ok(is(beat("b", 3, NULL), "1:0,1,2 2:0,1,2") && epoch_is(4), "and the other one gets all at its next heartbeat");
	ok(beat("b", -1, NULL) && epoch_is(-1) && state_is("Empty"), "when the last one leaves the group is empty");
}

static void
test_together(void)
{
	begin();
	make_topic(0, 3);
	make_topic(1, 3);
	announce("a", NULL, 3);
	announce("b", "i", 3);
	ok(group->member_count == 2 && group->epoch == 1, "members that are announced are there, and nothing is computed yet");
	ok(is(join("a", NULL, 3), "1:0,1,2") && epoch_is(2), "the first one that joins gets its share alone");
	ok(is(join("b", "i", 3), "2:0,1,2") && epoch_is(2), "and the second one the rest, in the same epoch");
	ok(state_is("Stable"), "so that the group is stable at once");
	announce("a", NULL, 1);
	announce("c", "i", 3);
	ok(group->member_count == 2 && is(beat("a", 2, NULL), "-"), "known members and instances are not announced");
	announce("d", NULL, 3);
	ok(is(beat("a", 2, NULL), "1:0,1") && epoch_is(2), "a new one counts at the next request of any member");
}

static void
test_fencing(void)
{
	begin();
	make_topic(0, 4);
	join("a", NULL, 1);
	join("b", NULL, 1);
	beat("a", 2, "1:0,1,2,3");
	ok(is(beat("a", 2, "1:0,1"), "-") && epoch_is(3), "the answer with the new epoch");
	ok(is(beat("a", 2, "1:0,1"), "-") && epoch_is(3), "is lost: the old epoch is taken from who owns no more than it should");
	ok(beat("a", 2, "1:0,1,2") && error_is(KAFKA_ERROR_FENCED_MEMBER_EPOCH), "not from who owns more");
	ok(beat("a", 2, NULL) && error_is(KAFKA_ERROR_FENCED_MEMBER_EPOCH), "nor from who does not tell");
	ok(beat("a", 1, "1:0,1") && error_is(KAFKA_ERROR_FENCED_MEMBER_EPOCH), "an older epoch is fenced");
	ok(beat("a", 4, "1:0,1") && error_is(KAFKA_ERROR_FENCED_MEMBER_EPOCH), "a newer one, too");
	ok(beat("x", 3, "") && error_is(KAFKA_ERROR_UNKNOWN_MEMBER_ID), "an unknown member is told so");
	ok(is(join("a", NULL, 1), "1:0,1") && epoch_is(3), "a fenced member joins again under its id, and has what it had");
}

static void
test_expiry_gone(ModernMember *member, const char *why, void *arg)
{
	*(const char **) arg = why;
}

static void
test_time(void)
{
	const char *why = NULL;

	begin();
	make_topic(0, 4);
	join("a", NULL, 1);
	now += 30000;
	join("b", NULL, 1);
	now += 14999;
	ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 0, "a session lasts its time");
	now += 1;
	ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 1 && strstr(why, "session"), "and not longer");
	ok(is(beat("b", 3, ""), "1:0,1,2,3") && epoch_is(4), "what a silent member had is given to others");
	now += 5000;
	join("c", NULL, 1);
	for (int i = 0; i < 12; i++)
	{
		ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 0, "a member has its rebalance timeout");
		beat("b", 4, "1:0,1,2,3");
		beat("c", 5, "");
		now += 5000;
	}
	ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 1 && strstr(why, "given up"),
	   "to give up partitions; then it is removed, though it lives");
	ok(beat("b", 4, NULL) && error_is(KAFKA_ERROR_UNKNOWN_MEMBER_ID), "and is told that it is no member");
	ok(is(beat("c", 5, ""), "1:0,1,2,3"), "and what it had is free");
}

static void
test_static(void)
{
	begin();
	make_topic(0, 4);
	join("a", "i1", 1);
	join("b", "i2", 1);
	beat_static("a", "i1", 2);
	{
		KafkaConsumerGroupHeartbeatRequest request;

		init_request(&request, "a", 2);
		request.instance_id = string_of("i1");
		say_owned_text(&request, "1:0,1");
		serve(&request, NULL, 0);
	}
	beat_static("b", "i2", 3);
	ok(state_is("Stable") && group->epoch == 3, "two static members have joined");
	ok(join("x", "i1", 1) && error_is(KAFKA_ERROR_UNRELEASED_INSTANCE_ID), "an instance that has not left is not replaced");
	ok(beat_static("a", "i1", -2) && epoch_is(-2), "a static member leaves for a while");
	ok(is(beat_static("b", "i2", 3), "-") && epoch_is(3), "nobody gets what it has");
	claims = 0;
	ok(is(join("x", "i1", 1), "1:0,1") && epoch_is(3) && group->epoch == 3,
	   "it comes back with another id, has what it had, and nothing moves");
	ok(claims == 2, "what it has is claimed under that id");
	ok(is(join("x", "i1", 1), "1:0,1") && epoch_is(3), "it may join again under its id, as one that has lost the answer");
	ok(beat_static("a", "i1", 3) && error_is(KAFKA_ERROR_FENCED_INSTANCE_ID), "its old id is fenced");
	ok(beat_static("b", "i9", 3) && error_is(KAFKA_ERROR_UNKNOWN_MEMBER_ID), "an unknown instance is told so");
	ok(group->gone != NULL && strcmp(group->gone->id, "a") == 0, "the old id's row is to be deleted");
	beat_static("x", "i1", -2);
	now += SESSION;
	beat_static("b", "i2", 3);
	{
		const char *why;

		ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 1, "who does not come back in time is removed");
	}
	ok(is(beat_static("b", "i2", 3), "1:0,1,2,3"), "and others get what it had");
}

static void
test_requests(void)
{
	KafkaConsumerGroupHeartbeatRequest request;
	KafkaError	error;

	begin();
	init_request(&request, "a", 0);
	request.rebalance_timeout_ms = 1;
	say_names(&request, 1);
	say_owned(&request, NULL, 0);
	ok(pgt_modern_group_check_request(&request, 1, &error) == NULL, "a good request");
	request.rebalance_timeout_ms = -1;
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST, "without a timeout");
	request.rebalance_timeout_ms = 1;
	request.topic_partitions.count = -1;
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST, "without partitions");
	request.topic_partitions.count = 0;
	request.subscribed_topic_names.count = -1;
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST, "without a subscription");
	request.subscribed_topic_regex = string_of("");
	ok(pgt_modern_group_check_request(&request, 1, &error) == NULL, "with an empty one");
	request.member_id = string_of("");
	ok(pgt_modern_group_check_request(&request, 1, &error) && pgt_modern_group_check_request(&request, 0, &error) == NULL,
	   "from version 1 on clients bring their ids");
	request.member_id = string_of("a");
	request.instance_id = string_of("");
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST, "an empty instance id");
	request.instance_id = string_of(NULL);
	request.server_assignor = string_of("sticky");
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_UNSUPPORTED_ASSIGNOR, "an unknown assignor");
	request.server_assignor = string_of("range");
	request.member_epoch = -3;
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST, "an epoch that is none");
	request.member_epoch = -2;
	ok(pgt_modern_group_check_request(&request, 1, &error) && error == KAFKA_ERROR_INVALID_REQUEST,
	   "only static members leave for a while");
	for (int i = 0; i < CLIENTS; i++)
		join(psprintf("m%d", i), NULL, 1);
	ok(join("one more", NULL, 1) && error_is(KAFKA_ERROR_GROUP_MAX_SIZE_REACHED), "a group is full");
	ok(join("m1", NULL, 1) && error_is(KAFKA_ERROR_NONE), "but not for its members");
}

static void
test_subscriptions(void)
{
	KafkaConsumerGroupHeartbeatRequest request;
	char	   *matches[] = {"t1", "t0"};

	begin();
	make_topic(0, 2);
	ok(is(join("a", NULL, 3), "1:0,1") && epoch_is(2), "a topic that is not there yet is no problem");
	make_topic(1, 2);
	ok(is(beat("a", 2, NULL), "1:0,1 2:0,1") && epoch_is(3), "when it comes, it is assigned");
	topics[1].partitions = 3;
	topics_version++;
	ok(is(beat("a", 3, NULL), "1:0,1 2:0,1,2") && epoch_is(4), "when it grows, too");
	topics_version++;
	ok(is(beat("a", 4, NULL), "-") && epoch_is(4), "when other topics change, nothing happens");
	topics[0].id = 0;
	topics_version++;
	ok(is(beat("a", 4, "1:0,1 2:0,1,2"), "2:0,1,2") && epoch_is(4), "a topic that is gone is given up");
	ok(is(beat("a", 4, "2:0,1,2"), "-") && epoch_is(5) && group->topic_count == 2, "and then");
	topics_version++;
	beat("a", 5, NULL);
	ok(group->topic_count == 1, "forgotten");
	make_topic(0, 1);
	ok(is(beat("a", 5, NULL), "2:0,1,2 3:0") && epoch_is(6), "when it comes back it is another one");

	init_request(&request, "a", 6);
	say_names(&request, 2);
	serve(&request, NULL, 0);
	ok(is(assigned(), "2:0,1,2") && epoch_is(6), "a member that leaves a topic is told to give it up");
	ok(is(beat("a", 6, "2:0,1,2"), "-") && epoch_is(7), "and does");

	init_request(&request, "b", 0);
	request.rebalance_timeout_ms = REBALANCE;
	request.subscribed_topic_regex = string_of("t.*");
	say_owned(&request, NULL, 0);
	serve(&request, matches, 2);
	ok(is(assigned(), "3:0") && epoch_is(8), "a regular expression is what it matches");
	ok(pgt_modern_group_is_subscribed(group, "t0") && pgt_modern_group_is_subscribed(group, "t1") &&
	   !pgt_modern_group_is_subscribed(group, "t2"), "the group is subscribed to that");
	make_topic(2, 1);
	{
		char	   *more[] = {"t0", "t1", "t2"};

		pgt_modern_group_set_matches(group, group->regexes[0], more, 3);
	}
	beat("b", 8, NULL);
	ok(epoch_is(9), "when it matches more, the group moves");
	beat("b", -1, NULL);
	ok(group->regex_count == 0, "an expression that nobody has is forgotten");

	init_request(&request, "a", 7);
	request.server_assignor = string_of("range");
	serve(&request, NULL, 0);
	ok(epoch_is(11) && strcmp(pgt_modern_group_assignor(group)->name, "range") == 0, "another assignor moves the group");
}

static void
test_claims(void)
{
	begin();
	make_topic(0, 2);
	refuse_chance = 1;
	ok(is(join("a", NULL, 1), "") && epoch_is(2) && answer.member->state == MODERN_UNRELEASED, "what cannot be claimed waits");
	ok(is(beat("a", 2, ""), "-") && epoch_is(2), "and goes on waiting");
	refuse_chance = 0;
	ok(is(beat("a", 2, ""), "1:0,1") && state_is("Stable"), "until it can");
	claims = 0;
	beat("a", 2, NULL);
	ok(claims == 0, "a heartbeat without news claims nothing");
	pgt_modern_group_withdraw(group, group->topics[0], 1);
	ok(is(beat("a", 2, "1:0"), "1:0,1") && claims == 1, "what is withdrawn is claimed again");
}

static void
test_busy(void)
{
	begin();
	make_topic(0, 2);
	busy_chance = 1;
	ok(is(join("a", NULL, 1), "") && group->stale, "of a topic that is busy nobody is given anything, and it is looked at again");
	busy_chance = 0;
	ok(is(beat("a", 2, NULL), "1:0,1") && !group->stale, "by the next heartbeat, which gets it");
	topics[0].partitions = 3;
	topics_version++;
	busy_chance = 1;
	ok(is(beat("a", 3, NULL), "-") && group->stale, "one that gets busy stays what it was");
	busy_chance = 0;
	ok(is(beat("a", 3, NULL), "1:0,1,2"), "until it can be looked at");
}

/* ---- members that speak the classic protocol --------------------------------------------- */

/* A subscription to topics of a set, as of version 1, of a member that owns partitions. */
static KafkaBytes
subscription_of(int subscribed, const TestPartition *owned, int owned_count)
{
	StringInfoData bytes;
	int32		count = 0;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, "\0\1\0\0\0\0", 6);
	for (int i = 0; i < TOPICS; i++)
		if ((subscribed & (1 << i)) != 0)
		{
			appendBinaryStringInfo(&bytes, "\0\2t", 3);
			appendStringInfoChar(&bytes, '0' + i);
			count++;
		}
	bytes.data[5] = (char) count;
	appendBinaryStringInfo(&bytes, "\377\377\377\377", 4);
	count = 0;
	appendBinaryStringInfo(&bytes, "\0\0\0\0", 4);
	for (int i = 0; i < owned_count; i++)
		for (int t = 0; t < TOPICS; t++)
			if (topics[t].id == owned[i].topic)
			{
				appendBinaryStringInfo(&bytes, "\0\2t", 3);
				appendStringInfoChar(&bytes, '0' + t);
				appendBinaryStringInfo(&bytes, "\0\0\0\1\0\0\0", 7);
				appendStringInfoChar(&bytes, (char) owned[i].partition);
				count++;
			}
	bytes.data[bytes.len - count * 12 - 2] = (char) (count >> 8);
	bytes.data[bytes.len - count * 12 - 1] = (char) count;
	return (KafkaBytes) {bytes.data, bytes.len};
}

static int	made_ids;

/* A JoinGroup; false: an error was thrown. */
static bool
join_classic(const char *member, const char *instance, const char *protocol, KafkaBytes metadata)
{
	ModernWorld world = {
		.now = now, .session_timeout = SESSION, .max_size = CLIENTS, .topics_version = topics_version,
		.new_member_id = psprintf("made-%d", ++made_ids), .client_id = "client", .client_host = "/127.0.0.1",
		.describe = describe, .claim = claim
	};
	KafkaJoinGroupRequestProtocol *protocols = palloc0(sizeof(KafkaJoinGroupRequestProtocol));
	ModernJoin	message = {
		.member = string_of(member), .instance_id = string_of(instance), .protocol_type = string_of("consumer"),
		.protocols = protocols, .protocol_count = 1, .session_timeout = SESSION, .rebalance_timeout = REBALANCE,
		.knows_ids = true
	};

	protocols->name = string_of(protocol);
	protocols->metadata = metadata;
	if (sigsetjmp(on_error, 0) != 0)
		return false;
	pgt_modern_group_join_classic(group, &message, &world, &answer);
	/* as if it were stored */
	if (answer.member != NULL)
		answer.member->dirty = false;
	return true;
}

/* The assignment that SyncGroup brings, as text; or its error, as "!27". */
static const char *
sync_classic(const char *member, const char *instance, int generation)
{
	ModernClassicCall call = {
		.member = string_of(member), .instance_id = string_of(instance), .generation = generation,
		.protocol_type = string_of("consumer"), .protocol = string_of(NULL)
	};
	const ModernMember *found = NULL;
	KafkaError	error = pgt_modern_group_sync_classic(group, &call, now, &found);
	StringInfoData bytes;
	ConsumerAssignment assignment;

	told[0] = '\0';
	if (error != KAFKA_ERROR_NONE)
	{
		snprintf(told, sizeof(told), "!%d", error);
		return told;
	}
	initStringInfo(&bytes);
	pgt_modern_group_put_assignment(group, found, false, &bytes);
	if (!pgt_consumer_protocol_read_assignment((KafkaBytes) {bytes.data, bytes.len}, &assignment) || assignment.user_data != 0)
		return "no assignment";
	for (int32 i = 0; i < assignment.count; i++)
	{
		const ConsumerPartitions *topic = &assignment.topics[i];

		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%.*s", i > 0 ? " " : "", topic->topic.length, topic->topic.data);
		for (int32 p = 0; p < topic->count; p++)
			snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%d", p > 0 ? "," : ":", topic->partitions[p]);
	}
	return told;
}

static KafkaError
beat_classic(const char *member, const char *instance, int generation)
{
	ModernClassicCall call = {.member = string_of(member), .instance_id = string_of(instance), .generation = generation};

	return pgt_modern_group_beat_classic(group, &call, now);
}

/* Join with nothing owned, and ask for the assignment. */
static const char *
join_and_sync(const char *member, const char *instance, int subscribed)
{
	join_classic(member, instance, "range", subscription_of(subscribed, NULL, 0));
	if (answer.error != KAFKA_ERROR_NONE)
		return psprintf("!%d", answer.error);
	return sync_classic(answer.member->id, instance, answer.epoch);
}

static void
test_protocol(void)
{
	TestPartition owned[] = {{1, 3}, {2, 0}};
	ConsumerSubscription subscription;
	KafkaBytes	bytes;
	int			taken = 0;

	begin();
	make_topic(0, 4);
	make_topic(1, 4);
	bytes = subscription_of(3, owned, 2);
	ok(pgt_consumer_protocol_read_subscription(bytes, &subscription) && subscription.topic_count == 2 &&
	   subscription.owned_count == 2 && subscription.owned[0].partitions[0] == 3 && subscription.rack.length < 0,
	   "a subscription of version 1");
	for (int length = 0; length < bytes.length; length++)
		taken += pgt_consumer_protocol_read_subscription((KafkaBytes) {bytes.data, length}, &subscription);
	ok(taken == 0, "one that is cut is not taken");
	ok(pgt_consumer_protocol_read_subscription((KafkaBytes) {"\0\3\0\0\0\0\377\377\377\377\0\0\0\0\0\0\0\7\0\1r", 21}, &subscription) &&
	   subscription.rack.length == 1, "version 3 has a rack");
	ok(pgt_consumer_protocol_read_subscription((KafkaBytes) {"\0\11\0\0\0\0\377\377\377\377\0\0\0\0\0\0\0\7\377\377x", 21}, &subscription),
	   "what a newer version has behind that is not read");
	ok(!pgt_consumer_protocol_read_subscription((KafkaBytes) {"\377\377\0\0\0\0\377\377\377\377", 10}, &subscription),
	   "there is no version -1");
}

static void
test_classic(void)
{
	begin();
	make_topic(0, 4);
	ok(is(join("n", NULL, 1), "1:0,1,2,3") && epoch_is(2), "a member of the new protocol");
	join_classic("", NULL, "range", subscription_of(1, NULL, 0));
	ok(error_is(KAFKA_ERROR_MEMBER_ID_REQUIRED), "who joins without an id is given one");
	join_classic("", NULL, "range", (KafkaBytes) {"x", 1});
	ok(error_is(KAFKA_ERROR_MEMBER_ID_REQUIRED), "whatever it says");
	join_classic("c", NULL, "range", (KafkaBytes) {"x", 1});
	ok(error_is(KAFKA_ERROR_UNKNOWN_SERVER_ERROR), "but it cannot join with that");
	ok(is(join_and_sync("c", NULL, 1), "") && epoch_is(3), "it joins in the group's epoch, and waits for what others own");
	ok(beat_classic("c", NULL, 3) == KAFKA_ERROR_NONE, "it waits");
	beat("n", 2, "1:0,1,2,3");
	ok(is(beat("n", 2, "1:0,1"), "-") && epoch_is(3), "until they have given it up");
	ok(beat_classic("c", NULL, 3) == KAFKA_ERROR_REBALANCE_IN_PROGRESS, "then it is told to join again");
	ok(is(join_and_sync("c", NULL, 1), "t0:2,3") && epoch_is(3), "and gets its share");
	ok(is(join_and_sync("c", NULL, 1), "t0:2,3") && epoch_is(3), "a request that is repeated leads to the same");
	ok(beat_classic("c", NULL, 2) == KAFKA_ERROR_ILLEGAL_GENERATION && beat_classic("x", NULL, 3) == KAFKA_ERROR_UNKNOWN_MEMBER_ID &&
	   beat_classic("n", NULL, 3) == KAFKA_ERROR_UNKNOWN_MEMBER_ID && beat_classic("c", "i", 3) == KAFKA_ERROR_UNKNOWN_MEMBER_ID,
	   "errors of heartbeats");
	ok(join_classic("d", NULL, "sticky", subscription_of(1, NULL, 0)) && error_is(KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL),
	   "a protocol that others do not support is refused");

	/* one that says what it owns takes two steps */
	join("o", NULL, 1);
	beat("n", 3, "1:0,1");
	ok(beat_classic("c", NULL, 3) == KAFKA_ERROR_REBALANCE_IN_PROGRESS && is(sync_classic("c", NULL, 3), "!27"), "the target moves");
	{
		TestPartition owned[] = {{1, 2}, {1, 3}};

		join_classic("c", NULL, "range", subscription_of(1, owned, 2));
		if (answer.epoch == 3)
		{
			ok(strlen(sync_classic("c", NULL, 3)) == 4, "it is told to keep one of two, in its old generation");
			owned[0].partition = told[3] - '0';
			ok(beat_classic("c", NULL, 3) == KAFKA_ERROR_REBALANCE_IN_PROGRESS, "and to join again");
			join_classic("c", NULL, "range", subscription_of(1, owned, 1));
		}
		ok(epoch_is(4), "when it has given up what it must, it gets to the new epoch");
	}
	/* one that says it owns topics that nobody knows */
	{
		KafkaBytes	bytes = subscription_of(1, NULL, 0);
		StringInfoData more;

		initStringInfo(&more);
		appendBinaryStringInfo(&more, bytes.data, bytes.length - 4);
		appendBinaryStringInfo(&more, "\0\0\3\350", 4);
		for (int i = 0; i < 1000; i++)
			appendBinaryStringInfo(&more, "\0\1x\0\0\0\1\0\0\0\0", 11);
		looks = 0;
		join_classic("c", NULL, "range", (KafkaBytes) {more.data, more.len});
		ok(error_is(KAFKA_ERROR_NONE) && looks < 10, "what a member says it owns is not asked for where nobody knows it");
	}
	ok(pgt_modern_group_leave_classic(group, string_of("c"), string_of(NULL)) == KAFKA_ERROR_NONE &&
	   pgt_modern_group_leave_classic(group, string_of("c"), string_of(NULL)) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "it leaves once");
}

static void
test_classic_time(void)
{
	const char *why = NULL;

	begin();
	make_topic(0, 4);
	join_and_sync("a", NULL, 1);
	join_classic("b", NULL, "range", subscription_of(1, NULL, 0));
	ok(beat_classic("a", NULL, 2) == KAFKA_ERROR_REBALANCE_IN_PROGRESS, "a member is told to join again");
	for (int i = 0; i < 4; i++)
	{
		now += REBALANCE / 4 - 1;
		ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 0, "and has its rebalance timeout for that");
		beat_classic("a", NULL, 2);
		beat_classic("b", NULL, 3);
	}
	now += 4;
	ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 2 && group->member_count == 0,
	   "who does not is removed, and so is who does not ask for its assignment");
	join_and_sync("a", NULL, 1);
	now += SESSION;
	ok(pgt_modern_group_expire(group, now, test_expiry_gone, &why) == 1 && strstr(why, "session"), "and who is silent");

	/* claims that are refused are not asked for all the time */
	refuse_chance = 1;
	join_and_sync("a", NULL, 1);
	ok(beat_classic("a", NULL, answer.epoch) == KAFKA_ERROR_NONE, "what is used in SQL is waited for");
	now += 1000;
	ok(beat_classic("a", NULL, answer.epoch) == KAFKA_ERROR_REBALANCE_IN_PROGRESS, "and asked for again");
	join_and_sync("a", NULL, 1);
	now += 1000;
	ok(beat_classic("a", NULL, answer.epoch) == KAFKA_ERROR_NONE, "each time a little later");
	refuse_chance = 0;
	now += 1000;
	ok(beat_classic("a", NULL, answer.epoch) == KAFKA_ERROR_REBALANCE_IN_PROGRESS && is(join_and_sync("a", NULL, 1), "t0:0,1,2,3"),
	   "until it is free");
}

static void
test_classic_static(void)
{
	begin();
	make_topic(0, 4);
	ok(is(join_and_sync("", "i", 1), "t0:0,1,2,3") && epoch_is(2), "a static member of the classic protocol");
	ok(is(join("n", "i", 1), "1:0,1,2,3") && epoch_is(2) && group->epoch == 2, "comes back with the new one, and nothing moves");
	ok(group->member_count == 1 && pgt_modern_group_count_classic(group) == 0, "in the place of the other one");
	ok(beat_classic(psprintf("made-%d", made_ids), "i", 2) == KAFKA_ERROR_FENCED_INSTANCE_ID, "which is fenced");
	ok(is(join_and_sync("", "i", 1), "t0:0,1,2,3") && epoch_is(2), "and back again");
	ok(beat_static("n", "i", 2) && error_is(KAFKA_ERROR_FENCED_INSTANCE_ID), "the other way round");
	ok(is(join_and_sync("x", "i", 1), "!82"), "an id that is another one's is fenced");
	ok(pgt_modern_group_leave_classic(group, string_of(""), string_of("i")) == KAFKA_ERROR_NONE && group->member_count == 0,
	   "an administrator removes it");
}

/* ---- from one protocol to the other ---------------------------------------------------------- */

static const ClassicGroupActions no_actions;

/* The group, all of whose members speak the classic protocol, as a classic group. */
static ClassicGroup *
downgrade(void)
{
	ClassicGroup *classic = pgt_classic_group_make(&no_actions, NULL);

	pgt_group_migration_downgrade(group, classic, now * 1000);
	return classic;
}

/* A classic group as one of the new protocol; NULL: why not. */
static ModernGroup *
upgrade(ClassicGroup *classic, const char **problem)
{
	ModernGroup *modern = pgt_modern_group_create(NULL);
	ModernWorld world = {.now = now, .max_size = CLIENTS, .topics_version = topics_version, .describe = describe};

	*problem = pgt_group_migration_upgrade(classic, modern, &world);
	return *problem == NULL ? modern : NULL;
}

/* An assignment with many topics behind it that there are not. */
static KafkaBytes
many_names(KafkaBytes assignment)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, assignment.data, assignment.length - 4);
	for (int i = 0; i < 1000; i++)
	{
		appendBinaryStringInfo(&bytes, "\0\5", 2);
		appendStringInfo(&bytes, "x%04d", i);
		appendBinaryStringInfo(&bytes, "\0\0\0\1\0\0\0\0", 8);
	}
	appendBinaryStringInfo(&bytes, "\377\377\377\377", 4);
	/* it had one topic */
	bytes.data[4] = (char) (1001 >> 8);
	bytes.data[5] = (char) (1001 & 0xff);
	return (KafkaBytes) {bytes.data, bytes.len};
}

static void
test_migration(void)
{
	ClassicGroup *classic;
	ModernGroup *modern;
	const char *problem;
	const char *member;

	begin();
	make_topic(0, 4);
	join_and_sync("a", NULL, 1);
	join("n", NULL, 1);
	ok(!pgt_group_migration_can_downgrade(group, 5), "a group with members of the new protocol stays as it is");
	join_and_sync("a", NULL, 1);
	beat("n", 3, "");
	join_and_sync("", "i", 1);
	beat("n", -1, NULL);
	ok(pgt_group_migration_can_downgrade(group, 2) && !pgt_group_migration_can_downgrade(group, 1),
	   "one without may become a classic group, if that has place for all");
	classic = downgrade();
	ok(classic->member_count == 2 && classic->state == CLASSIC_GROUP_STABLE && classic->rebalance_due,
	   "it is to rebalance, for what the other one had");
	ok(classic->generation == group->assignment_epoch && pgt_classic_group_next_generation(classic) > group->epoch,
	   "members know its generation, and the next one is new to all");
	classic->state = CLASSIC_GROUP_PREPARING_REBALANCE;
	modern = upgrade(classic, &problem);
	ok(modern != NULL && modern->member_count == 2 && modern->bump && modern->epoch >= group->epoch, "on the way it becomes the other again");
	pgt_classic_group_free(classic, KAFKA_ERROR_NONE);

	begin();
	make_topic(0, 4);
	join_and_sync("a", NULL, 1);
	join_and_sync("", "i", 1);
	member = answer.member->id;
	join_and_sync("a", NULL, 1);
	join_and_sync(member, "i", 1);
	ok(state_is("Stable"), "two members that have what they are to have");
	classic = downgrade();
	ok(!classic->rebalance_due && classic->generation == group->epoch, "go on in a classic group without a rebalance");
	busy_chance = 1;
	modern = upgrade(classic, &problem);
	ok(modern != NULL && modern->stale, "not back while a topic is busy");
	busy_chance = 0;
	modern = upgrade(classic, &problem);
	ok(modern != NULL && !modern->stale && !modern->bump && modern->epoch == group->epoch && strcmp(pgt_modern_group_state_name(modern), "Stable") == 0,
	   "and back");
	group = modern;
	ok(is(sync_classic("a", NULL, modern->epoch), "!27"), "until that is stored they are told nothing that it would take back");
	for (int m = 0; m < group->member_count; m++)
		group->members[m]->dirty = false;
	ok(beat_classic("a", NULL, group->epoch) == KAFKA_ERROR_NONE && beat_classic(member, "i", group->epoch) == KAFKA_ERROR_NONE,
	   "they have not heard of it");
	classic->protocol_type[0] = 'x';
	ok(upgrade(classic, &problem) == NULL && strstr(problem, "none of consumers"), "a group of another type stays as it is");
	classic->protocol_type[0] = 'c';
	{
		ClassicMember *member = pgt_classic_group_find(classic, string_of("a"));
		KafkaBytes	good = member->assignment;
		char	   *told_more = palloc(good.length + 1);

		memcpy(told_more, good.data, good.length);
		memcpy(told_more + good.length - 4, "\0\0\0\1x", 5);
		member->assignment = (KafkaBytes) {told_more, good.length + 1};
		ok(upgrade(classic, &problem) == NULL && strstr(problem, "lost"), "so does one whose assignor tells more than partitions");
		member->assignment = (KafkaBytes) {told_more, 3};
		ok(upgrade(classic, &problem) == NULL && strstr(problem, "malformed"), "and one whose assignments cannot be read");
		member->assignment = many_names(good);
		looks = 0;
		modern = upgrade(classic, &problem);
		ok(modern != NULL && modern->member_count == 2 && !modern->bump && looks < 10,
		   "a leader that has assigned what nobody knows has not made anybody ask for that");
		member->assignment.length = 9 * 1024 * 1024;
		member->assignment.data = palloc0(member->assignment.length);
		ok(upgrade(classic, &problem) == NULL && strstr(problem, "too large"), "nor is it read without end");
		member->assignment = good;
	}
	{
		ClassicMember *member = pgt_classic_group_find(classic, string_of("a"));
		TestPartition owned[] = {{1, 1}, {1, 3}};
		KafkaJoinGroupRequestProtocol protocol = {.name = string_of("range"),.metadata = subscription_of(1, owned, 2)};

		pgt_classic_group_clear_assignments(classic);
		classic->state = CLASSIC_GROUP_PREPARING_REBALANCE;
		member->protocols = pgt_classic_member_copy_protocols(&protocol, 1);
		modern = upgrade(classic, &problem);
		ok(modern != NULL && modern->topics[0]->partitions[1].owner == modern->topics[0]->partitions[3].owner &&
		   modern->topics[0]->partitions[1].owner != NULL && strcmp(modern->topics[0]->partitions[1].owner->id, "a") == 0 &&
		   modern->topics[0]->partitions[0].owner == NULL && modern->bump,
		   "where a rebalance has taken assignments back, members have what they say");
	}
	pgt_classic_group_free(classic, KAFKA_ERROR_NONE);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static KafkaBytes
bytes_of(const StringInfoData *string)
{
	KafkaBytes	bytes = {.data = string->data, .length = string->len};

	return bytes;
}

static bool
same_bytes(const StringInfoData *left, const StringInfoData *right)
{
	return left->len == right->len && memcmp(left->data, right->data, left->len) == 0;
}

/* A copy of the group that has gone through bytes; NULL: it could not be read. */
static ModernGroup *
read_again(void)
{
	ModernGroup *copy = pgt_modern_group_create(NULL);
	StringInfoData whole;
	ModernLoad *load;

	initStringInfo(&whole);
	pgt_modern_format_group(group, &whole);
	load = pgt_modern_format_load(copy, group->epoch, bytes_of(&whole));
	if (load == NULL)
		return NULL;
	for (int m = group->member_count - 1; m >= 0; m--)
	{
		const ModernMember *member = group->members[m];
		ModernMemberBytes bytes;
		ModernMemberRow row = {
			.id = member->id, .instance_id = member->instance_id, .client_id = member->client_id,
			.client_host = member->client_host, .rebalance_timeout = member->rebalance_timeout, .epoch = member->epoch
		};

		pgt_modern_format_member(group, member, &bytes);
		row.subscription = bytes_of(&bytes.subscription);
		row.assignment = bytes_of(&bytes.assignment);
		row.state = bytes_of(&bytes.state);
		if (!pgt_modern_format_load_member(load, &row))
			return NULL;
	}
	pgt_modern_format_loaded(load);
	pgt_modern_group_renew_deadlines(copy, now, SESSION);
	return copy;
}

/* Are two groups the same as bytes? */
static bool
same_groups(const ModernGroup *left, const ModernGroup *right)
{
	StringInfoData one;
	StringInfoData other;

	initStringInfo(&one);
	initStringInfo(&other);
	pgt_modern_format_group(left, &one);
	pgt_modern_format_group(right, &other);
	if (!same_bytes(&one, &other) || left->epoch != right->epoch)
		return false;
	for (int m = 0; m < left->member_count; m++)
	{
		ModernMemberBytes a;
		ModernMemberBytes b;

		pgt_modern_format_member(left, left->members[m], &a);
		pgt_modern_format_member(right, right->members[m], &b);
		if (!same_bytes(&a.subscription, &b.subscription) || !same_bytes(&a.assignment, &b.assignment) ||
			!same_bytes(&a.state, &b.state))
			return false;
	}
	return true;
}

static void
test_bytes(void)
{
	StringInfoData whole;
	int			taken = 0;
	ModernGroup *copy;

	begin();
	make_topic(0, 5);
	make_topic(1, 5);
	join("a", "i1", 3);
	join("b", NULL, 1);
	beat_static("a", "i1", 2);
	copy = read_again();
	ok(copy != NULL && same_groups(group, copy), "a group goes through bytes");
	group = copy;
	ok(is(beat("b", 3, ""), "-") && epoch_is(3) && group->epoch == 3, "and goes on without a rebalance");
	initStringInfo(&whole);
	pgt_modern_format_group(group, &whole);
	for (int length = 0; length < whole.len; length++)
	{
		KafkaBytes	cut = {.data = whole.data, .length = length};

		taken += pgt_modern_format_load(pgt_modern_group_create(NULL), 1, cut) != NULL;
	}
	ok(taken == 0, "bytes that are cut are not taken");
}

/* ---- random lives -------------------------------------------------------------------------------- */

static char *
new_id(void)
{
	return psprintf("m%d", next_member++);
}

/* A client that knows nothing. */
static void
reset_client(TestClient *client)
{
	client->joined = false;
	client->epoch = 0;
	client->owned_count = client->target_count = 0;
	client->revokes = false;
	client->says_all = true;
}

static void
new_client(TestClient *client)
{
	memset(client, 0, sizeof(*client));
	strcpy(client->id, new_id());
	if (one_in(3))
		snprintf(client->instance, sizeof(client->instance), "i%d", (int) (client - clients));
	client->subscribed = 1 + pick((1 << TOPICS) - 1);
	client->by_regex = one_in(4);
	if (one_in(4))
		strcpy(client->assignor, one_in(2) ? "range" : "uniform");
	client->classic = one_in(2);
	client->eager = one_in(2);
	reset_client(client);
	client->silent = true;
}

static void
take_target(const ModernTopic *topic, int32 partition, void *arg)
{
	TestClient *client = arg;

	client->target[client->target_count].topic = topic->id.bytes[14] * 256 + topic->id.bytes[15];
	client->target[client->target_count++].partition = partition;
}

/* A client has got its assignment: what is not in it has to go, what is new is there at once. */
static void
take_assignment(TestClient *client)
{
	client->target_count = 0;
	pgt_modern_group_assigned(group, answer.member, false, take_target, client);
	client->revokes = true;
}

/* It gives up what it is to give up, and takes what it is to have. */
static void
follow_target(TestClient *client)
{
	if (!client->revokes)
		return;
	memcpy(client->owned, client->target, sizeof(client->target));
	client->owned_count = client->target_count;
	client->revokes = false;
	client->says_owned = true;
}

/* All partitions that a client believes to own: what it is told to give up, until it has. */
static void
check_client(const TestClient *client)
{
	ModernMember *member = pgt_modern_group_find_member(group, string_of(client->id));

	if (!client->joined || member == NULL)
		return;
	for (int i = 0; i < client->owned_count; i++)
	{
		KafkaUuid	id = uuid_of(client->owned[i].topic);
		ModernTopic *topic = pgt_modern_group_find_topic(group, &id);

		must(topic != NULL && client->owned[i].partition < topic->room &&
			 topic->partitions[client->owned[i].partition].owner == member,
			 "a member owns what the group does not know of");
	}
}

/* Is the group in itself as it should be? */
static void
check_group(void)
{
	for (int c = 0; c < CLIENTS; c++)
		check_client(&clients[c]);
	for (int m = 0; m < group->member_count; m++)
	{
		must(group->members[m]->index == m, "a member is not in its place");
		must(m == 0 || strcmp(group->members[m - 1]->id, group->members[m]->id) < 0, "members are not sorted");
		must(group->members[m]->epoch <= group->assignment_epoch, "a member is ahead of the assignment");
		must(group->members[m]->subscription != NULL, "a member has no subscription");
	}
	must(group->assignment_epoch <= group->epoch, "the assignment is ahead of the group");
	for (int t = 1; t < group->topic_count; t++)
		must(memcmp(&group->topics[t - 1]->id, &group->topics[t]->id, sizeof(KafkaUuid)) < 0, "topics are not sorted");
}

/* The topics that a client is subscribed to by name, as strings. */
static int
matches_of(const TestClient *client, char **matches)
{
	int			count = 0;

	for (int i = 0; i < TOPICS; i++)
		if (topics[i].id != 0 && (client->subscribed & (1 << i)) != 0)
			matches[count++] = topics[i].name;
	return count;
}

static void
fill_request(const TestClient *client, KafkaConsumerGroupHeartbeatRequest *request)
{
	bool		whole = client->says_all || !client->joined;

	init_request(request, client->id, client->joined ? client->epoch : 0);
	if (client->instance[0] != '\0')
		request->instance_id = string_of(client->instance);
	if (whole)
	{
		request->rebalance_timeout_ms = REBALANCE;
		if (client->by_regex)
			request->subscribed_topic_regex = string_of(psprintf("r%d", client->subscribed));
		if (!client->by_regex)
			say_names(request, client->subscribed);
		if (client->assignor[0] != '\0')
			request->server_assignor = string_of(client->assignor);
	}
	if (whole || client->says_owned)
		say_owned(request, client->owned, client->joined ? client->owned_count : 0);
}

/* A client is told of an error. */
static void
take_error(TestClient *client)
{
	switch (answer.error)
	{
		case KAFKA_ERROR_FENCED_MEMBER_EPOCH:
		case KAFKA_ERROR_UNKNOWN_MEMBER_ID:
			reset_client(client);
			break;
		case KAFKA_ERROR_UNRELEASED_INSTANCE_ID:
		case KAFKA_ERROR_GROUP_MAX_SIZE_REACHED:
			break;
		case KAFKA_ERROR_FENCED_INSTANCE_ID:
			reset_client(client);
			strcpy(client->id, new_id());
			break;
		default:
			must(false, psprintf("an error that is none of these: %d", answer.error));
	}
}

/* A client of the classic protocol has an assignment, as text: it has that from now on, and nothing else. */
static void
take_classic(TestClient *client, const char *assignment)
{
	int			topic = -1;

	client->owned_count = 0;
	for (const char *c = assignment; *c != '\0'; c++)
	{
		if (*c == 't')
		{
			topic = *++c - '0';
			c++;
			must(topic >= 0 && topic < TOPICS, "an assignment has a topic that there never was");
		}
		else if (*c != ' ' && *c != ',')
		{
			/* by its name it is found once more if it was dropped and made anew: so it is the one that the group has */
			for (int t = 0; t < group->topic_count; t++)
				if (group->topics[t]->name[1] - '0' == topic && atoi(c) < group->topics[t]->room &&
					group->topics[t]->partitions[atoi(c)].owner == pgt_modern_group_find_member(group, string_of(client->id)))
				{
					client->owned[client->owned_count].topic = group->topics[t]->id.bytes[14] * 256 + group->topics[t]->id.bytes[15];
					client->owned[client->owned_count++].partition = atoi(c);
				}
			while (c[1] >= '0' && c[1] <= '9')
				c++;
		}
	}
}

/* A topic that is gone, it has not any more: it knows them by their names. */
static void
forget_dropped(TestClient *client)
{
	int			kept = 0;

	for (int i = 0; i < client->owned_count; i++)
		for (int t = 0; t < TOPICS; t++)
			if (topics[t].id == client->owned[i].topic)
			{
				client->owned[kept++] = client->owned[i];
				break;
			}
	client->owned_count = kept;
}

static void
classic_joins(TestClient *client, bool answer_is_lost)
{
	const char *instance = client->instance[0] == '\0' ? NULL : client->instance;
	const char *assignment;

	if (client->eager || !client->joined)
		client->owned_count = 0;
	forget_dropped(client);
	/* a static member that is new takes the place of another one, and is given its id */
	if (!join_classic(client->joined || instance == NULL ? client->id : "", instance, "range",
					  subscription_of(client->subscribed, client->owned, client->owned_count)))
		return;
	if (answer.error == KAFKA_ERROR_UNKNOWN_MEMBER_ID)
		reset_client(client);
	else if (answer.error == KAFKA_ERROR_FENCED_INSTANCE_ID)
		take_error(client);
	else if (answer.error != KAFKA_ERROR_NONE)
		must(answer.error == KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, psprintf("JoinGroup: an error that is none of these: %d", answer.error));
	if (answer.error != KAFKA_ERROR_NONE || answer_is_lost)
		return;
	must(!client->joined || answer.epoch >= client->epoch, "a generation has gone back");
	client->joined = true;
	client->epoch = answer.epoch;
	strcpy(client->id, answer.member->id);
	assignment = sync_classic(client->id, instance, client->epoch);
	if (assignment[0] != '!')
		take_classic(client, assignment);
	else
		must(strcmp(assignment, "!27") == 0, psprintf("SyncGroup: %s", assignment));
}

/* A client of the classic protocol sends a heartbeat, and does what it is told. */
static void
classic_beats(TestClient *client, bool answer_is_lost)
{
	KafkaError	error;

	if (!client->joined)
	{
		classic_joins(client, answer_is_lost);
		return;
	}
	error = beat_classic(client->id, client->instance[0] == '\0' ? NULL : client->instance, client->epoch);
	switch (error)
	{
		case KAFKA_ERROR_NONE:
			break;
		case KAFKA_ERROR_ILLEGAL_GENERATION:
			client->owned_count = 0;
			classic_joins(client, answer_is_lost);
			break;
		case KAFKA_ERROR_REBALANCE_IN_PROGRESS:
			classic_joins(client, answer_is_lost);
			break;
		case KAFKA_ERROR_UNKNOWN_MEMBER_ID:
		case KAFKA_ERROR_FENCED_INSTANCE_ID:
			reset_client(client);
			strcpy(client->id, new_id());
			break;
		default:
			must(false, psprintf("Heartbeat: an error that is none of these: %d", error));
	}
}

/* A client sends a heartbeat, whose answer may be lost. */
static void
client_beats(TestClient *client, bool answer_is_lost)
{
	KafkaConsumerGroupHeartbeatRequest request;
	char	   *matches[TOPICS];
	int			match_count = matches_of(client, matches);

	if (client->silent)
		return;
	if (client->classic)
	{
		classic_beats(client, answer_is_lost);
		return;
	}
	follow_target(client);
	fill_request(client, &request);
	if (!serve(&request, matches, match_count) || answer_is_lost)
	{
		client->says_all = true;
		return;
	}
	if (answer.error != KAFKA_ERROR_NONE)
	{
		take_error(client);
		return;
	}
	must(!client->joined || answer.epoch >= client->epoch, "an epoch has gone back");
	must(answer.member != NULL && strcmp(answer.member->id, client->id) == 0, "an answer is of another member");
	client->joined = true;
	client->says_all = client->says_owned = false;
	client->epoch = answer.epoch;
	if (answer.has_assignment)
		take_assignment(client);
}

static void
client_leaves(TestClient *client)
{
	KafkaConsumerGroupHeartbeatRequest request;
	bool		for_a_while = client->instance[0] != '\0' && one_in(2);

	if (!client->joined)
		return;
	if (client->classic)
	{
		/* static members go without a word */
		if (client->instance[0] == '\0')
			pgt_modern_group_leave_classic(group, string_of(client->id), string_of(NULL));
		reset_client(client);
		strcpy(client->id, new_id());
		client->silent = true;
		return;
	}
	init_request(&request, client->id, for_a_while ? -2 : -1);
	if (client->instance[0] != '\0')
		request.instance_id = string_of(client->instance);
	reset_client(client);
	serve(&request, NULL, 0);
	if (for_a_while)
		strcpy(client->id, new_id());
	client->silent = true;
}

static void
ignore_gone(ModernMember *member, const char *why, void *arg)
{
}

/* What a regular expression matches now. */
static void
refresh_regex(ModernRegex *regex)
{
	TestClient	like = {.subscribed = atoi(regex->pattern + 1)};
	char	   *matches[TOPICS];

	pgt_modern_group_set_matches(group, regex, matches, matches_of(&like, matches));
}

/* What all match, when topics have changed. */
static void
refresh_regexes(void)
{
	int			chance = error_chance;

	error_chance = 0;
	for (int r = 0; r < group->regex_count; r++)
		refresh_regex(group->regexes[r]);
	error_chance = chance;
}

static void
change_topics(void)
{
	int			place = pick(TOPICS);

	if (topics[place].id == 0)
		make_topic(place, 1 + pick(8));
	else if (one_in(3))
		topics[place].id = 0;
	else
		topics[place].partitions = Min(MOST_PARTITIONS, topics[place].partitions + 1 + (int) pick(4));
	topics_version++;
	refresh_regexes();
}

static void
restart(void)
{
	int			chance = error_chance;
	ModernGroup *copy;

	error_chance = 0;
	copy = read_again();
	must(copy != NULL && same_groups(group, copy), "a group is another one behind its bytes");
	if (copy != NULL)
		group = copy;
	error_chance = chance;
}

/* A client is started anew with the other protocol. */
static void
roll_over(TestClient *client)
{
	if (client->instance[0] == '\0')
		client_leaves(client);
	reset_client(client);
	strcpy(client->id, new_id());
	client->classic = !client->classic;
	client->by_regex = client->by_regex && !client->classic;
	client->silent = false;
}

/* What each member owns of topics that two groups know, as text. */
static char *
owners(const ModernGroup *of, const ModernGroup *other)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int t = 0; t < of->topic_count; t++)
	{
		const ModernTopic *topic = of->topics[t];
		const ModernTopic *same = pgt_modern_group_find_topic(other, &topic->id);

		for (int p = 0; topic->subscribed && same != NULL && same->subscribed && p < Min(topic->count, same->count); p++)
			if (topic->partitions[p].owner != NULL)
				appendStringInfo(&text, "%d-%d %s\n", topic->id.bytes[15], p, topic->partitions[p].owner->id);
	}
	return text.data;
}

/* A client does not count what is of topics that the group does not know any more. */
static void
forget_gone(TestClient *client)
{
	int			kept = 0;

	for (int i = 0; i < client->owned_count; i++)
	{
		KafkaUuid	id = uuid_of(client->owned[i].topic);

		if (pgt_modern_group_find_topic(group, &id) != NULL)
			client->owned[kept++] = client->owned[i];
	}
	client->owned_count = kept;
}

/* Down and up again, if all members speak the classic protocol: they own what they did. */
static void
migrate(void)
{
	int			chance = error_chance;
	const char *problem;
	ClassicGroup *classic;
	ModernGroup *modern;

	if (!pgt_group_migration_can_downgrade(group, CLIENTS))
		return;
	error_chance = 0;
	classic = downgrade();
	modern = upgrade(classic, &problem);
	must(modern != NULL, problem);
	if (modern != NULL)
	{
		must(strcmp(owners(group, modern), owners(modern, group)) == 0, "partitions have other owners in the other protocol");
		must(modern->epoch >= group->epoch, "the epoch has gone back");
		group = modern;
		for (int m = 0; m < group->member_count; m++)
			group->members[m]->dirty = false;
		for (int c = 0; c < CLIENTS; c++)
			forget_gone(&clients[c]);
	}
	pgt_classic_group_free(classic, KAFKA_ERROR_NONE);
	error_chance = chance;
}

/* Something happens. */
static void
happen(void)
{
	TestClient *client = &clients[pick(CLIENTS)];

	switch (pick(26))
	{
		case 24:
			roll_over(client);
			break;
		case 25:
			migrate();
			break;
		case 0:
			client->silent = true;
			break;
		case 1:
		case 2:
			client->silent = false;
			break;
		case 3:
			client_leaves(client);
			break;
		case 4:
			client->subscribed = 1 + pick((1 << TOPICS) - 1);
			client->says_all = true;
			break;
		case 5:
			change_topics();
			break;
		case 6:
			now += one_in(4) ? SESSION : INTERVAL;
			break;
		case 7:
			if (one_in(4))
				restart();
			break;
		case 8:
			if (!client->joined)
				new_client(client);
			break;
		default:
			client_beats(client, one_in(6));
	}
	now += 100;
	pgt_modern_group_expire(group, now, ignore_gone, NULL);
	check_group();
}

/* How many partitions does a member own? */
static int
load_of(const ModernMember *member)
{
	int			load = 0;

	for (int t = 0; t < group->topic_count; t++)
		for (int p = 0; p < group->topics[t]->room; p++)
			load += group->topics[t]->partitions[p].owner == member;
	return load;
}

static void
check_partition(const ModernTopic *topic, const ModernPartition *partition, bool balances)
{
	must(partition->owner != NULL, "a partition has no owner in the end");
	must(partition->owner == partition->target && !partition->revoking, "a partition has not got where it was to go");
	for (int m = 0; balances && m < group->member_count; m++)
		if (pgt_modern_group_subscription_leads_to(group->members[m]->subscription, &topic->id))
			must(load_of(partition->owner) <= load_of(group->members[m]) + 1, "the assignment is not balanced");
}

/* Once nothing happens any more, all gets where it is to go. */
static void
settle(void)
{
	error_chance = refuse_chance = busy_chance = 0;
	for (int c = 0; c < CLIENTS; c++)
		clients[c].silent = one_in(3);
	now += SESSION;
	pgt_modern_group_expire(group, now, ignore_gone, NULL);
	for (int round = 0; round < 12; round++)
	{
		for (int c = 0; c < CLIENTS; c++)
		{
			client_beats(&clients[c], false);
			check_group();
		}
		now += INTERVAL;
		pgt_modern_group_expire(group, now, ignore_gone, NULL);
	}
	for (int m = 0; m < group->member_count; m++)
		must(group->members[m]->state == MODERN_STABLE && group->members[m]->epoch == group->epoch, "a member is stuck");
	if (group->member_count == 0)
		return;
	must(strcmp(pgt_modern_group_state_name(group), "Stable") == 0, "the group is not stable");
	for (int i = 0; i < TOPICS; i++)
	{
		KafkaUuid	id = uuid_of(topics[i].id);
		const ModernTopic *topic = topics[i].id == 0 ? NULL : pgt_modern_group_find_topic(group, &id);

		must(topics[i].id == 0 || !pgt_modern_group_is_subscribed(group, topics[i].name) ||
			 (topic != NULL && topic->subscribed && topic->count == topics[i].partitions), "a topic is not the group's");
	}
	for (int t = 0; t < group->topic_count; t++)
	{
		ModernTopic *topic = group->topics[t];

		for (int p = 0; p < topic->room && topic->subscribed; p++)
			if (p < topic->count)
				check_partition(topic, &topic->partitions[p],
								strcmp(pgt_modern_group_assignor(group)->name, "uniform") == 0);
	}
}

/* A group's life: false if something did not hold. */
static bool
live(uint64 seed, int steps)
{
	random_state = seed;
	trouble = NULL;
	begin();
	next_member = 100;
	for (int i = 0; i < TOPICS; i++)
		if (one_in(2))
			make_topic(i, 1 + pick(8));
	for (int c = 0; c < CLIENTS; c++)
		new_client(&clients[c]);
	for (int phase = 0; phase < 4 && trouble == NULL; phase++)
	{
		refuse_chance = one_in(2) ? 3 : 0;
		error_chance = one_in(2) ? 60 : 0;
		announce_chance = one_in(2) ? 2 : 0;
		busy_chance = one_in(2) ? 4 : 0;
		for (int i = 0; i < steps && trouble == NULL; i++)
			happen();
		settle();
	}
	if (trouble != NULL)
		printf("# seed " UINT64_FORMAT ": %s\n", seed, trouble);
	return trouble == NULL;
}

static void
test_lives(uint64 seed, int lives)
{
	int			good = 0;

	for (int i = 0; i < lives; i++)
		good += live(seed + i, 150);
	ok(good == lives, psprintf("%d random lives of groups", lives));
}

int
main(int argc, char **argv)
{
	test_one_and_two();
	test_together();
	test_fencing();
	test_time();
	test_static();
	test_requests();
	test_subscriptions();
	test_claims();
	test_busy();
	test_protocol();
	test_classic();
	test_classic_time();
	test_classic_static();
	test_migration();
	test_bytes();
	test_lives(argc > 1 ? strtoull(argv[1], NULL, 10) : 1, argc > 2 ? atoi(argv[2]) : 300);
	return tap_end();
}
