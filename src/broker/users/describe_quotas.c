/*
 * describe_quotas.c
 *	  DescribeClientQuotas: the quotas that a filter matches.
 *
 * They are those by which clients are served now, which are in memory (quota.c).  As the table is open to all who
 * want to read it, so are they.
 *
 * A filter has a component for a user, for a client-id, or for both: a name, the default, or whatever there is.  An
 * entity matches that has all of these; with "strict" it must have nothing else, and without any component all
 * match.  There are no quotas of addresses, so that nothing matches a filter for these.
 */
#include "postgres.h"

#include "broker/core/quota.h"
#include "broker/users/describe_quotas.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_quotas_api = {.key = KAFKA_API_DESCRIBE_CLIENT_QUOTAS, .serve = serve};

typedef KafkaDescribeClientQuotasRequestComponentData Component;
typedef KafkaDescribeClientQuotasResponseEntryData Entry;

/* Kafka's numbers of how a component matches. */
enum
{
	MATCH_NAME,
	MATCH_DEFAULT,
	MATCH_ANY
};

static const char *const part_names[] = {"user", "client-id", "ip"};

/* What is being found: a component for each part, or NULL. */
typedef struct QuotaSearch
{
	BrokerRequest *request;
	const Component *parts[DESCRIBE_QUOTAS_UNKNOWN];
	bool		strict;
	bool		all;			/* there is no component */
	List	   *found;			/* of QuotaRow */
} QuotaSearch;

DescribeQuotasPart
pgt_describe_quotas_part(KafkaString type)
{
	for (int part = 0; part < DESCRIBE_QUOTAS_UNKNOWN; part++)
	{
		if (type.length == (int32) strlen(part_names[part]) && memcmp(type.data, part_names[part], type.length) == 0)
			return part;
	}
	return DESCRIBE_QUOTAS_UNKNOWN;
}

/* ---- the filter ------------------------------------------------------------------------ */

/* Take a component; an error where it is none. */
static KafkaError
take_component(QuotaSearch *search, const Component *component, const char **message)
{
	DescribeQuotasPart part = pgt_describe_quotas_part(component->entity_type);

	if (part == DESCRIBE_QUOTAS_UNKNOWN)
	{
		*message = "the type of the entity is not supported";
		return component->entity_type.length == 0 ? KAFKA_ERROR_INVALID_REQUEST : KAFKA_ERROR_UNSUPPORTED_VERSION;
	}
	if (search->parts[part] != NULL)
		*message = "a type of entities cannot be in the filter more than once";
	else if (component->match_type < MATCH_NAME || component->match_type > MATCH_ANY)
		*message = "the way to match is unknown";
	else if ((component->match_type == MATCH_NAME) != (component->match.length >= 0))
		*message = "a name must be given where a name is to match, and nowhere else";
	else
	{
		search->parts[part] = component;
		return KAFKA_ERROR_NONE;
	}
	return KAFKA_ERROR_INVALID_REQUEST;
}

static KafkaError
take_filter(QuotaSearch *search, const KafkaDescribeClientQuotasRequest *body, const char **message)
{
	for (int32 i = 0; i < body->components.count; i++)
	{
		KafkaError	error = take_component(search, &body->components.items[i], message);

		if (error != KAFKA_ERROR_NONE)
			return error;
	}
	if (search->parts[DESCRIBE_QUOTAS_IP] != NULL && body->components.count > 1)
	{
		*message = "a filter cannot have addresses and users or clients";
		return KAFKA_ERROR_INVALID_REQUEST;
	}
	search->strict = body->strict;
	search->all = body->components.count == 0;
	return KAFKA_ERROR_NONE;
}

/* Does a component match that part of an entity? */
static bool
matches_part(const QuotaSearch *search, const Component *component, KafkaString name)
{
	if (component == NULL)
		return !search->strict || name.length < 0;
	if (component->match_type == MATCH_ANY)
		return name.length >= 0;
	if (component->match_type == MATCH_DEFAULT)
		return name.length == 0;
	return name.length > 0 && name.length == component->match.length && memcmp(name.data, component->match.data, name.length) == 0;
}

/* Add a row that matches. */
static void
consider(const QuotaRow *row, void *arg)
{
	QuotaSearch *search = arg;
	bool		has_limit = false;

	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
		has_limit |= row->limits[kind] > 0;
	if (has_limit && search->parts[DESCRIBE_QUOTAS_IP] == NULL &&
		matches_part(search, search->parts[DESCRIBE_QUOTAS_USER], row->role) &&
		matches_part(search, search->parts[DESCRIBE_QUOTAS_CLIENT_ID], row->client_id))
		search->found = lappend(search->found, (void *) row);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* Add a part of an entity, if it has it; the default is null to Kafka. */
static void
add_part(Entry *entry, DescribeQuotasPart part, KafkaString name)
{
	if (name.length < 0)
		return;
	entry->entity.items[entry->entity.count].entity_type = pgt_broker_string(part_names[part]);
	entry->entity.items[entry->entity.count++].entity_name = name.length == 0 ? pgt_broker_string(NULL) : name;
}

static void
fill_entry(BrokerRequest *request, const QuotaRow *row, Entry *entry)
{
	entry->entity.items = pgt_broker_array(request, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_ENTITY_DATA, 2);
	add_part(entry, DESCRIBE_QUOTAS_USER, row->role);
	add_part(entry, DESCRIBE_QUOTAS_CLIENT_ID, row->client_id);
	entry->values.items = pgt_broker_array(request, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_VALUE_DATA, QUOTA_KIND_COUNT);
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
	{
		if (row->limits[kind] == 0)
			continue;
		entry->values.items[entry->values.count].key = pgt_broker_string(pgt_quota_table_kinds[kind]);
		entry->values.items[entry->values.count++].value = row->limits[kind];
	}
}

/* There are not so many that this would have to be sliced (ROWS_MAX of quota.c). */
static void
serve(BrokerRequest *request)
{
	QuotaSearch search = {.request = request};
	KafkaDescribeClientQuotasResponse response;
	const char *message = NULL;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE, &response);
	response.error_code = take_filter(&search, request->kafka.body, &message);
	response.error_message = pgt_broker_string(message);
	response.entries.count = -1;
	if (response.error_code == KAFKA_ERROR_NONE)
	{
		if (!(search.all && search.strict))
			pgt_quota_visit(consider, &search);
		response.entries.count = list_length(search.found);
		response.entries.items = pgt_broker_array(request, KAFKA_DESCRIBE_CLIENT_QUOTAS_RESPONSE_ENTRY_DATA, response.entries.count);
		for (int i = 0; i < response.entries.count; i++)
			fill_entry(request, list_nth(search.found, i), &response.entries.items[i]);
	}
	pgt_broker_answer(request, &response);
}
