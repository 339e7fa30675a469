/*
 * text_settings.c
 *	  The session's settings on which the text of values depends.
 *
 * A record stores text, and the producing session's settings decide how a date, a
 * time or a number is written.  If these settings took effect here, one key would
 * have different bytes under each DateStyle and TimeZone, and compaction would take
 * it for several keys; a reader with another DateStyle could not read the record, or
 * would read another day; and extra_float_digits would round the numbers that are
 * published of a table.  So all such text is made with the same fixed settings.  The
 * text can be read under any settings: dates begin with the year, times have their
 * offset from UTC, and each part of an interval has its sign.
 *
 * Only the settings that differ are changed, mostly none but the time zone; changing
 * and restoring one costs some microseconds for each value.  They are changed as a
 * function's SET clause does it, so that the end of a (sub)transaction restores them.
 *
 * Two settings are not fixed: lc_monetary, on which money depends, and search_path,
 * which decides whether types such as regclass show schemas.  docs/reference.md
 * therefore excludes these types from topics.
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

/* Is the session's time zone UTC? */
static bool
time_zone_is_utc(void)
{
	const char *name = pg_get_timezone_name(session_timezone);

	return name != NULL && (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0);
}

/* Set one setting until the current nest level of settings ends. */
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
