/*
 * init_producer_id.h
 *	  InitProducerId: an id for a producer that numbers its records.
 */
#ifndef INIT_PRODUCER_ID_H
#define INIT_PRODUCER_ID_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_init_producer_id_api;

#endif							/* INIT_PRODUCER_ID_H */
