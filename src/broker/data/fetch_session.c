/*
 * fetch_session.c
 *	  Which partitions a Fetch asks for, some of them since an earlier one.
 *
 * A consumer of a thousand partitions would name all of them in each request, and be told of all
 * of them in each response.  In a fetch session (KIP-227) it names those that are new to the
 * session or at another offset, and those it wants no more of, and is told what has changed:
 *
 *	  session id	epoch
 *	  any			-1		all partitions are named; no session, and an earlier one ends
 *	  any			0		all partitions are named; a session begins, if the server likes
 *	  a session's	1, 2 ...	what has changed is named; the epoch counts the requests
 *
 * A request whose session or epoch is not the one that the server has gets an error, and the client
 * begins anew.  So a session may end at any time: here it belongs to the connection and
 * ends with it.  It is a client's last one, as a client has one connection to a server for fetching.
 *
 * Partitions that had records go to the end of the list, so that no partition with many of
 * them keeps others from the room that a response has.
 *
 * An error, and only then, is told again each time, until there is none.
 *
 * Memory: a session has a context below that of the connection; the list of a request without a session is in the
 * request's memory.  A client can name new partitions with each request, and they need not exist.  So
 * all sessions together may take as much as the requests that are waiting: one that would go beyond
 * that ends, and its client goes on without a session.
 */
#include "postgres.h"

#include "broker/data/fetch_session.h"
#include "listener/connection_limits.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define EPOCH_FINAL		(-1)
#define EPOCH_INITIAL	0

/* The longest name of a topic in Kafka, and more than the text of an id. */
#define TOPIC_KEY_SIZE	256

/* A topic of a session. */
typedef struct SessionTopic
{
	char		key[TOPIC_KEY_SIZE];	/* hash key: its name, or its id in hexadecimal digits */
	FetchTopic *topic;
} SessionTopic;

/* A partition of a session. */
typedef struct SessionKey
{
	const FetchTopic *topic;
	int32		partition;
	int32		unused;			/* 0: keys are compared as bytes */
} SessionKey;

typedef struct SessionTarget
{
	SessionKey	key;
	FetchTarget *target;
} SessionTarget;

typedef struct FetchSession
{
	MemoryContext context;
	MemoryContextCallback at_end;	/* of the context */
	Size		memory;			/* that it has, as far as it is counted */
	int32		epoch;			/* that of its next request */
	bool		by_id;			/* topics have ids in its requests, not names */
	HTAB	   *topics;			/* of SessionTopic */
	HTAB	   *targets;		/* of SessionTarget */
	FetchList	list;
} FetchSession;

/* Sessions are numbered, so that one that is asked for after it has ended is known to have. */
static int32 last_id = 0;

/* How much memory all sessions have. */
static Size memory_of_all = 0;

/* ---- without a session -------------------------------------------------------- */

/* Set what the request says of a partition. */
static void
set_target(FetchTarget *target, const KafkaFetchRequestFetchPartition *asked)
{
	target->leader_epoch = asked->current_leader_epoch;
	target->last_epoch = asked->last_fetched_epoch;
	target->offset = asked->fetch_offset;
	target->max_bytes = asked->partition_max_bytes;
}

/* Add a partition to the end of a list. */
static void
add_target(FetchList *list, FetchTarget *target, FetchTopic *topic, const KafkaFetchRequestFetchPartition *asked)
{
	target->topic = topic;
	target->partition = asked->partition;
	target->told_end = target->told_log_start = -1;
	set_target(target, asked);
	dlist_push_tail(&list->targets, &target->node);
	list->count++;
}

