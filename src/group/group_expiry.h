/*
 * group_expiry.h
 *	  Removing consumer groups that are not used any more.
 */
#ifndef GROUP_EXPIRY_H
#define GROUP_EXPIRY_H

/*
 * Delete the offsets and members of this database's expired groups; returns the number
 * of pairs of group and topic.  The caller has begun a transaction for it, without a
 * snapshot.
 */
extern int	pgt_group_expiry_run(void);

extern void pgt_group_expiry_init(void);	/* settings of this file */

#endif							/* GROUP_EXPIRY_H */
