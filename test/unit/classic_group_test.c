/*
 * classic_group_test.c
 *	  Tests of src/coordinator's classic groups without a server: scenarios, and random histories of many
 *	  clients, some of which are silent, late or gone, against what must be true of any group.
 *
 * Time is a number here.  What a group answers and stores is noted, and looked at after each step.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "coordinator/classic_heartbeat.h"
#include "coordinator/classic_join.h"
#include "coordinator/classic_leave.h"
#include "coordinator/classic_rebalance.h"
#include "coordinator/classic_sync.h"
#include "coordinator/consumer_protocol.h"

#define MS(n)			((n) * INT64CONST(1000))
#define SESSION_MS		10000
#define REBALANCE_MS	60000
#define DELAY_MS		3000

/* ---- clients --------------------------------------------------------------------------- */

/* A request that may wait.  Its answers are counted: there must be one. */
typedef struct Request
{
	ClassicMemberWait wait;
	bool		is_join;
	bool		open;			/* it is sent, and not answered */
	bool		dropped;		/* its connection is closed: there must be no answer */
	KafkaError	error;
	int32		generation;
	int			members;		/* that the leader was told of; -1: it was not */
	bool		skip;
	char		member[64];
	char		leader[64];
	char		protocol[16];
	char		assignment[64];
} Request;

static ClassicGroup *group;
static int64 now;
static int	stores;				/* that are asked for and not done */
static int	wrong_answers;
static int32 last_generation;
static int	last_member;

static void
copy(char *to, Size size, const char *from)
{
	snprintf(to, size, "%s", from == NULL ? "" : from);
}

static void
count_answer(Request *request, bool is_join)
{
	if (!request->open || request->dropped || request->is_join != is_join)
		wrong_answers++;
	request->open = false;
}

static void
answer_join(ClassicGroup *of, ClassicMemberWait *wait, const ClassicGroupJoined *answer)
{
	Request    *request = (Request *) wait;

	count_answer(request, true);
	request->error = answer->error;
	request->generation = answer->generation;
	request->members = answer->with_members ? of->member_count : -1;
	request->skip = answer->skip_assignment;
	copy(request->member, sizeof(request->member), answer->member);
	copy(request->leader, sizeof(request->leader), answer->leader);
	copy(request->protocol, sizeof(request->protocol), answer->protocol);
}

static void
answer_sync(ClassicGroup *of, ClassicMemberWait *wait, const ClassicGroupSynced *answer)
{
	Request    *request = (Request *) wait;

	count_answer(request, false);
	request->error = answer->error;
	snprintf(request->assignment, sizeof(request->assignment), "%.*s", answer->assignment.length,
			 answer->assignment.length > 0 ? answer->assignment.data : "");
}

static Size max_bytes = SIZE_MAX;	/* of a group */

static bool
has_room(const ClassicGroup *of, Size bytes)
{
	return of->bytes + bytes <= max_bytes;
}

static void
store(ClassicGroup *of)
{
	stores++;
}

static void
gone(ClassicGroup *group, const ClassicMember *member, const char *why)
{
}

static const ClassicGroupActions actions = {answer_join, answer_sync, store, has_room, gone};

static KafkaString
str(const char *text)
{
	return text == NULL ? (KafkaString) {NULL, -1} : (KafkaString) {text, strlen(text)};
}

static KafkaBytes
bytes(const char *text)
{
	return (KafkaBytes) {text, strlen(text)};
}

/* What JoinGroup can say, with defaults of zeros. */
typedef struct JoinArgs
{
	const char *instance;
	const char *protocols;		/* names of a letter each; NULL: "r" */
	const char *metadata;		/* NULL: "m" */
	const char *type;			/* NULL: "consumer" */
	bool		old;			/* a client that is told no id before it joins */
	bool		skips;
	int			session_ms;
	int			rebalance_ms;
} JoinArgs;

/* Send a JoinGroup. */
static void
join(Request *request, const char *member, JoinArgs args)
{
	KafkaJoinGroupRequestProtocol protocols[CLASSIC_GROUP_MAX_PROTOCOLS + 1];
	const char *names = args.protocols == NULL ? "r" : args.protocols;
	char		id[64];
	char		own[64];		/* it may be in the request */
	ClassicJoin message = {
		.new_member = id,
		.instance_id = str(args.instance),
		.client_id = str("c"),
		.client_host = str("/h"),
		.protocol_type = str(args.type == NULL ? "consumer" : args.type),
		.protocols = protocols,
		.protocol_count = strlen(names),
		.session_timeout = args.session_ms == 0 ? SESSION_MS : args.session_ms,
		.rebalance_timeout = args.rebalance_ms == 0 ? REBALANCE_MS : args.rebalance_ms,
		.knows_ids = !args.old,
		.skips_assignment = args.skips,
		.wait = &request->wait
	};

	copy(own, sizeof(own), member);
	message.member = str(own);
	snprintf(id, sizeof(id), "c-%d", ++last_member);
	for (int i = 0; i < message.protocol_count; i++)
	{
		protocols[i].name = (KafkaString) {names + i, 1};
		protocols[i].metadata = bytes(args.metadata == NULL ? "m" : args.metadata);
	}
	memset(request, 0, sizeof(*request));
	request->is_join = request->open = true;
	pgt_classic_join(group, &message, now);
}

