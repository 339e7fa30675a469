/*
 * recovery_point.h
 *	  The file that says where each partition stood at the last sync.
 */
#ifndef RECOVERY_POINT_H
#define RECOVERY_POINT_H

#include "format/recovery_point_format.h"

extern bool pgt_adopt_log_dir;	/* setting pg_topics.adopt_log_dir */

/* Replace the recovery point, durably.  Any failure is an ERROR. */
extern void pgt_recovery_point_write(const RecoveryPointEntry *entries, int count);

/*
 * Read the recovery point: *entries is palloc'd.  Returns how many there are, or -1 if there
 * is no recovery point, or it is damaged.  FATAL if it is of another cluster and
 * pg_topics.adopt_log_dir is off.  For the postmaster.
 */
extern int	pgt_recovery_point_read(RecoveryPointEntry **entries);

/*
 * Called in pg_upgrade, for the new cluster: note that the topics' files are still to come,
 * so that no server starts without them.
 */
extern void pgt_recovery_point_await(void);

/* FATAL if that is the system identifier of another cluster, unless it was allowed. */
extern void pgt_recovery_point_check_system(uint64 identifier);

#endif							/* RECOVERY_POINT_H */
