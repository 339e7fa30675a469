/*
 * offset_turn.h
 *	  The committed offsets that a turn of the loop writes.
 */
#ifndef OFFSET_TURN_H
#define OFFSET_TURN_H

#include "access/xlogdefs.h"
#include "group/kafka_offset.h"
#include "lib/ilist.h"

typedef enum OffsetTurnResult
{
	OFFSET_TURN_DONE,			/* it is part of the transaction */
	OFFSET_TURN_BUSY,			/* another transaction owns the partition: try again in TURN_RETRY_MS */
	OFFSET_TURN_SQL_MEMBER,		/* a member of the group in SQL is alive */
	OFFSET_TURN_DENIED,			/* the group belongs to another role */
	OFFSET_TURN_GONE,			/* there is no such topic or partition */
	OFFSET_TURN_FAILED			/* an ERROR, which is logged */
} OffsetTurnResult;

/* An offset to be committed, or deleted. */
typedef struct OffsetTurnWrite
{
	/* set by the caller; what it points to lives as long as it does */
	const char *group;
	Oid			topic;
	int32		partition;
	Oid			role;
	bool		deletes;
	KafkaOffset offset;			/* unless it is deleted */

	/*
	 * Called when the turn has ended: it has committed up to "lsn", InvalidXLogRecPtr where it wrote nothing; or it
	 * has not, and "result" means nothing.  The struct belongs to the caller, and is not touched after that.
	 */
	void		(*done) (struct OffsetTurnWrite *write, bool committed, XLogRecPtr lsn);

	OffsetTurnResult result;

	/* of offset_turn.c */
	struct OffsetTurnPlace *place;	/* of the partition, which knows the last one */
	slist_node	node;
} OffsetTurnWrite;

/* Has the turn as many as it should write? */
extern bool pgt_offset_turn_is_full(void);

/* Have it written at the end of the turn, whose transaction is open.  Of a partition the last one counts. */
extern void pgt_offset_turn_add(OffsetTurnWrite *write);

/* A turn has committed offsets in another way, up to there. */
extern void pgt_offset_turn_committed(XLogRecPtr lsn);

/* Up to where all is committed that was written so far. */
extern XLogRecPtr pgt_offset_turn_lsn(void);

#endif							/* OFFSET_TURN_H */
