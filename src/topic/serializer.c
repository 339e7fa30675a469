/*
 * serializer.c
 *	  Typed SQL values to record bytes and back.
 *
 * A record's key and value are bytes.  What they mean is the type of the
 * topic's column: bytea is stored as it is, every other type as the text its
 * output function gives, so that any Kafka client reads it.
 *
 *	  column's own type  --serialize-->     bytes  --deserialize-->  the type
 *	  any other type  --text--> the column's input function --serialize--> bytes
 *						(of a boolean for a JSON column: true, false)
 *
 * Text in a record is UTF-8 whatever the database's encoding is; a SQL_ASCII
 * database does not know its encoding, so bytes pass unchanged.  The bytes on disk
 * may have been written elsewhere: reading verifies them before they become text.
 *
 * Most columns are text, and produce() and scans come through here for every record:
 * text costs no call of a type's function in either direction, and no copy on the
 * way in.  Types that check their values (a length) always go through their input function.
 *
 * The text of a value does not depend on the settings of the session that produces or
 * reads it (text_settings.c).  Only what a statement itself says as text, a literal or a
 * value of type text, is read with the session's settings, as in a cast.
 *
 * The values of a domain are written and read as those of its base type, and then checked,
 * with the session's own settings: a check may call functions that need its search_path.
 * A null is checked on its way in, for which each way in calls pgt_serialize() or
 * pgt_serialize_any().  On the way out it is not: a record may be older than NOT NULL.
 *
 * Memory: a Serializer's function caches live in the context it was made in;
 * results in the current one.  Output functions of argument types that are
 * not the column's are kept in a small table for the session.
 *
 * Headers are a jsonb object; see pgt_serialize_headers() for its shapes.
 *
 * No locks, no I/O.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "topic/serializer.h"
#include "topic/text_settings.h"
#include "util/ascii.h"
#include "util/compat.h"

/* The output function of an argument's type. */
typedef struct OutputSlot
{
	Oid			type;			/* InvalidOid: not in use */
	FmgrInfo	output;
	int			settings;		/* TEXT_SETTING_*: the session's on which its text depends */
	MemoryContext context;		/* of the function's own caches */
} OutputSlot;

#define OUTPUT_SLOTS	16

static OutputSlot output_slots[OUTPUT_SLOTS];

static const ByteView null_view = {NULL, -1};

/*
 * The largest number of headers in a produced record; a reader needs some 200 bytes of
 * memory for each.
 */
#define MAX_HEADERS		(1024 * 1024)

/*
 * Bytes that a header may take in a jsonb beside its name and value: the entry of its
 * array element if its name is repeated, and its share of the array's head, entries
 * and alignment.
 */
#define JSONB_OVERHEAD	12

/* ---- preparing ---------------------------------------------------------- */

/* Is the stored form of the type its text? */
static bool
is_text_type(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

void
pgt_serializer_init(Serializer *s, Oid type, int32 typmod, const char *topic,
					const char *column, MemoryContext context)
{
	Oid			function;
	bool		is_varlena;

	if (get_typtype(type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of a topic cannot be of type %s",
						column, format_type_be(type)),
				 errhint("Use a type whose values can be stored, such as text, bytea or jsonb.")));

	memset(s, 0, sizeof(*s));
	s->type = type;
	s->base = getBaseTypeAndTypmod(type, &typmod);
	s->typmod = typmod;
	s->is_bytea = s->base == BYTEAOID;
	s->is_text = is_text_type(type) && typmod < 0;
	s->settings = pgt_text_settings_of(type);
	s->context = context;
	namestrcpy(&s->column, column);
	namestrcpy(&s->topic, topic);

	getTypeOutputInfo(s->base, &function, &is_varlena);
	fmgr_info_cxt(function, &s->output, context);
	getTypeInputInfo(s->base, &function, &s->input_param);
	fmgr_info_cxt(function, &s->input, context);
}

/* ---- text in records ---------------------------------------------------- */

/* Does the database's text have to be converted on its way to and from a record? */
static bool
must_convert(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding != PG_UTF8 && encoding != PG_SQL_ASCII;
}

