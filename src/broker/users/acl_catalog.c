/*
 * acl_catalog.c
 *	  The ACLs that there are: what catalogs say, in Kafka's words.
 *
 *	  pg_class.relacl of a topic		TOPIC name, LITERAL, host *, ALLOW
 *	  SELECT							READ
 *	  INSERT							WRITE
 *	  the owner, with both of these		ALL
 *	  the owner without one of them		DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS, and the one that it has
 *
 *	  owner of a consumer group			GROUP name, LITERAL, host *, ALLOW ALL
 *
 * As in Kafka, what follows from another ACL is not one: DESCRIBE from READ and WRITE.  Nor is there one for what a
 * role has as a member of another, or as a superuser.  Other privileges, and those on columns, mean nothing to
 * Kafka's clients.
 *
 * Catalogs are open to all in SQL, so whoever may know of a topic may know its ACLs.  A topic that is not shown
 * to a client has none for it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "broker/core/broker.h"
#include "broker/core/database_text.h"
#include "broker/core/topic_names.h"
#include "broker/users/acl_catalog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_group_row.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

/* What is being found. */
typedef struct AclSearch
{
	const AclBinding *filter;
	List	   *found;
} AclSearch;

/* Text of this server as a string of Kafka's. */
static KafkaString
string_of(const char *text)
{
	return pgt_database_text_for_client(text);
}

/* "User:" and a role's name; null where it is gone. */
static KafkaString
principal_of(Oid role)
{
	char	   *name = role == ACL_ID_PUBLIC ? "*" : GetUserNameFromId(role, true);

	return name == NULL ? (KafkaString) {.length = -1} : string_of(psprintf("User:%s", name));
}

/* Add an entry, if the filter matches it. */
static void
add(AclSearch *search, const AclCatalogEntry *with, AclOperation operation, AclMode privilege)
{
	AclCatalogEntry *entry;

	if (search->filter->operation != ACL_OPERATION_ANY && search->filter->operation != (int8) operation)
		return;
	entry = pgt_acl_catalog_copy(with);
	entry->binding.operation = operation;
	entry->privilege = privilege;
	if (pgt_acl_binding_matches(search->filter, &entry->binding))
		search->found = lappend(search->found, entry);
}

AclCatalogEntry *
pgt_acl_catalog_copy(const AclCatalogEntry *entry)
{
	AclCatalogEntry *copy = palloc(sizeof(AclCatalogEntry));

	*copy = *entry;
	copy->binding.name.data = pnstrdup(entry->binding.name.data, entry->binding.name.length);
	copy->binding.principal.data = pnstrdup(entry->binding.principal.data, entry->binding.principal.length);
	copy->binding.host = pgt_broker_string("*");
	return copy;
}

/* An entry of a resource, without an operation. */
static AclCatalogEntry
entry_of(AclResource resource, KafkaString name, Oid topic, Oid grantee)
{
	AclCatalogEntry entry = {.topic = topic, .grantee = grantee};

	entry.binding.resource = resource;
	entry.binding.pattern = ACL_PATTERN_LITERAL;
	entry.binding.permission = ACL_PERMISSION_ALLOW;
	entry.binding.name = name;
	entry.binding.principal = principal_of(grantee);
	entry.binding.host = pgt_broker_string("*");
	return entry;
}

/* ---- topics ------------------------------------------------------------------------- */

AclMode
pgt_acl_catalog_privilege(int8 operation)
{
	return operation == ACL_OPERATION_READ ? ACL_SELECT : operation == ACL_OPERATION_WRITE ? ACL_INSERT : ACL_NO_RIGHTS;
}

/* The ACL of a topic, palloc'd, and its owner; NULL: it is gone. */
static Acl *
read_acl(Oid topic, Oid *owner)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(topic));
	bool		is_null;
	Datum		value;
	Acl		   *acl;

	if (!HeapTupleIsValid(row))
		return NULL;
	*owner = ((Form_pg_class) GETSTRUCT(row))->relowner;
	value = SysCacheGetAttr(RELOID, row, Anum_pg_class_relacl, &is_null);
	acl = is_null ? acldefault(OBJECT_TABLE, *owner) : DatumGetAclPCopy(value);
	ReleaseSysCache(row);
	return acl;
}

