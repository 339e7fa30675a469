/*
 * recovery_point.h
 *	  The file that says where each partition stood at the last sync.
 *
 * Layer 3.
 */
#ifndef RECOVERY_POINT_H
#define RECOVERY_POINT_H

#include "format/recovery_point_format.h"

extern bool pgt_adopt_log_dir;	/* setting pg_topics.adopt_log_dir */

/* Replace the recovery point, durably; any failure is an ERROR. */
extern void pgt_recovery_point_write(const RecoveryPointEntry *entries, int count);

/*
 * Read it: palloc'd entries and how many; -1 where there is none, or it is damaged.
 * FATAL where it is another cluster's and that was not allowed.  For the postmaster.
 */
extern int	pgt_recovery_point_read(RecoveryPointEntry **entries);

/*
 * In pg_upgrade, for the new cluster: the topics' files are still to come, and no server
 * starts without them.
 */
extern void pgt_recovery_point_await(void);

/* FATAL where files with this system identifier are another cluster's, unless that was allowed. */
extern void pgt_check_system_identifier(uint64 identifier);

#endif							/* RECOVERY_POINT_H */