KeyShape
pgt_serializer_shape(const Serializer *s)
{
	KeyShape	shape = {KEY_SHAPE_NONE};

	switch (s->base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			shape.form = KEY_SHAPE_INTEGER;
			return shape;
		case UUIDOID:
			shape.form = KEY_SHAPE_UUID;
			return shape;
		case BYTEAOID:
			shape.form = KEY_SHAPE_EXACT;
			return shape;
	}

	/* two texts of a record may become one in an encoding that has fewer characters */
	if (must_convert())
		return shape;
	if (s->base == TEXTOID || s->base == VARCHAROID)
	{
		shape.form = s->typmod < (int32) VARHDRSZ ? KEY_SHAPE_EXACT : KEY_SHAPE_LIMITED;
		shape.limit = s->typmod - (int32) VARHDRSZ;
	}
	else if (get_typtype(s->base) == TYPTYPE_ENUM)
		shape.form = KEY_SHAPE_EXACT;
	return shape;
}

ByteView
pgt_serialize_text(const char *data, int32 length)
{
	ByteView	view = {data, length};

	if (must_convert() && length > 0)
	{
		view.data = pg_server_to_any(data, length, PG_UTF8);
		if (view.data != data)
			view.length = strlen(view.data);
	}
	return view;
}

/*
 * The bytes of a record as text in the database's encoding, with *length adjusted;
 * a copy is made only where the text is converted.  ERROR where they are not valid text.
 * ASCII is the same in all encodings of a server.
 */
static const char *
bytes_to_text(const char *bytes, int32 *length, const char *column)
{
	int			encoding;
	char	   *converted;

	if (pgt_ascii_is_all(bytes, *length))
		return bytes;
	encoding = GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
	if (!pg_verify_mbstr(encoding, bytes, *length, true))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("record %s is not valid text in encoding %s", column,
						pg_encoding_to_char(encoding)),
				 errhint("Declare the topic's column \"%s\" as bytea to read such records.", column)));
	if (!must_convert() || *length == 0)
		return bytes;

	converted = pg_any_to_server(bytes, *length, PG_UTF8);
	if (converted != bytes)
		*length = strlen(converted);
	return converted;
}

/* ---- values to bytes ---------------------------------------------------- */

/* Call an output function, with fixed values for some settings. */
static char *
output_text(FmgrInfo *output, int settings, Datum value)
{
	char	   *text;
	int			level;

	if (settings == 0)
		return OutputFunctionCall(output, value);
	level = pgt_text_settings_fix(settings);
	text = OutputFunctionCall(output, value);
	pgt_text_settings_restore(level);
	return text;
}

/* ERROR if the column's type is a domain that refuses the value. */
static inline void
check_domain(Serializer *s, Datum value, bool isnull)
{
	if (unlikely(s->type != s->base))
		domain_check(value, isnull, s->type, &s->domain, s->context);
}

/* Tell which column an input function or a domain refuses a value for. */
static void
column_context(void *arg)
{
	Serializer *s = arg;

	errcontext("column \"%s\" of topic \"%s\"", NameStr(s->column), NameStr(s->topic));
}

/* Call the column's input function, with fixed values for some settings, and check its domain. */
static Datum
input_value(Serializer *s, char *text, int settings)
{
	ErrorContextCallback callback = {error_context_stack, column_context, s};
	int			level = settings != 0 ? pgt_text_settings_fix(settings) : 0;
	Datum		value;

	error_context_stack = &callback;
	value = InputFunctionCall(&s->input, text, s->input_param, s->typmod);
	if (settings != 0)
		pgt_text_settings_restore(level);
	check_domain(s, value, false);
	error_context_stack = callback.previous;
	return value;
}

