/*
 * topic_waiters.c
 *	  Sleeping until a topic has news, and waking the sleepers.
 *
 * Hundreds of sessions may wait for one topic.  If each record woke all of them, all of
 * them would look and one of them would find the record.  So a waiter says which consumer
 * group it belongs to, and news of a partition wakes one waiter of each group, because no
 * more than one of them can own the partition.  It wakes none where that would be in vain:
 *
 *	  - the partition is owned for the group.  Until the owner's transaction ends, nobody
 *		else of the group can read there.
 *	  - a waiter of the group was woken for this partition before and still looks.
 *	  - a waiter wants more records than have been announced since it last looked.
 *
 *	  waiters		one slot for each process
 *	  active		the numbers of the slots in use, dense, in no order
 *	  owners		who owns a partition for a group, dense, in no order
 *
 * News for a group must not be lost.  At any time somebody is responsible for a partition
 * that has news: the waiter that was woken for it, then the owner.
 *
 *	  - A waiter that was woken looks, with a snapshot taken after it was woken.  It finds
 *		the partition free and owns it, or owned by another one, or empty.  News that came
 *		during the look make it look again before it sleeps; if they are too few for it,
 *		another waiter is asked.
 *	  - A waiter that leaves without owning the partition, by an error or because it has
 *		found something elsewhere, passes it on to another waiter of its group.
 *	  - An owner that gives up a partition in which records are left to read wakes
 *		a waiter (group_wakeup.c).  It is taken out of the owners before it looks what is
 *		left, so who found it among them has appended before that.
 *
 * Only a few owners of a session are noted, and none while nobody waits.  If an owner is
 * missing here, a waiter is woken in vain.
 *
 * How much is announced.  A waiter may want more than one record.  Each sleeps until so
 * many records were announced since its last look as it was short of then.  The number
 * announced is never too small: records may count that are no longer there, or twice.  So
 * the waiter counts by itself when it is woken, and sleeps on until the rest has come.
 * News that is no record, such as a free partition, wakes one whatever it wants ("forced").
 * That one may find too little for itself.  Then the next one is asked to whom enough was
 * announced since its last look, until one takes the partition or all have looked.
 *
 * Some waiters can use only certain partitions, so another waiter cannot take their
 * place.  They wait for themselves ("each") and are always woken, except by news of
 * partitions that they cannot use.  Which partitions a waiter can use may change from look
 * to look.  Appends to a partition that the waiter has just learned of did not wake it, and
 * the look's snapshot may not see them: so the waiter wakes itself, for one more look.
 *
 * A process that serves many clients by itself is no waiter: it looks for all of them, and never
 * sleeps here.  It collects the news of its database: which partitions had some, each
 * once, since it last took them.  Its latch is set with the first of them.
 *
 * A group is known by a 64-bit hash of its name; two groups with the same hash would be
 * woken as one.
 *
 * Locks: TopicWaiters.lock guards all fields except the flag "woken", which its waiter
 * reads without the lock: the latch's memory barriers order that.  No process takes this
 * lock while it holds a slot's lock, or the other way round.  Latches are set when it is
 * released.  A commit takes no lock if there is no waiter: it reads the number of waiters
 * after its transaction has ended, and waiters look with a snapshot that they take after
 * they were counted.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "log/topic_waiters.h"
#include "util/client_connection.h"
#include "util/clock.h"
#include "util/compat.h"

/* News is told apart for so many groups; of further ones it wakes all waiters. */
#define GROUPS_MAX	64

/* So many partitions that a process owns are noted. */
#define OWNED_MAX	4

/* So many latches are set when the lock is released; further ones at once. */
#define LATCHES_MAX 16

#define NO_PARTITION	(-1)

/* So many processes may collect. */
#define COLLECTORS_MAX	16

/* So many announced records are worth a look, whatever a waiter wants, and some can be added. */
#define ENOUGH			(PG_INT64_MAX / 2)

typedef struct TopicWaiter
{
	Latch	   *latch;
	Oid			database;
	uint64		group;
	bool		each;			/* no other waiter can take its place */
	PartitionSet partitions;	/* which it can use */
	int64		wanted;			/* records; it does not care for fewer */
	int64		short_of;		/* how many were missing at its last look; PG_INT64_MAX: it looks */
	int64		announced;		/* records, since its last look began; may count too many */
	volatile bool woken;		/* it was woken and has not looked since */

	/* the partition that it is responsible for; not with "each" */
	Oid			topic;
	int32		partition;		/* NO_PARTITION: none */
	bool		more;			/* its partition had news during its look */

	int			topic_count;	/* -1: any topic */
	Oid			topics[WAIT_TOPICS_MAX];
} TopicWaiter;

