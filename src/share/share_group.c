/*
 * share_group.c
 *	  Share groups: many consumers of one partition, each record by itself.
 *
 * What this file offers is what Kafka's share groups do (KIP-932), for SQL and, as far as it goes, for
 * whoever else acquires and acknowledges: it knows nothing of arguments and rows of results.
 *
 * Entering.  The first one who uses a share partition sets up its window, from rows or, where the group
 * is new, at an offset that the caller chooses; an advisory lock lets one do that at a time.  Later ones find
 * it in shared memory, and read no table.  It stays there as long as transactions are in it.
 *
 * A name belongs to one kind of group in a database.  So whoever makes a share group looks for consumer
 * groups of that name, and whoever makes a consumer group for share groups (group_row_write.c), committed or
 * not.  Two that do so in the same millisecond may miss each other; the groups do not disturb each other then.
 *
 * Deleting.  The transaction that deletes a group enters the slots of all its partitions and marks
 * them; others get an error then.  At commit the slots are given back.  A group is in use, and is
 * not deleted, while another transaction is in one of the slots, or a lease lasts.  A new owner is written into the
 * slots at commit, whoever uses them.  Who deletes a group or gives it away has an advisory lock until the transaction's
 * end, as two could not change the same rows.  A partition that is new has no row; that is made with the new owner then.
 *
 * Locks: AccessShareLock on the topic is the caller's.
 *
 * Memory: the caller's context.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "group/consumer_group.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_group_row.h"
#include "log/partition_log.h"
#include "share/share_group.h"
#include "share/share_transaction.h"
#include "util/advisory_lock.h"
#include "util/clock.h"

void
pgt_share_group_init(ShareGroup *group, Oid function, Oid topic, const char *id)
{
	pgt_group_init(&group->group, function, topic, id);
	group->schema = get_rel_namespace(group->group.offsets_table);
}

/* ---- names ------------------------------------------------------------------ */

bool
pgt_share_group_exists(Oid schema, const char *id)
{
	ListCell   *cell;

	/* one that is new has no row yet */
	foreach(cell, pgt_share_table_topics(id))
	{
		if (pgt_topic_exists(lfirst_oid(cell)))
			return true;
	}
	return pgt_share_row_has_group(schema, id);
}

/* ERROR where the name is that of a group that reads partitions as a whole. */
static void
check_name(const ShareGroup *group)
{
	const char *id = group->group.id;
	Oid			owner;

	if (pgt_group_row_has_group(&group->group) || pgt_kafka_group_row_owner(id, &owner))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a consumer group, not a share group", id),
				 errdetail("It consumes partitions as a whole, in order."),
				 errhint("Use consume() with it, or another name, or delete it with delete_group().")));
}

/* For group_row_write.c, which is about to make a consumer group: has a share group the name? */
static bool
name_is_taken(const ConsumerGroup *group)
{
	return pgt_share_group_exists(get_rel_namespace(group->offsets_table), group->id);
}

/* ---- entering --------------------------------------------------------------- */

/* The tag of the lock under which a group's windows are set up. */
static LOCKTAG
window_tag(const char *id)
{
	uint32		hash = hash_bytes((const unsigned char *) id, strlen(id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, hash, SHARE_WINDOW_LOCK_CLASS);
	return tag;
}

/* ERROR: there is no slot to be had. */
static void
report_no_slot(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many partitions are in use by share groups"),
			 errdetail("The server has room for %d of them (pg_topics.max_share_partitions), and all have records in flight.",
					   pgt_max_share_partitions),
			 errhint("Raise pg_topics.max_share_partitions and restart the server.")));
}

