/*
 * change_order.h
 *	  Refusing to publish the changes of a key in another order than they were made.
 */
#ifndef CHANGE_ORDER_H
#define CHANGE_ORDER_H

#include "commands/trigger.h"
#include "publish/change_publisher.h"

/*
 * The command that made the changes for which a trigger has been fired, or
 * InvalidCommandId where that is not known (rows of a foreign table).
 */
extern CommandId pgt_change_order_command(const TriggerData *trigger);

/* What a change does to a key. */
typedef enum ChangeEffect
{
	CHANGE_EFFECT_ROW,			/* a row has it */
	CHANGE_EFFECT_END,			/* no row has it any more */
	CHANGE_EFFECT_STATEMENT_END	/* the same, of a trigger for each statement */
} ChangeEffect;

/*
 * Note that a command's change of a key is being published.  ERROR if this transaction
 * has published a change of the key by a later command before, or a row of the same command
 * that a trigger for each statement would end.
 */
extern void pgt_change_order_note(const ChangePublisher *publisher, ByteView key, CommandId command, ChangeEffect effect);

/* Install the hooks; called once per process. */
extern void pgt_change_order_init(void);

#endif							/* CHANGE_ORDER_H */
