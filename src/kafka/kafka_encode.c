/*
 * kafka_encode.c
 *	  From a message's C structure to its bytes.
 *
 * The counterpart of kafka_decode.c: one walk over the rows of kafka_table.h.  The same walk
 * only counts if the writer says so.  That is how the size of a tagged field is found,
 * which stands before it, and how a caller learns how much room to make.
 *
 * What is written is byte for byte what Kafka's own classes write.
 *
 * A pause unwinds the walk.  The writer has noted on the way down which field of each structure it was in, and in
 * which element of an array: the next call goes down the same way, writes nothing on it, and goes on from there.
 */
#include "c.h"

#include "port/pg_bswap.h"

#include "kafka/kafka_encode.h"

#define MAX_STRING_LENGTH	32767

static bool encode_struct(KafkaWriter *w, const KafkaStruct *structure, const char *in);

/* Note the problem, and return false. */
static pg_noinline bool
fail(KafkaWriter *w, const KafkaField *field, const char *problem)
{
	w->problem = problem;
	w->field = field;
	return false;
}

/* ---- bytes ----------------------------------------------------------------- */

/*
 * Room for the next "length" bytes, which count as written: *room is NULL if they are only
 * counted.
 */
static inline bool
take_room(KafkaWriter *w, size_t length, char **room)
{
	*room = NULL;
	w->size += length;
	if (w->counting)
		return true;
	if (unlikely((size_t) (w->end - w->next) < length) && (w->grow == NULL || !w->grow(w, length)))
		return fail(w, NULL, "no room for the message");
	*room = w->next;
	w->next += length;
	return true;
}

static inline bool
put8(KafkaWriter *w, uint8 value)
{
	char	   *room;

	if (!take_room(w, sizeof(value), &room))
		return false;
	if (room)
		*room = (char) value;
	return true;
}

static inline bool
put16(KafkaWriter *w, uint16 value)
{
	char	   *room;

	if (!take_room(w, sizeof(value), &room))
		return false;
	value = pg_hton16(value);
	if (room)
		memcpy(room, &value, sizeof(value));
	return true;
}

static inline bool
put32(KafkaWriter *w, uint32 value)
{
	char	   *room;

	if (!take_room(w, sizeof(value), &room))
		return false;
	value = pg_hton32(value);
	if (room)
		memcpy(room, &value, sizeof(value));
	return true;
}

static inline bool
put64(KafkaWriter *w, uint64 value)
{
	char	   *room;

	if (!take_room(w, sizeof(value), &room))
		return false;
	value = pg_hton64(value);
	if (room)
		memcpy(room, &value, sizeof(value));
	return true;
}

static bool
put_bytes(KafkaWriter *w, const char *data, int32 length)
{
	char	   *room;

	if (!take_room(w, length, &room))
		return false;
	if (room && length > 0)
		memcpy(room, data, length);
	return true;
}

static inline bool
put_varint(KafkaWriter *w, uint32 value)
{
	for (; value >= 0x80; value >>= 7)
	{
		if (!put8(w, (uint8) (value | 0x80)))
			return false;
	}
	return put8(w, (uint8) value);
}

/* ---- defaults -------------------------------------------------------------- */

static bool is_default(const KafkaField *field, const char *value);

/* Whether a structure is as pgt_kafka_default_struct() leaves it. */
static bool
is_default_struct(const KafkaStruct *structure, const char *in)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];
	const KafkaField *end = field + structure->plain_count + structure->tagged_count;

	if (*(const KafkaTag *const *) in != NULL)
		return false;
	for (; field < end; field++)
	{
		if (!is_default(field, in + field->offset))
			return false;
	}
	return true;
}

/* Whether a length is that of a default: null if "number" is -1, else of nothing. */
static inline bool
is_default_length(int32 length, int64 number)
{
	return number < 0 ? length < 0 : length == 0;
}