/* A number for the rows of a share partition that no other one has. */
static int64
new_share_id(void)
{
	uint64		id;

	if (!pg_strong_random(&id, sizeof(id)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random number")));
	return (int64) Max(id & PG_INT64_MAX, 1);
}

/* Set up the window of a new group; its name is checked. */
static ShareSlot *
make_slot(const ShareGroup *group, const ShareKey *key, int32 partition, ShareFirstOffset first, void *arg)
{
	TopicPartition where = {MyDatabaseId, group->group.topic, partition};
	ShareWindow *window = palloc(pgt_share_window_bytes(pgt_share_partition_max_record_locks));
	ShareStart	start = {
		.group_id = group->group.id,.share_id = new_share_id(),
		.owner = pgt_group_role_of(&group->group),.durable = false,.window = window
	};

	pgt_share_window_init(window, pgt_share_partition_max_record_locks, first(&where, arg));
	return pgt_share_table_add(key, &start);
}

/* The role that the group belongs to by its other partitions; or GROUP_UNCLAIMED. */
static Oid
owner_elsewhere(const ShareGroup *group)
{
	Oid			owner = GROUP_UNCLAIMED;
	ListCell   *cell;

	foreach(cell, pgt_share_row_list(group->schema, group->group.id, group->group.topic))
		owner = ((ShareRow *) lfirst(cell))->owner;
	return owner;
}

/* A slot's owner, while the walk over all slots looks for that of a group in a topic. */
typedef struct OwnerSought
{
	const ConsumerGroup *group;
	Oid			owner;
} OwnerSought;

/* visit of pgt_share_table_walk() */
static bool
look_for_owner(ShareSlot *slot, void *arg)
{
	OwnerSought *sought = arg;

	if (pgt_share_table_is_made(slot) && slot->key.topic == sought->group->topic && strcmp(slot->group_id, sought->group->id) == 0)
		sought->owner = slot->owner;
	return sought->owner == GROUP_UNCLAIMED;
}

Oid
pgt_share_group_owner(const ShareGroup *group)
{
	OwnerSought sought = {&group->group, GROUP_UNCLAIMED};

	pgt_share_table_walk(look_for_owner, &sought);
	return sought.owner != GROUP_UNCLAIMED ? sought.owner : owner_elsewhere(group);
}

/* ERROR where more is in flight than a slot has room for. */
static void
check_room(const ShareGroup *group, const ShareWindow *window)
{
	int64		records = window->end - window->start;

	if (records <= pgt_share_partition_max_record_locks)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("share group \"%s\" has records in flight from offset %lld to %lld",
					group->group.id, (long long) window->start, (long long) window->end - 1),
			 errdetail("pg_topics.share_partition_max_record_locks is %d, and was larger before.",
					   pgt_share_partition_max_record_locks),
			 errhint("Set it to %lld or more, and restart the server.", (long long) records)));
}

/* Set up the slot of a share partition, whose group's lock is held; NULL: there is no such group, nor should be. */
static ShareSlot *
set_up(const ShareGroup *group, const ShareKey *key, int32 partition, ShareFirstOffset first, void *arg)
{
	ShareSlot  *slot = pgt_share_table_enter(key, group->group.id);
	ShareStart	start = {.group_id = group->group.id,.durable = true};
	ShareWindow *window;
	ShareRow	row;

	if (slot != NULL)
		return slot;
	if (pgt_share_row_load(group->schema, group->group.topic, group->group.id, partition, &row, &window))
	{
		pgt_group_role_check(&group->group, row.owner);
		check_room(group, window);
		start.share_id = row.share_id;
		start.owner = row.owner;
		start.window = window;
		slot = pgt_share_table_add(key, &start);
	}
	else if (first == NULL)
		return NULL;
	else
	{
		check_name(group);
		pgt_group_role_check(&group->group, pgt_share_group_owner(group));
		slot = make_slot(group, key, partition, first, arg);
	}
	if (slot == NULL)
		report_no_slot();
	return slot;
}

/* ERROR where the user may not use the group of a slot, or the group is being deleted. */
static void
check_slot(const ShareGroup *group, ShareSlot *slot)
{
	uint64		deleter = slot->deleter;

	pgt_group_role_check(&group->group, slot->owner);
	if (deleter != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("share group \"%s\" of topic \"%s\" is being deleted",
						group->group.id, get_rel_name(group->group.topic)),
				 errhint("Try again when that transaction has ended.")));
}

/* Enter a slot that is there already, without waiting; false: somebody is about to write its row. */
static bool
try_enter_existing(const ShareGroup *group, const ShareKey *key, ShareSlot *slot)
{
	if (!slot->durable && !pgt_share_transaction_try_lock_row(key, group->schema))
	{
		pgt_share_table_leave(slot);
		return false;
	}
	pgt_share_transaction_note_slot(slot, group->schema);
	return true;
}

