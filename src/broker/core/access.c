/*
 * access.c
 *	  What a client may do with a topic, and with the cluster.
 *
 * The same as its role by SQL, where it would name the topic with its schema: it needs the privilege on
 * the whole table, as for produce() and consume(), and USAGE of the schema.  A privilege on some
 * columns is not enough, since a record is written and read whole.  There is no row-level
 * security on foreign tables.
 *
 *	  Produce								INSERT
 *	  Fetch, ListOffsets, offsets of groups	SELECT
 *	  Metadata								any of these
 *	  changes of the topic					ownership
 *	  new topics							CREATE on the schema, USAGE of the server "topics"
 *
 * Rights on the cluster are no privileges of their own.  What a role is told that it may do there is what requests would
 * succeed by which Kafka makes depend on it:
 *
 *	  DESCRIBE, DESCRIBE_CONFIGS, IDEMPOTENT_WRITE	everybody
 *	  CREATE				new topics where they are without a schema's name
 *	  ALTER_CONFIGS			INSERT, UPDATE and DELETE on the table of quotas; nobody alters the broker's configuration
 *	  ALTER, CLUSTER_ACTION	superusers: else it depends on the topic, or the other role
 *
 * Privileges on topics are asked with each request, so they are remembered: by topic and, for each
 * topic, by role.
 *
 *	  topic 16401	->	{role 10: all}, {role 16390: SELECT}, ...
 *	  topic 16408	->	{role 16390: none}
 *
 * GRANT and REVOKE on a topic, and DROP, invalidate the table in the relation cache: that topic is
 * forgotten.  Changes of roles, memberships and schemas forget all, and so does a new owner of the
 * database, who is the member of pg_database_owner.  The server tells that when a
 * transaction begins or a lock is taken, so what is remembered is as old as the turn at most.
 *
 * Memory: the table is in TopMemoryContext.  It has an entry for each pair that was asked for since
 * it was last forgotten, and is forgotten when there are MAX_TOPICS.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/acl_binding.h"
#include "broker/core/quota_table.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "util/relation_change.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define MAX_TOPICS		100000

#define BIT(operation)	(1 << (operation))

/* What a role may do with a topic. */
typedef struct RoleRights
{
	Oid			role;
	AclMode		rights;
} RoleRights;

typedef struct TopicRights
{
	Oid			topic;			/* key */
	int			count;
	int			room;
	RoleRights *roles;			/* palloc'd in known_context */
} TopicRights;

static HTAB *known = NULL;		/* of TopicRights; NULL: nothing is known */
static uint64 forgotten = 0;	/* how often something was invalidated */
static MemoryContext known_context = NULL;

/* ---- what is known ---------------------------------------------------------- */

static void
forget_all(void)
{
	if (known == NULL)
		return;
	MemoryContextDelete(known_context);
	known = NULL;
}

static void
begin_knowing(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(TopicRights)};

	known_context = AllocSetContextCreate(TopMemoryContext, "pg_topics rights of roles", ALLOCSET_DEFAULT_SIZES);
	control.hcxt = known_context;
	known = hash_create("pg_topics rights of roles", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Set *rights, if they are known. */
static bool
recall(Oid topic, Oid role, AclMode *rights)
{
	const TopicRights *entry = known == NULL ? NULL : hash_search(known, &topic, HASH_FIND, NULL);

	for (int i = 0; entry != NULL && i < entry->count; i++)
		if (entry->roles[i].role == role)
		{
			*rights = entry->roles[i].rights;
			return true;
		}
	return false;
}

static void
remember(Oid topic, Oid role, AclMode rights)
{
	TopicRights *entry;
	bool		found;

	if (known != NULL && hash_get_num_entries(known) >= MAX_TOPICS)
		forget_all();
	if (known == NULL)
		begin_knowing();
	entry = hash_search(known, &topic, HASH_ENTER, &found);
	if (!found)
	{
		entry->count = entry->room = 0;
		entry->roles = NULL;
	}
	if (entry->count == entry->room)
	{
		int			room = Max(entry->room * 2, 4);
		RoleRights *roles = MemoryContextAlloc(known_context, room * sizeof(RoleRights));

		if (entry->count > 0)
		{
			memcpy(roles, entry->roles, entry->count * sizeof(RoleRights));
			pfree(entry->roles);
		}
		entry->roles = roles;
		entry->room = room;
	}
	entry->roles[entry->count++] = (RoleRights) {role, rights};
}

/* A callback of the relation cache. */
static void
forget_topic(Datum arg, Oid topic)
{
	TopicRights *entry;

	forgotten++;
	if (!OidIsValid(topic))
		forget_all();
	else if (known != NULL && (entry = hash_search(known, &topic, HASH_FIND, NULL)) != NULL)
	{
		if (entry->roles != NULL)
			pfree(entry->roles);
		hash_search(known, &topic, HASH_REMOVE, NULL);
	}
}

/* A callback of other caches. */
static void
forget_roles(Datum arg, int cache, uint32 hash)
{
	forgotten++;
	forget_all();
}

static void
start(void)
{
	pgt_relation_change_register(forget_topic);
	CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, forget_roles, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_roles, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, forget_roles, (Datum) 0);
}

