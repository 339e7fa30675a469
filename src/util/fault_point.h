/*
 * fault_point.h
 *	  Named places at which a test can have the process die, stop or meet an I/O
 *	  error.
 *
 * Only in a build with -DPGT_FAULT_POINTS ("make FAULT_POINTS=1", which test/run
 * does); otherwise the macros are empty and the setting does not exist.
 *
 *	  SET pg_topics.fault_point = 'swap-logged';		dies, as if it had crashed
 *	  SET pg_topics.fault_point = 'swap-logged:once';	the same, the first time in
 *														this data directory
 *	  SET pg_topics.fault_point = 'swap-logged:stop';	stands still
 *	  SET pg_topics.fault_point = 'log-write:ENOSPC';	a system call fails
 *	  SET pg_topics.fault_point = 'segment-sync:skip';	is left out
 *	  SET pg_topics.fault_point = 'reader-segment:halt:3';	stands still the third time,
 *														and goes on where continued
 *
 * FAULT_POINT is a step that is done: one can die or stop there.  FAULT_ERROR
 * stands before a system call, in the place of its failure: true, with errno set,
 * where it is to fail.  FAULT_SKIP stands before a sync, to show that a test would
 * notice if it were not there.
 *
 * FAULT_HALT is no step, but a place at which a process holds no lock that others
 * wait for, so that a test can have it stand there (SIGSTOP) and do something else
 * meanwhile.  A signal from outside would halt it with whatever lock it has just
 * then.  After SIGCONT it does not stop there again until it is told to anew.
 *
 * The tests take the names from the sources: test/t/035_crash_points.pl those of
 * FAULT_POINT, test/t/061_disk_faults.pl those of FAULT_ERROR,
 * test/t/060_power_loss.pl those of FAULT_SKIP.
 *
 * Layer 0.
 */
#ifndef FAULT_POINT_H
#define FAULT_POINT_H

#ifdef PGT_FAULT_POINTS
extern void pgt_fault_point(const char *name);
extern bool pgt_fault_error(const char *name);
extern bool pgt_fault_skip(const char *name);
extern void pgt_fault_halt(const char *name);
extern void pgt_fault_point_init(void);

#define FAULT_POINT(name)	pgt_fault_point(name)
#define FAULT_ERROR(name)	pgt_fault_error(name)
#define FAULT_SKIP(name)	pgt_fault_skip(name)
#define FAULT_HALT(name)	pgt_fault_halt(name)
#else
#define FAULT_POINT(name)	((void) 0)
#define FAULT_ERROR(name)	false
#define FAULT_SKIP(name)	false
#define FAULT_HALT(name)	((void) 0)
#define pgt_fault_point_init()	((void) 0)
#endif

#endif							/* FAULT_POINT_H */
