/*
 * kafka_decode.c
 *	  From the bytes of a message to its C structure.
 *
 * One walk over the rows of kafka_table.h decodes each message of each version.  It takes
 * and refuses what Kafka's own parser takes and refuses, of which test/kafka has examples:
 *
 *	  - each negative length or count is null, not only -1;
 *	  - a varint may be longer than it need be, up to 5 bytes;
 *	  - the size of a tagged field that the schema knows is not looked at; of several with
 *		the same tag the last one counts; one of a later version is refused;
 *	  - bytes behind the message are left alone;
 *	  - arrays of more than a million elements, more than 10,000 tagged fields in a
 *		structure and strings of more than 32,767 bytes are refused.
 *
 * Hostile bytes: each read compares with the end first.  An array is made when the rest of
 * the bytes can hold as many of the shortest elements, so memory is at most a multiple of the
 * frame's length: of the structures in arrays none takes more than 24 times its bytes, and
 * an empty string or tagged field takes 16 times its own.  The walk goes as deep as the schema
 * does, since make_messages refuses a structure that contains itself.
 */
#include "c.h"

#include "port/pg_bswap.h"

#include "kafka/kafka_decode.h"
#include "kafka/kafka_default.h"

#define MAX_ELEMENTS		1000000
#define MAX_TAGS			10000
#define MAX_STRING_LENGTH	32767

const char *const pgt_kafka_decode_no_memory = "out of memory";

static const char past_end[] = "message is cut off";

static bool decode_struct(KafkaReader *r, const KafkaStruct *structure, char *out);

/* Note the problem, and return false. */
static pg_noinline bool
fail(KafkaReader *r, const KafkaField *field, const char *problem)
{
	r->problem = problem;
	r->field = field;
	return false;
}

static inline size_t
remaining(const KafkaReader *r)
{
	return r->end - r->next;
}

/* Whether that many bytes are left. */
static inline bool
has_bytes(KafkaReader *r, const KafkaField *field, size_t length)
{
	return likely(remaining(r) >= length) || fail(r, field, past_end);
}

/* ---- numbers --------------------------------------------------------------- */

/* These take bytes that has_bytes() has seen. */
static inline uint16
take16(KafkaReader *r)
{
	uint16		value;

	memcpy(&value, r->next, sizeof(value));
	r->next += sizeof(value);
	return pg_ntoh16(value);
}

static inline uint32
take32(KafkaReader *r)
{
	uint32		value;

	memcpy(&value, r->next, sizeof(value));
	r->next += sizeof(value);
	return pg_ntoh32(value);
}

static inline uint64
take64(KafkaReader *r)
{
	uint64		value;

	memcpy(&value, r->next, sizeof(value));
	r->next += sizeof(value);
	return pg_ntoh64(value);
}

bool
pgt_kafka_decode_varint(KafkaReader *r, uint32 *value)
{
	*value = 0;
	for (int shift = 0;; shift += 7)
	{
		uint8		byte;

		if (unlikely(r->next == r->end))
			return fail(r, NULL, past_end);
		byte = (uint8) *r->next++;
		*value |= (uint32) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
		if (shift == 28)
			return fail(r, NULL, "variable-length number is longer than 5 bytes");
	}
}

static inline bool
decode_varint(KafkaReader *r, uint32 *value)
{
	if (likely(r->next < r->end && (uint8) *r->next < 0x80))
	{
		*value = (uint8) *r->next++;
		return true;
	}
	return pgt_kafka_decode_varint(r, value);
}

/* ---- lengths and counts ---------------------------------------------------- */

/*
 * The length of a value, or the count of an array: -1 for null, where the field may be
 * null.  A plain one takes "width" bytes.
 */
static inline bool
decode_length(KafkaReader *r, const KafkaField *field, int width, bool nullable, int32 *length)
{
	uint32		number;

	if (r->flexible && !(field->flags & KAFKA_FIELD_PLAIN))
	{
		if (!decode_varint(r, &number))
		{
			r->field = field;
			return false;
		}
		*length = (int32) (number - 1);
	}
	else
	{
		if (!has_bytes(r, field, width))
			return false;
		*length = width == 2 ? (int16) take16(r) : (int32) take32(r);
	}
	if (likely(*length >= 0))
		return true;
	*length = -1;
	return nullable || fail(r, field, "null where the field must have a value");
}

/* Set *data to the next bytes, and pass them; NULL for a length of -1. */
static inline bool
decode_data(KafkaReader *r, const KafkaField *field, int32 length, const char **data)
{
	*data = NULL;
	if (length < 0)
		return true;
	if (!has_bytes(r, field, length))
		return false;
	*data = r->next;
	r->next += length;
	return true;
}

