/*
 * consumer_store.c
 *	  Changing the groups of Kafka's new protocol, and making that durable.
 *
 * Whatever changes a group is done at the end of a turn, as work of its transaction (turn.h):
 *
 *	  before	members that join are announced to their groups.  Then requests are run, one after the other, each in a
 *				subtransaction: they change groups in memory, and claim partitions.  Then the rows of groups that have changed
 *				are written, each group's in a subtransaction.  So of ten members that join in a turn the first one is not given
 *				what is then taken from it again, and their group's row is written once
 *	  after		requests are told of it, and answer when WAL is durable, also on synchronous standbys, as
 *				with acks=all
 *
 * Memory is ahead of the rows, then, and never behind.  If rows cannot be written, or the transaction is lost, what has
 * changed stays marked, and is written later; the members concerned are told nothing but that they try again, and what was
 * claimed for them is taken back by whoever ran the request.  So no member knows of anything that a crash could undo.
 *
 * A group that has taken the place of one of the other protocol, with its members, is different: if its rows are not stored, the
 * other one is there again (migrate_group.c).
 *
 * Claims in a topic end when no member is subscribed to it any more, and all when the group has no members.  Some may be
 * busy for the moment; then it is tried again.
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/consumer_store.h"
#include "broker/groups/group_configs.h"
#include "group/kafka_claim.h"
#include "group/kafka_group_row.h"
#include "util/catch_error.h"
#include "util/clock.h"

#define SLICE_US		(5 * INT64CONST(1000))	/* of a turn, for requests */
#define CROWD_US		(5 * INT64CONST(1000))	/* less than anybody notices who starts a program */
#define ANNOUNCED_MOST	200		/* in a turn, at a stretch */
#define RETRY_US		(TURN_RETRY_MS * INT64CONST(1000))
#define RETRIES_MOST	6		/* times that the pause doubles */

static dlist_head jobs = DLIST_STATIC_INIT(jobs);
static dlist_head crowd = DLIST_STATIC_INIT(crowd);	/* jobs that wait until the timer expires */
static dlist_head jobs_in_turn = DLIST_STATIC_INIT(jobs_in_turn);
static dlist_head entries = DLIST_STATIC_INIT(entries);
static dlist_head entries_in_turn = DLIST_STATIC_INIT(entries_in_turn);

static void crowd_is_complete(EventLoopTimer *timer);
static void work_before(TurnWork *work);
static void work_after(TurnWork *work, bool committed, XLogRecPtr lsn);

static TurnWork turn_work = {.before = work_before,.after = work_after};
static bool work_added = false;
static EventLoopTimer crowd_timer = {.expired = crowd_is_complete};

/* ---- lists -------------------------------------------------------------------------- */

static void
move_job(ConsumerStoreJob *job, dlist_head *list)
{
	if (job->in_list)
		dlist_delete(&job->node);
	job->in_list = list != NULL;
	if (list != NULL)
		dlist_push_tail(list, &job->node);
}

static void
move_entry(ConsumerStoreGroup *entry, dlist_head *list)
{
	if (entry->in_list)
		dlist_delete(&entry->node);
	entry->in_list = list != NULL;
	if (list != NULL)
		dlist_push_tail(list, &entry->node);
}

void
pgt_consumer_store_add(ConsumerStoreJob *job)
{
	move_job(job, &jobs);
	pgt_event_loop_hurry();
}

void
pgt_consumer_store_add_first(ConsumerStoreJob *job)
{
	if (dlist_is_empty(&crowd))
		pgt_event_loop_set_timer(&crowd_timer, pgt_clock_monotonic_us() + CROWD_US);
	move_job(job, &crowd);
}

static void
crowd_is_complete(EventLoopTimer *timer)
{
	while (!dlist_is_empty(&crowd))
		pgt_consumer_store_add(dlist_head_element(ConsumerStoreJob, node, &crowd));
}

void
pgt_consumer_store_cancel(ConsumerStoreJob *job)
{
	move_job(job, NULL);
}

bool
pgt_consumer_store_is_dirty(const ConsumerStoreGroup *entry)
{
	const ModernGroup *modern = entry->modern;

	if (modern->dirty || modern->gone != NULL || entry->inherits)
		return true;
	for (int32 m = 0; m < modern->member_count; m++)
		if (modern->members[m]->dirty)
			return true;
	return false;
}

/* Is it left to the timer to release claims? */
static bool
may_wait(const ConsumerStoreGroup *entry)
{
	return entry->retry.due != 0 && !pgt_consumer_store_is_dirty(entry);
}

