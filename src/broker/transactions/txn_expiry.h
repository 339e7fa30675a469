/*
 * txn_expiry.h
 *	  Forgetting transactional ids that are not used any more.
 */
#ifndef TXN_EXPIRY_H
#define TXN_EXPIRY_H

#include "broker/core/broker.h"

extern const BrokerHooks pgt_txn_expiry_hooks;

#endif							/* TXN_EXPIRY_H */
