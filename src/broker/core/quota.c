/*
 * quota.c
 *	  Quotas of clients: what they have used, and how long they have to wait.
 *
 * A quota is that of a role, of a client.id, or of both, by name or by default.  For a client the first of these
 * counts, for each kind of quota on its own, which is Kafka's order:
 *
 *	  role and client.id		role and default
 *	  role
 *	  default and client.id		default and default
 *	  default role
 *	  client.id
 *	  default client.id
 *
 * Each is a bucket of tokens, shared by all clients of that role and client.id, or of one of them if the quota names
 * the other by nothing.  It fills at the rate of the quota, up to what comes in BURST seconds, as Kafka's
 * windows allow.  A request takes what it has used, also more than there is.  Where tokens are missing its answer says
 * how long they take to come (throttle_time_ms), and the client's connection is not read for that time.  So a client
 * gets its answers at once, and no more than its quota on average, whether it minds what it is told or not.
 *
 *	  producer_byte_rate		bytes of Produce requests
 *	  consumer_byte_rate		bytes of records in responses to Fetch
 *	  request_percentage		time of this process, one second at a time at most
 *	  controller_mutation_rate	partitions that are created and deleted
 *
 * The rows of the table are kept in memory, by entity, and read again before the next request when they have
 * changed.  A connection remembers its buckets until its role, its client.id or the rows change.
 *
 * Memory.  Clients may call themselves as they like, and each name may have a bucket.  When there are BUCKETS_MAX,
 * those go that no connection has: first the full ones, which would be made again as they are.
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "broker/core/database_text.h"
#include "broker/core/quota.h"
#include "broker/core/turn.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "util/clock.h"
#include "util/relation_change.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define ROWS_MAX		10000
#define BUCKETS_MAX		100000
#define REQUEST_MAX_MS	1000	/* that are told for used time, as in Kafka */

/* So many seconds a bucket holds. */
static const double burst[QUOTA_KIND_COUNT] = {10, 10, 10, 11};

bool		pgt_quota_exists = false;

/* ---- entities ----------------------------------------------------------------------- */

typedef enum QuotaPart
{
	PART_NONE,
	PART_DEFAULT,
	PART_NAMED
} QuotaPart;

/* Whose quota it is.  Names are hashed with a seed of this process. */
typedef struct QuotaEntity
{
	uint64		role;			/* 0 if it is not named */
	uint64		client_id;
	int32		role_part;		/* QuotaPart */
	int32		client_part;
} QuotaEntity;

/* What there is for an entity. */
typedef struct QuotaRule
{
	QuotaEntity entity;			/* key */
	double		limits[QUOTA_KIND_COUNT];	/* 0: none */
} QuotaRule;

/* Of which parts an entity has names, in the order in which they count. */
static const struct
{
	QuotaPart	role;
	QuotaPart	client;
}			levels[] = {
	{PART_NAMED, PART_NAMED},
	{PART_NAMED, PART_DEFAULT},
	{PART_NAMED, PART_NONE},
	{PART_DEFAULT, PART_NAMED},
	{PART_DEFAULT, PART_DEFAULT},
	{PART_DEFAULT, PART_NONE},
	{PART_NONE, PART_NAMED},
	{PART_NONE, PART_DEFAULT}
};

static MemoryContext rules_context = NULL;
static HTAB *rules = NULL;		/* of QuotaRule */
static List *all_rows = NIL;	/* of QuotaRow, in rules_context */
static uint64 rules_version = 1;
static Oid	table = InvalidOid; /* that was read last */
static bool outdated = true;
static uint64 seed;

static uint64
hash_of(KafkaString name)
{
	return hash_bytes_extended((const unsigned char *) name.data, Max(name.length, 0), seed);
}

static QuotaPart
part_of(KafkaString name)
{
	return name.length < 0 ? PART_NONE : name.length == 0 ? PART_DEFAULT : PART_NAMED;
}

