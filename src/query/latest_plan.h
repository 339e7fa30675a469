/*
 * latest_plan.h
 *	  Planning latest() in FROM.
 */
#ifndef LATEST_PLAN_H
#define LATEST_PLAN_H

/* Have a plan node run latest() where that reads less; call this at server start. */
extern void pgt_latest_plan_init(void);

#endif							/* LATEST_PLAN_H */
