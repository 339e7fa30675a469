/*
 * consume_whole.h
 *	  Refusing statements that would consume records and not return them.
 */
#ifndef CONSUME_WHOLE_H
#define CONSUME_WHOLE_H

/* Install the hooks; called once per process, after those of consume_wait.h. */
extern void pgt_consume_whole_init(void);

#endif							/* CONSUME_WHOLE_H */
