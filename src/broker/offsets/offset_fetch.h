/*
 * offset_fetch.h
 *	  The API OffsetFetch.
 */
#ifndef OFFSET_FETCH_H
#define OFFSET_FETCH_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_offset_fetch_api;

#endif							/* OFFSET_FETCH_H */
