/*
 * alter_quotas.c
 *	  AlterClientQuotas: rows of the table of quotas.
 *
 * Each entity of the request is a row, and is changed in a transaction of its own by statements that run as the
 * client's role, in a helper process: so the privileges on the table say who may.  Processes that serve clients are
 * told when it commits (quota_table.c).
 *
 *	  31	the role has no privileges on the table
 *	  42	an entity that is none; a quota that there is not, or not with this value; a quota of an address
 *
 * Nothing here depends on the search path: it is set for the statements.
 */
#include "postgres.h"

#include <math.h>

#include "broker/core/quota_table.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/alter_quotas.h"
#include "broker/users/describe_quotas.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "kafka/kafka_default.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_alter_quotas_api = {.key = KAFKA_API_ALTER_CLIENT_QUOTAS, .serve = serve};
const HelperApi pgt_alter_quotas_helper = {.key = KAFKA_API_ALTER_CLIENT_QUOTAS, .run = run};

#define TIMEOUT_MS		30000
#define LARGEST_LONG	9223372036854775807.0	/* of Kafka's */

typedef KafkaAlterClientQuotasRequestEntryData WantedEntry;
typedef KafkaAlterClientQuotasResponseEntryData EntryResult;

/* What is to become of an entity's quotas. */
typedef struct QuotaChange
{
	KafkaString role;			/* null: it has none; empty: the default */
	KafkaString client_id;
	bool		mentioned[QUOTA_KIND_COUNT];
	double		limits[QUOTA_KIND_COUNT];	/* 0: to be removed */
} QuotaChange;

/* ---- what is wanted -------------------------------------------------------------------- */

/* Take the entity; NULL, or what is wrong with it. */
static const char *
take_entity(const WantedEntry *wanted, QuotaChange *change)
{
	change->role.length = change->client_id.length = -1;
	for (int32 i = 0; i < wanted->entity.count; i++)
	{
		KafkaString name = wanted->entity.items[i].entity_name;
		DescribeQuotasPart part = pgt_describe_quotas_part(wanted->entity.items[i].entity_type);
		KafkaString *place = part == DESCRIBE_QUOTAS_USER ? &change->role : &change->client_id;

		if (part == DESCRIBE_QUOTAS_IP)
			return "addresses have no quotas: pg_topics.kafka_max_connections_per_ip limits their connections";
		if (part == DESCRIBE_QUOTAS_UNKNOWN)
			return "the type of the entity is not supported";
		if (place->length >= 0)
			return "a type stands in the entity more than once";
		if (name.length == 0)
			return "a name is empty";
		*place = name.length < 0 ? (KafkaString) {.data = "", .length = 0} : name;
	}
	return change->role.length < 0 && change->client_id.length < 0 ? "the entity is empty" : NULL;
}

/* What is wrong with a quota's value; NULL: nothing. */
static const char *
value_problem(QuotaKind kind, double value)
{
	if (!(value > 0) || isinf(value))
		return "a quota must be greater than 0";
	if (kind != QUOTA_PRODUCER_BYTE_RATE && kind != QUOTA_CONSUMER_BYTE_RATE)
		return NULL;
	if (value > LARGEST_LONG)
		return "a quota of bytes is too large";
	return fmod(value, 1) > 1e-6 ? "a quota of bytes cannot be a fraction" : NULL;
}

/* The kind of that name; QUOTA_KIND_COUNT: none. */
static int
kind_of(KafkaString key)
{
	int			kind = 0;

	while (kind < QUOTA_KIND_COUNT &&
		   (key.length != (int32) strlen(pgt_quota_table_kinds[kind]) ||
			memcmp(key.data, pgt_quota_table_kinds[kind], key.length) != 0))
		kind++;
	return kind;
}

/* Take what is to be changed; NULL, or what is wrong with that. */
static const char *
take_change(const WantedEntry *wanted, QuotaChange *change)
{
	const char *problem = take_entity(wanted, change);

	for (int32 i = 0; problem == NULL && i < wanted->ops.count; i++)
	{
		int			kind = kind_of(wanted->ops.items[i].key);

		if (kind == QUOTA_KIND_COUNT)
			return "there is no such quota for users and clients";
		if (change->mentioned[kind])
			return "a quota stands in the entry more than once";
		if (!wanted->ops.items[i].remove)
			problem = value_problem(kind, wanted->ops.items[i].value);
		change->mentioned[kind] = true;
		change->limits[kind] = wanted->ops.items[i].remove ? 0 : wanted->ops.items[i].value;
	}
	return problem;
}

/* ---- statements ----------------------------------------------------------------------------- */