/* What a role was granted by anybody. */
static AclMode
granted_to(const Acl *acl, Oid grantee)
{
	AclMode		granted = ACL_NO_RIGHTS;

	for (int i = 0; i < ACL_NUM(acl); i++)
		if (ACL_DAT(acl)[i].ai_grantee == grantee)
			granted |= ACLITEM_GET_PRIVS(ACL_DAT(acl)[i]);
	return granted;
}

AclMode
pgt_acl_catalog_granted(Oid topic, Oid grantee)
{
	Oid			owner;
	Acl		   *acl = read_acl(topic, &owner);

	return acl == NULL ? ACL_NO_RIGHTS : granted_to(acl, grantee);
}

/* Add what a role was granted on a topic. */
static void
add_granted(AclSearch *search, const AclCatalogEntry *entry, AclMode granted)
{
	if ((granted & ACL_SELECT) != 0)
		add(search, entry, ACL_OPERATION_READ, ACL_SELECT);
	if ((granted & ACL_INSERT) != 0)
		add(search, entry, ACL_OPERATION_WRITE, ACL_INSERT);
}

/* Add what the owner may do. */
static void
add_owner(AclSearch *search, const AclCatalogEntry *entry, AclMode granted)
{
	static const AclOperation owned[] = {ACL_OPERATION_DELETE, ACL_OPERATION_ALTER, ACL_OPERATION_DESCRIBE,
	ACL_OPERATION_DESCRIBE_CONFIGS, ACL_OPERATION_ALTER_CONFIGS};

	if ((granted & ACL_SELECT) != 0 && (granted & ACL_INSERT) != 0)
	{
		add(search, entry, ACL_OPERATION_ALL, ACL_NO_RIGHTS);
		return;
	}
	add_granted(search, entry, granted);
	for (int i = 0; i < lengthof(owned); i++)
		add(search, entry, owned[i], ACL_NO_RIGHTS);
}

/* Has the role had its turn in the items before this one?  An ACL has one for each grantor. */
static bool
is_repeated(const Acl *acl, int item)
{
	for (int i = 0; i < item; i++)
		if (ACL_DAT(acl)[i].ai_grantee == ACL_DAT(acl)[item].ai_grantee)
			return true;
	return false;
}

/* Add what a filter matches of a topic. */
static void
search_topic(AclSearch *search, Oid topic)
{
	Oid			owner;
	Acl		   *acl = pgt_topic_is_visible(topic) ? read_acl(topic, &owner) : NULL;
	char	   *name = acl == NULL ? NULL : pgt_topic_names_of(topic);
	AclCatalogEntry entry;

	if (name == NULL)
		return;
	entry = entry_of(ACL_RESOURCE_TOPIC, pgt_broker_string(name), topic, owner);
	if (entry.binding.principal.length >= 0)
		add_owner(search, &entry, granted_to(acl, owner));
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		Oid			grantee = ACL_DAT(acl)[i].ai_grantee;

		if (grantee == owner || is_repeated(acl, i))
			continue;
		entry = entry_of(ACL_RESOURCE_TOPIC, pgt_broker_string(name), topic, grantee);
		if (entry.binding.principal.length >= 0)
			add_granted(search, &entry, granted_to(acl, grantee));
	}
}

static void
search_topics(AclSearch *search)
{
	ListCell   *cell;

	if (search->filter->name.length >= 0)
	{
		Oid			topic = pgt_topic_names_find(search->filter->name);

		if (OidIsValid(topic))
			search_topic(search, topic);
		return;
	}
	foreach(cell, pgt_topic_list())
	{
		CHECK_FOR_INTERRUPTS();
		search_topic(search, lfirst_oid(cell));
	}
}

/* ---- groups ------------------------------------------------------------------------- */

static bool
is_a_role(Oid owner, const void *arg)
{
	return OidIsValid(owner);
}

