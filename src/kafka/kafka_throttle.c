/*
 * kafka_throttle.c
 *	  Where a response tells how long its client has to wait.
 *
 * Most responses have a field ThrottleTimeMs, mostly as their first one.  It is looked for by its name, which costs
 * nothing as long as nobody has to wait.
 */
#include "c.h"

#include "kafka/kafka_api.h"
#include "kafka/kafka_throttle.h"

#define FIELD_NAME	"throttleTimeMs"

/* The field of a response; NULL: it has none in this version. */
static const KafkaField *
find_field(const KafkaApi *api, int version)
{
	const KafkaStruct *structure = &pgt_kafka_structs[api->response];
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];

	for (int i = 0; i < structure->plain_count; i++, field++)
	{
		if (pgt_kafka_field_in(field, version) && strcmp(pgt_kafka_field_name(field), FIELD_NAME) == 0)
			return field;
	}
	return NULL;
}

void
pgt_kafka_throttle_set(const KafkaApi *api, int version, void *response, int32 ms)
{
	const KafkaField *field = find_field(api, version);

	if (field != NULL)
		memcpy((char *) response + field->offset, &ms, sizeof(ms));
}

/* How many bytes a field takes on the wire; 0: that depends on its value. */
static size_t
fixed_size(const KafkaField *field)
{
	if (field->flags & KAFKA_FIELD_ARRAY)
		return 0;
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
		case KAFKA_TYPE_INT8:
			return 1;
		case KAFKA_TYPE_INT16:
		case KAFKA_TYPE_UINT16:
			return 2;
		case KAFKA_TYPE_INT32:
			return 4;
		case KAFKA_TYPE_INT64:
		case KAFKA_TYPE_FLOAT64:
			return 8;
		default:
			return 0;
	}
}

size_t
pgt_kafka_throttle_place(const KafkaApi *api, int version)
{
	const KafkaField *wanted = find_field(api, version);
	const KafkaField *field = &pgt_kafka_fields[pgt_kafka_structs[api->response].first_field];
	/* the size, the correlation id, and no tagged fields */
	size_t		place = 4 + 4 + (pgt_kafka_api_response_header(api, version) >= 1 ? 1 : 0);

	if (wanted == NULL)
		return 0;
	for (; field != wanted; field++)
	{
		size_t		size = pgt_kafka_field_in(field, version) ? fixed_size(field) : 0;

		if (size == 0 && pgt_kafka_field_in(field, version))
			return 0;
		place += size;
	}
	return place;
}
