/*
 * find_coordinator.h
 *	  The API FindCoordinator.
 */
#ifndef FIND_COORDINATOR_H
#define FIND_COORDINATOR_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_find_coordinator_api;

#endif							/* FIND_COORDINATOR_H */