const BrokerHooks pgt_access_hooks = {.start = start};

/* ---- what roles may do ------------------------------------------------------ */

static bool
role_exists(Oid role)
{
	return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/* The privilege, if the role has it on the topic. */
static AclMode
right_of(Oid topic, Oid role, AclMode mode)
{
	bool		is_missing = false;

	return pg_class_aclcheck_ext(topic, role, mode, &is_missing) == ACLCHECK_OK && !is_missing ? mode : ACL_NO_RIGHTS;
}

/* What catalogs say: those of the privileges that are asked for here, as long as the role may use the schema. */
static AclMode
look_up_rights(Oid topic, Oid role)
{
	Oid			schema = get_rel_namespace(topic);

	if (!OidIsValid(schema) || !role_exists(role) ||
		PGT_SCHEMA_ACLCHECK(schema, role, ACL_USAGE) != ACLCHECK_OK)
		return ACL_NO_RIGHTS;
	return right_of(topic, role, ACL_SELECT) | right_of(topic, role, ACL_INSERT);
}

/*
 * Looking into catalogs may bring news of changes, of which what was read before knows nothing: then
 * it is read again.
 */
static AclMode
find_rights(Oid topic, Oid role)
{
	AclMode		rights;
	uint64		before;

	if (recall(topic, role, &rights))
		return rights;
	do
	{
		before = forgotten;
		rights = look_up_rights(topic, role);
	} while (before != forgotten);
	remember(topic, role, rights);
	return rights;
}

uint64
pgt_access_version(void)
{
	return forgotten;
}

bool
pgt_access_topic(const BrokerConnection *client, Oid topic, AclMode any_of)
{
	Assert(pgt_turn_is_open());
	Assert((any_of & ~(ACL_SELECT | ACL_INSERT)) == 0);
	return client->authenticated && (find_rights(topic, client->role) & any_of) != 0;
}

int32
pgt_access_topic_operations(const BrokerConnection *client, Oid topic)
{
	int32		operations = BIT(ACL_OPERATION_DESCRIBE) | BIT(ACL_OPERATION_DESCRIBE_CONFIGS);

	if (pgt_access_topic(client, topic, ACL_SELECT))
		operations |= BIT(ACL_OPERATION_READ);
	if (pgt_access_topic(client, topic, ACL_INSERT))
		operations |= BIT(ACL_OPERATION_WRITE);
	if (pgt_access_owns_topic(client, topic))
		operations |= BIT(ACL_OPERATION_CREATE) | BIT(ACL_OPERATION_DELETE) | BIT(ACL_OPERATION_ALTER) |
			BIT(ACL_OPERATION_ALTER_CONFIGS);
	return operations;
}

bool
pgt_access_owns_topic(const BrokerConnection *client, Oid topic)
{
	return client->authenticated && role_exists(client->role) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic)) && PGT_OWNS_RELATION(topic, client->role);
}

bool
pgt_access_may_create(const BrokerConnection *client, Oid schema)
{
	Oid			server = get_foreign_server_oid(TOPIC_SERVER_NAME, true);

	return client->authenticated && role_exists(client->role) && OidIsValid(server) &&
		PGT_SCHEMA_ACLCHECK(schema, client->role, ACL_CREATE) == ACLCHECK_OK &&
		PGT_SCHEMA_ACLCHECK(schema, client->role, ACL_USAGE) == ACLCHECK_OK &&
		PGT_SERVER_ACLCHECK(server, client->role, ACL_USAGE) == ACLCHECK_OK;
}

/* May the role alter quotas? */
static bool
may_alter_quotas(Oid role)
{
	Oid			table = pgt_quota_table_oid();
	AclMode		wanted = ACL_INSERT | ACL_UPDATE | ACL_DELETE;

	return OidIsValid(table) && PGT_SCHEMA_ACLCHECK(get_rel_namespace(table), role, ACL_USAGE) == ACLCHECK_OK &&
		(right_of(table, role, ACL_INSERT) | right_of(table, role, ACL_UPDATE) | right_of(table, role, ACL_DELETE)) == wanted;
}

int32
pgt_access_cluster_operations(const BrokerConnection *client)
{
	int32		operations = BIT(ACL_OPERATION_DESCRIBE) | BIT(ACL_OPERATION_DESCRIBE_CONFIGS) |
		BIT(ACL_OPERATION_IDEMPOTENT_WRITE);
	Oid			schema = pgt_topic_names_schema();

	Assert(pgt_turn_is_open());
	if (!client->authenticated || !role_exists(client->role))
		return 0;
	if (OidIsValid(schema) && pgt_access_may_create(client, schema))
		operations |= BIT(ACL_OPERATION_CREATE);
	if (may_alter_quotas(client->role))
		operations |= BIT(ACL_OPERATION_ALTER_CONFIGS);
	if (superuser_arg(client->role))
		operations |= BIT(ACL_OPERATION_ALTER) | BIT(ACL_OPERATION_CLUSTER_ACTION);
	return operations;
}
