/*
 * topic_waiters.c
 *	  Sleeping until there is news of a topic, and waking who sleeps.
 *
 * Hundreds of sessions may wait for one topic.  Waking all of them for each
 * record would have all of them look, and one of them find something.  So a
 * waiter says which group it is of, and an append to n partitions wakes n
 * waiters of each group: no more could own one of them.
 *
 *	  waiters		one slot a process
 *	  active		numbers of the slots in use, dense, in no order
 *
 * That a group's news is not lost with the one that was woken for it is an
 * invariant in three parts:
 *
 *	  - each waiter looks once more after it was woken, with a snapshot taken
 *		since; who is woken is not woken again before that, another is
 *	  - who leaves, by an error or otherwise, while it is woken and has not
 *		looked, wakes another one of its group
 *	  - who gives up a partition that still has something to read wakes one
 *		(group_wakeup.c)
 *
 * Some waiters can only use certain partitions, so another one cannot do for
 * them.  They wait for themselves ("each") and are always woken, but not for
 * other partitions.  Which they can use may change from look to look.  What was
 * appended to a new one before that was known has woken nobody, and the look's
 * snapshot may not see it: so the waiter wakes itself, for another look.
 *
 * A group is known by 64 bits of hash; two groups of the same would be woken as
 * one.
 *
 * Locks: TopicWaiters.lock, for all but the flag "woken", which its waiter reads
 * without it: the latch's barriers order that.  Taken with no slot's lock held
 * or wanted.  Who commits while nobody waits takes no lock: he reads the number
 * of waiters after his transaction has ended, and they look with a snapshot
 * taken after they were counted.
 *
 * Layer 2.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/wait_event.h"

#include "log/clock.h"
#include "log/topic_waiters.h"
#include "util/compat.h"

/* An append is told from others of so many groups; where there are more, all are woken. */
#define GROUPS_MAX	64

typedef struct TopicWaiter
{
	Latch	   *latch;
	Oid			database;
	uint64		group;
	bool		each;			/* nobody can do for it */
	PartitionSet partitions;	/* that it can use */
	int			topic_count;	/* -1: any topic */
	Oid			topics[WAIT_TOPICS_MAX];
	volatile bool woken;		/* and has not looked since */
} TopicWaiter;

typedef struct TopicWaiters
{
	LWLock		lock;
	pg_atomic_uint32 count;		/* of active ones */
	TopicWaiter *waiters;		/* by process */
	int			active[FLEXIBLE_ARRAY_MEMBER];
} TopicWaiters;

/* How many waiters of each group an append has woken. */
typedef struct WokenGroups
{
	int			count;
	uint64		groups[GROUPS_MAX];
	int			woken[GROUPS_MAX];
} WokenGroups;

static TopicWaiters *shared = NULL;

/* This process is a waiter. */
static bool waiting = false;

/* ---- shared memory ------------------------------------------------------- */

/* Bytes of the header with its array. */
static Size
header_size(void)
{
	return MAXALIGN(add_size(offsetof(TopicWaiters, active), mul_size(MaxBackends, sizeof(int))));
}

/* See the header. */
Size
pgt_topic_waiters_size(void)
{
	return add_size(header_size(), mul_size(MaxBackends, sizeof(TopicWaiter)));
}

/* A waiter that ends in a way that runs no PG_CATCH leaves here. */
static void
waiters_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		pgt_topic_wait_end(true);
}

/* See the header. */
void
pgt_topic_waiters_init(void)
{
	static bool registered = false;
	bool		found;
	int			tranche;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("pg_topics waiters", pgt_topic_waiters_size(), &found);
	if (!found)
	{
		tranche = pgt_new_tranche("pg_topics waiters");
		LWLockInitialize(&shared->lock, tranche);
		pg_atomic_init_u32(&shared->count, 0);
		shared->waiters = (TopicWaiter *) ((char *) shared + header_size());
	}
	LWLockRelease(AddinShmemInitLock);
	/* again after a crash */
	if (!registered)
		RegisterXactCallback(waiters_xact_callback, NULL);
	registered = true;
}

/* This process's slot. */
static int
my_slot(void)
{
	return (int) (MyProc - ProcGlobal->allProcs);
}

/* See the header. */
uint64
pgt_wait_group(const char *group_id)
{
	return hash_bytes_extended((const unsigned char *) group_id, (int) strlen(group_id), 0);
}

/* ---- waking, with the lock held ------------------------------------------ */

/* Does it wait for the topic? */
static bool
waits_for(const TopicWaiter *waiter, Oid database, Oid topic)
{
	if (waiter->database != database)
		return false;
	for (int i = 0; i < waiter->topic_count; i++)
		if (waiter->topics[i] == topic)
			return true;
	return waiter->topic_count < 0;
}

/* Wake it. */
static void
wake(TopicWaiter *waiter)
{
	waiter->woken = true;
	SetLatch(waiter->latch);
}

/* Can it use one of the partitions?  News of all of them is for who has none, too. */
static bool
can_use(const TopicWaiter *waiter, PartitionSet partitions)
{
	return partitions == PARTITION_SET_ALL || (waiter->partitions & partitions) != 0;
}

/* Have fewer than "most" of the waiter's group been woken?  Counts it if so. */
static bool
take_part(WokenGroups *groups, const TopicWaiter *waiter, int most)
{
	int			i = 0;

	while (i < groups->count && groups->groups[i] != waiter->group)
		i++;
	if (i == GROUPS_MAX)
		return true;
	if (i == groups->count)
	{
		groups->groups[i] = waiter->group;
		groups->woken[i] = 0;
		groups->count++;
	}
	return groups->woken[i]++ < most;
}