static inline bool
decode_string(KafkaReader *r, const KafkaField *field, bool nullable, KafkaString *out)
{
	if (!decode_length(r, field, 2, nullable, &out->length))
		return false;
	if (unlikely(out->length > MAX_STRING_LENGTH))
		return fail(r, field, "string is too long");
	return decode_data(r, field, out->length, &out->data);
}

/* A structure that may be null: a byte says whether it is there. */
static bool
decode_pointer(KafkaReader *r, const KafkaField *field, char *out)
{
	const KafkaStruct *structure = &pgt_kafka_structs[field->structure];
	char	   *memory = NULL;

	memcpy(out, &memory, sizeof(memory));
	if (pgt_kafka_field_nullable(field, r->version))
	{
		if (!has_bytes(r, field, 1))
			return false;
		if ((int8) *r->next++ < 0)
			return true;
	}
	memory = pgt_kafka_arena_alloc(r->arena, structure->size);
	if (memory == NULL)
		return fail(r, field, pgt_kafka_decode_no_memory);
	memcpy(out, &memory, sizeof(memory));
	return decode_struct(r, structure, memory);
}

/* ---- values ---------------------------------------------------------------- */

/* One value, or one element of an array. */
static inline bool
decode_value(KafkaReader *r, const KafkaField *field, bool nullable, char *out)
{
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
			if (!has_bytes(r, field, 1))
				return false;
			*(bool *) out = *r->next++ != 0;
			return true;
		case KAFKA_TYPE_INT8:
			if (!has_bytes(r, field, 1))
				return false;
			*out = *r->next++;
			return true;
		case KAFKA_TYPE_INT16:
		case KAFKA_TYPE_UINT16:
			if (!has_bytes(r, field, 2))
				return false;
			*(uint16 *) out = take16(r);
			return true;
		case KAFKA_TYPE_INT32:
			if (!has_bytes(r, field, 4))
				return false;
			*(uint32 *) out = take32(r);
			return true;
		case KAFKA_TYPE_INT64:
		case KAFKA_TYPE_FLOAT64:
			if (!has_bytes(r, field, 8))
				return false;
			*(uint64 *) out = take64(r);
			return true;
		case KAFKA_TYPE_UUID:
			if (!has_bytes(r, field, sizeof(KafkaUuid)))
				return false;
			memcpy(out, r->next, sizeof(KafkaUuid));
			r->next += sizeof(KafkaUuid);
			return true;
		case KAFKA_TYPE_STRING:
			return decode_string(r, field, nullable, (KafkaString *) out);
		case KAFKA_TYPE_BYTES:
			return decode_length(r, field, 4, nullable, &((KafkaBytes *) out)->length) &&
				decode_data(r, field, ((KafkaBytes *) out)->length, &((KafkaBytes *) out)->data);
		case KAFKA_TYPE_RECORDS:
			return decode_length(r, field, 4, nullable, &((KafkaRecords *) out)->length) &&
				decode_data(r, field, ((KafkaRecords *) out)->length, &((KafkaRecords *) out)->data);
		case KAFKA_TYPE_STRUCT:
			if (field->flags & KAFKA_FIELD_POINTER)
				return decode_pointer(r, field, out);
			return decode_struct(r, &pgt_kafka_structs[field->structure], out);
	}
	pg_unreachable();
}

/* The fewest bytes that an element of an array takes. */
static size_t
min_element_size(const KafkaReader *r, const KafkaField *field)
{
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_STRING:
			return r->flexible ? 1 : 2;
		case KAFKA_TYPE_BYTES:
		case KAFKA_TYPE_RECORDS:
			return r->flexible ? 1 : 4;
		case KAFKA_TYPE_STRUCT:
			return pgt_kafka_structs[field->structure].min_size;
		default:
			return pgt_kafka_field_size(field);
	}
}

static bool
decode_array(KafkaReader *r, const KafkaField *field, bool nullable, KafkaArray *out)
{
	size_t		size = pgt_kafka_field_size(field);
	char	   *items = NULL;
	int32		count;

	if (!decode_length(r, field, 4, nullable, &count))
		return false;
	if (count > 0)
	{
		if (count > MAX_ELEMENTS)
			return fail(r, field, "array has too many elements");
		if (count > remaining(r) / min_element_size(r, field))
			return fail(r, field, "array has more elements than the message can hold");
		items = pgt_kafka_arena_alloc(r->arena, count * size);
		if (items == NULL)
			return fail(r, field, pgt_kafka_decode_no_memory);
	}
	for (int32 i = 0; i < count; i++)
	{
		if (!decode_value(r, field, false, items + i * size))
			return false;
	}
	out->items = items;
	out->count = count;
	return true;
}