/* Join as a client does that knows ids: twice, the first time without one. */
static void
join_twice(Request *request, JoinArgs args)
{
	char		id[64];

	join(request, "", args);
	Assert(request->error == KAFKA_ERROR_MEMBER_ID_REQUIRED);
	copy(id, sizeof(id), request->member);
	join(request, id, args);
	if (request->open)
		copy(request->member, sizeof(request->member), id);
}

/* Send a SyncGroup; the leader gives each member of a list "id" its own id as an assignment. */
static void
sync_group(Request *request, const char *member, const char *instance, int32 generation, int count, const char **ids)
{
	KafkaSyncGroupRequestAssignment *assignments = calloc(count + 1, sizeof(*assignments));
	ClassicSync message = {
		.member = str(member),
		.instance_id = str(instance),
		.generation = generation,
		.protocol_type = str("consumer"),
		.protocol = str(NULL),
		.assignments = assignments,
		.assignment_count = count,
		.wait = &request->wait
	};

	for (int i = 0; i < count; i++)
	{
		assignments[i].member_id = str(ids[i]);
		assignments[i].assignment = bytes(ids[i]);
	}
	memset(request, 0, sizeof(*request));
	request->open = true;
	pgt_classic_sync(group, &message, now);
	free(assignments);
}

/* What is to be stored is. */
static void
stored(KafkaError error)
{
	if (stores == 0)
		return;
	stores = 0;
	(void) pgt_classic_group_reserve_generations(group);
	pgt_classic_rebalance_stored(group, error, now);
}

/* Let time pass, in steps from deadline to deadline. */
static void
pass(int64 us)
{
	int64		end = now + us;

	while (pgt_classic_group_deadline(group) <= end)
	{
		now = Max(now, pgt_classic_group_deadline(group));
		pgt_classic_rebalance_tick(group, now);
	}
	now = end;
}

static KafkaError
beat(const char *member, int32 generation)
{
	return pgt_classic_heartbeat(group, str(member), str(NULL), generation, now);
}

static KafkaError
leave(const char *member, const char *instance)
{
	bool		left = false;
	KafkaError	error = pgt_classic_leave(group, str(member), str(instance), &left);

	pgt_classic_leave_end(group, left, now);
	return error;
}

/* What must be true between any two steps. */
static bool
is_sound(void)
{
	int			members = 0;
	int			joining = 0;
	int			due = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		members++;
		joining += member->joining;
		due += member->sync_due;
		if (pgt_classic_group_find(group, str(member->id)) != member)
			return false;
		if (member->join != NULL && (!((Request *) member->join)->open || member->join->member != member))
			return false;
		if (member->sync != NULL && (!((Request *) member->sync)->open || member->sync->member != member))
			return false;
		/* whoever does not wait is given up some time */
		if (member->session.place < 0 && member->join == NULL && member->sync == NULL)
			return false;
		if (member->syncing && group->state != CLASSIC_GROUP_COMPLETING_REBALANCE)
			return false;
		if (member->joining && group->state != CLASSIC_GROUP_PREPARING_REBALANCE && !member->replaces)
			return false;
	}
	if (members != group->member_count || joining != group->joining_count || due != group->sync_due_count)
		return false;
	if ((members > 0) != (group->leader != NULL) || group->generation < last_generation)
		return false;
	last_generation = group->generation;
	switch (group->state)
	{
		case CLASSIC_GROUP_EMPTY:
			return members == 0;
		case CLASSIC_GROUP_PREPARING_REBALANCE:
			return group->join_deadline != DEADLINE_NEVER;
		case CLASSIC_GROUP_COMPLETING_REBALANCE:
			return members > 0 && group->protocol != NULL && (group->sync_deadline != DEADLINE_NEVER || stores > 0);
		case CLASSIC_GROUP_STABLE:
			return members > 0 && group->protocol != NULL;
		case CLASSIC_GROUP_DEAD:
			break;
	}
	return false;
}

/* A new group. */
static void
begin(void)
{
	stores = 0;
	last_generation = 0;
	now = MS(1000);
	group = pgt_classic_group_make(&actions, NULL);
}

/* A group with members in a stable generation, the first of which leads. */
static void
begin_stable(Request *requests, int count, JoinArgs args)
{
	const char *ids[16];
	Request		syncs[16];

	begin();
	for (int i = 0; i < count; i++)
		join_twice(&requests[i], args);
	pass(MS(3 * DELAY_MS));
	for (int i = 0; i < count; i++)
		ids[i] = requests[i].member;
	for (int i = count - 1; i >= 0; i--)
		sync_group(&syncs[i], ids[i], NULL, group->generation, i == 0 ? count : 0, ids);
	stored(KAFKA_ERROR_NONE);
}

static void
end(const char *name)
{
	bool		good = is_sound() && wrong_answers == 0;

	pgt_classic_group_free(group, KAFKA_ERROR_NOT_COORDINATOR);
	ok(good && pgt_classic_group_total_bytes == 0, name);
}

/* ---- scenarios -------------------------------------------------------------------------- */

