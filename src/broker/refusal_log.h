/*
 * refusal_log.h
 *	  How many lines the server's log gets about clients that are refused.
 */
#ifndef REFUSAL_LOG_H
#define REFUSAL_LOG_H

#include "broker/broker.h"

/* Another client is refused: may that be logged?  If not, it is counted. */
extern bool pgt_refusal_log_may(const BrokerConnection *client);

extern const BrokerHooks pgt_refusal_log_hooks;

#endif							/* REFUSAL_LOG_H */
