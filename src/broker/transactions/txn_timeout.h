/*
 * txn_timeout.h
 *	  Ending transactions that are open for too long.
 */
#ifndef TXN_TIMEOUT_H
#define TXN_TIMEOUT_H

#include "broker/core/broker.h"

extern const BrokerHooks pgt_txn_timeout_hooks;

#endif							/* TXN_TIMEOUT_H */
