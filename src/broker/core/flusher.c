/*
 * flusher.c
 *	  Making durable what a worker has committed, without the worker's waiting for it.
 *
 * A worker commits asynchronously and answers its clients when the commit record is durable.
 * To flush the WAL, and to wait for a standby, takes a process that may sleep.  There is one
 * for each of the two, for all workers of the server:
 *
 *	  pg_topics kafka flush		flushes the WAL of this server
 *	  pg_topics kafka sync		waits in the server's queue for synchronous standbys
 *
 *	  worker		wanted[] = LSN; set the process's latch
 *	  process		take the largest wanted[] of all workers, make that durable, set the
 *					latches of the workers that had wanted something
 *
 * While a process is busy, wanted[] grows, so what all workers have committed in that time
 * becomes durable at once.
 *
 * The sync process is there to be woken: how far the standbys are is known without it
 * (durable_wal.c).  It waits with synchronous_commit = on, so that acks=all means
 * what it means to a SQL producer.  The queue wants WAL that is flushed here, so a
 * worker waits for the lesser of the two.  Where the server has no synchronous standbys, WAL
 * that is flushed here is all that can be asked for, from the moment on at which that is
 * configured.
 *
 * A wait may end too early: it can be canceled, and while synchronous_standby_names changes, processes
 * do not have the new value at the same moment.  So the process looks whether what was wanted is
 * durable, and waits again if it is not; after each reload it begins anew.
 *
 * If a process dies, the postmaster starts it anew, and it begins with what is wanted then.  None
 * of this is needed for the truth: clients only wait for longer.
 *
 * Locks: those of durable_wal.c.  The rest is atomics and latches.  A latch that is set may be that of
 * a process that has ended, which does no harm.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/broker_shared.h"
#include "broker/core/flusher.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "replication/syncrep.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "util/background_worker.h"
#include "util/fault_point.h"
#include "utils/guc.h"
#include "wal/durable_wal.h"

/* A process with nothing to do looks that often; it would not have to. */
#define IDLE_MS		(60 * 1000)

/* When it waits again, after a wait that has ended too early. */
#define RETRY_MS	100

extern PGDLLEXPORT void pgt_flusher_main(Datum durability);

/* ---- for workers ------------------------------------------------------------ */

XLogRecPtr
pgt_flusher_reached(BrokerDurability durability)
{
	return durability == BROKER_FLUSHED ? GetFlushRecPtr(NULL) : pgt_durable_wal_end();
}

void
pgt_flusher_want(BrokerDurability durability, XLogRecPtr lsn)
{
	pg_atomic_uint64 *wanted = pgt_broker_shared_worker->wanted;

	/* a standby gets only what is flushed here, so ask for that in any case */
	for (int i = 0; i <= durability; i++)
	{
		Latch	   *latch;

		/* as for other requests of the turn */
		if (pg_atomic_read_u64(&wanted[i]) >= lsn)
			continue;
		pg_atomic_write_u64(&wanted[i], lsn);
		pg_memory_barrier();
		latch = pgt_broker_shared->flushers[i];
		if (latch != NULL)
			SetLatch(latch);
	}
	/* if another worker has wanted as much before, nobody will tell: look once more */
	if (pgt_flusher_reached(durability) >= lsn)
		SetLatch(MyLatch);
}

/* ---- the processes ---------------------------------------------------------- */

/* The largest LSN that a worker waits for. */
static XLogRecPtr
largest_wanted(BrokerDurability durability)
{
	XLogRecPtr	largest = InvalidXLogRecPtr;

	for (int i = 0; i < BROKER_SHARED_WORKERS; i++)
		largest = Max(largest, pg_atomic_read_u64(&pgt_broker_shared->workers[i].wanted[durability]));
	return largest;
}

/* Wake the workers that waited for WAL past "before". */
static void
wake_workers(BrokerDurability durability, XLogRecPtr before)
{
	for (int i = 0; i < BROKER_SHARED_WORKERS; i++)
	{
		BrokerSharedWorker *worker = &pgt_broker_shared->workers[i];
		Latch	   *latch = worker->latch;

		if (latch != NULL && pg_atomic_read_u64(&worker->wanted[durability]) > before)
			SetLatch(latch);
	}
}

/* Sleep until WAL up to there is durable; with BROKER_SYNCED the process may be woken for less. */
static void
make_durable(BrokerDurability durability, XLogRecPtr lsn)
{
	if (durability == BROKER_FLUSHED)
	{
		FAULT_HALT("broker-flush");
		XLogFlush(lsn);
		return;
	}
	FAULT_HALT("broker-sync");
	/* as in a commit: it cleans up its place in the queue by itself */
	HOLD_INTERRUPTS();
	SyncRepWaitForLSN(lsn, false);
	RESUME_INTERRUPTS();
}

/* At any exit. */
static void
leave(int code, Datum durability)
{
	pgt_broker_shared->flushers[DatumGetInt32(durability)] = NULL;
}

/* Become the process that workers wake. */
static void
enter(BrokerDurability durability)
{
	pqsignal(SIGTERM, pgt_background_worker_interrupt);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	pgt_background_worker_connect(InvalidOid);
	SetConfigOption("synchronous_commit", "on", PGC_SUSET, PGC_S_OVERRIDE);
	before_shmem_exit(leave, Int32GetDatum(durability));
	pgt_broker_shared->flushers[durability] = MyLatch;
	/* before wanted[] is read: a worker that does not see the latch has set that already */
	pg_memory_barrier();
}

/* The main function of both processes. */
void
pgt_flusher_main(Datum arg)
{
	BrokerDurability durability = DatumGetInt32(arg);
	XLogRecPtr	done = InvalidXLogRecPtr;

	enter(durability);
	for (;;)
	{
		XLogRecPtr	wanted = largest_wanted(durability);
		bool		reloaded;

		if (wanted <= done)
			reloaded = pgt_background_worker_wait(IDLE_MS);
		else
		{
			make_durable(durability, wanted);
			wake_workers(durability, done);
			if (pgt_flusher_reached(durability) >= wanted)
			{
				done = wanted;
				reloaded = pgt_background_worker_serve_signals();
			}
			else
				reloaded = pgt_background_worker_wait(RETRY_MS);
		}
		/* what counts as durable may be less now */
		if (reloaded)
			done = InvalidXLogRecPtr;
	}
}

/* Register one of them. */
static void
register_process(BrokerDurability durability, const char *name)
{
	BackgroundWorker worker;

	pgt_background_worker_init(&worker, "pgt_flusher_main", name);
	worker.bgw_main_arg = Int32GetDatum(durability);
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
}

void
pgt_flusher_register(void)
{
	register_process(BROKER_FLUSHED, "pg_topics kafka flush");
	register_process(BROKER_SYNCED, "pg_topics kafka sync");
}
