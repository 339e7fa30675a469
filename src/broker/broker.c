/*
 * broker.c
 *	  The table of APIs, clients, and the parts of a response.
 */
#include "postgres.h"

#include "broker/broker.h"
#include "kafka/kafka_default.h"
#include "utils/memutils.h"

/* A table has room for so many keys; Kafka's are below 100. */
#define KEYS	128

static const BrokerApi *apis[KEYS];

/* ---- the table ------------------------------------------------------------- */

void
pgt_broker_set_apis(const BrokerApi *const *entries)
{
	for (; *entries != NULL; entries++)
	{
		int			key = (*entries)->key;

		if (key < 0 || key >= KEYS || apis[key] != NULL)
			elog(ERROR, "API key %d does not fit the table", key);
		apis[key] = *entries;
	}
}

const BrokerApi *
pgt_broker_find_api(int key)
{
	return key < 0 || key >= KEYS ? NULL : apis[key];
}

/* ---- clients --------------------------------------------------------------- */

void
pgt_broker_set_client(BrokerConnection *client, Oid role, const char *role_name, int64 session_end)
{
	client->authenticated = true;
	client->role = role;
	strlcpy(client->role_name, role_name, sizeof(client->role_name));
	client->session_end = session_end;
	client->connection->expires = session_end;
	if (session_end < client->connection->timer.due)
		pgt_event_loop_set_timer(&client->connection->timer, session_end);
}

/* ---- parts of a response --------------------------------------------------- */

void *
pgt_broker_array(BrokerRequest *request, KafkaStructId id, int32 count)
{
	void	   *array = pgt_kafka_default_array(&request->arena, id, count);

	if (array == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return array;
}

KafkaString
pgt_broker_string(const char *text)
{
	return (KafkaString) {.data = text, .length = (int32) strlen(text)};
}

char *
pgt_broker_cstring(BrokerRequest *request, KafkaString string)
{
	char	   *text;

	if (string.length < 0 || (string.length > 0 && memchr(string.data, '\0', string.length) != NULL))
		return NULL;
	text = MemoryContextAlloc(request->memory, string.length + 1);
	if (string.length > 0)
		memcpy(text, string.data, string.length);
	text[string.length] = '\0';
	return text;
}
