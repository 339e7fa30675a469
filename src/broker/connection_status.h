/*
 * connection_status.h
 *	  What other processes may know of a Kafka connection.
 */
#ifndef CONNECTION_STATUS_H
#define CONNECTION_STATUS_H

#include "broker/core/broker.h"
#include "datatype/timestamp.h"

typedef enum ConnectionStatusState
{
	CONNECTION_STATUS_UNAUTHENTICATED,
	CONNECTION_STATUS_IDLE,
	CONNECTION_STATUS_WAITING,	/* for the answer to a request */
	CONNECTION_STATUS_SENDING,	/* an answer, which the client takes slowly */
	CONNECTION_STATUS_THROTTLED,	/* by a quota: it is not read */
	CONNECTION_STATUS_READING	/* from a disk, what it is to be sent */
} ConnectionStatusState;

/* In shared memory; all of a worker's are written by that worker alone. */
typedef struct ConnectionStatus
{
	uint32		version;		/* odd while it is being written */
	int			pid;			/* the worker's; 0: there is no such connection */
	Oid			database;
	uint64		id;				/* of no other connection of the worker */
	Oid			role;			/* invalid until the client is authenticated */
	ConnectionStatusState state;
	int16		api_key;		/* of the last request; -1: none yet */
	int			waiting;		/* requests that are not answered */
	int64		unsent;			/* bytes of answers */
	int64		requests;
	int64		bytes_in;
	int64		bytes_out;
	TimestampTz connected_at;
	TimestampTz active_at;
	SockAddr	peer;
	SockAddr	local;
	char		client_id[NAMEDATALEN];
	char		software_name[NAMEDATALEN];
	char		software_version[NAMEDATALEN];
} ConnectionStatus;

extern Size pgt_connection_status_size(void);
extern void pgt_connection_status_init(void);

/* In a worker: forget what an earlier one has left. */
extern void pgt_connection_status_begin(int worker);

/* In a worker: a connection has come, has changed, or is gone. */
extern void pgt_connection_status_add(BrokerConnection *client);
extern void pgt_connection_status_update(BrokerConnection *client);
extern void pgt_connection_status_remove(BrokerConnection *client);

/* How many there may be, and a copy of one; false if it is none. */
extern int	pgt_connection_status_count(void);
extern bool pgt_connection_status_read(int number, ConnectionStatus *copy);

#endif							/* CONNECTION_STATUS_H */
