/*
 * catch_error.h
 *	  Reading a record for a view, which must not fail for one; and other work whose
 *	  errors are not its caller's.
 *
 * Layer 6.
 */
#ifndef CATCH_ERROR_H
#define CATCH_ERROR_H

/*
 * Call look(arg).  Where it meets a damaged, missing or unreadable file: false, and a
 * WARNING that says what its error would have said.  Other errors are errors.
 */
extern bool pgt_catch_damage(void (*look) (void *arg), void *arg);

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

#endif							/* CATCH_ERROR_H */