void
pgt_consumer_store_write(ConsumerStoreGroup *entry)
{
	bool		has_claims = entry->releases || (entry->modern->member_count == 0 && entry->has_claims);

	if (entry->in_list || may_wait(entry) || !(has_claims || pgt_consumer_store_is_dirty(entry)))
		return;
	move_entry(entry, &entries);
	pgt_event_loop_hurry();
}

/* ---- claims ------------------------------------------------------------------------------- */

typedef struct ClaimedTopic
{
	Oid			topic;			/* key */
	int32		end;			/* no partition from here on is claimed */
} ClaimedTopic;

void
pgt_consumer_store_note_claim(ConsumerStoreGroup *entry, Oid topic, int32 partition)
{
	ClaimedTopic *claimed;
	bool		found;

	entry->has_claims = true;
	if (entry->claims == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(ClaimedTopic), .hcxt = entry->memory};

		entry->claims = hash_create("pg_topics claims of a consumer group", 16, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	claimed = hash_search(entry->claims, &topic, HASH_ENTER, &found);
	claimed->end = found ? Max(claimed->end, partition + 1) : partition + 1;
}

/* A partition that is claimed. */
static void
note_row(Oid topic, int32 partition, void *arg)
{
	pgt_consumer_store_note_claim(arg, topic, partition);
}

void
pgt_consumer_store_read_claims(ConsumerStoreGroup *entry)
{
	HASH_SEQ_STATUS scan;
	ClaimedTopic *claimed;

	pgt_kafka_claim_each(entry->registered->id, note_row, entry);
	entry->claims_in_doubt = entry->releases = false;
	if (entry->claims == NULL)
		return;
	hash_seq_init(&scan, entry->claims);
	while ((claimed = hash_seq_search(&scan)) != NULL)
	{
		KafkaUuid	id = pgt_topic_names_id(claimed->topic);

		entry->releases = entry->releases || pgt_modern_group_find_topic(entry->modern, &id) == NULL;
	}
}

/* Release what the group has in a topic.  False where some are busy. */
static bool
release_topic(const ConsumerStoreGroup *entry, const ClaimedTopic *claimed)
{
	bool		done = true;

	for (int32 p = 0; p < claimed->end; p++)
		done = pgt_kafka_claim_release(entry->registered->id, claimed->topic, p) && done;
	return done;
}

/* Release what the group has in topics that nobody is subscribed to any more, so that SQL may use it there. */
static void
release_unsubscribed(ConsumerStoreGroup *entry)
{
	HASH_SEQ_STATUS scan;
	ClaimedTopic *claimed;

	entry->releases = false;
	if (entry->claims == NULL)
		return;
	hash_seq_init(&scan, entry->claims);
	while ((claimed = hash_seq_search(&scan)) != NULL)
	{
		KafkaUuid	id = pgt_topic_names_id(claimed->topic);

		if (pgt_modern_group_find_topic(entry->modern, &id) != NULL)
			continue;
		if (release_topic(entry, claimed))
			hash_search(entry->claims, &claimed->topic, HASH_REMOVE, NULL);
		else
			entry->releases = true;
	}
}

/* ---- rows --------------------------------------------------------------------------------- */

static KafkaGroupBytes
bytes_of(const StringInfoData *string)
{
	KafkaGroupBytes bytes = {.data = string->data, .length = string->len};

	return bytes;
}

static void
write_group(const ConsumerStoreGroup *entry)
{
	const ModernGroup *modern = entry->modern;
	StringInfoData state;
	KafkaGroupRow row = {
		.id = entry->registered->id, .owner = entry->registered->owner, .kind = KAFKA_GROUP_CONSUMER,
		.protocol_type = "consumer", .protocol = pgt_modern_group_assignor(modern)->name, .epoch = modern->epoch,
		.changed = pgt_clock_shifted_now()
	};

	initStringInfo(&state);
	pgt_modern_format_group(modern, &state);
	row.state = bytes_of(&state);
	pgt_kafka_group_row_write(&row);
}

static void
write_member(KafkaMemberRows *rows, const ConsumerStoreGroup *entry, const ModernMember *member)
{
	ModernMemberBytes bytes;
	KafkaMemberRow row = {
		.id = member->id, .instance_id = member->instance_id, .client_id = member->client_id,
		.client_host = member->client_host,
		.session_timeout = member->protocols != NULL ? member->session_timeout :
			pgt_group_configs_of(entry->registered->id, GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT),
		.rebalance_timeout = member->rebalance_timeout, .epoch = member->epoch
	};

	pgt_modern_format_member(entry->modern, member, &bytes);
	row.subscription = bytes_of(&bytes.subscription);
	row.assignment = bytes_of(&bytes.assignment);
	row.state = bytes_of(&bytes.state);
	pgt_kafka_member_rows_write(rows, &row);
}

/* Write the rows of members that have changed. */
static void
write_members(const ConsumerStoreGroup *entry)
{
	const ModernGroup *modern = entry->modern;
	KafkaMemberRows *rows = NULL;

	for (int32 m = 0; m < modern->member_count; m++)
	{
		if (!modern->members[m]->dirty)
			continue;
		if (rows == NULL)
			rows = pgt_kafka_member_rows_begin(entry->registered->id);
		write_member(rows, entry, modern->members[m]);
	}
	if (rows != NULL)
		pgt_kafka_member_rows_end(rows);
}

/* Delete the rows of members of the group whose place this one has taken, unless they are its own: these are all written then. */
static void
delete_inherited(ConsumerStoreGroup *entry)
{
	ListCell   *cell;

	foreach(cell, pgt_kafka_member_row_ids(entry->registered->id))
		if (pgt_modern_group_find_member(entry->modern, pgt_broker_string(lfirst(cell))) == NULL)
			pgt_kafka_member_row_delete(entry->registered->id, lfirst(cell));
}

/* Write what has changed. */
static void
write_rows(void *arg)
{
	ConsumerStoreGroup *entry = arg;
	ModernGroup *modern = entry->modern;

	if (entry->inherits)
		delete_inherited(entry);
	if (entry->claims_in_doubt)
		pgt_consumer_store_read_claims(entry);
	if (modern->dirty || !entry->has_row)
		write_group(entry);
	for (const ModernGone *gone = modern->gone; gone != NULL; gone = gone->next)
		pgt_kafka_member_row_delete(entry->registered->id, gone->id);
	write_members(entry);
	if (modern->member_count == 0 && entry->has_claims)
		entry->has_claims = !pgt_kafka_claim_release_all(entry->registered->id);
	else if (modern->dirty || entry->releases)
		release_unsubscribed(entry);
}

/* All rows are as the group is. */
static void
mark_clean(ConsumerStoreGroup *entry)
{
	ModernGroup *modern = entry->modern;

	modern->dirty = false;
	for (int32 m = 0; m < modern->member_count; m++)
		modern->members[m]->dirty = false;
	pgt_modern_group_forget_gone(modern);
	entry->has_row = true;
	entry->inherits = false;
}

/* Try it again a little later. */
static void
set_retry(ConsumerStoreGroup *entry)
{
	int64		pause = RETRY_US << Min(entry->retries, RETRIES_MOST);

	entry->retries++;
	pgt_event_loop_set_timer(&entry->retry, pgt_clock_monotonic_us() + pause);
}

static void
retry_expired(EventLoopTimer *timer)
{
	pgt_consumer_store_write((ConsumerStoreGroup *) ((char *) timer - offsetof(ConsumerStoreGroup, retry)));
}

/* ---- the turn ------------------------------------------------------------------------------- */

static void
call_run(void *arg)
{
	ConsumerStoreJob *job = arg;

	job->run(job);
}

static void
log_error(const char *what, const ErrorData *error)
{
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("could not %s of Kafka clients: %s", what, error->message)));
}

