/*
 * fault_point.h
 *	  Named places where a test can make the process die, stop or meet an I/O error.
 *
 * They exist only in a build with -DPGT_FAULT_POINTS ("make FAULT_POINTS=1", as test/run
 * builds); otherwise the macros are empty and there is no such setting.
 *
 *	  SET pg_topics.fault_point = 'swap-logged';		die there, as in a crash
 *	  SET pg_topics.fault_point = 'swap-logged:once';	die there, but only once in
 *														this data directory
 *	  SET pg_topics.fault_point = 'swap-logged:stop';	stop there (SIGSTOP)
 *	  SET pg_topics.fault_point = 'log-write:ENOSPC';	let a system call fail
 *	  SET pg_topics.fault_point = 'segment-sync:skip';	leave a sync out
 *	  SET pg_topics.fault_point = 'reader-segment:halt:3';	stop there the third time;
 *														SIGCONT lets it continue
 *
 *	  SET pg_topics.fault_point = 'disk:cold';			what is in no other group: the place says what it does
 *
 *	  SET pg_topics.fault_point = 'allocation:17';		let the 17th allocation of the process
 *														that serves Kafka's clients fail
 *
 * FAULT_POINT stands behind a step that is done: the process can die or stop there.
 * FAULT_ERROR stands before a system call: it returns true, with errno set, if the call
 * is to fail.  FAULT_SKIP stands before a sync, so that a test can show that it would
 * notice a missing one.
 *
 * FAULT_HALT stands where the process holds no lock that others wait for, except that at
 * "run-appended" it may have its turn to append (producer.c).  A test
 * can stop the process there and do something else meanwhile; a signal from
 * outside might stop it while it holds any lock.  After SIGCONT the process does not
 * stop there again until the setting is set anew.
 *
 * FAULT_IS stands where something is to look other than it is: it is true if the setting has that
 * name and that word.
 *
 * The tests take the names from the sources: test/t/035_crash_points.pl those of
 * FAULT_POINT, test/t/061_disk_faults.pl those of FAULT_ERROR,
 * test/t/060_power_loss.pl those of FAULT_SKIP.
 */
#ifndef FAULT_POINT_H
#define FAULT_POINT_H

#ifdef PGT_FAULT_POINTS
extern void pgt_fault_point(const char *name);
extern bool pgt_fault_point_error(const char *name);
extern bool pgt_fault_point_skip(const char *name);
extern void pgt_fault_point_halt(const char *name);
extern bool pgt_fault_point_is(const char *name, const char *word);
extern bool pgt_fault_point_allocation(void);
extern void pgt_fault_point_init(void);

#define FAULT_POINT(name)	pgt_fault_point(name)
#define FAULT_ERROR(name)	pgt_fault_point_error(name)
#define FAULT_SKIP(name)	pgt_fault_point_skip(name)
#define FAULT_HALT(name)	pgt_fault_point_halt(name)
#define FAULT_IS(name, word)	pgt_fault_point_is(name, word)
#else
#define FAULT_POINT(name)	((void) 0)
#define FAULT_ERROR(name)	false
#define FAULT_SKIP(name)	false
#define FAULT_HALT(name)	((void) 0)
#define FAULT_IS(name, word)	false
#define pgt_fault_point_init()	((void) 0)
#endif

#endif							/* FAULT_POINT_H */
