/*
 * share_fetch.h
 *	  The API ShareFetch.
 */
#ifndef SHARE_FETCH_H
#define SHARE_FETCH_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_share_fetch_api;
extern const BrokerHooks pgt_share_fetch_hooks;

#endif							/* SHARE_FETCH_H */
