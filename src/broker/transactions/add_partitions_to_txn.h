/*
 * add_partitions_to_txn.h
 *	  The API AddPartitionsToTxn.
 */
#ifndef ADD_PARTITIONS_TO_TXN_H
#define ADD_PARTITIONS_TO_TXN_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_add_partitions_to_txn_api;

#endif							/* ADD_PARTITIONS_TO_TXN_H */
