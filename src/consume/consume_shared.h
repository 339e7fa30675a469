/*
 * consume_shared.h
 *	  consume_shared(): records for one of many consumers of a share group.
 */
#ifndef CONSUME_SHARED_H
#define CONSUME_SHARED_H

/* Let calls of consume_shared() wait before their statement; called once per process. */
extern void pgt_consume_shared_init(void);

#endif							/* CONSUME_SHARED_H */
