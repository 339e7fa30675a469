/*
 * text_settings.c
 *	  The session's settings on which the text of values depends.
 *
 * What is stored in a record is text, and whoever produces has settings of his own
 * that decide how a date, a time or a number is written.  If they reached the log,
 * a key would have other bytes for each DateStyle and TimeZone, so that compaction
 * took one key for two; a reader with another DateStyle could not read the record,
 * or would read another day; and extra_float_digits would round what a table's
 * replica shows.  So all such text is made with the same settings.  It can be read
 * under any: dates begin with the year, times have their offset from UTC, each part
 * of an interval has its sign.
 *
 * Settings are changed one by one, only those that differ, and mostly none does but
 * the time zone; a change and its end cost some microseconds a value.  They are changed as a function's SET clause does it,
 * so that the end of a (sub)transaction undoes it.
 *
 * Not among them: lc_monetary, which money depends on and which is fixed neither
 * here nor for readers, and search_path, with which types of names (regclass) show
 * or omit schemas.  docs/reference.md says that these are no types for a topic.
 *
 * No locks, no I/O.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "topic/text_settings.h"

bool
pgt_text_settings_matter(Oid type)
{
	Oid			element = get_base_element_type(type);
	Oid			base = getBaseType(OidIsValid(element) ? element : type);

	switch (base)
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
			return false;
		default:
			return !type_is_enum(base);
	}
}

/* Has the session's time zone the offset 0 from UTC at all times? */
static bool
time_zone_is_utc(void)
{
	const char *name = pg_get_timezone_name(session_timezone);

	return name != NULL && (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0);
}

/* Set one of them till the level ends. */
static void
fix(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int
pgt_text_settings_fix(bool time_zone)
{
	int			level = NewGUCNestLevel();

	/* DateStyle's order of fields stays: it does not show in ISO */
	if (DateStyle != USE_ISO_DATES)
		fix("datestyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		fix("intervalstyle", "postgres");
	if (time_zone && !time_zone_is_utc())
		fix("timezone", "UTC");
	if (extra_float_digits < 1)
		fix("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		fix("bytea_output", "hex");
	return level;
}

void
pgt_text_settings_restore(int level)
{
	AtEOXact_GUC(true, level);
}