/* Whether a field has its default. */
static bool
is_default(const KafkaField *field, const char *value)
{
	static const KafkaUuid zero;
	int64		number = pgt_kafka_field_defaults[field->default_value];

	if (field->flags & KAFKA_FIELD_ARRAY)
		return is_default_length(((const KafkaArray *) value)->count, number);
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
		case KAFKA_TYPE_INT8:
			return *(const int8 *) value == number;
		case KAFKA_TYPE_INT16:
			return *(const int16 *) value == number;
		case KAFKA_TYPE_UINT16:
			return *(const uint16 *) value == number;
		case KAFKA_TYPE_INT32:
			return *(const int32 *) value == number;
		case KAFKA_TYPE_INT64:
			return *(const int64 *) value == number;
		case KAFKA_TYPE_FLOAT64:
			return *(const double *) value == (double) number;
		case KAFKA_TYPE_UUID:
			return memcmp(value, &zero, sizeof(zero)) == 0;
		case KAFKA_TYPE_STRING:
			return is_default_length(((const KafkaString *) value)->length, number);
		case KAFKA_TYPE_BYTES:
			return is_default_length(((const KafkaBytes *) value)->length, number);
		case KAFKA_TYPE_RECORDS:
			return is_default_length(((const KafkaRecords *) value)->length, number);
		case KAFKA_TYPE_STRUCT:
			if (field->flags & KAFKA_FIELD_POINTER)
				return *(void *const *) value == NULL;
			return is_default_struct(&pgt_kafka_structs[field->structure], value);
	}
	pg_unreachable();
}

/* A field that the version does not have must have nothing to say. */
static inline bool
may_leave_out(KafkaWriter *w, const KafkaField *field, const char *value)
{
	return (field->flags & KAFKA_FIELD_IGNORABLE) || likely(is_default(field, value)) ||
		fail(w, field, "version has no such field");
}

/* ---- values ---------------------------------------------------------------- */

/* A length or count, negative for null; a plain one takes "width" bytes. */
static inline bool
put_length(KafkaWriter *w, const KafkaField *field, int width, bool nullable, int32 length)
{
	if (unlikely(length < 0))
	{
		if (!nullable)
			return fail(w, field, "null where the field must have a value");
		length = -1;
	}
	if (w->flexible && !(field->flags & KAFKA_FIELD_PLAIN))
		return put_varint(w, (uint32) length + 1);
	return width == 2 ? put16(w, (uint16) length) : put32(w, (uint32) length);
}

static inline bool
put_data(KafkaWriter *w, const KafkaField *field, bool nullable, const char *data, int32 length)
{
	return put_length(w, field, 4, nullable, length) && (length <= 0 || put_bytes(w, data, length));
}

static inline bool
put_string(KafkaWriter *w, const KafkaField *field, bool nullable, const KafkaString *string)
{
	if (unlikely(string->length > MAX_STRING_LENGTH))
		return fail(w, field, "string is too long");
	return put_length(w, field, 2, nullable, string->length) &&
		(string->length <= 0 || put_bytes(w, string->data, string->length));
}

static bool
put_records(KafkaWriter *w, const KafkaField *field, bool nullable, const KafkaRecords *records)
{
	if (records->source == NULL || records->length <= 0 || w->counting)
		return put_data(w, field, nullable, records->data, records->length);
	if (!put_length(w, field, 4, nullable, records->length))
		return false;
	w->size += records->length;
	return (w->splice != NULL && w->splice(w, records)) || fail(w, field, "records could not be sent");
}

/* A structure that may be null. */
static bool
put_pointer(KafkaWriter *w, const KafkaField *field, const char *structure)
{
	bool		nullable = pgt_kafka_field_nullable(field, w->version);

	if (structure == NULL)
		return nullable ? put8(w, (uint8) -1) : fail(w, field, "null where the field must have a value");
	return (!nullable || w->resumed > 0 || put8(w, 1)) && encode_struct(w, &pgt_kafka_structs[field->structure], structure);
}