/* A partition that a process owns for a group, until its transaction ends. */
typedef struct Owner
{
	Oid			database;
	Oid			topic;
	int32		partition;
	int			process;
	uint64		group;
} Owner;

/* A process that collects news. */
typedef struct Collector
{
	Latch	   *latch;			/* NULL: the place is free */
	Oid			database;
	volatile int count;			/* read by the process without the lock; -1: too many to be kept */
	TopicNews	news[NEWS_MAX];
} Collector;

typedef struct TopicWaiters
{
	LWLock		lock;
	pg_atomic_uint32 count;		/* how many are active */
	pg_atomic_uint32 collector_count;
	Collector	collectors[COLLECTORS_MAX];
	int			owner_count;
	TopicWaiter *waiters;		/* by process */
	Owner	   *owners;
	int			active[FLEXIBLE_ARRAY_MEMBER];
} TopicWaiters;

/* A partition's news. */
typedef struct News
{
	Oid			database;
	Oid			topic;
	int32		partition;
	int64		records;		/* NEWS_FORCED: wakes a waiter whatever it wants */
	const uint64 *group;		/* NULL: all groups */
} News;

/* What news means to a group. */
typedef struct NewsGroup
{
	uint64		group;
	bool		owned;			/* its owner will tell */
	bool		taken;			/* a waiter is responsible for it */
	TopicWaiter *looking;		/* one that is responsible for another partition, and looks */
} NewsGroup;

typedef struct NewsGroups
{
	int			count;
	NewsGroup	groups[GROUPS_MAX];
} NewsGroups;

/* Latches to set when the lock is released. */
typedef struct LatchList
{
	int			count;
	Latch	   *latches[LATCHES_MAX];
} LatchList;

static TopicWaiters *shared = NULL;

/* Is this process a waiter? */
static bool waiting = false;

/* If it collects news: where. */
static Collector *my_collector = NULL;

/* How many partitions are noted as owned by this process? */
static int	owned_count = 0;

/* ---- shared memory ------------------------------------------------------- */

/* The size of TopicWaiters with its array. */
static Size
header_size(void)
{
	return MAXALIGN(add_size(offsetof(TopicWaiters, active), mul_size(MaxBackends, sizeof(int))));
}

/* The size of all waiters. */
static Size
waiters_size(void)
{
	return MAXALIGN(mul_size(MaxBackends, sizeof(TopicWaiter)));
}

Size
pgt_topic_waiters_size(void)
{
	return add_size(add_size(header_size(), waiters_size()),
					mul_size(MaxBackends, OWNED_MAX * sizeof(Owner)));
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
		pg_atomic_init_u32(&shared->collector_count, 0);
		memset(shared->collectors, 0, sizeof(shared->collectors));
		shared->owner_count = 0;
		shared->waiters = (TopicWaiter *) ((char *) shared + header_size());
		shared->owners = (Owner *) ((char *) shared->waiters + waiters_size());
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

/* Give this process's place among those that collect back. */
static void
stop_collecting(void)
{
	if (my_collector == NULL)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	my_collector->latch = NULL;
	pg_atomic_fetch_sub_u32(&shared->collector_count, 1);
	LWLockRelease(&shared->lock);
	my_collector = NULL;
}

/* A session that ends otherwise than by its transaction's end leaves nothing behind. */
static void
leave_at_exit(int code, Datum arg)
{
	pgt_topic_waiters_end(true);
	pgt_topic_waiters_disown();
	stop_collecting();
}

/* Note that this process has something here that it must not leave behind. */
static void
register_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(leave_at_exit, (Datum) 0);
	registered = true;
}

/* ---- the lock -------------------------------------------------------------- */

/* Take the lock and begin a list of latches. */
static void
lock_waiters(LatchList *list)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	list->count = 0;
}

