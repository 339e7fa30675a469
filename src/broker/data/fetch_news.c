/*
 * fetch_news.c
 *	  News of partitions, for requests that wait for records.
 *
 * Those who produce announce their partitions (log/topic_waiters.h), and so do those who let records of a share group be available
 * again.  That sets the latch; requests that wait for such a partition are woken, if the end of what may be read has moved, or in
 * any case where a request waits for more than that.
 *
 * While no request waits, the announcements are left where they are, and no further ones set the latch.
 *
 * A look at many partitions is done in slices.  What is announced meanwhile for a partition that was looked at already would be
 * missed: so it is counted how often the latch was set.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/data/fetch_news.h"
#include "log/topic_waiters.h"
#include "wal/durable_wal.h"
#include "wal/log_stable_end.h"

/* How often the latch was set, or announcements were passed over. */
static uint64 latch_sets = 0;

/* The requests that wait, and those of them for any news. */
static int	waiting = 0;
static int	waiting_for_any = 0;

uint64
pgt_fetch_news_begin(void)
{
	TopicNews	ignored[NEWS_MAX];

	/*
	 * Nobody has wanted to know of them; from now on they set the latch again.  A request that looks in slices
	 * may have to look again, as after a latch that was set.
	 */
	if (waiting == 0 && pgt_topic_waiters_collected(ignored) != 0)
		latch_sets++;
	return latch_sets;
}

bool
pgt_fetch_news_missed(uint64 began)
{
	return began != latch_sets;
}

void
pgt_fetch_news_wait(bool any)
{
	waiting++;
	waiting_for_any += any;
}

void
pgt_fetch_news_leave(bool any)
{
	waiting--;
	waiting_for_any -= any;
}

/* A partition that may have news. */
typedef struct NewsLook
{
	const TopicPartition *key;
	bool		is_news;
} NewsLook;

/* Has the end of a partition moved, or does it wait for a flush that perhaps nobody has asked for? */
static void
look_for_news(void *arg)
{
	NewsLook   *look = arg;
	LogStableEnd end;

	look->is_news = pgt_log_stable_end_has_moved(look->key, pgt_durable_wal_end(), &end) ||
		end.awaited != InvalidXLogRecPtr || !end.exists;
}

/* The same.  What cannot be told is news, too: the requests find out. */
static bool
is_news(const TopicPartition *key, int64 *last)
{
	NewsLook	look = {key};

	return !pgt_turn_try_quietly(look_for_news, &look, NULL) || look.is_news || waiting_for_any > 0;
}

/* The latch was set: wake the requests that wait for partitions with news. */
static void
turn_begin(bool latch_set)
{
	TopicNews	news[NEWS_MAX];
	int			count;

	latch_sets += latch_set;
	if (!latch_set || waiting == 0)
		return;
	count = pgt_topic_waiters_collected(news);
	for (int i = 0; i < count; i++)
	{
		TopicPartition key;

		if (news[i].partition == NEWS_OF_TOPIC)
		{
			count = -1;
			break;
		}
		key = pgt_topic_partition_key(news[i].topic, news[i].partition);
		if (pgt_broker_is_awaited(&key) && is_news(&key, NULL))
			pgt_broker_news(&key);
	}
	if (count < 0)
		pgt_broker_look(is_news);
}

static void
start(void)
{
	pgt_topic_waiters_collect();
}

const BrokerHooks pgt_fetch_news_hooks = {.start = start,.turn_begin = turn_begin};