ByteView
pgt_serialize(Serializer *s, Datum value, bool isnull)
{
	ByteView	view;
	char	   *text;

	if (isnull)
	{
		check_domain(s, (Datum) 0, true);
		return null_view;
	}
	if (s->is_bytea)
	{
		bytea	   *bytes = DatumGetByteaPP(value);

		view.data = VARDATA_ANY(bytes);
		view.length = VARSIZE_ANY_EXHDR(bytes);
		return view;
	}
	if (s->is_text)
	{
		struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

		return pgt_serialize_text(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	}
	text = output_text(&s->output, s->settings, value);
	return pgt_serialize_text(text, strlen(text));
}

/* The slot with the output function of a type, kept for the session. */
static OutputSlot *
output_slot(Oid type)
{
	OutputSlot *slot = &output_slots[type % OUTPUT_SLOTS];
	Oid			function;
	bool		is_varlena;

	if (slot->type == type)
		return slot;

	slot->type = InvalidOid;
	getTypeOutputInfo(type, &function, &is_varlena);
	if (slot->context == NULL)
		slot->context = AllocSetContextCreate(TopMemoryContext, "pg_topics output function",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(slot->context);
	fmgr_info_cxt(function, &slot->output, slot->context);
	slot->settings = pgt_text_settings_of(type);
	slot->type = type;
	return slot;
}

/* Is the value text that the statement gives, so that the session's settings count? */
static bool
is_given_as_text(Oid type)
{
	return type == UNKNOWNOID || is_text_type(type);
}

/* The text of a value of any type, with fixed values for some settings. */
static char *
value_to_text(Datum value, Oid type, int settings)
{
	OutputSlot *slot;

	if (type == UNKNOWNOID)
		return DatumGetCString(value);
	if (is_text_type(type))
		return TextDatumGetCString(value);
	slot = output_slot(type);
	return output_text(&slot->output, slot->settings & settings, value);
}

/* Is the value a boolean for a JSON column, whose text would be no JSON? */
static bool
is_json_boolean(const Serializer *s, Oid type)
{
	return (s->base == JSONBOID || s->base == JSONOID) && getBaseType(type) == BOOLOID;
}

ByteView
pgt_serialize_any(Serializer *s, Datum value, bool isnull, Oid type)
{
	int			settings = TEXT_SETTING_ALL;
	char	   *text;

	if (isnull || (type == s->type && (s->typmod < 0 || s->type != s->base)) ||
		(s->is_text && is_text_type(type)))
		return pgt_serialize(s, value, isnull);

	/* a value of another type may lose or get a time zone: the session's, as in a cast */
	if (!s->is_text)
		settings &= ~TEXT_SETTING_ZONE;
	text = is_json_boolean(s, type) ? pstrdup(DatumGetBool(value) ? "true" : "false") :
		value_to_text(value, type, settings);
	if (s->is_text)
		return pgt_serialize_text(text, strlen(text));
	value = input_value(s, text, is_given_as_text(type) ? 0 : s->settings & settings);
	return pgt_serialize(s, value, false);
}

/* ---- bytes to values ---------------------------------------------------- */

/* Text, with its end marked, as a value of the column's type below domains. */
static Datum
text_to_value(Serializer *s, char *text)
{
	return input_value(s, text, s->settings != 0 && pgt_text_settings_is_plain(s->base, text) ? 0 : s->settings);
}

Datum
pgt_deserialize(Serializer *s, const char *bytes, int32 length, bool *isnull)
{
	Datum		value;

	*isnull = length < 0;
	if (*isnull)
		return (Datum) 0;
	if (s->is_bytea)
	{
		value = PointerGetDatum(cstring_to_text_with_len(bytes, length));
		check_domain(s, value, false);
		return value;
	}
	bytes = bytes_to_text(bytes, &length, NameStr(s->column));
	if (s->is_text)
		return PointerGetDatum(cstring_to_text_with_len(bytes, length));
	return text_to_value(s, pnstrdup(bytes, length));
}

/* Bytes as text: \x and two hexadecimal digits a byte. */
static char *
bytes_to_hex(const char *bytes, int32 length)
{
	char	   *hex = palloc_extended(2 * (Size) length + 3, MCXT_ALLOC_HUGE);

	strcpy(hex, "\\x");
	hex_encode(bytes, length, hex + 2);
	hex[2 * (Size) length + 2] = '\0';
	return hex;
}

Datum
pgt_deserialize_as_text(Serializer *s, const char *bytes, int32 length, bool *isnull)
{
	*isnull = length < 0;
	if (*isnull)
		return (Datum) 0;
	if (s->is_bytea)
		return PointerGetDatum(cstring_to_text(bytes_to_hex(bytes, length)));
	bytes = bytes_to_text(bytes, &length, NameStr(s->column));
	return PointerGetDatum(cstring_to_text_with_len(bytes, length));
}

/* ---- bytes from elsewhere ----------------------------------------------- */

bool
pgt_serializer_takes_any(const Serializer *s)
{
	return s->is_bytea && s->type == s->base;
}

bool
pgt_serializer_takes(const Serializer *s, const char *bytes, int32 length)
{
	if (s->type != s->base)
		return false;
	if (length < 0 || s->is_bytea)
		return true;
	if (!s->is_text)
		return false;
	return pgt_ascii_is_all(bytes, length) ||
		(!must_convert() && pg_verify_mbstr(GetDatabaseEncoding(), bytes, length, true));
}

void
pgt_serializer_check(Serializer *s, const char *bytes, int32 length)
{
	bool		isnull;

	if (length < 0)
		check_domain(s, (Datum) 0, true);
	else
		(void) pgt_deserialize(s, bytes, length, &isnull);
}

bool
pgt_serializer_is_builtin(const Serializer *s)
{
	return s->type == s->base && s->base < FirstNormalObjectId;
}

/* ---- headers to bytes --------------------------------------------------- */

/* Report headers that a record cannot have; "detail" says why. */
static void
invalid_headers(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid record headers"),
			 errdetail_internal("%s", detail),
			 errhint("Headers are a JSON object of names to strings, numbers, booleans or nulls, or to arrays of these for a repeated header.")));
}

