/*
 * kafka_default.c
 *	  Structures with the defaults of Kafka's schemas.
 *
 * Most defaults are zero, so a structure is cleared as a whole, and only the others are
 * set one by one.
 */
#include "c.h"

#include "kafka/kafka_default.h"

/* Give the fields of a structure, whose memory is zeros, their defaults. */
static void
init_fields(const KafkaStruct *structure, char *memory)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];
	const KafkaField *end = field + structure->plain_count + structure->tagged_count;

	for (; field < end; field++)
		pgt_kafka_default_field(field, memory + field->offset);
}

void
pgt_kafka_default_field(const KafkaField *field, void *value)
{
	int64		number = pgt_kafka_field_defaults[field->default_value];

	if (field->flags & KAFKA_FIELD_ARRAY)
	{
		((KafkaArray *) value)->count = (int32) number;
		return;
	}
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
		case KAFKA_TYPE_INT8:
			*(int8 *) value = (int8) number;
			break;
		case KAFKA_TYPE_INT16:
		case KAFKA_TYPE_UINT16:
			*(int16 *) value = (int16) number;
			break;
		case KAFKA_TYPE_INT32:
			*(int32 *) value = (int32) number;
			break;
		case KAFKA_TYPE_INT64:
			*(int64 *) value = number;
			break;
		case KAFKA_TYPE_FLOAT64:
			*(double *) value = (double) number;
			break;
		case KAFKA_TYPE_UUID:
			break;
		case KAFKA_TYPE_STRING:
			((KafkaString *) value)->length = (int32) number;
			break;
		case KAFKA_TYPE_BYTES:
			((KafkaBytes *) value)->length = (int32) number;
			break;
		case KAFKA_TYPE_RECORDS:
			((KafkaRecords *) value)->length = (int32) number;
			break;
		case KAFKA_TYPE_STRUCT:
			if (!(field->flags & KAFKA_FIELD_POINTER))
				init_fields(&pgt_kafka_structs[field->structure], value);
			break;
	}
}

void
pgt_kafka_default_struct(KafkaStructId id, void *structure)
{
	memset(structure, 0, pgt_kafka_structs[id].size);
	init_fields(&pgt_kafka_structs[id], structure);
}

void *
pgt_kafka_default_array(KafkaArena *arena, KafkaStructId id, int32 count)
{
	size_t		size = pgt_kafka_structs[id].size;
	char	   *items = pgt_kafka_arena_alloc(arena, count * size);

	if (items == NULL || count <= 0)
		return items;
	pgt_kafka_default_struct(id, items);
	for (int32 i = 1; i < count; i++)
		memcpy(items + i * size, items, size);
	return items;
}