/* Set up a slot that is not there, without waiting; false: somebody is in the way. */
static bool
try_set_up(const ShareGroup *group, const ShareKey *key, int32 partition, ShareFirstOffset first, void *arg,
		   ShareSlot **slot)
{
	LOCKTAG		tag = window_tag(group->group.id);
	bool		done;

	if (!pgt_share_row_try_lock_to_load(group->schema) ||
		LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	/* the row's lock first: a slot that was made and cannot be entered would be left behind */
	done = pgt_share_transaction_try_lock_row(key, group->schema);
	if (done)
	{
		*slot = set_up(group, key, partition, first, arg);
		if (*slot != NULL)
			pgt_share_transaction_note_slot(*slot, group->schema);
	}
	LockRelease(&tag, ExclusiveLock, false);
	return done;
}

bool
pgt_share_group_try_enter(const ShareGroup *group, int32 partition, ShareFirstOffset first, void *arg,
						  ShareSlot **slot)
{
	ShareKey	key;

	pgt_share_table_key(&key, group->group.topic, partition, group->group.id);
	*slot = pgt_share_transaction_find(&key);
	if (*slot == NULL)
	{
		*slot = pgt_share_table_enter(&key, group->group.id);
		if (*slot != NULL ? !try_enter_existing(group, &key, *slot) :
			!try_set_up(group, &key, partition, first, arg, slot))
			return false;
	}
	if (*slot != NULL)
		check_slot(group, *slot);
	return true;
}

ShareSlot *
pgt_share_group_enter(const ShareGroup *group, int32 partition, ShareFirstOffset first, void *arg)
{
	ShareKey	key;
	ShareSlot  *slot;

	pgt_share_table_key(&key, group->group.topic, partition, group->group.id);
	slot = pgt_share_transaction_find(&key);
	if (slot == NULL)
	{
		slot = pgt_share_table_enter(&key, group->group.id);
		if (slot == NULL)
		{
			LOCKTAG		tag = window_tag(group->group.id);

			(void) LockAcquire(&tag, ExclusiveLock, false, false);
			slot = set_up(group, &key, partition, first, arg);
			if (slot != NULL)
				pgt_share_transaction_note_slot(slot, group->schema);
			LockRelease(&tag, ExclusiveLock, false);
			if (slot == NULL)
				return NULL;
		}
		else
			pgt_share_transaction_note_slot(slot, group->schema);
	}
	check_slot(group, slot);
	return slot;
}

/* ---- records ------------------------------------------------------------------ */

/* Lock a slot for a call, with what has happened meanwhile applied. */
static void
lock_slot(ShareSlot *slot)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (slot->window.prepared > 0)
		pgt_share_transaction_end_prepared(slot);
}

/* ERROR: the topic was restored without the records that the group has consumed. */
static void
report_past_end(const ShareSlot *slot, const LogBounds *bounds)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("share group \"%s\" begins at offset %lld of partition %d of topic \"%s\", past the log end offset %lld",
					slot->group_id, (long long) slot->window.start, slot->key.partition,
					get_rel_name(slot->key.topic), (long long) bounds->next_offset),
			 errdetail("The topic was restored without its earlier records."),
			 errhint("Let the group begin anew with delete_group(). If the records should be there, restore them first.")));
}

int
pgt_share_group_acquire(ShareSlot *slot, const ShareTake *take, ShareRange *ranges, int capacity)
{
	TopicPartition key = {slot->key.database, slot->key.topic, slot->key.partition};
	int64		now = pgt_share_table_now_ms();
	ShareAcquire how = {
		.holder = pgt_share_transaction_holder(),
		.until = take->lease_ms == 0 ? SHARE_NO_LEASE : now + take->lease_ms,
		.now = now,.from = take->from,.most = take->most
	};
	ShareChangeKind kind = take->lease_ms == 0 && take->auto_acknowledge ? SHARE_CHANGE_ACQUIRED_AUTO :
		SHARE_CHANGE_ACQUIRED;
	LogBounds	bounds;
	int			count;

	(void) pgt_partition_log_bounds(&key, &bounds);
	how.log_end = bounds.next_offset;
	if (bounds.next_offset < slot->window.start)
		report_past_end(slot, &bounds);
	pgt_share_transaction_reserve(capacity);
	lock_slot(slot);
	if (slot->window.start < bounds.log_start_offset)
		pgt_share_window_raise_start(&slot->window, bounds.log_start_offset);
	count = pgt_share_window_acquire(&slot->window, &how, ranges, capacity);
	for (int i = 0; i < count; i++)
		pgt_share_transaction_note(slot, kind, ranges[i].first, ranges[i].last);
	LWLockRelease(&slot->lock);
	return count;
}