/* One value, or one element of an array. */
static inline bool
encode_value(KafkaWriter *w, const KafkaField *field, bool nullable, const char *in)
{
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
			return put8(w, *(const bool *) in ? 1 : 0);
		case KAFKA_TYPE_INT8:
			return put8(w, *(const uint8 *) in);
		case KAFKA_TYPE_INT16:
		case KAFKA_TYPE_UINT16:
			return put16(w, *(const uint16 *) in);
		case KAFKA_TYPE_INT32:
			return put32(w, *(const uint32 *) in);
		case KAFKA_TYPE_INT64:
		case KAFKA_TYPE_FLOAT64:
			return put64(w, *(const uint64 *) in);
		case KAFKA_TYPE_UUID:
			return put_bytes(w, in, sizeof(KafkaUuid));
		case KAFKA_TYPE_STRING:
			return put_string(w, field, nullable, (const KafkaString *) in);
		case KAFKA_TYPE_BYTES:
			return put_data(w, field, nullable, ((const KafkaBytes *) in)->data,
							((const KafkaBytes *) in)->length);
		case KAFKA_TYPE_RECORDS:
			return put_records(w, field, nullable, (const KafkaRecords *) in);
		case KAFKA_TYPE_STRUCT:
			if (field->flags & KAFKA_FIELD_POINTER)
				return put_pointer(w, field, *(const char *const *) in);
			return encode_struct(w, &pgt_kafka_structs[field->structure], in);
	}
	pg_unreachable();
}

/* Is there a pause before this element? */
static inline bool
pauses(KafkaWriter *w, void *item, int32 i)
{
	w->places[w->level - 1].item = i;
	if (w->resumed > 0)
	{
		/* this is the element before which it paused, or that one is in a structure of it */
		if (w->resumed == w->level)
			w->resumed = 0;
		return false;
	}
	if (!w->pause(w, w->level - 1, item))
		return false;
	w->paused = true;
	w->resumed = w->level;
	return true;
}

/* An array of structures, which may be encoded in parts. */
static bool
encode_in_parts(KafkaWriter *w, const KafkaField *field, bool nullable, const KafkaArray *array)
{
	size_t		size = pgt_kafka_field_size(field);
	int32		i = w->resumed > 0 ? w->places[w->level - 1].item : 0;

	if (w->resumed == 0 && !put_length(w, field, 4, nullable, array->count))
		return false;
	for (; i < array->count; i++)
	{
		char	   *item = (char *) array->items + i * size;

		if (pauses(w, item, i) || !encode_value(w, field, false, item))
			return false;
	}
	return true;
}

static inline bool
encode_field(KafkaWriter *w, const KafkaField *field, const char *in)
{
	bool		nullable = pgt_kafka_field_nullable(field, w->version);
	const KafkaArray *array = (const KafkaArray *) in;
	size_t		size;

	if (!(field->flags & KAFKA_FIELD_ARRAY))
		return encode_value(w, field, nullable, in);
	if (w->pause != NULL && field->type == KAFKA_TYPE_STRUCT && w->level <= KAFKA_ENCODE_LEVELS)
		return encode_in_parts(w, field, nullable, array);
	if (!put_length(w, field, 4, nullable, array->count))
		return false;
	size = pgt_kafka_field_size(field);
	for (int32 i = 0; i < array->count; i++)
	{
		if (!encode_value(w, field, false, (const char *) array->items + i * size))
			return false;
	}
	return true;
}

/* ---- tagged fields --------------------------------------------------------- */

/* A tagged field: its tag, the size of its value, its value. */
static bool
put_tagged(KafkaWriter *w, const KafkaField *field, const char *value)
{
	KafkaWriter counter = {.version = w->version, .flexible = w->flexible, .counting = true};
	bool		(*pause) (KafkaWriter *writer, int level, void *item) = w->pause;
	bool		good;

	if (!encode_field(&counter, field, value))
		return fail(w, counter.field, counter.problem);
	w->pause = NULL;
	good = put_varint(w, field->tag) && put_varint(w, (uint32) counter.size) && encode_field(w, field, value);
	w->pause = pause;
	return good;
}

