/*
 * text_settings.h
 *	  The session's settings on which the text of values depends.
 */
#ifndef TEXT_SETTINGS_H
#define TEXT_SETTINGS_H

/* Does the text of the type's values depend on settings of the session? */
extern bool pgt_text_settings_matter(Oid type);

/*
 * Fix these settings, the time zone only if asked to; pgt_text_settings_restore() with the result makes them what
 * they were.  An ERROR in between does so by itself.
 */
extern int	pgt_text_settings_fix(bool time_zone);
extern void pgt_text_settings_restore(int level);

#endif							/* TEXT_SETTINGS_H */
