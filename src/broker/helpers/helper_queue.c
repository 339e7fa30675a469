/*
 * helper_queue.c
 *	  Requests that wait for a helper process, in turns by role.
 *
 * The helpers are few, and shared by all clients; a request may have one for a minute.  So that no role keeps
 * others from theirs, each has a queue of its own, and these are served in turns:
 *
 *	  roles		first served				last served
 *				{alice: task, task}  ->  {bob: task}  ->  {carol: none, but one with a helper}
 *
 * While tasks of others wait, a role gets no more than half of the helpers.  While none do, it gets all but one, so
 * that another role that comes does not have to wait either.  A helper is not taken from a task that it has.
 *
 * Of the tasks that nobody waits for a role may leave half of what all may.
 *
 * Memory: tasks and roles are in TopMemoryContext.  A role is there as long as it has a task, wherever that is.
 */
#include "postgres.h"

#include "broker/helpers/helper.h"
#include "broker/helpers/helper_queue.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define HELPERS_BESIDE_OTHERS	((HELPER_QUEUE_HELPERS + 1) / 2)
#define HELPERS_ALONE			Max(HELPER_QUEUE_HELPERS - 1, 1)

typedef struct HelperRole
{
	dlist_node	node;
	Oid			role;
	dlist_head	tasks;			/* that are queued */
	int			queued;
	int			held;			/* with helpers */
	int			left;
	int			alive;			/* tasks there are, wherever they are */
} HelperRole;

static dlist_head roles = DLIST_STATIC_INIT(roles); /* who is to be served first is first */
static int	queued_count = 0;
static int	left_count = 0;

/* ---- roles -------------------------------------------------------------------- */

static HelperRole *
find_role(Oid role)
{
	dlist_iter	iter;

	dlist_foreach(iter, &roles)
	{
		HelperRole *entry = dlist_container(HelperRole, node, iter.cur);

		if (entry->role == role)
			return entry;
	}
	return NULL;
}

/* The role's entry, which is made if there is none. */
static HelperRole *
get_role(Oid role)
{
	HelperRole *entry = find_role(role);

	if (entry != NULL)
		return entry;
	entry = MemoryContextAllocZero(TopMemoryContext, sizeof(HelperRole));
	entry->role = role;
	dlist_init(&entry->tasks);
	dlist_push_tail(&roles, &entry->node);
	return entry;
}

/* How many helpers a role may have now. */
static int
limit_of(const HelperRole *role)
{
	return queued_count > role->queued ? HELPERS_BESIDE_OTHERS : HELPERS_ALONE;
}

/* How many of its queued tasks may be given to helpers. */
static int
ready_of(const HelperRole *role)
{
	return Max(Min(role->queued, limit_of(role) - role->held), 0);
}

/* ---- tasks --------------------------------------------------------------------- */

HelperTask *
pgt_helper_queue_make(const BrokerRequest *request, int32 timeout_ms)
{
	const Exchange *exchange = request->exchange;
	HelperMessage message = {0};
	Size		length = sizeof(message) + exchange->length;
	HelperTask *task = MemoryContextAllocHuge(TopMemoryContext, sizeof(HelperTask) + length);

	*task = (HelperTask) {.message = (char *) (task + 1),.length = length};
	message.role = request->client->role;
	message.deadline = task->deadline = request->arrived + timeout_ms * INT64CONST(1000);
	memcpy(task->message, &message, sizeof(message));
	memcpy(task->message + sizeof(message), exchange->frame, exchange->length);
	PG_TRY();
	{
		task->role = get_role(request->client->role);
	}
	PG_CATCH();
	{
		pfree(task);
		PG_RE_THROW();
	}
	PG_END_TRY();
	task->role->alive++;
	return task;
}

bool
pgt_helper_queue_may_leave(Oid role)
{
	const HelperRole *entry = find_role(role);

	return left_count < HELPER_QUEUE_LEFT_MAX && (entry == NULL || entry->left < HELPER_QUEUE_LEFT_MAX / 2);
}

void
pgt_helper_queue_note_left(HelperTask *task)
{
	task->left = true;
	task->role->left++;
	left_count++;
}

void
pgt_helper_queue_add(HelperTask *task, bool first)
{
	Assert(!task->queued && !task->held);
	if (first)
		dlist_push_head(&task->role->tasks, &task->node);
	else
		dlist_push_tail(&task->role->tasks, &task->node);
	task->queued = true;
	task->role->queued++;
	queued_count++;
}

void
pgt_helper_queue_remove(HelperTask *task)
{
	Assert(task->queued);
	dlist_delete(&task->node);
	task->queued = false;
	task->role->queued--;
	queued_count--;
}

HelperTask *
pgt_helper_queue_take(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &roles)
	{
		HelperRole *role = dlist_container(HelperRole, node, iter.cur);
		HelperTask *task;

		if (ready_of(role) == 0)
			continue;
		task = dlist_container(HelperTask, node, dlist_head_node(&role->tasks));
		pgt_helper_queue_remove(task);
		task->held = true;
		role->held++;
		/* the others' turn is next */
		dlist_delete(&role->node);
		dlist_push_tail(&roles, &role->node);
		return task;
	}
	return NULL;
}

void
pgt_helper_queue_give_back(HelperTask *task)
{
	Assert(task->held);
	task->held = false;
	task->role->held--;
}

int
pgt_helper_queue_ready(void)
{
	int			ready = 0;
	dlist_iter	iter;

	if (queued_count == 0)
		return 0;
	dlist_foreach(iter, &roles)
		ready += ready_of(dlist_container(HelperRole, node, iter.cur));
	return ready;
}

/* Remove those of a role. */
static void
expire_tasks(HelperRole *role, int64 now)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &role->tasks)
	{
		HelperTask *task = dlist_container(HelperTask, node, iter.cur);
		bool		is_last = role->alive == 1;

		/* others are woken by their deadlines */
		if (task->request != NULL || task->deadline > now)
			continue;
		/* with its last task the role goes, and with it this list */
		pgt_helper_queue_remove(task);
		pgt_helper_queue_free(task);
		if (is_last)
			return;
	}
}

void
pgt_helper_queue_expire(void)
{
	dlist_mutable_iter iter;
	int64		now;

	if (left_count == 0)
		return;
	now = pgt_clock_monotonic_us();
	dlist_foreach_modify(iter, &roles)
		expire_tasks(dlist_container(HelperRole, node, iter.cur), now);
}

void
pgt_helper_queue_free(HelperTask *task)
{
	HelperRole *role = task->role;

	Assert(!task->queued && !task->held);
	if (task->left)
	{
		role->left--;
		left_count--;
	}
	if (task->reply != NULL)
		pfree(task->reply);
	pfree(task);
	if (--role->alive > 0)
		return;
	dlist_delete(&role->node);
	pfree(role);
}
