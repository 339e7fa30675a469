/*
 * durable_wal.h
 *	  Up to where the WAL is durable: on this server, and on its synchronous standbys.
 */
#ifndef DURABLE_WAL_H
#define DURABLE_WAL_H

#include "access/xlogdefs.h"

/* Are there synchronous standbys that a commit would wait for, connected or not? */
extern bool pgt_durable_wal_has_standbys(void);

/*
 * Up to where the WAL survives a crash of this server and, with synchronous standbys, the
 * failover to one of them.  It moves back where synchronous standbys are configured anew.  In
 * recovery all that was replayed is durable: the largest LSN.
 */
extern XLogRecPtr pgt_durable_wal_end(void);

/*
 * The end of the last WAL record.  GetXLogInsertRecPtr() is where the next one begins, which
 * may be behind the header of a page that is not there yet; that cannot be flushed.
 */
extern XLogRecPtr pgt_durable_wal_insert_end(void);

#endif							/* DURABLE_WAL_H */