static inline bool
decode_field(KafkaReader *r, const KafkaField *field, char *out)
{
	bool		nullable = pgt_kafka_field_nullable(field, r->version);

	if (field->flags & KAFKA_FIELD_ARRAY)
		return decode_array(r, field, nullable, (KafkaArray *) out);
	return decode_value(r, field, nullable, out);
}

/* ---- tagged fields --------------------------------------------------------- */

/* The structure's field of that tag, or NULL. */
static const KafkaField *
field_of_tag(const KafkaStruct *structure, uint32 tag)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field + structure->plain_count];

	for (int i = 0; i < structure->tagged_count; i++, field++)
	{
		if (field->tag == tag)
			return field;
	}
	return NULL;
}

/* Keep a field that the schema does not know, at the list's end. */
static bool
keep_unknown(KafkaReader *r, uint32 tag, uint32 size, KafkaTag ***end)
{
	KafkaTag   *unknown;

	if (size > remaining(r))
		return fail(r, NULL, "tagged field passes the end of the message");
	unknown = pgt_kafka_arena_alloc(r->arena, sizeof(KafkaTag));
	if (unknown == NULL)
		return fail(r, NULL, pgt_kafka_decode_no_memory);
	unknown->tag = tag;
	unknown->length = (int32) size;
	unknown->data = r->next;
	unknown->next = NULL;
	r->next += size;
	**end = unknown;
	*end = &unknown->next;
	return true;
}

/* The tagged fields at the end of a structure, of which "count" are announced. */
static pg_noinline bool
decode_tags(KafkaReader *r, const KafkaStruct *structure, uint32 count, char *out)
{
	KafkaTag  **end = (KafkaTag **) out;	/* unknown_tags, the first member of each structure */

	if (count > MAX_TAGS)
		return fail(r, NULL, "structure has too many tagged fields");
	if (count > remaining(r))
		return fail(r, NULL, "structure has more tagged fields than the message can hold");
	for (; count > 0; count--)
	{
		const KafkaField *field;
		uint32		tag;
		uint32		size;

		if (!decode_varint(r, &tag) || !decode_varint(r, &size))
			return false;
		field = field_of_tag(structure, tag);
		if (field == NULL)
		{
			if (!keep_unknown(r, tag, size, &end))
				return false;
		}
		else if (!pgt_kafka_field_in(field, r->version))
			return fail(r, field, "tagged field is not of this version");
		else if (!decode_field(r, field, out + field->offset))
			return false;
	}
	return true;
}

/* ---- structures ------------------------------------------------------------ */

static bool
decode_struct(KafkaReader *r, const KafkaStruct *structure, char *out)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];
	const KafkaField *tagged = field + structure->plain_count;
	const KafkaField *end = tagged + structure->tagged_count;
	uint32		count;

	memset(out, 0, structure->size);
	for (; field < tagged; field++)
	{
		if (!pgt_kafka_field_in(field, r->version))
			pgt_kafka_default_field(field, out + field->offset);
		else if (!decode_field(r, field, out + field->offset))
			return false;
	}
	for (; field < end; field++)
		pgt_kafka_default_field(field, out + field->offset);
	if (!r->flexible)
		return true;
	if (!decode_varint(r, &count))
		return false;
	return likely(count == 0) || decode_tags(r, structure, count, out);
}

void *
pgt_kafka_decode(KafkaReader *r, KafkaStructId message, int version)
{
	const KafkaMessage *versions = &pgt_kafka_messages[Min(message, KAFKA_LAST_MESSAGE)];
	const KafkaStruct *structure = &pgt_kafka_structs[message];
	char	   *out;

	r->problem = NULL;
	r->field = NULL;
	if (message > KAFKA_LAST_MESSAGE || version < versions->first || version > versions->last)
	{
		fail(r, NULL, "version is not supported");
		return NULL;
	}
	r->version = version;
	r->flexible = version >= versions->flexible;
	out = pgt_kafka_arena_alloc(r->arena, structure->size);
	if (out == NULL)
	{
		fail(r, NULL, pgt_kafka_decode_no_memory);
		return NULL;
	}
	return decode_struct(r, structure, out) ? out : NULL;
}
