/*
 * guarded_look.h
 *	  Reading a record for a view, which must not fail for one; and other work whose
 *	  errors are not its caller's.
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

/*
 * The same without a subtransaction, which there is none of in parallel mode: for what
 * only reads a log and leaves nothing behind but memory of the current context.
 */
extern bool pgt_guarded_read(void (*look) (void *arg), void *arg);

/*
 * Call work(arg) in a subtransaction.  NULL, or its error, palloc'd, after all that it
 * has left behind is cleaned up.
 */
extern ErrorData *pgt_catch_error(void (*work) (void *arg), void *arg);

/*
 * Report an error that was caught, and free it.  As a WARNING: a client that is sent
 * an ERROR takes the whole statement for failed.
 */
extern void pgt_report_as_warning(ErrorData *error);

#endif							/* GUARDED_LOOK_H */
