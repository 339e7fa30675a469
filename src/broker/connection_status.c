/*
 * connection_status.c
 *	  What other processes may know of a Kafka connection.
 *
 * An array in shared memory, with as many entries for each worker as it may have
 * connections; none where there is no listener.  A worker writes an entry at the end of
 * each turn in which something has happened on its connection.
 *
 * No lock, as in the server's own array of sessions: the worker makes an entry's version odd,
 * writes, and makes it even again; a reader copies until it meets the same even
 * version before and behind.
 */
#include "postgres.h"

#include "broker/connection_status.h"
#include "broker/core/broker_settings.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "util/clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define READ_TRIES		1000	/* a worker that has ended in the midst of writing leaves an odd version */

static ConnectionStatus *entries = NULL;
static int	entry_count = 0;

/* In a worker: its part, and the numbers in it that are free. */
static ConnectionStatus *own = NULL;
static int *free_numbers = NULL;
static int	free_count = 0;

Size
pgt_connection_status_size(void)
{
	return mul_size(pgt_connection_status_count(), sizeof(ConnectionStatus));
}

int
pgt_connection_status_count(void)
{
	if (entry_count == 0)
		entry_count = list_length(pgt_broker_settings_databases()) * pgt_kafka_max_connections;
	return entry_count;
}

void
pgt_connection_status_init(void)
{
	bool		found;

	if (pgt_connection_status_count() == 0)
		return;
	entries = ShmemInitStruct("pg_topics kafka connections", pgt_connection_status_size(), &found);
	if (!found)
		memset(entries, 0, pgt_connection_status_size());
}

/* ---- writing --------------------------------------------------------------- */

static void
begin_write(ConnectionStatus *entry)
{
	entry->version |= 1;
	pg_write_barrier();
}

static void
end_write(ConnectionStatus *entry)
{
	pg_write_barrier();
	entry->version++;
}

/* There is no such connection. */
static void
clear_entry(ConnectionStatus *entry)
{
	begin_write(entry);
	entry->pid = 0;
	end_write(entry);
}

void
pgt_connection_status_begin(int worker)
{
	own = entries + worker * (Size) pgt_kafka_max_connections;
	free_numbers = MemoryContextAlloc(TopMemoryContext, pgt_kafka_max_connections * sizeof(int));
	free_count = 0;
	for (int i = pgt_kafka_max_connections - 1; i >= 0; i--)
	{
		if (own[i].pid != 0 || (own[i].version & 1) != 0)
			clear_entry(&own[i]);
		free_numbers[free_count++] = i;
	}
}

/* A moment of the monotonic clock as timestamptz. */
static TimestampTz
moment(int64 monotonic)
{
	return GetCurrentTimestamp() - (pgt_clock_monotonic_us() - monotonic);
}

static ConnectionStatusState
state_of(const BrokerConnection *client)
{
	const Connection *connection = client->connection;

	if (connection->reading != NULL)
		return CONNECTION_STATUS_READING;
	if (connection->stalled)
		return CONNECTION_STATUS_SENDING;
	if (connection->exchange_count > 0)
		return CONNECTION_STATUS_WAITING;
	if (connection->muted)
		return CONNECTION_STATUS_THROTTLED;
	return client->authenticated ? CONNECTION_STATUS_IDLE : CONNECTION_STATUS_UNAUTHENTICATED;
}

void
pgt_connection_status_update(BrokerConnection *client)
{
	ConnectionStatus *entry = client->status;
	const Connection *connection = client->connection;

	if (entry == NULL)
		return;
	begin_write(entry);
	entry->role = client->authenticated ? client->role : InvalidOid;
	entry->state = state_of(client);
	entry->api_key = client->api_key;
	entry->waiting = connection->exchange_count;
	entry->unsent = connection->output.length;
	entry->requests = connection->frames;
	entry->bytes_in = connection->bytes_in;
	entry->bytes_out = connection->bytes_out;
	entry->active_at = moment(connection->active_at);
	memcpy(entry->client_id, client->client_id, sizeof(entry->client_id));
	memcpy(entry->software_name, client->software_name, sizeof(entry->software_name));
	memcpy(entry->software_version, client->software_version, sizeof(entry->software_version));
	end_write(entry);
}

void
pgt_connection_status_add(BrokerConnection *client)
{
	ConnectionStatus *entry;

	if (free_count == 0)
		return;
	entry = client->status = &own[free_numbers[--free_count]];
	begin_write(entry);
	entry->pid = MyProcPid;
	entry->database = MyDatabaseId;
	entry->id = client->id;
	entry->connected_at = moment(client->connection->connected_at);
	entry->peer = client->connection->peer;
	entry->local = client->connection->local;
	end_write(entry);
	pgt_connection_status_update(client);
}

void
pgt_connection_status_remove(BrokerConnection *client)
{
	if (client->status == NULL)
		return;
	clear_entry(client->status);
	free_numbers[free_count++] = client->status - own;
	client->status = NULL;
}

/* ---- reading --------------------------------------------------------------- */

bool
pgt_connection_status_read(int number, ConnectionStatus *copy)
{
	volatile ConnectionStatus *entry = &entries[number];

	for (int i = 0; i < READ_TRIES; i++)
	{
		uint32		version = entry->version;

		if (entry->pid == 0)
			return false;
		pg_read_barrier();
		memcpy(copy, (ConnectionStatus *) entry, sizeof(*copy));
		pg_read_barrier();
		if ((version & 1) == 0 && entry->version == version)
			return copy->pid != 0;
	}
	return false;
}
