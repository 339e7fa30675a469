/*
 * share_session.c
 *	  Which partitions a member of a share group fetches from, and what it has.
 *
 * As in Kafka, a member has one session, known by its group and its id, in which partitions are named once:
 *
 *	  epoch 0	a session begins, in the place of one that there may be; nothing can be acknowledged with it
 *	  1, 2 ...	what has changed is named; the epoch counts the requests, and goes on with 1
 *	  -1		the session ends
 *
 * A session belongs to the connection that began it, and ends with that.  When it ends, the records that it has and has not
 * acknowledged are available again at once, and their leases need not be waited for.  One that begins anew goes
 * on with the records of the one before.
 *
 * Sessions and their partitions are limited; of what is left a role gets no more than half, so that others find some.
 *
 * Memory: a context for each session, in that of all sessions.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/share/share_session.h"
#include "share/share_member.h"
#include "utils/memutils.h"

/* Partitions of all sessions. */
#define PARTITIONS_MAX	200000

typedef struct SessionPartitionKey
{
	KafkaUuid	topic;
	int32		partition;
} SessionPartitionKey;

typedef struct SessionPartitionEntry
{
	SessionPartitionKey key;
	SharePartition *partition;
} SessionPartitionEntry;

static MemoryContext sessions_context = NULL;
static IdTable by_key;
static dlist_head sessions = DLIST_STATIC_INIT(sessions);
static int	session_count = 0;
static int	partition_count = 0;

/* ---- limits -------------------------------------------------------------------------- */

/* What the sessions of a role have. */
typedef struct SessionRole
{
	dlist_node	node;
	Oid			role;
	int			sessions;
	int			partitions;
} SessionRole;

static dlist_head roles = DLIST_STATIC_INIT(roles);

/* The entry of a role, which is made if need be; they are few. */
static SessionRole *
get_role(Oid role)
{
	SessionRole *entry;
	dlist_iter	iter;

	dlist_foreach(iter, &roles)
	{
		entry = dlist_container(SessionRole, node, iter.cur);
		if (entry->role == role)
			return entry;
	}
	entry = MemoryContextAllocZero(sessions_context, sizeof(SessionRole));
	entry->role = role;
	dlist_push_head(&roles, &entry->node);
	return entry;
}

/* Count what a session has more, or less, for its role; one that has nothing is forgotten. */
static void
count_for_role(Oid role, int more_sessions, int more_partitions)
{
	SessionRole *entry = get_role(role);

	entry->sessions += more_sessions;
	entry->partitions += more_partitions;
	session_count += more_sessions;
	partition_count += more_partitions;
	if (entry->sessions > 0)
		return;
	dlist_delete(&entry->node);
	pfree(entry);
}

/* May the role have one session more? */
static bool
has_room(Oid role)
{
	return get_role(role)->sessions < pgt_kafka_group_share_max_share_sessions - session_count;
}

/* ---- sessions come and go ---------------------------------------------------------------- */

/* The key of a session: the group's name, a zero byte, the member's. */
static char *
make_key(KafkaString group, KafkaString member, int32 *length)
{
	char	   *key;

	*length = group.length + 1 + member.length;
	key = palloc(*length + 1);
	memcpy(key, group.data, group.length);
	key[group.length] = '\0';
	memcpy(key + group.length + 1, member.data, member.length);
	key[*length] = '\0';
	return key;
}

static ShareSession *
find_session(const char *key, int32 length)
{
	IdTableEntry *entry = pgt_id_table_find(&by_key, key, length);

	return entry == NULL ? NULL : (ShareSession *) ((char *) entry - offsetof(ShareSession, by_key));
}

/* Nobody finds it any more. */
static void
take_out(ShareSession *session)
{
	pgt_id_table_remove(&by_key, &session->by_key);
	dlist_delete(&session->node);
	count_for_role(session->role, -1, -session->count);
	session->over = true;
}

static void
call_release(void *arg)
{
	pgt_share_member_release(((ShareSession *) arg)->member);
}

/* It is out, and nobody uses it. */
static void
free_session(ShareSession *session)
{
	/* without memory the leases end by themselves */
	if (session->member != SHARE_ANYBODY)
		(void) pgt_turn_try(call_release, session, NULL);
	MemoryContextDelete(session->memory);
}

void
pgt_share_session_end(ShareSession *session)
{
	if (session->over)
		return;
	take_out(session);
	if (session->users == 0)
		free_session(session);
}

void
pgt_share_session_leave(ShareSession *session)
{
	session->users--;
	if (session->over && session->users == 0)
		free_session(session);
}

