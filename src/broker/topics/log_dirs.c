/*
 * log_dirs.c
 *	  DescribeLogDirs and AlterReplicaLogDirs: the directory of logs.
 *
 * There is one, pg_topics.log_dir, and clients know it by the setting's value, which is a path below the server's data
 * directory: where that is, is nobody's business who may not ask for data_directory.
 *
 * DescribeLogDirs tells the size of partitions' files, as pg_topic_size() does, of topics that the client may know
 * of.  How large the file system is, and how much of it is free, is told to members of pg_read_all_stats.
 * Reading directories may take long.  So a request is served in slices, also within a directory, which stays open from
 * one slice to the next; others wait while DIRS_MAX are open.
 *
 * AlterReplicaLogDirs has no other directory to move a partition to.  That it is where it is, is no error.
 */
#include "postgres.h"

#include <dirent.h>
#include <sys/statvfs.h>

#include "broker/core/access.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/topics/log_dirs.h"
#include "catalog/pg_authid.h"
#include "kafka/kafka_default.h"
#include "log/log_directory.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "utils/acl.h"

static void serve_describe(BrokerRequest *request);
static void serve_alter(BrokerRequest *request);

const BrokerApi pgt_log_dirs_describe_api = {.key = KAFKA_API_DESCRIBE_LOG_DIRS,.serve = serve_describe};
const BrokerApi pgt_log_dirs_alter_api = {.key = KAFKA_API_ALTER_REPLICA_LOG_DIRS,.serve = serve_alter};

#define KNOWING		(ACL_SELECT | ACL_INSERT)
#define DIRS_MAX	4			/* directories that are open from one slice to the next */

typedef KafkaDescribeLogDirsRequestDescribableLogDirTopic AskedTopic;
typedef KafkaDescribeLogDirsResponseDescribeLogDirsTopic AnsweredTopic;
typedef KafkaDescribeLogDirsResponseDescribeLogDirsPartition AnsweredPartition;

/* How far a request has come. */
typedef struct DescribeLogDirs
{
	List	   *all;			/* topics of the database, where all are asked for */
	int			next_topic;		/* of the request, or of all */
	int			topic_count;
	bool		in_topic;		/* this one is being looked at: */
	Oid			topic;
	const AskedTopic *asked;	/* NULL: all partitions */
	int32		partitions;		/* that it has */
	int32		next_partition; /* among those that are asked for */
	int32		end_partition;
	KafkaDescribeLogDirsResponse response;
	KafkaDescribeLogDirsResponseDescribeLogDirsResult result;
	DIR		   *dir;			/* of a partition, which is being read; NULL: none is */
	char		path[MAXPGPATH];
} DescribeLogDirs;

static int	open_dirs = 0;

/* ---- the size of a partition -------------------------------------------------------- */

static void
close_dir(DescribeLogDirs *state)
{
	if (state->dir == NULL)
		return;
	closedir(state->dir);
	state->dir = NULL;
	open_dirs--;
}

/* The client has gone, or something has failed. */
static void
dropped(BrokerRequest *request)
{
	close_dir(request->state);
}

static AnsweredTopic *
last_topic(DescribeLogDirs *state)
{
	return &state->result.topics.items[state->result.topics.count - 1];
}

/* Begin to read a partition's directory.  One that was never appended to has none. */
static void
open_dir(DescribeLogDirs *state, int32 partition)
{
	TopicPartition key = pgt_topic_partition_key(state->topic, partition);

	pgt_log_directory_partition_path(state->path, &key);
	state->dir = opendir(state->path);
	if (state->dir != NULL)
		open_dirs++;
	else if (errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open directory \"%s\": %m", state->path)));
}

/* Look at the next partition, if the topic has it. */
static void
begin_partition(DescribeLogDirs *state)
{
	int32		n = state->next_partition++;
	int32		partition = state->asked == NULL ? n : state->asked->partitions.items[n];
	AnsweredTopic *answer = last_topic(state);

	if (partition < 0 || partition >= state->partitions)
		return;
	answer->partitions.items[answer->partitions.count++].partition_index = partition;
	open_dir(state, partition);
}

/* Read one entry of the directory that is open. */
static void
read_entry(DescribeLogDirs *state)
{
	AnsweredTopic *answer = last_topic(state);

	if (!pgt_log_directory_add_size(state->dir, state->path, &answer->partitions.items[answer->partitions.count - 1].partition_size))
		close_dir(state);
}

