/*
 * topic_names.c
 *	  What a topic is called by Kafka's clients: names and ids.
 *
 * A topic's name is that of its relation, where a schema of pg_topics.kafka_search_path has it,
 * or else "schema.relation".  The option "kafka.topic" takes the place of the relation's name
 * (kafka_alias.c).  Names with dots are common in Kafka, so a name is first
 * looked for as a whole, and then with its schema before one dot after another.  A topic
 * whose name would lead to another one, or is none that Kafka allows, is not shown.
 *
 * A new topic is made where its name leads: in the schema before a dot, where there is such a schema, else
 * in the first schema of the search path that there is.  A relation's name has 63 bytes at most; for a longer
 * name it is made of the name's beginning and its checksum, and the option has the whole name:
 *
 *	  <first 54 bytes>_<8 hexadecimal digits>
 *
 * A topic's id has no place of its own in a catalog; it is made of what does not change:
 *
 *	  bytes 0-7		the system identifier of the cluster
 *	  bytes 8-11	the oid of the database
 *	  bytes 12-15	the oid of the topic
 *
 * So it is the same on standbys, and another one after the topic was dropped and created again.
 *
 * The server's caches of catalogs remember what was looked for in vain, for the life of the process.
 * Clients can ask for any number of names, so all is forgotten after MISSES_MAX of them.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/broker_settings.h"
#include "broker/core/topic_names.h"
#include "catalog/namespace.h"
#include "kafka/kafka_name.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"
#include "topic/kafka_alias.h"
#include "topic/topic.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* About 300 bytes each. */
#define MISSES_MAX	100000

/* ---- misses ---------------------------------------------------------------- */

/* What was looked for in vain, not counting names that have led to a topic in the end: of these there are not many. */
static int	misses = 0;

/* There is no such topic.  Callers hold nothing of the caches. */
static void
forget_misses(void)
{
	if (misses < MISSES_MAX)
		return;
	misses = 0;
	InvalidateSystemCaches();
}

/* ---- names ----------------------------------------------------------------- */

/* The topic of that name in a schema, or InvalidOid. */
static Oid
find_in_schema(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);
	Oid			relation;

	if (!OidIsValid(namespace))
	{
		misses++;
		return InvalidOid;
	}
	relation = strlen(name) < NAMEDATALEN ? get_relname_relid(name, namespace) : InvalidOid;
	if (OidIsValid(relation) && pgt_topic_exists(relation) && pgt_kafka_alias_of(relation) == NULL)
		return relation;
	relation = pgt_kafka_alias_find(namespace, name, InvalidOid);
	if (!OidIsValid(relation))
		misses++;
	return relation;
}

/* The names of the search path's schemas. */
static List *
search_path(void)
{
	List	   *schemas = NIL;

	return SplitIdentifierString(pstrdup(pgt_kafka_search_path), ',', &schemas) ? schemas : NIL;
}

/* The topic of that name in the first schema of the search path that has one. */
static Oid
find_in_search_path(const char *name)
{
	ListCell   *cell;

	foreach(cell, search_path())
	{
		Oid			topic = find_in_schema(lfirst(cell), name);

		if (OidIsValid(topic))
			return topic;
	}
	return InvalidOid;
}

/* The topic of a name with its schema. */
static Oid
find_qualified(const char *name)
{
	for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
	{
		Oid			topic;

		if (dot - name >= NAMEDATALEN)
			break;
		topic = find_in_schema(pnstrdup(name, dot - name), dot + 1);
		if (OidIsValid(topic))
			return topic;
	}
	return InvalidOid;
}

/* The topic of a C string. */
static Oid
find(const char *name)
{
	Oid			topic = find_in_search_path(name);

	return OidIsValid(topic) ? topic : find_qualified(name);
}

Oid
pgt_topic_names_find(KafkaString name)
{
	int			before = misses;
	Oid			topic;

	/* a legal name has neither zero bytes nor ones that are not ASCII */
	if (name.length < 0 || pgt_kafka_name_topic_problem(name) != NULL)
		return InvalidOid;
	topic = find(pnstrdup(name.data, name.length));
	if (OidIsValid(topic))
		misses = before;
	else
		forget_misses();
	return topic;
}

