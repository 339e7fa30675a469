/*
 * heartbeat.h
 *	  The API Heartbeat.
 */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_heartbeat_api;

#endif							/* HEARTBEAT_H */
