/*
 * change_json.h
 *	  Rows of a table as JSON, and their keys as bytes.
 */
#ifndef CHANGE_JSON_H
#define CHANGE_JSON_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "topic/serializer.h"

/* How a value becomes JSON, as in row_to_json(). */
typedef enum ChangeJsonForm
{
	JSON_FORM_BOOL,
	JSON_FORM_INT2,
	JSON_FORM_INT4,
	JSON_FORM_INT8,
	JSON_FORM_NUMBER,			/* its text; in quotes if JSON has no such number */
	JSON_FORM_TEXT,				/* text, varchar, char: a string */
	JSON_FORM_DATETIME,			/* ISO 8601 in a string */
	JSON_FORM_JSON,				/* json: as it is */
	JSON_FORM_JSONB,
	JSON_FORM_ARRAY,
	JSON_FORM_COMPOSITE,
	JSON_FORM_CAST,				/* the type has a cast to json */
	JSON_FORM_OTHER				/* its text in a string */
} ChangeJsonForm;

/* One column of a table, with all that is needed to write its values. */
typedef struct ChangeColumn
{
	const char *name;
	AttrNumber	attnum;
	Oid			type;			/* below domains */
	bool		byval;
	int16		length;
	const char *label;			/* ,"name": */
	int			label_length;
	ChangeJsonForm form;
	FmgrInfo	function;		/* the output function, or the cast to json */
} ChangeColumn;

typedef struct ChangeColumns
{
	int			count;
	AttrNumber	last;			/* the largest attnum */
	int			settings;		/* TEXT_SETTING_*: the session's on which their text depends */
	ChangeColumn *columns;
} ChangeColumns;

/* What the bytes of a key consist of. */
typedef enum ChangeKeyForm
{
	KEY_FORM_NONE,				/* no key column: always null */
	KEY_FORM_TEXT,				/* one column: the text of its output function */
	KEY_FORM_RAW,				/* one column of bytea, a topic with bytea keys */
	KEY_FORM_VALUE,				/* one column, as JSON */
	KEY_FORM_OBJECT				/* a JSON object of the columns */
} ChangeKeyForm;

typedef struct ChangeKey
{
	ChangeKeyForm form;
	ChangeColumns columns;
} ChangeKey;

/* Prepare a column; what it points to is allocated in the current memory context. */
extern void pgt_change_json_column_init(ChangeColumn *column, Form_pg_attribute att);

/* Could jsonb refuse the JSON of one of the column's values? */
extern bool pgt_change_json_may_be_refused(const ChangeColumn *column);

/* Append a string in quotes, escaped. */
extern void pgt_change_json_append_string(StringInfo out, const char *text, int length);

/* Append the columns of the slot's row as a JSON object. */
extern void pgt_change_json_append_row(StringInfo out, const ChangeColumns *columns, TupleTableSlot *slot);

/*
 * The key of the slot's row.  Its bytes are in "buffer", whose contents are
 * replaced, or in the row itself.  Null if a single key column is null.
 */
extern ByteView pgt_change_json_key(ChangeKey *key, TupleTableSlot *slot, StringInfo buffer);

/* Do two rows differ in a column of the key? */
extern bool pgt_change_json_key_differs(const ChangeKey *key, TupleTableSlot *old, TupleTableSlot *new);

#endif							/* CHANGE_JSON_H */
