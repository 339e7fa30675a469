/*
 * group_configs.c
 *	  What is configured for single groups of Kafka's clients: which configurations there are, and their values.
 *
 * Clients set them by IncrementalAlterConfigs (src/broker/configs), also for groups that are not there yet; they are rows of a table
 * (group/kafka_group_config.h).  The loop has all of them in memory, and reads them again when it hears that they
 * have changed, as of quotas: with the next request about a group that has a transaction, which heartbeats have
 * every second at the latest.  A group that says nothing has what the settings say.
 *
 * Administrators may write to the table what they like: what makes no sense does not count.
 *
 * share.isolation.level is known for the sake of those who set it: what has not been committed is never delivered.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/groups/group_configs.h"
#include "coordinator/id_table.h"
#include "group/kafka_group_config.h"
#include "util/relation_change.h"
#include "utils/memutils.h"

/* So many rows count. */
#define ROWS_MAX	20000

static const int isolation_level = 0;
static const char *const resets[] = {"latest", "earliest", NULL};
static const char *const isolation_levels[] = {"read_committed", "read_uncommitted", NULL};

#define NUMBER(name, setting, broker_name, least, most, less, documentation) \
	{name, setting, broker_name, 0, NULL, least, most, less, documentation}
#define WORD(name, setting, initial, words, documentation) \
	{name, setting, NULL, initial, words, 0, 0, GROUP_CONFIG_COUNT, documentation}

const GroupConfigType pgt_group_configs_types[GROUP_CONFIG_COUNT] = {
	[GROUP_CONFIG_CONSUMER_HEARTBEAT_INTERVAL] =
	NUMBER("consumer.heartbeat.interval.ms", &pgt_kafka_group_consumer_heartbeat_interval,
		   "group.consumer.heartbeat.interval.ms", 100, PG_INT32_MAX, GROUP_CONFIG_COUNT,
		   "How often members of the group tell that they are alive."),
	[GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT] =
	NUMBER("consumer.session.timeout.ms", &pgt_kafka_group_consumer_session_timeout,
		   "group.consumer.session.timeout.ms", 1000, PG_INT32_MAX, GROUP_CONFIG_CONSUMER_HEARTBEAT_INTERVAL,
		   "A member of the group that is silent for that long is taken to be gone."),
	[GROUP_CONFIG_SHARE_AUTO_OFFSET_RESET] =
	WORD("share.auto.offset.reset", &pgt_kafka_group_share_auto_offset_reset, BROKER_SETTINGS_RESET_LATEST, resets,
		 "Where the group begins in a partition: latest or earliest."),
	[GROUP_CONFIG_SHARE_HEARTBEAT_INTERVAL] =
	NUMBER("share.heartbeat.interval.ms", &pgt_kafka_group_share_heartbeat_interval,
		   "group.share.heartbeat.interval.ms", 100, PG_INT32_MAX, GROUP_CONFIG_COUNT,
		   "How often members of the share group tell that they are alive."),
	[GROUP_CONFIG_SHARE_ISOLATION_LEVEL] =
	WORD("share.isolation.level", &isolation_level, 0, isolation_levels,
		 "Records of transactions that have not committed are not delivered, whatever it says."),
	[GROUP_CONFIG_SHARE_RECORD_LOCK_DURATION] =
	NUMBER("share.record.lock.duration.ms", &pgt_kafka_group_share_record_lock_duration,
		   "group.share.record.lock.duration.ms", 100, 3600000, GROUP_CONFIG_COUNT,
		   "How long a member has a record before others may get it."),
	[GROUP_CONFIG_SHARE_SESSION_TIMEOUT] =
	NUMBER("share.session.timeout.ms", &pgt_kafka_group_share_session_timeout,
		   "group.share.session.timeout.ms", 1000, PG_INT32_MAX, GROUP_CONFIG_SHARE_HEARTBEAT_INTERVAL,
		   "A member of the share group that is silent for that long is taken to be gone."),
};

int
pgt_group_configs_find(const char *name)
{
	int			config = 0;

	while (config < GROUP_CONFIG_COUNT && strcmp(pgt_group_configs_types[config].name, name) != 0)
		config++;
	return config;
}

/* A number of digits alone. */
static bool
parse_number(const char *text, int *value)
{
	char	   *end;
	long		number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || number > PG_INT32_MAX)
		return false;
	*value = (int) number;
	return true;
}

bool
pgt_group_configs_parse(GroupConfig config, const char *text, int *value)
{
	const GroupConfigType *type = &pgt_group_configs_types[config];

	if (type->words == NULL)
		return parse_number(text, value) && *value >= type->least && *value <= type->most;
	for (*value = 0; type->words[*value] != NULL; (*value)++)
	{
		if (pg_strcasecmp(text, type->words[*value]) == 0)
			return true;
	}
	return false;
}

