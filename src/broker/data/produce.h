/*
 * produce.h
 *	  The API Produce.
 */
#ifndef PRODUCE_H
#define PRODUCE_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_produce_api;

#endif							/* PRODUCE_H */
