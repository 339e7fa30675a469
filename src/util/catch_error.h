/*
 * catch_error.h
 *	  Doing work whose errors must not end its caller's statement.
 */
#ifndef CATCH_ERROR_H
#define CATCH_ERROR_H

/*
 * Call look(arg) in a subtransaction.  If it fails for damage, that is for a damaged,
 * missing or unreadable file, report its error as a WARNING and return false.  Any other
 * error is thrown on.
 */
extern bool pgt_catch_damage(void (*look) (void *arg), void *arg);

/*
 * Call look(arg) without a subtransaction, since there is none in parallel mode: look()
 * may only read a log, and leave nothing behind but memory of the current context.
 * Returns NULL, or the error that tells of damage, palloc'd.  Any other error is thrown
 * on.
 */
extern ErrorData *pgt_catch_damage_reading(void (*look) (void *arg), void *arg);

/*
 * Call work(arg) in a subtransaction.  Returns NULL, or the error that work() has
 * thrown, palloc'd, after the subtransaction was rolled back.
 */
extern ErrorData *pgt_catch_error(void (*work) (void *arg), void *arg);

/*
 * For who catches errors itself: roll back the subtransactions above a nesting level, which was current before one's own
 * began.  An error may have left more than that one.
 */
extern void pgt_catch_error_roll_back(int level);

/*
 * Call work(arg) in a background process, outside a transaction.  If it fails, release its
 * LWLocks, log its error and return false.  Memory that it leaves is the caller's to reset.
 */
extern bool pgt_catch_error_and_log(void (*work) (void *arg), void *arg);

/*
 * Report a caught error as a WARNING, and free it.  A client that receives an ERROR
 * would take the whole statement as failed.
 */
extern void pgt_catch_error_report(ErrorData *error);

#endif							/* CATCH_ERROR_H */
