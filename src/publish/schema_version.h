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

#endif							/* SCHEMA_VERSION_H */
