/*
 * alter_group_config.c
 *	  Changing the configuration of a group, for a client.
 *
 * Who may use a group may configure it.  A group that is not there yet may be configured by anybody, as it may be made by anybody;
 * then it is his to change until there is such a group, whose owner it is for from then on.
 *
 *	  24	the name cannot be a group's
 *	  30	the group is another role's, or another role has configured it
 *	  40	there is no such configuration, or not with this value
 *	  44	the role has configured too many groups
 */
#include "postgres.h"

#include "broker/configs/alter_group_config.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_coordinator.h"
#include "broker/helpers/topic_change.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_group_config.h"
#include "group/kafka_group_row.h"
#include "miscadmin.h"
#include "share/share_row.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

/* So many configurations may be a role's. */
#define ROLE_MAX	5000

/* ---- who may ------------------------------------------------------------------------ */

/* What is known of the owners of a group. */
typedef struct Owners
{
	bool		exists;			/* somebody has the group */
	Oid			allowed;		/* an owner for whom the user may act; InvalidOid: none */
} Owners;

static void
note_owner(Owners *owners, Oid topic, Oid owner)
{
	if (owner == GROUP_UNCLAIMED)
		return;
	owners->exists = true;
	if (OidIsValid(topic) ? pgt_group_role_may_use(GetUserId(), topic, owner) : pgt_kafka_group_config_may_change(GetUserId(), owner))
		owners->allowed = OidIsValid(owner) ? owner : GetUserId();
}

/* Look at all rows that name an owner of the group. */
static Owners
find_owners(const char *group)
{
	ConsumerGroup rows = {.offsets_table = pgt_group_row_extension_table(),.id = group};
	Owners		owners = {0};
	Oid			owner;
	ListCell   *cell;

	if (!OidIsValid(rows.offsets_table))
		pgt_topic_change_refuse(KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, "the extension is not there");
	if (pgt_kafka_group_row_owner(group, &owner))
		note_owner(&owners, InvalidOid, owner);
	foreach(cell, pgt_group_rows_topics(&rows))
	{
		rows.topic = lfirst_oid(cell);
		note_owner(&owners, rows.topic, pgt_group_rows_owner(&rows));
	}
	foreach(cell, pgt_share_row_list(get_rel_namespace(rows.offsets_table), group, InvalidOid))
		note_owner(&owners, ((const ShareRow *) lfirst(cell))->topic, ((const ShareRow *) lfirst(cell))->owner);
	return owners;
}

/* Whose the rows are to be; throws where the user may not change them. */
static Oid
check_may_change(const char *group, List *rows)
{
	Owners		owners = find_owners(group);
	Oid			owner = rows == NIL ? GROUP_UNCLAIMED : ((const KafkaGroupConfig *) linitial(rows))->owner;

	if (owners.exists && !OidIsValid(owners.allowed))
		pgt_topic_change_refuse(KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED, "the group belongs to another role");
	if (owners.exists)
		return owners.allowed;
	if (!pgt_kafka_group_config_may_change(GetUserId(), owner))
		pgt_topic_change_refuse(KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED, "another role has configured the group");
	return owner != GROUP_UNCLAIMED && has_privs_of_role(GetUserId(), owner) ? owner : GetUserId();
}

/* ---- what it becomes ---------------------------------------------------------------------- */

/* The configurations of a group. */
typedef struct Values
{
	bool		set[GROUP_CONFIG_COUNT];
	int			values[GROUP_CONFIG_COUNT];
} Values;

static int
value_of(const Values *values, GroupConfig config)
{
	return values->set[config] ? values->values[config] : *pgt_group_configs_types[config].setting;
}

/* Take what the group has, as far as it makes sense. */
static void
take_rows(Values *values, List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		const KafkaGroupConfig *row = lfirst(cell);
		int			config = pgt_group_configs_find(row->name);

		if (config < GROUP_CONFIG_COUNT)
			values->set[config] = pgt_group_configs_parse(config, row->value, &values->values[config]);
	}
}

static void
take_option(Values *values, const AlterGroupOption *option)
{
	int			config = pgt_group_configs_find(option->name);

	if (config == GROUP_CONFIG_COUNT && option->value == NULL)
		return;
	if (config == GROUP_CONFIG_COUNT)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "groups have no configuration \"%s\"", option->name);
	if (option->value != NULL && !pgt_group_configs_parse(config, option->value, &values->values[config]))
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "invalid value for configuration \"%s\": \"%s\"%s", option->name, option->value,
								pgt_group_configs_hint(config));
	values->set[config] = option->value != NULL;
}

/* Do the values fit together? */
static void
check_values(const Values *values)
{
	for (int config = 0; config < GROUP_CONFIG_COUNT; config++)
	{
		GroupConfig less = pgt_group_configs_types[config].less;

		if (less == GROUP_CONFIG_COUNT || (!values->set[config] && !values->set[less]))
			continue;
		if (value_of(values, config) <= value_of(values, less))
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "configuration \"%s\" (%d) must be greater than \"%s\" (%d)",
									pgt_group_configs_types[config].name, value_of(values, config),
									pgt_group_configs_types[less].name, value_of(values, less));
	}
}

/* Write what has changed. */
static void
write_values(const char *group, const Values *before, const Values *after, Oid owner)
{
	for (int config = 0; config < GROUP_CONFIG_COUNT; config++)
	{
		const char *name = pgt_group_configs_types[config].name;

		if (after->set[config] && (!before->set[config] || before->values[config] != after->values[config]))
			pgt_kafka_group_config_set(group, name, pgt_group_configs_text(config, after->values[config]), owner);
		else if (before->set[config] && !after->set[config])
			pgt_kafka_group_config_set(group, name, NULL, owner);
	}
}

void
pgt_alter_group_config(const AlterGroupConfig *change)
{
	char	   *group = pnstrdup(change->group.data, Max(change->group.length, 0));
	List	   *rows;
	Values		before = {0};
	Values		after;
	Oid			owner;

	if (change->group.length <= 0 || !pgt_group_coordinator_is_text(change->group, MAX_GROUP_ID_LENGTH))
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_GROUP_ID, "that cannot be the name of a group");
	rows = pgt_kafka_group_config_read(group, PG_INT32_MAX);
	owner = check_may_change(group, rows);
	take_rows(&before, rows);
	after = before;
	if (change->replaces)
		memset(&after, 0, sizeof(after));
	for (int i = 0; i < change->count; i++)
		take_option(&after, &change->options[i]);
	check_values(&after);
	if (rows == NIL && pgt_kafka_group_config_count(owner) >= ROLE_MAX)
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "the role has configured too many groups");
	write_values(group, &before, &after, owner);
}
