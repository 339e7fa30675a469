/*
 * consume_many.h
 *	  consume_many(): reading several topics for a group.
 *
 * Layer 6.
 */
#ifndef CONSUME_MANY_H
#define CONSUME_MANY_H

/* Let statements that are just a call of it wait before they start; called once per process. */
extern void pgt_consume_many_init(void);

#endif							/* CONSUME_MANY_H */
