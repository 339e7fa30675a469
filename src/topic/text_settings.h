/*
 * text_settings.h
 *	  The session's settings on which the text of values depends.
 */
#ifndef TEXT_SETTINGS_H
#define TEXT_SETTINGS_H

/* The settings that text may depend on, when it is written, read or both; a bit each. */
#define TEXT_SETTING_DATE		0x01	/* DateStyle */
#define TEXT_SETTING_INTERVAL	0x02	/* IntervalStyle */
#define TEXT_SETTING_ZONE		0x04	/* TimeZone */
#define TEXT_SETTING_FLOAT		0x08	/* extra_float_digits */
#define TEXT_SETTING_BYTEA		0x10	/* bytea_output */
#define TEXT_SETTING_MONEY		0x20	/* lc_monetary */
#define TEXT_SETTING_NAMES		0x40	/* search_path, quote_all_identifiers */
#define TEXT_SETTING_ARRAY		0x80	/* array_nulls */
#define TEXT_SETTING_XML		0x100	/* xmloption */
#define TEXT_SETTING_ALL		0x1FF

/* The settings on which the text of a type's values depends; all, if that is not known. */
extern int	pgt_text_settings_of(Oid type);

/* Is this the text of a date or time of the type that means the same under all settings? */
extern bool pgt_text_settings_is_plain(Oid type, const char *text);

/*
 * Set some settings to the fixed values with which stored text is written and read.
 * pgt_text_settings_restore() with the returned level restores the session's own values;
 * an ERROR in between restores them as well.
 */
extern int	pgt_text_settings_fix(int settings);
extern void pgt_text_settings_restore(int level);

#endif							/* TEXT_SETTINGS_H */
