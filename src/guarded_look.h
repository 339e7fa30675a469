/*
 * guarded_look.h
 *	  Reading a record for a view, which must not fail for one.
 *
 * Layer 6.
 */
#ifndef GUARDED_LOOK_H
#define GUARDED_LOOK_H

/*
 * Call look(arg).  Where it meets a damaged, missing or unreadable file: false, and a
 * WARNING that says what its error would have said.  Other errors are errors.
 */
extern bool pgt_guarded_look(void (*look) (void *arg), void *arg);

#endif							/* GUARDED_LOOK_H */
