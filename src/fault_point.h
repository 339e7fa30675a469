/*
 * fault_point.h
 *	  Named places at which a test can have the process die.
 *
 * Only in a build with -DPGT_FAULT_POINTS ("make FAULT_POINTS=1", which test/run
 * does); otherwise the macro is empty and the setting does not exist.
 *
 *	  SET pg_topics.fault_point = 'swap-logged';
 *
 * The process that comes to the place exits as if it had crashed, so that the
 * server restarts and recovers.  test/t/035_crash_points.pl takes the names from
 * the sources.
 *
 * Layer 0.
 */
#ifndef FAULT_POINT_H
#define FAULT_POINT_H

#ifdef PGT_FAULT_POINTS
extern void pgt_fault_point(const char *name);
extern void pgt_fault_point_init(void);

#define FAULT_POINT(name)	pgt_fault_point(name)
#else
#define FAULT_POINT(name)	((void) 0)
#define pgt_fault_point_init()	((void) 0)
#endif

#endif							/* FAULT_POINT_H */