/* ---- topics --------------------------------------------------------------------------- */

/* Set what is to be told of the next topic; false if it is not there, or the client may not know of it. */
static bool
find_next(BrokerRequest *request, DescribeLogDirs *state, KafkaString *name)
{
	const KafkaDescribeLogDirsRequest *body = request->kafka.body;
	int			n = state->next_topic++;
	List	   *options;

	state->asked = state->all == NIL ? &body->topics.items[n] : NULL;
	state->topic = state->asked == NULL ? list_nth_oid(state->all, n) : pgt_topic_names_find(state->asked->topic);
	if (!pgt_topic_lookup_options(state->topic, &options) || !pgt_access_topic(request->client, state->topic, KNOWING))
		return false;
	if (state->asked == NULL)
	{
		char	   *text = pgt_topic_names_of(state->topic);

		if (text == NULL)
			return false;
		*name = pgt_broker_string(text);
	}
	else
		*name = state->asked->topic;
	state->partitions = pgt_topic_lookup_partition_count(options);
	return true;
}

/* Begin the entry of the next topic. */
static void
begin_topic(BrokerRequest *request, DescribeLogDirs *state)
{
	KafkaString name;
	AnsweredTopic *answer;

	if (!find_next(request, state, &name))
		return;
	state->in_topic = true;
	state->next_partition = 0;
	state->end_partition = state->asked == NULL ? state->partitions : state->asked->partitions.count;
	state->result.topics.count++;
	answer = last_topic(state);
	answer->name = name;
	answer->partitions.count = 0;
	answer->partitions.items = pgt_broker_array(request, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_PARTITION,
												Max(state->end_partition, 0));
}

/* A topic without a partition that is asked for has no entry. */
static void
end_topic(DescribeLogDirs *state)
{
	state->in_topic = false;
	if (last_topic(state)->partitions.count == 0)
		state->result.topics.count--;
}

/* ---- the file system -------------------------------------------------------------------- */

/* Set how large the file system is, and how much of it is free. */
static void
fill_space(BrokerRequest *request, DescribeLogDirs *state)
{
	struct statvfs space;

	if (!has_privs_of_role(request->client->role, ROLE_PG_READ_ALL_STATS))
		return;
	/* it is made with the first log */
	if (statvfs(pgt_log_dir, &space) != 0 && statvfs(".", &space) != 0)
	{
		state->result.error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
		return;
	}
	state->result.total_bytes = (int64) space.f_blocks * (int64) space.f_frsize;
	state->result.usable_bytes = (int64) space.f_bavail * (int64) space.f_frsize;
}

/* ---- DescribeLogDirs ---------------------------------------------------------------------- */

/* Do the next step; false if all is done. */
static bool
step(BrokerRequest *request, DescribeLogDirs *state)
{
	if (state->dir != NULL)
		read_entry(state);
	else if (state->in_topic && state->next_partition < state->end_partition)
		begin_partition(state);
	else if (state->in_topic)
		end_topic(state);
	else if (state->next_topic < state->topic_count)
		begin_topic(request, state);
	else
		return false;
	return true;
}

/* Is it to wait for others that read directories?  Who does so already may go on. */
static bool
must_wait(const DescribeLogDirs *state)
{
	return state->dir == NULL && open_dirs >= DIRS_MAX;
}

static void
go_on(BrokerRequest *request)
{
	DescribeLogDirs *state = request->state;

	pgt_turn_open();
	while (!must_wait(state))
	{
		if (!step(request, state))
		{
			fill_space(request, state);
			pgt_broker_answer_in_slices(request, &state->response, NULL);
			return;
		}
		if (pgt_broker_slice_is_over())
			break;
	}
	pgt_broker_go_on(request, go_on);
}

