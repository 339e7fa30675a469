/*
 * change_json.c
 *	  Rows of a table as JSON, and their keys as bytes.
 *
 * The JSON of a row is what row_to_json() makes of it: numbers, booleans, json
 * and jsonb as they are, dates and times in ISO 8601, arrays and composite
 * values as JSON arrays and objects, NaN, infinities and all other types as
 * strings of what their output functions return.  It is written in one pass into one
 * buffer.  Everything that depends only on the columns is prepared once: the name,
 * escaped and in quotes, and how values of the type are written.  The columns themselves
 * are chosen in change_publisher.c.
 *
 * Values and keys do not depend on the settings of the session that changes the table
 * (text_settings.c).  Otherwise compaction and consumers would take one row for two, and
 * a replica would show values that the table does not hold.
 *
 * Memory: output functions allocate in the current context, which callers
 * reset for each row.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "publish/change_json.h"
#include "topic/text_settings.h"

/* ---- preparing ---------------------------------------------------------- */

/* How values of a type are written that json_form() does not know. */
static ChangeJsonForm
other_form(Oid type, Oid *function)
{
	Oid			cast;
	bool		is_varlena;

	if (type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &cast) == COERCION_PATH_FUNC &&
		OidIsValid(cast))
	{
		*function = cast;
		return JSON_FORM_CAST;
	}
	getTypeOutputInfo(type, function, &is_varlena);
	return JSON_FORM_OTHER;
}

/* How values of a type are written; sets *function to its output function or cast. */
static ChangeJsonForm
json_form(Oid type, Oid *function)
{
	bool		is_varlena;

	getTypeOutputInfo(type, function, &is_varlena);
	switch (type)
	{
		case BOOLOID:
			return JSON_FORM_BOOL;
		case INT2OID:
			return JSON_FORM_INT2;
		case INT4OID:
			return JSON_FORM_INT4;
		case INT8OID:
			return JSON_FORM_INT8;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return JSON_FORM_NUMBER;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return JSON_FORM_TEXT;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return JSON_FORM_DATETIME;
		case JSONOID:
			return JSON_FORM_JSON;
		case JSONBOID:
			return JSON_FORM_JSONB;
		default:
			break;
	}
	if (OidIsValid(get_element_type(type)) || type == RECORDARRAYOID)
		return JSON_FORM_ARRAY;
	if (type_is_rowtype(type))
		return JSON_FORM_COMPOSITE;
	return other_form(type, function);
}

void
pgt_change_json_column_init(ChangeColumn *column, Form_pg_attribute att)
{
	StringInfoData label;
	Oid			function;

	initStringInfo(&label);
	appendStringInfoChar(&label, ',');
	pgt_change_json_append_string(&label, NameStr(att->attname), strlen(NameStr(att->attname)));
	appendStringInfoChar(&label, ':');

	column->name = pstrdup(NameStr(att->attname));
	column->attnum = att->attnum;
	column->byval = att->attbyval;
	column->length = att->attlen;
	column->type = getBaseType(att->atttypid);
	column->label = label.data;
	column->label_length = label.len;
	column->form = json_form(column->type, &function);
	fmgr_info_cxt(function, &column->function, CurrentMemoryContext);
}

bool
pgt_change_json_may_be_refused(const ChangeColumn *column)
{
	Oid			type = column->type;

	if (column->form == JSON_FORM_ARRAY)
		type = getBaseType(get_element_type(type));
	return column->form == JSON_FORM_CAST || type == JSONOID || type_is_rowtype(type) ||
		(column->form == JSON_FORM_ARRAY && type >= FirstNormalObjectId && !type_is_enum(type));
}

/* ---- JSON --------------------------------------------------------------- */

/* Append one character that must be escaped in JSON. */
static void
append_escaped(StringInfo out, unsigned char c)
{
	switch (c)
	{
		case '"':
			appendBinaryStringInfo(out, "\\\"", 2);
			break;
		case '\\':
			appendBinaryStringInfo(out, "\\\\", 2);
			break;
		case '\b':
			appendBinaryStringInfo(out, "\\b", 2);
			break;
		case '\f':
			appendBinaryStringInfo(out, "\\f", 2);
			break;
		case '\n':
			appendBinaryStringInfo(out, "\\n", 2);
			break;
		case '\r':
			appendBinaryStringInfo(out, "\\r", 2);
			break;
		case '\t':
			appendBinaryStringInfo(out, "\\t", 2);
			break;
		default:
			appendStringInfo(out, "\\u%04x", c);
	}
}

