/*
 * group_role.c
 *	  The role that a consumer group belongs to, and who may use the group.
 *
 * Who may read a topic may consume it with groups of his own.  A group in a topic belongs
 * to the role that committed or leased there first; each of its rows says which
 * (topic_group_offsets.owner), so a call that reads the rows anyway knows the owner without
 * another look-up.  The group may be used, moved and deleted by
 *
 *	  its owner, and roles that have the owner's privileges
 *	  the topic's owner likewise
 *	  superusers
 *
 * Three kinds of owner are stored:
 *
 *	  the oid of a role
 *	  0					the role was dropped, or did not exist where a dump was restored:
 *						the group is the topic owner's
 *	  null				nobody's yet, as in rows that were written before there were
 *						owners: it becomes that of the next role that writes the row
 *
 * A role can be dropped while it owns groups, in this database and in others, of which
 * DROP ROLE sees nothing.  Until the maintenance worker has put 0 in its place
 * (pgt_role_groups_disown()), the oid is that of no role, and nobody has its privileges.
 *
 * The rows have the owner as a value of the type topic_role: inside an oid, so that renaming
 * a role changes nothing; as text the role's name, so that a dump can be restored in another
 * cluster.  Unlike regrole it takes names of roles that do not exist, since a COPY of all
 * groups must not fail for the sake of one.
 *
 * No locks, and nothing is written.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "group/group_role.h"
#include "topic/topic.h"

/*
 * Not PGT_FUNCTION_INFO(): the type must be read and written while the extension is dumped
 * in a version that the library does not serve.
 */
PG_FUNCTION_INFO_V1(pgt_topic_role_in);
PG_FUNCTION_INFO_V1(pgt_topic_role_out);
PG_FUNCTION_INFO_V1(pgt_topic_role_recv);
PG_FUNCTION_INFO_V1(pgt_topic_role_send);

/* The text of a role that does not exist. */
#define NO_ROLE		"-"

/* ---- who may use a group ------------------------------------------------- */

Oid
pgt_group_role_of(const ConsumerGroup *group)
{
	return OidIsValid(group->role) ? group->role : GetUserId();
}

/* Has the role the privileges of the topic's owner? */
static bool
owns_topic(Oid role, Oid topic)
{
	Oid			owner = pgt_topic_owner(topic);

	return OidIsValid(owner) && has_privs_of_role(role, owner);
}

bool
pgt_group_role_may_use(Oid role, Oid topic, Oid owner)
{
	return owner == GROUP_UNCLAIMED || owner == role ||
		(OidIsValid(owner) && has_privs_of_role(role, owner)) ||
		owns_topic(role, topic);
}

/* Refuse the use of a group that belongs to a role. */
static void
refuse_for_role(const ConsumerGroup *group, Oid owner, const char *user)
{
	char	   *name = GetUserNameFromId(owner, false);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for consumer group \"%s\" of topic \"%s\"",
					group->id, get_rel_name(group->topic)),
			 errdetail("The group belongs to role \"%s\".", name),
			 superuser_arg(owner) ?
			 errhint("Use a group of another name, or let a superuser make %s its owner with alter_group_owner().", user) :
			 errhint("Use a group of another name, or be let in with GRANT %s TO %s, or be made its owner with alter_group_owner().",
					 quote_identifier(name), user)));
}

/* Refuse the use of a group that has lost its owner. */
static void
refuse_for_topic(const ConsumerGroup *group, const char *user)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for consumer group \"%s\" of topic \"%s\"",
					group->id, get_rel_name(group->topic)),
			 errdetail("The role that the group belonged to does not exist, so the group is the topic owner's."),
			 errhint("Use a group of another name, or let the topic's owner make %s its owner with alter_group_owner().",
					 user)));
}

void
pgt_group_role_check(const ConsumerGroup *group, Oid owner)
{
	const char *user;

	if (pgt_group_role_may_use(pgt_group_role_of(group), group->topic, owner))
		return;
	user = quote_identifier(GetUserNameFromId(pgt_group_role_of(group), false));
	if (OidIsValid(owner) && SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)))
		refuse_for_role(group, owner, user);
	else
		refuse_for_topic(group, user);
}

/* ---- the type topic_role -------------------------------------------------- */

/* Tell that a restored group has lost its owner, once for each name in a row. */
static void
warn_missing(const char *name)
{
	static char last[NAMEDATALEN] = "";

	if (strncmp(last, name, NAMEDATALEN - 1) == 0)
		return;
	strlcpy(last, name, sizeof(last));
	ereport(WARNING,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("role \"%s\" does not exist", name),
			 errdetail("Its consumer groups belong to the owners of their topics.")));
}

/* The role of that name, quoted where SQL wants it; InvalidOid for "-" and for a role that does not exist. */
static Oid
role_of_text(const char *text)
{
	List	   *names;
	Oid			role;

	if (strcmp(text, NO_ROLE) == 0)
		return InvalidOid;
	if (!SplitIdentifierString(pstrdup(text), '.', &names) || list_length(names) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a role: \"%s\"", text),
				 errhint("Names of roles are written as in SQL; \"%s\" stands for none.", NO_ROLE)));
	role = get_role_oid(linitial(names), true);
	if (!OidIsValid(role))
		warn_missing(linitial(names));
	return role;
}

/* The text of a role, palloc'd. */
static char *
text_of_role(Oid role)
{
	char	   *name = OidIsValid(role) ? GetUserNameFromId(role, true) : NULL;

	return pstrdup(name == NULL ? NO_ROLE : quote_identifier(name));
}

/* input function of topic_role */
Datum
pgt_topic_role_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(role_of_text(PG_GETARG_CSTRING(0)));
}

/* output function of topic_role */
Datum
pgt_topic_role_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(text_of_role(PG_GETARG_OID(0)));
}

/* topic_role from its binary form, the text: an oid means nothing to another cluster. */
Datum
pgt_topic_role_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;

	PG_RETURN_OID(role_of_text(pq_getmsgtext(message, message->len - message->cursor, &length)));
}

/* topic_role in its binary form */
Datum
pgt_topic_role_send(PG_FUNCTION_ARGS)
{
	char	   *text = text_of_role(PG_GETARG_OID(0));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendtext(&message, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}
