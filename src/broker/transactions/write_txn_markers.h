/*
 * write_txn_markers.h
 *	  The API WriteTxnMarkers.
 */
#ifndef WRITE_TXN_MARKERS_H
#define WRITE_TXN_MARKERS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_write_txn_markers_api;

#endif							/* WRITE_TXN_MARKERS_H */
