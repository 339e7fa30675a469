/*
 * topic_waiters.c
 *	  Sleeping until a topic has news, and waking the sleepers.
 *
 * Hundreds of sessions may wait for one topic.  If each record woke all of them, all of
 * them would look and one of them would find the record.  So a waiter says which consumer
 * group it belongs to, and an append to n partitions wakes n waiters of each group:
 * no more of them could own one of the partitions.
 *
 *	  waiters		one slot for each process
 *	  active		the numbers of the slots in use, dense, in no order
 *
 * News for a group must not be lost together with the waiter that was woken for it.  This
 * holds because of three rules:
 *
 *	  - A waiter that was woken looks once more, with a snapshot taken after it was
 *		woken.  Until it looks it is not woken again; another waiter is.
 *	  - A waiter that leaves, by an error or otherwise, after it was woken and before it
 *		has looked, wakes another waiter of its group.
 *	  - A consumer that gives up a partition in which records are left to read wakes
 *		a waiter (group_wakeup.c).
 *
 * Some waiters can use only certain partitions, so another waiter cannot take their
 * place.  They wait for themselves ("each") and are always woken, except by news of
 * partitions that they cannot use.  Which partitions a waiter can use may change from look
 * to look.  Appends to a partition that the waiter has just learned of did not wake it, and
 * the look's snapshot may not see them: so the waiter wakes itself, for one more look.
 *
 * A group is known by a 64-bit hash of its name; two groups with the same hash would be
 * woken as one.
 *
 * Locks: TopicWaiters.lock guards all fields except the flag "woken", which its waiter
 * reads without the lock: the latch's memory barriers order that.  No process takes this
 * lock while it holds a slot's lock, or the other way round.  A commit takes no lock if
 * there is no waiter: it reads the number of waiters after its transaction has ended, and
 * waiters look with a snapshot that they take after they were counted.
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

#include "log/topic_waiters.h"
#include "util/client_connection.h"
#include "util/clock.h"
#include "util/compat.h"

/* An append counts the woken waiters of so many groups; of further groups it wakes all. */
#define GROUPS_MAX	64

typedef struct TopicWaiter
{
	Latch	   *latch;
	Oid			database;
	uint64		group;
	bool		each;			/* no other waiter can take its place */
	PartitionSet partitions;	/* which it can use */
	int			topic_count;	/* -1: any topic */
	Oid			topics[WAIT_TOPICS_MAX];
	volatile bool woken;		/* it was woken and has not looked since */
} TopicWaiter;

typedef struct TopicWaiters
{
	LWLock		lock;
	pg_atomic_uint32 count;		/* how many are active */
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

/* Is this process a waiter? */
static bool waiting = false;

/* ---- shared memory ------------------------------------------------------- */

/* The size of TopicWaiters with its array. */
static Size
header_size(void)
{
	return MAXALIGN(add_size(offsetof(TopicWaiters, active), mul_size(MaxBackends, sizeof(int))));
}

Size
pgt_topic_waiters_size(void)
{
	return add_size(header_size(), mul_size(MaxBackends, sizeof(TopicWaiter)));
}

/* A waiter whose transaction ends without running its PG_CATCH stops waiting here. */
static void
waiters_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		pgt_topic_waiters_end(true);
}

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
	/* this runs again after a crash of a backend */
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

uint64
pgt_topic_waiters_group(const char *group_id)
{
	return hash_bytes_extended((const unsigned char *) group_id, (int) strlen(group_id), 0);
}

/* ---- waking: the caller holds the lock ------------------------------------- */

/* Does the waiter wait for the topic? */
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

/* Wake a waiter. */
static void
wake(TopicWaiter *waiter)
{
	waiter->woken = true;
	SetLatch(waiter->latch);
}

/* Can the waiter use one of the partitions?  News of all partitions wakes even a waiter that can use none. */
static bool
can_use(const TopicWaiter *waiter, PartitionSet partitions)
{
	return partitions == PARTITION_SET_ALL || (waiter->partitions & partitions) != 0;
}

/* Were fewer than "most" waiters of this waiter's group woken?  If so, count this one. */
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

/* Wake up to "most" waiters of each group, and all waiters with "each" that can use the partitions. */
static void
wake_of_each_group(Oid database, Oid topic, int most, PartitionSet partitions)
{
	WokenGroups groups;

	groups.count = 0;
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);

		/* a waiter that is woken already will look anyway, for what woke it */
		if (!waits_for(waiter, database, topic) || waiter->woken)
			continue;
		if (waiter->each ? can_use(waiter, partitions) : take_part(&groups, waiter, most))
			wake(waiter);
	}
}

/*
 * Wake one waiter of a group that is not woken yet, and the group's waiters with "each"
 * that can use the partitions.
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

/* Is there a waiter at all?  The head of this file says why no lock is needed. */
static bool
somebody_waits(void)
{
	pg_memory_barrier();
	return pg_atomic_read_u32(&shared->count) > 0;
}

void
pgt_topic_waiters_wake_some(Oid database, Oid topic, int count, PartitionSet partitions)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	wake_of_each_group(database, topic, count, partitions);
	LWLockRelease(&shared->lock);
}

void
pgt_topic_waiters_wake(Oid database, Oid topic)
{
	pgt_topic_waiters_wake_some(database, topic, INT_MAX, PARTITION_SET_ALL);
}

void
pgt_topic_waiters_wake_one(Oid database, Oid topic, int32 partition, uint64 group)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	wake_of_group(database, topic, group, PARTITION_SET_OF(partition));
	LWLockRelease(&shared->lock);
}

void
pgt_topic_waiters_wake_all(void)
{
	if (!somebody_waits())
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
		wake(active_waiter(n));
	LWLockRelease(&shared->lock);
}

bool
pgt_topic_waiters_exist(Oid database, Oid topic, uint64 group)
{
	bool		found = false;

	LWLockAcquire(&shared->lock, LW_SHARED);
	for (uint32 n = 0; !found && n < pg_atomic_read_u32(&shared->count); n++)
		found = active_waiter(n)->group == group && waits_for(active_waiter(n), database, topic);
	LWLockRelease(&shared->lock);
	return found;
}

/* ---- waiting ------------------------------------------------------------- */

void
pgt_topic_waiters_begin(const Oid *topics, int count, uint64 group, bool each)
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

void
pgt_topic_waiters_set_partitions(PartitionSet partitions)
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

void
pgt_topic_waiters_begin_look(void)
{
	Assert(waiting);
	shared->waiters[my_slot()].woken = false;
	pg_memory_barrier();
}

bool
pgt_topic_waiters_sleep(long timeout_ms)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];
	int64		begun = pgt_clock_monotonic_us();

	Assert(waiting);
	while (!waiter->woken)
	{
		int64		remaining = timeout_ms - pgt_clock_ms_since(begun);

		CHECK_FOR_INTERRUPTS();
		if (remaining <= 0)
			return false;
		pgt_client_connection_sleep((long) remaining);
	}
	CHECK_FOR_INTERRUPTS();
	return true;
}

/* Remove this process's slot from the active ones.  The caller holds the lock. */
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

void
pgt_topic_waiters_end(bool pass_on)
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
