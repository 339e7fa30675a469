/*
 * text_settings.c
 *	  The session's settings on which the text of values depends.
 *
 * A record stores text, and the producing session's settings decide how a date, a
 * time or a number is written.  If these settings took effect here, one key would
 * have different bytes under each DateStyle and TimeZone, and compaction would take
 * it for several keys; a reader with another DateStyle could not read the record, or
 * would read another day; and extra_float_digits would round the numbers that are
 * published of a table.  So there is one form of each value, and text is written and
 * read with the same fixed settings:
 *
 *	  DateStyle ISO, MDY			IntervalStyle postgres	TimeZone UTC
 *	  extra_float_digits 1			bytea_output hex		lc_monetary C
 *	  search_path pg_catalog, pg_temp						quote_all_identifiers off
 *	  array_nulls on				xmloption content
 *
 * These are the values of pg_dump and postgres_fdw, with a time zone added: a stored time
 * has its offset from UTC, but a time that another system has written may lack it.  With
 * that search_path the names of tables, types and functions (regclass and the like) are
 * written with their schema unless that is pg_catalog, and no temporary table stands
 * before one of pg_catalog.
 *
 * A type says which settings count for it, so most types cost nothing.  The form of types
 * that are not the server's is unknown: all settings are fixed for them, and for composite
 * types, whose columns may change.  Only the settings that differ are changed, which costs
 * some microseconds for each value.  They are changed as a function's SET clause does it,
 * so that the end of a (sub)transaction restores them.  Dates and times that we have
 * written ourselves read alike under all settings, and are recognized by their form.
 *
 * No locks, no I/O.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/xml.h"

#include "topic/text_settings.h"

/* the setting lc_monetary; utils/pg_locale.h, which declares it, wants ICU's headers in some majors */
extern PGDLLIMPORT char *locale_monetary;

#define FIXED_SEARCH_PATH	"pg_catalog, pg_temp"

/* ---- types -------------------------------------------------------------- */

/* The settings of a type of the server's that is neither array nor range. */
static int
settings_of_base(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case JSONOID:
		case JSONBOID:
		case INETOID:
		case CIDROID:
		case BITOID:
		case VARBITOID:
			return 0;
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
			return TEXT_SETTING_DATE;
		case TIMETZOID:
		case TIMESTAMPTZOID:
			return TEXT_SETTING_DATE | TEXT_SETTING_ZONE;
		case INTERVALOID:
			return TEXT_SETTING_INTERVAL;
		case FLOAT4OID:
		case FLOAT8OID:
			return TEXT_SETTING_FLOAT;
		case BYTEAOID:
			return TEXT_SETTING_BYTEA;
		case CASHOID:
			return TEXT_SETTING_MONEY;
		case XMLOID:
			return TEXT_SETTING_XML;
		default:
			return type_is_enum(type) ? 0 : TEXT_SETTING_ALL;
	}
}

int
pgt_text_settings_of(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			inner;

	inner = get_element_type(base);
	if (OidIsValid(inner))
		return pgt_text_settings_of(inner) | TEXT_SETTING_ARRAY;
	inner = get_multirange_range(base);
	if (OidIsValid(inner))
		base = inner;
	inner = get_range_subtype(base);
	if (OidIsValid(inner))
		return pgt_text_settings_of(inner);
	return settings_of_base(base);
}

/* ---- text --------------------------------------------------------------- */

/* Skip a separator and two digits; NULL if they are not there. */
static const char *
skip_two_digits(const char *text, char separator)
{
	return text != NULL && text[0] == separator && isdigit((unsigned char) text[1]) &&
		isdigit((unsigned char) text[2]) ? text + 3 : NULL;
}

/* Skip a date of the form 2024-03-04; NULL if there is none. */
static const char *
skip_date(const char *text)
{
	size_t		year = strspn(text, "0123456789");

	return year < 4 ? NULL : skip_two_digits(skip_two_digits(text + year, '-'), '-');
}

bool
pgt_text_settings_is_plain(Oid type, const char *text)
{
	if (type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID)
		return false;
	text = skip_date(text);
	if (text == NULL || type == DATEOID)
		return text != NULL && *text == '\0';
	text = skip_two_digits(skip_two_digits(skip_two_digits(text, ' '), ':'), ':');
	if (text == NULL)
		return false;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return strcmp(text, type == TIMESTAMPTZOID ? "+00" : "") == 0;
}

/* ---- settings ----------------------------------------------------------- */

static bool
date_differs(void)
{
	return DateStyle != USE_ISO_DATES || DateOrder != DATEORDER_MDY;
}

static bool
interval_differs(void)
{
	return IntervalStyle != INTSTYLE_POSTGRES;
}

static bool
zone_differs(void)
{
	const char *name = pg_get_timezone_name(session_timezone);

	return name == NULL || (strcmp(name, "UTC") != 0 && strcmp(name, "Etc/UTC") != 0);
}

static bool
float_differs(void)
{
	return extra_float_digits < 1;
}

static bool
bytea_differs(void)
{
	return bytea_output != BYTEA_OUTPUT_HEX;
}

static bool
money_differs(void)
{
	return strcmp(locale_monetary, "C") != 0;
}

static bool
path_differs(void)
{
	return strcmp(namespace_search_path, FIXED_SEARCH_PATH) != 0;
}

static bool
quoting_differs(void)
{
	return quote_all_identifiers;
}

static bool
array_differs(void)
{
	return !Array_nulls;
}

static bool
xml_differs(void)
{
	return xmloption != XMLOPTION_CONTENT;
}

/* Which value a setting is fixed to, and whether the session has another one. */
typedef struct FixedSetting
{
	int			bit;
	const char *name;
	const char *value;
	bool		(*differs) (void);
} FixedSetting;

static const FixedSetting fixed_settings[] = {
	{TEXT_SETTING_DATE, "datestyle", "ISO, MDY", date_differs},
	{TEXT_SETTING_INTERVAL, "intervalstyle", "postgres", interval_differs},
	{TEXT_SETTING_ZONE, "timezone", "UTC", zone_differs},
	{TEXT_SETTING_FLOAT, "extra_float_digits", "1", float_differs},
	{TEXT_SETTING_BYTEA, "bytea_output", "hex", bytea_differs},
	{TEXT_SETTING_MONEY, "lc_monetary", "C", money_differs},
	{TEXT_SETTING_NAMES, "search_path", FIXED_SEARCH_PATH, path_differs},
	{TEXT_SETTING_NAMES, "quote_all_identifiers", "off", quoting_differs},
	{TEXT_SETTING_ARRAY, "array_nulls", "on", array_differs},
	{TEXT_SETTING_XML, "xmloption", "content", xml_differs},
};

int
pgt_text_settings_fix(int settings)
{
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(fixed_settings); i++)
	{
		const FixedSetting *setting = &fixed_settings[i];

		if ((settings & setting->bit) != 0 && setting->differs())
			(void) set_config_option(setting->name, setting->value, PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
	return level;
}

void
pgt_text_settings_restore(int level)
{
	AtEOXact_GUC(true, level);
}