/* The bytes of a JSON scalar's text; JSON's null becomes a null header. */
static ByteView
scalar_to_bytes(const JsonbValue *value)
{
	char	   *text;

	switch (value->type)
	{
		case jbvNull:
			return null_view;
		case jbvString:
			return pgt_serialize_text(value->val.string.val, value->val.string.len);
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
			break;
		default:
			elog(ERROR, "unexpected type of a JSON scalar: %d", (int) value->type);
	}
	return pgt_serialize_text(text, strlen(text));
}

/* Encode one header. */
static void
append_header(StringInfo out, ByteView name, const JsonbValue *value)
{
	ByteView	bytes = scalar_to_bytes(value);
	RecordHeader header = {name.data, name.length, bytes.data, bytes.length};
	size_t		size = pgt_record_header_size(&header);
	char	   *end;

	if (size >= MaxAllocSize)
		invalid_headers("A header is too long.");
	enlargeStringInfo(out, (int) size);
	end = pgt_record_header_encode(out->data + out->len, &header);
	out->len = end - out->data;
	out->data[out->len] = '\0';
}

/*
 * Encode all headers of one name: its value, or the elements of an array, whose
 * beginning the iterator has just returned.  Returns the number of headers.
 */
static int
append_headers_of_name(StringInfo out, ByteView name, JsonbIterator **it,
					   JsonbIteratorToken token, JsonbValue *value)
{
	int			count = 0;

	if (token == WJB_VALUE)
	{
		append_header(out, name, value);
		return 1;
	}
	if (token != WJB_BEGIN_ARRAY)
		invalid_headers(psprintf("Header \"%.*s\" is an object.", name.length, name.data));
	while ((token = JsonbIteratorNext(it, value, false)) == WJB_ELEM)
	{
		append_header(out, name, value);
		count++;
	}
	if (token != WJB_END_ARRAY)
		invalid_headers(psprintf("Header \"%.*s\" has an element that is an array or an object.",
								 name.length, name.data));
	return count;
}

/* ERROR where the headers are too many or too large to be read back as jsonb. */
static void
check_readable(int32 count, int length)
{
	if (count <= MAX_HEADERS && length + (int64) count * JSONB_OVERHEAD <= JENTRY_OFFLENMASK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("record headers are too large: %d headers with %d bytes", count, length),
			 errdetail("A record can have at most %d headers, and together they must fit into a jsonb value.", MAX_HEADERS),
			 errhint("Move large data into the record's value.")));
}

StaticAssertDecl(SERIALIZER_HEADERS_TAKEN / 2 <= MAX_HEADERS &&
				 SERIALIZER_HEADERS_TAKEN * 2 + SERIALIZER_HEADERS_TAKEN / 2 * (JSONB_OVERHEAD + 2) <= JENTRY_OFFLENMASK,
				 "so many bytes of headers, each of two bytes at least, fit into a jsonb");

bool
pgt_serializer_takes_headers(const Record *record)
{
	/* a value that is no text is read as hexadecimal digits, and two characters before them */
	return record->header_count <= MAX_HEADERS &&
		2 * (int64) record->headers_length + (int64) record->header_count * (JSONB_OVERHEAD + 2) <= JENTRY_OFFLENMASK;
}