static void
test_first_rebalance(void)
{
	Request		a,
				b,
				sync_a,
				sync_b;
	const char *ids[2];

	begin();
	join(&a, "", (JoinArgs) {.protocols = "rs"});
	ok(!a.open && a.error == KAFKA_ERROR_MEMBER_ID_REQUIRED && strcmp(a.member, "") != 0, "a new member is told its id");
	ok(group->state == CLASSIC_GROUP_EMPTY && group->member_count == 0, "and is none yet");
	join_twice(&b, (JoinArgs) {.protocols = "sr"});
	ok(b.open && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "the first one waits for others");
	pass(MS(DELAY_MS - 1));
	join(&a, a.member, (JoinArgs) {.protocols = "rs"});
	pass(MS(DELAY_MS));
	ok(a.open && b.open, "for longer, as one has come");
	pass(MS(1));
	ok(!a.open && !b.open && a.error == 0 && b.error == 0 && a.generation == 1 && b.generation == 1, "both get a generation");
	ok(b.members == 2 && a.members == -1 && strcmp(a.leader, b.member) == 0 && strcmp(b.leader, b.member) == 0,
	   "the first one leads, and knows all");
	ok(strcmp(a.protocol, "s") == 0, "the protocol is the first one's of two with as many votes");
	ids[0] = a.member;
	ids[1] = b.member;
	sync_group(&sync_a, a.member, NULL, 1, 0, NULL);
	sync_group(&sync_b, b.member, NULL, 1, 2, ids);
	ok(sync_a.open && sync_b.open && stores == 1, "assignments are stored before members get them");
	ok(beat(a.member, 1) == 0, "heartbeats are answered meanwhile");
	ok(pgt_classic_heartbeat_commit(group, str(a.member), str(NULL), 1, now) == KAFKA_ERROR_REBALANCE_IN_PROGRESS,
	   "commits of offsets are refused");
	stored(KAFKA_ERROR_NONE);
	ok(!sync_a.open && !sync_b.open && strcmp(sync_a.assignment, a.member) == 0 && strcmp(sync_b.assignment, b.member) == 0,
	   "each has its own");
	ok(group->state == CLASSIC_GROUP_STABLE, "the group is stable");
	sync_group(&sync_a, a.member, NULL, 1, 0, NULL);
	ok(!sync_a.open && strcmp(sync_a.assignment, a.member) == 0, "an assignment can be asked for again");
	end("the first rebalance");
}

static void
test_fencing(void)
{
	Request		m[2],
				other;

	begin_stable(m, 2, (JoinArgs) {0});
	ok(beat(m[0].member, 1) == 0 && beat(m[1].member, 1) == 0, "heartbeats of a stable group");
	ok(beat(m[0].member, 0) == KAFKA_ERROR_ILLEGAL_GENERATION, "of another generation");
	ok(beat("nobody", 1) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "of nobody");
	ok(pgt_classic_heartbeat(group, str(m[0].member), str("i"), 1, now) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "of no static member");
	ok(pgt_classic_heartbeat_commit(group, str(m[0].member), str(NULL), 1, now) == 0, "a member commits");
	ok(pgt_classic_heartbeat_commit(group, str(m[0].member), str(NULL), 2, now) == KAFKA_ERROR_ILLEGAL_GENERATION, "not in another generation");
	ok(pgt_classic_heartbeat_commit(group, str(""), str(NULL), -1, now) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "and nobody else does");
	join(&other, "", (JoinArgs) {.protocols = "x"});
	ok(other.error == KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL, "a member without a common protocol");
	join(&other, "", (JoinArgs) {.type = "connect"});
	ok(other.error == KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL, "of another type");
	join(&other, "c-unknown", (JoinArgs) {0});
	ok(other.error == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "with an id that is none");
	sync_group(&other, m[0].member, NULL, 2, 0, NULL);
	ok(other.error == KAFKA_ERROR_ILLEGAL_GENERATION, "SyncGroup of another generation");
	ok(leave("nobody", NULL) == KAFKA_ERROR_UNKNOWN_MEMBER_ID && group->state == CLASSIC_GROUP_STABLE, "nobody leaves");
	join(&other, "", (JoinArgs) {0});
	ok(leave(other.member, NULL) == 0 && group->state == CLASSIC_GROUP_STABLE && group->pending_count == 0, "who has an id and has not joined leaves");
	ok(leave(m[1].member, NULL) == 0 && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "one leaves");
	ok(beat(m[0].member, 1) == KAFKA_ERROR_REBALANCE_IN_PROGRESS, "the other one is to join again");
	ok(pgt_classic_heartbeat_commit(group, str(m[0].member), str(NULL), 1, now) == 0, "and may commit before");
	join(&m[0], m[0].member, (JoinArgs) {0});
	ok(!m[0].open && m[0].generation == 2 && m[0].members == 1, "it is alone in the next generation");
	ok(leave(m[0].member, NULL) == 0 && group->state == CLASSIC_GROUP_EMPTY && stores == 1, "it leaves: the group is empty, and stored");
	ok(group->generation == 3, "which is a generation");
	ok(pgt_classic_heartbeat_commit(group, str(""), str(NULL), -1, now) == 0, "now anybody may commit");
	end("fencing");
}

