/*
 * empty_groups.c
 *	  Groups of Kafka's clients that have no members any more.
 *
 * They are kept for EMPTY_MS, so that who comes back soon finds the generation go on; after that they are forgotten, with
 * their rows.  Clients can make any number of groups, and leave them.  What a group has committed is not the registry's:
 * it stays as long as offsets do, and the group is one that only SQL knows (sql_group.c), until somebody joins it again.
 * Its generations then begin anew: no member is left who could take one for another.
 *
 * They are looked at now and then, and a limited number is forgotten in a turn.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/empty_groups.h"
#include "group/group_types.h"
#include "util/catch_error.h"
#include "util/clock.h"

/* As Kafka's offsets.retention.check.interval.ms. */
#define EMPTY_MS		(10 * 60 * INT64CONST(1000))
#define LOOK_US			(60 * INT64CONST(1000000))
#define AGAIN_US		(100 * INT64CONST(1000))	/* when there are more */
#define LOOK_GROUPS		100

/* A group that is to be forgotten, with the turn. */
typedef struct Forgetting
{
	TurnWork	work;
	bool		deleted;		/* its row is, as far as the turn is concerned */
	char		id[MAX_GROUP_ID_LENGTH + 1];
} Forgetting;

static EventLoopTimer timer;

/* Is the group empty, and nothing of it on its way? */
static bool
is_idle(CoordinatorGroup *group)
{
	const CoordinatorKind *kind = pgt_group_coordinator_kind(group);

	return kind->empty_since(group) != 0 && !kind->is_busy(group);
}

/* The group that is to be forgotten, if it is idle still. */
static CoordinatorGroup *
find_idle(const Forgetting *forgetting)
{
	CoordinatorGroup *group = pgt_group_coordinator_find(pgt_broker_string(forgetting->id));

	return group != NULL && is_idle(group) ? group : NULL;
}

static void
call_delete(void *arg)
{
	pgt_kafka_group_row_delete(arg);
}

/* TurnWork.  An error is not that of others in the turn; it is tried again with the next look. */
static void
delete_row(TurnWork *work)
{
	Forgetting *forgetting = (Forgetting *) work;
	ErrorData  *error;

	if (find_idle(forgetting) == NULL)
		return;
	error = pgt_catch_error(call_delete, forgetting->id);
	forgetting->deleted = error == NULL;
	if (error != NULL)
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("could not forget consumer group \"%s\" of Kafka clients: %s", forgetting->id, error->message)));
}

/* TurnWork */
static void
row_deleted(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	Forgetting *forgetting = (Forgetting *) work;
	CoordinatorGroup *group = committed && forgetting->deleted ? find_idle(forgetting) : NULL;

	if (group != NULL)
		pgt_group_coordinator_remove(group);
	pfree(forgetting);
}

static void
look_at_group(CoordinatorGroup *group, void *arg)
{
	int		   *left = arg;
	Forgetting *forgetting;

	if (*left == 0 || !is_idle(group) ||
		pgt_clock_shifted_now_ms() - pgt_group_coordinator_kind(group)->empty_since(group) < EMPTY_MS)
		return;
	(*left)--;
	forgetting = MemoryContextAllocZero(pgt_group_coordinator_memory(), sizeof(Forgetting));
	forgetting->work = (TurnWork) {.before = delete_row,.after = row_deleted};
	strlcpy(forgetting->id, group->id, sizeof(forgetting->id));
	pgt_turn_open();
	pgt_turn_add(&forgetting->work);
}

static void
look_at_all(void *arg)
{
	pgt_turn_open();
	if (pgt_group_coordinator_check_active() == KAFKA_ERROR_NONE)
		pgt_group_coordinator_each(look_at_group, arg);
}

static void
look(EventLoopTimer *unused)
{
	int			left = LOOK_GROUPS;

	(void) pgt_turn_try(look_at_all, &left, NULL);
	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us() + (left > 0 ? LOOK_US : AGAIN_US));
}

/* The clock may be another one. */
static void
reloaded(void)
{
	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us());
}

static void
start(void)
{
	timer.expired = look;
	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us() + LOOK_US);
}

const BrokerHooks pgt_empty_groups_hooks = {.start = start,.reloaded = reloaded};
