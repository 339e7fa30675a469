/*
 * consume_plan.h
 *	  The plan node that consumes: planning it.
 */
#ifndef CONSUME_PLAN_H
#define CONSUME_PLAN_H

/* Install the hook; called once per process, after the functions were registered in consume_wait.h. */
extern void pgt_consume_plan_init(void);

#endif							/* CONSUME_PLAN_H */
