/*
 * consume.h
 *	  consume(), consume_as() and commit_offsets().
 */
#ifndef CONSUME_H
#define CONSUME_H

/* Settings, hooks and callbacks of everything that consumes; called once per process. */
extern void pgt_consume_init(void);

#endif							/* CONSUME_H */