const char *
pgt_group_configs_text(GroupConfig config, int value)
{
	const GroupConfigType *type = &pgt_group_configs_types[config];

	return type->words != NULL ? type->words[value] : psprintf("%d", value);
}

const char *
pgt_group_configs_hint(GroupConfig config)
{
	const GroupConfigType *type = &pgt_group_configs_types[config];

	if (type->words == NULL)
		return psprintf(". It is a number of milliseconds from %d to %d.", type->least, type->most);
	return psprintf(". It is %s or %s.", type->words[0], type->words[1]);
}

/* ---- in the loop ------------------------------------------------------------------- */

/* A group for which something is set. */
typedef struct ConfiguredGroup
{
	IdTableEntry by_id;
	bool		set[GROUP_CONFIG_COUNT];
	int			values[GROUP_CONFIG_COUNT];
} ConfiguredGroup;

static MemoryContext context = NULL;	/* of all of them */
static IdTable groups;
static Oid	table = InvalidOid; /* that was read last */
static bool outdated = true;

static ConfiguredGroup *
find_group(const IdTable *in, const char *id, int32 length)
{
	IdTableEntry *entry = length <= 0 ? NULL : pgt_id_table_find(in, id, length);

	return entry == NULL ? NULL : (ConfiguredGroup *) ((char *) entry - offsetof(ConfiguredGroup, by_id));
}

/* Take a row over, if it makes sense. */
static void
take_row(IdTable *into, const KafkaGroupConfig *row)
{
	int			config = pgt_group_configs_find(row->name);
	int			length = strlen(row->group);
	ConfiguredGroup *group;
	int			value;

	if (config == GROUP_CONFIG_COUNT || !pgt_group_configs_parse(config, row->value, &value))
		return;
	group = find_group(into, row->group, length);
	if (group == NULL && length > 0)
	{
		group = palloc0(sizeof(ConfiguredGroup));
		pgt_id_table_reserve(into, 1);
		pgt_id_table_add(into, &group->by_id, row->group, length);
	}
	if (group == NULL)
		return;
	group->set[config] = true;
	group->values[config] = value;
}

/* Take these rows, which are in the current context, in place of those that there were. */
static void
take_rows(List *rows)
{
	IdTable		taken = {0};
	ListCell   *cell;

	foreach(cell, rows)
		take_row(&taken, lfirst(cell));
	if (context != NULL)
		MemoryContextDelete(context);
	context = CurrentMemoryContext;
	MemoryContextSetParent(context, TopMemoryContext);
	groups = taken;
	if (list_length(rows) == ROWS_MAX)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no more than %d configurations of groups of Kafka clients count", ROWS_MAX)));
}

/* Read the table, for pgt_turn_try(); it stays outdated where somebody has it for itself. */
static void
read_rows(void *unused)
{
	MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "pg_topics group configs", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(own);
	List	   *rows;
	bool		is_read;

	/* what comes while it is read is news still */
	outdated = false;
	table = pgt_kafka_group_config_table();
	is_read = pgt_kafka_group_config_try_read_all(ROWS_MAX, &rows);
	if (is_read)
		take_rows(rows);
	MemoryContextSwitchTo(caller);
	if (is_read)
		return;
	outdated = true;
	MemoryContextDelete(own);
}

void
pgt_group_configs_refresh(void)
{
	if (outdated && !pgt_turn_try(read_rows, NULL, NULL))
		outdated = true;
}

bool
pgt_group_configs_is_set(KafkaString group, GroupConfig config, int *value)
{
	const ConfiguredGroup *configured = find_group(&groups, group.data, group.length);

	if (configured == NULL || !configured->set[config])
		return false;
	*value = configured->values[config];
	return true;
}

int
pgt_group_configs_get(KafkaString group, GroupConfig config)
{
	int			value;

	return pgt_group_configs_is_set(group, config, &value) ? value : *pgt_group_configs_types[config].setting;
}

int
pgt_group_configs_of(const char *group, GroupConfig config)
{
	return pgt_group_configs_get(pgt_broker_string(group), config);
}

/* ---- hooks ----------------------------------------------------------------------------- */

/* A callback of the relation cache. */
static void
table_changed(Datum arg, Oid relation)
{
	outdated |= !OidIsValid(relation) || !OidIsValid(table) || relation == table;
}

static void
start(void)
{
	pgt_relation_change_register(table_changed);
}

const BrokerHooks pgt_group_configs_hooks = {.start = start};
