/*
 * share_window.h
 *	  What a share group has done with each record of a partition: the state machine.
 */
#ifndef SHARE_WINDOW_H
#define SHARE_WINDOW_H

#include "postgres.h"

/* What has become of a record, in Kafka's words; PENDING is ours. */
typedef enum ShareRecordState
{
	SHARE_AVAILABLE,			/* can be acquired */
	SHARE_ACQUIRED,				/* a consumer has it */
	SHARE_PENDING,				/* acknowledged by a transaction that has not ended */
	SHARE_ACKNOWLEDGED,			/* accepted */
	SHARE_ARCHIVED,				/* rejected, given up, or there is no record */
	SHARE_REJECTED				/* as an outcome, and in rows: it is to be archived once the dead-letter topic has it */
} ShareRecordState;

#define SHARE_MAX_DELIVERIES	PG_UINT16_MAX

/* "until" of a record that is acquired for as long as its transaction runs */
#define SHARE_NO_LEASE			PG_INT64_MAX

/* the member of records that whoever knows their offsets may acknowledge */
#define SHARE_ANYBODY			0

/* the holder of records that a prepared transaction has acknowledged */
#define SHARE_PREPARED			PG_UINT64_MAX

/* One offset of the window. */
typedef struct ShareCell
{
	int64		until;			/* end of the lease, by the clock of leases; SHARE_NO_LEASE */
	uint64		holder;			/* the running transaction that has it; 0: none; SHARE_PREPARED */
	union
	{
		uint32		xid;		/* of that prepared transaction */
		uint32		member;		/* else: who has the lease; SHARE_ANYBODY */
	};
	uint16		deliveries;		/* how often it was acquired, at most SHARE_MAX_DELIVERIES */
	uint8		state;			/* ShareRecordState */
	uint8		outcome:4;		/* the state that follows SHARE_PENDING */
	uint8		is_open:1;		/* "holder" has acquired it, and has not committed */
	uint8		is_unsaved:1;	/* available, and no row says how often it was delivered */
	uint8		is_rejected:1;	/* for the dead-letter topic alone: nobody gets it any more */
} ShareCell;

/*
 * The offsets of a partition from the first one that is not finished to the last one that
 * was acquired.  A cell stands at its offset modulo "size".
 *
 *	  finished | finished  available  acquired  pending ... | never acquired
 *	           start                                        end
 */
typedef struct ShareWindow
{
	int64		start;			/* all before it is acknowledged or archived */
	int64		end;			/* at most start + size */
	int64		available_from; /* no record before it is available */
	int64		next_expiry;	/* no lease ends before it */
	int32		size;			/* number of cells */
	int32		prepared;		/* records that prepared transactions have acknowledged */
	int32		unsaved;		/* cells with is_unsaved */
	int32		rejected;		/* cells with is_rejected */
	ShareCell	cells[FLEXIBLE_ARRAY_MEMBER];
} ShareWindow;

/* Records that follow each other and are alike. */
typedef struct ShareRange
{
	int64		first;
	int64		last;
	uint8		state;			/* ShareRecordState */
	uint16		deliveries;
} ShareRange;

/*
 * Who acquires, and what.  A member, unlike a transaction, has the records as soon as they are acquired, and for as long as its
 * lease lasts: nothing is taken back.
 */
typedef struct ShareAcquire
{
	uint64		holder;			/* the transaction; of a member it is 0 */
	uint32		member;			/* SHARE_ANYBODY: none */
	int64		until;			/* end of the lease, or SHARE_NO_LEASE */
	int64		now;			/* by the clock of leases */
	int64		from;			/* no record before this offset */
	int64		log_end;		/* nor at or behind this one */
	int32		most;			/* so many records at most */
} ShareAcquire;

/* What came of acknowledging or renewing. */
typedef enum ShareAnswer
{
	SHARE_DONE,
	SHARE_NOT_ACQUIRED,			/* available or never acquired; perhaps its lease has ended */
	SHARE_FINISHED,				/* acknowledged or archived before */
	SHARE_OTHERS,				/* a transaction of somebody else has it, or a member */
	SHARE_STALE					/* it was delivered again meanwhile */
} ShareAnswer;

/* any number of deliveries will do */
#define SHARE_ANY_DELIVERY	(-1)

/* The bytes of a window with so many cells. */
extern Size pgt_share_window_bytes(int32 size);

/* Begin at an offset: nothing was ever acquired. */
extern void pgt_share_window_init(ShareWindow *window, int32 size, int64 start);

/* Copy a window into the memory of one with so many cells, which are enough. */
extern void pgt_share_window_copy(ShareWindow *to, int32 size, const ShareWindow *from);

/*
 * Acquire the first records that are available, then new ones.  Returns the number of
 * ranges, in the order of their offsets, at most "capacity"; "deliveries" counts this one.
 */
extern int	pgt_share_window_acquire(ShareWindow *window, const ShareAcquire *how, ShareRange *ranges,
									 int capacity);

/*
 * Acquire records that are rejected, for who sends them to the dead-letter topic: a transaction, without a lease.  It is no delivery.
 * They are rejected until he has archived them.
 */
extern int	pgt_share_window_acquire_rejected(ShareWindow *window, const ShareAcquire *how, ShareRange *ranges,
											  int capacity);

/* Give back acquired offsets that were not read, as if they had not been acquired. */
extern void pgt_share_window_give_back(ShareWindow *window, int64 first, int64 last, uint64 holder);

