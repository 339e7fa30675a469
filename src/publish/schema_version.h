/*
 * schema_version.h
 *	  Version numbers for the columns of published tables.
 */
#ifndef SCHEMA_VERSION_H
#define SCHEMA_VERSION_H

/*
 * The table's latest version number, which grows whenever its columns change; 0 if the
 * table has none.  "schema" is the extension's.
 */
extern int	pgt_schema_version(Oid schema, Oid table);

/*
 * A statement has changed the columns of a published table, or published it; has altered
 * a type, or given its schema another name; or drops a publishing trigger.
 */
extern void pgt_schema_version_note_table(Oid table);
extern void pgt_schema_version_note_type(Oid type);
extern void pgt_schema_version_note_schema(Oid schema);
extern void pgt_schema_version_note_drop(void);

/* Called once per process. */
extern void pgt_schema_version_init(void);

#endif							/* SCHEMA_VERSION_H */
