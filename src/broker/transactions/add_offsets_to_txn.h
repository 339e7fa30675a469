/*
 * add_offsets_to_txn.h
 *	  The API AddOffsetsToTxn.
 */
#ifndef ADD_OFFSETS_TO_TXN_H
#define ADD_OFFSETS_TO_TXN_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_add_offsets_to_txn_api;

#endif							/* ADD_OFFSETS_TO_TXN_H */
