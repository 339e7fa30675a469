/*
 * refusal_log.h
 *	  What the server's log is told of clients that are refused, and how much.
 */
#ifndef REFUSAL_LOG_H
#define REFUSAL_LOG_H

#include "broker/core/broker.h"

/* Another client is refused: may that be logged?  If not, it is counted. */
extern bool pgt_refusal_log_may(const BrokerConnection *client);

/*
 * Log, unless there is much of it, that a client is refused, with what it is told of that, and what it is not, a sentence or
 * NULL.  Returns the former.
 */
extern const char *pgt_refusal_log_refuse(const BrokerConnection *client, const char *told, const char *detail);

extern const BrokerHooks pgt_refusal_log_hooks;

#endif							/* REFUSAL_LOG_H */
