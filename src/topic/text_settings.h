/*
 * text_settings.h
 *	  The session's settings on which the text of values depends.
 */
#ifndef TEXT_SETTINGS_H
#define TEXT_SETTINGS_H

/* Does the text of the type's values depend on settings of the session? */
extern bool pgt_text_settings_matter(Oid type);

/*
 * Set all settings on which the text of values depends to fixed values, TimeZone only
 * where "time_zone" is true.  pgt_text_settings_restore() with the returned level
 * restores the session's own values; an ERROR in between restores them as well.
 */
extern int	pgt_text_settings_fix(bool time_zone);
extern void pgt_text_settings_restore(int level);

#endif							/* TEXT_SETTINGS_H */