int
pgt_share_group_acquire_rejected(ShareSlot *slot, ShareRange *ranges, int capacity)
{
	ShareAcquire how = {
		.holder = pgt_share_transaction_holder(),.until = SHARE_NO_LEASE,.now = pgt_share_table_now_ms(),
		.most = PG_INT32_MAX
	};
	int			count;

	pgt_share_transaction_reserve(capacity);
	lock_slot(slot);
	count = pgt_share_window_acquire_rejected(&slot->window, &how, ranges, capacity);
	for (int i = 0; i < count; i++)
		pgt_share_transaction_note(slot, SHARE_CHANGE_ACQUIRED, ranges[i].first, ranges[i].last);
	LWLockRelease(&slot->lock);
	return count;
}

void
pgt_share_group_give_back(ShareSlot *slot, int64 first, int64 last)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	pgt_share_window_give_back(&slot->window, first, last, pgt_share_transaction_holder());
	LWLockRelease(&slot->lock);
}

void
pgt_share_group_skip(ShareSlot *slot, int64 first, int64 last)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	pgt_share_window_skip(&slot->window, first, last, pgt_share_transaction_holder());
	LWLockRelease(&slot->lock);
}

ShareAnswer
pgt_share_group_acknowledge(ShareSlot *slot, int64 offset, const ShareAcknowledgement *what, int *deliveries)
{
	uint64		holder = pgt_share_transaction_holder();
	int64		now = pgt_share_table_now_ms();
	ShareAnswer answer;

	pgt_share_transaction_reserve(1);
	lock_slot(slot);
	if (what->renews)
		answer = pgt_share_window_renew(&slot->window, offset, now + what->lease_ms, holder, now, what->deliveries);
	else
		answer = pgt_share_window_acknowledge(&slot->window, offset, what->outcome, holder, now, what->deliveries);
	if (answer == SHARE_DONE)
	{
		*deliveries = pgt_share_window_cell(&slot->window, offset)->deliveries;
		if (!what->renews)
			pgt_share_transaction_note(slot, SHARE_CHANGE_ACKNOWLEDGED, offset, offset);
	}
	LWLockRelease(&slot->lock);
	return answer;
}

int
pgt_share_group_deliveries(ShareSlot *slot, int64 offset)
{
	int			deliveries = 0;

	LWLockAcquire(&slot->lock, LW_SHARED);
	if (offset >= slot->window.start && offset < slot->window.end)
		deliveries = pgt_share_window_cell(&slot->window, offset)->deliveries;
	LWLockRelease(&slot->lock);
	return deliveries;
}

int64
pgt_share_group_next_available(ShareSlot *slot, int64 from, int64 log_end, int64 *expires_in_ms)
{
	int64		now = pgt_share_table_now_ms();
	int64		next_expiry;
	int64		offset;

	lock_slot(slot);
	offset = pgt_share_window_next_available(&slot->window, now, from, log_end, &next_expiry);
	LWLockRelease(&slot->lock);
	*expires_in_ms = next_expiry == SHARE_NO_LEASE ? -1 : Max(next_expiry - now, 1);
	return offset;
}

/* ---- groups as a whole --------------------------------------------------------- */

/* ERROR: somebody uses the group. */
static void
report_in_use(const ShareGroup *group, int32 partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("share group \"%s\" of topic \"%s\" is in use",
					group->group.id, get_rel_name(group->group.topic)),
			 errdetail("Consumers have records of partition %d.", partition),
			 errhint("Let them acknowledge these, or wait until their leases end.")));
}