/* The partitions of a session, by their names. */
static HTAB *
make_table(MemoryContext memory)
{
	HASHCTL		info = {.keysize = sizeof(SessionPartitionKey),.entrysize = sizeof(SessionPartitionEntry),.hcxt = memory};

	return hash_create("pg_topics partitions of a share session", 16, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A session that begins; *number, if it is not SHARE_ANYBODY, is that of the one that it takes the place of. */
static ShareSession *
make_session(const BrokerRequest *request, KafkaString group, const char *key, int32 length, uint32 number)
{
	MemoryContext memory = AllocSetContextCreate(sessions_context, "pg_topics share session", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(memory);
	ShareSession *volatile session = NULL;

	PG_TRY();
	{
		char	   *own_key = palloc(length + 1);

		memcpy(own_key, key, length + 1);
		session = palloc0(sizeof(ShareSession));
		session->memory = memory;
		/* the key begins with it */
		session->group = own_key;
		session->by_partition = make_table(memory);
		MemoryContextSwitchTo(sessions_context);
		pgt_id_table_reserve(&by_key, 1);
		pgt_id_table_add(&by_key, &session->by_key, own_key, length);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(memory);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	session->connection = request->client->id;
	session->role = request->client->role;
	session->member = number != SHARE_ANYBODY ? number : pgt_share_member_new();
	dlist_init(&session->partitions);
	dlist_push_tail(&sessions, &session->node);
	count_for_role(session->role, 1, 0);
	return session;
}

/* Begin a session. */
static KafkaError
begin(const BrokerRequest *request, KafkaString group, const char *key, int32 length, ShareSession **session)
{
	ShareSession *before = find_session(key, length);
	uint32		number = SHARE_ANYBODY;

	/* one of another role is a member of its own */
	if (before != NULL && before->role == request->client->role && before->users == 0)
	{
		number = before->member;
		before->member = SHARE_ANYBODY;
	}
	if (before != NULL)
		pgt_share_session_end(before);
	if (!has_room(request->client->role))
	{
		if (number != SHARE_ANYBODY)
			pgt_share_member_release(number);
		return KAFKA_ERROR_SHARE_SESSION_LIMIT_REACHED;
	}
	*session = make_session(request, group, key, length, number);
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_share_session_open(const BrokerRequest *request, KafkaString group, KafkaString member, int32 epoch, bool may_begin,
					   ShareSession **session)
{
	int32		length;
	char	   *key = make_key(group, member, &length);
	KafkaError	error = KAFKA_ERROR_NONE;

	if (epoch == SHARE_SESSION_INITIAL && !may_begin)
		return KAFKA_ERROR_INVALID_SHARE_SESSION_EPOCH;
	if (epoch == SHARE_SESSION_INITIAL)
		error = begin(request, group, key, length, session);
	else
	{
		*session = find_session(key, length);
		if (*session == NULL || (*session)->role != request->client->role)
			return KAFKA_ERROR_SHARE_SESSION_NOT_FOUND;
		if (epoch != SHARE_SESSION_FINAL && epoch != (*session)->epoch)
			return KAFKA_ERROR_INVALID_SHARE_SESSION_EPOCH;
	}
	if (error != KAFKA_ERROR_NONE)
		return error;
	/* behind the largest one comes 1 */
	if (epoch != SHARE_SESSION_FINAL)
		(*session)->epoch = epoch == PG_INT32_MAX ? 1 : epoch + 1;
	(*session)->users++;
	return KAFKA_ERROR_NONE;
}

/* ---- partitions --------------------------------------------------------------------------- */

/* The key has no padding. */
static SessionPartitionKey
partition_key(const KafkaUuid *topic, int32 partition)
{
	SessionPartitionKey key;

	memset(&key, 0, sizeof(key));
	key.topic = *topic;
	key.partition = partition;
	return key;
}

bool
pgt_share_session_add(ShareSession *session, const KafkaUuid *topic, int32 partition)
{
	SessionPartitionKey key = partition_key(topic, partition);
	SessionPartitionEntry *entry = hash_search(session->by_partition, &key, HASH_FIND, NULL);
	SharePartition *added;

	if (entry != NULL)
		return true;
	if (session->over || get_role(session->role)->partitions >= PARTITIONS_MAX - partition_count)
		return false;
	added = MemoryContextAlloc(session->memory, sizeof(SharePartition));
	added->topic = *topic;
	added->partition = partition;
	entry = hash_search(session->by_partition, &key, HASH_ENTER, NULL);
	entry->partition = added;
	dlist_push_tail(&session->partitions, &added->node);
	session->count++;
	count_for_role(session->role, 0, 1);
	return true;
}

void
pgt_share_session_remove(ShareSession *session, const KafkaUuid *topic, int32 partition)
{
	SessionPartitionKey key = partition_key(topic, partition);
	SessionPartitionEntry *entry = hash_search(session->by_partition, &key, HASH_FIND, NULL);
	SharePartition *removed;

	if (entry == NULL)
		return;
	removed = entry->partition;
	(void) hash_search(session->by_partition, &key, HASH_REMOVE, NULL);
	dlist_delete(&removed->node);
	pfree(removed);
	session->count--;
	if (!session->over)
		count_for_role(session->role, 0, -1);
}

void
pgt_share_session_served(ShareSession *session, SharePartition *partition)
{
	dlist_delete(&partition->node);
	dlist_push_tail(&session->partitions, &partition->node);
}

/* ---- hooks --------------------------------------------------------------------------------- */

/* Its sessions end with a connection. */
static void
closed(BrokerConnection *client)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &sessions)
	{
		ShareSession *session = dlist_container(ShareSession, node, iter.cur);

		if (session->connection == client->id)
			pgt_share_session_end(session);
	}
}

static void
start(void)
{
	sessions_context = AllocSetContextCreate(TopMemoryContext, "pg_topics share sessions", ALLOCSET_DEFAULT_SIZES);
}

const BrokerHooks pgt_share_session_hooks = {.start = start,.closed = closed};
