/*
 * acks.c
 *	  How durable and how widely copied a transaction that produced must be
 *	  before its commit is acknowledged.
 *
 *	  pg_topics.acks	commits as with synchronous_commit
 *	  '0'				off: not even flushed here
 *	  '1'				local: flushed here
 *	  'all'				the strongest of the configured value, the transaction's own
 *						value and "on": flushed by the synchronous standbys too
 *	  '' (not set)		the transaction's own value
 *
 * The records are in the WAL before the commit record, so what holds for the
 * commit holds for them.  synchronous_commit is changed for the rest of the
 * transaction (as by SET LOCAL) just before the transaction appends.  It is set once
 * more at the transaction's end: a flush() inside a function with settings of its own
 * has set it only until that function returned.
 *
 * min.insync.replicas counts this server and the standbys that a commit would wait for
 * now; where a quorum of several candidates is enough, as many count as the commit
 * waits for.  As in Kafka the option matters only to transactions that wait for
 * standbys: with acks '0' or '1', or synchronous_commit off or local, nothing is
 * checked.  A transaction that finds too few replicas has appended nothing.  A standby
 * that is lost a moment later makes the commit wait.
 *
 * Locks: only those that the server takes to read the state of its standbys.
 */
#include "postgres.h"

#include "access/xact.h"
#include "produce/acks.h"
#include "replication/syncrep.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

typedef enum Acks
{
	ACKS_UNSET,
	ACKS_NONE,
	ACKS_LEADER,
	ACKS_ALL
} Acks;

static const struct config_enum_entry acks_options[] = {
	{"", ACKS_UNSET, true},
	{"0", ACKS_NONE, false},
	{"1", ACKS_LEADER, false},
	{"all", ACKS_ALL, false},
	{"-1", ACKS_ALL, true},
	{NULL, 0, false}
};

/* The names of synchronous_commit's values, by value. */
static const char *const commit_levels[] = {
	[SYNCHRONOUS_COMMIT_OFF] = "off",
	[SYNCHRONOUS_COMMIT_LOCAL_FLUSH] = "local",
	[SYNCHRONOUS_COMMIT_REMOTE_WRITE] = "remote_write",
	[SYNCHRONOUS_COMMIT_REMOTE_FLUSH] = "on",
	[SYNCHRONOUS_COMMIT_REMOTE_APPLY] = "remote_apply",
};

static int	acks = ACKS_UNSET;

/* The value of synchronous_commit that RESET would restore in this session. */
static int
configured_level(void)
{
	const char *configured = GetConfigOptionResetString("synchronous_commit");

	for (int level = 0; level < lengthof(commit_levels); level++)
		if (strcmp(configured, commit_levels[level]) == 0)
			return level;
	return SYNCHRONOUS_COMMIT_OFF;
}

/* The synchronous_commit that the transaction is to commit with. */
static int
wanted_level(void)
{
	int			level;

	switch (acks)
	{
		case ACKS_NONE:
			return SYNCHRONOUS_COMMIT_OFF;
		case ACKS_LEADER:
			return SYNCHRONOUS_COMMIT_LOCAL_FLUSH;
		case ACKS_ALL:
			level = Max(configured_level(), synchronous_commit);
			return Max(level, SYNCHRONOUS_COMMIT_REMOTE_FLUSH);
		default:
			return synchronous_commit;
	}
}

int32
pgt_acks_replicas_in_sync(void)
{
	SyncRepStandbyData *standbys;
	int			candidates = SyncRepGetCandidateStandbys(&standbys);

	return SyncRepConfig == NULL ? 1 : 1 + Min(candidates, SyncRepConfig->num_sync);
}

void
pgt_acks_check(Oid topic, int32 min_insync)
{
	int32		in_sync;

	if (min_insync <= 1 || wanted_level() < SYNCHRONOUS_COMMIT_REMOTE_WRITE)
		return;
	in_sync = pgt_acks_replicas_in_sync();
	if (in_sync < min_insync)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot produce to topic \"%s\": only %d of %d required replicas are in sync",
						get_rel_name(topic), in_sync, min_insync),
				 errdetail_plural("The topic's option min.insync.replicas requires this server and %d synchronous standby. Nothing was appended.",
								  "The topic's option min.insync.replicas requires this server and %d synchronous standbys. Nothing was appended.",
								  min_insync - 1, min_insync - 1),
				 errhint("Check synchronous_standby_names and pg_stat_replication, then retry the transaction.")));
}

void
pgt_acks_apply(void)
{
	int			level = wanted_level();

	if (level != synchronous_commit)
		(void) set_config_option("synchronous_commit", commit_levels[level], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

void
pgt_acks_init(void)
{
	DefineCustomEnumVariable("pg_topics.acks",
							 "Sets what the commit of a transaction that has produced records waits for.",
							 "0 waits for nothing, 1 for the local flush, all for the synchronous standbys too. Empty leaves it to synchronous_commit.",
							 &acks, ACKS_UNSET, acks_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}