/* Mark a slot as one whose group is being deleted; ERROR where somebody else uses it. */
static void
mark_slot(const ShareGroup *group, ShareSlot *slot, bool force)
{
	/* with "force" all leases count as ended */
	int64		now = force ? SHARE_NO_LEASE - 1 : pgt_share_table_now_ms();
	bool		in_use;

	lock_slot(slot);
	in_use = slot->transactions > 1 || pgt_share_window_is_in_use(&slot->window, now);
	if (!in_use)
	{
		pgt_share_transaction_note_deleted(slot);
		slot->deleter = pgt_share_transaction_holder();
	}
	LWLockRelease(&slot->lock);
	if (in_use)
		report_in_use(group, slot->key.partition);
}

/* The tag of the lock under which a group is changed as a whole in a topic. */
static LOCKTAG
change_tag(const ShareGroup *group)
{
	uint32		hash = hash_bytes((const unsigned char *) group->group.id, strlen(group->group.id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, group->group.topic, hash, SHARE_CHANGE_LOCK_CLASS);
	return tag;
}

/* The slots of all partitions of the group, entered.  Until the transaction ends, nobody else changes the group as a whole. */
static List *
enter_all(const ShareGroup *group)
{
	LOCKTAG		tag = change_tag(group);
	List	   *slots;
	ListCell   *cell;

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	slots = pgt_share_transaction_new_slots(group->group.topic, group->group.id);
	foreach(cell, slots)
		check_slot(group, lfirst(cell));
	foreach(cell, pgt_share_row_list(group->schema, group->group.id, group->group.topic))
	{
		ShareSlot  *slot = pgt_share_group_enter(group, ((ShareRow *) lfirst(cell))->partition, NULL, NULL);

		if (slot != NULL)
			slots = list_append_unique_ptr(slots, slot);
	}
	return slots;
}

int
pgt_share_group_delete(const ShareGroup *group, bool force)
{
	List	   *slots = enter_all(group);
	ListCell   *cell;

	foreach(cell, slots)
		mark_slot(group, lfirst(cell), force);
	if (slots != NIL)
		(void) pgt_share_row_delete(group->schema, group->group.topic, group->group.id);
	return list_length(slots);
}

bool
pgt_share_group_try_delete(const ShareGroup *group)
{
	List	   *slots = NIL;
	ListCell   *cell;

	/* a row that somebody else has changed and not committed would have to be waited for */
	if (!pgt_share_row_try_lock_groups(group->schema))
		return false;
	foreach(cell, pgt_share_row_list(group->schema, group->group.id, group->group.topic))
	{
		ShareSlot  *slot;

		if (!pgt_share_group_try_enter(group, ((ShareRow *) lfirst(cell))->partition, NULL, NULL, &slot))
			return false;
		if (slot != NULL)
			slots = lappend(slots, slot);
	}
	foreach(cell, slots)
		mark_slot(group, lfirst(cell), false);
	(void) pgt_share_row_delete(group->schema, group->group.topic, group->group.id);
	return true;
}

/* ShareFirstOffset */
static int64
given_offset(const TopicPartition *key, void *arg)
{
	return *(const int64 *) arg;
}

void
pgt_share_group_restart(const ShareGroup *group, int32 partition, int64 offset)
{
	ShareSlot  *slot = pgt_share_group_enter(group, partition, given_offset, &offset);
	ShareRow	row;

	/* one that has just been made begins there */
	if (!pgt_share_row_read(group->schema, group->group.topic, group->group.id, partition, &row))
		return;
	mark_slot(group, slot, false);
	pgt_share_row_delete_partition(group->schema, group->group.topic, group->group.id, partition);
	row.share_id = new_share_id();
	row.start_offset = offset;
	pgt_share_row_insert(group->schema, &row);
}

int
pgt_share_group_set_owner(const ShareGroup *group, Oid owner)
{
	List	   *slots = enter_all(group);
	ListCell   *cell;

	foreach(cell, slots)
		pgt_share_transaction_note_owner(lfirst(cell), owner);
	if (slots != NIL)
		(void) pgt_share_row_set_owner(group->schema, group->group.topic, group->group.id, owner);
	return list_length(slots);
}

/* The end of a lease as a moment, in ms since 1970. */
static int64
moment_of(int64 until, int64 now)
{
	return until == SHARE_NO_LEASE ? SHARE_NO_LEASE : pgt_clock_shifted_now_ms() + (until - now);
}

/* Count the records of a window. */
static void
count_records(ShareWindow *window, ShareStatus *status)
{
	int64		now = pgt_share_table_now_ms();

	status->start_offset = window->start;
	status->end_offset = window->end;
	for (int64 offset = window->start; offset < window->end; offset++)
	{
		const ShareCell *cell = pgt_share_window_cell(window, offset);
		ShareRecordState state = cell->state;

		if (state == SHARE_ACQUIRED && cell->until <= now)
			state = SHARE_AVAILABLE;
		if (state == SHARE_AVAILABLE && cell->is_rejected)
			state = SHARE_PENDING;
		status->available += state == SHARE_AVAILABLE;
		status->acquired += state == SHARE_ACQUIRED;
		status->pending += state == SHARE_PENDING;
		status->finished += state == SHARE_ACKNOWLEDGED || state == SHARE_ARCHIVED;
		if (state == SHARE_ACQUIRED)
			status->next_expiry = Min(status->next_expiry, moment_of(cell->until, now));
		if (state != SHARE_ACKNOWLEDGED && state != SHARE_ARCHIVED)
		{
			status->redelivered += cell->deliveries > 1;
			status->most_deliveries = Max(status->most_deliveries, cell->deliveries);
		}
	}
}

/* A slot's window that is looked for by the number of its rows. */
typedef struct WindowSought
{
	int64		share_id;
	ShareStatus *status;
	bool		found;
} WindowSought;

/* visit of pgt_share_table_walk() */
static bool
look_for_window(ShareSlot *slot, void *arg)
{
	WindowSought *sought = arg;

	if (slot->share_id != sought->share_id || slot->removed)
		return true;
	if (slot->window.prepared > 0 && !RecoveryInProgress())
		pgt_share_transaction_end_prepared(slot);
	count_records(&slot->window, sought->status);
	sought->found = true;
	return false;
}

void
pgt_share_group_status(Oid schema, const ShareRow *row, ShareStatus *status)
{
	WindowSought sought = {.share_id = row->share_id,.status = status};
	ShareWindow *window;
	ShareRow	latest;

	memset(status, 0, sizeof(*status));
	status->row = *row;
	status->next_expiry = SHARE_NO_LEASE;
	pgt_share_table_walk(look_for_window, &sought);
	if (!sought.found &&
		pgt_share_row_load(schema, row->topic, row->group_id, row->partition, &latest, &window))
	{
		count_records(window, status);
		pfree(window);
	}
}

/* The names without one. */
static List *
without_name(List *names, const char *id)
{
	List	   *left = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), id) != 0)
			left = lappend(left, lfirst(cell));
	}
	return left;
}