static void
serve_describe(BrokerRequest *request)
{
	const KafkaDescribeLogDirsRequest *body = request->kafka.body;
	DescribeLogDirs *state = palloc0(sizeof(DescribeLogDirs));

	pgt_turn_open();
	request->state = state;
	request->dropped = dropped;
	pgt_kafka_default_struct(KAFKA_DESCRIBE_LOG_DIRS_RESPONSE, &state->response);
	pgt_kafka_default_struct(KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_RESULT, &state->result);
	if (body->topics.count < 0)
		state->all = pgt_topic_list();
	state->topic_count = body->topics.count < 0 ? list_length(state->all) : body->topics.count;
	state->result.log_dir = pgt_broker_string(pgt_log_dir);
	state->result.topics.items = pgt_broker_array(request, KAFKA_DESCRIBE_LOG_DIRS_RESPONSE_DESCRIBE_LOG_DIRS_TOPIC,
												  state->topic_count);
	state->result.topics.count = 0;
	state->response.results.items = &state->result;
	state->response.results.count = 1;
	go_on(request);
}

/* ---- AlterReplicaLogDirs --------------------------------------------------------------------- */

typedef KafkaAlterReplicaLogDirsRequestAlterReplicaLogDir AskedDir;
typedef KafkaAlterReplicaLogDirsRequestAlterReplicaLogDirTopic MovedTopic;
typedef KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult MovedResult;
typedef KafkaAlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult MovedPartition;

/* How far a request has come. */
typedef struct AlterReplicaLogDirs
{
	int			next_dir;
	int			next_topic;		/* of it */
	KafkaAlterReplicaLogDirsResponse response;
} AlterReplicaLogDirs;

/* Is it the path of the one directory? */
static bool
is_log_dir(KafkaString path)
{
	char		absolute[MAXPGPATH * 2];

	snprintf(absolute, sizeof(absolute), "%s/%s", DataDir, pgt_log_dir);
	return (path.length == (int32) strlen(pgt_log_dir) && memcmp(path.data, pgt_log_dir, path.length) == 0) ||
		(path.length == (int32) strlen(absolute) && memcmp(path.data, absolute, path.length) == 0);
}

/* Answer for a topic that is to move to a directory. */
static void
answer_topic(BrokerRequest *request, AlterReplicaLogDirs *state, const AskedDir *dir, const MovedTopic *topic)
{
	MovedResult *answer = &state->response.results.items[state->response.results.count++];
	int32		count = Max(topic->partitions.count, 0);
	MovedPartition *partitions =
		pgt_broker_array(request, KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE_ALTER_REPLICA_LOG_DIR_PARTITION_RESULT, count);
	TopicLookup found = {.error = KAFKA_ERROR_LOG_DIR_NOT_FOUND};
	TopicPartition key;

	if (is_log_dir(dir->path))
		found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(topic->name), KNOWING);
	for (int32 i = 0; i < count; i++)
	{
		partitions[i].partition_index = topic->partitions.items[i];
		partitions[i].error_code = pgt_topic_lookup_partition(&found, partitions[i].partition_index, &key);
	}
	answer->topic_name = topic->name;
	answer->partitions.items = partitions;
	answer->partitions.count = count;
}

/* Answer for the topic that is next, if the directory has one left; false: no directory is left. */
static bool
step_altering(BrokerRequest *request)
{
	const KafkaAlterReplicaLogDirsRequest *body = request->kafka.body;
	AlterReplicaLogDirs *state = request->state;
	const AskedDir *dir;

	if (state->next_dir >= body->dirs.count)
		return false;
	dir = &body->dirs.items[state->next_dir];
	if (state->next_topic < dir->topics.count)
		answer_topic(request, state, dir, &dir->topics.items[state->next_topic++]);
	else
	{
		state->next_dir++;
		state->next_topic = 0;
	}
	return true;
}

static void
finish_altering(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((AlterReplicaLogDirs *) request->state)->response, NULL);
}

static void
serve_alter(BrokerRequest *request)
{
	const KafkaAlterReplicaLogDirsRequest *body = request->kafka.body;
	AlterReplicaLogDirs *state = palloc0(sizeof(AlterReplicaLogDirs));
	int32		count = 0;

	request->state = state;
	for (int32 i = 0; i < body->dirs.count; i++)
		count += Max(body->dirs.items[i].topics.count, 0);
	pgt_kafka_default_struct(KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE, &state->response);
	state->response.results.items =
		pgt_broker_array(request, KAFKA_ALTER_REPLICA_LOG_DIRS_RESPONSE_ALTER_REPLICA_LOG_DIR_TOPIC_RESULT, count);
	pgt_broker_take_steps(request, step_altering, finish_altering);
}
