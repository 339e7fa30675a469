/*
 * quota.h
 *	  Quotas of clients: what they have used, and how long they have to wait.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include "broker/core/broker.h"
#include "broker/core/quota_table.h"

/* Is there any quota?  Where there is none, nothing of this costs anything. */
extern bool pgt_quota_exists;

/* A request of a client is about to be served: take up what has changed in the table. */
extern void pgt_quota_begin(BrokerRequest *request);

/* The request has used so much: bytes, or partitions that are created or deleted. */
extern void pgt_quota_charge(BrokerRequest *request, QuotaKind kind, double amount);

/*
 * May the request create or delete so many partitions?  They are charged then.  Not if it is strict, as newer
 * versions of APIs are, and the client has used up what it may: THROTTLING_QUOTA_EXCEEDED.
 */
extern bool pgt_quota_may_mutate(BrokerRequest *request, double partitions, bool strict);

/* How many bytes a response to Fetch should have at most. */
extern int64 pgt_quota_fetch_limit(BrokerRequest *request, int64 wanted);

/*
 * The request is about to be answered, having taken busy_us of the loop: for how many milliseconds the client has
 * to wait, as it is to be told.  Its connection is not read for that time.
 */
extern int32 pgt_quota_throttle(BrokerRequest *request, int64 busy_us);

/* Call visit() for each quota that there is. */
extern void pgt_quota_visit(void (*visit) (const QuotaRow *row, void *arg), void *arg);

extern const BrokerHooks pgt_quota_hooks;

#endif							/* QUOTA_H */
