/*
 * connection_limits.h
 *	  How many connections there may be, how much they may take, and how long.
 */
#ifndef CONNECTION_LIMITS_H
#define CONNECTION_LIMITS_H

#include "listener/connection_types.h"

/* Limits, set by who uses this file; they may be changed at any time. */
typedef struct ConnectionLimits
{
	int			connections;	/* at most */
	int			of_address;		/* of them from one address; 0: no limit */
	int32		first_frame;	/* max_frame of a new connection */
	size_t		memory;			/* of frames and answers of all connections: then no further frames are read */
	int			unsent_files;	/* pieces of files in them, likewise */
	size_t		unsent_memory;	/* of a connection's answers, sent next or held back: then it is not read until they are sent */
	int			pipelined;		/* frames of a connection that are not answered: then it is not read until one is */
	int64		idle_ms;		/* without a frame and an answer; 0: for ever */
	int64		slow_ms;		/* for a frame to come, and without progress of an answer */
} ConnectionLimits;

extern ConnectionLimits pgt_connection_limits;

/* Is there memory for one more frame? */
extern bool pgt_connection_limits_has_memory(void);

/*
 * Is the time over that a connection has for what is under way?  Then why it is to be closed, else
 * NULL: the connection's timer is set for the moment to ask again.  "reads" tells that the
 * connection is read now, so that a frame that does not come is the client's fault.
 */
extern const char *pgt_connection_limits_overdue(Connection *connection, bool reads);

#endif							/* CONNECTION_LIMITS_H */
