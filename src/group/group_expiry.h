/*
 * group_expiry.h
 *	  Forgetting the offsets of consumer groups that nobody uses any more.
 */
#ifndef GROUP_EXPIRY_H
#define GROUP_EXPIRY_H

/*
 * Delete the offsets of this database's groups that have expired; returns how
 * many groups in topics.  In a transaction of its own, without a snapshot.
 */
extern int	pgt_group_expiry_run(void);

extern void pgt_group_expiry_init(void);	/* settings of this file */

#endif							/* GROUP_EXPIRY_H */
