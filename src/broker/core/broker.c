/*
 * broker.c
 *	  The table of APIs, clients, and the parts of a response.
 */
#include "postgres.h"

#include "broker/core/broker.h"
#include "kafka/kafka_default.h"
#include "listener/connection_limits.h"
#include "log/log_state.h"
#include "utils/memutils.h"

#define FIRST_BLOCK		1024
#define LARGEST_BLOCK	(64 * 1024)
#define ARENA_MIN_LIMIT	(64 * 1024 * 1024)	/* that the messages of a request may take, whatever the setting */
#define BODY_LIMIT		(4 * 1024 * 1024)	/* of that what was decoded: about 45,000 partitions of a Fetch */
#define BODY_PARTITION	256					/* the same, for each partition that the server may have */

/* A table has room for so many keys; Kafka's are below 100. */
#define KEYS	128

static const BrokerApi *apis[KEYS];

/* ---- the table ------------------------------------------------------------- */

void
pgt_broker_set_apis(const BrokerApi *const *entries)
{
	for (; *entries != NULL; entries++)
	{
		int			key = (*entries)->key;

		if (key < 0 || key >= KEYS || apis[key] != NULL)
			elog(ERROR, "API key %d does not fit the table", key);
		apis[key] = *entries;
	}
}

const BrokerApi *
pgt_broker_find_api(int key)
{
	return key < 0 || key >= KEYS ? NULL : apis[key];
}

/* ---- clients --------------------------------------------------------------- */

void
pgt_broker_set_client(BrokerConnection *client, Oid role, const char *role_name, int64 session_end)
{
	client->authenticated = true;
	client->role = role;
	strlcpy(client->role_name, role_name, sizeof(client->role_name));
	client->session_end = session_end;
	pgt_broker_set_expiry(client, session_end);
}

void
pgt_broker_set_expiry(BrokerConnection *client, int64 expires)
{
	client->connection->expires = expires;
	if (expires < client->connection->timer.due)
		pgt_event_loop_set_timer(&client->connection->timer, expires);
}

/* ---- memory ---------------------------------------------------------------- */

/*
 * How much the messages of a request may take.  Structures are larger than their bytes: a large frame of
 * small items must neither take all memory, nor the time to decode and to look at them.  So a
 * request that names more than the server can have is refused.  What it gets as an answer may be larger.
 */
static size_t
arena_limit(const BrokerRequest *request)
{
	if (request->kafka.body == NULL)
		return Max(BODY_LIMIT, (size_t) pgt_max_partitions * BODY_PARTITION);
	return Max(pgt_connection_limits.memory, ARENA_MIN_LIMIT);
}

/* A further block for the messages of a request. */
static bool
more_memory(KafkaArena *arena, size_t needed)
{
	BrokerRequest *request = (BrokerRequest *) ((char *) arena - offsetof(BrokerRequest, arena));
	size_t		size = Max(needed, Min(Max(FIRST_BLOCK, 2 * request->arena_size), LARGEST_BLOCK));
	char	   *block;

	if (request->arena_size + size > arena_limit(request))
		return false;
	block = MemoryContextAllocExtended(request->memory, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (block == NULL)
		return false;
	arena->next = block;
	arena->end = block + size;
	request->arena_size += size;
	return true;
}

void
pgt_broker_init_arena(BrokerRequest *request)
{
	request->arena.more = more_memory;
}

/* ---- parts of a response --------------------------------------------------- */

void *
pgt_broker_array(BrokerRequest *request, KafkaStructId id, int32 count)
{
	void	   *array = pgt_kafka_default_array(&request->arena, id, count);

	if (array == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return array;
}

/* In the order of their bytes; equal ones in that of the array. */
static int
compare_names(const void *a, const void *b)
{
	const KafkaString *left = *(const KafkaString *const *) a;
	const KafkaString *right = *(const KafkaString *const *) b;
	int			order = left->length < right->length ? -1 : left->length > right->length;

	if (order == 0 && left->length > 0)
		order = memcmp(left->data, right->data, left->length);
	return order != 0 ? order : left < right ? -1 : left > right;
}

BrokerRepeated *
pgt_broker_find_repeated(const KafkaString *names, int count)
{
	BrokerRepeated *found = MemoryContextAllocExtended(CurrentMemoryContext, Max(count, 1) * sizeof(BrokerRepeated),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	const KafkaString **sorted = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(KafkaString *));

	for (int i = 0; i < count; i++)
		sorted[i] = &names[i];
	qsort(sorted, count, sizeof(KafkaString *), compare_names);
	for (int i = 1; i < count; i++)
	{
		if (sorted[i - 1]->length != sorted[i]->length ||
			(sorted[i]->length > 0 && memcmp(sorted[i - 1]->data, sorted[i]->data, sorted[i]->length) != 0))
			continue;
		if (found[sorted[i - 1] - names] == BROKER_SINGLE)
			found[sorted[i - 1] - names] = BROKER_REPEATED;
		found[sorted[i] - names] = BROKER_REPETITION;
	}
	pfree(sorted);
	return found;
}

KafkaString
pgt_broker_string(const char *text)
{
	return (KafkaString) {.data = text, .length = text == NULL ? -1 : (int32) strlen(text)};
}

char *
pgt_broker_cstring(BrokerRequest *request, KafkaString string)
{
	char	   *text;

	if (string.length < 0 || (string.length > 0 && memchr(string.data, '\0', string.length) != NULL))
		return NULL;
	text = MemoryContextAlloc(request->memory, string.length + 1);
	if (string.length > 0)
		memcpy(text, string.data, string.length);
	text[string.length] = '\0';
	return text;
}