/* Release the lock and set the latches of the list. */
static void
unlock_waiters(const LatchList *list)
{
	LWLockRelease(&shared->lock);
	for (int i = 0; i < list->count; i++)
		SetLatch(list->latches[i]);
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

/* Set a latch, when the lock is released if possible. */
static void
set_latch(Latch *latch, LatchList *list)
{
	if (list->count < LATCHES_MAX)
		list->latches[list->count++] = latch;
	else
		SetLatch(latch);
}

/* Wake a waiter. */
static void
wake(TopicWaiter *waiter, LatchList *list)
{
	if (waiter->woken)
		return;
	waiter->woken = true;
	set_latch(waiter->latch, list);
}

/* The nth active waiter. */
static TopicWaiter *
active_waiter(uint32 n)
{
	return &shared->waiters[shared->active[n]];
}

/* Are the news for the waiter's group, and of a topic that it waits for? */
static bool
concerns(const News *news, const TopicWaiter *waiter)
{
	return (news->group == NULL || *news->group == waiter->group) &&
		waits_for(waiter, news->database, news->topic);
}

/* Is the waiter, not one with "each", responsible for the partition? */
static bool
is_responsible(const TopicWaiter *waiter, const News *news)
{
	return waiter->partition == news->partition && waiter->topic == news->topic;
}

/* The entry of a group; NULL if there are too many. */
static NewsGroup *
find_group(NewsGroups *groups, uint64 group)
{
	int			i = 0;

	while (i < groups->count && groups->groups[i].group != group)
		i++;
	if (i == GROUPS_MAX)
		return NULL;
	if (i == groups->count)
		groups->groups[groups->count++] = (NewsGroup) {.group = group};
	return &groups->groups[i];
}

/* Find the groups for which the partition is owned. */
static void
find_owned(const News *news, NewsGroups *groups)
{
	for (int i = 0; i < shared->owner_count; i++)
	{
		const Owner *owner = &shared->owners[i];
		NewsGroup  *group;

		if (owner->partition == news->partition && owner->topic == news->topic &&
			owner->database == news->database &&
			(group = find_group(groups, owner->group)) != NULL)
			group->owned = true;
	}
}

/* Find the groups of which a waiter is responsible for the partition, and let it know. */
static void
find_responsible(const News *news, NewsGroups *groups)
{
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);
		NewsGroup  *group;

		if (!is_responsible(waiter, news) || !concerns(news, waiter) ||
			(group = find_group(groups, waiter->group)) == NULL || group->owned)
			continue;
		group->taken = true;
		waiter->more = true;
		/* if it looks, it may have found the partition owned */
		if (news->records == NEWS_FORCED)
			waiter->woken = true;
	}
}

/* Count the news for a waiter.  Is it worth a look? */
static bool
is_enough(TopicWaiter *waiter, int64 records)
{
	if (records == NEWS_FORCED)
	{
		waiter->announced = ENOUGH;
		return true;
	}
	waiter->announced += records;
	return waiter->announced >= waiter->short_of;
}

/* Let a waiter be responsible for the news of its group, if none is. */
static void
offer(const News *news, NewsGroup *group, TopicWaiter *waiter, LatchList *list)
{
	if (group != NULL && group->taken)
		return;
	if (group != NULL && waiter->partition != NO_PARTITION)
	{
		group->looking = waiter;
		return;
	}
	if (group != NULL)
		group->taken = true;
	if (waiter->partition == NO_PARTITION)
	{
		waiter->topic = news->topic;
		waiter->partition = news->partition;
		waiter->more = false;
	}
	wake(waiter, list);
}

/*
 * Wake one waiter of each group that the news concern, unless somebody is responsible for
 * the partition, and the waiters with "each" that can use it.
 */
static void
announce(const News *news, LatchList *list)
{
	NewsGroups	groups;

	groups.count = 0;
	find_owned(news, &groups);
	find_responsible(news, &groups);
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);
		NewsGroup  *group = NULL;

		if (!concerns(news, waiter))
			continue;
		if (waiter->each ? (waiter->partitions & PARTITION_SET_OF(news->partition)) == 0 :
			(group = find_group(&groups, waiter->group)) != NULL && group->owned)
			continue;
		/* a waiter that is woken already will look anyway */
		if (!is_enough(waiter, news->records) || waiter->woken)
			continue;
		if (waiter->each)
			wake(waiter, list);
		else
			offer(news, group, waiter, list);
	}
	/* nobody sleeps: one that looks has to look once more */
	for (int i = 0; i < groups.count; i++)
		if (!groups.groups[i].taken && groups.groups[i].looking != NULL)
			groups.groups[i].looking->woken = true;
}

/*
 * Wake one waiter of a group, for whatever it finds in a topic.  For those that want many
 * records it may be too little, so they do not count.
 */
static void
wake_any(Oid database, Oid topic, uint64 group, LatchList *list)
{
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		TopicWaiter *waiter = active_waiter(n);

		if (waiter->group != group || waiter->woken || waiter->each ||
			!waits_for(waiter, database, topic))
			continue;
		wake(waiter, list);
		if (waiter->wanted == 1)
			return;
	}
}

