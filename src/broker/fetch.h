/*
 * fetch.h
 *	  The API Fetch: giving consumers what is in the log.
 */
#ifndef FETCH_H
#define FETCH_H

#include "broker/broker.h"

extern const BrokerApi pgt_fetch_api;
extern const BrokerHooks pgt_fetch_hooks;

#endif							/* FETCH_H */