/* There are no records at these acquired offsets, and never will be. */
extern void pgt_share_window_skip(ShareWindow *window, int64 first, int64 last, uint64 holder);

/*
 * A transaction acknowledges a record: it will be "outcome" if that commits (SHARE_AVAILABLE:
 * released; SHARE_REJECTED: given up).  "deliveries": refuse unless it was delivered so often, or SHARE_ANY_DELIVERY.
 */
extern ShareAnswer pgt_share_window_acknowledge(ShareWindow *window, int64 offset, ShareRecordState outcome,
												uint64 holder, int64 now, int deliveries);

/* The same for a member, which has the record. */
extern ShareAnswer pgt_share_window_acknowledge_as(ShareWindow *window, int64 offset, ShareRecordState outcome,
												   uint64 holder, uint32 member, int64 now);

/* Could a member acknowledge the record now? */
extern ShareAnswer pgt_share_window_check(ShareWindow *window, int64 offset, uint64 holder, uint32 member, int64 now);

/* The member has the record for longer.  False: it has not. */
extern bool pgt_share_window_renew_as(ShareWindow *window, int64 offset, int64 until, uint32 member, int64 now);

/* As give_back() and skip(), by a member; and give back what had its last try before, so that it is rejected. */
extern void pgt_share_window_give_back_as(ShareWindow *window, int64 first, int64 last, uint32 member);
extern void pgt_share_window_skip_as(ShareWindow *window, int64 first, int64 last, uint32 member);
extern void pgt_share_window_reject_as(ShareWindow *window, int64 first, int64 last, uint32 member);

/* All that the member has is available again.  Returns how many records. */
extern int64 pgt_share_window_release_as(ShareWindow *window, uint32 member);

/*
 * Where it is best to begin to look for records: at the first one that is available, or is to be acquired next.  *next_expiry as
 * pgt_share_window_has_work().
 */
extern int64 pgt_share_window_next_offset(ShareWindow *window, int64 now, int64 *next_expiry);

/* Let a record's lease end at another time. */
extern ShareAnswer pgt_share_window_renew(ShareWindow *window, int64 offset, int64 until, uint64 holder,
										  int64 now, int deliveries);

/* Acknowledge what the transaction has acquired without a lease and not acknowledged. */
extern void pgt_share_window_accept_rest(ShareWindow *window, int64 first, int64 last, uint64 holder);

/* Take back acknowledging, and acquiring; what was acquired counts as delivered. */
extern void pgt_share_window_undo_acknowledge(ShareWindow *window, int64 first, int64 last, uint64 holder);
extern int64 pgt_share_window_undo_acquire(ShareWindow *window, int64 first, int64 last, uint64 holder);

/*
 * The transaction has committed, or was prepared as "xid": its acknowledgements count, or wait for
 * the end of that one; its leases go on; what it had without a lease is available.  Returns how
 * many records became available.
 */
extern int64 pgt_share_window_commit(ShareWindow *window, int64 first, int64 last, uint64 holder);
extern int64 pgt_share_window_prepare(ShareWindow *window, int64 first, int64 last, uint64 holder, uint32 xid);

/* The id of a prepared transaction that has acknowledged a record at or behind *offset, and move *offset behind it; 0: none. */
extern uint32 pgt_share_window_next_prepared(const ShareWindow *window, int64 *offset);

/* A prepared transaction has ended.  Returns how many records became available. */
extern int64 pgt_share_window_end_prepared(ShareWindow *window, uint32 xid, bool committed);

/* The records before an offset are gone; what running transactions have stays until they end. */
extern void pgt_share_window_raise_start(ShareWindow *window, int64 log_start);

/*
 * The first offset from "from" on, before log_end, that could be acquired now; -1: there is none.
 * *next_expiry: when the next lease ends, or SHARE_NO_LEASE.
 */
extern int64 pgt_share_window_next_available(ShareWindow *window, int64 now, int64 from, int64 log_end,
											 int64 *next_expiry);

/* Has the window no room for new records? */
extern bool pgt_share_window_is_full(const ShareWindow *window);

/* Is there nothing that only this memory knows: no record acquired or pending, no number of deliveries? */
extern bool pgt_share_window_is_idle(const ShareWindow *window);

/* Has somebody a record: a lease that has not ended, or a transaction? */
extern bool pgt_share_window_is_in_use(const ShareWindow *window, int64 now);

/* ---- to rows and back ---- */

/*
 * Take over what a row says about a range; xid: that of a prepared transaction, or 0.  The
 * order of the calls does not matter.  False if the window is too small: nothing is done.
 */
extern bool pgt_share_window_load(ShareWindow *window, const ShareRange *range, uint32 xid);

/*
 * The ranges from "offset" on that a row should have: what is finished, and what was delivered
 * and is not finished.  Returns false at the end; else *range, and *offset is moved behind it.
 */
extern bool pgt_share_window_next_saved(const ShareWindow *window, int64 *offset, ShareRange *range);

/* The same for what the transaction has acknowledged between two offsets: "state" is the outcome. */
extern bool pgt_share_window_next_pending(const ShareWindow *window, int64 *offset, int64 last,
										  uint64 holder, ShareRange *range);

/* The same for numbers of deliveries that no row has yet; they count as saved then. */
extern bool pgt_share_window_next_unsaved(ShareWindow *window, int64 *offset, ShareRange *range);

/* The cell of an offset from start to end - 1. */
static inline ShareCell *
pgt_share_window_cell(ShareWindow *window, int64 offset)
{
	return &window->cells[offset % window->size];
}

#endif							/* SHARE_WINDOW_H */