/* A list of what the request names, in its own memory. */
static FetchList *
list_of_request(const BrokerRequest *request)
{
	const KafkaFetchRequest *body = request->kafka.body;
	FetchList  *list = palloc0(sizeof(FetchList));

	dlist_init(&list->targets);
	for (int i = 0; i < body->topics.count; i++)
	{
		const KafkaFetchRequestFetchTopic *asked = &body->topics.items[i];
		FetchTopic *topic;
		FetchTarget *targets;

		if (asked->partitions.count <= 0)
			continue;
		topic = palloc0(sizeof(FetchTopic));
		targets = MemoryContextAllocExtended(CurrentMemoryContext, asked->partitions.count * sizeof(FetchTarget),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		topic->name = asked->topic;
		topic->id = asked->topic_id;
		for (int k = 0; k < asked->partitions.count; k++)
			add_target(list, &targets[k], topic, &asked->partitions.items[k]);
	}
	return list;
}

/* ---- sessions ------------------------------------------------------------------ */

/* End the connection's session, if it has one. */
static void
end_session(BrokerConnection *client)
{
	if (client->fetch_session != NULL)
		MemoryContextDelete(client->fetch_session->context);
	client->fetch_session = NULL;
}

/* A session's memory goes, with that of its connection or before. */
static void
uncount_memory(void *arg)
{
	memory_of_all -= ((FetchSession *) arg)->memory;
}

/* Count a session's memory anew.  False if that is too much. */
static bool
count_memory(FetchSession *session)
{
	Size		memory = MemoryContextMemAllocated(session->context, true);

	memory_of_all = memory_of_all - session->memory + memory;
	session->memory = memory;
	return memory_of_all <= pgt_connection_limits.memory;
}

/* A number for a new session. */
static int32
next_id(void)
{
	if (last_id == PG_INT32_MAX)
		last_id = 0;
	return ++last_id;
}

/* Begin a session. */
static FetchSession *
begin_session(BrokerConnection *client, bool by_id)
{
	MemoryContext context = AllocSetContextCreate(client->connection->memory, "pg_topics fetch session",
												  ALLOCSET_SMALL_SIZES);
	FetchSession *session = MemoryContextAllocZero(context, sizeof(FetchSession));
	HASHCTL		topics = {.keysize = TOPIC_KEY_SIZE,.entrysize = sizeof(SessionTopic),.hcxt = context};
	HASHCTL		targets = {.keysize = sizeof(SessionKey),.entrysize = sizeof(SessionTarget),.hcxt = context};

	session->context = context;
	session->at_end = (MemoryContextCallback) {.func = uncount_memory,.arg = session};
	MemoryContextRegisterResetCallback(context, &session->at_end);
	session->by_id = by_id;
	session->topics = hash_create("pg_topics fetched topics", 16, &topics, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	session->targets = hash_create("pg_topics fetched partitions", 16, &targets, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	session->epoch = EPOCH_INITIAL + 1;
	session->list.session_id = next_id();
	dlist_init(&session->list.targets);
	client->fetch_session = session;
	return session;
}

/* The key of a topic.  False if it cannot be the name of one. */
static bool
make_topic_key(const FetchSession *session, KafkaString name, const KafkaUuid *id, char *key)
{
	memset(key, 0, TOPIC_KEY_SIZE);
	if (session->by_id)
	{
		for (int i = 0; i < sizeof(id->bytes); i++)
			snprintf(key + 2 * i, 3, "%02x", id->bytes[i]);
		return true;
	}
	if (name.length < 0 || name.length >= TOPIC_KEY_SIZE || memchr(name.data, '\0', name.length) != NULL)
		return false;
	memcpy(key, name.data, name.length);
	return true;
}

/*
 * The session's topic, made if it is new and "make" says so; else NULL.  NULL also for a name that
 * no topic can have, of which clients that name one are not told.
 */
static FetchTopic *
topic_of(FetchSession *session, KafkaString name, const KafkaUuid *id, bool make)
{
	char		key[TOPIC_KEY_SIZE];
	SessionTopic *entry;
	bool		found;
	char	   *copy;

	if (!make_topic_key(session, name, id, key))
		return NULL;
	entry = hash_search(session->topics, key, make ? HASH_ENTER : HASH_FIND, &found);
	if (entry == NULL || found)
		return entry == NULL ? NULL : entry->topic;
	entry->topic = MemoryContextAllocZero(session->context, sizeof(FetchTopic));
	entry->topic->id = *id;
	copy = MemoryContextAlloc(session->context, Max(name.length, 0) + 1);
	if (name.length > 0)
		memcpy(copy, name.data, name.length);
	entry->topic->name = (KafkaString) {copy, Max(name.length, 0)};
	return entry->topic;
}

/* Take what the request names into the session. */
static void
add_named(FetchSession *session, const KafkaFetchRequest *body)
{
	for (int i = 0; i < body->topics.count; i++)
	{
		const KafkaFetchRequestFetchTopic *asked = &body->topics.items[i];
		FetchTopic *topic = asked->partitions.count <= 0 ? NULL :
			topic_of(session, asked->topic, &asked->topic_id, true);

		for (int k = 0; topic != NULL && k < asked->partitions.count; k++)
		{
			SessionKey	key = {.topic = topic,.partition = asked->partitions.items[k].partition};
			bool		found;
			SessionTarget *entry = hash_search(session->targets, &key, HASH_ENTER, &found);

			if (found)
			{
				set_target(entry->target, &asked->partitions.items[k]);
				continue;
			}
			entry->target = MemoryContextAllocZero(session->context, sizeof(FetchTarget));
			add_target(&session->list, entry->target, topic, &asked->partitions.items[k]);
		}
	}
}

/* Let go of what the request wants no more of. */
static void
remove_forgotten(FetchSession *session, const KafkaFetchRequest *body)
{
	for (int i = 0; i < body->forgotten_topics_data.count; i++)
	{
		const KafkaFetchRequestForgottenTopic *forgotten = &body->forgotten_topics_data.items[i];
		FetchTopic *topic = topic_of(session, forgotten->topic, &forgotten->topic_id, false);

		for (int k = 0; topic != NULL && k < forgotten->partitions.count; k++)
		{
			SessionKey	key = {.topic = topic,.partition = forgotten->partitions.items[k]};
			SessionTarget *entry = hash_search(session->targets, &key, HASH_FIND, NULL);

			if (entry == NULL)
				continue;
			dlist_delete(&entry->target->node);
			session->list.count--;
			pfree(entry->target);
			hash_search(session->targets, &key, HASH_REMOVE, NULL);
		}
	}
}

/* The session's next request. */
static KafkaError
continue_session(BrokerRequest *request, FetchList **list)
{
	const KafkaFetchRequest *body = request->kafka.body;
	FetchSession *session = request->client->fetch_session;

	if (session == NULL || session->list.session_id != body->session_id)
		return KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND;
	if (session->epoch != body->session_epoch)
		return KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH;
	if (session->by_id != (request->kafka.version >= 13))
		return KAFKA_ERROR_FETCH_SESSION_TOPIC_ID_ERROR;
	add_named(session, body);
	remove_forgotten(session, body);
	if (!count_memory(session))
	{
		end_session(request->client);
		return KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND;
	}
	session->epoch = session->epoch == PG_INT32_MAX ? EPOCH_INITIAL + 1 : session->epoch + 1;
	session->list.incremental = true;
	*list = &session->list;
	return KAFKA_ERROR_NONE;
}

/* Does the request name anything? */
static bool
names_something(const KafkaFetchRequest *body)
{
	for (int i = 0; i < body->topics.count; i++)
		if (body->topics.items[i].partitions.count > 0)
			return true;
	return false;
}

/* ---- the interface ---------------------------------------------------------------- */

KafkaError
pgt_fetch_session_open(BrokerRequest *request, FetchList **list)
{
	const KafkaFetchRequest *body = request->kafka.body;
	FetchSession *session;
	KafkaError	error = KAFKA_ERROR_NONE;

	if (body->session_epoch != EPOCH_FINAL && body->session_epoch != EPOCH_INITIAL)
	{
		error = continue_session(request, list);
		/* of a session that has become empty nothing is left; the response says so */
		if (error != KAFKA_ERROR_NONE || (*list)->count > 0)
			return error;
	}
	end_session(request->client);
	if (body->session_epoch != EPOCH_INITIAL || !names_something(body))
	{
		*list = list_of_request(request);
		return KAFKA_ERROR_NONE;
	}
	session = begin_session(request->client, request->kafka.version >= 13);
	add_named(session, body);
	if (count_memory(session))
		*list = &session->list;
	else
	{
		end_session(request->client);
		*list = list_of_request(request);
	}
	return KAFKA_ERROR_NONE;
}

void
pgt_fetch_session_replace(FetchList *list, FetchTarget *target, FetchTarget *by)
{
	target->leader_epoch = by->leader_epoch;
	target->last_epoch = by->last_epoch;
	target->offset = by->offset;
	target->max_bytes = by->max_bytes;
	dlist_delete(&by->node);
	list->count--;
}

bool
pgt_fetch_session_must_tell(const FetchList *list, const FetchTarget *target)
{
	return !list->incremental || target->error != KAFKA_ERROR_NONE || target->diverges ||
		target->found.length > 0 || target->end.end != target->told_end ||
		target->end.log_start != target->told_log_start;
}

void
pgt_fetch_session_told(FetchList *list, FetchTarget *target)
{
	bool		failed = target->error != KAFKA_ERROR_NONE;

	target->told_end = failed ? -1 : target->end.end;
	target->told_log_start = failed ? -1 : target->end.log_start;
	if (target->found.length > 0)
	{
		dlist_delete(&target->node);
		dlist_push_tail(&list->targets, &target->node);
	}
}