/* Does that name lead to the topic? */
static bool
leads_to(const char *name, Oid topic)
{
	KafkaString string = {.data = name, .length = (int32) strlen(name)};

	return pgt_topic_names_find(string) == topic;
}

char *
pgt_topic_names_of(Oid topic)
{
	const char *alias = pgt_kafka_alias_of(topic);
	char	   *relation = alias != NULL ? pstrdup(alias) : get_rel_name(topic);
	char	   *schema = relation == NULL ? NULL : get_namespace_name(get_rel_namespace(topic));
	char	   *qualified;

	if (schema == NULL)
		return NULL;
	if (leads_to(relation, topic))
		return relation;
	qualified = psprintf("%s.%s", schema, relation);
	return leads_to(qualified, topic) ? qualified : NULL;
}

/* ---- names of new topics ------------------------------------------------------ */

/* Where a name begins with a schema that there is, that schema, and the rest of the name in *rest. */
static Oid
schema_of_name(const char *name, const char **rest)
{
	for (const char *dot = strchr(name, '.'); dot != NULL && dot - name < NAMEDATALEN; dot = strchr(dot + 1, '.'))
	{
		Oid			schema = dot[1] == '\0' ? InvalidOid : get_namespace_oid(pnstrdup(name, dot - name), true);

		if (OidIsValid(schema))
		{
			*rest = dot + 1;
			return schema;
		}
	}
	return InvalidOid;
}

/* The first schema of the search path that there is. */
Oid
pgt_topic_names_schema(void)
{
	ListCell   *cell;

	foreach(cell, search_path())
	{
		Oid			schema = get_namespace_oid(lfirst(cell), true);

		if (OidIsValid(schema))
			return schema;
	}
	return InvalidOid;
}

/* The relation's name for one that is too long. */
static char *
shorten(const char *name)
{
	pg_crc32c	checksum;

	INIT_CRC32C(checksum);
	COMP_CRC32C(checksum, name, strlen(name));
	FIN_CRC32C(checksum);
	return psprintf("%.*s_%08x", NAMEDATALEN - 10, name, (unsigned int) checksum);
}

bool
pgt_topic_names_place(const char *name, TopicPlace *place)
{
	const char *rest = name;

	place->schema = schema_of_name(name, &rest);
	if (!OidIsValid(place->schema))
		place->schema = pgt_topic_names_schema();
	place->alias = strlen(rest) < NAMEDATALEN ? NULL : pstrdup(rest);
	place->relation = place->alias == NULL ? pstrdup(rest) : shorten(rest);
	return OidIsValid(place->schema);
}

/* ---- ids ------------------------------------------------------------------- */

KafkaUuid
pgt_topic_names_id(Oid topic)
{
	uint64		system = pg_hton64(GetSystemIdentifier());
	uint32		database = pg_hton32(MyDatabaseId);
	uint32		relation = pg_hton32(topic);
	KafkaUuid	id;

	memcpy(id.bytes, &system, sizeof(system));
	memcpy(id.bytes + 8, &database, sizeof(database));
	memcpy(id.bytes + 12, &relation, sizeof(relation));
	return id;
}

Oid
pgt_topic_names_by_id(const KafkaUuid *id)
{
	uint32		relation;
	KafkaUuid	ours;

	memcpy(&relation, id->bytes + 12, sizeof(relation));
	relation = pg_ntoh32(relation);
	ours = pgt_topic_names_id(relation);
	if (memcmp(&ours, id, sizeof(ours)) != 0 || !OidIsValid(relation))
		return InvalidOid;
	if (pgt_topic_exists(relation))
		return relation;
	misses++;
	forget_misses();
	return InvalidOid;
}

bool
pgt_topic_names_id_is_null(const KafkaUuid *id)
{
	static const KafkaUuid null_id;

	return memcmp(id, &null_id, sizeof(null_id)) == 0;
}