/* Add news to those that a process has collected, unless they are there. */
static void
collect(Collector *collector, Oid topic, int32 partition)
{
	if (collector->count < 0)
		return;
	for (int i = 0; i < collector->count; i++)
		if (collector->news[i].topic == topic &&
			(collector->news[i].partition == partition || collector->news[i].partition == NEWS_OF_TOPIC))
			return;
	if (collector->count == NEWS_MAX)
		collector->count = -1;
	else
		collector->news[collector->count++] = (TopicNews) {topic, partition};
}

/* Let all who collect in a database (InvalidOid: in any) have news; of any topic if that is InvalidOid. */
static void
collect_all(Oid database, Oid topic, int32 partition, LatchList *list)
{
	if (pg_atomic_read_u32(&shared->collector_count) == 0)
		return;
	for (int i = 0; i < COLLECTORS_MAX; i++)
	{
		Collector  *collector = &shared->collectors[i];
		int			count = collector->count;

		if (collector->latch == NULL || (OidIsValid(database) && collector->database != database))
			continue;
		if (OidIsValid(topic))
			collect(collector, topic, partition);
		else
			collector->count = -1;
		if (count == 0)
			set_latch(collector->latch, list);
	}
}

/* ---- waking -------------------------------------------------------------- */

/* Is there a waiter at all, or one who collects?  The head of this file says why no lock is needed. */
static bool
somebody_waits(void)
{
	pg_memory_barrier();
	return pg_atomic_read_u32(&shared->count) > 0 || pg_atomic_read_u32(&shared->collector_count) > 0;
}

/* Take the lock, announce, release it. */
static void
announce_locked(const News *news)
{
	LatchList	list;

	if (!somebody_waits())
		return;
	lock_waiters(&list);
	announce(news, &list);
	/* also what concerns one group alone: a process that collects may serve its members */
	collect_all(news->database, news->topic, news->partition, &list);
	unlock_waiters(&list);
}

void
pgt_topic_waiters_announce(Oid database, Oid topic, int32 partition, int64 records)
{
	News		news = {database, topic, partition, records, NULL};

	announce_locked(&news);
}

void
pgt_topic_waiters_announce_to(Oid database, Oid topic, int32 partition, uint64 group, int64 records)
{
	News		news = {database, topic, partition, records, &group};

	announce_locked(&news);
}

void
pgt_topic_waiters_wake(Oid database, Oid topic)
{
	LatchList	list;

	if (!somebody_waits())
		return;
	lock_waiters(&list);
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
		if (waits_for(active_waiter(n), database, topic))
			wake(active_waiter(n), &list);
	collect_all(database, topic, NEWS_OF_TOPIC, &list);
	unlock_waiters(&list);
}

void
pgt_topic_waiters_wake_all(void)
{
	LatchList	list;

	if (!somebody_waits())
		return;
	lock_waiters(&list);
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
		wake(active_waiter(n), &list);
	collect_all(InvalidOid, InvalidOid, NEWS_OF_TOPIC, &list);
	unlock_waiters(&list);
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

/* ---- owning --------------------------------------------------------------- */

void
pgt_topic_waiters_own(Oid topic, int32 partition, uint64 group)
{
	if (owned_count == OWNED_MAX || !somebody_waits())
		return;
	register_exit();
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->owners[shared->owner_count++] = (Owner) {
		.database = MyDatabaseId,.topic = topic,.partition = partition,
		.process = my_slot(),.group = group
	};
	owned_count++;
	LWLockRelease(&shared->lock);
}

void
pgt_topic_waiters_disown(void)
{
	if (owned_count == 0)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (int i = shared->owner_count - 1; i >= 0; i--)
		if (shared->owners[i].process == my_slot())
			shared->owners[i] = shared->owners[--shared->owner_count];
	owned_count = 0;
	LWLockRelease(&shared->lock);
}

bool
pgt_topic_waiters_is_owned(Oid topic, int32 partition, uint64 group)
{
	bool		found = false;

	LWLockAcquire(&shared->lock, LW_SHARED);
	for (int i = 0; !found && i < shared->owner_count; i++)
	{
		const Owner *owner = &shared->owners[i];

		found = owner->partition == partition && owner->topic == topic &&
			owner->database == MyDatabaseId && owner->group == group;
	}
	LWLockRelease(&shared->lock);
	return found;
}

/* ---- waiting ------------------------------------------------------------- */

void
pgt_topic_waiters_begin(const Oid *topics, int count, uint64 group, bool each, int64 wanted)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];

	Assert(!waiting && my_slot() < MaxBackends);
	register_exit();
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	waiter->latch = MyLatch;
	waiter->database = MyDatabaseId;
	waiter->group = group;
	waiter->each = each;
	waiter->partitions = PARTITION_SET_ALL;
	waiter->wanted = wanted;
	waiter->short_of = wanted > 1 ? PG_INT64_MAX : 1;
	waiter->announced = 0;
	waiter->partition = NO_PARTITION;
	waiter->more = false;
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
	TopicWaiter *waiter = &shared->waiters[my_slot()];

	Assert(waiting);
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	waiter->woken = false;
	waiter->more = false;
	waiter->announced = 0;
	if (waiter->wanted > 1)
		waiter->short_of = PG_INT64_MAX;
	LWLockRelease(&shared->lock);
}