static void
test_rejoin(void)
{
	Request		m[3],
				late;
	char		id[64];

	begin_stable(m, 2, (JoinArgs) {0});
	copy(id, sizeof(id), m[1].member);
	join(&m[1], m[1].member, (JoinArgs) {0});
	ok(!m[1].open && m[1].generation == 1 && group->state == CLASSIC_GROUP_STABLE, "a follower that has not changed: no rebalance");
	join(&m[1], m[1].member, (JoinArgs) {.metadata = "other"});
	ok(m[1].open && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "one that has: a rebalance");
	join(&m[0], m[0].member, (JoinArgs) {0});
	ok(!m[0].open && !m[1].open && m[0].generation == 2 && m[0].members == 2, "as soon as all have joined it ends");
	join(&m[1], m[1].member, (JoinArgs) {.metadata = "other"});
	ok(!m[1].open && m[1].generation == 2, "the answer is given again");
	join(&m[0], m[0].member, (JoinArgs) {0});
	ok(!m[0].open && m[0].generation == 2 && m[0].members == 2, "to the leader, too");
	sync_group(&late, m[1].member, NULL, 2, 0, NULL);
	join(&m[1], m[1].member, (JoinArgs) {.metadata = "third"});
	ok(!late.open && late.error == KAFKA_ERROR_REBALANCE_IN_PROGRESS && m[1].open, "who waits for an assignment is told of another rebalance");
	join(&late, id, (JoinArgs) {.metadata = "third"});
	ok(!m[1].open && m[1].error == KAFKA_ERROR_REBALANCE_IN_PROGRESS && late.open, "of two requests of a member the later one counts");
	join(&m[0], m[0].member, (JoinArgs) {0});
	ok(!m[0].open && !late.open && late.generation == 3, "the next generation");
	sync_group(&late, m[0].member, NULL, 3, 0, NULL);
	stored(KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	ok(!late.open && late.error == KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE && group->state == CLASSIC_GROUP_PREPARING_REBALANCE,
	   "what cannot be stored is an error, and the group rebalances");
	end("joining again");
}

static void
test_silence(void)
{
	Request		m[3],
				late;
	const char *ids[3];

	begin_stable(m, 3, (JoinArgs) {.rebalance_ms = 20000});
	for (int i = 0; i < 4; i++)
	{
		pass(MS(SESSION_MS / 2));
		beat(m[0].member, 1);
		beat(m[2].member, 1);
	}
	ok(group->member_count == 2 && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "who is silent is out");
	join(&m[0], m[0].member, (JoinArgs) {.rebalance_ms = 20000});
	for (int i = 0; i < 5; i++)
	{
		pass(MS(SESSION_MS / 2));
		beat(m[2].member, 1);
	}
	ok(!m[0].open && m[0].generation == 2 && m[0].members == 1, "who does not join again in time is, too");
	ok(beat(m[2].member, 1) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "and is told so");
	/* nobody sends SyncGroup */
	for (int i = 0; i < 5; i++)
	{
		pass(MS(SESSION_MS / 2));
		beat(m[0].member, 2);
	}
	ok(group->state == CLASSIC_GROUP_EMPTY && group->member_count == 0, "who does not ask for its assignment is, too");
	stored(KAFKA_ERROR_NONE);

	/* connections that are closed while their requests wait */
	join_twice(&m[0], (JoinArgs) {0});
	join_twice(&m[1], (JoinArgs) {0});
	m[1].dropped = true;
	pgt_classic_group_drop(group, &m[1].wait, now);
	pass(MS(SESSION_MS));
	ok(!m[0].open && m[0].error == 0, "a rebalance ends without a client that is gone");
	ids[0] = m[0].member;
	sync_group(&late, m[0].member, NULL, group->generation, 1, ids);
	stored(KAFKA_ERROR_NONE);
	for (int i = 0; i < 4 && group->member_count > 1; i++)
	{
		pass(MS(SESSION_MS / 2));
		beat(m[0].member, group->generation);
	}
	ok(group->member_count == 1, "which is out after its session");

	/* a pending member */
	join(&m[1], "", (JoinArgs) {0});
	ok(group->pending_count == 1, "an id is given");
	pass(MS(SESSION_MS - 1));
	beat(m[0].member, group->generation);
	ok(group->pending_count == 1, "and good for a session");
	pass(MS(1));
	ok(group->pending_count == 0, "but no longer");
	join(&m[1], m[1].member, (JoinArgs) {0});
	ok(m[1].error == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "then it is unknown");
	end("silence");

	/* a new member in a rebalance that takes long */
	begin_stable(m, 1, (JoinArgs) {.rebalance_ms = 600000});
	join_twice(&m[1], (JoinArgs) {.rebalance_ms = 600000});
	for (int i = 0; i < 60; i++)
	{
		pass(MS(SESSION_MS / 2));
		beat(m[0].member, 1);
	}
	ok(!m[1].open && m[1].error == KAFKA_ERROR_UNKNOWN_MEMBER_ID && group->member_count == 1,
	   "a new member has five minutes, as nobody knows whether it lives");
	end("a long rebalance");
}

static void
test_static(void)
{
	Request		a,
				b,
				again,
				s;
	const char *ids[2];
	char		first[64];

	begin();
	join(&a, "", (JoinArgs) {.instance = "a"});
	join(&b, "", (JoinArgs) {.instance = "b"});
	pass(MS(2 * DELAY_MS));
	ok(!a.open && a.members == 2 && group->generation == 1, "static members join at once");
	ids[0] = a.member;
	ids[1] = b.member;
	sync_group(&s, b.member, "b", 1, 0, NULL);
	sync_group(&again, a.member, "a", 1, 2, ids);
	stored(KAFKA_ERROR_NONE);
	ok(strcmp(s.assignment, b.member) == 0, "they have assignments");

	copy(first, sizeof(first), b.member);
	join(&b, "", (JoinArgs) {.instance = "b"});
	ok(b.open && stores == 1 && group->state == CLASSIC_GROUP_STABLE, "one comes back: its new id is stored");
	stored(KAFKA_ERROR_NONE);
	ok(!b.open && b.error == 0 && b.generation == 1 && strcmp(b.member, first) != 0 && b.members == -1,
	   "and it is in the same generation, under another id");
	sync_group(&s, b.member, "b", 1, 0, NULL);
	ok(strcmp(s.assignment, first) == 0, "with the same assignment");
	ok(pgt_classic_heartbeat(group, str(first), str("b"), 1, now) == KAFKA_ERROR_FENCED_INSTANCE_ID, "the old one is fenced");
	ok(beat(first, 1) == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "even if it does not say who it is");
	join(&s, first, (JoinArgs) {.instance = "b"});
	ok(s.error == KAFKA_ERROR_FENCED_INSTANCE_ID, "and cannot join");

	copy(first, sizeof(first), a.member);
	join(&a, "", (JoinArgs) {.instance = "a",.skips = true});
	stored(KAFKA_ERROR_NONE);
	ok(!a.open && a.members == 2 && a.skip && strcmp(a.leader, a.member) == 0, "the leader comes back, and has nothing to assign");
	copy(first, sizeof(first), a.member);
	join(&a, "", (JoinArgs) {.instance = "a"});
	stored(KAFKA_ERROR_NONE);
	ok(!a.open && a.members == -1 && strcmp(a.leader, first) == 0, "an old client is not told that it leads");

	join(&b, "", (JoinArgs) {.instance = "b",.protocols = "qr"});
	ok(b.open && stores == 1 && group->state == CLASSIC_GROUP_STABLE, "with other protocols, of which the group has the same one");
	join(&again, "", (JoinArgs) {.instance = "b"});
	ok(!b.open && b.error == KAFKA_ERROR_FENCED_INSTANCE_ID && again.open, "a second one takes its place meanwhile");
	stored(KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	ok(!again.open && again.error == KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, "what is not stored is not answered so");

	ok(leave("", "a") == 0 && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "one is removed by its instance id");
	ok(leave("", "a") == KAFKA_ERROR_UNKNOWN_MEMBER_ID, "once");
	/* the other one stays silent until its session ends */
	pass(MS(SESSION_MS + 1));
	ok(group->state == CLASSIC_GROUP_EMPTY, "the group is empty when nobody is left");
	end("static members");
}

static void
test_absent_static(void)
{
	Request		a,
				b,
				s;
	JoinArgs	args = {.session_ms = 100000,.rebalance_ms = 20000};

	begin();
	args.instance = "a";
	join(&a, "", args);
	pass(MS(DELAY_MS));
	args.instance = "b";
	join(&b, "", args);
	pass(MS(25000));
	ok(!b.open && b.generation == 2 && group->member_count == 2 && b.members == 2, "a static member that is away remains, and another one leads");
	sync_group(&s, b.member, "b", 2, 0, NULL);
	stored(KAFKA_ERROR_NONE);
	ok(!s.open && group->state == CLASSIC_GROUP_STABLE, "the group is stable without it");
	pass(MS(20000));
	ok(group->member_count == 1 && group->state == CLASSIC_GROUP_PREPARING_REBALANCE, "until it is time for its SyncGroup");
	end("static members that are away");
}

static void
test_limits(void)
{
	Request		m[3],
				late;
	ClassicGroupSettings saved = pgt_classic_group_settings;

	begin_stable(m, 2, (JoinArgs) {0});
	pgt_classic_group_settings.max_size = 2;
	join(&late, "", (JoinArgs) {0});
	ok(late.error == KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, "a full group");
	join(&m[1], m[1].member, (JoinArgs) {.metadata = "x"});
	ok(m[1].open, "its members may remain");
	pgt_classic_group_settings.max_size = 1;
	join(&m[0], m[0].member, (JoinArgs) {0});
	ok(m[0].error == KAFKA_ERROR_GROUP_MAX_SIZE_REACHED && !m[1].open && m[1].members == 1, "with a lower limit the last ones are out");
	pgt_classic_group_settings = saved;
	max_bytes = group->bytes + 1000;
	join(&late, m[1].member, (JoinArgs) {.metadata = "y"});
	ok(late.error == KAFKA_ERROR_NONE, "a member fits");
	join(&late, m[1].member, (JoinArgs) {.protocols = "rabcdefghijklmnopqst"});
	ok(late.error == KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, "one that is too large does not");
	max_bytes = 0;
	join(&late, m[1].member, (JoinArgs) {.metadata = "y"});
	ok(late.error == KAFKA_ERROR_NONE, "one that takes no more than before does, as full as it is");
	max_bytes = SIZE_MAX;
	join(&late, "", (JoinArgs) {.protocols = "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"});
	ok(late.error == KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL, "nor one with many protocols");
	join_twice(&late, (JoinArgs) {.protocols = "rr"});
	ok(late.open, "one that names a protocol twice does");
	end("limits");
}

static void
test_many(void)
{
	enum {COUNT = 5000};
	Request    *m = calloc(COUNT, sizeof(Request));
	Request    *s = calloc(COUNT, sizeof(Request));
	const char **ids = calloc(COUNT, sizeof(char *));
	int			right = 0;

	begin();
	for (int i = 0; i < COUNT; i++)
		join_twice(&m[i], (JoinArgs) {.protocols = "rs"});
	pass(MS(3 * DELAY_MS));
	for (int i = 0; i < COUNT; i++)
		ids[i] = m[i].member;
	for (int i = COUNT - 1; i >= 0; i--)
		sync_group(&s[i], ids[i], NULL, 1, i == 0 ? COUNT : 0, ids);
	stored(KAFKA_ERROR_NONE);
	for (int i = 0; i < COUNT; i++)
		right += !s[i].open && strcmp(s[i].assignment, ids[i]) == 0;
	ok(right == COUNT, "thousands of members");
	pass(MS(SESSION_MS));
	ok(group->state == CLASSIC_GROUP_EMPTY, "that are silent");
	end("a large group");
	free(m);
	free(s);
	free(ids);
}

static void
test_load(void)
{
	Request		m,
				s;
	KafkaJoinGroupRequestProtocol protocols[] = {{.name = str("r"),.metadata = bytes("m")}, {.name = str("s"),.metadata = bytes("n")}};
	ClassicMemberOrigin origin = {.id = str("a"),.instance_id = str(NULL),.client_id = str("c"),.client_host = str("/h"),
	.session_timeout = SESSION_MS,.rebalance_timeout = REBALANCE_MS};

	begin();
	pgt_classic_group_load(group, "consumer", 7, 20);
	pgt_classic_group_load_member(group, &origin, protocols, 2, bytes("first"), now);
	origin.id = str("b");
	pgt_classic_group_load_member(group, &origin, protocols, 2, bytes("second"), now);
	pgt_classic_group_loaded(group, str("r"), str("b"));
	ok(group->state == CLASSIC_GROUP_STABLE && beat("a", 7) == 0 && beat("b", 7) == 0, "a group goes on after it was loaded");
	sync_group(&s, "a", NULL, 7, 0, NULL);
	ok(strcmp(s.assignment, "first") == 0, "with the same assignments");
	pass(MS(SESSION_MS - 1));
	ok(group->member_count == 2, "members have a session's time to come back");
	beat("b", 7);
	pass(MS(1));
	ok(group->member_count == 1, "and not more");
	join(&m, "b", (JoinArgs) {.protocols = "rs"});
	ok(m.open && stores == 1, "the next generation is reserved before anybody is told of it");
	stored(KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	pass(MS(2000));
	ok(m.open && stores == 1, "tried again if that fails");
	stored(KAFKA_ERROR_NONE);
	ok(!m.open && m.generation == 21, "no generation is used twice");
	end("loading");
}

/* ---- the protocol of consumers ------------------------------------------------------------- */

/* What an assignment says, as text. */
static const char *
assignment_text(const char *data, int length)
{
	static char text[256];
	ConsumerProtocolReader reader;
	int32		partition;
	int			used = 0;

	text[0] = '\0';
	pgt_consumer_protocol_begin(&reader, (KafkaBytes) {data, length});
	while (pgt_consumer_protocol_next_partition(&reader, &partition) && used < 200)
		used += snprintf(text + used, sizeof(text) - used, "%.*s:%d ", reader.topic.length, reader.topic.data, partition);
	return text;
}

/* Is it the topic and partition that "arg" names, as in "a:5"? */
static bool
is_named(KafkaString topic, int32 partition, void *arg)
{
	char		name[64];

	snprintf(name, sizeof(name), "%.*s:%d ", topic.length, topic.data, partition);
	return strstr(arg, name) != NULL;
}

/* Without some partitions an assignment is, as text, this, with as much behind the partitions. */
static bool
is_left(const char *assignment, int length, int behind, char *out, const char *expected)
{
	KafkaBytes	left = pgt_consumer_protocol_leave_out((KafkaBytes) {assignment, length}, is_named, out);

	return strcmp(assignment_text(left.data, left.length), expected) == 0 && left.length >= behind &&
		memcmp(left.data, assignment, 2) == 0 && memcmp(left.data + left.length - behind, assignment + length - behind, behind) == 0;
}

static void
test_leaving_out(void)
{
	static const char assignment[] = "\0\1" "\0\0\0\3" "\0\1a" "\0\0\0\2" "\0\0\0\0" "\0\0\0\5"
		"\0\1b" "\0\0\0\0" "\0\2cd" "\0\0\0\1" "\0\0\0\1" "\0\0\0\3abc" "rest";
	int			length = sizeof(assignment) - 1;
	KafkaBytes	damaged = {assignment, 20};

	ok(is_left(assignment, length, 11, "", "a:0 a:5 cd:1 "), "an assignment of which nothing is left out");
	ok(is_left(assignment, length, 11, "a:5 ", "a:0 cd:1 "), "without a partition");
	ok(is_left(assignment, length, 11, "a:0 a:5 ", "cd:1 "), "without a topic");
	ok(is_left(assignment, length, 11, "a:0 a:5 cd:1 ", ""), "without all");
	ok(pgt_consumer_protocol_leave_out(damaged, is_named, "a:0 ").data == damaged.data, "what is none stays as it is");
}

static void
test_protocol(void)
{
	static const char assignment[] = "\0\1" "\0\0\0\3" "\0\1a" "\0\0\0\2" "\0\0\0\0" "\0\0\0\5"
		"\0\1b" "\0\0\0\0" "\0\2cd" "\0\0\0\1" "\0\0\0\1" "\377\377\377\377";
	static const char subscription[] = "\0\3" "\0\0\0\2" "\0\1a" "\0\2bc" "\377\377\377\377" "rest";
	ConsumerProtocolReader reader;
	char		damaged[sizeof(assignment)];
	int			topics = 0;

	ok(strcmp(assignment_text(assignment, sizeof(assignment) - 1), "a:0 a:5 cd:1 ") == 0, "an assignment");
	pgt_consumer_protocol_begin(&reader, (KafkaBytes) {subscription, sizeof(subscription) - 1});
	while (pgt_consumer_protocol_next_topic(&reader))
		topics++;
	ok(topics == 2 && reader.topic.length == 2, "a subscription");
	for (int length = 0; length < sizeof(assignment); length++)
	{
		char	   *exact = memcpy(malloc(length + 1), assignment, length);

		(void) assignment_text(exact, length);
		free(exact);
	}
	random_state = 7;
	for (int i = 0; i < 10000; i++)
	{
		memcpy(damaged, assignment, sizeof(damaged));
		for (int k = 0; k < 3; k++)
			damaged[pick(sizeof(damaged) - 1)] = (char) pick(256);
		(void) assignment_text(damaged, sizeof(damaged) - 1);
	}
	ok(strcmp(assignment_text(NULL, 0), "") == 0 && strcmp(assignment_text("\0\1\377\377\377\377", 6), "") == 0, "and what is none");
}

/* ---- random histories --------------------------------------------------------------------- */

#define CLIENTS	12

typedef enum ClientState
{
	CLIENT_AWAY,
	CLIENT_JOINING,
	CLIENT_SYNCING,
	CLIENT_MEMBER
} ClientState;

/* A client, as clients are: it does what answers tell it, unless it is silent. */
typedef struct Client
{
	ClientState state;
	bool		is_static;
	char		instance[16];
	char		id[64];			/* empty: none */
	int32		generation;
	bool		leads;
	bool		silent;
	int			metadata;
	Request    *request;		/* that waits or was answered; NULL: none */
	char		assignment[64];
} Client;

static Client clients[CLIENTS];
static Request *all_requests[100000];
static int	request_count;

static Request *
new_request(void)
{
	all_requests[request_count] = calloc(1, sizeof(Request));
	return all_requests[request_count++];
}

static void
client_join(Client *client)
{
	char		metadata[16];
	JoinArgs	args = {.instance = client->is_static ? client->instance : NULL,.metadata = metadata,
	.protocols = pick(4) == 0 ? "sr" : "rs",.old = pick(5) == 0,.skips = pick(2) == 0,
	.session_ms = 5000 + pick(10000),.rebalance_ms = 5000 + pick(20000)};

	snprintf(metadata, sizeof(metadata), "%d", client->metadata);
	client->request = new_request();
	client->state = CLIENT_JOINING;
	join(client->request, client->id, args);
}

static void
client_sync(Client *client)
{
	const char *ids[CLIENTS * 4];
	int			count = 0;
	dlist_iter	iter;

	client->request = new_request();
	client->state = CLIENT_SYNCING;
	if (client->leads)
	{
		dlist_foreach(iter, &group->members)
			if (count < lengthof(ids))
				ids[count++] = dlist_container(ClassicMember, node, iter.cur)->id;
	}
	sync_group(client->request, client->id, client->is_static ? client->instance : NULL, client->generation, count, ids);
}

/* What an error tells a client. */
static void
client_error(Client *client, KafkaError error)
{
	if (error == KAFKA_ERROR_UNKNOWN_MEMBER_ID || error == KAFKA_ERROR_FENCED_INSTANCE_ID ||
		error == KAFKA_ERROR_ILLEGAL_GENERATION)
		client->id[0] = '\0';
	client->state = CLIENT_AWAY;
	client->assignment[0] = '\0';
}

/* An answer has come. */
static void
client_answer(Client *client)
{
	Request    *request = client->request;

	client->request = NULL;
	if (request->is_join && request->error == KAFKA_ERROR_MEMBER_ID_REQUIRED)
	{
		copy(client->id, sizeof(client->id), request->member);
		client->state = CLIENT_AWAY;
	}
	else if (request->error != KAFKA_ERROR_NONE)
		client_error(client, request->error);
	else if (request->is_join)
	{
		copy(client->id, sizeof(client->id), request->member);
		client->generation = request->generation;
		client->leads = request->members >= 0 && !request->skip;
		client_sync(client);
	}
	else
	{
		copy(client->assignment, sizeof(client->assignment), request->assignment);
		client->state = CLIENT_MEMBER;
	}
}

/* A client does something. */
static void
client_step(Client *client)
{
	if (client->request != NULL && !client->request->open)
		client_answer(client);
	else if (client->request != NULL)
	{
		/* it loses its connection, and forgets or repeats what it has asked for */
		if (pick(20) == 0)
		{
			client->request->dropped = true;
			pgt_classic_group_drop(group, &client->request->wait, now);
			client->request = NULL;
			client->state = CLIENT_AWAY;
		}
	}
	else if (client->silent)
		client->silent = pick(10) != 0;
	else if (client->state == CLIENT_AWAY)
		client_join(client);
	else
	{
		KafkaError	error = beat(client->id, client->generation);

		if (error != KAFKA_ERROR_NONE)
			client_error(client, error);
		else if (pick(30) == 0)
		{
			(void) leave(client->id, NULL);
			client_error(client, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
		}
		else if (pick(30) == 0)
		{
			client->metadata++;
			client_join(client);
		}
		else if (pick(20) == 0)
			client->silent = true;
		else if (pick(30) == 0)
		{
			/* it dies, and a static one has no other way back than its instance id */
			client_error(client, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
			client->silent = true;
		}
	}
}

/* No two members own the same in one generation, as the group sees it: each has what the leader has given it. */
static bool
owners_are_right(void)
{
	if (group->state != CLASSIC_GROUP_STABLE)
		return true;
	for (int i = 0; i < CLIENTS; i++)
		for (int k = i + 1; k < CLIENTS; k++)
		{
			Client	   *a = &clients[i];
			Client	   *b = &clients[k];

			if (a->state == CLIENT_MEMBER && b->state == CLIENT_MEMBER && a->assignment[0] != '\0' &&
				beat(a->id, a->generation) == 0 && beat(b->id, b->generation) == 0 &&
				strcmp(a->assignment, b->assignment) == 0)
				return false;
		}
	return true;
}

/* All clients behave: does the group become stable? */
static bool
settles(void)
{
	for (int i = 0; i < CLIENTS; i++)
		clients[i].silent = false;
	for (int round = 0; round < 4000; round++)
	{
		int			members = 0;

		for (int i = 0; i < CLIENTS; i++)
		{
			Client	   *client = &clients[i];

			if (client->request != NULL && !client->request->open)
				client_answer(client);
			else if (client->request == NULL && client->state == CLIENT_AWAY)
				client_join(client);
			else if (client->request == NULL)
			{
				KafkaError	error = beat(client->id, client->generation);

				if (error != KAFKA_ERROR_NONE)
					client_error(client, error);
			}
			members += client->state == CLIENT_MEMBER;
		}
		stored(KAFKA_ERROR_NONE);
		pass(MS(500));
		if (members == CLIENTS && group->state == CLASSIC_GROUP_STABLE)
			return true;
	}
	return false;
}

static bool
run_history(uint64 seed)
{
	bool		good = true;

	random_state = seed;
	pgt_classic_group_settings.reserve = 1 + pick(20);
	memset(clients, 0, sizeof(clients));
	request_count = 0;
	begin();
	for (int i = 0; i < CLIENTS; i++)
	{
		clients[i].is_static = i % 3 == 0;
		snprintf(clients[i].instance, sizeof(clients[i].instance), "i%d", i);
	}
	for (int step = 0; good && step < 4000; step++)
	{
		client_step(&clients[pick(CLIENTS)]);
		if (pick(3) == 0)
			stored(pick(10) == 0 ? KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE : KAFKA_ERROR_NONE);
		if (pick(4) == 0)
			pass(MS(pick(pick(10) == 0 ? 20000 : 500)));
		good = is_sound() && owners_are_right() && wrong_answers == 0;
		if (!good)
			printf("# seed " UINT64_FORMAT ", step %d: the group is %s\n", seed, step, pgt_classic_group_state_name(group));
	}
	if (good && !settles())
	{
		printf("# seed " UINT64_FORMAT ": the group does not settle, it is %s\n", seed, pgt_classic_group_state_name(group));
		good = false;
	}
	pgt_classic_group_free(group, KAFKA_ERROR_NOT_COORDINATOR);
	for (int i = 0; i < request_count; i++)
	{
		good = good && (!all_requests[i]->open || all_requests[i]->dropped);
		free(all_requests[i]);
	}
	return good && pgt_classic_group_total_bytes == 0;
}

int
main(int argc, char **argv)
{
	uint64		first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	int			histories = argc > 1 ? 1 : 100;
	bool		good = true;

	test_first_rebalance();
	test_fencing();
	test_rejoin();
	test_silence();
	test_static();
	test_absent_static();
	test_limits();
	test_many();
	test_load();
	test_protocol();
	test_leaving_out();
	for (int i = 0; good && i < histories; i++)
		good = run_history(first + i);
	ok(good, "random histories");
	return tap_end();
}
