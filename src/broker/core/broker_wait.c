/*
 * broker_wait.c
 *	  Parked requests, and what wakes them.
 *
 *	  a deadline		a timer of the event loop
 *	  an LSN			a heap for each kind of durability, the least LSN first
 *	  news				a table of partitions, each with a list of requests
 *
 * Whatever comes first puts the request into the list "woken", from which the dispatcher takes
 * it and calls its wake function.  So nothing is called in the midst of an event, and a
 * request is woken once for however much has happened.
 *
 * A request that was not ready in its slice waits for nothing but others.  It is in the list "slices",
 * of which a turn takes as much as others can wait for.
 *
 * A request is in these structures only while it is parked, and leaves all of them together.
 */
#include "postgres.h"

#include "broker/core/broker_wait.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* How long a request is served at a stretch, if it can be served in slices. */
#define SLICE_US	3000

/* A partition that requests wait for. */
typedef struct AwaitedPartition
{
	TopicPartition key;
	dlist_head	interests;
	int64		last;			/* of who looks for news */
} AwaitedPartition;

/* That a request waits for a partition. */
typedef struct BrokerInterest
{
	dlist_node	node;
	AwaitedPartition *partition;
	BrokerRequest *request;
} BrokerInterest;

static HTAB *partitions = NULL;
static pairingheap *heaps[BROKER_DURABILITY_COUNT];
static XLogRecPtr reached[BROKER_DURABILITY_COUNT]; /* as the loop knows */
static dlist_head woken = DLIST_STATIC_INIT(woken);
static int	woken_count = 0;
static dlist_head slices = DLIST_STATIC_INIT(slices);
static int	slice_count = 0;
static int64 slice_end = 0;		/* of the request that is served, by the monotonic clock */

static int
compare_lsns(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	XLogRecPtr	left = pairingheap_const_container(BrokerRequest, lsn_node, a)->wait.lsn;
	XLogRecPtr	right = pairingheap_const_container(BrokerRequest, lsn_node, b)->wait.lsn;

	return left < right ? 1 : left > right ? -1 : 0;
}

void
pgt_broker_wait_init(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	HASHCTL		info = {.keysize = sizeof(TopicPartition), .entrysize = sizeof(AwaitedPartition),
	.hcxt = TopMemoryContext};

	partitions = hash_create("pg_topics awaited partitions", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < BROKER_DURABILITY_COUNT; i++)
		heaps[i] = pairingheap_allocate(compare_lsns, NULL);
	MemoryContextSwitchTo(old);
}

/* ---- parking --------------------------------------------------------------- */

void
pgt_broker_wake(BrokerRequest *request)
{
	if (request->woken || request->goes_on)
		return;
	request->woken = true;
	woken_count++;
	dlist_push_tail(&woken, &request->woken_node);
}

/* The request's deadline has come. */
static void
deadline_came(EventLoopTimer *timer)
{
	pgt_broker_wake((BrokerRequest *) ((char *) timer - offsetof(BrokerRequest, timer)));
}

/* Note that a request waits for a partition. */
static void
add_interest(BrokerRequest *request, BrokerInterest *interest, const TopicPartition *key)
{
	bool		found;
	AwaitedPartition *partition = hash_search(partitions, key, HASH_ENTER, &found);

	if (!found)
	{
		dlist_init(&partition->interests);
		partition->last = -1;
	}
	interest->partition = partition;
	interest->request = request;
	dlist_push_tail(&partition->interests, &interest->node);
}

/* Note all that it waits for, in the memory of an earlier time if it has room. */
static void
add_interests(BrokerRequest *request, const TopicPartition *keys, int count)
{
	if (count > request->interest_room)
	{
		request->interests = MemoryContextAlloc(request->memory, count * sizeof(BrokerInterest));
		request->interest_room = count;
	}
	for (int i = 0; i < count; i++)
	{
		add_interest(request, &request->interests[i], &keys[i]);
		request->wait.partition_count = i + 1;
	}
}

void
pgt_broker_park(BrokerRequest *request, const BrokerWait *wait)
{
	pgt_broker_wait_forget(request);
	request->wait = *wait;
	/* the caller's; the number tells how many are noted, even if there is no memory for more */
	request->wait.partitions = NULL;
	request->wait.partition_count = 0;
	request->parked = true;
	if (wait->deadline != 0)
	{
		request->timer.expired = deadline_came;
		pgt_event_loop_set_timer(&request->timer, wait->deadline);
	}
	/* what was reached while the request had its slices is not told again */
	if (!XLogRecPtrIsInvalid(wait->lsn) && wait->lsn <= reached[wait->durability])
		pgt_broker_wake(request);
	else if (!XLogRecPtrIsInvalid(wait->lsn))
	{
		pairingheap_add(heaps[wait->durability], &request->lsn_node);
		request->in_heap = true;
	}
	if (wait->partition_count > 0)
		add_interests(request, wait->partitions, wait->partition_count);
	pgt_connection_block(request->exchange, !wait->pipelined);
}