/* A string as a parameter. */
static Datum
text_parameter(KafkaString string, char *null)
{
	*null = string.length < 0 ? 'n' : ' ';
	if (string.length < 0)
		return (Datum) 0;
	if (memchr(string.data, '\0', string.length) != NULL)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REQUEST, "a name has a zero byte");
	return CStringGetTextDatum(pg_any_to_server(pnstrdup(string.data, string.length), string.length, PG_UTF8));
}

/* Run a statement about an entity, which is $1 and $2; the limits are from $3 on. */
static void
execute(const QuotaChange *change, const char *statement)
{
	Oid			types[2 + QUOTA_KIND_COUNT] = {TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
	Datum		values[2 + QUOTA_KIND_COUNT];
	char		nulls[2 + QUOTA_KIND_COUNT];

	values[0] = text_parameter(change->role, &nulls[0]);
	values[1] = text_parameter(change->client_id, &nulls[1]);
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
	{
		values[2 + kind] = Float8GetDatum(change->limits[kind]);
		nulls[2 + kind] = change->limits[kind] == 0 ? 'n' : ' ';
	}
	if (SPI_execute_with_args(statement, lengthof(types), types, values, nulls, false, 0) < 0)
		elog(ERROR, "could not execute: %s", statement);
}

/* The assignments of the columns that are mentioned. */
static char *
assignments_of(const QuotaChange *change)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
		if (change->mentioned[kind])
			appendStringInfo(&text, "%s%s = $%d", text.len > 0 ? ", " : "", pgt_quota_table_kinds[kind], 3 + kind);
	return text.data;
}

/* Change the entity's row; in a transaction. */
static void
apply(void *arg)
{
	const QuotaChange *change = arg;
	Oid			table = pgt_quota_table_oid();
	const char *name;
	char	   *assignments = assignments_of(change);
	const char *where = "WHERE role_name IS NOT DISTINCT FROM $1 AND client_id IS NOT DISTINCT FROM $2";

	if (!OidIsValid(table))
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "the table of quotas is missing");
	name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	SPI_connect();
	execute(change, psprintf("INSERT INTO %s (role_name, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", name));
	if (*assignments != '\0')
		execute(change, psprintf("UPDATE %s SET %s %s", name, assignments, where));
	execute(change, psprintf("DELETE FROM %s %s AND coalesce(%s, %s, %s, %s) IS NULL", name, where, pgt_quota_table_kinds[0],
							 pgt_quota_table_kinds[1], pgt_quota_table_kinds[2], pgt_quota_table_kinds[3]));
	SPI_finish();
}

/* ---- the answer -------------------------------------------------------------------------------- */

static void
fail(EntryResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* A response with an entry for each entity, without errors. */
static void
begin_response(BrokerRequest *request, KafkaAlterClientQuotasResponse *response)
{
	const KafkaAlterClientQuotasRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE, response);
	response->entries.count = body->entries.count;
	response->entries.items = pgt_broker_array(request, KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE_ENTRY_DATA, body->entries.count);
	for (int32 i = 0; i < body->entries.count; i++)
	{
		const WantedEntry *wanted = &body->entries.items[i];
		EntryResult *result = &response->entries.items[i];

		result->error_message = pgt_broker_string(NULL);
		result->entity.count = wanted->entity.count;
		result->entity.items = pgt_broker_array(request, KAFKA_ALTER_CLIENT_QUOTAS_RESPONSE_ENTITY_DATA, wanted->entity.count);
		for (int32 j = 0; j < wanted->entity.count; j++)
		{
			result->entity.items[j].entity_type = wanted->entity.items[j].entity_type;
			result->entity.items[j].entity_name = wanted->entity.items[j].entity_name;
		}
	}
}

static void
serve_entry(HelperCall *call, const WantedEntry *wanted, bool dry, EntryResult *result)
{
	QuotaChange change = {0};
	const char *problem = take_change(wanted, &change);
	char	   *message;
	KafkaError	error;

	if (problem != NULL)
	{
		fail(result, KAFKA_ERROR_INVALID_REQUEST, problem);
		return;
	}
	error = pgt_topic_change_run_for_cluster(call, apply, &change, dry, &message);
	if (error != KAFKA_ERROR_NONE)
		fail(result, error, message);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaAlterClientQuotasRequest *body = call->request.kafka.body;
	KafkaAlterClientQuotasResponse response;

	begin_response(&call->request, &response);
	for (int32 i = 0; i < body->entries.count; i++)
		serve_entry(call, &body->entries.items[i], body->validate_only, &response.entries.items[i]);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop ---------------------------------------------------------------------------------- */

/* Answer with an error for all entities. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaAlterClientQuotasResponse response;

	begin_response(request, &response);
	for (int32 i = 0; i < response.entries.count; i++)
		fail(&response.entries.items[i], error, message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	pgt_helper_pool_hand(request, TIMEOUT_MS, refuse);
}
