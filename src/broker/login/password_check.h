/*
 * password_check.h
 *	  Whether a password is that of a role, found out bit by bit.
 */
#ifndef PASSWORD_CHECK_H
#define PASSWORD_CHECK_H

typedef enum PasswordVerdict
{
	PASSWORD_UNDECIDED,			/* go on */
	PASSWORD_RIGHT,
	PASSWORD_WRONG
} PasswordVerdict;

typedef struct PasswordCheck PasswordCheck;

/*
 * Begin to compare a password with a verifier as pg_authid has it, in the current memory context.
 * A verifier of NULL is compared for as long as others are, and does not fit.  The role and the
 * verifier must stay; the password is copied.  Called in a transaction, as the next one.
 */
extern PasswordCheck *pgt_password_check_begin(const char *role, const char *verifier, const char *password);

/* Go on for a fraction of a millisecond. */
extern PasswordVerdict pgt_password_check_continue(PasswordCheck *check);

/* Is the password known to be right, so that the check has nothing to compute? */
extern bool pgt_password_check_is_known(const PasswordCheck *check);

/*
 * The moment of the monotonic clock at which a check may begin to compute: now, unless there
 * have been many; later ones come later.  0: there are too many, refuse it.
 */
extern int64 pgt_password_check_take_turn(void);

#endif							/* PASSWORD_CHECK_H */
