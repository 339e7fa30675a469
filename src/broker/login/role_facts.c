/*
 * role_facts.c
 *	  What the catalogs say of roles that want to connect, and of the database.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "broker/login/role_facts.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static void
take_facts(RoleFacts *facts, HeapTuple row)
{
	Form_pg_authid form = (Form_pg_authid) GETSTRUCT(row);
	bool		is_null;
	Datum		value;

	facts->oid = form->oid;
	strlcpy(facts->name, NameStr(form->rolname), NAMEDATALEN);
	facts->can_login = form->rolcanlogin;
	facts->is_superuser = form->rolsuper;
	facts->connection_limit = form->rolconnlimit;
	value = SysCacheGetAttr(AUTHOID, row, Anum_pg_authid_rolvaliduntil, &is_null);
	facts->valid_until = is_null ? DT_NOEND : DatumGetTimestampTz(value);
	value = SysCacheGetAttr(AUTHOID, row, Anum_pg_authid_rolpassword, &is_null);
	facts->verifier = is_null ? NULL : TextDatumGetCString(value);
}

static bool
look_up(int cache, Datum key, RoleFacts *facts)
{
	HeapTuple	row = SearchSysCache1(cache, key);

	if (!HeapTupleIsValid(row))
		return false;
	take_facts(facts, row);
	ReleaseSysCache(row);
	return true;
}

bool
pgt_role_facts_by_name(const char *name, RoleFacts *facts)
{
	return look_up(AUTHNAME, CStringGetDatum(name), facts);
}

bool
pgt_role_facts_by_oid(Oid oid, RoleFacts *facts)
{
	return look_up(AUTHOID, ObjectIdGetDatum(oid), facts);
}

RoleFactsOfDatabase
pgt_role_facts_of_database(void)
{
	HeapTuple	row = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	RoleFactsOfDatabase facts = {false};
	Form_pg_database form;

	if (!HeapTupleIsValid(row))
		return facts;
	form = (Form_pg_database) GETSTRUCT(row);
	facts.allows_connections = form->datallowconn;
	facts.connection_limit = form->datconnlimit;
	ReleaseSysCache(row);
	return facts;
}
