/*
 * maintenance_worker.h
 *	  Background work that needs catalogs.  Layer 7.
 */
#ifndef MAINTENANCE_WORKER_H
#define MAINTENANCE_WORKER_H

extern int	pgt_maintenance_interval;	/* setting pg_topics.maintenance_interval, s */

/* Register the launcher with the postmaster. */
extern void pgt_maintenance_register(void);

#endif							/* MAINTENANCE_WORKER_H */
