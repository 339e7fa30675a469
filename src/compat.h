/*
 * compat.h
 *	  The only place that knows differences between PostgreSQL's majors.
 *
 * No layer: macros only, for whichever file needs them.
 */
#ifndef PGT_COMPAT_H
#define PGT_COMPAT_H

#include "storage/proc.h"

/* the local transaction id moved into a struct in 17 */
#if PG_VERSION_NUM >= 170000
#define PGT_MY_LXID		(MyProc->vxid.lxid)
#else
#define PGT_MY_LXID		(MyProc->lxid)
#endif

/* the shared transaction-id state was renamed in 17 */
#if PG_VERSION_NUM >= 170000
#define PGT_TRANSAM			TransamVariables
#else
#define PGT_TRANSAM			ShmemVariableCache
#endif
#define PGT_OLDEST_CLOG_XID	(PGT_TRANSAM->oldestClogXid)

#endif							/* PGT_COMPAT_H */