static void
run_job(ConsumerStoreJob *job)
{
	ErrorData  *error;

	move_job(job, &jobs_in_turn);
	job->moved = false;
	error = pgt_catch_error(call_run, job);
	job->failed = error != NULL;
	if (error != NULL)
		log_error("serve a heartbeat of a consumer group", error);
	if (job->entry != NULL)
		job->entry->settle(job->entry);
}

static void
write_entry(ConsumerStoreGroup *entry)
{
	ErrorData  *error;

	pgt_event_loop_cancel_timer(&entry->retry);
	move_entry(entry, &entries_in_turn);
	error = pgt_catch_error(write_rows, entry);
	entry->failed = error != NULL;
	if (error != NULL)
		log_error("store a consumer group", error);
}

/* For pgt_catch_error(): let groups know of what is about to be run. */
static void
announce_all(void *arg)
{
	int			count = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &jobs)
	{
		ConsumerStoreJob *job = dlist_container(ConsumerStoreJob, node, iter.cur);

		if (count++ == ANNOUNCED_MOST)
			break;
		if (job->announce == NULL)
			continue;
		job->announce(job);
		if (job->entry != NULL)
			job->entry->settle(job->entry);
		job->entry = NULL;
	}
}

/* The same, if there are several.  Errors are those of the requests, which meet them again. */
static void
announce_jobs(void)
{
	ErrorData  *error;

	if (dlist_is_empty(&jobs) || dlist_head_node(&jobs) == dlist_tail_node(&jobs))
		return;
	error = pgt_catch_error(announce_all, NULL);
	if (error != NULL)
		FreeErrorData(error);
}