/* Has the group begun in the partition, by these rows?  *row is its row there then. */
static bool
has_begun(List *rows, const char *id, int32 partition, const ShareRow **row)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		*row = lfirst(cell);
		if ((*row)->partition == partition && strcmp((*row)->group_id, id) == 0)
			return true;
	}
	return false;
}

int64
pgt_share_group_consumed(Oid topic, int32 partition, List *names, List **others)
{
	Oid			offsets_table = pgt_group_row_table(topic);
	Oid			schema = OidIsValid(offsets_table) ? get_rel_namespace(offsets_table) : InvalidOid;
	List	   *rows;
	int64		lowest = PG_INT64_MAX;
	const char *last = NULL;
	ListCell   *cell;

	*others = names;
	/* without the tables nothing is known of the groups */
	if (!OidIsValid(schema))
		return 0;
	rows = pgt_share_row_list(schema, NULL, topic);
	foreach(cell, rows)
	{
		const char *id = ((ShareRow *) lfirst(cell))->group_id;
		const ShareRow *row;
		ShareStatus status;

		if (last != NULL && strcmp(last, id) == 0)
			continue;
		last = id;
		*others = without_name(*others, id);
		if (names != NIL && list_length(without_name(names, id)) == list_length(names))
			continue;
		if (!has_begun(rows, id, partition, &row))
			return 0;
		pgt_share_group_status(schema, row, &status);
		lowest = Min(lowest, status.start_offset);
	}
	return lowest;
}

void
pgt_share_group_init_process(void)
{
	pgt_share_transaction_init();
	pgt_group_row_refuse_names(name_is_taken);
}
