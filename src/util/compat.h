/*
 * compat.h
 *	  The differences between PostgreSQL's majors: no other file has an #if for a
 *	  version.
 */
#ifndef COMPAT_H
#define COMPAT_H

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

/* the list of free entries of WAL senders: a chain of its own till 15, and its link was renamed in 19 */
static inline PGPROC *
pgt_pop_walsender_proc(void)
{
#if PG_VERSION_NUM >= 190000
	return dlist_container(PGPROC, freeProcsLink, dlist_pop_head_node(&ProcGlobal->walsenderFreeProcs));
#elif PG_VERSION_NUM >= 160000
	return dlist_container(PGPROC, links, dlist_pop_head_node(&ProcGlobal->walsenderFreeProcs));
#else
	PGPROC	   *proc = ProcGlobal->walsenderFreeProcs;

	ProcGlobal->walsenderFreeProcs = (PGPROC *) proc->links.next;
	return proc;
#endif
}

/* an entry that is no backend's, as those of prepared transactions */
#if PG_VERSION_NUM >= 170000
#define PGT_SET_NO_BACKEND(proc)	((proc)->vxid.procNumber = INVALID_PROC_NUMBER)
#else
#define PGT_SET_NO_BACKEND(proc)	((proc)->backendId = InvalidBackendId)
#endif

#endif							/* COMPAT_H */
