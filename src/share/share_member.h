/*
 * share_member.h
 *	  What members of share groups, such as Kafka's clients, do with records.
 */
#ifndef SHARE_MEMBER_H
#define SHARE_MEMBER_H

#include "share/share_group.h"

/* A number for a member that is new. */
extern uint32 pgt_share_member_new(void);

/* Which records a member acquires. */
typedef struct ShareMemberTake
{
	uint32		member;
	int32		most;			/* so many at most */
	int64		from;			/* none before this offset */
	int64		end;			/* nor from here on */
	int64		lease_ms;
} ShareMemberTake;

/*
 * Acquire records of a slot that is durable and that the transaction has entered.  They are the member's at once, whatever becomes of
 * the transaction.  Returns the number of ranges.
 */
extern int	pgt_share_member_acquire(ShareSlot *slot, const ShareMemberTake *take, ShareRange *ranges, int capacity);

/* What acquired offsets are after all: not taken, without a record, or such as had their last try before, and are rejected. */
extern void pgt_share_member_give_back(ShareSlot *slot, uint32 member, int64 first, int64 last);
extern void pgt_share_member_skip(ShareSlot *slot, uint32 member, int64 first, int64 last);
extern void pgt_share_member_reject(ShareSlot *slot, uint32 member, int64 first, int64 last);

/* Is there something rejected that is to be sent on now?  If not so soon, *in_ms is the time until it is; -1: there is nothing. */
extern bool pgt_share_member_has_rejected(ShareSlot *slot, int64 *in_ms);

/* Where to begin to look for records, before which there are none; and how long until a lease ends, -1: there is none. */
extern int64 pgt_share_member_next_offset(ShareSlot *slot, int64 log_start, int64 *expires_in_ms);

/* What a member says of records that follow each other. */
typedef struct ShareVerdict
{
	int64		first;
	int64		last;
	bool		renews;			/* let their leases begin anew; else: */
	ShareRecordState outcome;	/* SHARE_ACKNOWLEDGED, SHARE_ARCHIVED, SHARE_AVAILABLE, SHARE_REJECTED */
} ShareVerdict;

/* How records are acknowledged. */
typedef struct ShareRule
{
	int64		lease_ms;		/* of those that are renewed */
	int			max_deliveries; /* who was delivered so often, and is released, is rejected */
	bool		sends_on;		/* what is rejected is to be sent on; else it is archived */
} ShareRule;

/*
 * Acknowledge or renew all of them, as pgt_share_group_acknowledge() does, or none: false.  *rejected becomes true where the transaction
 * leaves something that is to be sent on.
 */
extern bool pgt_share_member_acknowledge(ShareSlot *slot, uint32 member, const ShareVerdict *verdicts, int count,
										 const ShareRule *rule, bool *rejected);

/* Whatever the member has in this database, and has not acknowledged, is available again. */
extern void pgt_share_member_release(uint32 member);

#endif							/* SHARE_MEMBER_H */
