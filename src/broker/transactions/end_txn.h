/*
 * end_txn.h
 *	  The API EndTxn.
 */
#ifndef END_TXN_H
#define END_TXN_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_end_txn_api;

#endif							/* END_TXN_H */