/* A field that was not known when the structure was decoded. */
static bool
put_unknown(KafkaWriter *w, const KafkaTag *unknown)
{
	return put_varint(w, unknown->tag) && put_varint(w, (uint32) unknown->length) &&
		put_bytes(w, unknown->data, unknown->length);
}

/*
 * The tagged fields of a structure: those that have a value, and those that were not
 * known when the structure was decoded.  "field" is the first that the schema has; their
 * tags are 0, 1, 2 ..., so the unknown ones come behind them.
 */
static bool
encode_tags(KafkaWriter *w, const KafkaField *field, int field_count, const char *in)
{
	const KafkaTag *unknown = *(const KafkaTag *const *) in;
	uint32		present = 0;
	uint32		count = 0;

	for (const KafkaTag *tag = unknown; tag != NULL; tag = tag->next)
		count++;
	for (int i = 0; i < field_count; i++)
	{
		if (!pgt_kafka_field_in(&field[i], w->version))
		{
			if (!may_leave_out(w, &field[i], in + field[i].offset))
				return false;
		}
		else if (!is_default(&field[i], in + field[i].offset))
		{
			present |= 1 << i;
			count++;
		}
	}
	if (!w->flexible)
		return count == 0 || fail(w, NULL, "version has no tagged fields");
	if (!put_varint(w, count))
		return false;
	for (int i = 0; present != 0; i++, present >>= 1)
	{
		if ((present & 1) && !put_tagged(w, &field[i], in + field[i].offset))
			return false;
	}
	for (; unknown != NULL; unknown = unknown->next)
	{
		if (!put_unknown(w, unknown))
			return false;
	}
	return true;
}

/* ---- structures ------------------------------------------------------------ */

static bool
encode_struct(KafkaWriter *w, const KafkaStruct *structure, const char *in)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];
	const KafkaField *tagged = field + structure->plain_count;
	int			level = w->level++;

	if (unlikely(level < w->resumed))
		field = w->places[level].field;
	for (; field < tagged; field++)
	{
		if (unlikely(w->pause != NULL) && level < KAFKA_ENCODE_LEVELS)
			w->places[level].field = field;
		if (unlikely(!pgt_kafka_field_in(field, w->version)))
		{
			if (!may_leave_out(w, field, in + field->offset))
				return false;
		}
		else if (!encode_field(w, field, in + field->offset))
			return false;
	}
	w->level = level;
	if (w->flexible && structure->tagged_count == 0 && likely(*(const KafkaTag *const *) in == NULL))
		return put8(w, 0);
	return encode_tags(w, tagged, structure->tagged_count, in);
}

bool
pgt_kafka_encode(KafkaWriter *w, KafkaStructId message, int version, const void *structure)
{
	const KafkaMessage *versions = &pgt_kafka_messages[Min(message, KAFKA_LAST_MESSAGE)];

	w->problem = NULL;
	w->field = NULL;
	w->paused = false;
	w->level = 0;
	if (message > KAFKA_LAST_MESSAGE || version < versions->first || version > versions->last)
		return fail(w, NULL, "version is not supported");
	w->version = version;
	w->flexible = version >= versions->flexible;
	return encode_struct(w, &pgt_kafka_structs[message], structure);
}

char *
pgt_kafka_encode_room(KafkaWriter *w, size_t length)
{
	char	   *room;

	return take_room(w, length, &room) ? room : NULL;
}

bool
pgt_kafka_encode_count(KafkaWriter *w, KafkaStructId message, int version, const void *structure)
{
	bool		good;

	w->counting = true;
	good = pgt_kafka_encode(w, message, version, structure);
	w->counting = false;
	return good;
}