void
pgt_serialize_headers(Datum headers_jsonb, StringInfo out, int32 *count)
{
	Jsonb	   *headers = DatumGetJsonbP(headers_jsonb);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;

	*count = 0;
	if (!JB_ROOT_IS_OBJECT(headers))
		invalid_headers("The headers are not a JSON object.");

	it = JsonbIteratorInit(&headers->root);
	(void) JsonbIteratorNext(&it, &value, false);	/* the object's beginning */
	while ((token = JsonbIteratorNext(&it, &value, false)) == WJB_KEY)
	{
		ByteView	name = pgt_serialize_text(value.val.string.val, value.val.string.len);

		token = JsonbIteratorNext(&it, &value, false);
		*count += append_headers_of_name(out, name, &it, token, &value);
	}
	check_readable(*count, out->len);
}

/* ---- bytes to headers --------------------------------------------------- */

/* A header and its number in the record, so that sorting keeps the order of equal names. */
typedef struct DecodedHeader
{
	JsonbValue	name;
	JsonbValue	value;
	int			number;
} DecodedHeader;

/* Bytes as a JSON string, in hex where they are not valid text; JSON's null for length -1. */
static JsonbValue
bytes_to_json(const char *bytes, int32 length)
{
	int			encoding = GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
	JsonbValue	value;

	if (length < 0)
	{
		value.type = jbvNull;
		return value;
	}
	value.type = jbvString;
	if (pg_verify_mbstr(encoding, bytes, length, true))
	{
		value.val.string.val = unconstify(char *, bytes_to_text(bytes, &length, "header"));
		value.val.string.len = length;
	}
	else
	{
		value.val.string.val = bytes_to_hex(bytes, length);
		value.val.string.len = 2 * length + 2;
	}
	return value;
}

/* An order of names, in which equal names stand together. */
static int
compare_names(const DecodedHeader *a, const DecodedHeader *b)
{
	int			difference = a->name.val.string.len - b->name.val.string.len;

	if (difference != 0)
		return difference;
	return memcmp(a->name.val.string.val, b->name.val.string.val, a->name.val.string.len);
}

/* By name, then by number. */
static int
compare_headers(const void *left, const void *right)
{
	const DecodedHeader *a = left;
	const DecodedHeader *b = right;
	int			difference = compare_names(a, b);

	return difference != 0 ? difference : a->number - b->number;
}

/* Split a record's headers, sorted by name; palloc'd. */
static DecodedHeader *
decode_headers(const Record *record)
{
	DecodedHeader *decoded = MemoryContextAllocHuge(CurrentMemoryContext,
													record->header_count * sizeof(DecodedHeader));
	const char *next = record->headers;
	const char *end = record->headers + record->headers_length;

	for (int i = 0; i < record->header_count; i++)
	{
		RecordHeader header;

		if (!pgt_record_header_decode(&next, end, &header))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("header %d of the record at offset " INT64_FORMAT " is damaged",
							i + 1, record->offset)));
		decoded[i].name = bytes_to_json(header.key, header.key_length);
		decoded[i].value = bytes_to_json(header.value, header.value_length);
		decoded[i].number = i;
	}
	qsort(decoded, record->header_count, sizeof(DecodedHeader), compare_headers);
	return decoded;
}

Datum
pgt_deserialize_headers(const Record *record, bool *isnull)
{
	DecodedHeader *headers;
	PgtJsonb	json = {0};
	int			next;

	*isnull = record->header_count == 0;
	if (*isnull)
		return (Datum) 0;

	headers = decode_headers(record);
	PGT_JSONB_PUSH(json, WJB_BEGIN_OBJECT, NULL);
	for (int first = 0; first < record->header_count; first = next)
	{
		next = first + 1;
		while (next < record->header_count && compare_names(&headers[first], &headers[next]) == 0)
			next++;

		PGT_JSONB_PUSH(json, WJB_KEY, &headers[first].name);
		if (next == first + 1)
		{
			PGT_JSONB_PUSH(json, WJB_VALUE, &headers[first].value);
			continue;
		}
		PGT_JSONB_PUSH(json, WJB_BEGIN_ARRAY, NULL);
		for (int i = first; i < next; i++)
			PGT_JSONB_PUSH(json, WJB_ELEM, &headers[i].value);
		PGT_JSONB_PUSH(json, WJB_END_ARRAY, NULL);
	}
	PGT_JSONB_PUSH(json, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(json.result));
}
