/*
 * share_member.c
 *	  What members of share groups, such as Kafka's clients, do with records.
 *
 * A member is a number.  Unlike a transaction in SQL it has records for as long as their leases last, across
 * transactions, and others than it cannot acknowledge them.  It acquires in shared memory alone: whoever serves the member has told
 * it of the records by the time that its own transaction ends.  It acknowledges with a transaction, as everybody does.
 *
 * Locks: a slot's lock, for moments.
 */
#include "postgres.h"

#include "log/topic_waiters.h"
#include "miscadmin.h"
#include "share/share_member.h"
#include "share/share_transaction.h"

uint32
pgt_share_member_new(void)
{
	return pgt_share_table_next_member();
}

/* Lock a slot for a call, with what has happened meanwhile applied. */
static void
lock_slot(ShareSlot *slot)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (slot->window.prepared > 0)
		pgt_share_transaction_end_prepared(slot);
}

/* ---- acquiring -------------------------------------------------------------------- */

int
pgt_share_member_acquire(ShareSlot *slot, const ShareMemberTake *take, ShareRange *ranges, int capacity)
{
	int64		now = pgt_share_table_now_ms();
	ShareAcquire how = {
		.member = take->member,.until = now + take->lease_ms,.now = now,
		.from = take->from,.log_end = take->end,.most = take->most
	};
	int			count;

	Assert(slot->durable);
	lock_slot(slot);
	count = pgt_share_window_acquire(&slot->window, &how, ranges, capacity);
	LWLockRelease(&slot->lock);
	return count;
}

void
pgt_share_member_give_back(ShareSlot *slot, uint32 member, int64 first, int64 last)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	pgt_share_window_give_back_as(&slot->window, first, last, member);
	LWLockRelease(&slot->lock);
}

void
pgt_share_member_skip(ShareSlot *slot, uint32 member, int64 first, int64 last)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	pgt_share_window_skip_as(&slot->window, first, last, member);
	LWLockRelease(&slot->lock);
}

void
pgt_share_member_reject(ShareSlot *slot, uint32 member, int64 first, int64 last)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	pgt_share_window_reject_as(&slot->window, first, last, member);
	LWLockRelease(&slot->lock);
}

bool
pgt_share_member_has_rejected(ShareSlot *slot, int64 *in_ms)
{
	LWLockAcquire(&slot->lock, LW_SHARED);
	*in_ms = slot->window.rejected == 0 ? -1 : Max(slot->sent_on_at - pgt_share_table_now_ms(), 0);
	LWLockRelease(&slot->lock);
	return *in_ms == 0;
}

int64
pgt_share_member_next_offset(ShareSlot *slot, int64 log_start, int64 *expires_in_ms)
{
	int64		now = pgt_share_table_now_ms();
	int64		next_expiry;
	int64		offset;

	lock_slot(slot);
	if (slot->window.start < log_start)
		pgt_share_window_raise_start(&slot->window, log_start);
	offset = pgt_share_window_next_offset(&slot->window, now, &next_expiry);
	LWLockRelease(&slot->lock);
	*expires_in_ms = next_expiry == SHARE_NO_LEASE ? -1 : Max(next_expiry - now, 1);
	return offset;
}

/* ---- acknowledging ------------------------------------------------------------------ */

/* Has the member the records?  The slot's lock is held. */
static bool
has_all(ShareSlot *slot, uint32 member, const ShareVerdict *verdicts, int count, int64 now)
{
	for (int i = 0; i < count; i++)
	{
		/* so that a range that a client makes up takes no time */
		if (verdicts[i].first < slot->window.start || verdicts[i].last >= slot->window.end)
			return false;
		for (int64 offset = verdicts[i].first; offset <= verdicts[i].last; offset++)
		{
			if (pgt_share_window_check(&slot->window, offset, pgt_share_transaction_holder(), member, now) != SHARE_DONE)
				return false;
		}
	}
	return true;
}

/* Acknowledge a record that the member has.  True if it is to be sent on. */
static bool
acknowledge(ShareSlot *slot, uint32 member, int64 offset, ShareRecordState outcome, const ShareRule *rule, int64 now)
{
	if (outcome == SHARE_AVAILABLE && pgt_share_window_cell(&slot->window, offset)->deliveries >= rule->max_deliveries)
		outcome = SHARE_REJECTED;
	if (outcome == SHARE_REJECTED && !rule->sends_on)
		outcome = SHARE_ARCHIVED;
	(void) pgt_share_window_acknowledge_as(&slot->window, offset, outcome, pgt_share_transaction_holder(), member, now);
	pgt_share_transaction_note(slot, SHARE_CHANGE_ACKNOWLEDGED, offset, offset);
	return outcome == SHARE_REJECTED;
}

bool
pgt_share_member_acknowledge(ShareSlot *slot, uint32 member, const ShareVerdict *verdicts, int count,
							 const ShareRule *rule, bool *rejected)
{
	int64		now = pgt_share_table_now_ms();
	bool		done;

	/* each note is of a range of its own at worst */
	pgt_share_transaction_reserve(count);
	lock_slot(slot);
	done = has_all(slot, member, verdicts, count, now);
	for (int i = 0; i < count && done; i++)
	{
		for (int64 offset = verdicts[i].first; offset <= verdicts[i].last; offset++)
		{
			if (verdicts[i].renews)
				(void) pgt_share_window_renew_as(&slot->window, offset, now + rule->lease_ms, member, now);
			else if (acknowledge(slot, member, offset, verdicts[i].outcome, rule, now))
				*rejected = true;
		}
	}
	LWLockRelease(&slot->lock);
	return done;
}

/* ---- the end of a member --------------------------------------------------------------- */

/* A slot in which a member that is gone had records. */
typedef struct ReleasedSlot
{
	ShareKey	key;
	int64		records;
} ReleasedSlot;

typedef struct Release
{
	uint32		member;
	ReleasedSlot *slots;
	int			count;
} Release;

/* visit of pgt_share_table_walk() */
static bool
release_in_slot(ShareSlot *slot, void *arg)
{
	Release    *release = arg;
	int64		records = pgt_share_window_release_as(&slot->window, release->member);

	if (records > 0)
		release->slots[release->count++] = (ReleasedSlot) {slot->key, records};
	return true;
}

void
pgt_share_member_release(uint32 member)
{
	Release		release = {.member = member,.slots = palloc(sizeof(ReleasedSlot) * pgt_max_share_partitions)};

	pgt_share_table_walk(release_in_slot, &release);
	for (int i = 0; i < release.count; i++)
	{
		const ReleasedSlot *slot = &release.slots[i];

		pgt_topic_waiters_announce_to(slot->key.database, slot->key.topic, slot->key.partition, slot->key.group,
									  slot->records);
	}
	pfree(release.slots);
}
