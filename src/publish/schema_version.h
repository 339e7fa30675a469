/*
 * schema_version.h
 *	  Numbers for what a published table's columns are.
 */
#ifndef SCHEMA_VERSION_H
#define SCHEMA_VERSION_H

/*
 * The table's number: grows whenever its columns change; 0 where nothing is
 * known of it.  "schema" is the extension's.
 */
extern int	pgt_schema_version(Oid schema, Oid table);

#endif							/* SCHEMA_VERSION_H */