/* The entity of a level for a client. */
static QuotaEntity
entity_of(QuotaPart role_part, QuotaPart client_part, uint64 role, uint64 client_id)
{
	return (QuotaEntity) {
		.role = role_part == PART_NAMED ? role : 0, .client_id = client_part == PART_NAMED ? client_id : 0,
		.role_part = role_part, .client_part = client_part
	};
}

/* ---- the rows ------------------------------------------------------------------------ */

static void
add_rule(HTAB *rules_of_rows, const QuotaRow *row)
{
	QuotaEntity entity = entity_of(part_of(row->role), part_of(row->client_id), hash_of(row->role), hash_of(row->client_id));
	QuotaRule  *rule = hash_search(rules_of_rows, &entity, HASH_ENTER, NULL);

	memcpy(rule->limits, row->limits, sizeof(rule->limits));
}

/* Take these rows in place of those that there were. */
static void
take_rows(MemoryContext context, List *rows)
{
	HASHCTL		control = {.keysize = sizeof(QuotaEntity),.entrysize = sizeof(QuotaRule),.hcxt = context};
	HTAB	   *rules_of_rows = hash_create("pg_topics quotas", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ListCell   *cell;

	foreach(cell, rows)
		add_rule(rules_of_rows, lfirst(cell));
	if (rules_context != NULL)
		MemoryContextDelete(rules_context);
	MemoryContextSetParent(context, TopMemoryContext);
	rules_context = context;
	rules = rules_of_rows;
	all_rows = rows;
	rules_version++;
	pgt_quota_exists = rows != NIL;
	if (list_length(rows) == ROWS_MAX)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no more than %d quotas of Kafka clients count", ROWS_MAX)));
}

/* Read the table; it stays outdated where somebody has it for itself. */
static void
read_rows(void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics quotas", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *rows = NIL;
	bool		is_read;

	outdated = false;
	table = pgt_quota_table_oid();
	is_read = !OidIsValid(table) || pgt_quota_table_read(table, ROWS_MAX, &rows);
	if (is_read)
		take_rows(context, rows);
	MemoryContextSwitchTo(old);
	if (is_read)
		return;
	outdated = true;
	MemoryContextDelete(context);
}

/* A callback of the relation cache. */
static void
table_changed(Datum arg, Oid relation)
{
	outdated |= !OidIsValid(relation) || !OidIsValid(table) || relation == table;
}

void
pgt_quota_visit(void (*visit) (const QuotaRow *row, void *arg), void *arg)
{
	ListCell   *cell;

	foreach(cell, all_rows)
		visit(lfirst(cell), arg);
}

/* ---- buckets ----------------------------------------------------------------------------- */

typedef struct BucketKey
{
	uint64		role;			/* 0: of all roles */
	uint64		client_id;
	int32		kind;			/* QuotaKind */
	int32		parts;			/* whether it has a role, and a client.id */
} BucketKey;

typedef struct QuotaBucket
{
	BucketKey	key;
	double		rate;			/* tokens a second */
	double		tokens;			/* negative: so many are missing */
	int64		filled_at;		/* by the monotonic clock */
	int			references;		/* of connections */
} QuotaBucket;

/* What a connection has of this file. */
typedef struct QuotaClient
{
	uint64		version;		/* of the rules */
	uint64		client_id;
	Oid			role;
	uint64		roles_version;	/* when the role's name was looked at */
	QuotaBucket *buckets[QUOTA_KIND_COUNT]; /* NULL: no such quota */
} QuotaClient;

static HTAB *buckets = NULL;	/* of QuotaBucket */

/* How many tokens come in a second: percent become microseconds. */
static double
rate_of(QuotaKind kind, double limit)
{
	return kind == QUOTA_REQUEST_PERCENTAGE ? limit / 100 * USECS_PER_SEC : limit;
}

/* Let the tokens come that have come since. */
static void
fill(QuotaBucket *bucket)
{
	int64		now = pgt_clock_monotonic_us();

	bucket->tokens += bucket->rate * (now - bucket->filled_at) / USECS_PER_SEC;
	bucket->tokens = Min(bucket->tokens, bucket->rate * burst[bucket->key.kind]);
	bucket->filled_at = now;
}

/* Remove buckets that no connection has: the full ones, or all. */
static void
remove_unused(bool all)
{
	HASH_SEQ_STATUS scan;
	QuotaBucket *bucket;

	hash_seq_init(&scan, buckets);
	while ((bucket = hash_seq_search(&scan)) != NULL)
	{
		if (bucket->references > 0)
			continue;
		fill(bucket);
		if (all || bucket->tokens >= bucket->rate * burst[bucket->key.kind])
			hash_search(buckets, &bucket->key, HASH_REMOVE, NULL);
	}
}

static void
make_room(void)
{
	HASHCTL		control = {.keysize = sizeof(BucketKey),.entrysize = sizeof(QuotaBucket),.hcxt = TopMemoryContext};

	if (buckets == NULL)
		buckets = hash_create("pg_topics quota buckets", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (hash_get_num_entries(buckets) < BUCKETS_MAX)
		return;
	remove_unused(false);
	if (hash_get_num_entries(buckets) >= BUCKETS_MAX / 2)
		remove_unused(true);
}

/* The bucket of an entity's quota for a client, with that rate from now on. */
static QuotaBucket *
find_bucket(QuotaKind kind, const QuotaEntity *entity, uint64 role, uint64 client_id, double limit)
{
	bool		has_role = entity->role_part != PART_NONE;
	bool		has_client = entity->client_part != PART_NONE;
	BucketKey	key = {.role = has_role ? role : 0, .client_id = has_client ? client_id : 0, .kind = kind, .parts = has_role | has_client << 1};
	QuotaBucket *bucket;
	bool		found;

	make_room();
	bucket = hash_search(buckets, &key, HASH_ENTER, &found);
	if (found)
		fill(bucket);
	else
	{
		bucket->tokens = rate_of(kind, limit) * burst[kind];
		bucket->filled_at = pgt_clock_monotonic_us();
		bucket->references = 0;
	}
	bucket->rate = rate_of(kind, limit);
	bucket->tokens = Min(bucket->tokens, bucket->rate * burst[kind]);
	return bucket;
}

/* ---- a client's buckets --------------------------------------------------------------------- */

static void
let_go(QuotaClient *quota)
{
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
	{
		if (quota->buckets[kind] != NULL)
			quota->buckets[kind]->references--;
		quota->buckets[kind] = NULL;
	}
}

/* Find the quotas that count. */
static void
resolve(QuotaClient *quota, KafkaString role_name)
{
	uint64		role = hash_of(role_name);

	let_go(quota);
	for (int level = 0; level < lengthof(levels); level++)
	{
		QuotaEntity entity = entity_of(levels[level].role, levels[level].client, role, quota->client_id);
		const QuotaRule *rule = hash_search(rules, &entity, HASH_FIND, NULL);

		for (int kind = 0; rule != NULL && kind < QUOTA_KIND_COUNT; kind++)
		{
			if (rule->limits[kind] == 0 || quota->buckets[kind] != NULL)
				continue;
			quota->buckets[kind] = find_bucket(kind, &entity, role, quota->client_id, rule->limits[kind]);
			quota->buckets[kind]->references++;
		}
	}
}

/* See to it that the client has the buckets that count for its request. */
static void
look_up(const BrokerRequest *request)
{
	BrokerConnection *client = request->client;
	QuotaClient *quota = client->quota;
	uint64		client_id;

	if (quota == NULL)
		quota = client->quota = MemoryContextAllocZero(client->connection->memory, sizeof(QuotaClient));
	client_id = hash_of(request->kafka.header->client_id);
	if (quota->version == rules_version && quota->client_id == client_id &&
		quota->role == client->role && quota->roles_version == client->roles_version)
		return;
	quota->client_id = client_id;
	quota->role = client->role;
	quota->roles_version = client->roles_version;
	resolve(quota, pgt_database_text_for_client(client->role_name));
	quota->version = rules_version;
}

/* The buckets of a request's client; NULL: it has none. */
static QuotaClient *
quota_of(const BrokerRequest *request)
{
	QuotaClient *quota = request->client->quota;

	return pgt_quota_exists && quota != NULL && quota->version == rules_version ? quota : NULL;
}

/* ---- requests ------------------------------------------------------------------------------- */

void
pgt_quota_begin(BrokerRequest *request)
{
	if (!request->client->authenticated || !(outdated || pgt_quota_exists))
		return;
	pgt_turn_open();
	if (outdated)
		(void) pgt_turn_try(read_rows, NULL, NULL);
	if (!pgt_quota_exists)
		return;
	look_up(request);
	if (request->began == 0)
		request->began = pgt_clock_monotonic_us();
}

/* Take tokens out of a bucket of the request's client. */
static void
take_tokens(BrokerRequest *request, QuotaBucket *bucket, double amount)
{
	fill(bucket);
	bucket->tokens -= amount;
	request->charged |= 1 << bucket->key.kind;
}

void
pgt_quota_charge(BrokerRequest *request, QuotaKind kind, double amount)
{
	QuotaClient *quota = quota_of(request);

	if (quota != NULL && quota->buckets[kind] != NULL)
		take_tokens(request, quota->buckets[kind], amount);
}

bool
pgt_quota_may_mutate(BrokerRequest *request, double partitions, bool strict)
{
	QuotaClient *quota = quota_of(request);
	QuotaBucket *bucket = quota == NULL ? NULL : quota->buckets[QUOTA_CONTROLLER_MUTATION_RATE];

	if (bucket == NULL)
		return true;
	take_tokens(request, bucket, 0);
	if (strict && bucket->tokens < 0)
		return false;
	take_tokens(request, bucket, partitions);
	return true;
}

int64
pgt_quota_fetch_limit(BrokerRequest *request, int64 wanted)
{
	QuotaClient *quota = quota_of(request);
	QuotaBucket *bucket = quota == NULL ? NULL : quota->buckets[QUOTA_CONSUMER_BYTE_RATE];

	return bucket == NULL ? wanted : (int64) Min((double) wanted, ceil(bucket->rate * burst[QUOTA_CONSUMER_BYTE_RATE]));
}

/* How many milliseconds it takes until no tokens are missing. */
static int32
wait_of(QuotaBucket *bucket)
{
	double		wait;

	fill(bucket);
	wait = bucket->tokens >= 0 ? 0 : ceil(-bucket->tokens / bucket->rate * 1000);
	if (bucket->key.kind == QUOTA_REQUEST_PERCENTAGE)
		wait = Min(wait, REQUEST_MAX_MS);
	return (int32) Min(wait, INT_MAX);
}

int32
pgt_quota_throttle(BrokerRequest *request, int64 busy_us)
{
	QuotaClient *quota = quota_of(request);
	int32		throttle = 0;

	if (quota == NULL)
		return 0;
	pgt_quota_charge(request, QUOTA_REQUEST_PERCENTAGE, busy_us);
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
	{
		if ((request->charged & 1 << kind) != 0 && quota->buckets[kind] != NULL)
			throttle = Max(throttle, wait_of(quota->buckets[kind]));
	}
	if (throttle > 0)
		pgt_connection_mute(request->client->connection, throttle);
	return throttle;
}

/* ---- hooks ------------------------------------------------------------------------------------ */

static void
start(void)
{
	seed = pg_prng_uint64(&pg_global_prng_state);
	pgt_relation_change_register(table_changed);
}

static void
closed(BrokerConnection *client)
{
	if (client->quota != NULL)
		let_go(client->quota);
}

const BrokerHooks pgt_quota_hooks = {.start = start, .closed = closed};