/* The nth active waiter. */
static TopicWaiter *
active_waiter(uint32 n)
{
	return &shared->waiters[shared->active[n]];
}

/* Wake "most" waiters of each group, and of those that nobody can do for who can use the partitions. */
static void
wake_of_each_group(Oid database, Oid topic, int most, PartitionSet partitions)
{
	WokenGroups groups;

	groups.count = 0;
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);

		/* one that is woken already looks for what woke it */
		if (!waits_for(waiter, database, topic) || waiter->woken)
			continue;
		if (waiter->each ? can_use(waiter, partitions) : take_part(&groups, waiter, most))
			wake(waiter);
	}
}

/*
 * Wake one waiter of a group that is not woken yet, and those that nobody can do
 * for who can use the partitions.
 */
static void
wake_of_group(Oid database, Oid topic, uint64 group, PartitionSet partitions)
{
	bool		found = false;

	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);

		if (waiter->group != group || waiter->woken || !waits_for(waiter, database, topic))
			continue;
		if (waiter->each ? can_use(waiter, partitions) : !found)
			wake(waiter);
		found |= !waiter->each;
	}
}

/* ---- waking -------------------------------------------------------------- */

/* Is there a waiter at all?  See the file's head for why that may be asked so. */
static bool
somebody_waits(void)
{
	pg_memory_barrier();
	return pg_atomic_read_u32(&shared->count) > 0;
}

/* See the header. */
void
pgt_topic_wake_some(Oid database, Oid topic, int count, PartitionSet partitions)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	wake_of_each_group(database, topic, count, partitions);
	LWLockRelease(&shared->lock);
}

/* See the header. */
void
pgt_topic_wake(Oid database, Oid topic)
{
	pgt_topic_wake_some(database, topic, INT_MAX, PARTITION_SET_ALL);
}

/* See the header. */
void
pgt_topic_wake_one(Oid database, Oid topic, int32 partition, uint64 group)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	wake_of_group(database, topic, group, PARTITION_SET_OF(partition));
	LWLockRelease(&shared->lock);
}

/* See the header. */
void
pgt_topic_wake_all(void)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
		wake(active_waiter(n));
	LWLockRelease(&shared->lock);
}

/* See the header. */
bool
pgt_topic_is_waited_for(Oid database, Oid topic, uint64 group)
{
	bool		found = false;

	LWLockAcquire(&shared->lock, LW_SHARED);
	for (uint32 n = 0; !found && n < pg_atomic_read_u32(&shared->count); n++)
		found = active_waiter(n)->group == group && waits_for(active_waiter(n), database, topic);
	LWLockRelease(&shared->lock);
	return found;
}

/* ---- waiting ------------------------------------------------------------- */

/* See the header. */
void
pgt_topic_wait_begin(const Oid *topics, int count, uint64 group, bool each)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];

	Assert(!waiting && my_slot() < MaxBackends);
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	waiter->latch = MyLatch;
	waiter->database = MyDatabaseId;
	waiter->group = group;
	waiter->each = each;
	waiter->partitions = PARTITION_SET_ALL;
	waiter->topic_count = count <= WAIT_TOPICS_MAX ? count : -1;
	memcpy(waiter->topics, topics, Min(count, WAIT_TOPICS_MAX) * sizeof(Oid));
	waiter->woken = false;
	shared->active[pg_atomic_read_u32(&shared->count)] = my_slot();
	pg_atomic_fetch_add_u32(&shared->count, 1);
	LWLockRelease(&shared->lock);
	waiting = true;
}

/* See the header. */
void
pgt_topic_wait_for(PartitionSet partitions)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];

	if (!waiting || waiter->partitions == partitions)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if ((partitions & ~waiter->partitions) != 0)
		waiter->woken = true;
	waiter->partitions = partitions;
	LWLockRelease(&shared->lock);
}

/* See the header. */
void
pgt_topic_wait_look(void)
{
	Assert(waiting);
	shared->waiters[my_slot()].woken = false;
	pg_memory_barrier();
}

/* See the header. */
bool
pgt_topic_wait_sleep(long timeout_ms)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];
	int64		begun = pgt_monotonic_us();

	Assert(waiting);
	while (!waiter->woken)
	{
		int64		remaining = timeout_ms - pgt_monotonic_ms_since(begun);

		CHECK_FOR_INTERRUPTS();
		if (remaining <= 0)
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 (long) remaining, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	CHECK_FOR_INTERRUPTS();
	return true;
}

/* Take this process's slot out of the active ones. */
static void
leave(void)
{
	uint32		last = pg_atomic_read_u32(&shared->count) - 1;
	uint32		n = 0;

	while (shared->active[n] != my_slot())
		n++;
	shared->active[n] = shared->active[last];
	pg_atomic_write_u32(&shared->count, last);
}

/* Wake another waiter of the group for each topic. */
static void
pass_news_on(const TopicWaiter *mine)
{
	TopicWaiter *other;

	if (mine->topic_count >= 0)
	{
		for (int i = 0; i < mine->topic_count; i++)
			wake_of_group(mine->database, mine->topics[i], mine->group, 0);
		return;
	}
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		other = active_waiter(n);
		if (other->database == mine->database && other->group == mine->group && !other->each)
			wake(other);
	}
}

/* See the header. */
void
pgt_topic_wait_end(bool pass_on)
{
	TopicWaiter *mine;

	if (!waiting)
		return;
	waiting = false;
	mine = &shared->waiters[my_slot()];
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	leave();
	if ((pass_on || mine->woken) && !mine->each)
		pass_news_on(mine);
	LWLockRelease(&shared->lock);
}
