/*
 * fetch_news.h
 *	  News of partitions, for requests that wait for records.
 */
#ifndef FETCH_NEWS_H
#define FETCH_NEWS_H

#include "broker/core/broker.h"

/*
 * A request looks at partitions, and may wait for news of them then.  Returns a number for pgt_fetch_news_missed(), which says
 * whether there may have been news since: then the request waits for a moment only.
 */
extern uint64 pgt_fetch_news_begin(void);
extern bool pgt_fetch_news_missed(uint64 began);

/*
 * A request that waits, and one that does not any more.  "any": it is woken by all news of its partitions, and not only where
 * there is more to be read.
 */
extern void pgt_fetch_news_wait(bool any);
extern void pgt_fetch_news_leave(bool any);

extern const BrokerHooks pgt_fetch_news_hooks;

#endif							/* FETCH_NEWS_H */