static void
work_before(TurnWork *work)
{
	int64		end = pgt_clock_monotonic_us() + SLICE_US;

	announce_jobs();
	while (!dlist_is_empty(&jobs) && pgt_clock_monotonic_us() < end)
		run_job(dlist_head_element(ConsumerStoreJob, node, &jobs));
	while (!dlist_is_empty(&entries))
		write_entry(dlist_head_element(ConsumerStoreGroup, node, &entries));
}

/* Who has asked for it is told; requests of this turn hear of a failure first, since the entry may be gone then. */
static void
tell_stored(ConsumerStoreGroup *entry)
{
	void		(*stored) (ConsumerStoreGroup *entry, bool done) = entry->stored;
	dlist_iter	iter;

	entry->stored = NULL;
	if (entry->failed)
	{
		dlist_foreach(iter, &jobs_in_turn)
		{
			ConsumerStoreJob *job = dlist_container(ConsumerStoreJob, node, iter.cur);

			job->failed |= job->entry == entry;
		}
	}
	stored(entry, !entry->failed);
}

static void
after_entry(ConsumerStoreGroup *entry, bool committed, XLogRecPtr lsn)
{
	move_entry(entry, NULL);
	entry->failed |= !committed;
	if (entry->failed && entry->stored != NULL)
	{
		tell_stored(entry);
		return;
	}
	if (entry->failed)
	{
		/* what was released is claimed still */
		entry->has_claims = entry->claims_in_doubt = entry->releases = true;
		set_retry(entry);
		return;
	}
	mark_clean(entry);
	if (!XLogRecPtrIsInvalid(lsn))
		entry->lsn = lsn;
	if (entry->releases || (entry->modern->member_count == 0 && entry->has_claims))
		set_retry(entry);
	else
		entry->retries = 0;
	if (entry->stored != NULL)
		tell_stored(entry);
}

static void
after_job(ConsumerStoreJob *job, bool committed, XLogRecPtr lsn)
{
	ConsumerStoreGroup *entry = job->entry;
	bool		stored = committed && !job->failed && (entry == NULL || !entry->failed);

	move_job(job, NULL);
	if (entry != NULL)
		lsn = entry->lsn;
	else if (!job->moved)
		lsn = InvalidXLogRecPtr;
	job->done(job, stored, lsn);
}

/* What pgt_turn_try() calls. */
typedef struct AfterJob
{
	ConsumerStoreJob *job;
	bool		committed;
	XLogRecPtr	lsn;
} AfterJob;

static void
call_after_job(void *arg)
{
	const AfterJob *call = arg;

	after_job(call->job, call->committed, call->lsn);
}

static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	dlist_iter	iter;

	work_added = false;
	dlist_foreach(iter, &jobs_in_turn)
	{
		ConsumerStoreJob *job = dlist_container(ConsumerStoreJob, node, iter.cur);

		/* a claim is in the commit, even where no row is */
		if (job->entry != NULL && !XLogRecPtrIsInvalid(lsn))
			job->entry->lsn = lsn;
	}
	while (!dlist_is_empty(&entries_in_turn))
		after_entry(dlist_head_element(ConsumerStoreGroup, node, &entries_in_turn), committed, lsn);
	while (!dlist_is_empty(&jobs_in_turn))
	{
		AfterJob	call = {dlist_head_element(ConsumerStoreJob, node, &jobs_in_turn), committed, lsn};

		(void) pgt_turn_try(call_after_job, &call, NULL);
	}
	if (!dlist_is_empty(&jobs) || !dlist_is_empty(&entries))
		pgt_event_loop_hurry();
}

/* Before the turn is committed: there is something to do in it. */
static void
turn_end(void)
{
	if (work_added || (dlist_is_empty(&jobs) && dlist_is_empty(&entries)))
		return;
	if (!pgt_turn_lock_tables())
		return;
	/* if that fails, it is tried again */
	pgt_event_loop_hurry();
	pgt_turn_add(&turn_work);
	work_added = true;
}

const BrokerHooks pgt_consumer_store_hooks = {.turn_end = turn_end};

/* ---- groups come and go ------------------------------------------------------------------------ */

void
pgt_consumer_store_init(ConsumerStoreGroup *entry)
{
	entry->retry.expired = retry_expired;
}

void
pgt_consumer_store_forget(ConsumerStoreGroup *entry)
{
	dlist_iter	iter;

	pgt_event_loop_cancel_timer(&entry->retry);
	move_entry(entry, NULL);
	dlist_foreach(iter, &jobs_in_turn)
	{
		ConsumerStoreJob *job = dlist_container(ConsumerStoreJob, node, iter.cur);

		if (job->entry != entry)
			continue;
		job->entry = NULL;
		job->moved = true;
	}
}