void
pgt_broker_wait_forget(BrokerRequest *request)
{
	if (!request->parked)
		return;
	request->parked = false;
	pgt_event_loop_cancel_timer(&request->timer);
	if (request->in_heap)
		pairingheap_remove(heaps[request->wait.durability], &request->lsn_node);
	request->in_heap = false;
	for (int i = 0; i < request->wait.partition_count; i++)
	{
		AwaitedPartition *partition = request->interests[i].partition;

		dlist_delete(&request->interests[i].node);
		if (dlist_is_empty(&partition->interests))
			hash_search(partitions, &partition->key, HASH_REMOVE, NULL);
	}
	request->wait.partition_count = 0;
	if (request->woken || request->goes_on)
		dlist_delete(&request->woken_node);
	woken_count -= request->woken;
	slice_count -= request->goes_on;
	request->woken = request->goes_on = false;
}

/* ---- slices ---------------------------------------------------------------- */

void
pgt_broker_wait_begin_slice(void)
{
	slice_end = pgt_clock_monotonic_us() + SLICE_US;
}

bool
pgt_broker_slice_is_over(void)
{
	return pgt_clock_monotonic_us() >= slice_end;
}

void
pgt_broker_go_on(BrokerRequest *request, void (*wake) (BrokerRequest *request))
{
	BrokerWait	wait = {.wake = wake};

	pgt_broker_park(request, &wait);
	request->goes_on = true;
	slice_count++;
	dlist_push_tail(&slices, &request->woken_node);
	/* whoever was serving it: the turn may be past those that go on */
	pgt_event_loop_hurry();
}

/* ---- waking ---------------------------------------------------------------- */

/* Wake all that wait for a partition. */
static void
wake_interested(AwaitedPartition *partition)
{
	dlist_iter	iter;

	dlist_foreach(iter, &partition->interests)
		pgt_broker_wake(dlist_container(BrokerInterest, node, iter.cur)->request);
}

void
pgt_broker_news(const TopicPartition *key)
{
	AwaitedPartition *partition = hash_search(partitions, key, HASH_FIND, NULL);

	if (partition != NULL)
		wake_interested(partition);
}

bool
pgt_broker_is_awaited(const TopicPartition *key)
{
	return hash_search(partitions, key, HASH_FIND, NULL) != NULL;
}

void
pgt_broker_look(bool (*look) (const TopicPartition *partition, int64 *last))
{
	HASH_SEQ_STATUS scan;
	AwaitedPartition *partition;

	if (hash_get_num_entries(partitions) == 0)
		return;
	hash_seq_init(&scan, partitions);
	while ((partition = hash_seq_search(&scan)) != NULL)
	{
		if (look(&partition->key, &partition->last))
			wake_interested(partition);
	}
}

void
pgt_broker_wait_reached(BrokerDurability durability, XLogRecPtr lsn)
{
	pairingheap *heap = heaps[durability];

	reached[durability] = lsn;
	while (!pairingheap_is_empty(heap))
	{
		BrokerRequest *request = pairingheap_container(BrokerRequest, lsn_node, pairingheap_first(heap));

		if (request->wait.lsn > lsn)
			break;
		pairingheap_remove_first(heap);
		request->in_heap = false;
		pgt_broker_wake(request);
	}
}

XLogRecPtr
pgt_broker_awaited(BrokerDurability durability)
{
	pairingheap *heap = heaps[durability];

	return pairingheap_is_empty(heap) ? InvalidXLogRecPtr :
		pairingheap_container(BrokerRequest, lsn_node, pairingheap_first(heap))->wait.lsn;
}

/* The first one of a list, which is not parked any more; NULL: the list is empty. */
static BrokerRequest *
take_first(dlist_head *list)
{
	BrokerRequest *request;

	if (dlist_is_empty(list))
		return NULL;
	request = dlist_head_element(BrokerRequest, woken_node, list);
	pgt_broker_wait_forget(request);
	return request;
}

BrokerRequest *
pgt_broker_wait_next(void)
{
	return take_first(&woken);
}

int
pgt_broker_wait_woken_count(void)
{
	return woken_count;
}

BrokerRequest *
pgt_broker_wait_next_slice(void)
{
	return take_first(&slices);
}

int
pgt_broker_wait_slice_count(void)
{
	return slice_count;
}
