/*
 * sql_version.c
 *	  Does the library fit the extension's SQL objects in this database?
 *
 * The library is one for the server, the version that CREATE or ALTER EXTENSION has
 * made the SQL objects of is each database's own.  The two differ between the
 * upgrade of the package with its restart and ALTER EXTENSION UPDATE, which may be
 * weeks, and after a downgrade.  A function that is declared with other arguments
 * or columns than the library counts on would read what is not there.
 *
 * Two rules keep that from happening:
 *
 *	1. A C symbol has one declaration for ever.  Who changes a function's arguments,
 *	   columns or result gives the new declaration a symbol of its own ("pgt_consume"
 *	   becomes "pgt_consume_1_1") and keeps the old symbol for as long as a version
 *	   that declares it is served.  test/t/091_sql_versions.pl compares all versions.
 *	2. The library serves the versions in the table below.  In a database that has
 *	   another one each function is an error that names both versions, and no
 *	   maintenance worker runs.  Tables are read by column numbers, so a version
 *	   whose tables the library does not read must not be in it.
 *
 * What it takes to get out of that state works: the scripts of CREATE and ALTER
 * EXTENSION, DROP EXTENSION, dumping and pg_upgrade.
 *
 * CREATE and ALTER EXTENSION that would lead to a version newer than the library are
 * refused, as happens where a package was upgraded and the server not restarted yet:
 * the old library is in memory, the new scripts are on disk.
 *
 * Locks: AccessShareLock on pg_extension.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "util/relation_change.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define EXTENSION_NAME	"pg_topics"

/* All versions up to the library's own, oldest first. */
static const struct
{
	const char *version;
	bool		served;
}			versions[] = {
#ifdef PGT_FAULT_POINTS
	/* for tests: one that is served no more, and what test/update leads to */
	{"0.9", false},
	{"again", true},
#endif
	{PGT_VERSION, true},
};

typedef enum VersionKind
{
	VERSION_SERVED,
	VERSION_OLD,
	VERSION_UNKNOWN,			/* newer, since all older ones are known */
} VersionKind;

static VersionKind
kind_of_version(const char *version)
{
	for (int i = 0; i < lengthof(versions); i++)
		if (strcmp(versions[i].version, version) == 0)
			return versions[i].served ? VERSION_SERVED : VERSION_OLD;
	return VERSION_UNKNOWN;
}

/* The extension in this database: its row, and that row's version. */
typedef struct ExtensionRow
{
	Oid			oid;			/* InvalidOid: it is not there */
	Oid			schema;
	char	   *version;		/* palloc'd */
} ExtensionRow;

/* Read the row.  "snapshot" NULL: as the catalogs are. */
static ExtensionRow
read_extension(Snapshot snapshot)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ExtensionRow row = {InvalidOid, InvalidOid, NULL};
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Datum		value;
	bool		isnull;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EXTENSION_NAME));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		row.oid = ((Form_pg_extension) GETSTRUCT(tuple))->oid;
		row.schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
		value = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(catalog), &isnull);
		if (!isnull)
			row.version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return row;
}

Oid
pgt_sql_version_schema(void)
{
	return read_extension(NULL).schema;
}

/* ---- relations ------------------------------------------------------------ */

/*
 * What was found is remembered until the server tells of a change of that relation, be it its name, its schema or that it
 * is dropped.  So who asks for each message of a client does not scan a catalog each time.
 */
typedef struct KnownRelation
{
	NameData	name;
	Oid			relid;			/* InvalidOid: the place is free */
} KnownRelation;

#define KNOWN_RELATIONS	16

static KnownRelation known[KNOWN_RELATIONS];

/* Relcache callback: one has changed, or any may have. */
static void
forget_relation(Datum arg, Oid relid)
{
	for (int i = 0; i < KNOWN_RELATIONS; i++)
		if (known[i].relid == relid || !OidIsValid(relid))
			known[i].relid = InvalidOid;
}

Oid
pgt_sql_version_relation_in(Oid schema, const char *name)
{
	Oid			relid = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" of extension \"pg_topics\" is missing", name),
				 errhint("It must be in the same schema as the extension's functions.")));
	return relid;
}

/* Remember it, in the place of any other one if all are taken. */
static void
remember_relation(const char *name, Oid relid)
{
	static bool registered = false;
	static int	next = 0;
	KnownRelation *place = &known[next++ % KNOWN_RELATIONS];

	if (!registered)
		pgt_relation_change_register(forget_relation);
	registered = true;
	namestrcpy(&place->name, name);
	place->relid = relid;
}

/* Where it was found last; InvalidOid: that is not known. */
static Oid
recall_relation(const char *name)
{
	for (int i = 0; i < KNOWN_RELATIONS; i++)
		if (OidIsValid(known[i].relid) && strcmp(NameStr(known[i].name), name) == 0)
			return known[i].relid;
	return InvalidOid;
}

Oid
pgt_sql_version_find_relation(const char *name)
{
	Oid			relid = recall_relation(name);
	Oid			schema;

	if (OidIsValid(relid))
		return relid;
	schema = pgt_sql_version_schema();
	if (OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (OidIsValid(relid))
		remember_relation(name, relid);
	return relid;
}

Oid
pgt_sql_version_relation(const char *name)
{
	Oid			relid = pgt_sql_version_find_relation(name);

	return OidIsValid(relid) ? relid : pgt_sql_version_relation_in(pgt_sql_version_schema(), name);
}

/* ---- versions ------------------------------------------------------------- */

/* Report a version that the library does not serve. */
static void
report_version(const char *version, VersionKind kind, int level)
{
	ereport(level,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension \"%s\" is of version %s in this database, which the server's library of version %s does not serve",
					EXTENSION_NAME, version, PGT_VERSION),
			 kind == VERSION_OLD ?
			 errhint("Run ALTER EXTENSION %s UPDATE in this database.", EXTENSION_NAME) :
			 errhint("If a newer package has been installed, restart the server so that it loads the library; else install the package of version %s or later.",
					 version)));
}

bool
pgt_sql_version_check(int level)
{
	ExtensionRow row;
	VersionKind kind;

	/* pg_upgrade makes the objects of the old cluster's version */
	if (IsBinaryUpgrade)
		return true;
	row = read_extension(NULL);
	if (row.version == NULL || (creating_extension && CurrentExtensionObject == row.oid))
		return true;
	kind = kind_of_version(row.version);
	if (kind != VERSION_SERVED)
		report_version(row.version, kind, level);
	pfree(row.version);
	return kind == VERSION_SERVED;
}

void
pgt_sql_version_check_new(Oid changed)
{
	ExtensionRow row;

	if (IsBinaryUpgrade)
		return;
	/* the change is not visible to others yet */
	row = read_extension(SnapshotSelf);
	if (row.version != NULL && row.oid == changed && kind_of_version(row.version) == VERSION_UNKNOWN)
		report_version(row.version, VERSION_UNKNOWN, ERROR);
}