/* By name, and then by owner. */
static int
compare_entries(const ListCell *left, const ListCell *right)
{
	const AclCatalogEntry *one = lfirst(left);
	const AclCatalogEntry *other = lfirst(right);
	int			order = strcmp(one->binding.name.data, other->binding.name.data);

	if (order != 0)
		return order;
	return one->grantee < other->grantee ? -1 : one->grantee > other->grantee;
}

/* A group of Kafka's clients without offsets and partitions is its owner's as its own row says. */
static void
search_bare_group(const char *id, Oid owner, void *arg)
{
	ConsumerGroup group = {.offsets_table = pgt_group_row_any_table(),.id = id};
	AclCatalogEntry entry;

	CHECK_FOR_INTERRUPTS();
	if (owner == GROUP_UNCLAIMED || !OidIsValid(owner) || !has_privs_of_role(GetUserId(), owner) ||
		(OidIsValid(group.offsets_table) && OidIsValid(pgt_group_rows_next_topic(&group, InvalidOid))))
		return;
	entry = entry_of(ACL_RESOURCE_GROUP, string_of(pstrdup(id)), InvalidOid, owner);
	if (entry.binding.principal.length >= 0)
		add(arg, &entry, ACL_OPERATION_ALL, ACL_NO_RIGHTS);
}

/*
 * Add what a filter matches of groups.  A group has an owner in each topic, mostly the same one; who may use
 * the group may know of it.
 */
static void
search_groups(AclSearch *search)
{
	AclSearch	groups = {.filter = search->filter};
	Oid			table = pgt_group_row_any_table();
	AclCatalogEntry *last = NULL;
	ListCell   *cell;

	if (OidIsValid(pgt_group_row_extension_table()))
		pgt_kafka_group_rows_owners(search_bare_group, &groups);
	foreach(cell, OidIsValid(table) ? pgt_group_rows_groups(table, is_a_role, NULL) : NIL)
	{
		const ConsumerGroup *group = lfirst(cell);
		Oid			owner = pgt_group_rows_owner(group);
		AclCatalogEntry entry;

		CHECK_FOR_INTERRUPTS();
		if (!pgt_group_role_may_use(GetUserId(), group->topic, owner))
			continue;
		entry = entry_of(ACL_RESOURCE_GROUP, string_of(group->id), InvalidOid, owner);
		if (entry.binding.principal.length >= 0)
			add(&groups, &entry, ACL_OPERATION_ALL, ACL_NO_RIGHTS);
	}
	list_sort(groups.found, compare_entries);
	foreach(cell, groups.found)
	{
		if (last == NULL || strcmp(last->binding.name.data, ((AclCatalogEntry *) lfirst(cell))->binding.name.data) != 0 ||
			last->grantee != ((AclCatalogEntry *) lfirst(cell))->grantee)
			search->found = lappend(search->found, last = lfirst(cell));
	}
}

List *
pgt_acl_catalog_find(const AclBinding *filter)
{
	AclSearch	search = {.filter = filter};

	if (pgt_acl_binding_is_about(filter, ACL_RESOURCE_TOPIC))
		search_topics(&search);
	if (pgt_acl_binding_is_about(filter, ACL_RESOURCE_GROUP))
		search_groups(&search);
	return search.found;
}

/* ---- roles -------------------------------------------------------------------------- */

bool
pgt_acl_catalog_role(const AclBinding *binding, Oid *role)
{
	KafkaString user = pgt_acl_binding_user(binding);
	char	   *name;

	*role = ACL_ID_PUBLIC;
	if (pgt_acl_binding_says(user, "*"))
		return true;
	if (user.length <= 0 || memchr(user.data, '\0', user.length) != NULL)
		return false;
	name = pg_any_to_server(pnstrdup(user.data, user.length), user.length, PG_UTF8);
	*role = strlen(name) < NAMEDATALEN ? get_role_oid(name, true) : InvalidOid;
	return OidIsValid(*role);
}

const char *
pgt_acl_catalog_role_in_sql(Oid role)
{
	return role == ACL_ID_PUBLIC ? "PUBLIC" : quote_identifier(GetUserNameFromId(role, false));
}
