/*
 * maintenance_launcher.h
 *	  The process that starts a maintenance worker for each database with topics.
 */
#ifndef MAINTENANCE_LAUNCHER_H
#define MAINTENANCE_LAUNCHER_H

/* Register the launcher with the postmaster. */
extern void pgt_maintenance_launcher_register(void);

#endif							/* MAINTENANCE_LAUNCHER_H */