/*
 * A look is over that has found too little.  What was announced meanwhile calls for another
 * look if it is enough; else the waiter gives its responsibility up.
 */
static void
end_look(TopicWaiter *waiter, int64 short_of)
{
	News		news = {waiter->database, waiter->topic, waiter->partition, 0, &waiter->group};
	LatchList	list;

	lock_waiters(&list);
	waiter->short_of = short_of;
	/* of what concerns it alone, a waiter for one record has been told */
	if (waiter->announced >= short_of && (waiter->wanted > 1 || waiter->partition != NO_PARTITION))
		waiter->woken = true;
	if (!waiter->woken)
	{
		waiter->partition = NO_PARTITION;
		/* there was too little for us, perhaps not for another one who has been told of it */
		if (news.partition != NO_PARTITION && (waiter->more || waiter->wanted > 1))
			announce(&news, &list);
	}
	unlock_waiters(&list);
}

bool
pgt_topic_waiters_sleep(long timeout_ms, int64 short_of)
{
	TopicWaiter *waiter = &shared->waiters[my_slot()];
	int64		begun = pgt_clock_monotonic_us();

	Assert(waiting);
	end_look(waiter, short_of);
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

/* Wake another waiter of the group for each topic.  The caller holds the lock. */
static void
pass_news_on(const TopicWaiter *mine, LatchList *list)
{
	TopicWaiter *other;

	if (mine->topic_count >= 0)
	{
		for (int i = 0; i < mine->topic_count; i++)
			wake_any(mine->database, mine->topics[i], mine->group, list);
		return;
	}
	for (uint32 n = 0; n < pg_atomic_read_u32(&shared->count); n++)
	{
		other = active_waiter(n);
		if (other->database == mine->database && other->group == mine->group && !other->each)
			wake(other, list);
	}
}

/*
 * Wake another waiter for the partition that this one was responsible for, unless it owns it
 * now.  The caller holds the lock.
 */
static void
pass_partition_on(const TopicWaiter *mine, LatchList *list)
{
	News		news = {mine->database, mine->topic, mine->partition, NEWS_FORCED, &mine->group};

	if (mine->partition != NO_PARTITION)
		announce(&news, list);
}

void
pgt_topic_waiters_end(bool pass_on)
{
	TopicWaiter *mine;
	LatchList	list;

	if (!waiting)
		return;
	waiting = false;
	mine = &shared->waiters[my_slot()];
	lock_waiters(&list);
	leave();
	if (!mine->each)
	{
		pass_partition_on(mine, &list);
		if (pass_on || mine->woken)
			pass_news_on(mine, &list);
	}
	unlock_waiters(&list);
}

/* ---- collecting ------------------------------------------------------------ */

void
pgt_topic_waiters_collect(void)
{
	int			i = 0;

	register_exit();
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	while (i < COLLECTORS_MAX && shared->collectors[i].latch != NULL)
		i++;
	if (i < COLLECTORS_MAX)
	{
		my_collector = &shared->collectors[i];
		my_collector->latch = MyLatch;
		my_collector->database = MyDatabaseId;
		my_collector->count = 0;
		pg_atomic_fetch_add_u32(&shared->collector_count, 1);
	}
	LWLockRelease(&shared->lock);
	if (my_collector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many processes collect the news of topics"),
				 errdetail("There can be %d.", COLLECTORS_MAX)));
}

int
pgt_topic_waiters_collected(TopicNews *news)
{
	int			count;

	Assert(my_collector != NULL);
	if (my_collector->count == 0)
		return 0;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	count = my_collector->count;
	if (count > 0)
		memcpy(news, my_collector->news, count * sizeof(TopicNews));
	my_collector->count = 0;
	LWLockRelease(&shared->lock);
	return count;
}
