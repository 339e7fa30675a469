/*
 * consume.h
 *	  consume(), consume_as() and commit_offsets().
 *
 * Layer 6.
 */
#ifndef CONSUME_H
#define CONSUME_H

#include "consumer_group.h"
#include "topic.h"

/* What a group does where it has no committed offset, or one that is deleted. */
typedef enum OffsetReset
{
	OFFSET_RESET_EARLIEST,
	OFFSET_RESET_LATEST,
	OFFSET_RESET_NONE
} OffsetReset;

extern int	pgt_auto_offset_reset;	/* setting pg_topics.auto_offset_reset */

/* Settings, hooks and callbacks of everything that consumes; called once per process. */
extern void pgt_consumer_init(void);

#endif							/* CONSUME_H */
