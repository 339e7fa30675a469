/*
 * txn_role_limits.h
 *	  How many transactions a role may have open, and how many transactional ids it may have.
 */
#ifndef TXN_ROLE_LIMITS_H
#define TXN_ROLE_LIMITS_H

/* May the role begin another transaction? */
extern bool pgt_txn_role_limits_may_begin(Oid role);

/* A transaction of a transactional id of that role was begun, or has ended. */
extern void pgt_txn_role_limits_begun(Oid role);
extern void pgt_txn_role_limits_ended(Oid role);

/* All open ones are about to be told of: count them anew. */
extern void pgt_txn_role_limits_recount(void);

/* May the role have another transactional id?  In a transaction.  Where it may, that is counted as made. */
extern bool pgt_txn_role_limits_may_make(Oid role);

#endif							/* TXN_ROLE_LIMITS_H */
