/*
 * share_acknowledge.h
 *	  The API ShareAcknowledge.
 */
#ifndef SHARE_ACKNOWLEDGE_H
#define SHARE_ACKNOWLEDGE_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_share_acknowledge_api;

#endif							/* SHARE_ACKNOWLEDGE_H */