void
pgt_change_json_append_string(StringInfo out, const char *text, int length)
{
	const char *end = text + length;
	const char *clean = text;	/* from here on nothing needs escaping */

	enlargeStringInfo(out, length + 2);
	appendStringInfoCharMacro(out, '"');
	for (; text < end; text++)
	{
		unsigned char c = *text;

		if (likely(c >= ' ' && c != '"' && c != '\\'))
			continue;
		appendBinaryStringInfo(out, clean, text - clean);
		append_escaped(out, c);
		clean = text + 1;
	}
	appendBinaryStringInfo(out, clean, end - clean);
	appendStringInfoCharMacro(out, '"');
}

/* Append the text of a json or text datum as it is. */
static void
append_text_datum(StringInfo out, Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	appendBinaryStringInfo(out, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

/* Append a date or time. */
static void
append_datetime(StringInfo out, Datum value, Oid type)
{
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, value, type, NULL);
	pgt_change_json_append_string(out, text, strlen(text));
}

/* Append a number, in quotes if JSON has no such number (NaN, Infinity). */
static void
append_number(StringInfo out, const char *text)
{
	int			length = strlen(text);

	if (IsValidJsonNumber(text, length))
		appendBinaryStringInfo(out, text, length);
	else
		pgt_change_json_append_string(out, text, length);
}

/* Append a varlena string's JSON. */
static void
append_text(StringInfo out, Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	pgt_change_json_append_string(out, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

/* Append the result of the type's output function, as a string. */
static void
append_other(StringInfo out, ChangeColumn *column, Datum value)
{
	char	   *text = OutputFunctionCall(&column->function, value);

	pgt_change_json_append_string(out, text, strlen(text));
}

/* Append a jsonb. */
static void
append_jsonb(StringInfo out, Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);

	(void) JsonbToCString(out, &jsonb->root, VARSIZE(jsonb));
}

/* Append the JSON of a value that is not null. */
static void
append_value(StringInfo out, ChangeColumn *column, Datum value)
{
	switch (column->form)
	{
		case JSON_FORM_BOOL:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_FORM_INT2:
			enlargeStringInfo(out, MAXINT8LEN);
			out->len += pg_itoa(DatumGetInt16(value), out->data + out->len);
			break;
		case JSON_FORM_INT4:
			enlargeStringInfo(out, MAXINT8LEN);
			out->len += pg_ltoa(DatumGetInt32(value), out->data + out->len);
			break;
		case JSON_FORM_INT8:
			enlargeStringInfo(out, MAXINT8LEN);
			out->len += pg_lltoa(DatumGetInt64(value), out->data + out->len);
			break;
		case JSON_FORM_NUMBER:
			append_number(out, OutputFunctionCall(&column->function, value));
			break;
		case JSON_FORM_TEXT:
			append_text(out, value);
			break;
		case JSON_FORM_DATETIME:
			append_datetime(out, value, column->type);
			break;
		case JSON_FORM_JSON:
			append_text_datum(out, value);
			break;
		case JSON_FORM_JSONB:
			append_jsonb(out, value);
			break;
		case JSON_FORM_ARRAY:
			append_text_datum(out, DirectFunctionCall1(array_to_json, value));
			break;
		case JSON_FORM_COMPOSITE:
			append_text_datum(out, DirectFunctionCall1(row_to_json, value));
			break;
		case JSON_FORM_CAST:
			append_text_datum(out, FunctionCall1(&column->function, value));
			break;
		case JSON_FORM_OTHER:
			append_other(out, column, value);
			break;
	}
}

/* Append the columns of the slot's row as a JSON object, with the present settings. */
static void
append_row(StringInfo out, const ChangeColumns *columns, TupleTableSlot *slot)
{
	int			start = out->len;

	slot_getsomeattrs(slot, columns->last);
	for (int i = 0; i < columns->count; i++)
	{
		ChangeColumn *column = &columns->columns[i];
		int			n = column->attnum - 1;

		appendBinaryStringInfo(out, column->label, column->label_length);
		if (slot->tts_isnull[n])
			appendBinaryStringInfo(out, "null", 4);
		else
			append_value(out, column, slot->tts_values[n]);
	}

	/* each label begins with a comma; the brace replaces the first one */
	if (out->len == start)
		appendStringInfoChar(out, '{');
	else
		out->data[start] = '{';
	appendStringInfoChar(out, '}');
}

void
pgt_change_json_append_row(StringInfo out, const ChangeColumns *columns, TupleTableSlot *slot)
{
	int			level;

	if (columns->settings == 0)
	{
		append_row(out, columns, slot);
		return;
	}
	level = pgt_text_settings_fix(columns->settings);
	append_row(out, columns, slot);
	pgt_text_settings_restore(level);
}

/* ---- keys --------------------------------------------------------------- */

/* The text of a key's only column. */
static ByteView
key_text(ChangeColumn *column, Datum value, StringInfo buffer)
{
	ByteView	view;

	switch (column->form)
	{
		case JSON_FORM_INT2:
		case JSON_FORM_INT4:
		case JSON_FORM_INT8:
			append_value(buffer, column, value);
			view.data = buffer->data;
			view.length = buffer->len;
			return view;
		case JSON_FORM_TEXT:
			{
				struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

				return pgt_serialize_text(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
			}
		default:
			{
				Oid			output;
				bool		is_varlena;

				if (column->form != JSON_FORM_CAST)
					view.data = OutputFunctionCall(&column->function, value);
				else
				{
					getTypeOutputInfo(column->type, &output, &is_varlena);
					view.data = OidOutputFunctionCall(output, value);
				}
				return pgt_serialize_text(view.data, strlen(view.data));
			}
	}
}

/* The bytes of a key of any form but "none". */
static ByteView
make_key(ChangeKey *key, TupleTableSlot *slot, StringInfo buffer)
{
	ChangeColumn *first = &key->columns.columns[0];
	Datum		value = slot->tts_values[first->attnum - 1];
	ByteView	view;

	switch (key->form)
	{
		case KEY_FORM_TEXT:
			return key_text(first, value, buffer);
		case KEY_FORM_RAW:
			{
				bytea	   *bytes = DatumGetByteaPP(value);

				view.data = VARDATA_ANY(bytes);
				view.length = VARSIZE_ANY_EXHDR(bytes);
				return view;
			}
		case KEY_FORM_VALUE:
			append_value(buffer, first, value);
			break;
		default:
			append_row(buffer, &key->columns, slot);
	}
	return pgt_serialize_text(buffer->data, buffer->len);
}

/* The bytes of a key, with fixed values for the settings that the text depends on. */
static ByteView
make_key_with_fixed_settings(ChangeKey *key, TupleTableSlot *slot, StringInfo buffer)
{
	int			level = pgt_text_settings_fix(key->columns.settings);
	ByteView	view = make_key(key, slot, buffer);

	pgt_text_settings_restore(level);
	return view;
}

ByteView
pgt_change_json_key(ChangeKey *key, TupleTableSlot *slot, StringInfo buffer)
{
	static const ByteView null_view = {NULL, -1};

	if (key->form == KEY_FORM_NONE)
		return null_view;
	resetStringInfo(buffer);
	slot_getsomeattrs(slot, key->columns.last);
	if (key->form != KEY_FORM_OBJECT && slot->tts_isnull[key->columns.columns[0].attnum - 1])
		return null_view;
	if (key->columns.settings != 0)
		return make_key_with_fixed_settings(key, slot, buffer);
	return make_key(key, slot, buffer);
}

bool
pgt_change_json_key_differs(const ChangeKey *key, TupleTableSlot *old, TupleTableSlot *new)
{
	slot_getsomeattrs(old, key->columns.last);
	slot_getsomeattrs(new, key->columns.last);
	for (int i = 0; i < key->columns.count; i++)
	{
		const ChangeColumn *column = &key->columns.columns[i];
		int			n = column->attnum - 1;

		if (old->tts_isnull[n] != new->tts_isnull[n])
			return true;
		if (!old->tts_isnull[n] &&
			!datum_image_eq(old->tts_values[n], new->tts_values[n], column->byval, column->length))
			return true;
	}
	return false;
}
